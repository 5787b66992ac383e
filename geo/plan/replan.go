package plan

import "context"

// replan gives one team after the other its best schedule by what the others leave
// unmet, until no team gains. A team's sorties are apart by its rest, so that where
// it rests as long as incidents last, its schedule is the best there is.
// Hours on duty that explore are worth a premium each.
func (r *roster) replan(ctx context.Context, passes int, premium float64) {
	m := &scratch{}
	for range passes {
		moved := false
		for t := range r.teams {
			if ctx.Err() != nil {
				return
			}
			moved = r.replanTeam(t, premium, m) || moved
		}
		if !moved {
			return
		}
	}
}

func (r *roster) replanTeam(team int, premium float64, m *scratch) bool {
	score := func() float64 { return r.total - r.unmet + premium*float64(r.exploreH) }
	before := score()
	old := r.take(team)
	table := r.newTable(team)
	for _, b := range r.teams[team].byGain {
		if table.hopeless(&r.teams[team].beats[b], premium) {
			continue
		}
		r.sumLeft(team, &r.teams[team].beats[b], m)
		table.offer(b, r.leftValue(team, b, m), premium)
	}
	_, schedule := table.best(r.teams[team].hours)
	for _, s := range schedule {
		r.add(s)
	}
	if score() > before+1e-9*r.total {
		return true
	}
	r.take(team)
	for _, s := range old {
		r.add(s)
	}
	return false
}

// leftValue fills in what meeting those who are left on a beat is worth.
func (r *roster) leftValue(team, beat int, m *scratch) func(grade int, sums []float64) {
	t := &r.teams[team]
	b := &t.beats[beat]
	m.pods = t.pods(b, m.pods)
	groups := len(t.factors)
	return func(grade int, sums []float64) {
		k := b.grades[grade].span * groups
		for c, pod := range m.pods[grade*groups : (grade+1)*groups] {
			all := m.sums[k+c][front:]
			for h := range sums {
				sums[h] += pod * (all[h+1] - all[h])
			}
		}
	}
}

// take removes and returns all sorties of a team.
func (r *roster) take(team int) (out []sortie) {
	kept := r.sorties[:0]
	for _, s := range r.sorties {
		if s.team == team {
			out = append(out, s)
			r.change(s, -1)
		} else {
			kept = append(kept, s)
		}
	}
	r.sorties = kept
	return out
}
