package api

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
)

// InfoRequest is what one agency asks of another across the border: what kind of
// thing, about which file of its own, by when. The matter itself is in the
// agencies' files, not here.
type InfoRequest struct {
	ID       string        `json:"id"`
	From     string        `json:"from"` // COUNTRY/AGENCY
	To       string        `json:"to"`
	Kind     string        `json:"kind"`
	Subject  string        `json:"subject"` // the reference of a file
	OpenedAt time.Time     `json:"opened_at"`
	Due      string        `json:"due"` // a day, which counts to its end in UTC
	Status   string        `json:"status"`
	Steps    []RequestStep `json:"steps"`
	Settled  *time.Time    `json:"settled_at,omitempty"`
	// Of answers:
	AgeDays float64 `json:"age_days"`
	Overdue bool    `json:"overdue"` // or was settled too late
}

// RequestStep is one change of a request's status.
type RequestStep struct {
	Status string    `json:"status"`
	Agency string    `json:"agency"` // COUNTRY/AGENCY
	At     time.Time `json:"at"`
}

// RequestKinds are what may be asked.
func RequestKinds() []string {
	return []string{"record_check", "document_check", "status_confirmation", "vessel_or_vehicle_check", "route_information",
		"victim_referral", "statistics", requestJointPatrol, requestJointPlan, "other"}
}

const (
	requestJointPatrol = "joint_patrol"
	requestJointPlan   = "joint_plan"
)

// The states of a request. The one who is asked accepts, answers or declines;
// the one who asks withdraws.
const (
	requestOpen      = "open"
	requestAccepted  = "accepted"
	requestAnswered  = "answered"
	requestDeclined  = "declined"
	requestWithdrawn = "withdrawn"
)

const (
	mostRequests   = 5000
	longestRequest = 366 * 24 * time.Hour
)

var subjectPattern = regexp.MustCompile(`^[A-Z0-9][A-Z0-9/._-]{0,39}$`)

// personNumber is what numbers of identity cards look like: eight digits and
// more in a row, or six, two and four.
var personNumber = regexp.MustCompile(`[0-9]{8}|[0-9]{6}[-./][0-9]{2}[-./][0-9]{4}`)

func (q InfoRequest) settled() bool { return q.Status != requestOpen && q.Status != requestAccepted }

// end is when the due day is over.
func (q InfoRequest) end() time.Time {
	day, err := time.Parse(time.DateOnly, q.Due)
	if err != nil {
		return time.Time{}
	}
	return day.AddDate(0, 0, 1)
}

// at is the request as it stands at an instant.
func (q InfoRequest) at(now time.Time) InfoRequest {
	until := now
	if q.Settled != nil {
		until = *q.Settled
	}
	q.AgeDays = float64(int64(until.Sub(q.OpenedAt)/(time.Hour/10))) / 240
	q.Overdue = !q.settled() && now.After(q.end()) || q.Settled != nil && q.Status != requestWithdrawn && q.Settled.After(q.end())
	return q
}

// mayRead reports whether somebody is of one of the two parties.
func (q InfoRequest) mayRead(p principal) bool {
	return p.Local || p.ownerText() == q.From || p.ownerText() == q.To
}

func (s *Server) listRequests(w http.ResponseWriter, r *http.Request) error {
	out := []InfoRequest{}
	status := r.URL.Query().Get("status")
	for _, q := range slices.Backward(s.books.requests.all()) {
		if q.mayRead(asker(r.Context())) && (status == "" || q.Status == status) {
			out = append(out, q.at(s.opts.Now()))
		}
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"requests": out})
}

func (s *Server) getRequest(w http.ResponseWriter, r *http.Request) error {
	_, q, err := findRequest(s.books.requests.all(), asker(r.Context()), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, q.at(s.opts.Now()))
}

func findRequest(list []InfoRequest, p principal, id string) (int, InfoRequest, error) {
	for i, q := range list {
		if q.ID == id && q.mayRead(p) {
			return i, q, nil
		}
	}
	return 0, InfoRequest{}, notThere("request", id, "/v1/requests")
}

// checkRequest names each thing that a request cannot have.
func checkRequest(to, kind, subject, due string, who principal, now time.Time) (errs []paramError) {
	bad := func(name, format string, args ...any) {
		errs = append(errs, paramError{name, fmt.Sprintf(format, args...)})
	}
	country, agency, _ := strings.Cut(to, "/")
	switch {
	case !slices.Contains(countries[:], country) || !agencyPattern.MatchString(agency):
		bad("to", "%q is not an agency such as MY/MMEA", to)
	case country == who.Country:
		bad("to", "%s is of your own country; requests cross the border", to)
	}
	if !slices.Contains(RequestKinds(), kind) {
		bad("kind", "%q is not one of %s", kind, strings.Join(RequestKinds(), ", "))
	}
	if !subjectPattern.MatchString(subject) || data.CheckReason(subject) != nil || data.LooksPersonal(subject) || personNumber.MatchString(subject) {
		bad("subject", "give the reference of your file, 1 to 40 capital letters, digits and / . _ -, no number of a person or a document")
	}
	day, err := time.Parse(time.DateOnly, due)
	if err != nil || day.AddDate(0, 0, 1).Before(now) || day.Sub(now) > longestRequest {
		bad("due", "%q is not a day such as 2026-12-24 within the next year", due)
	}
	return errs
}

func (s *Server) openRequest(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		To      string `json:"to"`
		Kind    string `json:"kind"`
		Subject string `json:"subject"`
		Due     string `json:"due"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	who, now := asker(r.Context()), s.opts.Now().UTC().Truncate(time.Second)
	if who.Local {
		return openService("there are no two agencies")
	}
	if errs := checkRequest(body.To, body.Kind, body.Subject, body.Due, who, now); errs != nil {
		return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_request", Detail: errs[0].Parameter + ": " + errs[0].Detail, Errors: errs}
	}
	q := InfoRequest{ID: "q-" + strings.ToLower(rand.Text()[:16]), From: who.ownerText(), To: body.To, Kind: body.Kind, Subject: body.Subject,
		OpenedAt: now, Due: body.Due, Status: requestOpen, Steps: []RequestStep{{requestOpen, who.ownerText(), now}}}
	err := s.books.requests.change(r.Context(), func(list []InfoRequest) ([]InfoRequest, error) {
		if len(list) >= mostRequests { // the oldest that is settled goes
			at := slices.IndexFunc(list, InfoRequest.settled)
			if at < 0 {
				return nil, problem{Status: http.StatusConflict, Code: "too_many_requests", Detail: "too many requests are open; settle or withdraw some"}
			}
			list = slices.Delete(slices.Clone(list), at, at+1)
		}
		return newest(list, q, mostRequests), nil
	})
	if err != nil {
		return err
	}
	s.note(r.Context(), "request_opened", q.ID)
	w.Header().Set("Location", "/v1/requests/"+q.ID)
	return s.sendJSON(w, r, http.StatusCreated, q.at(now))
}

// changeRequest moves a request on.
func (s *Server) changeRequest(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Status string `json:"status"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	who, now := asker(r.Context()), s.opts.Now().UTC().Truncate(time.Second)
	var after InfoRequest
	err := s.books.requests.change(r.Context(), func(list []InfoRequest) ([]InfoRequest, error) {
		at, q, err := findRequest(list, who, mux.Vars(r)["id"])
		if err != nil {
			return nil, err
		}
		may := []string{}
		if q.To == who.ownerText() {
			may = append(may, requestAccepted, requestAnswered, requestDeclined)
		}
		if q.From == who.ownerText() {
			may = append(may, requestWithdrawn)
		}
		switch {
		case q.settled():
			return nil, problem{Status: http.StatusConflict, Code: "request_settled", Detail: "the request is " + q.Status + "; open another with POST /v1/requests"}
		case !slices.Contains(may, body.Status):
			return nil, problem{Status: http.StatusUnprocessableEntity, Code: "invalid_status", Detail: fmt.Sprintf("status %q: you may set %s", body.Status, strings.Join(may, ", "))}
		}
		q.Status = body.Status
		q.Steps = append(slices.Clone(q.Steps), RequestStep{body.Status, who.ownerText(), now})
		if len(q.Steps) > 20 {
			return nil, problem{Status: http.StatusConflict, Code: "too_many_steps", Detail: "the request has had 20 steps; answer or decline it"}
		}
		if q.settled() {
			q.Settled = &now
		}
		after = q
		return swapped(list, at, q), nil
	})
	if err != nil {
		return err
	}
	s.note(r.Context(), "request_"+after.Status, after.ID)
	return s.sendJSON(w, r, http.StatusOK, after.at(now))
}
