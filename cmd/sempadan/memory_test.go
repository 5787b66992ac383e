package main

import "testing"

func TestGCPercent(t *testing.T) {
	for live, want := range map[uint64]int{0: 200, 10 << 20: 200, 48 << 20: 100, 96 << 20: 50, 300 << 20: 18, 4 << 30: 18} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d MiB live: %d %%, want %d", live>>20, got, want)
		}
	}
}
