package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"mime"
	"path"
	"strings"
)

// Formats that Import reads and Write writes.
const (
	FormatGeoJSON    = "geojson"
	FormatGeoJSONSeq = "geojsonseq"
	FormatCSV        = "csv"
	FormatGPX        = "gpx"
	FormatKML        = "kml"
	FormatKMZ        = "kmz" // KML in a zip archive
)

const readsText = "GeoJSON, one GeoJSON feature a line, CSV, GPX, KML, KMZ, GeoPackage, zipped Shapefiles, FlatGeobuf and GeoParquet are read"

// counted is the file as it comes: it stops at the body limit and when the
// context ends.
type counted struct {
	ctx   context.Context
	src   io.Reader
	n     int64
	limit int64
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.src.Read(p)
	c.n += int64(n)
	if c.limit > 0 && c.n > c.limit {
		return 0, refuse(413, "body_too_large", "the file is larger than %d bytes; split it, compress it, or import it on the command line", c.limit)
	}
	return n, err
}

// unpacked is what comes out of a compressed file, counted as it comes out:
// declared sizes are not believed.
type unpacked struct {
	src    io.Reader
	packed *counted
	n      int64
	limits Limits
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.src.Read(p)
	u.n += int64(n)
	if max := u.limits.UnpackedBytes; max > 0 && u.n > max {
		return 0, refuse(413, "unpacked_too_large", "the file is larger than %d bytes when unpacked; split it", max)
	}
	if u.n > 1<<20 && u.n > u.limits.Ratio*u.packed.n {
		return 0, refuse(413, "compression_ratio", "the file unpacks to more than %d times its size; send it uncompressed", u.limits.Ratio)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		var r *Refusal
		if !errors.As(err, &r) && u.packed.ctx.Err() == nil {
			err = refuse(400, "bad_gzip", "the compressed data are damaged or cut off after %d unpacked bytes (%v); send the file again", u.n, err)
		}
	}
	return n, err
}

// open unpacks the file, finds its format and checks it against what was
// declared.
func (im *importer) open(src io.Reader) (window, string, error) {
	im.source = &counted{ctx: im.ctx, src: src, limit: im.limits.BodyBytes}
	raw := bufio.NewReaderSize(im.source, 64<<10)
	magic, err := raw.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return window{}, "", err
	}
	zipped := string(magic) == "\x1f\x8b"
	switch enc := strings.ToLower(strings.TrimSpace(im.opts.ContentEncoding)); {
	case enc != "" && enc != "identity" && enc != "gzip" && enc != "x-gzip":
		return window{}, "", refuse(415, "content_encoding", "content encoding %s is not read; use gzip or none", show(enc))
	case strings.HasSuffix(enc, "gzip") && !zipped:
		return window{}, "", refuse(415, "content_encoding", "the file is declared as gzip but is not; leave out the content encoding")
	}
	w := newWindow(raw)
	if zipped {
		z, err := gzip.NewReader(raw)
		if err != nil {
			return window{}, "", refuse(400, "bad_gzip", "the compressed data are damaged (%v); send the file again", err)
		}
		w = newWindow(&unpacked{src: z, packed: im.source, limits: im.limits})
	}
	w.need(windowBytes)
	if w.err != nil && !errors.Is(w.err, io.EOF) {
		return window{}, "", w.err
	}
	if im.charset, err = charset(im.opts.ContentType); err != nil {
		return window{}, "", err
	}
	if sniffBinary(w.rest()) == "" {
		if w, err = im.decode(w); err != nil {
			return window{}, "", err
		}
	}
	format, err := im.format(w.rest())
	if err != nil {
		return window{}, "", err
	}
	if isJSON(format) && (im.utf16 || im.charset == "windows-1252") {
		return window{}, "", refuse(415, "encoding", "GeoJSON is UTF-8; save the file as UTF-8")
	}
	if bytes.HasPrefix(w.rest(), []byte("\xef\xbb\xbf")) {
		w.pos = 3
		if im.charset == "" {
			im.charset = "utf-8"
		}
	}
	return w, format, nil
}

// format settles what the file is from its first bytes and what was declared.
func (im *importer) format(head []byte) (string, error) {
	found, err := sniff(head)
	if err != nil {
		return "", err
	}
	declared, by := im.opts.Format, "format"
	if declared == "" {
		declared, by = contentFormat(im.opts.ContentType), "content type"
	}
	named := filenameFormat(im.opts.Filename)
	if declared == "" {
		// A name says less than a declaration: it may tell one JSON form from another.
		if isJSON(named) && isJSON(found) {
			found = named
		}
		return found, nil
	}
	switch declared = strings.ToLower(declared); declared {
	case "ndjson", "geojsonl", "geojson-seq":
		declared = FormatGeoJSONSeq
	case "json":
		declared = FormatGeoJSON
	case "tsv":
		declared = FormatCSV
	case "xml":
		if isXML(found) {
			return found, nil
		}
	case "geopackage":
		declared = FormatGeoPackage
	case "flatgeobuf":
		declared = FormatFlatGeobuf
	case "geoparquet":
		declared = FormatGeoParquet
	case "shapefile", "esri shapefile":
		declared = FormatShapefile
	}
	if family(declared) == "" {
		return "", refuse(415, "format_not_read", "%s is not read; %s", show(declared), readsText)
	}
	if family(declared) != family(found) {
		return "", refuse(415, "format_mismatch", "the %s says %s but the file looks like %s; declare what it is", by, declared, found)
	}
	im.declared = true
	return declared, nil
}

func isJSON(format string) bool { return format == FormatGeoJSON || format == FormatGeoJSONSeq }

func isXML(format string) bool { return format == FormatGPX || format == FormatKML }

// contentFormat returns the format that a media type stands for, "" when it
// says nothing, else the type itself.
func contentFormat(contentType string) string {
	if contentType == "" {
		return ""
	}
	mt, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		mt, _, _ = strings.Cut(strings.ToLower(contentType), ";")
		mt = strings.TrimSpace(mt)
	}
	switch mt {
	case "application/geo+json", "application/vnd.geo+json", "application/json", "text/json":
		return FormatGeoJSON
	case "application/geo+json-seq", "application/json-seq", "application/x-ndjson", "application/ndjson",
		"application/x-ndgeojson", "application/geo+jsonl", "application/jsonl", "application/x-jsonlines":
		return FormatGeoJSONSeq
	case "text/csv", "application/csv", "text/tab-separated-values", "text/comma-separated-values":
		return FormatCSV
	case "application/gpx+xml", "application/gpx":
		return FormatGPX
	case "application/vnd.google-earth.kml+xml", "application/kml+xml":
		return FormatKML
	case "application/xml", "text/xml":
		return "xml"
	case "application/vnd.google-earth.kmz":
		return FormatKMZ
	case "application/zip", "application/x-zip-compressed", "application/x-zip":
		return formatZip
	case "application/vnd.shp", "application/x-shapefile":
		return FormatShapefile
	case "application/flatgeobuf", "application/x-flatgeobuf", "application/vnd.flatgeobuf":
		return FormatFlatGeobuf
	case "application/vnd.apache.parquet", "application/parquet", "application/x-parquet", "application/geoparquet":
		return FormatGeoParquet
	case "application/geopackage+sqlite3", "application/vnd.sqlite3", "application/x-sqlite3":
		return FormatGeoPackage
	case "application/octet-stream", "binary/octet-stream", "text/plain", "application/gzip", "application/x-gzip",
		"application/vnd.ms-excel",          // what some browsers call a .csv file
		"application/x-www-form-urlencoded": // what curl says unless it is told
		return ""
	}
	return mt
}

func filenameFormat(name string) string {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	switch path.Ext(name) {
	case ".geojson", ".json":
		return FormatGeoJSON
	case ".geojsonl", ".geojsons", ".geojsonseq", ".ndjson", ".ndgeojson", ".jsonl":
		return FormatGeoJSONSeq
	case ".csv", ".tsv", ".tab", ".txt":
		return FormatCSV
	case ".gpx":
		return FormatGPX
	case ".kml":
		return FormatKML
	}
	return ""
}

// sniff tells the format by the first bytes of a file.
func sniff(head []byte) (string, error) {
	if format := sniffBinary(head); format != "" {
		return format, nil
	}
	for magic, name := range map[string]string{
		"PARE": "encrypted Parquet", "%PDF": "PDF", "\x00\x00\x27\x0a": "a Shapefile", "\x1f\x8b": "compressed twice",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return "", refuse(415, "format_not_read", "the file is %s, which is not read; %s", name, readsText)
		}
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(text) == 0 {
		if len(head) >= windowBytes {
			return "", refuse(415, "format_unknown", "the file begins with %d bytes of white space; %s", len(head), readsText)
		}
		return "", refuse(422, "empty_file", "the file is empty")
	}
	switch text[0] {
	case '{', '[':
		return FormatGeoJSON, nil
	case 0x1e:
		return FormatGeoJSONSeq, nil
	case '<':
		switch root := xmlRoot(text); root {
		case FormatGPX, FormatKML:
			return root, nil
		case "html":
			return "", refuse(415, "format_not_read", "the file is a web page; %s", readsText)
		default:
			return "", refuse(415, "format_not_read", "the file is XML, but neither GPX nor KML: its first element is %s; %s", show(root), readsText)
		}
	}
	odd := 0
	for _, c := range text[:min(len(text), 4096)] {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' {
			odd++
		}
	}
	if odd*10 > min(len(text), 4096) {
		return "", refuse(415, "format_unknown", "the file is not text; %s", readsText)
	}
	return FormatCSV, nil
}
