package api

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"github.com/gorilla/mux"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
)

// auditNames are the actions of routes on the log; "" keeps a route off it.
// Other routes have their own name there, unless they are open or maps.
func auditNames() map[string]string {
	return map[string]string{
		"GET /metrics": "", "GET /v1/layers": "", "GET /v1/layers/{id}": "", "GET /tiles/layers/{id}.json": "", "GET /v1/model": "",
		"GET /v1/validation": "", "GET /v1/profiles": "", "GET /v1/retention": "", "GET /v1/jobs": "", "GET /v1/jobs/{id}": "", "GET /v1/jobs/{id}/events": "",

		"GET /v1/layers/{id}/features": "rows.read", "GET /v1/layers/{id}/features/{fid}": "rows.one", "GET /v1/layers/{id}/near": "rows.near",
		"GET /v1/layers/{id}/within": "rows.within", "GET /tiles/layers/{id}/{z}/{x}/{y}.{ext:mvt|pbf}": "rows.tile",
		"GET /v1/layers/{id}/versions": "versions.list", "GET /v1/layers/{id}/versions/{version}/diff": "rows.diff",
		"PUT /v1/layers/{id}": "layer.upload", "DELETE /v1/layers/{id}": "layer.delete", "PATCH /v1/layers/{id}/features/{fid}": "layer.correct",
		"DELETE /v1/layers/{id}/features/{fid}": "layer.withdraw", "POST /v1/layers/{id}/rollback": "layer.rollback",
		"PUT /v1/profiles/{name}": "profile.set", "DELETE /v1/jobs/{id}": "job.cancel",
		"GET /surfaces/{surface}.tif": "surface.export", "GET /v1/risk": "risk.explain", "GET /v1/sections": "sections.read",
		"GET /v1/sections/{id}": "section.read", "GET /v1/crossings": "crossings.read", "GET /v1/gaps": "gaps.read", "GET /v1/gaps/diff": "gaps.diff",
		"POST /v1/sections/{id}/level": "level.sign", "PUT /v1/model": "model.set", "POST /v1/embed-tokens": "embed.grant", "DELETE /v1/embed-tokens/{grant}": "embed.revoke", "GET /v1/me": "",
		"POST /v1/plans": "plan.make", "GET /v1/plans": "plan.list", "GET /v1/plans/{id}": "plan.read", "PATCH /v1/plans/{id}": "plan.change", "DELETE /v1/plans/{id}": "plan.delete",
		"POST /v1/routes/score": auditScores, "POST /v1/routes/find": "routes.find", "POST /v1/routes/whatif": "routes.whatif",
		"GET /v1/audit": "audit.read", "GET /v1/audit/verify": "audit.verify", "GET /v1/audit/exposure": "audit.exposure",
	}
}

// auditName is the action of a route on the log; "" when it is not on it.
func auditName(route string, do action) string {
	if name, listed := auditNames()[route]; listed || do == doOpen || do == doMap {
		return name
	}
	return route
}

const (
	// auditScores are logged when they are asked for, also as a job.
	auditScores = "routes.score"
	// detailRows begins the detail of an entry about raw rows, and says whether
	// they were all of a layer.
	detailRows = "rows="
	// maxDigests is up to how many records a read names one by one.
	maxDigests = 32
)

// reading is what a request reads of raw rows, as its handler tells.
type reading struct {
	key     *AuditKey
	told    bool // of any layer
	raw     bool // one of them is not public
	all     bool
	count   int64
	digests []string
}

type readingKey struct{}

// noteRows tells what rows of a layer are about to be answered; nil is all.
func noteRows(ctx context.Context, l *geo.Layer, rows iter.Seq[int]) {
	rd, _ := ctx.Value(readingKey{}).(*reading)
	if rd == nil {
		return
	}
	rd.told = true
	if l.Info.Classification == classPublic {
		return
	}
	rd.raw = true
	n := 0
	if rows == nil {
		rd.all, n = true, l.Len()
	} else {
		for row := range rows {
			if n++; n <= maxDigests {
				rd.digests = append(rd.digests, rd.key.record(l.Info.ID, l.FID(row)))
			}
		}
	}
	if rd.count += int64(n); n > maxDigests || rd.all {
		rd.digests = nil
	}
}

// noteHits is noteRows for what was found near a place.
func noteHits(ctx context.Context, l *geo.Layer, hits []geo.Hit) {
	noteRows(ctx, l, func(yield func(int) bool) {
		for _, h := range hits {
			if !yield(h.Row) {
				return
			}
		}
	})
}

// noteTile is noteRows for what a vector tile shows.
func noteTile(ctx context.Context, l *geo.Layer, t tiles.Tile) {
	noteRows(ctx, l, func(yield func(int) bool) {
		for _, row := range l.Window(t.Bound()) {
			if !yield(row) {
				return
			}
		}
	})
}

var keyIDPattern = regexp.MustCompile(`^[0-9a-f]{10}$`)

// actor is somebody on the log: a key's ID, or a digest of an account's, which
// may be a name.
func (k *AuditKey) actor(id string) string {
	switch {
	case id == "":
		return "unknown"
	case keyIDPattern.MatchString(id):
		return id
	}
	return "account:" + k.digest("account", id)
}

func (a *auditor) actorOf(p principal) string {
	if p.Embed != nil {
		return "embed:" + p.Embed.KeyID
	}
	return a.key.actor(p.ID)
}

var plainObject = regexp.MustCompile(`^(?:[A-Z][0-9]{1,9}|[A-Z2-7]{26}|[0-9]{1,9})$`) // of sections, jobs, versions

// entryFor begins the entry of a request. Only what the service knows stands in
// it in clear; of the rest of the path there is a digest.
func (s *Server) entryFor(p principal, name string, r *http.Request) data.AuditEntry {
	a := s.audit
	e := data.AuditEntry{At: a.now(), Actor: a.actorOf(p), Agency: p.Agency, Country: p.Country, Role: string(p.Role), Action: name, Outcome: data.AuditDone}
	vars := mux.Vars(r)
	for _, name := range slices.Sorted(mapsKeys(vars)) {
		text, err := url.PathUnescape(vars[name])
		if err != nil {
			text = vars[name]
		}
		entry := s.current().byID[text]
		_, isSurface := tiles.SurfaceByID(text)
		switch {
		case name == "fid":
			e.Values = append(e.Values, s.recordDigest(vars["id"], r))
		case name == "z", name == "x", name == "y", name == "ext", name == "retina":
		case entry != nil:
			e.Object = text
		case e.Object == "" && (isSurface || plainObject.MatchString(text)):
			e.Object = text
		case text != "":
			e.Values = append(e.Values, a.key.digest("name", text))
		}
	}
	return e
}

func mapsKeys(m map[string]string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// recordDigest stands for the record that a path names, or for its name when
// there is no such record.
func (s *Server) recordDigest(layer string, r *http.Request) string {
	name, err := featureOf(r)
	if e := s.current().byID[layer]; e != nil && err == nil {
		if row, err := name.row(e.layer); err == nil {
			return s.audit.key.record(layer, e.layer.FID(row))
		}
	}
	if name.fid != 0 {
		return s.audit.key.record(layer, name.fid)
	}
	return s.audit.key.digest("name", layer, name.text)
}

// answerLogged answers a request whose entry has to be on disk first: of a
// change together with it, of anything else before the first byte leaves.
func (s *Server) answerLogged(w http.ResponseWriter, r *http.Request, name string, handle func(http.ResponseWriter, *http.Request) error) error {
	who := asker(r.Context())
	if s.audit == nil || name == "" || who.Local {
		return handle(w, r)
	}
	lw := &loggedWriter{ResponseWriter: w, s: s, r: r, who: who, reading: reading{key: s.audit.key}}
	lw.draft.Entry, lw.draft.Now = s.entryFor(who, name, r), s.audit.now
	ctx := context.WithValue(r.Context(), readingKey{}, &lw.reading)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		ctx = data.WithAudit(ctx, &lw.draft)
	}
	err := handle(lw, r.WithContext(ctx))
	if err == nil {
		lw.decide(http.StatusOK)
	}
	return err
}

// loggedWriter holds an answer back until its entry is on disk. When that fails
// the answer is another.
type loggedWriter struct {
	http.ResponseWriter
	s       *Server
	r       *http.Request
	who     principal
	draft   data.AuditDraft
	reading reading
	decided bool
	refused bool
}

// WriteHeader implements http.ResponseWriter.
func (w *loggedWriter) WriteHeader(status int) {
	if w.decide(status); !w.refused {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write drops what must not leave: the reader has been answered.
func (w *loggedWriter) Write(b []byte) (int, error) {
	if w.decide(http.StatusOK); w.refused {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *loggedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *loggedWriter) decide(status int) {
	if w.decided {
		return
	}
	w.decided = true
	if status >= 400 || status == http.StatusAccepted && w.draft.Entry.Action != auditScores || w.draft.Written() {
		return
	}
	rd := &w.reading
	e := w.draft.Entry
	if e.Object == "" { // what the path names may have come since
		since := w.s.entryFor(w.who, e.Action, w.r)
		if since.Object != "" {
			e.Object, e.Values = since.Object, since.Values
		}
	}
	layer := w.s.current().byID[e.Object]
	if !rd.raw && (rd.told || layer != nil && layer.layer.Info.Classification == classPublic) && w.r.Method == http.MethodGet {
		return // of public layers alone
	}
	if rd.raw {
		e.Count, e.Detail = rd.count, detailRows+map[bool]string{true: "all", false: "part"}[rd.all]
		e.Values = slices.Compact(append(e.Values, rd.digests...))
	}
	if err := w.s.charge(w, e, status); err != nil {
		w.refuse(err)
		return
	}
	if err := w.s.audit.record(w.r.Context(), e); err != nil {
		w.refuse(err)
	}
}

// charge books raw rows on the budget of who reads them.
func (s *Server) charge(w *loggedWriter, e data.AuditEntry, status int) error {
	if e.Count == 0 || status == http.StatusNotModified || w.r.Method == http.MethodHead {
		return nil
	}
	a := s.audit
	half, retry := a.budgets.take(e.Actor, e.Count, a.now())
	if retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(retry.Seconds()))))
		e.Outcome, e.Detail = data.AuditRefused, "budget"
		if err := a.record(w.r.Context(), e); err != nil {
			return err
		}
		return errBudget(a.budgets.limit)
	}
	if half {
		a.metrics.alerts.Inc()
		s.log.Warn("somebody has read half of a read budget", "actor", e.Actor, "agency", e.Agency)
		alert := e
		alert.Action, alert.Outcome, alert.Count, alert.Detail, alert.Values = "budget.half", data.AuditAlert, 0, "", nil
		return a.record(w.r.Context(), alert)
	}
	return nil
}

// refuse answers with an error in place of what was to be answered.
func (w *loggedWriter) refuse(err error) {
	w.refused = true
	h := w.Header()
	for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Length", "Content-Disposition", "Cache-Control", "ETag", "Link", "Sempadan-Features", "Location"} {
		h.Del(name)
	}
	w.s.writeProblem(w.ResponseWriter, w.r, err)
}

// logRefusal puts a refused request of somebody who is known, or who showed a
// credential, on the log. The refusal is answered whether or not that succeeds.
func (s *Server) logRefusal(r *http.Request, who principal, route string, do action, cause error) {
	if s.audit == nil || who.Local || do == doOpen {
		return
	}
	var p problem
	if !errors.As(cause, &p) {
		return
	}
	_, shown := bearer(r)
	known := who.ID != "" || shown && p.Status == http.StatusUnauthorized
	denied := p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden || p.Status == http.StatusNotFound && do != doMap
	name := auditName(route, do)
	if name == "" {
		name = route
	}
	if !known || !denied {
		return
	}
	e := s.entryFor(who, name, r)
	e.Outcome, e.Detail = data.AuditRefused, p.Code
	if err := s.audit.record(context.WithoutCancel(r.Context()), e); err != nil {
		s.log.Error("a refusal is not on the audit log", "route", route, "error", err)
	}
}

// systemChange is the context of a change that the service makes by itself.
func (s *Server) systemChange(ctx context.Context, action string) context.Context {
	if s.audit == nil {
		return ctx
	}
	return data.WithAudit(ctx, &data.AuditDraft{Entry: s.audit.own(action, "by="+action)})
}

// auditHealth says for /healthz whether the log can be kept.
func (s *Server) auditHealth() string {
	if s.audit == nil {
		return "none: nobody signs in"
	}
	if why := s.audit.why.Load(); why != nil {
		return fmt.Sprintf("down: %s; no data are answered", *why)
	}
	return "kept"
}
