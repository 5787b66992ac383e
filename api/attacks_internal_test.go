package api

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/surface"
)

// The attacks of SECURITY section 3, with their results on the test's log.

// tileAt is the tile of a zoom that holds a place, and the place's pixel in it.
func tileAt(p [2]float64, z int) (x, y, px, py int) {
	wx, wy := surface.PixelAt(z+8, orb.Point{p[0], p[1]})
	return int(wx) / 256, int(wy) / 256, int(wx) % 256, int(wy) % 256
}

func decodeTile(t *testing.T, body string) *image.Paletted {
	t.Helper()
	img, err := png.Decode(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if p, is := img.(*image.Paletted); is {
		return p
	}
	p := image.NewPaletted(img.Bounds(), nil) // a map of WMS: what is painted
	for i := range p.Pix {
		if _, _, _, alpha := img.At(i%p.Stride, i/p.Stride).RGBA(); alpha > 0 {
			p.Pix[i] = 1
		}
	}
	return p
}

// (a) Every tile that a viewer and the public can fetch over a hundred isolated
// incidents: the brightest pixels of none point to an incident more often than
// pixels anywhere do.
func TestAttackZoomSweep(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 4))
	var alone [][2]float64
	for k := range 100 {
		alone = append(alone, [2]float64{98 + float64(k%20) + 0.3*r.Float64(), -3 + 1.7*float64(k/20) + 0.3*r.Float64()})
	}
	g := newPublic(t, 5)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", publicCases(400, alone))
	fetched := map[string]*image.Paletted{}
	for _, who := range []string{"viewer", "nobody"} {
		found, chance, shown := 0, 0.0, 0
		for _, p := range alone {
			hit, share := false, 0.0
			for z := 3; z <= map[string]int{"viewer": 10, "nobody": 8}[who]; z++ {
				x, y, px, py := tileAt(p, z)
				path := fmt.Sprintf("/tiles/density/%d/%d/%d.png", z, x, y)
				img := fetched[who+path]
				if img == nil {
					img = decodeTile(t, g.want(200, who, "GET", path, ""))
					fetched[who+path] = img
				}
				top := slices.Max(img.Pix)
				if top == 0 {
					continue
				}
				shown++
				radius := max(1, 1000/(156543*math.Cos(p[1]*math.Pi/180)/math.Exp2(float64(z))))
				if radius > 8 || radius < 1.5 { // a pixel is the target: too coarse to say a kilometre
					continue
				}
				bright := 0
				for i, v := range img.Pix {
					if v == top {
						bright++
						hit = hit || bright < 20 && math.Hypot(float64(i%256-px), float64(i/256-py)) <= radius
					}
				}
				share += math.Pi * radius * radius / 65536
			}
			if hit {
				found++
			}
			chance += share
		}
		t.Logf("(a) zoom sweep as %s: %d of 100 found within 1 km, %.2f by chance; %d of their tiles show anything", who, found, chance, shown)
		if float64(found) > chance {
			t.Errorf("%s finds %d of 100", who, found)
		}
	}
}

// (b) One case more or less in a release as it is drawn: the largest log ratio of
// the chances of what is shown, by events that half of the runs choose and the
// other half measure, in 10,000 runs each way.
func TestAttackAddOneRemoveOne(t *testing.T) {
	const runs = 10_000
	quarter := quarterStart(keyNow)
	day := int32(quarter.AddDate(0, -6, 0).Unix() / 86400)
	grid := surface.ReleaseGrid(orb.Bound{Min: orb.Point{110.4, 0.9}, Max: orb.Point{110.6, 1.1}}, publicLevel)
	var cases []surface.ReleaseRecord
	for k := range 12 {
		cases = append(cases, surface.ReleaseRecord{Lon: 110.5 + 0.001*float64(k), Lat: 1, Day: day, Kind: "irr.exit"})
	}
	cell := surface.ReleaseCellAt(110.5, 1, publicLevel)
	type outcome struct{ shown, region int }
	outcomes := func(n int, seed uint64, times uint64) []outcome {
		on := noiseOn{grid, rand.New(rand.NewPCG(seed, 3)).Uint64}
		var list []surface.ReleaseRecord
		for range times { // a mechanism that counts a case more than once is caught
			list = append(list, cases[:n]...)
			for i := range list {
				list[i].Lat += 0.0001 * float64(i/n)
			}
		}
		out := make([]outcome, runs)
		for i := range out {
			r, err := on.draw(quarter, list)
			if err != nil {
				t.Fatal(err)
			}
			out[i] = outcome{publicRule().Show(grid, r.Cells)[cell], r.Regions[2]}
		}
		return out
	}
	measure := func(with, without []outcome) (epsilon, upper float64) {
		share := func(all []outcome, a, b int) float64 {
			n := 0.0
			for _, o := range all {
				if o.shown >= a && o.region >= b {
					n++
				}
			}
			return n
		}
		best, at := 0.0, outcome{}
		for a := 10; a < 30; a++ {
			for b := 0; b < 30; b += 3 {
				x, y := share(with[:runs/2], a, b), share(without[:runs/2], a, b)
				if ratio := math.Log(x / y); y > 200 && ratio > best {
					best, at = ratio, outcome{a, b}
				}
			}
		}
		x, y := share(with[runs/2:], at.shown, at.region), share(without[runs/2:], at.shown, at.region)
		epsilon = math.Log(x / y)
		return epsilon, epsilon - 1.96*math.Sqrt(1/x+1/y)
	}
	epsilon, bound := measure(outcomes(12, 1, 1), outcomes(11, 2, 1))
	t.Logf("(b) add one, remove one: ε̂ = %.3f, at least %.3f with 95 %%, in %d runs each way of the release; ε = 1", epsilon, bound, runs)
	if bound > 1.1 || epsilon < 0.5 {
		t.Errorf("ε̂ = %.3f, at least %.3f", epsilon, bound)
	}
	if _, bound := measure(outcomes(12, 3, 2), outcomes(11, 4, 2)); bound <= 1.1 {
		t.Errorf("a case that counts twice goes unnoticed: at least %.3f", bound)
	}
}

// (c) All pairs of what a viewer and the public can ask for: no query shows other
// numbers than another.
func TestAttackFilters(t *testing.T) {
	g := newPublic(t, 6)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", publicCases(400, [][2]float64{{110.9, 1.2}}))
	filters := []string{"", "palette=inferno", "lang=id", "v=1", "window_days=7", "half_life_days=7", "as_of=2026-05-01", "kinds=irr.exit", "severity=true", "bandwidth_m=500",
		"bbox=110,1,111,2", "datetime=2026-03-01/2026-04-01", "filter=kind='irr.exit'"}
	const x, y = 206, 127
	half := 20037508.342789244
	width := 2 * half / 256
	box := fmt.Sprintf("%f,%f,%f,%f", -half+x*width, half-(y+1)*width, -half+(x+1)*width, half-y*width)
	for _, who := range []string{"viewer", "ngo", "nobody"} {
		var answers, maps [][]uint8
		asked, refused := 0, 0
		for _, path := range []string{fmt.Sprintf("/tiles/density/8/%d/%d.png?", x, y), fmt.Sprintf("/ogc/styles/density/map/tiles/WebMercatorQuad/8/%d/%d?", y, x),
			fmt.Sprintf("/wmts/density/default/GoogleMapsCompatible/8/%d/%d.png?", y, x),
			fmt.Sprintf("/wmts?request=GetTile&layer=density&style=&tilematrixset=GoogleMapsCompatible&tilematrix=8&tilerow=%d&tilecol=%d&", y, x),
			"/wms?request=GetMap&version=1.3.0&layers=density&styles=&crs=EPSG:3857&width=256&height=256&transparent=true&ours=" + box + "&bbox=" + box + "&"} {
			for _, f := range filters {
				if strings.HasPrefix(f, "bbox") && strings.HasPrefix(path, "/wms?") {
					continue // it is where the map lies
				}
				asked++
				w := g.do(who, "GET", path+f, "")
				if w.Code != 200 {
					refused++
					continue
				}
				pix := decodeTile(t, w.Body.String()).Pix
				if strings.HasPrefix(path, "/wms?") {
					maps = append(maps, pix)
					continue
				}
				answers = append(answers, pix)
			}
		}
		differ, pairs := 0, 0
		for _, same := range [][][]uint8{answers, maps} {
			for i := range same {
				for j := range i {
					pairs++
					if !bytes.Equal(same[i], same[j]) {
						differ++
					}
				}
			}
		}
		t.Logf("(c) filters as %s: %d queries, %d refused; %d of %d pairs of answers differ", who, asked, refused, differ, pairs)
		if differ > 0 || pairs < 100 || len(maps) == 0 || slices.Max(answers[0]) == 0 {
			t.Errorf("%s: %d of %d pairs differ", who, differ, pairs)
		}
	}
}

// (f) What is in a record is nowhere that a viewer or an operator can look: tiles,
// errors, the log, metrics, the cache's keys; words that people wrote are not
// even in a backup.
func TestAttackCanaries(t *testing.T) {
	g := newPublic(t, 7)
	var logged bytes.Buffer
	g.s.log = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	const lon, lat = "112.73519", "1.46213"
	csv := strings.Replace(publicCases(300, nil), "discovery\n", "discovery,notes,victim_name\n", 1)
	csv = strings.ReplaceAll(csv, "reported_public\n", "reported_public,,\n")
	csv += "CANARYID," + lon + "," + lat + ",2026-03-03T03:00:00Z,irr.exit,public_aggregate,POLRI,reported_public,CANARYNOTE,CANARYNAME\n"
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
	g.want(422, "polri", "PUT", "/v1/layers/bad?kind=incident", "id,lon,lat,occurred_from,kind\nCANARYID,CANARYNOTE,"+lat+",2026-03-03,irr.exit\n")
	var seen bytes.Buffer
	for _, who := range []string{"viewer", "ngo", "planner my", "admin", "nobody"} {
		for _, path := range reachable(t, g, who, [2]float64{112.73519, 1.46213}) {
			w := g.do(who, "GET", path, "")
			seen.WriteString(strings.ReplaceAll(fmt.Sprint(w.Header(), w.Body), path, ""))
		}
	}
	seen.WriteString(g.want(200, "admin", "GET", "/metrics", ""))
	for key := range g.s.tiles.cache.All() {
		seen.WriteString(key)
	}
	for _, w := range g.s.worlds.made {
		for key, tile := range w.tiles.cache.All() {
			seen.WriteString(key)
			seen.Write(tile.body)
		}
	}
	backup := filepath.Join(t.TempDir(), "b.gpkg")
	if err := g.s.opts.Store.(interface {
		Backup(ctx context.Context, path string) error
	}).Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	hits := 0
	for where, text := range map[string][]byte{"answers and cache": seen.Bytes(), "log": logged.Bytes()} {
		for _, canary := range []string{"CANARYID", "CANARYNOTE", "CANARYNAME", lon, lat, "112.735", "1.4621"} {
			if n := bytes.Count(text, []byte(canary)); n > 0 {
				hits += n
				t.Errorf("%s is %d times in the %s", canary, n, where)
			}
		}
	}
	for _, canary := range []string{"CANARYNOTE", "CANARYNAME"} {
		if bytes.Contains(kept, []byte(canary)) {
			hits++
			t.Errorf("%s is in the backup", canary)
		}
	}
	t.Logf("(f) canaries: %d hits in %d bytes of answers and cache, %d of log, %d of backup", hits, seen.Len(), logged.Len(), len(kept))
	if !bytes.Contains(kept, []byte("CANARYID")) || logged.Len() == 0 {
		t.Error("the search would find nothing")
	}
}
