package surface

import (
	"fmt"
	"math"
)

// Kernel is the shape of the bump that each incident contributes. With u the
// distance divided by the bandwidth, k(u) is its unnormalised height; the
// two-dimensional constant c makes c/h² · k integrate to 1 over the plane.
type Kernel string

// The kernels. All but the Gaussian end at one bandwidth; the Gaussian's
// bandwidth is its standard deviation and it is cut at GaussianCut of them.
const (
	Uniform      Kernel = "uniform"
	Triangular   Kernel = "triangular"
	Epanechnikov Kernel = "epanechnikov"
	Quartic      Kernel = "quartic"
	Gaussian     Kernel = "gaussian"
)

// GaussianCut is where the Gaussian kernel ends, in standard deviations. The
// mass beyond, exp(-8) = 3.4e-4 of each incident, is lost, not redistributed.
const GaussianCut = 4.0

// ParseKernel finds a kernel by its name.
func ParseKernel(name string) (Kernel, error) {
	switch k := Kernel(name); k {
	case Uniform, Triangular, Epanechnikov, Quartic, Gaussian:
		return k, nil
	}
	return "", fmt.Errorf("unknown kernel %q: use uniform, triangular, epanechnikov, quartic or gaussian", name)
}

// At returns k(u) for u² = d²/h², without unit.
func (k Kernel) At(u2 float64) float64 {
	if k == Gaussian {
		if u2 >= GaussianCut*GaussianCut {
			return 0
		}
		return math.Exp(-u2 / 2)
	}
	if u2 >= 1 {
		return 0
	}
	switch k {
	case Uniform:
		return 1
	case Triangular:
		return 1 - math.Sqrt(u2)
	case Epanechnikov:
		return 1 - u2
	default:
		return (1 - u2) * (1 - u2)
	}
}

// Constant returns c in K_h(d) = c/h² · k(d/h). Source: Silverman (1986),
// table 4.1 and its two-dimensional forms, each 1/∫k over the unit disc.
func (k Kernel) Constant() float64 {
	switch k {
	case Uniform:
		return 1 / math.Pi
	case Epanechnikov:
		return 2 / math.Pi
	case Gaussian:
		return 1 / (2 * math.Pi)
	default: // triangular and quartic
		return 3 / math.Pi
	}
}

// Reach returns how far the kernel extends, in bandwidths.
func (k Kernel) Reach() float64 {
	if k == Gaussian {
		return GaussianCut
	}
	return 1
}

// Stamped reports whether a row of cells is summed cell by cell; the other
// kernels are polynomials, whose sums a sweep makes whatever the bandwidth.
func (k Kernel) Stamped() bool { return k == Triangular || k == Gaussian }
