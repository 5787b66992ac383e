package surface

import (
	"math"
	"math/rand/v2"
	"testing"
)

// scattered returns n events of unequal weight within half a degree, a third of
// them near another one, so that a level of 2^17 leaves more than half of them.
func scattered(n int) []Event {
	r := rand.New(rand.NewPCG(9, 9))
	events := make([]Event, n)
	for i := range events {
		e := Event{Lon: 104 + 0.5*r.Float64(), Lat: 1 + 0.5*r.Float64(), Weight: 0.5 + r.Float64()}
		if i%3 == 2 {
			e.Lon, e.Lat = events[i-1].Lon+1e-4*r.Float64(), events[i-1].Lat+1e-4*r.Float64()
		}
		events[i] = e
	}
	return events
}

// gatherTile returns what a tile with a radius of 20 of its pixels sums.
func gatherTile(t *testing.T, events []Event, w tileWindow) (d *Density, cs []candidate) {
	t.Helper()
	d, err := NewDensity(NewPoints(events, false), Quartic, 20*equatorM/math.Exp2(float64(w.level)))
	if err != nil {
		t.Fatal(err)
	}
	s := &d.points.sets[0]
	if fine := fineLevel(d.BandwidthM, s.leastLat); fine != w.level || s.mergedTo(fine) != s.mergedTo(keyLevel-1) {
		t.Fatalf("level %d is kept merged, or not the tile's: nothing is tried here", fine)
	}
	l := w.lattice()
	return d, d.gather(nil, &l, s, w.level)
}

func windowAt(level int, lon, lat float64) tileWindow {
	side := math.Exp2(float64(level))
	return tileWindow{level, int(worldX(lon)*side) &^ 255, int(worldY(lat)*side) &^ 255, 256, 256}
}

// What is gathered is the weighted mean of each cell, summed here by a map.
func TestGatherMergesWholeCells(t *testing.T) {
	const level = 17
	w := windowAt(level, 104.25, 1.25)
	events := scattered(12_000)
	d, cs := gatherTile(t, events, w)
	type mean struct{ lon, lat, weight float64 }
	cells := map[[2]uint32]mean{}
	for _, e := range events {
		cell := [2]uint32{cell24(worldX(e.Lon)) >> (keyLevel - level), cell24(worldY(e.Lat)) >> (keyLevel - level)}
		m := cells[cell]
		cells[cell] = mean{m.lon + e.Weight*e.Lon, m.lat + e.Weight*e.Lat, m.weight + e.Weight}
	}
	l := w.lattice()
	from := l.reachedFrom(d.BandwidthM)
	want := map[[2]int64]float64{}
	place := func(col, lat float64) [2]int64 {
		return [2]int64{int64(math.Round(col * 1e6)), int64(math.Round(lat * 1e9))}
	}
	for _, m := range cells {
		if lon, lat := m.lon/m.weight, m.lat/m.weight; from.holds(lon, lat) {
			want[place(l.column(lon), lat)] = m.weight
		}
	}
	if len(cs) != len(want) || len(cs) == 0 || len(cells) == len(events) {
		t.Fatalf("%d gathered, want %d of %d cells of %d events", len(cs), len(want), len(cells), len(events))
	}
	scale := d.Kernel.Constant() / (d.BandwidthM * d.BandwidthM)
	for _, c := range cs {
		if w := want[place(c.col, c.lat)]; math.Abs(c.scale/scale-w) > 1e-9 {
			t.Fatalf("at column %g, %g degrees weight %g, want %g", c.col, c.lat, c.scale/scale, w)
		}
	}
}

// What a cold tile sums grows no faster than the events that it shows, and ends
// with the cells that there are: counted in events and in the rows of each.
func TestColdTileGrowsWithItsEvents(t *testing.T) {
	const level, radius = 17, 20
	w := windowAt(level, 104.25, 1.25)
	all := scattered(24_000)
	var before, beforeEvents, beforePairs int
	for n := 3000; n <= len(all); n *= 2 {
		d, cs := gatherTile(t, all[:n], w)
		l := w.lattice()
		near, from := 0, l.reachedFrom(d.BandwidthM)
		for _, e := range all[:n] {
			if from.holds(e.Lon, e.Lat) {
				near++
			}
		}
		rows := (&scratch{}).bucketRows(l, cs, d.BandwidthM)
		pairs := 0
		for r := range l.Lats {
			pairs += len(rows.near(r))
		}
		t.Logf("%d events near the tile: %d summed, in %d rows of them", near, len(cs), pairs)
		if len(cs) > near+near/20 || pairs > len(cs)*(2*radius+2) {
			t.Errorf("%d events near the tile: %d summed, in %d rows of them", near, len(cs), pairs)
		}
		if before > 0 && (len(cs)*beforeEvents > before*near*21/20 || pairs*beforeEvents > beforePairs*near*21/20) {
			t.Errorf("from %d to %d events: %d became %d, %d rows became %d", beforeEvents, near, before, len(cs), beforePairs, pairs)
		}
		before, beforeEvents, beforePairs = len(cs), near, pairs
	}
}
