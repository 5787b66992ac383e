package risk_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

func validateHazard(t *testing.T, layers []*geo.Layer, change func(*risk.Model)) *risk.HazardValidation {
	t.Helper()
	a := assess(t, risk.Inputs{AsOf: now, Layers: layers}, change)
	v, err := a.ValidateHazard(t.Context(), risk.DefaultValidation(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.Judges != risk.JudgesHazard || v.Version != a.Version || a.Incidents.Len() > 0 && (len(v.Data) != 1 || v.Data[0].Layer != "incidents") {
		t.Errorf("of what: %+v", v)
	}
	return v
}

// Two records a month at one place, and one in another month where nothing was
// on record: twelve months hold 24 and 1.
func TestHazardValidationByHand(t *testing.T) {
	var all []geo.Feature
	for month := range 40 {
		at := time.Date(2023, time.Month(8+month), 3, 0, 0, 0, 0, time.UTC)
		if at.After(now) {
			break
		}
		all = append(all, incident(110.2, 1, at, nil), incident(110.2, 1, at, map[string]any{"kind": "irr.exit", "discovery": "hotline"}))
	}
	all = append(all, incident(110.85, 1.2, time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC), nil), // far from every other
		incident(115, 5, time.Date(2026, 9, 5, 0, 0, 0, 0, time.UTC), nil),    // far from the border
		incident(110.2, 1, time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC), nil)) // in a month that is not over
	v := validateHazard(t, []*geo.Layer{border(), incidents(all...)}, uncorrected)
	if v.Folds != 12 || v.From != "2025-11-01" || v.Until != "2026-10-30" || v.All == nil || v.All.Judged != 25 || v.Reported != nil {
		t.Fatalf("%+v", v)
	}
	if len(v.Missing) != 1 || !strings.HasPrefix(v.Missing[0], "12 of the incidents near the border in these months were reported without a patrol: 20 are wanted") {
		t.Errorf("%v", v.Missing)
	}
	for _, m := range risk.HazardModels() {
		r := v.All.Models[m]
		if got, want := *r.Shares["1"].HitRate, 24.0/25; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s at 1 %%: %g, want %g", m, got, want)
		}
		// Where nothing is on record all cells are alike: of the one incident
		// there, a share s of the N cells takes (s·N - K)/(N - K), K of them
		// being where something is on record.
		extra := func(share string) float64 { return 25*(*r.Shares[share].HitRate) - 24 }
		n := float64(v.Cells)
		k := n * (0.05 - extra("5")) / (1 - extra("5"))
		if want := (0.2*n - k) / (n - k); k < 30 || k > 100 || math.Abs(k-math.Round(k)) > 1e-6 || math.Abs(extra("20")-want) > 1e-9 {
			t.Errorf("%s: %g cells near records, %g at 20 %%, want %g", m, k, extra("20"), want)
		}
	}
	if lead := v.All.Lead["mean"]; math.Abs(lead.Difference) > 1e-12 { // uncorrected, they are one map
		t.Errorf("%+v", lead)
	}
}

// What comes after the days that a month is judged by changes nothing of it:
// not through the records, nor through what is fitted to them.
func TestHazardValidationDoesNotSeeTheFuture(t *testing.T) {
	const seed = 5
	ports := layer(geo.LayerInfo{ID: "ports", Kind: geo.KindIllegalPort, Version: 1},
		geo.Feature{Geometry: orb.Point{110.3, 1.05}}, geo.Feature{Geometry: orb.Point{110.7, 0.95}})
	world := func(moved bool) *risk.HazardValidation {
		r := rand.New(rand.NewPCG(seed, 0))
		var all []geo.Feature
		for range 600 {
			at := now.Add(-time.Duration(r.Float64() * 900 * 24 * float64(time.Hour)))
			lon, lat := 110.3+r.NormFloat64()*0.1, 1+r.NormFloat64()*0.05
			if moved && at.After(time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC)) {
				lon, lat = 110.8, 1.15
			}
			all = append(all, incident(lon, lat, at, nil))
		}
		return validateHazard(t, []*geo.Layer{border(), incidents(all...), ports, patrols(sweep(110.1, 110.4, 3, "ID")...)}, nil)
	}
	before, after := world(false), world(true)
	for _, m := range risk.HazardModels() {
		x, y := before.All.Models[m].Folds, after.All.Models[m].Folds
		for k := range x {
			last := x[k].From >= "2026-08-02"
			same := string(must(json.Marshal(x[k]))) == string(must(json.Marshal(y[k])))
			if !same && !last {
				t.Errorf("seed %d, %s from %s: %v, and %v with another future", seed, m, x[k].From, x[k], y[k])
			}
		}
		if n := len(x) - 1; string(must(json.Marshal(x[n]))) == string(must(json.Marshal(y[n]))) {
			t.Errorf("seed %d, %s: the moved incidents are not judged", seed, m)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestHazardValidationOfTooLittle(t *testing.T) {
	if v := validateHazard(t, []*geo.Layer{border(), incidents()}, nil); v.All != nil || len(v.Missing) != 1 || !strings.Contains(v.Missing[0], "load an incident layer") {
		t.Errorf("%+v", v)
	}
	var few []geo.Feature
	for i := range 40 {
		few = append(few, incident(110.2, 1, now.AddDate(0, 0, -30*i), nil))
	}
	v := validateHazard(t, []*geo.Layer{border(), incidents(few[:12]...)}, nil)
	if v.All != nil || v.Folds != 0 || v.From != "" || !strings.HasPrefix(v.Missing[0], "12 dated incidents near the border up to 2026-11-22: there must be at least 30") {
		t.Errorf("%+v", v)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var many []geo.Feature
	for i := range 120 {
		many = append(many, incident(110.2, 1, now.AddDate(0, 0, -10*i), nil))
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(many...)}}, nil)
	if _, err := a.ValidateHazard(ctx, risk.DefaultValidation(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// BenchmarkHazardValidation is of twelve months on a short border.
func BenchmarkHazardValidation(b *testing.B) {
	var all []geo.Feature
	for i := range 400 {
		all = append(all, incident(110.2+float64(i%50)/100, 1, now.AddDate(0, 0, -2*i), nil))
	}
	a := assess(b, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(all...)}}, nil)
	for b.Loop() {
		if _, err := a.ValidateHazard(b.Context(), risk.DefaultValidation(), nil); err != nil {
			b.Fatal(err)
		}
	}
}
