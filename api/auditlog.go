package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sempadan/sempadan/data"
)

// AuditOptions say how a service keeps its audit log.
type AuditOptions struct {
	// KeyFile has the secret that signs checkpoints; it is made when it is not there.
	KeyFile string
	// Sinks are files outside the store that take a checkpoint a minute.
	Sinks  []string
	Budget ReadBudget

	every, retry time.Duration // 0: a minute, a second
}

const (
	checkpointEvery = time.Minute
	auditRetry      = time.Second
	// auditWait is how long an answer waits for its entry, such as behind an
	// upload of a million rows that is being written.
	auditWait = 20 * time.Second
	// auditBatch bounds the entries of one transaction.
	auditBatch = 512
)

// auditor writes the audit log of a service. Entries that come while a
// transaction is being written share the next.
type auditor struct {
	AuditOptions
	log     data.AuditLog
	key     *AuditKey
	now     func() time.Time
	slog    *slog.Logger
	metrics auditMetrics
	budgets *budgets
	// notices returns entries about what changed by itself: keys, grants.
	notices func() []data.AuditEntry

	asks  chan auditAsk
	quit  chan struct{}
	ended chan struct{}
	end   sync.Once
	why   atomic.Pointer[string] // it cannot be kept; nil: it can

	// Of the goroutine that writes:
	storeDown, sinksDown string
	point                data.AuditHead
	pointAt              time.Time
}

type auditAsk struct {
	entry data.AuditEntry
	done  chan error
}

type auditMetrics struct {
	entries *prometheus.CounterVec
	alerts  prometheus.Counter
	up      prometheus.Gauge
	failing prometheus.Gauge
}

func newAuditMetrics(reg *prometheus.Registry) auditMetrics {
	m := auditMetrics{
		entries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sempadan_audit_entries_total", Help: "Entries of requests in the audit log, by outcome."}, []string{"outcome"}),
		alerts:  prometheus.NewCounter(prometheus.CounterOpts{Name: "sempadan_read_budget_alerts_total", Help: "How often somebody reached half of a read budget."}),
		up:      prometheus.NewGauge(prometheus.GaugeOpts{Name: "sempadan_audit_up", Help: "1 while the audit log can be kept; at 0 no data are answered."}),
		failing: prometheus.NewGauge(prometheus.GaugeOpts{Name: "sempadan_audit_sinks_failing", Help: "Outside sinks that did not take the last checkpoint."}),
	}
	reg.MustRegister(m.entries, m.alerts, m.up, m.failing)
	m.up.Set(1)
	return m
}

// startAudit begins the audit log of a service.
func (s *Server) startAudit(ctx context.Context, o AuditOptions) error {
	key, err := makeAuditKey(o.KeyFile)
	if err != nil {
		return err
	}
	if o.every == 0 {
		o.every, o.retry = checkpointEvery, auditRetry
	}
	a := &auditor{AuditOptions: o, log: s.opts.Store, key: key, now: s.opts.Now, slog: s.log, metrics: newAuditMetrics(s.opts.Registry),
		budgets: newBudgets(o.Budget), asks: make(chan auditAsk, auditBatch), quit: make(chan struct{}), ended: make(chan struct{})}
	known, err := a.recall(ctx)
	if err != nil {
		return err
	}
	a.notices = func() []data.AuditEntry { return known.news(s) }
	s.audit = a
	a.commit([]auditAsk{{entry: a.own("service.start", "")}})
	a.tick()
	go a.run()
	return nil
}

// own is an entry about the service itself.
func (a *auditor) own(action, detail string) data.AuditEntry {
	return data.AuditEntry{At: a.now(), Actor: "service", Action: action, Outcome: data.AuditDone, Detail: detail}
}

func (a *auditor) run() {
	defer close(a.ended)
	tick := time.NewTicker(a.retry)
	defer tick.Stop()
	for {
		select {
		case ask := <-a.asks:
			a.commit(a.gather(ask))
		case <-tick.C:
			a.tick()
		case <-a.quit:
			a.commit(append(a.gather(), auditAsk{entry: a.own("service.stop", "")}))
			a.checkpoint()
			return
		}
	}
}

// gather takes what else is waiting.
func (a *auditor) gather(list ...auditAsk) []auditAsk {
	for len(list) < auditBatch {
		select {
		case ask := <-a.asks:
			list = append(list, ask)
		default:
			return list
		}
	}
	return list
}

// commit writes entries in one transaction.
func (a *auditor) commit(list []auditAsk) {
	entries := make([]data.AuditEntry, len(list))
	for i, ask := range list {
		entries[i] = ask.entry
		entries[i].At = a.now() // a request may have begun long before
	}
	ctx, cancel := context.WithTimeout(context.Background(), auditWait)
	defer cancel()
	_, err := a.log.AppendAudit(ctx, entries)
	a.setStore(err)
	for i, ask := range list {
		if err == nil {
			a.metrics.entries.WithLabelValues(entries[i].Outcome).Inc()
		}
		if ask.done != nil {
			ask.done <- err
		}
	}
}

// setStore notes whether the log in the store can be written, and why not, in
// words without paths: whoever asks for the service's health reads them.
func (a *auditor) setStore(err error) {
	why := ""
	switch {
	case err == nil:
	case errors.Is(err, data.ErrFull):
		why = "the store has no room left for it"
	case errors.Is(err, data.ErrAuditBroken):
		why = "it is not as this service left it"
	default:
		why = "the store cannot be written"
	}
	if why != "" && why != a.storeDown {
		a.slog.Error("the audit log cannot be written; no data are answered until it can", "error", err)
	}
	a.storeDown = why
	a.publish()
}

func (a *auditor) publish() {
	why := a.storeDown
	if why == "" {
		why = a.sinksDown
	}
	if why == "" {
		if a.why.Swap(nil) != nil {
			a.slog.Info("the audit log can be kept again")
		}
		a.metrics.up.Set(1)
		return
	}
	a.why.Store(&why)
	a.metrics.up.Set(0)
}

// tick does what has to be done from time to time.
func (a *auditor) tick() {
	var list []auditAsk
	for _, e := range a.notices() {
		list = append(list, auditAsk{entry: e})
	}
	if a.storeDown != "" {
		list = append(list, auditAsk{entry: a.own("audit.resumed", "")})
	}
	if len(list) > 0 {
		a.commit(list)
	}
	if a.sinksDown != "" || time.Since(a.pointAt) >= a.every {
		a.checkpoint()
	}
}

// checkpoint signs the log as it is and gives that to the sinks, when the log
// has grown since the last.
func (a *auditor) checkpoint() {
	if len(a.Sinks) == 0 {
		return
	}
	head, err := a.log.AuditHead(context.Background())
	if err != nil || head.N == 0 || head == a.point && a.sinksDown == "" {
		return
	}
	c := a.key.Checkpoint(head, a.now())
	failing := 0
	for _, path := range a.Sinks {
		if err := appendCheckpoint(path, c); err != nil {
			failing++
			a.slog.Error("a sink did not take the checkpoint of the audit log", "sink", path, "error", err)
		}
	}
	a.metrics.failing.Set(float64(failing))
	a.sinksDown, a.pointAt = "", time.Now()
	if failing == len(a.Sinks) {
		a.sinksDown = "no outside sink takes its checkpoints"
	} else {
		a.point = head
	}
	a.publish()
}

// errAudit is the answer while the log cannot be kept.
func errAudit(why string) error {
	return problem{Status: http.StatusServiceUnavailable, Code: "audit_down",
		Detail: fmt.Sprintf("the audit log cannot be kept: %s; no data are read or changed until it can be, tell the operator of this service", why)}
}

// open reports why data must not be answered now.
func (a *auditor) open(do action) error {
	if a == nil || do == doOpen || do == doAdmin {
		return nil
	}
	if why := a.why.Load(); why != nil {
		return errAudit(*why)
	}
	return nil
}

// record writes an entry; it returns when that is on disk.
func (a *auditor) record(ctx context.Context, e data.AuditEntry) error {
	ctx, cancel := context.WithTimeout(ctx, auditWait)
	defer cancel()
	ask := auditAsk{e, make(chan error, 1)}
	select {
	case a.asks <- ask:
	case <-a.ended:
		return errAudit("the service is stopping")
	case <-ctx.Done():
		return errAudit("the store is busy with a large change")
	}
	select {
	case err := <-ask.done:
		if err != nil {
			return a.failed()
		}
		return nil
	case <-a.ended:
		return errAudit("the service is stopping")
	case <-ctx.Done():
		return errAudit("the store is busy with a large change")
	}
}

func (a *auditor) failed() error {
	if why := a.why.Load(); why != nil {
		return errAudit(*why)
	}
	return errAudit("the store cannot be written")
}

// Close ends the audit log with a last checkpoint, once no request runs any
// more. The store stays open.
func (s *Server) Close() {
	if a := s.audit; a != nil {
		a.end.Do(func() { close(a.quit) })
		<-a.ended
	}
}
