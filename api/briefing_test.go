package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

var languages = []tiles.Lang{tiles.English, tiles.Indonesian, tiles.Malay}

// report is the report of the built-in layers and the demo.
func report(t testing.TB, lang tiles.Lang) api.GapReport {
	t.Helper()
	a, err := assessed()
	if err != nil {
		t.Fatal(err)
	}
	return api.GapReport{Assessment: a, At: clock, Lang: lang}
}

func render(t testing.TB, g api.GapReport, format api.GapFormat) []byte {
	t.Helper()
	body, err := g.Render(format)
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return body
}

// paper is what a page of HTML holds.
type paper struct {
	text     string // with labels
	elements map[string]int
	lang     string
	rows     []string // the texts of the rows of the table, less the head
}

// readPage parses a page and refuses what it must not have: scripts, handlers,
// styles beside its own, and anything from elsewhere.
func readPage(t *testing.T, body []byte) (p paper) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(body))
	p.elements = map[string]int{}
	var text, row strings.Builder
	depth, inStyle := 0, false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page cannot be parsed: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			depth++
			p.elements[x.Name.Local]++
			inStyle = x.Name.Local == "style"
			if x.Name.Local == "tr" {
				row.Reset()
			}
			for _, a := range x.Attr {
				switch name := a.Name.Local; {
				case name == "lang":
					p.lang = a.Value
				case name == "aria-label":
					text.WriteString(a.Value + " ")
				case name == "style", name == "src", name == "href", strings.HasPrefix(name, "on"):
					t.Errorf("<%s %s=%q>", x.Name.Local, name, a.Value)
				case strings.Contains(a.Value, "://") && a.Value != "http://www.w3.org/2000/svg", strings.Contains(a.Value, "url("):
					t.Errorf("<%s %s=%q> is from elsewhere", x.Name.Local, name, a.Value)
				}
			}
		case xml.EndElement:
			depth--
			inStyle = false
			if x.Name.Local == "tr" {
				p.rows = append(p.rows, row.String())
			}
		case xml.CharData:
			if !inStyle {
				text.Write(x)
				row.Write(x)
				row.WriteByte('\n')
				text.WriteByte(' ')
			}
		}
	}
	for _, bad := range []string{"script", "img", "link", "iframe", "object", "a"} {
		if p.elements[bad] > 0 {
			t.Errorf("%d elements <%s>", p.elements[bad], bad)
		}
	}
	if depth != 0 || p.elements["html"] != 1 || p.elements["h1"] != 1 || p.elements["style"] != 1 {
		t.Errorf("depth %d at the end, %v", depth, p.elements)
	}
	if len(p.rows) > 0 {
		p.rows = p.rows[1:]
	}
	p.text = text.String()
	return p
}

// poppler runs a program of poppler-utils on a PDF, the judge that shares no
// code with this one.
func poppler(t *testing.T, body []byte, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing; install poppler-utils", name)
		}
		t.Skipf("THE PDF IS NOT READ: %s is missing; install poppler-utils", name)
	}
	path := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		args[i] = strings.Replace(a, "{}", path, 1)
	}
	var faults bytes.Buffer
	c := exec.Command(name, args...)
	c.Stderr = &faults
	out, err := c.Output()
	if err != nil || faults.Len() > 0 {
		t.Fatalf("%s: %v: %s", name, err, faults.Bytes())
	}
	return string(out)
}

func pdfText(t *testing.T, body []byte) string {
	t.Helper()
	return poppler(t, body, "pdftotext", "-layout", "{}", "-")
}

// neverIn are words of the other country, or that say something else there.
var neverIn = map[tiles.Lang][]string{
	tiles.Indonesian: {"mangsa", "rondaan", "jurang", "kebarangkalian", "sederhana", "kritikal", "agensi", "sempadan", "keterukan", "liputan", "undetected", "section"},
	tiles.Malay:      {"korban", "patroli", "celah", "peluang", "sedang", "kritis", "instansi", "perbatasan", "tingkat", "upaya", "cakupan", "undetected", "section"},
}

func checkWords(t *testing.T, lang tiles.Lang, text string) {
	t.Helper()
	for _, w := range neverIn[lang] {
		if m := regexp.MustCompile(`(?i).{0,40}\b` + w + `\b.{0,20}`).FindString(text); m != "" {
			t.Errorf("%s: %q has the word %s", lang, m, w)
		}
	}
	for _, bad := range []string{"NaN", "%!", "Inf ", "<nil>"} {
		if i := strings.Index(text, bad); i >= 0 {
			t.Errorf("%s: %s: %q", lang, bad, text[max(0, i-40):min(len(text), i+40)])
		}
	}
}

// Every gap is on the page and in the PDF, in each language, with what it is
// of; the model, the assessment and the synthetic data are named.
func TestBriefingHasEveryGap(t *testing.T) {
	stamps := map[tiles.Lang][]string{
		tiles.English:    {"SYNTHETIC DATA", "Patrol-gap report", "Search coverage is not the probability of interception", "WITA/MYT", "A proposal that nobody has agreed yet"},
		tiles.Indonesian: {"DATA SINTETIS", "Laporan celah patroli", "Cakupan pencarian bukan peluang pencegatan", "WITA/MYT", "Usulan yang belum disepakati siapa pun"},
		tiles.Malay:      {"DATA SINTETIK", "Laporan jurang rondaan", "Liputan carian bukan kebarangkalian pemintasan", "WITA/MYT", "Cadangan yang belum dipersetujui sesiapa"},
	}
	for _, lang := range languages {
		g := report(t, lang)
		gaps := g.Assessment.Gaps(risk.GapFilter{})
		if len(gaps) < 20 {
			t.Fatalf("only %d gaps", len(gaps))
		}
		page := readPage(t, render(t, g, api.GapsHTML))
		printed := strings.Join(strings.Fields(pdfText(t, render(t, g, api.GapsPDF))), " ")
		for _, want := range append(stamps[lang], g.Assessment.Version, g.Assessment.Model.Version) {
			if !strings.Contains(page.text, want) {
				t.Errorf("%s: the page does not say %q", lang, want)
			}
			if !strings.Contains(printed, want) {
				t.Errorf("%s: the PDF does not say %q", lang, want)
			}
		}
		if page.lang != string(lang) || len(page.rows) != len(gaps) {
			t.Errorf("%s: lang %q, %d rows of %d", lang, page.lang, len(page.rows), len(gaps))
			continue
		}
		for i, row := range gaps {
			if r := page.rows[i]; !strings.HasPrefix(r, strconv.Itoa(row.Rank)+"\n") || !strings.Contains(r, row.Section.ID+", ") || !strings.Contains(r, map[int]string{7: "WIB", 8: "WITA/MYT"}[row.Section.Profile.ZoneHours]) {
				t.Errorf("%s: row %d is %.200q", lang, i+1, r)
			}
			if !strings.Contains(printed, row.Section.ID+", ") {
				t.Errorf("%s: the PDF does not have section %s", lang, row.Section.ID)
			}
			for _, agency := range row.Section.Agencies {
				if !strings.Contains(page.rows[i], agency) {
					t.Errorf("%s: row %d does not name %s", lang, i+1, agency)
				}
			}
		}
		if want := len(gaps) + 3; page.elements["svg"] < want { // week, overview, legend, one detail at least
			t.Errorf("%s: %d pictures, fewer than %d", lang, page.elements["svg"], want)
		}
		checkWords(t, lang, page.text)
		checkWords(t, lang, printed)
	}
}

// The same report has the same bytes, and its fonts in it.
func TestBriefingIsTheSameTwice(t *testing.T) {
	g := report(t, tiles.Malay)
	for _, format := range []api.GapFormat{api.GapsHTML, api.GapsPDF} {
		first := render(t, g, format)
		for range 3 {
			if !bytes.Equal(first, render(t, g, format)) {
				t.Errorf("%s differs from one time to the next", format)
			}
		}
		if bytes.Equal(first, render(t, report(t, tiles.English), format)) {
			t.Errorf("%s is the same in another language", format)
		}
	}
	body := render(t, g, api.GapsPDF)
	info := poppler(t, body, "pdfinfo", "-isodates", "{}")
	for _, want := range []string{"Laporan jurang rondaan", g.Assessment.AsOf.Format("2006-01-02T15:04:05Z"), "A4", "JavaScript:      no"} {
		if !strings.Contains(info, want) {
			t.Errorf("the PDF does not say %q:\n%s", want, info)
		}
	}
	fonts := strings.Split(strings.TrimSpace(poppler(t, body, "pdffonts", "{}")), "\n")[2:]
	for _, f := range fonts {
		if !regexp.MustCompile(`Identity-H\s+yes\s`).MatchString(f) {
			t.Errorf("a font is not embedded: %s", f)
		}
	}
	pages := regexp.MustCompile(`Pages:\s+(\d+)`).FindStringSubmatch(info)[1]
	if text := pdfText(t, body); !strings.Contains(text, "halaman "+pages+" daripada "+pages) || len(fonts) != 2 {
		t.Errorf("%s pages, but the last does not say so; %d fonts", pages, len(fonts))
	}
}

// What the font has no letter for, markup, and words of the PDF writer do no
// harm wherever a layer can put them.
func TestBriefingOfHostileNames(t *testing.T) {
	ls, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	const markup = `</style><script>alert(1)</script><img src=x onerror=alert(1)>"'&{nb}`
	odd := markup + "\x00\u202e𝕏漢\ufffe\n(Tj) \\ " + strings.Repeat("W", 300)
	ls = slices.Clone(ls)
	for i, l := range ls {
		switch l.Info.ID {
		case "places":
			b := geo.NewBuilder(l.Info)
			for k := range 400 {
				name := odd
				if k%2 > 0 { // short enough for a map
					name = fmt.Sprintf("<i>%d\"&\x00", k)
				}
				b.Add(geo.Feature{ID: fmt.Sprint(k), Geometry: orb.Point{99 + float64(k%40)/2, 0.5 + float64(k/40)/2}, Properties: map[string]any{"name": name}})
			}
			ls[i] = b.Layer()
		case "jurisdictions":
			b := geo.NewBuilder(l.Info)
			b.Add(geo.Feature{ID: "all", Geometry: orb.Bound{Min: orb.Point{95, -2}, Max: orb.Point{121, 8}}.ToPolygon(),
				Properties: map[string]any{"agency": odd, "country": "ID", "powers": odd}})
			for k := range 300 { // more than a page holds
				b.Add(geo.Feature{ID: fmt.Sprint(k), Geometry: orb.Bound{Min: orb.Point{95, -2}, Max: orb.Point{121, 8}}.ToPolygon(),
					Properties: map[string]any{"agency": fmt.Sprintf("Zz agency %d of a long name", k), "country": "ID"}})
			}
			ls[i] = b.Layer()
		case "official_crossings":
			b := geo.NewBuilder(l.Info)
			b.Add(geo.Feature{ID: "x", Geometry: orb.Point{110.3, 1}, Properties: map[string]any{"name": odd, "kind": odd}})
			ls[i] = b.Layer()
		}
	}
	m := risk.DefaultModel()
	m.Version = markup
	m.Responses.AgreedIn = markup
	a, err := risk.Assess(context.Background(), risk.Inputs{Layers: ls, Now: clock, Program: "test"}, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range languages {
		g := api.GapReport{Assessment: a, At: clock, Lang: lang, Filter: risk.GapFilter{Limit: 12, Agency: odd}}
		page := readPage(t, render(t, g, api.GapsHTML))
		if len(page.rows) != 12 || strings.Count(page.text, `<script>alert(1)</script>`) < 12 {
			t.Errorf("%s: %d rows, the name is there %d times", lang, len(page.rows), strings.Count(page.text, `<script>`))
		}
		if page.elements["i"] > 0 || !regexp.MustCompile(`<text[^>]*>&lt;i&gt;\d+&#34;&amp;</text>`).Match(render(t, g, api.GapsHTML)) {
			t.Errorf("%s: no map has a hostile name, or one is markup", lang)
		}
		text := strings.Join(strings.Fields(pdfText(t, render(t, g, api.GapsPDF))), "")
		if !strings.Contains(text, "<script>alert(1)</script>") || !strings.Contains(text, "{nb}") {
			t.Errorf("%s: the PDF changed the name: %.300s", lang, text)
		}
		if strings.Count(text, "…") != 12 {
			t.Errorf("%s: %d cells are cut", lang, strings.Count(text, "…"))
		}
	}
}

// A report of nothing says so, and that nothing is not safe.
func TestBriefingOfNothing(t *testing.T) {
	ls, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	quiet := slices.DeleteFunc(slices.Clone(ls), func(l *geo.Layer) bool { return l.Info.Kind == geo.KindIncident })
	line := geo.NewBuilder(geo.LayerInfo{ID: "line", Kind: geo.KindBoundary, Base: true})
	line.Add(geo.Feature{ID: "1", Geometry: orb.LineString{{110, 1}, {110, 1}}})
	for name, layers := range map[string][]*geo.Layer{"no layers": nil, "no incidents": quiet, "a line without length": {line.Layer()}} {
		a, err := risk.Assess(context.Background(), risk.Inputs{Layers: layers, Now: clock, Program: "test"}, risk.DefaultModel())
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range languages {
			g := api.GapReport{Assessment: a, At: clock, Lang: lang}
			page := readPage(t, render(t, g, api.GapsHTML))
			printed := strings.Join(strings.Fields(pdfText(t, render(t, g, api.GapsPDF))), " ")
			checkWords(t, lang, page.text)
			checkWords(t, lang, printed)
			none := map[tiles.Lang]string{tiles.English: "not the same as safe", tiles.Indonesian: "tidak sama dengan aman", tiles.Malay: "tidak sama dengan selamat"}[lang]
			if n := len(a.Gaps(risk.GapFilter{})); n != len(page.rows) || (n == 0) != strings.Contains(page.text, none) || (n == 0) != strings.Contains(printed, none) {
				t.Errorf("%s, %s: %d gaps, %d rows", name, lang, n, len(page.rows))
			}
			if synthetic := strings.Contains(page.text, "SYNTHETIC") || strings.Contains(page.text, "SINTETI"); synthetic != a.Synthetic {
				t.Errorf("%s, %s: marked as synthetic: %v", name, lang, synthetic)
			}
		}
	}
}

// As served: the policy lets in the page's own style and nothing else; a level
// that is contested is marked; the filters hold.
func TestBriefingIsServed(t *testing.T) {
	s := start(t, "", true)
	id := s.want(200, "/v1/gaps?limit=1").json(t)["gaps"].([]any)[0].(map[string]any)["section_id"].(string)
	if a := s.want(200, "/v1/gaps?format=html&limit=3"); strings.Contains(string(a.body), `class="contested"`) {
		t.Error("contested before anybody signed")
	}
	s.sign(id, word("critical", "ID"))
	a := s.want(200, "/v1/gaps?format=html&limit=3&country=MY&lang=ms")
	page := readPage(t, a.body)
	if len(page.rows) != 3 || a.header.Get("Content-Type") != "text/html; charset=utf-8" || a.header.Get("Content-Disposition") != `inline; filename="sempadan-gaps.html"` {
		t.Errorf("%d rows, %v", len(page.rows), a.header)
	}
	if !strings.Contains(page.text, "Hanya") || !strings.Contains(page.text, "Malaysia; ≤ 3 jurang") {
		t.Error("the page does not say what it was narrowed to")
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindSubmatch(a.body)[1]
	sum := sha256.Sum256(style)
	policy := a.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
	all := string(s.want(200, "/v1/gaps?format=html").body)
	if n := strings.Count(all, `class="contested"`); n != 1 || !strings.Contains(all, "Indonesia signed: critical") {
		t.Errorf("%d contested levels", n)
	}
	p := s.want(200, "/v1/gaps?format=pdf&limit=3&lang=id")
	if p.header.Get("Content-Type") != "application/pdf" || p.header.Get("Content-Disposition") != `inline; filename="sempadan-gaps.pdf"` || !bytes.HasPrefix(p.body, []byte("%PDF-")) {
		t.Errorf("%v %.20q", p.header, p.body)
	}
	if again := s.want(200, "/v1/gaps?format=pdf&limit=3&lang=id"); again.header.Get("ETag") != p.header.Get("ETag") {
		t.Error("another tag for the same report")
	}
	if text := pdfText(t, s.want(200, "/v1/gaps?format=pdf").body); !strings.Contains(text, "Indonesia signed: critical") {
		t.Error("the PDF does not say who signed")
	}
	s.want(400, "/v1/gaps?format=docx")
	s.want(400, "/v1/sections?format=pdf")
	s.want(400, "/v1/gaps/diff?format=html&from=2026-10-01")
}

func BenchmarkBriefing(b *testing.B) {
	g := report(b, tiles.English)
	for _, format := range []api.GapFormat{api.GapsHTML, api.GapsPDF} {
		b.Run(string(format), func(b *testing.B) {
			n := 0
			for b.Loop() {
				n = len(render(b, g, format))
			}
			b.ReportMetric(float64(n)/1024, "KiB")
		})
	}
}
