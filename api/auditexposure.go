package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// ExposureQuery asks who read, or could have read, one record from one time to
// another.
type ExposureQuery struct {
	Layer    string
	FID      int64
	From, To time.Time // To is not in it
	// Key knows the record again in entries; without it all who read some rows
	// may have read it.
	Key *AuditKey
}

// How somebody read a record.
const (
	readNamed = "named"      // their answer had this record
	readWhole = "whole"      // they read the whole layer
	readMaybe = "may_have"   // they read more of its rows than are named one by one
	couldRows = "rows"       // could have read the row
	couldMaps = "exact_maps" // could have seen it exactly on maps
)

// ExposedReader is somebody who read the record, or may have.
type ExposedReader struct {
	Actor   string    `json:"actor"`
	Role    string    `json:"role"`
	Agency  string    `json:"agency"`
	Country string    `json:"country"`
	How     string    `json:"how"`
	Times   int       `json:"times"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// ExposedTo is somebody who could have.
type ExposedTo struct {
	Actor   string    `json:"actor"`
	Role    string    `json:"role"`
	Agency  string    `json:"agency"`
	Country string    `json:"country"`
	Sees    string    `json:"sees"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
}

// Exposure answers an ExposureQuery.
type Exposure struct {
	Layer     string          `json:"layer"`
	FID       int64           `json:"fid"`
	From      time.Time       `json:"from"`
	To        time.Time       `json:"to"`
	LogBegins *time.Time      `json:"log_begins"` // before it nothing is known; null: there is no log
	Entries   int64           `json:"entries"`    // that were looked at
	Public    bool            `json:"public"`     // everyone who signed in could, for some of the time
	Read      []ExposedReader `json:"read"`
	Could     []ExposedTo     `json:"could"`
}

// span is a time in which something held; to is zero while it does.
type span struct{ from, to time.Time }

func (s span) meet(from, to time.Time) (span, bool) {
	if s.from.Before(from) {
		s.from = from
	}
	if s.to.IsZero() || s.to.After(to) {
		s.to = to
	}
	return s, s.from.Before(s.to)
}

// holder is a key, or an account as the log has seen it.
type holder struct {
	who   principal
	spans []span
}

// grantSpan is who might see the layer for a time.
type grantSpan struct {
	span
	info geo.LayerInfo
}

type agreementSpan struct {
	span
	from, to string
}

// exposing gathers what the log says.
type exposing struct {
	ExposureQuery
	digest     string
	out        Exposure
	read       map[string]*ExposedReader
	holders    map[string]*holder
	grants     []grantSpan
	agreements map[string][]agreementSpan
}

// Expose reads the log once, from its beginning to q.To.
func Expose(ctx context.Context, log data.AuditLog, q ExposureQuery) (Exposure, error) {
	x := exposing{ExposureQuery: q, read: map[string]*ExposedReader{}, holders: map[string]*holder{},
		agreements: map[string][]agreementSpan{}, out: Exposure{Layer: q.Layer, FID: q.FID, From: q.From, To: q.To, Read: []ExposedReader{}, Could: []ExposedTo{}}}
	if q.Key != nil {
		x.digest = q.Key.record(q.Layer, q.FID)
	}
	if err := log.ReadAudit(ctx, data.AuditFilter{To: q.To}, func(e data.AuditEntry) error { x.take(e); return nil }); err != nil {
		return x.out, err
	}
	for _, actor := range slices.Sorted(maps.Keys(x.read)) {
		x.out.Read = append(x.out.Read, *x.read[actor])
	}
	for _, g := range x.grants {
		_, then := g.meet(q.From, q.To)
		x.out.Public = x.out.Public || then && g.info.Classification == classPublic
	}
	for _, id := range slices.Sorted(maps.Keys(x.holders)) {
		x.could(id, x.holders[id])
	}
	return x.out, nil
}

func (x *exposing) take(e data.AuditEntry) {
	if x.out.Entries++; x.out.LogBegins == nil {
		x.out.LogBegins = &e.At
	}
	switch e.Action {
	case noticeKey:
		h := x.holders[e.Object]
		if h == nil || len(h.spans) == 0 || e.Detail != "gone" {
			h = &holder{who: principal{ID: e.Object, Role: Role(e.Role), Agency: e.Agency, Country: e.Country}}
			x.holders[e.Object] = h
			h.spans = []span{{fieldTime(e.Detail, "from"), fieldTime(e.Detail, "until")}}
		}
		if e.Detail == "gone" {
			h.spans[0].to = e.At
		}
		return
	case noticeAgreement:
		if pair, ok := field(e.Detail, "between"); ok {
			from, to, _ := strings.Cut(pair, "/")
			x.agreements[e.Object] = append(x.agreements[e.Object], agreementSpan{span{e.At, fieldTime(e.Detail, "until")}, from, to})
		}
		return
	}
	if strings.HasPrefix(e.Actor, "account:") && e.Outcome != data.AuditRefused {
		x.account(e)
	}
	if e.Object == x.Layer {
		x.grant(e)
	}
	x.reader(e)
}

// account notes that somebody was signed in; for how long is not on the log, so
// that it counts for the day.
func (x *exposing) account(e data.AuditEntry) {
	name := strings.Join([]string{e.Actor, e.Role, e.Agency, e.Country}, " ")
	h := x.holders[name]
	if h == nil {
		h = &holder{who: principal{ID: e.Actor, Role: Role(e.Role), Agency: e.Agency, Country: e.Country}}
		x.holders[name] = h
	}
	day := e.At.Truncate(24 * time.Hour)
	if n := len(h.spans); n > 0 && !h.spans[n-1].to.Before(day) {
		h.spans[n-1].to = day.Add(24 * time.Hour)
		return
	}
	h.spans = append(h.spans, span{day, day.Add(24 * time.Hour)})
}

func (x *exposing) grant(e data.AuditEntry) {
	if e.Outcome != data.AuditDone {
		return
	}
	g, ok := data.ParseGrant(e.Detail)
	if !ok && e.Action != "layer.delete" {
		return
	}
	if n := len(x.grants); n > 0 && x.grants[n-1].to.IsZero() {
		x.grants[n-1].to = e.At
	}
	if e.Action != "layer.delete" {
		x.grants = append(x.grants, grantSpan{span{from: e.At}, geo.LayerInfo{ID: x.Layer, Owner: g.Owner, Classification: g.Classification}})
	}
}

// changesLayer tells the entries of changes, which show nobody any rows.
func changesLayer(action string) bool {
	return strings.HasPrefix(action, "layer.") || strings.HasPrefix(action, "PUT ") || strings.HasPrefix(action, "DELETE ") || strings.HasPrefix(action, "PATCH ")
}

func (x *exposing) reader(e data.AuditEntry) {
	if e.Outcome != data.AuditDone || e.At.Before(x.From) || changesLayer(e.Action) || strings.HasPrefix(e.Action, "note.") {
		return
	}
	named := x.Key != nil && slices.Contains(e.Values, x.digest)
	rows, told := field(e.Detail, "rows")
	how := readMaybe
	switch {
	case named:
		how = readNamed
	case e.Object != x.Layer || e.Action == "versions.list":
		return
	case rows == "all":
		how = readWhole
	case x.Key != nil && (told && e.Count <= maxDigests || e.Action == "rows.one"): // all of its records are named
		return
	}
	name := strings.Join([]string{e.Actor, how, e.Role, e.Agency, e.Country}, " ")
	r := x.read[name]
	if r == nil {
		r = &ExposedReader{Actor: e.Actor, Role: e.Role, Agency: e.Agency, Country: e.Country, How: how, First: e.At}
		x.read[name] = r
	}
	r.Times, r.Last = r.Times+1, e.At
}

// could adds the times in which somebody might see the layer's records exactly.
func (x *exposing) could(id string, h *holder) {
	found := map[string]*ExposedTo{}
	for _, at := range h.spans {
		for _, g := range x.grants {
			both, ok := g.meet(x.From, x.To)
			if ok {
				both, ok = both.meet(at.from, until(at.to, x.To))
			}
			if !ok {
				continue
			}
			sees := h.who.layerSight(g.info, x.shared(ownerOf(g.info).Country, h.who.Country, both))
			text := map[sight]string{exactRows: couldRows, exactMap: couldMaps}[sees]
			if text == "" {
				continue
			}
			if was := found[text]; was != nil {
				was.To = both.to
				continue
			}
			found[text] = &ExposedTo{h.who.ID, string(h.who.Role), h.who.Agency, h.who.Country, text, both.from, both.to}
		}
	}
	list := slices.Collect(maps.Values(found))
	slices.SortFunc(list, func(a, b *ExposedTo) int { return cmp.Compare(a.Sees, b.Sees) })
	for _, e := range list {
		x.out.Could = append(x.out.Could, *e)
	}
}

func until(t, end time.Time) time.Time {
	if t.IsZero() {
		return end
	}
	return t
}

func (x *exposing) shared(from, to string, at span) bool {
	for _, list := range x.agreements {
		for _, a := range list {
			if _, during := a.meet(at.from, at.to); during && a.from == from && a.to == to {
				return true
			}
		}
	}
	return false
}
