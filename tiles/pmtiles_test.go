package tiles

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/paulmach/orb"
)

// The first numbers are those of the specification's figure; the last is one of
// its examples.
func TestHilbertNumbers(t *testing.T) {
	for _, c := range []struct {
		tile Tile
		id   uint64
	}{{Tile{0, 0, 0}, 0}, {Tile{1, 0, 0}, 1}, {Tile{1, 0, 1}, 2}, {Tile{1, 1, 1}, 3}, {Tile{1, 1, 0}, 4}, {Tile{2, 0, 0}, 5}, {Tile{12, 3423, 1763}, 19078479}} {
		if got := hilbertID(c.tile); got != c.id {
			t.Errorf("%s has number %d, want %d", c.tile, got, c.id)
		}
	}
	seen := map[uint64]Tile{} // each zoom's tiles have all its numbers, neighbours one after the other
	for x := range uint32(32) {
		for y := range uint32(32) {
			seen[hilbertID(Tile{5, x, y})] = Tile{5, x, y}
		}
	}
	for id := uint64(341); id < 341+1023; id++ {
		a, b := seen[id], seen[id+1]
		if d := int(a.X) - int(b.X) + int(a.Y) - int(b.Y); d != 1 && d != -1 {
			t.Fatalf("numbers %d and %d are tiles %s and %s", id, id+1, a, b)
		}
	}
}

// reader reads an archive, by the specification alone.
type reader struct {
	t    *testing.T
	file []byte
}

func (r reader) u64(at int) uint64 { return binary.LittleEndian.Uint64(r.file[at:]) }

func (r reader) part(at, length uint64) []byte {
	r.t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(r.file[at : at+length]))
	if err != nil {
		r.t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r reader) tiles() map[uint64][]byte {
	out := map[uint64][]byte{}
	r.walk(r.u64(8), r.u64(16), out)
	return out
}

func (r reader) walk(at, length uint64, out map[uint64][]byte) {
	r.t.Helper()
	b := r.part(at, length)
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			r.t.Fatal("a directory ends early")
		}
		b = b[n:]
		return v
	}
	entries := make([]pmEntry, next())
	id := uint64(0)
	for i := range entries {
		id += next()
		entries[i].id = id
	}
	for i := range entries {
		entries[i].run = uint32(next())
	}
	for i := range entries {
		entries[i].length = uint32(next())
	}
	for i := range entries {
		if v := next(); v == 0 {
			entries[i].offset = entries[i-1].offset + uint64(entries[i-1].length)
		} else {
			entries[i].offset = v - 1
		}
	}
	for _, e := range entries {
		if e.run == 0 {
			r.walk(r.u64(40)+e.offset, uint64(e.length), out)
		}
		for k := range uint64(e.run) {
			at := r.u64(56) + e.offset
			out[e.id+k] = r.file[at : at+uint64(e.length)]
		}
	}
}

func writeArchive(t *testing.T, p PMTiles, draw func(Tile) ([]byte, error)) ([]byte, error) {
	t.Helper()
	spool, err := os.Create(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = spool.Close() }()
	var b bytes.Buffer
	err = p.Write(&b, spool, draw)
	return b.Bytes(), err
}

func TestPMTilesHoldEveryTile(t *testing.T) {
	for name, zoom := range map[string]int{"one directory": 5, "leaves": 8} {
		p := PMTiles{Bound: orb.Bound{Min: orb.Point{-170, -80}, Max: orb.Point{170, 80}}, MaxZoom: zoom, Metadata: map[string]any{"name": name}}
		draw := func(tile Tile) ([]byte, error) {
			switch {
			case tile.X%7 == 3:
				return nil, nil // nothing there
			case tile.Y%5 == 2:
				return []byte("sea"), nil // the same in many places
			}
			return fmt.Appendf(nil, "tile %s", tile), nil
		}
		file, err := writeArchive(t, p, draw)
		if err != nil {
			t.Fatal(err)
		}
		if string(file[:7]) != "PMTiles" || file[7] != 3 {
			t.Fatalf("%s: not an archive: % x", name, file[:8])
		}
		r := reader{t, file}
		if root := r.u64(16); root+pmHeader > pmRoot {
			t.Errorf("%s: the root directory has %d bytes", name, root)
		}
		if leaves := r.u64(48); (leaves > 0) != (zoom == 8) {
			t.Errorf("%s: %d bytes of leaves", name, leaves)
		}
		got := r.tiles()
		want := 0
		for id, tile := range tilesInOrder(p.Bound, zoom) {
			body, _ := draw(tile)
			if !bytes.Equal(got[id], body) {
				t.Fatalf("%s: tile %s is %q, want %q", name, tile, got[id], body)
			}
			if body != nil {
				want++
			}
		}
		if len(got) != want || r.u64(72) != uint64(want) {
			t.Errorf("%s: %d tiles, header says %d, want %d", name, len(got), r.u64(72), want)
		}
		if again, _ := writeArchive(t, p, draw); !bytes.Equal(again, file) {
			t.Errorf("%s: another file of the same tiles", name)
		}
	}
}

func TestPMTilesRefuse(t *testing.T) {
	world := orb.Bound{Min: orb.Point{-180, -85}, Max: orb.Point{180, 85}}
	if _, err := writeArchive(t, PMTiles{Bound: world, MaxZoom: 12}, func(Tile) ([]byte, error) { return nil, nil }); err == nil {
		t.Error("22 million tiles are begun")
	}
	full := errors.New("disk full")
	if _, err := writeArchive(t, PMTiles{Bound: world, MaxZoom: 2}, func(Tile) ([]byte, error) { return nil, full }); !errors.Is(err, full) {
		t.Errorf("an error of a tile is %v", err)
	}
	file, err := writeArchive(t, PMTiles{Bound: world, MaxZoom: 2}, func(Tile) ([]byte, error) { return nil, nil })
	if err != nil || len(reader{t, file}.tiles()) != 0 {
		t.Errorf("an archive of nothing: %v", err)
	}
}
