package tiles

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The bytes of a tile are its own, whatever was packed before it in the same
// memory, and image/png reads what was painted.
func TestPNGBytesDependOnValuesOnly(t *testing.T) {
	ramp := mustRamp(t, "viridis")
	fresh := func(values []float64, size int) []byte {
		r, err := NewRaster(FitScale(Log, 5), ramp)
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := r.PNG(values, size)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	r, err := NewRaster(FitScale(Log, 5), ramp)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(4, 4))
	for round := range 40 {
		size := 256 << (round % 3 / 2)
		values := hills(rng.IntN(5000), rng.IntN(5000), size)
		if round%4 == 0 {
			for i := range values {
				values[i] *= math.Exp(rng.NormFloat64())
			}
		}
		got, _, err := r.PNG(values, size)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, fresh(values, size)) {
			t.Fatalf("round %d: other bytes than by a new maker", round)
		}
		img, err := png.Decode(bytes.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		lines := make([]byte, size*(size+1))
		r.paint(lines, values, size)
		p := img.(*image.Paletted)
		for y := range size {
			if !bytes.Equal(p.Pix[y*p.Stride:][:size], lines[y*(size+1)+1:][:size]) {
				t.Fatalf("round %d: row %d is not what was painted", round, y)
			}
		}
	}
}

// GDAL reads a tile, its palette and its opacity.
func TestPNGForGDAL(t *testing.T) {
	if _, err := exec.LookPath("gdalinfo"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("gdalinfo is missing")
		}
		t.Skip("NOT CHECKED: gdalinfo is missing")
	}
	r, err := NewRaster(FitScale(Log, 5), mustRamp(t, "viridis"))
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := r.PNG(hills(0, 0, 256), 256)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tile.png")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("gdalinfo", "-checksum", file).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Size is 256, 256")) || !bytes.Contains(out, []byte("ColorInterp=Palette")) ||
		!bytes.Contains(out, []byte("with 256 entries")) || bytes.Contains(out, []byte("ERROR")) {
		t.Errorf("gdalinfo: %v\n%s", err, out)
	}
}
