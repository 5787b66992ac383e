package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// busyAt notes, when the first byte of a body is written, which lanes are taken.
type busyAt struct {
	*httptest.ResponseRecorder
	s     *Server
	lanes []string
}

func (w *busyAt) Write(b []byte) (int, error) {
	if w.lanes == nil {
		w.lanes = []string{}
		l := w.s.lanes
		for _, lane := range []*lane{l.tiles, l.uploads, l.analyses, l.files, l.plans} {
			if len(lane.running) > 0 {
				w.lanes = append(w.lanes, lane.name)
			}
		}
	}
	return w.ResponseRecorder.Write(b)
}

// A reader may take minutes to take a file: nothing else waits for it meanwhile.
func TestDownloadsHoldUpNobodyWhileSent(t *testing.T) {
	g := newSignedIn(t, func(o *Options) { o.SignIn = SignIn{} })
	g.want(201, "nobody", "PUT", "/v1/layers/cases?kind=incident", incidentRows)
	g.want(201, "nobody", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	for _, path := range []string{"/surfaces/hazard.tif", "/surfaces/hazard.pmtiles?maxzoom=4", "/v1/layers/line/features?format=pmtiles&maxzoom=4"} {
		w := &busyAt{ResponseRecorder: httptest.NewRecorder(), s: g.s}
		g.h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != 200 || len(w.lanes) > 0 || w.lanes == nil {
			t.Errorf("%s: %d, while it is sent these are taken: %v", path, w.Code, w.lanes)
		}
		beyond := g.from("", "nobody", "GET", path, "Range", "bytes=99999999-")
		if body := beyond.Body.String(); beyond.Code != 416 || !strings.Contains(body, "range_not_satisfiable") ||
			beyond.Header().Get("Cache-Control") == "" || !strings.HasPrefix(beyond.Header().Get("Content-Range"), "bytes */") ||
			!slices.Equal(headerSet(beyond, "Content-Type"), []string{"application/problem+json"}) {
			t.Errorf("%s: a range beyond the end: %d %v %s", path, beyond.Code, beyond.Header(), body)
		}
	}
	if l := g.s.lanes.downloads; len(l.running) > 0 {
		t.Error("downloads that are sent still count")
	}
	for range cap(g.s.lanes.downloads.running) {
		g.s.lanes.downloads.running <- struct{}{}
	}
	if w := g.do("nobody", "GET", "/surfaces/hazard.tif", ""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("with no room for another: %d", w.Code)
	}
}

// So does a long answer of an analysis, while there is room for it in memory.
func TestLongAnswersGiveTheirTurnAway(t *testing.T) {
	g := newSignedIn(t, func(o *Options) { o.SignIn = SignIn{} })
	taken := func(bytes int) []string {
		w := &busyAt{ResponseRecorder: httptest.NewRecorder(), s: g.s}
		err := g.s.inLane(doAnalyse, httptest.NewRequest("GET", "/v1/sections", nil), func(r *http.Request) error {
			g.s.send(w, r, reply{contentType: "application/json", body: make([]byte, bytes)})
			return nil
		})
		if err != nil || len(g.s.lanes.analyses.running) > 0 {
			t.Fatalf("%v, and the turn is kept", err)
		}
		return w.lanes
	}
	if got := taken(longAnswer); len(got) > 0 {
		t.Errorf("while a long answer is sent these are taken: %v", got)
	}
	if len(g.s.lanes.sending) > 0 {
		t.Error("an answer that is sent still counts")
	}
	for range mostSending {
		g.s.lanes.sending <- struct{}{}
	}
	if got := taken(longAnswer); !slices.Equal(got, []string{"analyses"}) {
		t.Errorf("one too many: %v", got)
	}
}

// Maps with parameters of the reader's own are assessments: so many wait for them,
// and nothing else waits behind those.
func TestVariantsShedWhatDoesNotFit(t *testing.T) {
	g := newSignedIn(t, func(o *Options) { o.SignIn = SignIn{} })
	g.want(201, "nobody", "PUT", "/v1/layers/cases?kind=incident", incidentRows)
	const tile = "/tiles/hazard/8/206/127.png"
	g.want(200, "nobody", "GET", tile+"?bandwidth_m=4000", "")
	l := g.s.lanes.variants
	l.running <- struct{}{}
	for range cap(l.waiting) {
		l.waiting <- struct{}{}
	}
	if w := g.do("nobody", "GET", tile+"?bandwidth_m=5000", ""); w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("Cache-Control") == "" {
		t.Errorf("one more than fits: %d %s", w.Code, w.Body)
	}
	g.want(200, "nobody", "GET", tile, "")
	g.want(200, "nobody", "GET", tile+"?bandwidth_m=4000", "") // is made
}
