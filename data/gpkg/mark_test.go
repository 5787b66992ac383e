package gpkg

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// The mark of an export is the description of the layer, and no part of what is
// read back.
func TestMarkInGeoPackage(t *testing.T) {
	l := fileSample(t)
	mark := geo.ExportMark{ID: "x-abcdefghijklmnop", Text: "Export x-abcdefghijklmnop for ID/POLRI."}
	var b bytes.Buffer
	if err := (data.Export{Layer: l, GeoPackage: Files{}, Mark: mark}).Write(context.Background(), &b, data.FormatGeoPackage); err != nil {
		t.Fatal(err)
	}
	got, _ := mustImportFile(t, b.Bytes())
	sameFile(t, got, l)
	if out := gdal(t, "ogrinfo", "-al", "-so", savedFile(t, b.Bytes())); !strings.Contains(out, "DESCRIPTION="+l.Info.Note) || !strings.Contains(out, mark.Text) {
		t.Errorf("GDAL shows no mark:\n%s", out)
	}
}
