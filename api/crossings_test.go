package api_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestCrossings(t *testing.T) {
	s := start(t, "", true)
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", collusionCSV(12)); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	const gate = "name,lat,lon,kind,country\nMy gate,1.0266,110.3633,plbn,ID\nMy path,1.3,110.4,jalan_tikus,MY\n"
	if a := s.put("/v1/layers/gates?kind=crossing", "text/csv", gate); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	doc := s.want(200, "/v1/crossings").json(t)
	if got := fmt.Sprint(doc["collusion_by_country"]); got != "[map[count:10-19 country:ID] map[count:suppressed country:MY]]" {
		t.Errorf("collusion: %s", got)
	}
	official, informal, mine := 0, 0, false
	for i, c := range doc["crossings"].([]any) {
		c := c.(map[string]any)
		if c["rank"] != float64(i+1) || c["geometry"] == nil {
			t.Fatalf("%v", c)
		}
		if c["official"].(bool) {
			official++
		} else {
			informal++
		}
		if c["layer"] == "informal_paths" && c["official"] == true {
			t.Errorf("an informal path is official: %v", c["name"])
		}
		if c["name"] == "My gate" {
			mine = c["official"] == true && c["incidents"].(map[string]any)["total"].(float64) >= 1
		}
		if n := c["incidents"].(map[string]any); n["total"].(float64) != n["refused_departures"].(float64)+n["document_fraud"].(float64)+n["other"].(float64) {
			t.Errorf("%v", n)
		}
	}
	if official < 42 || informal < 100 || !mine {
		t.Errorf("%d official, %d informal, mine %v", official, informal, mine)
	}
	for path, n := range map[string]int{"/v1/crossings?official=true": official, "/v1/crossings?official=false&format=geojson": informal, "/v1/crossings?limit=3": 3} {
		doc := s.want(200, path).json(t)
		list := doc["crossings"]
		if list == nil {
			list = doc["features"]
		}
		if len(list.([]any)) != n {
			t.Errorf("%s: %d, want %d", path, len(list.([]any)), n)
		}
	}
	for _, bad := range []string{"?official=maybe", "?format=csv", "?limit=0", "?radius=1"} {
		s.want(400, "/v1/crossings"+bad)
	}
	if bytes.Contains(s.want(200, "/v1/crossings").body, []byte("SECRET")) {
		t.Error("a record of collusion is named")
	}
}

func TestGapsDiff(t *testing.T) {
	s := start(t, "", true)
	records := "id,lat,lon,occurred_from,kind\n"
	for i := range 30 {
		records += fmt.Sprintf("N%d,1.0,110.4,2026-11-%02dT04:00:00Z,som.transport\n", i, 1+i%20)
	}
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", records); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	const path = "/v1/gaps/diff?from=2026-10-20&to=2026-11-21"
	doc := s.want(200, path).json(t)
	changes := doc["changes"].([]any)
	if n := doc["opened"].(float64) + doc["closed"].(float64) + doc["moved"].(float64); n != float64(len(changes)) || n == 0 {
		t.Fatalf("%g changes, %d listed", n, len(changes))
	}
	ranked := func(asOf string) map[string]float64 {
		out := map[string]float64{}
		for _, g := range s.want(200, "/v1/gaps?as_of="+asOf).json(t)["gaps"].([]any) {
			g := g.(map[string]any)
			out[g["section_id"].(string)] = g["rank"].(float64)
		}
		return out
	}
	before, after := ranked("2026-10-20"), ranked("2026-11-21")
	for _, c := range changes {
		c := c.(map[string]any)
		id := c["section_id"].(string)
		_, was := before[id]
		_, is := after[id]
		want := map[[2]bool]string{{false, true}: "opened", {true, false}: "closed", {true, true}: "moved"}[[2]bool{was, is}]
		if c["change"] != want {
			t.Errorf("%s: %v, want %s", id, c["change"], want)
		}
		if line := c["geometry"].(map[string]any); line["type"] != "LineString" || len(line["coordinates"].([]any)) < 2 {
			t.Errorf("%s: %v", id, line)
		}
		shift := c["residual_change"].(map[string]any)["mean"].(float64)
		if sum := c["because_of_incidents"].(float64) + c["because_of_coverage"].(float64); math.Abs(sum-shift) > 1e-9 {
			t.Errorf("%s: %g, by cause %g", id, shift, sum)
		}
	}
	reasons := map[string]bool{}
	for _, lang := range []string{"en", "id", "ms"} {
		rows, err := csv.NewReader(bytes.NewReader(s.want(200, path+"&format=csv&lang="+lang).body)).ReadAll()
		if err != nil || len(rows) != len(changes)+1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, name := range rows[0] {
			if name == "reason" {
				reasons[rows[1][i]] = true
				if lang == "ms" && strings.Contains(rows[1][i], "tingkat") || lang == "id" && strings.Contains(rows[1][i], "liputan") {
					t.Errorf("%s: %s", lang, rows[1][i])
				}
			}
		}
	}
	if len(reasons) != 3 {
		t.Errorf("%d reasons in three languages", len(reasons))
	}
	if back := s.want(200, "/v1/gaps/diff?from=2026-10-20").json(t); back["to"] == nil {
		t.Error("no later instant")
	}
	for _, bad := range []string{"", "?from=soon", "?from=2026-11-21&to=2026-10-20", "?from=2026-10-20&to=2026-10-20", "?from=2026-10-20&format=geojson",
		"?from=2026-10-20&lang=fr", "?from=2026-10-20&country=XX", "?from=2026-10-20&min_level=high"} {
		s.want(400, "/v1/gaps/diff"+bad)
	}
}
