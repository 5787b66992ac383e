package data

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// tiffStructure tells GDAL what it may rely on. It lies between the header and the
// first directory, where no TIFF reader looks. The space behind NO leaves room
// for an editor that breaks the order to say YES.
const tiffStructure = `LAYOUT=IFDS_BEFORE_DATA
BLOCK_ORDER=ROW_MAJOR
BLOCK_LEADER=SIZE_AS_UINT4
BLOCK_TRAILER=LAST_4_BYTES_REPEATED
KNOWN_INCOMPATIBLE_EDITION=NO
 `

// Types of TIFF fields.
const (
	tiffASCII  = 2
	tiffShort  = 3
	tiffLong   = 4
	tiffDouble = 12
	tiffLong8  = 16
)

// tiffFormat is classic TIFF, or BigTIFF with 64-bit offsets.
type tiffFormat struct{ big bool }

type tiffField struct {
	tag, kind uint16
	count     int
	value     []byte
}

// head returns all that lies before the tiles: the header and the directories,
// the largest level first. Its length does not depend on start, where the
// tiles begin.
func (g *geoTIFF) head(f tiffFormat, start int64) []byte {
	le := binary.LittleEndian
	ghost := fmt.Sprintf("GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n%s", len(tiffStructure), tiffStructure)
	b := []byte("II")
	if f.big {
		b = le.AppendUint16(b, 43)
		b = le.AppendUint16(b, 8) // bytes of an offset
		b = le.AppendUint16(b, 0)
	} else {
		b = le.AppendUint16(b, 42)
	}
	first := len(b) + f.wordBytes() + len(ghost)
	b = f.appendWord(b, int64(first+first%2))
	b = append(b, ghost...)
	b = append(b, make([]byte, first%2)...)

	starts := make([]int64, len(g.levels))
	for i := len(g.levels) - 1; i >= 0; i-- {
		starts[i] = start
		start += g.levels[i].blocks.size
	}
	for i, l := range g.levels {
		fields := g.fields(f, l, starts[i])
		if i == 0 {
			fields = append(fields, g.placeFields()...)
		} else {
			fields = append(fields, tiffLongs(254, 1)) // a reduced image
		}
		b = f.appendDirectory(b, fields, i == len(g.levels)-1)
	}
	return b
}

// fields returns what each level has; its tiles begin at start.
func (g *geoTIFF) fields(f tiffFormat, l *tiffLevel, start int64) []tiffField {
	offsets := tiffField{tag: 324, kind: f.wordType(), count: len(l.offsets)}
	for _, at := range l.offsets {
		offsets.value = f.appendWord(offsets.value, start+at)
	}
	return []tiffField{
		tiffLongs(256, uint32(l.width)), tiffLongs(257, uint32(l.height)),
		tiffShorts(258, 32), // bits
		tiffShorts(259, 8),  // Deflate
		tiffShorts(262, 1),  // more is brighter
		tiffShorts(277, 1), tiffShorts(284, 1),
		tiffShorts(317, 3), // floating-point predictor
		tiffShorts(322, uint16(g.tile)), tiffShorts(323, uint16(g.tile)),
		offsets, tiffLongs(325, l.sizes...),
		tiffShorts(339, 3), // IEEE floating point
		tiffText(42113, strconv.FormatFloat(float64(g.NoData), 'g', -1, 64)),
	}
}

// placeFields returns where the raster lies and what its values mean.
func (g *geoTIFF) placeFields() []tiffField {
	fields := []tiffField{
		tiffDoubles(33550, g.CellX, g.CellY, 0),
		tiffDoubles(33922, 0, 0, 0, g.OriginX, g.OriginY, 0),
		tiffShorts(34735, geoKeys(g.EPSG)...),
	}
	if g.EPSG == 0 {
		fields = append(fields, tiffText(34737, planeName+"|"))
	}
	if text := g.metadataXML(); text != "" {
		fields = append(fields, tiffText(42112, text))
	}
	return fields
}

const (
	planeName   = "Local plane in metres"
	userDefined = 32767 // in a GeoKey: not a system that has a number
)

// geoKeys returns the GeoKey directory of a reference system, nil for one that
// is not known: the version of the directory and the number of keys, then for
// each its number, the tag of its value (0: here), the count and the value.
func geoKeys(epsg int) []uint16 {
	switch epsg {
	case 3857:
		return []uint16{1, 1, 0, 4, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 3857, 3076, 0, 1, 9001}
	case 4326:
		return []uint16{1, 1, 0, 4, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326, 2054, 0, 1, 9102}
	case 0:
		return []uint16{1, 1, 0, 4, 1024, 0, 1, userDefined, 1025, 0, 1, 1, 1026, 34737, uint16(len(planeName) + 1), 0, 3076, 0, 1, 9001}
	}
	return nil
}

// metadataXML returns GDAL's list of items; "" if there are none.
func (g *geoTIFF) metadataXML() string {
	var items strings.Builder
	for _, name := range slices.Sorted(maps.Keys(g.Metadata)) {
		fmt.Fprintf(&items, "  <Item name=\"%s\">%s</Item>\n", xmlEscaped(name), xmlEscaped(xmlEscaped(g.Metadata[name])))
	}
	band := func(name, role, value string) {
		if value != "" {
			fmt.Fprintf(&items, "  <Item name=\"%s\" sample=\"0\" role=\"%s\">%s</Item>\n", name, role, xmlEscaped(xmlEscaped(value)))
		}
	}
	band("DESCRIPTION", "description", g.Description)
	band("UNITTYPE", "unittype", g.Unit)
	if items.Len() == 0 {
		return ""
	}
	return "<GDALMetadata>\n" + items.String() + "</GDALMetadata>\n"
}

// xmlEscaped returns a text for XML. GDAL unescapes the values of items once more
// than the names, so those are escaped twice.
func xmlEscaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // memory takes all
	return b.String()
}

func tiffShorts(tag uint16, values ...uint16) tiffField {
	f := tiffField{tag: tag, kind: tiffShort, count: len(values)}
	for _, v := range values {
		f.value = binary.LittleEndian.AppendUint16(f.value, v)
	}
	return f
}

func tiffLongs(tag uint16, values ...uint32) tiffField {
	f := tiffField{tag: tag, kind: tiffLong, count: len(values)}
	for _, v := range values {
		f.value = binary.LittleEndian.AppendUint32(f.value, v)
	}
	return f
}

func tiffDoubles(tag uint16, values ...float64) tiffField {
	f := tiffField{tag: tag, kind: tiffDouble, count: len(values)}
	for _, v := range values {
		f.value = binary.LittleEndian.AppendUint64(f.value, math.Float64bits(v))
	}
	return f
}

func tiffText(tag uint16, text string) tiffField {
	value := append([]byte(text), 0)
	return tiffField{tag: tag, kind: tiffASCII, count: len(value), value: value}
}

func (f tiffFormat) wordBytes() int {
	if f.big {
		return 8
	}
	return 4
}

func (f tiffFormat) wordType() uint16 {
	if f.big {
		return tiffLong8
	}
	return tiffLong
}

func (f tiffFormat) appendWord(b []byte, v int64) []byte {
	if f.big {
		return binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return binary.LittleEndian.AppendUint32(b, uint32(v))
}

// appendDirectory appends a directory with its values behind it. Its fields
// are put in the order of their tags, as TIFF demands.
func (f tiffFormat) appendDirectory(b []byte, fields []tiffField, last bool) []byte {
	slices.SortFunc(fields, func(a, b tiffField) int { return int(a.tag) - int(b.tag) })
	le, word := binary.LittleEndian, f.wordBytes()
	countBytes := 2
	if f.big {
		countBytes = 8
	}
	behind := len(b) + countBytes + len(fields)*(4+2*word) + word
	if f.big {
		b = le.AppendUint64(b, uint64(len(fields)))
	} else {
		b = le.AppendUint16(b, uint16(len(fields)))
	}
	var values []byte
	for _, field := range fields {
		b = le.AppendUint16(b, field.tag)
		b = le.AppendUint16(b, field.kind)
		b = f.appendWord(b, int64(field.count))
		if len(field.value) <= word {
			b = append(b, field.value...)
			b = append(b, make([]byte, word-len(field.value))...)
			continue
		}
		b = f.appendWord(b, int64(behind+len(values)))
		values = append(values, field.value...)
		values = append(values, make([]byte, len(values)%2)...) // values begin at even places
	}
	next := behind + len(values)
	if last {
		next = 0
	}
	b = f.appendWord(b, int64(next))
	return append(b, values...)
}
