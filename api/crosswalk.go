package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
)

// Crosswalk is how the two countries' legal statuses of a record stand to each
// other. Neither is more right than the other.
type Crosswalk string

// The relations. A victim is one whose status is presumed or identified.
const (
	bothVictim    Crosswalk = "victim_in_both"
	idVictim      Crosswalk = "victim_in_id_only" // and decided otherwise in MY
	myVictim      Crosswalk = "victim_in_my_only"
	idVictimOpen  Crosswalk = "victim_in_id_open_in_my" // MY has not decided
	myVictimOpen  Crosswalk = "victim_in_my_open_in_id"
	neitherVictim Crosswalk = "victim_in_neither" // both have decided
	openInBoth    Crosswalk = "open"
)

// standing of a status: 1 a victim, 0 decided otherwise, -1 not decided.
func standing(status string) int {
	switch status {
	case "presumed", "identified":
		return 1
	case "rejected", "not_applicable":
		return 0
	}
	return -1
}

// crosswalkOf relates the two statuses of a record.
func crosswalkOf(id, my string) Crosswalk {
	switch a, b := standing(id), standing(my); {
	case a == 1 && b == 1:
		return bothVictim
	case a == 1 && b == 0:
		return idVictim
	case a == 0 && b == 1:
		return myVictim
	case a == 1:
		return idVictimOpen
	case b == 1:
		return myVictimOpen
	case a == 0 && b == 0:
		return neitherVictim
	}
	return openInBoth
}

// statusesAnswer is the two legal statuses of a record side by side.
type statusesAnswer struct {
	ID        string    `json:"status_id"`
	MY        string    `json:"status_my"`
	BasisID   string    `json:"status_basis_id,omitempty"`
	BasisMY   string    `json:"status_basis_my,omitempty"`
	Crosswalk Crosswalk `json:"crosswalk"`
}

func statusesOf(l *geo.Layer, row int) statusesAnswer {
	a := statusesAnswer{ID: cmp.Or(l.Text(row, "status_id"), statusUnknown), MY: cmp.Or(l.Text(row, "status_my"), statusUnknown),
		BasisID: l.Text(row, "status_basis_id"), BasisMY: l.Text(row, "status_basis_my")}
	a.Crosswalk = crosswalkOf(a.ID, a.MY)
	return a
}

// withStatuses adds to a record of an incident layer, as GeoJSON, the member
// statuses; it is not a property, so that it is not read back as one.
func withStatuses(body []byte, l *geo.Layer, row int) []byte {
	if l.Info.Kind != geo.KindIncident {
		return body
	}
	member, err := json.Marshal(statusesOf(l, row))
	if err != nil {
		return body
	}
	body = append(body[:len(body)-1], `,"statuses":`...)
	return append(append(body, member...), '}')
}

// statusCounts counts records by the legal status that each country gave them.
type statusCounts struct {
	Records  int               `json:"records"` // that either country has decided on
	ID       map[string]int    `json:"status_id"`
	MY       map[string]int    `json:"status_my"`
	VictimID int               `json:"victims_id"`
	VictimMY int               `json:"victims_my"`
	Walk     map[Crosswalk]int `json:"crosswalk"`
}

// countStatuses counts the incidents of layers.
func countStatuses(layers []*geo.Layer) statusCounts {
	out := statusCounts{ID: map[string]int{}, MY: map[string]int{}, Walk: map[Crosswalk]int{}}
	for _, l := range layers {
		if l.Info.Kind != geo.KindIncident || !slices.ContainsFunc(l.Columns(), func(c geo.Column) bool { return strings.HasPrefix(c.Name, "status_") }) {
			continue
		}
		for row := range l.Len() {
			a := statusesOf(l, row)
			if a.ID == statusUnknown && a.MY == statusUnknown {
				continue
			}
			out.Records++
			out.ID[a.ID]++
			out.MY[a.MY]++
			out.Walk[a.Crosswalk]++
			out.VictimID += max(0, standing(a.ID))
			out.VictimMY += max(0, standing(a.MY))
		}
	}
	return out
}

var legalWords = tiles.Words{
	EN: "Legal status: victims in %d records by Indonesia and in %d by Malaysia, by both in %d; neither status stands for the other",
	ID: "Status hukum: korban pada %d catatan menurut Indonesia dan %d menurut Malaysia, keduanya pada %d; status yang satu tidak menggantikan yang lain",
	MS: "Status undang-undang: mangsa dalam %d rekod menurut Indonesia dan %d menurut Malaysia, kedua-duanya dalam %d; satu status tidak menggantikan yang lain",
}

// statusNotes say in a sentence how many victims each country counts.
func statusNotes(c statusCounts, lang tiles.Lang) []string {
	if c.Records == 0 {
		return nil
	}
	return []string{fmt.Sprintf(legalWords.In(lang), c.VictimID, c.VictimMY, c.Walk[bothVictim])}
}
