package api_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// collusionCSV is n records of collusion round one post, and one other record
// there that carries the flag.
func collusionCSV(n int) string {
	var b strings.Builder
	b.WriteString("id,lat,lon,occurred_from,kind,collusion_flag,country\n")
	for i := range n {
		fmt.Fprintf(&b, "SECRET%d,1.0266,110.3633,2026-10-%02dT04:00:00Z,int.collusion,,ID\n", i, 1+i)
	}
	b.WriteString("OPEN,1.0267,110.3634,2026-10-05T04:00:00Z,irr.exit,true,ID\n")
	return b.String()
}

// What is on record of collusion reaches no tile, surface, score or answer
// about a place: with it and without it they are the same.
func TestCollusionNeverShows(t *testing.T) {
	plain := strings.NewReplacer(",true,", ",,").Replace(collusionCSV(0))
	paths := []string{
		"/tiles/density/9/412/254.png", "/tiles/hazard/9/412/254.png",
		"/tiles/density/value?lon=110.3633&lat=1.0266",
		"/v1/layers/mine/near?lon=110.3633&lat=1.0266&k=1", "/v1/layers/mine/within?lon=110.3633&lat=1.0266&radius_m=9000",
	}
	read := func(body string) (out []answer) {
		s := start(t, "", false)
		if a := s.put("/v1/layers/mine?kind=incident", "text/csv", body); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for _, p := range paths {
			out = append(out, s.want(200, p))
		}
		risk := s.want(200, "/v1/risk?lon=110.3633&lat=1.0266")
		tile := s.want(200, "/tiles/layers/mine/9/412/254.mvt")
		for _, a := range []answer{risk, tile, s.want(200, "/v1/gaps"), s.want(200, "/v1/sections"), s.want(200, "/tiles/layers/mine.json")} {
			if bytes.Contains(a.body, []byte("SECRET")) || bytes.Contains(a.body, []byte("collusion_flag")) || bytes.Contains(a.body, []byte("int.collusion\"")) {
				t.Errorf("an answer tells of collusion: %.300q", a.body)
			}
		}
		if !bytes.Contains(tile.body, []byte("OPEN")) {
			t.Error("the other record is not in the tile")
		}
		if a := s.get("/tiles/density.json?kinds=int.collusion"); a.status != 400 {
			t.Errorf("a surface of collusion: %d", a.status)
		}
		if a := s.do("PUT", "/v1/model", []byte(`{"kinds":["int.collusion"]}`), nil); a.status != 422 {
			t.Errorf("a model of collusion: %d %s", a.status, a.body)
		}
		return out
	}
	with, without := read(collusionCSV(12)), read(plain)
	for i, p := range paths {
		a, b := with[i].body, without[i].body
		if strings.Contains(p, "/near") || strings.Contains(p, "/within") { // the feature numbers differ
			a, b = bytes.ReplaceAll(a, []byte(`"fid":13`), []byte(`"fid":1`)), bytes.ReplaceAll(b, []byte(`"fid":13`), []byte(`"fid":1`))
		}
		if strings.Contains(p, "value") {
			a, b = []byte(fmt.Sprint(with[i].json(t)["value"])), []byte(fmt.Sprint(without[i].json(t)["value"]))
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs: %.300s\n%.300s", p, a, b)
		}
	}
}

// No built-in layer holds what is restricted.
func TestBuiltinHoldsNoCollusion(t *testing.T) {
	ls, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ls {
		for row := range l.Len() {
			if l.OfCollusion(row) || l.Value(row, "collusion_flag") != nil {
				t.Fatalf("%s row %d", l.Info.ID, row)
			}
		}
	}
}
