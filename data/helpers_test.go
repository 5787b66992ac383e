package data

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo"
)

// importText imports a text as a layer of a kind.
func importText(text string, kind geo.LayerKind, change ...func(*ImportOptions)) (*geo.Layer, *Report, error) {
	opts := ImportOptions{Info: geo.LayerInfo{ID: "t", Kind: kind}, Now: testNow}
	for _, c := range change {
		c(&opts)
	}
	return Import(context.Background(), strings.NewReader(text), opts)
}

// mustImport is importText for a file that has to be taken.
func mustImport(t testing.TB, text string, kind geo.LayerKind, change ...func(*ImportOptions)) (*geo.Layer, *Report) {
	t.Helper()
	l, r, err := importText(text, kind, change...)
	if err != nil {
		t.Fatalf("%v\n%+v", err, r)
	}
	return l, r
}

// mustRefuse imports a file that must not be taken, and checks the code.
func mustRefuse(t testing.TB, status int, code, text string, kind geo.LayerKind, change ...func(*ImportOptions)) *Refusal {
	t.Helper()
	l, report, err := importText(text, kind, change...)
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("taken, or no refusal: %v %+v", err, report)
	}
	if r.Status != status || r.Code != code || l != nil || r.Report == nil || r.Report.Accepted != 0 {
		t.Fatalf("refusal %d %s %q, expected %d %s", r.Status, r.Code, r.Message, status, code)
	}
	return r
}

// warning returns the warnings of a code, and how much they count together.
func warning(r *Report, code string) (found []Warning, count int) {
	for _, w := range r.Warnings {
		if w.Code == code {
			found = append(found, w)
			count += w.Count
		}
	}
	return found, count
}

func withMapping(t testing.TB, text string) func(*ImportOptions) {
	t.Helper()
	m, err := ParseMapping(text)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *ImportOptions) { o.Mapping = m }
}

// feature is a GeoJSON point feature with the properties given as JSON members.
func feature(properties string) string {
	return `{"type":"Feature","geometry":{"type":"Point","coordinates":[112.2,1.45]},"properties":{` + properties + `}}`
}

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}
