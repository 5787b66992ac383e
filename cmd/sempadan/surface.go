package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
	"github.com/sempadan/sempadan/tiles"
	"github.com/spf13/cobra"
)

type surfaceFlags struct {
	assessFlags
	out, bbox, size, kernel, points, x, y string
	cellM, bandwidthM                     float64
	threads                               int
	planar, json, adaptive                bool
	smoothing                             string
}

func surfaceCommand() *cobra.Command {
	var f surfaceFlags
	c := &cobra.Command{
		Use: "surface SURFACE", Short: "Write one surface as a raster", Args: cobra.ExactArgs(1),
		Long: "Write density, hazard, risk, coverage, knowledge or hotspots as a raster (.tif, .asc or .png): of the store, or the density straight from a file of points.",
		RunE: func(c *cobra.Command, args []string) error { return f.write(c, args[0]) },
	}
	f.add(c)
	fl := c.Flags()
	fl.StringVarP(&f.out, "output", "o", "", "file to write, .tif (Cloud Optimized GeoTIFF), .asc or .png (must be given)")
	fl.StringVar(&f.bbox, "bbox", "", "west,south,east,north, west > east over the 180th meridian, latitudes up to 85; default: around the data")
	fl.StringVar(&f.size, "size", "", "columns x rows, such as 1024x1024")
	fl.Float64Var(&f.cellM, "cell-m", 0, "cell size in metres along the parallel in the middle of the box, in place of --size")
	fl.StringVar(&f.kernel, "kernel", "", "uniform, triangular, epanechnikov, quartic or gaussian; default: the model's")
	fl.Float64Var(&f.bandwidthM, "bandwidth-m", 0, "bandwidth in metres; default: the model's")
	fl.BoolVar(&f.adaptive, "adaptive", false, "a bandwidth for each incident, narrow where they are many; default: the model's")
	fl.StringVar(&f.smoothing, "smoothing", "", "at coasts: none, edge (mass stays on its side) or barrier (and goes round); default: the model's")
	fl.IntVar(&f.threads, "threads", runtime.NumCPU(), "threads to use")
	fl.StringVar(&f.points, "points", "", "a CSV file of points in place of the store")
	fl.StringVar(&f.x, "x", "x", "column of the longitude, or of x in metres with --planar")
	fl.StringVar(&f.y, "y", "y", "column of the latitude, or of y in metres with --planar")
	fl.BoolVar(&f.planar, "planar", false, "points are metres on a plane")
	fl.BoolVar(&f.json, "json", false, "timing as one JSON document on standard output")
	return c
}

// maxCells bounds a raster: 100 million cells are 800 MB.
const maxCells = 100_000_000

// raster is a finished surface, first row in the south.
type raster struct {
	lattice surface.Lattice
	west    float64
	south   float64
	cell    float64 // degrees, or metres on a plane
	values  []float64
}

func (f *surfaceFlags) write(c *cobra.Command, id string) error {
	format := strings.ToLower(filepath.Ext(f.out))
	if format != ".tif" && format != ".asc" && format != ".png" {
		return usageError{fmt.Errorf("-o %s: give a file that ends in .tif, .asc or .png", f.out)}
	}
	for name, v := range map[string]float64{"bandwidth-m": f.bandwidthM, "cell-m": f.cellM} {
		if c.Flags().Changed(name) && !(v > 0) {
			return usageError{fmt.Errorf("--%s %g: give more than 0", name, v)}
		}
	}
	if f.threads < 1 {
		return usageError{fmt.Errorf("--threads %d: give 1 or more", f.threads)}
	}
	debug.SetGCPercent(400) // one raster, then the process ends
	clock := time.Now()
	lap := func() float64 {
		took := time.Since(clock)
		clock = time.Now()
		return float64(took.Microseconds()) / 1000
	}
	if f.smoothing != "" && f.smoothing != string(surface.SmoothNone) && f.planar {
		return usageError{errors.New("--smoothing needs longitudes and latitudes, not --planar")}
	}
	load := f.loadStore
	if f.points != "" {
		if id != "density" {
			return usageError{errors.New("--points gives incidents only: the surface must be density")}
		}
		load = f.loadPoints
	}
	evaluate, bound, err := load(c.Context(), id)
	if err != nil {
		return err
	}
	r, err := f.lattice(bound)
	if err != nil {
		return err
	}
	sheet := surface.NewSheet(r.lattice, f.threads)
	loadMS := lap()
	cpu := cpuTime()
	if r.values, err = evaluate(sheet); err != nil {
		return err
	}
	cpu = cpuTime() - cpu
	computeMS := lap()
	if err := output(f.out, nil, func(w io.Writer) error { return r.encode(w, format, id) }); err != nil {
		return err
	}
	writeMS := lap()
	if f.json {
		return printJSON(c.OutOrStdout(), map[string]any{
			"surface": id, "file": f.out, "columns": r.lattice.NX, "rows": len(r.lattice.Lats), "cell": r.cell,
			"load_ms": loadMS, "compute_ms": computeMS, "compute_cpu_ms": float64(cpu.Microseconds()) / 1000, "write_ms": writeMS, "threads": f.threads,
		})
	}
	fmt.Fprintf(c.OutOrStdout(), "%s: %d × %d cells; load %.0f ms, compute %.0f ms, write %.0f ms\n",
		f.out, r.lattice.NX, len(r.lattice.Lats), loadMS, computeMS, writeMS)
	return nil
}

type evaluator func(surface.Sheet) ([]float64, error)

// box is west, south, east, north.
type box [4]float64

func (f *surfaceFlags) loadStore(ctx context.Context, id string) (evaluator, box, error) {
	var kernelErr error
	a, err := f.assess(ctx, func(m *risk.Model) {
		if f.kernel != "" {
			m.Kernel, kernelErr = surface.ParseKernel(f.kernel)
		}
		if f.bandwidthM != 0 {
			m.BandwidthM, m.BandwidthRule = f.bandwidthM, surface.RuleFixed
		}
		m.AdaptiveBandwidth = m.AdaptiveBandwidth || f.adaptive
		if f.smoothing != "" {
			m.Smoothing = surface.Smoothing(f.smoothing)
		}
	})
	if _, bad := surface.ParseSmoothing(f.smoothing); bad != nil {
		return nil, box{}, usageError{bad}
	}
	if kernelErr != nil {
		return nil, box{}, usageError{kernelErr}
	}
	if err != nil {
		return nil, box{}, err
	}
	if s := a.Smoothing; f.smoothing != "" && s.Rule != s.Asked {
		return nil, box{}, fmt.Errorf("--smoothing %s cannot be had: %s", s.Asked, s.Why)
	}
	b := a.Bound()
	if b.IsEmpty() && f.bbox == "" {
		return nil, box{}, errors.New("the store has no incidents, patrols or border; give --bbox")
	}
	return func(to surface.Sheet) ([]float64, error) {
		if err := a.CheckRaster(id, a.DefaultView(), to.Lattice); err != nil {
			return nil, usageError{err}
		}
		return a.Raster(id, a.DefaultView(), to.Lattice, to.Threads)
	}, box{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}, nil
}

func (f *surfaceFlags) loadPoints(_ context.Context, _ string) (evaluator, box, error) {
	m := risk.DefaultModel()
	kernel, bandwidth := m.Kernel, m.BandwidthM
	if f.kernel != "" {
		var err error
		if kernel, err = surface.ParseKernel(f.kernel); err != nil {
			return nil, box{}, usageError{err}
		}
	}
	if f.bandwidthM != 0 {
		bandwidth = f.bandwidthM
	}
	file, err := os.Open(f.points)
	if err != nil {
		return nil, box{}, err
	}
	defer func() { _ = file.Close() }()
	b := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	var events []surface.Event
	err = data.ReadXY(bufio.NewReaderSize(file, 1<<20), f.x, f.y, func(x, y float64) {
		events = append(events, surface.Event{Lon: x, Lat: y, Weight: 1e6}) // sums are per km²
		b = box{min(b[0], x), min(b[1], y), max(b[2], x), max(b[3], y)}
	})
	if err != nil {
		return nil, box{}, fmt.Errorf("%s: %w", f.points, err)
	}
	if len(events) == 0 {
		return nil, box{}, fmt.Errorf("%s has no points", f.points)
	}
	smoothed, err := f.smoothedPoints(events, kernel, bandwidth)
	if err != nil {
		return nil, box{}, usageError{err}
	}
	return func(to surface.Sheet) ([]float64, error) {
		if smoothed != nil {
			return smoothed(to.Lattice, to.Threads), nil
		}
		if err := surface.AddEvents(to, events, kernel, bandwidth); err != nil {
			return nil, usageError{err}
		}
		return to.Values, nil
	}, b, nil
}

// smoothedPoints is the raster of a file's density with --adaptive, and against
// the built-in land where --smoothing asks for it; nil with neither.
func (f *surfaceFlags) smoothedPoints(events []surface.Event, k surface.Kernel, bandwidthM float64) (func(surface.Lattice, int) []float64, error) {
	by, err := surface.ParseSmoothing(f.smoothing)
	if err != nil || by == surface.SmoothNone && !f.adaptive {
		return nil, err
	}
	newDensity := surface.NewDensity
	if f.adaptive {
		newDensity = surface.NewAdaptiveDensity
	}
	d, err := newDensity(surface.NewPoints(events, f.planar), k, bandwidthM)
	if err != nil || by == surface.SmoothNone {
		return d.Raster, err
	}
	if f.noBuiltin {
		return nil, errors.New("--smoothing needs the built-in land; leave out --no-builtin")
	}
	land, err := layers.Load("land")
	if err != nil {
		return nil, err
	}
	m, err := surface.NewSmoothed(d, surface.SmoothedOptions{By: by, Ground: risk.LandGround(land)})
	if err != nil {
		return nil, err
	}
	return m.Raster, nil
}

// lattice lays square cells over the box: of --cell-m metres, or as many as
// --size says.
func (f *surfaceFlags) lattice(b box) (raster, error) {
	if f.bbox != "" {
		parts := strings.Split(f.bbox, ",")
		if len(parts) != 4 {
			return raster{}, usageError{fmt.Errorf("--bbox %s: give west,south,east,north", f.bbox)}
		}
		for i, p := range parts {
			v, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return raster{}, usageError{fmt.Errorf("--bbox: %q is not a number", p)}
			}
			b[i] = v
		}
	}
	if !f.planar && b[0] > b[2] { // over the 180th meridian
		b[2] += 360
	}
	if !f.planar && !(b[1] >= -mostLat && b[3] <= mostLat && b[0] >= -360 && b[2] <= 540) {
		return raster{}, usageError{fmt.Errorf("the box %v leaves the map: latitudes from -%g to %g in degrees, or --planar for metres", b, mostLat, mostLat)}
	}
	width, height := b[2]-b[0], b[3]-b[1]
	if !(width > 0) || !(height > 0) || math.IsInf(width*height, 0) {
		return raster{}, usageError{fmt.Errorf("the box %v has no area, or too much; give --bbox west,south,east,north", b)}
	}
	cell, err := f.cellSize(b)
	if err != nil {
		return raster{}, err
	}
	nx, ny := max(1, math.Ceil(width/cell-1e-9)), max(1, math.Ceil(height/cell-1e-9))
	if !(nx*ny <= maxCells) {
		return raster{}, usageError{fmt.Errorf("%.0f × %.0f cells are more than %d; use larger cells or a smaller box", nx, ny, maxCells)}
	}
	r := raster{west: b[0], south: b[1], cell: cell}
	r.lattice = surface.PlanarLattice(b[0], b[1], cell, int(nx), int(ny))
	r.lattice.Planar = f.planar
	return r, nil
}

// mostLat is the latitude up to which a raster in degrees may reach: there the
// metric of its rows errs by 5e-5 of the peak at 20 km, at 80 degrees by 1e-5.
const mostLat = 85.0

func (f *surfaceFlags) cellSize(b box) (float64, error) {
	width, height := b[2]-b[0], b[3]-b[1]
	if f.size != "" {
		columns, rows, _ := strings.Cut(f.size, "x")
		nx, err := strconv.Atoi(columns)
		ny, err2 := strconv.Atoi(rows)
		if err != nil || err2 != nil || nx < 1 || ny < 1 {
			return 0, usageError{fmt.Errorf("--size %s: give columns x rows, such as 1024x1024", f.size)}
		}
		return max(width/float64(nx), height/float64(ny)), nil
	}
	metres := f.cellM
	if metres == 0 {
		metres = 1000
	}
	if !(metres > 0) {
		return 0, usageError{fmt.Errorf("--cell-m %g: give a size above 0", metres)}
	}
	if f.planar {
		return metres, nil
	}
	lonM, _ := geo.MetresPerDegree((b[1] + b[3]) / 2)
	return metres / lonM, nil
}

func (r *raster) encode(w io.Writer, format, id string) error {
	switch format {
	case ".png":
		return r.png(w, id)
	case ".tif":
		return r.tiff(w, id)
	}
	out := bufio.NewWriterSize(w, 1<<20)
	fmt.Fprintf(out, "ncols %d\nnrows %d\nxllcorner %.15g\nyllcorner %.15g\ncellsize %.15g\nNODATA_value %d\n",
		r.lattice.NX, len(r.lattice.Lats), r.west, r.south, r.cell, data.SurfaceNoData)
	line := []byte{}
	for row := len(r.lattice.Lats) - 1; row >= 0; row-- {
		line = line[:0]
		for i, v := range r.values[row*r.lattice.NX : (row+1)*r.lattice.NX] {
			if i > 0 {
				line = append(line, ' ')
			}
			if math.IsNaN(v) {
				v = data.SurfaceNoData
			}
			line = strconv.AppendFloat(line, v, 'g', -1, 64)
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (r *raster) tiff(w io.Writer, id string) error {
	s, _ := tiles.SurfaceByID(id)
	epsg := 4326
	if r.lattice.Planar {
		epsg = 0
	}
	rows := len(r.lattice.Lats)
	return data.WriteGeoTIFF(w, data.Raster{
		Width: r.lattice.NX, Height: rows, Rows: data.RowsOf(r.values, r.lattice.NX, true),
		OriginX: r.west, OriginY: r.south + float64(rows)*r.cell, CellX: r.cell, CellY: r.cell,
		EPSG: epsg, NoData: data.SurfaceNoData, Unit: s.NumberUnit(), Description: s.Title.In(tiles.English),
	})
}

// png draws the raster in the surface's colours, scaled to its own peak.
func (r *raster) png(w io.Writer, id string) error {
	s, ok := tiles.SurfaceByID(id)
	if !ok {
		return fmt.Errorf("there is no surface %q", id)
	}
	ramp, err := tiles.RampNamed(s.Ramp)
	if err != nil {
		return err
	}
	peak, values := 0.0, r.values
	for _, v := range values {
		peak = max(peak, v)
	}
	if id == "hotspots" {
		values = tiles.HotSpotIndices(values)
	}
	return tiles.DrawPNG(w, s.DefaultScale(peak), ramp, tiles.Grid{Values: values, Columns: r.lattice.NX, SouthFirst: true})
}
