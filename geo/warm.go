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
		n := 1
		for most := min(len(rows), WarmRows); n < most && rows[n] >= start && int(rows[n]-start) < c.len(); n++ {
		}
		sum += c.warm(rows[:n], start)
		rows = rows[n:]
	}
	return sum
}

// warm reads at most WarmRows rows.
func (c *chunk) warm(rows []int32, start int32) (sum uint64) {
	for _, row := range rows {
		sum += math.Float64bits(c.points[row-start][0])
	}
	if c.from != nil {
		for _, row := range rows {
			sum += uint64(c.from[row-start]) + uint64(c.to[row-start])
		}
	}
	var codes [WarmRows]uint32
	switch {
	case c.idsOf != nil:
	case c.ids.len() == 0:
		for _, row := range rows {
			sum += uint64(c.fids[row-start])
		}
	default:
		for k, row := range rows {
			codes[k] = uint32(row - start)
		}
		sum += c.ids.warm(codes[:len(rows)])
	}
	for _, col := range c.columns {
		switch {
		case col.uniform > 0:
		case len(col.nums) > 0:
			for _, row := range rows {
				sum += math.Float64bits(col.number(int(row - start)))
			}
		default:
			for k, row := range rows {
				codes[k] = col.code(int(row - start))
			}
			if col.dict.len() > math.MaxUint8 { // else near at hand
				sum += col.dict.warm(codes[:len(rows)])
			}
		}
	}
	return sum
}

// warm reads where texts lie, and then the texts.
func (t *texts) warm(which []uint32) (sum uint64) {
	if t.width == 0 {
		for _, i := range which {
			sum += uint64(t.ends[i])
		}
	}
	for _, i := range which {
		if s := t.at(int(i)); s != "" {
			sum += uint64(s[0]) + uint64(s[len(s)-1])
		}
	}
	return sum
}
