package route

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// tally sums over pieces.
type tally struct {
	lengthM, unknownM, unwatchedM float64
	hazard                        risk.Interval
	met                           Band // Σ sweeps
}

func (t *tally) add(p *piece, sweptH float64) {
	km := p.lengthM / 1000
	t.lengthM += p.lengthM
	switch {
	case !p.rate.Known:
		t.unknownM += p.lengthM
	case !p.rate.Watched:
		t.unwatchedM += p.lengthM
	}
	h := &p.rate.Hazard
	t.hazard.Mean += h.Mean * km
	t.hazard.Lo80 += h.Lo80 * km
	t.hazard.Hi80 += h.Hi80 * km
	t.hazard.Lo90 += h.Lo90 * km
	t.hazard.Hi90 += h.Hi90 * km
	t.met.Mean += p.rate.Mid * sweptH
	t.met.Low += p.rate.Low * sweptH
	t.met.High += p.rate.High * sweptH
}

func (t *tally) risk(perWidth float64) Risk {
	h := t.hazard
	p := func(hazard float64) float64 { return pAtLeastOne(hazard * perWidth) }
	met := Band{pAtLeastOne(t.met.Mean), pAtLeastOne(t.met.Low), pAtLeastOne(t.met.High)}
	return Risk{
		LengthM: t.lengthM, Hazard: h, PIncident: p(h.Mean),
		PIncidentInterval: risk.Interval{Mean: p(h.Mean), Lo80: p(h.Lo80), Hi80: p(h.Hi80), Lo90: p(h.Lo90), Hi90: p(h.Hi90)},
		PDetected:         met.Mean, PDetectedBand: met,
	}
}

// acting is what a set of authorities has of a line.
type acting struct{ lengthM, hazard float64 }

// sum fills what comes from the pieces.
func (s *scorer) sum(line orb.LineString, out *Score) {
	c := &s.cut
	legs := min(len(c.legs), MaxLegs)
	out.LegsMerged = legs < len(c.legs)
	legOf := func(i int32) int { return int(int64(i) * int64(legs) / int64(len(c.legs))) }
	var whole tally
	byLeg, byStep := make([]tally, legs), make([]tally, c.steps)
	upTo := make([]tally, c.steps)
	sets := map[int]acting{}
	legSets := make([][]int, legs)
	clock := s.clock(s.o.Depart)
	for i := range c.pieces {
		p := &c.pieces[i]
		swept := clock.spend(p)
		leg := legOf(p.leg)
		whole.add(p, swept)
		byLeg[leg].add(p, swept)
		byStep[p.step].add(p, swept)
		upTo[p.step] = whole
		set := sets[p.rate.Authorities]
		set.lengthM += p.lengthM
		set.hazard += p.rate.Hazard.Mean * p.lengthM / 1000
		sets[p.rate.Authorities] = set
		if !slices.Contains(legSets[leg], p.rate.Authorities) {
			legSets[leg] = append(legSets[leg], p.rate.Authorities)
		}
	}
	out.Risk = whole.risk(s.perWidth)
	out.UnknownShare, out.UnwatchedShare = whole.unknownM/whole.lengthM, whole.unwatchedM/whole.lengthM
	out.Partial = whole.unknownM > 0
	out.Legs = make([]Leg, legs)
	next := 0
	for i := range out.Legs {
		first := next
		for next < len(c.legs) && legOf(int32(next)) == i {
			next++
		}
		out.Legs[i] = Leg{From: line[first], To: line[next], Risk: byLeg[i].risk(s.perWidth), Jurisdictions: s.mayAct(legSets[i])}
	}
	s.profile(byStep, upTo, out)
	out.Jurisdictions = s.jurisdictions(sets, &whole)
}

func (s *scorer) profile(byStep, upTo []tally, out *Score) {
	c := &s.cut
	steps := make([]Step, c.steps)
	out.Profile = make([]Mark, c.steps+1)
	out.Profile[0].At = c.marks[0]
	for i := range steps {
		t := &byStep[i]
		steps[i] = Step{FromM: float64(i) * c.stepM, ToM: float64(i+1) * c.stepM, From: c.marks[i], To: c.marks[i+1], Risk: t.risk(s.perWidth)}
		if t.lengthM > 0 {
			steps[i].Unknown = t.unknownM / t.lengthM
		}
		if out.Hazard.Mean > 0 {
			steps[i].Share = t.hazard.Mean / out.Hazard.Mean
		}
		out.Profile[i+1] = Mark{steps[i].ToM, c.marks[i+1], upTo[i].risk(s.perWidth)}
	}
	slices.SortStableFunc(steps, func(x, y Step) int { return cmp.Compare(y.Hazard.Mean, x.Hazard.Mean) })
	out.Top = slices.Clone(steps[:min(s.o.Top, len(steps))])
}

// mayAct lists who may act in any of some sets.
func (s *scorer) mayAct(sets []int) []risk.Authority {
	out := []risk.Authority{}
	for _, k := range sets {
		for _, who := range s.rates.Authorities(k) {
			if !slices.Contains(out, who) {
				out = append(out, who)
			}
		}
	}
	slices.SortFunc(out, compareAuthorities)
	return out
}

func compareAuthorities(x, y risk.Authority) int {
	return cmp.Or(cmp.Compare(x.Country, y.Country), cmp.Compare(x.Agency, y.Agency), cmp.Compare(x.Powers, y.Powers))
}

func (s *scorer) jurisdictions(sets map[int]acting, whole *tally) []Jurisdiction {
	sums := map[risk.Authority]acting{}
	for _, k := range slices.Sorted(maps.Keys(sets)) {
		for _, who := range s.rates.Authorities(k) {
			sum := sums[who]
			sum.lengthM += sets[k].lengthM
			sum.hazard += sets[k].hazard
			sums[who] = sum
		}
	}
	out := make([]Jurisdiction, 0, len(sums))
	for who, sum := range sums {
		j := Jurisdiction{Authority: who, LengthM: sum.lengthM, LengthShare: sum.lengthM / whole.lengthM}
		if whole.hazard.Mean > 0 {
			j.HazardShare = sum.hazard / whole.hazard.Mean
		}
		out = append(out, j)
	}
	slices.SortFunc(out, func(x, y Jurisdiction) int {
		return cmp.Or(cmp.Compare(y.LengthM, x.LengthM), compareAuthorities(x.Authority, y.Authority))
	})
	return out
}

// nearestCrossing finds the official crossing whose geodesic distance from the
// line is least; nil when there are none.
func (s *scorer) nearestCrossing(line orb.LineString) *Crossing {
	var best *Crossing
	least, first, nearest := math.Inf(1), 0, math.Inf(1)
	for i, p := range s.rates.Official { // begin with one that is near, to rule out others
		if d := geo.LocalDistanceM(p.At, line[len(line)/2]); d < nearest {
			first, nearest = i, d
		}
	}
	boxed := geo.NewBoxedLine(line)
	for i := range s.rates.Official {
		p := &s.rates.Official[(first+i)%len(s.rates.Official)]
		if n, ok := boxed.NearestWithin(p.At, least); ok {
			least = n.DistanceM
			best = &Crossing{p.Layer, p.ID, p.Name, p.Country, p.Verified, p.At, n.DistanceM, n.AlongLineM}
		}
	}
	return best
}
