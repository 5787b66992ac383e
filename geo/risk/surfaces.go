package risk

import (
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// keptDensities bounds how many densities with other parameters are kept.
const keptDensities = 16

// Density returns the density of a view of the incidents; a bandwidth of 0 is
// the assessment's. Equal views give the same density.
func (a *Assessment) Density(v View) *surface.Density {
	v = a.complete(v)
	key := fmt.Sprintf("%d|%s", v.AsOf.UnixMilli(), v.shape())
	a.mu.Lock()
	defer a.mu.Unlock()
	if d := a.densities[key]; d != nil {
		return d
	}
	d, err := a.newDensity(a.Incidents.weighted(v), v.BandwidthM)
	if err != nil {
		panic(err) // callers check bandwidths; the model's was validated
	}
	a.densities[key] = d
	if a.order = append(a.order, key); len(a.order) > keptDensities {
		delete(a.densities, a.order[0])
		a.order = slices.Delete(a.order, 0, 1)
	}
	return d
}

// complete fills in what a view leaves to the assessment.
func (a *Assessment) complete(v View) View {
	if v.BandwidthM == 0 {
		v.BandwidthM = a.Bandwidth.BandwidthM
	}
	if v.AsOf.IsZero() {
		v.AsOf = a.AsOf
	}
	v.Kinds = slices.Sorted(slices.Values(v.Kinds))
	return v
}

// DefaultView is the view of the density surface when nothing else is asked.
func (a *Assessment) DefaultView() View {
	return View{AsOf: a.AsOf, WindowDays: a.Model.DensityWindowDays, BandwidthM: a.Bandwidth.BandwidthM}
}

// DensityTile returns incidents per km² in the view's window; pixels as in
// surface.Density.Tile.
func (a *Assessment) DensityTile(v View, level, px, py, n int) []float64 {
	return scale(a.field(v).Tile(level, px, py, n), perKM2)
}

// HazardTile returns incidents per km² and year.
func (a *Assessment) HazardTile(level, px, py, n int) []float64 {
	return scale(a.hazard.tile(level, px, py, n), perKM2)
}

// RiskTile returns residual risk: incidents per km² and 30 days that no patrol
// meets. NaN where nothing is recorded inside the border's domain and nobody
// has looked: unknown, not safe, whatever the surroundings say. Outside the
// domain only what is on record counts.
func (a *Assessment) RiskTile(level, px, py, n int) []float64 {
	values, recorded := a.HazardTile(level, px, py, n), a.hazard.near.Tile(level, px, py, n)
	a.overCells(level, px, py, n, func(i int, c surface.Cell) { values[i] = a.residual(values[i], a.hazard.recorded(recorded[i]), c) })
	return values
}

// residual turns a hazard in a cell into residual risk.
func (a *Assessment) residual(hazard float64, recorded bool, c surface.Cell) float64 {
	medium, inside := a.mediumAt(c)
	if !recorded {
		if !inside {
			return 0
		}
		if total, _ := a.Coverage.Search(c); a.Model.Coverage.POD(total) < a.Model.KnownPOD {
			return math.NaN()
		}
	}
	return hazard * periodFactor * (1 - a.interception(c, medium))
}

// CoverageTile returns the search coverage of the window as a probability of
// detection. NaN inside the border's domain where no patrol was.
func (a *Assessment) CoverageTile(level, px, py, n int) []float64 {
	return a.cellTile(a.coverageIn, level, px, py, n)
}

func (a *Assessment) coverageIn(c surface.Cell) float64 {
	total, _ := a.Coverage.Search(c)
	if _, inside := a.mediumAt(c); inside && total == 0 {
		return math.NaN()
	}
	return a.Model.Coverage.POD(total)
}

// KnowledgeTile returns how well each place is known: the search coverage, or
// 1 where somebody reported from its section in the window. NaN inside the
// border's domain where that is next to nothing.
func (a *Assessment) KnowledgeTile(level, px, py, n int) []float64 {
	return a.cellTile(a.knowledgeIn, level, px, py, n)
}

func (a *Assessment) knowledgeIn(c surface.Cell) float64 {
	k := a.knowledge(c)
	if _, inside := a.mediumAt(c); inside && k < a.Model.KnownPOD {
		return math.NaN()
	}
	return k
}

func (a *Assessment) knowledge(c surface.Cell) float64 {
	if n := a.domain.nearest.At(c); n.section > 0 && a.Sections[n.section-1].reported {
		return 1
	}
	total, _ := a.Coverage.Search(c)
	return a.Model.Coverage.POD(total)
}

// ClassTile returns, inside the strip along the border, the class of the
// section as its place in classes counting from 1; 0 elsewhere.
func (a *Assessment) ClassTile(classes []Class, level, px, py, n int) []float64 {
	return a.cellTile(func(c surface.Cell) float64 {
		return float64(slices.Index(classes, a.classIn(c)) + 1)
	}, level, px, py, n)
}

// classIn returns the class of the section whose strip holds the cell, or "".
func (a *Assessment) classIn(c surface.Cell) Class {
	if s := a.domain.strip(c); s >= 0 {
		return a.Sections[s].Class
	}
	return ""
}

func (a *Assessment) cellTile(value func(surface.Cell) float64, level, px, py, n int) []float64 {
	values := make([]float64, n*n)
	a.overCells(level, px, py, n, func(i int, c surface.Cell) { values[i] = value(c) })
	return values
}

// Value is the exact number of a surface at a place, as its tiles draw it: NaN
// where there is no data. The view narrows the density.
func (a *Assessment) Value(id string, v View, p orb.Point) (float64, error) {
	c := surface.CellAt(p)
	hazard := func() float64 { return a.hazardAt(p).mean() * perKM2 }
	switch id {
	case "density":
		return a.field(v).At(p.Lon(), p.Lat()) * perKM2, nil
	case "hazard":
		return hazard(), nil
	case "risk":
		return a.residual(hazard(), a.hazard.recorded(a.hazard.near.At(p.Lon(), p.Lat())), c), nil
	case "coverage":
		return a.coverageIn(c), nil
	case "knowledge":
		return a.knowledgeIn(c), nil
	}
	return 0, fmt.Errorf("there is no number for the surface %q: use density, hazard, risk, coverage or knowledge", id)
}

// ClassAt returns the class of the section whose strip holds the place, or "".
func (a *Assessment) ClassAt(p orb.Point) Class { return a.classIn(surface.CellAt(p)) }

// mediumAt returns the medium of the section that a cell belongs to.
func (a *Assessment) mediumAt(c surface.Cell) (Medium, bool) {
	n := a.domain.nearest.At(c)
	if n.section == 0 {
		return Land, false
	}
	return a.stretches[n.section-1].medium, true
}

// overCells calls yield with the analysis cell under each pixel's centre.
func (a *Assessment) overCells(level, px, py, n int, yield func(i int, c surface.Cell)) {
	side := math.Exp2(float64(level))
	perPixel := math.Exp2(float64(surface.CellLevel - level))
	for r := range n {
		y := int32(math.Floor((float64(py+r) + 0.5) * perPixel))
		for c := range n {
			x := math.Mod(float64(px+c)+0.5+side, side)
			yield(r*n+c, surface.Cell{X: int32(math.Floor(x * perPixel)), Y: y})
		}
	}
}

func scale(values []float64, f float64) []float64 {
	for i := range values {
		values[i] *= f
	}
	return values
}

// Scales are the values that the colour scales are fitted to: what 98 % of the
// places with incidents stay below. They are part of the assessment, so that a
// colour means the same in all its tiles.
type Scales struct {
	Density float64 `json:"density_per_km2"`
	Hazard  float64 `json:"hazard_per_km2_year"`
	Risk    float64 `json:"risk_per_km2_30d"`
}

// scaleSamples bounds how many places are looked at to fix a scale.
const scaleSamples = 128

// fixScales fits the scales to the data.
//
// They are those without a mask: a colour means the same number however the
// model smooths.
func (a *Assessment) fixScales() {
	top := func(v View, tile func(level, px, py, n int) []float64) float64 {
		var values []float64
		a.Incidents.sample(scaleSamples, v, func(p orb.Point) {
			x, y := surface.PixelAt(surface.CellLevel, p)
			values = append(values, tile(surface.CellLevel, int(x), int(y), 1)[0])
		})
		if len(values) == 0 {
			return 0
		}
		slices.Sort(values)
		return values[len(values)*98/100]
	}
	unmasked := a.hazard
	unmasked.near = a.unmasked(a.hazardView())
	if !unmasked.plain() {
		unmasked.far = a.unmasked(a.priorView())
	}
	hazard := top(a.hazardView(), unmasked.tile) * perKM2
	a.Scales = Scales{
		Density: top(a.DefaultView(), a.unmasked(a.DefaultView()).Tile) * perKM2,
		Hazard:  hazard,
		Risk:    hazard * periodFactor,
	}
}

// Interval is a mean with its 80 and 90 % intervals.
type Interval struct {
	Mean float64 `json:"mean"`
	Lo80 float64 `json:"lo80"`
	Hi80 float64 `json:"hi80"`
	Lo90 float64 `json:"lo90"`
	Hi90 float64 `json:"hi90"`
}

// Reason is one part of what made a score.
type Reason struct {
	Type  string  `json:"type"` // incident, others, coverage
	ID    string  `json:"id"`
	Label string  `json:"label"`
	Share float64 `json:"share"` // of the hazard; the shares add up to 1
	// Factor is what the hazard was multiplied with to give the residual
	// risk, of reasons that have no share.
	Factor *float64 `json:"factor,omitempty"`
	// Adds is what the reason adds to the residual risk, in its unit; coverage
	// takes away. All reasons together add up to it.
	Adds float64 `json:"adds"`

	Layer  string  `json:"layer,omitempty"`
	Kind   string  `json:"kind,omitempty"`
	Weight float64 `json:"weight,omitempty"` // of the incident, after decay
	KM     float64 `json:"km,omitempty"`
}

// PointRisk is what is known of one place.
type PointRisk struct {
	Hazard          Interval `json:"hazard"` // incidents per km² and year
	SearchCoverage  float64  `json:"search_coverage"`
	InterceptionPOD float64  `json:"interception_pod"`
	Residual        Interval `json:"residual"` // incidents per km² and 30 days
	Density         float64  `json:"density"`  // incidents per km² on record
	Knowledge       float64  `json:"knowledge"`
	Presence        float64  `json:"presence"` // Σ POD of passes, halved with age
	Class           Class    `json:"class"`
	Level           Level    `json:"level,omitempty"`
	SectionID       string   `json:"section_id,omitempty"`
	HotSpot         HotSpot  `json:"hotspot"`
	// PatrolBias is how much denser than reported records those are here that
	// patrols found; null where it cannot be told.
	PatrolBias *float64 `json:"patrol_bias"`
	// ReportingRate is the share of incidents here that somebody reports.
	ReportingRate ReportingRate `json:"reporting_rate"`
	Because       []Reason      `json:"because"`
	Model         string        `json:"model"`
	Version       string        `json:"version"`
	Synthetic     bool          `json:"synthetic"`
}

// namedReasons bounds how many incidents an explanation names.
const namedReasons = 8

// At explains one place: the posterior of its hazard, see hazard, and what is
// left of it behind the patrols.
func (a *Assessment) At(p orb.Point) PointRisk {
	hazard := a.hazardAt(p)
	cell := surface.CellAt(p)
	total, _ := a.Coverage.Search(cell)
	medium, inside := a.mediumAt(cell)
	r := PointRisk{
		Hazard:          hazard.interval(),
		SearchCoverage:  a.Model.Coverage.POD(total),
		InterceptionPOD: surface.InterceptionPOD(total, a.transientH(medium), a.Model.Coverage.WindowDays*24),
		Density:         a.field(a.DefaultView()).At(p.Lon(), p.Lat()) * perKM2,
		Presence:        a.presenceAt(cell, medium),
		HotSpot:         a.HotSpotAt(p),
		PatrolBias:      a.patrolBias(p),
		ReportingRate:   a.Reporting.in(a.domain.sectionAt(p)),
		Because:         append(a.hazardReasons(p, hazard), a.coverageReasons(cell, medium)...),
		Model:           a.Model.Version,
		Version:         a.Version,
		Synthetic:       a.Synthetic,
	}
	r.Knowledge = a.knowledge(cell)
	f := periodFactor * (1 - r.InterceptionPOD)
	r.Residual = Interval{r.Hazard.Mean * f, r.Hazard.Lo80 * f, r.Hazard.Hi80 * f, r.Hazard.Lo90 * f, r.Hazard.Hi90 * f}
	addUp(r.Because, r.Hazard.Mean*periodFactor, r.InterceptionPOD)
	if inside {
		s := a.Sections[a.domain.sectionAt(p)]
		r.Class, r.Level, r.SectionID = s.Class, s.Level, s.ID
	} else if r.Class = Quiet; r.SearchCoverage < a.Model.KnownPOD {
		if r.Class = BlindSpot; a.Coverage.Knowledge(cell) == surface.NoData {
			r.Class = NoReport
		}
	}
	return r
}

// addUp says what each reason adds to the residual risk, which is total less
// what patrols meet. In order: records and surroundings as if all were on record
// and access were that of anywhere, by their shares; what access and what is not
// on record multiply that with; and what patrols take away, shared by the
// logarithms of their factors.
func addUp(because []Reason, total, met float64) {
	access, seen, log := 1.0, 1.0, 0.0
	for _, r := range because {
		switch {
		case r.Factor == nil:
		case r.Type == "access":
			access = *r.Factor
		case r.Type == "detection":
			seen = *r.Factor
		case r.Type == "coverage":
			log += math.Log(max(*r.Factor, 1e-300))
		}
	}
	for i := range because {
		r := &because[i]
		switch r.Type {
		case "access":
			r.Adds = total * seen * (1 - 1/access)
		case "detection":
			r.Adds = total * (1 - seen)
		case "coverage":
			if log != 0 {
				r.Adds = -total * met * math.Log(max(*r.Factor, 1e-300)) / log
			}
		default:
			r.Adds = total * seen / access * r.Share
		}
	}
}

// hazardReasons take the hazard of a place apart: each incident near it by its
// part of the Gamma distribution's shape, and the prior by its own.
func (a *Assessment) hazardReasons(p orb.Point, hazard posterior) []Reason {
	parts := a.hazard.near.Contributions(p.Lon(), p.Lat())
	if hazard.silent {
		return []Reason{}
	}
	whole := 0.0
	for _, c := range parts {
		whole += c.PerM2
	}
	prior := 0.0
	if !a.hazard.plain() {
		prior = a.hazard.weight
		whole += prior / a.hazard.areaM2
	}
	out := a.reasons(parts, whole)
	if a.hazard.plain() {
		return out
	}
	km := a.Model.Hazard.PriorBandwidthM / 1000
	seen := a.hazard.seenShare(p)
	access := a.hazard.access.place(p)
	return append(out,
		Reason{Type: "access", Factor: &access, Label: "how near the line, unofficial ports and crossings are"},
		Reason{Type: "surroundings", Share: prior / (whole * a.hazard.areaM2),
			Label: fmt.Sprintf("what is on record within %.0f km, by how hard anyone looked", km)},
		Reason{Type: "detection", Factor: &seen,
			Label: fmt.Sprintf("of the incidents here %.1f %% would be on record", 100*seen)})
}

func (a *Assessment) reasons(parts []surface.Contribution, sum float64) []Reason {
	slices.SortFunc(parts, func(x, y surface.Contribution) int {
		if x.PerM2 != y.PerM2 {
			return map[bool]int{true: -1, false: 1}[x.PerM2 > y.PerM2]
		}
		return x.Event - y.Event
	})
	out := []Reason{}
	rest, others := 0.0, 0
	for i, c := range parts {
		if i >= namedReasons {
			rest += c.PerM2
			others++
			continue
		}
		l, row, kind := a.Incidents.Record(c.Event)
		label := kind
		if from, _ := l.Times(row); !from.IsZero() {
			label += " " + from.Format("2006-01")
		}
		out = append(out, Reason{
			Type: "incident", ID: l.ID(row), Label: label, Share: c.PerM2 / sum,
			Layer: l.Info.ID, Kind: kind, Weight: c.Weight, KM: math.Round(c.DistanceM/10) / 100,
		})
	}
	if others > 0 {
		out = append(out, Reason{Type: "others", Label: fmt.Sprintf("%d more incidents", others), Share: rest / sum})
	}
	return out
}

// Bound returns the box of all that the surfaces show: the incidents that
// count, the border's sections and the patrols' tracks; empty without any.
func (a *Assessment) Bound() orb.Bound {
	b := orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
	extend := func(more orb.Bound) {
		if b.IsEmpty() {
			b = more
		} else if !more.IsEmpty() {
			b = b.Union(more)
		}
	}
	for _, layers := range [][]*geo.Layer{a.in.incidents(), a.in.tracks(), a.in.posts()} {
		for _, l := range layers {
			extend(l.Bound())
		}
	}
	for _, s := range a.Sections {
		extend(s.Line.Bound())
	}
	return b
}

// coverageReasons name the patrols that lower the residual risk of a cell: by
// side, the factor that its effort alone gives. Their product is the whole.
func (a *Assessment) coverageReasons(c surface.Cell, medium Medium) []Reason {
	var out []Reason
	_, bySide := a.Coverage.Search(c)
	for side, coverage := range bySide {
		if coverage == 0 {
			continue
		}
		factor := 1 - surface.InterceptionPOD(coverage, a.transientH(medium), a.Model.Coverage.WindowDays*24)
		name := surface.Side(side).String()
		out = append(out, Reason{Type: "coverage", ID: name, Factor: &factor,
			Label: fmt.Sprintf("patrols of %s, search coverage %.0f %%", name, 100*a.Model.Coverage.POD(coverage))})
	}
	return out
}
