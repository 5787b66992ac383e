package api

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lane lets so many pieces of one kind of work run at once, and so many wait
// for their turn; whoever comes then is told to come again. A rush on one lane
// takes nothing from the others.
type lane struct {
	name    string
	running chan struct{}
	waiting chan struct{}
	longest time.Duration // of a wait
	shed    prometheus.Counter
}

func newLane(name string, running, waiting int, longest time.Duration) *lane {
	return &lane{name: name, running: make(chan struct{}, running), waiting: make(chan struct{}, waiting), longest: longest,
		shed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sempadan_shed_total", Help: "Requests that were told to come again later, by kind of work.", ConstLabels: prometheus.Labels{"work": name}})}
}

// enter returns when it is the caller's turn, who calls leave when it is done.
func (l *lane) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-l.running }
	select {
	case l.running <- struct{}{}:
		return leave, nil
	default:
	}
	select {
	case l.waiting <- struct{}{}:
		defer func() { <-l.waiting }()
	default:
		return nil, l.busy()
	}
	late := time.NewTimer(l.longest)
	defer late.Stop()
	select {
	case l.running <- struct{}{}:
		return leave, nil
	case <-late.C:
		return nil, l.busy()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *lane) busy() problem {
	l.shed.Inc()
	return problem{Status: http.StatusServiceUnavailable, Code: "busy", Detail: "too many ask for " + l.name + " at once; ask again in a few seconds"}
}

// lanes are the kinds of work that take long enough to be counted.
type lanes struct {
	tiles, uploads, analyses, variants, files, downloads, plans, planJobs *lane
	sending                                                               chan struct{}
}

const (
	// longAnswer is the size from which an answer gives its turn away while it is sent.
	longAnswer = 64 << 10
	// mostSending bounds the memory of those that did.
	mostSending = 32
)

// The waits end well before the write timeout of the server (30 s).
func newLanes(reg *prometheus.Registry) *lanes {
	cores := runtime.GOMAXPROCS(0)
	l := &lanes{
		sending:  make(chan struct{}, mostSending),
		tiles:    newLane("tiles", cores, 32*cores, 2*time.Second),
		uploads:  newLane("uploads", 1, 64, 20*time.Second),
		analyses: newLane("analyses", 2*cores, 16*cores, 20*time.Second),
		// Many wait for the same one, as for the tiles of a map.
		variants: newLane("variants", 1, 32*cores, 10*time.Second),
		// Each download is on the disk while it is sent, and a slow reader may take minutes.
		files:     newLane("files", 1, 16, 20*time.Second),
		downloads: newLane("downloads", 32, 0, 0),
	}
	l.plans = newLane("plans", 1, 8, 20*time.Second)
	waits := *l.plans // the same turns, for those who need not wait for the answer
	waits.waiting, waits.longest = make(chan struct{}, 8), 10*time.Minute
	l.planJobs = &waits
	reg.MustRegister(l.tiles.shed, l.uploads.shed, l.analyses.shed, l.variants.shed, l.files.shed, l.downloads.shed, l.plans.shed)
	return l
}

// of returns the lane of what a route does as a whole; nil: none, as for
// downloads, which take their turns themselves.
func (l *lanes) of(do action, path string) *lane {
	if (do == doAnalyse || do == doPlan) && !strings.HasPrefix(path, "/surfaces/") {
		return l.analyses
	}
	return nil
}

type turnKey struct{}

// withTurn lets an answer end its turn before the work returns.
func withTurn(ctx context.Context, leave func()) context.Context {
	return context.WithValue(ctx, turnKey{}, leave)
}

// yield ends the turn of a request whose answer is made, as far as there is room
// for more that are being sent: who reads slowly keeps nobody from an analysis.
func (l *lanes) yield(ctx context.Context) (sent func()) {
	leave, inLane := ctx.Value(turnKey{}).(func())
	if !inLane {
		return func() {}
	}
	select {
	case l.sending <- struct{}{}:
		leave()
		return func() { <-l.sending }
	default:
		return func() {}
	}
}
