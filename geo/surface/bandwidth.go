package surface

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Rule is how a bandwidth is chosen.
type Rule string

// The rules, from the simplest. Each falls back to the one before it where the
// events do not support it.
const (
	RuleFixed  Rule = "fixed"  // the one that is given
	RuleScott  Rule = "scott"  // from the spread and the number of events
	RuleCV     Rule = "cv"     // leave-one-out likelihood
	RuleDiggle Rule = "diggle" // least mean square error
)

// ParseRule finds a rule by its name.
func ParseRule(name string) (Rule, error) {
	switch r := Rule(name); r {
	case RuleFixed, RuleScott, RuleCV, RuleDiggle:
		return r, nil
	}
	return "", fmt.Errorf("unknown bandwidth rule %q: use fixed, scott, cv or diggle", name)
}

// SD returns the standard deviation along one axis of the kernel with a
// bandwidth of 1. Kernels of equal standard deviation smooth alike.
//
// Source: ∫x²·c·k(|x|) over the plane; uniform 1/2, triangular √(3/20),
// Epanechnikov 1/√6, quartic 1/√8, Gaussian 1 (not cut).
func (k Kernel) SD() float64 {
	switch k {
	case Uniform:
		return 0.5
	case Triangular:
		return math.Sqrt(3.0 / 20)
	case Epanechnikov:
		return 1 / math.Sqrt(6)
	case Gaussian:
		return 1
	default:
		return 1 / math.Sqrt(8)
	}
}

// ConvertBandwidthM returns the bandwidth in metres with which kernel to
// smooths as much as kernel from does with bandwidthM.
func ConvertBandwidthM(bandwidthM float64, from, to Kernel) float64 {
	return bandwidthM * from.SD() / to.SD()
}

// DefaultFixedM is the bandwidth in metres where nothing else is known.
const DefaultFixedM = 5000.0

// BandwidthOptions are what a rule may need beside the events.
type BandwidthOptions struct {
	// FixedM is what RuleFixed returns, and what the others fall back to;
	// 0: DefaultFixedM.
	FixedM float64
	// Window, when not empty, is the rectangle that was observed, in the
	// coordinates of the events; it must not cross 180 degrees. Events outside
	// are left out, and RuleDiggle corrects for pairs that its edge hides.
	// Without it the events are all there is.
	Window orb.Bound
}

// Choice is a bandwidth and the reason for it.
type Choice struct {
	Rule       Rule        `json:"rule"` // the one that was used in the end
	BandwidthM float64     `json:"bandwidth_m"`
	Why        string      `json:"why"`
	Candidates []Candidate `json:"candidates,omitempty"` // those that were scored, narrowest first
}

// Candidate is a bandwidth with its score, of which less is better: minus the
// mean log likelihood of an event per m² (cv), or the mean square error up to
// a constant (diggle: per m², with a window as a share of the squared mean
// density).
type Candidate struct {
	BandwidthM float64 `json:"bandwidth_m"`
	Score      float64 `json:"score"`
}

const (
	// minPlaces is the effective number of places under which cross-validation
	// says more about chance than about the events.
	minPlaces = 10
	// scoredPlaces bounds the places at which a bandwidth is scored, and is
	// the number up to which nothing is merged.
	scoredPlaces = 2000
	// searchOctaves is how far below the spread of the events the search goes.
	searchOctaves = 12
	// widestSearchM ends the search where the local metric does, in standard
	// deviations of the kernel.
	widestSearchM = 200_000.0
	// scoreReach is where the Gaussian of the likelihood ends, in standard
	// deviations: 4e-6 of its mass is beyond.
	scoreReach = 5.0
	// cellsPerSD is the least number of cells in a standard deviation when
	// places are merged: it widens the kernel by 0.5 % at most.
	cellsPerSD = 3.0
)

// SelectBandwidth returns the bandwidth in metres that a rule gives for the
// events and the kernel k.
//
//   - scott: σ·n^(-1/6), σ² the mean of the variances along the two axes, n
//     the effective number of events, (Σw)²/Σw². Right for one normal cloud,
//     too smooth for several.
//   - cv: the bandwidth with the greatest Σ w_i log f(x_i), f the Gaussian
//     density of all other places and a background of one event.
//   - diggle: the least mean square error of the intensity if it were random
//     and stationary, with a uniform disc.
//
// The bandwidths of cv and diggle are converted to k by equal standard
// deviation: with a kernel that ends, one lonely event would decide the
// likelihood. Events at one place are one event of their summed weight and are
// left out together, otherwise the best bandwidth would be none at all.
// The precision of events is not looked at; Density takes it as a lower bound.
//
// Where the events do not support the rule, Choice says so and has a simpler
// one: less than 10 effective places, or a score that only improves as the
// bandwidth shrinks: Scott; no events or one place: fixed.
//
// Source: Scott (1992) section 6.3; Silverman (1986) section 3.4.4; Diggle
// (1985); Berman and Diggle (1989); effective number: Kish (1965).
// Fails on an unknown rule or kernel, a fixed bandwidth outside Density's
// range, or an inverted window.
// Cost: up to 2,000 places, exact, at most 2,000² kernels for each of some 40
// candidates; above, scored at 2,000 places taken evenly by weight against
// all others merged to a third of a standard deviation: O(n log n) plus at most
// 2,000 · 3,000 kernels a candidate.
func SelectBandwidth(p *Points, k Kernel, rule Rule, o BandwidthOptions) (Choice, error) {
	if _, err := ParseRule(string(rule)); err != nil {
		return Choice{}, err
	}
	if o.FixedM == 0 {
		o.FixedM = DefaultFixedM
	}
	if _, err := NewDensity(p, k, o.FixedM); err != nil {
		return Choice{}, fmt.Errorf("fixed bandwidth: %w", err)
	}
	hasWindow := o.Window != orb.Bound{}
	if hasWindow && !(o.Window.Min[0] < o.Window.Max[0] && o.Window.Min[1] < o.Window.Max[1]) {
		return Choice{}, fmt.Errorf("window %v: give its lower left and upper right corners", o.Window)
	}
	if rule == RuleFixed {
		return Choice{Rule: RuleFixed, BandwidthM: o.FixedM, Why: "as given"}, nil
	}
	s := newBandwidthSearch(p, o)
	why := ""
	if rule != RuleScott {
		choice, ok := s.crossValidate(k, rule)
		if ok {
			return choice, nil
		}
		why = choice.Why + "; "
	}
	if !(s.spreadM > 0) {
		return Choice{Rule: RuleFixed, BandwidthM: o.FixedM, Why: why + s.noSpread() + ": fixed bandwidth"}, nil
	}
	c := Choice{Rule: RuleScott, BandwidthM: min(MaxBandwidthM, s.scottM()/k.SD())}
	c.Why = fmt.Sprintf("%sScott's rule: spread of %s, effectively %.1f events", why, metres(s.spreadM), s.effectiveEvents)
	return c, nil
}

// bandwidthSearch is what the rules know of the events.
type bandwidthSearch struct {
	places          *cloud
	picks           []pick
	pickWeight      float64
	total, squares  float64 // Σw and Σw² over places; the greatest event has 1
	spreadM         float64 // root mean square of the standard deviations of the axes
	effectiveEvents float64
	windowM         [2]float64 // sides of the window; zero: none
}

// pick is a place at which candidates are scored.
type pick struct {
	place  int
	weight float64
}

func newBandwidthSearch(p *Points, o BandwidthOptions) *bandwidthSearch {
	s := &bandwidthSearch{}
	hasWindow := o.Window != orb.Bound{}
	if hasWindow {
		lonM, latM := 1.0, 1.0
		if !p.planar {
			lonM, latM = geo.MetresPerDegree(o.Window.Center().Lat())
		}
		s.windowM = [2]float64{lonM * (o.Window.Max[0] - o.Window.Min[0]), latM * (o.Window.Max[1] - o.Window.Min[1])}
	}
	var events []Event
	greatest := 0.0
	for _, set := range p.sets {
		for k, w := range set.weight {
			if !hasWindow || o.Window.Contains(orb.Point{set.lon[k], set.lat[k]}) {
				events = append(events, Event{Lon: set.lon[k], Lat: set.lat[k], Weight: w})
				greatest = max(greatest, w)
			}
		}
	}
	var sum, sum2 float64
	for i := range events {
		events[i].Weight /= greatest
		sum += events[i].Weight
		sum2 += events[i].Weight * events[i].Weight
	}
	s.places = newCloud(events, p.planar)
	s.places.mergeCoincident()
	for _, w := range s.places.set.weight {
		s.total += w
		s.squares += w * w
	}
	if len(events) > 0 {
		s.effectiveEvents = sum * sum / sum2
	}
	if len(s.places.set.keys) > 1 && s.effectiveEvents > 1 {
		s.spreadM = s.places.spreadM() * math.Sqrt(s.effectiveEvents/(s.effectiveEvents-1))
	}
	s.choosePicks()
	return s
}

// choosePicks takes every place, or scoredPlaces of them at equal steps of
// the running weight, so that each stands for as much weight.
func (s *bandwidthSearch) choosePicks() {
	weights := s.places.set.weight
	if len(weights) <= scoredPlaces {
		for i, w := range weights {
			s.picks = append(s.picks, pick{place: i, weight: w})
		}
		s.pickWeight = s.total
		return
	}
	running, taken := 0.0, 0
	for i, w := range weights {
		running += w
		upTo := min(scoredPlaces, int(math.Floor(running/s.total*scoredPlaces+0.5)))
		if upTo > taken {
			s.picks = append(s.picks, pick{place: i, weight: float64(upTo - taken)})
			s.pickWeight += float64(upTo - taken)
			taken = upTo
		}
	}
}

func (s *bandwidthSearch) noSpread() string {
	switch len(s.places.set.keys) {
	case 0:
		return "no events"
	case 1:
		return "all events are at one place"
	}
	return "one event has all the weight"
}

// scottM returns Scott's standard deviation of the kernel in metres.
func (s *bandwidthSearch) scottM() float64 {
	return s.spreadM * math.Pow(s.effectiveEvents, -1.0/6)
}

// crossValidate finds the best bandwidth by cv or diggle; not ok with the
// reason when the events do not support it.
func (s *bandwidthSearch) crossValidate(k Kernel, rule Rule) (Choice, bool) {
	effective := 0.0
	if s.squares > 0 {
		effective = s.total * s.total / s.squares
	}
	name, loss := "likelihood cross-validation", s.likelihoodLoss
	widest := min(s.spreadM, widestSearchM)
	if rule == RuleDiggle {
		name, loss = "Diggle's mean square error", s.squareErrorLoss
		if s.windowM[0] > 0 { // discs of a quarter of the shorter side still have pairs to be corrected by
			widest = min(widest, min(s.windowM[0], s.windowM[1])/4*Uniform.SD())
		}
	}
	if effective < minPlaces || !(widest > 0) {
		return Choice{Why: fmt.Sprintf("%s needs %d places, here are effectively %.1f", name, minPlaces, effective)}, false
	}
	best, scored := minimise(loss, widest)
	if best.sdM <= scored[0].sdM {
		return Choice{Why: fmt.Sprintf("%s only improves down to %s, as where positions nearly repeat", name, metres(best.sdM/k.SD()))}, false
	}
	c := Choice{Rule: rule, BandwidthM: best.sdM / k.SD()}
	for _, v := range scored {
		c.Candidates = append(c.Candidates, Candidate{v.sdM / k.SD(), v.loss})
	}
	c.Why = fmt.Sprintf("%s at %d of %d places: the best of %d bandwidths from %s to %s", name, len(s.picks),
		len(s.places.set.keys), len(scored), metres(c.Candidates[0].BandwidthM), metres(c.Candidates[len(scored)-1].BandwidthM))
	if best.sdM > 0.95*widest {
		c.Why += "; it is as wide as the search goes, the events show no structure"
	}
	return c, true
}

// metres writes a length to three digits.
func metres(v float64) string {
	digits := 2 - int(math.Floor(math.Log10(v)))
	if digits < 0 {
		unit := math.Pow10(-digits)
		v, digits = math.Round(v/unit)*unit, 0
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " m"
}

type scoredSD struct{ sdM, loss float64 }

// minimise scores a geometric grid of two steps an octave below widest and
// refines its best by golden sections to 1 %. It returns the best and all
// that were scored, narrowest first. loss takes a standard deviation and the
// widest cell to which places may be merged, both in metres; while refining,
// the cell is the same for all.
func minimise(loss func(sdM, cellM float64) float64, widest float64) (scoredSD, []scoredSD) {
	const steps = 2 * searchOctaves
	var scored []scoredSD
	try := func(sdM, cellM float64) float64 {
		v := loss(sdM, cellM)
		scored = append(scored, scoredSD{sdM, v})
		return v
	}
	at := func(step float64) float64 { return widest * math.Exp2(-step/2) }
	best := 0
	for i := range steps + 1 {
		try(at(float64(i)), at(float64(i))/cellsPerSD)
		if scored[i].loss < scored[best].loss {
			best = i
		}
	}
	if best < steps {
		lo, hi := float64(max(0, best-1)), float64(best+1)
		cellM := at(hi) / cellsPerSD
		ratio := (math.Sqrt(5) - 1) / 2
		a, b := hi-ratio*(hi-lo), lo+ratio*(hi-lo)
		fa, fb := try(at(a), cellM), try(at(b), cellM)
		for hi-lo > 0.03 {
			if fa <= fb {
				hi, b, fb = b, a, fa
				a = hi - ratio*(hi-lo)
				fa = try(at(a), cellM)
			} else {
				lo, a, fa = a, b, fb
				b = lo + ratio*(hi-lo)
				fb = try(at(b), cellM)
			}
		}
	}
	least := slices.MinFunc(scored, func(a, b scoredSD) int { return cmp.Compare(a.loss, b.loss) })
	slices.SortFunc(scored, func(a, b scoredSD) int { return cmp.Compare(a.sdM, b.sdM) })
	return least, scored
}

// likelihoodLoss returns minus the mean log density, per m², of an event given
// all other places:
//
//	-1/Σw · Σ_i w_i log( (1-ε) Σ_{j≠i} w_j φ_σ(d_ij) / Σ_{j≠i} w_j + ε/A )
//
// with φ_σ the bivariate normal density, ε = Σw²/(Σw)² one event's share, and
// A = 4π·spread² the disc as wide as the events. Source: Habbema et al.
// (1974), Silverman (1986) section 3.4.4. The term ε/A is an addition: one
// event in all may be out of the pattern. Without it a single far one, such as
// a position at 0, 0, sets the bandwidth for all.
func (s *bandwidthSearch) likelihoodLoss(sdM, cellM float64) float64 {
	merged := s.mergedTo(cellM)
	half, normal := 1/(2*sdM*sdM), 1/(2*math.Pi*sdM*sdM)
	odd := s.squares / (s.total * s.total)
	background := odd / (4 * math.Pi * s.spreadM * s.spreadM)
	sum := 0.0
	for _, p := range s.picks {
		f := 0.0
		s.places.others(p.place, merged, scoreReach*sdM, func(w, x2, y2 float64) {
			f += w * math.Exp(-(x2+y2)*half)
		})
		f *= normal / (s.total - s.places.set.weight[p.place])
		sum += p.weight * math.Log((1-odd)*f+background)
	}
	return -sum / s.pickWeight
}

// squareErrorLoss returns the mean square error of the intensity smoothed with
// a disc of radius r = 2 σ, less its constant E Λ²:
//
//	[ Σw_i² + Σ_{i≠j} w_i w_j e_ij ( γ(d_ij)/πr² - 2·1(d_ij ≤ r) ) ] / (πr² (Σw)²)
//
// with γ(d) the area that two discs of radius r share at distance d. Times the
// area |A| of a window it is (1 - 2λK(r))/(πr²λ) + ∬ dK/(πr²)², Berman and
// Diggle (1989) over λ², with Ripley's K written out as its sum
// over pairs and e_ij = |A| / ((a-|x_ij|)(b-|y_ij|)) the translation
// correction of Ohser (1983) for a window of sides a and b. Without a window
// e = 1, and it is least-squares cross-validation; Diggle and Marron (1988)
// show the two are one.
func (s *bandwidthSearch) squareErrorLoss(sdM, cellM float64) float64 {
	merged := s.mergedTo(cellM)
	r := sdM / Uniform.SD()
	disc := math.Pi * r * r
	area := s.windowM[0] * s.windowM[1]
	sum := 0.0
	for _, p := range s.picks {
		g := 0.0
		s.places.others(p.place, merged, 2*r, func(w, x2, y2 float64) {
			d := math.Sqrt(x2 + y2)
			v := sharedDisc(d / (2 * r))
			if d <= r {
				v -= 2
			}
			if area > 0 {
				v *= area / ((s.windowM[0] - math.Sqrt(x2)) * (s.windowM[1] - math.Sqrt(y2)))
			}
			g += w * v
		})
		sum += p.weight * g
	}
	loss := (s.squares + s.total*sum/s.pickWeight) / (disc * s.total * s.total)
	if area > 0 {
		loss *= area
	}
	return loss
}

// sharedDisc returns the share of a disc that another one of the same radius
// covers when their centres are t diameters apart.
func sharedDisc(t float64) float64 {
	if t >= 1 {
		return 0
	}
	return 2 / math.Pi * (math.Acos(t) - t*math.Sqrt(1-t*t))
}

func (s *bandwidthSearch) mergedTo(cellM float64) mergedSet {
	if len(s.places.set.keys) <= scoredPlaces {
		return s.places.merged(keyLevel)
	}
	return s.places.merged(s.places.levelOf(cellM))
}

// spreadM returns the root mean square of the standard deviations of the axes,
// about the weighted mean, in metres.
func (c *cloud) spreadM() float64 {
	s := &c.set
	var total, mx, my float64
	lon0 := s.lon[0]
	wrap := func(d float64) float64 { return d }
	if !c.planar {
		var sin, cos float64
		for k, w := range s.weight {
			a := s.lon[k] * math.Pi / 180
			sin, cos = sin+w*math.Sin(a), cos+w*math.Cos(a)
		}
		lon0 = math.Atan2(sin, cos) * 180 / math.Pi
		wrap = func(d float64) float64 { return d - 360*math.Floor((d+180)/360) }
	}
	lat0 := s.lat[0]
	for k, w := range s.weight {
		total += w
		mx += w * wrap(s.lon[k]-lon0)
		my += w * (s.lat[k] - lat0)
	}
	mx, my = mx/total, my/total
	sum := 0.0
	for k, w := range s.weight {
		lonM, latM := 1.0, 1.0
		if !c.planar {
			lonM, latM = geo.MetresPerDegree((s.lat[k] + lat0 + my) / 2)
		}
		x, y := lonM*(wrap(s.lon[k]-lon0)-mx), latM*(s.lat[k]-lat0-my)
		sum += w * (x*x + y*y)
	}
	return math.Sqrt(sum / (2 * total))
}
