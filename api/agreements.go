package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// Agreement lets planners and analysts of one country see what another owns:
// some layers, for a purpose, as counts by cell, until it ends. It is in force
// once both countries have signed.
type Agreement struct {
	ID         string          `json:"id"`
	From       string          `json:"from"` // the owner
	To         string          `json:"to"`
	Purpose    string          `json:"purpose"`
	Layers     []string        `json:"layers"`  // none: all that From's agencies own
	Kinds      []geo.LayerKind `json:"kinds"`   // of layers; none: all that are shared
	Fields     []string        `json:"fields"`  // told beside the count; see AgreementFields
	CellKM     float64         `json:"cell_km"` // 5, 10 or 20: the finest cell
	K          int             `json:"k"`       // incidents that a cell must have
	ProposedAt time.Time       `json:"proposed_at"`
	ExpiresAt  time.Time       `json:"expires_at"`
	Signatures []PartyWord     `json:"signatures"`
	Rejected   *PartyWord      `json:"rejected,omitempty"`
	Ended      *PartyWord      `json:"ended,omitempty"`
}

// PartyWord is who said something for their country, and when.
type PartyWord struct {
	Country string    `json:"country"`
	Agency  string    `json:"agency"`
	KeyID   string    `json:"key_id"`
	At      time.Time `json:"at"`
}

func (p principal) word(at time.Time) PartyWord {
	return PartyWord{p.Country, p.Agency, p.ID, at.UTC().Truncate(time.Millisecond)}
}

// The states of an agreement.
const (
	agreementProposed = "proposed"
	agreementInForce  = "in_force"
	agreementRejected = "rejected"
	agreementEnded    = "ended"
	agreementExpired  = "expired"
)

// Status is the agreement's state at an instant.
func (a Agreement) Status(now time.Time) string {
	switch {
	case a.Ended != nil:
		return agreementEnded
	case a.Rejected != nil:
		return agreementRejected
	case !now.Before(a.ExpiresAt):
		return agreementExpired
	case a.signedBy(a.From) && a.signedBy(a.To):
		return agreementInForce
	}
	return agreementProposed
}

func (a Agreement) signedBy(country string) bool {
	return slices.ContainsFunc(a.Signatures, func(w PartyWord) bool { return w.Country == country })
}

// covers reports whether a layer is within the agreement.
func (a Agreement) covers(info geo.LayerInfo) bool {
	return ownerOf(info).Country == a.From && (len(a.Layers) == 0 || slices.Contains(a.Layers, info.ID)) &&
		(len(a.Kinds) == 0 || slices.Contains(a.Kinds, info.Kind))
}

// AgreementFields are what an agreement may tell beside the count of a cell: the
// values that at least K incidents of it have. With statusField each side may
// also set its own legal status of the other's records.
func AgreementFields() []string {
	return []string{"kind", "direction", "medium", "stage", "discovery", statusField}
}

const statusField = "status"

// Bounds of an agreement.
const (
	longestAgreement = 2 * 366 * 24 * time.Hour
	mostAgreements   = 500
	leastK, mostK    = leastOfPartner, 100
)

// sharedKinds are the kinds of layers that an agreement is about.
func sharedKinds() []geo.LayerKind {
	return []geo.LayerKind{geo.KindIncident, geo.KindPatrolTrack, geo.KindPost}
}

// check names each thing that an agreement cannot have.
func (a Agreement) check(now time.Time) (errs []paramError) {
	bad := func(name, format string, args ...any) {
		errs = append(errs, paramError{name, fmt.Sprintf(format, args...)})
	}
	if !slices.Contains(countries[:], a.From) || !slices.Contains(countries[:], a.To) || a.From == a.To {
		bad("from", "give from and to as ID and MY, the owner first")
	}
	if err := data.CheckReason(a.Purpose); err != nil || len(a.Purpose) < 3 {
		bad("purpose", "say in 3 to 500 bytes what it is for, without naming anyone")
	}
	for _, id := range a.Layers {
		if !layerID.MatchString(id) {
			bad("layers", "%q cannot name a layer", id)
		}
	}
	for _, k := range a.Kinds {
		if !slices.Contains(sharedKinds(), k) {
			bad("kinds", "%q is not incident, patrol_track or post", k)
		}
	}
	for _, f := range a.Fields {
		if !slices.Contains(AgreementFields(), f) {
			bad("fields", "%q is not one of %s", f, strings.Join(AgreementFields(), ", "))
		}
	}
	if len(a.Layers) > 200 || len(a.Fields) > len(AgreementFields()) || len(a.Kinds) > len(sharedKinds()) {
		bad("layers", "at most 200 layers, and each kind and field once")
	}
	if a.firstLevel() == 0 {
		bad("cell_km", "%g is not 5, 10 or 20", a.CellKM)
	}
	if a.K < leastK || a.K > mostK {
		bad("k", "%d is not %d to %d", a.K, leastK, mostK)
	}
	if !a.ExpiresAt.After(now) || a.ExpiresAt.Sub(now) > longestAgreement {
		bad("expires_at", "give an instant within the next two years")
	}
	return errs
}

// AgreementAnswer is an agreement as it is shown.
type AgreementAnswer struct {
	Agreement
	Status string `json:"status"`
}

func (s *Server) listAgreements(w http.ResponseWriter, r *http.Request) error {
	out := []AgreementAnswer{}
	for _, a := range slices.Backward(s.books.agreements.all()) {
		out = append(out, AgreementAnswer{a, a.Status(s.opts.Now())})
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"agreements": out})
}

func (s *Server) getAgreement(w http.ResponseWriter, r *http.Request) error {
	_, a, err := findAgreement(s.books.agreements.all(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, AgreementAnswer{a, a.Status(s.opts.Now())})
}

func findAgreement(list []Agreement, id string) (int, Agreement, error) {
	for i, a := range list {
		if a.ID == id {
			return i, a, nil
		}
	}
	return 0, Agreement{}, notThere("agreement", id, "/v1/agreements")
}

// proposeAgreement takes a proposal, which its side signs by making it.
func (s *Server) proposeAgreement(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		From      string          `json:"from"`
		To        string          `json:"to"`
		Purpose   string          `json:"purpose"`
		Layers    []string        `json:"layers"`
		Kinds     []geo.LayerKind `json:"kinds"`
		Fields    []string        `json:"fields"`
		CellKM    float64         `json:"cell_km"`
		K         int             `json:"k"`
		ExpiresAt time.Time       `json:"expires_at"`
	}
	body.CellKM, body.K = 5, leastOfPartner
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	who, now := asker(r.Context()), s.opts.Now().UTC()
	if who.Local {
		return openService("there are no parties that could agree")
	}
	a := Agreement{ID: newAgreementID(), From: body.From, To: body.To, Purpose: body.Purpose, Layers: emptyNotNil(body.Layers),
		Kinds: body.Kinds, Fields: emptyNotNil(body.Fields), CellKM: body.CellKM, K: body.K,
		ProposedAt: now.Truncate(time.Millisecond), ExpiresAt: body.ExpiresAt.UTC(), Signatures: []PartyWord{who.word(now)}}
	if a.Kinds == nil {
		a.Kinds = []geo.LayerKind{}
	}
	if errs := a.check(now); errs != nil {
		return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_agreement", Detail: errs[0].Parameter + ": " + errs[0].Detail, Errors: errs}
	}
	err := s.books.agreements.change(r.Context(), func(list []Agreement) ([]Agreement, error) {
		if len(list) >= mostAgreements {
			list = slices.DeleteFunc(slices.Clone(list), func(a Agreement) bool {
				st := a.Status(now)
				return st != agreementInForce && st != agreementProposed
			})
		}
		if len(list) >= mostAgreements {
			return nil, problem{Status: http.StatusConflict, Code: "too_many_agreements", Detail: "there are too many open agreements; end some with DELETE /v1/agreements/{id}"}
		}
		return newest(list, a, mostAgreements), nil
	})
	if err != nil {
		return err
	}
	s.note(r.Context(), "agreement_proposed", a.ID)
	w.Header().Set("Location", "/v1/agreements/"+a.ID)
	return s.sendJSON(w, r, http.StatusCreated, AgreementAnswer{a, a.Status(now)})
}

// answerAgreement signs or rejects a proposal for the other country.
func (s *Server) answerAgreement(w http.ResponseWriter, r *http.Request) error {
	yes, err := readDecision(w, r)
	if err != nil {
		return err
	}
	var after Agreement
	who, now := asker(r.Context()), s.opts.Now().UTC()
	err = s.books.agreements.change(r.Context(), func(list []Agreement) ([]Agreement, error) {
		at, a, err := findAgreement(list, mux.Vars(r)["id"])
		if err != nil {
			return nil, err
		}
		switch {
		case who.Local:
			return nil, openService("there are no parties that could agree")
		case a.Status(now) != agreementProposed:
			return nil, problem{Status: http.StatusConflict, Code: "agreement_settled", Detail: "the agreement is " + a.Status(now) + "; propose another with POST /v1/agreements"}
		case a.signedBy(who.Country):
			return nil, problem{Status: http.StatusForbidden, Code: "own_proposal", Detail: "your country has signed; an administrator of the other one answers"}
		}
		word := who.word(now)
		if yes {
			a.Signatures = append(slices.Clone(a.Signatures), word)
		} else {
			a.Rejected = &word
		}
		after = a
		return swapped(list, at, a), nil
	})
	if err != nil {
		return err
	}
	s.note(r.Context(), "agreement_"+map[bool]string{true: "signed", false: "rejected"}[yes], after.ID)
	return s.sendJSON(w, r, http.StatusOK, AgreementAnswer{after, after.Status(now)})
}

// endAgreement ends an agreement at once, for either party.
func (s *Server) endAgreement(w http.ResponseWriter, r *http.Request) error {
	who, now := asker(r.Context()), s.opts.Now().UTC()
	var id string
	err := s.books.agreements.change(r.Context(), func(list []Agreement) (out []Agreement, err error) {
		out, id, err = withoutAgreement(list, mux.Vars(r)["id"], who.word(now), now)
		return out, err
	})
	if err != nil {
		return err
	}
	s.note(r.Context(), "agreement_ended", id)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// withoutAgreement is the list with one agreement ended.
func withoutAgreement(list []Agreement, id string, by PartyWord, now time.Time) ([]Agreement, string, error) {
	at, a, err := findAgreement(list, id)
	if err != nil {
		return nil, "", err
	}
	if st := a.Status(now); st != agreementInForce && st != agreementProposed {
		return nil, "", problem{Status: http.StatusConflict, Code: "agreement_settled", Detail: "the agreement is " + st + " already"}
	}
	a.Ended = &by
	return swapped(list, at, a), a.ID, nil
}

// readDecision reads {"decision":"approve"} or "reject".
func readDecision(w http.ResponseWriter, r *http.Request) (yes bool, err error) {
	var body struct {
		Decision string `json:"decision"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return false, err
	}
	if body.Decision != "approve" && body.Decision != "reject" {
		return false, problem{Status: http.StatusUnprocessableEntity, Code: "invalid_decision", Detail: fmt.Sprintf("decision %q: give approve or reject", body.Decision)}
	}
	return body.Decision == "approve", nil
}

func newAgreementID() string { return "a-" + strings.ToLower(rand.Text()[:16]) }

// StoredAgreements reads the agreements of a store, newest first.
func StoredAgreements(ctx context.Context, store data.Store, now time.Time) ([]AgreementAnswer, error) {
	book := kept[Agreement]{name: agreementsSetting}
	if err := book.load(ctx, store); err != nil {
		return nil, err
	}
	out := []AgreementAnswer{}
	for _, a := range slices.Backward(book.all()) {
		out = append(out, AgreementAnswer{a, a.Status(now)})
	}
	return out, nil
}

// EndStoredAgreement ends an agreement of a store that no service has open, for
// one of its countries.
func EndStoredAgreement(ctx context.Context, store data.Store, id string, by PartyWord) error {
	if !slices.Contains(countries[:], by.Country) || !agencyPattern.MatchString(by.Agency) {
		return errors.New("give the country as ID or MY, and the agency's code")
	}
	book := kept[Agreement]{name: agreementsSetting}
	if err := book.load(ctx, store); err != nil {
		return err
	}
	return book.change(ctx, func(list []Agreement) ([]Agreement, error) {
		out, _, err := withoutAgreement(list, id, by, by.At)
		return out, err
	})
}
