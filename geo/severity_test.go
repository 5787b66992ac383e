package geo

import (
	"regexp"
	"testing"
)

func TestSeverityTable(t *testing.T) {
	table := DefaultSeverityTable()
	for _, c := range []struct {
		kind     string
		weight   float64
		severity int
	}{
		{"tip.child", 10, 5}, {"mar.distress_sinking", 10, 5}, {"tip.presumed", 8, 4},
		{"lab.forced", 6, 4}, {"som.transport", 4, 3}, {"doc.forged", 2, 2}, {"irr.exit", 1, 2},
		{"res.rescue", 1, 2}, {"obs.new_path", 0.3, 1}, {"no.such_kind", 1, 2}, {"", 1, 2},
		{"agg.statistic", 0, 1},
	} {
		if w, s := table.Weight(c.kind), table.Severity(c.kind); w != c.weight || s != c.severity {
			t.Errorf("%q: weight %g, severity %d; want %g, %d", c.kind, w, s, c.weight, c.severity)
		}
	}
	if len(table.Weights) != 28 {
		t.Errorf("%d kinds, the schema has 28", len(table.Weights))
	}
	if table.Version == "" || !regexp.MustCompile(`^\d{4}-\d\d-\d\d$`).MatchString(table.Date) {
		t.Errorf("version %q of %q", table.Version, table.Date)
	}
	var none SeverityTable
	if none.Weight("irr.exit") != 0 {
		t.Error("an empty table weighs nothing")
	}
	table.Weights["irr.exit"] = 99 // a caller's table is its own
	if DefaultSeverityTable().Weight("irr.exit") != 1 {
		t.Error("tables share their weights")
	}
}
