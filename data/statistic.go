package data

import (
	"math"
	"regexp"
	"strings"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// statisticKind is the kind of a count of an area and a period.
const statisticKind = "agg.statistic"

// statistic holds a count of an area to its rules: no place, a whole number, a
// period of the calendar.
func (im *importer) statistic(r *rowState) {
	if kind, _ := im.values[im.kindSlot].(string); im.kind != geo.KindIncident || kind != statisticKind {
		return
	}
	if parts, isCollection := r.geometry.(orb.Collection); r.geometry != nil && !(isCollection && len(parts) == 0) {
		im.counts.placesDropped++
	}
	r.geometry, r.heights = nil, nil
	if slot, known := im.slotOf["count"]; known && im.values[slot] != nil {
		text := strings.TrimSpace(im.idIn(slot))
		v, ok := im.parseNumber(&cell{kind: cellText, text: []byte(strings.Replace(text, "\u2212", "-", 1))})
		switch {
		case !ok || v != math.Trunc(v):
			r.refuseRow("count", "bad_count", show(text)+" is not a whole number; write a count of 0 or more, without signs")
		case v < 0:
			r.refuseRow("count", "bad_count", show(text)+" is less than 0")
		default:
			im.values[slot] = v
		}
	}
	if slot, known := im.slotOf["period"]; known && im.values[slot] != nil {
		if text := strings.TrimSpace(im.idIn(slot)); !im.isPeriod(text) {
			r.refuseRow("period", "bad_period", show(text)+" is not a month, quarter or year; write 2026-03, 2026-Q1 or 2026")
		}
	}
}

var (
	periodYear    = regexp.MustCompile(`^(19|2\d)\d\d$`)
	periodQuarter = regexp.MustCompile(`(?i)^((19|2\d)\d\d[-/ ]?[QT][1-4]|[QT][1-4][-/ ]?(19|2\d)\d\d)$`)
)

func (im *importer) isPeriod(text string) bool {
	if periodYear.MatchString(text) || periodQuarter.MatchString(text) {
		return true
	}
	st, f := im.dates.read([]byte(text))
	return f == nil && st.precision == month
}
