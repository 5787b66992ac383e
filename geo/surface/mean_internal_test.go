package surface

import (
	"math"
	"testing"
)

func quadrant(k Kernel, x, y float64) float64 {
	ex, ey := columnEdge(k, x), rowEdge(k, y)
	return k.quadrantMass(&ex, &ey)
}

// The closed forms against a fine sum of the kernel over the rectangle.
func TestQuadrantMassAgainstSum(t *testing.T) {
	const n = 1500
	for _, k := range []Kernel{Uniform, Triangular, Epanechnikov, Quartic, Gaussian} {
		for _, at := range [][2]float64{{0.3, 0.2}, {0.9, 0.1}, {0.8, 0.7}, {0.6, 0.95}, {1, 0.5}, {1, 1}, {0.01, 1}} {
			sum := 0.0
			for i := range n {
				for j := range n {
					x, y := at[0]*(float64(i)+0.5)/n*k.Reach(), at[1]*(float64(j)+0.5)/n*k.Reach()
					sum += k.At(x*x + y*y)
				}
			}
			want := sum * k.Constant() * at[0] * at[1] * k.Reach() * k.Reach() / (n * n)
			if got := quadrant(k, at[0], at[1]); math.Abs(got-want) > 2e-5 {
				t.Errorf("%s to %v: %.8f, summed %.8f", k, at, got, want)
			}
		}
		if got := 4 * quadrant(k, 2, 3); math.Abs(got-k.mass()) > 1e-9 {
			t.Errorf("%s: the whole has the mass %.15f, want %.15f", k, got, k.mass())
		}
	}
}

// By hand: an uniform kernel of 1 pixel about a corner has a quarter of its
// mass in each of the four pixels.
func TestMassGridByHand(t *testing.T) {
	dst := make([]float64, 16)
	m := massGrid{x: 2, y: 2, rx: 1, ry: 1}
	m.add(dst, tileWindow{nx: 4, ny: 4}, Uniform, 8, []float64{1, 1, 1, 0.5})
	want := []float64{0, 0, 0, 0, 0, 2, 2, 0, 0, 2, 2, 0, 0, 0, 0, 0}
	for i, v := range dst {
		if math.Abs(v-want[i]) > 1e-12 {
			t.Fatalf("pixel %d has %g, want %g", i, v, want[i])
		}
	}
}
