package plan

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// profileWeight is how many incidents the pooled week of all sections weighs in
// the week of one.
const profileWeight = 20

// Pieces cuts the sections of an assessment into pieces of about a length, along
// the border, each with its part of the section's undetected incidents by the
// hazard at its middle. cutKM 0: the sections as they are.
//
// The hours of the week are those of the section's incidents, drawn towards the
// week of all sections, and that towards even hours, as if that were
// profileWeight incidents.
func Pieces(a *risk.Assessment, o Options, cutKM float64) []Piece {
	pooled := evenWeek()
	for _, s := range a.Sections {
		addWeek(&pooled, s.Profile.Incidents, s.Profile.ZoneHours)
	}
	scaleWeek(&pooled, 1)
	harm := severities(a)
	var out []Piece
	for _, s := range inOrder(a.Sections) {
		week := pooled
		scaleWeek(&week, profileWeight)
		addWeek(&week, s.Profile.Incidents, s.Profile.ZoneHours)
		for _, p := range cut(a, s, cutKM, windowProfile(week, o)) {
			p.Unknown *= harm[s.ID]
			out = append(out, p)
		}
	}
	return out
}

// severities are the mean severity of the records of each section; one without
// records counts as the mean of the others, as nobody knows.
func severities(a *risk.Assessment) map[string]float64 {
	out, sum, n := map[string]float64{}, 0.0, 0.0
	for i, v := range a.SectionSeverity() {
		if out[a.Sections[i].ID] = v; v > 0 {
			sum, n = sum+v, n+1
		}
	}
	mean := 1.0
	if n > 0 {
		mean = sum / n
	}
	for id, v := range out {
		if !(v > 0) {
			out[id] = mean
		}
	}
	return out
}

func cut(a *risk.Assessment, s risk.Section, cutKM float64, profile []float64) []Piece {
	lines := []orb.LineString{s.Line}
	if cutKM > 0 {
		lines = geo.Cut(s.Line, math.Max(cutKM, 0.1)*1000)
	}
	shares, sum := make([]float64, len(lines)), 0.0
	for i, line := range lines {
		v, err := a.Value("hazard", a.DefaultView(), geo.Interpolate(line, geo.LengthM(line)/2))
		if err != nil || !(v > 0) {
			v = 0
		}
		shares[i] = v * geo.LengthM(line)
		sum += shares[i]
	}
	m := a.Model
	transient := m.Coverage.TransientHoursLand
	if s.Medium == risk.Shore {
		transient = m.Coverage.TransientHoursSea
	}
	days := float64(len(profile)) / 24
	out := make([]Piece, len(lines))
	for i, line := range lines {
		share := 1 / float64(len(lines))
		if sum > 0 {
			share = shares[i] / sum
		}
		km := geo.LengthM(line) / 1000
		e := times(s.Undetected, share*days/30)
		sd := (e.Hi80 - e.Lo80) / (2 * 1.2816) // of a normal distribution with that interval
		out[i] = Piece{
			Section: s.ID, Line: line, LengthKM: km, AreaKM2: math.Max(km, 0.01) * 2 * m.StripKM, Medium: s.Medium,
			Countries: actors(s), TransientH: transient, Expected: e, Profile: profile, Unknown: sd * sd,
			Blind: s.Class == risk.BlindSpot || s.Class == risk.BlindSpotPriority || s.Class == risk.NoReport,
		}
	}
	return out
}

// actors are the countries with somebody who may act at a section; where no
// jurisdiction is known, those that it lies between.
func actors(s risk.Section) []string {
	var out []string
	for _, w := range s.Authorities {
		if !slices.Contains(out, w.Country) {
			out = append(out, w.Country)
		}
	}
	if len(out) == 0 {
		return s.Countries
	}
	slices.Sort(out)
	return out
}

func times(e risk.Estimate, f float64) risk.Estimate {
	return risk.Estimate{Mean: e.Mean * f, Lo80: e.Lo80 * f, Hi80: e.Hi80 * f}
}

// inOrder lists sections so that those that join end to start follow each other.
func inOrder(sections []risk.Section) []risk.Section {
	at, starts := map[orb.Point]int{}, make([]bool, len(sections))
	for i, s := range sections {
		at[s.Line[0]], starts[i] = i, true
	}
	for _, s := range sections {
		if next, ok := at[s.Line[len(s.Line)-1]]; ok {
			starts[next] = false
		}
	}
	out, used := []risk.Section{}, make([]bool, len(sections))
	follow := func(i int) {
		for ok := true; ok && !used[i]; i, ok = at[sections[i].Line[len(sections[i].Line)-1]] {
			used[i] = true
			out = append(out, sections[i])
		}
	}
	for i := range sections {
		if starts[i] {
			follow(i)
		}
	}
	for i := range sections { // rings
		follow(i)
	}
	return out
}

// week holds a value for each hour of the week from Monday 0:00 UTC.
type week [168]float64

func evenWeek() (w week) {
	for h := range w {
		w[h] = 1.0 / 168 * profileWeight
	}
	return w
}

func addWeek(w *week, local risk.Week, zoneH int) {
	for d := range local {
		for h, v := range local[d] {
			w[((24*d+h-zoneH)%168+168)%168] += v
		}
	}
}

func scaleWeek(w *week, total float64) {
	sum := 0.0
	for _, v := range w {
		sum += v
	}
	for h := range w {
		w[h] *= total / sum
	}
}

// windowProfile returns the share of each hour of the window.
func windowProfile(w week, o Options) []float64 {
	out := make([]float64, 24*o.WindowDays)
	start := o.Start.UTC()
	first := 24*((int(start.Weekday())+6)%7) + start.Hour()
	sum := 0.0
	for h := range out {
		out[h] = w[(first+h)%168]
		sum += out[h]
	}
	for h := range out {
		out[h] /= sum
	}
	return out
}

// CountriesAt tells the countries of a place from an assessment's areas that
// name one.
func CountriesAt(a *risk.Assessment) func(orb.Point) []string {
	type land struct {
		country string
		area    *geo.Area
	}
	var lands []land
	for _, l := range a.Layers() {
		if l.Info.Kind != geo.KindArea {
			continue
		}
		for row := range l.Len() {
			if c := l.Text(row, "country"); c != "" {
				lands = append(lands, land{c, geo.NewArea(l.Geometry(row))})
			}
		}
	}
	return func(p orb.Point) (out []string) {
		for _, l := range lands {
			if !slices.Contains(out, l.country) && l.area.Covers(p) {
				out = append(out, l.country)
			}
		}
		return out
	}
}
