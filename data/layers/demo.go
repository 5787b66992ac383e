package layers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// DemoOptions says what demonstration data to invent. The same options give
// the same bytes.
type DemoOptions struct {
	Seed int64
	// AsOf is the instant up to which there are patrols and incidents; it
	// must be set.
	AsOf time.Time
	// Days is how many days of patrols there are; 0 means 120.
	Days int
	// Incidents is how many incidents to spread over the three years before
	// AsOf; 0 means none, and no water crossings and illegal ports either.
	Incidents int
}

const (
	defaultDemoDays  = 120
	demoIncidentDays = 3 * 365
)

// DemoLayer is one layer of demonstration data. Features makes its features
// anew each time it is ranged over, the same each time; the Properties of a
// feature are good only until the next one.
type DemoLayer struct {
	Info     geo.LayerInfo
	Features iter.Seq[geo.Feature]
}

// Streams keep the layers independent: more incidents do not move a patrol.
const (
	streamPatrols = iota + 1
	streamPosts
	streamIncidents
	streamWaterCrossings
	streamIllegalPorts
)

// DemoLayers describes the demonstration layers without making their features:
// demo_patrols and demo_posts, and with Incidents also demo_incidents,
// demo_water_crossings and demo_illegal_ports. Everything in them is invented,
// and each feature says so (synthetic: true).
func DemoLayers(opts DemoOptions) ([]DemoLayer, error) {
	if opts.Days == 0 {
		opts.Days = defaultDemoDays
	}
	switch {
	case opts.AsOf.IsZero():
		return nil, errors.New("demo layers: set AsOf, the instant at which the patrols end")
	case opts.Days < 0 || opts.Incidents < 0:
		return nil, errors.New("demo layers: Days and Incidents must not be negative")
	}
	opts.AsOf = opts.AsOf.UTC().Truncate(time.Second)
	t, err := newTerrain()
	if err != nil {
		return nil, fmt.Errorf("demo layers: %w", err)
	}
	d := &demo{opts: opts, terrain: t}
	out := []DemoLayer{
		{demoInfo("demo_patrols", "Patrol tracks (synthetic)", geo.KindPatrolTrack, opts.AsOf), d.patrols()},
		{demoInfo("demo_posts", "Posts (synthetic)", geo.KindPost, opts.AsOf), d.posts()},
	}
	if opts.Incidents > 0 {
		out = append(out,
			DemoLayer{demoInfo("demo_incidents", "Incidents (synthetic)", geo.KindIncident, opts.AsOf), d.incidents()},
			DemoLayer{demoInfo("demo_water_crossings", "Water crossings (synthetic)", geo.KindWaterCrossing, opts.AsOf), d.waterCrossings()},
			DemoLayer{demoInfo("demo_illegal_ports", "Illegal ports (synthetic)", geo.KindIllegalPort, opts.AsOf), d.illegalPorts()})
	}
	return out, nil
}

// Demo returns the demonstration layers, made; see DemoLayers.
func Demo(opts DemoOptions) ([]*geo.Layer, error) {
	list, err := DemoLayers(opts)
	if err != nil {
		return nil, err
	}
	var out []*geo.Layer
	for _, d := range list {
		b := geo.NewBuilder(d.Info)
		for f := range d.Features {
			b.Add(f)
		}
		out = append(out, b.Layer())
	}
	return out, nil
}

func demoInfo(id, title string, kind geo.LayerKind, asOf time.Time) geo.LayerInfo {
	return geo.LayerInfo{
		ID: id, Title: title, Kind: kind, Owner: "public", Classification: "public",
		Synthetic: true, Version: 1, UpdatedAt: asOf,
		Licence: "CC0 1.0", Source: "invented by the program's demonstration generator",
		Note: "Synthetic: invented data for demonstration and tests. Nothing in it was observed, and no real patrol, post or event is meant.",
	}
}

// demo holds what the generators of all layers share.
type demo struct {
	opts DemoOptions
	*terrain
}

func (d *demo) random(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(d.opts.Seed), stream))
}

// localHour returns the instant at which the day of t in local time has the
// given hour: western Indonesia is UTC+7, the rest of the region UTC+8.
func localHour(day time.Time, hour float64, country string, lon float64) time.Time {
	zone := 8.0
	if country == "ID" && lon < 114.5 {
		zone = 7
	}
	midnight := day.Truncate(24 * time.Hour)
	return midnight.Add(time.Duration((hour - zone) * float64(time.Hour))).Truncate(time.Second)
}

// WriteGeoJSON writes a layer as a GeoJSON FeatureCollection, one feature a
// line, without holding more than a few thousand features.
func (l DemoLayer) WriteGeoJSON(w io.Writer) error {
	const batch = 4096
	out := bufio.NewWriterSize(w, 1<<18)
	var line []byte
	flush := func(features *geo.Layer) error {
		for row := range features.Len() {
			if features.FID(row) > 1 {
				line = append(line, ",\n"...)
			}
			line = data.AppendFeature(line, features, row)
			if _, err := out.Write(line); err != nil {
				return err
			}
			line = line[:0]
		}
		return nil
	}
	if _, err := out.WriteString(`{"type":"FeatureCollection","features":[` + "\n"); err != nil {
		return err
	}
	info := l.Info
	b := geo.NewBuilder(info)
	for f := range l.Features {
		info.NextFID = b.Add(f) + 1
		if b.Len() == batch {
			if err := flush(b.Layer()); err != nil {
				return fmt.Errorf("write %s: %w", info.ID, err)
			}
			b = geo.NewBuilder(info)
		}
	}
	if err := flush(b.Layer()); err != nil {
		return fmt.Errorf("write %s: %w", info.ID, err)
	}
	if _, err := out.WriteString("\n]}\n"); err != nil {
		return fmt.Errorf("write %s: %w", info.ID, err)
	}
	return out.Flush()
}
