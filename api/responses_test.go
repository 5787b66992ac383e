package api_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
)

// The table of responses is part of the model: set in parts, shown with the
// section, the signature and every form of the report, and there after a
// restart.
func TestResponsesComeFromTheModel(t *testing.T) {
	s := start(t, "", true)
	id := s.want(200, "/v1/gaps?limit=1").json(t)["gaps"].([]any)[0].(map[string]any)["section_id"].(string)
	before := s.want(200, "/v1/sections/"+id).json(t)
	if before["responses_model"] != "default-1" || before["responses_agreed_in"] != "" || len(before["responses"].([]any)) != 4 || before["response"] == "" {
		t.Fatalf("at first: %v", before)
	}
	m := s.model(t, `{"responses":{"agreed_in":"=Meeting 7","critical":{"en":"Call both duty officers","id":"Hubungi kedua perwira jaga","ms":"Hubungi kedua-dua pegawai bertugas"}}}`)
	version := m["version"].(string)
	table := m["responses"].(map[string]any)
	if version == "default-1" || table["low"].(map[string]any)["en"] != "Routine control guided by risk analysis; reserves kept ready" {
		t.Fatalf("%v", m)
	}
	check := func() {
		t.Helper()
		for lang, text := range map[string]string{"en": "Call both duty officers", "id": "Hubungi kedua perwira jaga", "ms": "Hubungi kedua-dua pegawai bertugas"} {
			for _, body := range []map[string]any{
				s.want(200, "/v1/sections/"+id+"?lang="+lang).json(t),
				s.do("POST", "/v1/sections/"+id+"/level?lang="+lang, []byte(word("critical", "ID")), nil).json(t),
			} {
				if body["response"] != text || body["responses_model"] != version || body["responses_agreed_in"] != "=Meeting 7" || body["responses"].([]any)[3].(map[string]any)["response"] != text {
					t.Errorf("%s: %v, %v, %v", lang, body["response"], body["responses_model"], body["responses"])
				}
			}
			for _, form := range []string{"json", "geojson"} {
				body := s.want(200, "/v1/gaps?min_level=critical&lang="+lang+"&format="+form)
				whole := body.json(t) // the text is there for the gap and in the table
				if whole["responses_model"] != version || whole["responses_agreed_in"] != "=Meeting 7" || strings.Count(string(body.body), `"response":"`+text+`"`) != 2 {
					t.Errorf("%s %s: %.300s", lang, form, body.body)
				}
			}
		}
	}
	s.sign(id, word("critical", "ID"))
	s.sign(id, word("critical", "MY"))
	check()
	rows, err := csv.NewReader(bytes.NewReader(s.want(200, "/v1/gaps?format=csv&min_level=critical").body)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v %v", rows, err)
	}
	cells := map[string]string{}
	for i, name := range rows[0] {
		cells[name] = rows[1][i]
	}
	if cells["response"] != "Call both duty officers" || cells["responses_model"] != version || cells["responses_agreed_in"] != "'=Meeting 7" {
		t.Errorf("%v", cells)
	}
	s.stop()
	s = start(t, s.path, true)
	check()

	for change, says := range map[string]string{
		`{"responses":{"high":{"ms":""}}}`:                "responses.high.ms is empty: write what the level asks for",
		`{"responses":{"high":{"id":"a mangsa b"}}}`:      "write korban",
		`{"responses":{"high":{"en":"a\nb"}}}`:            "write one line of text",
		`{"responses":{"extreme":{"en":"a"}}}`:            "extreme",
		`{"responses":{"high":"call"}}`:                   "",
		`{"responses":{"high":{"en":"a","fr":"b"}}}`:      "fr",
		`{"responses":{"agreed_in":["a","b"]}}`:           "",
		`{"responses":[{"level":"high","response":"a"}]}`: "",
	} {
		a := s.do("PUT", "/v1/model", []byte(change), nil)
		if a.status != 400 && a.status != 422 || !strings.Contains(string(a.body), says) {
			t.Errorf("%s: %d %s", change, a.status, a.body)
		}
	}
	check()
	s.want(400, "/v1/sections/"+id+"?lang=fr")
}
