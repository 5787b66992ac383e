package layers

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

func samples() []geo.Feature {
	at := time.Date(2024, 4, 10, 1, 2, 3, 0, time.UTC)
	poly := orb.Polygon{{{100, 0}, {101, 0}, {101, 1}, {100, 0}}, {{100.5, 0.2}, {100.6, 0.3}, {100.6, 0.2}, {100.5, 0.2}}}
	return []geo.Feature{
		{ID: "a", Geometry: orb.Point{109.64501, -2.08141}, From: at, To: at.Add(time.Hour),
			Properties: map[string]any{"text": "é \"<&>", "n": 1.5, "yes": true, "no": false, "list": json.RawMessage(`[{"a":1}]`)}},
		{ID: "b", Geometry: orb.LineString{{-180, -90}, {180, 90}, {0, 0}}, Properties: map[string]any{"big": json.Number("12345678901234567890")}},
		{ID: "c", Geometry: poly},
		{ID: "d", Geometry: poly, From: at, To: at},
		{ID: "", Geometry: orb.MultiPolygon{poly, {}}, Properties: map[string]any{"level": 1.0}},
		{ID: "f", Geometry: orb.LineString{{1, 2}, {3, 4}}, Properties: map[string]any{"level": 1.0}},
	}
}

func packed(t testing.TB, features []geo.Feature) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Pack(&b, features); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPackRoundTrip(t *testing.T) {
	want := samples()
	b := packed(t, want)
	if !bytes.Equal(b, packed(t, samples())) {
		t.Error("the same features pack to other bytes")
	}
	var got []geo.Feature
	if err := unpack(b, func(f geo.Feature) { got = append(got, f) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d features, want %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("feature %d:\n%+v\nwant\n%+v", i, got[i], want[i])
		}
	}
}

func TestPackRounds(t *testing.T) {
	var got orb.Geometry
	err := unpack(packed(t, []geo.Feature{{Geometry: orb.Point{100.123456, -0.000004}}}), func(f geo.Feature) { got = f.Geometry })
	if err != nil || got != (orb.Point{100.12346, 0}) {
		t.Errorf("%v, %v", got, err)
	}
	if err := Pack(io.Discard, []geo.Feature{{Geometry: orb.MultiPoint{}}}); err == nil {
		t.Error("a multipoint is packed")
	}
}

func TestUnpackBroken(t *testing.T) {
	whole := gunzip(t, packed(t, samples()))
	for n := range whole {
		if err := unpackRaw(whole[:n], func(geo.Feature) {}); err == nil {
			t.Errorf("the first %d of %d bytes are taken for whole", n, len(whole))
		}
	}
	for name, raw := range map[string]string{
		"trailing bytes":       string(whole) + "x",
		"wrong magic":          "SPL9\x00",
		"lies about its count": packMagic + "\xff\xff\xff\xff\x0f",
		"repeats nothing":      packMagic + "\x01\x00\x00\x00",
		"unknown geometry":     packMagic + "\x01\x07\x00\x00",
		"off the globe":        packMagic + "\x01\x01\x00\xff\xff\xff\xff\x0f\x00\x00",
		"bad properties":       packMagic + "\x01\x01\x00\x00\x00\x01{",
		"huge vertex count":    packMagic + "\x01\x02\x00\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	} {
		if err := unpackRaw([]byte(raw), func(geo.Feature) {}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := unpack([]byte("this is not gzip at all"), func(geo.Feature) {}); err == nil || !strings.Contains(err.Error(), "gzip") {
		t.Errorf("not gzip: %v", err)
	}
}

func gunzip(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func FuzzUnpack(f *testing.F) {
	f.Add(gunzip(f, packed(f, samples())))
	f.Add([]byte(packMagic + "\x01\x01\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var features []geo.Feature
		if unpackRaw(raw, func(f geo.Feature) { features = append(features, f) }) != nil {
			return
		}
		// What was read can be packed, and reads the same again.
		var again []geo.Feature
		if err := unpack(packed(t, features), func(f geo.Feature) { again = append(again, f) }); err != nil {
			t.Fatalf("packed again: %v", err)
		}
		if len(again) != len(features) {
			t.Fatalf("%d features, then %d", len(features), len(again))
		}
		for i := range features {
			if !orb.Equal(features[i].Geometry, again[i].Geometry) || features[i].ID != again[i].ID || !features[i].From.Equal(again[i].From) {
				t.Fatalf("feature %d: %+v, then %+v", i, features[i], again[i])
			}
		}
	})
}

func BenchmarkUnpackLand(b *testing.B) {
	packed, err := files.ReadFile("builtin/" + PackedName("land"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := unpack(packed, func(geo.Feature) {}); err != nil {
			b.Fatal(err)
		}
	}
}
