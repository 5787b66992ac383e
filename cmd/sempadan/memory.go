package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// memoryShare of what the control group allows is the runtime's soft limit; the
// rest is for what it does not count, such as SQLite's pages.
const memoryShare = 0.85

// limitMemory lets the garbage collector work harder before the service comes
// near what its container may use; GOMEMLIMIT goes before.
func limitMemory(log *slog.Logger) {
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare))
	if err != nil {
		log.Debug("no memory limit was found", "error", err)
		return
	}
	log.Debug("memory limit", "bytes", limit)
}

const (
	// leastGarbage is what the heap may grow by between two collections: with
	// little in the store a share of it would be next to nothing, and the
	// collector would run all the time.
	leastGarbage = 48 << 20
	// leastGCPercent trades a little time for a third less memory: layers are most
	// of what the service holds, and they live long.
	leastGCPercent = 18
	mostGCPercent  = 200
)

// gcPercent is how much the heap may grow by, in percent of what lives in it.
func gcPercent(live uint64) int {
	return min(max(leastGCPercent, int(100*leastGarbage/max(live, 1))), mostGCPercent)
}

// paceCollector keeps the collector's pace to what lives in the heap, until ctx
// is done; GOGC goes before.
func paceCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	set := leastGCPercent
	debug.SetGCPercent(set)
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		metrics.Read(live)
		if p := gcPercent(live[0].Value.Uint64()); p != set {
			set = p
			debug.SetGCPercent(set)
		}
	}
}
