package risk

import (
	"math"
	"slices"
	"strconv"
)

// mixtureModel is what the forecast model sempadan is made of.
type mixtureModel struct {
	// scales are the standard deviations of the kernels in cells; 0 is the
	// count of the cell itself. Up to exactTo the kernel knows the place of an
	// incident in its cell.
	scales  []float64
	exactTo float64
	// halfLives are in days; 0: no decay.
	halfLives []float64
	// otherScales are those of incidents of other kinds, which do not decay.
	otherScales []float64
	// windows is how many horizons before the forecast the weights are fitted
	// to, at most, and iterations how often EM goes over them.
	windows    int
	iterations int
	// prior is the weight of count + 2 kde in the end, whatever the fit says.
	prior float64
}

func defaultMixture() mixtureModel {
	return mixtureModel{
		scales: []float64{0, 0.5, 1, 2, 4, 8}, exactTo: 2,
		halfLives:   []float64{30, 90, 365, 0},
		otherScales: []float64{0, 1, 2, 4},
		windows:     24, iterations: 100, prior: 0.25,
	}
}

// mixture is the forecast model sempadan: the share of the next incidents that
// falls in each cell is
//
//	p(i) = (1-π) Σ w_m f_m(i) + π f₀(i)
//
// where each f_m is a kernel sum over earlier incidents, with one scale and one
// half-life, divided by its total over the area; one is the even share 1/N, and
// some are of incidents of other kinds, where there are any: kinds share the
// streets and shores where people are. f₀ is count + 2 kde. The weights w ≥ 0,
// Σw = 1, maximise the log-likelihood of the incidents of the horizons just
// before the forecast, each f_m made only of what is before its horizon
// (forward validation), by expectation maximisation from equal weights:
//
//	w_m ← w_m Σ_e f_m(e)/Σ_k w_k f_k(e) / number of e
//
// Source: a finite mixture with known components, A. P. Dempster, N. M. Laird,
// D. B. Rubin, JRSS B 39 (1977); predictions are stacked as in D. H. Wolpert,
// Neural Networks 5 (1992). With few incidents the weights stay near equal;
// without any the forecast is even. It is no better than count + 2 kde where
// thousands of incidents lie where they always did, and misleads where the
// last horizons are unlike the next. Cost: one smoothing a component and
// horizon.
type mixture struct {
	g     *CellGrid
	o     BacktestOptions
	model mixtureModel

	seen   map[horizonKey]horizon
	latest span // whose components are kept
	kept   [][]float64
}

type horizonKey struct {
	history span
	until   int
}

// horizon is the incidents of one window with what the components expected in
// their cells.
type horizon struct {
	incidents []float64
	expected  [][]float64 // by component
}

func newMixture(g *CellGrid, o BacktestOptions) *mixture {
	return &mixture{g: g, o: o, model: defaultMixture(), seen: map[horizonKey]horizon{}}
}

// component names one surface of the mixture.
type component struct {
	scale    float64 // cells; 0: the count
	halfLife float64 // days; 0: no decay
	others   bool    // of incidents of other kinds
}

// MixtureChoice is what the model picked for one forecast.
type MixtureChoice struct {
	// Weights are by component, as scale in cells and half-life in days; those
	// under one percent are left out.
	Weights map[string]float64 `json:"weights"`
	// Windows is how many horizons the weights were fitted to, Fitted their
	// incidents, Expected the incidents expected in the forecast's horizon.
	Windows  int     `json:"windows"`
	Fitted   int     `json:"fitted"`
	Expected float64 `json:"expected"`
}

// forecast is the model's answer for one horizon: the share of the incidents
// in each cell.
type forecast struct {
	share  []float64
	Chosen MixtureChoice
}

func (c component) String() string {
	name := "count"
	if c.scale > 0 {
		name = "kde " + strconv.FormatFloat(c.scale, 'g', -1, 64) + " cells"
	}
	if c.halfLife > 0 {
		name += ", half-life " + strconv.FormatFloat(c.halfLife, 'g', -1, 64) + " d"
	}
	if c.others {
		name += ", other kinds"
	}
	return name
}

func (m *mixture) components() []component {
	var out []component
	add := func(halfLives, scales []float64, others bool) {
		for _, h := range halfLives {
			for _, s := range scales {
				out = append(out, component{s, h, others})
			}
		}
	}
	add(m.model.halfLives, m.model.scales, false)
	if m.g.others != nil {
		add([]float64{0}, m.model.otherScales, true)
	}
	return out
}

// forecast expects the incidents from a day on. prior is the fallback score.
func (m *mixture) forecast(day int, prior []float64) forecast {
	from := max(m.o.history(day), m.g.first)
	windows := m.windowsBefore(day, from)
	w := m.fit(windows)
	share := make([]float64, m.g.Cells())
	for c, surface := range m.surfaces(span{from: from, to: day}) {
		for i, v := range surface {
			share[i] += (1 - m.model.prior) * w[c] * v
		}
	}
	for i, v := range normalised(slices.Clone(prior)) {
		share[i] += m.model.prior * v
	}
	f := forecast{share: share, Chosen: MixtureChoice{Weights: map[string]float64{}, Windows: len(windows)}}
	for _, h := range windows {
		f.Chosen.Fitted += int(sum(h.incidents))
	}
	f.Chosen.Expected = m.expected(day, from)
	m.describe(&f.Chosen, w)
	return f
}

func (m *mixture) describe(c *MixtureChoice, w []float64) {
	add := func(name string, weight float64) {
		if weight >= 0.01 {
			c.Weights[name] = math.Round(weight*1000) / 1000
		}
	}
	add("even", (1-m.model.prior)*w[0])
	add("count2kde", m.model.prior)
	for i, k := range m.components() {
		add(k.String(), (1-m.model.prior)*w[i+1])
	}
}

// windowsBefore returns the horizons before a day that have enough history.
func (m *mixture) windowsBefore(day, from int) []horizon {
	var out []horizon
	for back := 1; back <= m.model.windows; back++ {
		start := m.o.step(day, -back)
		if start-from < m.o.HorizonDays || 3*(start-from) < day-from {
			break
		}
		out = append(out, m.horizon(span{from: from, to: start}, min(start+m.o.HorizonDays, day)))
	}
	return out
}

// horizon returns the incidents after a history until a day.
func (m *mixture) horizon(history span, until int) horizon {
	key := horizonKey{history, until}
	if h, ok := m.seen[key]; ok {
		return h
	}
	all := m.g.counts(span{from: history.to, to: until})
	h := horizon{}
	surfaces := m.surfaces(history)
	h.expected = make([][]float64, len(surfaces))
	for i, n := range all {
		if n == 0 {
			continue
		}
		h.incidents = append(h.incidents, n)
		for c := range surfaces {
			h.expected[c] = append(h.expected[c], surfaces[c][i])
		}
	}
	m.seen[key] = h
	return h
}

// surfaces returns the components made of a history, each with the sum 1; the
// first is even.
func (m *mixture) surfaces(history span) [][]float64 {
	if m.latest == history && m.kept != nil {
		return m.kept
	}
	out := [][]float64{normalised(make([]float64, m.g.Cells()))}
	var p past
	for _, c := range m.components() {
		if p.grid == nil || c.halfLife != p.halfLifeDays || c.others != p.others {
			p = m.past(c, history)
		}
		out = append(out, normalised(p.surface(c.scale, m.model.exactTo)))
	}
	m.latest, m.kept = history, out
	return out
}

// past is what the components of one half-life are made of.
type past struct {
	grid *CellGrid
	span
	others       bool
	exact, cells []mass
}

func (m *mixture) past(c component, history span) past {
	p := past{grid: m.g, span: span{history.from, history.to, c.halfLife}, others: c.others}
	if c.others {
		p.grid = m.g.others
	}
	p.exact = p.grid.masses(p.span)
	p.cells = inCells(p.exact)
	return p
}

// surface sums kernels of a scale in cells, those up to exactTo around the
// places in cells.
func (p past) surface(scale, exactTo float64) []float64 {
	switch h := scale * p.grid.Edge; {
	case scale == 0:
		return p.grid.counts(p.span)
	case scale <= exactTo:
		return p.grid.gaussianSurface(p.exact, parts, h)
	default:
		return p.grid.gaussianSurface(p.cells, 1, h)
	}
}

// normalised divides scores by their sum; without one each is the same.
func normalised(scores []float64) []float64 {
	total := sum(scores)
	for i := range scores {
		if total > 0 {
			scores[i] /= total
		} else {
			scores[i] = 1 / float64(len(scores))
		}
	}
	return scores
}

// fit returns the weights of the components that make the incidents of the
// windows most likely.
func (m *mixture) fit(windows []horizon) []float64 {
	n := 1 + len(m.components())
	w, next := make([]float64, n), make([]float64, n)
	for c := range w {
		w[c] = 1 / float64(n)
	}
	total := 0.0
	for _, h := range windows {
		total += sum(h.incidents)
	}
	if total == 0 {
		return w
	}
	for range m.model.iterations {
		clear(next)
		for _, h := range windows {
			h.responsibilities(w, next)
		}
		for c := range w {
			w[c] *= next[c] / total
		}
	}
	return w
}

// responsibilities adds Σ_e f_m(e)/Σ_k w_k f_k(e) of a window.
func (h horizon) responsibilities(w, into []float64) {
	ratio := make([]float64, len(h.incidents))
	for c, f := range h.expected {
		for e, v := range f {
			ratio[e] += w[c] * v
		}
	}
	for e, n := range h.incidents {
		ratio[e] = n / max(ratio[e], 1e-300)
	}
	for c, f := range h.expected {
		for e, v := range f {
			into[c] += v * ratio[e]
		}
	}
}

// rateDays is how far back the number of incidents to expect is counted.
const rateDays = 365

// expected is the number of incidents of the horizon at the rate of the last
// year.
func (m *mixture) expected(day, from int) float64 {
	from = max(from, day-rateDays)
	if from >= day {
		return 0
	}
	n := 0
	for _, s := range m.g.sites {
		if int(s.day) >= from && int(s.day) < day {
			n++
		}
	}
	return float64(n) * float64(m.o.HorizonDays) / float64(day-from)
}
