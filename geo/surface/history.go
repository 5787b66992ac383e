package surface

import "math"

// Fading says how far back past effort counts and how it fades, as incidents
// do in a rate: Days back (0: not at all), halved every HalfLifeDays (0: never).
type Fading struct{ Days, HalfLifeDays float64 }

// fade is what effort of an age still counts.
func (f Fading) fade(ageMS int64) float64 {
	if ageMS < 0 || float64(ageMS) > f.Days*86.4e6 {
		return 0
	}
	if f.HalfLifeDays == 0 {
		return 1
	}
	return math.Exp2(-float64(ageMS) / (f.HalfLifeDays * 86.4e6))
}

// hours is ∫ fade over a time that ends in ages from and to, in hours.
func (f Fading) hours(from, to int64) float64 {
	if f.HalfLifeDays == 0 {
		return float64(from-to) / 3.6e6
	}
	h := f.HalfLifeDays * 24
	return h / math.Ln2 * (math.Exp2(-float64(to)/3.6e6/h) - math.Exp2(-float64(from)/3.6e6/h))
}

// remember counts what a post looked over in some spells of c.history.
func (c *Coverage) remember(parts []watched, up []spell) {
	for _, s := range up {
		sweeps := c.Model.PostSweepsPerHour * c.history.hours(c.asOfMS-s.startMS, c.asOfMS-s.endMS)
		for _, part := range parts {
			c.cells.Ref(part.cell).HistoryM2 += part.areaM2 * sweeps
		}
	}
}
