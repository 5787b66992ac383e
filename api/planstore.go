package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// keptPlan is a plan that can be asked for again. Future patrols are targeting
// data: it is for the planners of one agency, and of the partner's once released;
// it goes when its window and the embargo on tracks are over.
type keptPlan struct {
	ID        string     `json:"id"`
	Status    string     `json:"status"`
	Owner     string     `json:"owner"`             // COUNTRY/AGENCY
	KeyID     string     `json:"key_id,omitempty"`  // for the owner's agency
	With      string     `json:"with,omitempty"`    // the partner's agency of a joint plan
	Request   string     `json:"request,omitempty"` // by which they agreed on its corridors
	Start     time.Time  `json:"start"`
	Until     time.Time  `json:"until"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	AgreedAt  *time.Time `json:"agreed_at,omitempty"`
	Packed    []byte     `json:"packed,omitempty"` // the answer as gzipped JSON: passes to and fro take little
}

// The states of a plan. A draft is in memory, for who made it. The owner
// releases a joint plan to the partner, who agrees to it.
const (
	planDraft    = "draft"
	planKept     = "kept"
	planReleased = "released"
	planAgreed   = "agreed"
)

const (
	plansSetting  = "plans"
	mostKeptPlans = 20
	mostDrafts    = 20
	draftLasts    = time.Hour
	mostPlanBytes = 4 << 20
	mostPlanJSON  = 256 << 20
)

// mayRead reports whether somebody may see a plan.
func (k keptPlan) mayRead(p principal) bool {
	switch {
	case p.Local:
		return true
	case k.Status == planDraft:
		return k.KeyID == p.ID
	case p.ownerText() == k.Owner:
		return true
	}
	return p.ownerText() == k.With && (k.Status == planReleased || k.Status == planAgreed)
}

// answer is what was packed.
func (k keptPlan) answer() (*PlanAnswer, error) {
	in, err := gzip.NewReader(bytes.NewReader(k.Packed))
	if err != nil {
		return nil, fmt.Errorf("read a kept plan: %w", err)
	}
	p := &PlanAnswer{}
	if err := json.NewDecoder(io.LimitReader(in, mostPlanJSON)).Decode(p); err != nil {
		return nil, fmt.Errorf("read a kept plan: %w", err)
	}
	return p, nil
}

// drafts are the plans that are in memory alone.
type drafts struct {
	mu   sync.Mutex
	list []keptPlan
}

func (d *drafts) add(k keptPlan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = newest(d.list, k, mostDrafts)
}

func (d *drafts) all(now time.Time) []keptPlan {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = slices.DeleteFunc(slices.Clone(d.list), func(k keptPlan) bool { return k.over(now) })
	return d.list
}

// remove reports whether the draft was there.
func (d *drafts) remove(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.list)
	d.list = slices.DeleteFunc(slices.Clone(d.list), func(k keptPlan) bool { return k.ID == id })
	return len(d.list) < n
}

func (k keptPlan) over(now time.Time) bool { return !now.Before(k.ExpiresAt) }

// remembered is a list of plans as it is to be stored: of those whose time is over
// there is nothing, but that the two agreed on one, for as long as that counts.
func remembered(list []keptPlan, now time.Time) (out []keptPlan) {
	for _, k := range list {
		if k.over(now) {
			if k.AgreedAt == nil || now.Sub(*k.AgreedAt) > measuredOver {
				continue
			}
			k.Packed = nil
		}
		out = append(out, k)
	}
	return out
}

// forgetPlans takes what is over out of the store.
func (b *books) forgetPlans(ctx context.Context, now time.Time) error {
	if !slices.ContainsFunc(b.plans.all(), func(k keptPlan) bool { return k.over(now) && k.Packed != nil }) {
		return nil
	}
	return b.plans.change(ctx, func(list []keptPlan) ([]keptPlan, error) { return remembered(list, now), nil })
}

// keepPlan puts a plan where it can be asked for again.
func (b *books) keepPlan(ctx context.Context, k keptPlan, now time.Time) error {
	if len(k.Packed) > mostPlanBytes {
		return problem{Status: 422, Code: "plan_too_large", Detail: fmt.Sprintf("the plan takes %d MiB and cannot be kept: ask with fewer units or days, or without marginals", len(k.Packed)>>20)}
	}
	if k.Status == planDraft {
		k.ExpiresAt = now.Add(draftLasts)
		b.drafts.add(k)
		return nil
	}
	return b.plans.change(ctx, func(list []keptPlan) ([]keptPlan, error) {
		list = remembered(list, now)
		n := 0
		for _, x := range list {
			if !x.over(now) {
				n++
			}
		}
		if n >= mostKeptPlans {
			return nil, problem{Status: 409, Code: "too_many_plans", Detail: fmt.Sprintf("%d plans are kept; take some away with DELETE /v1/plans/{id}", n)}
		}
		return append(list, k), nil
	})
}

// keepDraft moves a draft into the store; it stays a draft where that fails.
func (s *Server) keepDraft(w http.ResponseWriter, r *http.Request, draft keptPlan) error {
	now, k := s.opts.Now().UTC(), draft
	k.Status, k.ExpiresAt = planKept, k.Until.Add(embargo)
	if k.over(now) {
		return unplannable(paramError{"status", "the window of the plan is over: plans are kept until 72 hours after it"})
	}
	if !s.books.drafts.remove(k.ID) {
		return notThere("plan", k.ID, "/v1/plans")
	}
	if err := s.books.keepPlan(r.Context(), k, now); err != nil {
		s.books.drafts.add(draft)
		return err
	}
	s.note(r.Context(), "plan_"+k.Status, k.ID)
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusOK, k.line(asker(r.Context())))
}

// plansOf lists the plans that somebody may see, newest first.
func (b *books) plansOf(p principal, now time.Time) (out []keptPlan) {
	for _, k := range append(slices.Clone(b.plans.all()), b.drafts.all(now)...) {
		if !k.over(now) && k.mayRead(p) {
			out = append(out, k)
		}
	}
	slices.SortStableFunc(out, func(x, y keptPlan) int { return y.CreatedAt.Compare(x.CreatedAt) })
	return out
}

func (b *books) findPlan(p principal, id string, now time.Time) (keptPlan, error) {
	for _, k := range b.plansOf(p, now) {
		if k.ID == id {
			return k, nil
		}
	}
	return keptPlan{}, notThere("plan", id, "/v1/plans")
}
