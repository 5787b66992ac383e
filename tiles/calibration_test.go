package tiles_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

func TestCalibrationChart(t *testing.T) {
	bands := []risk.ScoreBand{
		{Band: 1, Cells: 10, Expected: 0.5, Observed: 0, Low95: 0, High95: 3.7},
		{Band: 2, Cells: 10, Expected: 40, Observed: 80, Low95: 63.4, High95: 99.6},
	}
	for _, c := range []struct {
		lang tiles.Lang
		says []string
	}{
		{tiles.English, []string{"1 of 2 intervals hold the forecast", "Incidents observed 80 (63.4–99.6)"}},
		{tiles.Indonesian, []string{"1 dari 2 selang memuat prakiraan", "63,4–99,6"}},
		{tiles.Malay, []string{"1 daripada 2 selang memuat ramalan"}},
	} {
		svg := string(tiles.Calibration{Bands: bands, From: "2026-01-01", Until: "2026-06-30", Folds: 6, Lang: c.lang}.SVG())
		checkXML(t, svg)
		for _, want := range append(c.says, `role="img"`, `<title id="title">`, `lang="`+string(c.lang)+`"`) {
			if !strings.Contains(svg, want) {
				t.Errorf("%s: no %q in %s", c.lang, want, svg)
			}
		}
		if strings.Contains(svg, "%!") || strings.Contains(svg, "NaN") {
			t.Errorf("%s: %s", c.lang, svg)
		}
	}
	empty := string(tiles.Calibration{Lang: tiles.English}.SVG())
	checkXML(t, empty)
	if !strings.Contains(empty, "Not enough incidents") {
		t.Error(empty)
	}
}

func checkXML(t *testing.T, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
