package layers

import (
	"errors"
	"math"
	"math/rand/v2"
	"sort"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"
)

// terrain is the ground on which the demonstration takes place. Its distances
// are of a local plane, good to a few tenths of a percent: it places invented
// things and measures nothing.
type terrain struct {
	land   *Locator // by country; "" is water
	waters *Locator // by country, territorial sea and land; "" is the high sea
	border *path    // the main land border, Tanjung Datu to Sebatik
	smooth *path    // the same without its small bends
	river  orb.LineString
	coast  []orb.Point
}

// demoRiver is a river of North Kalimantan near the border.
const demoRiver = "river-33"

func newTerrain() (*terrain, error) {
	t := &terrain{}
	land, err := Load("land")
	if err != nil {
		return nil, err
	}
	t.land = NewLocator(land, "country")
	waters, err := Load("territorial_waters")
	if err != nil {
		return nil, err
	}
	t.waters = NewLocator(waters, "country")
	border, err := Load("land_border")
	if err != nil {
		return nil, err
	}
	for row := range border.Len() {
		line, ok := border.Geometry(row).(orb.LineString)
		if ok && border.Text(row, "countries") == "IDN-MYS" && (t.border == nil || len(line) > len(t.border.points)) {
			t.border = newPath(line)
			t.smooth = newPath(simplify.DouglasPeucker(0.005).LineString(line.Clone()))
		}
	}
	rivers, err := Load("rivers")
	if err != nil {
		return nil, err
	}
	for row := range rivers.Len() {
		if rivers.ID(row) == demoRiver {
			t.river, _ = rivers.Geometry(row).(orb.LineString)
		}
	}
	coast, err := Load("coastline")
	if err != nil {
		return nil, err
	}
	for row := range coast.Len() {
		if line, ok := coast.Geometry(row).(orb.LineString); ok && coast.Number(row, "level") == 1 {
			t.coast = append(t.coast, line...)
		}
	}
	if t.border == nil || t.river == nil {
		return nil, errors.New("the built-in border or river is missing; make the built-in layers again")
	}
	return t, nil
}

func (t *terrain) isWater(p orb.Point) bool { return t.land.At(p) == "" }

// besideLane draws a point at sea beside a lane, in sight of it, so that it is
// in no lake, and names the country whose sea it is, "" on the high sea. It is
// false when the draw fell on land or into another country's sea.
func (t *terrain) besideLane(rng *rand.Rand, s hotspot) (orb.Point, string, bool) {
	from := between(s.at, s.to, rng.Float64())
	p := roundPoint(move(from, rng.Float64()*360, s.spreadKM*math.Abs(rng.NormFloat64())))
	owner := t.waters.At(p)
	ok := (owner == "ID" || owner == "MY" || owner == "") && t.isWater(p) && passable(from, p, 0.3, t.isWater)
	return p, owner, ok
}

// near returns the nearest of a widening spiral of points round p for which
// ok holds, and whether there is one within radiusKM.
func near(p orb.Point, radiusKM float64, ok func(orb.Point) bool) (orb.Point, bool) {
	for r := 0.0; r <= radiusKM; r += 0.25 {
		n := max(1, int(2*math.Pi*r/0.25))
		for i := range n {
			if q := roundPoint(move(p, 360*float64(i)/float64(n), r)); ok(q) {
				return q, true
			}
		}
	}
	return p, false
}

// passable reports whether ok holds on the whole segment, tried every stepKM.
func passable(a, b orb.Point, stepKM float64, ok func(orb.Point) bool) bool {
	n := int(planeKM(a, b)/stepKM) + 1
	for i := 0; i <= n; i++ {
		if !ok(between(a, b, float64(i)/float64(n))) {
			return false
		}
	}
	return true
}

// bank returns a way along the border on the country's own side, from fromKM
// to toKM along the border, about offsetKM away from it. It is the longest
// stretch that never leaves the country; nil when there is none.
func (t *terrain) bank(country string, fromKM, toKM, offsetKM float64) orb.LineString {
	const step, reach, patience = 0.25, 6.0, 16
	own := func(p orb.Point) bool { return t.land.At(p) == country }
	side := 90.0 // right of the line, which runs from west to east: Indonesia
	if country == "MY" {
		side = -90
	}
	var best, now orb.LineString
	misses := 0
	for km := max(0, fromKM); km <= min(toKM, t.smooth.length()); km += step {
		p, ahead := t.smooth.at(km), bearing(t.smooth.at(km-2), t.smooth.at(km+2))
		found := false
		for d := offsetKM; d <= offsetKM+reach && !found; d += 0.3 {
			q := roundPoint(move(p, ahead+side, d))
			if own(q) && (len(now) == 0 || planeKM(now[len(now)-1], q) < 4 && passable(now[len(now)-1], q, 0.05, own)) {
				now, found = append(now, q), true
			}
		}
		if found {
			misses = 0
		} else if misses++; misses > patience {
			now, misses = nil, 0
		}
		if len(now) > len(best) {
			best = now
		}
	}
	return best
}

// path is a line with the distance along it.
type path struct {
	points orb.LineString
	km     []float64
}

func newPath(line orb.LineString) *path {
	p := &path{points: line, km: make([]float64, len(line))}
	for i := 1; i < len(line); i++ {
		p.km[i] = p.km[i-1] + planeKM(line[i-1], line[i])
	}
	return p
}

func (p *path) length() float64 { return p.km[len(p.km)-1] }

// vertex returns the last vertex up to a distance along the path.
func (p *path) vertex(km float64) orb.Point {
	return p.points[max(0, sort.SearchFloat64s(p.km, km)-1)]
}

// at returns the point at a distance along the path, its ends beyond them.
func (p *path) at(km float64) orb.Point {
	i := sort.SearchFloat64s(p.km, km)
	switch {
	case i == 0:
		return p.points[0]
	case i == len(p.km):
		return p.points[i-1]
	}
	return between(p.points[i-1], p.points[i], (km-p.km[i-1])/(p.km[i]-p.km[i-1]))
}

// nearestKM returns the distance along the path of its vertex nearest to q.
func (p *path) nearestKM(q orb.Point) float64 {
	best := 0
	for i := range p.points {
		if planeKM(p.points[i], q) < planeKM(p.points[best], q) {
			best = i
		}
	}
	return p.km[best]
}

const kmPerDegree = 111.2

func planeKM(a, b orb.Point) float64 {
	return kmPerDegree * math.Hypot((b[0]-a[0])*cosLat((a[1]+b[1])/2), b[1]-a[1])
}

func cosLat(lat float64) float64 { return math.Cos(lat * math.Pi / 180) }

// bearing returns degrees clockwise from north.
func bearing(a, b orb.Point) float64 {
	return math.Atan2((b[0]-a[0])*cosLat(a[1]), b[1]-a[1]) * 180 / math.Pi
}

func move(p orb.Point, bearingDeg, km float64) orb.Point {
	s, c := math.Sincos(bearingDeg * math.Pi / 180)
	return orb.Point{p[0] + km*s/(kmPerDegree*cosLat(p[1])), p[1] + km*c/kmPerDegree}
}

func between(a, b orb.Point, t float64) orb.Point {
	return orb.Point{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1])}
}

// roundPoint keeps 5 decimals, about a metre.
func roundPoint(p orb.Point) orb.Point {
	return orb.Point{math.Round(p[0]*1e5) / 1e5, math.Round(p[1]*1e5) / 1e5}
}
