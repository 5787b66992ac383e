package tiles

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"io"
	"math"
	"math/rand"
	"regexp"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// A straight coast of n sections of a tenth of a degree, of all classes.
func coastOf(n int) (out []MapSection) {
	classes := GapClasses()
	for i := range n {
		x := 103 + float64(i)/10
		out = append(out, MapSection{Line: orb.LineString{{x, 1}, {x + 0.1, 1}}, Class: classes[i%len(classes)].ID, Rank: n - i})
	}
	return out
}

func drawn(t *testing.T, m GapMap) (Sheet, int) {
	t.Helper()
	s, without := m.Sheet()
	d := xml.NewDecoder(strings.NewReader(string(s.SVG())))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the picture is not well formed: %v", err)
		}
	}
	return s, without
}

// texts are the letters of a sheet with the boxes that they take.
func texts(s Sheet) map[string]Mark {
	out := map[string]Mark{}
	for _, m := range s.Marks {
		if m.Text != "" {
			out[m.Text] = m
		}
	}
	return out
}

// Distances on the map are those on the ground: the bar is as long as it says,
// and so is a degree along the middle parallel and along a meridian.
func TestGapMapIsTrueToScale(t *testing.T) {
	for _, b := range []orb.Bound{{Min: orb.Point{98, 0}, Max: orb.Point{119, 6}}, {Min: orb.Point{117, 4}, Max: orb.Point{117.2, 4.1}}, {Min: orb.Point{-91, 38}, Max: orb.Point{-90, 39}}} {
		p := newPaper(b, 273, 80)
		for _, corner := range []orb.Point{b.Min, b.Max} {
			if q := p.at(corner); q[0] < -1e-9 || q[1] < -1e-9 || q[0] > 273+1e-9 || q[1] > 80+1e-9 {
				t.Errorf("%v: the corner %v is off the sheet, at %v", b, corner, q)
			}
		}
		mid := b.Center()
		for _, to := range []orb.Point{{mid[0] + 0.1, mid[1]}, {mid[0], mid[1] + 0.1}} {
			q, r := p.at(mid), p.at(to)
			want := geo.DistanceM(mid, to) * p.mmPerM
			if got := math.Hypot(q[0]-r[0], q[1]-r[1]); math.Abs(got/want-1) > 1e-3 {
				t.Errorf("%v to %v: %g mm, want %g", mid, to, got, want)
			}
		}
	}
	for most, want := range map[float64]float64{999: 500, 500: 500, 49.9: 20, 12: 10, 0.7: 0.5, 1: 1} {
		if got := scaleKM(most); math.Abs(got-want) > 1e-12 {
			t.Errorf("scale bar of at most %g km: %g", most, got)
		}
	}
}

// Every rank has its number, or is counted as without room; plain ones have none.
func TestGapMapNumbersTheGaps(t *testing.T) {
	sections := coastOf(30)
	sections[4].Plain = true
	s, without := drawn(t, GapMap{WidthMM: 273, HeightMM: 80, Bound: orb.Bound{Min: orb.Point{103, 0.8}, Max: orb.Point{106, 1.2}}, Sections: sections})
	have := texts(s)
	for rank := 1; rank <= 30; rank++ {
		if _, ok := have[fmt.Sprint(rank)]; ok == (rank == 26) {
			t.Errorf("rank %d: number %v", rank, ok)
		}
	}
	if without != 0 {
		t.Errorf("%d without room", without)
	}
	// 400 on top of each other cannot all have a number.
	var heap []MapSection
	for i := range 400 {
		heap = append(heap, MapSection{Line: orb.LineString{{104, 1}, {104.01, 1}}, Class: "gap", Rank: i + 1})
	}
	s, without = drawn(t, GapMap{WidthMM: 134, HeightMM: 78, Bound: orb.Bound{Min: orb.Point{103, 0.8}, Max: orb.Point{106, 1.2}}, Sections: heap})
	n := 0
	for text := range texts(s) {
		if regexp.MustCompile(`^[1-9]\d*$`).MatchString(text) {
			n++
		}
	}
	if without < 300 || n+without != 400 || texts(s)["1"].Text == "" {
		t.Errorf("%d numbers, %d without room", n, without)
	}
}

// No number or name lies on another, on the bar or on the arrow.
func TestGapMapLabelsKeepApart(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewSource(seed))
	for round := range 20 {
		m := GapMap{WidthMM: 134, HeightMM: 78, Bound: orb.Bound{Min: orb.Point{103, 0.5}, Max: orb.Point{105, 1.5}}}
		for i := range 60 {
			at := orb.Point{103 + 2*r.Float64(), 0.5 + r.Float64()}
			m.Sections = append(m.Sections, MapSection{Line: orb.LineString{at, {at[0] + 0.05, at[1] + 0.05}}, Class: "gap", Rank: i + 1})
			m.Places = append(m.Places, MapPlace{Name: "Place " + string(rune('A'+i%26)), At: orb.Point{103 + 2*r.Float64(), 0.5 + r.Float64()}, Crossing: i%2 == 0})
		}
		p := newPaper(m.Bound, m.WidthMM, m.HeightMM)
		l := labels{frame: orb.Bound{Max: orb.Point{m.WidthMM, m.HeightMM}}}
		var s Sheet
		m.furniture(&l, p)
		m.number(&s, p, &l)
		m.name(&s, p, &l)
		if len(l.taken) < 40 {
			t.Fatalf("seed %d, round %d: only %d labels", seed, round, len(l.taken))
		}
		for i, a := range l.taken {
			for _, b := range l.taken[:i] {
				if a.Min[0] < b.Max[0] && a.Max[0] > b.Min[0] && a.Min[1] < b.Max[1] && a.Max[1] > b.Min[1] {
					t.Errorf("seed %d, round %d: %v lies on %v", seed, round, a, b)
				}
			}
		}
	}
}

// Blind spots are hatched, what is known is drawn through, and nothing is green.
func TestGapMapClasses(t *testing.T) {
	for _, c := range GapClasses() {
		var s Sheet
		s.classLine(c, 2, []orb.LineString{{{0, 0}, {10, 0}}})
		if hatched := s.Marks[len(s.Marks)-1].DashMM != nil; hatched != c.Hatched {
			t.Errorf("%s: hatched %v", c.ID, hatched)
		}
		for _, m := range s.Marks {
			if g := m.Stroke; g.A != 255 || g.G > g.R+10 && g.G > g.B+10 {
				t.Errorf("%s is drawn in %v", c.ID, g)
			}
		}
	}
	if got := onWhite(color.NRGBA{100, 0, 200, 51}, 1); got != (color.NRGBA{224, 204, 244, 255}) { // a fifth of it
		t.Errorf("on white: %v", got)
	}
	for _, lang := range []Lang{English, Indonesian, Malay} {
		legend := GapLegend(lang, 273)
		have := texts(legend)
		for _, c := range GapClasses() {
			if have[c.Label.In(lang)].Text == "" {
				t.Errorf("%s: the legend lacks %s", lang, c.ID)
			}
		}
	}
}

// Odd inputs give a map, not a panic; names are text in the picture.
func TestGapMapOfOddInputs(t *testing.T) {
	nan := math.NaN()
	for name, m := range map[string]GapMap{
		"nothing":      {WidthMM: 100, HeightMM: 50},
		"no bound":     {WidthMM: 100, HeightMM: 50, Bound: orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}},
		"not a number": {WidthMM: 100, HeightMM: 50, Bound: orb.Bound{Min: orb.Point{nan, 0}, Max: orb.Point{1, 1}}},
		"pole":         {WidthMM: 100, HeightMM: 50, Bound: orb.Bound{Min: orb.Point{0, 89}, Max: orb.Point{1, 90}}},
		"a point":      {WidthMM: 100, HeightMM: 50, Bound: orb.Bound{Min: orb.Point{104, 1}, Max: orb.Point{104, 1}}},
		"lines":        {WidthMM: 100, HeightMM: 50, Sections: []MapSection{{Class: "gap", Rank: 1}, {Line: orb.LineString{{104, 1}}, Class: "gap", Rank: 2}, {Line: orb.LineString{{104, 1}, {104, 1}}, Class: "none", Rank: 3}}},
		"markup":       {WidthMM: 100, HeightMM: 50, Title: `"><script>`, Places: []MapPlace{{Name: `</text><script>&`, At: orb.Point{0, 0}}}},
	} {
		s, _ := drawn(t, m)
		if svg := string(s.SVG()); strings.Contains(svg, "NaN") || strings.Contains(svg, "<script") {
			t.Errorf("%s: %.300s", name, svg)
		}
	}
}

// The dark part of the week is the hours with a patrol, the hatched part those
// in which a device was silent and nobody came.
func TestWeekStrip(t *testing.T) {
	var p risk.Profile
	p.Coverage[0][3], p.Coverage[0][4], p.Coverage[6][23] = 0.2, 0.1, 1
	p.NoData[0][4], p.NoData[2][0] = 1, 0.5
	p.Incidents[1][12] = 1
	s := WeekStrip(p, "week", 24, 7) // an hour is a square of 1 mm
	area := func(m Mark) (a float64) {
		for _, r := range m.Paths {
			a += (r[1][0] - r[0][0]) / 1 // boxes: their width, each about 1 mm high
		}
		return a
	}
	var areas []float64
	dots := 0
	for _, m := range s.Marks {
		if m.Fill.A > 0 && m.Stroke.A == 0 {
			areas = append(areas, area(m))
		}
		if m.Fill.A > 0 && m.Stroke.A > 0 {
			dots += len(m.Paths)
			if at := m.Paths[0].Bound().Center(); math.Abs(at[0]-12.5) > 1e-9 || math.Abs(at[1]-1.5) > 1e-9 {
				t.Errorf("the incident is at %v", at)
			}
		}
	}
	if len(areas) != 3 || areas[0] != 24 || areas[1] != 3 || areas[2] != 1 || dots != 1 {
		t.Errorf("areas %v, %d dots", areas, dots)
	}
	if s := WeekStrip(risk.Profile{}, "week", 24, 7); len(s.Marks) != 2 {
		t.Errorf("an empty week has %d marks", len(s.Marks))
	}
}

func BenchmarkGapMap(b *testing.B) {
	m := GapMap{WidthMM: 273, HeightMM: 152, Bound: orb.Bound{Min: orb.Point{103, 0}, Max: orb.Point{120, 6}}, Sections: coastOf(170)}
	for b.Loop() {
		s, _ := m.Sheet()
		s.SVG()
	}
}
