package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const planUnits = `[{"id":"KP-1","country":"ID","base":[110,0.95],"mode":"vehicle","hours":16,"speed_kmh":40},{"id":"KP-2","country":"ID","mode":"foot","hours":8,"speed_kmh":4}]`

func TestPlanCommand(t *testing.T) {
	store := filepath.Join(t.TempDir(), "s.gpkg")
	must(t, "import", "line", write(t, "line.geojson", `{"type":"Feature","properties":{"countries":"IDN-MYS"},"geometry":{"type":"LineString","coordinates":[[109,1],[112,1]]}}`), "--kind", "boundary", "--store", store)
	must(t, "import", "cases", write(t, "cases.csv", "lon,lat,occurred_from,kind\n110.01,1.0,2026-11-01T03:00:00Z,irr.exit\n110.6,1.0,2026-11-02T03:00:00Z,irr.exit\n"), "--kind", "incident", "--store", store)
	units := write(t, "units.json", planUnits)
	plan := func(args ...string) string {
		return must(t, append([]string{"plan", units, "--store", store, "--no-builtin", "--as-of", "2026-11-20", "--start", "2026-11-21T00:00:00Z", "--window-days", "2"}, args...)...)
	}
	said := plan()
	for _, want := range []string{"2 days from 2026-11-21 00:00", "no plan of these units on these beats meets more than", "not used: KP-2 (no_base)", "partial (units_unused): 1 of 2", "none on any route more than", "KP-1  "} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if said := plan("--lang", "id"); !strings.Contains(said, "1 dari 2 satuan tidak dapat dipakai") || !strings.Contains(said, "beri bujur dan lintang pangkalannya") {
		t.Error(said)
	}
	// A unit without hours, one from over there, one with more hours than fit.
	must(t, "import", "lands", write(t, "lands.geojson", `{"type":"Feature","properties":{"country":"MY"},"geometry":{"type":"Polygon","coordinates":[[[109,1.02],[112,1.02],[112,2],[109,2],[109,1.02]]]}}`), "--kind", "area", "--store", store)
	faulty := write(t, "faulty.json", `[{"id":"A","country":"ID","base":[110,0.95],"mode":"vehicle","hours":47,"speed_kmh":40},{"id":"B","country":"ID","base":[110,0.95],"mode":"vehicle","hours":0,"speed_kmh":40},
		{"id":"C","country":"ID","base":[110,1.05],"mode":"vehicle","hours":16,"speed_kmh":40}]`)
	said = must(t, "plan", faulty, "--store", store, "--no-builtin", "--as-of", "2026-11-20", "--start", "2026-11-21T00:00:00Z", "--window-days", "2")
	for _, want := range []string{"partial (units_unused): 2 of 3", "partial (hours_too_many): 1 units", "not used: B (no_hours)", "not used: C (base_in_other_country): its base is in MY"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	var p struct {
		Sorties    []struct{ Unit string }
		UpperBound float64 `json:"upper_bound"`
		Met        float64 `json:"expected_met"`
	}
	if err := json.Unmarshal([]byte(plan("--json")), &p); err != nil || len(p.Sorties) == 0 || p.UpperBound < p.Met || p.Met <= 0 {
		t.Fatalf("%v %+v", err, p)
	}
	dir := t.TempDir()
	for _, name := range []string{"p.gpx", "p.kml", "p.geojson", "p.csv", "p.json"} {
		path := filepath.Join(dir, name)
		if out := plan("-o", path); out != "" {
			t.Errorf("%s: %s", name, out)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := exec.LookPath("ogrinfo"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ogrinfo is missing: install gdal-bin")
		}
		t.Log("SKIPPED: the GPX was not opened in GDAL, there is no ogrinfo")
	} else if out, err := exec.Command("ogrinfo", "-ro", "-al", "-so", filepath.Join(dir, "p.gpx"), "tracks").CombinedOutput(); err != nil || strings.Contains(string(out), "Feature Count: 0") {
		t.Errorf("ogrinfo: %v\n%s", err, out)
	}
	for _, bad := range [][]string{{"-o", filepath.Join(dir, "p.shp")}, {"--start", "tomorrow"}, {"--window-days", "90"}, {"--lang", "fr"}, {"--unit", "none", "--json"}} {
		if out, code := sempadan(t, append([]string{"plan", units, "--store", store, "--no-builtin"}, bad...)...); code == 0 {
			t.Errorf("%v: %s", bad, out)
		}
	}
	if out, code := sempadan(t, "plan", write(t, "bad.json", `{"unit":1}`), "--store", store); code != 1 || !strings.Contains(out, `"units"`) {
		t.Errorf("%d %s", code, out)
	}
}
