package data

import (
	"bytes"
	"encoding/xml"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

// ownSpace is the name space of the properties that files written here carry.
const ownSpace = "https://sempadan.org/xml/1"

// gpxReader reads GPX 1.0 and 1.1: waypoints become points, routes and tracks
// lines. Devices write odd files, so elements go by their names and a foreign
// name space only sets extensions apart.
type gpxReader struct {
	*xmlReader
	im      *importer
	space   string
	feature int
	fixes   fixList
	asides  int // waypoints and routes beside the tracks of a patrol
	foreign int
}

// readGPX reads a GPX file, a waypoint, route or track a row.
func (im *importer) readGPX(w window) error {
	g := &gpxReader{xmlReader: newXMLReader(w, im.limits), im: im}
	root, ok := g.root()
	if ok && !strings.EqualFold(root.Name.Local, "gpx") {
		g.fail(422, "not_gpx", "the first element is %s, not gpx", show(root.Name.Local))
	}
	g.space = root.Name.Space
	for {
		e, ok := g.child()
		if !ok {
			break
		}
		switch e.Name.Local {
		case "wpt":
			g.waypoint(e)
		case "rte", "trk":
			g.course(e)
		default: // metadata
			g.skip()
		}
	}
	g.end()
	if g.failed != nil {
		return g.failed
	}
	im.report.warnCount(g.asides, "not_a_track", "waypoints and routes say where somebody may go, not where a patrol was, and were left out; import them into a layer of another kind")
	im.report.warnCount(g.foreign, "extensions_ignored", "features have extensions of their device, which are not read")
	return im.ctx.Err()
}

// start begins the row of the next feature.
func (g *gpxReader) start() *rowState {
	g.feature++
	g.im.row.begin(g.feature)
	return &g.im.row
}

func (g *gpxReader) take() {
	if g.failed != nil {
		return
	}
	if err := g.im.take(); err != nil {
		g.failed = err
	}
}

func (g *gpxReader) waypoint(e xml.StartElement) {
	if g.im.kind == geo.KindPatrolTrack {
		g.asides++
		g.skip()
		return
	}
	r := g.start()
	line := g.line()
	p, fault := readPosition(trimmed(attribute(e, "lon")), trimmed(attribute(e, "lat")), g.im.toWGS84)
	if fault != nil {
		r.refuseRow("geometry", fault.code, "the waypoint on line "+itoa(line)+": "+fault.message)
	} else {
		r.geometry = p
	}
	for {
		e, ok := g.child()
		if !ok {
			break
		}
		g.property(r, e)
	}
	g.take()
}

// course reads a route or a track.
func (g *gpxReader) course(e xml.StartElement) {
	if e.Name.Local == "rte" && g.im.kind == geo.KindPatrolTrack {
		g.asides++
		g.skip()
		return
	}
	r := g.start()
	g.fixes.begin(g.im, g.feature)
	for {
		e, ok := g.child()
		if !ok {
			break
		}
		switch e.Name.Local {
		case "trkseg":
			g.fixes.segment()
			for {
				e, ok := g.child()
				if !ok {
					break
				}
				if e.Name.Local == "trkpt" {
					g.point(e)
				} else {
					g.skip()
				}
			}
		case "rtept", "trkpt":
			g.point(e)
		default:
			g.property(r, e)
		}
	}
	if g.failed != nil {
		return
	}
	g.fixes.finish(r)
	g.take()
}

// point reads a position of a route or track.
func (g *gpxReader) point(e xml.StartElement) {
	f := fix{line: g.line(), name: e.Name.Local, lon: trimmed(attribute(e, "lon")), lat: trimmed(attribute(e, "lat"))}
	for {
		e, ok := g.child()
		if !ok {
			break
		}
		switch e.Name.Local {
		case "time":
			f.time = g.value()
		case "ele":
			f.height = g.value()
		default:
			g.skip()
		}
	}
	if g.failed != nil {
		return
	}
	if g.fixes.n >= g.limits.Vertices {
		g.fail(413, "too_many_vertices", "a track has more than %d points", g.limits.Vertices)
		return
	}
	g.fixes.add(f)
}

// property reads one element of a feature that is not a position.
func (g *gpxReader) property(r *rowState, e xml.StartElement) {
	name := e.Name.Local
	switch {
	case name == "extensions":
		g.extensions(r)
	case e.Name.Space != "" && e.Name.Space != g.space:
		g.foreign++
		g.skip()
	case name == "time":
		text := g.value()
		if from, _ := g.im.kind.TimeFields(); g.im.kind != geo.KindPost && !g.im.isSource("time") {
			name = from
		}
		g.im.textCell(r, name, text)
	case name == "link" && attribute(e, "href") != "":
		g.im.textCell(r, name, []byte(attribute(e, "href")))
		g.skip()
	case name == "ele" || name == "number" || name == "sat" || name == "hdop" || name == "vdop" || name == "pdop":
		g.im.numberCell(r, name, g.value())
	default:
		g.im.textCell(r, name, g.value())
	}
	if len(r.cells) > g.limits.Properties {
		g.fail(413, "too_many_properties", "a feature has more than %d properties", g.limits.Properties)
	}
}

// extensions reads the properties that this program wrote, and no others.
func (g *gpxReader) extensions(r *rowState) {
	foreign := false
	for {
		e, ok := g.child()
		if !ok {
			break
		}
		if e.Name.Space != ownSpace {
			foreign = true
			g.skip()
			continue
		}
		name := e.Name.Local
		if full := attribute(e, "name"); full != "" {
			name = full
		}
		if text := g.value(); name == "id" {
			g.im.identify(r, text)
		} else {
			g.im.typedCell(r, name, attribute(e, "type"), text)
		}
	}
	if foreign {
		g.foreign++
	}
}

func trimmed(s string) []byte { return bytes.TrimSpace([]byte(s)) }
