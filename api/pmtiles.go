package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
)

// formatPMTiles is an archive of the tiles of a layer or a surface.
const formatPMTiles = "pmtiles"

// defaultPMTilesZoom is the deepest zoom of an archive unless asked otherwise.
const defaultPMTilesZoom = 10

// surfacePMTiles is a surface as one file of PNG tiles, for use offline.
func (s *Server) surfacePMTiles(w http.ResponseWriter, r *http.Request) error {
	a, err := s.readSurfaceAsk(r)
	if err != nil {
		return err
	}
	maxZoom, err := archiveZoom(r, a.assessment.Bound(), s.tileZoom())
	if err != nil {
		return err
	}
	raster, err := s.painters.get(s.assessment.Load(), a)
	if err != nil {
		return err
	}
	archive := tiles.PMTiles{Bound: a.assessment.Bound(), MaxZoom: maxZoom, Metadata: map[string]any{
		"name": a.surface.Title.In(tiles.English), "description": a.surface.Unit.In(tiles.English), "type": "overlay", "attribution": s.attribution(),
		"as_of": a.assessment.AsOf, "version": a.assessment.Version, "synthetic": a.assessment.Synthetic,
		"legend": tiles.NewLegend(a.surface, a.scale(), a.ramp, tiles.English),
	}}
	tag := fmt.Sprintf("%s-%s", a.assessment.Version, contentTag([]byte(fmt.Sprint(a.surface.ID, a.key(), a.ramp.Name, maxZoom))))
	return s.sendArchive(w, r, "sempadan-"+a.surface.ID, tag, func(ctx context.Context, w io.Writer, spool io.ReadWriteSeeker) error {
		return archive.Write(w, spool, func(t tiles.Tile) ([]byte, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			png, blank, err := raster.PNG(a.values(int(t.Z)+8, int(t.X)*256, int(t.Y)*256, 256), 256)
			if blank {
				return nil, err
			}
			return png, err
		})
	})
}

// layerPMTiles is a layer as one file of vector tiles.
func (s *Server) layerPMTiles(w http.ResponseWriter, r *http.Request, e *entry) error {
	maxZoom, err := archiveZoom(r, e.bound(), tiles.LayerMaxZoom)
	if err != nil {
		return err
	}
	tag := fmt.Sprintf("%s-pm%d", e.tag(), maxZoom)
	return s.sendArchive(w, r, e.layer.Info.ID, tag, func(ctx context.Context, w io.Writer, spool io.ReadWriteSeeker) error {
		return WriteLayerPMTiles(ctx, w, spool, LayerArchive{Layer: e.layer, Vector: e.vector, MaxZoom: maxZoom, Within: e.within})
	})
}

// LayerArchive is a layer to be written as vector tiles to a zoom. Vector may be
// nil.
type LayerArchive struct {
	Layer   *geo.Layer
	Vector  *tiles.Vector
	MaxZoom int
	// Within, when not nil, is told of the layer's extent in place of it.
	Within *orb.Bound
}

// WriteLayerPMTiles writes a layer as PMTiles; spool is empty at first.
func WriteLayerPMTiles(ctx context.Context, w io.Writer, spool io.ReadWriteSeeker, a LayerArchive) error {
	if a.Vector == nil {
		a.Vector = tiles.NewVector(a.Layer)
	}
	doc := tiles.LayerTileJSON(tiles.Site{}, a.Layer, nil)
	for i := range doc.VectorLayers {
		doc.VectorLayers[i].MaxZoom = a.MaxZoom
	}
	bound := a.Layer.Bound()
	if a.Within != nil {
		bound = *a.Within
	}
	archive := tiles.PMTiles{Vector: true, Bound: bound, MaxZoom: a.MaxZoom, Metadata: map[string]any{
		"name": doc.Name, "description": doc.Description, "attribution": doc.Attribution, "type": "overlay", "vector_layers": doc.VectorLayers,
		"version": a.Layer.Info.Version, "synthetic": a.Layer.Info.Synthetic,
	}}
	return archive.Write(w, spool, func(t tiles.Tile) ([]byte, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		body, _, err := a.Vector.Tile(ctx, t, tiles.DefaultMVTOptions())
		return body, err
	})
}

// archiveZoom reads the deepest zoom of an archive of a box.
func archiveZoom(r *http.Request, b orb.Bound, deepest int) (int, error) {
	zoom, err := intParam(r, "maxzoom", min(defaultPMTilesZoom, deepest), 0, deepest)
	if n := tiles.CountTiles(b, zoom); err == nil && n > tiles.MaxPMTiles {
		err = problem{Status: http.StatusUnprocessableEntity, Code: "too_many_tiles",
			Detail: fmt.Sprintf("maxzoom %d is %d tiles, an archive holds %d: ask for a smaller maxzoom", zoom, n, tiles.MaxPMTiles)}
	}
	return zoom, err
}

// sendArchive makes an archive, with a second file for its tiles meanwhile, and
// sends it.
func (s *Server) sendArchive(w http.ResponseWriter, r *http.Request, name, tag string, write func(context.Context, io.Writer, io.ReadWriteSeeker) error) error {
	return s.sendDownload(w, r, download{name: name + ".pmtiles", media: "application/vnd.pmtiles", tag: tag, make: func(file *os.File) error {
		spool, err := os.CreateTemp("", "sempadan-tiles-*")
		if err != nil {
			return fmt.Errorf("make the archive: %w", err)
		}
		defer drop(spool)
		return write(r.Context(), file, spool)
	}})
}
