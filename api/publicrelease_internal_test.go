package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo/surface"
)

// newPublic is a guarded service with a public map and seeded noise.
func newPublic(t *testing.T, seed uint64) *guarded {
	t.Helper()
	g := newGuarded(t)
	g.s.gate.public = true
	g.s.books.public.file = filepath.Join(t.TempDir(), "ledger")
	g.s.books.public.dice = rand.New(rand.NewPCG(seed, 8)).Uint64
	return g
}

// publicCases are cases for the public within the year of keyNow's release: many
// at two places, and some alone.
func publicCases(many int, alone [][2]float64) string {
	var b strings.Builder
	b.WriteString("id,lon,lat,occurred_from,kind,release,reporter_agency,discovery\n")
	row := func(k int, lon, lat float64) {
		fmt.Fprintf(&b, "P%d,%.5f,%.5f,2026-0%d-%02dT03:00:00Z,irr.exit,public_aggregate,POLRI,reported_public\n", k, lon, lat, 1+k%6, 1+k%28)
	}
	for k := range many {
		row(k, []float64{110.5, 117.6}[k%4/3]+0.0002*float64(k), []float64{1.05, 4.1}[k%4/3])
	}
	for k, p := range alone {
		row(many+k, p[0], p[1])
	}
	return b.String()
}

func (g *guarded) publicRelease() (out struct {
	Quarter string
	Map     bool
	Regions []publicRow
}) {
	g.t.Helper()
	if err := json.Unmarshal([]byte(g.want(200, "nobody", "GET", "/v1/public-release", "")), &out); err != nil {
		g.t.Fatal(err)
	}
	return out
}

const publicTile = "/tiles/density/7/103/63.png" // of the first place

// The public sees a map of a quarter's release, the same until the next, and
// whoever signs in to nothing sees nothing else.
func TestPublicMap(t *testing.T) {
	g := newPublic(t, 1)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", publicCases(400, nil))
	value := func() (v struct{ Value *float64 }) {
		if err := json.Unmarshal([]byte(g.want(200, "nobody", "GET", "/tiles/density/value?lon=110.54&lat=1.05", "")), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := value(); v.Value == nil || *v.Value <= 0 {
		t.Fatal("nothing where there are 300 cases")
	}
	release := g.publicRelease()
	if !release.Map || release.Quarter != "2026-10-01" || len(release.Regions) != 5 || release.Regions[2].Cases == nil || *release.Regions[2].Cases < 240 {
		t.Errorf("%+v", release)
	}
	for path, want := range map[string]int{"/v1/layers": 401, "/v1/gaps": 401, "/tiles/coverage/7/103/63.png": 403, "/tiles/density/9/412/254.png": 404,
		"/tiles/density/7/103/63.png?window_days=30": 403, "/v1/privacy-ledger": 401, "/metrics": 401} {
		if got := g.do("nobody", "GET", path, "").Code; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	// What is uploaded meanwhile changes no byte.
	before := g.want(200, "nobody", "GET", publicTile, "")
	g.want(200, "polri", "PUT", "/v1/layers/cases?kind=incident&mode=append", strings.ReplaceAll(publicCases(800, nil), "\nP", "\nQ"))
	if after := g.want(200, "nobody", "GET", publicTile, ""); after != before {
		t.Error("an upload shows between two releases")
	}
	g.now = keyNow.AddDate(0, 2, 0)
	if g.want(200, "nobody", "GET", publicTile, ""); g.publicRelease().Quarter != "2027-01-01" {
		t.Errorf("%+v", g.publicRelease())
	}
	g.s.gate.public = false
	g.want(401, "nobody", "GET", publicTile, "")
	g.want(401, "nobody", "GET", "/v1/public-release", "")
	g.want(200, "viewer", "GET", "/v1/public-release?lang=ms", "")
	g.want(403, "viewer", "GET", "/v1/privacy-ledger", "")
	if body := g.want(200, "admin", "GET", "/v1/privacy-ledger", ""); !strings.Contains(body, `"releases_left":2`) || !strings.Contains(body, `"next":"2027-04-01"`) {
		t.Error(body)
	}
}

// Only what is for the public counts, of what is not secret.
func TestPublicCases(t *testing.T) {
	for _, c := range []struct{ class, release string }{{"internal", "joint_plus_ngo"}, {"internal", "bilateral"}, {"restricted", "national"}, {"secret", "public_aggregate"}} {
		g := newPublic(t, 2)
		g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident&classification="+c.class, strings.ReplaceAll(publicCases(400, nil), "public_aggregate", c.release))
		g.want(200, "nobody", "GET", publicTile, "")
		if r := g.publicRelease(); r.Map {
			t.Errorf("%+v counts: %+v", c, r)
		}
	}
}

// With fewer than 200 cases there is a table and no map.
func TestPublicMapNeedsCases(t *testing.T) {
	g := newPublic(t, 3)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", publicCases(80, nil))
	if g.want(200, "nobody", "GET", publicTile, "") != g.want(200, "nobody", "GET", "/tiles/density/7/10/10.png", "") {
		t.Error("there is a map")
	}
	if body := g.want(200, "nobody", "GET", "/v1/public-release", ""); !strings.Contains(body, "fewer than 200 cases there is no map") {
		t.Error(body)
	}
}

// Neither a restored store nor a clock that is put back or forward gives a second
// release of a quarter.
func TestLedgerOutlastsRestoresAndClocks(t *testing.T) {
	g := newPublic(t, 4)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", publicCases(400, nil))
	old, _ := g.s.opts.Store.Setting(t.Context(), publicSetting)
	cells := func() []int {
		g.s.worlds.made = map[circle]*world{} // as after a restart
		g.want(200, "nobody", "GET", publicTile, "")
		book, err := g.s.books.public.read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return book.Latest.Cells
	}
	first := cells()
	for _, now := range []time.Time{keyNow.AddDate(0, 0, 20), keyNow.AddDate(-1, 0, 0), keyNow.AddDate(0, -3, 0)} {
		if g.now = now; !slices.Equal(cells(), first) {
			t.Errorf("at %s there is another release", now)
		}
	}
	g.now = keyNow
	if err := g.s.opts.Store.SetSetting(t.Context(), publicSetting, old); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(cells(), first) {
		t.Error("a restored store has another release")
	}
	file := g.s.books.public.file
	if g.s.books.public.file = ""; g.s.books.public.write(t.Context(), publicBook{Ledger: []PrivacySpend{{Quarter: quarterStart(keyNow)}}, Latest: &publicRelease{Quarter: quarterStart(keyNow), Cells: first}}) != nil || !slices.Equal(cells(), first) {
		t.Error("without the file there is another release")
	}
	g.s.books.public.file = file
	if err := writeSecretFile(file, []byte("{")); err != nil {
		t.Fatal(err)
	}
	g.s.worlds.made = map[circle]*world{}
	g.want(503, "nobody", "GET", publicTile, "")
}

// The ledger lets a year have four releases; a case counts in no more than four.
func TestLedgerRefusesTheFifth(t *testing.T) {
	day := func(text string) time.Time { d, _ := time.Parse(time.DateOnly, text); return d }
	var full publicBook
	for _, q := range []string{"2026-01-01", "2026-02-01", "2026-04-01", "2026-07-01"} { // as no clock makes them
		full.Ledger = append(full.Ledger, PrivacySpend{Quarter: day(q)})
	}
	if err := full.allows(day("2026-10-01")); !errors.Is(err, errSpent) {
		t.Errorf("a fifth release: %v", err)
	}
	if err := full.allows(day("2027-01-01")); err != nil {
		t.Errorf("the year is over: %v", err)
	}
	var book publicBook
	inReleases := map[int64]int{}
	for now := day("2019-01-01"); now.Before(day("2034-01-01")); now = now.AddDate(0, 0, 9) {
		at := now
		if r := now.Unix() % 4; r == 0 {
			at = now.AddDate(-1, 0, 0) // a clock that is wrong now and then
		}
		if book.allows(quarterStart(at)) != nil {
			continue
		}
		r, err := noiseOn{nil, secureDice}.draw(quarterStart(at), nil)
		if err != nil {
			t.Fatal(err)
		}
		book = book.with(r, at)
		for d := r.From.Unix() / 86400; d < r.Until.Unix()/86400; d++ {
			inReleases[d]++
		}
	}
	if len(book.Ledger) < 59 {
		t.Errorf("%d releases in 15 years", len(book.Ledger))
	}
	for d, n := range inReleases {
		if n > mostReleases {
			t.Fatalf("a case of day %d counts in %d releases", d, n)
		}
	}
	for i, e := range book.Ledger {
		if i >= mostReleases && e.Quarter.Before(book.Ledger[i-mostReleases].Quarter.AddDate(1, 0, 0)) {
			t.Errorf("a fifth release within a year: %s", e.Quarter)
		}
	}
}

// One case is in one cell and one region, whoever tells of it.
func TestOneCaseCountsOnce(t *testing.T) {
	quarter := quarterStart(keyNow)
	at := surface.ReleaseRecord{Lon: 110.5, Lat: 1, Day: int32(quarter.AddDate(0, -6, 0).Unix() / 86400), Kind: "irr.exit", Source: "POLRI"}
	twice, late, away := at, at, at
	twice.Source, late.Day, away.Lon = "IMI", int32(quarter.AddDate(0, -1, 0).Unix()/86400), 130
	counts := func(cases ...surface.ReleaseRecord) (cells, regions int) {
		r, err := noiseOn{publicGrid(), rand.New(rand.NewPCG(1, 1)).Uint64}.draw(quarter, cases)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range r.Cells {
			cells += n
		}
		for _, n := range r.Regions {
			regions += n
		}
		return cells, regions
	}
	c0, r0 := counts()
	for name, cases := range map[string][]surface.ReleaseRecord{"one": {at}, "told twice": {at, twice}, "too late": {at, late}, "far away": {at, away}} {
		if c, r := counts(cases...); c != c0+1 || r != r0+1 {
			t.Errorf("%s: %d cells and %d regions more", name, c-c0, r-r0)
		}
	}
}
