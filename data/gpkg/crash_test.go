package gpkg

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// crashStore names the store in which a child of the tests writes until it is
// killed.
const crashStore = "SEMPADAN_TEST_CRASH_STORE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashStore); path != "" {
		fmt.Println(writeForever(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const crashRows = 1500

// crashLayer is version v of the layer that the child writes. Versions are
// made in all modes, and each is known from its number of rows and their tags.
func crashLayer(v int64) (mode data.Mode, rows *geo.Layer) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "c"})
	mode, first := data.Replace, int64(1)
	switch v % 3 {
	case 1:
		mode, first = data.Append, crashRows+1
	case 2:
		mode = data.Upsert
	}
	if v == 1 {
		first = 1
	}
	for i := range int64(crashRows) {
		b.Add(geo.Feature{FID: first + i, Geometry: orb.Point{float64(v), float64(i) / crashRows}, Properties: map[string]any{"tag": float64(v)}})
	}
	return mode, b.Layer()
}

func writeForever(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path, Options{KeepVersions: 4})
	if err != nil {
		return err
	}
	version := int64(0)
	if list, err := s.Versions(ctx, "c"); err == nil {
		version = list[0].Version
	}
	fmt.Println(version)
	for {
		version++
		mode, rows := crashLayer(version)
		if mode == data.Append && version > 1 {
			rows = shift(rows, s, ctx)
		}
		if _, err := s.Commit(ctx, data.Change{Info: rows.Info, Mode: mode, Rows: rows}); err != nil {
			return err
		}
		fmt.Println(version)
	}
}

// shift gives rows the next free FIDs.
func shift(rows *geo.Layer, s *Store, ctx context.Context) *geo.Layer {
	list, err := s.Layers(ctx)
	if err != nil {
		panic(err)
	}
	b := geo.NewBuilder(geo.LayerInfo{ID: "c", NextFID: list[0].NextFID})
	for row := range rows.Len() {
		f := rows.Feature(row)
		f.FID = 0
		b.Add(f)
	}
	return b.Layer()
}

// checkWhole fails unless the layer is one whole version.
func checkWhole(t *testing.T, l *geo.Layer) {
	t.Helper()
	v := l.Info.Version
	tags := map[float64]int{}
	for row := range l.Len() {
		tags[l.Number(row, "tag")]++
	}
	// What replace brought, append adds to and upsert replaces the first of.
	want := map[float64]int{float64(v): crashRows}
	switch {
	case v == 2:
	case v > 1 && v%3 == 1:
		want[float64(v-1)] = crashRows
	case v > 2 && v%3 == 2:
		want[float64(v-1)] = crashRows
	}
	if fmt.Sprint(tags) != fmt.Sprint(want) {
		t.Errorf("version %d has rows of versions %v, want %v", v, tags, want)
	}
}

// TestKill kills a writing process again and again: what it had acknowledged
// is there, and at most the one change more that it was about to.
func TestKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	path := filepath.Join(t.TempDir(), "crash.gpkg")
	for round := range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashStore+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acked := int64(-1)
		lines := bufio.NewScanner(out)
		var timer *time.Timer
		for lines.Scan() {
			if acked, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
				t.Fatalf("child: %s", lines.Text())
			}
			if timer == nil {
				timer = time.AfterFunc(time.Duration(20+r.IntN(250))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait() // it was killed
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if l, err := s.Load(t.Context(), "c"); err != nil {
			if acked > 0 {
				t.Errorf("round %d: %v", round, err)
			}
		} else {
			if v := l.Info.Version; v < acked || v > acked+1 {
				t.Errorf("round %d: version %d is acknowledged, %d is there", round, acked, v)
			}
			checkWhole(t, l)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		checkFile(t, path)
	}
}

// TestTornLog opens copies of a store taken while it is written, as they are
// and with the log cut off anywhere: each is one whole version, and an uncut
// one has all that was acknowledged before the copy.
func TestTornLog(t *testing.T) {
	const seed = 11
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	s := newStore(t)
	_, rows := crashLayer(1)
	mustCommit(t, s, data.Replace, rows)
	if _, err := s.writer.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	// A reader keeps the log from starting anew, so that file and log, copied
	// one after the other, are of one moment as after a crash.
	hold, err := s.reader.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	if _, err := hold.ExecContext(t.Context(), `BEGIN; SELECT count(*) FROM sempadan_layers`); err != nil {
		t.Fatal(err)
	}
	acked := make(chan int64, 100)
	go func() {
		defer close(acked)
		for v := int64(2); v <= 7; v++ {
			mode, rows := crashLayer(v)
			if mode == data.Append {
				rows = shift(rows, s, context.Background())
			}
			if _, err := s.Commit(context.Background(), data.Change{Info: rows.Info, Mode: mode, Rows: rows}); err != nil {
				t.Error(err)
				return
			}
			acked <- v
		}
	}()
	for v := range acked {
		time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond) // into the next change
		file, log := readFile(t, s.Path()), readFile(t, s.Path()+"-wal")
		for k := range 3 {
			cut := len(log)
			if k > 0 {
				cut = r.IntN(len(log))
			}
			path := filepath.Join(dir, fmt.Sprintf("copy-%d-%d.gpkg", v, k))
			writeFile(t, path, file)
			writeFile(t, path+"-wal", log[:cut])
			copied, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatalf("cut at %d of %d: %v", cut, len(log), err)
			}
			l := mustLoad(t, copied, "c")
			if k == 0 && l.Info.Version < v {
				t.Errorf("version %d was acknowledged, %d is there", v, l.Info.Version)
			}
			checkWhole(t, l)
			if err := copied.Close(); err != nil {
				t.Error(err)
			}
			checkFile(t, path)
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
