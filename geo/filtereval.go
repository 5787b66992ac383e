package geo

import (
	"encoding/json"
	"math"
	"strings"
	"unicode/utf8"
)

// truth is a value of three-valued logic: what is said of an absent property
// is unknown. Conjunction is the lesser, disjunction the greater.
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// Bind returns a function that reports whether a row of the layer matches. It
// is fast when rows come in order, and is for one goroutine.
func (f *Filter) Bind(l *Layer) func(row int) bool {
	var bound *chunk
	var test func(i int) truth
	return func(row int) bool {
		c, i := l.at(row)
		if c != bound {
			b := &binding{filter: f, layer: l, chunk: c}
			b.fromName, b.toName = l.Info.Kind.TimeFields()
			bound, test = c, b.bind(f.expr)
		}
		return test(i) == yes
	}
}

// binding is a filter on the rows of one chunk.
type binding struct {
	filter           *Filter
	layer            *Layer
	chunk            *chunk
	fromName, toName string
}

func (b *binding) bind(e Expr) func(i int) truth {
	switch {
	case e.Op == OpAnd, e.Op == OpOr:
		return b.bindAll(e)
	case e.Op == OpNot:
		inner := b.bind(e.Args[0])
		return func(i int) truth { return yes - inner(i) }
	case e.Op == ValBoolean:
		return func(int) truth { return truthOf(e.Boolean) }
	case strings.HasPrefix(string(e.Op), "s_"):
		return b.bindSpace(e)
	}
	return b.bindLeaf(e)
}

func (b *binding) bindAll(e Expr) func(i int) truth {
	var tests []func(i int) truth
	for _, a := range e.Args {
		tests = append(tests, b.bind(a))
	}
	if e.Op == OpAnd {
		return func(i int) truth {
			all := yes
			for _, t := range tests {
				if all = min(all, t(i)); all == no {
					break
				}
			}
			return all
		}
	}
	return func(i int) truth {
		anyOf := no
		for _, t := range tests {
			if anyOf = max(anyOf, t(i)); anyOf == yes {
				break
			}
		}
		return anyOf
	}
}

func (b *binding) bindSpace(e Expr) func(i int) truth {
	var meet func(i int) bool
	x, y := e.Args[0], e.Args[1]
	switch {
	case x.Op == ValProperty && y.Op == ValProperty:
		meet = func(int) bool { return true }
	case x.Op == ValProperty:
		meet = b.meets(y)
	case y.Op == ValProperty:
		meet = b.meets(x)
	default:
		same := Intersects(x.Geometry, y.Geometry)
		meet = func(int) bool { return same }
	}
	want := e.Op == OpIntersects
	return func(i int) truth { return truthOf(meet(i) == want) }
}

func (b *binding) meets(literal Expr) func(i int) bool {
	shape := NewShape(literal.Geometry)
	return func(i int) bool { return shape.Meets(b.chunk.geometry(i)) }
}

// bindLeaf evaluates an operation on scalars and times. What depends on a
// column of a dictionary alone is worked out once a value.
func (b *binding) bindLeaf(e Expr) func(i int) truth {
	names := propertiesOf(e, nil)
	if test := b.bindNumber(e); test != nil {
		return test
	}
	leaf := b.leaf
	if e.Op == OpLike {
		p := newPattern(e.Args[1].Text)
		leaf = func(e Expr, i int) truth { return b.like(e, p, i) }
	}
	if len(names) == 1 && !b.isTime(names[0]) {
		if col := b.chunk.column(names[0]); col != nil && !col.numeric() {
			known := make([]truth, col.dict.len()) // one more than the truth
			return func(i int) truth {
				code := col.code(i)
				if code == noCode && names[0] == "id" {
					return leaf(e, i)
				}
				if known[code] == 0 {
					known[code] = 1 + leaf(e, i)
				}
				return known[code] - 1
			}
		}
	}
	return func(i int) truth { return leaf(e, i) }
}

// bindNumber is the short way for a column of numbers that is compared with a
// number; nil for anything else.
func (b *binding) bindNumber(e Expr) func(i int) truth {
	if !e.Op.compares() || e.Args[0].Op != ValProperty || e.Args[1].Op != ValNumber || b.isTime(e.Args[0].Text) {
		return nil
	}
	col := b.chunk.column(e.Args[0].Text)
	if col == nil || !col.numeric() || e.Args[0].Text == "id" {
		return nil
	}
	limit := scalar{kind: FieldNumber, number: e.Args[1].Number}
	less := compare(e.Op, scalar{kind: FieldNumber, number: math.Inf(-1)}, limit)
	equal := compare(e.Op, limit, limit)
	greater := compare(e.Op, scalar{kind: FieldNumber, number: math.Inf(1)}, limit)
	return func(i int) truth {
		switch v := col.number(i); {
		case math.IsNaN(v):
			return unknown
		case v < limit.number:
			return less
		case v > limit.number:
			return greater
		}
		return equal
	}
}

func propertiesOf(e Expr, names []string) []string {
	if e.Op == ValProperty {
		return append(names, e.Text)
	}
	for _, a := range e.Args {
		names = propertiesOf(a, names)
	}
	return names
}

func (b *binding) isTime(name string) bool { return name == b.fromName || name == b.toName }

// scalar is the value of an operand.
type scalar struct {
	kind     string // of FilterField; "" is absent
	text     string
	number   float64
	from, to int64
}

// scalarOf evaluates an operand for row i of the chunk.
func (b *binding) scalarOf(e Expr, i int) scalar {
	switch e.Op {
	case ValText:
		return scalar{kind: FieldText, text: e.Text}
	case ValNumber:
		return scalar{kind: FieldNumber, number: e.Number}
	case ValBoolean:
		return scalar{kind: FieldBoolean, number: float64(truthOf(e.Boolean))}
	case ValDate, ValTimestamp:
		return scalar{kind: FieldInstant, from: e.From, to: e.To}
	case ValProperty:
		return b.property(e.Text, i)
	}
	return scalar{}
}

func (b *binding) property(name string, i int) scalar {
	c := b.chunk
	if b.isTime(name) && c.from != nil && c.from[i] != noTime {
		at := c.from[i]
		if name == b.toName {
			at = c.to[i]
		}
		return scalar{kind: FieldInstant, from: at, to: at}
	}
	col := c.column(name)
	if col == nil || !col.has(i) {
		if id := c.id(i); name == "id" && id != "" {
			return scalar{kind: FieldText, text: id}
		}
		return scalar{}
	}
	if col.numeric() {
		return scalar{kind: FieldNumber, number: col.number(i)}
	}
	return b.decoded(name, col.value(i))
}

func (b *binding) decoded(name string, value any) scalar {
	switch v := value.(type) {
	case string:
		if b.filter.types[name] == FieldInstant {
			if at, ok := readInstant(v); ok {
				return scalar{kind: FieldInstant, from: at.From, to: at.To}
			}
			return scalar{}
		}
		return scalar{kind: FieldText, text: v}
	case float64:
		return scalar{kind: FieldNumber, number: v}
	case json.Number:
		if n, err := v.Float64(); err == nil {
			return scalar{kind: FieldNumber, number: n}
		}
		return scalar{kind: FieldText, text: string(v)}
	case bool:
		return scalar{kind: FieldBoolean, number: float64(truthOf(v))}
	case json.RawMessage:
		return scalar{kind: FieldAny, text: string(v)}
	}
	return scalar{}
}

// leaf evaluates a comparison or a temporal operation for row i.
func (b *binding) leaf(e Expr, i int) truth {
	switch e.Op {
	case OpIsNull:
		if b.filter.typeOf(e.Args[0]) == FieldGeometry {
			return no
		}
		return truthOf(b.scalarOf(e.Args[0], i).kind == "")
	case OpLike:
		return b.like(e, newPattern(e.Args[1].Text), i)
	case OpBetween:
		v, lo, hi := b.scalarOf(e.Args[0], i), b.scalarOf(e.Args[1], i), b.scalarOf(e.Args[2], i)
		return min(compare(OpGreaterEqual, v, lo), compare(OpLessEqual, v, hi))
	case OpIn:
		v, found := b.scalarOf(e.Args[0], i), no
		for _, a := range e.Args[1:] {
			if found = max(found, compare(OpEqual, v, b.scalarOf(a, i))); found == yes {
				break
			}
		}
		return found
	}
	if e.Op.compares() {
		return compare(e.Op, b.scalarOf(e.Args[0], i), b.scalarOf(e.Args[1], i))
	}
	from1, to1, ok1 := b.span(e.Args[0], i)
	from2, to2, ok2 := b.span(e.Args[1], i)
	if !ok1 || !ok2 {
		return unknown
	}
	return truthOf(timesRelate(e.Op, [2]int64{from1, to1}, [2]int64{from2, to2}))
}

// like matches an operand for row i with a pattern.
func (b *binding) like(e Expr, p pattern, i int) truth {
	switch s := b.scalarOf(e.Args[0], i); s.kind {
	case "":
		return unknown
	case FieldText:
		return truthOf(p.matches(s.text))
	}
	return no
}

// span is the interval of a temporal operand.
func (b *binding) span(e Expr, i int) (from, to int64, ok bool) {
	if e.Op != ValInterval {
		s := b.scalarOf(e, i)
		return s.from, s.to, s.kind == FieldInstant
	}
	from, to = openFrom, openTo
	if a := e.Args[0]; a.Op != ValOpen {
		s := b.scalarOf(a, i)
		if from = s.from; s.kind != FieldInstant {
			return 0, 0, false
		}
	}
	if a := e.Args[1]; a.Op != ValOpen {
		s := b.scalarOf(a, i)
		if to = s.to; s.kind != FieldInstant {
			return 0, 0, false
		}
	}
	return from, to, true
}

// timesRelate are the relations of CQL2, section 7.8 (after Allen, 1983).
func timesRelate(op Op, a, b [2]int64) bool {
	switch op {
	case "t_after":
		return a[0] > b[1]
	case "t_before":
		return a[1] < b[0]
	case "t_contains":
		return a[0] < b[0] && a[1] > b[1]
	case "t_disjoint":
		return a[0] > b[1] || a[1] < b[0]
	case "t_during":
		return a[0] > b[0] && a[1] < b[1]
	case "t_equals":
		return a == b
	case "t_finishedBy":
		return a[0] < b[0] && a[1] == b[1]
	case "t_finishes":
		return a[0] > b[0] && a[1] == b[1]
	case "t_intersects":
		return a[0] <= b[1] && a[1] >= b[0]
	case "t_meets":
		return a[1] == b[0]
	case "t_metBy":
		return a[0] == b[1]
	case "t_overlappedBy":
		return a[0] > b[0] && a[0] < b[1] && a[1] > b[1]
	case "t_overlaps":
		return a[0] < b[0] && a[1] > b[0] && a[1] < b[1]
	case "t_startedBy":
		return a[0] == b[0] && a[1] > b[1]
	case "t_starts":
		return a[0] == b[0] && a[1] < b[1]
	}
	return false
}

// compare compares two scalars. Values of different types are not equal, and
// none is less than the other. A date is equal to every instant of its day.
func compare(op Op, a, b scalar) truth {
	if a.kind == "" || b.kind == "" {
		return unknown
	}
	if a.kind != b.kind {
		return truthOf(op == OpNotEqual)
	}
	less, greater := false, false
	switch a.kind {
	case FieldText, FieldAny:
		less, greater = a.text < b.text, a.text > b.text
	case FieldInstant:
		less, greater = a.to < b.from, a.from > b.to
	default:
		less, greater = a.number < b.number, a.number > b.number
	}
	switch op {
	case OpEqual:
		return truthOf(!less && !greater)
	case OpNotEqual:
		return truthOf(less || greater)
	case OpLess:
		return truthOf(less)
	case OpLessEqual:
		return truthOf(!greater)
	case OpGreater:
		return truthOf(greater)
	}
	return truthOf(!less)
}

// pattern is one of like, in which % stands for any text, _ for one character, and
// \ takes the meaning of the next.
type pattern []patternItem

type patternItem struct {
	r    rune
	kind byte // % or _ or 0 for itself
}

func newPattern(text string) (p pattern) {
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			p, escaped = append(p, patternItem{r: r}), false
		case r == '\\':
			escaped = true
		case r == '%' || r == '_':
			p = append(p, patternItem{kind: byte(r)})
		default:
			p = append(p, patternItem{r: r})
		}
	}
	if escaped {
		p = append(p, patternItem{r: '\\'})
	}
	return p
}

// matches goes back to the last % only: the steps are at most the length of the
// pattern times that of the text.
func (p pattern) matches(t string) bool {
	i, k, star, mark := 0, 0, -1, 0
	for i < len(t) {
		r, size := utf8.DecodeRuneInString(t[i:])
		switch {
		case k < len(p) && (p[k].kind == '_' || p[k].kind == 0 && p[k].r == r):
			i, k = i+size, k+1
		case k < len(p) && p[k].kind == '%':
			star, mark = k, i
			k++
		case star >= 0:
			_, size = utf8.DecodeRuneInString(t[mark:])
			mark += size
			i, k = mark, star+1
		default:
			return false
		}
	}
	for k < len(p) && p[k].kind == '%' {
		k++
	}
	return k == len(p)
}
