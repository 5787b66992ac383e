package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

func (s *Server) planRoutes() []route {
	return []route{
		{"POST", "/v1/plans", s.makePlan, []string{"format", "unit", "lang"}},
		{"GET", "/v1/plans", s.listPlans, nil},
		{"GET", "/v1/plans/{id}", s.getPlan, []string{"format", "unit", "lang"}},
		{"PATCH", "/v1/plans/{id}", s.changePlan, nil},
		{"DELETE", "/v1/plans/{id}", s.deletePlan, nil},
	}
}

// smallPlan is up to how many pairs of units and kilometres of border a plan is
// made while the client waits.
const smallPlan = 20_000

// home is the service that a circle's is one of.
func (s *Server) home() *Server {
	if s.parent != nil {
		return s.parent
	}
	return s
}

// asking is a plan that was asked for.
type asking struct {
	PlanRequest
	who     principal
	as      *risk.Assessment
	now     time.Time
	request InfoRequest // by which its corridors are agreed on
}

func (s *Server) makePlan(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	format, err := planFormat(r)
	if err != nil {
		return err
	}
	if _, err := langParam(r); err != nil {
		return err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return err
	}
	a := asking{who: asker(r.Context()), now: s.opts.Now().UTC()}
	if a.PlanRequest, err = readPlanRequest(raw, a.who); err != nil {
		return err
	}
	if unit := r.URL.Query().Get("unit"); unit != "" && !slices.ContainsFunc(a.Units, func(u PlanUnit) bool { return u.ID == unit }) {
		return badParameter("unit", "the plan has no unit %s", quoted(unit)) // before a plan is made and kept
	}
	if a.Keep && slices.Contains(a.who.Scopes, scopeRead) {
		return problem{Status: http.StatusForbidden, Code: "out_of_scope", Detail: "keep: this key is for reading only; ask without it, or ask your administrator for another"}
	}
	if a.request, err = s.agreedCorridors(a.who, a.PlanRequest, a.now); err != nil {
		return err
	}
	if a.as, err = s.assessmentFor(r.Context(), ask{}); err != nil {
		return err
	}
	km := 0.0
	for _, sec := range a.as.Sections {
		km += sec.LengthKM
	}
	pieces := float64(len(a.as.Sections))
	if c := a.CutKM; c == nil || *c > 0 {
		step := float64(usualCutKM)
		if c != nil {
			step = *c
		}
		pieces = max(pieces, km/step)
	}
	if wantsAsync(r) || pieces*float64(len(a.Units)) > smallPlan {
		if _, err := a.problem(a.as, a.now); err != nil { // tell now what cannot be planned
			return err
		}
		return s.startPlan(w, r, a)
	}
	leave, err := s.lanes.plans.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	k, out, err := s.planned(r.Context(), a)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/plans/"+k.ID)
	return s.sendPlan(w, r, out, format)
}

// readPlanRequest reads a request; units without a country are of the asker's.
func readPlanRequest(raw []byte, who principal) (PlanRequest, error) {
	q, err := ReadPlanRequest(raw)
	if err != nil || who.Local {
		return q, err
	}
	var foreign []paramError
	for i, u := range q.Units {
		if u.Country != who.Country {
			foreign = append(foreign, paramError{fmt.Sprintf("units[%d]", i), quoted(u.ID) + " is of " + u.Country})
		}
	}
	if foreign != nil && len(q.JointCorridors) == 0 {
		return q, problem{Status: http.StatusForbidden, Code: "not_your_units", Errors: foreign,
			Detail: foreign[0].Parameter + ": " + foreign[0].Detail + "; you plan for your own country: leave it out, or name the joint_corridors that both agreed on"}
	}
	return q, nil
}

// agreedCorridors reports why the corridors are not agreed on: each names a
// request for a joint plan or patrol between the asker's agency and one of the
// partner's, which the one who was asked has answered.
func (s *Server) agreedCorridors(who principal, q PlanRequest, now time.Time) (by InfoRequest, err error) {
	if who.Local {
		return by, nil
	}
	for i, c := range q.JointCorridors {
		name := fmt.Sprintf("joint_corridors[%d].request", i)
		_, found, err := findRequest(s.books.requests.all(), who, c.Request)
		joint := err == nil && (found.Kind == requestJointPlan || found.Kind == requestJointPatrol)
		if !joint || found.Status != requestAnswered || now.Sub(*found.Settled) > measuredOver {
			const how = "no answered request for a joint plan or patrol of your agency; open one with POST /v1/requests (kind joint_plan), and name it here when the partner has answered it"
			return by, problem{Status: http.StatusConflict, Code: "corridor_not_agreed", Detail: name + ": " + quoted(c.Request) + " is " + how, Errors: []paramError{{name, how}}}
		}
		if i > 0 && found.ID != by.ID {
			return by, unplannable(paramError{name, "all corridors of a plan must be agreed on by one request"})
		}
		by = found
	}
	return by, nil
}

// planned makes a plan and puts it where it can be asked for again.
func (s *Server) planned(ctx context.Context, a asking) (keptPlan, *PlanAnswer, error) {
	out, err := a.Make(ctx, a.as, a.now)
	if err != nil {
		return keptPlan{}, nil, err
	}
	out.ID = rand.Text()
	until := out.Start.AddDate(0, 0, out.WindowDays)
	k := keptPlan{ID: out.ID, Status: planDraft, Owner: a.who.ownerText(), KeyID: a.who.ID, Start: out.Start, Until: until,
		CreatedAt: a.now.Truncate(time.Millisecond), ExpiresAt: until.Add(embargo)}
	if a.Keep {
		k.Status = planKept
	}
	if a.request.ID != "" {
		k.Request, k.With = a.request.ID, a.request.To
		if k.With == k.Owner {
			k.With = a.request.From
		}
	}
	if a.Keep && !k.ExpiresAt.After(a.now) {
		return k, nil, unplannable(paramError{"keep", "the window of the plan is over: plans are kept until 72 hours after it"})
	}
	whole, err := json.Marshal(out)
	if err != nil {
		return k, nil, err
	}
	k.Packed = pack(whole)
	if err := s.books.keepPlan(ctx, k, a.now); err != nil {
		return k, nil, err
	}
	s.note(withPrincipal(ctx, a.who), "plan_"+k.Status, k.ID)
	return k, out, nil
}

// startPlan makes a job of a plan that takes long.
func (s *Server) startPlan(w http.ResponseWriter, r *http.Request, a asking) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	j := &job{cancel: cancel, done: make(chan struct{}), owner: a.who.ID, answer: jobAnswer{
		ID: rand.Text(), Kind: "plan", Status: jobAccepted, Phase: "waiting", Created: a.now}}
	if err := s.home().jobs.add(j); err != nil {
		cancel()
		return err
	}
	go func() {
		defer cancel()
		leave, err := s.lanes.planJobs.enter(ctx)
		if err != nil {
			j.finish(uploaded{}, err)
			return
		}
		defer leave()
		j.setPhase("planning")
		k, _, err := s.planned(ctx, a)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err == nil {
			j.planned("/v1/plans/" + k.ID)
		}
		j.finish(uploaded{}, err)
	}()
	w.Header().Set("Location", "/v1/jobs/"+j.answer.ID)
	if wantsAsync(r) {
		w.Header().Set("Preference-Applied", "respond-async")
	}
	return s.sendJSON(w, r, http.StatusAccepted, j.show())
}

func planFormat(r *http.Request) (PlanFormat, error) {
	f := PlanFormat(r.URL.Query().Get("format"))
	if f == "" {
		return PlanJSON, nil
	}
	if !slices.Contains(PlanFormats(), f) {
		return f, badParameter("format", "%s is not json, geojson, gpx, kml or csv", quoted(string(f)))
	}
	return f, nil
}

// sendPlan answers a plan in a form, marked with who took it.
func (s *Server) sendPlan(w http.ResponseWriter, r *http.Request, p *PlanAnswer, format PlanFormat) error {
	unit := r.URL.Query().Get("unit")
	if _, err := p.of(unit); err != nil {
		return err
	}
	lang, err := langParam(r)
	if err != nil {
		return err
	}
	mark := geo.ExportMark{}
	if !asker(r.Context()).Local {
		mark = s.markOf(w, r, "plan", true, lang)
	}
	body, err := p.In(lang).Render(format, unit, mark)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	if format != PlanJSON {
		w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="plan.%s"`, format))
	}
	s.send(w, r, reply{contentType: format.contentType(), body: body, untagged: true})
	return nil
}

// planLine is a plan as the list shows it.
type planLine struct {
	keptPlan
	Packed   *struct{} `json:"packed,omitempty"`
	MayAgree bool      `json:"may_agree"` // it waits for the word of who asks
}

func (k keptPlan) line(p principal) planLine {
	if p.ownerText() != k.Owner && !p.Local {
		k.KeyID = ""
	}
	return planLine{keptPlan: k, MayAgree: k.Status == planReleased && p.ownerText() == k.With}
}

func (s *Server) listPlans(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	now, who := s.opts.Now().UTC(), asker(r.Context())
	if err := s.books.forgetPlans(r.Context(), now); err != nil {
		s.log.WarnContext(r.Context(), "plans whose time is over are still stored", "error", err)
	}
	out := []planLine{}
	for _, k := range s.books.plansOf(who, now) {
		out = append(out, k.line(who))
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"plans": out})
}

func (s *Server) getPlan(w http.ResponseWriter, r *http.Request) error {
	format, err := planFormat(r)
	if err != nil {
		return err
	}
	k, err := s.books.findPlan(asker(r.Context()), mux.Vars(r)["id"], s.opts.Now().UTC())
	if err != nil {
		return err
	}
	p, err := k.answer()
	if err != nil {
		return err
	}
	return s.sendPlan(w, r, p, format)
}

// changePlan keeps a draft and releases a joint plan to the partner, as the owner;
// agrees to it, as the partner.
func (s *Server) changePlan(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Status string `json:"status"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	who, now := asker(r.Context()), s.opts.Now().UTC().Truncate(time.Millisecond)
	k, err := s.books.findPlan(who, mux.Vars(r)["id"], now)
	if err != nil {
		return err
	}
	if k.Status == planDraft && body.Status == planKept {
		return s.keepDraft(w, r, k)
	}
	err = s.books.plans.change(r.Context(), func(list []keptPlan) ([]keptPlan, error) {
		at := slices.IndexFunc(list, func(x keptPlan) bool { return x.ID == k.ID })
		if at < 0 {
			return nil, problem{Status: http.StatusConflict, Code: "plan_is_draft", Detail: "the plan is a draft; set its status to kept first"}
		}
		k = list[at]
		switch {
		case body.Status == planReleased && k.Status == planKept && k.With != "" && who.ownerText() == k.Owner:
			k.Status = planReleased
		case body.Status == planAgreed && k.Status == planReleased && who.ownerText() == k.With:
			k.Status, k.AgreedAt = planAgreed, &now
		default:
			return nil, problem{Status: http.StatusConflict, Code: "plan_status", Detail: fmt.Sprintf(
				"the plan is %s and cannot become %s by you: its owner sets a draft to kept and a joint plan that is kept to released, the partner then to agreed", k.Status, quoted(body.Status))}
		}
		return swapped(list, at, k), nil
	})
	if err != nil {
		return err
	}
	s.note(r.Context(), "plan_"+k.Status, k.ID)
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusOK, k.line(who))
}

func (s *Server) deletePlan(w http.ResponseWriter, r *http.Request) error {
	who, now := asker(r.Context()), s.opts.Now().UTC()
	k, err := s.books.findPlan(who, mux.Vars(r)["id"], now)
	if err != nil {
		return err
	}
	if !who.Local && who.ownerText() != k.Owner {
		return problem{Status: http.StatusForbidden, Code: "not_your_plan", Detail: "the plan is the partner's; ask them to take it away"}
	}
	if k.Status == planDraft {
		s.books.drafts.remove(k.ID)
	} else if err := s.books.plans.change(r.Context(), func(list []keptPlan) ([]keptPlan, error) {
		return slices.DeleteFunc(remembered(list, now), func(x keptPlan) bool { return x.ID == k.ID }), nil
	}); err != nil {
		return err
	}
	s.note(r.Context(), "plan_deleted", k.ID)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
