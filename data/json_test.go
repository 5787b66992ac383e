package data

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func readerOf(text string) *jsonReader {
	return &jsonReader{window: newWindow(strings.NewReader(text)), limits: DefaultLimits()}
}

func TestScanNumber(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		ok   bool
	}{
		{"0", 1, true}, {"-0", 2, true}, {"112.2,", 5, true}, {"1e5", 3, true}, {"1E-5]", 4, true},
		{"1.7976931348623157e308", 22, true}, {"123456789012345678901234567890", 30, true}, {"0.1", 3, true},
		{"5e-324", 6, true}, {"9007199254740993", 16, true}, {"112.19751286137476", 18, true},
		{"", 0, false}, {"-", 1, false}, {"+1", 0, false}, {".5", 0, false}, {"1.", 2, false}, {"1.e5", 2, false},
		{"01", 2, false}, {"1e", 2, false}, {"1e+", 3, false}, {"NaN", 0, false}, {"Infinity", 0, false}, {"0x10", 1, true}, {"1_000", 1, true},
	} {
		v, n, ok := scanNumber([]byte(c.text))
		if n != c.n || ok != c.ok {
			t.Errorf("%q: %d %v", c.text, n, ok)
		}
		if want, err := strconv.ParseFloat(c.text[:n], 64); ok && (err != nil || v != want) {
			t.Errorf("%q: %v, expected %v", c.text, v, want)
		}
	}
	if v, _, ok := scanNumber([]byte("1e999")); !ok || !math.IsInf(v, 1) {
		t.Error("overflow", v, ok)
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		`"plain"`: "plain", `""`: "", `"Sungai Ülü"`: "Sungai Ülü", `"a\"\\\/\b\f\n\r\tb"`: "a\"\\/\b\f\n\r\tb",
		`"\u00e9\uD83D\uDE00"`: "é😀", `"\ud83d"`: "\ufffd", `"\ude00x"`: "\ufffdx", `"a\u0000b"`: "a\ufffdb", `"\ud83d\ud83d\ude00"`: "\ufffd😀",
	} {
		j := readerOf(text)
		j.peek()
		if got := string(j.text(nil, 100)); got != want || j.failed != nil || j.pos != j.end {
			t.Errorf("%s: %q %v", text, got, j.failed)
		}
	}
	for _, text := range []string{`"open`, "\"a\nb\"", `"\x"`, `"\u12g4"`, `"\u12`, `"\`, "\"\xff\"", "\"\xc3\\u00a9\"", "\"\xed\xa0\x80\""} {
		j := readerOf(text)
		j.peek()
		if j.text(nil, 100); j.failed == nil {
			t.Errorf("%q is taken", text)
		}
	}
	j := readerOf(`"` + strings.Repeat("a", 101) + `"`)
	j.peek()
	if j.text(nil, 100); j.failed == nil || j.failed.(*Refusal).Status != 413 {
		t.Error("no limit", j.failed)
	}
}

// The twin of the reader is encoding/json, which is laxer in two things: bad
// UTF-8 and depth.
func checkAgainstStd(t *testing.T, text []byte) {
	j := &jsonReader{window: newWindow(bytes.NewReader(text)), limits: Limits{ValueBytes: 1 << 30, Depth: 64, PropertyDepth: 64}, rawMax: 1 << 30}
	nothing := func([]byte) {}
	raw := j.raw(nil, 0, rawLook{name: nothing, text: nothing})
	if j.failed == nil && j.peek() != 0 {
		j.unexpected("the end")
	}
	if j.failed == nil && j.pos < j.end {
		j.unexpected("the end")
	}
	valid := json.Valid(text)
	if j.failed == nil {
		if !valid {
			t.Fatalf("%q is taken", text)
		}
		if !json.Valid(raw) || !utf8.Valid(raw) {
			t.Fatalf("%q became %q", text, raw)
		}
	} else if r, ok := j.failed.(*Refusal); !ok {
		t.Fatal(j.failed)
	} else if valid && utf8.Valid(text) && r.Code == "bad_json" {
		if !strings.Contains(r.Message, "characters") {
			t.Fatalf("%q: %v", text, j.failed)
		}
	}
	s := &jsonReader{window: newWindow(iotest.OneByteReader(bytes.NewReader(text))), limits: j.limits}
	if s.skip(); s.failed == nil && (s.peek() != 0 || s.pos < s.end) {
		s.unexpected("the end")
	}
	if r, ok := j.failed.(*Refusal); (s.failed == nil) != (j.failed == nil) && !(ok && r.Code == "too_deep") {
		t.Fatalf("%q: skip says %v, raw %v", text, s.failed, j.failed)
	}
}

var jsonSeeds = []string{`{}`, `[]`, `[1,2.5,-3e7,"a",true,false,null,{"a":[{}]}]`, `{"a":1,}`, `[1,]`, `[,1]`, `{"a" 1}`, `{"a":}`, `{a:1}`, `[1 2]`,
	`tru`, `nul`, `01`, `1.`, `"\u00"`, "\xef\xbb\xbf[]", ``, ` `, `[`, `{"a"`, `{"a":[`, `1 2`, "[\x00]", `"é"`, "\"\xe2\x80\xa8\"", `-`, `["a":1]`}

func TestJSONTwin(t *testing.T) {
	for _, text := range jsonSeeds {
		checkAgainstStd(t, []byte(text))
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkAgainstStd(t, text) })
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1", "-0.5e-3", "1e400", "00", "12345678901234567890.123"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, n, ok := scanNumber([]byte(s))
		if !ok {
			if json.Valid([]byte(s)) && s != "" && strings.IndexByte("-0123456789", s[0]) >= 0 {
				t.Fatalf("%q is refused", s)
			}
			return
		}
		want, _ := strconv.ParseFloat(s[:n], 64)
		if v != want || !json.Valid([]byte(s[:n])) {
			t.Fatalf("%q: %v, expected %v", s, v, want)
		}
	})
}

func TestQuoted(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"b\\c\n\r\t\x01\x7f", "é😀", "\u2028\u2029\u2027", "\xe2"} {
		got := appendQuoted(nil, s)
		var back string
		if err := json.Unmarshal(got, &back); err != nil || back != validText(s) {
			t.Errorf("%q: %s %v", s, got, err)
		}
	}
}

func TestAppendDegrees(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 112.2: "112.2", -0.5: "-0.5", 1.00000004: "1", 1.00000005: "1.0000001", -179.9999999: "-179.9999999",
		0.0000001: "0.0000001", -0.00000001: "0", 180: "180", 109.20244668586: "109.2024467",
	} {
		if got := string(appendDegrees(nil, v)); got != want && !(v == 1.00000005 && got == "1") {
			t.Errorf("%v: %s", v, got)
		}
	}
}

func TestAppendDecimal(t *testing.T) {
	for _, c := range []struct {
		n        int64
		decimals int
		want     string
	}{
		{0, 7, "0"}, {5, 7, "0.0000005"}, {-5, 7, "-0.0000005"}, {10_000_000, 7, "1"}, {1_023_079_680, 7, "102.307968"},
		{-1_800_000_000, 7, "-180"}, {100, 3, "0.1"}, {382_933, 3, "382.933"}, {2_000_000_000, 3, "2000000"}, {120, 3, "0.12"}, {20_003_931_459, 3, "20003931.459"},
	} {
		if got := string(appendDecimal(nil, c.n, c.decimals)); got != c.want {
			t.Errorf("%d by %d decimals: %s, want %s", c.n, c.decimals, got, c.want)
		}
	}
	r := rand.New(rand.NewPCG(1, 9))
	for range 100_000 {
		d := math.Round(math.Pow(10, 8*r.Float64()-1)*1000) / 1000
		want := strconv.FormatFloat(d, 'f', -1, 64)
		if got := string(appendDecimal(nil, int64(math.Round(d*1000)), 3)); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		v := -180 + 360*r.Float64()
		want = strings.TrimRight(strings.TrimRight(strconv.FormatFloat(math.Round(v*1e7)/1e7, 'f', 7, 64), "0"), ".")
		if got := string(appendDegrees(nil, v)); got != want && want != "-0" {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}
