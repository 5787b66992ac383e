package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"
	"github.com/sempadan/sempadan/geo"
)

// Medium says what a section's line runs along.
type Medium string

// The media.
const (
	Land  Medium = "land"
	Shore Medium = "coast"
)

// stretch is the line of a section before it is scored.
type stretch struct {
	id, name  string
	medium    Medium
	zone      string
	countries []string
	line      orb.LineString
	lengthKM  float64
}

// cutSections cuts the land border and the named coasts into stretches of
// about SectionKM. The same lines and length give the same identifiers.
func cutSections(in Inputs, m Model) []stretch {
	return append(landSections(in, m), coastSections(in, m)...)
}

func landSections(in Inputs, m Model) []stretch {
	byMedium := map[Medium][]stretch{}
	for _, l := range in.boundaries() {
		for row := range l.Len() {
			countries := l.Text(row, "countries")
			if countries != "" && countries != m.BorderCountries {
				continue
			}
			medium := mediumOf(l.Text(row, "medium"))
			for _, line := range lines(l.Geometry(row)) {
				for _, piece := range geo.Cut(line, m.SectionKM*1000) {
					byMedium[medium] = append(byMedium[medium], stretch{medium: medium, countries: countryCodes(countries), line: piece})
				}
			}
		}
	}
	return append(numbered(byMedium[Land], "L", "Land border"), numbered(byMedium[Shore], "W", "Water border")...)
}

// mediumOf is what a line of the border runs along: land, unless it says water.
func mediumOf(text string) Medium {
	switch strings.ToLower(text) {
	case "sea", "water", "strait", "coast", "river":
		return Shore
	}
	return Land
}

// coastSections joins the pieces of the coastline, drops detail below a
// kilometre and islets that are shorter around than three sections, and cuts
// what lies in each named box.
func coastSections(in Inputs, m Model) []stretch {
	coast := in.coastline()
	if coast == nil || len(m.Coasts) == 0 {
		return nil
	}
	var out []stretch
	for _, line := range joined(coast, m.Coasts) {
		line = simplify.DouglasPeucker(coastDetailDeg).LineString(line)
		for _, part := range splitByZone(line, m.Coasts) {
			if geo.LengthM(part.line) < 3*m.SectionKM*1000 {
				continue
			}
			for _, piece := range geo.Cut(part.line, m.SectionKM*1000) {
				out = append(out, stretch{medium: Shore, zone: m.Coasts[part.zone].Name, line: piece})
			}
		}
	}
	return numbered(out, "C", "Coast")
}

// coastDetailDeg is about a kilometre.
const coastDetailDeg = 0.01

// numbered names sections by medium and number, from west to east.
func numbered(s []stretch, letter, title string) []stretch {
	slices.SortFunc(s, func(a, b stretch) int {
		p, q := a.line[0], b.line[0]
		return cmp.Or(cmp.Compare(a.zone, b.zone), cmp.Compare(p[0], q[0]), cmp.Compare(p[1], q[1]))
	})
	for i := range s {
		s[i].id = fmt.Sprintf("%s%04d", letter, i+1)
		s[i].name = fmt.Sprintf("%s %d", title, i+1)
		s[i].lengthKM = geo.LengthM(s[i].line) / 1000
	}
	return s
}

func countryCodes(pair string) []string {
	var out []string
	for _, c := range strings.Split(pair, "-") {
		switch c {
		case "IDN":
			out = append(out, "ID")
		case "MYS":
			out = append(out, "MY")
		case "BRN":
			out = append(out, "BN")
		case "SGP":
			out = append(out, "SG")
		}
	}
	return out
}

func lines(g orb.Geometry) []orb.LineString {
	switch g := g.(type) {
	case orb.LineString:
		return []orb.LineString{g}
	case orb.MultiLineString:
		return g
	}
	return nil
}

// joined strings together the pieces of a line layer that meet end to end.
func joined(l *geo.Layer, zones []Coast) []orb.LineString {
	type key [2]int32
	at := func(p orb.Point) key { return key{int32(math.Round(p[0] * 1e5)), int32(math.Round(p[1] * 1e5))} }
	var pieces []orb.LineString
	ends := map[key][]int{}
	for row := range l.Len() {
		if !touchesAny(l.Geometry(row).Bound(), zones) {
			continue
		}
		for _, line := range lines(l.Geometry(row)) {
			if len(line) < 2 {
				continue
			}
			for _, p := range []orb.Point{line[0], line[len(line)-1]} {
				ends[at(p)] = append(ends[at(p)], len(pieces))
			}
			pieces = append(pieces, line)
		}
	}
	used := make([]bool, len(pieces))
	next := func(p orb.Point) orb.LineString {
		for _, k := range ends[at(p)] {
			if used[k] {
				continue
			}
			used[k] = true
			if at(pieces[k][0]) == at(p) {
				return pieces[k]
			}
			back := slices.Clone(pieces[k])
			slices.Reverse(back)
			return back
		}
		return nil
	}
	var out []orb.LineString
	for k := range pieces {
		if used[k] {
			continue
		}
		used[k] = true
		line := slices.Clone(pieces[k])
		for range 2 {
			for more := next(line[len(line)-1]); more != nil; more = next(line[len(line)-1]) {
				line = append(line, more[1:]...)
			}
			slices.Reverse(line)
		}
		out = append(out, line)
	}
	return out
}

func touchesAny(b orb.Bound, zones []Coast) bool {
	for _, z := range zones {
		if b.Intersects(z.bound()) {
			return true
		}
	}
	return false
}

func (c Coast) bound() orb.Bound {
	return orb.Bound{Min: orb.Point{c.West, c.South}, Max: orb.Point{c.East, c.North}}
}

type zonePart struct {
	zone int
	line orb.LineString
}

// splitByZone cuts a line where its vertices pass from one zone to another;
// a vertex belongs to the first zone that holds it.
func splitByZone(line orb.LineString, zones []Coast) []zonePart {
	zoneOf := func(p orb.Point) int {
		return slices.IndexFunc(zones, func(z Coast) bool { return z.bound().Contains(p) })
	}
	var out []zonePart
	current := -1
	for i, p := range line {
		z := zoneOf(p)
		if z != current && z >= 0 {
			out = append(out, zonePart{zone: z})
			if i > 0 && current >= 0 { // the zones touch: leave no gap
				out[len(out)-1].line = orb.LineString{line[i-1]}
			}
		}
		if current = z; z >= 0 {
			part := &out[len(out)-1]
			part.line = append(part.line, p)
		}
	}
	return slices.DeleteFunc(out, func(p zonePart) bool { return len(p.line) < 2 })
}
