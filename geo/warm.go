package geo

import "math"

// WarmRows is how many rows are best read by Warm and then written at a time:
// they stay near at hand meanwhile.
const WarmRows = 64

// Warm reads what writing the given rows will read, column by column, so that
// the waits for memory overlap: a thousand rows that lie far apart among a million
// are then answered in a third less time (BenchmarkFeatures). Rows of one chunk
// are best given together. The sum has no meaning.
func (l *Layer) Warm(rows []int32) (sum uint64) {
	for len(rows) > 0 {
		c, first := l.at(int(rows[0]))
		start := rows[0] - int32(first)
		end := start + int32(c.len())
		n := 1
		for n < len(rows) && rows[n] >= start && rows[n] < end {
			n++
		}
		sum += c.warm(rows[:n], start)
		rows = rows[n:]
	}
	return sum
}

func (c *chunk) warm(rows []int32, start int32) (sum uint64) {
	for _, row := range rows {
		sum += math.Float64bits(c.points[row-start][0])
	}
	if c.from != nil {
		for _, row := range rows {
			sum += uint64(c.from[row-start])
		}
	}
	switch {
	case c.idsOf != nil:
	case c.ids.len() == 0:
		for _, row := range rows {
			sum += uint64(c.fids[row-start])
		}
	default:
		for _, row := range rows {
			sum += c.ids.warm(int(row - start))
		}
	}
	for k := range c.members {
		switch m := &c.members[k]; {
		case m.same != "":
		case m.texts != nil: // which are near at hand
			for _, row := range rows {
				sum += uint64(m.col.code(int(row - start)))
			}
		case m.col.numeric():
			for _, row := range rows {
				sum += math.Float64bits(m.col.number(int(row - start)))
			}
		default:
			for _, row := range rows {
				sum += m.col.dict.warm(int(m.col.code(int(row - start))))
			}
		}
	}
	return sum
}

// warm reads a text at both of its ends.
func (t *texts) warm(i int) (sum uint64) {
	if s := t.at(i); s != "" {
		sum = uint64(s[0]) + uint64(s[len(s)-1])
	}
	return sum
}
