package data

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go/format"
)

const (
	parquetMagic     = "PAR1"
	maxParquetFooter = 16 << 20
	footerRoom       = 128 << 20
)

// parquetFile is a file whose rows are read. The library decodes what the file
// says of itself; the pages are decoded here, since a number in a page must
// not make anything take memory.
type parquetFile struct {
	im       *importer
	src      *parquetSource
	meta     format.FileMetaData
	leaves   []*parquetLeaf // that are read, the geometry last
	rows     *typedRows
	geometry int // its place among the leaves, -1 for lon and lat
	lon, lat int
	width    int // columns of the file, nested ones included
}

func (im *importer) readGeoParquet(src io.ReaderAt, size int64) (err error) {
	f := &parquetFile{im: im, src: &parquetSource{file: src, size: size, limits: im.limits}, geometry: -1, lon: -1, lat: -1}
	defer f.src.close()
	defer func() {
		if fault := recover(); fault != nil { // of the library, in the footer or a page's head
			err = badParquet("it cannot be decoded (%s)", show(errorText(fault)))
		}
	}()
	if err := f.footer(); err != nil {
		return err
	}
	if err := f.columns(); err != nil {
		return err
	}
	for i := range f.meta.RowGroups {
		if err := f.group(&f.meta.RowGroups[i]); err != nil {
			return err
		}
	}
	if int64(f.rows.number) != f.meta.NumRows {
		return badParquet("it has %d of the %d rows that it declares", f.rows.number, f.meta.NumRows)
	}
	return im.ctx.Err()
}

func errorText(fault any) string {
	if err, ok := fault.(error); ok {
		return err.Error()
	}
	return "unknown"
}

// footer reads what the file says of itself, which stands at its end.
func (f *parquetFile) footer() error {
	tail := make([]byte, 8)
	if f.src.size < 12 {
		return badParquet("it has %d bytes", f.src.size)
	}
	if _, err := f.src.file.ReadAt(tail, f.src.size-8); err != nil && err != io.EOF {
		return err
	}
	switch string(tail[4:]) {
	case parquetMagic:
	case "PARE":
		return refuse(422, "encrypted", "the Parquet file is encrypted; send it without encryption")
	default:
		return badParquet("it does not end like one")
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if n > f.src.size-12 {
		return badParquet("what it says of itself is longer than the file")
	}
	if n > maxParquetFooter {
		return refuse(413, "footer_too_large", "what the Parquet file says of itself has more than %d bytes; write it with larger groups of rows", maxParquetFooter)
	}
	b := make([]byte, n)
	if _, err := f.src.file.ReadAt(b, f.src.size-8-n); err != nil && err != io.EOF {
		return err
	}
	if _, ok := readThrift(b, footerRoom, &f.meta); !ok {
		return badParquet("what it says of itself cannot be decoded, or has too many parts")
	}
	if f.meta.EncryptionAlgorithm.Value != nil {
		return refuse(422, "encrypted", "the Parquet file has encrypted columns; send it without encryption")
	}
	if len(f.meta.Schema) == 0 {
		return badParquet("it has no columns")
	}
	return nil
}

// columns settles which columns are read, and how.
func (f *parquetFile) columns() error {
	schema := f.meta.Schema[1:]
	geo, err := f.geoMetadata()
	if err != nil {
		return err
	}
	if len(schema) > 4*maxColumnNames {
		return refuse(413, "too_many_columns", "the file has more than %d columns", 4*maxColumnNames)
	}
	var all []*parquetLeaf
	for at := 0; at < len(schema); {
		e := &schema[at]
		leaves, next, ok := subtree(schema, at, 0)
		if !ok {
			return badParquet("its columns are not a tree")
		}
		l := (*parquetLeaf)(nil)
		if e.NumChildren.V == 0 && e.Type.Valid && e.RepetitionType.V != format.Repeated {
			if l = newParquetLeaf(e); l == nil {
				return badParquet("the column %s is of no known type", show(e.Name))
			}
			if geo.geometry(e.Name) {
				l.form = formGeometry
			}
			l.at = f.width
		}
		switch {
		case geo.covering(e.Name):
		case l != nil && l.form != formSkipped:
			all = append(all, l)
		case l == nil && geo.geometry(e.Name):
			return refuse(422, "geometry_encoding", "the geometry of the column %s is nested; write it in the encoding WKB", show(e.Name))
		case l == nil:
			f.im.report.warn("column_not_read", e.Name, "the column %s is nested or a list, which is not read", show(e.Name))
		default:
			f.im.report.warn("column_not_read", e.Name, "the column %s is of a type that is not read (binary)", show(e.Name))
		}
		f.width += leaves
		at = next
	}
	if err := f.place(all, geo); err != nil {
		return err
	}
	names := make([]string, len(f.leaves))
	for i, l := range f.leaves {
		if i != f.geometry && i != f.lon && i != f.lat {
			names[i] = l.name
		}
	}
	f.rows, err = f.im.newTypedRows(names)
	return err
}

// subtree returns how many leaves the element at has, and the place behind it.
func subtree(schema []format.SchemaElement, at, depth int) (leaves, next int, ok bool) {
	if at >= len(schema) || depth > maxThriftDepth {
		return 0, 0, false
	}
	n := schema[at].NumChildren.V
	next = at + 1
	if n <= 0 {
		return 1, next, true
	}
	for range n {
		more, end, ok := subtree(schema, next, depth+1)
		if !ok {
			return 0, 0, false
		}
		leaves, next = leaves+more, end
	}
	return leaves, next, true
}

// place finds the column of the geometry, or those of longitude and latitude,
// and the reference system.
func (f *parquetFile) place(all []*parquetLeaf, geo *geoHead) error {
	var geometries []string
	for _, l := range all {
		if l.form == formGeometry {
			geometries = append(geometries, l.name)
		}
	}
	primary := geo.PrimaryColumn
	if !slices.Contains(geometries, primary) && len(geometries) > 0 {
		primary = geometries[0]
	}
	for _, l := range all {
		switch {
		case l.form != formGeometry:
		case l.name != primary || f.geometry >= 0:
			f.im.report.warn("column_not_read", l.name, "the column %s is a further geometry, which is not read", show(l.name))
			continue
		case l.physical != format.ByteArray:
			return refuse(422, "geometry_encoding", "the geometry of the column %s is not well-known binary", show(l.name))
		default:
			f.geometry = len(f.leaves)
		}
		f.leaves = append(f.leaves, l)
	}
	if f.geometry < 0 {
		return f.degrees()
	}
	l := f.leaves[f.geometry]
	if column, has := geo.Columns[primary]; has {
		if e := column.Encoding; !strings.EqualFold(e, "WKB") {
			return refuse(422, "geometry_encoding", "the geometry of the column %s is in the encoding %s; write it as WKB", show(primary), show(e))
		}
		if column.Edges == "spherical" {
			f.im.report.warn("spherical_edges", "", "the file says that its lines are great circles; they are read as straight on the map")
		}
		if refusal := f.im.projJSON(column.CRS, column.HasCRS); refusal != nil {
			return refusal
		}
		return nil
	}
	if l.crs != "" {
		definition := l.crs
		if strings.HasPrefix(definition, "{") {
			if refusal := f.im.projJSON([]byte(definition), true); refusal != nil {
				return refusal
			}
			return nil
		}
		if refusal := f.im.fileCRS(strings.TrimPrefix(definition, "srid:"), "schema"); refusal != nil {
			return refusal
		}
	}
	return nil
}

// degrees takes columns of numbers named longitude and latitude.
func (f *parquetFile) degrees() error {
	find := func(names []string) int {
		for _, name := range names {
			if i := slices.IndexFunc(f.leaves, func(l *parquetLeaf) bool {
				return headerKey(l.name) == name && (l.form == formReal || l.form == formDecimal || l.form == formInteger)
			}); i >= 0 {
				return i
			}
		}
		return -1
	}
	f.lon, f.lat = find(lonNames), find(latNames)
	if f.lon < 0 || f.lat < 0 {
		return refuse(422, "no_geometry", "the Parquet file has no column of geometry, and none of numbers named lon and lat; write it as GeoParquet")
	}
	f.im.noCRS("the Parquet file has no geometry; its place was taken from the columns " + show(f.leaves[f.lon].name) + " and " + show(f.leaves[f.lat].name) + " and it names no coordinate reference system")
	return nil
}

// group reads the rows of one group.
func (f *parquetFile) group(g *format.RowGroup) error {
	if g.NumRows < 0 || g.NumRows > math.MaxInt32 || len(g.Columns) != f.width {
		return badParquet("a group of rows has %d columns and %d rows, which cannot be", len(g.Columns), g.NumRows)
	}
	chunks := make([]*chunk, len(f.leaves))
	for i, l := range f.leaves {
		c := &g.Columns[l.at]
		m := &c.MetaData
		if c.FilePath != "" || c.CryptoMetadata.Value != nil {
			return refuse(422, "encrypted", "the column %s is encrypted or in another file; send a Parquet file that is whole", show(l.name))
		}
		if m.Type != l.physical {
			return badParquet("the column %s is of two types", show(l.name))
		}
		from := m.DataPageOffset
		if d := m.DictionaryPageOffset; d > 0 && d < from {
			from = d
		}
		if from < 4 || m.TotalCompressedSize < 0 || from > f.src.size || m.TotalCompressedSize > f.src.size-from {
			return badParquet("the column %s is outside the file", show(l.name))
		}
		chunks[i] = &chunk{src: f.src, leaf: l, codec: m.Codec, at: from, end: from + m.TotalCompressedSize}
	}
	for range g.NumRows {
		if err := f.row(chunks); err != nil {
			return err
		}
	}
	for _, c := range chunks {
		if c.values > 0 {
			return c.damaged("has more values than rows")
		}
	}
	return nil
}

func (f *parquetFile) row(chunks []*chunk) error {
	t := f.rows
	t.begin()
	at := [2]float64{nan, nan}
	for i, c := range chunks {
		v, err := c.next()
		if err != nil {
			return err
		}
		switch {
		case v == nil:
		case i == f.geometry:
			if fault := t.readWKB(v); fault != "" {
				t.fault("geometry", "bad_geometry", fault)
			} else if err := t.geometry(); err != nil {
				return err
			}
		case i == f.lon:
			at[0] = c.leaf.number(v)
		case i == f.lat:
			at[1] = c.leaf.number(v)
		default:
			if err := c.leaf.set(t, i, v); err != nil {
				return err
			}
		}
	}
	if f.lon >= 0 && at[0] == at[0] && at[1] == at[1] {
		t.shape.kind, t.shape.rank = "Point", 1
		t.shape.position(at[0], at[1], nan, nan)
		if err := t.geometry(); err != nil {
			return err
		}
	}
	return t.take()
}

// geoHead is the value of the key geo, as far as it is read.
type geoHead struct {
	PrimaryColumn string               `json:"primary_column"`
	Columns       map[string]geoColumn `json:"columns"`
}

type geoColumn struct {
	Encoding string          `json:"encoding"`
	CRS      json.RawMessage `json:"crs"`
	HasCRS   bool            `json:"-"`
	Edges    string          `json:"edges"`
	Covering struct {
		BBox map[string][]string `json:"bbox"`
	} `json:"covering"`
}

// UnmarshalJSON tells a crs of null from none.
func (c *geoColumn) UnmarshalJSON(b []byte) error {
	type plainColumn geoColumn
	if err := json.Unmarshal(b, (*plainColumn)(c)); err != nil {
		return err
	}
	var has map[string]json.RawMessage
	if err := json.Unmarshal(b, &has); err != nil {
		return err
	}
	_, c.HasCRS = has["crs"]
	return nil
}

func (h *geoHead) geometry(name string) bool {
	_, is := h.Columns[name]
	return is
}

// covering tells whether a column holds the boxes of a geometry.
func (h *geoHead) covering(name string) bool {
	for _, c := range h.Columns {
		for _, path := range c.Covering.BBox {
			if len(path) > 0 && path[0] == name {
				return true
			}
		}
	}
	return false
}

func (f *parquetFile) geoMetadata() (*geoHead, error) {
	h := &geoHead{}
	for _, kv := range f.meta.KeyValueMetadata {
		if kv.Key != "geo" {
			continue
		}
		if err := json.Unmarshal([]byte(kv.Value), h); err != nil {
			return nil, refuse(422, "bad_geo_metadata", "what the file says under the key geo is not the JSON of GeoParquet; write it again with a current program")
		}
		break
	}
	return h, nil
}

// projJSON takes the reference system of a column: none is WGS 84, longitude
// first; null is one that nobody knows.
func (im *importer) projJSON(raw json.RawMessage, has bool) *Refusal {
	if !has {
		return im.fileCRS("OGC:CRS84", "metadata")
	}
	if len(raw) == 0 || string(raw) == "null" {
		im.noCRS("the GeoParquet file says that its coordinate reference system is not known")
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil { // as before version 0.4, and in GeoJSON
		return im.fileCRS(text, "metadata")
	}
	type id struct {
		Authority string          `json:"authority"`
		Code      json.RawMessage `json:"code"`
	}
	type system struct {
		Name       string `json:"name"`
		ID         *id    `json:"id"`
		Components []struct {
			ID *id `json:"id"`
		} `json:"components"`
	}
	var s system
	if json.Unmarshal(raw, &s) == nil {
		if s.ID == nil && len(s.Components) > 0 { // the plane comes before the height
			s.ID = s.Components[0].ID
		}
		if s.ID != nil {
			return im.fileCRS(s.ID.Authority+":"+strings.Trim(string(s.ID.Code), `"`), "metadata")
		}
	}
	return im.fileCRS("of the name "+s.Name, "metadata")
}
