package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// A snapshot is written when the store has been quiet, at once after a change
// of a large layer, and after a while in any case: it makes a restart quick
// and is what a damaged store is recovered from. The share of time that goes
// into it is bounded.
const (
	snapshotTick  = 250 * time.Millisecond
	snapshotQuiet = 20 * time.Second
	snapshotMost  = 5 * time.Minute
	snapshotLarge = 50_000 // rows
	snapshotShare = 30     // the pause before the next is at least so many times as long as one took
)

// snapshotter is a store that has such a thing.
type snapshotter interface {
	Commits() int64
	Snapshot(ctx context.Context, layers []*geo.Layer) (bool, error)
}

// keepSnapshot keeps the store's snapshot up to date.
func keepSnapshot(ctx context.Context, store data.Store, srv *api.Server, log *slog.Logger) {
	keeper, ok := store.(snapshotter)
	if !ok {
		return
	}
	tick := time.NewTicker(snapshotTick)
	defer tick.Stop()
	seen, changedAt := keeper.Commits(), time.Now()
	written, endedAt, took := int64(-1), time.Now(), time.Duration(0) // -1: there may be none yet
	var has map[string]int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		if n := keeper.Commits(); n != seen {
			seen, changedAt = n, now
		}
		if seen == written {
			continue
		}
		due := now.Sub(changedAt) >= snapshotQuiet || now.Sub(endedAt) >= snapshotMost
		if !due && seen > 0 && now.Sub(endedAt) >= snapshotShare*took {
			due = largeChange(srv, has)
		}
		if !due {
			continue
		}
		has = versionsOf(srv)
		writeSnapshot(store, srv, log)
		written, endedAt, took = seen, time.Now(), time.Since(now)
	}
}

func versionsOf(srv *api.Server) map[string]int64 {
	out := map[string]int64{}
	for _, l := range srv.StoredLayers() {
		out[l.Info.ID] = l.Info.Version
	}
	return out
}

// largeChange reports whether a large layer is at another version.
func largeChange(srv *api.Server, has map[string]int64) bool {
	for _, l := range srv.StoredLayers() {
		if l.Len() >= snapshotLarge && has[l.Info.ID] != l.Info.Version {
			return true
		}
	}
	return false
}

// writeSnapshot writes the store's snapshot, where the store has such a thing
// and it is not there yet.
func writeSnapshot(store data.Store, srv *api.Server, log *slog.Logger) {
	keeper, ok := store.(snapshotter)
	if !ok {
		return
	}
	start := time.Now()
	written, err := keeper.Snapshot(context.Background(), srv.StoredLayers())
	if err != nil {
		log.Warn("the next start will be slower, and a damaged store could not be recovered from a snapshot", "error", err)
	} else if written {
		log.Info("snapshot written", "took_ms", time.Since(start).Milliseconds())
	}
}
