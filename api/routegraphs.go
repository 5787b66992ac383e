package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/sempadan/sempadan/geo/risk"
	routing "github.com/sempadan/sempadan/geo/route"
)

// graphs keeps the graphs that ways are looked for on: one for each assessment and
// cell size, laid when somebody asks and forgotten some time after nobody does.
// All circles share the places, not the graphs.
type graphs struct {
	mu   sync.Mutex
	made map[graphKey]*keptGraph
}

type graphKey struct {
	by    *Server // whose assessment it is: a newer one takes the graph's place
	of    *risk.Assessment
	cellM float64
}

// keptGraph is a graph that is being laid, or is there.
type keptGraph struct {
	done  chan struct{}
	graph *routing.Graph
	err   error
	used  time.Time
	drop  *time.Timer
}

const (
	// mostGraphs bounds their memory: about 20 MB each for a million nodes, and as
	// much for each search.
	mostGraphs = 3
	// graphIdle is how long a graph stays when nobody asks.
	graphIdle = 10 * time.Minute
	// graphLong bounds the laying of one.
	graphLong = time.Minute
	// fineCellM is between the nodes of the graph that ways are found on.
	fineCellM = 1000.0
)

// WhatIfCellM is between the nodes of the graph that changes are compared on.
const WhatIfCellM = 2500.0

// of returns the graph over an assessment; whoever asks for one that is being laid
// waits for it.
func (g *graphs) of(ctx context.Context, key graphKey) (*routing.Graph, error) {
	g.mu.Lock()
	k := g.made[key]
	if k == nil {
		k = g.lay(key)
	}
	k.used = time.Now()
	k.drop.Reset(graphIdle)
	g.mu.Unlock()
	select {
	case <-k.done:
		return k.graph, k.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// lay begins a graph, in the place of the one that was used least lately when
// there are many; g.mu is held.
func (g *graphs) lay(key graphKey) *keptGraph {
	if g.made == nil {
		g.made = map[graphKey]*keptGraph{}
	}
	drop := func(old graphKey) {
		g.made[old].drop.Stop()
		delete(g.made, old)
	}
	for old := range g.made {
		if old.by == key.by && old.of != key.of {
			drop(old)
		}
	}
	for len(g.made) >= mostGraphs {
		var oldest graphKey
		for other, k := range g.made {
			if oldest.of == nil || k.used.Before(g.made[oldest].used) {
				oldest = other
			}
		}
		drop(oldest)
	}
	k := &keptGraph{done: make(chan struct{})}
	k.drop = time.AfterFunc(graphIdle, func() { g.forget(key, k) })
	g.made[key] = k
	go func() {
		defer close(k.done)
		ctx, stop := context.WithTimeout(context.Background(), graphLong)
		defer stop()
		o := routing.DefaultGraphOptions()
		o.CellM = key.cellM
		if k.graph, k.err = routing.NewGraph(ctx, key.of, o); k.err != nil {
			if !errors.Is(k.err, context.DeadlineExceeded) {
				k.err = problem{Status: http.StatusConflict, Code: "no_graph", Detail: k.err.Error()}
			}
			g.forget(key, k)
		}
	}()
	return k
}

func (g *graphs) forget(key graphKey, k *keptGraph) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.made[key] == k {
		k.drop.Stop()
		delete(g.made, key)
	}
}

// end forgets all.
func (g *graphs) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key, k := range g.made {
		k.drop.Stop()
		delete(g.made, key)
	}
}

// graphOf is the graph over what this service, or the one for a circle, has
// assessed last.
func (s *Server) graphOf(ctx context.Context, a *risk.Assessment, cellM float64) (*routing.Graph, error) {
	top := s
	if s.parent != nil {
		top = s.parent
	}
	return top.graphs.of(ctx, graphKey{s, a, cellM})
}
