package api

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Every answer that has a tag is a 304 for whoever has it, with the same tag,
// caching, variance and readers, and no body: packed or not, on an open service and
// on one where people sign in, for what is public and what is not.
func TestNotModifiedSaysTheSame(t *testing.T) {
	open, keyed := newSignedIn(t, func(o *Options) { o.SignIn = SignIn{} }), newGuarded(t)
	open.want(201, "nobody", "PUT", "/v1/layers/cases?kind=incident", incidentRows)
	open.want(201, "nobody", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	open.want(200, "nobody", "PATCH", "/v1/layers/line", `{"classification":"public"}`)
	keyed.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", incidentRows)
	keyed.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	checked := 0
	for _, c := range []struct {
		g   *guarded
		who string
	}{{open.guarded, "nobody"}, {keyed, "polri"}} {
		for _, layer := range []string{"cases", "line"} {
			for _, rt := range c.g.s.ways {
				if rt.method != "GET" || strings.HasPrefix(rt.path, "/auth") || rt.path == callbackPath {
					continue
				}
				path := examplePath(rt, layer)
				for _, query := range []string{"", "?f=html", "?limit=1", "?filter=TRUE"} {
					if query != "" && !slices.Contains(rt.params, strings.TrimPrefix(strings.Split(query, "=")[0], "?")) && !slices.Contains(rt.params, anyParams) {
						continue
					}
					for _, coding := range []string{"identity", "gzip"} {
						first := c.g.from(dash, c.who, "GET", path+query, "Accept-Encoding", coding)
						tag := first.Header().Get("ETag")
						if tag == "" || first.Code >= 300 {
							continue
						}
						again := c.g.from(dash, c.who, "GET", path+query, "Accept-Encoding", coding, "If-None-Match", tag)
						if again.Code != 304 || again.Body.Len() > 0 {
							t.Errorf("%s%s as %s, %s: %d with %d bytes", path, query, c.who, coding, again.Code, again.Body.Len())
							continue
						}
						checked++
						for _, name := range []string{"ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin"} {
							if a, b := headerSet(first, name), headerSet(again, name); !slices.Equal(a, b) {
								t.Errorf("%s%s as %s, %s: %s is %q, of the 304 %q", path, query, c.who, coding, name, a, b)
							}
						}
					}
				}
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d answers have tags", checked)
	}
	t.Logf("%d answers", checked)
}

// headerSet are the values of a header that is a list, sorted.
func headerSet(w *httptest.ResponseRecorder, name string) []string {
	all := strings.Split(strings.Join(w.Header().Values(name), ", "), ", ")
	slices.Sort(all)
	return all
}

// A tile under its layer's version is for ever; under an older version, as of
// before an edit, and under none it is asked for again. With a filter it is alike.
func TestVersionOfVectorTiles(t *testing.T) {
	s := newSignedIn(t, func(o *Options) { o.SignIn = SignIn{} })
	s.want(201, "nobody", "PUT", "/v1/layers/cases?kind=incident", incidentRows)
	version := func() string {
		doc := s.want(200, "nobody", "GET", "/tiles/layers/cases.json", "")
		_, rest, _ := strings.Cut(doc, `"v":"`)
		v, _, _ := strings.Cut(rest, `"`)
		return v
	}
	const tile = "/tiles/layers/cases/6/51/31.mvt"
	old := version()
	check := func(query string, forEver bool) string {
		t.Helper()
		w := s.do("nobody", "GET", tile+query, "")
		if got := w.Header().Get("Cache-Control"); w.Code != 200 || strings.Contains(got, "immutable") != forEver || strings.Contains(got, "no-cache") == forEver {
			t.Errorf("%s: %d %s", query, w.Code, got)
		}
		return w.Header().Get("ETag")
	}
	before := check("?v="+old, true)
	filtered := check("?filter=TRUE&v="+old, true)
	check("", false)
	check("?filter=TRUE", false)
	s.want(200, "nobody", "PUT", "/v1/layers/cases?kind=incident&mode=append", strings.ReplaceAll(incidentRows, "a,110,1.1", "b,110.1,1.2"))
	if now := version(); now == old {
		t.Fatal("an edit leaves the version")
	}
	if check("?v="+old, false) == before || check("?filter=TRUE&v="+old, false) == filtered {
		t.Error("an edit leaves the tag")
	}
	check("?v="+version(), true)
	check("?v=", false)
	check("?v=99-0", false)
}

// A tile that could not be made is made again when it is next asked for: no fault
// is kept.
func TestFaultsAreNotKept(t *testing.T) {
	s := newSignedIn(t, func(o *Options) { o.SignIn = SignIn{} })
	for name, cache := range map[string]*tileCache{"tiles": s.s.tiles, "filtered": s.s.filtered} {
		made := 0
		for range 3 {
			_, err := cache.get(t.Context(), s.s.metrics, "k", func(context.Context) (tile, error) { made++; return tile{}, errors.New("no") })
			if err == nil || err.Error() != "no" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if made != 3 || cache.cache.EstimatedSize() != 0 {
			t.Errorf("%s: made %d times, %d kept", name, made, cache.cache.EstimatedSize())
		}
	}
}
