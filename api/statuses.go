package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// statusFieldOf is the field of a country's legal status of a record, and
// partnerOf the other country.
func statusFieldOf(country string) string { return "status_" + strings.ToLower(country) }

func partnerOf(country string) string {
	if country == countries[0] {
		return countries[1]
	}
	return countries[0]
}

const statusUnknown = "unknown"

// statusCodes are the legal statuses that a country gives a record.
func statusCodes() []string {
	for _, f := range data.Fields(geo.KindIncident) {
		if f.Name == statusFieldOf(countries[0]) {
			return f.Codes
		}
	}
	return nil
}

// keepPartnerStatus returns uploaded incidents with the partner's legal status
// as the partner set it, whatever the file says of it, and how many rows said
// something else. Of a record that is not there the partner has set none.
func keepPartnerStatus(who principal, old, rows *geo.Layer) (*geo.Layer, int) {
	if who.Local || rows.Info.Kind != geo.KindIncident {
		return rows, 0
	}
	changed := 0
	for _, field := range partnerFields(who.Country) {
		set := map[string]string{}
		if old != nil {
			for row := range old.Len() {
				if text := old.Text(row, field); text != "" && text != statusUnknown {
					set[old.ID(row)] = text
				}
			}
		}
		fixed := withValue(rows, rows.Info, field, func(row int) string {
			if text := set[rows.ID(row)]; text != "" && rows.ID(row) != "" {
				return text
			}
			if strings.HasPrefix(field, "status_basis_") || rows.Text(row, field) == "" {
				return ""
			}
			return statusUnknown
		})
		if fixed.Len() > 0 {
			changed += fixed.Len()
			rows = rows.Upsert(fixed)
		}
	}
	return rows, changed
}

// partnerFields are those of a record that only the partner of a country sets.
func partnerFields(country string) []string {
	of := strings.ToLower(partnerOf(country))
	return []string{"status_" + of, "status_basis_" + of}
}

// guardStatuses keeps the partner's statuses in an upload, and says so.
func (s *Server) guardStatuses(ctx context.Context, old, rows *geo.Layer, report *data.Report) *geo.Layer {
	who := asker(ctx)
	kept, n := keepPartnerStatus(who, old, rows)
	if n > 0 {
		report.Warnings = append(report.Warnings, data.Warning{Code: "status_of_partner", Count: n,
			Message: fmt.Sprintf("%d values of %s are left as %s set them; only it sets its own, with PUT /v1/layers/{id}/features/{fid}/status",
				n, strings.Join(partnerFields(who.Country), " and "), partnerOf(who.Country))})
	}
	return kept
}

// checkOwnStatus refuses a correction of what only the partner sets.
func checkOwnStatus(who principal, properties json.RawMessage) error {
	if who.Local || properties == nil {
		return nil
	}
	var named map[string]json.RawMessage
	if json.Unmarshal(properties, &named) != nil {
		return nil // told as every other body that cannot be read
	}
	for _, field := range partnerFields(who.Country) {
		if _, has := named[field]; has {
			return problem{Status: http.StatusForbidden, Code: "status_of_partner",
				Detail: fmt.Sprintf("%s is set by %s only; you set %s", field, partnerOf(who.Country), statusFieldOf(who.Country))}
		}
	}
	return nil
}

// keepsStatuses reports whether a version of a layer leaves the partner's
// statuses of its records as they are now.
func keepsStatuses(who principal, now, then *geo.Layer) bool {
	_, n := keepPartnerStatus(who, now, then)
	return n == 0
}

// setStatus sets the own country's legal status of a record: of the own
// agency's, or of the partner's where an agreement in force shares the field
// status of its layer. What it does not cover is not there.
func (s *Server) setStatus(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Status string `json:"status"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	who := asker(r.Context())
	if who.Local {
		return openService("no country could set its status; correct the record with PATCH")
	}
	if !slices.Contains(statusCodes(), body.Status) {
		return problem{Status: http.StatusUnprocessableEntity, Code: "unknown_status", Detail: fmt.Sprintf("status %q is not one of %s", body.Status, strings.Join(statusCodes(), ", "))}
	}
	mayTakeLong(w)
	s.writes.Lock()
	defer s.writes.Unlock()
	e := s.current().byID[mux.Vars(r)["id"]]
	if e == nil || !s.maySetStatus(who, e.layer.Info) {
		_, err := (&catalog{}).find(mux.Vars(r)["id"])
		return err
	}
	_, row, err := s.target(w, r)
	if err != nil {
		return err
	}
	if name, err := featureOf(r); err != nil || name.fid != 0 && ownerOf(e.layer.Info).Country != who.Country {
		_, err := featureName{text: "fid"}.row(geo.NewBuilder(e.layer.Info).Layer()) // numbers would count the partner's records
		return err
	}
	if release := e.layer.Text(row, "release"); ownerOf(e.layer.Info).Country != who.Country && (release == "" || release == "national") {
		name, _ := featureOf(r)
		_, err := name.row(geo.NewBuilder(e.layer.Info).Layer())
		return err
	}
	field := statusFieldOf(who.Country)
	patch, err := json.Marshal(map[string]any{"properties": map[string]string{field: body.Status,
		"status_basis_" + strings.ToLower(who.Country): who.Agency + " " + s.opts.Now().UTC().Format("2006-01-02")}})
	if err != nil {
		return err
	}
	c := data.Correction{Row: row, Patch: patch, Reason: field + " set by " + who.Country, User: who.ID, Now: s.opts.Now(), Limits: data.DefaultLimits()}
	change, _, err := c.Change(r.Context(), e.layer, e.stored)
	if err != nil {
		return err
	}
	fid := e.layer.FID(row)
	info, err := s.apply(r.Context(), e, change)
	if err != nil {
		return err
	}
	s.note(r.Context(), "status_set", info.ID)
	after := s.current().byID[info.ID].layer
	at, err := featureName{fid: fid}.row(after)
	if err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"layer": info.ID, "statuses": statusesOf(after, at)})
}

// maySetStatus reports whether somebody may give records of a layer the legal
// status of their own country.
func (s *Server) maySetStatus(who principal, info geo.LayerInfo) bool {
	if info.Kind != geo.KindIncident {
		return false
	}
	if own := ownerOf(info); own.Country == who.Country {
		return own.Agency == who.Agency
	}
	by, shared := s.agreementFor(info, who.Country, s.opts.Now())
	return shared && slices.Contains(by.Fields, statusField) && info.Classification != classSecret
}
