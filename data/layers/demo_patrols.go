package layers

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// beat is what one unit does again and again. Land beats follow the border on
// the unit's own side, sea beats wander inside a circle on their own or the
// high sea, river beats go up and down a river.
type beat struct {
	country, agency, mode string
	patrol                string // routine, combined (several agencies) or coordinated (both countries)
	sector                string
	at                    orb.Point
	reachKM               float64 // half the stretch, or the radius of the circle
	everyDays             float64
	hours                 float64
	since, until          int // days before AsOf; since 0 means all days
	sweepWidthM           float64
}

// Cadences follow what was reported of the border task force at Entikong: a
// routine patrol a week, a combined one a month, one coordinated week.
// Some sectors are walked often, Sei Kelik, Labang and Long Nawang never;
// Jagoi Babang has one side only; the beats of Nanga Badau ended 60 days ago.
func beats() []beat {
	areas := map[string]orb.Point{}
	for _, a := range Areas() {
		areas[a.ID] = a.Point
	}
	entikong, aruk, jagoi, badau, midang := areas["entikong"], areas["aruk"], areas["jagoi-babang"], areas["nanga-badau"], areas["long-midang"]
	simanggaris, telokMelano := orb.Point{117.3, 4.17}, orb.Point{109.6303, 2.00425}
	batam, karimun, bengkalis, asahan := orb.Point{104.09, 1.22}, orb.Point{103.42, 1.14}, orb.Point{101.75, 2.05}, orb.Point{100.0, 3.15}
	sebatik, johor, kukup, melaka := orb.Point{117.97, 4.10}, orb.Point{104.25, 1.33}, orb.Point{103.38, 1.27}, orb.Point{102.15, 2.12}
	klang, tawau, bintan := orb.Point{101.1, 2.95}, orb.Point{117.95, 4.21}, orb.Point{104.45, 1.30}
	return []beat{
		{country: "ID", agency: "TNI-PAMTAS", mode: "foot", patrol: "routine", sector: "Entikong", at: entikong, reachKM: 14, everyDays: 7, hours: 7},
		{country: "ID", agency: "TNI-PAMTAS", mode: "motorcycle", patrol: "routine", sector: "Entikong", at: entikong, reachKM: 20, everyDays: 3, hours: 3},
		{country: "ID", agency: "TNI-PAMTAS", mode: "foot", patrol: "combined", sector: "Entikong", at: entikong, reachKM: 8, everyDays: 30, hours: 6},
		{country: "ID", agency: "TNI-PAMTAS", mode: "foot", patrol: "coordinated", sector: "Entikong", at: entikong, reachKM: 12, everyDays: 1, hours: 7, since: 75, until: 68},
		{country: "MY", agency: "ATM-TDM", mode: "foot", patrol: "coordinated", sector: "Tebedu", at: entikong, reachKM: 12, everyDays: 1, hours: 7, since: 75, until: 68},
		{country: "MY", agency: "ATM-TDM", mode: "foot", patrol: "routine", sector: "Tebedu", at: entikong, reachKM: 12, everyDays: 7, hours: 6},
		{country: "MY", agency: "PGA", mode: "vehicle", patrol: "routine", sector: "Tebedu", at: entikong, reachKM: 22, everyDays: 4, hours: 2.5},
		{country: "ID", agency: "TNI-PAMTAS", mode: "foot", patrol: "routine", sector: "Aruk", at: aruk, reachKM: 12, everyDays: 7, hours: 7},
		{country: "ID", agency: "POLRI", mode: "vehicle", patrol: "combined", sector: "Aruk", at: aruk, reachKM: 12, everyDays: 30, hours: 3},
		{country: "MY", agency: "PGA", mode: "motorcycle", patrol: "routine", sector: "Biawak", at: aruk, reachKM: 15, everyDays: 8, hours: 3},
		{country: "ID", agency: "TNI-PAMTAS", mode: "motorcycle", patrol: "routine", sector: "Jagoi Babang", at: jagoi, reachKM: 14, everyDays: 5, hours: 3},
		{country: "ID", agency: "TNI-PAMTAS", mode: "foot", patrol: "routine", sector: "Nanga Badau", at: badau, reachKM: 14, everyDays: 7, hours: 7, since: 1 << 20, until: 60},
		{country: "ID", agency: "TNI-PAMTAS", mode: "motorcycle", patrol: "routine", sector: "Nanga Badau", at: badau, reachKM: 18, everyDays: 6, hours: 3, since: 1 << 20, until: 60},
		{country: "MY", agency: "ATM-TDM", mode: "foot", patrol: "routine", sector: "Lubok Antu", at: badau, reachKM: 10, everyDays: 12, hours: 6, since: 1 << 20, until: 60},
		{country: "ID", agency: "TNI-PAMTAS", mode: "foot", patrol: "routine", sector: "Long Midang", at: midang, reachKM: 10, everyDays: 25, hours: 7},
		{country: "MY", agency: "ATM-TDM", mode: "foot", patrol: "routine", sector: "Ba'kelalan", at: midang, reachKM: 9, everyDays: 30, hours: 6},
		{country: "MY", agency: "ATM-TDM", mode: "vehicle", patrol: "routine", sector: "Serudong", at: simanggaris, reachKM: 15, everyDays: 14, hours: 3},
		{country: "MY", agency: "PGA", mode: "foot", patrol: "routine", sector: "Telok Melano", at: telokMelano, reachKM: 7, everyDays: 20, hours: 5},
		{country: "ID", agency: "TNI-PAMTAS", mode: "river_boat", patrol: "routine", sector: "Nunukan rivers", everyDays: 9, hours: 4},
		{country: "ID", agency: "POLAIRUD", mode: "sea_boat", patrol: "routine", sector: "Batam", at: batam, reachKM: 18, everyDays: 2.5, hours: 7},
		{country: "ID", agency: "TNI-AL", mode: "sea_boat", patrol: "routine", sector: "Batam", at: bintan, reachKM: 25, everyDays: 8, hours: 9},
		{country: "ID", agency: "BAKAMLA", mode: "sea_boat", patrol: "combined", sector: "Batam", at: batam, reachKM: 22, everyDays: 30, hours: 9},
		{country: "ID", agency: "BC", mode: "sea_boat", patrol: "routine", sector: "Karimun", at: karimun, reachKM: 16, everyDays: 7, hours: 7},
		{country: "ID", agency: "TNI-AL", mode: "sea_boat", patrol: "routine", sector: "Bengkalis", at: bengkalis, reachKM: 25, everyDays: 14, hours: 8},
		{country: "ID", agency: "POLAIRUD", mode: "sea_boat", patrol: "routine", sector: "Asahan", at: asahan, reachKM: 20, everyDays: 12, hours: 7},
		{country: "ID", agency: "TNI-AL", mode: "sea_boat", patrol: "routine", sector: "Sebatik", at: sebatik, reachKM: 15, everyDays: 7, hours: 7},
		{country: "MY", agency: "APMM/MMEA", mode: "sea_boat", patrol: "routine", sector: "Johor east", at: johor, reachKM: 20, everyDays: 3, hours: 8, sweepWidthM: 3000},
		{country: "MY", agency: "PPM", mode: "sea_boat", patrol: "routine", sector: "Kukup", at: kukup, reachKM: 12, everyDays: 7, hours: 6},
		{country: "MY", agency: "APMM/MMEA", mode: "sea_boat", patrol: "routine", sector: "Melaka", at: melaka, reachKM: 20, everyDays: 7, hours: 8},
		{country: "MY", agency: "APMM/MMEA", mode: "sea_boat", patrol: "routine", sector: "Port Klang", at: klang, reachKM: 22, everyDays: 8, hours: 8},
		{country: "MY", agency: "APMM/MMEA", mode: "sea_boat", patrol: "routine", sector: "Tawau", at: tawau, reachKM: 18, everyDays: 4, hours: 7},
		{country: "MY", agency: "ESSCOM", mode: "sea_boat", patrol: "combined", sector: "Tawau", at: tawau, reachKM: 20, everyDays: 30, hours: 8},
		{country: "MY", agency: "PPM", mode: "sea_boat", patrol: "routine", sector: "Tawau", at: tawau, reachKM: 12, everyDays: 6, hours: 6},
	}
}

// pace is how a mode of patrol moves and how often its device writes a fix.
type pace struct {
	speedKMH, fixMin float64
	offsetKM         float64 // usual distance from the border
	night            float64 // share of patrols that start in the evening
}

func paceOf(mode string) pace {
	switch mode {
	case "motorcycle":
		return pace{18, 2, 1, 0.1}
	case "vehicle":
		return pace{25, 2, 1.5, 0.3}
	case "river_boat":
		return pace{14, 4, 0, 0.2}
	case "sea_boat":
		return pace{20, 5, 0, 0.4}
	default:
		return pace{2.5, 5, 0.4, 0.15}
	}
}

func (d *demo) patrols() iter.Seq[geo.Feature] {
	return func(yield func(geo.Feature) bool) {
		var tracks []geo.Feature
		for i, b := range beats() {
			// A generator a beat: changing one beat leaves the others alone.
			rng := rand.New(rand.NewPCG(uint64(d.opts.Seed), uint64(streamPatrols)<<32|uint64(i)))
			tracks = append(tracks, d.beat(rng, b)...)
		}
		slices.SortStableFunc(tracks, func(a, b geo.Feature) int { return cmp.Compare(a.From.Unix(), b.From.Unix()) })
		for i, f := range tracks {
			f.ID = fmt.Sprintf("demo-patrol-%05d", i+1)
			if !yield(f) {
				return
			}
		}
	}
}

// beat makes the tracks of one beat: at its cadence give or take a day, with
// one in eight left out, and sea patrols thinned in the monsoon.
func (d *demo) beat(rng *rand.Rand, b beat) []geo.Feature {
	newMover := d.route(b)
	start := float64(d.opts.Days)
	if b.since > 0 {
		start = min(start, float64(b.since))
	}
	var out []geo.Feature
	for ago := start - rng.Float64()*min(b.everyDays, start); ago > float64(b.until); ago -= b.everyDays * (0.7 + 0.6*rng.Float64()) {
		day := d.opts.AsOf.Add(-time.Duration(ago * 24 * float64(time.Hour)))
		skip := 0.12
		if b.mode == "sea_boat" && monsoon(day) {
			skip = 0.3
		}
		if rng.Float64() < skip {
			continue
		}
		if f, ok := d.track(rng, b, day, newMover); ok && !f.To.After(d.opts.AsOf) {
			out = append(out, f)
		}
	}
	return out
}

// monsoon is the north-east monsoon, November to March.
func monsoon(t time.Time) bool { return t.Month() >= time.November || t.Month() <= time.March }

// mover returns the position after going on for some kilometres.
type mover func(km float64) orb.Point

// route returns a maker of movers for the beat; a mover is nil when the beat
// has no ground to go on.
func (d *demo) route(b beat) func(*rand.Rand) mover {
	var line orb.LineString
	switch b.mode {
	case "sea_boat":
		return func(rng *rand.Rand) mover { return d.wander(rng, b) }
	case "river_boat":
		line = d.river
	default:
		centre := d.smooth.nearestKM(b.at)
		line = d.bank(b.country, centre-b.reachKM, centre+b.reachKM, paceOf(b.mode).offsetKM)
	}
	if len(line) < 2 {
		return func(*rand.Rand) mover { return nil }
	}
	p := newPath(line)
	return func(rng *rand.Rand) mover { return d.shuttle(rng, p, b) }
}

// shuttle goes to and fro on a path from a random point, a few tens of metres
// beside it where that is still the country's own ground.
func (d *demo) shuttle(rng *rand.Rand, p *path, b beat) mover {
	total := p.length()
	s := rng.Float64() * 2 * total // the second half of the circuit is the way back
	return func(km float64) orb.Point {
		s = math.Mod(s+km, 2*total)
		along := min(s, 2*total-s)
		at := p.at(along)
		if b.mode == "river_boat" {
			return roundPoint(at)
		}
		if q := roundPoint(move(at, rng.Float64()*360, 0.03*rng.Float64())); d.land.At(q) == b.country {
			return q
		}
		return p.vertex(along)
	}
}

// wander goes in straight legs over water inside the beat's circle, never
// into the other country's sea.
func (d *demo) wander(rng *rand.Rand, b beat) mover {
	ok := func(p orb.Point) bool {
		if planeKM(p, b.at) > b.reachKM {
			return false
		}
		owner := d.waters.At(p)
		return (owner == b.country || owner == "") && d.isWater(p)
	}
	at, found := near(b.at, b.reachKM, ok)
	if !found {
		return nil
	}
	course, left, fix := 0.0, 0.0, at
	on := func(km float64) orb.Point {
		for km > 0 {
			if left <= 0 {
				for range 40 {
					course, left = rng.Float64()*360, 2+rng.Float64()*b.reachKM
					if end := move(at, course, left); ok(end) && passable(at, end, 0.25, ok) {
						break
					}
					left = 0
				}
				if left == 0 {
					return fix // hemmed in: wait
				}
			}
			step := min(km, left)
			at = move(at, course, step)
			km, left = km-step, left-step
		}
		if p := roundPoint(at); ok(p) {
			fix = p
		}
		return fix
	}
	on(2 * b.reachKM * rng.Float64()) // begin elsewhere, in the same sea and not in a lake
	return on
}

// track makes one patrol; ok is false when there is no ground or it came out
// too short. One device in twelve falls silent for 40 to 120 minutes.
func (d *demo) track(rng *rand.Rand, b beat, day time.Time, newMover func(*rand.Rand) mover) (geo.Feature, bool) {
	at := newMover(rng)
	if at == nil {
		return geo.Feature{}, false
	}
	p := paceOf(b.mode)
	hour := 6 + 3*rng.Float64()
	if rng.Float64() < p.night {
		hour = 18 + 4*rng.Float64()
	}
	line := orb.LineString{at(0)}
	now := localHour(day, hour, b.country, line[0][0])
	end := now.Add(time.Duration(b.hours * (0.7 + 0.6*rng.Float64()) * float64(time.Hour)))
	times := []time.Time{now}
	silentAt, silentFor := time.Time{}, time.Duration(0)
	if rng.Float64() < 1.0/12 {
		silentAt = now.Add(time.Duration(rng.Float64() * 0.6 * float64(end.Sub(now))))
		silentFor = time.Duration(40+rng.IntN(81)) * time.Minute
	}
	for now.Before(end) {
		minutes := p.fixMin * (0.8 + 0.4*rng.Float64())
		dt := time.Duration(minutes * float64(time.Minute)).Truncate(time.Second)
		now = now.Add(dt)
		q := at(p.speedKMH * (0.7 + 0.6*rng.Float64()) * dt.Hours())
		if now.After(silentAt) && now.Before(silentAt.Add(silentFor)) {
			continue
		}
		line, times = append(line, q), append(times, now)
	}
	if len(line) < 3 {
		return geo.Feature{}, false
	}
	properties := map[string]any{
		"agency": b.agency, "country": b.country, "mode": b.mode,
		"patrol_type": b.patrol, "sector": b.sector, "synthetic": true,
	}
	if b.sweepWidthM > 0 {
		properties["sweep_width_m"] = b.sweepWidthM
	}
	return geo.Feature{Geometry: line, From: times[0], To: times[len(times)-1], VertexTimes: times, Properties: properties}, true
}
