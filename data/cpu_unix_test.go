//go:build unix

package data

import (
	"syscall"
	"testing"
)

// perCPU reports megabytes a second of processor time, which says more than the
// clock on a machine that others use too. What it returns is to be called at the
// end.
func perCPU(b *testing.B, bytes int) func() {
	began := cpuSeconds()
	return func() {
		b.ReportMetric(float64(bytes)*float64(b.N)/1e6/(cpuSeconds()-began), "MB/cpu-s")
	}
}

func cpuSeconds() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}
