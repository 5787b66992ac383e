package api_test

import (
	"strings"
	"testing"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/tiles"
)

// The mark of a report is in the foot of every page of the PDF; without one
// nothing is there.
func TestMarkOnPaper(t *testing.T) {
	g := report(t, tiles.English)
	g.Filter.Limit = 3
	plain := pdfText(t, render(t, g, api.GapsPDF))
	g.Mark = "Export x-abcdefghijklmnop for MY/MMEA, key 0a1b2c3d4e."
	text := pdfText(t, render(t, g, api.GapsPDF))
	pages := strings.Count(strings.TrimSuffix(text, "\f"), "\f") + 1
	if strings.Contains(plain, "Export x-") || strings.Count(text, g.Mark) != pages {
		t.Errorf("%d marks on %d pages", strings.Count(text, g.Mark), pages)
	}
}
