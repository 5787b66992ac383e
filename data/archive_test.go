package data

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
)

// packed is a zip file of entries, in order.
func packed(t testing.TB, entries ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.Create(e[0])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, e[1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openZip(b []byte, limits Limits) (*archive, error) {
	return openArchive(context.Background(), bytes.NewReader(b), int64(len(b)), limits.filled())
}

func codeOf(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return fmt.Sprint(err)
}

func TestArchiveReadsEntries(t *testing.T) {
	b := packed(t, [2]string{"Dir/", ""}, [2]string{"Dir/B.SHP", "two"}, [2]string{"Dir/b.dbf", "table"}, [2]string{"a.shp", "one"}, [2]string{"__MACOSX/Dir/._a.shp", "x"})
	a, err := openZip(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	shapes := a.named(".shp")
	if len(shapes) != 2 || shapes[0].Name != "Dir/B.SHP" || shapes[1].Name != "a.shp" {
		t.Fatal(shapes)
	}
	if text, err := a.readAll(shapes[0], 10); string(text) != "two" || err != nil {
		t.Errorf("%q %v", text, err)
	}
	if f := a.sibling(shapes[0], ".dbf"); f == nil || f.Name != "Dir/b.dbf" || a.sibling(shapes[1], ".dbf") != nil {
		t.Error(f)
	}
	if _, err := a.readAll(shapes[1], 2); codeOf(err) != "archive_entry_too_large" {
		t.Error(err)
	}
}

func TestArchiveRefuses(t *testing.T) {
	many := make([][2]string, maxArchiveEntries+1)
	for i := range many {
		many[i] = [2]string{fmt.Sprint(i), ""}
	}
	change := func(b []byte, magic string, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[bytes.Index(b, []byte(magic))+at] |= v
		return b
	}
	plain := packed(t, [2]string{"a.shp", "text"})
	link := &zip.FileHeader{Name: "a.shp"}
	link.SetMode(0o777 | 1<<27) // fs.ModeSymlink
	var linked bytes.Buffer
	w := zip.NewWriter(&linked)
	f, _ := w.CreateHeader(link)
	io.WriteString(f, "/etc/passwd")
	w.Close()
	for name, c := range map[string]struct {
		body []byte
		code string
	}{
		"parent":        {packed(t, [2]string{"../a.shp", ""}), "archive_path"},
		"middle parent": {packed(t, [2]string{"x/../../a.shp", ""}), "archive_path"},
		"absolute":      {packed(t, [2]string{"/a.shp", ""}), "archive_path"},
		"drive":         {packed(t, [2]string{`C:\a.shp`, ""}), "archive_path"},
		"backslashes":   {packed(t, [2]string{`..\a.shp`, ""}), "archive_path"},
		"link":          {linked.Bytes(), "archive_link"},
		"nested":        {packed(t, [2]string{"a.ZIP", ""}), "archive_nested"},
		"encrypted":     {change(plain, zipEntryMagic, 8, 1), "archive_encrypted"},
		"method":        {change(plain, zipEntryMagic, 10, 4), "archive_method"},
		"twice":         {packed(t, [2]string{"a.shp", ""}, [2]string{"A.SHP", ""}), "archive_duplicate"},
		"twice by path": {packed(t, [2]string{"x/a.shp", ""}, [2]string{`x\./A.SHP`, ""}), "archive_duplicate"},
		"many":          {packed(t, many...), "archive_entries"},
		"count":         {change(plain, zipEndMagic, 10, 2), "bad_zip"},
		"cut":           {plain[:len(plain)-10], "bad_zip"},
		"behind":        {append(bytes.Clone(plain), zipEndMagic...), "bad_zip"},
		"only magic":    {[]byte("PK\x03\x04"), "bad_zip"},
		"empty":         {nil, "bad_zip"},
		"overlap":       {overlapping(), "archive_overlap"},
	} {
		if _, err := openZip(c.body, Limits{}); codeOf(err) != c.code {
			t.Errorf("%s: %v, expected %s", name, err, c.code)
		}
	}
}

// overlapping is a zip file of two names for one piece of it, which every
// other check lets pass.
func overlapping() []byte {
	le := binary.LittleEndian
	local := func(name string) []byte {
		h := make([]byte, 30)
		copy(h, "PK\x03\x04")
		le.PutUint32(h[14:], crc32.ChecksumIEEE([]byte("text")))
		le.PutUint32(h[18:], 4)
		le.PutUint32(h[22:], 4)
		le.PutUint16(h[26:], uint16(len(name)))
		return append(append(h, name...), "text"...)
	}
	b := local("a")
	at := len(b)
	for _, name := range []string{"a", "b"} {
		h := make([]byte, zipEntryBytes)
		copy(h, zipEntryMagic)
		copy(h[16:], b[14:26])
		le.PutUint16(h[28:], 1)
		b = append(append(b, h...), name...)
	}
	end := make([]byte, zipEndBytes)
	copy(end, zipEndMagic)
	le.PutUint16(end[8:], 2)
	le.PutUint16(end[10:], 2)
	le.PutUint32(end[12:], uint32(len(b)-at))
	le.PutUint32(end[16:], uint32(at))
	return append(b, end...)
}

// What a file unpacks to is counted, whatever it declares.
func TestArchiveLimits(t *testing.T) {
	bomb := packed(t, [2]string{"a.shp", strings.Repeat("\x00", 3<<20)})
	read := func(b []byte, limits Limits) error {
		a, err := openZip(b, limits)
		if err != nil {
			return err
		}
		_, err = a.readAll(a.files[0], 1<<30)
		return err
	}
	if err := read(bomb, Limits{}); codeOf(err) != "compression_ratio" {
		t.Error(err)
	}
	if err := read(bomb, Limits{Ratio: 1e6}); err != nil {
		t.Error(err)
	}
	if err := read(bomb, Limits{Ratio: 1e6, UnpackedBytes: 2 << 20}); codeOf(err) != "unpacked_too_large" {
		t.Error(err)
	}
	unread := packed(t, [2]string{"a.shp", "text"}, [2]string{"notes.txt", strings.Repeat("\x00", 3<<20)})
	if err := read(unread, Limits{}); codeOf(err) != "compression_ratio" {
		t.Errorf("a bomb beside the layer: %v", err)
	}
	if err := read(packed(t, [2]string{"a.shp", "text"}, [2]string{"notes.txt", strings.Repeat("\x00", 1<<20)}), Limits{}); err != nil {
		t.Errorf("one MiB of zeros beside the layer: %v", err)
	}
	lies := bytes.Clone(bomb)
	k := bytes.Index(lies, []byte(zipEntryMagic))
	binary.LittleEndian.PutUint32(lies[k+24:], 5)
	if err := read(lies, Limits{Ratio: 1e6, UnpackedBytes: 2 << 20}); codeOf(err) != "unpacked_too_large" && codeOf(err) != "bad_zip" {
		t.Error(err)
	}
	wrong := packed(t, [2]string{"a.shp", "text"})
	wrong[bytes.Index(wrong, []byte(zipEntryMagic))+16]++
	if err := read(wrong, Limits{}); codeOf(err) != "bad_zip" {
		t.Errorf("a wrong checksum: %v", err)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(packed(f, [2]string{"a.shp", "text"}, [2]string{"x/b.dbf", "more"}))
	f.Add(overlapping())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := openZip(b, Limits{UnpackedBytes: 1 << 20})
		if err == nil {
			for _, file := range a.files {
				if _, err = a.readAll(file, 1<<20); err != nil {
					break
				}
			}
		}
		if r := (*Refusal)(nil); err != nil && !errors.As(err, &r) {
			t.Fatal(err)
		}
	})
}

// KML comes in an archive as doc.kml or as its only .kml.
func TestKMZIsRead(t *testing.T) {
	l := samples(t)["mixed"]
	got, r := importBytes(t, exported(t, FormatKMZ, l))
	if got.Len() != l.Len() || r.Format != FormatKMZ {
		t.Errorf("%d features of %d, %s", got.Len(), l.Len(), r.Format)
	}
	text := string(exported(t, FormatKML, l))
	both := map[string]string{"doc.kml": text, "s.shp": string(shpOf(1, shapeOf(1, 110.5, 1.5)))}
	if _, _, err := importZip(t, both); codeOf(err) != "several_layers" || !strings.Contains(err.Error(), "doc.kml") {
		t.Errorf("a Shapefile beside a KML: %v", err)
	}
	for layer, format := range map[string]string{"s": FormatShapefile, "doc.kml": FormatKMZ} {
		if _, r, err := importZip(t, both, func(o *ImportOptions) { o.Layer = layer }); err != nil || r.Format != format {
			t.Errorf("layer %s: %+v %v", layer, r, err)
		}
	}
	for names, code := range map[string]string{"doc.kml b.kml": "", "a.kml": "", "a.kml b.kml": "several_layers"} {
		files := map[string]string{"images/x.png": "x"}
		for _, name := range strings.Fields(names) {
			files[name] = text
		}
		if _, _, err := importZip(t, files); (err != nil || code != "") && codeOf(err) != code {
			t.Errorf("%s: %v", names, err)
		}
	}
}
