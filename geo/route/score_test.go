package route_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/route"
	"github.com/sempadan/sempadan/geo/surface"
)

func score(t testing.TB, a *risk.Assessment, line orb.LineString, change func(*route.Options)) *route.Score {
	t.Helper()
	o := route.DefaultOptions()
	if change != nil {
		change(&o)
	}
	s, err := route.ScoreLine(context.Background(), a, line, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Along a meridian through three cells every length is that between parallels,
// and every number follows by hand.
func TestThreeCellsByHand(t *testing.T) {
	a := assess(t, layers(1, 200), nil)
	read := a.Rates().Reader()
	mid := surface.CellAt(orb.Point{110.5, 1})
	lon := mid.Center().Lon()
	up, down := surface.Cell{X: mid.X, Y: mid.Y - 1}, surface.Cell{X: mid.X, Y: mid.Y + 1}
	from, to := orb.Point{lon, down.Center().Lat()}, orb.Point{lon, up.Center().Lat()}
	south, north := orb.Point{lon, mid.Bound().Min[1]}, orb.Point{lon, mid.Bound().Max[1]}
	hazard, swept, hours := 0.0, 0.0, 0.0
	for _, part := range []struct {
		cell surface.Cell
		a, b orb.Point
	}{{down, from, south}, {mid, south, north}, {up, north, to}} {
		km := geo.DistanceM(part.a, part.b) / 1000
		rate := read.At(part.cell)
		hazard += rate.Hazard.Mean * km
		swept += rate.Mid * km / 4
		hours += km / 4
	}
	s := score(t, a, orb.LineString{from, to}, nil)
	if !close(s.Hazard.Mean, hazard, 1e-9) || !close(s.PIncident, 1-math.Exp(-hazard*30/365.25), 1e-9) {
		t.Errorf("hazard %g, chance %g; want %g", s.Hazard.Mean, s.PIncident, hazard)
	}
	if swept == 0 || !close(s.PDetected, 1-math.Exp(-swept), 1e-9) || !close(s.Hours, hours, 1e-9) {
		t.Errorf("detected %g in %g h, want %g in %g h", s.PDetected, s.Hours, 1-math.Exp(-swept), hours)
	}
	if len(s.Jurisdictions) != 2 || s.Partial || s.UnknownShare != 0 {
		t.Errorf("%+v", s)
	}
	sum := s.Jurisdictions[0].LengthM + s.Jurisdictions[1].LengthM
	if !close(sum, s.LengthM, 1e-9) {
		t.Errorf("two jurisdictions side by side have %g m of %g m", sum, s.LengthM)
	}
}

// The integral is that of small steps along the geodesic.
func TestScoreAgainstSmallSteps(t *testing.T) {
	const seed = 3
	r := rand.New(rand.NewPCG(seed, 0))
	a := assess(t, layers(seed, 300), nil)
	read := a.Rates().Reader()
	for range 12 {
		var line orb.LineString
		for range 2 + r.IntN(4) {
			line = append(line, orb.Point{109.9 + 2*r.Float64(), 0.85 + 0.3*r.Float64()})
		}
		s := score(t, a, line, nil)
		const stepM = 5.0
		var hazard, lo, swept, unknown, length float64
		for i := 1; i < len(line); i++ {
			g := geo.NewGeodesic(line[i-1], line[i])
			n := math.Ceil(g.LengthM() / stepM)
			d := g.LengthM() / n
			length += g.LengthM()
			for k := 0.5; k < n; k++ {
				rate := read.At(surface.CellAt(g.At(k * d)))
				hazard += rate.Hazard.Mean * d / 1000
				lo += rate.Hazard.Lo80 * d / 1000
				swept += rate.High * d / 4000
				if !rate.Known {
					unknown += d
				}
			}
		}
		if !close(s.Hazard.Mean, hazard, 1e-4) || !close(s.Hazard.Lo80, lo, 1e-4) || !close(s.PDetectedBand.High, 1-math.Exp(-swept), 1e-3) ||
			!close(s.LengthM, length, 1e-12) || math.Abs(s.UnknownShare-unknown/length) > 1e-4 {
			t.Errorf("seed %d, %v: %+v, want hazard %g, low %g, swept %g, unknown %g", seed, line, s.Risk, hazard, lo, swept, unknown/length)
		}
	}
}

// It does not matter in which direction a line is drawn, nor how many vertices
// there are on it; and legs, steps and marks add up.
func TestScoreInvariances(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 0))
	a := assess(t, layers(seed, 300), nil)
	for range 20 {
		var line, split orb.LineString
		for range 2 + r.IntN(4) {
			line = append(line, orb.Point{110 + 1.8*r.Float64(), 0.85 + 0.3*r.Float64()})
		}
		for i := 1; i < len(line); i++ {
			g := geo.NewGeodesic(line[i-1], line[i])
			split = append(split, line[i-1], g.At(g.LengthM()*r.Float64()))
		}
		split = append(split, line[len(line)-1])
		back := slices.Clone(line)
		slices.Reverse(back)
		twice := slices.Insert(slices.Clone(line), 1, line[0], line[0])
		s := score(t, a, line, nil)
		for what, other := range map[string]orb.LineString{"backwards": back, "with more vertices": split, "with a vertex thrice": twice} {
			o := score(t, a, other, nil)
			if !close(o.Hazard.Mean, s.Hazard.Mean, 1e-7) || !close(o.Hazard.Hi90, s.Hazard.Hi90, 1e-7) || !close(o.PIncident, s.PIncident, 1e-7) ||
				!close(o.PDetected, s.PDetected, 1e-7) || !close(o.LengthM, s.LengthM, 1e-9) {
				t.Errorf("seed %d, %v %s: %+v, want %+v", seed, line, what, o.Risk, s.Risk)
			}
			if !close(o.Top[0].Hazard.Mean, s.Top[0].Hazard.Mean, 1e-5) || !close(o.Crossing.DistanceM, s.Crossing.DistanceM, 1e-6) {
				t.Errorf("seed %d, %v %s: top %+v, want %+v; crossing %+v, want %+v", seed, line, what, o.Top[0], s.Top[0], o.Crossing, s.Crossing)
			}
		}
		legs, missed := 0.0, 1.0
		for _, l := range s.Legs {
			legs += l.Hazard.Mean
			missed *= 1 - l.PDetected
		}
		last := s.Profile[len(s.Profile)-1]
		if !close(legs, s.Hazard.Mean, 1e-9) || !close(1-missed, s.PDetected, 1e-9) || !close(last.Hazard.Mean, s.Hazard.Mean, 1e-9) || !close(last.AlongM, s.LengthM, 1e-9) {
			t.Errorf("seed %d: legs add up to %g, profile to %g, of %g", seed, legs, last.Hazard.Mean, s.Hazard.Mean)
		}
		for i := 1; i < len(s.Profile); i++ {
			if s.Profile[i].Hazard.Mean < s.Profile[i-1].Hazard.Mean || s.Profile[i].PDetected < s.Profile[i-1].PDetected {
				t.Fatalf("the profile falls at %g m", s.Profile[i].AlongM)
			}
		}
		for i := 1; i < len(s.Top); i++ {
			if s.Top[i].Hazard.Mean > s.Top[i-1].Hazard.Mean {
				t.Error("the top steps are out of order")
			}
		}
	}
}

// Patrols walk from noon on: who passes then meets more of them, and the hours of
// the week have the mean of all.
func TestDetectionByHour(t *testing.T) {
	a := assess(t, layers(1, 100), nil)
	line := orb.LineString{{110.12, 0.98}, {110.12, 1.01}}
	at := func(depart time.Time) float64 {
		return score(t, a, line, func(o *route.Options) { o.Depart = depart }).PDetected
	}
	noon, night := at(now.Add(5*time.Hour)), at(now.Add(18*time.Hour))
	if noon < 1.3*night {
		t.Errorf("detected with %g at noon, %g at night", noon, night)
	}
	mean := score(t, a, line, nil).PDetected
	sum := 0.0
	for h := range 168 {
		sum += math.Log1p(-at(now.Add(time.Duration(h) * time.Hour)))
	}
	if want := math.Log1p(-mean); !close(sum/168, want, 1e-6) {
		t.Errorf("mean over the week %g, want %g", sum/168, want)
	}
	s := score(t, a, line, func(o *route.Options) { o.ByTime = true })
	if len(s.ByTime.Hours) != 24 || len(s.ByTime.Months) != 12 || s.ByTime.Hours[12].PDetected <= s.ByTime.Hours[3].PDetected || s.ByTime.MonthWhy == "" {
		t.Errorf("%+v", s.ByTime)
	}
	// A crawl of weeks meets the mean.
	slow := func(o *route.Options) { o.SpeedKMH, o.Depart = 0.1, now }
	wholeWeeks := orb.LineString{{110.12, 0.9}, {110.12, 1.1}}
	even := score(t, a, wholeWeeks, func(o *route.Options) { o.SpeedKMH = 0.1 })
	if got := score(t, a, wholeWeeks, slow); !close(got.PDetected, even.PDetected, 0.2) {
		t.Errorf("slowly %g, on average %g", got.PDetected, even.PDetected)
	}
}

func TestScoreErrors(t *testing.T) {
	a := assess(t, layers(1, 50), nil)
	many := make(orb.LineString, 1_000_000)
	for i := range many {
		many[i] = orb.Point{110 + float64(i%2)*0.001, 1}
	}
	wide := make(orb.LineString, 1000)
	for i := range wide {
		wide[i] = orb.Point{110 + float64(i%2)*10, 1}
	}
	for name, c := range map[string]struct {
		line orb.LineString
		is   error
		says string
	}{
		"empty":      {nil, route.ErrLine, "at least two"},
		"one point":  {orb.LineString{{110, 1}}, route.ErrLine, "at least two"},
		"NaN":        {orb.LineString{{110, 1}, {math.NaN(), 1}}, route.ErrLine, "vertex 2"},
		"infinite":   {orb.LineString{{math.Inf(1), 1}, {110, 1}}, route.ErrLine, "vertex 1"},
		"one place":  {orb.LineString{{110, 1}, {110, 1}}, route.ErrLine, "in one place"},
		"pole":       {orb.LineString{{110, 1}, {110, 89}}, route.ErrLine, "vertex 2"},
		"million":    {many, route.ErrLine, "100000"},
		"too long":   {wide, route.ErrLine, "km long"},
		"elsewhere":  {orb.LineString{{10, 50}, {11, 50}}, route.ErrUnknown, "25 km"},
		"date line":  {orb.LineString{{179, 10}, {-179, 10}}, route.ErrUnknown, "load layers"},
		"over poles": {orb.LineString{{0, 84}, {180, 84}}, route.ErrUnknown, "load layers"},
	} {
		_, err := route.ScoreLine(context.Background(), a, c.line, route.DefaultOptions())
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.is, c.says)
		}
	}
	o := route.DefaultOptions()
	o.SpeedKMH = 0
	if _, err := route.ScoreLine(context.Background(), a, many[:2], o); err == nil || !strings.Contains(err.Error(), "speed_kmh") {
		t.Errorf("no speed: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := route.ScoreLine(ctx, a, many[:2], route.DefaultOptions()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A line that leaves what is known says how much of it is not; and one across the
// dateline is as long as it is.
func TestPartial(t *testing.T) {
	a := assess(t, layers(1, 100), nil)
	s := score(t, a, orb.LineString{{110.5, 1}, {110.5, 6}}, nil)
	if !s.Partial || s.UnknownShare < 0.5 || s.UnknownShare > 0.95 || s.PIncident == 0 {
		t.Errorf("%+v", s.Risk)
	}
	long := orb.LineString{{110.5, 1}, {179, 1}, {-179, 1}}
	s = score(t, a, long, nil)
	if want := geo.LengthM(long); !close(s.LengthM, want, 1e-9) {
		t.Errorf("length %g, want %g", s.LengthM, want)
	}
	if s.Hazard.Mean <= 0 || !s.Partial {
		t.Errorf("%+v", s.Risk)
	}
}

// Many vertices: legs are told together, and add up.
func TestManyVertices(t *testing.T) {
	a := assess(t, layers(1, 100), nil)
	line := make(orb.LineString, 50_001)
	for i := range line {
		line[i] = orb.Point{110 + 1.8*float64(i)/50_000, 1 + 0.02*math.Sin(float64(i)/500)}
	}
	s := score(t, a, line, nil)
	sum, length := 0.0, 0.0
	for i, l := range s.Legs {
		sum += l.Hazard.Mean
		length += l.LengthM
		if i > 0 && l.From != s.Legs[i-1].To {
			t.Fatalf("leg %d starts elsewhere", i)
		}
	}
	if len(s.Legs) != route.MaxLegs || !s.LegsMerged || !close(sum, s.Hazard.Mean, 1e-9) || !close(length, s.LengthM, 1e-9) {
		t.Errorf("%d legs, hazard %g of %g", len(s.Legs), sum, s.Hazard.Mean)
	}
}

func TestScoreAll(t *testing.T) {
	a := assess(t, layers(1, 100), nil)
	lines := make([]orb.LineString, 60)
	for i := range lines {
		lines[i] = orb.LineString{{110.1 + 0.01*float64(i), 0.95}, {110.5, 1.05}}
	}
	lines[5] = nil
	all, err := route.ScoreAll(context.Background(), a, lines, route.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range all {
		if i == 5 {
			if !errors.Is(got.Err, route.ErrLine) {
				t.Errorf("empty line: %v", got.Err)
			}
			continue
		}
		if want := score(t, a, lines[i], nil); got.Err != nil || got.Risk != want.Risk {
			t.Errorf("line %d: %+v, %v; want %+v", i, got.Score, got.Err, want.Risk)
		}
	}
}

// zigzag is a line of about 200 km with 41 vertices.
func zigzag(r *rand.Rand) orb.LineString {
	var line orb.LineString
	for i := range 41 {
		line = append(line, orb.Point{110 + 1.7*float64(i)/40, 0.95 + 0.05*r.Float64()})
	}
	return line
}

func BenchmarkScore200KM(b *testing.B) {
	a := assess(b, layers(1, 300), nil)
	line := zigzag(rand.New(rand.NewPCG(1, 0)))
	b.ReportMetric(geo.LengthM(line)/1000, "km")
	for b.Loop() {
		score(b, a, line, nil)
	}
}

func BenchmarkScore200KMByTime(b *testing.B) {
	a := assess(b, layers(1, 300), nil)
	line := zigzag(rand.New(rand.NewPCG(1, 0)))
	for b.Loop() {
		score(b, a, line, func(o *route.Options) { o.ByTime, o.Depart = true, now })
	}
}

func BenchmarkScoreAll10000(b *testing.B) {
	a := assess(b, layers(1, 300), nil)
	r := rand.New(rand.NewPCG(1, 0))
	lines := make([]orb.LineString, 10_000)
	for i := range lines {
		lines[i] = zigzag(r)
	}
	for b.Loop() {
		if _, err := route.ScoreAll(context.Background(), a, lines, route.DefaultOptions()); err != nil {
			b.Fatal(err)
		}
	}
}
