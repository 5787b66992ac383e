package api_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data"
)

// three are incidents of three places; the third has no id of its own.
const three = `{"type":"FeatureCollection","features":[
 {"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[110.1,1.1]},"properties":{"kind":"irr.exit","severity":2,"occurred_from":"2026-05-01T02:00:00Z"}},
 {"type":"Feature","id":"b","geometry":{"type":"Point","coordinates":[110.2,1.2]},"properties":{"kind":"irr.exit","severity":3,"occurred_from":"2026-05-02T02:00:00Z","valid_until":"2026-11-20"}},
 {"type":"Feature","geometry":{"type":"Point","coordinates":[110.3,1.3]},"properties":{"kind":"irr.entry","severity":4,"occurred_from":"2026-05-03T02:00:00Z"}}]}`

func (s *service) putGeoJSON(want int, url, body string) map[string]any {
	s.t.Helper()
	a := s.do("PUT", url, []byte(body), map[string]string{"Content-Type": "application/geo+json"})
	if a.status != want {
		s.t.Fatalf("PUT %s: %d %s", url, a.status, a.body)
	}
	return a.json(s.t)
}

func counts(v any) string {
	d := v.(map[string]any)
	return fmt.Sprint(d["added"], d["changed"], d["removed"], d["unchanged"])
}

// TestDryRun tells what each mode would do, with the rows, and stores nothing.
func TestDryRun(t *testing.T) {
	s := start(t, "", false)
	s.putGeoJSON(201, "/v1/layers/inc?kind=incident", three)
	change := strings.NewReplacer(`"severity":2`, `"severity":5`, `"id":"b"`, `"id":"new"`).Replace(three)
	for mode, want := range map[string]string{"replace": "1 1 1 1", "append": "3 0 0 3", "upsert": "2 1 0 2"} {
		report := s.putGeoJSON(200, "/v1/layers/inc?dry_run=true&mode="+mode, change)
		diff := report["diff"].(map[string]any)
		if counts(diff) != want || report["dry_run"] != true {
			t.Errorf("%s: %s, want %s", mode, counts(diff), want)
		}
		for _, r := range diff["rows"].([]any) {
			row := r.(map[string]any)
			if row["change"] == "changed" {
				before, after := row["before"].(map[string]any), row["feature"].(map[string]any)
				if fmt.Sprint(row["fields"]) != "[severity]" || before["properties"].(map[string]any)["severity"] != 2.0 ||
					after["properties"].(map[string]any)["severity"] != 5.0 || after["geometry"] == nil || row["id"] != "a" {
					t.Errorf("%s: %v", mode, row)
				}
			}
		}
	}
	if v := s.want(200, "/v1/layers/inc").json(t)["version"]; v != 1.0 {
		t.Errorf("a dry run made version %v", v)
	}
}

// TestCorrect changes one record, sees it in the next version, and refuses
// what an upload would be refused for.
func TestCorrect(t *testing.T) {
	s := start(t, "", false)
	s.putGeoJSON(201, "/v1/layers/inc?kind=incident", three)
	patch := func(path, body string, header ...string) answer {
		h := map[string]string{"Content-Type": "application/json"}
		if len(header) == 2 {
			h[header[0]] = header[1]
		}
		return s.do("PATCH", "/v1/layers/inc/features/"+path, []byte(body), h)
	}
	for _, test := range []struct {
		path, body string
		status     int
		code       string
	}{
		{"a", `{"properties":{"severity":4}}`, 400, "no_reason"},
		{"a", `{"properties":{"severity":4},"reason":"call Ali at +60123456789"}`, 400, "forbidden_reason"},
		{"a", `{"reason":"nothing"}`, 400, "empty_correction"},
		{"a", `{"properties":{"severity":9},"reason":"too much"}`, 422, ""},
		{"a", `{"properties":{"passport_no":"A1234567"},"reason":"must not be kept"}`, 422, ""},
		{"a", `{"geometry":{"type":"Point","coordinates":[1.1,110.1]},"reason":"swapped"}`, 422, ""},
		{"none", `{"properties":{"severity":4},"reason":"x"}`, 404, "feature_not_found"},
		{"fid:9", `{"properties":{"severity":4},"reason":"x"}`, 404, "feature_not_found"},
	} {
		a := patch(test.path, test.body)
		if a.status != test.status || test.code != "" && a.json(t)["code"] != test.code {
			t.Errorf("%s %s: %d %s", test.path, test.body, a.status, a.body)
		}
	}
	if a := patch("a", `{"properties":{"severity":5},"reason":"by hand"}`, "If-Match", `"7"`); a.status != 412 {
		t.Errorf("If-Match: %d", a.status)
	}
	if a := s.do("PATCH", "/v1/layers/inc/features/a?dry_run=true", []byte(`{"properties":{"severity":5},"reason":"by hand"}`), nil); a.status != 200 || counts(a.json(t)["diff"]) != "0 1 0 2" {
		t.Errorf("dry run: %d %s", a.status, a.body)
	}
	if a := patch("a", `{"properties":{"severity":5},"reason":"by hand"}`, "If-Match", `"7", "8-x"`); a.status != 412 {
		t.Errorf("If-Match of a list: %d", a.status)
	}
	if a := patch("a", `{"geometry":{"type":"Point","coordinates":[110.15,1.15]},"properties":{"severity":5,"medium":"sea"},"reason":"by hand"}`, "If-Match", `"7", "1"`); a.status != 200 || a.json(t)["version"] != 2.0 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := patch("fid:3", `{"properties":{"severity":null},"reason":"not known"}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	one := s.want(200, "/v1/layers/inc/features/a").json(t)
	p := one["properties"].(map[string]any)
	if p["severity"] != 5.0 || p["occurred_from"] != "2026-05-01T02:00:00Z" || p["kind"] != "irr.exit" || fmt.Sprint(one["geometry"].(map[string]any)["coordinates"]) != "[110.15 1.15]" {
		t.Errorf("%v", one)
	}
	if third := s.want(200, "/v1/layers/inc/features/3").json(t); third["id"] != 3.0 || third["properties"].(map[string]any)["severity"] != nil {
		t.Errorf("%v", third)
	}
	versions := s.want(200, "/v1/layers/inc/versions").json(t)["versions"].([]any)
	origin := versions[1].(map[string]any)["provenance"].(map[string]any)
	if len(versions) != 3 || origin["action"] != "correct" || origin["reason"] != "by hand" {
		t.Errorf("%v", versions)
	}
	if first := versions[2].(map[string]any)["provenance"].(map[string]any); first["format"] != "geojson" || first["sha256"] == "" {
		t.Errorf("%v", first)
	}
	if d := s.want(200, "/v1/layers/inc/versions/2/diff").json(t); counts(d) != "0 1 0 2" || d["from"] != 1.0 {
		t.Errorf("%v", d)
	}
	if d := s.want(200, "/v1/layers/inc/versions/1/diff?from=3").json(t); counts(d) != "0 2 0 1" {
		t.Errorf("%v", d)
	}
	if d := s.want(200, "/v1/layers/inc/versions/1/diff").json(t); counts(d) != "3 0 0 0" {
		t.Errorf("%v", d)
	}
	s.want(404, "/v1/layers/inc/versions/9/diff")
	s.putGeoJSON(200, "/v1/layers/inc?mode=append", three)
	if a := patch("a", `{"properties":{"severity":1},"reason":"which?"}`); a.status != 409 || a.json(t)["code"] != "feature_ambiguous" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestWithdrawAndErase: a withdrawn record is in the history, an erased one in
// no file.
func TestWithdrawAndErase(t *testing.T) {
	s := start(t, "", false)
	s.putGeoJSON(201, "/v1/layers/inc?kind=incident", strings.ReplaceAll(three, `"id":"b"`, `"id":"subject-31415"`))
	del := func(want int, path string) map[string]any {
		t.Helper()
		a := s.do("DELETE", "/v1/layers/inc/features/"+path, nil, nil)
		if a.status != want {
			t.Fatalf("DELETE %s: %d %s", path, a.status, a.body)
		}
		return a.json(t)
	}
	del(400, "a")
	del(404, "z?reason=x")
	if got := del(200, "a?reason=entered+twice"); got["version"] != 2.0 {
		t.Error(got)
	}
	s.want(404, "/v1/layers/inc/features/a")
	if d := s.want(200, "/v1/layers/inc/versions/2/diff").json(t); counts(d) != "0 0 1 2" {
		t.Errorf("%v", d)
	}
	s.putGeoJSON(200, "/v1/layers/inc?kind=incident&mode=replace", strings.ReplaceAll(three, `"id":"b"`, `"id":"subject-31415"`))
	if got := del(200, "subject-31415?erase=true&reason=asked+for"); got["erased"] != 2.0 || got["version"] != 4.0 {
		t.Error(got)
	}
	files, _ := filepath.Glob(s.path + "*")
	for _, file := range files {
		if b, err := os.ReadFile(file); err != nil || strings.Contains(string(b), "subject-31415") {
			t.Errorf("%s still has it (%v)", file, err)
		}
	}
	if list := s.want(200, "/v1/retention").json(t)["erasures"].([]any); len(list) != 1 || list[0].(map[string]any)["rows"] != 2.0 {
		t.Errorf("%v", list)
	}
	if l := s.want(200, "/v1/layers/inc").json(t); l["features"] != 2.0 {
		t.Errorf("%v", l["features"])
	}
}

// TestSweep erases what valid_until and the class say is over, by the clock.
func TestSweep(t *testing.T) {
	s := startWith(t, "", false, func(o *api.Options) {
		o.Keeping = api.Keeping{Retention: data.Retention{"internal": 204}, History: 24 * time.Hour}
	})
	// clock is 2026-11-22: b's valid_until was the 20th, a happened 205 days before.
	s.putGeoJSON(201, "/v1/layers/inc?kind=incident", three)
	// Of the history only: what this says is over, too.
	s.putGeoJSON(201, "/v1/layers/old?kind=incident", strings.ReplaceAll(three, `"id":"b"`, `"id":"subject-2718"`))
	s.putGeoJSON(200, "/v1/layers/old?kind=incident", strings.ReplaceAll(strings.ReplaceAll(three, "2026-05-0", "2026-06-0"), "2026-11-20", "2027-11-20"))
	s.server.Sweep(t.Context())
	s.server.Sweep(t.Context())
	files, _ := filepath.Glob(s.path + "*")
	for _, file := range files {
		if b, err := os.ReadFile(file); err != nil || strings.Contains(string(b), "subject-2718") {
			t.Errorf("%s still has it (%v)", file, err)
		}
	}
	if l := s.want(200, "/v1/layers/old").json(t); l["features"] != 3.0 {
		t.Errorf("%v", l["features"])
	}
	got := s.want(200, "/v1/layers/inc/features").json(t)["features"].([]any)
	if len(got) != 1 || got[0].(map[string]any)["id"] != 3.0 {
		t.Errorf("left: %v", got)
	}
	got = s.want(200, "/v1/retention").json(t)["erasures"].([]any)
	if fmt.Sprint(got[0].(map[string]any)["rows"], got[1].(map[string]any)["rows"], len(got)) != "2 2 2" {
		t.Errorf("%v", got)
	}
}

// startJob uploads without waiting and returns the job as it ended.
func (s *service) startJob(url, body string) map[string]any {
	s.t.Helper()
	a := s.do("PUT", url, []byte(body), map[string]string{"Content-Type": "application/geo+json", "Prefer": "respond-async"})
	if a.status != 202 || a.header.Get("Location") == "" {
		s.t.Fatalf("%d %s", a.status, a.body)
	}
	for range 3000 {
		j := s.want(200, a.header.Get("Location")).json(s.t)
		if st := j["status"]; st != "accepted" && st != "running" {
			return j
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatal("the job does not end")
	return nil
}

func TestJobs(t *testing.T) {
	s := start(t, "", false)
	j := s.startJob("/v1/layers/inc?kind=incident", three)
	if j["status"] != "done" || j["progress"] != 1.0 || j["result"].(map[string]any)["accepted"] != 3.0 {
		t.Fatalf("%v", j)
	}
	bad := s.startJob("/v1/layers/bad", `{"type":`)
	if bad["status"] != "failed" || bad["problem"].(map[string]any)["status"].(float64) >= 500 {
		t.Errorf("%v", bad)
	}
	s.want(404, "/v1/layers/bad")
	if list := s.want(200, "/v1/jobs").json(t)["jobs"].([]any); len(list) != 2 || list[0].(map[string]any)["id"] != bad["id"] {
		t.Errorf("%v", list)
	}
	if a := s.want(200, "/v1/jobs/"+j["id"].(string)+"/events"); !strings.HasPrefix(string(a.body), "data: {") || !strings.Contains(string(a.body), `"done"`) {
		t.Errorf("%s", a.body)
	}
	if a := s.do("DELETE", "/v1/jobs/"+j["id"].(string), nil, nil); a.status != http.StatusNoContent {
		t.Errorf("%d", a.status)
	}
	s.want(404, "/v1/jobs/"+j["id"].(string))
}

// TestCancelJob: a cancelled upload leaves nothing.
func TestCancelJob(t *testing.T) {
	s := start(t, "", false)
	var b strings.Builder
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range 60_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"Feature","geometry":{"type":"Point","coordinates":[110.%d,1.5]},"properties":{"n":%d}}`, i, i)
	}
	b.WriteString(`]}`)
	a := s.do("PUT", "/v1/layers/big", []byte(b.String()), map[string]string{"Content-Type": "application/geo+json", "Prefer": "respond-async"})
	if a.status != 202 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	end := s.do("DELETE", a.header.Get("Location"), nil, nil)
	if end.status != 200 || end.json(t)["status"] != "cancelled" {
		t.Fatalf("%d %s", end.status, end.body)
	}
	s.want(404, "/v1/layers/big")
	if list := s.want(200, "/v1/layers").json(t)["layers"].([]any); len(list) != 0 {
		t.Errorf("%v", list)
	}
}

// TestLiveFeed: positions appended in a small batch are in the coverage when
// the answer comes, and once however often they are sent.
func TestLiveFeed(t *testing.T) {
	s := start(t, "", true)
	const head = "track_id,time,lon,lat,agency,country,mode\n"
	fixes := func(id string, lat float64) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range 30 {
			fmt.Fprintf(&b, "%s,2026-11-22T08:%02d:00Z,%.4f,%.4f,APMM,MY,foot\n", id, i, 110.40+float64(i)/2000, lat)
		}
		return b.String()
	}
	value := func(lat float64) float64 {
		v, _ := s.want(200, fmt.Sprintf("/tiles/coverage/value?lon=110.407&lat=%.3f", lat)).json(t)["value"].(float64)
		return v
	}
	send := func(id string, lat float64, key string) answer {
		return s.do("PUT", "/v1/layers/feed?kind=patrol_track&mode=append", []byte(fixes(id, lat)),
			map[string]string{"Content-Type": "text/csv", "Idempotency-Key": key})
	}
	for i, lat := range []float64{1.10, 1.16, 1.22} {
		before := value(lat)
		key := fmt.Sprint("batch-", i)
		if a := send(key, lat, key); a.status >= 300 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		after := value(lat)
		if !(after > before) {
			t.Errorf("batch %d: coverage went from %g to %g", i, before, after)
		}
		if a := send(key, lat, key); a.status >= 300 || a.header.Get("Idempotent-Replay") != "true" {
			t.Errorf("sent again: %d", a.status)
		}
		if l := s.want(200, "/v1/layers/feed").json(t); l["features"] != float64(i+1) {
			t.Errorf("%v features after batch %d", l["features"], i)
		}
	}
}

// TestAssessLater: layers are served and taken before the first assessment is
// made, and what asks for one sees all that was acknowledged.
func TestAssessLater(t *testing.T) {
	s := startWith(t, "", true, func(o *api.Options) { o.AssessLater = true })
	s.want(200, "/readyz")
	s.want(200, "/v1/layers/places")
	for i := range 3 {
		if a := s.put(fmt.Sprint("/v1/layers/inc", i, "?kind=incident"), "text/csv", incidentsCSV(100)); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	later := s.want(200, "/tiles/density/value?lon=110.304&lat=1.05").json(t)["value"].(float64)
	s.stop()
	at := start(t, s.path, true) // the same layers, assessed at once
	want := at.want(200, "/tiles/density/value?lon=110.304&lat=1.05").json(t)["value"].(float64)
	if !(later > 0) || later < want*(1-1e-9) || later > want*(1+1e-9) {
		t.Errorf("density %g, want %g", later, want)
	}
}
