package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// layerAnswer is one layer as /v1/layers shows it.
type layerAnswer struct {
	geo.LayerInfo
	Features int               `json:"features"`
	Bounds   []float64         `json:"bounds"`
	Links    map[string]string `json:"links"`
	Origins  []string          `json:"origins,omitempty"` // whose pages may read it besides the service's own
	Columns  []geo.Column      `json:"columns,omitempty"`
	Schema   []data.Field      `json:"schema,omitempty"`
}

func (s *Server) answerOf(e *entry) layerAnswer {
	l := e.layer
	a := layerAnswer{LayerInfo: l.Info, Features: l.Len(), Links: map[string]string{
		"self":     "/v1/layers/" + l.Info.ID,
		"features": "/v1/layers/" + l.Info.ID + "/features",
		"tilejson": "/tiles/layers/" + l.Info.ID + ".json",
	}}
	if e.stored {
		a.Links["versions"] = "/v1/layers/" + l.Info.ID + "/versions"
	}
	if b := e.bound(); l.Len() > 0 && !b.IsEmpty() {
		a.Bounds = []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}
	}
	a.Origins = s.originsOf(l.Info.ID)
	return a
}

func (s *Server) listLayers(w http.ResponseWriter, r *http.Request) error {
	out := []layerAnswer{}
	for _, e := range s.listed(w, r) {
		out = append(out, s.answerOf(e))
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"layers": out})
}

func (s *Server) entryOf(w http.ResponseWriter, r *http.Request) (*entry, error) {
	return s.current().find(mux.Vars(r)["id"])
}

func (s *Server) describeLayer(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	body, tag, err := s.describe(e)
	if err != nil {
		return err
	}
	s.send(w, r, reply{contentType: "application/json", body: append(body, '\n'), etag: tag})
	return nil
}

// describe words a layer. The tag begins with the version, so that it can be
// sent back in If-Match.
func (s *Server) describe(e *entry) (body []byte, tag string, err error) {
	a := s.answerOf(e)
	a.Columns, a.Schema = e.layer.Columns(), data.Fields(e.layer.Info.Kind)
	body, err = json.Marshal(a)
	return body, e.tag() + "-" + contentTag(body), err
}

var layerID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// upload is a parsed PUT of a layer.
type upload struct {
	data.Revision
	dryRun    bool
	mustExist bool // If-Match: *
	body      *spooled
	onPhase   func(string)
	// approved asks for the word of a second person.
	approved func(sensitive) (bool, error)
	// stored, when it is not nil, lets the next upload be read.
	stored func()
}

// phase tells whoever watches the upload what it does now.
func (u *upload) phase(name string) {
	if u.onPhase != nil {
		u.onPhase(name)
	}
}

func (s *Server) parseUpload(r *http.Request) (upload, error) {
	q := r.URL.Query()
	u := upload{Revision: data.Revision{
		ID: mux.Vars(r)["id"], Title: q.Get("title"), Kind: geo.LayerKind(q.Get("kind")), Mode: data.Mode(q.Get("mode")),
		IdempotencyKey: r.Header.Get("Idempotency-Key"),
	}}
	if u.Classification = q.Get("classification"); u.Classification != "" {
		if err := mayClassify(asker(r.Context()), u.Classification); err != nil {
			return u, err
		}
	}
	u.User, u.Owner = asker(r.Context()).ID, asker(r.Context()).ownerText()
	if !layerID.MatchString(u.ID) {
		return u, badParameter("id", "%q cannot name a layer: use letters, digits, - _ and ., at most 64, the first a letter or digit", u.ID)
	}
	if data.HasKey(u.ID) {
		return u, badParameter("id", "it holds an API key; revoke that key, and give the layer a name")
	}
	if u.Mode == "" {
		u.Mode = data.Replace
	}
	if u.Mode != data.Replace && u.Mode != data.Append && u.Mode != data.Upsert {
		return u, badParameter("mode", "%q is not replace, append or upsert", u.Mode)
	}
	var err error
	if u.dryRun, err = boolParam(r, "dry_run"); err != nil {
		return u, err
	}
	if u.Mode != data.Append && !asker(r.Context()).mayDo(doCurate) {
		return u, problem{Status: http.StatusForbidden, Code: "not_for_this_role", Detail: "your role adds records and changes none; use mode=append"}
	}
	strict, err := boolParam(r, "strict")
	if err != nil {
		return u, err
	}
	if u.IfVersion, err = ifVersion(r, s.versionOf(u.ID)); err != nil {
		return u, err
	}
	mapping, err := data.ParseMapping(q.Get("map"))
	if err != nil {
		return u, badParameter("map", "%v", err)
	}
	if len(u.IdempotencyKey) > 200 {
		return u, problem{Status: http.StatusBadRequest, Code: "invalid_header", Detail: "Idempotency-Key is longer than 200 characters"}
	}
	if u.IdempotencyKey != "" && u.Owner != "" { // each agency has its own
		u.IdempotencyKey = u.Owner + " " + u.IdempotencyKey
	}
	profile := data.Profile{}
	if name := q.Get("profile"); name != "" {
		if profile, err = data.FindProfile(r.Context(), s.opts.Store, name); err != nil {
			return u, err
		}
		if u.Kind == "" {
			u.Kind = profile.Kind
		}
	}
	limits := data.DefaultLimits()
	limits.BodyBytes = s.opts.MaxBody
	limits.UnpackedBytes = max(limits.UnpackedBytes, 4*s.opts.MaxBody)
	u.Import = data.ImportOptions{
		Format: q.Get("format"), ContentType: r.Header.Get("Content-Type"), ContentEncoding: r.Header.Get("Content-Encoding"),
		Filename: r.Header.Get("X-Filename"), Layer: q.Get("layer"), GeoPackage: s.opts.GeoPackage, Mapping: mapping, CRS: q.Get("crs"), TZ: q.Get("tz"),
		DateOrder: data.DateOrder(q.Get("date_order")), Date: q.Get("date"), Strict: strict,
		Now: s.opts.Now(), Limits: limits, Check: s.opts.Check,
	}
	if hard := q.Get("hard"); hard != "" {
		u.Import.Hard = strings.Split(hard, ",")
	}
	profile.Apply(&u.Import)
	return u, nil
}

func boolParam(r *http.Request, name string) (bool, error) {
	switch v := r.URL.Query().Get(name); v {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	default:
		return false, badParameter(name, "%q is not true or false", v)
	}
}

// ifVersion reads If-Match: "N" (a layer's version), and If-None-Match: * for
// a layer that must not exist. Of a list of tags (RFC 9110, section 13.1.1) the
// one that names the version that is there counts, current, else the first.
func ifVersion(r *http.Request, current int64) (*int64, error) {
	if r.Header.Get("If-None-Match") == "*" {
		none := int64(0)
		return &none, nil
	}
	h := strings.Join(r.Header.Values("If-Match"), ",")
	if h == "" || h == "*" { // a layer that must exist is for the caller to look up
		return nil, nil
	}
	var first *int64
	for tag := range strings.SplitSeq(h, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "" {
			continue
		}
		text, _, _ := strings.Cut(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), "-")
		v, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
		case v == current:
			return &v, nil
		case first == nil:
			first = &v
		}
	}
	if first == nil {
		return nil, problem{Status: http.StatusPreconditionFailed, Code: "version_mismatch",
			Detail: fmt.Sprintf(`If-Match is %s: give the version of the layer as "7", from GET /v1/layers/{id}`, h)}
	}
	return first, nil
}

// versionOf is the version of a layer that is shown, 0 for none.
func (s *Server) versionOf(id string) int64 {
	if e := s.current().byID[id]; e != nil {
		return e.layer.Info.Version
	}
	return 0
}

func (s *Server) putLayer(w http.ResponseWriter, r *http.Request) (err error) {
	u, err := s.parseUpload(r)
	if err != nil {
		return err
	}
	if err := s.mayReport(asker(r.Context()), &u); err != nil {
		return err
	}
	if r.ContentLength > s.opts.MaxBody {
		return &http.MaxBytesError{Limit: s.opts.MaxBody}
	}
	s.slowBody(w, r)
	body, err := spool(http.MaxBytesReader(w, r.Body, s.opts.MaxBody))
	if err != nil {
		return err
	}
	u.body, u.SHA256 = body, body.sha256
	u.Request = contentTag([]byte(r.URL.Path + "?" + r.URL.Query().Encode()))
	u.mustExist = r.Header.Get("If-Match") == "*"
	if wantsAsync(r) {
		return s.startUpload(w, r, u)
	}
	defer body.close()
	leave, err := s.lanes.uploads.enter(r.Context())
	if err != nil {
		return err
	}
	u.stored = sync.OnceFunc(leave)
	defer u.stored()
	u.approved = func(q sensitive) (bool, error) { return s.approved(w, r, q) }
	out, err := s.upload(r.Context(), u)
	if err != nil || out.held {
		return err
	}
	return s.sendUploaded(w, r, out)
}

// uploaded is what came of an upload.
type uploaded struct {
	status   int
	report   *data.Report
	replayed bool
	held     bool   // it waits for a second person
	layer    string // where it is; "" for a dry run
	etag     string // of the layer; "" where nothing was changed
}

func (s *Server) sendUploaded(w http.ResponseWriter, r *http.Request, out uploaded) error {
	if out.replayed {
		w.Header().Set("Idempotent-Replay", "true")
	} else if out.layer != "" {
		w.Header().Set("Location", "/v1/layers/"+out.layer)
	}
	body, err := json.Marshal(out.report)
	if err != nil {
		return err
	}
	s.send(w, r, reply{status: out.status, contentType: "application/json", body: append(body, '\n'), etag: out.etag, untagged: out.etag == ""})
	return nil
}

// upload reads a file into a layer, stores it and shows it.
func (s *Server) upload(ctx context.Context, u upload) (out uploaded, err error) {
	defer func() {
		switch {
		case err == nil:
			s.metrics.imports.WithLabelValues("accepted").Inc()
		case problemOf(err).Status < 500:
			s.metrics.imports.WithLabelValues("refused").Inc()
		default:
			s.metrics.imports.WithLabelValues("failed").Inc()
		}
	}()
	if out, err = s.store(ctx, u); err == nil && out.layer != "" && !out.replayed {
		if u.stored != nil {
			u.stored()
		}
		s.assessStored(ctx)
	}
	return out, err
}

// store is upload without the assessment, for which changes need not wait for
// each other: one makes up for all that are stored by then.
func (s *Server) store(ctx context.Context, u upload) (out uploaded, err error) {
	s.writes.Lock()
	defer s.writes.Unlock()
	who, old := asker(ctx), s.current().byID[u.ID]
	if u.dryRun && !who.Local && s.hiddenFrom(who, u.ID) {
		old = nil // told as of a name that is free
	} else if err := s.mayStillChange(ctx, u.ID); err != nil {
		return out, err
	}
	if out, done, err := s.replay(ctx, u); done || err != nil {
		return out, err
	}
	if old == nil && u.mustExist {
		return out, fmt.Errorf("layer %s is not there: %w", u.ID, data.ErrVersionMismatch)
	}
	content := old.content()
	if blind(who) {
		content = blindReading(u, content)
	}
	rows, report, err := u.Read(ctx, u.body, content)
	if err != nil {
		return out, err
	}
	s.countRows(report)
	rows = s.guardStatuses(ctx, old.content(), rows, report)
	if blind(who) {
		forgetStored(report)
	} else {
		s.warnOfTombstones(ctx, rows, report, old == nil)
	}
	change, err := u.Change(old.content(), old != nil && old.stored, rows, report)
	if err != nil {
		return out, err
	}
	if u.dryRun {
		diff := data.CompareChange(content, change)
		report.DryRun, report.Diff = true, &diff
		return uploaded{status: http.StatusOK, report: report}, nil
	}
	if q := weigh(who, old, change, u.SHA256); q != nil {
		if ok, err := u.approved(*q); !ok {
			return uploaded{held: true}, err
		}
	}
	u.phase("writing")
	info, err := s.commit(ctx, old, change)
	if err != nil {
		return out, err
	}
	report.Version = info.Version
	out = uploaded{status: http.StatusOK, report: report, layer: u.ID}
	if old == nil {
		out.status = http.StatusCreated
	}
	if e := s.current().byID[u.ID]; e != nil {
		_, out.etag, err = s.describe(e)
	}
	return out, err
}

// slowBody gives an upload as long as its size needs at 64 KiB a second, and
// ten seconds to begin with: a body that trickles is cut off.
func (s *Server) slowBody(w http.ResponseWriter, r *http.Request) {
	size := r.ContentLength
	if size < 0 {
		size = s.opts.MaxBody
	}
	limit := 10*time.Second + time.Duration(size/(64<<10))*time.Second
	control := http.NewResponseController(w)
	// Not every connection has deadlines (tests' recorders do not).
	_ = control.SetReadDeadline(time.Now().Add(limit))
	_ = control.SetWriteDeadline(time.Now().Add(limit + 60*time.Second))
}

func (s *Server) countRows(report *data.Report) {
	s.metrics.importRows.WithLabelValues("accepted").Add(float64(report.Accepted))
	s.metrics.importRows.WithLabelValues("quarantined").Add(float64(report.Quarantined))
	s.metrics.importRows.WithLabelValues("rejected").Add(float64(report.Rejected))
}

// replay answers a change that was already made under the same key; the same
// key for another body is refused.
func (s *Server) replay(ctx context.Context, u upload) (out uploaded, done bool, err error) {
	if u.IdempotencyKey == "" || u.dryRun {
		return out, false, nil
	}
	receipt, err := s.opts.Store.Receipt(ctx, u.IdempotencyKey)
	if errors.Is(err, data.ErrNotFound) {
		return out, false, nil
	}
	if err != nil {
		return out, false, err
	}
	if receipt.Layer == u.ID && len(receipt.Answer) == 0 {
		return out, false, problem{Status: http.StatusGone, Code: "content_erased",
			Detail: "this Idempotency-Key was used, and records were erased from the layer since, with the answer; to send a file again, use a new key, without the records that were erased"}
	}
	var kept data.Kept
	if err := json.Unmarshal(receipt.Answer, &kept); err != nil {
		return out, false, fmt.Errorf("read the receipt of an earlier upload: %w", err)
	}
	if receipt.Layer != u.ID || receipt.SHA256 != u.SHA256 || kept.Request != u.Request {
		return out, false, problem{Status: http.StatusUnprocessableEntity, Code: "idempotency_key_reused",
			Detail: "this Idempotency-Key was used for another file, layer or parameters; use a new one"}
	}
	out = uploaded{status: http.StatusOK, report: kept.Report, replayed: true}
	if kept.New {
		out.status = http.StatusCreated
	}
	return out, true, nil
}

func (s *Server) versions(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	list := []data.Version{}
	if e.stored {
		if list, err = s.opts.Store.Versions(r.Context(), e.layer.Info.ID); err != nil {
			return err
		}
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"layer": e.layer.Info.ID, "versions": list})
}

// rollback makes an earlier version of a layer the newest. Of a built-in layer
// that was deleted, version 0 is the one that ships with the program.
func (s *Server) rollback(w http.ResponseWriter, r *http.Request) error {
	var ask struct {
		Version int64 `json:"version"`
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	id := mux.Vars(r)["id"]
	done, err := s.changing(r.Context(), id)
	if err != nil {
		return err
	}
	defer done()
	if b := s.builtin(id); b != nil && s.current().byID[id] == nil && ask.Version == 0 {
		return s.unhide(w, r, b)
	}
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	if err := e.checkVersion(r); err != nil {
		return err
	}
	if then, err := s.opts.Store.LoadVersion(r.Context(), id, ask.Version); err == nil {
		if !keepsStatuses(asker(r.Context()), e.layer, then) {
			return problem{Status: http.StatusConflict, Code: "status_of_partner",
				Detail: fmt.Sprintf("version %d has other legal statuses of %s than it has set since; correct the records one by one instead", ask.Version, partnerOf(asker(r.Context()).Country))}
		}
		if q := weigh(asker(r.Context()), e, data.Change{Mode: data.Replace, Rows: then}, fmt.Sprint(ask.Version)); q != nil {
			if ok, err := s.approved(w, r, *q); !ok {
				return err
			}
		}
	}
	info, err := s.opts.Store.Rollback(r.Context(), id, ask.Version,
		data.Provenance{At: s.opts.Now().UTC(), User: asker(r.Context()).ID, Action: "rollback"})
	if errors.Is(err, data.ErrNotFound) {
		return problem{Status: http.StatusNotFound, Code: "version_not_found",
			Detail: fmt.Sprintf("layer %s has no version %d to go back to; GET /v1/layers/%s/versions lists them", id, ask.Version, id)}
	}
	if err != nil {
		return err
	}
	l, err := s.opts.Store.Load(r.Context(), id)
	if err != nil {
		return err
	}
	s.replaceEntry(id, newEntry(l, true))
	if err := s.assessChange(context.WithoutCancel(r.Context())); err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"layer": id, "version": info.Version, "features": l.Len()})
}

// unhide brings a built-in layer back.
func (s *Server) unhide(w http.ResponseWriter, r *http.Request, b *geo.Layer) error {
	if err := s.setHidden(r.Context(), b.Info.ID, false); err != nil {
		return err
	}
	s.replaceEntry(b.Info.ID, newEntry(b, false))
	if err := s.assessChange(context.WithoutCancel(r.Context())); err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"layer": b.Info.ID, "version": b.Info.Version, "features": b.Len()})
}

// checkVersion holds a request to the version that its If-Match names.
func (e *entry) checkVersion(r *http.Request) error {
	want, err := ifVersion(r, e.layer.Info.Version)
	if err == nil && want != nil && *want != e.layer.Info.Version {
		err = fmt.Errorf("layer %s: %w", e.layer.Info.ID, data.ErrVersionMismatch)
	}
	return err
}

// deleteLayer removes a stored layer; where it stood in for a built-in one,
// that one comes back. A built-in layer is hidden.
func (s *Server) deleteLayer(w http.ResponseWriter, r *http.Request) error {
	done, err := s.changing(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	defer done()
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	if err := e.checkVersion(r); err != nil {
		return err
	}
	id := e.layer.Info.ID
	reason, err := deletionReason(r)
	if err != nil {
		return err
	}
	if ok, err := s.approved(w, r, sensitive{action: twoDelete, object: id, detail: fmt.Sprintf("%d features, %s", e.layer.Len(), reason)}); !ok {
		return err
	}
	var back *entry
	if e.stored {
		if err := s.opts.Store.Delete(r.Context(), id); err != nil {
			return err
		}
		if b := s.builtin(id); b != nil {
			back = newEntry(b, false)
		}
		if err := s.setOrigins(r.Context(), id, nil); err != nil {
			return err
		}
	} else if err := s.setHidden(r.Context(), id, true); err != nil {
		return err
	}
	s.bury(r.Context(), e, Tombstone{Action: tombDelete, Reason: reason})
	s.replaceEntry(id, back)
	if err := s.assessChange(context.WithoutCancel(r.Context())); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readJSON reads a small JSON body, and nothing behind it.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return problem{Status: http.StatusBadRequest, Code: "invalid_body", Detail: "the body must be a JSON object"}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return problem{Status: http.StatusBadRequest, Code: "invalid_body", Detail: "the body is not the JSON that is wanted here: " + err.Error()}
	}
	if _, err := dec.Token(); err != io.EOF {
		return problem{Status: http.StatusBadRequest, Code: "invalid_body", Detail: "there is something behind the JSON value"}
	}
	return nil
}
