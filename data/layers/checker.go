package layers

import (
	"math"
	"strings"
	"sync"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// Checker returns a check of places against the built-in land: something that
// happened on land lies at sea or the reverse, or lies in another country than
// it says. A place counts only when all of its precision, and of what the map
// may be off, is on the wrong side. The land is read at the first question.
func Checker() func(data.Candidate) []data.Finding {
	land := sync.OnceValue(func() *Locator {
		l, err := Load("land")
		if err != nil { // the layer is part of the program, and a test loads it
			return NewLocator(geo.NewBuilder(geo.LayerInfo{}).Layer(), "country")
		}
		return NewLocator(l, "country")
	})
	return func(c data.Candidate) []data.Finding {
		p, isPoint := c.Geometry.(orb.Point)
		if !isPoint {
			return nil
		}
		wantSea, wantLand, slackM := mediumOf(c)
		country := countryOf(c)
		if !wantSea && !wantLand && country == "" {
			return nil
		}
		return judgePlace(land(), p, placeClaim{wantSea, wantLand, country, math.Max(slackM, c.Number("location_precision_m"))})
	}
}

// placeClaim is what a row says of where it is, and how far it may be off.
type placeClaim struct {
	sea, land bool
	country   string
	slackM    float64
}

// fits tells whether a label alone contradicts nothing.
func (c placeClaim) fits(label string) bool {
	return (!c.land || label != "") && (!c.sea || label == "") && (c.country == "" || label == "" || label == c.country)
}

func judgePlace(land *Locator, p orb.Point, claim placeClaim) []data.Finding {
	if claim.fits(land.At(p)) {
		return nil
	}
	found := around(land, p, claim.slackM)
	if found == nil {
		return nil
	}
	allSea, allLand, home := true, true, false
	for _, label := range found {
		allSea = allSea && label == ""
		allLand = allLand && label != ""
		home = home || label == claim.country
	}
	switch {
	case claim.land && allSea:
		return []data.Finding{{Code: data.CheckAtSea, Field: "medium",
			Message: "lies at sea but says that it happened on land; check the coordinates and the medium"}}
	case claim.sea && allLand:
		return []data.Finding{{Code: data.CheckOnLand, Field: "medium",
			Message: "lies on land but says that it happened at sea; check the coordinates and the medium"}}
	case claim.country != "" && allLand && !home:
		return []data.Finding{{Code: data.CheckWrongSide, Field: "country",
			Message: "lies in " + found[0] + " but says that it is in " + claim.country + "; check the coordinates and the country"}}
	}
	return nil
}

// around returns the labels at a place and on circles about it, nil when they
// leave the land layer's box, outside which nothing is known.
func around(land *Locator, p orb.Point, slackM float64) []string {
	slackKM := slackM / 1000
	var found []string
	for _, share := range []float64{0, 0.5, 1} {
		for k := range 12 {
			q := move(p, float64(k)*30, slackKM*share)
			if !land.bound.Contains(q) {
				return nil
			}
			found = append(found, land.At(q))
			if share == 0 {
				break
			}
		}
	}
	return found
}

// mediumOf says what ground a row claims, and how far the map's shore and a
// river's mouth may be from it in metres.
func mediumOf(c data.Candidate) (sea, land bool, slackM float64) {
	const shoreM, mouthM = 500, 5000
	if c.Kind != geo.KindIncident {
		return false, false, shoreM
	}
	switch medium, kind := c.Text("medium"), c.Text("kind"); medium {
	case "land_path", "road":
		return false, true, shoreM
	case "river":
		return false, true, mouthM
	case "sea":
		return true, false, shoreM
	case "", "unknown":
		return kind == "mar.interception" || kind == "mar.distress_sinking", false, mouthM
	}
	return false, false, shoreM
}

// countryOf returns the country that a row says it is in: by its country, or
// of an incident by its administrative code (digits are Indonesian) or its
// direction.
func countryOf(c data.Candidate) string {
	switch c.Kind {
	case geo.KindCrossing, geo.KindWaterCrossing, geo.KindIllegalPort, geo.KindPost:
		if country := c.Text("country"); country == "ID" || country == "MY" || country == "BN" {
			return country
		}
	case geo.KindIncident:
		code := strings.ToUpper(c.Text("admin_code"))
		switch {
		case c.Number("admin_code") > 0 || strings.HasPrefix(code, "ID") || code != "" && strings.Trim(code, "0123456789.") == "":
			return "ID"
		case strings.HasPrefix(code, "MY"):
			return "MY"
		}
		switch c.Text("direction") {
		case "internal_id":
			return "ID"
		case "internal_my":
			return "MY"
		}
	}
	return ""
}
