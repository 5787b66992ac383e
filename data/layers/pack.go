package layers

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// The packed form of a layer, gzipped: the magic, the number of features, then
// each feature as
//
//	geometry code (3 bits) and dated flag (bit 3)   1 byte
//	identifier                                      length, bytes
//	from, to-from in unix milliseconds, if dated    varint, uvarint
//	geometry: counts, then coordinates as           uvarints,
//	differences from the vertex before, 1e-5 deg    zigzag varints
//	properties as a JSON object, or nothing         length, bytes
//
// Lengths and counts are uvarints. Differences run on across features.
const (
	packMagic   = "SPL1"
	coordScale  = 1e5 // units a degree: about a metre
	datedFlag   = 1 << 3
	maxUnpacked = 64 << 20
)

// Geometry codes. Same repeats the geometry of the feature before.
const (
	codeSame = iota
	codePoint
	codeLine
	codePolygon
	codeMultiPolygon
)

var errTruncated = errors.New("the packed layer ends too early")

// Pack writes features in the compact form of the built-in layers, with
// coordinates rounded to 5 decimals. Identical features give identical bytes.
// Points, lines, polygons and multipolygons are known; others are an error.
func Pack(w io.Writer, features []geo.Feature) error {
	p := packer{}
	p.buf = append(p.buf, packMagic...)
	p.uvarint(len(features))
	for i, f := range features {
		if err := p.feature(f); err != nil {
			return fmt.Errorf("pack feature %d (%s): %w", i, f.ID, err)
		}
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(p.buf); err != nil {
		return err
	}
	return z.Close()
}

type packer struct {
	buf  []byte
	x, y int64
	last orb.Geometry
}

func (p *packer) uvarint(n int) { p.buf = binary.AppendUvarint(p.buf, uint64(n)) }

func (p *packer) bytes(b []byte) {
	p.uvarint(len(b))
	p.buf = append(p.buf, b...)
}

func (p *packer) feature(f geo.Feature) error {
	var code byte
	switch f.Geometry.(type) {
	case orb.Point:
		code = codePoint
	case orb.LineString:
		code = codeLine
	case orb.Polygon:
		code = codePolygon
	case orb.MultiPolygon:
		code = codeMultiPolygon
	default:
		return fmt.Errorf("geometry %T is not one of point, line, polygon, multipolygon", f.Geometry)
	}
	if p.last != nil && orb.Equal(p.last, f.Geometry) {
		code = codeSame
	}
	p.last = f.Geometry
	if !f.From.IsZero() {
		code |= datedFlag
	}
	p.buf = append(p.buf, code)
	p.bytes([]byte(f.ID))
	if !f.From.IsZero() {
		p.buf = binary.AppendVarint(p.buf, f.From.UnixMilli())
		p.uvarint(int(f.To.Sub(f.From).Milliseconds()))
	}
	if code&^datedFlag != codeSame {
		p.geometry(f.Geometry)
	}
	if len(f.Properties) == 0 {
		p.uvarint(0)
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f.Properties); err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	p.bytes(bytes.TrimSpace(b.Bytes()))
	return nil
}

func (p *packer) geometry(g orb.Geometry) {
	switch g := g.(type) {
	case orb.Point:
		p.vertices([]orb.Point{g})
	case orb.LineString:
		p.uvarint(len(g))
		p.vertices(g)
	case orb.Polygon:
		p.uvarint(len(g))
		for _, r := range g {
			p.uvarint(len(r))
			p.vertices(r)
		}
	case orb.MultiPolygon:
		p.uvarint(len(g))
		for _, poly := range g {
			p.geometry(poly)
		}
	}
}

func (p *packer) vertices(line []orb.Point) {
	for _, v := range line {
		x, y := int64(math.Round(v[0]*coordScale)), int64(math.Round(v[1]*coordScale))
		p.buf = binary.AppendVarint(p.buf, x-p.x)
		p.buf = binary.AppendVarint(p.buf, y-p.y)
		p.x, p.y = x, y
	}
}

// unpack calls yield with each feature of a packed layer. A broken input is an
// error; memory is bounded by a small multiple of its unpacked size.
func unpack(packed []byte, yield func(geo.Feature)) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("unpack layer: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err != nil {
		return fmt.Errorf("unpack layer: %w", err)
	}
	if len(raw) > maxUnpacked {
		return fmt.Errorf("unpack layer: more than %d MiB", maxUnpacked>>20)
	}
	return unpackRaw(raw, yield)
}

func unpackRaw(raw []byte, yield func(geo.Feature)) error {
	if !bytes.HasPrefix(raw, []byte(packMagic)) {
		return errors.New("unpack layer: this is not a packed layer (wrong first bytes)")
	}
	u := unpacker{buf: raw[len(packMagic):]}
	n := u.count(3) // code, identifier length, properties length
	for i := range n {
		f := u.feature()
		if u.err != nil {
			return fmt.Errorf("unpack feature %d: %w", i, u.err)
		}
		yield(f)
	}
	if u.err == nil && len(u.buf) > 0 {
		u.err = fmt.Errorf("%d bytes after the last feature", len(u.buf))
	}
	if u.err != nil {
		return fmt.Errorf("unpack layer: %w", u.err)
	}
	return nil
}

// unpacker reads on until its first error, which it keeps.
type unpacker struct {
	buf      []byte
	err      error
	x, y     int64
	geometry orb.Geometry
	lastJSON []byte
	lastMap  map[string]any
}

func (u *unpacker) fail(err error) {
	if u.err == nil {
		u.err = err
		u.buf = nil
	}
}

func (u *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint(u.buf)
	if n <= 0 {
		u.fail(errTruncated)
		return 0
	}
	u.buf = u.buf[n:]
	return v
}

func (u *unpacker) varint() int64 {
	v, n := binary.Varint(u.buf)
	if n <= 0 {
		u.fail(errTruncated)
		return 0
	}
	u.buf = u.buf[n:]
	return v
}

// count reads a number of items that take at least size bytes each, so that
// a lie about it cannot ask for more memory than the input could fill.
func (u *unpacker) count(size int) int {
	n := u.uvarint()
	if n > uint64(len(u.buf)/size) {
		u.fail(errTruncated)
		return 0
	}
	return int(n)
}

func (u *unpacker) bytes() []byte {
	n := u.count(1)
	b := u.buf[:n]
	u.buf = u.buf[n:]
	return b
}

func (u *unpacker) feature() geo.Feature {
	if len(u.buf) == 0 {
		u.fail(errTruncated)
		return geo.Feature{}
	}
	code := u.buf[0]
	u.buf = u.buf[1:]
	f := geo.Feature{ID: string(u.bytes())}
	if code&datedFlag != 0 {
		from := u.varint()
		f.From = time.UnixMilli(from).UTC()
		f.To = time.UnixMilli(from + int64(u.uvarint())).UTC()
	}
	switch code &^ datedFlag {
	case codeSame:
		if u.geometry == nil {
			u.fail(errors.New("the first feature repeats a geometry"))
		}
	case codePoint:
		u.geometry = u.point()
	case codeLine:
		u.geometry = orb.LineString(u.vertices())
	case codePolygon:
		u.geometry = u.polygon()
	case codeMultiPolygon:
		m := make(orb.MultiPolygon, u.count(1))
		for i := range m {
			m[i] = u.polygon()
		}
		u.geometry = m
	default:
		u.fail(fmt.Errorf("unknown geometry code %d", code))
	}
	f.Geometry = u.geometry
	f.Properties = u.properties()
	return f
}

func (u *unpacker) polygon() orb.Polygon {
	p := make(orb.Polygon, u.count(1))
	for i := range p {
		p[i] = orb.Ring(u.vertices())
	}
	return p
}

func (u *unpacker) vertices() []orb.Point {
	line := make([]orb.Point, u.count(2))
	for i := range line {
		line[i] = u.point()
	}
	return line
}

func (u *unpacker) point() orb.Point {
	u.x += u.varint()
	u.y += u.varint()
	if u.x < -180*coordScale || u.x > 180*coordScale || u.y < -90*coordScale || u.y > 90*coordScale {
		u.fail(errors.New("a coordinate is off the globe"))
	}
	return orb.Point{float64(u.x) / coordScale, float64(u.y) / coordScale}
}

// properties returns the next properties; equal neighbours share one map.
func (u *unpacker) properties() map[string]any {
	b := u.bytes()
	if u.err != nil || len(b) == 0 {
		return nil
	}
	if u.lastMap != nil && bytes.Equal(b, u.lastJSON) {
		return u.lastMap
	}
	m, err := parseProperties(b)
	if err != nil {
		u.fail(fmt.Errorf("properties: %w", err))
		return nil
	}
	u.lastJSON, u.lastMap = b, m
	return m
}

// parseProperties reads a JSON object into the value types of
// geo.Feature.Properties; null counts as absent.
func parseProperties(b []byte) (map[string]any, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	m := make(map[string]any, len(raw))
	for k, v := range raw {
		switch v[0] {
		case 'n':
		case 't', 'f':
			m[k] = v[0] == 't'
		case '{', '[':
			m[k] = v
		case '"':
			var s string
			if err := json.Unmarshal(v, &s); err != nil {
				return nil, err
			}
			m[k] = s
		default:
			x, err := strconv.ParseFloat(string(v), 64)
			if err != nil {
				return nil, err
			}
			m[k] = x
			if math.Abs(x) >= 1<<53 && x == math.Trunc(x) {
				m[k] = json.Number(v)
			}
		}
	}
	return m, nil
}
