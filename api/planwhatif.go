package api

import (
	"context"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/geo/risk"
)

// addWhatIf assesses anew as if the sorties had been patrols that saw as far as the
// plan takes for granted.
func (p *PlanAnswer) addWhatIf(ctx context.Context, a *risk.Assessment) error {
	b, err := a.WithPatrols(ctx, risk.Change{Add: []*geo.Layer{p.patrols(a.Model.Coverage.MaxSilenceMin)}})
	if err != nil {
		return err
	}
	out := planWhatIf{Changed: []levelChange{}}
	for i, s := range a.Sections {
		t := b.Sections[i]
		out.Before += s.Undetected.Mean
		out.After += t.Undetected.Mean
		if s.Level != t.Level {
			out.Changed = append(out.Changed, levelChange{s.ID, s.Level, t.Level})
		}
	}
	p.WhatIf = &out
	return nil
}

// patrols are the sorties as tracks with their sweep widths, and with fixes so close
// in time that no device would count as silent.
func (p *PlanAnswer) patrols(maxSilenceMin float64) *geo.Layer {
	units := map[string]plan.Unit{}
	for _, u := range p.PlannedAs {
		units[u.ID] = u
	}
	every := max(time.Minute, time.Duration(maxSilenceMin/2*float64(time.Minute)))
	planned := p.layer("")
	b := geo.NewBuilder(planned.Info)
	for row := range planned.Len() {
		f := planned.Feature(row)
		line, times := f.Geometry.(orb.LineString), f.VertexTimes
		dense, at := line[:1:1], times[:1:1]
		for i := 1; i < len(line); i++ {
			whole := times[i].Sub(times[i-1])
			for t := every; t < whole; t += every {
				s := float64(t) / float64(whole)
				dense = append(dense, orb.Point{line[i-1][0] + s*(line[i][0]-line[i-1][0]), line[i-1][1] + s*(line[i][1]-line[i-1][1])})
				at = append(at, times[i-1].Add(t))
			}
			dense, at = append(dense, line[i]), append(at, times[i])
		}
		f.Geometry, f.VertexTimes = dense, at
		f.Properties["sweep_width_m"] = p.seenM(units[p.Sorties[row].Unit], p.Sorties[row].Visits, line[len(line)/2])
		b.Add(f)
	}
	return b.Layer()
}

// seenM is the sweep width of a unit in the mean over its visits: what night, at a
// place, and weather leave of it.
func (p *PlanAnswer) seenM(u plan.Unit, visits []plan.Visit, at orb.Point) float64 {
	sum, n := 0.0, 0.0
	for _, v := range visits {
		for t := v.Arrives; t.Before(v.Leaves); t = t.Add(10 * time.Minute) {
			f := 1.0
			if plan.Night(at, t) && u.NightFactor > 0 {
				f = u.NightFactor
			}
			state := plan.Calm
			for _, s := range p.Weather { // the last that has this time, as in the plan
				if !t.Before(s.From) && t.Before(s.Until) {
					state = s.State
				}
			}
			if state > plan.Calm && u.WeatherFactors[state-1] > 0 {
				f *= u.WeatherFactors[state-1]
			}
			sum, n = sum+f, n+1
		}
	}
	if n == 0 {
		return u.SweepWidthM
	}
	return u.SweepWidthM * sum / n
}
