package plan

import "math"

// MetOf is what the plan would meet if so many incidents came to each piece.
func (p *Plan) MetOf(truth, profile []float64) float64 {
	return met(p.network, p.roster.sorties, truth, profile)
}

func met(n *network, sorties []sortie, truth, profile []float64) float64 {
	r := newRoster(n)
	for _, s := range sorties {
		r.add(s)
	}
	sum := 0.0
	for i, v := range truth {
		for h, e := range r.row(r.exposure, i) {
			sum -= v * profile[h] * math.Expm1(-e)
		}
	}
	return sum
}

// RivalMet is what the same units meet on a full sortie a day: each by night on the
// beat of so many pieces with the most records, or without records all day round on
// one beat after the other. Size 0 is the one at which the rival meets most: it is
// told the truth.
func (p *Plan) RivalMet(size int, records, truth, profile []float64) (best float64) {
	if size > 0 {
		return met(p.network, p.network.rival(size, records), truth, profile)
	}
	for size := 1; size <= 128; size *= 2 {
		best = max(best, p.RivalMet(size, records, truth, profile))
	}
	return best
}

func (n *network) rival(size int, records []float64) (out []sortie) {
	for t := range n.teams {
		var beats []int
		best, most := -1, -1.0
		for k, b := range n.teams[t].beats {
			if b.to-b.from != size {
				continue
			}
			beats = append(beats, k)
			sum := 0.0
			for i := b.from; i < b.to && records != nil; i++ {
				sum += records[i]
			}
			if sum > most {
				best, most = k, sum
			}
		}
		if best < 0 {
			continue
		}
		each := n.teams[t].beats[best].shapes[0].dutyH
		count := n.teams[t].hours / each
		for k := range count {
			s := sortie{t, best, 24*k + 13, 0} // 20:00 local
			if records == nil {
				s.beat, s.start = beats[k*len(beats)/count], (k*n.hours/count+5*k)%(n.hours-each)
			}
			out = append(out, s)
		}
	}
	return out
}
