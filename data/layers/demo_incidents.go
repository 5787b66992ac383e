package layers

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// hotspot is where demonstration incidents cluster. On land they lie along the
// border round at, at sea beside the lane from at to to, at ports round at.
type hotspot struct {
	medium   string // land_path, sea or port
	at, to   orb.Point
	spreadKM float64 // standard deviation along the border, or beside the lane
	weight   float64
}

func hotspots() []hotspot {
	weights := map[string]float64{"entikong": 14, "aruk": 8, "nanga-badau": 7, "jagoi-babang": 8, "sei-kelik": 5, "long-midang": 3}
	out := []hotspot{
		{medium: "land_path", at: orb.Point{117.3, 4.17}, spreadKM: 9, weight: 3},
		{medium: "land_path", weight: 6, spreadKM: math.Inf(1)}, // anywhere along the border
		{medium: "sea", at: orb.Point{104.02, 1.22}, to: orb.Point{104.17, 1.34}, spreadKM: 4, weight: 14},
		{medium: "sea", at: orb.Point{104.40, 1.28}, to: orb.Point{104.32, 1.55}, spreadKM: 6, weight: 7},
		{medium: "sea", at: orb.Point{103.45, 1.10}, to: orb.Point{103.43, 1.28}, spreadKM: 4, weight: 6},
		{medium: "sea", at: orb.Point{101.75, 2.05}, to: orb.Point{102.15, 2.12}, spreadKM: 7, weight: 8},
		{medium: "sea", at: orb.Point{100.05, 3.05}, to: orb.Point{101.15, 2.95}, spreadKM: 10, weight: 8},
		{medium: "sea", at: orb.Point{101.55, 2.15}, to: orb.Point{101.75, 2.45}, spreadKM: 6, weight: 4},
		{medium: "sea", at: orb.Point{117.83, 4.21}, to: orb.Point{118.02, 4.15}, spreadKM: 3, weight: 14},
		{medium: "sea", at: orb.Point{109.60, 2.12}, to: orb.Point{109.75, 2.10}, spreadKM: 4, weight: 2},
		{medium: "port", at: orb.Point{117.6507, 4.13841}, spreadKM: 0.6, weight: 5},
		{medium: "port", at: orb.Point{104.0533, 1.1306}, spreadKM: 0.6, weight: 3},
		{medium: "port", at: orb.Point{117.89115, 4.24482}, spreadKM: 0.6, weight: 2},
		{medium: "port", at: orb.Point{101.44316, 1.66711}, spreadKM: 0.6, weight: 1},
	}
	for _, a := range Areas() {
		if w := weights[a.ID]; w > 0 {
			out = append(out, hotspot{medium: "land_path", at: a.Point, spreadKM: 9, weight: w})
		}
	}
	return out
}

// choice is a value with its weight; the value is boxed once, here.
type choice struct {
	value  any
	weight float64
}

// pick draws by weight; the weights need not add up to 1.
func pick(rng *rand.Rand, choices []choice) any {
	total := 0.0
	for i := range choices {
		total += choices[i].weight
	}
	u := rng.Float64() * total
	for i := range choices {
		if u -= choices[i].weight; u < 0 {
			return choices[i].value
		}
	}
	return choices[len(choices)-1].value
}

// incidentTables holds the shares by which codes are drawn, by medium. They
// are plausible, not estimated from anything.
type incidentTables struct {
	kinds      map[string][]choice
	monsoon    []choice // kinds at sea from November to March
	discovery  map[string][]choice
	agencies   map[string][]choice // by country and medium
	precision  []choice
	confidence []choice
	referral   []choice // of trafficking kinds
	stages     []choice
	severity   map[any]int
}

func newIncidentTables() *incidentTables {
	return &incidentTables{
		kinds: map[string][]choice{
			"land_path": {{"irr.exit", 30}, {"irr.entry", 25}, {"som.attempt", 15}, {"som.transport", 10}, {"tip.presumed", 7},
				{"tip.child", 3}, {"obs.new_path", 3}, {"obs.suspicious_movement", 4}, {"irr.nonprocedural_worker", 3}},
			"sea": {{"mar.interception", 42}, {"mar.landing", 18}, {"som.attempt", 12}, {"irr.exit", 10}, {"irr.entry", 8},
				{"tip.presumed", 4}, {"obs.hidden_boat", 3}, {"mar.distress_sinking", 1.5}},
			"port": {{"irr.refused_departure", 35}, {"irr.nonprocedural_worker", 25}, {"doc.imposter", 10}, {"doc.fraudulently_obtained", 12},
				{"doc.forged", 8}, {"tip.recruitment_fraud", 6}, {"tip.presumed", 4}},
		},
		monsoon: []choice{{"mar.interception", 40}, {"mar.landing", 18}, {"som.attempt", 12}, {"irr.exit", 10}, {"irr.entry", 8},
			{"tip.presumed", 4}, {"obs.hidden_boat", 3}, {"mar.distress_sinking", 5}},
		discovery: map[string][]choice{
			"land_path": {{"patrol", 35}, {"intelligence_led", 18}, {"reported_public", 17}, {"checkpoint", 12}, {"reported_victim", 5},
				{"reported_ngo", 5}, {"hotline", 3}, {"unknown", 5}},
			"sea":  {{"patrol", 45}, {"intelligence_led", 20}, {"sensor", 8}, {"reported_public", 15}, {"other_agency", 6}, {"unknown", 6}},
			"port": {{"checkpoint", 60}, {"intelligence_led", 20}, {"reported_ngo", 6}, {"reported_public", 6}, {"hotline", 4}, {"unknown", 4}},
		},
		agencies: map[string][]choice{
			"ID land_path": {{"TNI-PAMTAS", 50}, {"POLRI", 30}, {"IMI", 15}, {"BC", 5}},
			"MY land_path": {{"PGA", 50}, {"ATM-TDM", 25}, {"JIM", 15}, {"PDRM", 10}},
			"ID sea":       {{"POLAIRUD", 35}, {"TNI-AL", 35}, {"BAKAMLA", 15}, {"BC", 15}},
			"MY sea":       {{"APMM/MMEA", 60}, {"PPM", 30}, {"PDRM", 10}},
			"ID port":      {{"IMI", 40}, {"KP2MI/BP3MI", 40}, {"POLRI", 20}},
			"MY port":      {{"JIM", 60}, {"AKPS", 40}},
		},
		precision:  []choice{{100.0, 15}, {500.0, 25}, {1000.0, 25}, {2000.0, 15}, {5000.0, 15}, {10000.0, 5}},
		confidence: []choice{{"confirmed", 60}, {"probable", 28}, {"possible", 12}},
		referral:   []choice{{"made", 50}, {"needed", 25}, {"unknown", 25}},
		stages:     []choice{{"at_border", 65}, {"transport_in_origin", 18}, {"transit", 10}, {"unknown", 7}},
		severity: map[any]int{"tip.child": 5, "mar.distress_sinking": 5, "tip.presumed": 4, "som.attempt": 3, "som.transport": 3,
			"mar.interception": 3, "mar.landing": 3, "tip.recruitment_fraud": 3, "obs.new_path": 1, "obs.suspicious_movement": 1, "obs.hidden_boat": 1},
	}
}

// incidents makes opts.Incidents incidents in no order of time.
func (d *demo) incidents() iter.Seq[geo.Feature] {
	return func(yield func(geo.Feature) bool) {
		g := &incidentMaker{
			demo: d, rng: d.random(streamIncidents), tables: newIncidentTables(), spots: hotspots(),
			ends: holidayWindows(), properties: map[string]any{},
		}
		for i := range g.spots {
			g.total += g.spots[i].weight
			g.spots[i].to = toOrAt(g.spots[i])
			g.alongKM = append(g.alongKM, d.border.nearestKM(g.spots[i].at))
		}
		id := []byte("demo-incident-")
		for n := 1; n <= d.opts.Incidents; n++ {
			f := g.next()
			f.ID = string(strconv.AppendInt(id, int64(n), 10))
			if !yield(f) {
				return
			}
		}
	}
}

func toOrAt(s hotspot) orb.Point {
	if s.to == (orb.Point{}) {
		return s.at
	}
	return s.to
}

type incidentMaker struct {
	*demo
	rng        *rand.Rand
	tables     *incidentTables
	spots      []hotspot
	total      float64
	alongKM    []float64 // of each hotspot on the border
	ends       [][2]time.Time
	properties map[string]any
}

func (g *incidentMaker) next() geo.Feature {
	k := g.spot()
	spot := g.spots[k]
	at, country := g.place(k)
	day, homeward := g.day(spot.medium)
	kinds := g.tables.kinds[spot.medium]
	if spot.medium == "sea" && monsoon(day) {
		kinds = g.tables.monsoon
	}
	f := geo.Feature{Geometry: at, Properties: g.properties}
	p := f.Properties
	clear(p)
	kind := pick(g.rng, kinds)
	p["kind"], p["kind_confidence"] = kind, pick(g.rng, g.tables.confidence)
	p["medium"], p["country"], p["synthetic"] = spot.medium, country, true
	p["direction"] = g.direction(homeward)
	p["stage"] = pick(g.rng, g.tables.stages)
	discovery := pick(g.rng, g.tables.discovery[spot.medium])
	p["discovery"], p["reporter_agency"] = discovery, g.agency(discovery, country, spot.medium)
	p["severity"] = g.severity(kind)
	p["location_precision_m"] = pick(g.rng, g.tables.precision)
	p["release"], p["handling"] = "national", "TLP:AMBER"
	p["status_id"], p["status_my"] = "not_assessed", "not_assessed"
	if name, _ := kind.(string); strings.HasPrefix(name, "tip.") {
		p["referral"] = pick(g.rng, g.tables.referral)
	}
	g.persons(p, kind, spot.medium)
	f.From, f.To = g.instant(p, day, spot.medium, country, at[0])
	return f
}

func (g *incidentMaker) spot() int {
	u := g.rng.Float64() * g.total
	for i := range g.spots {
		if u -= g.spots[i].weight; u < 0 {
			return i
		}
	}
	return len(g.spots) - 1
}

// place draws a position on the right medium and says in which country it is,
// on the high sea in which country's direction.
func (g *incidentMaker) place(k int) (orb.Point, string) {
	spot := g.spots[k]
	for range 200 {
		switch spot.medium {
		case "sea":
			p, owner, ok := g.besideLane(g.rng, spot)
			if owner == "" {
				owner = [...]string{"ID", "MY"}[g.rng.IntN(2)]
			}
			if ok {
				return p, owner
			}
		case "port":
			p := roundPoint(move(spot.at, g.rng.Float64()*360, spot.spreadKM*math.Abs(g.rng.NormFloat64())))
			if owner := g.waters.At(p); owner == "ID" || owner == "MY" {
				return p, owner
			}
		default:
			km := g.rng.Float64() * g.border.length()
			if !math.IsInf(spot.spreadKM, 1) {
				km = g.alongKM[k] + spot.spreadKM*g.rng.NormFloat64()
			}
			p := roundPoint(move(g.border.at(km), g.rng.Float64()*360, 2.5*g.rng.ExpFloat64()))
			if ground := g.land.At(p); ground == "ID" || ground == "MY" {
				return p, ground
			}
		}
	}
	return g.fallback(spot)
}

// fallback is for a hotspot whose surroundings are nearly all wrong.
func (g *incidentMaker) fallback(spot hotspot) (orb.Point, string) {
	p, _ := near(spot.at, 30, func(q orb.Point) bool {
		return (g.land.At(q) == "") == (spot.medium == "sea") && g.waters.At(q) != ""
	})
	return p, g.waters.At(p)
}

// direction draws the way of the flow; homeward is the share that goes from
// Malaysia to Indonesia.
func (g *incidentMaker) direction(homeward float64) any {
	switch u := g.rng.Float64(); {
	case u < 0.03:
		return "transit_third"
	case u < 0.05:
		return "unknown"
	case (u-0.05)/0.95 < homeward:
		return "my_to_id"
	default:
		return "id_to_my"
	}
}

func (g *incidentMaker) agency(discovery any, country, medium string) any {
	switch discovery {
	case "reported_ngo":
		return "NGO"
	case "hotline":
		return "HOTLINE"
	}
	return pick(g.rng, g.tables.agencies[country+" "+medium])
}

func (g *incidentMaker) severity(kind any) any {
	s, known := g.tables.severity[kind]
	if !known {
		s = 2
	}
	if u := g.rng.Float64(); u < 0.15 {
		s--
	} else if u > 0.85 {
		s++
	}
	return float64(max(1, min(5, s)))
}

func (g *incidentMaker) persons(p map[string]any, kind any, medium string) {
	mean := 4.0
	if medium == "sea" {
		mean = 14
	}
	total := 1 + math.Floor(mean*g.rng.ExpFloat64())
	p["persons_total"] = total
	if kind == "mar.distress_sinking" {
		lost := math.Floor(total * 0.4 * g.rng.Float64())
		dead := math.Floor(lost * g.rng.Float64())
		p["deaths"], p["missing"] = dead, lost-dead
	}
}

// day draws a day of the three years before AsOf with more incidents round
// the homecoming holiday and fewer at sea in the monsoon, and the share of
// the flow that goes homeward then.
func (g *incidentMaker) day(medium string) (day time.Time, homeward float64) {
	for {
		day = g.opts.AsOf.Add(-time.Duration((g.rng.Float64()*demoIncidentDays + 1) * 24 * float64(time.Hour)))
		weight := 1.0
		homeward = 0.35
		for _, w := range g.ends {
			if !day.Before(w[0]) && day.Before(w[1]) {
				weight, homeward = 1.6, 0.7
			}
		}
		if medium == "sea" && monsoon(day) {
			weight *= 0.6
		}
		if g.rng.Float64()*1.6 < weight {
			return day, homeward
		}
	}
}

// instant gives the incident an hour, at night more often than not away from
// ports, or for three in ten only a day.
func (g *incidentMaker) instant(p map[string]any, day time.Time, medium, country string, lon float64) (from, to time.Time) {
	if g.rng.Float64() < 0.3 {
		p["date_precision"] = "day"
		from = localHour(day, 0, country, lon)
		return from, from.Add(24*time.Hour - time.Second)
	}
	p["date_precision"] = "minute"
	hour := 7 + 10*g.rng.Float64()
	if medium != "port" && g.rng.Float64() < 0.7 {
		hour = math.Mod(19+9*g.rng.Float64(), 24)
	}
	from = localHour(day, hour, country, lon).Truncate(time.Minute)
	return from, from
}

// holidayWindows returns the times from four weeks before to two weeks after
// Idulfitri (Hari Raya Aidilfitri). The dates are the civil holidays up to
// 2026 and astronomical estimates after; other years have no window.
func holidayWindows() [][2]time.Time {
	var out [][2]time.Time
	for _, s := range []string{"2019-06-05", "2020-05-24", "2021-05-13", "2022-05-02", "2023-04-22", "2024-04-10",
		"2025-03-31", "2026-03-21", "2027-03-10", "2028-02-27", "2029-02-15", "2030-02-05"} {
		if t, err := time.Parse(time.DateOnly, s); err == nil {
			out = append(out, [2]time.Time{t.AddDate(0, 0, -28), t.AddDate(0, 0, 14)})
		}
	}
	return out
}

const (
	demoWaterCrossings = 30
	demoIllegalPorts   = 60
)

// waterCrossings invents crossing places on the water beside the sea lanes.
func (d *demo) waterCrossings() iter.Seq[geo.Feature] {
	return func(yield func(geo.Feature) bool) {
		rng, lanes := d.random(streamWaterCrossings), seaLanes()
		for n := range demoWaterCrossings {
			lane := lanes[n%len(lanes)]
			p, owner, ok := d.besideLane(rng, lane)
			for try := 0; try < 500 && (!ok || owner == ""); try++ {
				p, owner, ok = d.besideLane(rng, lane)
			}
			if !ok || owner == "" {
				continue
			}
			if !yield(d.locality("water-crossing", n+1, p, "water_crossing", rng)) {
				return
			}
		}
	}
}

// illegalPorts invents landings on the coast near the ends of the sea lanes.
func (d *demo) illegalPorts() iter.Seq[geo.Feature] {
	return func(yield func(geo.Feature) bool) {
		rng, lanes := d.random(streamIllegalPorts), seaLanes()
		var shore []orb.Point
		for _, c := range d.coast {
			owner := d.waters.At(c)
			for _, l := range lanes {
				if (owner == "ID" || owner == "MY") && planeKM(c, between(l.at, l.to, 0.5)) < 40 {
					shore = append(shore, c)
					break
				}
			}
		}
		kinds := map[string][]choice{"ID": {{"pelabuhan_tikus", 2}, {"beach_landing", 1}}, "MY": {{"beach_landing", 2}, {"jeti_unregistered", 1}}}
		for n := range demoIllegalPorts {
			p := shore[rng.IntN(len(shore))]
			if !yield(d.locality("illegal-port", n+1, p, pick(rng, kinds[d.waters.At(p)]), rng)) {
				return
			}
		}
	}
}

func seaLanes() []hotspot {
	var out []hotspot
	for _, s := range hotspots() {
		if s.medium == "sea" {
			out = append(out, s)
		}
	}
	return out
}

func (d *demo) locality(what string, n int, p orb.Point, kind any, rng *rand.Rand) geo.Feature {
	p = roundPoint(p)
	return geo.Feature{
		ID:       fmt.Sprintf("demo-%s-%03d", what, n),
		Geometry: p,
		Properties: map[string]any{
			"name": fmt.Sprintf("Invented %s %d (synthetic)", what, n), "kind": kind, "status": "unknown", "country": d.waters.At(p),
			"location_precision_m": float64(500 * (1 + rng.IntN(6))), "verified": false, "synthetic": true,
		},
	}
}
