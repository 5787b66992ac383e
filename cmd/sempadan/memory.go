package main

import (
	"log/slog"

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
