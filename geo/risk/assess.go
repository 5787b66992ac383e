package risk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Inputs is everything that an assessment is made of.
type Inputs struct {
	// Layers are all layers; Assess takes each for what its kind says. Base
	// map layers give shape (coast, land) and never count as observations.
	Layers []*geo.Layer
	// Spread are the IDs of the layers of tracks and posts whose effort is told
	// by blocks of cells only.
	Spread map[string]bool
	// AsOf is the instant that the assessment speaks of; zero: the end of
	// the data, that is the latest dated observation that is not after Now.
	AsOf time.Time
	// Now is the clock's time, given so that nothing here reads a clock.
	Now time.Time
	// Program is the version of the program, for tracing.
	Program string
	// Previous, when not nil, lends the stages whose inputs are the same.
	Previous *Assessment
}

// Assessment is what is known of the border at one instant. It is immutable
// and safe for concurrent use; densities with other parameters are made on
// request and kept.
type Assessment struct {
	Version string        `json:"version"` // digest of all that went in
	Program string        `json:"program"`
	AsOf    time.Time     `json:"as_of"`
	Inputs  []InputDigest `json:"inputs"`
	Model   Model         `json:"model"`
	// Synthetic: invented observations went in, and every report says so.
	Synthetic bool `json:"synthetic"`

	// Bandwidth is the one that density and hazard use, and why.
	Bandwidth surface.Choice `json:"bandwidth"`
	// Smoothing is how density and hazard treat land and sea, and why.
	Smoothing Smoothing `json:"smoothing"`

	// Access is how the hazard depends on how a place can be reached.
	Access *Access `json:"access"`
	// Reporting is what share of incidents somebody reports.
	Reporting *Reporting `json:"reporting"`

	Incidents *Incidents        `json:"-"`
	Coverage  *surface.Coverage `json:"-"`
	Sections  []Section         `json:"-"`
	Scales    Scales            `json:"-"`

	in        Inputs
	exposureY float64
	hazard    hazard
	fit       fitBase
	stretches []stretch
	unscored  []Section
	domain    *domain
	presence  *presence
	covers    []Cover
	keys      stageKeys
	kept      map[string]keptDensity // by the shape of their view

	smoother smoother
	// Made when asked for.
	hotSpots  func() *hotSpotGrid
	crossings func() []Crossing
	annex     func() Annex
	known     func() *knownBy
	rates     func() *Rates
	season    func() Rhythm
	day       func() Rhythm

	mu        sync.Mutex
	densities map[string]*surface.Density
	order     []string // of densities, oldest first
}

// InputDigest names one version of one layer.
type InputDigest struct {
	Layer   string `json:"layer"`
	Version int64  `json:"version"`
	Rows    int    `json:"rows"`
	// UpdatedAt tells apart layers that were deleted and made anew.
	UpdatedAt time.Time `json:"updated_at"`
}

// stageKeys tell whether a stage's inputs are those of the assessment before.
type stageKeys struct{ counting, incidents, lines, coverage string }

// Assess is the main path: layers in, an assessment out. The same inputs and
// model give the same assessment. It fails on a model that cannot be used and
// when ctx ends.
func Assess(ctx context.Context, in Inputs, m Model) (*Assessment, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("the model cannot be used: %w", err)
	}
	a := &Assessment{Program: in.Program, Model: m, in: in, densities: map[string]*surface.Density{}}
	a.digestInputs()
	stages := []func(){
		func() { together(a.collectIncidents, a.cutLines) },
		a.settleAsOf,
		a.name,
		a.chooseBandwidth,
		a.settleSmoothing,
		a.keepDensities,
		a.sumCoverage,
		a.sumEffort,
		a.scoreSections,
		a.fixScales,
	}
	for _, stage := range stages {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("assess: %w", err)
		}
		stage()
	}
	a.in.Previous = nil
	a.afterwards()
	return a, nil
}

// together runs stages that do not need each other side by side.
func together(stages ...func()) {
	var wg sync.WaitGroup
	for _, stage := range stages {
		wg.Go(stage)
	}
	wg.Wait()
}

// lend returns the previous assessment when it has a stage with this key.
func (a *Assessment) lend(key func(stageKeys) string) *Assessment {
	if p := a.in.Previous; p != nil && key(p.keys) == key(a.keys) {
		return p
	}
	return nil
}

func (a *Assessment) digestInputs() {
	for _, l := range a.in.Layers {
		a.Inputs = append(a.Inputs, digestOf(l))
		if l.Info.Synthetic && !l.Info.Base && l.Len() > 0 {
			a.Synthetic = true
		}
	}
	m := a.Model
	a.keys.counting = digest(m.Kinds, m.ExcludedKinds, m.SeverityWeighted, m.Severity)
	a.keys.incidents = digest(layerKeys(a.in.incidents()), a.keys.counting)
	a.keys.lines = digest(layerKeys(a.in.boundaries()), layerKeys(a.in.base()),
		layerKeys(a.in.crossings()), layerKeys(a.in.jurisdictions()), m.SectionKM, m.DomainKM, m.StripKM, m.Coasts, m.BorderCountries)
}

func (a *Assessment) collectIncidents() {
	if p := a.lend(func(k stageKeys) string { return k.incidents }); p != nil {
		a.Incidents = p.Incidents
		return
	}
	var before *Incidents
	if p := a.in.Previous; p != nil && p.keys.counting == a.keys.counting {
		before = p.Incidents
	}
	a.Incidents = newIncidents(a.in.incidents(), a.Model, before)
}

// settleAsOf finds the end of the data when nobody named an instant.
func (a *Assessment) settleAsOf() {
	a.AsOf = a.in.AsOf.UTC().Truncate(time.Millisecond)
	if !a.in.AsOf.IsZero() {
		return
	}
	latest := a.Incidents.LatestMS
	now := a.in.Now.UnixMilli()
	for _, l := range append(a.in.tracks(), a.in.posts()...) {
		for row := range l.Len() {
			if _, to, ok := l.TimesMS(row); ok {
				latest = max(latest, min(to, now)) // a post may have no end
			}
		}
	}
	if latest == 0 || latest > now {
		latest = now
	}
	a.AsOf = time.UnixMilli(latest).UTC()
}

func (a *Assessment) name() {
	a.Version = digest(a.Inputs, a.Model, a.AsOf, a.Program)
	a.keys.coverage = digest(layerKeys(a.in.tracks()), layerKeys(a.in.posts()), a.in.Spread, a.keys.lines, a.Model.Coverage, a.coverageAsOf(),
		a.Model.WindowDays, a.Model.HalfLifeDays)
}

// chooseBandwidth looks at the incidents of the hazard's window, as they weigh
// there. A rule that cannot be used falls back to a simpler one and says so.
func (a *Assessment) chooseBandwidth() {
	m := a.Model
	a.Bandwidth = surface.Choice{Rule: surface.RuleFixed, BandwidthM: m.BandwidthM, Why: "set in the model"}
	if m.BandwidthRule == surface.RuleFixed {
		return
	}
	choice, err := surface.SelectBandwidth(a.Incidents.weighted(a.hazardView()), m.Kernel, m.BandwidthRule, surface.BandwidthOptions{FixedM: m.BandwidthM})
	if err != nil {
		a.Bandwidth.Why = "set in the model, because the rule " + string(m.BandwidthRule) + " failed: " + err.Error()
		return
	}
	choice.BandwidthM = max(leastBandwidthM, min(mostBandwidthM, choice.BandwidthM))
	a.Bandwidth = choice
}

func (a *Assessment) cutLines() {
	if p := a.lend(func(k stageKeys) string { return k.lines }); p != nil {
		a.stretches, a.domain, a.unscored = p.stretches, p.domain, p.unscored
		return
	}
	a.stretches = cutSections(a.in, a.Model)
	a.describeSections()
	a.dropForeignShores()
	a.assignAcross()
	a.domain = newDomain(a.stretches, a.Model)
}

func (a *Assessment) sumCoverage() {
	if p := a.lend(func(k stageKeys) string { return k.coverage }); p != nil {
		a.Coverage, a.presence, a.covers = p.Coverage, p.presence, p.covers
		return
	}
	a.presence = newPresence(len(a.stretches), a.coverageAsOf(), a.Model.Coverage.WindowDays)
	a.Coverage = surface.NewCoverage(surface.CoverageInputs{
		Tracks: a.in.tracks(), Posts: a.in.posts(), Spread: func(l *geo.Layer) bool { return a.in.Spread[l.Info.ID] }, AsOf: a.coverageAsOf(),
		History: a.history(),
		Visit: func(p surface.Pass) {
			if s := a.domain.strip(p.Cell); s >= 0 {
				a.presence.add(s, p)
			}
		},
		VisitHole: func(h surface.Hole) {
			if s := a.domain.strip(h.Cell); s >= 0 {
				a.presence.miss(s, h)
			}
		},
	}, a.Model.Coverage)
	a.covers = a.coverStrips()
}

func digestOf(l *geo.Layer) InputDigest {
	return InputDigest{l.Info.ID, l.Info.Version, l.Len(), l.Info.UpdatedAt}
}

func layerKeys(layers []*geo.Layer) []InputDigest {
	out := []InputDigest{}
	for _, l := range layers {
		out = append(out, digestOf(l))
	}
	return out
}

// digest returns a short name for values: the first 12 hex digits of SHA-256
// over their JSON.
func digest(values ...any) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, v := range values {
		if err := enc.Encode(v); err != nil {
			panic(err) // only types of this package come here
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
