package route

import (
	"math"
	"time"

	"github.com/paulmach/orb"
)

// sectionWeek is how a section's patrols are spread over the hours of the week,
// by UTC; even: all the same.
type sectionWeek struct {
	factor [weekH]float64
	even   bool
}

const weekH = 7 * 24

func (s *scorer) weekOf(section int) *sectionWeek {
	if w := s.weeks[section]; w != nil {
		return w
	}
	w := newSectionWeek(s.a, section)
	s.weeks[section] = w
	return w
}

// clock is the hour of the week, from Monday 0 h UTC, as a traveller goes on;
// NaN: no hour in particular.
type clock struct {
	s    *scorer
	hour float64
}

func (s *scorer) clock(depart time.Time) clock {
	if depart.IsZero() {
		return clock{s, math.NaN()}
	}
	return clock{s, hourOfWeek(depart)}
}

// spend goes through a piece and returns the hours that it takes, each counted by
// how many patrols are about in it.
func (c *clock) spend(p *piece) (hours float64) {
	left := p.lengthM / 1000 / c.s.o.SpeedKMH
	if math.IsNaN(c.hour) {
		return left
	}
	from := c.hour
	c.hour += left
	if c.hour >= weekH {
		c.hour = math.Mod(c.hour, weekH)
	}
	if p.rate.Mid == 0 || p.rate.Section < 0 {
		return left
	}
	week := c.s.weekOf(p.rate.Section)
	if week.even {
		return left
	}
	if weeks := math.Floor(left / weekH); weeks > 0 { // the mean of a week is 1
		hours, left = weeks*weekH, left-weeks*weekH
	}
	for left > 0 {
		slot := int(from)
		part := math.Min(left, float64(slot+1)-from)
		hours += part * week.factor[slot%weekH]
		left -= part
		from = float64((slot + 1) % weekH)
	}
	return hours
}

// ByTime is how the chances change with when the traveller goes.
type ByTime struct {
	// Hours are by hour of departure, local time of the line's start: on the
	// weekday of Depart, or the mean of the week.
	Hours []HourRisk `json:"hours"`
	// Months are for a period with the rate of each month, January first.
	Months []MonthRisk `json:"months"`
	// HourWhy and MonthWhy say what the factors come from.
	HourWhy  string `json:"hour_why"`
	MonthWhy string `json:"month_why"`
	ZoneH    int    `json:"utc_offset_h"`
}

// HourRisk is for a departure at the full hour. HazardFactor is how many times
// the mean hour's incidents the records have in that hour.
type HourRisk struct {
	Hour         int     `json:"hour"`
	PDetected    float64 `json:"p_detected"`
	HazardFactor float64 `json:"hazard_factor"`
}

// MonthRisk is for a month of the year.
type MonthRisk struct {
	Month        int     `json:"month"`
	PIncident    float64 `json:"p_incident"`
	HazardFactor float64 `json:"hazard_factor"`
}

func (s *scorer) byTime(line orb.LineString, of *Score) *ByTime {
	day, season := s.a.Day(), s.a.Season()
	zone := int(math.Round(shortWay(line[0].Lon()) / 15))
	out := &ByTime{HourWhy: day.Why, MonthWhy: season.Why, ZoneH: zone}
	weekdays := []int{0, 1, 2, 3, 4, 5, 6}
	if !s.o.Depart.IsZero() {
		local := s.o.Depart.UTC().Add(time.Duration(zone) * time.Hour)
		weekdays = []int{(int(local.Weekday()) + 6) % 7}
	}
	for h := range 24 {
		sum := 0.0
		for _, d := range weekdays {
			at := clock{s, float64(((d*24+h-zone)%weekH + weekH) % weekH)}
			met := 0.0
			for i := range s.cut.pieces {
				p := &s.cut.pieces[i]
				met += p.rate.Mid * at.spend(p)
			}
			sum += pAtLeastOne(met)
		}
		out.Hours = append(out.Hours, HourRisk{h, sum / float64(len(weekdays)), day.Factors[h]})
	}
	for m, f := range season.Factors {
		out.Months = append(out.Months, MonthRisk{m + 1, pAtLeastOne(of.Hazard.Mean * f * s.perWidth), f})
	}
	return out
}
