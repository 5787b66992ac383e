package route_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/route"
)

// strait is two countries on land with a strait of about 20 km between them, east
// of 110.6 joined by land; villages on both shores at 110.2, and a river on the
// southern side.
func strait() []*geo.Layer {
	village := func(lon, lat float64) geo.Feature { return geo.Feature{Geometry: orb.Point{lon, lat}} }
	return append(layers(1, 60),
		layer(geo.LayerInfo{ID: "land", Kind: geo.KindArea, Base: true},
			geo.Feature{Geometry: orb.Polygon{{{109.5, 0.5}, {111.5, 0.5}, {111.5, 1}, {110.6, 1}, {110.6, 0.9}, {109.5, 0.9}, {109.5, 0.5}}}, Properties: map[string]any{"country": "ID"}},
			geo.Feature{Geometry: orb.Polygon{{{109.5, 1.1}, {110.6, 1.1}, {110.6, 1}, {111.5, 1}, {111.5, 1.5}, {109.5, 1.5}, {109.5, 1.1}}}, Properties: map[string]any{"country": "MY"}}),
		layer(geo.LayerInfo{ID: "places", Kind: geo.KindOther, Base: true}, village(110.2, 0.9), village(110.2, 1.1)),
		layer(geo.LayerInfo{ID: "rivers", Kind: geo.KindOther, Base: true}, geo.Feature{Geometry: orb.LineString{{110.4, 0.6}, {110.4, 0.95}}}),
		layer(geo.LayerInfo{ID: "closed", Kind: geo.KindArea}, geo.Feature{Geometry: box(110.6, 0.4, 110.9, 1.6)}))
}

func graph(t testing.TB, change func(*route.GraphOptions)) *route.Graph {
	t.Helper()
	o := route.DefaultGraphOptions()
	o.Box = orb.Bound{Min: orb.Point{109.8, 0.6}, Max: orb.Point{111.3, 1.4}}
	if change != nil {
		change(&o)
	}
	g, err := route.NewGraph(context.Background(), assess(t, strait(), nil), o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var south, north = orb.Point{110.2, 0.8}, orb.Point{110.2, 1.2}

// A walker goes round by land, a boat across between landings, and both are as
// fast as their speeds say.
func TestFindOverWaterAndLand(t *testing.T) {
	g := graph(t, nil)
	foot, err := g.Find(context.Background(), route.Query{From: south, To: north, Modes: []string{"foot"}})
	if err != nil {
		t.Fatal(err)
	}
	if foot.LengthM < 110_000 || foot.Grounds["sea"] != 0 || foot.Hours < foot.LengthM/5000 || foot.Hours > foot.LengthM/2000 {
		t.Errorf("on foot %g km in %g h over %v", foot.LengthM/1000, foot.Hours, foot.Grounds)
	}
	if len(foot.Borders) != 1 || foot.Borders[0].From != "ID" || foot.Borders[0].To != "MY" || foot.Borders[0].At[0] < 110.55 || foot.Borders[0].SectionID == "" {
		t.Errorf("borders %+v", foot.Borders)
	}
	if got := geo.LengthM(foot.Line); !close(got, foot.LengthM, 1e-4) {
		t.Errorf("the line is %g m long, its edges %g", got, foot.LengthM)
	}
	both, err := g.Find(context.Background(), route.Query{From: south, To: north, Modes: []string{"foot", "sea_boat"}})
	if err != nil {
		t.Fatal(err)
	}
	if both.Grounds["sea"] < 20_000 || both.Hours > foot.Hours/2 || both.Hours < 2*20.0/60 {
		t.Errorf("by boat in %g h over %v", both.Hours, both.Grounds)
	}
}

// Every failure says which barrier or mode it is.
func TestFindReasons(t *testing.T) {
	island := func(o *route.GraphOptions) { o.Barriers = []string{"closed"} }
	for name, c := range map[string]struct {
		change   func(*route.GraphOptions)
		from, to orb.Point
		modes    []string
		is       error
		says     string
	}{
		"barred walker":  {island, south, north, []string{"foot"}, route.ErrNoPath, "water lies between"},
		"no landings":    {func(o *route.GraphOptions) { island(o); o.Villages, o.Landings = nil, nil }, south, north, []string{"foot", "sea_boat"}, route.ErrNoPath, "no landing"},
		"boat on land":   {nil, south, north, []string{"sea_boat"}, route.ErrEnds, "from at 110.2, 0.8 is on open"},
		"land for boats": {nil, orb.Point{110.4, 0.7}, orb.Point{110.2, 1}, []string{"river_boat"}, nil, ""},
		"outside":        {nil, orb.Point{10, 1}, north, []string{"foot"}, route.ErrEnds, "outside of the graph"},
		"NaN":            {nil, orb.Point{math.NaN(), 1}, north, []string{"foot"}, route.ErrEnds, "outside"},
		"unknown mode":   {nil, south, north, []string{"horse"}, nil, "use foot, motorcycle"},
		"no mode":        {nil, south, north, nil, nil, "name one or more"},
		"wall":           {func(o *route.GraphOptions) { island(o) }, south, orb.Point{111.2, 0.8}, []string{"foot", "sea_boat", "river_boat"}, route.ErrNoPath, "closed area"},
	} {
		_, err := graph(t, c.change).Find(context.Background(), route.Query{From: c.from, To: c.to, Modes: c.modes})
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// The front goes from the fastest way to the one that is met least.
func TestFront(t *testing.T) {
	g := graph(t, nil)
	q := route.Query{From: orb.Point{110.2, 0.95}, To: orb.Point{110.2, 1.05}, Modes: []string{"sea_boat"}}
	ways, err := g.Front(context.Background(), q, route.DefaultThetas())
	if err != nil {
		t.Fatal(err)
	}
	if len(ways) < 2 {
		t.Fatalf("%d ways", len(ways))
	}
	for i := 1; i < len(ways); i++ {
		if ways[i].Hours < ways[i-1].Hours || ways[i].PDetected.Mean > ways[i-1].PDetected.Mean {
			t.Errorf("way %d: %g h, met %g; before %g h, met %g", i, ways[i].Hours, ways[i].PDetected.Mean, ways[i-1].Hours, ways[i-1].PDetected.Mean)
		}
	}
	// The way's chance is about the score of its line at the boat's speed: nodes a
	// kilometre apart know the edges of cells less well than a line does.
	o := route.DefaultOptions()
	o.SpeedKMH = 30
	s, err := route.ScoreLine(context.Background(), assess(t, strait(), nil), ways[0].Line, o)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(s.PDetected-ways[0].PDetected.Mean) > 0.3*s.PDetected+1e-6 {
		t.Errorf("met with %g on the graph, %g on the line", ways[0].PDetected.Mean, s.PDetected)
	}
}

// A post where all cross diverts travellers, and the chance to get through falls
// by less than if they had stayed.
func TestWhatIf(t *testing.T) {
	a := assess(t, strait(), nil)
	g := graph(t, nil)
	q := route.MatrixQuery{Origins: []orb.Point{south}, Destinations: []orb.Point{north}, Modes: []string{"foot", "sea_boat"}, Theta: 50}
	m, err := g.Matrix(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	best := slices.MinFunc(m.Entries, func(x, y route.Entry) int { return map[bool]int{true: -1, false: 1}[x.Cost < y.Cost] })
	post := layer(geo.LayerInfo{ID: "thought", Kind: geo.KindPost}, geo.Feature{Geometry: best.At, Properties: map[string]any{"country": "ID", "radius_m": 4000.0}})
	c, err := route.WhatIf(context.Background(), a, risk.Change{Add: []*geo.Layer{post}}, route.WhatIfOptions{Graph: g, Ways: q, Spread: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Displacement
	if !(c.ResidualAfter < c.ResidualBefore) || len(c.Sections) == 0 || d == nil {
		t.Fatalf("%+v", c)
	}
	before, after := 0.0, 0.0
	for _, s := range d.Shifts {
		before, after = before+s.Before, after+s.After
	}
	if math.Abs(before-1) > 1e-4 || math.Abs(after-1) > 1e-4 || d.Diverted <= 0 || d.Diverted > 1 {
		t.Errorf("shares add up to %g and %g, diverted %g", before, after, d.Diverted)
	}
	if !(d.EvasionAfter < d.EvasionBefore && d.Stayed < d.EvasionAfter) {
		t.Errorf("evasion %g, then %g, if nobody moved %g", d.EvasionBefore, d.EvasionAfter, d.Stayed)
	}
	// Nothing added changes nothing.
	same, err := route.WhatIf(context.Background(), a, risk.Change{}, route.WhatIfOptions{Graph: g, Ways: q, Spread: 0.1})
	if err != nil || len(same.Sections) != 0 || same.Displacement.Diverted != 0 || same.ResidualAfter != same.ResidualBefore {
		t.Errorf("no change: %+v, %v", same, err)
	}
}

func TestGraphErrors(t *testing.T) {
	a := assess(t, strait(), nil)
	for want, change := range map[string]func(*route.GraphOptions){
		"no layer":      func(o *route.GraphOptions) { o.Land = "nowhere" },
		"cell_m":        func(o *route.GraphOptions) { o.CellM = 1 },
		"larger cells":  func(o *route.GraphOptions) { o.MaxNodes = 100 },
		"cannot be":     func(o *route.GraphOptions) { o.Box = orb.Bound{Max: orb.Point{1, math.NaN()}} },
		"goes 1000":     func(o *route.GraphOptions) { o.Modes[0].PathKMH = 1000 },
		"more than 400": func(o *route.GraphOptions) { o.Box = orb.Bound{Min: orb.Point{0, -70}, Max: orb.Point{170, 70}} },
	} {
		o := route.DefaultGraphOptions()
		change(&o)
		if _, err := route.NewGraph(context.Background(), a, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := route.NewGraph(ctx, a, route.DefaultGraphOptions()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
