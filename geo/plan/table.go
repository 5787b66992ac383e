package plan

import "slices"

// table holds, for each hour of leaving and length of sortie, the best beat of a
// team by a sum of values.
type table struct {
	*network
	team   int
	dutyH  []int
	value  [][]float64 // by length, then hour
	choice [][]sortie
	sums   [][]float64 // by grade
}

func (n *network) newTable(team int) *table {
	t := &table{network: n, team: team}
	for _, b := range n.teams[team].beats {
		for _, s := range b.shapes {
			if !slices.Contains(t.dutyH, s.dutyH) {
				t.dutyH = append(t.dutyH, s.dutyH)
			}
		}
	}
	slices.Sort(t.dutyH)
	for range t.dutyH {
		t.value = append(t.value, make([]float64, n.hours))
		t.choice = append(t.choice, make([]sortie, n.hours))
	}
	return t
}

// offer takes in a beat; fill adds to sums, by the hour in which incidents begin,
// what an exposure of a grade is worth there, and each hour on duty of a beat that
// explores is worth a premium.
func (t *table) offer(beat int, fill func(grade int, sums []float64), premium float64) {
	b := &t.teams[t.team].beats[beat]
	for len(t.sums) < len(b.grades) {
		t.sums = append(t.sums, make([]float64, t.hours+1))
	}
	for g := range b.grades {
		sums := t.sums[g]
		clear(sums)
		fill(g, sums[1:])
		for h := 1; h < len(sums); h++ {
			sums[h] += sums[h-1]
		}
	}
	for k := range b.shapes {
		s := &b.shapes[k]
		d, _ := slices.BinarySearch(t.dutyH, s.dutyH)
		value, choice := t.value[d], t.choice[d]
		extra := 0.0
		if b.explores {
			extra = premium * float64(s.dutyH)
		}
		for start := 0; start+s.dutyH <= t.hours; start++ {
			v := extra
			for _, run := range s.runs {
				from, to := max(0, start+run.from), min(t.hours, start+run.to)
				if from < to {
					v += t.sums[run.grade][to] - t.sums[run.grade][from]
				}
			}
			if v > value[start] {
				value[start], choice[start] = v, sortie{t.team, beat, start, k}
			}
		}
	}
}

// best returns the schedule of at most so many hours on duty whose values add up
// to most, with rest between sorties. Dynamic programming over the hour and the
// hours left: O(window · hours · lengths).
func (t *table) best(hours int) (float64, []sortie) {
	width := hours + 1
	most := make([]float64, (t.hours+1)*width) // from an hour on, with so many left
	pick := make([]int8, (t.hours+1)*width)    // length + 1; 0: stay
	for at := t.hours - 1; at >= 0; at-- {
		for left := range width {
			i := at*width + left
			most[i] = most[i+width]
			for d, dutyH := range t.dutyH {
				if dutyH > left || t.value[d][at] <= 0 {
					continue
				}
				then := min(t.hours, at+dutyH+t.restH)
				if v := t.value[d][at] + most[then*width+left-dutyH]; v > most[i] {
					most[i], pick[i] = v, int8(d+1)
				}
			}
		}
	}
	var out []sortie
	for at, left := 0, hours; at < t.hours; {
		d := int(pick[at*width+left]) - 1
		if d < 0 {
			at++
			continue
		}
		out = append(out, t.choice[d][at])
		left -= t.dutyH[d]
		at += t.dutyH[d] + t.restH
	}
	return most[hours], out
}
