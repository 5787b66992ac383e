package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
)

// zone is a kind of area in which a law gives somebody powers.
type zone string

const (
	land       zone = "land"        // the country's land in the region
	borderLand zone = "border_land" // its land within borderKM of the land border
	sea        zone = "sea"         // its waters out to the territorial limit
	eastSabah  zone = "east_sabah"  // Malaysian land and waters east of Kudat
	post       zone = "post"        // discs round the land crossings
)

const (
	borderKM      = 60
	postRadiusKM  = 5
	postSides     = 24
	eastSabahWest = 116.6
	kmPerDegree   = 111.2
	areaPrecision = 3000 // metres by which a coarse outline may be off
	minSeaCells   = 5    // smaller waters are river mouths, smaller holes islets
)

type authority struct {
	zone       zone
	country    string
	agency     string
	powers     string
	legalBasis string
}

// authorities lists who may act where, from the acts themselves as published.
func authorities() []authority {
	return []authority{
		{zone: land, country: "ID", agency: "POLRI", powers: "patrol, arrest, investigation", legalBasis: "UU 2/2002 (Kepolisian)"},
		{zone: land, country: "ID", agency: "IMI", powers: "immigration control, immigration investigation", legalBasis: "UU 6/2011 (Keimigrasian)"},
		{zone: land, country: "ID", agency: "BC", powers: "customs control, customs investigation", legalBasis: "UU 17/2006 amending UU 10/1995 (Kepabeanan)"},
		{zone: borderLand, country: "ID", agency: "TNI-PAMTAS", powers: "border patrol, hand over to police or immigration", legalBasis: "UU 34/2004 (TNI), art. 7: securing border areas"},
		{zone: sea, country: "ID", agency: "TNI-AL", powers: "patrol, inspect vessels, arrest at sea", legalBasis: "UU 34/2004 (TNI), art. 9"},
		{zone: sea, country: "ID", agency: "BAKAMLA", powers: "patrol, inspect vessels, stop and hand over", legalBasis: "UU 32/2014 (Kelautan)"},
		{zone: sea, country: "ID", agency: "POLAIRUD", powers: "patrol, inspect vessels, arrest", legalBasis: "UU 2/2002 (Kepolisian)"},
		{zone: sea, country: "ID", agency: "BC", powers: "customs patrol, inspect vessels", legalBasis: "UU 17/2006 amending UU 10/1995 (Kepabeanan)"},
		{zone: land, country: "MY", agency: "PDRM", powers: "patrol, arrest, investigation", legalBasis: "Police Act 1967 (Act 344)"},
		{zone: land, country: "MY", agency: "JIM", powers: "immigration control, arrest under the immigration act", legalBasis: "Immigration Act 1959/63 (Act 155)"},
		{zone: land, country: "MY", agency: "KASTAM", powers: "customs control, customs investigation", legalBasis: "Customs Act 1967 (Act 235)"},
		{zone: borderLand, country: "MY", agency: "ATM-TDM", powers: "border patrol, hand over to police or immigration", legalBasis: "Armed Forces Act 1972 (Act 77)"},
		{zone: borderLand, country: "MY", agency: "PGA", powers: "border patrol, arrest", legalBasis: "Police Act 1967 (Act 344)"},
		{zone: sea, country: "MY", agency: "APMM/MMEA", powers: "patrol, inspect vessels, arrest, investigation", legalBasis: "Malaysian Maritime Enforcement Agency Act 2004 (Act 633)"},
		{zone: sea, country: "MY", agency: "PPM", powers: "patrol, inspect vessels, arrest", legalBasis: "Police Act 1967 (Act 344)"},
		{zone: sea, country: "MY", agency: "KASTAM", powers: "customs patrol, inspect vessels", legalBasis: "Customs Act 1967 (Act 235)"},
		{zone: eastSabah, country: "MY", agency: "ESSCOM", powers: "co-ordination of patrols; acts through police, navy and maritime agency", legalBasis: "set up by the federal government in 2013; powers are those of its member agencies"},
		{zone: post, country: "ID", agency: "IMI", powers: "immigration control", legalBasis: "UU 6/2011 (Keimigrasian)"},
		{zone: post, country: "ID", agency: "BC", powers: "customs control", legalBasis: "UU 17/2006 amending UU 10/1995 (Kepabeanan)"},
		{zone: post, country: "MY", agency: "AKPS", powers: "border control at the entry point", legalBasis: "Malaysian Border Control and Protection Agency Act 2024 (Act 860)"},
		{zone: post, country: "MY", agency: "JIM", powers: "immigration control", legalBasis: "Immigration Act 1959/63 (Act 155)"},
		{zone: post, country: "MY", agency: "KASTAM", powers: "customs control", legalBasis: "Customs Act 1967 (Act 235)"},
	}
}

// jurisdictions draws the areas from the land, waters, border and crossings.
func jurisdictions(built map[string][]geo.Feature) []geo.Feature {
	draw := newDrawing(built)
	outlines := map[string]orb.MultiPolygon{}
	var out []geo.Feature
	for _, a := range authorities() {
		properties := func(name string) map[string]any {
			return map[string]any{"name": name, "agency": a.agency, "country": a.country, "powers": a.powers,
				"legal_basis": a.legalBasis, "zone": string(a.zone), "coarse": true, "location_precision_m": areaPrecision}
		}
		if a.zone == post {
			for _, c := range landCrossings(built["official_crossings"]) {
				out = append(out, geo.Feature{
					ID:         fmt.Sprintf("%s-%s-%s", a.zone, idPart(a.agency), c.ID),
					Geometry:   disc(c.Geometry.(orb.Point)),
					Properties: properties(fmt.Sprintf("%s, %s", a.agency, c.Properties["name"])),
				})
			}
			continue
		}
		key := string(a.zone) + a.country
		if outlines[key] == nil {
			outlines[key] = draw.outline(a.zone, a.country)
		}
		out = append(out, geo.Feature{
			ID:         fmt.Sprintf("%s-%s-%s", a.zone, a.country, idPart(a.agency)),
			Geometry:   outlines[key],
			Properties: properties(fmt.Sprintf("%s, %s", a.agency, zoneName(a.zone, a.country))),
		})
	}
	return out
}

// idPart keeps slashes out of identifiers, which end up in paths.
func idPart(agency string) string { return strings.ReplaceAll(agency, "/", "-") }

func zoneName(z zone, country string) string {
	c := map[string]string{"ID": "Indonesia", "MY": "Malaysia"}[country]
	switch z {
	case borderLand:
		return fmt.Sprintf("land within %d km of the border, %s", borderKM, c)
	case sea:
		return "territorial sea, " + c
	case eastSabah:
		return "eastern Sabah, land and sea"
	default:
		return "land, " + c
	}
}

// landCrossings leaves out what is only planned: nobody controls there yet.
func landCrossings(all []geo.Feature) []geo.Feature {
	var out []geo.Feature
	for _, f := range all {
		switch f.Properties["source_kind"] {
		case "official_land", "traditional_land":
			out = append(out, f)
		}
	}
	return out
}

func disc(c orb.Point) orb.Polygon {
	ring := orb.Ring{}
	for i := range postSides {
		s, k := math.Sincos(2 * math.Pi * float64(i) / postSides)
		r := postRadiusKM / kmPerDegree
		ring = append(ring, orb.Point{c[0] + r*k/math.Cos(c[1]*math.Pi/180), c[1] + r*s})
	}
	return orb.Polygon{append(ring, ring[0])}
}

// drawing answers, cell by cell, what belongs to a zone.
type drawing struct {
	land, waters *layers.Locator
	landShape    map[string][]orb.Ring // rings by country
	border       []orb.Point           // closely spaced points of the land border
}

func newDrawing(built map[string][]geo.Feature) *drawing {
	locate := func(id string) *layers.Locator {
		b := geo.NewBuilder(geo.LayerInfo{ID: id})
		for _, f := range built[id] {
			b.Add(f)
		}
		return layers.NewLocator(b.Layer(), "country")
	}
	d := &drawing{land: locate("land"), waters: locate("territorial_waters"), landShape: map[string][]orb.Ring{}}
	for _, f := range built["land"] {
		country := f.Properties["country"].(string)
		d.landShape[country] = append(d.landShape[country], f.Geometry.(orb.Polygon)...)
	}
	for _, f := range built["land_border"] {
		if f.Properties["countries"] == "IDN-MYS" {
			d.border = append(d.border, densify(f.Geometry.(orb.LineString), 0.02)...)
		}
	}
	return d
}

// outline traces a zone on a grid and smooths the steps away.
func (d *drawing) outline(z zone, country string) orb.MultiPolygon {
	const coarse, fine = 0.02, 0.01 // degrees a cell
	all := orb.Bound{Min: orb.Point{94.9, -4.1}, Max: orb.Point{120.1, 8.1}}
	borneo := orb.Bound{Min: orb.Point{108.9, 0}, Max: orb.Point{118.6, 5.6}}
	switch z {
	case sea:
		g := newGrid(all, coarse)
		g.fill(func(p orb.Point) bool { return d.land.At(p) == "" })
		g.keepConnected(orb.Point{107, 3}) // from the South China Sea: lakes are nobody's sea
		g.and(func(p orb.Point) bool { return d.waters.At(p) == country })
		return g.outlines(coarse, minSeaCells)
	case eastSabah:
		g := newGrid(all, coarse)
		g.fill(func(p orb.Point) bool { return p[0] >= eastSabahWest && p[1] >= 4 && d.waters.At(p) == country })
		return g.outlines(coarse, 1)
	case borderLand:
		near := newPointGrid(d.border, borderKM/kmPerDegree)
		return d.landOutline(newGrid(borneo, fine), country, near.within)
	default:
		return d.landOutline(newGrid(all, coarse), country, func(orb.Point) bool { return true })
	}
}

// landOutline takes every cell that the land touches, so that neighbouring
// countries overlap along the border by a cell rather than leave a gap.
func (d *drawing) landOutline(g *grid, country string, in func(orb.Point) bool) orb.MultiPolygon {
	g.fill(func(p orb.Point) bool { return d.land.At(p) == country && in(p) })
	for _, ring := range d.landShape[country] {
		for _, p := range densify(orb.LineString(ring), g.cell/2) {
			if in(p) {
				g.set(p)
			}
		}
	}
	return g.outlines(g.cell, 1)
}

func densify(l orb.LineString, step float64) []orb.Point {
	var out []orb.Point
	for i := 1; i < len(l); i++ {
		a, b := l[i-1], l[i]
		n := int(math.Hypot(b[0]-a[0], b[1]-a[1])/step) + 1
		for k := range n {
			t := float64(k) / float64(n)
			out = append(out, orb.Point{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1])})
		}
	}
	return append(out, l[len(l)-1])
}
