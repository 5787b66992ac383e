package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	routing "github.com/sempadan/sempadan/geo/route"
)

// WhatIfQuestion asks how the border would be with other posts, patrols and
// sensors.
type WhatIfQuestion struct {
	Add struct {
		Posts   []AddedPost   `json:"posts"`
		Sensors []AddedPost   `json:"sensors"`
		Patrols []AddedPatrol `json:"patrols"`
	} `json:"add"`
	Remove []RemovedFeature `json:"remove"`
	// Ways, when given, are the travellers whose displacement is told.
	Ways *struct {
		MatrixQuestion
		Mode  Words  `json:"mode"`
		Theta *Theta `json:"theta"`
		// Spread is how much dearer, as a share of the least cost, a crossing is that
		// is chosen e times less often; 0: 0.1.
		Spread float64 `json:"spread"`
	} `json:"ways"`
}

// AddedPost is a post or sensor that is thought to be there for the whole window,
// or from From to To.
type AddedPost struct {
	At         *Place     `json:"at"`
	RadiusM    float64    `json:"radius_m"` // 0: that of the model
	Country    string     `json:"country"`
	Agency     string     `json:"agency"`
	BearingDeg *float64   `json:"bearing_deg"`
	FOVDeg     *float64   `json:"fov_deg"`
	From       *time.Time `json:"from"`
	To         *time.Time `json:"to"`
}

// AddedPatrol is a patrol along a line, at the same hour on so many days.
type AddedPatrol struct {
	Line        []Place `json:"line"`
	Mode        string  `json:"mode"`
	Country     string  `json:"country"`
	Agency      string  `json:"agency"`
	SweepWidthM float64 `json:"sweep_width_m"` // 0: that of the model
	SpeedKMH    float64 `json:"speed_kmh"`     // 0: 4
	// Depart is when the last one sets out; none: a day before the newest record.
	Depart *time.Time `json:"depart"`
	Times  int        `json:"times"`   // 0: 1
	EveryH float64    `json:"every_h"` // 0: 24
}

// RemovedFeature is a post or track that is thought away, by its number or ID.
type RemovedFeature struct {
	Layer string `json:"layer"`
	FID   int64  `json:"fid"`
	ID    string `json:"id"`
}

// WhatIfAnswer is the border before and after.
type WhatIfAnswer struct {
	routing.Comparison
	Added         int     `json:"added"`
	Removed       int     `json:"removed"`
	VersionBefore string  `json:"version_before"`
	VersionAfter  string  `json:"version_after"`
	Synthetic     bool    `json:"synthetic"`
	CellM         float64 `json:"cell_m,omitempty"` // of the graph of displacement
}

const (
	mostAdded       = 500
	mostPatrolTimes = 500
	mostPatrolFixes = 200_000 // of one patrol, all times together
)

// Answer compares. layers are those from which features may be taken; graph, which
// is asked for only when displacement is, is laid over a.
func (q *WhatIfQuestion) Answer(ctx context.Context, a *risk.Assessment, layers func(id string) *geo.Layer, graph func() (*routing.Graph, error)) (*WhatIfAnswer, error) {
	change, err := q.change(a, layers)
	if err != nil {
		return nil, invalidQuestion(err)
	}
	out := &WhatIfAnswer{VersionBefore: a.Version, Synthetic: a.Synthetic}
	for _, l := range change.Add {
		out.Added += l.Len()
	}
	for _, fids := range change.Remove {
		out.Removed += len(fids)
	}
	var o routing.WhatIfOptions
	if q.Ways != nil {
		ways := RouteQuestion{Mode: q.Ways.Mode, Theta: q.Ways.Theta, Matrix: &q.Ways.MatrixQuestion}
		if err := ways.Check(); err != nil {
			return nil, invalidQuestion(err)
		}
		if o.Spread = q.Ways.Spread; o.Spread == 0 {
			o.Spread = 0.1
		}
		if !(o.Spread > 0 && o.Spread <= 10) {
			return nil, invalidQuestion(fmt.Errorf("spread: %g is not above 0 and up to 10", o.Spread))
		}
		if o.Graph, err = graph(); err != nil {
			return nil, err
		}
		o.Ways, out.CellM = ways.matrixQuery(), o.Graph.Options.CellM
	}
	c, err := routing.WhatIf(ctx, a, change, o)
	if err != nil {
		return nil, routeProblem(err)
	}
	out.Comparison, out.VersionAfter = *c, c.After.Version
	return out, nil
}

// change builds the layers that are added, and finds the features that go.
func (q *WhatIfQuestion) change(a *risk.Assessment, layers func(id string) *geo.Layer) (risk.Change, error) {
	var c risk.Change
	n := len(q.Add.Posts) + len(q.Add.Sensors) + len(q.Add.Patrols)
	switch {
	case n+len(q.Remove) == 0:
		return c, errors.New("nothing is changed: add posts, sensors or patrols, or remove some")
	case n > mostAdded || len(q.Remove) > mostAdded:
		return c, fmt.Errorf("%d added and %d removed are more than %d", n, len(q.Remove), mostAdded)
	}
	posts := geo.NewBuilder(geo.LayerInfo{ID: "what if: posts", Kind: geo.KindPost})
	for _, p := range slices.Concat(q.Add.Posts, q.Add.Sensors) {
		f, err := p.feature()
		if err != nil {
			return c, err
		}
		posts.Add(f)
	}
	tracks := geo.NewBuilder(geo.LayerInfo{ID: "what if: patrols", Kind: geo.KindPatrolTrack})
	for _, p := range q.Add.Patrols {
		if err := p.add(tracks, a); err != nil {
			return c, err
		}
	}
	for _, b := range []*geo.Builder{posts, tracks} {
		if l := b.Layer(); l.Len() > 0 {
			c.Add = append(c.Add, l)
		}
	}
	for _, gone := range q.Remove {
		l := layers(gone.Layer)
		if l == nil {
			return c, fmt.Errorf("remove: there is no layer %q of posts or patrol tracks; GET /v1/layers lists them", gone.Layer)
		}
		fid, err := gone.find(l)
		if err != nil {
			return c, err
		}
		if c.Remove == nil {
			c.Remove = map[string]map[int64]bool{}
		}
		if c.Remove[gone.Layer] == nil {
			c.Remove[gone.Layer] = map[int64]bool{}
		}
		c.Remove[gone.Layer][fid] = true
	}
	return c, nil
}

func (g RemovedFeature) find(l *geo.Layer) (int64, error) {
	if (g.FID == 0) == (g.ID == "") {
		return 0, fmt.Errorf("remove: of layer %q give the fid or the id of a feature", l.Info.ID)
	}
	for row := range l.Len() {
		if g.FID != 0 && l.FID(row) == g.FID || g.ID != "" && l.ID(row) == g.ID {
			return l.FID(row), nil
		}
	}
	return 0, fmt.Errorf("remove: layer %q has no such feature; GET /v1/layers/%s/features lists them", l.Info.ID, l.Info.ID)
}

func checkSide(country string) error {
	if !slices.Contains([]string{"ID", "MY", "BN", "SG"}, country) {
		return fmt.Errorf("add: the country %q is not ID, MY, BN or SG", country)
	}
	return nil
}

func (p AddedPost) feature() (geo.Feature, error) {
	var f geo.Feature
	switch {
	case p.At == nil:
		return f, errors.New("add: a post has no place; give at as [longitude, latitude]")
	case !(p.RadiusM >= 0 && p.RadiusM <= 100_000):
		return f, fmt.Errorf("add: a radius of %g m is not 0 (the model's) to 100000", p.RadiusM)
	case (p.BearingDeg == nil) != (p.FOVDeg == nil):
		return f, errors.New("add: a post that faces one way needs bearing_deg and fov_deg")
	case p.FOVDeg != nil && !(*p.FOVDeg > 0 && *p.FOVDeg <= 360 && math.Abs(*p.BearingDeg) <= 360):
		return f, fmt.Errorf("add: a post's fov_deg is %g, not above 0 and up to 360, or its bearing_deg %g not -360 to 360", *p.FOVDeg, *p.BearingDeg)
	case (p.From == nil) != (p.To == nil) || p.From != nil && !p.From.Before(*p.To):
		return f, errors.New("add: a post that is there for a time needs from, and to after it")
	}
	f.Geometry, f.Properties = orb.Point(*p.At), map[string]any{"country": p.Country, "agency": p.Agency}
	if p.RadiusM > 0 {
		f.Properties["radius_m"] = p.RadiusM
	}
	if p.BearingDeg != nil {
		f.Properties["bearing_deg"], f.Properties["fov_deg"] = *p.BearingDeg, *p.FOVDeg
	}
	if p.From != nil {
		f.From, f.To = p.From.UTC(), p.To.UTC()
	}
	return f, checkSide(p.Country)
}

// add adds the patrol's tracks, the last first.
func (p AddedPatrol) add(to *geo.Builder, a *risk.Assessment) error {
	if p.SpeedKMH == 0 {
		p.SpeedKMH = 4
	}
	if p.EveryH == 0 {
		p.EveryH = 24
	}
	p.Times = max(p.Times, 1)
	line := orb.LineString(points(p.Line))
	lengthM := geo.LengthM(line)
	model := a.Model.Coverage
	fastest := math.Min(1000, 3.6*model.MaxSpeedMS)
	everyM := math.Min(fixEveryM, p.SpeedKMH*1000/60*model.MaxSilenceMin/2) // a slow one is not silent, either
	switch {
	case len(p.Line) < 2 || lengthM == 0:
		return fmt.Errorf("add: a patrol of %d places and %g m has no line; give two or more apart", len(p.Line), lengthM)
	case !(p.SpeedKMH >= 0.1 && p.SpeedKMH <= fastest):
		return fmt.Errorf("add: a patrol's speed_kmh is %g, not 0.1 to %g (what is over max_speed_ms of the model counts as a jump)", p.SpeedKMH, fastest)
	case p.Times > mostPatrolTimes || p.Times*len(p.Line) > mostPatrolFixes || float64(p.Times)*lengthM/everyM > mostPatrolFixes:
		return fmt.Errorf("add: a patrol of %d places and %.0f km at %g km/h, %d times, is too much; shorten it, or give at most %d times", len(p.Line), lengthM/1000, p.SpeedKMH, p.Times, mostPatrolTimes)
	case turns(line):
		return errors.New("add: a patrol over the 180th meridian is not read")
	case !(p.EveryH > 0 && p.EveryH <= 8784):
		return fmt.Errorf("add: a patrol's every_h is %g, not above 0 and up to 8784", p.EveryH)
	case !(p.SweepWidthM >= 0 && p.SweepWidthM <= 100_000):
		return fmt.Errorf("add: a patrol's sweep_width_m is %g, not 0 (the model's) to 100000", p.SweepWidthM)
	case !slices.Contains([]string{"foot", "motorcycle", "vehicle", "river_boat", "sea_boat", "aircraft", "drone"}, p.Mode):
		return fmt.Errorf("add: a patrol's mode %q is not foot, motorcycle, vehicle, river_boat, sea_boat, aircraft or drone", p.Mode)
	}
	if err := checkSide(p.Country); err != nil {
		return err
	}
	depart := a.AsOf.Add(-24 * time.Hour)
	if p.Depart != nil {
		depart = p.Depart.UTC()
	}
	for k := range p.Times {
		to.Add(p.track(depart.Add(-time.Duration(float64(k)*p.EveryH*float64(time.Hour))), everyM))
	}
	return nil
}

// turns reports whether a line goes over the 180th meridian.
func turns(line orb.LineString) bool {
	for i := 1; i < len(line); i++ {
		if math.Abs(line[i][0]-line[i-1][0]) > 180 {
			return true
		}
	}
	return false
}

// fixEveryM is how far apart the places of a track are at most.
const fixEveryM = 500.0

func (p AddedPatrol) track(at time.Time, everyM float64) geo.Feature {
	line := orb.LineString(points(p.Line))
	f := geo.Feature{Properties: map[string]any{"mode": p.Mode, "country": p.Country, "agency": p.Agency}}
	if p.SweepWidthM > 0 {
		f.Properties["sweep_width_m"] = p.SweepWidthM
	}
	dense := orb.LineString{line[0]}
	f.VertexTimes = append(f.VertexTimes, at)
	for i := 1; i < len(line); i++ {
		leg := geo.DistanceM(line[i-1], line[i])
		n := int(leg/everyM) + 1
		step := time.Duration(leg / float64(n) / 1000 / p.SpeedKMH * float64(time.Hour))
		for k := 1; k <= n; k++ {
			s := float64(k) / float64(n)
			dense = append(dense, orb.Point{line[i-1][0] + s*(line[i][0]-line[i-1][0]), line[i-1][1] + s*(line[i][1]-line[i-1][1])})
			at = at.Add(step)
			f.VertexTimes = append(f.VertexTimes, at)
		}
	}
	f.Geometry, f.From, f.To = dense, f.VertexTimes[0], at
	return f
}

// whatIf answers how the border would be.
func (s *Server) whatIf(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	var q WhatIfQuestion
	question, err := readQuestion(w, r, &q)
	if err != nil {
		return invalidQuestion(err)
	}
	s.noteRoute(r.Context(), "whatif", question)
	a := s.assessment.Load()
	out, err := q.Answer(r.Context(), a,
		// Only what is seen row by row: taking away what is not would tell where it is.
		func(id string) *geo.Layer {
			e := s.current().byID[id]
			if e == nil || e.layer.Info.Kind != geo.KindPost && e.layer.Info.Kind != geo.KindPatrolTrack {
				return nil
			}
			return e.layer
		},
		func() (*routing.Graph, error) { return s.graphOf(r.Context(), a, WhatIfCellM) })
	if err != nil {
		return err
	}
	return s.sendUntagged(w, r, out)
}
