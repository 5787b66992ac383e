package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
	"golang.org/x/sync/errgroup"
)

// entry is one layer as it is served, with what is kept beside it.
type entry struct {
	layer  *geo.Layer
	vector *tiles.Vector
	stored bool // in the store, not only built in
	// within, when not nil, is told of its extent in place of the extent.
	within *orb.Bound

	facts func() layerFacts
	found foundRows
}

func newEntry(l *geo.Layer, stored bool) *entry {
	return &entry{layer: l, vector: tiles.NewVector(l), stored: stored, facts: sync.OnceValue(func() layerFacts { return factsOf(l) })}
}

// releasedEntry is a layer of released cells: nobody is told where they end.
func releasedEntry(l *geo.Layer) *entry {
	e, area := newEntry(l, false), publicArea()
	e.within = &area
	return e
}

// bound is what is told of the layer's extent.
func (e *entry) bound() orb.Bound {
	if e.within != nil {
		return *e.within
	}
	return e.layer.Bound()
}

// content returns the layer; nil for no entry.
func (e *entry) content() *geo.Layer {
	if e == nil {
		return nil
	}
	return e.layer
}

// tag names this content of the layer.
func (e *entry) tag() string {
	return fmt.Sprintf("%d-%x", e.layer.Info.Version, e.layer.Info.UpdatedAt.UnixMilli())
}

// hiddenSetting is where the store keeps which built-in layers were deleted.
const hiddenSetting = "hidden_layers"

// LoadLayers returns the layers of a service: those in the store, and the
// built-in ones that are neither stored nor hidden.
func LoadLayers(ctx context.Context, store data.Store, builtin []*geo.Layer) ([]*geo.Layer, error) {
	infos, err := store.Layers(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the stored layers: %w", err)
	}
	absent, err := hiddenLayers(ctx, store)
	if err != nil {
		return nil, err
	}
	out := make([]*geo.Layer, len(infos))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, info := range infos {
		absent = append(absent, info.ID)
		g.Go(func() (err error) {
			if out[i], err = store.Load(ctx, info.ID); err != nil {
				return fmt.Errorf("load layer %s: %w", info.ID, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, l := range builtin {
		if !slices.Contains(absent, l.Info.ID) {
			out = append(out, l)
		}
	}
	return out, nil
}

func (s *Server) loadCatalog(ctx context.Context) error {
	layers, err := LoadLayers(ctx, s.opts.Store, s.opts.Builtin)
	if err != nil {
		return err
	}
	entries := map[string]*entry{}
	for _, l := range layers {
		entries[l.Info.ID] = newEntry(l, l != s.builtin(l.Info.ID))
	}
	s.publish(entries)
	return nil
}

// hiddenLayers lists the built-in layers that were deleted.
func hiddenLayers(ctx context.Context, store data.Store) ([]string, error) {
	raw, err := store.Setting(ctx, hiddenSetting)
	if errors.Is(err, data.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read which layers are hidden: %w", err)
	}
	var ids []string
	if err := json.Unmarshal(raw, &ids); err != nil {
		return nil, fmt.Errorf("read which layers are hidden: %w", err)
	}
	return ids, nil
}

// setHidden marks a built-in layer as deleted, or takes the mark away. A layer
// of one's own in its place takes it away, too.
func (s *Server) setHidden(ctx context.Context, id string, hide bool) error {
	if s.builtin(id) == nil {
		return nil
	}
	ids, err := hiddenLayers(ctx, s.opts.Store)
	if err != nil || slices.Contains(ids, id) == hide {
		return err
	}
	if ids = slices.DeleteFunc(ids, func(k string) bool { return k == id }); hide {
		ids = append(ids, id)
	}
	raw, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	return s.opts.Store.SetSetting(ctx, hiddenSetting, raw)
}

func (s *Server) publish(entries map[string]*entry) {
	c := &catalog{byID: entries}
	for _, e := range entries {
		c.layers = append(c.layers, e)
	}
	slices.SortFunc(c.layers, func(a, b *entry) int {
		if a.layer.Info.Builtin != b.layer.Info.Builtin {
			return map[bool]int{true: 1, false: -1}[a.layer.Info.Builtin]
		}
		return strings.Compare(a.layer.Info.ID, b.layer.Info.ID)
	})
	s.catalog.Store(c)
}

// replaceEntry publishes a catalog in which one layer is another; nil removes it.
func (s *Server) replaceEntry(id string, e *entry) {
	entries := map[string]*entry{}
	for k, v := range s.current().byID {
		entries[k] = v
	}
	if delete(entries, id); e != nil {
		entries[id] = e
	}
	s.publish(entries)
	s.tiles.forget(vectorKeys(id))
	s.filtered.forget(vectorKeys(id))
}

// State is a value that is another after every change of the layers.
func (s *Server) State() any { return s.current() }

// StoredLayers returns the layers that are in the store, as they are served.
func (s *Server) StoredLayers() []*geo.Layer {
	var out []*geo.Layer
	for _, e := range s.current().layers {
		if e.stored {
			out = append(out, e.layer)
		}
	}
	return out
}

// builtin returns the built-in layer with an ID, or nil.
func (s *Server) builtin(id string) *geo.Layer {
	for _, l := range s.opts.Builtin {
		if l.Info.ID == id {
			return l
		}
	}
	return nil
}

// reassess brings the assessment up to the layers and the model of now. It
// returns when an assessment that includes them is in place; callers that
// come while one is being made share the next.
func (s *Server) reassess(ctx context.Context) error {
	s.assess.Lock()
	defer s.assess.Unlock()
	cat, model := s.current(), s.model.Load()
	old := s.assessment.Load()
	if old != nil && s.assessed.Load() == cat && reflect.DeepEqual(old.Model, *model) {
		s.behind.Store(false)
		return nil
	}
	first := old == nil
	if first {
		old = s.opts.previous
	}
	start := time.Now()
	a, err := risk.Assess(ctx, s.inputs(cat, old), *model)
	if err != nil {
		return err
	}
	a.Inputs = s.listedInputs(a.Inputs)
	s.metrics.assessTook.Observe(time.Since(start).Seconds())
	if s.parent == nil {
		s.reviewLevels(ctx, a)
	}
	s.assessment.Store(a)
	s.assessed.Store(cat)
	if first {
		close(s.first)
	} else if s.current() == cat {
		s.behind.Store(false)
	}
	s.variants.clear()
	s.rasters.forget("")
	s.log.Info("assessment made", "version", a.Version, "as_of", a.AsOf, "incidents", a.Incidents.Len(),
		"sections", len(a.Sections), "took_ms", time.Since(start).Milliseconds())
	return nil
}

func (s *Server) inputs(cat *catalog, previous *risk.Assessment) risk.Inputs {
	in := risk.Inputs{Now: s.opts.Now(), Program: s.opts.Version, Previous: previous, Spread: s.spread}
	for _, e := range cat.layers {
		in.Layers = append(in.Layers, e.layer)
	}
	in.Layers = append(in.Layers, s.unlisted...)
	return in
}

// listedInputs are the inputs of an assessment that the circle sees as layers:
// of others it is not told that they are there.
func (s *Server) listedInputs(all []risk.InputDigest) []risk.InputDigest {
	if s.parent == nil {
		return all
	}
	layers := s.current().byID
	return slices.DeleteFunc(slices.Clone(all), func(d risk.InputDigest) bool { return layers[d.Layer] == nil })
}
