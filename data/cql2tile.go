package data

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sempadan/sempadan/geo"
)

// Bounds of a filter of tiles, which is asked of every feature of a tile for
// each of many tiles.
const (
	MaxTileFilterBytes    = 2048 // of its canonical form
	maxTileFilterDepth    = 8    // of and, or, not
	maxTileFilterTests    = 16   // comparisons
	maxTileFilterPatterns = 4    // of like among them
	maxTileFilterValues   = 64
	maxTilePatternLength  = 64 // runes of a pattern of like
	maxTilePatternAnyText = 4  // signs % in it
)

// TileFilter returns an expression of a filter of tiles in its canonical form: what
// means the same by the order of conditions, by repeating one, by a double NOT or
// by the side that a value stands on is one expression, with one FilterText. What
// is not on the list of a filter of tiles is a *Refusal: a tile is a place already,
// so that there are no spatial operations, and there are bounds on length, depth,
// comparisons, values and patterns, for it is asked of a million features at zoom 0.
func TileFilter(e geo.Expr) (geo.Expr, error) {
	var c tileFilterCost
	if err := c.count(e, 1); err != nil {
		return geo.Expr{}, err
	}
	e = canonical(e)
	if n := len(FilterText(e)); n > MaxTileFilterBytes {
		return geo.Expr{}, tooMuch("it takes %d bytes, and there may be %d", n, MaxTileFilterBytes)
	}
	return e, nil
}

func tooMuch(format string, args ...any) *Refusal {
	return refuse(400, "filter_not_for_tiles", "the filter is not one for tiles: "+format, args...)
}

// tileFilterCost counts what a filter has.
type tileFilterCost struct{ tests, patterns, values int }

func (c *tileFilterCost) count(e geo.Expr, depth int) error {
	switch e.Op {
	case geo.OpAnd, geo.OpOr, geo.OpNot:
		if depth > maxTileFilterDepth {
			return tooMuch("conditions are nested deeper than %d", maxTileFilterDepth)
		}
	case geo.OpEqual, geo.OpNotEqual, geo.OpLess, geo.OpLessEqual, geo.OpGreater, geo.OpGreaterEqual, geo.OpBetween, geo.OpIn, geo.OpIsNull, geo.OpLike:
		c.tests++
	case geo.ValProperty, geo.ValText, geo.ValNumber, geo.ValBoolean, geo.ValDate, geo.ValTimestamp, geo.ValInterval, geo.ValOpen:
		c.values++
	default:
		if !slices.Contains(geo.TimeOps(), e.Op) {
			return tooMuch("it has no %s; a tile is a place already, use comparisons, BETWEEN, IN, LIKE, IS NULL, AND, OR, NOT and the temporal operations", strings.ToUpper(string(e.Op)))
		}
		c.tests++
	}
	if e.Op == geo.OpLike {
		c.patterns++
	}
	switch {
	case c.tests > maxTileFilterTests:
		return tooMuch("it has more than %d comparisons", maxTileFilterTests)
	case c.patterns > maxTileFilterPatterns:
		return tooMuch("it has more than %d patterns of LIKE", maxTileFilterPatterns)
	case c.values > maxTileFilterValues:
		return tooMuch("it has more than %d values", maxTileFilterValues)
	case e.Op == geo.OpLike:
		if p := e.Args[1].Text; utf8.RuneCountInString(p) > maxTilePatternLength || strings.Count(p, "%") > maxTilePatternAnyText {
			return tooMuch("a pattern of LIKE has more than %d characters, or more than %d signs %%", maxTilePatternLength, maxTilePatternAnyText)
		}
	}
	for _, a := range e.Args {
		if err := c.count(a, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// canonical returns the one form of expressions that mean the same.
func canonical(e geo.Expr) geo.Expr {
	args := slices.Clone(e.Args)
	for i := range args {
		args[i] = canonical(args[i])
	}
	e.Args = args
	switch e.Op {
	case geo.OpNot:
		if args[0].Op == geo.OpNot {
			return args[0].Args[0]
		}
	case geo.OpAnd, geo.OpOr:
		e = all(e.Op, args)
		if e.Op == geo.OpAnd || e.Op == geo.OpOr {
			e = all(e.Op, inOrder(e.Args))
		}
	case geo.OpIn:
		e.Args = append(args[:1:1], inOrder(args[1:])...)
	case geo.OpEqual, geo.OpNotEqual, geo.OpLess, geo.OpLessEqual, geo.OpGreater, geo.OpGreaterEqual:
		if args[0].Op != geo.ValProperty && args[1].Op == geo.ValProperty {
			e.Op, e.Args = mirrored(e.Op), []geo.Expr{args[1], args[0]}
		}
	}
	return e
}

// inOrder returns expressions by their text, each once.
func inOrder(list []geo.Expr) []geo.Expr {
	text := map[string]geo.Expr{}
	var keys []string
	for _, e := range list {
		k := FilterText(e)
		if _, known := text[k]; !known {
			keys = append(keys, k)
		}
		text[k] = e
	}
	slices.Sort(keys)
	out := make([]geo.Expr, len(keys))
	for i, k := range keys {
		out[i] = text[k]
	}
	return out
}

func mirrored(op geo.Op) geo.Op {
	switch op {
	case geo.OpLess:
		return geo.OpGreater
	case geo.OpLessEqual:
		return geo.OpGreaterEqual
	case geo.OpGreater:
		return geo.OpLess
	case geo.OpGreaterEqual:
		return geo.OpLessEqual
	}
	return op
}
