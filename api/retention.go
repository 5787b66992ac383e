package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// Keeping says what the service lets go of by itself.
type Keeping struct {
	Retention data.Retention
	// History is how long earlier versions are kept; 0: as long as their number
	// allows.
	History time.Duration
}

// sweepReport is what the last sweep did.
type sweepReport struct {
	At       time.Time      `json:"at"`
	Erased   map[string]int `json:"erased"`   // rows of all versions, by layer
	Versions int            `json:"versions"` // dropped
	Failed   map[string]int `json:"failed"`   // rows due that could not be erased, by layer
}

type sweeps struct {
	mu   sync.Mutex
	last *sweepReport
	deep time.Time // of the last sweep that looked into earlier versions
}

// deepEvery is how often a sweep reads earlier versions too, which are on disk
// only: that takes as long as loading them all.
const deepEvery = 24 * time.Hour

// Sweep erases the records whose time is over and drops the versions that are
// too old, by the service's clock. The service calls it at its start and every
// hour.
func (s *Server) Sweep(ctx context.Context) {
	now := s.opts.Now().UTC()
	s.sweeps.mu.Lock()
	deep := now.Sub(s.sweeps.deep) >= deepEvery
	if deep {
		s.sweeps.deep = now
	}
	s.sweeps.mu.Unlock()
	report := sweepReport{At: now, Erased: map[string]int{}, Failed: map[string]int{}}
	for _, e := range s.current().layers {
		if e.stored {
			s.sweepLayer(ctx, e.layer.Info.ID, deep, &report)
		}
	}
	if keep := s.opts.Keeping.History; keep > 0 {
		n, err := s.opts.Store.Compact(s.systemChange(ctx, "retention"), now.Add(-keep))
		if err != nil {
			s.log.Error("the history could not be compacted", "error", err)
		}
		report.Versions = n
	}
	s.sweeps.mu.Lock()
	s.sweeps.last = &report
	s.sweeps.mu.Unlock()
	if len(report.Erased)+len(report.Failed)+report.Versions > 0 {
		s.log.Info("swept", "erased", report.Erased, "failed", report.Failed, "versions", report.Versions)
	}
}

func (s *Server) sweepLayer(ctx context.Context, id string, deep bool, report *sweepReport) {
	s.writes.Lock()
	defer s.writes.Unlock()
	e := s.current().byID[id]
	if e == nil || !e.stored {
		return
	}
	fids := s.opts.Keeping.Retention.Expired(e.layer, report.At)
	if len(fids) == 0 && !deep {
		return
	}
	what := data.Erasure{FIDs: fids, Provenance: data.Provenance{At: report.At, User: "retention", Action: "erase", Reason: "its time was over"}}
	due := map[int64]bool{}
	for _, fid := range fids {
		due[fid] = true
	}
	for row := range e.layer.Len() {
		if own := e.layer.ID(row); due[e.layer.FID(row)] && own != "" {
			what.IDs = append(what.IDs, own)
		}
	}
	if deep {
		what.Match = func(part *geo.Layer) []int64 { return s.opts.Keeping.Retention.Expired(part, report.At) }
	}
	n, _, err := s.erase(s.systemChange(ctx, "retention"), e, what)
	if errors.Is(err, data.ErrNotFound) {
		return
	}
	if err != nil {
		s.log.Error("records whose time is over could not be erased", "layer", id, "rows", len(fids), "error", err)
		report.Failed[id] = len(fids)
		return
	}
	report.Erased[id] = n
}

// erase takes records out of all versions of a layer and out of what is
// served. The caller holds s.writes.
func (s *Server) erase(ctx context.Context, e *entry, what data.Erasure) (int, geo.LayerInfo, error) {
	n, info, err := s.opts.Store.Erase(ctx, e.layer.Info.ID, what)
	if err != nil {
		return 0, info, err
	}
	gone, ids := map[int64]bool{}, map[string]bool{}
	for _, fid := range what.FIDs {
		gone[fid] = true
	}
	for _, id := range what.IDs {
		ids[id] = true
	}
	for row := range e.layer.Len() {
		if ids[e.layer.ID(row)] {
			gone[e.layer.FID(row)] = true
		}
	}
	s.replaceEntry(info.ID, newEntry(e.layer.Without(gone).WithInfo(info), true))
	if err := s.assessChange(context.WithoutCancel(ctx)); err != nil {
		s.log.Error("records are erased, but the rest could not be assessed", "error", err)
	}
	return n, info, nil
}

// ofOwnCountry reports whether somebody may be told that a layer is or was there:
// to other countries it is not.
func (s *Server) ofOwnCountry(ctx context.Context, layer string) bool {
	who := asker(ctx)
	if who.Local {
		return true
	}
	e := s.current().byID[layer]
	return e != nil && (ownerOf(e.layer.Info).Country == who.Country || e.layer.Info.Classification == classPublic)
}

// retention tells what is kept how long, and what the last sweep did.
func (s *Server) retention(w http.ResponseWriter, r *http.Request) error {
	erasures, err := s.opts.Store.Erasures(r.Context())
	if err != nil {
		return err
	}
	erasures = slices.DeleteFunc(erasures, func(x data.Erased) bool { return !s.ofOwnCountry(r.Context(), x.Layer) })
	policy := s.opts.Keeping.Retention
	if policy == nil {
		policy = data.Retention{}
	}
	s.sweeps.mu.Lock()
	last := s.sweeps.last
	s.sweeps.mu.Unlock()
	if last != nil {
		own := *last
		own.Erased, own.Failed = maps.Clone(last.Erased), maps.Clone(last.Failed)
		for _, byLayer := range []map[string]int{own.Erased, own.Failed} {
			maps.DeleteFunc(byLayer, func(layer string, _ int) bool { return !s.ofOwnCountry(r.Context(), layer) })
		}
		last = &own
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{
		"days_by_class": policy, "history_days": s.opts.Keeping.History.Hours() / 24, "last_sweep": last, "erasures": erasures,
	})
}
