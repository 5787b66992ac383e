// Package layers holds the layers that ship with the program: the reference
// map of the Indonesia-Malaysia border and the public record of crossings and
// incidents, embedded with their licences, and a generator of demonstration
// data, every feature of which is marked synthetic.
package layers

import (
	"embed"
	"fmt"
	"time"

	"github.com/sempadan/sempadan/geo"
)

//go:embed builtin
var files embed.FS

// PackedName returns the name of the embedded file of a layer.
func PackedName(id string) string { return id + ".spl.gz" }

const (
	odbl      = "ODbL 1.0"
	odblBy    = "© OpenStreetMap contributors, by way of geo-maps 0.6.0 (2017-11)"
	gshhg     = "LGPL v3"
	geonames  = "CC BY 4.0"
	recordBy  = "Public reports of agencies and news media, compiled for this project; each feature names its own"
	recordLic = "CC0 1.0 (compilation); points taken from GeoNames CC BY 4.0"
	notThere  = "Absence of a point is not safety: places are known because somebody was caught or a reporter went there. " +
		"Many people live and fish at these places lawfully."
)

// Builtin describes the built-in layers in the order in which people see them.
// Every layer is public, and names its licence and source; the base map
// (Base) never counts as a risk input.
func Builtin() []geo.LayerInfo {
	list := []geo.LayerInfo{
		{ID: "official_crossings", Title: "Official crossings", Kind: geo.KindCrossing,
			Licence: "CC BY 4.0 (points from GeoNames), public domain (Natural Earth), CC0 1.0 (estimates)",
			Source:  "GeoNames, Natural Earth, estimates; each feature names its own",
			Note: "READ verified: 19 of 42 points come from a gazetteer (the true town, not the jetty), 23 are estimates " +
				"and some may be 15-20 km off; location_precision_m says how far. Kind and pairing are a reading of public news, " +
				"not an official list. A point of kind plbn with kind_my icqs stands for the posts of both sides."},
		{ID: "water_crossings", Title: "Reported water crossings", Kind: geo.KindWaterCrossing,
			Licence: recordLic, Source: recordBy,
			Note: "Approach waters named in public reports, reported and not confirmed; draw location_precision_m as a circle. " + notThere},
		{ID: "illegal_ports", Title: "Reported unofficial ports and landings", Kind: geo.KindIllegalPort,
			Licence: recordLic, Source: recordBy,
			Note: "Localities that public reports named as unofficial ports, unregistered jetties or landing beaches, reported and not " +
				"confirmed. A point stands for a village, beach or river mouth, never for a jetty; draw location_precision_m as a circle. " + notThere},
		{ID: "informal_paths", Title: "Reported informal paths", Kind: geo.KindCrossing,
			Licence: recordLic, Source: recordBy,
			Note: "Localities with footpaths over the border that public reports named, reported and not confirmed. A point stands for a " +
				"village, never for a trail; draw location_precision_m as a circle. " + notThere},
		{ID: "reported_incidents", Title: "Incidents in the public record", Kind: geo.KindIncident,
			Licence: recordLic, Source: recordBy,
			Note: "189 events that agencies announced, 2014-05 to 2026-02. It maps enforcement and press work as much as crossings: " +
				"not a sample for rates or trends. A kernel must not be narrower than location_precision_m. Deportation arrivals " +
				"(ret.deportation_arrival) reflect enforcement, not routes, and stay out of risk surfaces."},
		{ID: "land_border", Title: "Land border on Borneo", Kind: geo.KindBoundary, Licence: odbl, Source: odblBy,
			Note: "Indonesia-Malaysia (IDN-MYS, 1,901 km) and Brunei-Malaysia (BRN-MYS, 487 km): the edges that the two land areas share. " +
				"Not a statement on where the border lies in law."},
		{ID: "jurisdictions", Title: "Who may act where (coarse)", Kind: geo.KindArea,
			Licence: odbl, Source: "Public law of both countries; outlines derived from the land, waters and border layers here (" + odblBy + ")",
			Note: "Coarse, not legal advice, and meant to be replaced: outlines are off by up to about 3 km and overlap along the border. " +
				"The same place may be in several areas; legal_basis names the act of each."},
		{ID: "places", Title: "Settlements", Kind: geo.KindOther, Base: true, Licence: geonames, Source: "GeoNames",
			Note: "Settlements above about 1,000 people; a point is the centre of a town."},
		{ID: "rivers", Title: "Rivers", Kind: geo.KindOther, Base: true, Licence: gshhg, Source: "WDBII in GSHHG 2.3.7 (2017-06)",
			Note: "Unnamed, cut into pieces that touch at their ends; level is the river class."},
		{ID: "coastline", Title: "Coastline", Kind: geo.KindBoundary, Base: true, Licence: gshhg, Source: "GSHHG 2.3.7 (2017-06), full resolution",
			Note: "Cut into pieces that touch at their ends."},
		{ID: "territorial_waters", Title: "Territorial waters", Kind: geo.KindArea, Base: true, Licence: odbl, Source: odblBy,
			Note: "Country areas with the territorial sea, land included; not a statement on where a boundary lies in law."},
		{ID: "land", Title: "Land", Kind: geo.KindArea, Base: true, Licence: odbl, Source: odblBy,
			Note: "Land areas by country, stated error 10 m, clipped to longitude 95-120, latitude -4 to 8."},
	}
	assembled := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) // when the sources were put together
	for i := range list {
		list[i].Owner = "public"
		list[i].Classification = "public"
		list[i].Builtin = true
		list[i].Version = 1
		list[i].UpdatedAt = assembled
	}
	return list
}

// Load reads a built-in layer from the program itself. The error says so when
// there is none of that name.
func Load(id string) (*geo.Layer, error) {
	for _, info := range Builtin() {
		if info.ID != id {
			continue
		}
		packed, err := files.ReadFile("builtin/" + PackedName(id))
		if err != nil {
			return nil, fmt.Errorf("load built-in layer %s: %w", id, err)
		}
		b := geo.NewBuilder(info)
		if err := unpack(packed, func(f geo.Feature) { b.Add(f) }); err != nil {
			return nil, fmt.Errorf("load built-in layer %s: %w", id, err)
		}
		return b.Layer(), nil
	}
	return nil, fmt.Errorf("load built-in layer %q: there is none of that name; Builtin lists them", id)
}

// Licences returns the text that names the licence and source of every
// built-in layer and what was changed.
func Licences() string {
	b, err := files.ReadFile("builtin/LICENCES.md")
	if err != nil {
		return "the licence file is missing from this build"
	}
	return string(b)
}
