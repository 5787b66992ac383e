package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

const mediaMergePatch = "application/merge-patch+json"

// mostFeatureBytes bounds the body of one feature.
const mostFeatureBytes = 8 << 20

// ogcReason stands for the reason of a change for which none is given.
const ogcReason = "edited by OGC API Features"

// editable reports whether the features of a layer can be changed one by one
// through the OGC API.
func editable(e *entry) bool { return e.layer.Info.Kind == geo.KindIncident }

// mayEdit reports whether a caller may change the features of the layer that a
// path names; who may not is told of the same methods as of a layer that is
// not there.
func (s *Server) mayEdit(r *http.Request) bool {
	id, do := mux.Vars(r)["id"], doReport
	if mux.Vars(r)["fid"] != "" {
		do = doCurate
	}
	e := s.current().byID[id]
	who, err := s.gate.who(r)
	return err == nil && e != nil && editable(e) && who.mayDo(do) && s.mayChange(who, do, id, true) == nil
}

// editBody reads one feature of the media types.
func (s *Server) editBody(w http.ResponseWriter, r *http.Request, media ...string) (map[string]json.RawMessage, error) {
	if e := s.current().byID[mux.Vars(r)["id"]]; e != nil && !editable(e) {
		return nil, notEditable(w)
	}
	crs, err := bodyCRS(r)
	if err != nil {
		return nil, err
	}
	given, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(media, given) {
		return nil, problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Detail: "send the feature as " + media[0]}
	}
	limit := min(s.opts.MaxBody, mostFeatureBytes)
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	s.slowBody(w, r)
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if over := (*http.MaxBytesError)(nil); errors.As(err, &over) {
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, problem{Status: http.StatusBadRequest, Code: "invalid_body", Detail: "the body is not one JSON object"}
	}
	if err := toDegrees(members, crs); err != nil {
		return nil, err
	}
	return members, unfold(members, s.current().byID[mux.Vars(r)["id"]])
}

// unfold takes lists and objects that came back as the text in which items
// have them.
func unfold(members map[string]json.RawMessage, e *entry) error {
	var properties map[string]json.RawMessage
	if e == nil || json.Unmarshal(members["properties"], &properties) != nil {
		return nil // what is wrong is said where features are read
	}
	for _, q := range e.facts().queryables {
		text := ""
		if q.Type != geo.FieldAny || json.Unmarshal(properties[q.Name], &text) != nil {
			continue
		}
		if text = strings.TrimSpace(text); text != "" && (text[0] == '[' || text[0] == '{') && json.Valid([]byte(text)) {
			properties[q.Name] = json.RawMessage(text)
		}
	}
	if properties == nil {
		return nil
	}
	raw, err := json.Marshal(properties)
	members["properties"] = raw
	return err
}

func tooLarge(limit int64) problem {
	return problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
		Detail: "a feature has at most " + strconv.FormatInt(limit, 10) + " bytes; upload larger ones as a file"}
}

// whole checks a body that stands for a whole feature, and drops what the
// service itself adds to features.
func whole(members map[string]json.RawMessage) ([]byte, error) {
	if kind := ""; json.Unmarshal(members["type"], &kind) != nil || kind != "Feature" {
		return nil, badMember("/type", "send one feature, of the type Feature")
	}
	if g := members["geometry"]; len(g) == 0 || string(g) == "null" {
		return nil, badMember("/geometry", "a feature must have a place")
	}
	delete(members, "links")
	return json.Marshal(members)
}

func badMember(pointer, detail string) problem {
	return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_feature", Detail: pointer + ": " + detail,
		Errors: []paramError{{pointer, detail}}}
}

// editFault names the members of a feature that were refused, by JSON pointers
// (RFC 6901) to them.
func editFault(err error) error {
	refusal := (*data.Refusal)(nil)
	if !errors.As(err, &refusal) || refusal.Report == nil {
		return err
	}
	p := problemOf(err)
	for _, row := range refusal.Report.Rows {
		pointer := "/properties/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(row.Field)
		if row.Field == "geometry" || row.Field == "" || row.Field == "lon" || row.Field == "lat" || row.Field == "coordinates" {
			pointer = "/geometry"
		} else if row.Field == "type" || row.Field == "id" || row.Field == "properties" {
			pointer = "/" + row.Field
		}
		p.Errors = append(p.Errors, paramError{pointer, row.Message})
	}
	return p
}

func (s *Server) ogcCreate(w http.ResponseWriter, r *http.Request) error {
	members, err := s.editBody(w, r, mediaGeoJSON, mediaJSON)
	if err != nil {
		return err
	}
	feature, err := whole(members)
	if err != nil {
		return err
	}
	reason, err := editReason(r)
	if err != nil {
		return err
	}
	mayTakeLong(w)
	done, err := s.changing(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	defer done()
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	if !editable(e) {
		return notEditable(w)
	}
	v := data.Revision{ID: e.layer.Info.ID, Mode: data.Append, User: asker(r.Context()).ID, Import: data.ImportOptions{
		Format: data.FormatGeoJSON, Strict: true, Now: s.opts.Now(), Limits: data.DefaultLimits(), Check: s.opts.Check}}
	unseen, content := blind(asker(r.Context())), e.layer
	if unseen {
		content = blindReading(upload{}, content)
	}
	rows, report, err := v.Read(r.Context(), bytes.NewReader(feature), content)
	if err != nil {
		return editFault(err)
	}
	if rows.Len() != 1 {
		return badMember("/type", "the feature makes "+strconv.Itoa(rows.Len())+" records, not one")
	}
	rows = s.guardStatuses(r.Context(), e.layer, rows, report)
	if unseen {
		forgetStored(report)
	} else {
		s.warnOfTombstones(r.Context(), rows, report, false)
	}
	change, err := v.Change(e.layer, e.stored, rows, report)
	if err != nil {
		return err
	}
	change.Provenance.Reason = reason
	info, ok, err := s.carryOut(w, r, weighed{e, change, string(feature)})
	if !ok {
		return err
	}
	report.Version = info.Version
	body, err := marshal(report)
	if err != nil {
		return err
	}
	a := reply{status: http.StatusCreated, contentType: mediaJSON, body: append(body, '\n')}
	if unseen { // the number of the feature, in its address and its tag, would count the others
		a.untagged = true
		s.send(w, r, a)
		return nil
	}
	fid := rows.FID(0)
	w.Header().Set("Location", baseURL(r)+"/ogc/collections/"+info.ID+"/items/"+strconv.FormatInt(fid, 10))
	if made := s.current().byID[info.ID]; made != nil {
		if row, found := made.rowOf(fid); found {
			a.etag = itemTag(made, row)
		}
	}
	s.send(w, r, a)
	return nil
}

func notEditable(w http.ResponseWriter) error {
	w.Header().Set("Allow", "GET, HEAD, OPTIONS")
	return problem{Status: http.StatusMethodNotAllowed, Code: "not_editable", Detail: "only features of incident layers are changed here; upload the layer anew with PUT /v1/layers/{id}"}
}

// editReason reads why a change is made.
func editReason(r *http.Request) (string, error) {
	reason := r.URL.Query().Get("reason")
	if reason == "" {
		return ogcReason, nil
	}
	return reason, data.CheckReason(reason)
}

// edited finds the feature that is changed, and holds the request to the state
// that its If-Match names.
func (s *Server) edited(w http.ResponseWriter, r *http.Request) (*entry, int, error) {
	e, row, err := s.itemOf(w, r)
	if err != nil {
		return nil, 0, err
	}
	if !editable(e) {
		return nil, 0, notEditable(w)
	}
	header := r.Header.Get("If-Match")
	if header == "" {
		return nil, 0, problem{Status: http.StatusPreconditionRequired, Code: "if_match_required",
			Detail: "name the state that you change: send the ETag of the feature in If-Match"}
	}
	want := itemTag(e, row)
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" {
			return e, row, nil
		}
		// The tags of a feature's forms begin with that of its content.
		if content, _, _ := strings.Cut(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), "-"); content == want {
			return e, row, nil
		}
	}
	return nil, 0, problem{Status: http.StatusPreconditionFailed, Code: "feature_changed",
		Detail: "the feature has changed since the state named in If-Match; read it again and repeat the change"}
}

func (s *Server) ogcReplace(w http.ResponseWriter, r *http.Request) error {
	members, err := s.editBody(w, r, mediaGeoJSON, mediaJSON)
	if err != nil {
		return err
	}
	delete(members, "id")
	feature, err := whole(members)
	if err != nil {
		return err
	}
	return s.amend(w, r, data.Correction{Patch: feature, Whole: true})
}

func (s *Server) ogcUpdate(w http.ResponseWriter, r *http.Request) error {
	members, err := s.editBody(w, r, mediaMergePatch, mediaJSON, mediaGeoJSON)
	if err != nil {
		return err
	}
	patch := map[string]json.RawMessage{}
	for name, value := range members {
		switch name {
		case "geometry", "properties":
			if string(value) == "null" {
				return badMember("/"+name, "it can be changed, not removed")
			}
			patch[name] = value
		case "type", "id", "links":
		default:
			return badMember("/"+name, "a feature has no such member")
		}
	}
	raw, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	return s.amend(w, r, data.Correction{Patch: raw})
}

// amend makes a correction through the same way as those of /v1.
func (s *Server) amend(w http.ResponseWriter, r *http.Request, c data.Correction) error {
	reason, err := editReason(r)
	if err != nil {
		return err
	}
	e, row, done, err := s.beginEdit(w, r, s.edited)
	if err != nil {
		return err
	}
	defer done()
	c.Row, c.Reason, c.User, c.Now, c.Limits = row, reason, asker(r.Context()).ID, s.opts.Now(), data.DefaultLimits()
	fid := e.layer.FID(row)
	change, _, err := c.Change(r.Context(), e.layer, e.stored)
	if err != nil {
		return editFault(err)
	}
	if err := leavesPartner(asker(r.Context()), e.layer, row, change.Rows); err != nil {
		return err
	}
	info, ok, err := s.carryOut(w, r, weighed{e, change, string(c.Patch)})
	if !ok {
		return err
	}
	if made := s.current().byID[info.ID]; made != nil {
		if row, found := made.rowOf(fid); found {
			w.Header().Set("ETag", `"`+itemTag(made, row)+`"`)
		}
	}
	s.send(w, r, reply{status: http.StatusNoContent, untagged: true})
	return nil
}

// leavesPartner refuses an edit of what only the partner sets.
func leavesPartner(who principal, old *geo.Layer, row int, changed *geo.Layer) error {
	if who.Local {
		return nil
	}
	said := func(l *geo.Layer, row int, field string) string {
		if text := l.Text(row, field); text != statusUnknown {
			return text
		}
		return ""
	}
	for k := range changed.Len() {
		if changed.FID(k) != old.FID(row) {
			continue
		}
		for _, field := range partnerFields(who.Country) {
			if said(changed, k, field) != said(old, row, field) {
				return problem{Status: http.StatusForbidden, Code: "status_of_partner",
					Detail: field + " is set by " + partnerOf(who.Country) + " only; send it as it is"}
			}
		}
	}
	return nil
}

func (s *Server) ogcDelete(w http.ResponseWriter, r *http.Request) error {
	reason, err := editReason(r)
	if err != nil {
		return err
	}
	e, row, done, err := s.beginEdit(w, r, s.edited)
	if err != nil {
		return err
	}
	defer done()
	c := data.Correction{Row: row, Reason: reason, User: asker(r.Context()).ID, Now: s.opts.Now()}
	change, err := c.Withdrawal(e.layer, e.stored)
	if err != nil {
		return err
	}
	id := e.layer.ID(row)
	if _, err := s.apply(r.Context(), e, change); err != nil {
		return err
	}
	s.bury(r.Context(), e, Tombstone{Record: id, Action: tombWithdraw, Reason: "withdrawn"})
	s.send(w, r, reply{status: http.StatusNoContent, untagged: true})
	return nil
}
