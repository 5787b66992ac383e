package data

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/project"

	"github.com/sempadan/sempadan/geo"
)

// The languages that filters are written in (OGC 21-065r2, CQL2).
const (
	CQL2Text = "cql2-text"
	CQL2JSON = "cql2-json"
)

// Bounds of a filter.
const (
	maxFilterBytes   = 8 << 10
	maxFilterDepth   = 64
	maxPatternLength = 256 // runes of a pattern of like
)

// ParseFilter reads a filter in one of the languages; toWGS84 turns its
// coordinates, as they are written, into longitude and latitude; nil means that
// they are that. What is not a filter is a *Refusal.
func ParseFilter(lang, text string, toWGS84 func(orb.Point) orb.Point) (geo.Expr, error) {
	if len(text) > maxFilterBytes {
		return geo.Expr{}, badFilter("it is longer than %d bytes", maxFilterBytes)
	}
	if !utf8.ValidString(text) {
		return geo.Expr{}, badFilter("it is not UTF-8")
	}
	b := filterBuilder{to: toWGS84}
	var e geo.Expr
	var err *Refusal
	switch lang {
	case "", CQL2Text:
		p := &filterText{filterBuilder: b, text: text}
		if e, err = p.parse(); err != nil && strings.Contains(text, `\'`) { // the other way to write a quote in a text
			p = &filterText{filterBuilder: b, text: text, backslash: true}
			if escaped, fault := p.parse(); fault == nil {
				e, err = escaped, nil
			}
		}
	case CQL2JSON:
		e, err = b.parseJSON(text)
	default:
		return e, refuse(400, "unknown_filter_lang", "the language %s of the filter is not %s or %s", show(lang), CQL2Text, CQL2JSON)
	}
	if err != nil {
		return geo.Expr{}, err
	}
	return e, nil
}

func badFilter(format string, args ...any) *Refusal {
	return refuse(400, "invalid_filter", "the filter cannot be read: "+format, args...)
}

// filterBuilder makes the values that both languages have.
type filterBuilder struct {
	to func(orb.Point) orb.Point
}

// all joins conditions: one in the other of the same kind is one list.
func all(op geo.Op, parts []geo.Expr) geo.Expr {
	var args []geo.Expr
	for _, p := range parts {
		if p.Op == op {
			args = append(args, p.Args...)
		} else {
			args = append(args, p)
		}
	}
	if len(args) == 1 {
		return args[0]
	}
	return geo.Expr{Op: op, Args: args}
}

func property(name string) (geo.Expr, *Refusal) {
	if name == "" || len(name) > maxNameBytes || strings.ContainsRune(name, 0) {
		return geo.Expr{}, badFilter("%s cannot name a property", show(name))
	}
	return geo.Expr{Op: geo.ValProperty, Text: name}, nil
}

func number(text string) (geo.Expr, *Refusal) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return geo.Expr{}, badFilter("%s is not a number that can be held", show(text))
	}
	return geo.Expr{Op: geo.ValNumber, Number: v + 0}, nil // -0 is 0
}

func dateLiteral(text string) (geo.Expr, *Refusal) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return geo.Expr{}, badFilter("%s is not a date such as 2026-11-22", show(text))
	}
	return geo.Day(t), nil
}

func timestampLiteral(text string) (geo.Expr, *Refusal) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return geo.Expr{}, badFilter("%s is not an instant such as 2026-11-22T10:00:00Z", show(text))
	}
	return geo.Instant(t), nil
}

// intervalEnd reads an end of an interval that is written as text.
func intervalEnd(text string) (geo.Expr, *Refusal) {
	switch {
	case text == "" || text == "..":
		return geo.Expr{Op: geo.ValOpen}, nil
	case strings.Contains(text, "T"):
		return timestampLiteral(text)
	}
	return dateLiteral(text)
}

func interval(from, to geo.Expr) (geo.Expr, *Refusal) {
	if from.Op != geo.ValOpen && from.Op != geo.ValProperty && to.Op != geo.ValOpen && to.Op != geo.ValProperty && from.From > to.To {
		return geo.Expr{}, badFilter("an interval ends before it begins")
	}
	return geo.Expr{Op: geo.ValInterval, Args: []geo.Expr{from, to}}, nil
}

// operation checks the number and the kinds of arguments.
func operation(op geo.Op, args []geo.Expr) (geo.Expr, *Refusal) {
	for _, a := range args {
		if !isValue(a) {
			return geo.Expr{}, badFilter("%s works on values, not on conditions", op)
		}
	}
	switch op {
	case geo.OpLike:
		if args[1].Op != geo.ValText {
			return geo.Expr{}, badFilter("the pattern of like is not a text")
		}
		if utf8.RuneCountInString(args[1].Text) > maxPatternLength {
			return geo.Expr{}, badFilter("the pattern of like is longer than %d characters", maxPatternLength)
		}
	case geo.OpIn:
		if len(args) < 2 {
			return geo.Expr{}, badFilter("in has no list")
		}
	}
	return geo.Expr{Op: op, Args: args}, nil
}

// isValue tells values from conditions.
func isValue(e geo.Expr) bool {
	switch e.Op {
	case geo.ValProperty, geo.ValText, geo.ValNumber, geo.ValBoolean, geo.ValDate, geo.ValTimestamp, geo.ValInterval, geo.ValOpen, geo.ValGeometry:
		return true
	}
	return false
}

// condition refuses a value where a condition must stand.
func condition(e geo.Expr) (geo.Expr, *Refusal) {
	if isValue(e) && e.Op != geo.ValBoolean {
		return e, badFilter("a value stands where a condition must, such as severity > 3")
	}
	return e, nil
}

// function finds a spatial or temporal operation by its name in any case.
func function(name string) (geo.Op, bool) {
	for _, list := range [][]geo.Op{geo.SpaceOps(), geo.TimeOps()} {
		for _, op := range list {
			if strings.EqualFold(string(op), name) {
				return op, true
			}
		}
	}
	return "", false
}

// geometry turns a literal into WGS 84 and checks it.
func (b filterBuilder) geometry(g orb.Geometry) (geo.Expr, *Refusal) {
	var fault *Refusal
	out := mapGeometry(g, func(p orb.Point) orb.Point {
		if b.to != nil {
			p = b.to(p)
		}
		if !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) && fault == nil {
			fault = badFilter("the place %g, %g lies outside longitude -180 to 180 and latitude -90 to 90", p[0], p[1])
		}
		return p
	})
	geo.EachRing(out, func(r orb.Ring) {
		if (len(r) < 4 || r[0] != r[len(r)-1]) && fault == nil {
			fault = badFilter("a ring of a polygon has fewer than four places or does not end where it starts")
		}
	})
	return geo.Expr{Op: geo.ValGeometry, Geometry: out}, fault
}

// box makes a box of four numbers, or six with heights, which are passed over.
func (b filterBuilder) box(v []float64) (geo.Expr, *Refusal) {
	if len(v) == 6 {
		v = []float64{v[0], v[1], v[3], v[4]}
	}
	if len(v) != 4 {
		return geo.Expr{}, badFilter("a box has four numbers, or six")
	}
	lo, hi := orb.Point{v[0], v[1]}, orb.Point{v[2], v[3]}
	if b.to != nil {
		ring := orb.Ring{lo, {hi[0], lo[1]}, hi, {lo[0], hi[1]}, lo}
		if swapped := b.to(orb.Point{1, 2}); swapped == (orb.Point{2, 1}) {
			lo, hi = b.to(lo), b.to(hi)
		} else {
			return b.geometry(orb.Polygon{ring})
		}
	}
	if lo[1] > hi[1] {
		return geo.Expr{}, badFilter("the south %g of a box is beyond its north %g", lo[1], hi[1])
	}
	for _, p := range []orb.Point{lo, hi} {
		if !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) {
			return geo.Expr{}, badFilter("a corner of a box, %g, %g, lies outside longitude -180 to 180 and latitude -90 to 90", p[0], p[1])
		}
	}
	return geo.Expr{Op: geo.ValGeometry, Geometry: orb.Bound{Min: lo, Max: hi}}, nil
}

// mapGeometry returns a copy of a geometry with every place turned by to; a box
// becomes a polygon, since it may not stay one.
func mapGeometry(g orb.Geometry, to func(orb.Point) orb.Point) orb.Geometry {
	if box, is := g.(orb.Bound); is {
		g = box.ToPolygon()
	}
	return project.Geometry(orb.Clone(g), to)
}
