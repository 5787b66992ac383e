package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// What is written is read again as it was, heights included.
func TestGeoParquetRoundTrip(t *testing.T) {
	layers := samples(t)
	layers["in space"] = spaceLayer(t, allTypes()...)
	for name, l := range layers {
		got, r := importBytes(t, exported(t, FormatGeoParquet, l))
		if name == "in space" { // whose identifiers are a column of the file
			got = withoutID(got)
		}
		if r.Format != FormatGeoParquet || len(r.Warnings) > 0 {
			t.Errorf("%s: %s %+v", name, r.Format, r.Warnings)
		}
		sameContent(t, name, got, l)
	}
}

func withoutID(l *geo.Layer) *geo.Layer {
	b := geo.NewBuilder(l.Info)
	for row := range l.Len() {
		f := l.Feature(row)
		delete(f.Properties, "id")
		b.Add(f)
	}
	return b.Layer()
}

func TestGeoParquetTracksRoundTrip(t *testing.T) {
	tracks, _ := mustImport(t, `{"type":"Feature","geometry":{"type":"LineString","coordinates":[[110,1],[110.1,1]]},"properties":{"times":["2024-05-01T00:00:00Z","2024-05-01T01:00:00.5Z"]}}`, geo.KindPatrolTrack)
	got, _ := importBytes(t, exported(t, FormatGeoParquet, tracks), func(o *ImportOptions) { o.Info.Kind = geo.KindPatrolTrack })
	if fmt.Sprint(got.VertexTimesMS(0)) != fmt.Sprint(tracks.VertexTimesMS(0)) || tracks.VertexTimesMS(0) == nil {
		t.Errorf("%v, expected %v", got.VertexTimesMS(0), tracks.VertexTimesMS(0))
	}
}

// everyType is a row of a file with all types of values.
type everyType struct {
	Geometry []byte             `parquet:"geometry"`
	Text     *string            `parquet:"text,optional"`
	Dict     string             `parquet:"dict,dict"`
	Lengths  string             `parquet:"lengths,delta"`
	Day      int32              `parquet:"day,date"`
	Milli    int64              `parquet:"milli,timestamp(millisecond)"`
	Micro    int64              `parquet:"micro,timestamp(microsecond)"`
	Nano     int64              `parquet:"nano,timestamp(nanosecond)"`
	Local    int64              `parquet:"local,timestamp(millisecond:local)"`
	Clock    int64              `parquet:"clock,time(microsecond)"`
	Money    int64              `parquet:"money,decimal(2:18)"`
	Small    int32              `parquet:"small,delta"`
	Large    int64              `parquet:"large,delta,optional"`
	Unsigned uint64             `parquet:"unsigned"`
	Flag     *bool              `parquet:"flag,optional"`
	Float    float32            `parquet:"float,split"`
	Double   float64            `parquet:"double,split"`
	ID       [16]byte           `parquet:"uid,uuid"`
	Bytes    []byte             `parquet:"bytes"`
	List     []int64            `parquet:"list,list"`
	Nested   struct{ A, B int } `parquet:"nested"`
	Legacy   deprecated.Int96   `parquet:"legacy"`
	JSON     string             `parquet:"json,json"`
}

func everyRows(n int) []everyType {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([]everyType, n)
	for i := range rows {
		g, _ := AppendWKB(nil, orb.Point{110 + float64(i)/1e4, 1.5}, nil, nil)
		at := time.Date(2024, 5, 1, 6, 30, i%60, 0, time.UTC).Add(time.Duration(i/60) * time.Minute)
		rows[i] = everyType{Geometry: g, Dict: "d" + itoa(i%7), Lengths: strings.Repeat("x", i%5) + itoa(i), Day: int32(i), Milli: at.UnixMilli(), Micro: at.UnixMicro() + 5, Nano: at.UnixNano() + 7, Local: at.UnixMilli(),
			Clock: int64(i) * 1_000_000, Money: int64(i-n/2) * 101, Small: int32(rng.Uint32()), Large: int64(rng.Uint64() >> (i % 60)), Unsigned: 1<<63 + uint64(i), Float: float32(i) / 4, Double: float64(i) / 3,
			ID: [16]byte{byte(i), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, Bytes: []byte{1}, List: []int64{1, 2}, JSON: `{"a":[` + itoa(i) + `]}`}
		rows[i].Legacy = deprecated.Int96{0, 0, 2440588 + uint32(i)}
		if i%3 == 0 {
			s, yes := "tekst é "+itoa(i), i%2 == 0
			rows[i].Text, rows[i].Flag = &s, &yes
		}
	}
	return rows
}

const geoOfPoints = `{"version":"1.0.0","primary_column":"geometry","columns":{"geometry":{"encoding":"WKB","geometry_types":["Point"]}}}`

func parquetOf[T any](t testing.TB, rows []T, meta string, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	if meta != "" {
		options = append(options, parquet.KeyValueMetadata("geo", meta))
	}
	w := parquet.NewGenericWriter[T](&b, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every type, encoding, version of pages and compression gives the values that
// were written.
func TestGeoParquetTypes(t *testing.T) {
	const n = 1500
	rows := everyRows(n)
	var first []string
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
		for _, version := range []int{1, 2} {
			l, r := importBytes(t, parquetOf(t, rows, geoOfPoints, parquet.Compression(codec), parquet.DataPageVersion(version), parquet.PageBufferSize(2000), parquet.MaxRowsPerRowGroup(700)),
				func(o *ImportOptions) { o.TZ = "Asia/Jakarta" })
			got := described(l)
			if first == nil {
				first = got
			}
			if l.Len() != n || !slices.Equal(got, first) {
				t.Fatalf("%s, version %d: %d rows, or other ones", codec, version, l.Len())
			}
			if _, k := warning(r, "column_not_read"); k == 0 {
				t.Errorf("%+v", r.Warnings)
			}
		}
	}
	l, _ := importBytes(t, parquetOf(t, rows, geoOfPoints))
	for i, row := range rows {
		p := l.Feature(i).Properties
		at := time.UnixMilli(row.Milli).UTC()
		want := map[string]any{"dict": row.Dict, "lengths": row.Lengths, "day": time.Unix(int64(i)*86400, 0).UTC().Format(time.DateOnly), "milli": at.Format(time.RFC3339),
			"micro": at.Format("2006-01-02T15:04:05") + ".000005Z", "nano": at.Format("2006-01-02T15:04:05") + ".000000007Z", "local": at.Format("2006-01-02T15:04:05"),
			"clock": time.Unix(int64(i), 0).UTC().Format(time.TimeOnly), "small": float64(row.Small), "float": float64(row.Float), "double": row.Double,
			"unsigned": fmt.Sprint(row.Unsigned), "uid": fmt.Sprintf("%x-%x-%x-%x-%x", row.ID[:4], row.ID[4:6], row.ID[6:8], row.ID[8:10], row.ID[10:]),
			"money": float64((i-n/2)*101) / 100, "large": fmt.Sprint(row.Large), "legacy": time.Unix(int64(i)*86400, 0).UTC().Format(time.RFC3339), "json": "[" + strings.Trim(fmt.Sprint([]byte(row.JSON)), "[]") + "]"}
		if row.Text != nil {
			want["text"], want["flag"] = *row.Text, *row.Flag
		}
		for name, v := range want {
			got := p[name]
			if f, is := got.(float64); is && name == "large" {
				got = fmt.Sprint(int64(f))
			}
			if fmt.Sprint(got) != fmt.Sprint(v) {
				t.Fatalf("row %d, %s: %v, expected %v", i, name, got, v)
			}
		}
		for _, name := range []string{"bytes", "list", "nested"} {
			if p[name] != nil {
				t.Fatalf("row %d has %s", i, name)
			}
		}
	}
}

type placed struct {
	Geometry []byte `parquet:"geometry"`
	Name     string `parquet:"name"`
}

// The reference system is that of the metadata.
func TestGeoParquetCRS(t *testing.T) {
	wkb, _ := AppendWKB(nil, orb.Point{500000, 165810}, nil, nil)
	rows := []placed{{wkb, "a"}}
	meta := func(crs string) string {
		return `{"version":"1.1.0","primary_column":"geometry","columns":{"geometry":{"encoding":"WKB","geometry_types":[]` + crs + `}}}`
	}
	l, _ := importBytes(t, parquetOf(t, rows, meta(`,"crs":{"type":"ProjectedCRS","name":"x","id":{"authority":"EPSG","code":32649}}`)))
	if p, _ := l.Point(0); !(p[0] > 110.9999 && p[0] < 111.0001 && p[1] > 1.49 && p[1] < 1.51) {
		t.Error(p)
	}
	degrees, _ := AppendWKB(nil, orb.Point{110, 1}, nil, nil)
	rows = []placed{{degrees, "a"}}
	for crs, warned := range map[string]int{"": 0, `,"crs":null`: 1, `,"crs":{"id":{"authority":"OGC","code":"CRS84"}}`: 0, `,"crs":{"type":"CompoundCRS","components":[{"id":{"authority":"EPSG","code":4326}}]}`: 0} {
		_, r := importBytes(t, parquetOf(t, rows, meta(crs)))
		if _, n := warning(r, "no_crs"); n != warned {
			t.Errorf("%s: %+v", crs, r.Warnings)
		}
	}
	for crs, code := range map[string]string{`,"crs":{"name":"Mars"}`: "unknown_crs", `,"crs":{"id":{"authority":"EPSG","code":2154}}`: "unknown_crs", `,"crs":{"id":{"authority":"ESRI","code":4326}}`: "unknown_crs"} {
		b := parquetOf(t, rows, meta(crs))
		if err := importParquet(b); codeOf(err) != code {
			t.Errorf("%s: %v", crs, err)
		}
		importBytes(t, b, func(o *ImportOptions) { o.CRS = "EPSG:4326" })
	}
}

func importParquet(b []byte, change ...func(*ImportOptions)) error {
	opts := ImportOptions{Info: geo.LayerInfo{Kind: geo.KindOther}, Now: testNow, Format: FormatGeoParquet}
	for _, c := range change {
		c(&opts)
	}
	_, _, err := Import(context.Background(), bytes.NewReader(b), opts)
	return err
}

// Files that are not GeoParquet as it is read say why.
func TestGeoParquetRefused(t *testing.T) {
	wkb, _ := AppendWKB(nil, orb.Point{110, 1}, nil, nil)
	rows := []placed{{wkb, "a"}}
	good := parquetOf(t, rows, geoOfPoints)
	type xy struct {
		Lon, Lat float64
		Geometry struct{ X, Y float64 } `parquet:"geometry"`
	}
	for what, c := range map[string]struct {
		b    []byte
		code string
	}{
		"no metadata":   {parquetOf(t, rows, ""), "no_geometry"},
		"no JSON":       {parquetOf(t, rows, "{"), "bad_geo_metadata"},
		"nested points": {parquetOf(t, []xy{{}}, strings.Replace(geoOfPoints, "WKB", "point", 1)), "geometry_encoding"},
		"native points": {parquetOf(t, rows, strings.Replace(geoOfPoints, "WKB", "point", 1)), "geometry_encoding"},
		"brotli":        {parquetOf(t, rows, geoOfPoints, parquet.Compression(&parquet.Brotli)), "compression"},
		"encrypted":     {append(append([]byte("PAR1"), make([]byte, 20)...), "PARE"...), "encrypted"},
		"cut off":       {good[:len(good)-3], "bad_parquet"},
		"short":         {good[:6], "bad_parquet"},
		"footer":        {append(bytes.Clone(good[:len(good)-8]), 0xff, 0xff, 0xff, 0x7f, 'P', 'A', 'R', '1'), "bad_parquet"},
	} {
		if err := importParquet(c.b); codeOf(err) != c.code {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A table without geometry is placed by its columns of degrees.
func TestParquetOfDegrees(t *testing.T) {
	type row struct {
		Longitude float64 `parquet:"Longitude"`
		Latitude  float32 `parquet:"LATITUDE"`
		Name      string
	}
	l, r := importBytes(t, parquetOf(t, []row{{110.5, 1.5, "a"}, {111, -2, "b"}}, ""))
	if p, _ := l.Point(1); p != (orb.Point{111, -2}) || l.Len() != 2 || fmt.Sprint(l.Feature(0).Properties) != "map[Name:a]" {
		t.Errorf("%v %v", p, l.Feature(0).Properties)
	}
	if _, n := warning(r, "no_crs"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
}

// A file cut anywhere, or with any byte changed, is read or refused.
func TestDamagedGeoParquet(t *testing.T) {
	good := parquetOf(t, everyRows(3), geoOfPoints, parquet.Compression(&parquet.Snappy))
	for i := range good {
		for _, mask := range []byte{0xff, 0x01, 0x80} {
			b := bytes.Clone(good)
			b[i] ^= mask
			if err := importParquet(b); err != nil && (codeOf(err) == "" || strings.Contains(codeOf(err), " ")) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
		if err := importParquet(good[:i]); err == nil {
			t.Fatalf("cut to %d bytes: taken", i)
		}
	}
}

// Numbers in a file that ask for more than there is take no memory.
func TestGeoParquetBombs(t *testing.T) {
	long := strings.Repeat("a", 60_000)
	wkb, _ := AppendWKB(nil, orb.Point{110, 1}, nil, nil)
	type unique struct {
		Geometry []byte `parquet:"geometry"`
		N        int64  `parquet:"n,plain"`
	}
	if err := importParquet(parquetOf(t, slices.Repeat([]unique{{wkb, 0}}, 300_000), geoOfPoints, parquet.Compression(&parquet.Gzip))); codeOf(err) != "compression_ratio" {
		t.Error(err)
	}
	for _, size := range []uint64{1 << 31, 1 << 40, 1 << 63} { // a list of structures in the footer
		footer := binary.AppendUvarint([]byte{0x15, 2, 0x19, 0xfc}, size)
		b := append([]byte("PAR1"), footer...)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), "PAR1"...)
		if err := importParquet(b); codeOf(err) != "bad_parquet" {
			t.Error(err)
		}
	}
	var v struct{}
	if _, ok := readThrift(append([]byte{0x19, 0xfc, 0x80, 0x80, 0x80, 1}, make([]byte, 1<<21)...), 1<<20, &v); ok {
		t.Error("a list beyond the room was taken")
	}
	// A column of texts in which each repeats the last, far beyond what is there.
	limit := func(o *ImportOptions) { o.Limits = Limits{UnpackedBytes: 4 << 20} }
	type same struct {
		Geometry []byte `parquet:"geometry"`
		Name     string `parquet:"name,dict"`
	}
	rows := make([]same, 4000)
	for i := range rows {
		rows[i] = same{wkb, long[:2000]}
	}
	if err := importParquet(parquetOf(t, rows, geoOfPoints), limit); codeOf(err) != "unpacked_too_large" {
		t.Error(err)
	}
}

func FuzzGeoParquet(f *testing.F) {
	for _, l := range samples(f) {
		f.Add(exported(f, FormatGeoParquet, l))
	}
	f.Add(parquetOf(f, everyRows(5), geoOfPoints, parquet.Compression(&parquet.Zstd)))
	f.Add(parquetOf(f, everyRows(5), geoOfPoints, parquet.DataPageVersion(1)))
	f.Fuzz(func(t *testing.T, b []byte) { checkImport(t, b, geo.KindOther, FormatGeoParquet) })
}

func BenchmarkGeoParquetRead(b *testing.B) {
	text := exported(b, FormatGeoParquet, manyPoints(b, 100_000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		importBytes(b, text)
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "features/s")
}
