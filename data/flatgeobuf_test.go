package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// GDAL finds in a box what a look at every feature finds: the index is right.
func TestGDALFiltersFlatGeobuf(t *testing.T) {
	for _, n := range []int{1, 2, 16, 17, 256, 257, 5000} {
		l := manyPoints(t, n)
		path := saved(t, "many.fgb", exported(t, FormatFlatGeobuf, l))
		for _, box := range []orb.Bound{
			{Min: orb.Point{110, 1}, Max: orb.Point{112, 2}}, {Min: orb.Point{0, 0}, Max: orb.Point{1, 1}},
			{Min: orb.Point{109, 0}, Max: orb.Point{109.001, 0.001}}, {Min: orb.Point{100, -10}, Max: orb.Point{130, 10}},
		} {
			want := 0
			for row := range l.Len() {
				if p, _ := l.Point(row); box.Contains(p) {
					want++
				}
			}
			out := gdal(t, "ogrinfo", "-al", "-so", "-spat", fmt.Sprint(box.Min[0]), fmt.Sprint(box.Min[1]), fmt.Sprint(box.Max[0]), fmt.Sprint(box.Max[1]), path)
			if !strings.Contains(out, fmt.Sprintf("Feature Count: %d\n", want)) {
				t.Errorf("%d points, %v: expected %d\n%s", n, box, want, out)
			}
		}
	}
}

// The curve visits every cell once, each next to the one before.
func TestHilbert(t *testing.T) {
	const side = 64 // the lowest cells of the curve's corner are a curve of their own
	at := map[uint64][2]int{}
	for x := range side {
		for y := range side {
			at[hilbert(uint32(x), uint32(y))] = [2]int{x, y}
		}
	}
	if len(at) != side*side {
		t.Fatalf("%d places for %d cells", len(at), side*side)
	}
	for d := uint64(1); d < side*side; d++ {
		a, b := at[d-1], at[d]
		if dx, dy := a[0]-b[0], a[1]-b[1]; dx*dx+dy*dy != 1 {
			t.Fatalf("cell %v after %v", b, a)
		}
	}
}

// Scalar columns of all types, as another program may write them.
func TestFlatGeobufColumns(t *testing.T) {
	names := []string{"byte", "ubyte", "bool", "short", "ushort", "int", "uint", "long", "ulong", "float", "double", "string", "json", "datetime", "binary"}
	le := binary.LittleEndian
	text := func(s string) []byte { return append(le.AppendUint32(nil, uint32(len(s))), s...) }
	values := [][]byte{{0xff}, {0xff}, {1}, {0xfe, 0xff}, {0xfe, 0xff}, {0xfd, 0xff, 0xff, 0xff}, {0xfd, 0xff, 0xff, 0xff},
		bytes.Repeat([]byte{0x81}, 8), bytes.Repeat([]byte{0xff}, 8), {0, 0, 0xc0, 0x3f}, appendFloat64(nil, -2.5),
		text("é"), text(`{"a": [1, 2]}`), text("2024-05-01T00:00:00Z"), text("\x00\x01")}
	b := flatbuffers.NewBuilder(0)
	var props []byte
	columns := make([]flatbuffers.UOffsetT, len(names))
	for i, name := range names {
		at := b.CreateString(name)
		b.StartObject(11)
		b.PrependUOffsetTSlot(columnName, at, 0)
		b.PrependByteSlot(columnType, byte(i), 0)
		columns[i] = b.EndObject()
		props = append(le.AppendUint16(props, uint16(i)), values[i]...)
	}
	list := b.CreateVectorOfTables(columns)
	b.StartObject(14)
	b.PrependByteSlot(headerType, fgbPoint, 0)
	b.PrependUOffsetTSlot(headerColumns, list, 0)
	b.PrependUint16Slot(headerNodeSize, 0, 16)
	b.FinishSizePrefixed(b.EndObject())
	file := append([]byte(fgbMagic+"\x00"), b.FinishedBytes()...)
	b = flatbuffers.NewBuilder(0)
	xy := floatVector(b, []float64{110.5, 1.5})
	b.StartObject(8)
	b.PrependUOffsetTSlot(geometryXY, xy, 0)
	g := b.EndObject()
	p := b.CreateByteVector(props)
	b.StartObject(3)
	b.PrependUOffsetTSlot(featureGeometry, g, 0)
	b.PrependUOffsetTSlot(featureProperties, p, 0)
	b.FinishSizePrefixed(b.EndObject())
	file = append(file, b.FinishedBytes()...)
	l, r := importBytes(t, file)
	want := "map[bool:true byte:-1 datetime:2024-05-01T00:00:00Z double:-2.5 float:1.5 int:-3 json:[123 34 97 34 58 91 49 44 50 93 125] long:-9114861777597660799 short:-2 string:é ubyte:255 uint:4.294967293e+09 ulong:18446744073709551615 ushort:65534]"
	if got := fmt.Sprint(l.Feature(0).Properties); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, n := warning(r, "column_not_read"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
	if _, n := warning(r, "no_crs"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
}

// A file cut anywhere, or with any byte changed, is read or refused.
func TestDamagedFlatGeobuf(t *testing.T) {
	good := exported(t, FormatFlatGeobuf, samples(t)["mixed"])
	importOf := func(b []byte) error {
		_, _, err := Import(context.Background(), bytes.NewReader(b), ImportOptions{Info: geo.LayerInfo{Kind: geo.KindOther}, Now: testNow, Format: FormatFlatGeobuf})
		return err
	}
	for n := 8; n < len(good); n++ {
		if err := importOf(good[:n]); codeOf(err) != "bad_flatgeobuf" {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(good), err)
		}
	}
	for i := 8; i < len(good); i++ {
		b := bytes.Clone(good)
		b[i] ^= 0xff
		if err := importOf(b); err != nil && strings.Contains(codeOf(err), " ") {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

// Parts can be shared in a FlatBuffer: few bytes must not become many vertices.
func TestFlatGeobufAmplification(t *testing.T) {
	b := flatbuffers.NewBuilder(0)
	xy := floatVector(b, make([]float64, 20_000))
	b.StartObject(8)
	b.PrependUOffsetTSlot(geometryXY, xy, 0)
	b.PrependByteSlot(geometryType, fgbMultiPoint, 0)
	part := b.EndObject()
	for range 6 {
		parts := b.CreateVectorOfTables(repeat(part, 1000))
		b.StartObject(8)
		b.PrependByteSlot(geometryType, fgbCollection, 0)
		b.PrependUOffsetTSlot(geometryParts, parts, 0)
		part = b.EndObject()
	}
	b.StartObject(3)
	b.PrependUOffsetTSlot(featureGeometry, part, 0)
	b.FinishSizePrefixed(b.EndObject())
	feature := bytes.Clone(b.FinishedBytes())
	b = flatbuffers.NewBuilder(0)
	b.StartObject(14)
	b.PrependUint16Slot(headerNodeSize, 0, 16)
	b.FinishSizePrefixed(b.EndObject())
	file := append(append([]byte(fgbMagic+"\x00"), b.FinishedBytes()...), feature...)
	_, _, err := Import(context.Background(), bytes.NewReader(file), ImportOptions{Info: geo.LayerInfo{Kind: geo.KindOther}, Now: testNow})
	if codeOf(err) != "too_many_vertices" {
		t.Error(err)
	}
}

func repeat(v flatbuffers.UOffsetT, n int) []flatbuffers.UOffsetT {
	out := make([]flatbuffers.UOffsetT, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func FuzzFlatGeobuf(f *testing.F) {
	for _, l := range samples(f) {
		f.Add(exported(f, FormatFlatGeobuf, l))
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkImport(t, b, geo.KindOther, FormatFlatGeobuf) })
}

func BenchmarkFlatGeobufRead(b *testing.B) {
	text := exported(b, FormatFlatGeobuf, manyPoints(b, 100_000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		importBytes(b, text)
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "features/s")
}

func BenchmarkFlatGeobufWrite(b *testing.B) {
	l := manyPoints(b, 100_000)
	for b.Loop() {
		if err := Write(io.Discard, FormatFlatGeobuf, l, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "features/s")
}
