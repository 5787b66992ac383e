package risk

import (
	"errors"
	"fmt"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/surface"
)

// Raster evaluates a surface exactly at the cell centres of a lattice,
// row-major: density in incidents per km², hazard per km² and year, risk per
// km² and 30 days, coverage and knowledge as shares; hotspots as 3, 2, 1 (hot) to -3 (cold), see
// HotSpot; NaN where there is no data.
func (a *Assessment) Raster(id string, v View, l surface.Lattice, threads int) ([]float64, error) {
	switch id {
	case "density":
		return scale(a.field(v).Raster(l, threads), perKM2), nil
	case "hazard":
		return a.hazardRaster(l, threads), nil
	case "risk":
		values := a.hazardRaster(l, threads)
		recorded := a.hazard.near.Raster(l, threads)
		a.eachCentre(l, func(i int, c surface.Cell) { values[i] = a.residual(values[i], a.hazard.recorded(recorded[i]), c) })
		return values, nil
	case "coverage", "knowledge":
		value := a.coverageIn
		if id == "knowledge" {
			value = a.knowledgeIn
		}
		values := make([]float64, l.NX*len(l.Lats))
		a.eachCentre(l, func(i int, c surface.Cell) { values[i] = value(c) })
		return values, nil
	case "hotspots":
		values := make([]float64, l.NX*len(l.Lats))
		a.eachCentre(l, func(i int, c surface.Cell) { values[i] = a.hotSpots().bin(c) })
		return values, nil
	}
	return nil, fmt.Errorf("there is no surface %q to write: use density, hazard, risk, coverage, knowledge or hotspots", id)
}

// CheckRaster reports why a raster is not to be had: its kernel sums would take
// too long.
func (a *Assessment) CheckRaster(id string, v View, l surface.Lattice) error {
	switch id {
	case "density":
	case "hazard", "risk":
		v = a.hazardView()
	default:
		return nil
	}
	d, ok := a.field(v).(interface{ WorkNS(surface.Lattice) float64 })
	if !ok {
		return nil // smoothed: its blocks have a limit of their own
	}
	if ns := d.WorkNS(l); ns > surface.MostWorkNS {
		return errors.Join(ErrTooCostly, surface.TooMuchWork(ns))
	}
	return nil
}

func (a *Assessment) hazardRaster(l surface.Lattice, threads int) []float64 {
	return scale(a.hazard.raster(l, threads), perKM2)
}

func (a *Assessment) eachCentre(l surface.Lattice, yield func(i int, c surface.Cell)) {
	for r, lat := range l.Lats {
		for c := range l.NX {
			yield(r*l.NX+c, surface.CellAt(orb.Point{l.Lon0 + float64(c)*l.DLon, lat}))
		}
	}
}
