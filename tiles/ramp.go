package tiles

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
)

// Ramp is a sequence of colours for growing values. All ramps can be read by
// people with any common colour deficiency, because lightness changes one
// way from end to end.
type Ramp struct {
	Name    string
	anchors []uint32 // 0xRRGGBB, evenly spaced
}

// darkSuffix names the form of a ramp for a dark base map.
const darkSuffix = "-dark"

// The first five tables are the published colour maps of matplotlib and
// cividis (S. van der Walt and N. Smith, 2015; Nuñez, Anderton and Renslow,
// PLOS ONE 13(7):e0199239, 2018; both CC0) at each sixteenth, turned round to
// run from light to dark; black ends are left off. Blues and slate are ours.
func ramps() []Ramp {
	return []Ramp{
		{"viridis", []uint32{0xfde725, 0xd8e219, 0xaddc30, 0x84d44b, 0x5ec962, 0x3fbc73, 0x28ae80, 0x1fa088, 0x21918c, 0x26828e, 0x2c728e, 0x33638d, 0x3b528b, 0x424086, 0x472d7b, 0x48186a, 0x440154}},
		{"cividis", []uint32{0xfdea45, 0xf3da4f, 0xe2cb5c, 0xcebd68, 0xbbaf71, 0xa9a177, 0x9a9478, 0x8c8877, 0x7f7c75, 0x727071, 0x62646f, 0x51586e, 0x3c4d6e, 0x26426e, 0x11366c, 0x012b65, 0x002051}},
		{"inferno", []uint32{0xfcffa4, 0xf2ea69, 0xf9cb35, 0xfcac11, 0xf98e09, 0xf1731d, 0xe45a31, 0xd24644, 0xbc3754, 0xa32c61, 0x8a226a, 0x71196e, 0x57106e, 0x3d0965, 0x210c4a}},
		{"magma", []uint32{0xfcfdbf, 0xfde2a3, 0xfec488, 0xfea772, 0xfc8961, 0xf56b5c, 0xe75263, 0xd0416f, 0xb73779, 0x9c2e7f, 0x832681, 0x6a1c81, 0x51127c, 0x36106b, 0x1d1147}},
		{"plasma", []uint32{0xf0f921, 0xf8df25, 0xfdc527, 0xfdac33, 0xf89540, 0xf0804e, 0xe66c5c, 0xda5a6a, 0xcc4778, 0xbc3587, 0xaa2395, 0x9511a1, 0x7e03a8, 0x6600a7, 0x4c02a1, 0x310597, 0x0d0887}},
		{"blues", []uint32{0xdcebf7, 0xb9d7ef, 0x8cbde4, 0x5e9fd6, 0x3a80c2, 0x2363a5, 0x174985, 0x102f5f}},
		{"slate", []uint32{0xdfe4e9, 0xc2ccd6, 0xa2b0be, 0x8295a7, 0x637a90, 0x496178, 0x33495e, 0x203243}},
	}
}

// RampNames lists the names that RampNamed takes.
func RampNames() []string {
	var out []string
	for _, r := range ramps() {
		out = append(out, r.Name, r.Name+darkSuffix)
	}
	return out
}

// RampNamed returns a ramp. Names run from light to dark, for a light base
// map; with "-dark" after them the other way round, for a dark one.
func RampNamed(name string) (Ramp, error) {
	base, dark := strings.CutSuffix(name, darkSuffix)
	for _, r := range ramps() {
		if r.Name == base {
			if dark {
				r.Name = name
				slices.Reverse(r.anchors)
			}
			return r, nil
		}
	}
	return Ramp{}, fmt.Errorf("palette %q: use one of %s", name, strings.Join(RampNames(), ", "))
}

// At returns the colour at share t of the ramp, 0 to 1.
func (r Ramp) At(t float64) color.NRGBA {
	t = min(max(t, 0), 1) * float64(len(r.anchors)-1)
	i := min(int(t), len(r.anchors)-2)
	a, b, f := r.anchors[i], r.anchors[i+1], t-float64(i)
	mix := func(shift uint) uint8 {
		x, y := float64(a>>shift&255), float64(b>>shift&255)
		return uint8(math.Round(x + f*(y-x)))
	}
	return color.NRGBA{mix(16), mix(8), mix(0), 255}
}

// fade is the opacity at share t: low values let the base map through.
func fade(t float64) uint8 {
	const low, high, full = 125, 228, 0.4
	return uint8(low + (high-low)*min(t/full, 1))
}

// Palette indices. Index 0 is transparent: nothing there.
const (
	steps        = 253 // a ramp takes the indices 1 to steps
	noDataGround = 254
	noDataInk    = 255
	inkOffset    = 128 // from a hatched class to the colour of its lines
)

// NoData is the palette index of values that are not known (NaN).
const NoData = noDataGround

// inkColour is that of the hatching over what nobody knows.
func inkColour() color.NRGBA { return color.NRGBA{74, 85, 104, 125} }

func groundColour() color.NRGBA { return color.NRGBA{148, 158, 172, 34} }

// hex writes a colour without its opacity.
func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
