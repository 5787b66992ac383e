package route

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// The largest line that is scored.
const (
	MaxVertices = 100_000
	MaxLengthM  = 20_000_000.0
)

// ErrLine is the error of a line that cannot be scored whatever the assessment,
// ErrUnknown that of one of which nothing at all is known.
var (
	ErrLine    = errors.New("the line cannot be scored")
	ErrUnknown = errors.New("nothing is known of any place on the line")
)

// highestLat is where the analysis cells end.
const highestLat = 85.05

func checkLine(line orb.LineString) error {
	switch n := len(line); {
	case n < 2:
		return fmt.Errorf("%w: it has %d points; give at least two", ErrLine, n)
	case n > MaxVertices:
		return fmt.Errorf("%w: it has %d vertices, more than %d; simplify it or cut it into several", ErrLine, n, MaxVertices)
	}
	for i, p := range line {
		if math.IsNaN(p[0]-p[0]) || math.IsNaN(p[1]-p[1]) || math.Abs(p[0]) > 360 || math.Abs(p[1]) > highestLat {
			return fmt.Errorf("%w: vertex %d is at %g, %g; give longitude and latitude in degrees, at most %g from the equator", ErrLine, i+1, p[0], p[1], highestLat)
		}
	}
	return nil
}

// piece is the part of a line in one cell, leg and profile step.
type piece struct {
	rate    risk.CellRate
	lengthM float64
	leg     int32
	step    int32
}

// cutter cuts a line at the edges of cells. It keeps its memory for the next.
type cutter struct {
	read   *risk.RateReader
	legs   []geo.Geodesic
	pieces []piece
	marks  []orb.Point // ends of the steps, the start of the line first

	lengthM float64
	stepM   float64
	steps   int

	alongM   float64 // where the next piece starts
	xs, ys   []float64
	leg      int
	legFromM float64
}

// mostSteps bounds the profile.
const mostSteps = 2000

// cut fills legs, pieces and marks: the profile has round(length/stepM) equal
// steps, and at least one. Cost: a few distances for each vertex and each edge of
// a cell that is crossed.
func (c *cutter) cut(ctx context.Context, line orb.LineString, stepM float64) error {
	if err := checkLine(line); err != nil {
		return err
	}
	c.legs, c.pieces, c.marks, c.lengthM, c.alongM = c.legs[:0], c.pieces[:0], c.marks[:0], 0, 0
	for i := 1; i < len(line); i++ {
		g := geo.NewGeodesic(line[i-1], line[i])
		c.legs = append(c.legs, g)
		c.lengthM += g.LengthM()
	}
	switch {
	case c.lengthM == 0:
		return fmt.Errorf("%w: all its %d points are in one place", ErrLine, len(line))
	case c.lengthM > MaxLengthM:
		return fmt.Errorf("%w: it is %.0f km long, more than %.0f km; cut it into several", ErrLine, c.lengthM/1000, MaxLengthM/1000)
	}
	c.steps = int(min(mostSteps, max(1, math.Round(c.lengthM/stepM))))
	c.stepM = c.lengthM / float64(c.steps)
	c.marks = append(c.marks, line[0])
	c.legFromM = 0
	for i := range c.legs {
		if i%16 == 0 && ctx.Err() != nil {
			return fmt.Errorf("score a line: %w", ctx.Err())
		}
		c.leg = i
		c.cutLeg(&c.legs[i])
		c.legFromM += c.legs[i].LengthM()
	}
	for len(c.marks) <= c.steps { // rounding may leave the last out
		c.marks = append(c.marks, line[len(line)-1])
	}
	c.marks[c.steps] = line[len(line)-1]
	return nil
}

// cutLeg goes along a geodesic in spans in which longitude and latitude only rise
// or only fall.
func (c *cutter) cutLeg(g *geo.Geodesic) {
	length := g.LengthM()
	if length == 0 {
		return
	}
	if turn, ok := g.TurnM(); ok && turn > 0 && turn < length {
		c.cutSpan(g, geo.Span{FromM: 0, ToM: turn})
		c.cutSpan(g, geo.Span{FromM: turn, ToM: length})
		return
	}
	c.cutSpan(g, geo.Span{FromM: 0, ToM: length})
}

func (c *cutter) cutSpan(g *geo.Geodesic, in geo.Span) {
	start, from, to := g.At(0), g.At(in.FromM), g.At(in.ToM)
	from[0] = start[0] + shortWay(from[0]-start[0])
	to[0] = start[0] + shortWay(to[0]-start[0])
	x0, y0 := surface.PixelAt(surface.CellLevel, from)
	x1, y1 := surface.PixelAt(surface.CellLevel, to)
	const side = 1 << surface.CellLevel
	c.xs = edges(c.xs[:0], x0, x1, in, func(k int, guessM float64) float64 {
		return g.ToMeridian((float64(k)/side-0.5)*360-start[0], in, guessM)
	})
	c.ys = edges(c.ys[:0], y0, y1, in, func(k int, guessM float64) float64 {
		return g.ToParallel(surface.Cell{Y: int32(max(0, min(side, k)))}.Bound().Max[1], in, guessM)
	})
	x, y := int(math.Floor(x0)), int(math.Floor(y0))
	dx, dy := sign(x1-x0), sign(y1-y0)
	at := in.FromM
	for i, j := 0, 0; ; {
		next := in.ToM
		var stepX, stepY int
		if i < len(c.xs) && (j == len(c.ys) || c.xs[i] <= c.ys[j]) {
			next, stepX = c.xs[i], dx
			i++
		} else if j < len(c.ys) {
			next, stepY = c.ys[j], dy
			j++
		}
		next = max(at, next)
		c.add(g, surface.Cell{X: int32(x & (side - 1)), Y: int32(max(0, min(side-1, y)))}, next-at)
		at = next
		if stepX == 0 && stepY == 0 {
			return
		}
		x, y = x+stepX, y+stepY
	}
}

// edges lists where the whole numbers between two positions are met, in the order
// of travel: find says where k is, from a guess.
func edges(dst []float64, from, to float64, in geo.Span, find func(k int, guessM float64) float64) []float64 {
	a, b := int(math.Floor(from)), int(math.Floor(to))
	at, atM := from, in.FromM
	meet := func(k int) {
		guess := atM
		if to != at {
			guess += (float64(k) - at) / (to - at) * (in.ToM - atM)
		}
		at, atM = float64(k), max(atM, find(k, guess))
		dst = append(dst, atM)
	}
	for k := a + 1; k <= b; k++ {
		meet(k)
	}
	for k := a; k > b; k-- {
		meet(k)
	}
	return dst
}

// add adds a length in a cell, cut at the ends of profile steps.
func (c *cutter) add(g *geo.Geodesic, cell surface.Cell, lengthM float64) {
	if lengthM == 0 {
		return
	}
	rate := c.read.At(cell)
	endM := c.alongM + lengthM
	for {
		step := len(c.marks) - 1 // that the piece starts in
		if step >= c.steps-1 || float64(step+1)*c.stepM > endM {
			break
		}
		mark := float64(step+1) * c.stepM
		if part := mark - c.alongM; part > 0 {
			c.pieces = append(c.pieces, piece{rate, part, int32(c.leg), int32(step)})
		}
		c.marks = append(c.marks, g.At(mark-c.legFromM))
		c.alongM = max(c.alongM, mark)
	}
	if rest := endM - c.alongM; rest > 0 {
		c.pieces = append(c.pieces, piece{rate, rest, int32(c.leg), int32(len(c.marks) - 1)})
	}
	c.alongM = endM
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// shortWay brings a difference of longitudes into -180 to 180.
func shortWay(deg float64) float64 {
	if deg >= -180 && deg <= 180 {
		return deg
	}
	return math.Remainder(deg, 360)
}
