package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

// Profile is a named way of reading the files of one source: which columns
// feed the fields, and how their words and times are to be understood.
type Profile struct {
	Name  string        `json:"name"`
	Title string        `json:"title,omitempty"`
	Note  string        `json:"note,omitempty"`
	Kind  geo.LayerKind `json:"kind,omitempty"`
	// Owner is the agency that saved it, as COUNTRY/AGENCY, which alone changes
	// it; "" where nobody signs in.
	Owner string `json:"owner,omitempty"`
	// Map gives each field its columns, of which the first that the file has
	// counts, or a constant after =. Letter case and signs of columns do not
	// matter.
	Map map[string]Sources `json:"map"`
	// Values gives the words of a field their codes; letter case does not
	// matter.
	Values map[string]map[string]string `json:"values,omitempty"`
	// Drop lists columns that are not stored, such as those that tell who it
	// was; letter case and signs do not matter.
	Drop      []string  `json:"drop,omitempty"`
	CRS       string    `json:"crs,omitempty"`
	TZ        string    `json:"tz,omitempty"`
	DateOrder DateOrder `json:"date_order,omitempty"`
	Builtin   bool      `json:"builtin,omitempty"` // ships with the program
}

// Sources are columns, or one constant; in JSON a text or a list of texts.
type Sources []string

// UnmarshalJSON reads a text or a list of texts.
func (s *Sources) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*s = Sources{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(s))
}

// StarterProfiles returns the profiles that ship with the program.
func StarterProfiles() []Profile {
	return []Profile{
		{Name: "aggregate_statistics", Title: "Aggregate statistics", Kind: geo.KindIncident,
			Note: "Counts of an area and a month or another period. They get no place: an area's centre would be a place where nothing happened.",
			Map: map[string]Sources{
				"kind": {"=agg.statistic"}, "admin_code": {"admin_code", "area_code", "kode_wilayah", "kod_kawasan"},
				"area":            {"area", "wilayah", "kawasan", "provinsi", "negeri", "kabupaten", "daerah", "province", "district"},
				"occurred_from":   {"period_from", "month", "period", "bulan", "periode", "tempoh"},
				"occurred_to":     {"period_to"},
				"measure":         {"measure", "indicator", "indikator"},
				"count":           {"count", "value", "jumlah", "bilangan", "total"},
				"reporter_agency": {"reporter_agency", "agency", "instansi", "agensi"},
			}},
		{Name: "ais", Title: "AIS positions of patrol vessels", Kind: geo.KindPatrolTrack, TZ: "UTC",
			Note: "Positions as the Marine Cadastre names their columns, in UTC; the MMSI is the track. Send them in small batches with mode=append. Names, call signs and IMO numbers are left out.",
			Map: map[string]Sources{
				"track_id": {"MMSI"}, "time": {"BaseDateTime", "base_date_time", "Timestamp", "Received at"},
				"lat": {"LAT", "Latitude"}, "lon": {"LON", "Longitude"},
				"sog_kn": {"SOG", "Speed Over Ground"}, "cog_deg": {"COG", "Course Over Ground"},
				"mode": {"=sea_boat"},
			},
			Drop: []string{"VesselName", "Ship name", "Name", "CallSign", "IMO", "IMO number"}},
		{Name: "earthranger", Title: "EarthRanger events", Kind: geo.KindIncident,
			Note: "Events as table or GeoJSON. Give the words of your event types their kinds under values.",
			Map: map[string]Sources{
				"external_id":   {"Report Id", "serial_number", "Event Id", "id"},
				"occurred_from": {"Reported At", "time", "reported_at", "Event Time"},
				"kind":          {"Report Type Internal Value", "event_type", "Report Type"},
				"lat":           {"Latitude", "location_latitude"}, "lon": {"Longitude", "location_longitude"},
				"source_system": {"=earthranger"}, "discovery": {"=patrol"},
			}},
		{Name: "missing_migrants", Title: "IOM Missing Migrants Project", Kind: geo.KindIncident,
			Note: "Deaths and disappearances of migrants. Drownings become mar.distress_sinking, all other deaths res.recovered_body.",
			Map: map[string]Sources{
				"external_id":   {"Main ID", "Web ID", "id"},
				"occurred_from": {"Incident Date", "Reported Date", "date"},
				"deaths":        {"Number of Dead", "Number Dead", "dead"},
				"missing":       {"Minimum Estimated Number of Missing", "missing"},
				"kind":          {"Cause of Death", "cause"},
				"latlon":        {"Coordinates", "Location Coordinates"},
				"source_system": {"=iom_missing_migrants"}, "reporter_agency": {"=IOM"},
			},
			Values: map[string]map[string]string{"kind": {"drowning": "mar.distress_sinking", "presumed drowning": "mar.distress_sinking",
				"probable drowning": "mar.distress_sinking", "unknown": "res.recovered_body", "*": "res.recovered_body"}}},
		{Name: "smart", Title: "SMART patrol observations", Kind: geo.KindIncident,
			Note: "A query of observations as table. Give the words of your data model their kinds under values; patrols themselves come as GPX.",
			Map: map[string]Sources{
				"external_id":   {"Observation UUID", "Observation ID", "Waypoint UUID", "Waypoint ID"},
				"occurred_from": {"Waypoint Date", "Incident Date", "Date"},
				"time_of_day":   {"Waypoint Time", "Incident Time", "Time"},
				"kind":          {"Observation Category 2", "Observation Category 1", "Observation Category 0", "Observation Category", "Category"},
				"lon":           {"X", "Waypoint X", "Longitude"}, "lat": {"Y", "Waypoint Y", "Latitude"},
				"source_system": {"=smart"}, "discovery": {"=patrol"},
			}},
	}
}

var profileName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// maxProfiles and maxProfileWords bound what the store keeps of profiles.
const (
	maxProfiles     = 100
	maxProfileWords = 1000
)

// Check returns a *Refusal that says what is wrong with a profile.
func (p Profile) Check() error {
	bad := func(format string, args ...any) error { return refuse(422, "bad_profile", format, args...) }
	switch {
	case !profileName.MatchString(p.Name):
		return bad("%s cannot name a profile: use small letters, digits, - and _, at most 64", show(p.Name))
	case p.Kind != "" && !slices.Contains(geo.LayerKinds(), p.Kind):
		return bad("the kind %s is not known", show(string(p.Kind)))
	case p.DateOrder != "" && p.DateOrder != DMY && p.DateOrder != MDY && p.DateOrder != YMD:
		return bad("the date order %s is not dmy, mdy or ymd", show(string(p.DateOrder)))
	case len(p.Drop) > 256 || slices.ContainsFunc(p.Drop, func(c string) bool { return c == "" || len(c) > maxNameBytes }):
		return bad("drop lists more than 256 columns, or one without a name")
	case len(p.Map) > 256:
		return bad("the profile maps more than 256 fields")
	case personal([]byte(p.Title), true)+personal([]byte(p.Note), false) != "" || len(p.Title) > maxNameBytes || len(p.Note) > 2000:
		return bad("the title or note is too long, or looks like it holds what must never be stored")
	}
	if _, err := ParseZone(p.TZ); err != nil {
		return err
	}
	if _, refusal := parseCRS(p.CRS); refusal != nil {
		return refusal
	}
	for field, sources := range p.Map {
		if !p.hasField(field) {
			return bad("%s is not a field of the kind %s; it has: %s; a column that is not mapped is stored under its own name", show(field), p.Kind, strings.Join(fieldNames(p.Kind), ", "))
		}
		if field == "" || len(field) > maxNameBytes || len(sources) == 0 || len(sources) > 32 {
			return bad("the field %s needs a name and 1 to 32 columns", show(field))
		}
		for _, s := range sources {
			if s == "" || s == "=" || len(s) > maxNameBytes || strings.HasPrefix(s, "=") && (len(sources) > 1 || personal([]byte(s[1:]), true) != "") {
				return bad("the field %s cannot come from %s", show(field), show(s))
			}
		}
	}
	return p.checkValues()
}

// mappedFields can be mapped beside the fields of a kind: the place, the time
// of day, and what a count of an area has.
var mappedFields = []string{"lon", "lat", "wkt", "latlon", "lonlat", "time_of_day", geo.HeightsField}
var statisticFields = []string{"area", "measure", "count"}

// hasField tells whether a field exists for the profile's kind. Kinds without
// a schema of their own take any.
func (p Profile) hasField(name string) bool {
	switch {
	case p.Kind == "" || !hasSchema(p.Kind):
		return true
	case slices.Contains(mappedFields, name), p.Kind == geo.KindIncident && slices.Contains(statisticFields, name):
		return true
	case p.Kind == geo.KindPatrolTrack && slices.Contains(geo.FixFields[:], name):
		return true
	case p.Kind == geo.KindPatrolTrack && vertexTimeNames[strings.ToLower(name)]:
		return true
	}
	return slices.Contains(fieldNames(p.Kind), name) || name == "id" || name == "external_id"
}

func fieldNames(kind geo.LayerKind) []string {
	var names []string
	for _, f := range Fields(kind) {
		names = append(names, f.Name)
	}
	return names
}

func (p Profile) checkValues() error {
	for field, words := range p.Values {
		schemas := p.codeFields(field)
		if len(schemas) == 0 {
			of := "of any kind"
			if p.Kind != "" {
				of = "of the kind " + show(string(p.Kind))
			}
			return refuse(422, "bad_profile", "%s is not a field of codes %s", show(field), of)
		}
		if len(words) > maxProfileWords {
			return refuse(422, "bad_profile", "%s has more than %d words", show(field), maxProfileWords)
		}
		for word, code := range words {
			if !knowsCode(schemas, code) || len(word) > maxNameBytes || personal([]byte(word), true) != "" {
				return refuse(422, "bad_profile", "the word %s of %s cannot become %s, which must be one of %s", show(word), field, show(code), showList(codesOf(schemas)))
			}
		}
	}
	for field, sources := range p.Map {
		constant, isConstant := strings.CutPrefix(sources[0], "=")
		if schemas := p.codeFields(field); isConstant && len(schemas) > 0 && !knowsCode(schemas, constant) {
			return refuse(422, "bad_profile", "the field %s cannot be %s, which must be one of %s", show(field), show(constant), showList(codesOf(schemas)))
		}
	}
	return nil
}

// codeFields returns the fields of codes of a name: that of the profile's kind,
// or of a profile without one those of every kind, of which one will do.
func (p Profile) codeFields(name string) []Field {
	kinds := geo.LayerKinds()
	if p.Kind != "" {
		kinds = []geo.LayerKind{p.Kind}
	}
	var out []Field
	for _, kind := range kinds {
		for _, f := range Fields(kind) {
			if f.Name == name && (f.Type == TypeCode || f.Type == TypeCodes) {
				out = append(out, f)
			}
		}
	}
	return out
}

func knowsCode(fields []Field, code string) bool {
	return slices.ContainsFunc(fields, func(f Field) bool {
		_, known := f.code(code)
		return known
	})
}

func codesOf(fields []Field) []string {
	var codes []string
	for _, f := range fields {
		codes = append(codes, f.Codes...)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// Apply fills in what the options leave open.
func (p Profile) Apply(o *ImportOptions) {
	explicit := map[string]bool{}
	for _, m := range o.Mapping {
		explicit[m.Field] = true
	}
	mapping := slices.Clone(o.Mapping)
	for _, field := range slices.Sorted(maps.Keys(p.Map)) {
		if explicit[field] {
			continue
		}
		for _, s := range p.Map[field] {
			if constant, isConstant := strings.CutPrefix(s, "="); isConstant {
				mapping = append(mapping, MappedField{Field: field, Constant: constant})
			} else {
				mapping = append(mapping, MappedField{Field: field, Column: s, Optional: true})
			}
		}
	}
	o.Mapping, o.Values, o.Drop = mapping, p.Values, p.Drop
	if o.CRS == "" {
		o.CRS = p.CRS
	}
	if o.TZ == "" {
		o.TZ = p.TZ
	}
	if o.DateOrder == "" {
		o.DateOrder = p.DateOrder
	}
}

// profilesSetting is where a store keeps its profiles.
const profilesSetting = "profiles"

// Profiles lists the profiles by name: those of the store, and the starters
// that it has no other version of.
func Profiles(ctx context.Context, s Store) ([]Profile, error) {
	stored, err := storedProfiles(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, p := range StarterProfiles() {
		if _, replaced := stored[p.Name]; !replaced {
			p.Builtin = true
			stored[p.Name] = p
		}
	}
	list := make([]Profile, 0, len(stored))
	for _, name := range sortedKeys(stored) {
		list = append(list, stored[name])
	}
	return list, nil
}

func storedProfiles(ctx context.Context, s Store) (map[string]Profile, error) {
	stored := map[string]Profile{}
	if s == nil { // a dry run without a store
		return stored, nil
	}
	raw, err := s.Setting(ctx, profilesSetting)
	if errors.Is(err, ErrNotFound) {
		return stored, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &stored)
	}
	if err != nil {
		return nil, fmt.Errorf("read the profiles: %w", err)
	}
	return stored, nil
}

// FindProfile returns a profile by its name; a *Refusal lists the names when
// there is none.
func FindProfile(ctx context.Context, s Store, name string) (Profile, error) {
	list, err := Profiles(ctx, s)
	if err != nil {
		return Profile{}, err
	}
	var names []string
	for _, p := range list {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, refuse(422, "unknown_profile", "there is no profile %s; there are: %s", show(name), showList(names))
}

// SaveProfile stores a profile, in place of one of the same name.
func SaveProfile(ctx context.Context, s Store, p Profile) error {
	if err := p.Check(); err != nil {
		return err
	}
	stored, err := storedProfiles(ctx, s)
	if err != nil {
		return err
	}
	p.Builtin = false
	if stored[p.Name] = p; len(stored) > maxProfiles {
		return refuse(422, "too_many_profiles", "the store has %d profiles already; change one of them", maxProfiles)
	}
	raw, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	return s.SetSetting(ctx, profilesSetting, raw)
}
