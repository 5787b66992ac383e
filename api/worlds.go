package api

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// worlds are what the circles see: each has layers, an assessment and caches of
// its own, made of nothing but what its members may see, when one of them asks.
type worlds struct {
	mu   sync.Mutex
	made map[circle]*world
}

// world is a service for one circle.
type world struct {
	*Server
	making sync.Mutex
	source *catalog
	period time.Time
	model  *risk.Model
	pacts  string // the agreements that it was made by
}

// mostWorlds bounds how many circles are kept; beyond it any one goes, to be made
// again when somebody of it asks.
const mostWorlds = 12

// worldOf returns the world of a circle, brought up to what there is now.
func (s *Server) worldOf(ctx context.Context, c circle) (*world, error) {
	s.worlds.mu.Lock()
	w := s.worlds.made[c]
	if w == nil {
		var err error
		if w, err = s.newWorld(c); err != nil {
			s.worlds.mu.Unlock()
			return nil, err
		}
		if len(s.worlds.made) >= mostWorlds {
			for k := range s.worlds.made {
				delete(s.worlds.made, k)
				break
			}
		}
		s.worlds.made[c] = w
	}
	s.worlds.mu.Unlock()
	w.making.Lock()
	defer w.making.Unlock()
	return w, s.refresh(ctx, w)
}

func (s *Server) newWorld(c circle) (*world, error) {
	inner := &Server{opts: s.opts, log: s.log, metrics: s.metrics, lanes: s.lanes, circle: c, parent: s, levels: s.levels, books: s.books, audit: s.audit,
		first: make(chan struct{})}
	inner.opts.previous = nil
	if err := inner.makeTileCaches(max(s.opts.TileCacheBytes/8, 1<<20)); err != nil {
		return nil, err
	}
	inner.ready.Store(true)
	inner.ways = inner.table()
	return &world{Server: inner}, nil
}

// refresh makes a world anew when the layers, the model or the period of its
// releases are others than those that it was made of.
func (s *Server) refresh(ctx context.Context, w *world) error {
	cat, model := s.current(), s.model.Load()
	now := s.opts.Now().UTC()
	period := w.circle.terms().start(now)
	// Who sees records one by one sees them at once; whoever sees releases only
	// must not notice what comes between two, except in what is public.
	pacts := s.agreementsOf(w.circle, now)
	same := w.source == cat || w.source != nil && w.circle.generalised() && w.source.public() == cat.public()
	if same && w.model == model && w.pacts == pacts && w.period.Equal(period) {
		w.source = cat
		return nil
	}
	seen, err := s.narrow(ctx, w.circle, cat, now)
	if err != nil {
		return err
	}
	w.Server.model.Store(model)
	w.unlisted, w.spread = seen.unlisted, seen.spread
	w.publish(seen.entries)
	if err := w.reassess(ctx); err != nil {
		return err
	}
	w.source, w.model, w.period, w.pacts = cat, model, period, pacts
	return nil
}

// public names the public layers and their versions.
func (c *catalog) public() string {
	var b strings.Builder
	for _, e := range c.layers {
		if e.layer.Info.Classification == classPublic {
			fmt.Fprintf(&b, "%s %s\n", e.layer.Info.ID, e.tag())
		}
	}
	return b.String()
}

// seenLayers is what a circle sees of the layers.
type seenLayers struct {
	entries  map[string]*entry
	unlisted []*geo.Layer // in its surfaces only
	spread   map[string]bool
}

// embargo is how long tracks of others stay out of what is planned with.
const embargo = 72 * time.Hour

// narrow makes the layers of a circle.
func (s *Server) narrow(ctx context.Context, c circle, cat *catalog, now time.Time) (seenLayers, error) {
	if c.Role == circlePublic {
		return s.narrowPublic(ctx, cat, now)
	}
	out := seenLayers{entries: map[string]*entry{}, spread: map[string]bool{}}
	p := c.member()
	pools := map[pool][]pooled{}
	for _, e := range cat.layers {
		l := e.layer
		own := ownerOf(l.Info)
		by, shared := s.agreementFor(l.Info, c.Country, now)
		shared = shared && !c.generalised()
		sees := p.layerSight(l.Info, shared)
		switch {
		case sees == exactRows && (l.Info.Classification == classPublic || ofOwnAgency(l.Info, c) || !isPatrol(l.Info.Kind) && l.Info.Kind != geo.KindIncident):
			out.entries[l.Info.ID] = e
		case isPatrol(l.Info.Kind):
			if late := afterEmbargo(l, now); sees != unseen && !c.generalised() && late.Len() > 0 {
				out.unlisted = append(out.unlisted, late)
				out.spread[l.Info.ID] = true
			}
		case l.Info.Kind == geo.KindIncident:
			exact, rest := splitRecords(l, p, sees, own)
			group := poolOf(own, by, shared)
			for _, r := range rest {
				group.scope = releaseScope(r.layer.Text(r.row, "release"))
				pools[group] = append(pools[group], r)
			}
			switch {
			case exact == nil || exact.Len() == 0:
			case sees == exactRows:
				if exact == l {
					out.entries[l.Info.ID] = e
				} else {
					out.entries[l.Info.ID] = newEntry(exact, e.stored)
				}
			default:
				out.unlisted = append(out.unlisted, exact)
			}
		}
	}
	release, err := s.releases(ctx, c, pools, now)
	if err != nil {
		return out, err
	}
	if len(release.counts) > 0 {
		cells, points := release.asCells()
		out.entries[cells.Info.ID] = releasedEntry(cells)
		out.unlisted = append(out.unlisted, points)
	}
	return out, nil
}

// isPatrol reports whether a layer tells where patrols and posts are: raw it is
// for the agency whose they are, whatever its class.
func isPatrol(k geo.LayerKind) bool { return k == geo.KindPatrolTrack || k == geo.KindPost }

func ofOwnAgency(info geo.LayerInfo, c circle) bool {
	return isPatrol(info.Kind) && ownerOf(info) == owner{c.Country, c.Agency}
}

// afterEmbargo is a layer of tracks or posts without what is too new.
func afterEmbargo(l *geo.Layer, now time.Time) *geo.Layer {
	gone := map[int64]bool{}
	limit := now.Add(-embargo).UnixMilli()
	for row := range l.Len() {
		if from, to, ok := l.TimesMS(row); ok && (to > limit && l.Info.Kind == geo.KindPatrolTrack || from > limit) {
			gone[l.FID(row)] = true
		}
	}
	if len(gone) == 0 {
		return l
	}
	return l.Without(gone)
}

// splitRecords tells the records that are seen one by one from those that are
// seen as released counts.
func splitRecords(l *geo.Layer, p principal, sees sight, own owner) (exact *geo.Layer, rest []pooled) {
	gone := map[int64]bool{}
	for row := range l.Len() {
		of := p.recordSight(sees, own, l.Text(row, "release"))
		if l.OfCollusion(row) && of != exactRows {
			of = unseen
		}
		if of >= exactMap {
			continue
		}
		gone[l.FID(row)] = true
		if at, isPoint := l.Point(row); of == released && isPoint {
			from, _ := l.Times(row)
			rest = append(rest, pooled{surface.ReleaseRecord{Lon: at.Lon(), Lat: at.Lat(), Day: int32(from.Unix() / 86400),
				Kind: l.Text(row, "kind"), Source: l.Text(row, "reporter_agency")}, l, row})
		}
	}
	switch len(gone) {
	case 0:
		return l, nil
	case l.Len():
		return nil, rest
	}
	return l.Without(gone), rest
}
