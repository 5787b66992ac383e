package api

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// The whole product: every route × 5 roles × 3 agencies × 2 countries × 4
// classifications of the layer that it names. What the table of the policy allows
// is not refused, what it does not is; and a layer that is not for somebody
// answers as one that is not there. SEMPADAN_MATRIX names a file for the table.
func TestAuthorisationProduct(t *testing.T) {
	g := newGuarded(t)
	var subjects []string
	keys := *g.s.opts.SignIn.Keys
	for _, country := range countries {
		for _, agency := range []string{"POLRI", "IMI", "BAKAMLA"} {
			for _, role := range Roles() {
				name := fmt.Sprintf("%s %s/%s", role, country, agency)
				var err error
				if _, g.token[name], err = keys.Create(KeyRequest{role, agency, country, 300}, keyNow.Add(-1)); err != nil {
					t.Fatal(err)
				}
				subjects = append(subjects, name)
			}
		}
	}
	g.now = keyNow.Add(time.Minute) // so that the service reads the new keys
	classes := []string{classPublic, classInternal, classRestricted, classSecret}
	for _, class := range classes {
		g.want(201, "polri", "PUT", "/v1/layers/layer-"+class+"?kind=incident&classification="+strings.Replace(class, classPublic, classInternal, 1), tenRows)
	}
	published := g.s.current().byID["layer-public"].layer
	info := published.Info
	info.Classification = classPublic
	g.s.replaceEntry("layer-public", newEntry(published.WithInfo(info), true))

	var table strings.Builder
	cells, wrong := 0, 0
	fault := func(format string, args ...any) {
		if wrong++; wrong < 20 {
			t.Errorf(format, args...)
		}
	}
	for _, who := range subjects {
		p, err := g.s.gate.who(requestOf(g, who))
		if err != nil || p.Role == "" {
			t.Fatalf("%s: %+v %v", who, p, err)
		}
		for _, rt := range g.s.ways {
			name := rt.method + " " + rt.path
			do := routeActions()[name]
			named := strings.Contains(rt.path, "/layers/{id}") || strings.Contains(rt.path, "/collections/{id}")
			// Not all routes are about a layer; those are the same for all classes.
			of := classes
			if !named {
				of = classes[:1]
			}
			for _, class := range of {
				id := "layer-" + class
				got, body := g.ask(who, rt, id)
				want := wanted(p, do, rt, published.WithInfo(infoOf(info, class)).Info, named)
				if cells += len(classes) / len(of); !want.matches(got) {
					fault("%s of %s as %s: %d, want %s", name, class, who, got, want)
				}
				if want == notThereFor && rt.method != http.MethodPut { // a name that is taken cannot be given to a new layer
					if code, absent := g.ask(who, rt, "layer-absent"); code != got || strings.ReplaceAll(absent, "layer-absent", id) != body {
						fault("%s of %s as %s:\n%s\nand of what is not there:\n%s", name, class, who, body, absent)
					}
				}
				fmt.Fprintf(&table, "%s\t%s\t%s\t%s\t%s\n", name, do, who, class, want)
			}
		}
	}
	t.Logf("%d cells of the matrix (%d routes × %d people × %d classes), %d wrong", cells, len(g.s.ways), len(subjects), len(classes), wrong)
	if path := os.Getenv("SEMPADAN_MATRIX"); path != "" {
		if err := os.WriteFile(path, []byte("route\taction\tperson\tclass\tanswer\n"+table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func infoOf(info geo.LayerInfo, class string) geo.LayerInfo {
	info.Classification = class
	return info
}

// ask asks for a route about a layer, with nothing that could change it.
func (g *guarded) ask(who string, rt route, id string) (int, string) {
	g.t.Helper()
	path := examplePath(rt, id)
	body := ""
	switch {
	case strings.HasSuffix(path, ".pmtiles"):
		path += "?maxzoom=1"
	case strings.HasSuffix(path, ".tif"), path == "/v1/validation":
		path += "?as_of=never" // it is allowed or not before it is dear
	case rt.method == http.MethodPut && strings.HasSuffix(rt.path, "/layers/{id}"):
		path += "?mode=append"
	case strings.HasSuffix(rt.path, "/status"):
		body = `{"status":"presumed"}`
	}
	w := g.do(who, rt.method, path, body)
	return w.Code, w.Body.String()
}

// verdict is what the policy says of a request.
type verdict string

const (
	allowedBy   verdict = "yes"
	refusedBy   verdict = "403"
	notThereFor verdict = "404"
)

func (v verdict) matches(status int) bool {
	switch v {
	case refusedBy:
		return status == http.StatusForbidden
	case notThereFor:
		return status == http.StatusNotFound
	}
	return status != http.StatusUnauthorized && status != http.StatusForbidden
}

// wanted is the policy's word on a route and a layer of ID/POLRI.
func wanted(p principal, do action, rt route, l geo.LayerInfo, named bool) verdict {
	own := ownerOf(l) == owner{p.Country, p.Agency}
	switch {
	case !p.mayDo(do):
		return refusedBy
	case !named:
		return allowedBy
	case do == doReport || do == doCurate:
		switch {
		case own:
			return allowedBy
		case p.layerSight(l, false) != exactRows:
			return notThereFor
		}
		return refusedBy
	case do == doStatus && !own:
		return notThereFor
	case do == doRows && p.layerSight(l, false) != exactRows:
		return notThereFor
	}
	return allowedBy
}
