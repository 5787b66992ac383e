package data

import (
	"archive/zip"
	"io"
	"iter"

	"github.com/sempadan/sempadan/geo"
)

// writeKMZ writes a layer as KML in a zip archive.
func writeKMZ(w io.Writer, l *geo.Layer, rows iter.Seq[int]) error {
	z := zip.NewWriter(w)
	entry, err := z.Create("doc.kml")
	if err != nil {
		return err
	}
	if err := writeKML(entry, l, rows); err != nil {
		return err
	}
	return z.Close()
}
