package plan

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/sempadan/sempadan/geo/risk"
)

// Plan says who goes where and when, what that leaves, and how far it is at most
// from the best there could be.
type Plan struct {
	Start      time.Time `json:"start"`
	WindowDays int       `json:"window_days"`
	// Sorties are ordered by unit, as the units were given, and time.
	Sorties []Sortie   `json:"sorties"`
	Units   []UnitWeek `json:"units"`
	Unused  []Unused   `json:"unused"`

	// Before and After are the expected incidents that nobody meets in the window;
	// their interval adds up those of the pieces as if all erred together, and of
	// sweep widths that come with a bracket.
	Before    risk.Estimate `json:"residual_before"`
	After     risk.Estimate `json:"residual_after"`
	Residuals []Residual    `json:"residual_by_section"`
	Met       float64       `json:"expected_met"`

	Bounds     Bounds  `json:"bounds"`
	UpperBound float64 `json:"upper_bound"` // on the expected incidents met
	// GapPercent is how much more than Met the upper bound is.
	GapPercent float64      `json:"gap_percent"`
	Curve      []CurvePoint `json:"cost_curve"`

	Exploration Exploration `json:"exploration"`
	// Response is what an adversary who learns makes of it, by Options.Gamma.
	Response Response `json:"response"`
	// Partial: something that was asked for could not be done; Because says what.
	Partial bool      `json:"partial"`
	Because []Because `json:"because"`

	network *network
	roster  *roster
	mix     mix
}

// Sortie is one way out and back.
type Sortie struct {
	Unit     string    `json:"unit"`
	Departs  time.Time `json:"departs"`
	OnBeat   time.Time `json:"on_beat"`
	OffBeat  time.Time `json:"off_beat"`
	Returns  time.Time `json:"returns"`
	Sections []string  `json:"sections"` // in the order of the visits
	BeatKM   float64   `json:"beat_km"`  // of all beats
	Passes   float64   `json:"passes"`   // times along them, in the mean
	Visits   []Visit   `json:"visits"`   // of beats, one or several
	Met      float64   `json:"expected_met"`
	Explores bool      `json:"explores"`
	Joint    bool      `json:"joint"` // by leave of a joint corridor

	pick sortie
}

// Visit is the time that a sortie spends on one beat.
type Visit struct {
	Arrives  time.Time      `json:"arrives"`
	Leaves   time.Time      `json:"leaves"`
	Sections []SectionHours `json:"sections"`
	BeatKM   float64        `json:"beat_km"`
	Passes   float64        `json:"passes"` // times along the beat
	Met      float64        `json:"expected_met"`
	Explores bool           `json:"explores"`
}

// SectionHours is the part of a visit that goes to a section, by length.
type SectionHours struct {
	Section string  `json:"section_id"`
	Hours   float64 `json:"hours"`
}

// UnitWeek is what a unit's window adds up to.
type UnitWeek struct {
	Unit    string  `json:"unit"`
	Country string  `json:"country"`
	Sorties int     `json:"sorties"`
	Hours   float64 `json:"hours"`       // on duty
	Given   float64 `json:"hours_given"` // that it could be
	BeatH   float64 `json:"hours_on_beat"`
	Met     float64 `json:"expected_met"` // beyond what the others meet
}

// CurvePoint is what is left when only so much of the hours is spent, on the
// sorties that matter most.
type CurvePoint struct {
	Share    float64 `json:"share_of_hours"`
	Hours    float64 `json:"hours"`
	Residual float64 `json:"residual"`
}

// Exploration is the effort kept for what is not known.
type Exploration struct {
	WantedH  float64  `json:"hours_wanted"`
	Hours    float64  `json:"hours"`
	Sections []string `json:"sections"` // of which least is known
	// Visited are those of them that sorties explore.
	Visited []Explored `json:"visited"`
}

// Explored is a section to which effort goes because little is known of it: nobody has
// looked (blind_spot), or variance times severity is among the largest (least_known).
type Explored struct {
	Section string  `json:"section_id"`
	Why     string  `json:"why"`
	Hours   float64 `json:"hours"`
}

// replanPasses and movePasses bound the search; it ends when nothing moves.
const (
	replanPasses = 8
	movePasses   = 2
	routePasses  = 3
)

// nearlyBest is a gap below which it is not worth looking for a lower bound.
const nearlyBest = 0.01

// Make plans: lazy greedy, then each unit's best schedule against the others' until
// none gains, then single sorties; then bounds. It fails on a problem that cannot
// be planned and when ctx ends; the same problem gives the same plan.
func Make(ctx context.Context, p Problem) (*Plan, error) {
	if p.Options.Rounds == 0 {
		p.Options.Rounds = DefaultOptions(time.Time{}).Rounds
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("the plan cannot be made: %w", err)
	}
	n := newNetwork(p)
	n.rankBeats()
	wantedH := n.setQuota()
	r, premium := n.search(ctx)
	out := &Plan{Start: p.Options.Start.UTC(), WindowDays: p.Options.WindowDays, Unused: n.unused, network: n, roster: r, Because: []Because{}}
	out.mix = newMix(n, r)
	if err := out.bound(ctx, premium); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("the plan was not finished: %w", err)
	}
	out.describe()
	out.Exploration.WantedH = wantedH
	out.Response = out.Respond(p.Options.Gamma)
	out.admit()
	return out, nil
}

// setQuota settles how many hours must explore: what was asked for, as far as the
// units can.
func (n *network) setQuota() (wantedH float64) {
	most := 0
	for t := range n.teams {
		table := n.newTable(t)
		for b := range n.teams[t].beats {
			table.offer(b, func(int, []float64) {}, 1)
		}
		h, _ := table.best(n.teams[t].hours)
		most += int(h)
		wantedH += n.Options.ExplorationShare * float64(n.teams[t].hours)
	}
	n.quotaH = min(most, int(math.Ceil(wantedH-1e-9)))
	return wantedH
}

// search looks for a good roster that explores as much as it must. Where the best
// does not, hours that explore are worth a premium that grows until they suffice.
func (n *network) search(ctx context.Context) (*roster, float64) {
	r := newRoster(n)
	r.fill(ctx, true)
	r.fill(ctx, false)
	r.replan(ctx, replanPasses, 0)
	premium, perHour := 0.0, n.total/float64(max(1, n.dutyH()))
	for k := 0; r.exploreH < n.quotaH && k < 24 && ctx.Err() == nil; k++ {
		premium = perHour * math.Exp2(float64(k-14))
		r.replan(ctx, 3, premium)
	}
	if r.exploreH >= n.quotaH {
		r.improve(ctx, movePasses)
		r.route(ctx, routePasses, premium)
	}
	return r, premium
}

func (n *network) dutyH() (sum int) {
	for _, t := range n.teams {
		sum += t.hours
	}
	return sum
}

func (p *Plan) bound(ctx context.Context, premium float64) error {
	n, r := p.network, p.roster
	c, err := n.continuous()
	if err != nil {
		return fmt.Errorf("bound the plan: %w", err)
	}
	n.quotaH = min(n.quotaH, r.exploreH) // what the plan keeps, others like it keep
	p.Met = r.met()
	p.Bounds.Continuous = c.UpperBound
	p.Bounds.Marginal, _ = n.dual(reference{exposure: r.exposure, marginal: true, premium: premium})
	p.Bounds.Lagrangian = n.lower(ctx, reference{exposure: r.exposure, premium: premium}, p.Met*(1+nearlyBest), p.mix.take)
	p.Bounds.AnyRoute = min(c.UpperBound, n.newRelaxation().lower(ctx, reference{exposure: r.exposure, premium: premium}, (n.Options.Rounds+1)/2))
	p.UpperBound = max(p.Met, p.Bounds.Least()) // rounding
	if p.Met > 0 {
		p.GapPercent = 100 * (p.UpperBound/p.Met - 1)
	}
	return nil
}

// describe turns the roster into an answer.
func (p *Plan) describe() {
	n, r := p.network, p.roster
	p.Residuals = r.residuals()
	for _, x := range p.Residuals {
		p.Before, p.After = plus(p.Before, x.Before), plus(p.After, x.After)
	}
	p.Sorties = r.tell(r.sorties)
	p.Units = []UnitWeek{}
	for t, team := range n.teams {
		u := n.Units[team.unit]
		w := UnitWeek{Unit: u.ID, Country: u.Country, Hours: float64(r.spentH[t]), Given: u.Hours}
		for _, s := range p.Sorties {
			if s.Unit == u.ID {
				w.Sorties++
				w.BeatH += s.beatH()
				w.Met += s.Met
			}
		}
		if w.Sorties == 0 {
			p.Unused = append(p.Unused, Unused{u.ID, NoNeed, "no sortie of it would meet anybody that the others do not"})
			continue
		}
		p.Units = append(p.Units, w)
	}
	if p.Unused == nil {
		p.Unused = []Unused{}
	}
	p.explored()
	p.Curve = r.curve()
}

func plus(a, b risk.Estimate) risk.Estimate {
	return risk.Estimate{Mean: a.Mean + b.Mean, Lo80: a.Lo80 + b.Lo80, Hi80: a.Hi80 + b.Hi80}
}

// curve takes out one sortie after the other, each time the one that does least for
// its hours, and notes what is left at every tenth.
func (r *roster) curve() []CurvePoint {
	c := newRoster(r.network)
	for _, s := range r.sorties {
		c.add(s)
	}
	whole := 0
	for _, h := range c.spentH {
		whole += h
	}
	if whole == 0 {
		return []CurvePoint{{0, 0, r.total}}
	}
	var out []CurvePoint
	for spent := whole; ; {
		if spent*10 <= whole*(10-len(out)) {
			out = append(out, CurvePoint{float64(spent) / float64(whole), float64(spent), c.total - c.met()})
		}
		if len(c.sorties) == 0 {
			slices.Reverse(out)
			return out
		}
		least, at := math.Inf(1), 0
		for k, s := range c.sorties {
			if v := c.gainOf(s) / float64(c.shapeOf(s).dutyH); v < least {
				least, at = v, k
			}
		}
		spent -= c.shapeOf(c.remove(at)).dutyH
	}
}
