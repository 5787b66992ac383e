package data

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

const benchRows = 100_000

func benchGeoJSON() []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	b.WriteString(`{"type":"FeatureCollection","features":[` + "\n")
	for i := range benchRows {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"type":"Feature","id":"S%d","geometry":{"type":"Point","coordinates":[%.6f,%.6f]},"properties":{"kind":"irr.exit","severity":%d,"occurred_from":"2022-11-%02dT04:%02d:00Z","medium":"sea","direction":"id_to_my","discovery":"patrol","persons_total":%d}}`,
			i, 95+25*rnd.Float64(), -4+12*rnd.Float64(), 1+i%5, 1+i%30, i%60, i%40)
	}
	b.WriteString("\n]}\n")
	return b.Bytes()
}

func benchCSV() []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	b.WriteString("id,lat,lon,occurred_from,kind,severity,medium,direction,discovery,persons_total\n")
	for i := range benchRows {
		fmt.Fprintf(&b, "S%d,%.6f,%.6f,2022-11-%02dT04:%02d:00Z,irr.exit,%d,sea,id_to_my,patrol,%d\n",
			i, -4+12*rnd.Float64(), 95+25*rnd.Float64(), 1+i%30, i%60, 1+i%5, i%40)
	}
	return b.Bytes()
}

func benchTracks() []byte {
	var b strings.Builder
	b.WriteString("track_id,time,lon,lat,agency,country,mode,sog_kn\n")
	for i := range benchRows {
		m := i / 100 // a fix a minute on a hundred tracks in turn
		fmt.Fprintf(&b, "T%03d,2026-%02d-%02dT%02d:%02d:00Z,%.5f,%.5f,APMM,MY,sea_boat,%.1f\n",
			i%100, 1+m/1440/28, 1+m/1440%28, m/60%24, m%60, 104+float64(m%600)/1000, 1+float64(i%100)/50, float64(i%97)/10)
	}
	return []byte(b.String())
}

func benchImport(b *testing.B, text []byte, kind geo.LayerKind) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	defer perCPU(b, len(text))()
	for b.Loop() {
		l, r, err := Import(context.Background(), bytes.NewReader(text), ImportOptions{Info: geo.LayerInfo{ID: "b", Kind: kind}, Now: testNow, Limits: FileLimits()})
		if err != nil || l.Len() == 0 || r.Accepted == 0 || r.Quarantined > 0 {
			b.Fatal(err, r)
		}
	}
}

func BenchmarkImportGeoJSONIncidents(b *testing.B) { benchImport(b, benchGeoJSON(), geo.KindIncident) }
func BenchmarkImportGeoJSONOther(b *testing.B)     { benchImport(b, benchGeoJSON(), geo.KindOther) }
func BenchmarkImportCSVIncidents(b *testing.B)     { benchImport(b, benchCSV(), geo.KindIncident) }
func BenchmarkImportCSVTracks(b *testing.B)        { benchImport(b, benchTracks(), geo.KindPatrolTrack) }

func BenchmarkScanJSON(b *testing.B) {
	text := benchGeoJSON()
	b.SetBytes(int64(len(text)))
	defer perCPU(b, len(text))()
	for b.Loop() {
		j := jsonReader{window: newWindow(bytes.NewReader(text)), limits: DefaultLimits()}
		if j.skip(); j.failed != nil {
			b.Fatal(j.failed)
		}
	}
}

func BenchmarkReadDate(b *testing.B) {
	zone, err := ParseZone("Asia/Pontianak")
	if err != nil {
		b.Fatal(err)
	}
	d := dateReader{zone: zone}
	for _, text := range []string{"2022-11-05T04:00:00Z", "2022-11-05", "30/07/2022 14:30", "5 November 2022"} {
		b.Run(text, func(b *testing.B) {
			s := []byte(text)
			for b.Loop() {
				if _, f := d.read(s); f != nil {
					b.Fatal(f)
				}
			}
		})
	}
}

func BenchmarkPersonal(b *testing.B) {
	s := []byte("Speedboat stopped near Tanjung Balau, 12 aboard, towed at 04:30")
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		if personal(s, true) != "" {
			b.Fatal("found something")
		}
	}
}

func benchLayer(b *testing.B) *geo.Layer {
	l, _, err := Import(context.Background(), bytes.NewReader(benchGeoJSON()), ImportOptions{Info: geo.LayerInfo{ID: "b", Kind: geo.KindIncident}, Now: testNow})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func BenchmarkWrite(b *testing.B) {
	l := benchLayer(b)
	for _, format := range WriteFormats() {
		b.Run(format, func(b *testing.B) {
			var n counter
			if err := Write(&n, format, l, nil); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, format, l, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func BenchmarkAppendPolygon(b *testing.B) {
	ring := orb.Ring{}
	for i := range 1000 {
		ring = append(ring, orb.Point{110 + float64(i%100)/1000, 1 + float64(i/100)/1000})
	}
	polygon := orb.Polygon{append(ring, ring[0])}
	var dst []byte
	for b.Loop() {
		dst = AppendGeometry(dst[:0], polygon)
	}
	b.SetBytes(int64(len(dst)))
}

// benchFixes is a patrol of 100,000 fixes as GPX, with heights and times.
func benchFixes() []byte {
	var b bytes.Buffer
	b.WriteString(gpxHead + "<trk><trkseg>")
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range benchRows {
		fmt.Fprintf(&b, "\n<trkpt lat=\"%.6f\" lon=\"%.6f\"><ele>%d</ele><time>%s</time></trkpt>",
			4+float64(i)/1e5, 117+float64(i)/1e5, i%100, at.Add(time.Duration(i)*10*time.Second).Format(time.RFC3339))
	}
	b.WriteString("</trkseg></trk></gpx>")
	return b.Bytes()
}

func BenchmarkImportGPX(b *testing.B) { benchImport(b, benchFixes(), geo.KindPatrolTrack) }

func BenchmarkImportKML(b *testing.B) {
	l, _ := mustImport(b, string(benchCSV()), geo.KindIncident)
	benchImport(b, []byte(written(b, FormatKML, l)), geo.KindIncident)
}

func BenchmarkWriteGPXAndKML(b *testing.B) {
	l, _ := mustImport(b, string(benchCSV()), geo.KindIncident)
	for _, format := range []string{FormatGPX, FormatKML} {
		b.Run(format, func(b *testing.B) {
			b.SetBytes(int64(len(written(b, format, l))))
			for b.Loop() {
				if err := Write(io.Discard, format, l, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
