package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gorilla/mux"
)

// route is one path of the HTTP surface. Params are the query parameters that
// it takes; any other is a 400.
type route struct {
	method, path string
	handle       func(http.ResponseWriter, *http.Request) error
	params       []string
}

// surfaceParams narrow a surface; they are the same for tiles, values and
// documents about them.
var surfaceParams = [...]string{"palette", "as_of", "window_days", "half_life_days", "bandwidth_m", "kinds", "severity", "token", "v"}

// anyParams, as the only parameter of a route, lets it take any.
const anyParams = "*"

func (s *Server) table() []route {
	return slices.Concat(s.ownRoutes(), s.planRoutes(), s.ogcRoutes(), s.tileRoutes(), s.wmtsRoutes(), s.wmsRoutes())
}

func (s *Server) ownRoutes() []route {
	surface := surfaceParams[:]
	withLang := append([]string{"lang"}, surface...)
	return []route{
		{"GET", "/healthz", s.health, nil},
		{"GET", "/readyz", s.readiness, nil},
		{"GET", "/metrics", s.prometheus, nil},
		{"GET", "/version", s.version, nil},
		{"GET", "/openapi.json", s.openAPI, nil},
		{"GET", "/docs", s.docs, nil},
		{"GET", "/", s.page, []string{"sign_in"}},
		{"GET", "/embed", s.embed, []string{"surface", "layers", "center", "zoom", "lang", "palette", "token"}},
		{"GET", "/auth", s.waysIn, nil},
		{"GET", "/auth/login", s.login, nil},
		{"GET", callbackPath, s.callback, callbackParams()},
		{"POST", "/auth/logout", s.logout, nil},
		{"GET", "/v1/me", s.me, nil},
		{"GET", "/favicon.ico", s.asset, nil},
		{"GET", "/assets/{file:.+}", s.asset, nil},

		{"GET", "/v1/layers", s.listLayers, nil},
		{"GET", "/v1/layers/{id}", s.describeLayer, nil},
		{"PUT", "/v1/layers/{id}", s.putLayer, []string{"kind", "mode", "dry_run", "map", "crs", "tz", "date_order", "date", "format", "layer", "strict", "hard", "profile", "title", "classification"}},
		{"DELETE", "/v1/layers/{id}", s.deleteLayer, []string{"reason", "approval"}},
		{"PATCH", "/v1/layers/{id}", s.classifyLayer, []string{"approval"}},
		{"GET", "/v1/layers/{id}/features", s.features, []string{"format", "bbox", "datetime", "filter", "filter-lang", "limit", "cursor", "maxzoom", "approval"}},
		{"GET", "/v1/layers/{id}/features/{fid}", s.feature, nil},
		{"PATCH", "/v1/layers/{id}/features/{fid}", s.correctFeature, []string{"reason", "dry_run"}},
		{"DELETE", "/v1/layers/{id}/features/{fid}", s.withdrawFeature, []string{"reason", "erase", "approval"}},
		{"PUT", "/v1/layers/{id}/features/{fid}/status", s.setStatus, nil},
		{"GET", "/v1/layers/{id}/versions", s.versions, nil},
		{"GET", "/v1/layers/{id}/versions/{version}/diff", s.versionDiff, []string{"from"}},
		{"POST", "/v1/layers/{id}/rollback", s.rollback, nil},
		{"GET", "/v1/layers/{id}/near", s.near, []string{"lon", "lat", "k", "approval"}},
		{"GET", "/v1/layers/{id}/within", s.within, []string{"lon", "lat", "radius_m", "limit", "approval"}},

		{"GET", "/v1/profiles", s.listProfiles, nil},
		{"PUT", "/v1/profiles/{name}", s.putProfile, nil},
		{"GET", "/v1/schemas/{kind}", s.schema, nil},
		{"GET", "/v1/jobs", s.listJobs, nil},
		{"GET", "/v1/jobs/{id}", s.getJob, nil},
		{"GET", "/v1/jobs/{id}/events", s.jobEvents, nil},
		{"DELETE", "/v1/jobs/{id}", s.cancelJob, nil},
		{"GET", "/v1/retention", s.retention, nil},
		{"GET", "/v1/tombstones", s.listTombstones, []string{"layer"}},

		{"GET", "/v1/agreements", s.listAgreements, nil},
		{"POST", "/v1/agreements", s.proposeAgreement, nil},
		{"GET", "/v1/agreements/{id}", s.getAgreement, nil},
		{"POST", "/v1/agreements/{id}", s.answerAgreement, nil},
		{"DELETE", "/v1/agreements/{id}", s.endAgreement, nil},
		{"GET", "/v1/approvals", s.listApprovals, nil},
		{"GET", "/v1/approvals/{id}", s.getApproval, nil},
		{"POST", "/v1/approvals/{id}", s.decide, nil},
		{"GET", "/v1/keys", s.listKeys, nil},
		{"POST", "/v1/keys", s.createKey, []string{"approval"}},
		{"DELETE", "/v1/keys/{id}", s.revokeKey, nil},
		{"GET", "/v1/requests", s.listRequests, []string{"status"}},
		{"POST", "/v1/requests", s.openRequest, nil},
		{"GET", "/v1/requests/{id}", s.getRequest, nil},
		{"PATCH", "/v1/requests/{id}", s.changeRequest, nil},
		{"GET", "/v1/collaboration", s.collaboration, nil},

		{"GET", "/tiles/layers/{id}.json", s.layerTileJSON, append([]string{"token"}, tileFilterParams[:]...)},
		{"GET", "/tiles/layers/{id}/{z}/{x}/{y}.{ext:mvt|pbf}", s.vectorTile, append([]string{"v", "token"}, tileFilterParams[:]...)},
		{"GET", "/tiles/{surface}.json", s.surfaceTileJSON, withLang},
		{"GET", "/tiles/{surface}/legend.{ext:json|svg|png}", s.legend, withLang},
		{"GET", "/tiles/{surface}/value", s.surfaceValue, append([]string{"lon", "lat"}, surface...)},
		{"GET", "/tiles/{surface}/{z}/{x}/{y:[^/@]+}{retina:(?:@2x)?}.png", s.surfaceTile, surface},
		{"GET", "/surfaces/{surface}.tif", s.surfaceTIFF, slices.DeleteFunc(slices.Clone(surface[1:]), func(p string) bool { return p == "token" })},
		{"GET", "/surfaces/{surface}.pmtiles", s.surfacePMTiles, append([]string{"maxzoom"}, slices.DeleteFunc(slices.Clone(surface), func(p string) bool { return p == "token" })...)},
		{"GET", "/styles/{name}.json", s.style, withLang},

		{"GET", "/v1/risk", s.pointRisk, []string{"lon", "lat", "as_of", "severity"}},
		{"GET", "/v1/sections", s.sections, []string{"as_of", "window_days", "section_km", "severity", "format"}},
		{"GET", "/v1/sections/{id}", s.section, []string{"as_of", "window_days", "section_km", "severity", "lang"}},
		{"POST", "/v1/sections/{id}/level", s.signLevel, []string{"lang"}},
		{"GET", "/v1/crossings", s.crossings, []string{"as_of", "window_days", "official", "limit", "format"}},
		{"GET", "/v1/gaps", s.gaps, []string{"window_days", "section_km", "country", "agency", "min_level", "as_of", "severity", "limit", "format", "lang"}},
		{"GET", "/v1/validation", s.validation, []string{"of", "format", "lang"}},
		{"GET", "/v1/gaps/diff", s.gapsDiff, []string{"from", "to", "window_days", "section_km", "country", "agency", "format", "lang"}},
		{"POST", "/v1/routes/score", s.scoreRoutes, scoreParams()},
		{"POST", "/v1/routes/find", s.findRoutes, []string{"format"}},
		{"POST", "/v1/routes/whatif", s.whatIf, nil},
		{"POST", "/v1/embed-tokens", s.grantEmbed, nil},
		{"DELETE", "/v1/embed-tokens/{grant}", s.revokeEmbed, nil},
		{"GET", "/v1/model", s.getModel, nil},
		{"PUT", "/v1/model", s.putModel, []string{"approval"}},

		{"GET", "/v1/audit", s.auditEntries, []string{"actor", "action", "object", "from", "to", "limit", "cursor"}},
		{"GET", "/v1/audit/verify", s.verifyAudit, nil},
		{"GET", "/v1/public-release", s.getPublicRelease, []string{"lang", "token"}},
		{"GET", "/v1/privacy-ledger", s.privacyLedger, nil},
		{"GET", "/v1/audit/exposure", s.exposure, []string{"layer", "id", "from", "to"}},
	}
}

// routes builds the handler: every path knows HEAD and OPTIONS, answers a
// wrong method with 405 and an unknown path with 404, both as problems.
func (s *Server) routes() http.Handler {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	methods := map[string][]string{}
	table := s.ways
	for _, rt := range table {
		methods[rt.path] = append(methods[rt.path], rt.method)
	}
	for _, often := range []bool{true, false} { // the router tries one after the other
		for k, rt := range table {
			if askedOften(rt.path) != often {
				continue
			}
			accepted := []string{rt.method}
			if rt.method == http.MethodGet {
				accepted = append(accepted, http.MethodHead)
			}
			router.Handle(rt.path, s.endpoint(k, rt)).Methods(accepted...).Name(rt.method + " " + rt.path)
		}
	}
	for _, rt := range table { // what no route above took
		if allowed := methods[rt.path]; allowed != nil {
			delete(methods, rt.path)
			router.Handle(rt.path, s.otherMethods(rt.path, allowed, strings.HasPrefix(rt.path, "/ogc/collections/{id}/items"))).Name("OPTIONS " + rt.path)
		}
	}
	router.NotFoundHandler = s.frame(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.writeProblem(w, r, problem{Status: http.StatusNotFound, Code: "path_not_found",
			Detail: "there is no such path; /docs lists them"})
	}))
	router.Use(s.frame)
	return router
}

// askedOften tells the paths of maps and of rows.
func askedOften(path string) bool {
	return strings.HasPrefix(path, "/tiles/") || strings.HasPrefix(path, "/v1/layers/{id}/")
}

// endpoint answers one route: who asks, whether they may, and then from what
// their circle sees.
func (s *Server) endpoint(k int, rt route) http.Handler {
	name := rt.method + " " + rt.path
	do := routeActions()[name]
	logged := auditName(name, do)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.gate.who(r)
		if err == nil {
			who.headers(w.Header())
			err = who.check(do)
		}
		id := mux.Vars(r)["id"]
		s.readersUnknown(rt.path, do, id).allow(w.Header(), r, who)
		if err == nil && !who.Local {
			err = s.audit.open(do)
		}
		if err == nil {
			err = who.inScope(r, do, mux.Vars(r))
		}
		if err == nil {
			err = checkParams(r, rt.params)
		}
		if err == nil && needsAssessment(rt.path) {
			err = s.awaitAssessment(r.Context())
		}
		if err == nil {
			r = r.WithContext(withPrincipal(r.Context(), who))
			var seen *Server
			var blank bool
			if seen, blank, err = s.seenBy(who, do, r); err == nil {
				by := seen.readersFor(rt.path, do, id)
				by.allow(w.Header(), r, who)
				r = r.WithContext(withReaders(r.Context(), by))
				handle := seen.ways[k].handle
				if blank {
					handle = seen.blankTile
				}
				err = s.inLane(do, r, func(r *http.Request) error { return s.answerLogged(w, r, logged, handle) })
			}
		}
		if err != nil {
			s.logRefusal(r, who, name, do, err)
			s.writeProblem(w, r, err)
		}
	})
}

// inLane does work in its turn.
func (s *Server) inLane(do action, r *http.Request, work func(*http.Request) error) error {
	if lane := s.lanes.of(do, r.URL.Path); lane != nil {
		leave, err := lane.enter(r.Context())
		if err != nil {
			return err
		}
		leave = sync.OnceFunc(leave)
		defer leave()
		r = r.WithContext(withTurn(r.Context(), leave))
	}
	return work(r)
}

// seenBy returns what answers somebody: the layers themselves what changes
// them, else the world of their circle. A tile that an embed token is not for is
// blank there.
func (s *Server) seenBy(who principal, do action, r *http.Request) (seen *Server, blank bool, err error) {
	if who.Local || do == doOpen || do == doSelf {
		return s, false, nil
	}
	vars := mux.Vars(r)
	if do.changes() {
		if dryRun, err := boolParam(r, "dry_run"); r.Method == http.MethodPut && err == nil && dryRun && s.hiddenFrom(who, vars["id"]) {
			return s, false, nil // upload tells of it as of a free name
		}
		return s, false, s.mayChange(who, do, vars["id"], strings.Contains(routeName(r), " /ogc/collections/"))
	}
	refused := who.mayAsk(r, vars)
	if who.Embed != nil && do == doRows {
		if err := s.basemap(r, vars["id"]); err != nil {
			return nil, false, err
		}
		refused = nil
	}
	if refused != nil && !isNotGranted(refused) {
		return nil, false, refused
	}
	world, err := s.worldOf(r.Context(), who.circle())
	if err != nil {
		return nil, false, err
	}
	if refused != nil {
		s.logRefusal(r, who, routeName(r), do, refused)
	}
	return world.Server, refused != nil, nil
}

// otherMethods answers OPTIONS, and what a path has no way for. Where features
// are edited, who may not edit is told of reading alone.
func (s *Server) otherMethods(path string, allowed []string, edits bool) http.Handler {
	list := func(changing bool) string {
		allow := []string{http.MethodOptions}
		for _, m := range allowed {
			if changing || m == http.MethodGet {
				allow = append(allow, m)
			}
			if m == http.MethodGet {
				allow = append(allow, http.MethodHead)
			}
		}
		slices.Sort(allow)
		return strings.Join(allow, ", ")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allow := list(!edits || s.mayEdit(r))
		w.Header().Set("Allow", allow)
		if r.Method == http.MethodOptions {
			s.preflight(w.Header(), r, path, strings.Split(allow, ", "), mux.Vars(r)["id"])
			w.WriteHeader(http.StatusNoContent)
			return
		}
		s.writeProblem(w, r, problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
			Detail: fmt.Sprintf("%s is not possible here; use %s", r.Method, allow)})
	})
}

// checkParams refuses query parameters that a route does not take, and ones
// that are given twice.
func checkParams(r *http.Request, allowed []string) error {
	if r.URL.RawQuery == "" || slices.Equal(allowed, []string{anyParams}) {
		return nil
	}
	var errs []paramError
	for name, values := range r.URL.Query() {
		switch {
		case !slices.Contains(allowed, name):
			errs = append(errs, paramError{name, "is not a parameter of this path"})
		case len(values) > 1:
			errs = append(errs, paramError{name, "is given more than once"})
		}
	}
	if errs == nil {
		return nil
	}
	slices.SortFunc(errs, func(a, b paramError) int { return strings.Compare(a.Parameter, b.Parameter) })
	known := "it takes none"
	if len(allowed) > 0 {
		known = "it takes " + strings.Join(allowed, ", ")
	}
	return problem{Status: http.StatusBadRequest, Code: "unknown_parameter", Errors: errs,
		Detail: fmt.Sprintf("%s %s; %s", errs[0].Parameter, errs[0].Detail, known)}
}

// routeName names the route of a request for logs and metrics.
func routeName(r *http.Request) string {
	if rt := mux.CurrentRoute(r); rt != nil {
		return rt.GetName()
	}
	return "none"
}
