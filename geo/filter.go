package geo

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// Op is what an expression of a filter does; the words are those of CQL2 (OGC
// 21-065r2).
type Op string

// The operations, and the values that they work on.
const (
	OpAnd          Op = "and"
	OpOr           Op = "or"
	OpNot          Op = "not"
	OpEqual        Op = "="
	OpNotEqual     Op = "<>"
	OpLess         Op = "<"
	OpLessEqual    Op = "<="
	OpGreater      Op = ">"
	OpGreaterEqual Op = ">="
	OpLike         Op = "like"
	OpBetween      Op = "between"
	OpIn           Op = "in"
	OpIsNull       Op = "isNull"
	OpIntersects   Op = "s_intersects"
	OpDisjoint     Op = "s_disjoint"

	ValProperty  Op = "property"
	ValText      Op = "text"
	ValNumber    Op = "number"
	ValBoolean   Op = "boolean"
	ValDate      Op = "date"      // a day, UTC
	ValTimestamp Op = "timestamp" // an instant
	ValInterval  Op = "interval"  // of two instants, dates, properties or open ends
	ValOpen      Op = ".."        // an open end
	ValGeometry  Op = "geometry"
)

// Expr is an expression of a filter: an operation on arguments, or a value.
type Expr struct {
	Op       Op
	Args     []Expr
	Text     string // a text, or the name of a property
	Number   float64
	Boolean  bool
	From, To int64        // of dates and timestamps, unix milliseconds
	Geometry orb.Geometry // WGS 84, degrees; a Bound for a box
}

// TimeOps lists the temporal operations, t_after and so on.
func TimeOps() []Op {
	return []Op{"t_after", "t_before", "t_contains", "t_disjoint", "t_during", "t_equals", "t_finishedBy", "t_finishes",
		"t_intersects", "t_meets", "t_metBy", "t_overlappedBy", "t_overlaps", "t_startedBy", "t_starts"}
}

// SpaceOps lists the spatial operations.
func SpaceOps() []Op { return []Op{OpIntersects, OpDisjoint} }

// compares reports whether an operation compares two scalars.
func (o Op) compares() bool {
	switch o {
	case OpEqual, OpNotEqual, OpLess, OpLessEqual, OpGreater, OpGreaterEqual:
		return true
	}
	return false
}

// The types of properties that filters tell apart.
const (
	FieldNumber   = "number"
	FieldText     = "text"
	FieldBoolean  = "boolean"
	FieldInstant  = "instant"
	FieldGeometry = "geometry"
	FieldAny      = "any"
)

// FilterField is a property that a filter may name.
type FilterField struct{ Name, Type string }

// Filter is an expression that has been checked against the properties of a
// layer. It is immutable.
type Filter struct {
	expr  Expr
	types map[string]string
}

// NewFilter checks an expression: its properties must be among the fields, and
// its operands of types that can be compared.
func NewFilter(e Expr, fields []FilterField) (*Filter, error) {
	f := &Filter{types: map[string]string{}}
	for _, field := range fields {
		f.types[field.Name] = field.Type
	}
	var err error
	f.expr, err = f.check(e)
	return f, err
}

// Expr returns the expression as it was checked: texts that stand for times are
// times in it. It must not be changed.
func (f *Filter) Expr() Expr { return f.expr }

// check returns an expression with texts that stand for times read as such.
func (f *Filter) check(e Expr) (Expr, error) {
	var err error
	switch {
	case e.Op == ValProperty:
		if _, known := f.types[e.Text]; !known {
			return e, fmt.Errorf("there is no property %q; see the queryables", e.Text)
		}
		return e, nil
	case len(e.Args) == 0:
		return e, nil
	}
	args := slices.Clone(e.Args)
	for i := range args {
		if args[i], err = f.check(args[i]); err != nil {
			return e, err
		}
	}
	e.Args = args
	switch {
	case e.Op == OpAnd, e.Op == OpOr, e.Op == OpNot, e.Op == OpIsNull, e.Op == ValInterval:
		if e.Op == ValInterval {
			return e, f.checkTimes(e)
		}
		return e, nil
	case strings.HasPrefix(string(e.Op), "s_"):
		for _, a := range args {
			if f.typeOf(a) != FieldGeometry {
				return e, fmt.Errorf("%s compares geometries, and %s is none", e.Op, f.show(a))
			}
		}
		return e, nil
	case strings.HasPrefix(string(e.Op), "t_"):
		return e, f.checkTimes(e)
	}
	return e, f.checkScalars(e)
}

func (f *Filter) checkTimes(e Expr) error {
	for i, a := range e.Args {
		switch t := f.typeOf(a); {
		case t == FieldInstant, a.Op == ValInterval && e.Op != ValInterval, a.Op == ValOpen && e.Op == ValInterval:
		case t == FieldText && a.Op == ValText:
			at, ok := readInstant(a.Text)
			if !ok {
				return fmt.Errorf("%q is neither a date nor an instant of RFC 3339", a.Text)
			}
			e.Args[i] = at
		default:
			return fmt.Errorf("%s works on times, and %s is none", e.Op, f.show(a))
		}
	}
	return nil
}

// checkScalars checks comparisons: all operands are of one type.
func (f *Filter) checkScalars(e Expr) error {
	times := false
	for _, a := range e.Args {
		t := f.typeOf(a)
		if t == FieldGeometry || a.Op == ValInterval || a.Op == ValOpen {
			return fmt.Errorf("%s compares numbers, texts and times, and %s is none", e.Op, f.show(a))
		}
		times = times || t == FieldInstant
	}
	if e.Op == OpLike {
		if t := f.typeOf(e.Args[0]); t != FieldText && t != FieldAny {
			return fmt.Errorf("like compares texts, and %s is of type %s", f.show(e.Args[0]), t)
		}
		return nil
	}
	first := ""
	for i, a := range e.Args {
		t := f.typeOf(a)
		if times && a.Op == ValText {
			at, ok := readInstant(a.Text)
			if !ok {
				return fmt.Errorf("%q is neither a date nor an instant of RFC 3339", a.Text)
			}
			e.Args[i], t = at, FieldInstant
		}
		switch {
		case t == FieldAny:
		case first == "":
			first = t
		case t != first:
			return fmt.Errorf("%s is of type %s, which is not compared with %s", f.show(a), t, first)
		}
	}
	return nil
}

// typeOf is the type of a value; "" for an operation.
func (f *Filter) typeOf(e Expr) string {
	switch e.Op {
	case ValProperty:
		return f.types[e.Text]
	case ValText:
		return FieldText
	case ValNumber:
		return FieldNumber
	case ValBoolean:
		return FieldBoolean
	case ValDate, ValTimestamp:
		return FieldInstant
	case ValGeometry:
		return FieldGeometry
	}
	return ""
}

func (f *Filter) show(e Expr) string {
	if e.Op == ValProperty {
		return fmt.Sprintf("the property %q", e.Text)
	}
	return "a " + string(e.Op)
}

// Window is a box that every matching feature touches; ok is false when the
// filter does not say so.
func (f *Filter) Window() (box orb.Bound, ok bool) { return windowOf(f.expr) }

func windowOf(e Expr) (box orb.Bound, ok bool) {
	switch e.Op {
	case OpIntersects:
		for i, a := range e.Args {
			if a.Op == ValGeometry && e.Args[1-i].Op == ValProperty {
				if b, isBox := a.Geometry.(orb.Bound); isBox {
					return b, true
				}
				return a.Geometry.Bound(), true
			}
		}
	case OpAnd:
		for _, a := range e.Args {
			if b, has := windowOf(a); has && (!ok || areaOf(b) < areaOf(box)) {
				box, ok = b, true
			}
		}
	}
	return box, ok
}

func areaOf(b orb.Bound) float64 {
	width := b.Max[0] - b.Min[0]
	if width < 0 {
		width += 360
	}
	return width * (b.Max[1] - b.Min[1])
}

// readInstant reads a date or an instant of RFC 3339.
func readInstant(text string) (Expr, bool) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return Instant(t), true
	}
	t, err := time.Parse(time.DateOnly, text)
	return Day(t), err == nil
}

// Instant is a timestamp of an expression, to the millisecond.
func Instant(t time.Time) Expr {
	return Expr{Op: ValTimestamp, From: t.UnixMilli(), To: t.UnixMilli()}
}

// Day is the date of an expression that begins at t.
func Day(t time.Time) Expr {
	return Expr{Op: ValDate, From: t.UnixMilli(), To: t.Add(24*time.Hour).UnixMilli() - 1}
}

// openFrom and openTo stand for open ends of intervals.
const (
	openFrom = math.MinInt64 + 1
	openTo   = math.MaxInt64
)
