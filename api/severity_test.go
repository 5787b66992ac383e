package api_test

import (
	"math"
	"strings"
	"testing"
)

// Every incident is a trafficked child: by severity each counts ten, in every
// number of the density, and by the same factor in the hazard and its scale.
func TestSeverityOnRequest(t *testing.T) {
	s := start(t, "", false)
	body := strings.ReplaceAll(incidentsCSV(200), "irr.exit", "tip.child")
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", body); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	value := func(surface, query string) float64 {
		return s.want(200, "/tiles/"+surface+"/value?lon=110.35&lat=1.05"+query).json(t)["value"].(float64)
	}
	for _, surface := range []string{"density", "hazard"} {
		one, weighted := value(surface, ""), value(surface, "&severity=true")
		if surface == "density" && math.Abs(weighted-10*one) > 1e-9*weighted {
			t.Errorf("%s %g by severity, %g without: want ten times", surface, weighted, one)
		}
		if !(weighted > 5*one) {
			t.Errorf("%s %g by severity, %g without", surface, weighted, one)
		}
		if same := value(surface, "&severity=false"); same != one {
			t.Errorf("%s %g unweighted, %g as in the model", surface, same, one)
		}
	}
	plain, weighted := s.want(200, "/tiles/density/legend.json").json(t), s.want(200, "/tiles/density/legend.json?severity=true").json(t)
	if !(weighted["max"].(float64) > plain["max"].(float64)) || !strings.Contains(weighted["unit"].(string), "severity") || strings.Contains(plain["unit"].(string), "severity") {
		t.Errorf("legends %v %v to %v, by severity %v to %v", plain["unit"], plain["min"], plain["max"], weighted["unit"], weighted["max"])
	}
	a, b := s.want(200, "/tiles/density/10/825/508.png"), s.want(200, "/tiles/density/10/825/508.png?severity=true")
	if len(a.body) == 0 || len(b.body) == 0 {
		t.Error("an empty tile")
	}
	s.want(400, "/tiles/density/10/825/508.png?severity=much")
	s.want(200, "/v1/risk?lon=110.35&lat=1.05&severity=true")
	s.want(200, "/v1/gaps?severity=true")
	s.want(400, "/v1/layers?severity=true")
}
