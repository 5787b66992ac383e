package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// DatedColumns names the columns of dated places. Empty names take the usual
// ones: lon, lat, and the first of date, datetime and occurred_from there is.
type DatedColumns struct {
	X, Y, Time string
	// Where are columns and the values that they must all have.
	Where [][2]string
	// Others reads the rows that differ from Where too, as far as they have a
	// date and a place, and marks them.
	Others bool
}

// DatedPlace is a calendar day, as written, and a place.
type DatedPlace struct {
	Day  time.Time
	X, Y float64
	// Other is true of a row that differs from Where.
	Other bool
}

// ReadDated reads dated places from comma-separated text with a header or from
// a GeoJSON FeatureCollection of points, packed with gzip or not. Of a time its
// first ten characters count, YYYY-MM-DD. Rows without a time or a place are
// passed over and counted in skipped; one that cannot be read ends the reading
// with an error that names it.
func ReadDated(r io.Reader, c DatedColumns) (places []DatedPlace, skipped int, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	if head, _ := in.Peek(2); len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		packed, err := gzip.NewReader(in)
		if err != nil {
			return nil, 0, fmt.Errorf("unpack: %w", err)
		}
		in = bufio.NewReaderSize(packed, 1<<20)
	}
	if head, _ := in.Peek(3); bytes.Equal(head, utf8BOM()) {
		_, _ = in.Discard(3)
	}
	d := datedReader{columns: c}
	if head, _ := in.Peek(512); bytes.HasPrefix(bytes.TrimSpace(head), []byte{'{'}) {
		err = d.geoJSON(in)
	} else {
		err = d.csv(in)
	}
	return d.places, d.skipped, err
}

func utf8BOM() []byte { return []byte{0xEF, 0xBB, 0xBF} }

type datedReader struct {
	columns DatedColumns
	places  []DatedPlace
	skipped int
}

// timeNames are the columns that hold a time when none is named.
func timeNames() []string { return []string{"date", "datetime", "occurred_from"} }

func (d *datedReader) csv(r io.Reader) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	if err != nil {
		return fmt.Errorf("read the header: %w", err)
	}
	at, err := d.find(slices.Clone(header))
	if err != nil {
		return err
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		other := !at.matches(row, d.columns.Where)
		if other && !d.columns.Others {
			continue
		}
		if row[at.x] == "" || row[at.y] == "" || row[at.time] == "" {
			if !other {
				d.skipped++
			}
			continue
		}
		x, xErr := strconv.ParseFloat(strings.TrimSpace(row[at.x]), 64)
		y, yErr := strconv.ParseFloat(strings.TrimSpace(row[at.y]), 64)
		line, _ := in.FieldPos(at.x)
		if xErr != nil || yErr != nil || math.IsNaN(x-x) || math.IsNaN(y-y) {
			if other {
				continue
			}
			return fmt.Errorf("line %d: %q, %q are not two numbers", line, row[at.x], row[at.y])
		}
		if err := d.add(row[at.time], DatedPlace{X: x, Y: y, Other: other}); err != nil && !other {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// datedAt is where the columns are.
type datedAt struct {
	x, y, time int
	where      []int
}

func (a datedAt) matches(row []string, where [][2]string) bool {
	for i, w := range where {
		if row[a.where[i]] != w[1] {
			return false
		}
	}
	return true
}

// UnknownColumnError names a column that a file does not have.
type UnknownColumnError struct {
	Name    string
	Columns []string
}

func (e *UnknownColumnError) Error() string {
	return fmt.Sprintf("there is no column %q; the file has %s", e.Name, strings.Join(e.Columns, ", "))
}

func (d *datedReader) find(header []string) (at datedAt, err error) {
	column := func(names ...string) int {
		for _, name := range names {
			if i := slices.Index(header, name); i >= 0 {
				return i
			}
		}
		if err == nil {
			err = &UnknownColumnError{names[0], header}
		}
		return -1
	}
	orElse := func(name string, usual ...string) []string {
		if name != "" {
			return []string{name}
		}
		return usual
	}
	at.x, at.y = column(orElse(d.columns.X, "lon")...), column(orElse(d.columns.Y, "lat")...)
	at.time = column(orElse(d.columns.Time, timeNames()...)...)
	for _, w := range d.columns.Where {
		at.where = append(at.where, column(w[0]))
	}
	return at, err
}

func (d *datedReader) add(text string, place DatedPlace) error {
	day, err := time.Parse(time.DateOnly, text[:min(10, len(text))])
	if err != nil {
		return fmt.Errorf("%q does not begin with a date such as 2026-11-22", text)
	}
	place.Day = day
	d.places = append(d.places, place)
	return nil
}

// geoJSON reads points with their properties; other geometries are passed over.
func (d *datedReader) geoJSON(r io.Reader) error {
	var doc struct {
		Features []struct {
			Geometry *struct {
				Type        string          `json:"type"`
				Coordinates json.RawMessage `json:"coordinates"`
			} `json:"geometry"`
			Properties map[string]any `json:"properties"`
		} `json:"features"`
	}
	if err := json.NewDecoder(r).Decode(&doc); err != nil {
		return fmt.Errorf("read the GeoJSON: %w", err)
	}
	seen := map[string]bool{}
	for i, f := range doc.Features {
		for name := range f.Properties {
			seen[name] = true
		}
		other := !d.wanted(f.Properties)
		if other && !d.columns.Others {
			continue
		}
		when := d.timeOf(f.Properties)
		var at []float64
		if f.Geometry == nil || f.Geometry.Type != "Point" || json.Unmarshal(f.Geometry.Coordinates, &at) != nil || len(at) < 2 || when == "" {
			if !other {
				d.skipped++
			}
			continue
		}
		if err := d.add(when, DatedPlace{X: at[0], Y: at[1], Other: other}); err != nil && !other {
			return fmt.Errorf("feature %d: %w", i+1, err)
		}
	}
	return d.named(seen)
}

func (d *datedReader) wanted(properties map[string]any) bool {
	for _, w := range d.columns.Where {
		if v, ok := properties[w[0]]; !ok || fmt.Sprint(v) != w[1] {
			return false
		}
	}
	return true
}

func (d *datedReader) timeOf(properties map[string]any) string {
	names := timeNames()
	if d.columns.Time != "" {
		names = []string{d.columns.Time}
	}
	for _, name := range names {
		if text, ok := properties[name].(string); ok {
			return text
		}
	}
	return ""
}

// named fails when a column that was asked for is in no feature.
func (d *datedReader) named(seen map[string]bool) error {
	names := []string{}
	if d.columns.Time != "" {
		names = append(names, d.columns.Time)
	}
	for _, w := range d.columns.Where {
		names = append(names, w[0])
	}
	for _, name := range names {
		if !seen[name] && len(seen) > 0 {
			all := []string{}
			for have := range seen {
				all = append(all, have)
			}
			slices.Sort(all)
			return &UnknownColumnError{name, all}
		}
	}
	return nil
}

// PolygonRings reads the rings of all polygons and multipolygons of GeoJSON: of
// a FeatureCollection, a Feature or a geometry.
func PolygonRings(raw []byte) ([]orb.Ring, error) {
	var doc areaDocument
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("read the GeoJSON: %w", err)
	}
	rings, err := doc.rings(nil)
	if err == nil && len(rings) == 0 {
		err = errors.New("there is no polygon in it")
	}
	return rings, err
}

// areaDocument is any GeoJSON object, as far as polygons go.
type areaDocument struct {
	Type        string          `json:"type"`
	Features    []areaDocument  `json:"features"`
	Geometry    *areaDocument   `json:"geometry"`
	Geometries  []areaDocument  `json:"geometries"`
	Coordinates json.RawMessage `json:"coordinates"`
}

func (a areaDocument) rings(into []orb.Ring) (_ []orb.Ring, err error) {
	for _, part := range append(a.Features, a.Geometries...) {
		if into, err = part.rings(into); err != nil {
			return nil, err
		}
	}
	if a.Geometry != nil {
		return a.Geometry.rings(into)
	}
	var polygons [][][][]float64
	switch a.Type {
	case "Polygon":
		polygons = make([][][][]float64, 1)
		err = json.Unmarshal(a.Coordinates, &polygons[0])
	case "MultiPolygon":
		err = json.Unmarshal(a.Coordinates, &polygons)
	}
	if err != nil {
		return nil, fmt.Errorf("read a polygon: %w", err)
	}
	for _, polygon := range polygons {
		for _, positions := range polygon {
			ring := make(orb.Ring, len(positions))
			for i, p := range positions {
				if len(p) < 2 {
					return nil, errors.New("a position of a polygon has fewer than two numbers")
				}
				ring[i] = orb.Point{p[0], p[1]}
			}
			into = append(into, ring)
		}
	}
	return into, nil
}
