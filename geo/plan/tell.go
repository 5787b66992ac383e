package plan

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// tell describes sorties, by unit and time.
func (r *roster) tell(list []sortie) []Sortie {
	out := []Sortie{}
	for _, s := range list {
		out = append(out, r.tellOne(s))
	}
	slices.SortFunc(out, func(a, b Sortie) int {
		return cmp.Or(cmp.Compare(a.pick.team, b.pick.team), cmp.Compare(a.pick.start, b.pick.start))
	})
	return out
}

func (r *roster) tellOne(s sortie) Sortie {
	b, u := r.beatOf(s), r.Units[r.teams[s.team].unit]
	leaves := r.Options.Start.UTC().Add(time.Duration(s.start) * time.Hour)
	after := func(h float64) time.Time {
		return leaves.Add(time.Duration(h * float64(time.Hour))).Round(time.Second)
	}
	d := Sortie{Unit: u.ID, Departs: leaves, Returns: after(float64(r.shapeOf(s).dutyH)), Sections: []string{}, Explores: b.explores, pick: s}
	met := r.metBySpan(s)
	for k, v := range r.visitsOf(s) {
		at := b.spans[k]
		visit := Visit{Arrives: after(v.begin), Leaves: after(v.end), Sections: []SectionHours{}, Met: met[k], Explores: r.teams[s.team].beats[v.beat].explores}
		for _, p := range r.Pieces[at.from:at.to] {
			visit.BeatKM += p.LengthKM
			d.Joint = d.Joint || !slices.Contains(p.Countries, u.Country)
		}
		for _, p := range r.Pieces[at.from:at.to] {
			h := (v.end - v.begin) * p.LengthKM / visit.BeatKM
			if n := len(visit.Sections); n > 0 && visit.Sections[n-1].Section == p.Section {
				visit.Sections[n-1].Hours += h
			} else {
				visit.Sections = append(visit.Sections, SectionHours{p.Section, h})
			}
			if !slices.Contains(d.Sections, p.Section) {
				d.Sections = append(d.Sections, p.Section)
			}
		}
		visit.Passes = u.SpeedKMH * (v.end - v.begin) / visit.BeatKM
		d.BeatKM += visit.BeatKM
		d.Met += visit.Met
		d.Visits = append(d.Visits, visit)
	}
	d.OnBeat, d.OffBeat = d.Visits[0].Arrives, d.Visits[len(d.Visits)-1].Leaves
	d.Passes = u.SpeedKMH * d.beatH() / d.BeatKM
	return d
}

// beatH is the time on beats.
func (s Sortie) beatH() (sum float64) {
	for _, v := range s.Visits {
		sum += v.Leaves.Sub(v.Arrives).Hours()
	}
	return sum
}

// visitsOf are those of a route, or the one of a sortie on one beat.
func (n *network) visitsOf(s sortie) []visit {
	b := n.beatOf(s)
	if b.visits != nil {
		return b.visits
	}
	v := b.visit(n.shapeOf(s).dutyH)
	v.beat = s.beat
	return []visit{v}
}

// metBySpan is what one of the sorties adds to the others, by visit.
func (r *roster) metBySpan(s sortie) []float64 {
	spans := r.beatOf(s).spans
	out := make([]float64, len(spans))
	r.expose(s, func(i int, e float64) {
		piece := i / r.hours
		k := slices.IndexFunc(spans, func(at span) bool { return at.from <= piece && piece < at.to })
		out[k] += r.left[i] * math.Expm1(e)
	})
	return out
}
