package geo

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/paulmach/orb"
)

func snapshotOf(t testing.TB, l *Layer) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := l.WriteSnapshot(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSnapshot: a layer comes back with every row, value and search as it was.
func TestSnapshot(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, n := range []int{0, 1, 300, chunkRows + 5} {
		b := NewBuilder(LayerInfo{ID: "s", Kind: KindPatrolTrack, Title: "Ünïcode"})
		for range n {
			b.Add(someFeature(r))
		}
		l := b.Layer()
		got, err := ReadSnapshot(bytes.NewReader(snapshotOf(t, l)))
		if err != nil {
			t.Fatal(err)
		}
		got.Info.UpdatedAt = l.Info.UpdatedAt // the zero time has two forms
		if !reflect.DeepEqual(got.Info, l.Info) || got.Len() != l.Len() || got.Bound() != l.Bound() || !reflect.DeepEqual(got.Columns(), l.Columns()) {
			t.Fatalf("%d rows: %+v, %d rows in %v with %v; want %+v, %v, %v", n, got.Info, got.Len(), got.Bound(), got.Columns(), l.Info, l.Bound(), l.Columns())
		}
		for row := range l.Len() {
			if want, have := l.Feature(row), got.Feature(row); !reflect.DeepEqual(want, have) {
				t.Fatalf("row %d: %+v, want %+v", row, have, want)
			}
		}
		if n > 0 && !reflect.DeepEqual(got.Near(orb.Point{110, 1}, 5), l.Near(orb.Point{110, 1}, 5)) {
			t.Error("a search finds something else")
		}
	}
}

// FuzzSnapshot: damage gives an error or a layer that can be used, never a
// panic.
func FuzzSnapshot(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 7))
	b := NewBuilder(LayerInfo{ID: "s", Kind: KindIncident})
	for range 5 {
		b.Add(someFeature(r))
	}
	whole := snapshotOf(f, b.Layer())
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := ReadSnapshot(bytes.NewReader(raw))
		if err != nil {
			return
		}
		for row := range l.Len() {
			_ = l.Feature(row)
			_ = l.ID(row)
			_ = l.AppendProperties(nil, row)
		}
	})
}
