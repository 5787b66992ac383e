package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// Options is what a server is made of.
type Options struct {
	Store data.Store
	// GeoPackage reads and writes files of that format; nil refuses them.
	GeoPackage data.GeoPackage
	// Builtin are the layers that ship with the program and the demo. A
	// stored layer with the same ID takes the place of one of them.
	Builtin []*geo.Layer
	Model   risk.Model
	// MaxBody bounds an upload in bytes; 0: 64 MiB.
	MaxBody int64
	// Check, when not nil, looks at the meaning of uploaded rows.
	Check func(data.Candidate) []data.Finding
	// TileCacheBytes bounds the tile cache; 0: 96 MiB.
	TileCacheBytes int64
	// LocalOnly refuses requests that reach this machine under a foreign
	// name, as a rebound name of a hostile page does.
	LocalOnly bool
	// AssessLater lets New return before the first assessment is made:
	// requests that need one wait for it.
	AssessLater bool
	Keeping     Keeping
	Version     string
	Commit      string
	Now         func() time.Time
	Log         *slog.Logger
	Registry    *prometheus.Registry
	// SignIn says how people prove who they are; the zero value asks nobody.
	SignIn SignIn
	// Audit, when not nil, keeps an audit log of those who sign in.
	Audit *AuditOptions

	previous *risk.Assessment // lends its stages to the first one: for tests
}

// Server answers HTTP. Its state is two pointers that readers never wait for:
// the layers as they are, and the newest assessment of them.
type Server struct {
	opts    Options
	log     *slog.Logger
	metrics *metrics
	tiles   *tileCache
	// filtered are vector tiles of filters, which cannot drive out the others.
	filtered *tileCache
	rasters  *tileCache
	handler  http.Handler

	catalog    atomic.Pointer[catalog]
	assessment atomic.Pointer[risk.Assessment]
	assessed   atomic.Pointer[catalog] // what the assessment was made of
	model      atomic.Pointer[risk.Model]
	ready      atomic.Bool
	first      chan struct{} // closed when there is an assessment
	behind     atomic.Bool   // changes that came before it are not assessed yet

	writes   sync.Mutex // one change of the layers at a time
	assess   sync.Mutex // one assessment at a time
	variants variantCache
	levels   *levelBook
	books    *books
	sums     rowSums
	painters painters

	jobs        jobs
	sweeps      sweeps
	validations validations
	graphs      graphs
	buffers     sync.Pool // of *[]byte, for answers

	ways   []route // of table
	gate   *gate
	lanes  *lanes
	audit  *auditor // nil: none is kept
	worlds worlds
	// Of the service for one circle:
	circle   circle
	parent   *Server
	unlisted []*geo.Layer    // that count in surfaces only
	spread   map[string]bool // layers whose effort is told by blocks of cells
}

// New loads the store's layers and makes the first assessment.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Store == nil || o.Now == nil || o.Log == nil || o.Registry == nil {
		return nil, errors.New("api: Store, Now, Log and Registry must be given")
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 20
	}
	if o.TileCacheBytes == 0 {
		o.TileCacheBytes = 96 << 20
	}
	o.Log = slog.New(Redacted(o.Log.Handler()))
	s := &Server{opts: o, log: o.Log, first: make(chan struct{}), levels: &levelBook{}, worlds: worlds{made: map[circle]*world{}}}
	gate, err := newGate(o.SignIn, o.Now, s.log)
	if err != nil {
		return nil, fmt.Errorf("sign-in: %w", err)
	}
	s.gate = gate
	s.metrics = newMetrics(o.Registry, s)
	s.lanes = newLanes(o.Registry)
	if err := s.makeTileCaches(o.TileCacheBytes); err != nil {
		return nil, err
	}
	if err := s.loadModel(ctx); err != nil {
		return nil, err
	}
	if err := s.loadCatalog(ctx); err != nil {
		return nil, err
	}
	s.loadLevels(ctx)
	s.loadBooks(ctx)
	if o.AssessLater {
		go s.assessFirst(ctx)
	} else if err := s.reassess(ctx); err != nil {
		return nil, err
	}
	if s.opts.Audit != nil {
		if err := s.startAudit(ctx, *s.opts.Audit); err != nil {
			return nil, fmt.Errorf("audit log: %w", err)
		}
	}
	s.ways = s.table()
	s.handler = s.routes()
	s.ready.Store(true)
	return s, nil
}

// assessFirst makes the first assessment. The service is not ready when it
// cannot be made.
func (s *Server) assessFirst(ctx context.Context) {
	if err := s.reassess(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the layers could not be assessed", "error", err)
		s.ready.Store(false)
	}
}

// awaitAssessment returns when there is an assessment to answer from.
func (s *Server) awaitAssessment(ctx context.Context) error {
	select {
	case <-s.first:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.behind.Load() {
		return s.reassess(ctx)
	}
	return nil
}

// assessChange brings the assessment up to a change of the layers. While the
// first is being made it does not wait: who asks for an assessment will.
func (s *Server) assessChange(ctx context.Context) error {
	select {
	case <-s.first:
		return s.reassess(ctx)
	default:
	}
	s.behind.Store(true)
	go func() {
		if err := s.awaitAssessment(ctx); err != nil {
			s.log.Error("the changed layers could not be assessed", "error", err)
		}
	}()
	return nil
}

// needsAssessment tells the paths that are answered from an assessment.
func needsAssessment(path string) bool {
	for _, prefix := range []string{"/tiles/layers/", "/v1/layers", "/v1/jobs", "/v1/retention", "/v1/model", "/v1/agreements", "/v1/approvals", "/v1/keys",
		"/v1/requests", "/v1/collaboration", "/v1/tombstones", "/v1/audit", "/assets/", "/healthz", "/readyz", "/metrics",
		"/ogc/collections", "/ogc/tiles", "/ogc/tileMatrixSets", "/openapi.json", "/docs", "/embed", "/favicon.ico", "/auth", "/v1/me", "/v1/embed-tokens"} {
		if strings.HasPrefix(path, prefix) {
			return false
		}
	}
	return path != "/" && path != "/ogc" && path != "/ogc/" && path != "/ogc/conformance" && !strings.HasPrefix(path, "/ogc/api")
}

// Handler returns the whole HTTP surface.
func (s *Server) Handler() http.Handler { return s.handler }

// NotReady turns /readyz to 503, before a shutdown, and ends long work.
func (s *Server) NotReady() {
	s.ready.Store(false)
	s.validations.end()
	s.graphs.end()
	s.jobs.end()
}

// catalog is the layers at one moment; immutable.
type catalog struct {
	layers []*entry // built-in first, then stored, each by ID
	byID   map[string]*entry
}

// find returns a layer's entry or a 404.
func (c *catalog) find(id string) (*entry, error) {
	if e := c.byID[id]; e != nil {
		return e, nil
	}
	return nil, problem{Status: http.StatusNotFound, Code: "layer_not_found",
		Detail: fmt.Sprintf("there is no layer %q; GET /v1/layers lists them", id)}
}

func (s *Server) current() *catalog { return s.catalog.Load() }
