package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo/risk"
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
}

func (a ask) plain() bool {
	return a.AsOf.IsZero() && a.WindowDays == nil && a.HalfLifeDays == nil && a.BandwidthM == nil && a.SectionKM == nil && len(a.Kinds) == 0
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
	}{
		{"window_days", &a.WindowDays, 0, 36525},
		{"half_life_days", &a.HalfLifeDays, 0, 36525},
		{"bandwidth_m", &a.BandwidthM, 10, 200_000},
		{"section_km", &a.SectionKM, 1, 1000},
	} {
		if r.URL.Query().Get(p.name) == "" {
			continue
		}
		v, err := floatParam(r, p.name, 0, p.lo, p.hi)
		if err != nil {
			return a, err
		}
		*p.into = &v
	}
	a.Kinds = listParam(r, "kinds")
	return a, nil
}

// assessmentFor returns the newest assessment, or one made with what was
// asked for from the same layers.
func (s *Server) assessmentFor(ctx context.Context, a ask) (*risk.Assessment, error) {
	newest := s.assessment.Load()
	if a.plain() {
		return newest, nil
	}
	key := newest.Version + a.key()
	if v := s.variants.get(key); v != nil {
		return v, nil
	}
	s.assess.Lock()
	defer s.assess.Unlock()
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
	in := risk.Inputs{Layers: newest.Layers(), AsOf: a.AsOf, Now: s.opts.Now(), Program: s.opts.Version, Previous: newest}
	if in.AsOf.IsZero() {
		in.AsOf = newest.AsOf
	}
	made, err := risk.Assess(ctx, in, m)
	if err != nil {
		return nil, err
	}
	s.variants.put(key, made)
	return made, nil
}

// modelSetting is where the store keeps the model.
const modelSetting = "model"

func (s *Server) loadModel(ctx context.Context) error {
	m := s.opts.Model
	raw, err := s.opts.Store.Setting(ctx, modelSetting)
	if err == nil {
		if err := json.Unmarshal(raw, &m); err != nil {
			return fmt.Errorf("read the stored model: %w", err)
		}
	} else if !errors.Is(err, data.ErrNotFound) {
		return fmt.Errorf("read the stored model: %w", err)
	}
	if err := m.Validate(); err != nil {
		return fmt.Errorf("the model cannot be used: %w", err)
	}
	s.model.Store(&m)
	return nil
}

func (s *Server) getModel(w http.ResponseWriter, r *http.Request) error {
	return s.sendJSON(w, r, http.StatusOK, s.model.Load())
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
	if m.Version == old {
		m.Version = "set-" + s.opts.Now().UTC().Format("20060102T150405.000Z")
	}
	if err := m.Validate(); err != nil {
		return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_model", Detail: err.Error()}
	}
	raw, err := json.Marshal(m)
	if err != nil {
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
