package plan

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Weather is how rough it is on the water, as the sweep widths tell apart.
type Weather uint8

// The states of the weather.
const (
	Calm Weather = iota
	Rough
	Worse
	weathers
)

var weatherNames = [weathers]string{"calm", "rough", "worse"}

// MarshalText names the state.
func (w Weather) MarshalText() ([]byte, error) { return []byte(weatherNames[w%weathers]), nil }

// UnmarshalText reads what MarshalText writes.
func (w *Weather) UnmarshalText(text []byte) error {
	k := slices.Index(weatherNames[:], string(text))
	if k < 0 {
		return fmt.Errorf("the weather %q is not calm, rough or worse", text)
	}
	*w = Weather(k)
	return nil
}

// Spell is a time of one weather.
type Spell struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	State Weather   `json:"state"`
}

// conditions is how many there are of night and weather: weather·2, + 1 by night.
const conditions = 2 * weathers

// row8 is row of conditions.
func (n *network) row8(values []uint8, piece int) []uint8 {
	return values[piece*n.hours : (piece+1)*n.hours]
}

// conditions are those in the middle of the time that an incident lasts which begins
// at the middle of an hour: by the sun at the middle of each section's first piece, and
// by the last spell that has that time.
func (n *network) conditions() []uint8 {
	out := make([]uint8, len(n.Pieces)*n.hours)
	start := n.Options.Start.UTC()
	for i, p := range n.Pieces {
		row := n.row8(out, i)
		if i > 0 && n.Pieces[i-1].Section == p.Section && n.Pieces[i-1].TransientH == p.TransientH {
			copy(row, n.row8(out, i-1))
			continue
		}
		at := geo.Interpolate(p.Line, geo.LengthM(p.Line)/2)
		middle := start.Add(time.Duration(p.TransientH / 2 * float64(time.Hour)))
		for h := range row {
			t := middle.Add(time.Duration(h) * time.Hour)
			if Night(at, t) {
				row[h] = 1
			}
			for _, s := range n.Options.Weather {
				if !t.Before(s.From) && t.Before(s.Until) {
					row[h] = row[h]&1 | 2*uint8(s.State)
				}
			}
		}
	}
	return out
}

// setFactors settles what share of its sweep width a unit has in each condition.
func (t *team) setFactors(u Unit) {
	for c := range t.group {
		f := 1.0
		if c&1 == 1 && u.NightFactor > 0 {
			f = u.NightFactor
		}
		if w := Weather(c / 2); w > Calm && u.WeatherFactors[w-1] > 0 {
			f *= u.WeatherFactors[w-1]
		}
		k := 0
		for k < len(t.factors) && t.factors[k] != f {
			k++
		}
		if k == len(t.factors) {
			t.factors = append(t.factors, f)
		}
		t.group[c] = uint8(k)
	}
}

// sunsetDeg is the sun's elevation when its upper limb is on the horizon: half its
// diameter and the refraction there.
const sunsetDeg = -0.833

// Night tells whether the sun is down at a place.
func Night(at orb.Point, t time.Time) bool { return SunElevationDeg(at, t) < sunsetDeg }

// SunElevationDeg returns the elevation of the sun's middle in degrees, without
// refraction, to about 0.05 degrees in the years 1900 to 2100.
//
// Source: J. Meeus, Astronomical Algorithms, chapter 25 (low accuracy), as in NOAA's
// Solar Calculation Details; sidereal time by chapter 12.
func SunElevationDeg(at orb.Point, t time.Time) float64 {
	const rad = math.Pi / 180
	days := float64(t.UnixMilli())/86_400_000 + 2_440_587.5 - 2_451_545 // since J2000
	c := days / 36_525
	longitude := 280.46646 + c*(36_000.76983+c*0.0003032)
	anomaly := (357.52911 + c*(35_999.05029-c*0.0001537)) * rad
	centre := math.Sin(anomaly)*(1.914602-c*(0.004817+c*0.000014)) + math.Sin(2*anomaly)*(0.019993-c*0.000101) + math.Sin(3*anomaly)*0.000289
	node := (125.04 - 1934.136*c) * rad
	apparent := (longitude + centre - 0.00569 - 0.00478*math.Sin(node)) * rad
	obliquity := (23.439291 - c*0.0130042 + 0.00256*math.Cos(node)) * rad
	declination := math.Asin(math.Sin(obliquity) * math.Sin(apparent))
	ascension := math.Atan2(math.Cos(obliquity)*math.Sin(apparent), math.Cos(apparent))
	sidereal := (280.46061837 + 360.98564736629*days) * rad
	hour := sidereal + at.Lon()*rad - ascension
	lat := at.Lat() * rad
	return math.Asin(math.Sin(lat)*math.Sin(declination)+math.Cos(lat)*math.Cos(declination)*math.Cos(hour)) / rad
}
