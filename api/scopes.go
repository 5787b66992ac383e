package api

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Scopes narrow a key to less than its role: "read" to reading, "layer:ID" and
// "surface:NAME" to those layers and surfaces. A key without scopes may do what
// its role may.
const (
	scopeRead    = "read"
	scopeLayer   = "layer:"
	scopeSurface = "surface:"
	mostScopes   = 50
)

var scopePattern = regexp.MustCompile(`^(read|(layer|surface):[A-Za-z0-9][A-Za-z0-9_.-]{0,99})$`)

func checkScopes(scopes []string) error {
	if len(scopes) > mostScopes {
		return fmt.Errorf("%d scopes: use %d at most", len(scopes), mostScopes)
	}
	for _, s := range scopes {
		if !scopePattern.MatchString(s) {
			return fmt.Errorf("scope %q: use read, layer:ID or surface:NAME", s)
		}
	}
	return nil
}

// inScope reports why a key is not for what it is used for.
func (p principal) inScope(r *http.Request, do action, vars map[string]string) error {
	if len(p.Scopes) == 0 || do == doOpen || do == doSelf {
		return nil
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead || do == doAnalyse || do == doPlan && r.Method == http.MethodPost
	if slices.Contains(p.Scopes, scopeRead) && !reads {
		return problem{Status: http.StatusForbidden, Code: "out_of_scope", Detail: "this key is for reading only; ask your administrator for another"}
	}
	named := func(s string) bool { return strings.HasPrefix(s, scopeLayer) || strings.HasPrefix(s, scopeSurface) }
	if !slices.ContainsFunc(p.Scopes, named) || do == doGrant { // what a grant is for is in its body
		return nil
	}
	template := routeName(r)
	surface, layer := vars["surface"], ""
	if strings.Contains(template, "/layers/{id}") {
		layer = vars["id"]
	}
	if p.forSurface(surface) && surface != "" || layer != "" && slices.Contains(p.Scopes, scopeLayer+layer) {
		return nil
	}
	return problem{Status: http.StatusForbidden, Code: "out_of_scope",
		Detail: "this key is for some layers and surfaces only; GET /v1/me lists its scopes"}
}

// forSurface reports whether a key is for a surface.
func (p principal) forSurface(surface string) bool {
	named := func(s string) bool { return strings.HasPrefix(s, scopeLayer) || strings.HasPrefix(s, scopeSurface) }
	return !slices.ContainsFunc(p.Scopes, named) || slices.Contains(p.Scopes, scopeSurface+surface)
}
