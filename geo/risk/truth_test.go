package risk_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// world is a border whose hazard is known: a smooth rate along a line, uneven
// patrols of two countries, and records of the incidents that a patrol met
// while they lasted or that somebody reported, at a rate of the district.
type world struct {
	border, incidents, tracks *geo.Layer
	rate                      func(orb.Point) float64 // true incidents per km² and year
	recorded, happened        int
}

const (
	worldYears = 3.0
	worldTime  = time.Duration(worldYears * 365.25 * 24 * float64(time.Hour))
	worldWest  = 109.0
	worldEast  = 113.5
)

func worldLine(lon float64) float64 { return 1.2 + 0.25*math.Sin(lon*2.1) }

// worldSpec says how often a base sends out patrols, on a day that it has any,
// and how far from the line the hazard falls off.
type worldSpec struct {
	seed    uint64
	perDay  int
	widthKM float64
}

func newWorld(spec worldSpec) world {
	seed, perDay := spec.seed, spec.perDay
	r := rand.New(rand.NewPCG(seed, 77))
	var w world
	var line orb.LineString
	for lon := worldWest; lon <= worldEast; lon += 0.01 {
		line = append(line, orb.Point{lon, worldLine(lon)})
	}
	w.border = layer(geo.LayerInfo{ID: "border", Kind: geo.KindBoundary, Version: 1},
		geo.Feature{Geometry: line, Properties: map[string]any{"countries": "IDN-MYS"}})
	type bump struct{ lon, size, width float64 }
	var bumps []bump
	for range 9 {
		bumps = append(bumps, bump{worldWest + 0.2 + 4.1*r.Float64(), math.Exp(1.2 * r.NormFloat64()), 0.06 + 0.2*r.Float64()})
	}
	w.rate = func(p orb.Point) float64 {
		along := 0.06
		for _, b := range bumps {
			d := (p[0] - b.lon) / b.width
			along += b.size * math.Exp(-d*d/2)
		}
		off := (p[1] - worldLine(p[0])) * 111
		return 0.03 * 9 / spec.widthKM * along * math.Exp(-off*off/(2*spec.widthKM*spec.widthKM))
	}
	// Patrols: bases of each country, visited weekly to daily, 12 km either way.
	var tracks []geo.Feature
	passes := map[surface.Cell][]time.Time{}
	start := now.Add(-worldTime)
	for base := range 8 {
		lon, country := worldWest+0.3+3.9*r.Float64(), []string{"ID", "MY"}[base%2]
		every := 1 + r.IntN(6) // days
		for n := range perDay * int(worldYears*365) / every {
			day := n * every / perDay
			t := start.Add(time.Duration((float64(day) + r.Float64()) * 24 * float64(time.Hour)))
			from, dir := lon+0.1*r.NormFloat64(), float64(1-2*r.IntN(2))
			var way orb.LineString
			var times []time.Time
			shift := 0.03 * r.NormFloat64()
			for k := range 25 {
				x := from + dir*0.009*float64(k)
				p := orb.Point{x, worldLine(x) + shift}
				way = append(way, p)
				times = append(times, t.Add(time.Duration(k)*10*time.Minute))
				passes[surface.CellAt(p)] = append(passes[surface.CellAt(p)], times[k])
			}
			tracks = append(tracks, geo.Feature{Geometry: way, From: times[0], To: times[len(times)-1], VertexTimes: times,
				Properties: map[string]any{"country": country, "agency": "P", "mode": "vehicle", "sweep_width_m": 1500.0}})
		}
	}
	w.tracks = patrols(tracks...)
	for _, ts := range passes {
		sort.Slice(ts, func(i, j int) bool { return ts[i].Before(ts[j]) })
	}
	var districts [6]float64
	for i := range districts {
		districts[i] = 0.05 + 0.25*r.Float64()
	}
	w.record(r, passes, districts)
	return w
}

// record draws what happens in each cell and what of it comes to be known.
func (w *world) record(r *rand.Rand, passes map[surface.Cell][]time.Time, districts [6]float64) {
	var records []geo.Feature
	start := now.Add(-worldTime)
	eachWorldCell(func(c surface.Cell, areaKM2 float64) {
		at := c.Center()
		n := poisson(r, w.rate(at)*areaKM2*worldYears)
		w.happened += n
		for range n {
			t := start.Add(time.Duration(r.Float64() * worldYears * 365.25 * 24 * float64(time.Hour)))
			discovery := ""
			ts := passes[c]
			k := sort.Search(len(ts), func(i int) bool { return !ts[i].Before(t) })
			for ; k < len(ts) && ts[k].Sub(t) < 3*time.Hour; k++ {
				if r.Float64() < 1-math.Exp(-1.5*1.0/areaKM2) { // a vertex a kilometre
					discovery = "patrol"
				}
			}
			if district := min(5, int((at[0]-worldWest)/(worldEast-worldWest)*6)); discovery == "" && r.Float64() < districts[max(0, district)] {
				discovery = "reported_public"
			}
			if discovery == "" {
				continue
			}
			p := orb.Point{at[0] + 0.01*(r.Float64()-.5), at[1] + 0.01*(r.Float64()-.5)}
			records = append(records, incident(p[0], p[1], t, map[string]any{"kind": "irr.exit", "discovery": discovery}))
		}
	})
	w.recorded = len(records)
	w.incidents = incidents(records...)
}

func eachWorldCell(yield func(c surface.Cell, areaKM2 float64)) {
	nw, se := surface.CellAt(orb.Point{worldWest, 1.65}), surface.CellAt(orb.Point{worldEast, 0.75})
	for y := nw.Y; y <= se.Y; y++ {
		for x := nw.X; x <= se.X; x++ {
			c := surface.Cell{X: x, Y: y}
			if p := c.Center(); math.Abs(p[1]-worldLine(p[0])) < 0.2 {
				yield(c, c.AreaM2()/1e6)
			}
		}
	}
}

func poisson(r *rand.Rand, mean float64) (n int) {
	for p := r.Float64(); p > math.Exp(-mean); n++ {
		p *= r.Float64()
	}
	return n
}

// skill is how an estimate does against the truth.
type skill struct {
	hits, sections, covered, rank float64 // shares
}

// plus adds a share of another's.
func (s skill) plus(o skill, of float64) skill {
	return skill{s.hits + o.hits/of, s.sections + o.sections/of, s.covered + o.covered/of, s.rank + o.rank/of}
}

func (w *world) judge(t *testing.T, a *risk.Assessment) (s skill) {
	t.Helper()
	type cell struct{ truth, got float64 }
	var cells []cell
	inside, n := 0, 0
	eachWorldCell(func(c surface.Cell, _ float64) {
		v, err := a.Value("hazard", a.DefaultView(), c.Center())
		if err != nil {
			t.Fatal(err)
		}
		truth := w.rate(c.Center())
		cells = append(cells, cell{truth, v})
		if n++; n%7 == 0 {
			h := a.At(c.Center()).Hazard
			if truth >= h.Lo90 && truth <= h.Hi90 {
				inside++
			}
		}
	})
	top := func(by func(cell) float64) (sum float64) {
		c := slices.Clone(cells)
		slices.SortStableFunc(c, func(x, y cell) int { return -1 * cmpFloat(by(x), by(y)) })
		for _, x := range c[:len(c)/10] {
			sum += x.truth
		}
		return sum
	}
	s.hits = top(func(c cell) float64 { return c.got }) / top(func(c cell) float64 { return c.truth })
	s.covered = float64(inside) / float64(n/7)
	var truth, got []float64
	for _, c := range cells {
		truth, got = append(truth, c.truth), append(got, c.got)
	}
	s.rank = correlation(ranks(truth), ranks(got))
	s.sections = w.judgeSections(a)
	return s
}

// judgeSections is the share of the true rate that the fifth of the sections with
// the highest estimate has, of what the best fifth has.
func (w *world) judgeSections(a *risk.Assessment) float64 {
	truth := make([]float64, len(a.Sections))
	eachWorldCell(func(c surface.Cell, km2 float64) {
		best, at := math.Inf(1), -1
		for i, s := range a.Sections {
			if d := math.Abs(s.Line[len(s.Line)/2][0] - c.Center()[0]); d < best {
				best, at = d, i
			}
		}
		truth[at] += w.rate(c.Center()) * km2
	})
	order := func(value func(i int) float64) (sum float64) {
		k := make([]int, len(truth))
		for i := range k {
			k[i] = i
		}
		sort.Slice(k, func(x, y int) bool { return value(k[x]) > value(k[y]) })
		for _, i := range k[:len(k)/5] {
			sum += truth[i]
		}
		return sum
	}
	return order(func(i int) float64 { return a.Sections[i].AnnualRate.Mean }) / order(func(i int) float64 { return truth[i] })
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return v[order[i]] < v[order[j]] })
	out := make([]float64, len(v))
	for k, i := range order {
		out[i] = float64(k)
	}
	return out
}

func correlation(x, y []float64) float64 {
	mx, my, sxy, sxx, syy := 0.0, 0.0, 0.0, 0.0, 0.0
	for i := range x {
		mx += x[i] / float64(len(x))
		my += y[i] / float64(len(x))
	}
	for i := range x {
		sxy += (x[i] - mx) * (y[i] - my)
		sxx += (x[i] - mx) * (x[i] - mx)
		syy += (y[i] - my) * (y[i] - my)
	}
	return sxy / math.Sqrt(sxx*syy)
}

// On borders whose truth is known, patrolled unevenly, rarely or often, and with
// districts that report unequally, the hazard finds the places; the map of the
// records does not. Figures are means of eight borders.
func TestHazardAgainstTruth(t *testing.T) {
	const worlds = 8
	var got, plain skill
	for seed := range uint64(worlds) {
		w := newWorld(worldSpec{seed, []int{1, 8}[seed%2], []float64{9, 5}[seed/2%2]})
		in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{w.border, w.incidents, w.tracks}}
		s := w.judge(t, assess(t, in, nil))
		p := w.judge(t, assess(t, in, func(m *risk.Model) { m.Hazard.Correction = risk.CorrectNone }))
		t.Logf("seed %d: %d of %d incidents on record; %+.3f, uncorrected %+.3f", seed, w.recorded, w.happened, s, p)
		got = got.plus(s, worlds)
		plain = plain.plus(p, worlds)
	}
	t.Logf("mean %+.3f, uncorrected %+.3f", got, plain)
	if got.hits < 0.90 || got.hits < plain.hits+0.09 {
		t.Errorf("a tenth of the cells holds %.3f of what the best tenth does (uncorrected %.3f), want 0.90 and 0.09 more", got.hits, plain.hits)
	}
	if got.sections < 0.94 || got.sections < plain.sections {
		t.Errorf("a fifth of the sections holds %.3f of what the best fifth does (uncorrected %.3f), want 0.94", got.sections, plain.sections)
	}
	if got.covered < 0.85 || got.covered > 0.97 {
		t.Errorf("90 %% intervals hold the truth in %.3f of the cells, want 0.85 to 0.97", got.covered)
	}
	if got.rank < 0.80 {
		t.Errorf("rank correlation %.3f, want 0.80", got.rank)
	}
}
