package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sempadan runs a command as main does and returns what it printed and its
// exit code.
func sempadan(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	c := root()
	c.SetOut(&out)
	c.SetErr(io.Discard)
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	code := 0
	if err != nil {
		code = 1
		if wrong := (usageError{}); errors.As(err, &wrong) {
			code = 2
		}
		out.WriteString(err.Error())
	}
	return out.String(), code
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, code := sempadan(t, args...)
	if code != 0 {
		t.Fatalf("sempadan %s: exit %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWrongUseExitsWithTwo(t *testing.T) {
	store := filepath.Join(t.TempDir(), "s.gpkg")
	for _, args := range [][]string{
		{"nothing"}, {"serve", "--nothing"}, {"serve", "extra"}, {"import", "only"}, {"export"}, {"surface"}, {"demo"},
		{"serve", "--listen", "0.0.0.0:0", "--store", store}, {"serve", "--listen", "192.0.2.1:80", "--store", store},
		{"serve", "--listen", ":8080", "--store", store}, {"serve", "--listen", "nonsense", "--store", store},
		{"gaps", "--format", "docx", "--store", store}, {"gaps", "--lang", "fr", "--store", store}, {"gaps", "--as-of", "soon", "--store", store},
		{"import", "x", "y", "--mode", "merge", "--store", store}, {"import", "x", "y", "--map", "a", "--store", store},
		{"surface", "density", "-o", "x.docx"}, {"gaps", "--store", "postgres://x/y"},
	} {
		if out, code := sempadan(t, args...); code != 2 {
			t.Errorf("sempadan %s: exit %d: %s", strings.Join(args, " "), code, out)
		}
	}
	if out, code := sempadan(t, "import", "x", "/no/such/file.csv", "--store", store); code != 1 {
		t.Errorf("a file that is not there: exit %d: %s", code, out)
	}
}

func TestServeRefusesOtherAddressesWithTheReason(t *testing.T) {
	out, code := sempadan(t, "serve", "--listen", "0.0.0.0:8080")
	if code != 2 || !strings.Contains(out, "sign in") || !strings.Contains(out, "127.0.0.1") {
		t.Errorf("exit %d: %s", code, out)
	}
	for _, ok := range []string{"127.0.0.1:80", "localhost:80", "[::1]:80", "127.9.9.9:80"} {
		if err := (serveFlags{listen: ok}).checkListen(false); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	elsewhere := serveFlags{listen: "0.0.0.0:8443"}
	if err := elsewhere.checkListen(true); err == nil || !strings.Contains(err.Error(), "--tls-cert") {
		t.Errorf("keys in the clear: %v", err)
	}
	elsewhere.proxy = "10.0.0.0/8"
	if err := elsewhere.checkListen(true); err != nil {
		t.Errorf("behind a proxy: %v", err)
	}
}

func TestImportExportRoundTrip(t *testing.T) {
	store := filepath.Join(t.TempDir(), "s.gpkg")
	file := write(t, "in.csv", "id,lat,lon,occurred_from,kind\nA,1.5,110.5,2026-01-02T03:04:05Z,irr.exit\nB,1.6,110.6,2026-01-03T03:04:05Z,som.attempt\nC,99,110.6,2026-01-03T03:04:05Z,som.attempt\n")
	out := must(t, "import", "mine", file, "--kind", "incident", "--store", store, "--json")
	var rep map[string]any
	if err := json.Unmarshal([]byte(out), &rep); err != nil || rep["accepted"] != 2.0 || rep["quarantined"] != 1.0 {
		t.Fatalf("%v %s", err, out)
	}
	text := must(t, "import", "mine", file, "--mode", "append", "--store", store)
	if !strings.Contains(text, "row 4") || !strings.Contains(text, "2 accepted") {
		t.Errorf("report: %s", text)
	}
	var fc struct {
		Features []struct {
			ID         string
			Properties map[string]any
			Geometry   struct{ Coordinates []float64 }
		}
	}
	if err := json.Unmarshal([]byte(must(t, "export", "mine", "--store", store)), &fc); err != nil {
		t.Fatal(err)
	}
	if len(fc.Features) != 4 || fc.Features[0].ID != "A" || fc.Features[0].Geometry.Coordinates[0] != 110.5 ||
		fc.Features[0].Properties["occurred_from"] != "2026-01-02T03:04:05Z" {
		t.Errorf("%+v", fc.Features)
	}
	csv := filepath.Join(t.TempDir(), "out.csv")
	if out := must(t, "export", "mine", "-o", csv, "--store", store, "--json"); !strings.Contains(out, `"features":4`) || !strings.Contains(out, `"format":"csv"`) {
		t.Errorf("export --json: %s", out)
	}
	if _, code := sempadan(t, "export", "mine", "--store", store, "--json"); code != 2 {
		t.Errorf("export --json without a file: exit %d", code)
	}
	again := must(t, "import", "again", csv, "--kind", "incident", "--store", store, "--json")
	if !strings.Contains(again, `"accepted":4`) || !strings.Contains(again, `"quarantined":0`) {
		t.Errorf("the export is not read again: %s", again)
	}
	if out, code := sempadan(t, "export", "nothing", "--store", store); code != 1 || !strings.Contains(out, "nothing") {
		t.Errorf("no such layer: exit %d %s", code, out)
	}
	dry := must(t, "import", "dry", file, "--kind", "incident", "--store", store, "--dry-run")
	if _, code := sempadan(t, "export", "dry", "--store", store); code != 1 || !strings.Contains(dry, "would be") {
		t.Errorf("a dry run stored something: %s", dry)
	}
	bad := write(t, "bad.geojson", `{"type":"FeatureCollection","features":[`)
	if out, code := sempadan(t, "import", "bad", bad, "--kind", "incident", "--store", store); code != 1 {
		t.Errorf("a cut file: exit %d %s", code, out)
	}
}

func TestGapsAndSurfaceOfTheStore(t *testing.T) {
	store := filepath.Join(t.TempDir(), "s.gpkg")
	must(t, "import", "mine", write(t, "in.csv", "lat,lon,occurred_from\n1.0,110.35,2026-01-02T03:04:05Z\n"), "--kind", "incident", "--store", store)
	var rep struct {
		Gaps  []map[string]any
		Annex map[string]any
	}
	if err := json.Unmarshal([]byte(must(t, "gaps", "--store", store, "--limit", "5")), &rep); err != nil || len(rep.Gaps) != 5 || rep.Annex["incidents"] == nil {
		t.Errorf("%v: %d gaps", err, len(rep.Gaps))
	}
	for format, begins := range map[string]string{"html": "<!doctype html>\n<html lang=\"id\">", "pdf": "%PDF-"} {
		path := filepath.Join(t.TempDir(), "gaps."+format)
		must(t, "gaps", "--store", store, "--format", format, "--lang", "id", "--limit", "5", "-o", path)
		if body, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(body), begins) {
			t.Errorf("%s: %v: %.60q", format, err, body)
		}
	}
	if csv := must(t, "gaps", "--store", store, "--format", "csv", "--lang", "ms"); !strings.Contains(csv, "Baki risiko tinggi") {
		t.Errorf("%.300s", csv)
	}
	for _, surface := range []string{"density", "risk", "coverage", "hazard", "knowledge"} {
		path := filepath.Join(t.TempDir(), surface+".asc")
		must(t, "surface", surface, "-o", path, "--store", store, "--bbox", "110.2,0.9,110.5,1.1", "--cell-m", "1000")
		values, nx, ny := readASC(t, path)
		if nx < 30 || ny < 20 || len(values) != nx*ny {
			t.Errorf("%s: %d × %d, %d values", surface, nx, ny, len(values))
		}
	}
	tif := filepath.Join(t.TempDir(), "r.tif")
	must(t, "surface", "risk", "-o", tif, "--store", store, "--bbox", "110.2,0.9,110.5,1.1", "--cell-m", "1000")
	if b, err := os.ReadFile(tif); err != nil || !bytes.HasPrefix(b, []byte("II*\x00")) {
		t.Errorf("%v", err)
	}
	png := filepath.Join(t.TempDir(), "r.png")
	must(t, "surface", "risk", "-o", png, "--store", store, "--size", "200x100")
	if b, err := os.ReadFile(png); err != nil || !bytes.HasPrefix(b, []byte("\x89PNG")) {
		t.Errorf("%v", err)
	}
}

func readASC(t *testing.T, path string) (values []float64, nx, ny int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitN(string(b), "\n", 7)
	if _, err := fmt.Sscanf(lines[0]+" "+lines[1], "ncols %d nrows %d", &nx, &ny); err != nil {
		t.Fatal(err)
	}
	for _, f := range strings.Fields(lines[6]) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	return values, nx, ny
}

// A density straight from planar points, against the sum by hand.
func TestSurfaceOfPlanarPoints(t *testing.T) {
	points := write(t, "p.csv", "id,e,n\n1,5000,5000\n2,6500,5000\n3,50000,50000\n")
	path := filepath.Join(t.TempDir(), "d.asc")
	out := must(t, "surface", "density", "-o", path, "--points", points, "--x", "e", "--y", "n", "--planar",
		"--bbox", "0,0,10000,10000", "--size", "10x10", "--bandwidth-m", "2000", "--kernel", "epanechnikov", "--threads", "2", "--json")
	var timing map[string]any
	if err := json.Unmarshal([]byte(out), &timing); err != nil || timing["compute_ms"] == nil || timing["load_ms"] == nil || timing["write_ms"] == nil {
		t.Errorf("%v %s", err, out)
	}
	values, nx, ny := readASC(t, path)
	if nx != 10 || ny != 10 {
		t.Fatalf("%d × %d", nx, ny)
	}
	for i, v := range values {
		x, y := (float64(i%10)+.5)*1000, 10_000-(float64(i/10)+.5)*1000
		want := 0.0
		for _, px := range []float64{5000, 6500} {
			if u2 := ((x-px)*(x-px) + (y-5000)*(y-5000)) / 4e6; u2 < 1 {
				want += 2 / math.Pi / 4e6 * (1 - u2) * 1e6
			}
		}
		if math.Abs(v-want) > 1e-13 {
			t.Errorf("at %g,%g: %g, want %g", x, y, v, want)
		}
	}
	for _, bad := range []string{"id,e,n\n1,x,2\n", "id,e\n1,2\n", "", "id,e,n\n1,NaN,2\n"} {
		if out, code := sempadan(t, "surface", "density", "-o", path, "--points", write(t, "bad.csv", bad), "--x", "e", "--y", "n", "--planar"); code != 1 {
			t.Errorf("%q: exit %d %s", bad, code, out)
		}
	}
	for _, flag := range [][]string{{"--bandwidth-m", "-1"}, {"--kernel", "cone"}, {"--size", "0x5"}, {"--cell-m", "0.001"}, {"--bbox", "1,2,3"}, {"--bbox", "5,5,1,1"},
		{"--bandwidth-m", "0"}, {"--cell-m", "0"}, {"--size", "10x10junk"}, {"--bbox", "0,0,1e300,1e300"}} {
		args := append([]string{"surface", "density", "-o", path, "--points", points, "--x", "e", "--y", "n", "--planar"}, flag...)
		if out, code := sempadan(t, args...); code != 2 {
			t.Errorf("%v: exit %d %s", flag, code, out)
		}
	}
}

// In degrees a box may go over the 180th meridian, but not to the poles; work
// without end is refused before it begins.
func TestSurfaceRefusesAndWraps(t *testing.T) {
	points := write(t, "p.csv", "x,y\n179.9,1\n-179.9,1\n")
	path := filepath.Join(t.TempDir(), "d.asc")
	must(t, "surface", "density", "-o", path, "--points", points, "--bbox", "179,0.5,-179,1.5", "--size", "40x20", "--bandwidth-m", "30000")
	values, nx, ny := readASC(t, path)
	if nx != 40 || ny != 20 || values[9*40+17] <= 0 || math.Abs(values[9*40+17]-values[9*40+22]) > 1e-12 {
		t.Errorf("%d × %d, %g and %g beside the meridian", nx, ny, values[9*40+17], values[9*40+22])
	}
	metres := write(t, "m.csv", "x,y\n500,200\n501,210\n")
	same := write(t, "s.csv", "x,y\n"+strings.Repeat("50000,50000\n", 20_000))
	for _, args := range [][]string{
		{"--points", metres},
		{"--points", points, "--bbox", "100,80,110,100", "--size", "10x10"},
	} {
		if out, code := sempadan(t, append([]string{"surface", "density", "-o", path}, args...)...); code != 2 {
			t.Errorf("%v: exit %d %s", args, code, out)
		}
	}
	// Equal points are one, however many.
	must(t, "surface", "density", "-o", path, "--points", same, "--planar", "--bbox", "0,0,100000,100000", "--size", "256x256", "--kernel", "gaussian")
}

func TestDemoIsTheSameForASeed(t *testing.T) {
	read := func(seed string) map[string]string {
		dir := t.TempDir()
		must(t, "demo", "--seed", seed, "--incidents", "1000", "--as-of", "2026-11-22", "-o", dir)
		out := map[string]string{}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			out[f.Name()] = string(b)
			if n, marked := strings.Count(out[f.Name()], `"type":"Feature"`), strings.Count(out[f.Name()], `"synthetic":true`); n == 0 || n != marked {
				t.Errorf("%s: %d features, %d marked", f.Name(), n, marked)
			}
		}
		return out
	}
	one, again, other := read("1"), read("1"), read("2")
	if len(one) != 5 {
		t.Errorf("%d layers", len(one))
	}
	for name := range one {
		if one[name] != again[name] {
			t.Errorf("%s differs for one seed", name)
		}
		if one[name] == other[name] {
			t.Errorf("%s is the same for two seeds", name)
		}
	}
	if n := strings.Count(one["demo_incidents.geojson"], `"type":"Feature"`); n != 1000 {
		t.Errorf("%d incidents", n)
	}
}

// The service starts on an empty store, answers, and stops when it is told to.
func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, serveFlags{listen: addr, store: filepath.Join(t.TempDir(), "s.gpkg"), demo: true, maxBody: 1 << 20})
	}()
	ready := false
	for range 600 {
		resp, err := http.Get("http://" + addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if ready = resp.StatusCode == 200; ready {
				break
			}
		}
		select {
		case err := <-done:
			t.Fatalf("it ended: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	if !ready {
		t.Fatal("not ready in 30 s")
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// The flags of smoothing change the raster, of the store and of a file of
// points, and what cannot be smoothed is said.
func TestSurfaceSmoothingFlags(t *testing.T) {
	store := filepath.Join(t.TempDir(), "s.gpkg")
	csv := "lat,lon,occurred_from\n"
	for i := range 70 { // along the strait between Johor and Batam
		csv += fmt.Sprintf("%.3f,%.3f,2026-01-02T03:04:05Z\n", 1.22+0.003*float64(i%7), 103.9+0.01*float64(i%5))
	}
	must(t, "import", "mine", write(t, "in.csv", csv), "--kind", "incident", "--store", store)
	area := []string{"--bbox", "103.7,1.0,104.3,1.5", "--cell-m", "1000"}
	raster := func(surface string, args ...string) []float64 {
		path := filepath.Join(t.TempDir(), "r.asc")
		must(t, append(append([]string{"surface", surface, "-o", path}, area...), args...)...)
		values, _, _ := readASC(t, path)
		return values
	}
	points := []string{"--points", write(t, "p.csv", csv), "--x", "lon", "--y", "lat"}
	for _, source := range [][]string{{"--store", store}, points} {
		plain := raster("density", source...)
		for _, flags := range [][]string{{"--adaptive"}, {"--smoothing", "edge"}, {"--smoothing", "barrier"}} {
			if slices.Equal(plain, raster("density", append(flags, source...)...)) {
				t.Errorf("%v changes nothing of %v", flags, source[0])
			}
		}
		if !slices.Equal(plain, raster("density", append([]string{"--smoothing", "none"}, source...)...)) {
			t.Errorf("--smoothing none changes %v", source[0])
		}
	}
	hot := 0
	for _, v := range raster("hotspots", "--store", store) {
		if v == 3 {
			hot++
		} else if v != -9999 && (v < -3 || v > 3 || v != math.Trunc(v)) {
			t.Fatalf("class %g", v)
		}
	}
	if hot == 0 {
		t.Error("70 incidents in one strait are no hot spot")
	}
	png := filepath.Join(t.TempDir(), "h.png")
	must(t, append([]string{"surface", "hotspots", "-o", png, "--store", store}, area...)...)
	for code, args := range map[int][]string{
		1: {"--store", store, "--no-builtin", "--smoothing", "edge", "--bbox", "103.7,1.0,104.3,1.5"},
		2: append([]string{"--smoothing", "blur"}, points...),
	} {
		out, got := sempadan(t, append([]string{"surface", "density", "-o", filepath.Join(t.TempDir(), "r.asc")}, args...)...)
		if got != code {
			t.Errorf("%v: exit %d %s", args, got, out)
		}
	}
	flat := append([]string{"surface", "density", "-o", png, "--planar", "--smoothing", "edge"}, points...)
	if out, code := sempadan(t, flat...); code != 2 {
		t.Errorf("a plane: exit %d %s", code, out)
	}
}

func TestModelFile(t *testing.T) {
	if _, err := readModel(write(t, "m.json", `{"bandwidth_m":3000}`)); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`{"bandwidth_m":-1}`, `{"no_such":1}`, `{`} {
		if _, err := readModel(write(t, "m.json", bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestVersion(t *testing.T) {
	if out := must(t, "version", "--json"); !strings.Contains(out, `"version"`) {
		t.Error(out)
	}
}

func TestImportWithAProfileAndHardChecks(t *testing.T) {
	store := filepath.Join(t.TempDir(), "s.gpkg")
	file := write(t, "mm.csv", "Main ID,Incident Date,Number of Dead,Cause of Death,Coordinates\nM1,2014-01-06,1,Drowning,\"2.3456, 101.2345\"\nM1,2014-01-07,1,Drowning,\"2.4456, 101.2345\"\n")
	out := must(t, "import", "mm", file, "--store", store, "--profile", "missing_migrants")
	if !strings.Contains(out, "2 accepted") || !strings.Contains(out, "duplicate_id") {
		t.Error(out)
	}
	out = must(t, "import", "mm", file, "--store", store, "--profile", "missing_migrants", "--hard", "duplicate_id,at_sea")
	if !strings.Contains(out, "1 accepted, 1 quarantined") {
		t.Error(out)
	}
	if out, code := sempadan(t, "import", "mm", file, "--store", store, "--profile", "none"); code != 2 || !strings.Contains(out, "earthranger") {
		t.Error(code, out)
	}
	for _, name := range []string{"mm.gpx", "mm.kml"} {
		path := filepath.Join(t.TempDir(), name)
		must(t, "export", "mm", "--store", store, "-o", path)
		if out := must(t, "import", "again", path, "--store", store, "--kind", "incident"); !strings.Contains(out, "1 accepted") {
			t.Error(out)
		}
	}
}
