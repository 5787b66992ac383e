package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"github.com/sempadan/sempadan/data"
)

// States of a job.
const (
	jobAccepted  = "accepted"
	jobRunning   = "running"
	jobDone      = "done"
	jobFailed    = "failed"
	jobCancelled = "cancelled"
)

// jobAnswer is a job as it is shown.
type jobAnswer struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"` // upload, plan, scores
	Layer    string    `json:"layer"`
	Status   string    `json:"status"`
	Phase    string    `json:"phase,omitempty"` // waiting, reading, writing, planning
	Progress float64   `json:"progress"`        // 0 to 1
	Rows     int       `json:"rows"`            // read so far
	RowsPerS float64   `json:"rows_per_s"`
	EtaS     *float64  `json:"eta_s"` // null while it cannot be told
	Created  time.Time `json:"created"`
	// Of a finished job: the answer of the upload, or what was wrong.
	Result  *data.Report    `json:"result,omitempty"`
	Scores  *ScoredRoutes   `json:"scores,omitempty"`
	Problem json.RawMessage `json:"problem,omitempty"`
	Plan    string          `json:"plan,omitempty"` // where the plan is
}

// job is long work that a client does not wait for.
type job struct {
	mu      sync.Mutex
	answer  jobAnswer
	started time.Time // of the reading
	cancel  context.CancelFunc
	done    chan struct{}
	owner   string // who asked for it
}

// jobs are those of this process: what is finished is forgotten when it ends,
// what is not finished leaves nothing.
type jobs struct {
	mu    sync.Mutex
	byID  map[string]*job
	order []string // oldest first
	ended bool
}

const (
	keptJobs   = 100
	activeJobs = 4
)

// readShare is the part of an upload's time that goes into reading its file.
const readShare = 0.6

// wantsAsync reports whether the client asks not to wait (RFC 7240).
func wantsAsync(r *http.Request) bool {
	for _, line := range r.Header.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), "respond-async") {
				return true
			}
		}
	}
	return false
}

// startUpload makes a job of an upload whose body has come.
func (s *Server) startUpload(w http.ResponseWriter, r *http.Request, u upload) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	j := &job{cancel: cancel, done: make(chan struct{}), owner: asker(r.Context()).ID, answer: jobAnswer{
		ID: rand.Text(), Kind: "upload", Layer: u.ID, Status: jobAccepted, Phase: "waiting", Created: s.opts.Now().UTC()}}
	if err := s.jobs.add(j); err != nil {
		cancel()
		u.body.close()
		return err
	}
	size := u.body.size
	u.Import.Progress = func(p data.Progress) { j.read(p, size) }
	u.onPhase = j.setPhase
	go func() {
		defer cancel()
		defer u.body.close()
		u.approved = func(q sensitive) (bool, error) {
			r := r.WithContext(ctx)
			a, used, err := s.hold(r, q)
			if err == nil && !used {
				err = approvalNeeded(s.shownApproval(r, a))
			}
			return used, err
		}
		out, err := s.upload(ctx, u)
		j.finish(out, err)
		if err != nil && ctx.Err() == nil {
			s.log.Info("a job failed", "job", j.answer.ID, "error", err)
		}
	}()
	w.Header().Set("Location", "/v1/jobs/"+j.answer.ID)
	w.Header().Set("Preference-Applied", "respond-async")
	return s.sendJSON(w, r, http.StatusAccepted, j.show())
}

func (js *jobs) add(j *job) error {
	js.mu.Lock()
	defer js.mu.Unlock()
	active := 0
	for _, other := range js.byID {
		if !other.finished() {
			active++
		}
	}
	if js.ended || active >= activeJobs {
		return problem{Status: http.StatusServiceUnavailable, Code: "too_many_jobs",
			Detail: fmt.Sprintf("%d jobs are running; wait for one to end", active)}
	}
	if js.byID == nil {
		js.byID = map[string]*job{}
	}
	js.byID[j.answer.ID] = j
	js.order = append(js.order, j.answer.ID)
	for len(js.order) > keptJobs {
		at := slices.IndexFunc(js.order, func(id string) bool { return js.byID[id].finished() })
		if at < 0 {
			break
		}
		delete(js.byID, js.order[at])
		js.order = slices.Delete(js.order, at, at+1)
	}
	return nil
}

// end cancels all jobs and waits for them.
func (js *jobs) end() {
	js.mu.Lock()
	js.ended = true
	list := js.list()
	js.mu.Unlock()
	for _, j := range list {
		j.cancel()
		<-j.done
	}
}

// list returns the jobs, newest first; js.mu is held.
func (js *jobs) list() []*job {
	var out []*job
	for _, id := range slices.Backward(js.order) {
		out = append(out, js.byID[id])
	}
	return out
}

func (js *jobs) find(r *http.Request) (*job, error) {
	id := mux.Vars(r)["id"]
	js.mu.Lock()
	defer js.mu.Unlock()
	if j := js.byID[id]; j != nil && j.owner == asker(r.Context()).ID {
		return j, nil
	}
	return nil, problem{Status: http.StatusNotFound, Code: "job_not_found",
		Detail: fmt.Sprintf("there is no job %q; jobs are forgotten when the service stops, GET /v1/jobs lists them", id)}
}

func (j *job) finished() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

func (j *job) read(p data.Progress, size int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	a := &j.answer
	if j.started.IsZero() {
		j.started = time.Now()
	}
	a.Status, a.Phase, a.Rows = jobRunning, "reading", p.Rows
	took := time.Since(j.started).Seconds()
	if took <= 0 {
		return
	}
	a.RowsPerS = float64(p.Rows) / took
	if size > 0 {
		a.Progress = readShare * min(1, float64(p.Bytes)/float64(size))
	}
	if a.Progress > 0.02 {
		left := took/a.Progress - took
		a.EtaS = &left
	}
}

func (j *job) setPhase(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.answer.Status, j.answer.Phase, j.answer.Progress = jobRunning, name, readShare
}

func (j *job) finish(out uploaded, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	a := &j.answer
	a.Phase, a.EtaS = "", nil
	switch {
	case err == nil:
		a.Status, a.Progress, a.Result = jobDone, 1, out.report
		if a.Rows == 0 && out.report != nil {
			a.Rows = out.report.Accepted + out.report.Quarantined
		}
	case problemOf(err).Code == "cancelled":
		a.Status = jobCancelled
	default:
		a.Status = jobFailed
		p := problemOf(err)
		p.Type, p.Title, p.Description, p.Errors = "about:blank", http.StatusText(p.Status), p.Detail, []paramError{}
		a.Problem, _ = json.Marshal(p) // it holds nothing that JSON does not
	}
	close(j.done)
}

// planned tells where the plan is.
func (j *job) planned(path string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.answer.Plan = path
}

func (j *job) show() jobAnswer {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.answer
}

func (s *Server) listJobs(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	out := []jobAnswer{}
	s.jobs.mu.Lock()
	for _, j := range s.jobs.list() {
		if j.owner != asker(r.Context()).ID {
			continue
		}
		a := j.show()
		a.Result, a.Scores, a.Problem = nil, nil, nil
		out = append(out, a)
	}
	s.jobs.mu.Unlock()
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"jobs": out})
}

func (s *Server) getJob(w http.ResponseWriter, r *http.Request) error {
	j, err := s.jobs.find(r)
	if err != nil {
		return err
	}
	if !j.finished() {
		w.Header().Set("Retry-After", "1")
	}
	return s.sendUntagged(w, r, j.show()) // it may hold scores of routes
}

// cancelJob ends a job and answers when nothing of it is left running. What is
// done stays done; a finished job is forgotten.
func (s *Server) cancelJob(w http.ResponseWriter, r *http.Request) error {
	j, err := s.jobs.find(r)
	if err != nil {
		return err
	}
	if j.finished() {
		s.jobs.mu.Lock()
		delete(s.jobs.byID, j.answer.ID)
		s.jobs.order = slices.DeleteFunc(s.jobs.order, func(id string) bool { return id == j.answer.ID })
		s.jobs.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	j.cancel()
	select {
	case <-j.done:
	case <-r.Context().Done():
		return r.Context().Err()
	}
	return s.sendJSON(w, r, http.StatusOK, j.show())
}

// jobEvents streams a job's state until it is finished (server-sent events).
func (s *Server) jobEvents(w http.ResponseWriter, r *http.Request) error {
	j, err := s.jobs.find(r)
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		over := j.finished()
		body, err := json.Marshal(j.show())
		if err != nil {
			return err
		}
		_ = control.SetWriteDeadline(time.Now().Add(30 * time.Second))
		if _, err := fmt.Fprintf(w, "data: %s\n\n", body); err != nil || r.Method == http.MethodHead {
			return nil // the reader left
		}
		_ = control.Flush()
		if over {
			return nil
		}
		select {
		case <-j.done:
		case <-tick.C:
		case <-r.Context().Done():
			return nil
		}
	}
}
