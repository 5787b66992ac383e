package tiles

import (
	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/risk"
)

// WeekStrip draws a section's week for paper, seven days (Monday on top) by 24
// hours: dark where a patrol was at that hour in the window, hatched where a
// device was silent, light where nobody was; a dot where an incident is on
// record at that hour.
func WeekStrip(p risk.Profile, title string, widthMM, heightMM float64) Sheet {
	s := Sheet{WidthMM: widthMM, HeightMM: heightMM, Title: title}
	w, h := widthMM/24, heightMM/7
	var present, silent, bars, dots []orb.LineString
	for d := range 7 {
		y := float64(d) * h
		runs(func(hour int) bool { return p.Coverage[d][hour] > 0 }, func(from, to int) {
			present = append(present, box(float64(from)*w, y+0.08, float64(to-from)*w, h-0.16))
		})
		runs(func(hour int) bool { return p.Coverage[d][hour] == 0 && p.NoData[d][hour] > 0 }, func(from, to int) {
			silent = append(silent, box(float64(from)*w, y+0.08, float64(to-from)*w, h-0.16))
			for hour := from; hour < to; hour++ {
				bars = append(bars, orb.LineString{{float64(hour) * w, y + h - 0.08}, {float64(hour+1) * w, y + 0.08}})
			}
		})
		for hour := range 24 {
			if p.Incidents[d][hour] > 0 {
				dots = append(dots, disc(orb.Point{(float64(hour) + 0.5) * w, y + h/2}, min(w, h)*0.33))
			}
		}
	}
	s.fill(parseHex("#f1e6d8", 1), box(0, 0, widthMM, heightMM))
	if len(present) > 0 {
		s.fill(parseHex("#3d5a80", 1), present...)
	}
	if len(silent) > 0 {
		s.fill(onWhite(classColour("no_report"), 0.2), silent...)
		s.line(classColour("no_report"), 0.15, nil, bars...)
	}
	if len(dots) > 0 {
		s.Marks = append(s.Marks, Mark{Paths: dots, Fill: classColour("gap"), Stroke: white(), WidthMM: 0.12})
	}
	var grid []orb.LineString
	for _, hour := range []float64{6, 12, 18} {
		grid = append(grid, orb.LineString{{hour * w, 0}, {hour * w, heightMM}})
	}
	s.line(white(), 0.25, []float64{0.5, 0.3}, grid...)
	return s
}

// runs calls f for each run of the hours of a day.
func runs(on func(hour int) bool, f func(from, to int)) {
	for hour := 0; hour < 24; hour++ {
		from := hour
		for hour < 24 && on(hour) {
			hour++
		}
		if hour > from {
			f(from, hour)
		}
	}
}
