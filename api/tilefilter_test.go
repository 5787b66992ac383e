package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb/encoding/mvt"
)

// drawn are the ids of the features in a vector tile.
func (s *service) drawn(path string) (out []int) {
	s.t.Helper()
	a := s.get(path)
	if a.status == 204 {
		return nil
	}
	if a.status != 200 {
		s.t.Fatalf("%s: %d %.300s", path, a.status, a.body)
	}
	layers, err := mvt.Unmarshal(a.body)
	if err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
	for _, f := range layers[0].Features {
		out = append(out, int(f.ID.(float64)))
	}
	return out
}

// A tile has the features that the same question finds among the items.
func TestTileFiltersFindWhatItemsFind(t *testing.T) {
	s := ogcService(t)
	const xyz, ogc = "/tiles/layers/cases/5/25/15.", "/ogc/collections/cases/tiles/WebMercatorQuad/5/15/25"
	if all := s.drawn(xyz + "mvt"); len(all) != 12 {
		t.Fatalf("the tile has %v", all)
	}
	some := 0
	for _, q := range []string{
		"filter=severity=5", "filter=severity+IN+(1,2)+AND+kind='irr.exit'", "filter=kind+LIKE+'mar%25'", "filter=severity+BETWEEN+2+AND+3&datetime=2026-03-01/..",
		"filter=NOT+(severity+IS+NULL)", "filter=T_BEFORE(occurred_from,DATE('2026-02-01'))", "filter=occurred_from+>+'2026-05-01'", "datetime=2026-01-31/P2D", "datetime=2026-01-01",
		"filter-lang=cql2-json&filter=" + url.QueryEscape(`{"op":"in","args":[{"property":"severity"},[5]]}`), "filter=id='E3'+OR+severity=4", "filter=severity>9", "datetime=1999-01-01", "filter=",
	} {
		var want []int
		for _, id := range s.ids(items + "?limit=100&" + q) {
			n := 0
			_, _ = fmt.Sscan(id, &n)
			want = append(want, n)
		}
		for _, path := range []string{xyz + "mvt", xyz + "pbf", ogc} {
			if got := s.drawn(path + "?" + q); !slices.Equal(got, want) {
				t.Errorf("%s?%s: %v, the items are %v", path, q, got, want)
			}
		}
		some += len(want)
	}
	if some < 30 {
		t.Errorf("%d features in all", some)
	}
}

// What means the same is one entry of the cache, under one tag, whatever it is
// written like; what does not is another.
func TestTileFilterIsOneEntry(t *testing.T) {
	s := ogcService(t)
	const tile = "/tiles/layers/cases/5/25/15.mvt?"
	misses := func() (n int) {
		for line := range strings.SplitSeq(string(s.want(200, "/metrics").body), "\n") {
			if strings.HasPrefix(line, "sempadan_tile_cache_total{") && strings.Contains(line, `"miss"`) {
				_, _ = fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &n)
			}
		}
		return n
	}
	q := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v.Encode()
	}
	groups := [][]string{
		{q("filter", "severity = 5 AND kind = 'mar.landing'"), q("filter", "severity=5 and (kind='mar.landing')"), q("filter", "((kind = 'mar.landing')) AND 5.0 = severity"),
			q("filter-lang", "cql2-json", "filter", `{"op":"and","args":[{"op":"=","args":[{"property":"kind"},"mar.landing"]},{"op":"=","args":[{"property":"severity"},5]}]}`)},
		{q("filter", "severity = 5"), q("filter", "severity=5", "filter-lang", "cql2-text")},
		{q("datetime", "2026-03-01T03:00:00Z"), q("datetime", "2026-03-01T10:00:00+07:00"), q("datetime", "2026-03-01T03:00:00.000z"), q("datetime", "2026-03-01T03:00:00Z/2026-03-01T03:00:00Z")},
		{q("datetime", "2026-04-01/2026-04-02"), q("datetime", "2026-04-01T00:00:00Z/2026-04-02T23:59:59.999Z")},
		{q("datetime", "../.."), q("filter", ""), ""},
	}
	tags := map[string]bool{}
	before := misses()
	for i, group := range groups {
		tag := s.want(200, tile+group[0]).header.Get("ETag")
		for _, way := range group {
			if got := s.want(200, tile+way).header.Get("ETag"); got != tag {
				t.Errorf("%s has the tag %s, want %s", way, got, tag)
			}
		}
		if tags[tag] {
			t.Errorf("group %d has the tag of another: %s", i, tag)
		}
		tags[tag] = true
		if n := misses() - before; n != i+1 {
			t.Errorf("after group %d there are %d entries", i, n)
		}
	}
}

func TestTileFilterRefusals(t *testing.T) {
	s := ogcService(t)
	long := "severity IN (" + strings.Repeat("1.5,", 500) + "1)"
	for _, base := range []string{"/tiles/layers/cases/5/25/15.mvt?", "/tiles/layers/cases.json?", "/ogc/collections/cases/tiles/WebMercatorQuad/5/15/25?"} {
		for _, c := range [][3]string{
			{"filter", "nosuch = 1", ""}, {"filter", "severity", ""}, {"filter", "severity = 'x'", ""}, {"filter", "S_INTERSECTS(geometry,BBOX(1,2,3,4))", "a place already"},
			{"filter", long, ""}, {"filter", "geometry = 1", ""}, {"filter", "kind LIKE '%a%b%c%d%e%'", "LIKE"}, {"filter-lang", "sql", ""}, {"datetime", "yesterday", ""},
			{"datetime", "2026-02-01/2026-01-01", ""}, {"datetime", "2026-01-01/P9000Y", "0 to 9999"}, {"filter", "\xff", ""}, {"filter", "collusion_flag = TRUE", ""},
		} {
			a := s.get(base + url.Values{c[0]: {c[1]}}.Encode())
			if a.status != 400 || a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s%s=%.50s: %d %.200s", base, c[0], c[1], a.status, a.body)
				continue
			}
			errs := a.json(t)["errors"].([]any)
			if len(errs) != 1 || errs[0].(map[string]any)["parameter"] != c[0] || !strings.Contains(string(a.body), c[2]) {
				t.Errorf("%s%s=%.50s: %s", base, c[0], c[1], a.body)
			}
		}
	}
	// Surfaces and the tiles of everything have no properties to ask for.
	for _, path := range []string{"/ogc/tiles/WebMercatorQuad/5/15/25?filter=severity=5", "/tiles/density/5/25/15.png?filter=severity=5", "/tiles/density/5/25/15.png?datetime=2026-01-01"} {
		s.want(400, path)
	}
}

// TileJSON takes the same questions and hands them on in their one form, encoded
// once, to tiles that have them.
func TestTileJSONCarriesTheFilter(t *testing.T) {
	s := ogcService(t)
	doc := s.want(200, "/tiles/layers/cases.json?"+url.Values{"filter": {"kind LIKE 'mar%' and 2 < severity"}, "datetime": {"2026-02-01T07:00:00+07:00/.."}}.Encode()).json(t)
	tile := doc["tiles"].([]any)[0].(string)
	u, err := url.Parse(strings.NewReplacer("{z}", "5", "{x}", "25", "{y}", "15").Replace(tile))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("filter") != `("kind" LIKE 'mar%') AND ("severity" > 2)` || q.Get("datetime") != "2026-02-01T00:00:00Z/.." || q.Get("v") != doc["v"] || strings.ContainsAny(u.RawQuery, "+{}\" ") || strings.Contains(u.RawQuery, "%25%32") {
		t.Errorf("%s", tile)
	}
	a := s.want(200, u.RequestURI())
	if !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("%v", a.header)
	}
	got := s.drawn(u.RequestURI())
	var want []int
	for _, id := range s.ids(items + "?" + url.Values{"filter": {"kind LIKE 'mar%' and 2 < severity"}, "datetime": {"2026-02-01/.."}}.Encode()) {
		n := 0
		_, _ = fmt.Sscan(id, &n)
		want = append(want, n)
	}
	if !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("%v, want %v", got, want)
	}
	// The form that it hands on is its own form.
	again := s.want(200, "/tiles/layers/cases.json?"+url.Values{"filter": {q.Get("filter")}, "datetime": {q.Get("datetime")}}.Encode()).json(t)
	if again["tiles"].([]any)[0] != tile {
		t.Errorf("%v\n%v", again["tiles"], tile)
	}
	if plain := s.want(200, "/tiles/layers/cases.json").json(t)["tiles"].([]any)[0].(string); strings.Contains(plain, "filter") || strings.Contains(plain, "datetime") {
		t.Error(plain)
	}
}

// A filter tells nothing of collusion: neither of records of it, nor of the flag on
// others.
func TestTileFilterTellsNothingOfCollusion(t *testing.T) {
	s := start(t, "", false)
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", collusionCSV(12)); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	const tile = "/tiles/layers/mine/9/412/254.mvt?filter="
	for _, filter := range []string{"kind='int.collusion'", "kind LIKE 'int%'", "id LIKE 'SECRET%'"} {
		if a := s.get(tile + url.QueryEscape(filter)); a.status != 204 || a.header.Get("Sempadan-Features") != "" {
			t.Errorf("%s: %d %v", filter, a.status, a.header)
		}
	}
	for _, filter := range []string{"collusion_flag = TRUE", "collusion_flag IS NULL", "severity IS NULL AND NOT (collusion_flag = FALSE)"} {
		s.want(400, tile+url.QueryEscape(filter))
	}
	if got := s.drawn(tile + url.QueryEscape("kind <> 'x'")); !slices.Equal(got, []int{13}) {
		t.Errorf("%v", got)
	}
}
