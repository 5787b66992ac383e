package data

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

var hole = float32(math.NaN())

func mustFloat(t testing.TB, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// riskRaster is a raster over Kuching in EPSG 3857 with cells of 100 m.
func riskRaster(values []float32, width int) Raster {
	return Raster{
		Width: width, Height: len(values) / width, Rows: RowsOf(values, width, false),
		OriginX: 12_280_000, OriginY: 175_000, CellX: 100, CellY: 100, EPSG: 3857, NoData: -9999,
		Unit: "1/km²/30 d", Description: "residual risk", Metadata: map[string]string{"SURFACE": "risk"},
	}
}

// randomValues has numbers of all magnitudes, with holes of no data.
func randomValues(seed uint64, n int, holes float64) []float32 {
	rnd := rand.New(rand.NewPCG(seed, 1))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(rnd.NormFloat64() * math.Exp(8*rnd.NormFloat64()))
		if rnd.Float64() < holes {
			values[i] = hole
		}
	}
	return values
}

func mustGeoTIFF(t testing.TB, r Raster) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteGeoTIFF(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// smallOverview is the brute-force twin of halve, from single cells.
func smallOverview(values []float32, width int, noData float32) (out []float32, half int) {
	height := len(values) / width
	for y := 0; y < height; y += 2 {
		for x := 0; x < width; x += 2 {
			var known []float64
			for _, at := range [][2]int{{x, y}, {x + 1, y}, {x, y + 1}, {x + 1, y + 1}} {
				if at[0] < width && at[1] < height && !math.IsNaN(float64(values[at[1]*width+at[0]])) {
					known = append(known, float64(values[at[1]*width+at[0]]))
				}
			}
			sum := 0.0
			for _, v := range known {
				sum += v
			}
			mean := float32(sum / float64(len(known)))
			if mean == noData {
				mean = math.Nextafter32(mean, float32(math.Inf(1)))
			}
			out = append(out, mean)
		}
	}
	return out, (width + 1) / 2
}

// sameCells compares bits, with NaN in place of no data in what was written.
func sameCells(t testing.TB, what string, got, written []float32, noData float32) {
	t.Helper()
	if len(got) != len(written) {
		t.Fatalf("%s: %d cells, expected %d", what, len(got), len(written))
	}
	for i, want := range written {
		if math.IsNaN(float64(want)) {
			want = noData
		}
		if math.Float32bits(got[i]) != math.Float32bits(want) && !(math.IsNaN(float64(want)) && math.IsNaN(float64(got[i]))) {
			t.Fatalf("%s: cell %d is %g, expected %g", what, i, got[i], want)
		}
	}
}

// A raster of 3 × 2 cells, byte by byte up to its one tile.
func TestGeoTIFFBytes(t *testing.T) {
	r := Raster{
		Width: 3, Height: 2, Rows: RowsOf([]float32{1, 2, 3, hole, -0.5, 4}, 3, false),
		OriginX: 110, OriginY: 2, CellX: 0.5, CellY: 0.25, EPSG: 4326, NoData: -1, Unit: "m",
	}
	b := mustGeoTIFF(t, r)
	tile := 618 // where the tile's leader is, from the sum of what is below
	size := len(b) - tile - 8
	le32 := func(v int) string { return hex.EncodeToString(binary.LittleEndian.AppendUint32(nil, uint32(v))) }
	text := func(s string) string { return hex.EncodeToString([]byte(s)) }
	want := strings.Join([]string{
		"49492a00", "c0000000", // II, 42, the directory at 192 = 8 + 43 + 140, made even
		text("GDAL_STRUCTURAL_METADATA_SIZE=000140 bytes\nLAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\n" +
			"BLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "), "00",
		"1200", // 18 fields; values begin at 192 + 2 + 18·12 + 4 = 414
		"0001" + "0400" + "01000000" + "03000000", // width
		"0101" + "0400" + "01000000" + "02000000", // height
		"0201" + "0300" + "01000000" + "20000000", // 32 bits
		"0301" + "0300" + "01000000" + "08000000", // Deflate
		"0601" + "0300" + "01000000" + "01000000", // more is brighter
		"1501" + "0300" + "01000000" + "01000000", // one sample
		"1c01" + "0300" + "01000000" + "01000000", // contiguous
		"3d01" + "0300" + "01000000" + "03000000", // floating-point predictor
		"4201" + "0300" + "01000000" + "00010000", // tiles of 256
		"4301" + "0300" + "01000000" + "00010000",
		"4401" + "0400" + "01000000" + le32(tile+4),
		"4501" + "0400" + "01000000" + le32(size),
		"5301" + "0300" + "01000000" + "03000000", // floating point
		"0e83" + "0c00" + "03000000" + "9e010000", // ModelPixelScale at 414
		"8284" + "0c00" + "06000000" + "b6010000", // ModelTiepoint at 438
		"af87" + "0300" + "14000000" + "e6010000", // GeoKeyDirectory at 486
		"80a4" + "0200" + "5c000000" + "0e020000", // GDAL_METADATA at 526: 92 bytes
		"81a4" + "0200" + "03000000" + "2d310000", // GDAL_NODATA "-1"
		"00000000", // no overview
		"000000000000e03f" + "000000000000d03f" + "0000000000000000",
		"0000000000000000" + "0000000000000000" + "0000000000000000",
		"0000000000805b40" + "0000000000000040" + "0000000000000000",
		"0100" + "0100" + "0000" + "0400",
		"0004" + "0000" + "0100" + "0200", // geographic
		"0104" + "0000" + "0100" + "0100", // a cell is an area
		"0008" + "0000" + "0100" + "e610", // 4326
		"0608" + "0000" + "0100" + "8e23", // degrees
		text("<GDALMetadata>\n  <Item name=\"UNITTYPE\" sample=\"0\" role=\"unittype\">m</Item>\n</GDALMetadata>\n\x00"),
	}, "")
	got := hex.EncodeToString(b)
	for i := 0; i < len(want) && i < len(got); i += 8 {
		if end := min(i+8, len(want)); got[i:end] != want[i:end] {
			t.Fatalf("byte %d: %s, expected %s", i/2, got[i:end], want[i:end])
		}
	}
	if len(want)/2 != tile {
		t.Fatalf("the tile begins at %d", len(want)/2)
	}
	sameCells(t, "cells", readTIFF(t, b).images[0].values, []float32{1, 2, 3, hole, -0.5, 4}, -1)
}

// 1.0 is 3f800000 and -2.5 is c0200000: the highest bytes 3f c0, then 80 20,
// 00 00, 00 00, each less the one before.
func TestPredictByHand(t *testing.T) {
	got := make([]byte, 8)
	predict(got, []float32{1, -2.5})
	want := []byte{0x3f, 0xc0 - 0x3f, 0xc0, 0xa0, 0xe0, 0, 0, 0}
	if !bytes.Equal(got, want) {
		t.Errorf("%x, expected %x", got, want)
	}
}

func TestHalveByHand(t *testing.T) {
	got := make([]float32, 4)
	halve(got, []float32{
		1, 2, 9,
		3, hole, hole,
		hole, hole, -7,
	}, 3, 2)
	above2 := math.Nextafter32(2, 3) // a mean of 2 would read as no data
	sameCells(t, "means", got, []float32{above2, 9, hole, -7}, hole)
}

// Any raster comes back as it was, at every level, through a reader that
// shares no code with the writer; the bytes depend on neither processors nor
// the room in memory.
func TestGeoTIFFRoundTrip(t *testing.T) {
	for i, c := range []struct {
		width, height int
		holes         float64
		noData        float32
		overviews     int
	}{
		{1, 1, 0, -9999, 0}, {1, 1, 1, hole, 0}, {256, 256, 0.1, 0, 0}, {257, 1, 0.1, -9999, 0}, {1, 513, 0, -9999, 1},
		{511, 513, 0.3, hole, 1}, {512, 512, 1, -9999, 0}, {1025, 3, 0.5, -9999, 2}, {3, 2049, 0.9, -math.MaxFloat32, 3},
		{1500, 1100, 0.2, -9999, 2}, {5000, 1, 0.5, hole, 4}, {1024, 1024, 1, hole, 1},
	} {
		t.Run(fmt.Sprintf("%dx%d", c.width, c.height), func(t *testing.T) {
			seed := uint64(100 + i)
			t.Logf("seed %d", seed)
			values := randomValues(seed, c.width*c.height, c.holes)
			r := riskRaster(values, c.width)
			r.NoData = c.noData
			b := mustGeoTIFF(t, r)
			f := readTIFF(t, b)
			if f.big || len(f.images) != 1+c.overviews {
				t.Fatalf("big %v, %d images, expected %d overviews", f.big, len(f.images), c.overviews)
			}
			level, width := values, c.width
			for k, image := range f.images {
				if image.width != width {
					t.Fatalf("image %d is %d wide, expected %d", k, image.width, width)
				}
				sameCells(t, fmt.Sprint("image ", k), image.values, level, c.noData)
				level, width = smallOverview(level, width, c.noData)
			}
			before := runtime.GOMAXPROCS(1)
			again := mustWriteWith(t, r, 1000, maxClassic)
			runtime.GOMAXPROCS(before)
			if !bytes.Equal(b, again) {
				t.Error("other bytes on one processor with little memory")
			}
		})
	}
}

// writeWith writes with the limits of memory and of classic TIFF given.
func writeWith(w io.Writer, r Raster, memory int, limit int64) error {
	g := newGeoTIFF(r, memory)
	defer g.close()
	if err := g.encode(); err != nil {
		return err
	}
	return g.write(w, limit)
}

func mustWriteWith(t testing.TB, r Raster, memory int, limit int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeWith(&b, r, memory, limit); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The limit is the size of the classic file: one byte less gives a BigTIFF.
func TestGeoTIFFBig(t *testing.T) {
	values := randomValues(7, 1300*700, 0.2)
	r := riskRaster(values, 1300)
	classic := mustWriteWith(t, r, spoolMemory, maxClassic)
	if f := readTIFF(t, mustWriteWith(t, r, spoolMemory, int64(len(classic)))); f.big {
		t.Error("a BigTIFF where a classic one fits")
	}
	f := readTIFF(t, mustWriteWith(t, r, spoolMemory, int64(len(classic))-1))
	if !f.big {
		t.Error("no BigTIFF past the limit")
	}
	sameCells(t, "cells", f.images[0].values, values, r.NoData)
}

func TestGeoTIFFPlaceAndWords(t *testing.T) {
	r := riskRaster([]float32{1, 2}, 2)
	r.Metadata = map[string]string{"B": `5 < 6 & "7"`, "A": "first"}
	image := readTIFF(t, mustGeoTIFF(t, r)).images[0]
	if got := fmt.Sprint(image.doubles(33550), image.doubles(33922)); got != "[100 100 0] [0 0 0 1.228e+07 175000 0]" {
		t.Error(got)
	}
	if got := fmt.Sprint(image.numbers(34735)[4:]); got != "[1024 0 1 1 1025 0 1 1 3072 0 1 3857 3076 0 1 9001]" {
		t.Error(got)
	}
	want := `<GDALMetadata>
  <Item name="A">first</Item>
  <Item name="B">5 &amp;lt; 6 &amp;amp; &amp;#34;7&amp;#34;</Item>
  <Item name="DESCRIPTION" sample="0" role="description">residual risk</Item>
  <Item name="UNITTYPE" sample="0" role="unittype">1/km²/30 d</Item>
</GDALMetadata>
`
	if got := image.text(42112); got != want {
		t.Error(got)
	}
	r.Unit, r.Description, r.Metadata = "", "", nil
	if _, there := readTIFF(t, mustGeoTIFF(t, r)).images[0].fields[42112]; there {
		t.Error("metadata without an item")
	}
}

func TestRowsOf(t *testing.T) {
	south := []float64{5, 6, 3, 4, 1, 2} // three rows of two
	dst := make([]float32, 4)
	if err := RowsOf(south, 2, true)(1, dst); err != nil || fmt.Sprint(dst) != "[3 4 5 6]" {
		t.Error(dst, err)
	}
	if err := RowsOf(south, 2, false)(0, dst); err != nil || fmt.Sprint(dst) != "[5 6 3 4]" {
		t.Error(dst, err)
	}
	if err := RowsOf(south, 2, false)(2, dst); err == nil || !strings.Contains(err.Error(), "has 3 rows of 2 columns; row 3") {
		t.Error(err)
	}
}

// A raster that cannot be written says why, and writes nothing.
func TestGeoTIFFRefuses(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*Raster)
	}{
		{"0 × 1 cells", func(r *Raster) { r.Width = 0 }},
		{"2 × 262145 cells", func(r *Raster) { r.Height = maxRasterSide + 1 }},
		{"no Rows", func(r *Raster) { r.Rows = nil }},
		{"give finite numbers", func(r *Raster) { r.OriginX = math.Inf(1) }},
		{"give finite numbers", func(r *Raster) { r.CellX = math.NaN() }},
		{"sizes above 0", func(r *Raster) { r.CellY = -1 }},
		{"cannot be infinite", func(r *Raster) { r.NoData = float32(math.Inf(-1)) }},
		{"EPSG 32650 is not written", func(r *Raster) { r.EPSG = 32650 }},
		{"the value 2 in column 1, row 0", func(r *Raster) { r.NoData = 2 }},
		{"column 1, row 0 is infinite", func(r *Raster) { r.Rows = RowsOf([]float64{1, 1e300}, 2, false) }},
		{"rows from 0 on: the grid has 1 rows", func(r *Raster) { r.Height = 2 }},
		{"rows from 0 on: stopped", func(r *Raster) {
			r.Rows = func(int, []float32) error { return errors.New("stopped") }
		}},
	} {
		r := riskRaster([]float32{1, 2}, 2)
		c.change(&r)
		var b bytes.Buffer
		if err := WriteGeoTIFF(&b, r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, expected %q", err, c.want)
		}
		if b.Len() > 0 {
			t.Errorf("%q, and %d bytes written", c.want, b.Len())
		}
	}
}

// fullDisk takes some bytes and then no more.
type fullDisk int

var errFull = errors.New("full")

func (d *fullDisk) Write(p []byte) (int, error) {
	if *d -= fullDisk(len(p)); *d < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// Errors of the output come through, and no temporary file is left behind.
func TestGeoTIFFOutput(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	const side = 700 // some 2 MB
	r := riskRaster(randomValues(3, side*side, 0), side)
	for _, room := range []fullDisk{10, 1200, 100_000, 1_500_000} {
		if err := writeWith(&room, r, 1000, maxClassic); !errors.Is(err, errFull) {
			t.Errorf("no error, or %v", err)
		}
	}
	g := newGeoTIFF(r, 1000)
	if err := g.encode(); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("%d temporary files of two levels", len(files))
	}
	g.close()
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v %v", files, err)
	}
	t.Setenv("TMPDIR", dir+"/none")
	if err := writeWith(io.Discard, r, 1000, maxClassic); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder for the temporary file: %v", err)
	}
}

// benchRaster is a smooth surface with a border of no data, as a risk is.
func benchRaster(side int) Raster {
	values := make([]float32, side*side)
	for i := range values {
		x, y := float64(i%side)/float64(side)-0.5, float64(i/side)/float64(side)-0.5
		values[i] = float32(3*math.Exp(-8*(x*x+y*y)) + math.Exp(-300*((x-.2)*(x-.2)+y*y)))
		if x*x+y*y > 0.2 {
			values[i] = hole
		}
	}
	return riskRaster(values, side)
}

func BenchmarkWriteGeoTIFF(b *testing.B) {
	const side = 4096
	for _, c := range []struct {
		name string
		r    Raster
	}{{"smooth", benchRaster(side)}, {"random", riskRaster(randomValues(1, side*side, 0.1), side)}} {
		b.Run(c.name, func(b *testing.B) {
			var n counter
			b.SetBytes(4 * side * side)
			b.ReportAllocs()
			for b.Loop() {
				n = 0
				if err := WriteGeoTIFF(&n, c.r); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/1e6, "MB/file")
		})
	}
}

func BenchmarkHalve(b *testing.B) {
	src := randomValues(1, 4096*512, 0.1)
	dst := make([]float32, 2048*256)
	b.SetBytes(4 * 4096 * 512)
	for b.Loop() {
		halve(dst, src, 4096, -9999)
	}
}

func BenchmarkPredict(b *testing.B) {
	cells, out := randomValues(1, 512, 0), make([]byte, 2048)
	b.SetBytes(2048)
	for b.Loop() {
		predict(out, cells)
	}
}
