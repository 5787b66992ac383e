package tiles

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
)

// ScaleKind says how values are spread over the colours.
type ScaleKind string

// The kinds of scale.
const (
	Linear ScaleKind = "linear"
	Log    ScaleKind = "log"
	// Classes: the value k names the k-th entry of Scale.Categories.
	Classes ScaleKind = "class"
)

// Scale fixes which number has which colour, the same in every tile and at
// every zoom.
type Scale struct {
	Kind ScaleKind
	// Min is the least value with a colour; below it, and at zero, nothing
	// is drawn. Values from Max on have the last colour. Log needs Min > 0.
	Min, Max float64
	// Limits are those of the legend's classes, ascending, from Min to Max.
	Limits []float64
	// Categories are those of the kind Classes, at most 120.
	Categories []Category
}

// Category is a value of a map of classes.
type Category struct {
	ID      string
	Label   Words
	Colour  color.NRGBA
	Hatched bool // drawn with the hatching of what is not known
}

// decades is how many powers of ten a fitted logarithmic scale spans.
const decades = 3

// FitScale returns a scale for values up to peak, with round limits: Max is
// the next of 1, 2, 5 times a power of ten, so that small changes of the data
// leave the colours as they are. A linear scale starts at zero and has five
// classes, a logarithmic one starts three powers of ten below Max and has nine.
// A peak that is not positive counts as 1.
func FitScale(kind ScaleKind, peak float64) Scale {
	if !(peak > 0) || math.IsInf(peak, 0) {
		peak = 1
	}
	mantissa, exponent := roundUp(peak)
	s := Scale{Kind: kind, Max: mantissa * math.Pow(10, exponent)}
	if kind == Linear {
		for i := range 6 {
			s.Limits = append(s.Limits, s.Max*float64(i)/5)
		}
		return s
	}
	for e := exponent - decades; e <= exponent; e++ {
		for _, m := range []float64{1, 2, 5} {
			low := e == exponent-decades && m < mantissa
			high := e == exponent && m > mantissa
			if !low && !high {
				s.Limits = append(s.Limits, round(m*math.Pow(10, e)))
			}
		}
	}
	s.Min, s.Max = s.Limits[0], s.Limits[len(s.Limits)-1]
	return s
}

// roundUp returns the least of 1, 2, 5 times a power of ten that is not below
// v, within a millionth.
func roundUp(v float64) (mantissa, exponent float64) {
	exponent = math.Floor(math.Log10(v))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*math.Pow(10, exponent)*(1+1e-6) {
			return m, exponent
		}
	}
	return 1, exponent + 1
}

// round takes off what the binary form of a power of ten added.
func round(v float64) float64 {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // its own output
	return v
}

// Check reports what is wrong with a scale.
func (s Scale) Check() error {
	switch {
	case s.Kind == Classes:
		if n := len(s.Categories); n == 0 || n > 120 {
			return fmt.Errorf("scale: %d categories; give 1 to 120", n)
		}
	case s.Kind != Linear && s.Kind != Log:
		return fmt.Errorf("scale: kind %q is not linear, log or class", s.Kind)
	case !(s.Max > s.Min), math.IsInf(s.Max, 0), !(s.Min >= 0), s.Kind == Log && s.Min == 0:
		return fmt.Errorf("scale: %s from %g to %g; min must not be below zero (above it, if logarithmic), and max beyond min", s.Kind, s.Min, s.Max)
	}
	return nil
}

// Index returns the palette index of a value: 0 for nothing, 1 to 253 by
// size, NoData for NaN. It never falls as v grows. It is for a few values; a
// Raster keeps its tables.
func (s Scale) Index(v float64) uint8 { return newIndexer(s).index(v) }

// thresholds returns the least value of each index from 1 to steps.
func (s Scale) thresholds() []float64 {
	out := make([]float64, steps+1)
	for k := range steps {
		t := float64(k) / steps
		if s.Kind == Log {
			out[k+1] = s.Min * math.Pow(s.Max/s.Min, t)
		} else {
			out[k+1] = s.Min + t*(s.Max-s.Min)
		}
	}
	out[1] = max(s.Min, math.SmallestNonzeroFloat64)
	return out
}

// indexer finds indices without logarithms: the leading bits of a number,
// which grow with it, lead to the first threshold that may be the one.
type indexer struct {
	classes            float64 // how many, of the kind Classes
	least, second, max float64
	thresholds         []float64
	bits               []uint64 // of thresholds
	first              []uint8  // by leading bits, less those of the second
	base               uint64
}

// leading is the shift that keeps exponent and nine bits of the mantissa: a share
// of 1/512, less than what is between two thresholds of the scales in use, so
// that the first one that may be it is it or the next.
const leading = 43

func newIndexer(s Scale) *indexer {
	if s.Kind == Classes {
		return &indexer{classes: float64(len(s.Categories)), second: math.Inf(1)}
	}
	x := &indexer{thresholds: append(s.thresholds(), math.Inf(1)), max: s.Max}
	x.least, x.second = x.thresholds[1], x.thresholds[2]
	x.base = math.Float64bits(x.second) >> leading
	k := 2
	for b := x.base; b <= math.Float64bits(s.Max)>>leading; b++ {
		for low := math.Float64frombits(b << leading); low >= x.thresholds[k+1]; {
			k++
		}
		x.first = append(x.first, uint8(k))
	}
	for _, t := range x.thresholds {
		x.bits = append(x.bits, math.Float64bits(t))
	}
	return x
}

func (x *indexer) index(v float64) uint8 {
	switch {
	case math.IsNaN(v):
		return NoData
	case x.classes > 0:
		if v < 1 || v >= x.classes+1 {
			return 0
		}
		return uint8(v)
	case v < x.least:
		return 0
	case v < x.second:
		return 1
	case v >= x.max:
		return steps
	}
	b := math.Float64bits(v)
	k := int(x.first[b>>leading-x.base])
	// Numbers above zero are in the order of their bits; a branch on a
	// threshold that half of the values pass would cost more than all the rest.
	k += int((x.bits[k+1] - 1 - b) >> 63)
	for b >= x.bits[k+1] {
		k++
	}
	return uint8(k)
}

// row puts the indices of values into out, and returns all their bits together
// and whether some are not of the ramp's.
func (x *indexer) row(out []uint8, values []float64) (seen uint8, other bool) {
	for i, v := range values[:len(out)] {
		var k uint8
		if !(v < x.least) {
			k = x.index(v)
			other = other || k > steps || x.classes > 0
		}
		out[i] = k
		seen |= k
	}
	return seen, other
}

// colours returns the 256 colours of the scale's palette.
func (s Scale) colours(r Ramp) color.Palette {
	p := make(color.Palette, 256)
	for i := range p {
		p[i] = color.NRGBA{}
	}
	if s.Kind == Classes {
		for i, c := range s.Categories {
			p[i+1] = c.Colour
			if c.Hatched {
				ground := c.Colour
				ground.A /= 4
				p[i+1], p[i+1+inkOffset] = ground, c.Colour
			}
		}
	} else {
		for i := 1; i <= steps; i++ {
			t := float64(i-1) / (steps - 1)
			c := r.At(t)
			c.A = fade(t)
			p[i] = c
		}
	}
	p[noDataGround], p[noDataInk] = groundColour(), inkColour()
	return p
}
