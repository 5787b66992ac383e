package data

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/sempadan/sempadan/geo"
)

// utf16Text encodes a text, the low byte of each unit first or last.
func utf16Text(s string, little, mark bool) string {
	var b strings.Builder
	units := utf16.Encode([]rune(s))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	for _, u := range units {
		if little {
			b.Write([]byte{byte(u), byte(u >> 8)})
		} else {
			b.Write([]byte{byte(u >> 8), byte(u)})
		}
	}
	return b.String()
}

func TestUTF16(t *testing.T) {
	table := "lon;lat;nama\n112,2;1,45;Café 日本 \U0001F600\n"
	for _, little := range []bool{true, false} {
		for _, mark := range []bool{true, false} {
			l, r := mustImport(t, utf16Text(table, little, mark), geo.KindOther)
			_, n := warning(r, "encoding")
			if l.Text(0, "nama") != "Café 日本 \U0001F600" || (n == 1) == mark {
				t.Errorf("little %v, mark %v: %+v %+v", little, mark, l.Feature(0), r.Warnings)
			}
			document := strings.Replace(gpxDoc(`<wpt lat="1" lon="112"><name>Café</name></wpt>`), "UTF-8", "UTF-16", 1)
			if l, _ := mustImport(t, utf16Text(document, little, mark), geo.KindOther); l.Text(0, "name") != "Café" {
				t.Errorf("%+v", l.Feature(0))
			}
			mustRefuse(t, 415, "encoding", utf16Text(collection(feature("")), little, mark), geo.KindOther)
		}
	}
	declared := func(o *ImportOptions) { o.ContentType = "text/csv; charset=utf-16" }
	mustImport(t, utf16Text(table, true, true), geo.KindOther, declared)
	mustRefuse(t, 415, "charset", table, geo.KindOther, declared)
	mustRefuse(t, 415, "charset", utf16Text(table, true, true), geo.KindOther, func(o *ImportOptions) { o.ContentType = "text/csv; charset=utf-8" })
	// A long text slides through the window.
	long := "lon,lat,nama\n" + strings.Repeat("112.2,1.45,Café\n", 60_000)
	if l, _ := mustImport(t, utf16Text(long, true, true), geo.KindOther); l.Len() != 60_000 || l.Text(59_999, "nama") != "Café" {
		t.Error(l.Len())
	}
}

func TestDamagedUTF16(t *testing.T) {
	for _, little := range []bool{true, false} {
		for _, bad := range []string{"\xd8\x3d", "\xde\x00"} {
			unit := bad
			if little {
				unit = bad[1:] + bad[:1]
			}
			text := utf16Text("lon,lat,nama\n112.2,1.45,a", little, true) + unit
			for _, end := range []string{"b\n", ""} {
				l, r := mustImport(t, text+utf16Text(end, little, false), geo.KindOther)
				if w, _ := warning(r, "replaced_characters"); w == nil || !strings.HasPrefix(l.Text(0, "nama"), "a\ufffd") {
					t.Errorf("little %v, %x: %+v", little, unit, r.Warnings)
				}
			}
		}
		whole := utf16Text("lon,lat,nama\n112.2,1.45,\U0001F600\n", little, true)
		if _, r := mustImport(t, whole, geo.KindOther); len(r.Warnings) > 0 {
			t.Errorf("%+v", r.Warnings)
		}
		mustRefuse(t, 400, "encoding", whole[:len(whole)-1], geo.KindOther)
		mustRefuse(t, 400, "encoding", whole+strings.Repeat(whole[2:], 30_000)+"x", geo.KindOther)
	}
}

func TestWindows1252(t *testing.T) {
	for _, text := range []string{"lon,lat,n\u00f6te\n112.2,1.45,x\n112.2,1.45,caf\xe9 \x80\n", "lon,lat,nöte\n112.2,1.45,x\n112.2,1.45,\"caf\xe9 \x80\"\n"} {
		text = strings.ReplaceAll(text, "ö", "\xf6")
		l, r := mustImport(t, text, geo.KindOther)
		if _, n := warning(r, "encoding"); n != 1 || l.Text(1, "nöte") != "café €" {
			t.Errorf("%+v %+v", l.Feature(1), r.Warnings)
		}
		l, r = mustImport(t, text, geo.KindOther, func(o *ImportOptions) { o.ContentType = "text/csv; charset=iso-8859-1" })
		if _, n := warning(r, "encoding"); n != 0 || l.Text(1, "nöte") != "café €" {
			t.Errorf("%+v %+v", l.Feature(1), r.Warnings)
		}
		mustRefuse(t, 400, "encoding", text, geo.KindOther, func(o *ImportOptions) { o.ContentType = "text/csv; charset=utf-8" })
		mustRefuse(t, 415, "charset", text, geo.KindOther, func(o *ImportOptions) { o.ContentType = "text/csv; charset=koi8-r" })
	}
	mustRefuse(t, 400, "encoding", collection(feature("\"a\":\"\xe9\"")), geo.KindOther)
	mustRefuse(t, 415, "encoding", collection(feature("")), geo.KindOther, func(o *ImportOptions) { o.ContentType = "application/json; charset=iso-8859-1" })
}
