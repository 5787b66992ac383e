package risk

import (
	"math"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
	"gonum.org/v1/gonum/mat"
)

// Access says how the hazard of a place depends on how it can be reached: a
// factor on its prior, fitted to the records. It is of the instant AsOf, and
// stays as it is for a week at most, until records or effort are a tenth more or
// fewer.
type Access struct {
	AsOf      time.Time    `json:"as_of"`
	Incidents float64      `json:"incidents"` // in the domain, by their weights
	Terms     []AccessTerm `json:"terms"`
	Why       string       `json:"why,omitempty"` // not fitted
	factor    *surface.Field[float32]
	sd        *surface.Field[float32] // of its logarithm
	outside   float64
}

// AccessTerm is one term of the regression: the logarithm of the factor at a
// distance from the nearest of its places, falling in a straight line to the
// next.
type AccessTerm struct {
	Of          string  `json:"of"`
	DistanceKM  float64 `json:"distance_km"`
	Coefficient float64 `json:"coefficient"`
	SD          float64 `json:"sd"`
}

// lineKnotsKM and placeKnotsKM are the distances of the terms: of the line of
// the section, and of places and rivers. No term is about people.
func lineKnotsKM() []float64  { return []float64{0, 3, 6, 10, 15, 20, 25} }
func placeKnotsKM() []float64 { return []float64{0, 3} }

const (
	// leastFitted is the number of incidents in the domain from which the
	// regression is worth it.
	leastFitted = 30
	// accessRidge is the variance that a term's coefficient has beforehand.
	accessRidge = 4.0
	// accessReachKM is how far a place counts.
	accessReachKM = 6.0
	accessPasses  = 2
	// mostAccess bounds the logarithm of the factor.
	mostAccess = 8.0
)

// accessCell is a cell of the domain in the regression.
type accessCell struct {
	cell      surface.Cell
	distances []float32 // km, by source
	count     float64
	exposure  float64 // years · m²
}

// fitAccess fits the factor by a Poisson regression of the incidents in the
// domain's cells,
//
//	n_i ~ Poisson(E_i · μ_i · f_i),  log f_i = Σ_k β_k · hat_k(d_i),  β_k ~ N(0, 1),
//
// with μ the prior of the hazard, made anew with the factor after each of two
// passes: what the surroundings explain, access need not. hat_k is 1 at a
// term's distance and 0 at its neighbours'. Newton steps; the standard
// deviations are those of the normal approximation.
//
// Source: METHODS section 8; ridge regression as a normal prior (Hoerl and
// Kennard 1970). Cost O(cells · terms²) a step.
func (a *Assessment) fitAccess() {
	a.Access = &Access{AsOf: a.AsOf, outside: 1, Terms: []AccessTerm{}}
	if a.hazard.plain() {
		a.Access.Why = "not asked for"
		return
	}
	cells, sources := a.accessCells()
	if a.Model.Hazard.Access == AccessNone {
		a.evenAccess(cells, "not asked for")
		return
	}
	for _, c := range cells {
		a.Access.Incidents += c.count
	}
	if a.Access.Incidents < leastFitted {
		a.evenAccess(cells, "too few incidents near the border to say how it depends on access")
		return
	}
	terms := accessTerms(sources)
	x := make([][]hat, len(cells))
	for i := range cells {
		x[i] = cells[i].hats(sources)
	}
	fit := accessFit{β: make([]float64, len(terms)), covariance: mat.NewSymDense(len(terms), nil)}
	for range accessPasses {
		a.applyAccess(cells, x, fit)
		a.hazard = a.newHazard()
		fit = fitPoisson(cells, x, a.priorAt(cells), len(terms))
	}
	for k := range terms {
		terms[k].Coefficient, terms[k].SD = fit.β[k], math.Sqrt(fit.covariance.At(k, k))
	}
	a.applyAccess(cells, x, fit)
	a.Access.Terms = terms
	a.hazard = a.newHazard()
}

// fitBase is what access and reporting were fitted to.
type fitBase struct {
	version   string // of the assessment that fitted them
	asOf      time.Time
	incidents float64 // in the domain, by their weights
	effortM2  float64 // swept in the domain over the hazard's window
}

// mostFitAge is how long a fit is kept.
const mostFitAge = 7 * 24 * time.Hour

// keepFit takes over access and reporting from the assessment before while the
// lines and the model are the same, records and effort nearly so, and a week has
// not passed. The version then says which fit it was: numbers are those of their
// version.
func (a *Assessment) keepFit() bool {
	now := fitBase{a.Version, a.AsOf, a.domainIncidents(), a.domainEffortM2()}
	a.fit = now
	p := a.in.Previous
	if p == nil || p.Access == nil || p.Access.factor == nil || p.keys.lines != a.keys.lines || p.Model.Hazard != a.Model.Hazard {
		return false
	}
	near := func(x, y float64) bool { return math.Abs(x-y) <= 0.1*y }
	age := now.asOf.Sub(p.fit.asOf)
	if !near(now.incidents, p.fit.incidents) || !near(now.effortM2, p.fit.effortM2) || age < 0 || age > mostFitAge {
		return false
	}
	a.Access, a.Reporting, a.fit = p.Access, p.Reporting, p.fit
	if a.fit.version != a.Version {
		a.Version = digest(a.Version, a.fit.version)
	}
	return true
}

// domainEffortM2 is what patrols and posts swept in the domain over the
// hazard's window.
func (a *Assessment) domainEffortM2() (sum float64) {
	a.Coverage.Cells().Each(func(c surface.Cell, e *surface.Effort) {
		if e.HistoryM2 > 0 && a.domain.sectionOf(c) >= 0 {
			sum += e.HistoryM2
		}
	})
	return sum
}

func (a *Assessment) domainIncidents() (sum float64) {
	a.eachDomainRecord(func(_ *recordPart, _ int, w float64) { sum += w })
	return sum
}

// eachDomainRecord yields the place in its part, and the weight, of each record
// in the domain that the hazard counts.
func (a *Assessment) eachDomainRecord(yield func(p *recordPart, i int, weight float64)) {
	v := a.hazardView()
	for _, p := range a.Incidents.parts {
		sections := p.sectionsIn(a.domain)
		for i := range p.rows {
			if sections[i] >= 0 && v.admits(p.ms[i], p.kinds[p.kind[i]]) {
				yield(p, i, v.weight(p.ms[i]))
			}
		}
	}
}

// accessSource is a kind of place, or the line, with the distances of its terms.
type accessSource struct {
	name    string
	knotsKM []float64
	first   int // number of its first term
}

// accessCells are the cells of the domain with their incidents, exposure and
// distances.
func (a *Assessment) accessCells() ([]accessCell, []accessSource) {
	sources := []accessSource{{"line", lineKnotsKM(), 0}}
	fields := []*surface.Field[nearestSection]{a.domain.nearest}
	for _, s := range []struct {
		name   string
		places []orb.Point
	}{
		{"illegal_ports", a.in.accessPlaces("illegal_ports", geo.KindIllegalPort)},
		{"water_crossings", a.in.accessPlaces("water_crossings", geo.KindWaterCrossing)},
		{"informal_paths", a.in.accessPlaces("informal_paths", geo.KindCrossing)},
		{"rivers", a.nearDomain(a.in.rivers())},
		{"villages", a.nearDomain(a.in.places())},
	} {
		if places := s.places; len(places) > 0 {
			last := sources[len(sources)-1]
			sources = append(sources, accessSource{s.name, placeKnotsKM(), last.first + len(last.knotsKM)})
			fields = append(fields, nearestTo(places, accessReachKM*1000))
		}
	}
	counts := surface.NewField[float32]()
	a.eachDomainRecord(func(p *recordPart, i int, w float64) { *counts.Ref(p.cell(i)) += float32(w) })
	var cells []accessCell
	a.domain.nearest.Each(func(c surface.Cell, n *nearestSection) {
		if n.section == 0 {
			return
		}
		d := make([]float32, len(fields))
		for k, f := range fields {
			d[k] = float32(math.Inf(1))
			if hit := f.At(c); hit.section > 0 {
				d[k] = hit.distanceM / 1000
			}
		}
		m2 := c.AreaM2()
		cells = append(cells, accessCell{c, d, float64(counts.At(c)), a.yearsSeen(c, m2) * m2})
	})
	return cells, sources
}

// accessPlaces are the positions of a layer by its name or kind, but for those
// that are invented.
func (in Inputs) accessPlaces(name string, kind geo.LayerKind) (out []orb.Point) {
	for _, l := range in.Layers {
		if l.Info.ID != name && (l.Info.Kind != kind || kind == geo.KindCrossing) || l.Info.Synthetic {
			continue
		}
		for row := range l.Len() {
			p, _ := l.Point(row)
			out = append(out, p)
		}
	}
	return out
}

// nearDomain are places along the shapes of a base layer, no more than half a
// cell apart, of which some cell of the domain may be within accessReachKM.
func (a *Assessment) nearDomain(l *geo.Layer) (out []orb.Point) {
	if l == nil {
		return nil
	}
	const far = 6 // cells of 1.2 km at most
	near := func(p orb.Point) bool {
		c := surface.CellAt(p)
		for dy := int32(-far); dy <= far; dy += far {
			for dx := int32(-far); dx <= far; dx += far {
				if a.domain.sectionOf(surface.Cell{X: c.X + dx, Y: c.Y + dy}) >= 0 {
					return true
				}
			}
		}
		return false
	}
	for row := range l.Len() {
		line := orb.LineString{}
		switch g := l.Geometry(row).(type) {
		case orb.Point:
			line = orb.LineString{g}
		case orb.LineString:
			line = g
		}
		if len(line) == 0 {
			continue
		}
		for _, p := range along(line, 600) {
			if near(p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// nearestTo gives the cells within a distance of some places the distance of
// the nearest.
func nearestTo(places []orb.Point, limitM float64) *surface.Field[nearestSection] {
	d := &domain{nearest: surface.NewField[nearestSection]()}
	g := growth{domain: d, limitM: limitM, rows: map[int32]rowScale{}}
	for _, p := range places {
		g.offer(surface.CellAt(p), p, 1)
	}
	g.spread()
	return d.nearest
}

func accessTerms(sources []accessSource) (terms []AccessTerm) {
	for _, s := range sources {
		for _, km := range s.knotsKM {
			terms = append(terms, AccessTerm{Of: s.name, DistanceKM: km})
		}
	}
	return terms
}

// hat is the part that a term has in a cell.
type hat struct {
	term  int
	value float64
}

func (c *accessCell) hats(sources []accessSource) (out []hat) {
	for k, s := range sources {
		d := float64(c.distances[k])
		for i, km := range s.knotsKM {
			up, down := 0.0, accessReachKM
			if i > 0 {
				up = s.knotsKM[i-1]
			}
			if i+1 < len(s.knotsKM) {
				down = s.knotsKM[i+1]
			} else if s.name == "line" {
				down = km + 1
			}
			v := 0.0
			switch {
			case d == km:
				v = 1
			case d < km && d > up:
				v = (d - up) / (km - up)
			case d > km && d < down:
				v = (down - d) / (down - km)
			case s.name == "line" && i+1 == len(s.knotsKM) && d > km:
				v = 1
			}
			if v > 0 {
				out = append(out, hat{s.first + i, v})
			}
		}
	}
	return out
}

// evenAccess makes the factor 1 in all the domain, and says why.
func (a *Assessment) evenAccess(cells []accessCell, why string) {
	a.Access.Why = why
	if a.Reporting.leastFactor() < 1 {
		a.applyAccess(cells, make([][]hat, len(cells)), accessFit{})
		a.hazard = a.newHazard()
	}
}

// applyAccess works the coefficients into the factor. Outside the domain it is
// the least that it is inside, and lower by how much less than the model says is
// reported somewhere: the exposure there, at the model's rate, is then no more
// than anywhere inside.
func (a *Assessment) applyAccess(cells []accessCell, x [][]hat, fit accessFit) {
	f, sd := surface.NewField[float32](), surface.NewField[float32]()
	least := math.Inf(1)
	for i := range cells {
		sum, variance := 0.0, 0.0
		for _, h := range x[i] {
			sum += fit.β[h.term] * h.value
			for _, g := range x[i] {
				variance += fit.covariance.At(h.term, g.term) * h.value * g.value
			}
		}
		v := math.Exp(max(-mostAccess, min(mostAccess, sum)))
		*f.Ref(cells[i].cell) = float32(v)
		*sd.Ref(cells[i].cell) = float32(math.Sqrt(max(0, variance)))
		least = min(least, float64(float32(v)))
	}
	a.Access.factor, a.Access.sd, a.Access.outside = f, sd, least*a.Reporting.leastFactor()
}

// at is the factor of a cell.
func (s *Access) at(c surface.Cell) float64 { return s.reader().at(c) }

// accessReader reads the factors of cells near each other.
type accessReader struct {
	*Access
	block  surface.Block
	values []float32 // of block; nil: nothing is known of it
	read   bool
}

func (s *Access) reader() *accessReader { return &accessReader{Access: s} }

func (r *accessReader) at(c surface.Cell) float64 {
	if r.Access == nil || r.factor == nil {
		return 1
	}
	if b := c.Block(); !r.read || b != r.block {
		r.block, r.values, r.read = b, r.factor.Values(b), true
	}
	const n = surface.BlockSide
	if r.values != nil {
		if v := r.values[int(c.Y&(n-1))*n+int(c.X&(n-1))]; v > 0 {
			return float64(v)
		}
	}
	return r.outside
}

// priorAt is the logarithm of what the prior expects in each cell, by its
// exposure but without the factor.
func (a *Assessment) priorAt(cells []accessCell) []float64 {
	out := make([]float64, len(cells))
	var block surface.Block
	var far, effort []float64
	const n = surface.BlockSide
	for i, c := range cells {
		if b := c.cell.Block(); far == nil || b != block {
			block = b
			far = a.hazard.far.Tile(surface.CellLevel, int(b.X)*n, int(b.Y)*n, n)
			effort = a.hazard.farEff.Tile(surface.CellLevel, int(b.X)*n, int(b.Y)*n, n)
		}
		k := int(c.cell.Y&(n-1))*n + int(c.cell.X&(n-1))
		out[i] = math.Log(a.hazard.prior(far[k], effort[k]) * c.exposure)
	}
	return out
}

// accessFit is the coefficients of the terms with their covariance.
type accessFit struct {
	β          []float64
	covariance *mat.SymDense
}

// fitPoisson returns the coefficients of the largest posterior, with the
// covariance of the normal approximation.
func fitPoisson(cells []accessCell, x [][]hat, offset []float64, terms int) accessFit {
	β := make([]float64, terms)
	var chol mat.Cholesky
	for range 25 {
		info := mat.NewSymDense(terms, nil)
		grad := mat.NewVecDense(terms, nil)
		for k := range terms {
			info.SetSym(k, k, 1/accessRidge)
			grad.SetVec(k, -β[k]/accessRidge)
		}
		for i := range cells {
			η := offset[i]
			for _, h := range x[i] {
				η += β[h.term] * h.value
			}
			mean := math.Exp(min(η, 50))
			for _, h := range x[i] {
				grad.SetVec(h.term, grad.AtVec(h.term)+(cells[i].count-mean)*h.value)
				for _, g := range x[i] {
					if g.term >= h.term {
						info.SetSym(h.term, g.term, info.At(h.term, g.term)+mean*h.value*g.value)
					}
				}
			}
		}
		if !chol.Factorize(info) {
			break
		}
		var step mat.VecDense
		if chol.SolveVecTo(&step, grad) != nil {
			break
		}
		largest := 0.0
		for k := range terms {
			move := max(-2, min(2, step.AtVec(k)))
			β[k] += move
			largest = max(largest, math.Abs(move))
		}
		if largest < 1e-6 {
			break
		}
	}
	var inverse mat.SymDense
	if chol.InverseTo(&inverse) != nil {
		inverse = *mat.NewSymDense(terms, nil)
	}
	return accessFit{β, &inverse}
}

// sdAt is the standard deviation of the logarithm of a cell's factor.
func (s *Access) sdAt(c surface.Cell) float64 {
	if s == nil || s.sd == nil {
		return 0
	}
	return float64(s.sd.At(c))
}

// place is the factor at a place, between the middles of cells by straight
// lines.
func (s *Access) place(p orb.Point) float64 {
	x, y := surface.PixelAt(surface.CellLevel, p)
	return s.reader().between(x-0.5, y-0.5)
}

// between is the factor at a position counted in cells from the middle of the
// first.
func (r *accessReader) between(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	tx, ty := x-fx, y-fy
	at := func(dx, dy int32, weight float64) float64 {
		if weight == 0 {
			return 0
		}
		return weight * r.at(surface.Cell{X: (int32(fx) + dx) & (1<<surface.CellLevel - 1), Y: int32(fy) + dy})
	}
	return at(0, 0, (1-ty)*(1-tx)) + at(1, 0, (1-ty)*tx) + at(0, 1, ty*(1-tx)) + at(1, 1, ty*tx)
}

// tile returns the factor at pixel centres.
func (s *Access) tile(level, px, py, n int) []float64 {
	out := make([]float64, n*n)
	perPixel := math.Exp2(float64(surface.CellLevel - level))
	r := s.reader()
	for i := range out {
		out[i] = r.between((float64(px+i%n)+0.5)*perPixel-0.5, (float64(py+i/n)+0.5)*perPixel-0.5)
	}
	return out
}

func (s *Access) raster(l surface.Lattice) []float64 {
	out := make([]float64, 0, l.NX*len(l.Lats))
	for _, lat := range l.Lats {
		for c := range l.NX {
			out = append(out, s.place(orb.Point{l.Lon0 + float64(c)*l.DLon, lat}))
		}
	}
	return out
}
