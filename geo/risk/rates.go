package risk

import (
	"math"
	"sync"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/surface"
)

// CellRate is what somebody in an analysis cell is exposed to: the values that
// the surfaces have at the middle of the cell, which stand for all of it.
type CellRate struct {
	// Hazard is incidents per km² and year.
	Hazard Interval
	// Low, Mid and High are how often an hour patrols sweep the cell on average
	// over the coverage's window, with the low, mid and high sweep widths.
	Low, Mid, High float64
	// Section is that of the domain that the cell lies in, or -1.
	Section int
	// Authorities is who may act there, as a place in Rates.Authorities.
	Authorities int
	// Known is false where nothing is said: outside the domain, with nothing on
	// record as far as the hazard looks. The hazard there is 0, which is not safe.
	Known bool
	// Watched reports whether the place counts as known to patrols, see
	// Model.KnownPOD.
	Watched bool
}

// OfficialPlace is an official crossing.
type OfficialPlace struct {
	Layer    string
	ID       string
	Name     string
	Country  string
	Verified bool // its position
	At       orb.Point
}

// Rates are the hazard with its intervals and the detection of every analysis
// cell, in blocks of 256 × 256 cells made when asked for: some milliseconds and
// 3 MB for each that holds something. They are safe for concurrent use.
type Rates struct {
	// Official are the official crossings.
	Official []OfficialPlace

	a         *Assessment
	windowH   float64
	quantiles gammaTable
	areas     []jurisdiction

	mu     sync.Mutex
	blocks map[surface.Block]*rateBlock

	authorityMu sync.Mutex
	authorities [][]Authority
	byKey       map[string]int
}

// rateBlock is filled once; cells are nil where there is nothing.
type rateBlock struct {
	once  sync.Once
	cells []packedRate
}

// packedRate is a CellRate in little memory.
type packedRate struct {
	hazard        [5]float32 // mean, 80 % low and high, 90 % low and high
	low, mid, hig float32    // sweeps an hour
	section       int32
	authorities   uint16
	known, seen   bool
}

// Rates returns the rates of the assessment; the first call prepares the areas
// of jurisdiction.
func (a *Assessment) Rates() *Rates { return a.rates() }

func (a *Assessment) newRates() *Rates {
	r := &Rates{
		a: a, windowH: a.Model.Coverage.WindowDays * 24, quantiles: newGammaTable(), areas: a.in.jurisdictionAreas(),
		blocks: map[surface.Block]*rateBlock{}, authorities: [][]Authority{nil}, byKey: map[string]int{"": 0},
	}
	for _, l := range a.in.crossings() {
		for row := range l.Len() {
			at, isPoint := l.Point(row)
			if !isPoint || !officialCrossing(l, row) || l.Text(row, "status") == "planned" {
				continue
			}
			p := OfficialPlace{Layer: l.Info.ID, ID: l.ID(row), Name: l.Text(row, "name"), Country: l.Text(row, "country"), At: at}
			p.Verified, _ = l.Value(row, "verified").(bool)
			r.Official = append(r.Official, p)
		}
	}
	return r
}

// Authorities returns who may act in the cells of that number; none for 0.
func (r *Rates) Authorities(number int) []Authority {
	r.authorityMu.Lock()
	defer r.authorityMu.Unlock()
	return r.authorities[number]
}

// RateReader reads cells near each other quickly. It is for one goroutine.
type RateReader struct {
	rates *Rates
	block surface.Block
	cells []packedRate
	read  bool
}

// Reader returns a reader.
func (r *Rates) Reader() *RateReader { return &RateReader{rates: r} }

// At returns the rates of a cell.
func (r *RateReader) At(c surface.Cell) CellRate {
	if b := c.Block(); !r.read || b != r.block {
		r.block, r.cells, r.read = b, r.rates.blockAt(b), true
	}
	if r.cells == nil {
		return CellRate{Section: -1}
	}
	const n = surface.BlockSide
	p := &r.cells[int(c.Y&(n-1))*n+int(c.X&(n-1))]
	return CellRate{
		Hazard: Interval{float64(p.hazard[0]), float64(p.hazard[1]), float64(p.hazard[2]), float64(p.hazard[3]), float64(p.hazard[4])},
		Low:    float64(p.low), Mid: float64(p.mid), High: float64(p.hig),
		Section: int(p.section), Authorities: int(p.authorities), Known: p.known, Watched: p.seen,
	}
}

func (r *Rates) blockAt(b surface.Block) []packedRate {
	r.mu.Lock()
	e := r.blocks[b]
	if e == nil {
		e = &rateBlock{}
		r.blocks[b] = e
	}
	r.mu.Unlock()
	e.once.Do(func() { e.cells = r.fill(b) })
	return e.cells
}

// fill makes a block; nil when nothing is known of any of its cells.
func (r *Rates) fill(b surface.Block) []packedRate {
	const n = surface.BlockSide
	cells := make([]packedRate, n*n)
	something := r.fillHazard(b, cells)
	efforts := r.a.Coverage.Cells().Values(b)
	for y := range n {
		areaM2 := b.Cell(y * n).AreaM2()
		for i := y * n; i < (y+1)*n; i++ {
			c := &cells[i]
			if efforts != nil {
				e := &efforts[i]
				mid := 0.0
				for _, swept := range e.SweptM2 {
					mid += swept
				}
				if mid > 0 {
					something = true
					perHour := 1 / (areaM2 * r.windowH)
					c.low, c.mid, c.hig = float32(e.LowM2*perHour), float32(mid*perHour), float32(e.HighM2*perHour)
					c.seen = r.a.Model.Coverage.POD(mid/areaM2) >= r.a.Model.KnownPOD
				}
			}
			if s := int(c.section); s >= 0 && r.a.Sections[s].reported {
				c.seen = true
			}
		}
	}
	if r.fillAuthorities(b, cells) {
		something = true
	}
	if !something {
		return nil
	}
	return cells
}

// fillHazard sets the hazard of the cells and their section, and reports whether
// anything is known of any.
func (r *Rates) fillHazard(b surface.Block, cells []packedRate) (something bool) {
	const n = surface.BlockSide
	a, h := r.a, &r.a.hazard
	tile := func(f field) []float64 { return f.Tile(surface.CellLevel, int(b.X)*n, int(b.Y)*n, n) }
	near := tile(h.near)
	var far, nearEff, farEff []float64
	if !h.plain() {
		far, nearEff, farEff = tile(h.far), tile(h.nearEff), tile(h.farEff)
	}
	access := h.access.reader()
	for i := range cells {
		c := b.Cell(i)
		section := a.domain.sectionOf(c)
		s := smoothed{near: near[i], inside: section >= 0}
		if !h.plain() {
			if section < 0 && h.silent(near[i], far[i]) {
				cells[i].section = -1
				continue
			}
			s.far, s.nearEffort, s.farEffort = far[i], nearEff[i], farEff[i]
			s.access, s.accessSD, s.reporting = access.at(c), h.access.sdAt(c), a.Reporting.in(section)
		}
		p := h.at(s)
		cells[i].section = int32(section)
		if p.silent && section < 0 {
			continue
		}
		something = true
		cells[i].known = true
		v := r.interval(p)
		cells[i].hazard = [5]float32{float32(v.Mean), float32(v.Lo80), float32(v.Hi80), float32(v.Lo90), float32(v.Hi90)}
	}
	return something
}

// interval is posterior.interval by a table.
func (r *Rates) interval(p posterior) Interval {
	shape := p.shape + p.extra
	middle := shape / p.rate * perKM2
	shape = 1 / (1/shape + p.spread)
	mean := p.mean() * perKM2
	q := r.quantiles.at(shape)
	f := middle / shape
	return Interval{mean, min(mean, f*q[0]), max(mean, f*q[1]), min(mean, f*q[2]), max(mean, f*q[3])}
}

// fillAuthorities sets who may act at the middle of each cell.
func (r *Rates) fillAuthorities(b surface.Block, cells []packedRate) (something bool) {
	const n = surface.BlockSide
	if len(r.areas) == 0 {
		return false
	}
	lons := make([]float64, n)
	for x := range lons {
		lons[x] = b.Cell(x).Lon()
	}
	covers := make([]bool, n)
	keys := make([][]byte, n)
	for y := range n {
		lat := b.Cell(y * n).Center().Lat()
		for x := range keys {
			keys[x] = keys[x][:0]
		}
		for k := range r.areas {
			r.areas[k].area.CoversAlong(lat, lons, covers)
			for x, in := range covers {
				if in {
					keys[x] = append(keys[x], byte(k), byte(k>>8))
				}
			}
		}
		for x, key := range keys {
			if len(key) > 0 {
				something = true
				cells[y*n+x].authorities = r.number(key)
			}
		}
	}
	return something
}

// number is the place of a set of areas among the authorities; past 65,535 sets
// none is told.
func (r *Rates) number(key []byte) uint16 {
	r.authorityMu.Lock()
	defer r.authorityMu.Unlock()
	if k, seen := r.byKey[string(key)]; seen {
		return uint16(k)
	}
	if len(r.authorities) > math.MaxUint16 {
		return 0
	}
	var who []Authority
	for i := 0; i < len(key); i += 2 {
		who = appendNew(who, r.areas[int(key[i])|int(key[i+1])<<8].Authority)
	}
	k := len(r.authorities)
	r.authorities = append(r.authorities, who)
	r.byKey[string(key)] = k
	return uint16(k)
}

func appendNew(list []Authority, who Authority) []Authority {
	for _, w := range list {
		if w == who {
			return list
		}
	}
	return append(list, who)
}

// WeekOf returns how the patrols of a section are spread over the hours of the
// week, mean 1, local time, and the zone's hours before UTC: the share of each
// hour in which somebody was in its strip, over its mean, drawn to 1 as if it
// had been so for weeksOfEven weeks more. All ones where nobody was.
func (a *Assessment) WeekOf(section int) (Week, int) {
	p := &a.Sections[section].Profile
	weeks := a.Model.Coverage.WindowDays / 7
	mean := 0.0
	for _, day := range p.Coverage {
		for _, share := range day {
			mean += share / (7 * 24)
		}
	}
	var out Week
	sum := 0.0
	for d := range out {
		for h := range out[d] {
			out[d][h] = 1
			if mean > 0 {
				out[d][h] = (weeks*p.Coverage[d][h]/mean + weeksOfEven) / (weeks + weeksOfEven)
			}
			sum += out[d][h] / (7 * 24)
		}
	}
	for d := range out {
		for h := range out[d] {
			out[d][h] /= sum
		}
	}
	return out, p.ZoneHours
}

// weeksOfEven is how much an even week counts in WeekOf, in weeks.
const weeksOfEven = 4

// Sweeps reads how often an hour patrols sweep cells. It is for one goroutine.
type Sweeps struct {
	coverage *surface.Coverage
	windowH  float64
	row      int32
	areaM2   float64 // of the cells of row
}

// Sweeps returns a reader of the patrols' effort.
func (a *Assessment) Sweeps() *Sweeps {
	return &Sweeps{coverage: a.Coverage, windowH: a.Model.Coverage.WindowDays * 24, row: -1}
}

// At returns the sweeps an hour with the low, mid and high sweep widths, as in
// CellRate.
func (s *Sweeps) At(c surface.Cell) (low, mid, high float64) {
	e := s.coverage.Cells().At(c)
	for _, swept := range e.SweptM2 {
		mid += swept
	}
	if mid == 0 {
		return 0, 0, 0
	}
	if c.Y != s.row {
		s.row, s.areaM2 = c.Y, c.AreaM2()
	}
	f := 1 / (s.areaM2 * s.windowH)
	return e.LowM2 * f, mid * f, e.HighM2 * f
}

// SectionIn returns the section that a cell belongs to, or -1.
func (a *Assessment) SectionIn(c surface.Cell) int { return a.domain.sectionOf(c) }
