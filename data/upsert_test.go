package data

import (
	"context"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo"
)

// upserted sends files to a layer of incidents, the first as new, and returns
// the layer and the report of the last.
func upserted(t *testing.T, kind geo.LayerKind, files ...string) (old *geo.Layer, report *Report) {
	t.Helper()
	for _, file := range files {
		v := Revision{ID: "u", Kind: kind, Mode: Upsert, Import: ImportOptions{Now: testNow}}
		rows, r, err := v.Read(context.Background(), strings.NewReader(file), old)
		if err != nil {
			t.Fatal(err)
		}
		next := Merged(old, rows, Upsert)
		info := next.Info
		info.NextFID = max(info.NextFID, rows.Info.NextFID)
		old, report = next.WithInfo(info), r
	}
	return old, report
}

// The key of a record is its source with its identifier there.
func TestUpsertBySource(t *testing.T) {
	const head = "source_system,external_id,lon,lat,deaths\n"
	l, _ := upserted(t, geo.KindIncident, head+"A,1,110.00012,1.00034,1\nB,1,111.00012,1.00034,2\n", head+"B,1,111.00012,1.00034,5\n")
	if l.Len() != 2 || l.Number(0, "deaths") != 1 || l.Number(1, "deaths") != 5 {
		t.Errorf("%d records: %v %v", l.Len(), l.Feature(0).Properties, l.Feature(l.Len()-1).Properties)
	}
	l, r := upserted(t, geo.KindIncident, head+"A,1,110.00012,1.00034,1\n", "external_id,lon,lat,deaths\n1,110.1,1.1,7\n")
	if _, n := warning(r, "other_source"); l.Len() != 2 || n != 1 || l.Number(0, "deaths") != 1 {
		t.Errorf("%d records, %+v", l.Len(), r.Warnings)
	}
	l, _ = upserted(t, geo.KindIncident, "external_id,lon,lat,deaths\n1,110.1,1.1,7\n", "external_id,lon,lat,deaths\n1,110.1,1.1,8\n")
	if l.Len() != 1 || l.Number(0, "deaths") != 8 {
		t.Errorf("%d records", l.Len())
	}
	_, r = mustImport(t, head+"A,1,110.00012,1.00034,1\nB,1,111.00012,1.00034,2\nA,1,112.00012,1.00034,3\n", geo.KindIncident)
	if w, n := warning(r, "duplicate_id"); n != 1 || w[0].Rows[0] != 4 {
		t.Errorf("%+v", r.Warnings)
	}
}

// Fields that the file does not have stay; those that it empties go.
func TestUpsertKeepsFields(t *testing.T) {
	const all = "external_id,kind,occurred_from,occurred_to,deaths,release,plan,lon,lat\n1,mar.landing,2026-01-02T03:04:05Z,2026-01-03T00:00:00Z,4,bilateral,x,110.00012,1.00034\n"
	for name, file := range map[string]string{
		"csv":     "external_id,lon,lat,missing\n1,110.50012,1.00034,2\n9,1,2,0\n",
		"geojson": collection(`{"type":"Feature","id":"1","geometry":{"type":"Point","coordinates":[110.50012,1.00034]},"properties":{"missing":2}}`),
	} {
		l, r := upserted(t, geo.KindIncident, all, file)
		var f geo.Feature
		for row := range l.Len() {
			if l.ID(row) == "1" {
				f = l.Feature(row)
			}
		}
		p := f.Properties
		if p["kind"] != "mar.landing" || p["deaths"] != 4.0 || p["missing"] != 2.0 || p["release"] != "bilateral" || p["plan"] != "x" ||
			f.From.Format("2006-01-02") != "2026-01-02" || f.To.Format("2006-01-02") != "2026-01-03" {
			t.Errorf("%s: %v %v %v", name, p, f.From, f.To)
		}
		if w, n := warning(r, "fields_kept"); n != 1 || !strings.Contains(w[0].Message, "deaths") {
			t.Errorf("%s: %+v", name, r.Warnings)
		}
	}
	for name, file := range map[string]string{
		"csv":     "external_id,lon,lat,deaths\n1,110.50012,1.00034,\n",
		"geojson": collection(`{"type":"Feature","id":"1","geometry":{"type":"Point","coordinates":[110.50012,1.00034]},"properties":{"deaths":null}}`),
	} {
		if l, _ := upserted(t, geo.KindIncident, all, file); l.Value(0, "deaths") != nil || l.Text(0, "kind") != "mar.landing" {
			t.Errorf("%s: %v", name, l.Feature(0).Properties)
		}
	}
}

func TestUpsertOfWhatIsStoredTwice(t *testing.T) {
	old, _ := mustImport(t, "external_id,lon,lat\n1,110.1,1.1\n1,110.2,1.2\n", geo.KindIncident)
	rows, r := mustImport(t, "external_id,lon,lat\n1,110.3,1.3\n", geo.KindIncident, func(o *ImportOptions) { o.Upsert, o.Stored = true, old })
	if _, n := warning(r, "stored_twice"); n != 1 || rows.FID(0) != old.FID(1) {
		t.Errorf("%+v", r.Warnings)
	}
}
