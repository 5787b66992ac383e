package api

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
)

// auditKey is nil in a service that keeps no log, because nobody signs in. What an
// earlier one left in the store can be read there.
func (s *Server) auditKey() (key *AuditKey, sinks []string) {
	if s.audit == nil {
		return nil, nil
	}
	return s.audit.key, s.audit.Sinks
}

// ParsePeriod reads the two ends of a period, each RFC 3339, a day of UTC, or
// nothing. It has the whole of a day that ends it.
func ParsePeriod(from, to string) (a, b time.Time, err error) {
	instant := func(text string, day time.Duration) (t time.Time, err error) {
		if text == "" {
			return t, nil
		}
		if t, err = time.Parse(time.DateOnly, text); err == nil {
			t = t.Add(day)
		} else if t, err = time.Parse(time.RFC3339, text); err != nil {
			return t, fmt.Errorf("%q: give a day such as 2026-11-26, or an instant such as 2026-11-26T08:00:00Z", text)
		}
		if y := t.UTC().Year(); y < 1970 || y > 2200 {
			return t, fmt.Errorf("%q is not in the years 1970 to 2200", text)
		}
		return t.UTC(), nil
	}
	if a, err = instant(from, 0); err != nil {
		return a, b, fmt.Errorf("from: %w", err)
	}
	if b, err = instant(to, 24*time.Hour); err != nil {
		return a, b, fmt.Errorf("to: %w", err)
	}
	if !b.IsZero() && !a.Before(b) {
		return a, b, errors.New("from: is not before to")
	}
	return a, b, nil
}

func periodParams(r *http.Request) (from, to time.Time, err error) {
	from, to, err = ParsePeriod(r.URL.Query().Get("from"), r.URL.Query().Get("to"))
	if err != nil {
		name, detail, _ := strings.Cut(err.Error(), ": ")
		return from, to, badParameter(name, "%s", detail)
	}
	return from, to, nil
}

const maxAuditPage = 1000

// auditEntries answers a page of the log, the newest first.
func (s *Server) auditEntries(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	key, _ := s.auditKey()
	f := data.AuditFilter{Object: q.Get("object"), Newest: true}
	var err error
	if f.From, f.To, err = periodParams(r); err != nil {
		return err
	}
	limit, err := intParam(r, "limit", 100, 1, maxAuditPage)
	if err != nil {
		return err
	}
	if who := q.Get("actor"); who != "" {
		f.Actor = who
		if key != nil && !strings.Contains(who, ":") && !slices.Contains([]string{"service", "machine", "unknown"}, who) {
			f.Actor = key.actor(who)
		}
	}
	if a := q.Get("action"); a != "" {
		f.Actions = strings.Split(a, ",")
	}
	if f.Before, err = readAuditCursor(q.Get("cursor")); err != nil {
		return err
	}
	list := []data.AuditEntry{}
	who := asker(r.Context())
	enough := errors.New("enough entries")
	err = s.opts.Store.ReadAudit(r.Context(), f, func(e data.AuditEntry) error {
		if who.mayReadEntry(e) {
			list = append(list, e)
		}
		if len(list) > limit {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return unreadable(err)
	}
	next := any(nil)
	if len(list) > limit {
		list = list[:limit]
		address := *r.URL
		q.Set("cursor", writeAuditCursor(list[limit-1].N))
		address.RawQuery = q.Encode()
		next = address.RequestURI()
		w.Header().Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", next))
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"kept": s.audit != nil, "entries": list, "next": next})
}

// mayReadEntry reports whether an administrator is shown an entry: those about
// people and layers of the own country. The other country's administrators read
// theirs; the chain of all is for both to verify.
func (p principal) mayReadEntry(e data.AuditEntry) bool {
	if p.Local || e.Country == p.Country {
		return true
	}
	if e.Country != "" {
		return false
	}
	for _, of := range countries {
		if of != p.Country && strings.Contains(e.Detail, "owner="+of+"/") {
			return false
		}
	}
	return true
}

// unreadable is the answer when an entry is none: the log was tampered with.
func unreadable(err error) error {
	var fault *data.AuditFault
	if errors.As(err, &fault) {
		return problem{Status: http.StatusConflict, Code: "audit_damaged", Detail: fmt.Sprintf("entry %d of the audit log cannot be read; GET /v1/audit/verify says what is wrong with it", fault.N)}
	}
	return err
}

func writeAuditCursor(n int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("a" + strconv.FormatInt(n, 36)))
}

func readAuditCursor(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(raw) > 1 && raw[0] == 'a' {
		if n, err := strconv.ParseInt(string(raw[1:]), 36, 64); err == nil && n > 0 {
			return n, nil
		}
	}
	return 0, badParameter("cursor", "%q did not come from here; use the address in next", text)
}

// AuditReport is what a verification tells.
type AuditReport struct {
	data.AuditVerdict
	Unreadable int    `json:"unreadable"` // lines of the sinks that are no checkpoint
	Key        string `json:"key"`        // that verifies them
}

// VerifyAudit verifies a log against the checkpoints in files, which are of the
// key; without one they count as signed by somebody else.
func VerifyAudit(ctx context.Context, log data.AuditLog, key *AuditKey, sinks []string) (AuditReport, error) {
	points, bad, err := ReadSinks(sinks) // before the log: it may grow meanwhile
	if err != nil {
		return AuditReport{}, err
	}
	out := AuditReport{Unreadable: bad}
	var public ed25519.PublicKey
	if key != nil {
		out.Key, public = key.PublicText(), key.Public()
	}
	v := data.NewAuditVerifier(points, public)
	err = log.ReadAudit(ctx, data.AuditFilter{}, func(e data.AuditEntry) error { v.Add(e); return nil })
	var fault *data.AuditFault
	if errors.As(err, &fault) {
		v.Fail(fault)
	} else if err != nil {
		return out, err
	}
	out.AuditVerdict = v.Verdict()
	return out, nil
}

// verifyAudit reads the whole log and says what is the first thing wrong.
func (s *Server) verifyAudit(w http.ResponseWriter, r *http.Request) error {
	mayTakeLong(w)
	key, sinks := s.auditKey()
	report, err := VerifyAudit(r.Context(), s.opts.Store, key, sinks)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusOK, report)
}

// exposure answers who read a record, and who could have.
func (s *Server) exposure(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	from, to, err := periodParams(r)
	if err != nil {
		return err
	}
	if to.IsZero() {
		to = s.opts.Now().UTC().Add(time.Second)
	}
	key, _ := s.auditKey()
	query := ExposureQuery{Layer: q.Get("layer"), From: from, To: to, Key: key}
	if query.Layer == "" {
		return badParameter("layer", "name the layer of the record")
	}
	if e := s.current().byID[query.Layer]; e != nil && !s.ofOwnCountry(r.Context(), query.Layer) {
		return problem{Status: http.StatusNotFound, Code: "record_not_found", Detail: "the layer is not of your country; its own administrators answer for it"}
	}
	if query.FID, err = s.exposedFID(query.Layer, q.Get("id")); err != nil {
		return err
	}
	mayTakeLong(w)
	out, err := Expose(r.Context(), s.opts.Store, query)
	if err != nil {
		return unreadable(err)
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusOK, out)
}

// exposedFID is the number of the record that a text names. One that is gone can
// be named by its number alone. The administrator sees no rows, and is told no
// more of them here than what they name.
func (s *Server) exposedFID(layer, text string) (int64, error) {
	name := featureName{text: text}
	if number, ok := strings.CutPrefix(text, "fid:"); ok {
		fid, err := strconv.ParseInt(number, 10, 64)
		if err != nil || fid < 1 {
			return 0, badParameter("id", "%q is not a number from 1 on", number)
		}
		return fid, nil
	}
	if e := s.current().byID[layer]; e != nil && text != "" {
		if row, err := name.row(e.layer); err == nil {
			return e.layer.FID(row), nil
		}
	}
	return 0, problem{Status: http.StatusNotFound, Code: "record_not_found",
		Detail: "the layer has no one record of this id now; name it by its number, as fid:7, which also finds one that is gone"}
}
