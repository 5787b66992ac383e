package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// featureName is the {fid} of a path: the id that the feature has in GeoJSON,
// or fid:N for its number in the layer, which is its id in vector tiles.
type featureName struct {
	text string
	fid  int64 // 0: not named by number
}

func featureOf(r *http.Request) (featureName, error) {
	text, err := url.PathUnescape(mux.Vars(r)["fid"])
	if err != nil {
		return featureName{}, badParameter("fid", "%v", err)
	}
	number, named := strings.CutPrefix(text, "fid:")
	if !named {
		return featureName{text: text}, nil
	}
	fid, err := strconv.ParseInt(number, 10, 64)
	if err != nil || fid < 1 {
		return featureName{}, badParameter("fid", "%q is not a number from 1 on", number)
	}
	return featureName{fid: fid}, nil
}

// matches reports whether a row has the name: without an id of its own, its
// number is its id.
func (n featureName) matches(l *geo.Layer, row int) bool {
	if n.fid != 0 {
		return l.FID(row) == n.fid
	}
	id := l.ID(row)
	return id == n.text || id == "" && strconv.FormatInt(l.FID(row), 10) == n.text
}

// row finds the one row with the name.
func (n featureName) row(l *geo.Layer) (int, error) {
	found := []int{}
	for row := range l.Len() {
		if n.matches(l, row) {
			found = append(found, row)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return 0, problem{Status: http.StatusNotFound, Code: "feature_not_found",
			Detail: fmt.Sprintf("layer %s has no such feature; name it by its id, or by its number as fid:7", l.Info.ID)}
	}
	return 0, problem{Status: http.StatusConflict, Code: "feature_ambiguous",
		Detail: fmt.Sprintf("%d features of layer %s have this id; name one by its number, as fid:%d", len(found), l.Info.ID, l.FID(found[0]))}
}

func (s *Server) feature(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	name, err := featureOf(r)
	if err != nil {
		return err
	}
	row, err := name.row(e.layer)
	if err != nil {
		return err
	}
	body := withStatuses(data.AppendFeature(nil, e.layer, row), e.layer, row)
	if ok, err := s.mayExport(w, r, e.layer, 1, slices.Values([]int{row})); !ok {
		return err
	}
	noteRows(r.Context(), e.layer, slices.Values([]int{row}))
	s.send(w, r, reply{contentType: "application/geo+json", body: append(body, '\n'), etag: e.tag() + "-" + contentTag(body)})
	return nil
}

// mayTakeLong gives an answer the time that a layer of a million rows needs.
func mayTakeLong(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * time.Minute))
}

// target is the feature that a correction is about.
func (s *Server) target(w http.ResponseWriter, r *http.Request) (*entry, int, error) {
	e, err := s.entryOf(w, r)
	if err != nil {
		return nil, 0, err
	}
	if err := e.checkVersion(r); err != nil {
		return nil, 0, err
	}
	name, err := featureOf(r)
	if err != nil {
		return nil, 0, err
	}
	row, err := name.row(e.layer)
	return e, row, err
}

// correctFeature changes one record, as a new version of its layer.
func (s *Server) correctFeature(w http.ResponseWriter, r *http.Request) error {
	var ask struct {
		Geometry   json.RawMessage `json:"geometry,omitempty"`
		Properties json.RawMessage `json:"properties,omitempty"`
		Reason     string          `json:"reason"`
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	if ask.Reason == "" {
		ask.Reason = r.URL.Query().Get("reason")
	}
	dryRun, err := boolParam(r, "dry_run")
	if err != nil {
		return err
	}
	if err := checkOwnStatus(asker(r.Context()), ask.Properties); err != nil {
		return err
	}
	e, row, done, err := s.beginEdit(w, r, s.target)
	if err != nil {
		return err
	}
	defer done()
	c := data.Correction{Row: row, Reason: ask.Reason, User: asker(r.Context()).ID, Now: s.opts.Now(), Limits: data.DefaultLimits()}
	ask.Reason = ""
	if c.Patch, err = json.Marshal(map[string]json.RawMessage{"geometry": orNull(ask.Geometry), "properties": orNull(ask.Properties)}); err != nil {
		return err
	}
	change, report, err := c.Change(r.Context(), e.layer, e.stored)
	if err != nil {
		return err
	}
	if dryRun {
		diff := data.CompareChange(e.layer, change)
		report.DryRun, report.Diff = true, &diff
		return s.sendJSON(w, r, http.StatusOK, report)
	}
	info, ok, err := s.carryOut(w, r, weighed{e, change, string(c.Patch)})
	if !ok {
		return err
	}
	report.Version = info.Version
	return s.sendJSON(w, r, http.StatusOK, report)
}

func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// withdrawFeature takes one record out, as a new version of its layer; with
// erase=true out of all versions, so that nothing of it is left.
func (s *Server) withdrawFeature(w http.ResponseWriter, r *http.Request) error {
	erase, err := boolParam(r, "erase")
	if err != nil {
		return err
	}
	reason := r.URL.Query().Get("reason")
	if err := data.CheckReason(reason); err != nil {
		return err
	}
	mayTakeLong(w)
	done, err := s.changing(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	defer done()
	if erase {
		return s.eraseFeature(w, r, reason)
	}
	e, row, err := s.target(w, r)
	if err != nil {
		return err
	}
	c := data.Correction{Row: row, Reason: reason, User: asker(r.Context()).ID, Now: s.opts.Now()}
	change, err := c.Withdrawal(e.layer, e.stored)
	if err != nil {
		return err
	}
	id := e.layer.ID(row)
	info, err := s.apply(r.Context(), e, change)
	if err != nil {
		return err
	}
	s.bury(r.Context(), e, Tombstone{Record: id, Action: tombWithdraw, Reason: "withdrawn"})
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"layer": info.ID, "version": info.Version, "withdrawn": 1})
}

func (s *Server) eraseFeature(w http.ResponseWriter, r *http.Request, reason string) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	if err := e.checkVersion(r); err != nil {
		return err
	}
	if !e.stored {
		return problem{Status: http.StatusConflict, Code: "not_stored",
			Detail: "the layer ships with the program, which cannot be erased from; withdraw the record instead"}
	}
	name, err := featureOf(r)
	if err != nil {
		return err
	}
	what := data.Erasure{Provenance: data.Provenance{At: s.opts.Now().UTC(), User: asker(r.Context()).ID, Action: "erase", Reason: reason}}
	if name.fid != 0 {
		what.FIDs = []int64{name.fid}
	} else {
		what.IDs = []string{name.text}
	}
	named := map[int64]bool{} // those with an identifier of their own
	for row := range e.layer.Len() {
		if name.matches(e.layer, row) {
			named[e.layer.FID(row)] = e.layer.ID(row) != ""
			what.FIDs = append(what.FIDs, e.layer.FID(row))
			if id := e.layer.ID(row); id != "" && !slices.Contains(what.IDs, id) {
				what.IDs = append(what.IDs, id)
			}
		}
	}
	if ok, err := s.approved(w, r, sensitive{action: twoErase, object: e.layer.Info.ID}); !ok {
		return err
	}
	n, info, err := s.erase(r.Context(), e, what)
	if errors.Is(err, data.ErrNotFound) {
		return problem{Status: http.StatusNotFound, Code: "feature_not_found", Detail: "no version of the layer has such a feature"}
	}
	if err != nil {
		return err
	}
	for _, id := range what.IDs {
		s.bury(r.Context(), e, Tombstone{RecordSHA256: recordDigest(info.ID, id), Action: tombErase, Reason: "erased"})
	}
	for _, fid := range what.FIDs {
		if !named[fid] {
			s.bury(r.Context(), e, Tombstone{RecordSHA256: fidDigest(info.ID, fid), Action: tombErase, Reason: "erased"})
		}
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"layer": info.ID, "version": info.Version, "erased": n})
}

func (s *Server) versionDiff(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	to, err := strconv.ParseInt(mux.Vars(r)["version"], 10, 64)
	if err != nil {
		return badParameter("version", "%q is not a number", mux.Vars(r)["version"])
	}
	from := max(to-1, 0)
	if text := r.URL.Query().Get("from"); text != "" {
		if from, err = strconv.ParseInt(text, 10, 64); err != nil || from < 0 {
			return badParameter("from", "%q is not a version; 0 stands for nothing", text)
		}
	}
	mayTakeLong(w)
	diff, err := s.compareVersions(r.Context(), e, from, to)
	if errors.Is(err, data.ErrNotFound) {
		return problem{Status: http.StatusNotFound, Code: "version_not_found",
			Detail: fmt.Sprintf("layer %s does not keep versions %d and %d; GET /v1/layers/%s/versions lists them", e.layer.Info.ID, from, to, e.layer.Info.ID)}
	}
	if err != nil {
		return err
	}
	if ok, err := s.mayCompare(w, r, e.layer.Info, diff); !ok {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, struct {
		Layer string `json:"layer"`
		From  int64  `json:"from"`
		To    int64  `json:"to"`
		data.Diff
	}{e.layer.Info.ID, from, to, diff})
}

func (s *Server) compareVersions(ctx context.Context, e *entry, from, to int64) (data.Diff, error) {
	if !e.stored { // it ships with the program, and has the one version
		content := func(version int64) (*geo.Layer, error) {
			switch version {
			case 0:
				return geo.NewBuilder(e.layer.Info).Layer(), nil
			case e.layer.Info.Version:
				return e.layer, nil
			}
			return nil, data.ErrNotFound
		}
		old, err := content(from)
		after, bad := content(to)
		if err = errors.Join(err, bad); err != nil {
			return data.Diff{}, err
		}
		return data.Compare(old, after), nil
	}
	gone, come, err := s.opts.Store.Changes(ctx, e.layer.Info.ID, from, to)
	if err != nil {
		return data.Diff{}, err
	}
	diff := data.Compare(gone, come)
	list, err := s.opts.Store.Versions(ctx, e.layer.Info.ID)
	for _, v := range list {
		if v.Version == from {
			diff.Unchanged += v.Features - gone.Len()
		}
	}
	return diff, err
}
