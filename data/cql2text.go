package data

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// filterText reads CQL2 text by recursive descent.
type filterText struct {
	filterBuilder
	text  string
	pos   int // behind the token
	depth int
	// backslash reads \' as a quote too. A text may end with a backslash, so
	// that is tried where the filter cannot be read otherwise.
	backslash bool

	kind  tokenKind
	token string // a name or sign as written, a text or quoted name decoded
	at    int    // where the token starts
	fault *Refusal
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenQuoted // a name in double quotes
	tokenText
	tokenNumber
	tokenSign
)

func (p *filterText) parse() (geo.Expr, *Refusal) {
	p.next()
	e := p.or()
	if p.fault == nil && p.kind != tokenEnd {
		p.unexpected("the end, and or or")
	}
	return e, p.fault
}

func (p *filterText) fail(r *Refusal) geo.Expr {
	if p.fault == nil {
		p.fault = r
	}
	p.kind = tokenEnd
	return geo.Expr{}
}

func (p *filterText) unexpected(wanted string) geo.Expr {
	if p.kind == tokenEnd {
		return p.fail(badFilter("it ends at character %d, where %s is wanted", p.at+1, wanted))
	}
	return p.fail(badFilter("%s at character %d is not %s", show(p.token), p.at+1, wanted))
}

// take wraps a constructor that may refuse.
func (p *filterText) take(e geo.Expr, r *Refusal) geo.Expr {
	if r != nil {
		return p.fail(r)
	}
	return e
}

func isNameStart(r rune) bool { return r == '_' || r == ':' || unicode.IsLetter(r) }
func isNamePart(r rune) bool {
	return isNameStart(r) || r == '.' || r == '$' || unicode.IsDigit(r)
}
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// next reads a token.
func (p *filterText) next() {
	if p.fault != nil {
		p.kind = tokenEnd
		return
	}
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
	p.at = p.pos
	rest := p.text[p.pos:]
	if rest == "" {
		p.kind, p.token = tokenEnd, ""
		return
	}
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case isNameStart(r):
		end := strings.IndexFunc(rest, func(r rune) bool { return !isNamePart(r) })
		if end < 0 {
			end = len(rest)
		}
		p.kind, p.token, p.pos = tokenName, rest[:end], p.pos+end
	case r == '\'' || r == '"':
		p.quoted(rest, byte(r))
	case isDigit(rest[0]) || len(rest) > 1 && strings.IndexByte("+-.", rest[0]) >= 0 && (isDigit(rest[1]) || rest[1] == '.'):
		p.numeral(rest)
	default:
		if len(rest) > 1 && (rest[:2] == "<>" || rest[:2] == "<=" || rest[:2] == ">=") {
			size = 2
		}
		p.kind, p.token, p.pos = tokenSign, rest[:size], p.pos+size
	}
}

func (p *filterText) quoted(rest string, quote byte) {
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		if p.backslash && quote == '\'' && strings.HasPrefix(rest[i:], `\'`) {
			b.WriteByte(quote)
			i++
			continue
		}
		if rest[i] != quote {
			b.WriteByte(rest[i])
			continue
		}
		if i+1 < len(rest) && rest[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		p.kind, p.token, p.pos = tokenText, b.String(), p.pos+i+1
		if quote == '"' {
			p.kind = tokenQuoted
		}
		return
	}
	p.fail(badFilter("the quotation that starts at character %d does not end", p.at+1))
}

func (p *filterText) numeral(rest string) {
	i := 0
	digits := func() {
		for i < len(rest) && isDigit(rest[i]) {
			i++
		}
	}
	if rest[0] == '+' || rest[0] == '-' {
		i++
	}
	digits()
	if i < len(rest) && rest[i] == '.' {
		i++
		digits()
	}
	if i < len(rest) && (rest[i] == 'e' || rest[i] == 'E') {
		i++
		if i < len(rest) && (rest[i] == '+' || rest[i] == '-') {
			i++
		}
		digits()
	}
	p.kind, p.token, p.pos = tokenNumber, rest[:i], p.pos+i
}

// is reports whether the token is a keyword or a sign.
func (p *filterText) is(word string) bool {
	return (p.kind == tokenName || p.kind == tokenSign) && strings.EqualFold(p.token, word)
}

func (p *filterText) accept(word string) bool {
	if p.is(word) {
		p.next()
		return true
	}
	return false
}

func (p *filterText) expect(word string) {
	if p.fault == nil && !p.accept(word) {
		p.unexpected(word)
	}
}

func (p *filterText) deeper() bool {
	if p.depth++; p.depth > maxFilterDepth {
		p.fail(badFilter("it is nested deeper than %d", maxFilterDepth))
		return false
	}
	return true
}

func (p *filterText) or() geo.Expr {
	if !p.deeper() {
		return geo.Expr{}
	}
	defer func() { p.depth-- }()
	parts := []geo.Expr{p.and()}
	for p.accept("or") {
		parts = append(parts, p.and())
	}
	return all(geo.OpOr, parts)
}

func (p *filterText) and() geo.Expr {
	parts := []geo.Expr{p.not()}
	for p.accept("and") {
		parts = append(parts, p.not())
	}
	return all(geo.OpAnd, parts)
}

func (p *filterText) not() geo.Expr {
	if p.accept("not") {
		if !p.deeper() {
			return geo.Expr{}
		}
		defer func() { p.depth-- }()
		return geo.Expr{Op: geo.OpNot, Args: []geo.Expr{p.not()}}
	}
	if p.accept("(") {
		e := p.or()
		p.expect(")")
		return e
	}
	return p.predicate()
}

func (p *filterText) predicate() geo.Expr {
	e := p.operand()
	if p.fault != nil || !isValue(e) {
		return e
	}
	if p.kind == tokenSign {
		switch op := geo.Op(p.token); op {
		case geo.OpEqual, geo.OpNotEqual, geo.OpLess, geo.OpLessEqual, geo.OpGreater, geo.OpGreaterEqual:
			p.next()
			return p.take(operation(op, []geo.Expr{e, p.operand()}))
		}
	}
	if p.accept("is") {
		negated := p.accept("not")
		p.expect("null")
		return negation(negated, p.take(operation(geo.OpIsNull, []geo.Expr{e})))
	}
	negated := p.accept("not")
	switch {
	case p.accept("like"):
		return negation(negated, p.take(operation(geo.OpLike, []geo.Expr{e, p.operand()})))
	case p.accept("between"):
		low := p.operand()
		p.expect("and")
		return negation(negated, p.take(operation(geo.OpBetween, []geo.Expr{e, low, p.operand()})))
	case p.accept("in"):
		p.expect("(")
		args := []geo.Expr{e, p.operand()}
		for p.accept(",") {
			args = append(args, p.operand())
		}
		p.expect(")")
		return negation(negated, p.take(operation(geo.OpIn, args)))
	case e.Op == geo.ValBoolean && !negated:
		return e
	}
	return p.unexpected("a comparison")
}

func negation(negated bool, e geo.Expr) geo.Expr {
	if negated {
		return geo.Expr{Op: geo.OpNot, Args: []geo.Expr{e}}
	}
	return e
}

// operand reads a value, or a condition that is written as a function.
func (p *filterText) operand() geo.Expr {
	token := p.token
	switch p.kind {
	case tokenText:
		p.next()
		return geo.Expr{Op: geo.ValText, Text: token}
	case tokenNumber:
		p.next()
		return p.take(number(token))
	case tokenQuoted:
		p.next()
		return p.take(property(token))
	case tokenName:
		p.next()
		if p.is("(") {
			return p.function(token)
		}
		if isGeometryName(token) && (p.is("z") || p.is("m") || p.is("zm") || p.is("empty")) {
			return p.function(token)
		}
		switch strings.ToLower(token) {
		case "true", "false":
			return geo.Expr{Op: geo.ValBoolean, Boolean: strings.EqualFold(token, "true")}
		case "and", "or", "not", "like", "between", "in", "is", "null":
			return p.fail(badFilter("the word %s at character %d is not a value; write a property of that name in double quotes", show(token), p.at))
		}
		return p.take(property(token))
	}
	return p.unexpected("a property or a value")
}

func (p *filterText) function(name string) geo.Expr {
	if op, known := function(name); known {
		p.expect("(")
		first := p.operand()
		p.expect(",")
		second := p.operand()
		p.expect(")")
		return p.take(operation(op, []geo.Expr{first, second}))
	}
	switch strings.ToLower(name) {
	case "date":
		return p.instant(dateLiteral)
	case "timestamp":
		return p.instant(timestampLiteral)
	case "interval":
		p.expect("(")
		from := p.intervalEnd()
		p.expect(",")
		to := p.intervalEnd()
		p.expect(")")
		return p.take(interval(from, to))
	case "bbox":
		p.expect("(")
		v := p.numbers()
		p.expect(")")
		if p.fault != nil {
			return geo.Expr{}
		}
		return p.take(p.box(v))
	}
	if isGeometryName(name) {
		g := p.wkt(name)
		if p.fault != nil {
			return geo.Expr{}
		}
		return p.take(p.geometry(g))
	}
	return p.fail(badFilter("there is no function %s", show(name)))
}

func (p *filterText) instant(read func(string) (geo.Expr, *Refusal)) geo.Expr {
	p.expect("(")
	token := p.token
	if p.fault == nil && p.kind != tokenText {
		return p.unexpected("a time in single quotes")
	}
	p.next()
	p.expect(")")
	return p.take(read(token))
}

func (p *filterText) intervalEnd() geo.Expr {
	if p.kind == tokenText {
		token := p.token
		p.next()
		return p.take(intervalEnd(token))
	}
	e := p.operand()
	if p.fault == nil && e.Op != geo.ValProperty && e.Op != geo.ValDate && e.Op != geo.ValTimestamp {
		return p.fail(badFilter("an end of an interval is a time, a property or '..'"))
	}
	return e
}

func (p *filterText) numbers() (v []float64) {
	for {
		if p.kind != tokenNumber {
			p.unexpected("a number")
			return nil
		}
		v = append(v, p.take(number(p.token)).Number)
		p.next()
		if !p.accept(",") {
			return v
		}
	}
}

func isGeometryName(name string) bool {
	switch strings.ToLower(name) {
	case "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection":
		return true
	}
	return false
}

// wkt reads well-known text behind the name of a type.
func (p *filterText) wkt(name string) orb.Geometry {
	if !p.deeper() {
		return nil
	}
	defer func() { p.depth-- }()
	_ = p.accept("z") || p.accept("m") || p.accept("zm")
	switch strings.ToLower(name) {
	case "point":
		if v := p.positions(); len(v) == 1 {
			return v[0]
		}
		p.fail(badFilter("a point has one place"))
		return nil
	case "linestring":
		return p.lineString()
	case "polygon":
		return p.polygon()
	case "multipoint":
		return orb.MultiPoint(p.points())
	case "multilinestring":
		return orb.MultiLineString(bracketed(p, p.lineString))
	case "multipolygon":
		return orb.MultiPolygon(bracketed(p, p.polygon))
	}
	return orb.Collection(bracketed(p, func() orb.Geometry {
		name := p.token
		if p.kind != tokenName || !isGeometryName(name) {
			p.unexpected("a geometry")
			return nil
		}
		p.next()
		return p.wkt(name)
	}))
}

func bracketed[T any](p *filterText, one func() T) []T {
	p.expect("(")
	list := []T{one()}
	for p.accept(",") {
		list = append(list, one())
	}
	p.expect(")")
	return list
}

func (p *filterText) lineString() orb.LineString {
	v := p.positions()
	if p.fault == nil && len(v) < 2 {
		p.fail(badFilter("a line has at least two places"))
	}
	return orb.LineString(v)
}

func (p *filterText) polygon() orb.Polygon {
	return bracketed(p, func() orb.Ring { return orb.Ring(p.positions()) })
}

func (p *filterText) positions() []orb.Point { return bracketed(p, p.position) }

// points reads places with or without brackets of their own.
func (p *filterText) points() []orb.Point {
	return bracketed(p, func() orb.Point {
		if p.accept("(") {
			at := p.position()
			p.expect(")")
			return at
		}
		return p.position()
	})
}

// position reads two to four ordinates, of which the first two count.
func (p *filterText) position() (at orb.Point) {
	n := 0
	for ; p.kind == tokenNumber && n < 4; n++ {
		v := p.take(number(p.token)).Number
		if n < 2 {
			at[n] = v
		}
		p.next()
	}
	if p.fault == nil && n < 2 {
		p.unexpected("a number")
	}
	return at
}
