package data

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// xmlTokenBytes bounds one token of an XML file: a ring of a million vertices
// is one run of text.
const xmlTokenBytes = 48 << 20

// xmlReader reads XML token by token and strictly: no document type, bounded
// depth and lengths. The first fault ends it: failed is set, and every later
// call finds the end.
type xmlReader struct {
	dec    *xml.Decoder
	src    *xmlSource
	limits Limits
	depth  int
	failed error
}

// xmlSource hands the decoder a window byte by byte and stops at a token that
// is too long.
type xmlSource struct {
	window
	token int // bytes since the last token began
}

func (s *xmlSource) ReadByte() (byte, error) {
	if s.pos == s.end && !s.more() {
		return 0, s.err
	}
	if s.token++; s.token > xmlTokenBytes {
		return 0, refuse(413, "value_too_long", "byte %d: a text or tag is longer than %d bytes; split the file", s.offset(), xmlTokenBytes)
	}
	c := s.buf[s.pos]
	s.pos++
	return c, nil
}

func (s *xmlSource) Read(p []byte) (int, error) {
	for n := range p {
		c, err := s.ReadByte()
		if err != nil {
			return n, err
		}
		if p[n] = c; c == '>' { // no further than the decoder needs
			return n + 1, nil
		}
	}
	return len(p), nil
}

func newXMLReader(w window, limits Limits) *xmlReader {
	x := &xmlReader{src: &xmlSource{window: w}, limits: limits}
	x.dec = xml.NewDecoder(x.src)
	x.dec.CharsetReader = xmlCharset
	return x
}

// xmlCharset decodes what an XML declaration may name besides UTF-8. UTF-16
// was decoded before, by its byte order.
func xmlCharset(charset string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be":
		return in, nil
	case "iso-8859-1", "latin1", "latin-1":
		return charmap.ISO8859_1.NewDecoder().Reader(in), nil
	case "windows-1252", "cp1252":
		return charmap.Windows1252.NewDecoder().Reader(in), nil
	}
	return nil, refuse(415, "charset", "the encoding %s is not read; save the file as UTF-8", show(charset))
}

func (x *xmlReader) line() int {
	line, _ := x.dec.InputPos()
	return line
}

func (x *xmlReader) fail(status int, code, format string, args ...any) {
	if x.failed == nil {
		x.failed = refuse(status, code, "line %d: %s", x.line(), fmt.Sprintf(format, args...))
	}
}

// token returns the next token, nil at the end of the file or on a fault.
func (x *xmlReader) token() xml.Token {
	if x.failed != nil {
		return nil
	}
	x.src.token = 0
	t, err := x.dec.Token()
	var bad *xml.SyntaxError
	var refusal *Refusal
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &refusal):
		x.failed = refusal
	case errors.As(err, &bad):
		code := "bad_xml"
		if strings.Contains(bad.Msg, "UTF-8") {
			code = "encoding"
		}
		x.failed = refuse(400, code, "line %d: the file is not valid XML, or was cut off (%s)", bad.Line, show(bad.Msg))
	case x.src.err != nil && !errors.Is(x.src.err, io.EOF):
		x.failed = x.src.err
	default:
		x.fail(400, "bad_xml", "the file is not valid XML (%s)", show(err.Error()))
	}
	if err != nil {
		return nil
	}
	switch t := t.(type) {
	case xml.Directive:
		x.fail(422, "doctype", "the file declares a document type, which is never read; take the <!DOCTYPE …> out")
		return nil
	case xml.StartElement:
		if x.depth++; x.depth > x.limits.Depth {
			x.fail(422, "too_deep", "more than %d levels of nesting; flatten the file", x.limits.Depth)
			return nil
		}
		x.checkAttributes(t)
	case xml.EndElement:
		x.depth--
	}
	if x.failed != nil {
		return nil
	}
	return t
}

func (x *xmlReader) checkAttributes(e xml.StartElement) {
	if len(e.Attr) > x.limits.Properties {
		x.fail(413, "too_many_properties", "an element has more than %d attributes", x.limits.Properties)
		return
	}
	for i, a := range e.Attr {
		if len(a.Value) > x.limits.ValueBytes {
			x.fail(413, "value_too_long", "an attribute is longer than %d bytes", x.limits.ValueBytes)
		}
		for _, b := range e.Attr[:i] {
			if a.Name == b.Name {
				x.fail(400, "bad_xml", "the attribute %s stands twice in one element", show(a.Name.Local))
			}
		}
	}
}

// root returns the first element.
func (x *xmlReader) root() (e xml.StartElement, ok bool) {
	for t := x.token(); t != nil; t = x.token() {
		if e, ok := t.(xml.StartElement); ok {
			return e, true
		}
	}
	x.fail(400, "bad_xml", "the file has no element")
	return e, false
}

// child returns the next element inside the one at hand; false at its end.
// What is returned must be read to its end: by child, text or skip.
func (x *xmlReader) child() (e xml.StartElement, ok bool) {
	for t := x.token(); t != nil; t = x.token() {
		switch t := t.(type) {
		case xml.StartElement:
			return t, true
		case xml.EndElement:
			return e, false
		}
	}
	return e, false
}

// text returns the text of the element at hand and reads it to its end; the
// elements inside are passed over.
func (x *xmlReader) text(limit int) []byte {
	var text []byte
	for t := x.token(); t != nil; t = x.token() {
		switch t := t.(type) {
		case xml.CharData:
			if len(text)+len(t) > limit {
				x.fail(413, "value_too_long", "a text is longer than %d bytes", limit)
				return nil
			}
			text = append(text, t...)
		case xml.StartElement:
			x.skip()
		case xml.EndElement:
			return bytes.TrimSpace(text)
		}
	}
	return nil
}

// value is text of the length that a property may have.
func (x *xmlReader) value() []byte { return x.text(x.limits.ValueBytes) }

// skip passes over the rest of the element at hand.
func (x *xmlReader) skip() {
	for depth := x.depth; x.depth >= depth && x.token() != nil; {
	}
}

// end checks that nothing but remarks follows the root.
func (x *xmlReader) end() {
	for t := x.token(); t != nil; t = x.token() {
		if c, isText := t.(xml.CharData); isText && len(bytes.TrimSpace(c)) == 0 {
			continue
		}
		switch t.(type) {
		case xml.StartElement, xml.CharData:
			x.fail(400, "trailing_data", "something follows the end of the document")
		}
	}
}

// attribute returns an attribute by its name without name space.
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// xmlRoot returns the name of the first element of a text that begins with <,
// without its prefix, "" when the text shows none.
func xmlRoot(text []byte) string {
	for {
		at := bytes.IndexByte(text, '<')
		if at < 0 || at+1 >= len(text) {
			return ""
		}
		text = text[at+1:]
		end := []byte{'>'}
		switch {
		case bytes.HasPrefix(text, []byte("!--")):
			end = []byte("-->")
		case text[0] == '!':
			if bytes.HasPrefix(bytes.ToLower(text), []byte("!doctype html")) {
				return "html"
			}
			if k := bytes.IndexByte(text, '>'); bytes.IndexByte(text[:max(k, 0)], '[') >= 0 {
				end = []byte("]>")
			}
		case text[0] == '?':
			end = []byte("?>")
		default:
			n := bytes.IndexAny(text, " \t\r\n/>")
			if n < 0 {
				n = min(len(text), maxNameBytes)
			}
			name := string(text[:n])
			return strings.ToLower(name[strings.IndexByte(name, ':')+1:])
		}
		at = bytes.Index(text, end)
		if at < 0 {
			return ""
		}
		text = text[at+len(end):]
	}
}
