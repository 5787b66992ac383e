package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// surfaceAsk is a request for a surface: which, of which assessment, in which
// colours.
type surfaceAsk struct {
	ask
	surface    tiles.Surface
	ramp       tiles.Ramp
	assessment *risk.Assessment
	// scaled is whose scales hold: a colour means one number, whatever else was
	// asked for.
	scaled *risk.Assessment
	// steppedTo is the top of the scale in whose steps numbers are told; 0: they
	// are told as they are.
	steppedTo float64
	// fixed: the scales do not depend on the data.
	fixed bool
	// pinned: the address names this version, so its answer never changes.
	pinned bool
}

func (s *Server) readSurfaceAsk(r *http.Request) (a surfaceAsk, err error) {
	id := mux.Vars(r)["surface"]
	found := false
	if a.surface, found = tiles.SurfaceByID(id); !found {
		var names []string
		for _, s := range tiles.Surfaces() {
			names = append(names, s.ID)
		}
		return a, problem{Status: http.StatusNotFound, Code: "surface_not_found",
			Detail: fmt.Sprintf("there is no surface %q; there are %s", id, strings.Join(names, ", "))}
	}
	palette := r.URL.Query().Get("palette")
	if palette == "" {
		palette = a.surface.Ramp
	}
	if a.ramp, err = tiles.RampNamed(palette); err != nil {
		return a, badParameter("palette", "%q is not one of %s", palette, strings.Join(tiles.RampNames(), ", "))
	}
	if a.ask, err = readAsk(r); err != nil {
		return a, err
	}
	if a.scaled, err = s.assessmentFor(r.Context(), a.counting()); err != nil {
		return a, err
	}
	if a.scaled.Model.SeverityWeighted {
		a.surface = a.surface.BySeverity()
	}
	// The density needs no other assessment, only another view of the
	// incidents.
	if id == "density" {
		a.assessment = a.scaled
		if err := a.assessment.CheckView(a.view()); err != nil {
			return a, tooCostly(err)
		}
	} else if a.assessment, err = s.assessmentFor(r.Context(), a.ask); err != nil {
		return a, err
	}
	if a.fixed = s.circle.generalised(); a.fixed {
		a.steppedTo = a.scale().Max
	}
	a.pinned = r.URL.Query().Get("v") == s.assessment.Load().Version
	return a, nil
}

func tooCostly(err error) problem {
	return problem{Status: http.StatusUnprocessableEntity, Code: "too_costly", Detail: err.Error()}
}

// readDocumentAsk is a request for words about a surface.
func (s *Server) readDocumentAsk(r *http.Request) (surfaceAsk, tiles.Lang, error) {
	a, err := s.readSurfaceAsk(r)
	if err != nil {
		return a, "", err
	}
	lang, err := langParam(r)
	return a, lang, err
}

// view is what of the incidents the density counts.
func (a surfaceAsk) view() risk.View {
	v := a.assessment.DefaultView()
	if !a.AsOf.IsZero() {
		v.AsOf = a.AsOf
	}
	for _, p := range []struct {
		value *float64
		into  *float64
	}{{a.WindowDays, &v.WindowDays}, {a.HalfLifeDays, &v.HalfLifeDays}, {a.BandwidthM, &v.BandwidthM}} {
		if p.value != nil {
			*p.into = *p.value
		}
	}
	v.Kinds = a.Kinds
	return v
}

// values evaluates the surface for n × n pixels.
func (a surfaceAsk) values(level, px, py, n int) []float64 {
	out := a.exactValues(level, px, py, n)
	if a.steppedTo > 0 {
		for i, v := range out {
			out[i] = stepped(v, a.steppedTo)
		}
	}
	return out
}

func (a surfaceAsk) exactValues(level, px, py, n int) []float64 {
	as := a.assessment
	switch a.surface.ID {
	case "density":
		return as.DensityTile(a.view(), level, px, py, n)
	case "hazard":
		return as.HazardTile(level, px, py, n)
	case "risk":
		return as.RiskTile(level, px, py, n)
	case "coverage":
		return as.CoverageTile(level, px, py, n)
	case "knowledge":
		return as.KnowledgeTile(level, px, py, n)
	case "hotspots":
		return as.HotSpotTile(hotSpotClasses(), level, px, py, n)
	default:
		return as.ClassTile(gapClasses(), level, px, py, n)
	}
}

func gapClasses() []risk.Class {
	var out []risk.Class
	for _, c := range tiles.GapClasses() {
		out = append(out, risk.Class(c.ID))
	}
	return out
}

func hotSpotClasses() []risk.HotSpotClass {
	var out []risk.HotSpotClass
	for _, c := range tiles.HotSpotClasses() {
		out = append(out, risk.HotSpotClass(c.ID))
	}
	return out
}

// scale is the surface's fixed scale.
func (a surfaceAsk) scale() tiles.Scale {
	top := a.scaled.Scales
	if a.fixed {
		top = releasedScales()
	}
	return a.surface.DefaultScale(map[string]float64{"density": top.Density, "hazard": top.Hazard, "risk": top.Risk}[a.surface.ID])
}

func (s *Server) surfaceTile(w http.ResponseWriter, r *http.Request) error {
	v := mux.Vars(r)
	t, err := parseTile(v)
	if err != nil {
		return err
	}
	a, err := s.readSurfaceAsk(r)
	if err != nil {
		return err
	}
	size := 256
	if v["retina"] != "" {
		size = 512
	}
	key := fmt.Sprintf("%s|%s|%s|%s|%s|%d", a.surface.ID, a.assessment.Version, a.key(), a.ramp.Name, t, size)
	tile, err := s.rasters.get(r.Context(), s.metrics, key, func(context.Context) (tile, error) { return s.drawTile(a, t, size) })
	if err != nil {
		return err
	}
	s.sendTile(w, r, tile, a.pinned)
	return nil
}

func (s *Server) drawTile(a surfaceAsk, t tiles.Tile, size int) (tile, error) {
	raster, err := s.painters.get(s.assessment.Load(), a)
	if err != nil {
		return tile{}, err
	}
	level := int(t.Z) + 8
	if size == 512 {
		level++
	}
	values := a.values(level, int(t.X)*size, int(t.Y)*size, size)
	png, _, err := raster.PNG(values, size)
	return newTile("image/png", png), err
}

func (s *Server) sendTile(w http.ResponseWriter, r *http.Request, t tile, pinned bool) {
	a := reply{contentType: t.contentType, body: t.body, etag: t.tag, cache: revalidate}
	if acceptsGzip(r) {
		a.gzipped = t.gzipped()
	}
	if pinned {
		a.cache = immutable
	}
	if len(t.body) == 0 {
		a.status = http.StatusNoContent
	}
	s.send(w, r, a)
}

func parseTile(v map[string]string) (tiles.Tile, error) {
	t, err := tiles.Parse(v["z"], v["x"], v["y"])
	if err != nil {
		return t, problem{Status: http.StatusNotFound, Code: "tile_not_found", Detail: err.Error()}
	}
	return t, nil
}

func (s *Server) surfaceTileJSON(w http.ResponseWriter, r *http.Request) error {
	a, lang, err := s.readDocumentAsk(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	q.Del("v")
	q.Del("lang")
	doc := tiles.SurfaceTileJSON(tiles.Site{Base: baseURL(r)}, a.surface, tiles.SurfaceSet{
		Bound: s.mapBound(a.assessment), Version: s.assessment.Load().Version, Query: q,
		Attribution: s.attribution(), Lang: lang,
	})
	doc.MaxZoom = s.tileZoom()
	return s.sendJSON(w, r, http.StatusOK, doc)
}

// attribution names what the surfaces are made of.
func (s *Server) attribution() string {
	if s.assessment.Load().Synthetic {
		return "sempadan; contains synthetic data"
	}
	return "sempadan"
}

func (s *Server) legend(w http.ResponseWriter, r *http.Request) error {
	a, lang, err := s.readDocumentAsk(r)
	if err != nil {
		return err
	}
	l := tiles.NewLegend(a.surface, a.scale(), a.ramp, lang)
	switch mux.Vars(r)["ext"] {
	case "svg":
		s.send(w, r, reply{contentType: "image/svg+xml", body: l.SVG()})
	case "png":
		png, err := l.PNG(2)
		if err != nil {
			return err
		}
		s.send(w, r, reply{contentType: "image/png", body: png})
	default:
		return s.sendJSON(w, r, http.StatusOK, l)
	}
	return nil
}

// surfaceValue is the exact number at a place.
func (s *Server) surfaceValue(w http.ResponseWriter, r *http.Request) error {
	p, err := pointParam(r)
	if err != nil {
		return err
	}
	a, err := s.readSurfaceAsk(r)
	if err != nil {
		return err
	}
	answer := map[string]any{
		"surface": a.surface.ID, "lon": p.Lon(), "lat": p.Lat(), "unit": a.surface.Unit.In(tiles.English),
		"as_of": a.assessment.AsOf, "version": a.assessment.Version,
	}
	value, known, err := a.at(p)
	if err != nil {
		return err
	}
	if a.surface.ID == "hotspots" {
		answer["hotspot"] = a.assessment.HotSpotAt(p)
	}
	answer["value"] = nil
	if known {
		answer["value"] = value
	}
	return s.sendJSON(w, r, http.StatusOK, answer)
}

// at returns the surface's value as its tiles draw it; known is false where
// there is no data.
func (a surfaceAsk) at(p orb.Point) (value any, known bool, err error) {
	if a.surface.ID == "gaps" {
		class := a.assessment.ClassAt(p)
		return class, class != "", nil
	}
	if a.surface.ID == "hotspots" {
		class := a.assessment.HotSpotAt(p).Class
		return class, class != "", nil
	}
	v, err := a.assessment.Value(a.surface.ID, a.view(), p)
	if a.steppedTo > 0 {
		v = stepped(v, a.steppedTo)
	}
	return v, !math.IsNaN(v), err
}

func (s *Server) style(w http.ResponseWriter, r *http.Request) error {
	lang, err := langParam(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	q.Del("lang")
	doc, err := tiles.NewStyle(tiles.Site{Base: baseURL(r)}, mux.Vars(r)["name"], lang, q)
	if err != nil {
		return problem{Status: http.StatusNotFound, Code: "style_not_found", Detail: err.Error()}
	}
	s.dropAbsent(&doc)
	return s.sendJSON(w, r, http.StatusOK, doc)
}

// dropAbsent takes out of a style what this service has no layer for.
func (s *Server) dropAbsent(doc *tiles.Style) {
	for id := range doc.Sources {
		if _, isSurface := tiles.SurfaceByID(id); isSurface || s.current().byID[id] != nil {
			continue
		}
		delete(doc.Sources, id)
		doc.Layers = slices.DeleteFunc(doc.Layers, func(l tiles.StyleLayer) bool { return l.Source == id })
	}
}

func (s *Server) layerTileJSON(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	query, err := s.readTileQuery(r, e)
	if err != nil {
		return err
	}
	q := query.asked
	q.Set("v", e.tag())
	return s.sendJSON(w, r, http.StatusOK, tiles.LayerTileJSON(tiles.Site{Base: baseURL(r)}, e.layer, q).Within(e.bound()))
}

func (s *Server) vectorTile(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	t, err := parseTile(mux.Vars(r))
	if err != nil {
		return err
	}
	query, err := s.readTileQuery(r, e)
	if err != nil {
		return err
	}
	// A filter tells of every row of the tile, of what it leaves out, too.
	if ok, err := s.mayDraw(w, r, e.layer, t); !ok {
		return err
	}
	noteTile(r.Context(), e.layer, t)
	tile, err := s.layerTile(r.Context(), e, t, query)
	if err != nil {
		return err
	}
	if tile.note != "" {
		w.Header().Set("Sempadan-Features", tile.note)
	}
	s.sendTile(w, r, tile, r.URL.Query().Get("v") == e.tag())
	return nil
}

// longestFilter is how long a tile of a filter may take.
const longestFilter = 10 * time.Second

// vectorKeys is what the keys of a layer's tiles begin with.
func vectorKeys(layer string) string { return "mvt|" + layer + "|" }

// layerTile returns a vector tile of a layer, from the cache or made. Those of
// filters have a cache of their own, for there are more filters than fit into one.
func (s *Server) layerTile(ctx context.Context, e *entry, t tiles.Tile, q tileQuery) (tile, error) {
	cache, key := s.tiles, vectorKeys(e.layer.Info.ID)+fmt.Sprintf("%s|%s", e.tag(), t)
	if q.key != "" {
		cache, key = s.filtered, key+"|"+q.key
	}
	return cache.get(ctx, s.metrics, key, func(ctx context.Context) (tile, error) {
		opt := tiles.DefaultMVTOptions()
		if q.key != "" {
			var end context.CancelFunc
			ctx, end = context.WithTimeout(ctx, longestFilter)
			defer end()
			opt.Keep = q.bind(e.layer)
		}
		body, stats, err := e.vector.Tile(ctx, t, opt)
		out := newTile("application/vnd.mapbox-vector-tile", body)
		if stats.Thinned > 0 {
			out.note = fmt.Sprintf("shown=%d; of=%d", stats.Features, stats.Total)
		}
		return out, err
	})
}
