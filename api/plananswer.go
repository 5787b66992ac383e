package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// PlanAnswer is a plan as it is shown and kept: who goes where and when, what
// that leaves, and how far it is at most from the best.
type PlanAnswer struct {
	ID string `json:"id,omitempty"`
	*plan.Plan
	Sorties   []SortieAnswer   `json:"sorties"`
	PlannedAs []plan.Unit      `json:"units_as_planned"` // with what was filled in
	BoundFor  string           `json:"upper_bound_is_for"`
	Weather   []plan.Spell     `json:"weather_as_planned"`
	NightIs   string           `json:"night_is"`
	Draw      [][]plan.Sortie  `json:"draw,omitempty"` // by window
	Marginals []plan.Marginal  `json:"marginals,omitempty"`
	WhatIf    *planWhatIf      `json:"what_if,omitempty"`
	AsOf      time.Time        `json:"as_of"`
	Model     string           `json:"model"`
	Version   string           `json:"version"`
	Synthetic bool             `json:"synthetic"`
	Mark      *exportMarkWords `json:"mark,omitempty"`
}

// exportMarkWords say in JSON who took a plan.
type exportMarkWords struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// SortieAnswer is a sortie with its way: when the unit is where.
type SortieAnswer struct {
	plan.Sortie
	Country string            `json:"country"`
	Agency  string            `json:"agency,omitempty"`
	Mode    string            `json:"mode"`
	Track   *geojson.Geometry `json:"track"`
	TrackS  []int64           `json:"track_s"` // seconds after departure, one for each vertex
}

// planWhatIf is what the assessment itself makes of the sorties as patrols, in
// its own window.
type planWhatIf struct {
	Before  float64       `json:"residual_30d_before"`
	After   float64       `json:"residual_30d_after"`
	Changed []levelChange `json:"levels_changed"`
}

type levelChange struct {
	SectionID string     `json:"section_id"`
	From      risk.Level `json:"from"`
	To        risk.Level `json:"to"`
}

// Bounds of the ways that an answer holds.
const (
	mostSortieVertices = 5_000
	mostPlanVertices   = 500_000
)

func emptySpells(list []plan.Spell) []plan.Spell {
	if list == nil {
		return []plan.Spell{}
	}
	return list
}

// visitText says where a sortie is when: "02:17-05:42 S012 1.7 h, S013 1.7 h; ...".
func (s SortieAnswer) visitText() string {
	var visits []string
	for _, v := range s.Visits {
		var parts []string
		for _, x := range v.Sections {
			parts = append(parts, fmt.Sprintf("%s %.1f h", x.Section, x.Hours))
		}
		visits = append(visits, fmt.Sprintf("%s-%s %s", v.Arrives.UTC().Format("15:04"), v.Leaves.UTC().Format("15:04"), strings.Join(parts, ", ")))
	}
	return strings.Join(visits, "; ")
}

func (q PlanRequest) answer(ctx context.Context, a *risk.Assessment, p *plan.Plan) (*PlanAnswer, error) {
	m := a.Model.Coverage
	out := &PlanAnswer{Plan: p, Sorties: []SortieAnswer{}, PlannedAs: q.units(&m), Weather: emptySpells(q.spells(&m)),
		AsOf: a.AsOf, Model: a.Model.Version, Version: a.Version, Synthetic: a.Synthetic}
	units := map[string]plan.Unit{}
	for _, u := range out.PlannedAs {
		units[u.ID] = u
	}
	vertices := min(mostSortieVertices, mostPlanVertices/max(1, len(p.Sorties)))
	for _, s := range p.Sorties {
		line, times := p.Track(s, vertices)
		u := units[s.Unit]
		d := SortieAnswer{Sortie: s, Country: u.Country, Agency: u.Agency, Mode: u.Mode,
			Track: geojson.NewGeometry(orb.Round(line.Clone(), 1e5)), TrackS: make([]int64, len(times))}
		for i, t := range times {
			d.TrackS[i] = int64(t.Sub(s.Departs) / time.Second)
		}
		out.Sorties = append(out.Sorties, d)
	}
	if q.Draw > 0 {
		out.Draw = p.Draw(q.Draw, q.Seed)
		for w, list := range out.Draw {
			for i := range list {
				shift(&list[i], time.Duration(w*p.WindowDays)*24*time.Hour)
			}
		}
	}
	if q.Marginals {
		out.Marginals = p.Marginals()
	}
	if q.WhatIf {
		return out, out.addWhatIf(ctx, a)
	}
	return out, nil
}

func shift(s *plan.Sortie, by time.Duration) {
	for _, t := range []*time.Time{&s.Departs, &s.OnBeat, &s.OffBeat, &s.Returns} {
		*t = t.Add(by)
	}
	for i := range s.Visits {
		s.Visits[i].Arrives, s.Visits[i].Leaves = s.Visits[i].Arrives.Add(by), s.Visits[i].Leaves.Add(by)
	}
}

// of is the plan with the sorties of one unit; "" is all.
func (p *PlanAnswer) of(unit string) ([]SortieAnswer, error) {
	if unit == "" {
		return p.Sorties, nil
	}
	if !slices.ContainsFunc(p.PlannedAs, func(u plan.Unit) bool { return u.ID == unit }) {
		return nil, badParameter("unit", "the plan has no unit %s", quoted(unit))
	}
	out := []SortieAnswer{}
	for _, s := range p.Sorties {
		if s.Unit == unit {
			out = append(out, s)
		}
	}
	return out, nil
}

// layer makes patrol tracks of the sorties, of one unit or of all.
func (p *PlanAnswer) layer(unit string) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: "planned_patrols", Title: "Planned patrols", Kind: geo.KindPatrolTrack, Synthetic: p.Synthetic})
	sorties, _ := p.of(unit)
	for i, s := range sorties {
		line, ok := s.Track.Geometry().(orb.LineString)
		if !ok {
			continue
		}
		f := geo.Feature{ID: fmt.Sprintf("%s-%d", s.Unit, i+1), Geometry: line, From: s.Departs, To: s.Returns, Properties: map[string]any{
			"name": s.Unit + " " + s.Departs.UTC().Format("2006-01-02 15:04Z"), "unit": s.Unit, "mode": s.Mode, "country": s.Country, "agency": s.Agency, "status": "planned",
			"desc":     "planned, times UTC: " + s.visitText(),
			"explores": s.Explores, "joint": s.Joint,
		}}
		for _, sec := range s.TrackS {
			f.VertexTimes = append(f.VertexTimes, s.Departs.Add(time.Duration(sec)*time.Second))
		}
		b.Add(f)
	}
	return b.Layer()
}

// PlanFormat is a form of a plan.
type PlanFormat string

// The forms.
const (
	PlanJSON    PlanFormat = "json"
	PlanGeoJSON PlanFormat = "geojson"
	PlanGPX     PlanFormat = "gpx"
	PlanKML     PlanFormat = "kml"
	PlanCSV     PlanFormat = "csv"
)

// PlanFormats lists the forms of a plan.
func PlanFormats() []PlanFormat {
	return []PlanFormat{PlanJSON, PlanGeoJSON, PlanGPX, PlanKML, PlanCSV}
}

func (f PlanFormat) contentType() string {
	switch f {
	case PlanGPX:
		return "application/gpx+xml"
	case PlanKML:
		return "application/vnd.google-earth.kml+xml"
	}
	return GapFormat(f).contentType()
}

// Render writes the plan, or one unit's part of it. A mark says who took it.
func (p *PlanAnswer) Render(format PlanFormat, unit string, mark geo.ExportMark) ([]byte, error) {
	sorties, err := p.of(unit)
	if err != nil {
		return nil, err
	}
	switch format {
	case PlanGeoJSON, PlanGPX, PlanKML:
		var out bytes.Buffer
		err := data.Export{Layer: p.layer(unit), Mark: mark}.Write(context.Background(), &out, string(format))
		return out.Bytes(), err
	case PlanCSV:
		return planCSV(sorties, mark)
	}
	whole := *p
	if whole.BoundFor == "" {
		whole = *p.In(tiles.English)
	}
	whole.Sorties = sorties
	if mark.ID != "" {
		whole.Mark = &exportMarkWords{mark.ID, mark.Text}
	}
	b, err := json.Marshal(whole)
	return append(b, '\n'), err
}

func planCSV(sorties []SortieAnswer, mark geo.ExportMark) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	num := func(v float64) string { return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'g', -1, 64) }
	rows := [][]string{{"unit", "country", "agency", "mode", "departs", "on_beat", "off_beat", "returns", "sections", "beat_km", "passes", "expected_met", "explores", "joint", "visits", "spd_export"}}
	for _, s := range sorties {
		row := []string{safeCell(s.Unit), s.Country, safeCell(s.Agency), s.Mode}
		for _, t := range []time.Time{s.Departs, s.OnBeat, s.OffBeat, s.Returns} {
			row = append(row, t.UTC().Format(time.RFC3339))
		}
		rows = append(rows, append(row, safeCell(strings.Join(s.Sections, " ")), num(s.BeatKM), num(s.Passes), num(s.Met),
			strconv.FormatBool(s.Explores), strconv.FormatBool(s.Joint), safeCell(s.visitText()), mark.ID))
	}
	err := w.WriteAll(rows)
	return out.Bytes(), err
}
