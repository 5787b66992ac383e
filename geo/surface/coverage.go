package surface

import (
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Side is whose patrol it was.
type Side int

// The sides.
const (
	Indonesia Side = iota
	Malaysia
	OtherSide
	Sides // how many
)

// SideOf reads a country code: ID, MY, or anything else.
func SideOf(country string) Side {
	switch country {
	case "ID", "IDN":
		return Indonesia
	case "MY", "MYS":
		return Malaysia
	}
	return OtherSide
}

func (s Side) String() string { return [...]string{"ID", "MY", "other", ""}[s] }

// SweepWidth is the effective sweep width of one mode of patrol against small
// parties and small craft: twice the lateral range at which as many are missed
// inside as are seen outside. Low, Mid and High bracket what is not known.
type SweepWidth struct {
	Mode  string  `json:"mode"`
	LowM  float64 `json:"low_m"`
	MidM  float64 `json:"mid_m"`
	HighM float64 `json:"high_m"`
	Night float64 `json:"night"` // factor between 18 and 6 hours local time
}

// CoverageModel holds the parameters of coverage; METHODS section 6 calls the
// widths placeholders to be calibrated.
type CoverageModel struct {
	WindowDays         float64      `json:"window_days"`                // effort counts that many days back
	SweepWidths        []SweepWidth `json:"sweep_widths"`               // by mode; "unknown" serves the rest
	PostSweepsPerHour  float64      `json:"post_sweeps_per_hour"`       // how often a post looks over its whole disc
	PostRadiusM        float64      `json:"post_radius_m"`              // of a post that states none
	MaxSilenceMin      float64      `json:"max_silence_min"`            // a longer hole in a track is no data
	MaxSpeedMS         float64      `json:"max_speed_ms"`               // a faster leg is a jump: no data
	PresenceDaysLand   float64      `json:"presence_half_life_land_d"`  // presence halves in so many days on land
	PresenceDaysSea    float64      `json:"presence_half_life_water_d"` // and on water
	TransientHoursLand float64      `json:"transient_hours_land"`       // how long a crossing is there to be met
	TransientHoursSea  float64      `json:"transient_hours_water"`      // the same on water
}

// DefaultCoverageModel returns METHODS section 6's proposals (mid widths) and
// section 7's half-life for land.
func DefaultCoverageModel() CoverageModel {
	return CoverageModel{
		WindowDays: 30,
		SweepWidths: []SweepWidth{
			{"foot", 50, 100, 200, 0.5},
			{"motorcycle", 100, 200, 400, 0.5},
			{"vehicle", 200, 400, 800, 0.5},
			{"river_boat", 100, 200, 400, 0.5},
			{"sea_boat", 1000, 2000, 4000, 0.3},
			{"aircraft", 1000, 2000, 4000, 0.3},
			{"drone", 500, 1000, 2000, 0.5},
			{"unknown", 50, 100, 200, 0.5},
		},
		PostSweepsPerHour: 1, PostRadiusM: 1000,
		MaxSilenceMin: 30, MaxSpeedMS: 60,
		PresenceDaysLand: 7, PresenceDaysSea: 2, TransientHoursLand: 3, TransientHoursSea: 2,
	}
}

// Width returns a mode's mid sweep width in metres at an hour of the day.
func (m *CoverageModel) Width(mode string, localHour int) float64 {
	find := func(name string) *SweepWidth {
		for i := range m.SweepWidths {
			if m.SweepWidths[i].Mode == name {
				return &m.SweepWidths[i]
			}
		}
		return nil
	}
	w := find(mode)
	if w == nil {
		if w = find("unknown"); w == nil {
			return 0
		}
	}
	if localHour < 6 || localHour >= 18 {
		return w.MidM * w.Night
	}
	return w.MidM
}

// Effort is what patrols did in a cell.
type Effort struct {
	// SweptM2 is Σ sweep width · track length in the window, plus what posts
	// looked over.
	SweptM2 [Sides]float64
	// BeforeM2 is the same of all sides in the window before.
	BeforeM2 float64
	// Presence is q = Σ POD of each pass · 2^(-age/half-life) (METHODS 7),
	// with the half-life of land and that of water.
	Presence [2]float64
	// LastMS is the latest presence, unix milliseconds; 0: none.
	LastMS [Sides]int64
}

// Pass is one stay of a patrol in one cell.
type Pass struct {
	Cell           Cell
	Side           Side
	Agency         string
	StartMS, EndMS int64
	LengthM        float64 // of track in the cell
	SweptM2        float64
}

// Coverage is where patrols have been and how hard they looked.
type Coverage struct {
	Model CoverageModel
	AsOf  time.Time
	cells *Field[Effort]
	// LengthM is the track length counted; SilentLegs, Jumps and Untimed are
	// legs and tracks left out as no data.
	LengthM                    float64
	SilentLegs, Jumps, Untimed int
	Tracks, Posts              int
	Oversized                  int // posts left out for their size
}

// CoverageInputs are the layers that coverage is made of.
type CoverageInputs struct {
	Tracks, Posts []*geo.Layer
	AsOf          time.Time
	// Visit, when not nil, is told of every pass inside the window.
	Visit func(Pass)
}

// NewCoverage sums the effort of timed tracks and posts before AsOf. Cost:
// vertices plus cells passed; memory does not grow with the vertices.
func NewCoverage(in CoverageInputs, m CoverageModel) *Coverage {
	c := &Coverage{Model: m, AsOf: in.AsOf, cells: NewField[Effort]()}
	for _, l := range in.Tracks {
		for row := range l.Len() {
			c.addTrack(l, row, in.Visit)
		}
	}
	for _, l := range in.Posts {
		for row := range l.Len() {
			c.addPost(l, row, in.Visit)
		}
	}
	return c
}

// Cells returns the effort by cell.
func (c *Coverage) Cells() *Field[Effort] { return c.cells }

func (c *Coverage) addTrack(l *geo.Layer, row int, visit func(Pass)) {
	c.Tracks++
	line, ok := l.Geometry(row).(orb.LineString)
	times := l.VertexTimesMS(row)
	if !ok || len(times) != len(line) {
		c.Untimed++
		return
	}
	mode := l.Text(row, "mode")
	fixedWidth := l.Number(row, "sweep_width_m")
	pass := Pass{Side: SideOf(l.Text(row, "country")), Agency: l.Text(row, "agency")}
	asOf := c.AsOf.UnixMilli()
	for i := 1; i < len(line); i++ {
		from, to := times[i-1], times[i]
		if to > asOf {
			break
		}
		lengthM := geo.LocalDistanceM(line[i-1], line[i])
		seconds := float64(to-from) / 1000
		switch {
		case seconds > c.Model.MaxSilenceMin*60 || seconds < 0:
			c.SilentLegs++
			continue
		case lengthM > c.Model.MaxSpeedMS*max(seconds, 1):
			c.Jumps++
			continue
		}
		width := fixedWidth
		if !(width >= 0) {
			width = c.Model.Width(mode, localHour(from, line[i-1].Lon()))
		}
		c.LengthM += lengthM
		splitByCell(line[i-1], line[i], func(cell Cell, t0, t1 float64) {
			pass.Cell = cell
			pass.LengthM = (t1 - t0) * lengthM
			pass.SweptM2 = width * pass.LengthM
			pass.StartMS = from + int64(t0*float64(to-from))
			pass.EndMS = from + int64(t1*float64(to-from))
			c.add(pass, visit)
		})
	}
}

func localHour(ms int64, lon float64) int {
	return int(math.Mod(float64(ms)/3.6e6+lon/15+24e6, 24))
}

func (c *Coverage) add(p Pass, visit func(Pass)) {
	e := c.cells.Ref(p.Cell)
	e.LastMS[p.Side] = max(e.LastMS[p.Side], p.EndMS)
	ageDays := float64(c.AsOf.UnixMilli()-p.EndMS) / 86.4e6
	pod := RandomSearchPOD(p.SweptM2 / p.Cell.AreaM2())
	e.Presence[0] += pod * math.Exp2(-ageDays/c.Model.PresenceDaysLand)
	e.Presence[1] += pod * math.Exp2(-ageDays/c.Model.PresenceDaysSea)
	if ageDays > c.Model.WindowDays {
		if ageDays <= 2*c.Model.WindowDays {
			e.BeforeM2 += p.SweptM2
		}
		return
	}
	e.SweptM2[p.Side] += p.SweptM2
	if visit != nil {
		visit(p)
	}
}

// splitByCell yields the cells that a short leg passes with the shares of the
// leg where it enters and leaves each. Within a leg of a few kilometres the
// share in Web Mercator is the share of length to 1e-4.
func splitByCell(a, b orb.Point, yield func(c Cell, t0, t1 float64)) {
	const n = 1 << CellLevel
	ax, ay := worldX(a.Lon())*n, worldY(a.Lat())*n
	bx, by := worldX(b.Lon())*n, worldY(b.Lat())*n
	bx -= math.Round((bx-ax)/n) * n // the short way, also over the dateline
	cuts := []float64{0, 1}
	cuts = appendCrossings(cuts, ax, bx)
	cuts = appendCrossings(cuts, ay, by)
	slices.Sort(cuts)
	for i := 1; i < len(cuts); i++ {
		t0, t1 := cuts[i-1], cuts[i]
		if t1 == t0 && len(cuts) > 2 {
			continue
		}
		mid := (t0 + t1) / 2
		x, y := int32(math.Floor(ax+mid*(bx-ax))), int32(math.Floor(ay+mid*(by-ay)))
		yield(Cell{x & (n - 1), max(0, min(n-1, y))}, t0, t1)
	}
}

func appendCrossings(cuts []float64, a, b float64) []float64 {
	if a == b {
		return cuts
	}
	lo, hi := min(a, b), max(a, b)
	for k := math.Ceil(lo); k < hi; k++ {
		if t := (k - a) / (b - a); t > 0 && t < 1 {
			cuts = append(cuts, t)
		}
	}
	return cuts
}

// addPost counts a post in the window and in the one before it. A post without
// times was always there.
func (c *Coverage) addPost(l *geo.Layer, row int, visit func(Pass)) {
	c.Posts++
	from, to, dated := l.TimesMS(row)
	if !dated {
		from, to = geo.OpenStart().UnixMilli(), geo.OpenEnd().UnixMilli()
	}
	asOf := c.AsOf.UnixMilli()
	window := int64(c.Model.WindowDays * 86.4e6)
	var parts []watched
	looked := false
	for _, span := range [][2]int64{{asOf - 2*window, asOf - window - 1}, {asOf - window, asOf}} {
		start, end := max(from, span[0]), min(to, span[1])
		if end <= start {
			continue
		}
		if !looked {
			parts, looked = c.postCells(l, row), true
		}
		hours := float64(end-start) / 3.6e6
		pass := Pass{Side: SideOf(l.Text(row, "country")), Agency: l.Text(row, "agency"), StartMS: start, EndMS: end}
		for _, part := range parts {
			pass.Cell = part.cell
			pass.SweptM2 = part.areaM2 * hours * c.Model.PostSweepsPerHour
			c.add(pass, visit)
		}
	}
}

type watched struct {
	cell   Cell
	areaM2 float64
}

// farthestSightM bounds the radius of a post. An area post whose box has more
// than mostPostCells, about 390 km square, counts as a mistake and for nothing.
const (
	farthestSightM = 100_000.0
	mostPostCells  = 100_000
)

// postCells returns the parts of cells that a post watches: a disc round a
// point, or an area. Cells on the edge are tested at 8 × 8 places.
func (c *Coverage) postCells(l *geo.Layer, row int) []watched {
	g := l.Geometry(row)
	bound := g.Bound()
	var share func(Cell) float64
	if center, ok := g.(orb.Point); ok {
		radiusM := l.Number(row, "radius_m")
		if !(radiusM > 0) {
			radiusM = c.Model.PostRadiusM
		}
		radiusM = min(radiusM, farthestSightM)
		lonM, latM := geo.MetresPerDegree(min(85, max(-85, center.Lat())))
		bound = orb.Bound{
			Min: orb.Point{center.Lon() - radiusM/lonM, center.Lat() - radiusM/latM},
			Max: orb.Point{center.Lon() + radiusM/lonM, center.Lat() + radiusM/latM},
		}
		inside := func(p orb.Point) bool { return geo.LocalDistanceM(center, p) <= radiusM }
		share = func(cell Cell) float64 {
			b := cell.Bound()
			half := geo.LocalDistanceM(b.Min, b.Max) / 2
			switch d := geo.LocalDistanceM(center, cell.Center()); {
			case d+half <= radiusM:
				return 1
			case d-half > radiusM:
				return 0
			}
			return shareInside(b, inside)
		}
	} else {
		area := geo.NewArea(g)
		share = func(cell Cell) float64 { return shareInside(cell.Bound(), area.Covers) }
	}
	nw, se := CellAt(orb.Point{bound.Min.Lon(), bound.Max.Lat()}), CellAt(orb.Point{bound.Max.Lon(), bound.Min.Lat()})
	if int64(se.X-nw.X+1)*int64(se.Y-nw.Y+1) > mostPostCells {
		c.Oversized++
		return nil
	}
	var out []watched
	for y := nw.Y; y <= se.Y; y++ {
		for x := nw.X; x <= se.X; x++ {
			cell := Cell{x, y}
			if part := share(cell); part > 0 {
				out = append(out, watched{cell, part * cell.AreaM2()})
			}
		}
	}
	return out
}

func shareInside(b orb.Bound, inside func(orb.Point) bool) float64 {
	const n = 8
	hits := 0
	for i := range n {
		for j := range n {
			if inside(orb.Point{
				b.Min[0] + (float64(i)+0.5)/n*(b.Max[0]-b.Min[0]),
				b.Min[1] + (float64(j)+0.5)/n*(b.Max[1]-b.Min[1]),
			}) {
				hits++
			}
		}
	}
	return float64(hits) / (n * n)
}

// RandomSearchPOD returns the probability that a stationary object is found,
// 1 - e^(-C), for coverage C = swept area / area. Source: Koopman (1946), by
// METHODS section 6; planned tracks degrade to it in practice.
func RandomSearchPOD(coverage float64) float64 { return -math.Expm1(-coverage) }

// ParallelSweepPOD returns erf(√π/2 · C), the inverse-cube law for evenly
// spaced parallel tracks.
func ParallelSweepPOD(coverage float64) float64 {
	return math.Erf(math.Sqrt(math.Pi) / 2 * coverage)
}

// InterceptionPOD returns the chance to meet one crossing that is there for
// transientH hours when effort adds up to coverage C over windowH hours:
// 1 - e^(-C·τ/T). Derived in METHODS section 6, not from a published source.
func InterceptionPOD(coverage, transientH, windowH float64) float64 {
	return -math.Expm1(-coverage * transientH / windowH)
}

// Search returns the coverage C of a cell in the window, by side and in all.
func (c *Coverage) Search(cell Cell) (total float64, bySide [Sides]float64) {
	e := c.cells.At(cell)
	area := 0.0
	for s, swept := range e.SweptM2 {
		if swept > 0 {
			if area == 0 {
				area = cell.AreaM2()
			}
			bySide[s] = swept / area
			total += bySide[s]
		}
	}
	return total, bySide
}
