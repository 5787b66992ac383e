package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data/gpkg"
)

func (s *service) sign(section, body string) answer {
	s.t.Helper()
	return s.do("POST", "/v1/sections/"+section+"/level", []byte(body), map[string]string{"Content-Type": "application/json"})
}

func word(level, party string) string { return fmt.Sprintf(`{"level":%q,"party":%q}`, level, party) }

// levelOf is a section's level in short: level, status, in force, who signed.
func levelOf(m map[string]any) string {
	signed := ""
	for _, g := range m["level_signatures"].([]any) {
		g := g.(map[string]any)
		signed += fmt.Sprintf(" %s:%s", g["party"], g["level"])
	}
	return fmt.Sprintf("%v %v %v%s", m["level"], m["level_status"], m["level_in_force"], signed)
}

func (s *service) level(id string) string { return levelOf(s.want(200, "/v1/sections/"+id).json(s.t)) }

// One section's level by hand: proposed, contested, in force, contested anew,
// over a restart.
func TestTwoPartySignOff(t *testing.T) {
	s := start(t, "", true)
	const id = "L0003"
	proposal := s.want(200, "/v1/sections/"+id).json(t)["level_proposal"].(string)
	want := func(step, level string) {
		t.Helper()
		if got := s.level(id); got != level {
			t.Fatalf("%s: %s, want %s", step, got, level)
		}
	}
	want("at first", proposal+" proposed <nil>")
	first := s.sign(id, word("high", "ID"))
	if first.status != 200 || levelOf(first.json(t)) != proposal+" contested <nil> ID:high" {
		t.Fatalf("%d %.300s", first.status, first.body)
	}
	if again := s.sign(id, word("high", "ID")); !bytes.Equal(again.body, first.body) {
		t.Error("the same signature twice changes the answer")
	}
	s.sign(id, word("critical", "MY"))
	want("two levels", proposal+" contested <nil> ID:high MY:critical")
	s.sign(id, word("critical", "ID"))
	want("both", "critical in_force critical ID:critical MY:critical")

	s.stop()
	s = start(t, s.path, true)
	want("after a restart", "critical in_force critical ID:critical MY:critical")
	s.sign(id, word("low", "MY"))
	want("one wants another", "critical contested critical ID:critical MY:low")
	s.sign(id, word("critical", "MY"))
	want("and takes it back", "critical in_force critical ID:critical MY:critical")
	s.sign(id, word("low", "MY"))
	s.sign(id, word("low", "ID"))
	want("both another", "low in_force low ID:low MY:low")

	point := s.want(200, "/v1/sections/"+id).json(t)
	bounds := point["bounds"].([]any)
	lines := point["geometry"].(map[string]any)["coordinates"].([]any)
	mid := lines[len(lines)/2].([]any)
	here := s.want(200, fmt.Sprintf("/v1/risk?lon=%v&lat=%v", mid[0], mid[1])).json(t)
	if here["section_id"] == id && (here["level"] != "low" || here["level_status"] != "in_force") {
		t.Errorf("the place in it: %v %v (%v)", here["level"], here["level_status"], bounds)
	}
	// A year before, nothing was in force.
	past := s.want(200, "/v1/sections/"+id+"?as_of=2025-11-22").json(t)
	if past["level_in_force"] != nil || past["level_status"] != "proposed" {
		t.Errorf("a year before: %s", levelOf(past))
	}
}

func TestSignOffRefusals(t *testing.T) {
	s := start(t, "", true)
	for _, c := range []struct {
		section, body string
		status        int
		code          string
	}{
		{"L9999", word("high", "ID"), 404, "section_not_found"},
		{"L0001", word("extreme", "ID"), 422, "invalid_level"},
		{"L0001", word("high", "SG"), 422, "invalid_level"},
		{"L0001", word("", ""), 422, "invalid_level"},
		{"L0001", `{"level":"high"}`, 422, "invalid_level"},
		{"L0001", `{"level":"high","party":"ID","on_behalf":"x"}`, 400, "invalid_body"},
		{"L0001", `{"level":3,"party":"ID"}`, 400, "invalid_body"},
		{"L0001", `not json`, 400, "invalid_body"},
		{"L0001", ``, 400, "invalid_body"},
		{"L0001", `[]`, 400, "invalid_body"},
	} {
		a := s.sign(c.section, c.body)
		if a.status != c.status || a.json(t)["code"] != c.code {
			t.Errorf("%s %s: %d %.200s, want %d %s", c.section, c.body, a.status, a.body, c.status, c.code)
		}
	}
	if a := s.do("POST", "/v1/sections/L0001/level", []byte(word("high", "ID")), map[string]string{"Origin": "http://elsewhere.example"}); a.status != 403 {
		t.Errorf("from another site: %d", a.status)
	}
	if a := s.want(405, "/v1/sections/L0001/level"); a.header.Get("Allow") == "" {
		t.Error("no Allow")
	}
	for _, sec := range s.want(200, "/v1/sections").json(t)["sections"].([]any) {
		if m := sec.(map[string]any); len(m["level_signatures"].([]any)) != 0 {
			t.Fatalf("a refused signature stayed: %v", m["level_signatures"])
		}
	}
}

// Signatures from many sides at once: none is lost, every section ends as its
// last word per party says, and a restart tells the same.
func TestConcurrentSignOff(t *testing.T) {
	const seed = 7
	s := start(t, "", true)
	levels := []string{"low", "medium", "high", "critical"}
	var wg sync.WaitGroup
	final := make([]map[string]string, 8) // by worker: the last level of each party in its section
	for worker := range final {
		final[worker] = map[string]string{}
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range 12 {
				party, level := []string{"ID", "MY"}[r.IntN(2)], levels[r.IntN(4)]
				if a := s.sign(fmt.Sprintf("L%04d", worker+1), word(level, party)); a.status != 200 {
					t.Errorf("%d %s", a.status, a.body)
				}
				final[worker][party] = level
			}
		})
	}
	wg.Wait()
	check := func(when string) {
		for worker, last := range final {
			m := s.want(200, fmt.Sprintf("/v1/sections/L%04d", worker+1)).json(t)
			for _, g := range m["level_signatures"].([]any) {
				g := g.(map[string]any)
				if last[g["party"].(string)] != g["level"] {
					t.Errorf("seed %d %s: %v, want %v", seed, when, levelOf(m), last)
				}
			}
			if len(m["level_signatures"].([]any)) != len(last) {
				t.Errorf("seed %d %s: %v, want %v", seed, when, levelOf(m), last)
			}
			if last["ID"] != "" && last["ID"] == last["MY"] && (m["level"] != last["ID"] || m["level_in_force"] != last["ID"]) {
				t.Errorf("seed %d %s: %v, want %v in force", seed, when, levelOf(m), last)
			}
		}
	}
	check("then")
	s.stop()
	s = start(t, s.path, true)
	check("after a restart")
}

// A proposal that changes after both signed makes the level contested, until
// both sign again; signing the old level again settles it, too.
func TestNewProposalIsContested(t *testing.T) {
	s := start(t, "", false)
	const line = `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":[[110,1],[110.4,1]]},"properties":{"countries":"IDN-MYS"}}]}`
	if a := s.put("/v1/layers/line?kind=boundary", "application/geo+json", line); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	const id = "L0002"
	if got := s.level(id); got != "low proposed <nil>" {
		t.Fatal(got)
	}
	s.sign(id, word("low", "ID"))
	s.sign(id, word("low", "MY"))
	records := "id,lat,lon,occurred_from,kind\n"
	for i := range 20 {
		records += fmt.Sprintf("R%d,1,110.15,2026-11-%02dT04:00:00Z,tip.child\n", i, 1+i)
	}
	for i := range 4 {
		records += fmt.Sprintf("S%d,1,110.25,2026-11-%02dT04:00:00Z,irr.exit\n", i, 1+i)
	}
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", records); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	sec := s.want(200, "/v1/sections/"+id).json(t)
	if sec["level_proposal"] == "low" || levelOf(sec) != "low contested low ID:low MY:low" {
		t.Fatalf("%v, proposal %v, index %v", levelOf(sec), sec["level_proposal"], sec["index"])
	}
	s.sign(id, word("low", "ID"))
	if got := s.level(id); got != "low contested low ID:low MY:low" {
		t.Errorf("one confirms: %s", got)
	}
	s.sign(id, word("low", "MY"))
	if got := s.level(id); got != "low in_force low ID:low MY:low" {
		t.Errorf("both confirm: %s", got)
	}
}

// The report shows levels in all its forms, filters by them, and lists what
// they ask for in three languages.
func TestGapReportShowsLevels(t *testing.T) {
	s := start(t, "", true)
	id := s.want(200, "/v1/gaps?limit=1").json(t)["gaps"].([]any)[0].(map[string]any)["section_id"].(string)
	s.sign(id, word("critical", "ID"))
	s.sign(id, word("critical", "MY"))
	only := s.want(200, "/v1/gaps?min_level=critical").json(t)
	gaps := only["gaps"].([]any)
	if len(gaps) != 1 || levelOf(gaps[0].(map[string]any)) != "critical in_force critical ID:critical MY:critical" {
		t.Fatalf("%v", gaps)
	}
	rows, err := csv.NewReader(bytes.NewReader(s.want(200, "/v1/gaps?format=csv&min_level=critical").body)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v %v", rows, err)
	}
	cells := map[string]string{}
	for i, name := range rows[0] {
		cells[name] = rows[1][i]
	}
	if cells["level"] != "critical" || cells["level_status"] != "in_force" || cells["level_in_force"] != "critical" || cells["level_proposal"] == "" ||
		cells["level_signatures"] != "ID critical 2026-11-22T10:00:00Z; MY critical 2026-11-22T10:00:00Z" || cells["response"] == "" {
		t.Errorf("%v", cells)
	}
	for _, path := range []string{"/v1/gaps?format=geojson&min_level=critical", "/v1/sections?format=geojson"} {
		found := false
		for _, f := range s.want(200, path).json(t)["features"].([]any) {
			f := f.(map[string]any)
			if f["id"] == id {
				found = levelOf(f["properties"].(map[string]any)) == "critical in_force critical ID:critical MY:critical" && f["geometry"] != nil
			}
		}
		if !found {
			t.Errorf("%s does not show it", path)
		}
	}
	texts := map[string]bool{}
	for _, lang := range []string{"en", "id", "ms"} {
		report := s.want(200, "/v1/gaps?lang="+lang).json(t)
		table := report["responses"].([]any)
		if len(table) != 4 || table[3].(map[string]any)["level"] != "critical" {
			t.Fatalf("%v", table)
		}
		texts[table[3].(map[string]any)["response"].(string)] = true
		notes := fmt.Sprint(report["annex"].(map[string]any)["notes"])
		texts[notes] = true
		for _, bad := range map[string][]string{"id": {"mangsa", "rondaan", "liputan"}, "ms": {"korban", "patroli", "cakupan", "tingkat"}}[lang] {
			if strings.Contains(strings.ToLower(notes+fmt.Sprint(table)), bad) {
				t.Errorf("%s has the word %s", lang, bad)
			}
		}
	}
	if len(texts) != 6 {
		t.Errorf("%d different texts in three languages, want 6", len(texts))
	}
}

// What cannot be read is not lost by starting: only a signature writes over it.
func TestUnreadableLevels(t *testing.T) {
	s := start(t, "", true)
	s.stop()
	put := func(value string) {
		store, err := gpkg.Open(t.Context(), s.path, gpkg.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		if value != "" {
			if err := store.SetSetting(t.Context(), "section_levels", json.RawMessage(value)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := api.LoadLevels(t.Context(), store); (err == nil) != (value == "") {
			t.Errorf("levels %q: %v", value, err)
		}
	}
	put(`{"a":7}`)
	s = start(t, s.path, true)
	if got := s.want(200, "/v1/sections/L0001").json(t)["level_status"]; got != "proposed" {
		t.Error(got)
	}
	s.stop()
	put(`{"a":8}`) // still unreadable when opened: starting wrote nothing
	s = start(t, s.path, true)
	s.sign("L0001", word("low", "ID"))
	s.stop()
	put("")
}

// A level falls only when two days in a row say so, and a restart between
// them is no review and forgets none.
func TestProposalFallsOverRestarts(t *testing.T) {
	s := start(t, "", false)
	s.model(t, `{"hazard":{"correction":"none"}}`) // neighbours stay as they are
	const line = `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":[[110,1],[110.4,1]]},"properties":{"countries":"IDN-MYS"}}]}`
	if a := s.put("/v1/layers/line?kind=boundary", "application/geo+json", line); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	upload := func(lon string, day int) {
		t.Helper()
		body := "id,lat,lon,occurred_from,kind\n"
		for i := range 20 {
			body += fmt.Sprintf("R%d,1,%s,2026-11-%02dT04:%02d:00Z,tip.child\n", i, lon, day, i)
		}
		for i := range 4 {
			body += fmt.Sprintf("S%d,1,110.25,2026-11-%02dT04:00:00Z,irr.exit\n", i, day)
		}
		if a := s.put("/v1/layers/mine?kind=incident", "text/csv", body); a.status/100 != 2 {
			t.Fatalf("%s", a.body)
		}
	}
	want := func(step, proposal, byIndex string) {
		t.Helper()
		sec := s.want(200, "/v1/sections/L0002").json(t)
		if sec["level_proposal"] != proposal || sec["level_by_index"] != byIndex {
			t.Fatalf("%s: proposed %v, by index %v (%v); want %s, %s", step, sec["level_proposal"], sec["level_by_index"], sec["index"], proposal, byIndex)
		}
	}
	restart := func() { s.stop(); s = start(t, s.path, false) }
	upload("110.15", 10)
	want("busy", "critical", "high") // twenty in 30 days, none before
	upload("110.38", 11)
	want("quiet for a day", "critical", "low")
	restart()
	want("a restart is no review", "critical", "low")
	upload("110.38", 11)
	want("the same day again", "critical", "low")
	restart()
	upload("110.38", 12)
	want("quiet for two", "low", "low")
}
