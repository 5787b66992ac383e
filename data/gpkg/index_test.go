package gpkg

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
	"github.com/sempadan/sempadan/geo"
)

// TestIndex compares windows through SQL with brute force over the features,
// for packed trees of all depths, and after changes row by row.
func TestIndex(t *testing.T) {
	s := newStore(t)
	for _, n := range []int{0, 1, packCells, packCells + 1, maxCells + 1, 3000, 12_000} {
		l := scattered(uint64(n), 1, n)
		mustCommit(t, s, data.Replace, l)
		checkIndex(t, s, l, fmt.Sprint(n, " rows, packed"))
	}
	// A small change of a large layer goes through the R*Tree module.
	mustCommit(t, s, data.Upsert, scattered(1, 500, 300))
	checkIndex(t, s, mustLoad(t, s, "s"), "upserted")
	mustCommit(t, s, data.Append, scattered(2, 12_001, 400))
	checkIndex(t, s, mustLoad(t, s, "s"), "appended")
	mustCommit(t, s, data.Append, scattered(3, 20_001, 5_000))
	checkIndex(t, s, mustLoad(t, s, "s"), "packed anew")
	mustCommit(t, s, data.Replace, storetest.Random(4, "s", 500))
	checkIndex(t, s, mustLoad(t, s, "s"), "all geometry types")
}

// scattered returns points and small lines with FIDs from first on.
func scattered(seed uint64, first, n int) *geo.Layer {
	r := rand.New(rand.NewPCG(seed, 3))
	b := geo.NewBuilder(geo.LayerInfo{ID: "s"})
	for i := range n {
		p := orb.Point{109 + 9*r.Float64(), -4 + 8*r.Float64()}
		f := geo.Feature{FID: int64(first + i), Geometry: p}
		if r.IntN(4) == 0 {
			f.Geometry = orb.LineString{p, {p[0] + r.Float64()/10, p[1] + r.Float64()/10}}
		}
		b.Add(f)
	}
	return b.Layer()
}

func checkIndex(t *testing.T, s *Store, l *geo.Layer, what string) {
	t.Helper()
	wantText(t, s, `SELECT rtreecheck('rtree_s_geom')`, "ok")
	conn, err := s.reader.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := rand.New(rand.NewPCG(uint64(l.Len()), 5))
	for range 12 {
		w := orb.Bound{Min: orb.Point{108 + 10*r.Float64(), -5 + 10*r.Float64()}}
		w.Max = orb.Point{w.Min[0] + 3*r.Float64(), w.Min[1] + 3*r.Float64()}
		rows, err := conn.QueryContext(t.Context(), `SELECT id FROM rtree_s_geom WHERE maxx >= ? AND minx <= ? AND maxy >= ? AND miny <= ?`,
			w.Min[0], w.Max[0], w.Min[1], w.Max[1])
		if err != nil {
			t.Fatal(err)
		}
		got := map[int64]bool{}
		for rows.Next() {
			var fid int64
			if err := rows.Scan(&fid); err != nil {
				t.Fatal(err)
			}
			got[fid] = true
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		// The index rounds boxes outwards to float32: it may find a little more.
		const slack = 2e-5
		for row := range l.Len() {
			b, fid := l.Geometry(row).Bound(), l.FID(row)
			if w.Intersects(b) && !got[fid] {
				t.Fatalf("%s: feature %d with %v is not found in %v", what, fid, b, w)
			}
			if got[fid] && !w.Pad(slack).Intersects(b) {
				t.Fatalf("%s: feature %d with %v is found in %v", what, fid, b, w)
			}
		}
	}
}

// TestPack: with 45 rows a leaf, 46 make two leaves under a root.
func TestPack(t *testing.T) {
	if packCells != 45 || maxCells != 51 {
		t.Fatalf("%d of %d cells a node", packCells, maxCells)
	}
	for n, want := range map[int]struct{ depth, nodes int }{1: {0, 1}, 45: {0, 1}, 46: {1, 3}, 4 * 45: {1, 5}} {
		var boxes []cell
		for i := range n {
			p := orb.Point{float64(i % 10), float64(i / 10)}
			boxes = append(boxes, cellOf(int64(100+i), orb.Bound{Min: p, Max: p}))
		}
		tr := pack(boxes)
		if tr.depth != want.depth || len(tr.nodes) != want.nodes {
			t.Errorf("%d rows: depth %d, %d nodes; want %+v", n, tr.depth, len(tr.nodes), want)
		}
		var fids []int64
		for k, node := range tr.nodes {
			if tr.depth == 0 || k > 0 {
				for _, c := range node {
					fids = append(fids, c.id)
				}
			}
		}
		slices.Sort(fids)
		if len(fids) != n || fids[0] != 100 || fids[n-1] != int64(99+n) {
			t.Errorf("%d rows: leaves hold %v", n, fids)
		}
	}
}

func BenchmarkPack(b *testing.B) {
	l := points(benchRows)
	boxes := make([]cell, l.Len())
	for row := range boxes {
		boxes[row] = cellOf(l.FID(row), l.Geometry(row).Bound())
	}
	b.ReportAllocs()
	for b.Loop() {
		pack(boxes)
	}
}
