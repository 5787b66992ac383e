package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// Lengths in a .dbf (dBASE III, as Shapefiles have it).
const (
	dbfHeaderBytes = 32
	dbfFieldBytes  = 32
	dbfFieldsEnd   = 0x0d
	dbfDeleted     = '*'
)

// dbfReader reads the rows of a .dbf. The nil reader has no columns and never
// ends.
type dbfReader struct {
	src     io.Reader
	closer  io.Closer
	fields  []dbfField
	skipped []string
	left    uint32 // rows not yet read
	row     []byte
	number  int
	decoder *encoding.Decoder // nil for UTF-8
	unnamed bool              // nothing says what the texts are
	guessed int               // texts that were taken for Windows-1252
}

type dbfField struct {
	name     string // "" to leave it out
	kind     byte
	from, to int
}

func badDBF(format string, args ...any) *Refusal {
	return badShapefile("the .dbf "+format, args...)
}

// openDBF reads the head of a .dbf; page is what its .cpg says, or "".
func openDBF(src io.Reader, page string) (*dbfReader, error) {
	var head [dbfHeaderBytes]byte
	if err := readFull(src, head[:]); err != nil {
		return nil, dbfCut(err, "has no header")
	}
	headerBytes, rowBytes := int(binary.LittleEndian.Uint16(head[8:])), int(binary.LittleEndian.Uint16(head[10:]))
	if version := head[0] & 7; version != 3 && version != 0 && version != 5 || headerBytes < dbfHeaderBytes+1 || rowBytes < 1 {
		return nil, badDBF("does not begin like one")
	}
	rest := make([]byte, headerBytes-dbfHeaderBytes)
	if err := readFull(src, rest); err != nil {
		return nil, dbfCut(err, "breaks off in its header")
	}
	t := &dbfReader{src: src, left: binary.LittleEndian.Uint32(head[4:]), row: make([]byte, rowBytes)}
	if err := t.codePage(page, head[29]); err != nil {
		return nil, err
	}
	at := 1
	for ; len(rest) >= dbfFieldBytes && rest[0] != dbfFieldsEnd; rest = rest[dbfFieldBytes:] {
		name, _, _ := bytes.Cut(rest[:11], []byte{0})
		text, err := t.decode(bytes.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		f := dbfField{name: string(text), kind: rest[11], from: at, to: at + int(rest[16])}
		if f.kind == 'C' { // longer texts use the place of the decimals
			f.to += int(rest[17]) << 8
		}
		if at = f.to; f.to > rowBytes {
			return nil, badDBF("has a column %s that does not fit into its rows", show(f.name))
		}
		switch f.kind {
		case 'C', 'N', 'F', 'D', 'L':
		default:
			t.skipped = append(t.skipped, f.name)
			f.name = ""
		}
		t.fields = append(t.fields, f)
	}
	return t, nil
}

func dbfCut(err error, what string) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return badDBF("%s", what)
	}
	return err
}

// codePage chooses how texts are decoded: by the .cpg, else by the language
// driver in the header.
func (t *dbfReader) codePage(page string, driver byte) error {
	name := plain(page)
	if name == "" {
		name = map[byte]string{0x01: "437", 0x02: "850", 0x03: "1252", 0x57: "1252", 0x58: "1252", 0x59: "1252", 0x64: "852", 0x65: "866",
			0xc8: "1250", 0xc9: "1251", 0xca: "1254", 0xcb: "1253"}[driver]
		if t.unnamed = name == ""; t.unnamed {
			return nil
		}
	}
	for _, prefix := range []string{"windows", "ansi", "oem", "cp", "ibm"} {
		name = strings.TrimPrefix(name, prefix)
	}
	switch name {
	case "utf8", "65001", "ascii", "usascii", "20127":
		return nil
	}
	known := map[string]*charmap.Charmap{
		"iso88591": charmap.ISO8859_1, "88591": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "l1": charmap.ISO8859_1, "28591": charmap.ISO8859_1,
		"iso88599": charmap.ISO8859_9, "88599": charmap.ISO8859_9, "iso885915": charmap.ISO8859_15, "885915": charmap.ISO8859_15,
		"1252": charmap.Windows1252, "1250": charmap.Windows1250, "1251": charmap.Windows1251, "1253": charmap.Windows1253, "1254": charmap.Windows1254,
		"437": charmap.CodePage437, "850": charmap.CodePage850, "852": charmap.CodePage852, "866": charmap.CodePage866,
	}[name]
	if known == nil {
		return refuse(415, "charset", "the code page %s of the .dbf is not read; save it as UTF-8, or in ISO-8859-1 or Windows-1252 with a .cpg that says so", show(page))
	}
	t.decoder = known.NewDecoder()
	return nil
}

// decode returns a text in UTF-8.
func (t *dbfReader) decode(s []byte) ([]byte, error) {
	if isASCII(s) {
		return s, nil
	}
	if t.decoder != nil {
		return t.decoder.Bytes(s)
	}
	if t.unnamed && !utf8.Valid(s) {
		t.guessed++
		return charmap.Windows1252.NewDecoder().Bytes(s)
	}
	return s, nil
}

func (t *dbfReader) names() []string {
	if t == nil {
		return nil
	}
	names := make([]string, len(t.fields))
	for i, f := range t.fields {
		names[i] = f.name
	}
	return names
}

// next reads a row; live is false for one that is marked as deleted.
func (t *dbfReader) next() (live bool, err error) {
	if t == nil {
		return true, nil
	}
	t.number++
	if t.left == 0 {
		return false, badDBF("has %d rows, and the .shp more shapes", t.number-1)
	}
	t.left--
	if err := readFull(t.src, t.row); err != nil {
		return false, dbfCut(err, "breaks off in row "+itoa(t.number))
	}
	return t.row[0] != dbfDeleted, nil
}

// end checks that there are no rows without a shape.
func (t *dbfReader) end() error {
	if t != nil && t.left > 0 {
		return badDBF("has %d rows more than the .shp has shapes", t.left)
	}
	return nil
}

func (t *dbfReader) close() {
	if t != nil && t.closer != nil {
		_ = t.closer.Close()
	}
}

// values gives the row its values.
func (t *dbfReader) values(rows *typedRows) error {
	if t == nil {
		return nil
	}
	for i, f := range t.fields {
		if f.name == "" {
			continue
		}
		s := t.row[f.from:f.to]
		if f.kind == 'C' {
			text, err := t.decode(bytes.TrimRight(s, " \x00"))
			if err != nil {
				return err
			}
			if err := rows.text(i, text); err != nil {
				return err
			}
			continue
		}
		s = bytes.Trim(s, " \x00")
		if len(s) == 0 || s[0] == '*' { // an overflowed number is no number
			continue
		}
		switch f.kind {
		case 'N', 'F':
			rows.dbfNumber(i, f.name, s)
		case 'D':
			if string(s) == "00000000" {
				continue
			}
			if err := rows.text(i, dbfDate(s)); err != nil {
				return err
			}
		case 'L':
			switch s[0] {
			case 'T', 't', 'Y', 'y':
				rows.boolean(i, true)
			case 'F', 'f', 'N', 'n':
				rows.boolean(i, false)
			}
		}
	}
	return nil
}

// dbfNumber gives column i the number that a row has in digits.
func (t *typedRows) dbfNumber(i int, name string, s []byte) {
	if bytes.IndexByte(s, ',') >= 0 { // written on a machine with decimal commas
		s = bytes.ReplaceAll(s, []byte{','}, []byte{'.'})
		t.im.counts.decimalComma++
	}
	s = bytes.TrimPrefix(s, []byte{'+'})
	if bytes.HasPrefix(s, []byte{'.'}) {
		s = append([]byte{'0'}, s...)
	} else if bytes.HasPrefix(s, []byte("-.")) {
		s = append([]byte("-0"), s[1:]...)
	}
	s = bytes.TrimSuffix(s, []byte{'.'})
	for len(s) > 1 && s[0] == '0' && s[1]-'0' < 10 {
		s = s[1:]
	}
	v, n, ok := scanNumber(s)
	if !ok || n != len(s) || math.IsInf(v, 0) {
		t.fault(name, "bad_number", show(s)+" is not a number")
		return
	}
	t.cell(i, cell{kind: cellNumber, num: v, text: exactNumber(nil, v, s)})
}

// dbfDate turns YYYYMMDD into YYYY-MM-DD; anything else stays as it is, for
// the reader of dates to judge.
func dbfDate(s []byte) []byte {
	if len(s) != 8 {
		return s
	}
	return []byte(string(s[:4]) + "-" + string(s[4:6]) + "-" + string(s[6:]))
}
