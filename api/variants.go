package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// variantCache keeps the last assessments that were asked for with other
// parameters than the model's.
type variantCache struct {
	mu    sync.Mutex
	order []string
	made  map[string]*risk.Assessment
}

const keptVariants = 4

func (c *variantCache) get(key string) *risk.Assessment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made[key]
}

func (c *variantCache) put(key string, a *risk.Assessment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		c.made = map[string]*risk.Assessment{}
	}
	if c.made[key] == nil {
		c.order = append(c.order, key)
	}
	c.made[key] = a
	if len(c.order) > keptVariants {
		delete(c.made, c.order[0])
		c.order = slices.Delete(c.order, 0, 1)
	}
}

func (c *variantCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order, c.made = nil, nil
}

// ask is what a request wants of an assessment beside the newest as it is.
type ask struct {
	AsOf         time.Time `json:"as_of"`
	WindowDays   *float64  `json:"window_days"`
	HalfLifeDays *float64  `json:"half_life_days"`
	BandwidthM   *float64  `json:"bandwidth_m"`
	SectionKM    *float64  `json:"section_km"`
	Kinds        []string  `json:"kinds"`
	// Severity: each incident counts by its severity, or one. Nil: as in the model.
	Severity *bool `json:"severity"`
}

// counting is what of it changes the unit of all numbers.
func (a ask) counting() ask { return ask{Severity: a.Severity} }

func (a ask) plain() bool {
	return a.AsOf.IsZero() && a.WindowDays == nil && a.HalfLifeDays == nil && a.BandwidthM == nil && a.SectionKM == nil && len(a.Kinds) == 0 && a.Severity == nil
}

// key names the parameters in one way only, for caches.
func (a ask) key() string {
	if a.plain() {
		return ""
	}
	b, _ := json.Marshal(a) // numbers and times always marshal
	return string(b)
}

// readAsk reads the parameters that a route takes; others are not there.
func readAsk(r *http.Request) (a ask, err error) {
	if a.AsOf, err = timeParam(r, "as_of"); err != nil {
		return a, err
	}
	for _, p := range []struct {
		name   string
		into   **float64
		lo, hi float64
		step   float64 // finer differences make no other assessment; 0: they do
	}{
		{"window_days", &a.WindowDays, 0, 36525, 0.1},
		{"half_life_days", &a.HalfLifeDays, 0, 36525, 0.1},
		{"bandwidth_m", &a.BandwidthM, 10, 200_000, 0},
		{"section_km", &a.SectionKM, 1, 1000, 1},
	} {
		if r.URL.Query().Get(p.name) == "" {
			continue
		}
		v, err := floatParam(r, p.name, 0, p.lo, p.hi)
		if err != nil {
			return a, err
		}
		if strings.HasSuffix(p.name, "_days") && !risk.Span(v) {
			return a, badParameter(p.name, "%g is neither 0 (all) nor a day or more", v)
		}
		if p.step > 0 {
			v = math.Round(v/p.step) * p.step
		}
		*p.into = &v
	}
	if a.Severity, err = severityParam(r); err != nil {
		return a, err
	}
	a.Kinds = listParam(r, "kinds")
	if err := checkKinds(a.Kinds); err != nil {
		return a, badParameter("kinds", "%v", err)
	}
	return a, nil
}

// severityParam reads whether incidents count by their severity.
func severityParam(r *http.Request) (*bool, error) {
	if r.URL.Query().Get("severity") == "" {
		return nil, nil
	}
	yes, err := boolParam(r, "severity")
	return &yes, err
}

// assessmentFor returns the newest assessment, or one made with what was
// asked for from the same layers.
func (s *Server) assessmentFor(ctx context.Context, a ask) (*risk.Assessment, error) {
	newest := s.assessment.Load()
	if a.Severity != nil && *a.Severity == newest.Model.SeverityWeighted {
		a.Severity = nil
	}
	if a.plain() {
		return newest, nil
	}
	key := newest.Version + a.key()
	if v := s.variants.get(key); v != nil {
		return v, nil
	}
	leave, err := s.lanes.variants.enter(ctx) // one at a time, and uploads do not wait for it
	if err != nil {
		return nil, err
	}
	defer leave()
	if v := s.variants.get(key); v != nil {
		return v, nil
	}
	m := newest.Model
	for _, p := range []struct {
		value *float64
		into  *float64
	}{{a.WindowDays, &m.WindowDays}, {a.HalfLifeDays, &m.HalfLifeDays}, {a.BandwidthM, &m.BandwidthM}, {a.SectionKM, &m.SectionKM}} {
		if p.value != nil {
			*p.into = *p.value
		}
	}
	if len(a.Kinds) > 0 {
		m.Kinds = a.Kinds
	}
	if a.Severity != nil {
		m.SeverityWeighted = *a.Severity
	}
	if a.BandwidthM != nil {
		m.BandwidthRule = surface.RuleFixed
	}
	in := risk.Inputs{Layers: newest.Layers(), AsOf: a.AsOf, Now: s.opts.Now(), Program: s.opts.Version, Previous: newest}
	if in.AsOf.IsZero() {
		in.AsOf = newest.AsOf
	}
	made, err := risk.Assess(ctx, in, m)
	if err != nil {
		return nil, err
	}
	made.Inputs = s.listedInputs(made.Inputs)
	s.variants.put(key, made)
	return made, nil
}

// asked returns what a request wants, and the assessment for it.
func (s *Server) asked(r *http.Request) (ask, *risk.Assessment, error) {
	a, err := readAsk(r)
	if err != nil {
		return a, nil, err
	}
	as, err := s.assessmentFor(r.Context(), a)
	return a, as, err
}

// modelSetting is where the store keeps the model.
const modelSetting = "model"

// twoModel is the change of the model as an approval names it: all work by it.
const twoModel = "change_model"

// LoadModel returns the parameters that were set in the store, or m when none
// were. Stored parameters that this version cannot use are an error.
func LoadModel(ctx context.Context, store data.Store, m risk.Model) (risk.Model, error) {
	raw, err := store.Setting(ctx, modelSetting)
	if errors.Is(err, data.ErrNotFound) {
		return m, m.Validate()
	}
	if err != nil {
		return m, fmt.Errorf("read the stored model: %w", err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("read the stored model: %w", err)
	}
	return m, m.Validate()
}

// loadModel begins with the program's parameters when the stored ones cannot
// be used: the service must come up.
func (s *Server) loadModel(ctx context.Context) error {
	if err := s.opts.Model.Validate(); err != nil {
		return fmt.Errorf("the model cannot be used: %w", err)
	}
	m, err := LoadModel(ctx, s.opts.Store, s.opts.Model)
	if err != nil {
		s.log.Error("the stored model cannot be used; the program's own is in force", "error", err)
		m = s.opts.Model
	}
	s.model.Store(&m)
	return nil
}

func (s *Server) getModel(w http.ResponseWriter, r *http.Request) error {
	return s.sendJSON(w, r, http.StatusOK, s.model.Load())
}

// tryModel makes an assessment with a model before it is kept: what cannot be
// assessed must not be there at the next start.
func (s *Server) tryModel(ctx context.Context, m risk.Model) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	in := s.inputs(s.current(), s.assessment.Load()) // what it lends was made with the same parameters
	if _, err := risk.Assess(ctx, in, m); err != nil {
		return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_model", Detail: "these parameters cannot be assessed here: " + err.Error()}
	}
	return nil
}

// checkKinds refuses kinds of incident that the code list does not know.
func checkKinds(kinds []string) error {
	for _, f := range data.Fields(geo.KindIncident) {
		if f.Name != "kind" {
			continue
		}
		for _, k := range kinds {
			if k == geo.CollusionKind {
				return fmt.Errorf("%q is restricted: GET /v1/crossings has its count by country", k)
			}
			if !slices.Contains(f.Codes, k) {
				return fmt.Errorf("%q is not a kind of incident; there are %s", k, strings.Join(f.Codes, ", "))
			}
		}
	}
	return nil
}

func isCollusion(kind string) bool { return kind == geo.CollusionKind }

// invalidModel names each parameter that cannot be used.
func invalidModel(err error) problem {
	p := problem{Status: http.StatusUnprocessableEntity, Code: "invalid_model", Detail: err.Error()}
	for _, line := range strings.Split(err.Error(), "\n") {
		name, _, _ := strings.Cut(line, " ")
		p.Errors = append(p.Errors, paramError{strings.Trim(name, ":"), line})
	}
	return p
}

// putModel replaces the parameters: what the body leaves out stays as it is.
func (s *Server) putModel(w http.ResponseWriter, r *http.Request) error {
	s.writes.Lock()
	defer s.writes.Unlock()
	m := *s.model.Load()
	old := m.Version
	// Slices of the old model must not be written into.
	m.Coasts, m.Kinds, m.ExcludedKinds = slices.Clone(m.Coasts), slices.Clone(m.Kinds), slices.Clone(m.ExcludedKinds)
	m.Coverage.SweepWidths = slices.Clone(m.Coverage.SweepWidths)
	m.Severity.Weights = nil
	if err := readJSON(w, r, &m); err != nil {
		return err
	}
	if m.Severity.Weights == nil {
		m.Severity.Weights = s.model.Load().Severity.Weights
	}
	unnamed := m.Version == old
	if unnamed {
		m.Version = "set-" + s.opts.Now().UTC().Format("20060102T150405.000Z")
	}
	weighted := slices.DeleteFunc(slices.Sorted(maps.Keys(m.Severity.Weights)), isCollusion)
	if err := errors.Join(m.Validate(), checkKinds(m.Kinds), checkKinds(slices.DeleteFunc(slices.Clone(m.ExcludedKinds), isCollusion)), checkKinds(weighted)); err != nil {
		return invalidModel(err)
	}
	if err := s.tryModel(r.Context(), m); err != nil {
		return err
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	asked := raw
	if unnamed { // its name is the time of the request, which is another when it comes again
		asked = []byte(strings.ReplaceAll(string(raw), m.Version, ""))
	}
	if ok, err := s.approved(w, r, sensitive{action: twoModel, object: "model", body: asked}); !ok {
		return err
	}
	if err := s.opts.Store.SetSetting(r.Context(), modelSetting, raw); err != nil {
		return err
	}
	s.model.Store(&m)
	if err := s.reassess(context.WithoutCancel(r.Context())); err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, &m)
}
