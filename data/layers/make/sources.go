package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// source is one file and what becomes of its features.
type source struct {
	file  string
	read  func(path string) ([]geo.Feature, error)
	layer func(geo.Feature) string
}

func sources() []source {
	all := func(id string) func(geo.Feature) string { return func(geo.Feature) string { return id } }
	return []source{
		{"land_boundary_borneo.geojson", geoJSON(boundary), all("land_border")},
		{"land_osm10m.geojson.gz", geoJSON(countryPolygons), all("land")},
		{"territorial_waters_osm10m.geojson", geoJSON(countryPolygons), all("territorial_waters")},
		{"coastline_gshhg_full.geojson.gz", geoJSON(line), all("coastline")},
		{"rivers_wdbii_full.geojson.gz", geoJSON(line), all("rivers")},
		{"places_geonames.csv", places, all("places")},
		{"crossings.geojson", geoJSON(crossing), all("official_crossings")},
		{"reported_informal_crossings.geojson", geoJSON(informal), informalLayer},
		{"reported_incidents.geojson", geoJSON(incident), all("reported_incidents")},
	}
}

// sourceFeature is a GeoJSON feature as it is read.
type sourceFeature struct {
	ID         string         `json:"id"`
	Properties map[string]any `json:"properties"`
	Geometry   sourceGeometry `json:"geometry"`
}

type sourceGeometry struct{ orb.Geometry }

func (g *sourceGeometry) UnmarshalJSON(b []byte) error {
	var raw struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	switch raw.Type {
	case "Point":
		return unmarshalAs[orb.Point](raw.Coordinates, g)
	case "LineString":
		return unmarshalAs[orb.LineString](raw.Coordinates, g)
	case "MultiPolygon":
		return unmarshalAs[orb.MultiPolygon](raw.Coordinates, g)
	default:
		return fmt.Errorf("no source has geometry of type %q", raw.Type)
	}
}

func unmarshalAs[T orb.Geometry](b []byte, g *sourceGeometry) error {
	var t T
	err := json.Unmarshal(b, &t)
	g.Geometry = t
	return err
}

type convert func(f sourceFeature) ([]geo.Feature, error)

func geoJSON(to convert) func(string) ([]geo.Feature, error) {
	return func(path string) ([]geo.Feature, error) {
		b, err := readFile(path)
		if err != nil {
			return nil, err
		}
		var fc struct {
			Features []sourceFeature `json:"features"`
		}
		if err := json.Unmarshal(b, &fc); err != nil {
			return nil, err
		}
		var out []geo.Feature
		for i, f := range fc.Features {
			more, err := to(f)
			if err != nil {
				return nil, fmt.Errorf("feature %d: %w", i+1, err)
			}
			out = append(out, more...)
		}
		return out, nil
	}
}

func readFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return b, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// feature carries id, geometry and properties over; null and empty values and
// a copy of the id among the properties are dropped.
func feature(f sourceFeature) geo.Feature {
	out := geo.Feature{ID: f.ID, Geometry: f.Geometry.Geometry, Properties: map[string]any{}}
	if id, ok := f.Properties["id"].(string); ok {
		out.ID = id
	}
	for k, v := range f.Properties {
		if v != nil && v != "" && k != "id" {
			out.Properties[k] = v
		}
	}
	return out
}

func boundary(f sourceFeature) ([]geo.Feature, error) {
	out := feature(f)
	delete(out.Properties, "source") // said once, in the layer's description
	delete(out.Properties, "vertices")
	return []geo.Feature{out}, nil
}

func line(f sourceFeature) ([]geo.Feature, error) {
	return []geo.Feature{feature(f)}, nil
}

func countryCode(a3 string) string {
	return map[string]string{"IDN": "ID", "MYS": "MY", "SGP": "SG", "BRN": "BN", "THA": "TH", "PHL": "PH"}[a3]
}

// countryPolygons makes one feature of each polygon, so that an index can tell
// them apart, with its rings the way RFC 7946 wants them.
func countryPolygons(f sourceFeature) ([]geo.Feature, error) {
	parts, ok := f.Geometry.Geometry.(orb.MultiPolygon)
	a3, _ := f.Properties["A3"].(string)
	if !ok || countryCode(a3) == "" {
		return nil, fmt.Errorf("want the multipolygon of a known country, have %T of %q", f.Geometry.Geometry, a3)
	}
	region := orb.Bound{Min: orb.Point{94, -5}, Max: orb.Point{121, 9}}
	var out []geo.Feature
	for _, p := range parts {
		if !p.Bound().Intersects(region) {
			continue
		}
		for i, ring := range p {
			if want := []orb.Orientation{orb.CW, orb.CCW}[b2i(i == 0)]; ring.Orientation() != want {
				slices.Reverse(ring)
			}
		}
		out = append(out, geo.Feature{
			ID:         fmt.Sprintf("%s-%d", a3, len(out)+1),
			Geometry:   p,
			Properties: map[string]any{"country": countryCode(a3), "a3": a3},
		})
	}
	return out, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// placePrecisionM is how far a town's point may lie from what is meant by its
// name: the settlements of the source are points of whole towns.
const placePrecisionM = 3000

func places(path string) ([]geo.Feature, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, err
	}
	if want := []string{"name", "country", "admin1", "lon", "lat"}; !slices.Equal(rows[0], want) {
		return nil, fmt.Errorf("the columns are %v, want %v", rows[0], want)
	}
	var out []geo.Feature
	for i, r := range rows[1:] {
		lon, err := strconv.ParseFloat(r[3], 64)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+2, err)
		}
		lat, err := strconv.ParseFloat(r[4], 64)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+2, err)
		}
		p := map[string]any{"name": r[0], "country": r[1], "location_precision_m": placePrecisionM}
		if r[2] != "" {
			p["admin1"] = r[2]
		}
		out = append(out, geo.Feature{ID: fmt.Sprintf("place-%d", i+1), Geometry: orb.Point{lon, lat}, Properties: p})
	}
	return out, nil
}

// crossingKind maps the source's kinds to the codes of the schema.
func crossingKind(was string) string {
	switch was {
	case "official_land", "planned_land":
		return "plbn"
	case "traditional_land":
		return "plb_traditional"
	case "official_ferry", "official_port":
		return "ferry_port_official"
	default:
		return ""
	}
}

func crossing(f sourceFeature) ([]geo.Feature, error) {
	out := feature(f)
	p := out.Properties
	was, _ := p["kind"].(string)
	kind := crossingKind(was)
	if kind == "" {
		return nil, fmt.Errorf("unknown crossing kind %q", was)
	}
	p["kind"], p["source_kind"], p["status"] = kind, was, "unknown"
	if name, _ := p["name"].(string); strings.Contains(name, "(ICQS)") {
		p["kind_my"] = "icqs"
	}
	if was == "planned_land" {
		p["status"] = "planned"
	}
	return []geo.Feature{out}, rename(p, "accuracy_m", "location_precision_m")
}

func informal(f sourceFeature) ([]geo.Feature, error) {
	out := feature(f)
	return []geo.Feature{out}, rename(out.Properties, "precision_m", "location_precision_m")
}

func rename(p map[string]any, from, to string) error {
	v, ok := p[from]
	if !ok {
		return fmt.Errorf("no property %q among %v", from, slices.Sorted(maps.Keys(p)))
	}
	delete(p, from)
	p[to] = v
	return nil
}

func informalLayer(f geo.Feature) string {
	switch f.Properties["kind"] {
	case "jalan_tikus":
		return "informal_paths"
	case "water_crossing", "river_ford":
		return "water_crossings"
	default:
		return "illegal_ports"
	}
}

// incident moves the dates out of the properties and keeps arrays as JSON.
func incident(f sourceFeature) ([]geo.Feature, error) {
	out := feature(f)
	for name, to := range map[string]*time.Time{"occurred_from": &out.From, "occurred_to": &out.To} {
		s, _ := out.Properties[name].(string)
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		*to = t.UTC()
		delete(out.Properties, name)
	}
	for k, v := range out.Properties {
		if list, ok := v.([]any); ok {
			b, err := json.Marshal(list)
			if err != nil {
				return nil, err
			}
			out.Properties[k] = json.RawMessage(b)
		}
	}
	return []geo.Feature{out}, nil
}
