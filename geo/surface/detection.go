package surface

import (
	"math"

	"github.com/paulmach/orb"
)

// DetectionWeight is how many incidents one stands for that was found where
// patrols meet the share pod of them: 1/pod, and no more than most, which is also
// what one stands for that was found where no patrol is known of.
//
// Source: D. G. Horvitz and D. J. Thompson, JASA 47 (1952).
func DetectionWeight(pod, most float64) float64 {
	if !(pod*most > 1) {
		return most
	}
	return 1 / pod
}

// CorrectedTotal estimates how many incidents there were, found or not, from
// the weights of those that were found, with the variance of that estimate if
// each is found independently of the others:
//
//	N̂ = Σ w,  Var N̂ = Σ (1-π)/π²,  π = 1/w
//
// Nothing found is an estimate of 0 however little was looked for: it must be
// shown apart from places that were searched.
//
// Source: D. G. Horvitz and D. J. Thompson, JASA 47 (1952).
func CorrectedTotal(weights []float64) (total, variance float64) {
	for _, w := range weights {
		total += w
		variance += w * (w - 1)
	}
	return total, variance
}

// relativeReach is how far the kernel of Relative reaches, in bandwidths: a ratio
// of densities needs their tails.
const relativeReach = 8

// Relative is how much denser cases are than controls, each taken as a share of
// its own total:
//
//	r = (Σ wᵢ K(dᵢ/h) / Σ wᵢ)cases / (the same)controls,  K(u) = e^(-u²/2)
//
// One bandwidth h serves both, and edge effects cancel.
//
// Source: J. F. Bithell, Statistics in Medicine 9 (1990).
type Relative struct {
	Cases, Controls []Event
	BandwidthM      float64
	Planar          bool // positions are metres
}

// At returns the ratio at a place; NaN where no control is as near as the kernel
// reaches. Cost: one pass over all events.
func (r Relative) At(p orb.Point) float64 {
	below := r.share(p, r.Controls)
	if below == 0 {
		return math.NaN()
	}
	return r.share(p, r.Cases) / below
}

func (r Relative) share(p orb.Point, events []Event) float64 {
	metric := newRowMetric(p.Lat(), r.Planar)
	sum, total, reachM := 0.0, 0.0, relativeReach*r.BandwidthM
	for _, e := range events {
		total += e.Weight
		dlat, dlon := e.Lat-p.Lat(), e.Lon-p.Lon()
		if !r.Planar {
			dlon = math.Remainder(dlon, 360)
		}
		south, east := metric.squares(dlat)
		if d2 := south*dlat*dlat + east*dlon*dlon; d2 < reachM*reachM {
			sum += e.Weight * math.Exp(-d2/(2*r.BandwidthM*r.BandwidthM))
		}
	}
	if total == 0 {
		return 0
	}
	return sum / total
}
