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
	line   []float64   // by hour of leaving
	offers int
	floor  []float64 // by length: what every hour of leaving has at least; see hopeless
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

// offer takes in a beat, which rankBeats has ranked; fill adds to sums, by the hour in which incidents begin,
// what an exposure of a grade is worth there, and each hour on duty of a beat that
// explores is worth a premium.
func (t *table) offer(beat int, fill func(grade int, sums []float64), premium float64) {
	b := &t.teams[t.team].beats[beat]
	if t.hopeless(b, premium) {
		return
	}
	t.sums = sized(t.sums, len(b.grades), front+t.hours+1)
	for g := range b.grades {
		fill(g, t.sums[g][front+1:])
		add(t.sums[g][front:])
	}
	for k := range b.shapes {
		s := &b.shapes[k]
		d, _ := slices.BinarySearch(t.dutyH, s.dutyH)
		value, choice := t.value[d], t.choice[d]
		extra := 0.0
		if b.explores {
			extra = premium * float64(s.dutyH)
		}
		for start, v := range t.along(s, extra) {
			if v > value[start] {
				value[start], choice[start] = v, sortie{t.team, beat, start, k}
			}
		}
	}
}

// floorEvery is after how many offers the floor is looked up again.
const floorEvery = 16

// hopeless tells whether a beat can improve no entry: no sum of values is more than
// what its best sortie meets when there is no other, with the premium. Beats are best
// offered in the order of that.
func (t *table) hopeless(b *beat, premium float64) bool {
	if t.offers%floorEvery == 0 {
		t.floor = t.floor[:0]
		for d, dutyH := range t.dutyH {
			t.floor = append(t.floor, slices.Min(t.value[d][:t.hours-dutyH+1]))
		}
	}
	t.offers++
	for k := range b.shapes {
		d, _ := slices.BinarySearch(t.dutyH, b.shapes[k].dutyH)
		most := b.bestAlone * (1 + 1e-9)
		if b.explores {
			most += premium * float64(b.shapes[k].dutyH)
		}
		if most > t.floor[d] {
			return false
		}
	}
	return true
}

// along sums the values of a shape for each hour of leaving.
func (t *table) along(s *shape, extra float64) []float64 {
	t.line = t.line[:0]
	for range t.hours - s.dutyH + 1 {
		t.line = append(t.line, extra)
	}
	for _, run := range s.runs {
		sums := t.sums[run.grade]
		from := sums[front+run.from:][:len(t.line)]
		to := sums[front+run.to:][:len(t.line)]
		for start := range t.line {
			t.line[start] += to[start] - from[start]
		}
	}
	return t.line
}

// best returns the schedule of at most so many hours on duty whose values add up
// to most, with rest between sorties. Dynamic programming over the hour and the
// hours left: O(window · hours · lengths).
func (t *table) best(hours int) (float64, []sortie) {
	width := hours + 1
	most := make([]float64, (t.hours+1)*width) // from an hour on, with so many left
	pick := make([]int16, (t.hours+1)*width)   // length + 1; 0: stay
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
					most[i], pick[i] = v, int16(d+1)
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
