package geo

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestInstantsAreThoseOfTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for k := range 200_000 {
		ms := r.Int64N(253_402_300_800_000+62_167_219_200_000) - 62_167_219_200_000 // years 0 to 9999
		if k%3 == 0 {
			ms -= ms % 1000
		}
		want := time.UnixMilli(ms).UTC().Format(`"2006-01-02T15:04:05Z"`)
		if ms%1000 != 0 {
			want = time.UnixMilli(ms).UTC().Format(`"2006-01-02T15:04:05.000Z"`)
		}
		if got := string(appendInstant(nil, ms)); got != want {
			t.Fatalf("%d: %s, want %s", ms, got, want)
		}
	}
	for _, ms := range []int64{-1 << 62, 1 << 62, -62_167_219_200_001} {
		appendInstant(nil, ms) // does not panic
	}
}
