package surface

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// Hole is a time for which a device was silent or out of order near a cell: a
// patrol may have been there, or seen it, or not.
type Hole struct {
	Cell           Cell
	Side           Side
	StartMS, EndMS int64
}

// spell is a stretch of time in unix milliseconds, both ends included.
type spell struct{ startMS, endMS int64 }

// outagesOf reads the property "outages" of a post or a track: the times for
// which its device was out of order, as RFC 3339 intervals start/end between
// semicolons; ".." for an end that is open. It returns them in order, those
// that touch as one, and leaves out what it cannot read.
func outagesOf(l *geo.Layer, row int) (out []spell) {
	text := l.Text(row, "outages")
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ";") {
		start, end, ok := strings.Cut(strings.TrimSpace(part), "/")
		from, ok1 := instantMS(start, geo.OpenStart())
		to, ok2 := instantMS(end, geo.OpenEnd())
		if ok && ok1 && ok2 && from <= to {
			out = append(out, spell{from, to})
		}
	}
	slices.SortFunc(out, func(a, b spell) int { return cmp.Compare(a.startMS, b.startMS) })
	kept := out[:0]
	for _, s := range out {
		if n := len(kept); n > 0 && s.startMS <= kept[n-1].endMS {
			kept[n-1].endMS = max(kept[n-1].endMS, s.endMS)
		} else {
			kept = append(kept, s)
		}
	}
	return kept
}

func instantMS(s string, open time.Time) (int64, bool) {
	if s == ".." {
		return open.UnixMilli(), true
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UnixMilli(), err == nil
}

// overlaps says that one of the outages, in order, reaches into a spell.
func overlaps(outages []spell, in spell) bool {
	i, _ := slices.BinarySearchFunc(outages, in.startMS, func(o spell, ms int64) int { return cmp.Compare(o.endMS, ms+1) })
	return i < len(outages) && outages[i].startMS < in.endMS
}

// working divides a time into the times when a device worked and those when it
// did not.
func working(in spell, outages []spell) (up, down []spell) {
	at := in.startMS
	for _, o := range outages {
		start, end := max(at, o.startMS), min(in.endMS, o.endMS)
		if end < start || end == start && in.endMS > in.startMS {
			continue
		}
		if start > at {
			up = append(up, spell{at, start})
		}
		down = append(down, spell{start, end})
		at = end
	}
	if at < in.endMS || len(down) == 0 {
		up = append(up, spell{at, in.endMS})
	}
	return up, down
}

// inside returns the part of a spell that is in the window.
func (c *Coverage) inside(s spell) (spell, bool) {
	s = spell{max(s.startMS, c.asOfMS-c.windowMS), min(s.endMS, c.asOfMS)}
	return s, s.startMS <= s.endMS
}

// noData marks a cell as one without data for its share, in seconds, of a hole
// in the window; another says that it is another hole than the last.
func (c *Coverage) noData(h Hole, seconds float64, another bool) {
	e := c.cells.Ref(h.Cell)
	e.NoDataS += seconds
	if !another {
		return
	}
	e.NoDataLegs++
	if c.visitHole != nil && h.EndMS > h.StartMS {
		c.visitHole(h)
	}
}
