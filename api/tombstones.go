package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// Tombstone says that a layer or a record was there and who took it away, and
// nothing of what it said.
type Tombstone struct {
	Layer string `json:"layer"`
	// Record is the identifier of a record that was withdrawn; of one that was
	// erased only RecordSHA256, of the layer and the identifier.
	Record       string    `json:"record,omitempty"`
	RecordSHA256 string    `json:"record_sha256,omitempty"`
	Action       string    `json:"action"` // delete, withdraw, erase
	Reason       string    `json:"reason"` // a code
	At           time.Time `json:"at"`
	Owner        string    `json:"owner"` // COUNTRY/AGENCY of the layer
	By           string    `json:"by"`    // COUNTRY/AGENCY; "" at the machine
}

const mostTombstones = 20_000

// deletionReasons are why a layer may be deleted.
func deletionReasons() []string {
	return []string{"unspecified", "duplicate", "error", "superseded", "retention", "subject_request", "court_order", "test_data"}
}

// deletionReason reads the parameter reason.
func deletionReason(r *http.Request) (string, error) {
	code := r.URL.Query().Get("reason")
	if code == "" {
		return deletionReasons()[0], nil
	}
	if !slices.Contains(deletionReasons(), code) {
		return "", badParameter("reason", "%q is not one of %s", code, strings.Join(deletionReasons(), ", "))
	}
	return code, nil
}

func recordDigest(layer, id string) string {
	sum := sha256.Sum256([]byte(layer + "\x00" + id))
	return hex.EncodeToString(sum[:])
}

// bury leaves a tombstone. What is gone is gone: one that cannot be written is
// in the log.
func (s *Server) bury(ctx context.Context, e *entry, t Tombstone) {
	t.Layer, t.Owner, t.By, t.At = e.layer.Info.ID, e.layer.Info.Owner, asker(ctx).ownerText(), s.opts.Now().UTC().Truncate(time.Second)
	err := s.books.tombstones.change(ctx, func(list []Tombstone) ([]Tombstone, error) { return newest(list, t, mostTombstones), nil })
	if err != nil {
		s.log.Error("no tombstone could be written", "layer", t.Layer, "action", t.Action, "error", err)
	}
	s.note(ctx, t.Action, t.Layer)
}

// listTombstones lists those of the own agency's layers.
func (s *Server) listTombstones(w http.ResponseWriter, r *http.Request) error {
	who, layer := asker(r.Context()), r.URL.Query().Get("layer")
	out := []Tombstone{}
	for _, t := range slices.Backward(s.books.tombstones.all()) {
		if (who.Local || t.Owner == who.ownerText()) && (layer == "" || t.Layer == layer) {
			out = append(out, t)
		}
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"tombstones": out})
}

// warnOfTombstones says in a report what comes back that was taken away, of the
// own agency's.
func (s *Server) warnOfTombstones(ctx context.Context, rows *geo.Layer, report *data.Report, isNew bool) {
	who := asker(ctx)
	gone := map[string]bool{}
	for _, t := range s.books.tombstones.all() {
		switch {
		case t.Layer != rows.Info.ID || !who.Local && t.Owner != who.ownerText():
		case t.Action == tombDelete && isNew:
			gone[""] = true
		case t.Record != "":
			gone[recordDigest(t.Layer, t.Record)] = true
		case t.RecordSHA256 != "":
			gone[t.RecordSHA256] = true
		}
	}
	if gone[""] {
		report.Warnings = append(report.Warnings, data.Warning{Code: "layer_was_deleted", Count: 1,
			Message: "a layer of this name was deleted; GET /v1/tombstones says when and why"})
	}
	if delete(gone, ""); len(gone) == 0 {
		return
	}
	back := 0
	for row := range rows.Len() {
		if id := rows.ID(row); id != "" && gone[recordDigest(rows.Info.ID, id)] {
			back++
		}
	}
	if back > 0 {
		report.Warnings = append(report.Warnings, data.Warning{Code: "record_was_withdrawn", Count: back,
			Message: fmt.Sprintf("%d records have the id of one that was withdrawn or erased; GET /v1/tombstones lists them", back)})
	}
}

// Actions of tombstones.
const (
	tombDelete   = "delete"
	tombWithdraw = "withdraw"
	tombErase    = "erase"
)
