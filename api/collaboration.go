package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The stages of working together between agencies (the continuum of M. Polner,
// Coordinated border management: from theory to practice, World Customs
// Journal 5(2), 2011).
var polnerStages = [...]string{"coexistence", "communication", "cooperation", "coordination", "collaboration"}

// stageRules say what must have happened in the system for each stage. A pair
// is at the last stage up to which all hold.
func stageRules() [5]string {
	return [...]string{
		"both agencies are in the system",
		"in the last year one answered a request of the other",
		"an agreement is in force that covers layers that one of the two owns",
		"agreements are in force both ways for layers of the two, and in the last year both signed the same level of a section",
		"in the last year at least two joint patrols or joint plans were agreed between them, and no request between them is overdue",
	}
}

// evidence is one thing that happened, and when.
type evidence struct {
	Stage int       `json:"stage"`
	What  string    `json:"what"`
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
}

// stageCheck is a stage's rule and whether it holds.
type stageCheck struct {
	Stage int    `json:"stage"`
	Name  string `json:"name"`
	Rule  string `json:"rule"`
	Holds bool   `json:"holds"`
}

// pairAnswer is how two agencies work together.
type pairAnswer struct {
	ID           string       `json:"id"` // ID/AGENCY
	MY           string       `json:"my"`
	Stage        int          `json:"stage"` // 1 to 5
	Name         string       `json:"name"`
	Checks       []stageCheck `json:"checks"`
	Evidence     []evidence   `json:"evidence"`
	OpenRequests int          `json:"open_requests"`
	Overdue      int          `json:"overdue_requests"`
	MedianDays   *float64     `json:"median_answer_days"` // of requests that were answered in the last year
}

const measuredOver = 365 * 24 * time.Hour

// collaboration answers the measured stage of each pair of agencies that the
// asker's own is one of.
func (s *Server) collaboration(w http.ResponseWriter, r *http.Request) error {
	who := asker(r.Context())
	out := []pairAnswer{}
	agencies := s.knownAgencies()
	for _, id := range agencies[countries[0]] {
		for _, my := range agencies[countries[1]] {
			if who.Local || who.ownerText() == id || who.ownerText() == my {
				out = append(out, s.pairOf(id, my))
			}
		}
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"as_of": s.opts.Now().UTC().Truncate(time.Second), "over_days": measuredOver.Hours() / 24,
		"rules": stageRules(), "stages": polnerStages, "pairs": out})
}

// knownAgencies are those that own a layer, have signed a level, or sent or got a
// request, by country, sorted.
func (s *Server) knownAgencies() map[string][]string {
	seen := map[string]bool{}
	for _, e := range s.current().layers {
		seen[e.layer.Info.Owner] = true
	}
	for _, q := range s.books.requests.all() {
		seen[q.From], seen[q.To] = true, true
	}
	for _, e := range s.levels.get().byPlace {
		for party, sig := range e.Signatures {
			seen[party+"/"+sig.Agency] = sig.Agency != ""
		}
	}
	out := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		country, agency, _ := strings.Cut(name, "/")
		if seen[name] && agency != "" && slices.Contains(countries[:], country) {
			out[country] = append(out[country], name)
		}
	}
	return out
}

// pairOf measures one pair.
func (s *Server) pairOf(id, my string) pairAnswer {
	now := s.opts.Now().UTC()
	p := pairAnswer{ID: id, MY: my, Evidence: []evidence{}}
	s.requestEvidence(&p, now)
	ways := s.agreementEvidence(&p, now)
	signed := s.levelEvidence(&p, now)
	joint, talked := 0, false
	for _, e := range p.Evidence {
		switch e.Stage {
		case 2:
			talked = true
		case 5:
			joint++
		}
	}
	holds := [5]bool{true, talked, ways > 0, ways == 2 && signed, joint >= 2 && p.Overdue == 0}
	for k, rule := range stageRules() {
		p.Checks = append(p.Checks, stageCheck{k + 1, polnerStages[k], rule, holds[k]})
		if p.Stage == k && holds[k] {
			p.Stage = k + 1
		}
	}
	p.Name = polnerStages[p.Stage-1]
	return p
}

func (s *Server) requestEvidence(p *pairAnswer, now time.Time) {
	planned := s.planEvidence(p, now)
	var days []float64
	for _, q := range s.books.requests.all() {
		if !(q.From == p.ID && q.To == p.MY || q.From == p.MY && q.To == p.ID) {
			continue
		}
		q = q.at(now)
		if !q.settled() {
			p.OpenRequests++
			if q.Overdue {
				p.Overdue++
			}
		}
		if q.Status != requestAnswered || now.Sub(*q.Settled) > measuredOver {
			continue
		}
		days = append(days, q.AgeDays)
		p.Evidence = append(p.Evidence, evidence{2, "request_answered " + q.Kind, q.ID, *q.Settled})
		if (q.Kind == requestJointPatrol || q.Kind == requestJointPlan) && !planned[q.ID] {
			p.Evidence = append(p.Evidence, evidence{5, q.Kind, q.ID, *q.Settled})
		}
	}
	if n := len(days); n > 0 {
		slices.Sort(days)
		median := (days[(n-1)/2] + days[n/2]) / 2
		p.MedianDays = &median
	}
}

// planEvidence lists the joint plans that both agreed to, and returns the requests
// that they stand for: those count no more by themselves.
func (s *Server) planEvidence(p *pairAnswer, now time.Time) map[string]bool {
	out := map[string]bool{}
	for _, k := range s.books.plans.all() {
		if k.Status != planAgreed || now.Sub(*k.AgreedAt) > measuredOver || !(k.Owner == p.ID && k.With == p.MY || k.Owner == p.MY && k.With == p.ID) {
			continue
		}
		out[k.Request] = true
		p.Evidence = append(p.Evidence, evidence{5, "plan_agreed", k.ID, *k.AgreedAt})
	}
	return out
}

// agreementEvidence lists the agreements in force that cover layers of the two,
// and returns in how many directions they go.
func (s *Server) agreementEvidence(p *pairAnswer, now time.Time) int {
	ways := map[string]bool{}
	for _, a := range s.books.agreements.all() {
		if a.Status(now) != agreementInForce {
			continue
		}
		for _, e := range s.current().layers {
			info := e.layer.Info
			if (info.Owner == p.ID || info.Owner == p.MY) && a.covers(info) {
				ways[a.From] = true
				p.Evidence = append(p.Evidence, evidence{3, fmt.Sprintf("agreement %s to %s", a.From, a.To), a.ID, a.Signatures[len(a.Signatures)-1].At})
				break
			}
		}
	}
	return len(ways)
}

// levelEvidence lists the sections whose level both signed.
func (s *Server) levelEvidence(p *pairAnswer, now time.Time) bool {
	found := false
	levels := s.levels.get().byPlace
	for _, place := range slices.Sorted(maps.Keys(levels)) {
		e := levels[place]
		id, hasID := e.Signatures[partyID]
		my, hasMY := e.Signatures[partyMY]
		later := id.At
		if my.At.After(later) {
			later = my.At
		}
		if !hasID || !hasMY || id.Level != my.Level || partyID+"/"+id.Agency != p.ID || partyMY+"/"+my.Agency != p.MY || now.Sub(later) > measuredOver {
			continue
		}
		found = true
		p.Evidence = append(p.Evidence, evidence{4, "level_signed_by_both " + string(id.Level), e.SectionID, later})
	}
	return found
}
