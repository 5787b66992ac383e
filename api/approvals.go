package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
)

// Approval is the word of a second person, of another agency, on one request
// that nobody may make alone.
type Approval struct {
	ID        string     `json:"id"`
	Action    string     `json:"action"`
	Object    string     `json:"object"`           // what it is about: a layer, a key to be
	Agency    string     `json:"agency,omitempty"` // that must approve it: whose the key is to be
	Detail    string     `json:"detail,omitempty"`
	Digest    string     `json:"digest"` // of the request, and of who makes it
	By        PartyWord  `json:"by"`
	ExpiresAt time.Time  `json:"expires_at"` // undecided: to decide; approved: to use
	Approved  *PartyWord `json:"approved,omitempty"`
	Rejected  *PartyWord `json:"rejected,omitempty"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
}

// What takes two persons.
const (
	twoExport   = "raw_export"
	twoDelete   = "delete_layer"
	twoErase    = "erase_record"
	twoClassify = "classify_layer"
	twoKey      = "create_key"
)

// How long an approval may wait to be decided, and then to be used.
const (
	decideWithin  = 72 * time.Hour
	useWithin     = time.Hour
	mostApprovals = 1000
)

// The states of an approval.
const (
	approvalPending  = "pending"
	approvalApproved = "approved"
	approvalRejected = "rejected"
	approvalUsed     = "used"
	approvalExpired  = "expired"
)

func (a Approval) status(now time.Time) string {
	switch {
	case a.Rejected != nil:
		return approvalRejected
	case a.UsedAt != nil:
		return approvalUsed
	case !now.Before(a.ExpiresAt):
		return approvalExpired
	case a.Approved != nil:
		return approvalApproved
	}
	return approvalPending
}

// approvalAnswer is an approval as it is shown.
type approvalAnswer struct {
	Approval
	Status string `json:"status"`
	Next   string `json:"next,omitempty"` // what to do
}

// approvalHeader carries the approval that a request was given; the parameter
// approval does the same.
const approvalHeader = "Sempadan-Approval"

// sensitive is a request that takes two persons.
type sensitive struct {
	action, object, detail string
	agency                 string // that must approve; "": any other
	body                   []byte
}

// digest names a request of somebody: its method, path, parameters and body.
func (q sensitive) digest(r *http.Request) string {
	params := r.URL.Query()
	params.Del("approval")
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if q.action == twoDraw { // is for all tiles of a layer
		sum := sha256.Sum256([]byte(asker(r.Context()).ID + "\n" + q.action + "\n" + q.object))
		return hex.EncodeToString(sum[:])
	}
	body := sha256.Sum256(q.body)
	sum := sha256.Sum256([]byte(strings.Join([]string{asker(r.Context()).ID, q.action, method, r.URL.EscapedPath(), params.Encode(), hex.EncodeToString(body[:])}, "\n")))
	return hex.EncodeToString(sum[:])
}

// approved reports whether a request may go on: because it has the word of a
// second person, which this uses up, or because nobody signs in here. Else it
// has answered 202 with where the word is waited for.
func (s *Server) approved(w http.ResponseWriter, r *http.Request, q sensitive) (bool, error) {
	a, used, err := s.hold(r, q)
	if err != nil || used {
		return used, err
	}
	return false, s.sendApproval(w, r, http.StatusAccepted, a)
}

// hold uses up the word that a request was given. Where there is none yet it
// returns the approval that waits for it.
func (s *Server) hold(r *http.Request, q sensitive) (a Approval, used bool, err error) {
	if asker(r.Context()).Local {
		return a, true, nil
	}
	id := r.URL.Query().Get("approval")
	if id == "" {
		id = r.Header.Get(approvalHeader)
	}
	if id == "" {
		a, err = s.askApproval(r, q)
		return a, false, err
	}
	who, now := asker(r.Context()), s.opts.Now().UTC()
	err = s.books.approvals.change(besideAudit(r.Context()), func(list []Approval) ([]Approval, error) {
		at, found, err := findApproval(list, who, id)
		if a = found; err != nil || a.By.KeyID != who.ID {
			return nil, notThere("approval", id, "/v1/approvals")
		}
		again := "; send the request without it to ask anew"
		switch a.status(now) {
		case approvalPending:
			return list, nil
		case approvalRejected:
			return nil, problem{Status: http.StatusForbidden, Code: "approval_rejected", Detail: "agency " + a.Rejected.Agency + " has refused this request"}
		case approvalUsed:
			return nil, problem{Status: http.StatusConflict, Code: "approval_used", Detail: "this approval was used; it is good for one request" + again}
		case approvalExpired:
			return nil, problem{Status: http.StatusConflict, Code: "approval_expired", Detail: "this approval came to its end" + again}
		}
		if a.Digest != q.digest(r) {
			return nil, problem{Status: http.StatusConflict, Code: "approval_differs", Detail: "this approval is for another request: method, path, parameters and body must be as they were" + again}
		}
		if used = true; r.Method == http.MethodHead {
			return list, nil
		}
		a.UsedAt = &now
		return swapped(list, at, a), nil
	})
	if err == nil && used && r.Method != http.MethodHead {
		s.note(r.Context(), "approval_used", id+" "+q.action+" "+q.object)
	}
	return a, used && err == nil, err
}

// askApproval asks for the word of a second person; the same request asked
// again finds the same approval.
func (s *Server) askApproval(r *http.Request, q sensitive) (Approval, error) {
	who, now := asker(r.Context()), s.opts.Now().UTC()
	a := Approval{ID: "p-" + strings.ToLower(rand.Text()[:16]), Action: q.action, Object: q.object, Agency: q.agency, Detail: q.detail, Digest: q.digest(r),
		By: who.word(now), ExpiresAt: now.Add(decideWithin).Truncate(time.Second)}
	asked := true
	err := s.books.approvals.change(besideAudit(r.Context()), func(list []Approval) ([]Approval, error) {
		pending := 0
		for _, old := range list {
			st := old.status(now)
			if old.Digest == a.Digest && (st == approvalPending || st == approvalApproved) {
				a, asked = old, false
				return list, nil
			}
			if st == approvalPending && old.By.KeyID == who.ID {
				pending++
			}
		}
		if pending >= 20 {
			return nil, problem{Status: http.StatusTooManyRequests, Code: "too_many_approvals", Detail: "20 requests of yours wait for approval; let them be decided first"}
		}
		return newest(list, a, mostApprovals), nil
	})
	if err == nil && asked {
		s.note(r.Context(), "approval_asked", a.ID+" "+q.action+" "+q.object)
	}
	return a, err
}

// shownApproval is an approval as its reader is shown it.
func (s *Server) shownApproval(r *http.Request, a Approval) approvalAnswer {
	answer := approvalAnswer{Approval: a, Status: a.status(s.opts.Now())}
	switch {
	case answer.Status == approvalPending && a.By.KeyID == asker(r.Context()).ID:
		answer.Next = "an analyst or administrator of another agency of " + a.By.Country + " must approve this: POST /v1/approvals/" + a.ID +
			` {"decision":"approve"}; then send this request again with the header ` + approvalHeader + ": " + a.ID
		if !s.secondAgency(a.By) {
			answer.Next += ". No key here is of another agency of " + a.By.Country + " with that right: make one with `sempadan keys create --role admin --agency CODE --country " +
				a.By.Country + " --days N` for a person of it, or do it at the machine with the command line"
		}
	case answer.Status == approvalApproved && a.By.KeyID == asker(r.Context()).ID:
		answer.Next = "send the request again, as it was, with the header " + approvalHeader + ": " + a.ID
	}
	return answer
}

func (s *Server) sendApproval(w http.ResponseWriter, r *http.Request, status int, a Approval) error {
	if status == http.StatusAccepted {
		w.Header().Set("Location", "/v1/approvals/"+a.ID)
		w.Header().Set("Cache-Control", "no-store")
		for _, name := range []string{"Content-Disposition", "ETag"} {
			w.Header().Del(name)
		}
	}
	return s.sendJSON(w, r, status, s.shownApproval(r, a))
}

// secondAgency reports whether some good key may decide on a request.
func (s *Server) secondAgency(by PartyWord) bool {
	if s.opts.SignIn.Keys == nil {
		return true // people come from elsewhere
	}
	keys, err := s.opts.SignIn.Keys.List()
	return err != nil || slices.ContainsFunc(keys, func(k KeyInfo) bool {
		return independent(keys, k.ID, by.Agency) && k.Country == by.Country && k.Agency != by.Agency && k.Role.may(doDecide) && k.RevokedAt == nil && s.opts.Now().Before(k.ExpiresAt)
	})
}

// mayRead reports whether an approval is somebody's to see: of their own
// agency, or for them to decide.
func (a Approval) mayRead(p principal) bool {
	return p.Local || a.By.Country == p.Country && (a.By.Agency == p.Agency || p.mayDo(doDecide))
}

func findApproval(list []Approval, p principal, id string) (int, Approval, error) {
	for i, a := range list {
		if a.ID == id && a.mayRead(p) {
			return i, a, nil
		}
	}
	return 0, Approval{}, notThere("approval", id, "/v1/approvals")
}

func (s *Server) listApprovals(w http.ResponseWriter, r *http.Request) error {
	out := []approvalAnswer{}
	for _, a := range slices.Backward(s.books.approvals.all()) {
		if a.mayRead(asker(r.Context())) {
			out = append(out, approvalAnswer{Approval: a, Status: a.status(s.opts.Now())})
		}
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"approvals": out})
}

func (s *Server) getApproval(w http.ResponseWriter, r *http.Request) error {
	_, a, err := findApproval(s.books.approvals.all(), asker(r.Context()), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	return s.sendApproval(w, r, http.StatusOK, a)
}

// decide takes the word of the second person: never of who asks, nor of their
// agency.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) error {
	yes, err := readDecision(w, r)
	if err != nil {
		return err
	}
	var after Approval
	who, now := asker(r.Context()), s.opts.Now().UTC()
	err = s.books.approvals.change(besideAudit(r.Context()), func(list []Approval) ([]Approval, error) {
		at, a, err := findApproval(list, who, mux.Vars(r)["id"])
		if err != nil {
			return nil, err
		}
		switch {
		case who.Local:
			return nil, openService("nothing needs an approval")
		case a.By.KeyID == who.ID:
			return nil, problem{Status: http.StatusForbidden, Code: "own_request", Detail: "nobody approves what they ask for; a person of another agency does"}
		case a.By.Agency == who.Agency:
			return nil, problem{Status: http.StatusForbidden, Code: "own_agency", Detail: "both of you are of " + who.Agency + "; a person of another agency decides"}
		case !s.independent(who.ID, a.By.Agency):
			return nil, problem{Status: http.StatusForbidden, Code: "not_independent", Detail: "your key was made on the request of " + a.By.Agency + " and is no second agency's for it; a person whose key " + who.Agency + " itself, or the machine's operator, has given decides"}
		case !s.mayVouch(a, who):
			return nil, problem{Status: http.StatusForbidden, Code: "not_your_agency", Detail: "a key of " + a.Agency + " is approved by a person of " + a.Agency + ", or, as long as none of them has a key for that, by an administrator of another agency"}
		case a.status(now) != approvalPending:
			return nil, problem{Status: http.StatusConflict, Code: "approval_decided", Detail: "this request is " + a.status(now) + " already"}
		}
		word, within := who.word(now), useWithin
		if a.Action == twoDraw {
			within = drawWithin
		}
		if yes {
			a.Approved, a.ExpiresAt = &word, now.Add(within).Truncate(time.Second)
		} else {
			a.Rejected = &word
		}
		after = a
		return swapped(list, at, a), nil
	})
	if err != nil {
		return err
	}
	s.note(r.Context(), "approval_"+map[bool]string{true: "given", false: "refused"}[yes], after.ID+" "+after.Action+" "+after.Object)
	return s.sendApproval(w, r, http.StatusOK, after)
}

// besideAudit is for what is kept beside the change that a request asks for: the
// request's entry on the audit log goes with that change, or is not due yet.
func besideAudit(ctx context.Context) context.Context { return data.WithAudit(ctx, nil) }
