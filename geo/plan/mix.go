package plan

import (
	"math"
	"math/rand/v2"
)

// mix is each unit's schedules with the chance that each is drawn.
type mix struct {
	n         *network
	schedules [][][]sortie // by team
	chance    []float64    // by schedule, the same for all teams
}

// newMix begins with one roster, drawn for sure.
func newMix(n *network, r *roster) mix {
	m := mix{n: n, schedules: make([][][]sortie, len(n.teams)), chance: []float64{1}}
	for t := range n.teams {
		m.schedules[t] = [][]sortie{nil}
	}
	for _, s := range r.sorties {
		m.schedules[s.team][0] = append(m.schedules[s.team][0], s)
	}
	return m
}

// take mixes in a round of schedules, as Frank and Wolfe's step does.
func (m *mix) take(schedules [][]sortie, step float64) {
	for k := range m.chance {
		m.chance[k] *= 1 - step
	}
	m.chance = append(m.chance, step)
	for t, s := range schedules {
		m.schedules[t] = append(m.schedules[t], s)
	}
}

// Comb draws one of the items n times, in random order: item k as often as its
// share of n, rounded up or down. Each draw by itself has the chances of the shares.
// One random number places a comb of n teeth over the shares laid end to end, which
// is systematic sampling.
//
// Source: W. G. Madow, Annals of Mathematical Statistics 20 (1949); for patrols
// J. Tsai et al., AAAI (2010).
func Comb(shares []float64, n int, r *rand.Rand) []int {
	sum := 0.0
	for _, s := range shares {
		sum += s
	}
	out := make([]int, 0, n)
	item, end := 0, 0.0
	if len(shares) > 0 {
		end = shares[0]
	}
	u := r.Float64()
	for k := range n {
		tooth := (u + float64(k)) / float64(n) * sum
		for tooth >= end && item < len(shares)-1 {
			item++
			end += shares[item]
		}
		out = append(out, item)
	}
	r.Shuffle(n, func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// Draw returns schedules for so many windows to come, each drawn at random: unit by
// unit, independently, from the schedules that the plan's upper bound mixes, in
// their shares. Who knows all earlier weeks learns the shares and no more.
// The same seed draws the same.
func (p *Plan) Draw(windows int, seed uint64) [][]Sortie {
	r := rand.New(rand.NewPCG(seed, 0x5e3a))
	drawn := make([]*roster, windows)
	for w := range drawn {
		drawn[w] = newRoster(p.network)
	}
	for t := range p.network.teams {
		for w, k := range Comb(p.mix.chance, windows, r) {
			for _, s := range p.mix.schedules[t][k] {
				drawn[w].add(s)
			}
		}
	}
	out := make([][]Sortie, windows)
	for w, d := range drawn {
		out[w] = d.tell(d.sorties)
	}
	return out
}

// Marginal is a sortie with the chance that a draw has it.
type Marginal struct {
	Sortie Sortie  `json:"sortie"`
	Chance float64 `json:"chance"`
}

// Marginals lists all sorties that Draw may draw.
func (p *Plan) Marginals() []Marginal {
	chance := map[sortie]float64{}
	var order []sortie
	for _, schedules := range p.mix.schedules {
		for k, schedule := range schedules {
			for _, s := range schedule {
				if _, seen := chance[s]; !seen {
					order = append(order, s)
				}
				chance[s] += p.mix.chance[k]
			}
		}
	}
	out := []Marginal{}
	for _, s := range p.roster.tell(order) {
		out = append(out, Marginal{s, chance[s.pick]})
	}
	return out
}

// pods is the chance that a draw meets an incident, by piece and hour.
func (m *mix) pods() []float64 {
	n := m.n
	miss := make([]float64, len(n.expected))
	for i := range miss {
		miss[i] = 1
	}
	for _, schedules := range m.schedules {
		met := map[int]float64{}
		for k, schedule := range schedules {
			exposure := map[int]float64{}
			for _, s := range schedule {
				n.expose(s, func(i int, e float64) { exposure[i] += e })
			}
			for i, e := range exposure {
				met[i] -= m.chance[k] * math.Expm1(-e)
			}
		}
		for i, v := range met {
			miss[i] *= 1 - v
		}
	}
	for i := range miss {
		miss[i] = 1 - miss[i]
	}
	return miss
}

// expose calls yield for every piece and hour whose incidents a sortie may meet.
func (n *network) expose(s sortie, yield func(i int, exposure float64)) {
	b, t := n.beatOf(s), &n.teams[s.team]
	for _, run := range n.shapeOf(s).runs {
		g := b.grades[run.grade]
		at := b.spans[g.span]
		condition := n.row8(n.condition, at.from)
		from, to := max(0, s.start+run.from), min(n.hours, s.start+run.to)
		for piece := at.from; piece < at.to; piece++ {
			for h := from; h < to; h++ {
				yield(piece*n.hours+h, g.exposure*t.factors[t.group[condition[h]]])
			}
		}
	}
}

// Response is what an adversary who learns does to a plan.
type Response struct {
	Gamma      float64 `json:"gamma"`
	Unaware    float64 `json:"met_unaware"`    // expected incidents met when nobody learns
	Fixed      float64 `json:"met_fixed"`      // when he learns a plan that is the same each time
	Randomised float64 `json:"met_randomised"` // when he learns the shares that are drawn from
}

// Respond lets those who cross choose place and hour anew, by quantal response to
// the chance d of being met there that they have learned:
//
//	q ∝ p·e^(-γ·d)
//
// p being how many come when there is no plan. γ = 0 is an adversary who does not
// look; the larger, the more he keeps to where nobody is.
//
// Source: R. D. McKelvey and T. R. Palfrey, Games and Economic Behavior 10 (1995),
// with the attraction p as the prior.
func (p *Plan) Respond(gamma float64) Response {
	fixed := make([]float64, len(p.roster.exposure))
	for i, e := range p.roster.exposure {
		fixed[i] = -math.Expm1(-e)
	}
	return Response{gamma, p.Met, p.network.respond(fixed, gamma), p.network.respond(p.mix.pods(), gamma)}
}

func (n *network) respond(pods []float64, gamma float64) float64 {
	flow, met := 0.0, 0.0
	for i, d := range pods {
		q := n.expected[i] * math.Exp(-gamma*d)
		flow += q
		met += q * d
	}
	if flow == 0 {
		return 0
	}
	return n.total * met / flow
}
