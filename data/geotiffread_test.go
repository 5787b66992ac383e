package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"testing"
)

// tiffImage is one directory of a file and what it shows.
type tiffImage struct {
	at                  int64 // of the directory
	width, height, tile int
	fields              map[uint16]tiffField
	values              []float32
}

// tiffFile is a reader of the files of WriteGeoTIFF and of nothing else. It
// shares no code with the writer and holds the file to the rules of a COG.
type tiffFile struct {
	t      testing.TB
	b      []byte
	big    bool
	images []tiffImage
}

func readTIFF(t testing.TB, b []byte) *tiffFile {
	t.Helper()
	f := &tiffFile{t: t, b: b}
	le := binary.LittleEndian
	ghostAt, next := int64(8), int64(le.Uint32(b[4:]))
	switch string(b[:4]) {
	case "II*\x00":
	case "II+\x00":
		f.big, ghostAt, next = true, 16, int64(le.Uint64(b[8:]))
		if le.Uint32(b[4:]) != 8 {
			t.Fatal("BigTIFF without offsets of 8 bytes")
		}
	default:
		t.Fatalf("no TIFF: %q", b[:4])
	}
	first, declared, _ := strings.Cut(string(b[ghostAt:next]), "\n")
	if first != "GDAL_STRUCTURAL_METADATA_SIZE=000140 bytes" || len(strings.TrimSuffix(declared, "\x00")) != 140 {
		t.Fatalf("structural metadata %q with %d bytes", first, len(declared))
	}
	for next != 0 {
		next = f.readDirectory(next)
	}
	f.checkOrder()
	for i := range f.images {
		f.readTiles(&f.images[i])
	}
	return f
}

func (f *tiffFile) readDirectory(at int64) (next int64) {
	f.t.Helper()
	le := binary.LittleEndian
	if at%2 != 0 {
		f.t.Errorf("directory at the odd place %d", at)
	}
	n, entry, word := int64(le.Uint16(f.b[at:])), at+2, int64(4)
	if f.big {
		n, entry, word = int64(le.Uint64(f.b[at:])), at+8, 8
	}
	image := tiffImage{at: at, fields: map[uint16]tiffField{}}
	before := -1
	for range n {
		field := tiffField{tag: le.Uint16(f.b[entry:]), kind: le.Uint16(f.b[entry+2:]), count: int(f.word(entry + 4))}
		if int(field.tag) <= before {
			f.t.Errorf("tag %d behind %d", field.tag, before)
		}
		before = int(field.tag)
		from := entry + 4 + word
		size := int64(field.count) * map[uint16]int64{2: 1, 3: 2, 4: 4, 12: 8, 16: 8}[field.kind]
		if size > word {
			if from = f.word(from); from < entry || from%2 != 0 {
				f.t.Errorf("the value of tag %d is at %d", field.tag, from)
			}
		}
		field.value = f.b[from : from+size]
		image.fields[field.tag] = field
		entry += 4 + 2*word
	}
	number := func(tag uint16) int { return int(image.numbers(tag)[0]) }
	image.width, image.height, image.tile = number(256), number(257), number(322)
	for tag, want := range map[uint16]int{258: 32, 259: 8, 262: 1, 277: 1, 284: 1, 317: 3, 323: image.tile, 339: 3} {
		if number(tag) != want {
			f.t.Errorf("tag %d is %d, expected %d", tag, number(tag), want)
		}
	}
	if _, reduced := image.fields[254]; reduced != (len(f.images) > 0) {
		f.t.Error("the overviews, and only they, must be reduced images")
	}
	f.images = append(f.images, image)
	return f.word(entry)
}

func (f *tiffFile) word(at int64) int64 {
	if f.big {
		return int64(binary.LittleEndian.Uint64(f.b[at:]))
	}
	return int64(binary.LittleEndian.Uint32(f.b[at:]))
}

func (i *tiffImage) numbers(tag uint16) (out []int64) {
	field := i.fields[tag]
	for k := range field.count {
		switch field.kind {
		case 3:
			out = append(out, int64(binary.LittleEndian.Uint16(field.value[2*k:])))
		case 4:
			out = append(out, int64(binary.LittleEndian.Uint32(field.value[4*k:])))
		case 16:
			out = append(out, int64(binary.LittleEndian.Uint64(field.value[8*k:])))
		}
	}
	return out
}

func (i *tiffImage) doubles(tag uint16) (out []float64) {
	for k := range i.fields[tag].count {
		out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(i.fields[tag].value[8*k:])))
	}
	return out
}

func (i *tiffImage) text(tag uint16) string {
	return strings.TrimSuffix(string(i.fields[tag].value), "\x00")
}

// checkOrder: directories from the largest to the smallest, behind them the
// tiles of the smallest to the largest, row by row, without a hole.
func (f *tiffFile) checkOrder() {
	f.t.Helper()
	want := int64(-1)
	for i := len(f.images) - 1; i >= 0; i-- {
		image := f.images[i]
		if i > 0 {
			larger := f.images[i-1]
			if image.at <= larger.at || image.width != (larger.width+1)/2 || image.height != (larger.height+1)/2 {
				f.t.Errorf("image %d of %d × %d at %d follows %d × %d at %d", i, image.width, image.height, image.at, larger.width, larger.height, larger.at)
			}
		}
		sizes := image.numbers(325)
		for k, at := range image.numbers(324) {
			if want < 0 && at-4 < image.at {
				f.t.Errorf("the first tile, at %d, is before the last directory, at %d", at, image.at)
			}
			if want >= 0 && at != want {
				f.t.Errorf("tile %d of image %d is at %d, expected %d", k, i, at, want)
			}
			want = at + sizes[k] + 8
		}
	}
	if want-4 != int64(len(f.b)) {
		f.t.Errorf("the last tile ends at %d of %d bytes", want-4, len(f.b))
	}
	if last := f.images[len(f.images)-1]; max(last.width, last.height) > last.tile {
		f.t.Errorf("the smallest overview has %d × %d cells", last.width, last.height)
	}
}

func (f *tiffFile) readTiles(image *tiffImage) {
	f.t.Helper()
	noData := math.Float32bits(float32(mustFloat(f.t, image.text(42113))))
	n := image.tile
	across, down := (image.width+n-1)/n, (image.height+n-1)/n
	at, sizes := image.numbers(324), image.numbers(325)
	if len(at) != across*down || len(sizes) != len(at) {
		f.t.Fatalf("%d tiles with %d sizes, expected %d", len(at), len(sizes), across*down)
	}
	image.values = make([]float32, image.width*image.height)
	for k := range at {
		packed := f.b[at[k] : at[k]+sizes[k]]
		if int64(binary.LittleEndian.Uint32(f.b[at[k]-4:])) != sizes[k] {
			f.t.Errorf("the leader of tile %d is not its size", k)
		}
		if !bytes.Equal(packed[len(packed)-4:], f.b[at[k]+sizes[k]:at[k]+sizes[k]+4]) {
			f.t.Errorf("the trailer of tile %d is not its end", k)
		}
		z, err := zlib.NewReader(bytes.NewReader(packed))
		if err != nil {
			f.t.Fatal(err)
		}
		raw, err := io.ReadAll(z)
		if err != nil || len(raw) != 4*n*n {
			f.t.Fatalf("tile %d has %d bytes: %v", k, len(raw), err)
		}
		for y := range n {
			row := raw[4*n*y : 4*n*(y+1)]
			for i := 1; i < len(row); i++ {
				row[i] += row[i-1]
			}
			for x := range n {
				bits := uint32(row[x])<<24 | uint32(row[n+x])<<16 | uint32(row[2*n+x])<<8 | uint32(row[3*n+x])
				column, line := k%across*n+x, k/across*n+y
				switch inside := column < image.width && line < image.height; {
				case inside:
					image.values[line*image.width+column] = math.Float32frombits(bits)
				case bits != noData:
					f.t.Fatalf("tile %d has %x beyond the edge, not no data", k, bits)
				}
			}
		}
	}
}
