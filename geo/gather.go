package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// Gathered holds the times and properties of some rows, read column by column:
// rows that lie far apart are each a wait for memory, and of those in one column
// many go on at a time. It is used again and again, by one goroutine.
type Gathered struct {
	layer    *Layer
	runs     []gatheredRun
	bits     []uint64 // of each run, column by column: numbers as their bits, literals as their codes
	from, to []int64
	at       int // the run of the last row asked for
}

// gatheredRun is consecutive rows of one chunk.
type gatheredRun struct {
	chunk      int
	first, end int // among the rows gathered
	bits       int // where its values begin
	columns    []*column
}

// Gather reads rows of the layer, which take the place of those read before.
// They are read fastest in ascending order.
func (g *Gathered) Gather(l *Layer, rows []int32) {
	g.layer, g.runs, g.bits, g.at = l, g.runs[:0], g.bits[:0], 0
	g.from, g.to = g.from[:0], g.to[:0]
	l.runs(rows, func(k, first, end int) { g.gatherRun(k, first, rows[first:end]) })
}

// runs calls yield with each run of rows of one chunk.
func (l *Layer) runs(rows []int32, yield func(chunk, first, end int)) {
	for first := 0; first < len(rows); {
		k, _ := l.place(int(rows[first]))
		low, high := int32(l.starts[k]), int32(l.starts[k]+l.chunks[k].len())
		end := first + 1
		for end < len(rows) && rows[end] >= low && rows[end] < high {
			end++
		}
		yield(k, first, end)
		first = end
	}
}

// Places reads the feature numbers of rows, and their positions, NaN where a row
// is not a point, into slices of the same length.
func (l *Layer) Places(rows []int32, fids []int64, at []orb.Point) {
	l.runs(rows, func(k, first, end int) {
		c, start := l.chunks[k], int32(l.starts[k])
		for i := first; i < end; i++ {
			fids[i] = c.fids[rows[i]-start]
		}
		for i := first; i < end; i++ {
			at[i] = c.points[rows[i]-start]
		}
		if c.shapes == nil {
			return
		}
		for i := first; i < end; i++ {
			if c.shapes[rows[i]-start] != nil {
				at[i] = orb.Point{math.NaN(), math.NaN()}
			}
		}
	})
}

func (g *Gathered) gatherRun(k, first int, rows []int32) {
	c, start := g.layer.chunks[k], int32(g.layer.starts[k])
	g.runs = append(g.runs, gatheredRun{chunk: k, first: first, end: first + len(rows), bits: len(g.bits), columns: c.columns})
	if c.from == nil {
		for range rows {
			g.from, g.to = append(g.from, noTime), append(g.to, noTime)
		}
	} else {
		for _, row := range rows {
			g.from = append(g.from, c.from[row-start])
		}
		for _, row := range rows {
			g.to = append(g.to, c.to[row-start])
		}
	}
	for _, col := range c.columns {
		if !col.numeric() {
			for _, row := range rows {
				g.bits = append(g.bits, uint64(col.code(int(row-start))))
			}
			continue
		}
		for _, row := range rows {
			g.bits = append(g.bits, math.Float64bits(col.number(int(row-start))))
		}
	}
}

// TimesMS is Layer.TimesMS of the i-th row gathered.
func (g *Gathered) TimesMS(i int) (from, to int64, ok bool) {
	if g.from[i] == noTime {
		return 0, 0, false
	}
	return g.from[i], g.to[i], true
}

// Cells calls yield with each property present in the i-th row gathered, in
// column order.
func (g *Gathered) Cells(i int, yield func(Cell)) {
	for i < g.runs[g.at].first {
		g.at--
	}
	for i >= g.runs[g.at].end {
		g.at++
	}
	r := &g.runs[g.at]
	n := r.end - r.first
	for k, col := range r.columns {
		bits := g.bits[r.bits+k*n+i-r.first]
		if !col.numeric() {
			if bits != noCode {
				yield(Cell{Name: col.name, Literal: col.dict.at(int(bits)), Key: uint64(r.chunk+1)<<48 | uint64(k)<<32 | bits})
			}
		} else if v := math.Float64frombits(bits); !math.IsNaN(v) {
			yield(Cell{Name: col.name, Number: v})
		}
	}
}
