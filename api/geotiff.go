package api

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo/surface"
	"github.com/sempadan/sempadan/tiles"
)

// mostRasterCells bounds a download; a larger area gets larger cells.
const mostRasterCells = 16 << 20

// worldCells is a part of the world raster of 2^level cells a side.
type worldCells struct{ level, x0, y0, nx, ny int }

// rasterCells covers the assessment with analysis cells of zoom 7 tiles (1.2 km
// at the equator), or with coarser ones when they would be too many.
func (a surfaceAsk) rasterCells() (worldCells, error) {
	b := a.assessment.Bound()
	if b.IsEmpty() {
		return worldCells{}, problem{Status: http.StatusNotFound, Code: "nothing_to_show",
			Detail: "there are no incidents, patrols or border to make a raster of"}
	}
	for level := surface.CellLevel; ; level-- {
		const margin = 8 // cells: what lies at the edge keeps its kernel
		side := math.Exp2(float64(level))
		x0, y0 := surface.PixelAt(level, b.LeftTop())
		x1, y1 := surface.PixelAt(level, b.RightBottom())
		x0, y0 = max(math.Floor(x0)-margin, 0), max(math.Floor(y0)-margin, 0)
		x1, y1 = min(math.Ceil(x1)+margin, side), min(math.Ceil(y1)+margin, side)
		if (x1-x0)*(y1-y0) <= mostRasterCells {
			return worldCells{level, int(x0), int(y0), int(x1 - x0), int(y1 - y0)}, nil
		}
	}
}

// surfaceTIFF is a surface as a Cloud Optimized GeoTIFF in Web Mercator.
func (s *Server) surfaceTIFF(w http.ResponseWriter, r *http.Request) error {
	a, err := s.readSurfaceAsk(r)
	if err != nil {
		return err
	}
	if a.surface.ID == "gaps" {
		return problem{Status: http.StatusNotFound, Code: "no_numbers", Detail: "classes have no raster of numbers; read /v1/gaps?format=geojson"}
	}
	cells, err := a.rasterCells()
	if err != nil {
		return err
	}
	whole := surface.WindowLattice(cells.level, cells.x0, cells.y0, cells.nx, cells.ny)
	if err := a.assessment.CheckRaster(a.surface.ID, a.view(), whole); err != nil {
		return tooCostly(err)
	}
	return s.sendDownload(w, r, download{
		name: "sempadan-" + a.surface.ID + ".tif", media: "image/tiff; application=geotiff; profile=cloud-optimized",
		tag:  a.assessment.Version + "-" + contentTag([]byte(a.surface.ID+a.key())),
		make: func(file *os.File) error { return data.WriteGeoTIFF(file, a.raster(r, cells)) },
	})
}

// raster describes the file; its rows are evaluated exactly at the cell centres,
// a strip of squares at a time.
func (a surfaceAsk) raster(r *http.Request, c worldCells) data.Raster {
	const square = 256
	worldM := 2 * math.Pi * 6378137.0
	cell := worldM / math.Exp2(float64(c.level))
	return data.Raster{
		Width: c.nx, Height: c.ny, NoData: data.SurfaceNoData, EPSG: 3857, CellX: cell, CellY: cell,
		OriginX: float64(c.x0)*cell - worldM/2, OriginY: worldM/2 - float64(c.y0)*cell,
		Unit: a.surface.NumberUnit(), Description: a.surface.Title.In(tiles.English),
		Metadata: map[string]string{
			"as_of": a.assessment.AsOf.Format(time.RFC3339), "version": a.assessment.Version,
			"model": a.assessment.Model.Version, "synthetic": fmt.Sprint(a.assessment.Synthetic),
		},
		Rows: func(y0 int, dst []float32) error {
			rows := len(dst) / c.nx
			for y := 0; y < rows; y += square {
				for x := 0; x < c.nx; x += square {
					if err := r.Context().Err(); err != nil {
						return err
					}
					l := surface.TileLattice(c.level, c.x0+x, c.y0+y0+y, square)
					values, err := a.assessment.Raster(a.surface.ID, a.view(), l, surface.Threads(square*square))
					if err != nil {
						return err
					}
					for j := 0; j < min(square, rows-y); j++ {
						out := dst[(y+j)*c.nx+x:]
						for i := 0; i < min(square, c.nx-x); i++ {
							out[i] = float32(values[j*square+i])
						}
					}
				}
			}
			return nil
		},
	}
}
