package data

import (
	"encoding/binary"
	"math"

	"github.com/paulmach/orb"
)

// maxWKBDepth bounds nested geometry collections.
const maxWKBDepth = 8

// wkbReader reads well-known binary into shapes: ISO (OGC 06-103r4, section
// 8.2), and the flags by which PostGIS marks Z, M and an SRID. bad is set, for
// good, at the first fault.
type wkbReader struct {
	im    *importer
	buf   []byte
	order binary.ByteOrder
	bad   bool
	srid  int32 // that the bytes name, 0 for none
}

// readWKB fills the shape. fault says why the bytes are not taken, "" when they
// are.
func (t *typedRows) readWKB(b []byte) (fault string) {
	r := &wkbReader{im: t.im, buf: b}
	t.shape.rank = r.geometry(&t.shape, 0)
	switch {
	case r.bad || len(r.buf) > 0:
		return "is not a geometry that is read (well-known binary of points, lines, polygons)"
	case r.srid > 0 && t.im.opts.CRS == "" && !t.inSystem(r.srid):
		return "names another reference system (" + itoa(int(r.srid)) + ") than its table; mend the file, or say crs="
	}
	return ""
}

// inSystem tells whether an EPSG code stands for the reference system of the
// file.
func (t *typedRows) inSystem(srid int32) bool {
	same, known := t.srids[srid]
	if !known {
		c, refusal := parseCRS("EPSG:" + itoa(int(srid)))
		same = refusal == nil && sameTransform(c.transform(), t.im.toWGS84)
		if t.srids == nil {
			t.srids = map[int32]bool{}
		}
		if len(t.srids) < maxColumnNames {
			t.srids[srid] = same
		}
	}
	return same
}

// sameTransform compares by what becomes of a place in degrees and in metres.
func sameTransform(a, b transform) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	for _, p := range []orb.Point{{110, 1}, {500_000, 100_000}} {
		x, y := a(p), b(p)
		if math.Abs(x[0]-y[0]) > 1e-9 || math.Abs(x[1]-y[1]) > 1e-9 {
			return false
		}
	}
	return true
}

// wkbName returns the type of geometry of a code, "" for one that is not read.
func wkbName(code uint32) string {
	names := [...]string{"", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"}
	if int(code) < len(names) {
		return names[code]
	}
	return ""
}

func (r *wkbReader) uint32() uint32 {
	if len(r.buf) < 4 {
		r.bad = true
		return 0
	}
	v := r.order.Uint32(r.buf)
	r.buf = r.buf[4:]
	return v
}

// count reads a number of parts of at least size bytes each, so that a false
// one cannot ask for more than is there.
func (r *wkbReader) count(size int) int {
	n := int64(r.uint32())
	if r.bad || n*int64(size) > int64(len(r.buf)) {
		r.bad = true
		return 0
	}
	return int(n)
}

// wkbHead is what a geometry begins with.
type wkbHead struct {
	name       string
	hasZ, hasM bool
	dims       int
}

func (r *wkbReader) head() (h wkbHead) {
	if len(r.buf) < 5 || r.buf[0] > 1 {
		r.bad = true
		return h
	}
	r.order = binary.ByteOrder(binary.BigEndian)
	if r.buf[0] == 1 {
		r.order = binary.LittleEndian
	}
	r.buf = r.buf[1:]
	code := r.uint32()
	const flagZ, flagM, flagSRID = 1 << 31, 1 << 30, 1 << 29
	h.hasZ, h.hasM = code&flagZ != 0, code&flagM != 0
	if code&flagSRID != 0 {
		srid := int32(r.uint32())
		r.bad = r.bad || r.srid != 0 && srid != r.srid // parts in other systems
		r.srid = srid
	}
	code &^= flagZ | flagM | flagSRID
	switch code / 1000 {
	case 0:
	case 1:
		h.hasZ = true
	case 2:
		h.hasM = true
	case 3:
		h.hasZ, h.hasM = true, true
	default:
		r.bad = true
	}
	h.dims = 2
	if h.hasZ {
		h.dims++
	}
	if h.hasM {
		h.dims++
	}
	if h.name = wkbName(code % 1000); h.name == "" {
		r.bad = true
	}
	return h
}

// geometry reads a geometry into s and returns its rank.
func (r *wkbReader) geometry(s *shape, depth int) int {
	h := r.head()
	if r.bad || depth > maxWKBDepth {
		r.bad = true
		return 0
	}
	s.kind = h.name
	return r.body(s, h, depth)
}

func (r *wkbReader) body(s *shape, h wkbHead, depth int) int {
	switch h.name {
	case "Point":
		return r.position(s, h)
	case "LineString":
		return s.close(r.positions(s, h))
	case "Polygon":
		rank := 0
		for range r.count(4) {
			rank = s.close(r.positions(s, h))
		}
		return s.close(rank)
	case "GeometryCollection":
		r.collection(s, depth)
		return 0
	}
	want := h.name[len("Multi"):]
	rank := 0
	for range r.count(9) {
		part := r.head()
		if part.name != want {
			r.bad = true
		}
		if r.bad {
			return 0
		}
		rank = r.body(s, part, depth)
	}
	return s.close(rank)
}

// position reads one position; one of NaNs is an empty point.
func (r *wkbReader) position(s *shape, h wkbHead) int {
	if len(r.buf) < 8*h.dims {
		r.bad = true
		return 0
	}
	at := func(i int) float64 { return math.Float64frombits(r.order.Uint64(r.buf[8*i:])) }
	x, y, z, m := at(0), at(1), nan, nan
	if h.hasZ {
		z = at(2)
	}
	if h.hasM {
		m = at(h.dims - 1)
	}
	r.buf = r.buf[8*h.dims:]
	if x != x && y != y {
		return 0
	}
	s.position(x, y, z, m)
	return 1
}

func (r *wkbReader) positions(s *shape, h wkbHead) int {
	n := r.count(8 * h.dims)
	for range n {
		if r.position(s, h) == 0 && !r.bad {
			s.position(nan, nan, nan, nan) // out of range
		}
	}
	return min(n, 1)
}

func (r *wkbReader) collection(s *shape, depth int) {
	for range r.count(9) {
		one := &shape{}
		one.rank = r.geometry(one, depth+1)
		if r.bad {
			return
		}
		r.im.addPart(s, one)
	}
}
