package data

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"
	"github.com/twpayne/go-geom/encoding/wkb"

	"github.com/sempadan/sempadan/geo"
)

func wkbRows(t testing.TB) *typedRows {
	im, err := newImporter(context.Background(), ImportOptions{Info: geo.LayerInfo{Kind: geo.KindOther}})
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := im.newTypedRows(nil)
	rows.begin()
	return rows
}

// go-geom writes every type in every layout and byte order; what is read is
// the same place, with a word on Z and M.
func TestWKB(t *testing.T) {
	for _, layout := range []geom.Layout{geom.XY, geom.XYZ, geom.XYM, geom.XYZM} {
		n := layout.Stride()
		flat := func(xy ...float64) (out []float64) {
			for i := 0; i < len(xy); i += 2 {
				out = append(append(out, xy[i], xy[i+1]), []float64{7, 8}[:n-2]...)
			}
			return out
		}
		ring := flat(0, 0, 1, 0, 1, 1, 0, 0)
		collection := geom.NewGeometryCollection()
		collection.MustPush(geom.NewPointFlat(layout, flat(1, 2)), geom.NewLineStringFlat(layout, flat(1, 2, 3, 4)))
		for want, g := range map[string]geom.T{
			"POINT(1 2)":                                         geom.NewPointFlat(layout, flat(1, 2)),
			"LINESTRING(1 2,3 4)":                                geom.NewLineStringFlat(layout, flat(1, 2, 3, 4)),
			"POLYGON((0 0,1 0,1 1,0 0))":                         geom.NewPolygonFlat(layout, ring, []int{4 * n}),
			"MULTIPOINT(1 2,3 4)":                                geom.NewMultiPointFlat(layout, flat(1, 2, 3, 4)),
			"MULTILINESTRING((0 0,1 0,1 1,0 0))":                 geom.NewMultiLineStringFlat(layout, ring, []int{4 * n}),
			"MULTIPOLYGON(((0 0,1 0,1 1,0 0)))":                  geom.NewMultiPolygonFlat(layout, ring, [][]int{{4 * n}}),
			"GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))": collection,
		} {
			for _, order := range []binary.ByteOrder{wkb.NDR, wkb.XDR} {
				iso, err := wkb.Marshal(g, order)
				if err != nil {
					t.Fatal(err)
				}
				extended, err := ewkb.Marshal(g, order)
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range [][]byte{iso, extended} {
					rows := wkbRows(t)
					if rows.readWKB(b) != "" {
						t.Fatalf("%s %v: not read", want, layout)
					}
					s := &rows.shape
					got, f := s.geometry(nil, 100)
					if f != nil || string(AppendWKT(nil, got)) != want || (len(s.heights) > 0) != (layout.ZIndex() >= 0) {
						t.Errorf("%s %v: %v %v, heights %v", want, layout, got, f, s.heights)
					}
					if len(s.parts) == 0 && (len(s.measures) > 0) != (layout.MIndex() >= 0) {
						t.Errorf("%s %v: measures %v", want, layout, s.measures)
					}
					for k := range b {
						if wkbRows(t).readWKB(b[:k]) == "" {
							t.Errorf("%s %v cut to %d bytes passes", want, layout, k)
						}
					}
				}
			}
		}
	}
}

func FuzzGPB(f *testing.F) {
	point, _ := wkb.Marshal(geom.NewPointFlat(geom.XYZM, []float64{1, 2, 3, 4}), wkb.XDR)
	polygon, _ := wkb.Marshal(geom.NewMultiPolygonFlat(geom.XY, []float64{0, 0, 1, 0, 1, 1, 0, 0}, [][]int{{8}}), wkb.NDR)
	f.Add(append([]byte{'G', 'P', 0, 1, 0xe6, 0x10, 0, 0}, point...))
	f.Add(append([]byte{'G', 'P', 0, 3, 0xe6, 0x10, 0, 0, 39: 0}, polygon...))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows := wkbRows(t)
		if err := rows.readGPB(b, 4326); err != nil {
			t.Fatal(err)
		}
		if (rows.im.row.geometry == nil) != (rows.im.row.fault != nil) {
			t.Fatalf("%x: %v %+v", b, rows.im.row.geometry, rows.im.row.fault)
		}
	})
}
