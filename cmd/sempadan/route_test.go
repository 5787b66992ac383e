package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const routeLand = `{"type":"FeatureCollection","features":[` +
	`{"type":"Feature","properties":{"country":"ID"},"geometry":{"type":"Polygon","coordinates":[[[109.5,0.5],[111.5,0.5],[111.5,1],[109.5,1],[109.5,0.5]]]}},` +
	`{"type":"Feature","properties":{"country":"MY"},"geometry":{"type":"Polygon","coordinates":[[[109.5,1],[111.5,1],[111.5,1.5],[109.5,1.5],[109.5,1]]]}}]}`

// routeStore is a small border with land on both sides and one post.
func routeStore(t *testing.T) string {
	t.Helper()
	store := filepath.Join(t.TempDir(), "s.gpkg")
	for layer, c := range map[string][2]string{
		"line": {"boundary", `{"type":"Feature","properties":{"countries":"IDN-MYS"},"geometry":{"type":"LineString","coordinates":[[109.6,1],[111.4,1]]}}`},
		"land": {"area", routeLand},
		"huts": {"post", `{"type":"Feature","id":"h1","properties":{"country":"ID","agency":"A","radius_m":4000,"from":"2026-01-01T00:00:00Z"},"geometry":{"type":"Point","coordinates":[110.5,1]}}`},
	} {
		must(t, "import", layer, write(t, layer+".geojson", c[1]), "--kind", c[0], "--store", store)
	}
	return store
}

// Every command on routes answers on a store, in words and as JSON, and GDAL reads
// the GPX.
func TestRouteCommands(t *testing.T) {
	store := routeStore(t)
	on := func(args ...string) string {
		t.Helper()
		return must(t, append(append([]string{"route"}, args...), "--store", store, "--no-builtin", "--as-of", "2026-11-22")...)
	}
	line := write(t, "line.geojson", `{"type":"LineString","coordinates":[[110.4,0.95],[110.6,1.05]]}`)
	if text := on("score", line); !strings.Contains(text, "route 1: 24.9 km") {
		t.Errorf("%s", text)
	}
	mixed := write(t, "mixed.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":null,"geometry":{"type":"LineString","coordinates":[[110.4,0.95],[110.6,1.05]]}},{"type":"Feature","properties":null,"geometry":null}]}`)
	if text := on("score", mixed); !strings.Contains(text, "partial: 0 without a score, 1 that could not be read; of the first of them, number 2: has no place") {
		t.Errorf("%s", text)
	}
	var score struct {
		LengthM   float64 `json:"length_m"`
		PDetected float64 `json:"p_detected"`
	}
	if err := json.Unmarshal([]byte(on("score", line, "--json")), &score); err != nil || score.PDetected <= 0 || score.LengthM < 24_000 {
		t.Errorf("%+v %v", score, err)
	}
	drawn := filepath.Join(t.TempDir(), "drawn.geojson")
	on("score", line, "-o", drawn)
	if raw, err := os.ReadFile(drawn); err != nil || !strings.Contains(string(raw), `"step"`) {
		t.Errorf("%v %.200s", err, raw)
	}
	ends := []string{"--from", "110.5,0.8", "--to", "110.5,1.2", "--mode", "foot"}
	gpx := filepath.Join(t.TempDir(), "ways.gpx")
	if text := on(append([]string{"find", "-o", gpx}, ends...)...); !strings.Contains(text, "fastest") || !strings.Contains(text, "least_met") || !strings.Contains(text, "ID to MY") {
		t.Errorf("%s", text)
	}
	if ogrinfo, err := exec.LookPath("ogrinfo"); err == nil {
		out, err := exec.Command(ogrinfo, "-so", gpx, "routes").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Feature Count: 2") {
			t.Errorf("%v %s", err, out)
		}
	} else if os.Getenv("CI") == "true" {
		t.Error("ogrinfo is missing: install gdal-bin")
	} else {
		t.Log("ogrinfo is not there: the GPX was not read by a foreign program")
	}
	if text := on(append([]string{"find", "--depart", "2026-11-22T20:00:00+08:00"}, ends...)...); !strings.Contains(text, "does not change the chances") {
		t.Errorf("%s", text)
	}
	if text := on(append([]string{"find", "--front", "--json"}, ends...)...); !strings.Contains(text, `"kind":"front"`) {
		t.Errorf("%.200s", text)
	}
	if text := on("matrix", "--origin", "110.5,0.8", "--destination", "110.5,1.2", "--mode", "foot"); !strings.Contains(text, "by section L") {
		t.Errorf("%s", text)
	}
	if text := on(append([]string{"interdict", "--k", "1"}, ends...)...); !strings.Contains(text, "protect 1 segments") {
		t.Errorf("%s", text)
	}
	question := write(t, "q.json", `{"remove":[{"layer":"huts","id":"h1"}]}`)
	if text := on("whatif", question); !strings.Contains(text, "undetected incidents in 30 days") {
		t.Errorf("%s", text)
	}
}

func TestRouteWrongUse(t *testing.T) {
	for args, want := range map[string]int{
		"route score": 2, "route find": 2, "route find --from 1,2": 2, "route find --from 1;2 --to 3,4": 2, "route find --from 1,2 --to 3,4 --depart tonight": 2, "route find --from 1,2 --to 3,4 --theta fast": 2,
		"route find --from 1,2 --to 3,4 --mode horse": 2, "route find --from 1,2 --to 3,4 -o x.shp": 2, "route matrix": 2,
		"route matrix --origin 1,1 --destination 2,2 -o x.gpx": 2, "route interdict --k 0 --from 1,2 --to 3,4": 2, "route score x.gpx --depart tonight": 2,
		"route score x.gpx --speed-kmh 0": 2, "route score no-such-file.gpx": 1, "route whatif no-such-file.json": 1,
	} {
		if out, code := sempadan(t, strings.Fields(args)...); code != want {
			t.Errorf("%s: exit %d, want %d: %s", args, code, want, out)
		}
	}
}
