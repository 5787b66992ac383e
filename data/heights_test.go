package data

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// heightsText is the heights of a layer's rows, - for a row without.
func heightsText(l *geo.Layer) string {
	var out []string
	for row := range l.Len() {
		switch v := l.Value(row, geo.HeightsField).(type) {
		case nil:
			out = append(out, "-")
		case json.RawMessage:
			out = append(out, string(v))
		default:
			out = append(out, fmt.Sprint(v))
		}
	}
	return strings.Join(out, "|")
}

// spaceSamples are geometries with Z by type, and in each type one without.
// Rings are turned both ways, since writers turn them.
var spaceSamples = map[string][]string{
	"Point":           {`[110,1,12.5]`, `[111,2]`, `[112,3,-4]`, `[113,3,0]`},
	"MultiPoint":      {`[[110,1,1],[111,2,2]]`, `[[112,1],[113,1]]`},
	"LineString":      {`[[110,1,100],[111,2,250.25],[110,3,-7]]`, `[[110,1],[111,2]]`, `[[1,2,0],[3,4,0]]`},
	"MultiLineString": {`[[[110,1,1],[111,2,2]],[[112,1,3],[113,2,4],[114,2,5]]]`},
	"Polygon": {`[[[110,1,1],[112,1,2],[112,3,3],[110,3,4],[110,1,1]],[[111,2,5],[111,2.5,6],[111.5,2.5,7],[111,2,5]]]`,
		`[[[110,1,1],[110,3,4],[112,3,3],[112,1,2],[110,1,1]],[[111,2,5],[111.5,2.5,7],[111,2.5,6],[111,2,5]]]`,
		`[[[10,1],[12,1],[12,3],[10,1]]]`},
	"MultiPolygon": {`[[[[100,1,9],[101,1,8],[101,2,7],[100,1,9]]],[[[102,1,1],[105,1,2],[105,4,3],[102,4,4],[102,1,1]],[[103,2,5],[103,3,6],[104,3,7],[103,2,5]]]]`},
}

// spaceLayer is a layer of the given types, named by their numbers.
func spaceLayer(t testing.TB, types ...string) *geo.Layer {
	var features []string
	for _, kind := range types {
		for _, c := range spaceSamples[kind] {
			features = append(features, fmt.Sprintf(`{"type":"Feature","id":"F%d","geometry":{"type":"%s","coordinates":%s},"properties":{"n":%d}}`, len(features), kind, c, len(features)))
		}
	}
	l, r := mustImport(t, collection(features...), geo.KindOther)
	if _, n := warning(r, "heights_dropped"); n > 0 {
		t.Fatal(r.Warnings)
	}
	return l
}

// vertexHeights pairs the vertices of all rows with their heights, whatever the
// order of rows and rings, for comparing.
func vertexHeights(l *geo.Layer) []string {
	var out []string
	for row := range l.Len() {
		z := heightsOf(l, row)
		var walk func(g orb.Geometry)
		points := func(ps []orb.Point) {
			for i, h := range z.takeOr(len(ps)) {
				out = append(out, fmt.Sprint(l.Number(row, "n"), ps[i], h))
			}
		}
		walk = func(g orb.Geometry) {
			switch g := g.(type) {
			case orb.Point:
				points([]orb.Point{g})
			case orb.MultiPoint:
				points(g)
			case orb.LineString:
				points(g)
			case orb.MultiLineString:
				for _, line := range g {
					points(line)
				}
			case orb.Polygon:
				for _, ring := range g {
					points(ring)
				}
			case orb.MultiPolygon:
				for _, p := range g {
					walk(p)
				}
			case orb.Collection:
				for _, part := range g {
					walk(part)
				}
			}
		}
		walk(l.Geometry(row))
	}
	slices.Sort(out)
	return out
}

// takeOr is take, with NaN where there are no heights.
func (h *heights) takeOr(n int) heights {
	if z := h.take(n); z != nil {
		return z
	}
	return padHeights(nil, n)
}

func sameHeights(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Errorf("%s: %d of %d vertices; from %d on\n got %v\nwant %v", what, len(got), len(want), i, got[min(i, len(got)):], want[min(i, len(want)):])
				return
			}
		}
	}
}

func allTypes() []string {
	return []string{"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
}

// What has heights has the same after each format, and what has none has none.
func TestHeightsThroughFormats(t *testing.T) {
	l := spaceLayer(t, allTypes()...)
	want := vertexHeights(l)
	for _, format := range []string{FormatGeoJSON, FormatGeoJSONSeq, FormatCSV, FormatFlatGeobuf} {
		got, r := importBytes(t, exported(t, format, l))
		sameHeights(t, format, vertexHeights(got), want)
		if _, n := warning(r, "heights_dropped"); n > 0 || got.Value(1, geo.HeightsField) != l.Value(1, geo.HeightsField) && format == FormatCSV {
			t.Errorf("%s: %+v", format, r.Warnings)
		}
		if b := exported(t, format, l); format != FormatCSV && bytes.Contains(b, []byte(geo.HeightsField)) {
			t.Errorf("%s also has the property", format)
		}
	}
	got, _ := importBytes(t, exported(t, FormatKML, spaceLayer(t, allTypes()[1:]...)))
	sameHeights(t, FormatKML, vertexHeights(got), vertexHeights(spaceLayer(t, allTypes()[1:]...)))
	lines := spaceLayer(t, "LineString", "MultiLineString")
	got, _ = importBytes(t, exported(t, FormatGPX, lines))
	sameHeights(t, FormatGPX, vertexHeights(got), vertexHeights(lines))
	points := spaceLayer(t, "Point") // of other programs GPX and KML call the height of a point ele
	for _, format := range []string{FormatGPX, FormatKML, FormatKMZ} {
		got, _ = importBytes(t, exported(t, format, points))
		sameHeights(t, format, vertexHeights(got), vertexHeights(points))
		for row := range points.Len() {
			if got.Value(row, "ele") != nil {
				t.Errorf("%s, row %d: also %v", format, row, got.Value(row, "ele"))
			}
		}
	}
	var all []string
	for _, name := range []string{"points", "points_z", "multipoints", "multipoints_z", "lines", "lines_z", "polygons", "polygons_z"} {
		got, _ := importBytes(t, exported(t, FormatShapefile, l), func(o *ImportOptions) { o.Layer = "t_" + name })
		for row := range got.Len() {
			if (heightsOf(got, row) != nil) != strings.HasSuffix(name, "_z") {
				t.Errorf("%s: heights %v", name, heightsText(got))
			}
		}
		all = append(all, vertexHeights(got)...)
	}
	slices.Sort(all)
	sameHeights(t, FormatShapefile, all, want)
}

// GDAL finds the same heights in what we write, and we in what it writes.
func TestHeightsThroughGDAL(t *testing.T) {
	for name, types := range map[string][]string{"points": {"Point"}, "multipoints": {"MultiPoint"}, "lines": {"LineString"}, "multilines": {"MultiLineString"}, "polygons": {"Polygon"}, "multipolygons": {"MultiPolygon"}} {
		l := spaceLayer(t, types...)
		var rows []int
		for row := range l.Len() {
			if heightsOf(l, row) != nil {
				rows = append(rows, row)
			}
		}
		var b bytes.Buffer
		if err := Write(&b, FormatGeoJSON, l, slices.Values(rows)); err != nil { // all with Z: GDAL fills up with zeros
			t.Fatal(err)
		}
		l, _ = importBytes(t, b.Bytes())
		want := vertexHeights(l)
		back := func(what, in string) {
			out := filepath.Join(t.TempDir(), "out.geojson")
			gdal(t, "ogr2ogr", "-f", "GeoJSON", out, in)
			got, _ := importBytes(t, readAll(t, out))
			sameHeights(t, what+" "+name, vertexHeights(got), want)
		}
		for _, f := range []struct{ format, driver, ext string }{{FormatGeoJSON, "GeoJSON", ".geojson"}, {FormatShapefile, "ESRI Shapefile", ".shz"}, {FormatFlatGeobuf, "FlatGeobuf", ".fgb"}, {FormatKML, "KML", ".kml"}, {FormatCSV, "CSV", ".csv"}} {
			if f.format == FormatCSV && name == "points" || f.format == FormatKML && name == "points" {
				continue // the height of a point is an attribute there
			}
			in := saved(t, "in"+f.ext, exported(t, f.format, l))
			if f.format != FormatCSV {
				back("ours as "+f.format, in)
			} else {
				out := filepath.Join(t.TempDir(), "out.geojson")
				gdal(t, "ogr2ogr", "-f", "GeoJSON", out, in, "-oo", "GEOM_POSSIBLE_NAMES=wkt", "-oo", "AUTODETECT_TYPE=YES")
				got, _ := importBytes(t, readAll(t, out))
				sameHeights(t, "ours as csv "+name, vertexHeights(got), want)
			}
			from := saved(t, "from.geojson", exported(t, FormatGeoJSON, l))
			to := filepath.Join(t.TempDir(), "gdal"+f.ext)
			args := []string{"-f", f.driver, to, from}
			if f.format == FormatCSV {
				args = append(args, "-lco", "GEOMETRY=AS_WKT")
			}
			gdal(t, "ogr2ogr", args...)
			got, _ := importBytes(t, readAll(t, to))
			there := vertexHeights(got)
			if f.format == FormatKML { // GDAL writes no mode, so zeros are filling
				for i := range there {
					there[i] = strings.ReplaceAll(there[i], "NaN", "0")
				}
			}
			sameHeights(t, "GDAL's "+f.format+" "+name, there, want)
		}
	}
}

// A vertex without a height among others keeps having none.
func TestHeightsWithGaps(t *testing.T) {
	text := collection(shaped("LineString", "[[110,1,5],[111,2],[112,3,0]]"), shaped("Polygon", "[[[0,0],[1,0,3],[1,1],[0,0]]]"), shaped("LineString", "[[110,1,5],[111,2,6]]"))
	l, _ := mustImport(t, text, geo.KindOther)
	want := "[5,null,0]|[null,3,null,null]|[5,6]"
	if got := heightsText(l); got != want {
		t.Fatal(got)
	}
	for _, format := range []string{FormatGeoJSON, FormatCSV, FormatKML} {
		again, _ := importBytes(t, exported(t, format, l))
		if got := heightsText(again); got != want {
			t.Errorf("%s: %s", format, got)
		}
	}
	again, _ := importBytes(t, exported(t, FormatFlatGeobuf, l))
	sameHeights(t, FormatFlatGeobuf, vertexHeights(again), vertexHeights(l))
	for layer, want := range map[string]string{"t_lines": "[5,null,0]", "t_lines_z": "[5,6]", "t_polygons": "[null,3,null,null]"} {
		again, _ := importBytes(t, exported(t, FormatShapefile, l), func(o *ImportOptions) { o.Layer = layer })
		if got := heightsText(again); got != want {
			t.Errorf("%s: %s", layer, got)
		}
	}
}

// The parts of collections have heights of their own.
func TestHeightsOfCollections(t *testing.T) {
	c := `{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"LineString","coordinates":[[1,2,8],[3,4,9]]},{"type":"Point","coordinates":[5,6,7]},{"type":"Point","coordinates":[5,7]}]},"properties":{"n":1}}`
	l, _ := mustImport(t, collection(c), geo.KindOther)
	if got := heightsText(l); got != "[null,8,9,7,null]" {
		t.Fatal(got)
	}
	for _, format := range []string{FormatGeoJSON, FormatFlatGeobuf, FormatCSV, FormatKML} {
		again, _ := importBytes(t, exported(t, format, l))
		sameHeights(t, format, vertexHeights(again), vertexHeights(l))
	}
}

// A property of that name is taken when it fits, and never kept when not; the
// geometry goes before it.
func TestHeightsProperty(t *testing.T) {
	for _, c := range []struct{ coordinates, property, want string }{
		{"[[1,2],[3,4]]", `[5,6]`, "[5,6]"},
		{"[[1,2],[3,4]]", `[5,null]`, "[5,null]"},
		{"[[1,2],[3,4]]", `"[5,6.5]"`, "[5,6.5]"},
		{"[[1,2],[3,4]]", `[5]`, "-"},
		{"[[1,2],[3,4]]", `[5,6,7]`, "-"},
		{"[[1,2],[3,4]]", `5`, "-"},
		{"[[1,2],[3,4]]", `["a",6]`, "-"},
		{"[[1,2],[3,4]]", `[[5],[6]]`, "-"},
		{"[[1,2],[3,4]]", `[null,null]`, "-"},
		{"[[1,2],[3,4]]", `{"a":1}`, "-"},
		{"[[1,2],[3,4]]", `true`, "-"},
		{"[[1,2],[3,4]]", `null`, "-"},
		{"[[1,2,8],[3,4,9]]", `[5,6]`, "[8,9]"},
	} {
		text := `{"type":"Feature","geometry":{"type":"LineString","coordinates":` + c.coordinates + `},"properties":{"heights_m":` + c.property + `}}`
		for _, kind := range []geo.LayerKind{geo.KindOther, geo.KindPatrolTrack, geo.KindIncident} {
			if kind == geo.KindIncident {
				text = strings.Replace(text, `"properties":{`, `"properties":{"kind":"irr.exit","occurred_from":"2022-01-01",`, 1)
			}
			l, r := mustImport(t, text, kind)
			_, n := warning(r, "heights_dropped")
			if got := heightsText(l); got != c.want || (n > 0) != (c.want == "-" && c.property != "null") {
				t.Errorf("%s %s with %s: %s, %+v", kind, c.coordinates, c.property, got, r.Warnings)
			}
		}
	}
	for text, want := range map[string]string{"lon,lat,Heights_M\n1,2,7\n1,3,\n": "7|-", "lon,lat,z\n1,2,7.5\n": "7.5"} {
		change := []func(*ImportOptions){}
		if strings.Contains(text, ",z") {
			change = append(change, withMapping(t, "heights_m:z"))
		}
		l, _ := mustImport(t, text, geo.KindOther, change...)
		if got := heightsText(l); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// KML means its heights as the mode says; mere zeros are filling.
func TestKMLHeights(t *testing.T) {
	for _, c := range []struct {
		mode, coordinates, want string
		dropped                 int
	}{
		{"", "1,2,0 3,4,0", "-", 0},
		{"", "1,2,5 3,4,0", "[5,0]", 0},
		{"absolute", "1,2,0 3,4,0", "[0,0]", 0},
		{"absolute", "1,2 3,4", "-", 0},
		{"relativeToGround", "1,2,5 3,4,0", "-", 1},
		{"relativeToGround", "1,2,0 3,4,0", "-", 0},
	} {
		mode := "<altitudeMode>" + c.mode + "</altitudeMode>"
		l, r := mustImport(t, `<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><LineString>`+mode+`<coordinates>`+c.coordinates+`</coordinates></LineString></Placemark></kml>`, geo.KindOther)
		_, n := warning(r, "heights_dropped")
		if got := heightsText(l); got != c.want || n != c.dropped {
			t.Errorf("%s %s: %s, %+v", c.mode, c.coordinates, got, r.Warnings)
		}
	}
	ring := `<LinearRing><coordinates>0,0,1 1,0,2 1,1,3 0,0,1</coordinates></LinearRing>`
	l, _ := mustImport(t, `<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><MultiGeometry><Polygon><innerBoundaryIs>`+strings.ReplaceAll(ring, ",3", ",9")+`</innerBoundaryIs><outerBoundaryIs>`+ring+`</outerBoundaryIs></Polygon>
<Polygon><altitudeMode>relativeToGround</altitudeMode><outerBoundaryIs>`+ring+`</outerBoundaryIs></Polygon><Polygon><outerBoundaryIs>`+ring+`</outerBoundaryIs></Polygon></MultiGeometry></Placemark></kml>`, geo.KindOther)
	if got := heightsText(l); got != "[1,2,3,1,1,2,9,1,null,null,null,null,1,2,3,1]" {
		t.Error(got)
	}
}

// The heights of a patrol's fixes follow them through sorting and dropping.
func TestHeightsOfTracks(t *testing.T) {
	csv := "track_id,time,lon,lat,heights_m\nA,2022-01-01T02:00:00Z,110.02,1,30\nA,2022-01-01T00:00:00Z,110,1,10\nA,2022-01-01T01:00:00Z,110.01,1,\nA,2022-01-01T01:00:00Z,110.01,1,99\nA,,110.5,1,98\nB,2022-01-01T00:00:00Z,110,1,7\nC,2022-01-01T00:00:00Z,110,1,\nC,2022-01-01T01:00:00Z,110,1.1,\n"
	l, r := mustImport(t, csv, geo.KindPatrolTrack)
	if got := heightsText(l); got != "[10,null,30]|7|-" {
		t.Fatalf("%s, %+v", got, r.Warnings)
	}
	if w, _ := warning(r, "column_varies"); len(w) > 0 {
		t.Error(w)
	}
	for _, format := range []string{FormatCSV, FormatGeoJSON, FormatGPX, FormatKML} {
		again, _ := mustImport(t, string(exported(t, format, l)), geo.KindPatrolTrack)
		rows := strings.Split(heightsText(again), "|") // a fix by itself comes last in some
		const want = "[10,null,30]|-|7"
		if slices.Sort(rows[1:]); strings.Join(rows, "|") != want || !reflect.DeepEqual(again.VertexTimesMS(0), l.VertexTimesMS(0)) {
			t.Errorf("%s: %s", format, heightsText(again))
		}
	}
	for _, format := range []string{FormatFlatGeobuf} {
		again, _ := importBytes(t, exported(t, format, l), func(o *ImportOptions) { o.Info.Kind = geo.KindPatrolTrack })
		a, b := vertexHeights(again), vertexHeights(l)
		sameHeights(t, format, a, b)
	}
	again, _ := importBytes(t, exported(t, FormatShapefile, l), func(o *ImportOptions) { o.Info.Kind, o.Layer = geo.KindPatrolTrack, "t_lines" })
	if got := heightsText(again); got != "[10,null,30]|-" {
		t.Error(got)
	}
	whole, _ := mustImport(t, `{"type":"Feature","geometry":{"type":"MultiLineString","coordinates":[[[110,1,5],[110.1,1,6]],[[111,1,7],[111.1,1,8]]]},"properties":{"times":["2024-05-01T01:00:00Z","2024-05-01T00:00:00Z","2024-05-01T02:00:00Z","2024-05-01T03:00:00Z"]}}`, geo.KindPatrolTrack)
	if got := heightsText(whole); got != "[6,5]|[7,8]" {
		t.Error(got)
	}
	again, _ = importBytes(t, exported(t, FormatShapefile, whole), func(o *ImportOptions) { o.Info.Kind = geo.KindPatrolTrack })
	if got := heightsText(again); got != "[6,5]|[7,8]" || !reflect.DeepEqual(again.VertexTimesMS(1), whole.VertexTimesMS(1)) {
		t.Errorf("%s %v", got, again.VertexTimesMS(1))
	}
}

// A new place has no old heights; anything else of a record leaves them.
func TestCorrectionOfHeights(t *testing.T) {
	l, _ := mustImport(t, `{"type":"Feature","id":"A","geometry":{"type":"LineString","coordinates":[[1,2,8],[3,4,9]]},"properties":{"n":1}}`, geo.KindOther)
	for patch, want := range map[string]string{
		`{"properties":{"n":2}}`: "[8,9]",
		`{"geometry":{"type":"LineString","coordinates":[[1,2],[3,5]]}}`:                                  "-",
		`{"geometry":{"type":"LineString","coordinates":[[1,2,1],[3,5,2]]}}`:                              "[1,2]",
		`{"geometry":{"type":"Point","coordinates":[1,2]}}`:                                               "-",
		`{"properties":{"heights_m":null}}`:                                                               "-",
		`{"properties":{"heights_m":[5,6]}}`:                                                              "[5,6]",
		`{"properties":{"heights_m":[5]}}`:                                                                "-",
		`{"geometry":{"type":"LineString","coordinates":[[1,2],[3,5]]},"properties":{"heights_m":[3,4]}}`: "[3,4]",
	} {
		change, _, err := Correction{Row: 0, Patch: json.RawMessage(patch), Reason: "wrong place", Now: testNow}.Change(context.Background(), l, true)
		if err != nil {
			t.Errorf("%s: %v", patch, err)
			continue
		}
		if got := heightsText(change.After(l)); got != want {
			t.Errorf("%s: %s, expected %s", patch, got, want)
		}
	}
}

// Random geometry with random heights, some without, is the same after GeoJSON
// and as well-known binary.
func TestHeightsOfRandomGeometry(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 200 {
		g := orb.MultiPolygon{}
		var z heights
		for range 1 + rnd.IntN(3) {
			p := orb.Polygon{}
			for range 1 + rnd.IntN(3) {
				ring := orb.Ring{}
				for range 3 + rnd.IntN(5) {
					ring = append(ring, orb.Point{math.Round(rnd.Float64()*1e4) / 1e4, math.Round(rnd.Float64()*1e4) / 1e4})
				}
				ring = append(ring, ring[0])
				p = append(p, ring)
				up := make(heights, len(ring)-1)
				for i := range up {
					if up[i] = math.Round(rnd.NormFloat64()*1e5) / 100; rnd.IntN(4) == 0 {
						up[i] = nan
					}
				}
				z = append(append(z, up...), up[0])
			}
			g = append(g, p)
		}
		l := build(geo.KindOther, geo.Feature{Geometry: g, Properties: map[string]any{geo.HeightsField: heightsValue(z, g), "n": 1.0}})
		again, _ := mustImport(t, write(t, FormatGeoJSON, l), geo.KindOther)
		sameHeights(t, "geojson", vertexHeights(again), vertexHeights(l))
		if heightsOf(l, 0) == nil {
			continue
		}
		b, err := AppendWKB(nil, g, z, nil)
		rows := wkbRows(t)
		if err != nil || rows.readWKB(b) != "" {
			t.Fatal(err)
		}
		if got := fmt.Sprint(padHeights(rows.shape.heights, len(rows.shape.points))); got != fmt.Sprint([]float64(z)) {
			t.Errorf("%s, expected %v", got, z)
		}
	}
}

func readAll(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
