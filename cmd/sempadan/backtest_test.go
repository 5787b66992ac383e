package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo/risk"
)

// reference is one case of testdata/backtest/expected.json, made by the numpy
// implementation of the same definitions.
type reference struct {
	Name      string
	Args      []string
	Cells     int
	Dropped   int
	Incidents int
	PerFold   []int `json:"test_per_fold"`
	Bandwidth []float64
	Models    map[string]map[string]struct {
		HitRate float64    `json:"hit_rate"`
		CI      [2]float64 `json:"hit_ci"`
		PAI     float64
		PEI     *float64
	}
}

func TestBacktestAgreesWithTheReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/backtest/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []reference
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, want := range cases {
		t.Run(want.Name, func(t *testing.T) {
			args := []string{"backtest", "--json"}
			for _, a := range want.Args {
				if strings.HasSuffix(a, ".csv") || strings.HasSuffix(a, ".geojson") {
					a = filepath.Join("testdata/backtest", a)
				}
				args = append(args, a)
			}
			var got risk.Backtest
			if err := json.Unmarshal([]byte(must(t, args...)), &got); err != nil {
				t.Fatal(err)
			}
			if got.Cells != want.Cells || got.Dropped != want.Dropped || got.Incidents != want.Incidents {
				t.Errorf("%d cells, %d dropped of %d; want %d, %d of %d", got.Cells, got.Dropped, got.Incidents, want.Cells, want.Dropped, want.Incidents)
			}
			want.compare(t, &got)
		})
	}
}

func (want reference) compare(t *testing.T, got *risk.Backtest) {
	t.Helper()
	for k, fold := range got.Models[risk.ModelKDE].Folds {
		chosen := fold.Chosen.(map[string]any)["bandwidth"].(float64)
		if fold.N != want.PerFold[k] || math.Abs(chosen-want.Bandwidth[k]) > 1e-4 {
			t.Errorf("fold %d: %d incidents, bandwidth %g; want %d, %g", k, fold.N, chosen, want.PerFold[k], want.Bandwidth[k])
		}
	}
	for model, shares := range want.Models {
		for share, w := range shares {
			s, err := strconv.ParseFloat(share, 64)
			if err != nil {
				t.Fatal(err)
			}
			g := got.Models[model].Shares[risk.ShareName(s)]
			if math.Abs(*g.HitRate-w.HitRate) > 5.1e-5 || math.Abs(*g.PAI-w.PAI) > 5.1e-4 { // it rounds to 4 and 3 places
				t.Errorf("%s at %s: hit rate %g, PAI %g; want %g, %g", model, share, *g.HitRate, *g.PAI, w.HitRate, w.PAI)
			}
			if w.PEI != nil && math.Abs(*g.PEI-*w.PEI) > 5.1e-5 {
				t.Errorf("%s at %s: PEI %g; want %g", model, share, *g.PEI, *w.PEI)
			}
			for end := range g.CI95 { // other random numbers
				if math.Abs(g.CI95[end]-w.CI[end]) > 0.012 {
					t.Errorf("%s at %s: interval %v; want about %v", model, share, *g.CI95, w.CI)
				}
			}
		}
	}
}

func TestBacktestSaysWhatIsWrong(t *testing.T) {
	file := "testdata/backtest/incidents.csv"
	args := func(more ...string) []string {
		return append([]string{"backtest", "--incidents", file, "--from", "2025-03-01", "--folds", "2", "--horizon-days", "30"}, more...)
	}
	empty := write(t, "empty.csv", "date,lon,lat\n")
	nan := write(t, "nan.csv", "date,lon,lat\n2024-01-01,NaN,1\n")
	far := write(t, "far.csv", "date,lon,lat\n2024-01-01,1000,1\n")
	undated := write(t, "undated.csv", "date,lon,lat\nsoon,110,1\n")
	noArea := write(t, "area.geojson", `{"type":"FeatureCollection","features":[]}`)
	elsewhere := write(t, "elsewhere.geojson", `{"type":"Polygon","coordinates":[[[0,0],[0.001,0],[0,0.001],[0,0]]]}`)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"backtest"}, 2, "--incidents"},
		{args(), 2, "edge of a cell"},
		{args("--cell-m", "500", "--cell-deg", "0.1"), 2, "edge of a cell"},
		{args("--cell-m", "-5"), 2, "edge of a cell"},
		{args("--cell-m", "NaN"), 2, "edge of a cell"},
		{args("--cell-deg", "0.1", "--planar"), 2, "plane"},
		{args("--cell-m", "500", "--folds", "0"), 2, "0 folds"},
		{args("--cell-m", "500", "--horizon-days", "-1"), 2, "horizon"},
		{args("--cell-m", "500", "--train-days", "-1"), 2, "training"},
		{args("--cell-m", "500", "--ring", "-1"), 2, "ring"},
		{args("--cell-m", "500", "--from", "March"), 2, "--from"},
		{args("--cell-m", "500", "--step", "week"), 2, "--step"},
		{args("--cell-m", "500", "--kernel", "round"), 2, "--kernel"},
		{args("--cell-m", "500", "--bandwidth", "0"), 2, "bandwidth"},
		{args("--cell-m", "500", "--bandwidth", "wide"), 2, "bandwidth"},
		{args("--cell-m", "500", "--where", "category"), 2, "COLUMN=VALUE"},
		{args("--cell-m", "500", "--where", "colour=red"), 2, `no column "colour"`},
		{args("--cell-m", "500", "--x", "easting"), 2, `no column "easting"`},
		{args("--cell-m", "500", "--where", "category=air"), 1, "no dated places"},
		{args("--cell-m", "500", "--from", "2001-01-01"), 1, "nothing to learn from"},
		{args("--cell-m", "0.01"), 1, "larger cells"},
		{args("--cell-m", "500", "--area", noArea), 1, "no polygon"},
		{args("--cell-m", "500", "--area", elsewhere), 1, "no cell"},
		{args("--cell-m", "500", "--area", "/no/such/file"), 1, "no such file"},
		{args("--cell-m", "500", "--incidents", "/no/such/file"), 1, "no such file"},
		{args("--cell-m", "500", "--incidents", empty), 1, "no dated places"},
		{args("--cell-m", "500", "--incidents", nan), 1, "line 2"},
		{args("--cell-m", "500", "--incidents", far), 1, "longitude"},
		{args("--cell-m", "500", "--incidents", undated), 1, "line 2"},
	} {
		out, code := sempadan(t, c.args...)
		if code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%v: exit %d, %q; want %d and %q", c.args, code, out, c.code, c.says)
		}
	}
}

// Rows that --where leaves out are for sempadan alone to learn from, unless
// --only-where.
func TestBacktestLearnsFromOtherRows(t *testing.T) {
	args := []string{"backtest", "--json", "--incidents", "testdata/backtest/incidents.csv", "--from", "2025-03-01", "--folds", "3",
		"--horizon-days", "30", "--cell-m", "500", "--where", "category=land"}
	read := func(args ...string) (b risk.Backtest) {
		if err := json.Unmarshal([]byte(must(t, args...)), &b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	with, alone := read(args...), read(append(args, "--only-where")...)
	if with.Incidents != alone.Incidents || with.Judged != alone.Judged || with.Cells != alone.Cells {
		t.Errorf("%+v, and %+v", with, alone)
	}
	for _, m := range risk.BacktestModels() {
		if same := reflect.DeepEqual(with.Models[m], alone.Models[m]); same != (m != risk.ModelSempadan) {
			t.Errorf("%s: the same with --only-where and without: %t", m, same)
		}
	}
	if !strings.Contains(must(t, args...), "other kinds") || strings.Contains(must(t, append(args, "--only-where")...), "other kinds") {
		t.Error("the weights of other kinds are not as asked")
	}
}

// Folds without incidents judge nothing, and say so with nulls.
func TestBacktestWithoutIncidentsToJudge(t *testing.T) {
	args := []string{"backtest", "--incidents", "testdata/backtest/incidents.csv", "--from", "2030-01-01", "--folds", "2", "--horizon-days", "30", "--cell-m", "500"}
	if out := must(t, args...); !strings.Contains(out, "nothing to judge") {
		t.Error(out)
	}
	out := must(t, append(args, "--json")...)
	if !strings.Contains(out, `"hit_rate":null`) || strings.Contains(out, "NaN") {
		t.Error(out)
	}
}
