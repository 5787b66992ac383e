package data

import (
	"archive/zip"
	"bytes"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

// Formats that are not text.
const (
	FormatShapefile  = "shp" // in a zip archive
	FormatFlatGeobuf = "fgb"
	formatZip        = "zip" // not known yet what is in it
)

// sniffBinary tells a format by the magic bytes at the beginning of its files,
// "" for others.
func sniffBinary(head []byte) string {
	for _, f := range []struct{ magic, format string }{
		{"PK\x03\x04", formatZip}, {"PK\x05\x06", formatZip}, {"fgb\x03", FormatFlatGeobuf},
		{"SQLite format 3", FormatGeoPackage}, {parquetMagic, FormatGeoParquet},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.format
		}
	}
	return ""
}

// family groups the formats that the first bytes of a file do not tell apart;
// "" for one that is not read.
func family(format string) string {
	switch format {
	case FormatGeoJSON, FormatGeoJSONSeq:
		return "json"
	case FormatShapefile, FormatKMZ, formatZip:
		return formatZip
	case FormatCSV, FormatGPX, FormatKML, FormatFlatGeobuf, FormatGeoPackage, FormatGeoParquet, "xml":
		return format
	}
	return ""
}

// uploadInMemory is the size up to which a file that is kept whole stays in
// memory.
const uploadInMemory = 4 << 20

// readBinary reads a file that is not text.
func (im *importer) readBinary(w window, format string) error {
	src := io.Reader(bytes.NewReader(w.rest()))
	if w.err == nil {
		src = io.MultiReader(src, w.src)
	}
	if format == FormatFlatGeobuf {
		return im.readFlatGeobuf(src)
	}
	whole := &spool{limit: uploadInMemory}
	if format == FormatGeoPackage { // SQLite reads files only
		whole.limit = 0
	}
	defer whole.close()
	if _, err := io.Copy(whole, src); err != nil {
		return err
	}
	if format == FormatGeoPackage {
		path, err := whole.path()
		if err != nil {
			return err
		}
		return im.readGeoPackage(path)
	}
	if format == FormatGeoParquet {
		return im.readGeoParquet(whole, whole.size)
	}
	return im.readArchive(whole)
}

// readArchive reads the layer in a zip archive.
func (im *importer) readArchive(whole *spool) error {
	a, err := openArchive(im.ctx, whole, whole.size, im.limits)
	if err != nil {
		return err
	}
	shapes, texts := a.named(".shp"), a.named(".kml")
	if len(shapes) > 0 && len(texts) > 0 {
		names := shapefileNames(shapes)
		for _, f := range texts {
			names = append(names, f.Name)
		}
		k, err := pickLayer(names, im.opts.Layer)
		if err != nil {
			return err
		}
		if k < len(shapes) {
			shapes, texts = shapes[k:k+1], nil
		} else {
			k -= len(shapes)
			shapes, texts = nil, texts[k:k+1]
		}
	}
	if len(shapes) > 0 {
		im.report.Format = FormatShapefile
		return im.readShapefile(a, shapes)
	}
	if len(texts) > 0 {
		im.report.Format = FormatKMZ
		return im.readKMZ(a, texts)
	}
	return refuse(422, "archive_without_layer", "the archive has %d files and no layer among them; a Shapefile is a .shp with its .dbf, .prj and .cpg", len(a.files))
}

// ExportFormats lists the formats that Export writes.
func ExportFormats() []string {
	return append(WriteFormats(), FormatGeoPackage, FormatShapefile, FormatFlatGeobuf, FormatGeoParquet)
}

// Extension returns how the name of a file of a format ends, without the dot.
func Extension(format string) string {
	if format == FormatShapefile {
		return "zip"
	}
	return format
}

// binaryWriter returns the writer of a format that has types, nil for others.
func binaryWriter(format string) func(io.Writer, *geo.Layer, iter.Seq[int]) error {
	switch format {
	case FormatShapefile, formatZip:
		return writeShapefile
	case FormatFlatGeobuf:
		return writeFlatGeobuf
	case FormatGeoParquet:
		return writeGeoParquet
	}
	return nil
}

// readKMZ reads the KML of an archive: doc.kml, or the only one. Others are
// named.
func (im *importer) readKMZ(a *archive, texts []*zip.File) error {
	names := make([]string, len(texts))
	doc := 0
	for i, f := range texts {
		if names[i] = f.Name; strings.EqualFold(f.Name, "doc.kml") {
			doc = i
		}
	}
	if im.opts.Layer != "" || !strings.EqualFold(names[doc], "doc.kml") {
		var err error
		if doc, err = pickLayer(names, im.opts.Layer); err != nil {
			return err
		}
	}
	if others := slices.Concat(names[:doc], names[doc+1:]); len(others) > 0 {
		im.report.warn("layers_not_read", "", "the archive has further files of KML, which were not read: %s; read each with layer=NAME", showList(others))
	}
	text, err := a.open(texts[doc])
	if err != nil {
		return err
	}
	defer func() { _ = text.Close() }()
	w := newWindow(text)
	w.need(windowBytes)
	if w, err = im.decode(w); err != nil {
		return err
	}
	return im.readKML(w)
}
