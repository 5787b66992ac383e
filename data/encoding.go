package data

import (
	"bytes"
	"encoding/binary"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// What text may be besides UTF-8: UTF-16, told by its first bytes, in tables,
// GPX and KML; Windows-1252, of which Latin-1 is a part, in tables. JSON is
// UTF-8 (RFC 8259).

// charset returns the encoding that the content type declares, in one spelling:
// "", utf-8, utf-16 or windows-1252; another is refused.
func charset(contentType string) (string, error) {
	_, params, _ := mime.ParseMediaType(contentType)
	switch name := strings.ToLower(params["charset"]); name {
	case "":
		return "", nil
	case "utf-8", "utf8", "us-ascii":
		return "utf-8", nil
	case "utf-16", "utf-16le", "utf-16be":
		return "utf-16", nil
	case "windows-1252", "cp1252", "iso-8859-1", "latin1":
		return "windows-1252", nil
	default:
		return "", refuse(415, "charset", "the charset %s is not read; save the file as UTF-8", show(name))
	}
}

// utf16Order tells by the first bytes of a text whether it is UTF-16: by a
// byte order mark, or because every other byte is zero.
func utf16Order(head []byte) (order unicode.Endianness, marked, is bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.LittleEndian, true, true
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return unicode.BigEndian, true, true
	}
	head = head[:min(len(head), 512)&^1]
	zeros := [2]int{}
	for i, c := range head {
		if c == 0 {
			zeros[i&1]++
		}
	}
	switch half := len(head) / 2; {
	case half < 4:
	case zeros[1]*4 >= half*3 && zeros[0]*20 <= half:
		return unicode.LittleEndian, false, true
	case zeros[0]*4 >= half*3 && zeros[1]*20 <= half:
		return unicode.BigEndian, false, true
	}
	return unicode.BigEndian, false, false
}

// decode gives a window of UTF-8 in place of one of UTF-16.
func (im *importer) decode(w window) (window, error) {
	order, marked, is := utf16Order(w.rest())
	if !is {
		if im.charset == "utf-16" {
			return w, refuse(415, "charset", "the file is declared as UTF-16 but is not; declare what it is")
		}
		return w, nil
	}
	if im.charset != "" && im.charset != "utf-16" {
		return w, refuse(415, "charset", "the file is declared as %s but is UTF-16; declare what it is", im.charset)
	}
	im.utf16 = true
	if !marked {
		im.report.warn("encoding", "", "the file has no byte order mark; every other byte is zero, so it was read as UTF-16")
	}
	text := &utf16Check{src: io.MultiReader(bytes.NewReader(bytes.Clone(w.rest())), sourceOf(w)), order: order, mended: &im.counts.mended}
	w = newWindow(unicode.UTF16(order, unicode.UseBOM).NewDecoder().Reader(text))
	w.need(windowBytes)
	return w, nil
}

// utf16Check passes UTF-16 through: it counts the unpaired surrogates, which
// the decoder replaces, and refuses a text that ends within a unit.
type utf16Check struct {
	src    io.Reader
	order  unicode.Endianness
	mended *int
	unit   [2]byte
	have   int  // bytes of unit
	high   bool // the unit before is a high surrogate
}

func (c *utf16Check) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	for _, b := range p[:n] {
		c.unit[c.have] = b
		if c.have++; c.have < 2 {
			continue
		}
		c.have = 0
		lead := c.unit[0]
		if c.order == unicode.LittleEndian {
			lead = c.unit[1]
		}
		low := lead >= 0xdc && lead <= 0xdf
		if c.high != low {
			*c.mended++
		}
		c.high = lead >= 0xd8 && lead <= 0xdb
	}
	if err == io.EOF {
		if c.have > 0 {
			return n, refuse(400, "encoding", "the UTF-16 text ends in the middle of a character; send the whole file")
		}
		if c.high {
			c.high = false
			*c.mended++
		}
	}
	return n, err
}

// sourceOf is what a window has not read yet.
func sourceOf(w window) io.Reader {
	if w.err != nil {
		return failedReader{w.err}
	}
	return w.src
}

type failedReader struct{ err error }

func (r failedReader) Read([]byte) (int, error) { return 0, r.err }

func isASCII(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// textEncoding is how the text of a table is encoded, as its lines tell.
type textEncoding struct {
	utf8   bool // declared, or met
	legacy bool // Windows-1252: declared, or a line is no UTF-8
	stated bool // legacy was declared
}

// line checks a line or field that is not ASCII; decode says that it has to be
// decoded. What is wrong follows the line's number.
func (e *textEncoding) line(line []byte) (decode bool, fault string) {
	valid := utf8.Valid(line)
	switch {
	case e.stated:
		return true, undefined1252(line)
	case valid && e.legacy:
		return false, "the text is UTF-8 here and Windows-1252 before: two encodings in one file; save it as UTF-8"
	case valid:
		e.utf8 = true
		return false, ""
	case e.utf8:
		return false, "the text is not UTF-8 here, as it is or should be elsewhere (Windows-1252 or Latin-1?); save the file as UTF-8"
	}
	e.legacy = true
	return true, undefined1252(line)
}

func undefined1252(line []byte) string {
	for _, c := range line {
		switch c {
		case 0x81, 0x8d, 0x8f, 0x90, 0x9d:
			return "the text is neither UTF-8 nor Windows-1252; save the file as UTF-8"
		}
	}
	return ""
}

func from1252(text []byte) []byte {
	out, err := charmap.Windows1252.NewDecoder().Bytes(text)
	if err != nil { // it decodes every byte
		return text
	}
	return out
}
