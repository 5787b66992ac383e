package data

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

var nan = math.NaN()

// Names under which tables hold the place, best first; see headerKey.
var (
	lonNames = []string{"lon", "longitude", "lng", "long", "bujur", "garisbujur", "bujurtimur", "longitud", "londd", "longdd",
		"decimallongitude", "longitudedd", "lonwgs84", "longwgs84", "pointx", "coordx", "xcoord", "easting", "x"}
	latNames = []string{"lat", "latitude", "lintang", "garislintang", "lintangutara", "latitud", "latdd",
		"decimallatitude", "latitudedd", "latwgs84", "pointy", "coordy", "ycoord", "northing", "y"}
	wktNames = []string{"wkt", "geomwkt", "wktgeom", "geometrywkt", "geometry", "geom", "thegeom", "shape"}
)

// headerKey is a column's name without letter case, spaces and signs.
func headerKey(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ' || r == '_' || r == '-' || r == '.' || r == '(' || r == ')' || r == '"':
			return -1
		}
		return r
	}, s)
}

// name returns the header of a column.
func (t *table) name(i int) string { return t.im.headers[i] }

// header reads the first line: the delimiter, and what each column is.
func (t *table) header() error {
	if head := t.rest(); len(head) > 5 && string(head[:4]) == "sep=" && strings.IndexByte(",;\t|", head[4]) >= 0 {
		t.delimiter = head[4]
		n, err := t.lineLength(0)
		if err != nil {
			return err
		}
		t.pos += n
		t.nextLine++
	}
	if t.delimiter == 0 {
		t.delimiter = t.findDelimiter()
	}
	t.im.decimalComma = t.delimiter != ','
	ok, err := t.record()
	if err != nil {
		return err
	}
	if !ok {
		return refuse(422, "empty_file", "the table is empty")
	}
	if err := t.nameColumns(); err != nil {
		return err
	}
	return t.bindColumns()
}

// findDelimiter picks the character that parts the header into the most
// fields, of those that make the place's columns known if any does.
func (t *table) findDelimiter() byte {
	n, err := t.lineLength(0)
	if err != nil {
		return ','
	}
	line := trimEOL(t.buf[t.pos : t.pos+n])
	best, most := byte(','), -1
	for _, d := range []byte{',', ';', '\t', '|'} {
		var names []string
		for _, f := range bytes.Split(line, []byte{d}) {
			names = append(names, strings.Trim(string(f), `" `))
		}
		score := len(names)
		if lon, lat, wkt := t.findPlace(names); lon >= 0 && lat >= 0 || wkt >= 0 || t.findPair(names) >= 0 {
			score += t.limits.Columns
		}
		if score > most {
			best, most = d, score
		}
	}
	return best
}

// findPlace returns the columns of the place, -1 for those that are not there.
func (t *table) findPlace(names []string) (lon, lat, wkt int) {
	find := func(field string, aliases []string) int {
		for _, m := range t.im.opts.Mapping {
			if m.Field != field || m.Column == "" {
				continue
			}
			if at := slices.IndexFunc(names, m.matches); at >= 0 || !m.Optional {
				return at
			}
		}
		for _, alias := range aliases {
			for i, name := range names {
				if headerKey(name) == alias {
					return i
				}
			}
		}
		return -1
	}
	lon, lat, wkt = find("lon", lonNames), find("lat", latNames), find("wkt", wktNames)
	if lon >= 0 && lat >= 0 && wkt >= 0 && !t.isMapped("wkt") && headerKey(names[wkt]) != "wkt" {
		wkt = -1 // a column called shape or geometry may be anything
	}
	return lon, lat, wkt
}

// gridNames are names of a place that often stand beside degrees, for a grid.
var gridNames = []string{"pointx", "coordx", "xcoord", "easting", "x", "pointy", "coordy", "ycoord", "northing", "y"}

// warnAmbiguous tells of columns that could hold a coordinate as well as the
// one that is used.
func (t *table) warnAmbiguous(field string, used int, aliases []string) {
	if t.isMapped(field) {
		return
	}
	names := t.im.headers
	grid := slices.Contains(gridNames, headerKey(names[used]))
	for i, name := range names {
		key := headerKey(name)
		if i != used && slices.Contains(aliases, key) && slices.Contains(gridNames, key) == grid {
			t.im.report.warn("ambiguous_columns", field, "the columns %s and %s may both be the %s; %s is used; if that is wrong say map=%s:COLUMN",
				show(names[used]), show(name), field, show(names[used]), field)
		}
	}
}

// findPair returns the column that holds both coordinates, -1 when there is
// none.
func (t *table) findPair(names []string) int {
	for _, m := range t.im.opts.Mapping {
		if m.Column != "" && (m.Field == "latlon" || m.Field == "lonlat") {
			if at := slices.IndexFunc(names, m.matches); at >= 0 {
				t.latFirst = m.Field == "latlon"
				return at
			}
		}
	}
	return -1
}

// pairField is the field of a column that holds both coordinates.
func (t *table) pairField() string {
	if t.latFirst {
		return "latlon"
	}
	return "lonlat"
}

// pairNames are columns that may hold both coordinates; see headerKey.
var pairNames = []string{"coordinates", "coordinate", "koordinat", "latlon", "latlong", "lonlat", "longlat", "latitudelongitude", "position", "posisi", "titikkoordinat", "gps"}

// provenPair returns the column whose values are two coordinates that fit in
// one order only, -1 when the first rows do not prove it.
func (t *table) provenPair(names []string) int {
	at := slices.IndexFunc(names, func(name string) bool {
		return slices.Contains(pairNames, headerKey(strings.ReplaceAll(name, ",", "")))
	})
	if at < 0 {
		return -1
	}
	ahead := t.ahead()
	fits, lonFirst, latFirst := 0, 0, 0
	for range 1000 {
		if ok, err := ahead.record(); !ok || err != nil {
			break
		}
		if at >= len(ahead.fields) || len(ahead.fields[at]) == 0 {
			continue
		}
		fits++
		for _, first := range []bool{false, true} {
			lon, lat, fault := parsePair(ahead.fields[at], first)
			if fault != "" || math.Abs(lat) > 90 || math.Abs(lon) > 180 {
				continue
			}
			if first {
				latFirst++
			} else {
				lonFirst++
			}
		}
	}
	switch {
	case latFirst > 0 && lonFirst == 0 && 2*latFirst > fits:
		t.latFirst = true
	case lonFirst > 0 && latFirst == 0 && 2*lonFirst > fits:
		t.latFirst = false
	default:
		return -1
	}
	return at
}

// ahead returns a reader of the records that are in the window, which leaves
// the table where it is.
func (t *table) ahead() csvReader {
	ahead := csvReader{window: t.window, delimiter: t.delimiter, limits: t.limits, nextLine: 1, encoding: t.encoding}
	if ahead.err == nil { // what is in the window, and no more
		ahead.end = ahead.pos + bytes.LastIndexByte(ahead.rest(), '\n') + 1
		ahead.err = io.EOF
	}
	return ahead
}

// isStatistic tells whether the mapping makes every row a count of an area,
// which needs no place.
func (im *importer) isStatistic() bool {
	return im.kind == geo.KindIncident && slices.ContainsFunc(im.opts.Mapping, func(m MappedField) bool {
		return m.Field == "kind" && m.Constant == statisticKind
	})
}

// hasStatistic tells whether the first rows have the kind of a count of an
// area, so that the table needs no columns for a place.
func (t *table) hasStatistic() bool {
	if t.im.kind != geo.KindIncident {
		return false
	}
	ahead := t.ahead()
	for range 1000 {
		if ok, err := ahead.record(); !ok || err != nil {
			break
		}
		for _, f := range ahead.fields {
			if strings.EqualFold(strings.TrimSpace(t.im.inCodes("kind", string(f))), statisticKind) {
				return true
			}
		}
	}
	return false
}

func (t *table) isMapped(field string) bool {
	return slices.ContainsFunc(t.im.opts.Mapping, func(m MappedField) bool { return m.Field == field })
}

// nameColumns gives every column of the header a name of its own.
func (t *table) nameColumns() error {
	used := map[string]bool{}
	for i, f := range t.fields {
		name := strings.TrimSpace(string(unguarded(f)))
		if len(name) > maxNameBytes {
			return refuse(413, "name_too_long", "line %d: a column's name is longer than %d bytes; is the header missing?", t.line, maxNameBytes)
		}
		if name == "" {
			name = "column_" + itoa(i+1)
		}
		if used[name] {
			unique := name
			for n := 2; used[unique]; n++ {
				unique = name + "_" + itoa(n)
			}
			t.im.report.warn("duplicate_column", name, "the column %s stands twice; the later one is called %s", show(name), show(unique))
			name = unique
		}
		used[name] = true
		t.im.headers = append(t.im.headers, name)
	}
	return nil
}

// bindColumns says what every column is for.
func (t *table) bindColumns() error {
	names := t.im.headers
	t.im.opts.Mapping = t.im.opts.Mapping.settled(names)
	for _, m := range t.im.opts.Mapping {
		if m.Column != "" && !slices.Contains(names, m.Column) {
			return refuse(422, "unknown_column", "the mapping takes %s from the column %s, which the table does not have; it has: %s", m.Field, show(m.Column), showList(names))
		}
	}
	t.lon, t.lat, t.wkt = t.findPlace(names)
	if t.pair = t.findPair(names); t.pair < 0 && t.wkt < 0 && (t.lon < 0 || t.lat < 0) {
		t.pair = t.provenPair(names)
	}
	if t.wkt < 0 && t.pair < 0 && (t.lon < 0 || t.lat < 0) && !t.im.isStatistic() && !t.statistic && !t.hasStatistic() {
		missing := "longitude or latitude"
		if t.lon >= 0 {
			missing = "latitude"
		} else if t.lat >= 0 {
			missing = "longitude"
		}
		return refuse(422, "no_place_column", "line %d: no column for the %s is there; the columns are: %s; name them with map=lon:COLUMN,lat:COLUMN", t.line, missing, showList(names))
	}
	if t.lon < 0 || t.lat < 0 {
		t.lon, t.lat = -1, -1
	} else if t.wkt < 0 && t.pair < 0 {
		t.warnAmbiguous("lon", t.lon, lonNames)
		t.warnAmbiguous("lat", t.lat, latNames)
	}
	t.im.placed = map[string]string{}
	for at, field := range map[int]string{t.lon: "lon", t.lat: "lat", t.wkt: "wkt", t.pair: t.pairField()} {
		if at >= 0 {
			t.im.placed[names[at]] = field
		}
	}
	t.columns = make([]*column, len(names))
	track := false
	for i, name := range names {
		if i == t.lon || i == t.lat || i == t.wkt || i == t.pair {
			continue
		}
		c, err := t.im.column(name)
		if err != nil {
			return err
		}
		for _, target := range c.targets {
			track = track || target.role == roleTrackID
			if target.role == roleFrom {
				t.im.takeZone(name)
			}
		}
		t.columns[i] = c
	}
	if t.im.kind == geo.KindPatrolTrack && !track && t.wkt < 0 && !t.im.fixedTo["track_id"] {
		hint := ""
		if slices.ContainsFunc(names, func(name string) bool { return headerKey(name) == "mmsi" }) {
			hint = ", or say profile=ais"
		}
		return refuse(422, "no_track_id", "line %d: no column track_id found, so fixes cannot be joined to tracks; the columns are: %s; name it with map=track_id:COLUMN%s", t.line, showList(names), hint)
	}
	return nil
}

// takeZone makes the zone that a column of times states in its name that of
// times without one, unless the zone is given.
func (im *importer) takeZone(name string) {
	if text := zoneOfHeader(name); text != "" && im.opts.TZ == "" {
		if zone, err := ParseZone(text); err == nil {
			im.opts.TZ, im.dates.zone = text, zone
		}
	}
}

// sample looks at the rows that are in the window to tell columns of numbers
// and of true and false. 021000 is a code, not a number.
func (t *table) sample() {
	ahead := t.ahead()
	type look struct{ values, numbers, booleans int }
	seen := make([]look, len(t.columns))
	for range 1000 {
		if ok, err := ahead.record(); !ok || err != nil {
			break
		}
		if len(ahead.fields) != len(t.columns) {
			continue
		}
		for i, f := range ahead.fields {
			if len(f) == 0 {
				continue
			}
			seen[i].values++
			if isNumber(f) {
				seen[i].numbers++
			} else if s := string(f); s == "true" || s == "false" {
				seen[i].booleans++
			}
		}
	}
	for i, c := range t.columns {
		if c != nil && seen[i].values > 0 {
			c.numeric = seen[i].numbers == seen[i].values && !slices.ContainsFunc(c.targets, func(t *target) bool { return t.name == "admin_code" })
			c.boolean = seen[i].booleans == seen[i].values
		}
	}
}
