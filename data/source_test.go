package data

import (
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo"
)

func TestSniff(t *testing.T) {
	for head, want := range map[string]string{
		`{"type":`: "geojson", "\xef\xbb\xbf \n[": "geojson", "\x1e{": "geojsonseq", "lon,lat\n1,2": "csv", "x": "csv",
		"PK\x03\x04...": "zip", "SQLite format 3\x00": "gpkg", "fgb\x03": "fgb", "PARE": "", "%PDF-1.7": "", "\x00\x00\x27\x0a": "", "\x1f\x8b\x08": "",
		"<kml>": "kml", "<!-- x --><g:gpx a='1'>": "gpx", "<?xml": "", "<html>": "", "": "", "\x01\x02\x03\x04": "", strings.Repeat(" ", windowBytes): "",
	} {
		got, err := sniff([]byte(head))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.20q: %q %v", head, got, err)
		}
	}
}

func TestDeclaredFormats(t *testing.T) {
	table := "lon,lat\n1,2\n"
	for _, contentType := range []string{"", "text/csv", "text/csv; charset=UTF-8", "text/plain", "application/octet-stream", "application/vnd.ms-excel",
		"application/x-www-form-urlencoded", "text/tab-separated-values", "text/csv;;"} {
		if _, r, err := importText(table, geo.KindOther, func(o *ImportOptions) { o.ContentType = contentType }); err != nil || r.Format != FormatCSV {
			t.Errorf("%q: %v", contentType, err)
		}
	}
	for _, contentType := range []string{"application/geo+json", "image/png", "application/gpx+xml", "text/csv; charset=koi8-r", "application/geopackage+sqlite3"} {
		if _, r, err := importText(table, geo.KindOther, func(o *ImportOptions) { o.ContentType = contentType }); err == nil {
			t.Errorf("%q: %+v", contentType, r)
		}
	}
	mustImport(t, table, geo.KindOther, func(o *ImportOptions) { o.Filename = "a.geojson" })
	mustRefuse(t, 415, "format_not_read", string(gzipped(gzipped([]byte(table), 0), 0)), geo.KindOther)
}
