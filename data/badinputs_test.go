package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo"
)

var testNow = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// badCase is one entry of testdata/badinputs/manifest.json: what must become
// of a hostile or broken file.
type badCase struct {
	Filename        string   `json:"filename"`
	ContentType     string   `json:"content_type"`
	ContentEncoding string   `json:"content_encoding"`
	Expect          string   `json:"expect"`
	AlsoOK          []string `json:"also_ok"`
	Accepted        *int     `json:"accepted"`
	Quarantined     *int     `json:"quarantined"`
	Why             string   `json:"why"`
}

func TestBadInputs(t *testing.T) {
	text, err := os.ReadFile("testdata/badinputs/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Cases []badCase }
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, c := range manifest.Cases {
		t.Run(c.Filename, func(t *testing.T) {
			var body []byte
			if c.Filename == "bomb.geojson.gz" {
				body = gzipped([]byte(`{"type":"FeatureCollection","features":[`), 300<<20)
			} else if body, err = os.ReadFile(filepath.Join("testdata/badinputs", c.Filename)); err != nil {
				t.Fatal(err)
			}
			checkBadCase(t, c, body)
		})
	}
}

func checkBadCase(t *testing.T, c badCase, body []byte) {
	for _, kind := range []geo.LayerKind{geo.KindIncident, geo.KindOther} {
		checkBadCaseAs(t, c, body, kind)
	}
}

func checkBadCaseAs(t *testing.T, c badCase, body []byte, kind geo.LayerKind) {
	t.Helper()
	layer, report, err := Import(context.Background(), bytes.NewReader(body), ImportOptions{
		Info: geo.LayerInfo{ID: "bad", Kind: kind}, Now: testNow,
		ContentType: c.ContentType, ContentEncoding: c.ContentEncoding, Filename: c.Filename,
	})
	got := "accept"
	if err != nil {
		got = "reject"
		var r *Refusal
		if !errors.As(err, &r) {
			t.Fatalf("not a refusal: %v", err)
		}
		if r.Status < 400 || r.Status > 499 || r.Code == "" || len(r.Message) < 8 || r.Report == nil || layer != nil {
			t.Errorf("refusal %+v", r)
		}
	} else if len(report.Warnings) > 0 {
		got = "accept_with_warnings"
	}
	ok := got == c.Expect
	for _, also := range c.AlsoOK {
		ok = ok || got == also
	}
	if !ok {
		t.Errorf("%s, expected %s (%s); err %v, report %+v", got, c.Expect, c.Why, err, report)
	}
	if got != c.Expect {
		t.Logf("tolerated: %s instead of %s: %v", got, c.Expect, err)
	}
	if err == nil {
		if c.Accepted != nil && report.Accepted != *c.Accepted || c.Quarantined != nil && report.Quarantined != *c.Quarantined {
			t.Errorf("accepted %d, quarantined %d", report.Accepted, report.Quarantined)
		}
		if report.Accepted != layer.Len() {
			t.Errorf("accepted %d but the layer has %d", report.Accepted, layer.Len())
		}
	}
	if answer, _ := json.Marshal(report); len(answer) > 64<<10 {
		t.Errorf("a report of %d bytes", len(answer))
	} else {
		t.Logf("%s: %v %s", got, err, answer)
	}
}

// gzipped returns a compressed file: head, then spaces.
func gzipped(head []byte, spaces int) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	z.Write(head)
	block := []byte(strings.Repeat(" ", 1<<20))
	for ; spaces > 0; spaces -= len(block) {
		z.Write(block)
	}
	z.Close()
	return b.Bytes()
}
