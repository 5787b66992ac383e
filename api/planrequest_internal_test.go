package api

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo/surface"
)

// Whatever comes is read or refused as a problem, and what was read can be turned
// into units and options.
func FuzzReadPlanRequest(f *testing.F) {
	for _, s := range []string{`[]`, `{"units":[{"id":"A","country":"ID","base":[110,1],"mode":"foot","hours":8,"speed_kmh":4}],"window_days":3}`,
		`{"units":[{"id":"A","country":"MY","base":[1e308,-1],"sweep_width_m":-1}],"joint_corridors":[{"bbox":[109,0,110,1]}],"start":"2026-11-30T00:30:00+07:00"}`,
		`{"units":null,"cut_km":0}`, `[[]]`, `{"units":[]}{}`, `nul`} {
		f.Add([]byte(s))
	}
	m := surface.DefaultCoverageModel()
	now := time.Date(2026, 11, 26, 11, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, err := ReadPlanRequest(raw)
		if err != nil {
			var p problem
			if !errors.As(err, &p) || p.Status < 400 || p.Status > 499 || p.Detail == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		o := q.options(now)
		if o.Start.IsZero() || len(q.units(&m)) != len(q.Units) {
			t.Fatalf("%+v", o)
		}
	})
}

// What is left out is filled in: the next full hour, eight hours out, the sweep
// width of the mode with its bracket; a width that is given keeps the bracket's ratio.
func TestPlanRequestDefaults(t *testing.T) {
	q, err := ReadPlanRequest([]byte(`[{"id":"A","country":"ID","mode":"foot"},{"id":"B","country":"ID","mode":"foot","sweep_width_m":300,"endurance_h":5}]`))
	if err != nil {
		t.Fatal(err)
	}
	m := surface.DefaultCoverageModel()
	u := q.units(&m)
	if a := u[0]; a.EnduranceH != 8 || a.SweepWidthM != 100 || a.SweepLowM != 50 || a.SweepHighM != 200 {
		t.Errorf("%+v", a)
	}
	if b := u[1]; b.EnduranceH != 5 || b.SweepWidthM != 300 || math.Abs(b.SweepLowM-150) > 1e-9 || math.Abs(b.SweepHighM-600) > 1e-9 {
		t.Errorf("%+v", b)
	}
	now := time.Date(2026, 11, 26, 11, 30, 0, 0, time.UTC)
	if o := q.options(now); !o.Start.Equal(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)) || o.WindowDays != 7 || o.ExplorationShare != 0.1 {
		t.Errorf("%+v", o)
	}
}
