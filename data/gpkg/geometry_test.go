package gpkg

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data/storetest"
)

// TestGeometryExamples are worked out by hand from the tables of the standard.
func TestGeometryExamples(t *testing.T) {
	for _, test := range []struct {
		name string
		g    orb.Geometry
		hex  string
	}{
		{"point", orb.Point{1, 2}, "47500001" + "e6100000" + "0101000000" + "000000000000f03f" + "0000000000000040"},
		{"line", orb.LineString{{1, 2}, {-2, 0.5}}, "47500003" + "e6100000" +
			"00000000000000c0" + "000000000000f03f" + "000000000000e03f" + "0000000000000040" + // minx, maxx, miny, maxy
			"0102000000" + "02000000" + "000000000000f03f" + "0000000000000040" + "00000000000000c0" + "000000000000e03f"},
		{"empty", orb.MultiPoint{}, "47500011" + "e6100000" + "0104000000" + "00000000"},
	} {
		got, err := appendGeometry(nil, test.g)
		if err != nil || hex.EncodeToString(got) != test.hex {
			t.Errorf("%s: %x, %v", test.name, got, err)
		}
		if back, err := parseGeometry(got); err != nil || !orb.Equal(back, test.g) {
			t.Errorf("%s: read back %v, %v", test.name, back, err)
		}
	}
}

func TestGeometryAsPolygon(t *testing.T) {
	ring := orb.Ring{{0, 0}, {2, 0}, {2, 1}, {0, 0}}
	for g, want := range map[orb.Geometry]orb.Geometry{
		orb.Bound{Min: orb.Point{0, 0}, Max: orb.Point{2, 1}}: orb.Polygon{{{0, 0}, {2, 0}, {2, 1}, {0, 1}, {0, 0}}},
	} {
		blob, err := appendGeometry(nil, g)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseGeometry(blob); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %v, %v", g, got, err)
		}
	}
	blob, err := appendGeometry(nil, ring)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseGeometry(blob); err != nil || !reflect.DeepEqual(got, orb.Polygon{ring}) {
		t.Errorf("ring: %v, %v", got, err)
	}
	if _, err := appendGeometry(nil, nil); err == nil {
		t.Error("nil was taken")
	}
}

// TestParseGeometryOfOthers reads what other programs write: big-endian WKB,
// heights, other envelopes, each byte order within a collection.
func TestParseGeometryOfOthers(t *testing.T) {
	for _, test := range []struct {
		name, hex string
		want      orb.Geometry
	}{
		{"big-endian point", "47500000" + "000010e6" + "0000000001" + "3ff0000000000000" + "4000000000000000", orb.Point{1, 2}},
		{"point with height", "47500001" + "e6100000" + "01e9030000" + "000000000000f03f" + "0000000000000040" + "0000000000000840", orb.Point{1, 2}},
		{"point ZM", "47500001" + "e6100000" + "01b90b0000" + "000000000000f03f" + "0000000000000040" + "00000000000008400000000000001040", orb.Point{1, 2}},
		{"XYZ envelope", "47500005" + "e6100000" + "000000000000f03f000000000000f03f00000000000000400000000000000040" + "0000000000000000" + "0000000000000000" +
			"0101000000" + "000000000000f03f" + "0000000000000040", orb.Point{1, 2}},
		{"mixed byte orders", "47500001" + "e6100000" + "0107000000" + "02000000" + "00000000013ff00000000000004000000000000000" +
			"0101000000" + "000000000000f03f" + "0000000000000040", orb.Collection{orb.Point{1, 2}, orb.Point{1, 2}}},
	} {
		blob, err := hex.DecodeString(test.hex)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseGeometry(blob); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
}

func TestParseGeometryFaults(t *testing.T) {
	good, err := appendGeometry(nil, orb.Collection{orb.LineString{{1, 2}, {3, 4}}, orb.Polygon{{{0, 0}, {1, 0}, {1, 1}, {0, 0}}}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if g, err := parseGeometry(good[:n]); err == nil {
			t.Errorf("%d of %d bytes gave %v", n, len(good), g)
		}
	}
	if _, err := parseGeometry(append(bytes.Clone(good), 0)); err == nil {
		t.Error("a trailing byte was taken")
	}
	deep := []byte("GP\x00\x01\xe6\x10\x00\x00")
	for range maxDepth + 2 {
		deep = appendHead(deep, wkbCollection, 1)
	}
	if _, err := parseGeometry(appendPoint(deep, orb.Point{})); err == nil {
		t.Error("endless nesting was taken")
	}
	huge := appendHead([]byte("GP\x00\x01\xe6\x10\x00\x00"), wkbLineString, math.MaxUint32)
	if _, err := parseGeometry(huge); err == nil {
		t.Error("a false count was taken")
	}
}

func FuzzParseGeometry(f *testing.F) {
	l := storetest.Random(3, "f", 60)
	for row := range l.Len() {
		blob, err := appendGeometry(nil, l.Geometry(row))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(blob)
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		g, err := parseGeometry(blob)
		if err != nil {
			return
		}
		again, err := appendGeometry(nil, g)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseGeometry(again)
		if err != nil {
			t.Fatalf("%v: %v", g, err)
		}
		twice, err := appendGeometry(nil, back)
		if err != nil || !bytes.Equal(twice, again) {
			t.Errorf("%v became %v", g, back)
		}
	})
}

func BenchmarkAppendGeometry(b *testing.B) {
	l := storetest.Random(4, "b", 1000)
	var dst []byte
	for b.Loop() {
		dst = dst[:0]
		for row := range l.Len() {
			var err error
			if dst, err = appendGeometry(dst, l.Geometry(row)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkParseGeometry(b *testing.B) {
	l := storetest.Random(4, "b", 1000)
	var blobs [][]byte
	total := 0
	for row := range l.Len() {
		blob, err := appendGeometry(nil, l.Geometry(row))
		if err != nil {
			b.Fatal(err)
		}
		blobs = append(blobs, blob)
		total += len(blob)
	}
	b.SetBytes(int64(total))
	b.ReportAllocs()
	for b.Loop() {
		for _, blob := range blobs {
			if _, err := parseGeometry(blob); err != nil {
				b.Fatal(err)
			}
		}
	}
}
