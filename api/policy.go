package api

import (
	"slices"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// action is what a request does, as the policy sees it.
type action string

// The actions.
const (
	doOpen    action = "open"    // tells nothing of what is stored
	doSelf    action = "self"    // tells people who they are here
	doMap     action = "map"     // surfaces and their numbers
	doAnalyse action = "analyse" // sections, gaps, explanations, validation
	doRows    action = "rows"    // the features of a layer
	doReport  action = "report"  // adds to a layer of the own agency
	doCurate  action = "curate"  // replaces, corrects, withdraws, deletes
	doSign    action = "sign"    // a level, for the own country
	doPlan    action = "plan"    // routes and plans
	doModel   action = "model"   // the parameters of the score
	doGrant   action = "grant"   // embed tokens
	doEnd     action = "end"     // embed tokens before their time
	doAdmin   action = "admin"   // keys, agreements, the audit log, metrics
	doPact    action = "pact"    // reads agreements and approvals
	doDecide  action = "decide"  // approves what a person of another agency asks for
	doTalk    action = "talk"    // requests to the partner, and how the two work together
	doJob     action = "job"     // what one asked for and did not wait for
	doStatus  action = "status"  // the legal status of a record, for the own country
)

// routeActions says what each route does. A route that is not here is for the
// person at this machine alone.
func routeActions() map[string]action {
	return map[string]action{
		"GET /healthz": doOpen, "GET /readyz": doOpen, "GET /version": doOpen, "GET /openapi.json": doOpen, "GET /docs": doOpen,
		"GET /": doOpen, "GET /embed": doOpen, "GET /favicon.ico": doOpen, "GET /assets/{file:.+}": doOpen,
		"GET /metrics": doAdmin, "GET /v1/privacy-ledger": doAdmin, "GET /v1/public-release": doMap, "GET /v1/audit": doAdmin, "GET /v1/audit/verify": doAdmin, "GET /v1/audit/exposure": doAdmin,
		"GET /auth": doOpen, "GET /auth/login": doOpen, "GET " + callbackPath: doOpen, "POST /auth/logout": doOpen,
		"GET /v1/me": doSelf, "DELETE /v1/embed-tokens/{grant}": doEnd,

		"GET /ogc": doRows, "GET /ogc/": doRows, "GET /ogc/conformance": doOpen, "GET /ogc/api": doRows, "GET /ogc/api.html": doRows,
		"GET /ogc/collections": doRows, "GET /ogc/collections/{id}": doRows, "GET /ogc/collections/{id}/queryables": doRows,
		"GET /ogc/collections/{id}/schema": doRows, "GET /ogc/collections/{id}/items": doRows, "GET /ogc/collections/{id}/items/{fid}": doRows,
		"POST /ogc/collections/{id}/items": doReport, "PUT /ogc/collections/{id}/items/{fid}": doCurate,
		"PATCH /ogc/collections/{id}/items/{fid}": doCurate, "DELETE /ogc/collections/{id}/items/{fid}": doCurate,

		"GET /v1/layers": doRows, "GET /v1/layers/{id}": doRows, "GET /v1/layers/{id}/features": doRows,
		"GET /v1/layers/{id}/features/{fid}": doRows, "GET /v1/layers/{id}/near": doRows, "GET /v1/layers/{id}/within": doRows,
		"GET /tiles/layers/{id}.json": doRows, "GET /tiles/layers/{id}/{z}/{x}/{y}.{ext:mvt|pbf}": doRows,
		"PUT /v1/layers/{id}": doReport, "DELETE /v1/layers/{id}": doCurate, "PATCH /v1/layers/{id}/features/{fid}": doCurate,
		"DELETE /v1/layers/{id}/features/{fid}": doCurate, "GET /v1/layers/{id}/versions": doCurate,
		"GET /v1/layers/{id}/versions/{version}/diff": doCurate, "POST /v1/layers/{id}/rollback": doCurate,
		"GET /v1/schemas/{kind}": doOpen, "GET /v1/profiles": doReport, "PUT /v1/profiles/{name}": doCurate, "GET /v1/retention": doCurate,
		"GET /v1/jobs": doJob, "GET /v1/jobs/{id}": doJob, "GET /v1/jobs/{id}/events": doJob, "DELETE /v1/jobs/{id}": doJob,
		"POST /v1/plans": doPlan, "GET /v1/plans": doPlan, "GET /v1/plans/{id}": doPlan, "PATCH /v1/plans/{id}": doPlan, "DELETE /v1/plans/{id}": doPlan,

		"GET /tiles/{surface}.json": doMap, "GET /tiles/{surface}/legend.{ext:json|svg|png}": doMap, "GET /tiles/{surface}/value": doMap,
		"GET /tiles/{surface}/{z}/{x}/{y:[^/@]+}{retina:(?:@2x)?}.png": doMap, "GET /styles/{name}.json": doMap,
		"GET /surfaces/{surface}.tif":         doAnalyse,
		"GET /surfaces/{surface}.pmtiles":     doAnalyse,
		"GET /ogc/styles/{surface}/map/tiles": doMap, "GET /ogc/styles/{surface}/map/tiles/{tms}": doMap,
		"GET /ogc/styles/{surface}/map/tiles/{tms}/{z}/{y}/{x}": doMap, "GET /ogc/map/tiles": doMap,
		"GET /wmts": doMap, "GET /wmts/1.0.0/WMTSCapabilities.xml": doMap, "GET /wmts/{surface}/{style}/{tms}/{z}/{y}/{x:[^./]+}.png": doMap,
		"GET /wms": doMap,

		"GET /ogc/tileMatrixSets": doOpen, "GET /ogc/tileMatrixSets/{tms}": doOpen,
		"GET /ogc/tiles": doRows, "GET /ogc/tiles/{tms}": doRows, "GET /ogc/tiles/{tms}/{z}/{y}/{x}": doRows,
		"GET /ogc/collections/{id}/tiles": doRows, "GET /ogc/collections/{id}/tiles/{tms}": doRows,
		"GET /ogc/collections/{id}/tiles/{tms}/{z}/{y}/{x}": doRows,

		"GET /v1/risk": doAnalyse, "GET /v1/sections": doAnalyse, "GET /v1/sections/{id}": doAnalyse, "GET /v1/crossings": doAnalyse,
		"GET /v1/gaps": doAnalyse, "GET /v1/gaps/diff": doAnalyse, "GET /v1/validation": doAnalyse, "GET /v1/model": doAnalyse,
		"POST /v1/routes/score": doAnalyse, "POST /v1/routes/find": doPlan, "POST /v1/routes/whatif": doPlan,
		"GET /v1/agreements": doPact, "GET /v1/agreements/{id}": doPact, "POST /v1/agreements": doAdmin, "POST /v1/agreements/{id}": doAdmin,
		"DELETE /v1/agreements/{id}": doAdmin, "GET /v1/approvals": doPact, "GET /v1/approvals/{id}": doPact, "POST /v1/approvals/{id}": doDecide,
		"GET /v1/keys": doAdmin, "POST /v1/keys": doAdmin, "DELETE /v1/keys/{id}": doAdmin,
		"GET /v1/requests": doTalk, "POST /v1/requests": doTalk, "GET /v1/requests/{id}": doTalk, "PATCH /v1/requests/{id}": doTalk,
		"GET /v1/collaboration": doTalk, "PATCH /v1/layers/{id}": doCurate, "GET /v1/tombstones": doCurate,
		"PUT /v1/layers/{id}/features/{fid}/status": doStatus,
		"POST /v1/sections/{id}/level":              doSign, "PUT /v1/model": doModel, "POST /v1/embed-tokens": doGrant,
	}
}

// changes reports whether an action changes what everyone has: it is done on
// the layers themselves, not on what one circle sees of them.
func (a action) changes() bool {
	return a == doReport || a == doCurate || a == doModel || a == doAdmin || a == doGrant || a == doEnd || a == doJob || a.joint()
}

// joint reports whether an action is on what the parties keep together, where
// each route tells for itself what is whose.
func (a action) joint() bool {
	return a == doPact || a == doDecide || a == doTalk || a == doStatus
}

// circle is everyone who sees the same; the zero value is the person at this
// machine, who sees all.
type circle struct {
	Role            Role
	Country, Agency string
}

// circlePublic is that of embed tokens, and of whoever has no credentials where
// there is a public map.
const circlePublic Role = "public"

// circle is the one that somebody belongs to.
func (p principal) circle() circle {
	switch {
	case p.Local:
		return circle{}
	case p.Embed != nil, p.Anyone:
		return circle{Role: circlePublic}
	case p.Role == Planner, p.Role == Analyst:
		return circle{p.Role, p.Country, p.Agency}
	case p.Role == Viewer:
		return circle{Role: p.Role, Country: p.Country}
	}
	return circle{Role: p.Role} // contributors and administrators of both countries see the same
}

// member is somebody of a circle.
func (c circle) member() principal {
	p := principal{ID: "member", Role: c.Role, Country: c.Country, Agency: c.Agency, Local: c == circle{}}
	if c.Role == circlePublic {
		p.Embed = &EmbedGrant{}
	}
	return p
}

// mostZoom is the greatest zoom that tiles are served at.
func (c circle) mostZoom() int {
	switch c.Role {
	case circlePublic:
		return 8
	case Viewer, Contributor:
		return 10
	case Planner:
		return 12
	case Analyst:
		return 16
	}
	return 22
}

// generalised reports whether what the circle sees is told in steps, by a fixed
// menu.
func (c circle) generalised() bool {
	return c.Role == circlePublic || c.Role == Viewer || c.Role == Contributor
}

// rights are what each role may do at all. They have no order: an administrator
// sees no data, an analyst signs no level.
func (r Role) may(a action) bool {
	rights := map[Role][]action{
		Viewer:      {doMap, doRows, doGrant, doEnd},
		Contributor: {doMap, doRows, doReport, doJob},
		Planner:     {doMap, doAnalyse, doRows, doSign, doPlan, doJob, doGrant, doEnd, doPact, doTalk},
		Analyst:     {doMap, doAnalyse, doRows, doReport, doJob, doCurate, doModel, doPact, doDecide, doTalk, doStatus},
		Admin:       {doAdmin, doEnd, doPact, doDecide},
	}
	return a == doOpen || slices.Contains(rights[r], a)
}

// principal is who asks.
type principal struct {
	ID      string // of the key or the account
	Role    Role
	Agency  string
	Country string
	// Local is the person at this machine, when the service asks nobody to sign
	// in: all is open to them.
	Local bool
	Embed *EmbedGrant // whoever holds an embed token, and nothing else
	// Anyone is who shows no credentials, where there is a public map.
	Anyone bool

	Scopes []string // that narrow a key, see inScope
	Via    string   // how they proved who they are; "": not at all, or local
	Until  time.Time
}

// mayDo reports whether someone may do something at all.
func (p principal) mayDo(a action) bool {
	switch {
	case p.Local:
		return true
	case a == doSelf:
		return p.ID != ""
	case p.Embed != nil:
		return a == doOpen || a == doMap || a == doRows // of the base map, see basemap
	case p.Anyone:
		return a == doOpen || a == doMap
	}
	return p.Role.may(a)
}

// sight is how much of a layer, or of a record, somebody sees.
type sight int

// From nothing to all. What is released is on the map, generalised; what is on
// the map exactly is in its surfaces, not in rows.
const (
	unseen sight = iota
	released
	exactMap
	exactRows
)

func (s sight) String() string {
	return [...]string{"unseen", "released", "exact on maps", "exact rows"}[s]
}

// classifications of a layer, from open to closed.
const (
	classPublic     = "public"
	classInternal   = "internal"
	classRestricted = "restricted"
	classSecret     = "secret"
)

// owner is who a layer or record belongs to.
type owner struct{ Country, Agency string }

// ownerOf reads the owner of a layer, written COUNTRY/AGENCY; layers from before
// there were owners belong to nobody and are seen by nobody but their machine.
func ownerOf(info geo.LayerInfo) owner {
	if len(info.Owner) > 3 && info.Owner[2] == '/' {
		return owner{info.Owner[:2], info.Owner[3:]}
	}
	return owner{}
}

// layerSight is how much of a layer's records somebody may see at most; the
// release of each record narrows it, see recordSight. shared reports whether an
// agreement between the countries is in force.
func (p principal) layerSight(info geo.LayerInfo, shared bool) sight {
	own := ownerOf(info)
	home, mine := p.Country == own.Country && own.Country != "", p.Agency == own.Agency
	switch {
	case p.Local:
		return exactRows
	case info.Classification == classPublic:
		return exactRows
	case p.Embed != nil || p.Role == Admin || own == owner{}:
		return unseen
	case info.Classification == classSecret:
		if p.Role == Analyst && home && mine {
			return exactRows
		}
		return unseen
	case p.Role == Analyst && home && (mine || info.Classification == classInternal):
		return exactRows
	case p.Role == Planner && home && info.Classification == classInternal:
		return exactRows
	case p.Role == Planner && home:
		return exactMap
	case home, p.Role == Viewer, p.Role == Contributor, shared:
		return released
	}
	return unseen
}

// recordSight narrows what is seen of a layer by the release of a record: a
// national record does not leave its country, a bilateral one goes to those who
// plan and analyse on both sides.
func (p principal) recordSight(layer sight, own owner, release string) sight {
	if p.Local || layer == unseen || p.Country == own.Country && p.Role != Contributor {
		return layer
	}
	joint := p.Role == Planner || p.Role == Analyst
	switch release {
	case "bilateral":
		if joint {
			return layer
		}
	case "joint_plus_ngo", "public_aggregate":
		return layer
	}
	return unseen
}
