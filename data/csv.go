package data

import (
	"bytes"
	"errors"
	"io"
	"math"
)

// csvReader reads records of delimited text (RFC 4180) from a window, strictly:
// quotes only around whole fields, UTF-8, bounded lines.
type csvReader struct {
	window
	delimiter byte
	limits    Limits
	fields    [][]byte
	scratch   []byte // the fields of a record that has quotes
	ends      []int
	line      int // of the record at hand, counting from 1
	nextLine  int
	nuls      int
	encoding  textEncoding
}

// record reads the next record; false at the end or on a fault. The fields are
// valid until the next call.
func (r *csvReader) record() (bool, error) {
	for {
		r.line = r.nextLine
		n, err := r.lineLength(0)
		if err != nil {
			return false, err
		}
		if n == 0 && r.pos == r.end {
			return false, nil
		}
		line := r.buf[r.pos : r.pos+n]
		if bytes.IndexByte(line, '"') >= 0 {
			return true, r.quoted(n)
		}
		r.pos += n
		r.nextLine++
		line = trimEOL(line)
		if len(line) == 0 {
			continue
		}
		if line, err = r.checked(line); err != nil {
			return false, err
		}
		r.split(line)
		return true, r.tooWide()
	}
}

// lineLength returns the length of the line that begins skip bytes ahead, its
// end included.
func (r *csvReader) lineLength(skip int) (int, error) {
	from := skip
	for {
		if k := bytes.IndexByte(r.buf[r.pos+from:r.end], '\n'); k >= 0 {
			from += k + 1
			break
		}
		from = r.end - r.pos
		if from > r.limits.LineBytes {
			break
		}
		if !r.more() {
			if !errors.Is(r.err, io.EOF) {
				return 0, r.err
			}
			break
		}
	}
	if from > r.limits.LineBytes {
		return 0, refuse(413, "line_too_long", "line %d: a record is longer than %d bytes; is a quote left open?", r.line, r.limits.LineBytes)
	}
	return from, nil
}

func trimEOL(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// checked gives the text of a line or field as UTF-8 without NULs, and refuses
// what is neither UTF-8 nor Windows-1252.
func (r *csvReader) checked(line []byte) ([]byte, error) {
	if !isASCII(line) {
		decode, fault := r.encoding.line(line)
		if fault != "" {
			return nil, refuse(400, "encoding", "line %d: %s", r.line, fault)
		}
		if decode {
			line = from1252(line)
		}
	}
	if bytes.IndexByte(line, 0) >= 0 {
		r.nuls++
		line = bytes.ReplaceAll(line, []byte{0}, []byte("\ufffd"))
	}
	return line, nil
}

func (r *csvReader) split(line []byte) {
	r.fields = r.fields[:0]
	for {
		k := bytes.IndexByte(line, r.delimiter)
		if k < 0 {
			r.fields = append(r.fields, line)
			return
		}
		r.fields = append(r.fields, line[:k])
		line = line[k+1:]
	}
}

func (r *csvReader) tooWide() error {
	if len(r.fields) > r.limits.Columns {
		return refuse(413, "too_many_columns", "line %d: more than %d columns", r.line, r.limits.Columns)
	}
	return nil
}

// quoted reads a record that has quotes; n is the length of its first line.
func (r *csvReader) quoted(n int) error {
	r.scratch, r.ends = r.scratch[:0], r.ends[:0]
	i, opened := 0, 0 // opened: the line of an open quote, 0 outside quotes
	line, start := r.line, true
	text := r.buf[r.pos : r.pos+n]
	for {
		if i == len(text) {
			if opened == 0 {
				break
			}
			longer, err := r.lineLength(len(text))
			if err != nil {
				return err
			}
			if longer == len(text) {
				return refuse(400, "open_quote", "line %d: a quote is opened and never closed; double a quote that belongs to the text", opened)
			}
			line++
			text = r.buf[r.pos : r.pos+longer]
		}
		c := text[i]
		switch {
		case opened > 0 && c == '"' && i+1 < len(text) && text[i+1] == '"':
			r.scratch = append(r.scratch, '"')
			i++
		case opened > 0 && c == '"':
			opened = 0
			if rest := text[i+1:]; len(rest) > 0 && rest[0] != r.delimiter && len(trimEOL(rest)) > 0 {
				return refuse(400, "bad_quote", "line %d: text follows a closing quote; double a quote that belongs to the text", line)
			}
		case opened > 0:
			r.scratch = append(r.scratch, c)
		case c == '"' && start:
			opened = line
		case c == '"':
			return refuse(400, "bad_quote", "line %d: a quote stands inside a field that is not quoted; quote the field and double the quote", line)
		case c == r.delimiter:
			r.ends = append(r.ends, len(r.scratch))
		case len(trimEOL(text[i:])) == 0:
			i = len(text) - 1
		default:
			r.scratch = append(r.scratch, c)
		}
		start = opened == 0 && c == r.delimiter
		i++
	}
	r.ends = append(r.ends, len(r.scratch))
	r.pos += len(text)
	r.nextLine = line + 1
	return r.cut()
}

// cut makes fields of the scratch text.
func (r *csvReader) cut() error {
	r.fields = r.fields[:0]
	from := 0
	for _, end := range r.ends {
		field := r.scratch[from:end:end]
		field, err := r.checked(field)
		if err != nil {
			return err
		}
		r.fields = append(r.fields, field)
		from = end
	}
	return r.tooWide()
}

// table is a text table whose header has been read.
type table struct {
	csvReader
	im            *importer
	columns       []*column // nil for the place's own columns
	lon, lat, wkt int       // -1: no such column
	pair          int       // of both coordinates together
	latFirst      bool      // their order
	statistic     bool      // rows may have no place
	shape         shape
}

// readCSV reads a text table, a row a feature or a fix of a track.
func (im *importer) readCSV(w window) error {
	if crOnly(w.rest()) {
		im.report.warn("cr_line_ends", "", "the lines of the table end with a carriage return alone, as on old Macintoshes, and were read so")
		w = w.filtered(func(b []byte) {
			for i, c := range b {
				if c == '\r' {
					b[i] = '\n'
				}
			}
		})
	}
	t := &table{csvReader: csvReader{window: w, limits: im.limits, nextLine: 1}, im: im, lon: -1, lat: -1, wkt: -1, pair: -1}
	t.encoding = textEncoding{utf8: im.charset == "utf-8" || im.utf16, legacy: im.charset == "windows-1252", stated: im.charset == "windows-1252"}
	if err := t.header(); err != nil {
		return err
	}
	t.sample()
	for {
		ok, err := t.record()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if t.blank() {
			im.counts.emptyRows++
			continue
		}
		t.row()
		if err := im.take(); err != nil {
			return err
		}
	}
	im.counts.mended += t.nuls
	if t.encoding.legacy && !t.encoding.stated {
		im.report.warn("encoding", "", "the text is not UTF-8 and was read as Windows-1252; check letters with accents, or declare the charset in the content type")
	}
	return im.ctx.Err()
}

// crOnly tells whether the lines of a table end with CR alone.
func crOnly(head []byte) bool {
	k := bytes.IndexByte(head, '\r')
	return k >= 0 && bytes.IndexByte(head, '\n') < 0 && bytes.Count(head[:k], []byte{'"'})%2 == 0
}

// blank reports a record of empty fields, which spreadsheets leave at the end.
func (t *table) blank() bool {
	for _, f := range t.fields {
		if len(f) > 0 {
			return false
		}
	}
	return true
}

// row makes the importer's row of a record.
func (t *table) row() {
	r := &t.im.row
	r.begin(t.line)
	if len(t.fields) != len(t.columns) {
		r.refuseRow("", "column_count", "has "+itoa(len(t.fields))+" fields where the header has "+itoa(len(t.columns)))
		return
	}
	t.place(r)
	for i, c := range t.columns {
		if c == nil || c.dropped {
			continue
		}
		text := unguarded(t.fields[i])
		if len(text) == 0 {
			continue
		}
		if len(text) > t.limits.ValueBytes {
			r.refuseRow(c.name, "value_too_long", "is longer than "+itoa(t.limits.ValueBytes)+" bytes")
			return
		}
		r.cells = append(r.cells, tableCell(c, text))
	}
}

// tableCell gives a text the type of its column.
func tableCell(c *column, text []byte) cell {
	v := cell{col: c, kind: cellText, text: text}
	switch {
	case c.numeric:
		if x, n, ok := scanNumber(text); ok && n == len(text) && !math.IsInf(x, 0) {
			v.kind, v.num, v.text = cellNumber, x, exactNumber(nil, x, text)
		}
	case c.boolean && string(text) == "true":
		v.kind = cellTrue
	case c.boolean && string(text) == "false":
		v.kind = cellFalse
	}
	return v
}

// place reads the row's position or geometry.
func (t *table) place(r *rowState) {
	s := &t.shape
	s.reset()
	if t.wkt >= 0 && len(bytes.TrimSpace(t.fields[t.wkt])) > 0 {
		s.readWKT(t.fields[t.wkt], t.im.toWGS84, t.limits.Vertices)
	} else if t.pair >= 0 {
		text := bytes.TrimSpace(t.fields[t.pair])
		if len(text) == 0 {
			r.unplaced = []byte("has no coordinates")
			return
		}
		lon, lat, fault := parsePair(text, t.latFirst)
		if fault != "" {
			r.refuseRow(t.name(t.pair), "bad_coordinate", show(text)+" "+fault)
			return
		}
		s.kind, s.rank = "Point", 1
		s.position(lon, lat, nan, nan)
	} else if t.lon >= 0 {
		if t.isBlank(t.lon) && t.isBlank(t.lat) {
			r.unplaced = []byte("has no longitude and no latitude")
			return
		}
		lon, ok := t.ordinate(r, t.lon, "longitude")
		if !ok {
			return
		}
		lat, ok := t.ordinate(r, t.lat, "latitude")
		if !ok {
			return
		}
		s.kind, s.rank = "Point", 1
		s.position(lon, lat, nan, nan)
	} else {
		r.unplaced = []byte("has no geometry")
		return
	}
	g, f := s.geometry(t.im.toWGS84, t.limits.Vertices)
	if f != nil {
		field := "geometry"
		if f.code == "lat_out_of_range" && t.lat >= 0 {
			field = t.name(t.lat)
		} else if f.code == "lon_out_of_range" && t.lon >= 0 {
			field = t.name(t.lon)
		}
		r.refuseRow(field, f.code, f.message)
		return
	}
	r.geometry = g
	t.im.ordinates(s)
}

func (t *table) isBlank(i int) bool { return len(bytes.TrimSpace(t.fields[i])) == 0 }

// ordinate reads a decimal number of degrees or metres.
func (t *table) ordinate(r *rowState, i int, what string) (float64, bool) {
	text := bytes.TrimSpace(t.fields[i])
	if len(text) == 0 {
		r.refuseRow(t.name(i), "no_geometry", "has no "+what)
		return 0, false
	}
	if v, ok := t.im.parseNumber(&cell{kind: cellText, text: text}); ok {
		return v, true
	}
	axis := byte('x')
	if what == "latitude" {
		axis = 'y'
	}
	if bytes.IndexByte(text, ',') >= 0 {
		t.im.counts.decimalComma++
	}
	v, fault := parseAngle(text, axis, bytes.IndexByte(text, ',') >= 0)
	if fault != "" || t.im.toWGS84 != nil {
		if fault == "" {
			fault = "is in degrees, but the coordinate reference system has metres"
		}
		r.refuseRow(t.name(i), "bad_coordinate", "the "+what+" "+show(text)+" "+fault+"; if a spreadsheet changed it, format the column as text")
		return 0, false
	}
	return v, true
}
