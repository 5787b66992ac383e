package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo/risk"
)

// levelsSetting is where the store keeps what is remembered of levels.
const levelsSetting = "section_levels"

// Parties that sign a level: both must, for any section.
const (
	partyID = "ID"
	partyMY = "MY"
)

// signature is a party's word on a level.
type signature struct {
	Level risk.Level `json:"level"`
	At    time.Time  `json:"at"`
	// Proposal is what was proposed when it was given.
	Proposal risk.Level `json:"proposal"`
	Agency   string     `json:"agency,omitempty"` // of who gave it
}

// agreement is a level that both parties signed.
type agreement struct {
	Level risk.Level `json:"level"`
	At    time.Time  `json:"at"`
	// Proposal is the one that it settles: another makes it contested.
	Proposal risk.Level `json:"proposal"`
}

// levelEntry is what is remembered of one section, by the line it runs along.
type levelEntry struct {
	SectionID  string               `json:"section_id"` // for people who read the setting
	Memory     risk.LevelMemory     `json:"memory"`
	Signatures map[string]signature `json:"signatures,omitempty"` // by party, the latest
	Agreed     []agreement          `json:"agreed,omitempty"`     // the latest last
}

// keptAgreements bounds the history of a section's level.
const keptAgreements = 100

// Levels is what is remembered of the levels of sections. A value is
// immutable; the zero value remembers nothing.
type Levels struct {
	byPlace map[string]levelEntry
	live    bool // of the newest assessment, not of another instant
}

// LoadLevels reads what a store remembers of levels.
func LoadLevels(ctx context.Context, store data.Store) (Levels, error) {
	raw, err := store.Setting(ctx, levelsSetting)
	if errors.Is(err, data.ErrNotFound) {
		return Levels{live: true}, nil
	}
	if err != nil {
		return Levels{}, fmt.Errorf("read the levels of sections: %w", err)
	}
	l := Levels{live: true}
	if err := json.Unmarshal(raw, &l.byPlace); err != nil {
		return Levels{}, fmt.Errorf("read the levels of sections: %w", err)
	}
	return l, nil
}

// with returns the levels with another entry.
func (l Levels) with(place string, e levelEntry) Levels {
	m := maps.Clone(l.byPlace)
	if m == nil {
		m = map[string]levelEntry{}
	}
	m[place] = e
	l.byPlace = m
	return l
}

// reviewed brings the proposals up to an assessment, and says whether any
// memory changed. Of lines that are no more, only what was signed is kept.
func (l Levels) reviewed(a *risk.Assessment) (Levels, bool) {
	after, here := map[string]levelEntry{}, map[string]bool{}
	changed := false
	for _, s := range a.Sections {
		place := s.Place()
		e := l.byPlace[place]
		memory := e.Memory
		if a.Incidents.LatestMS != 0 { // without records the instant is the clock's, and says nothing
			memory = a.Model.Review(e.Memory, s, a.AsOf)
		}
		changed = changed || memory != e.Memory
		e.Memory, e.SectionID = memory, s.ID
		after[place], here[place] = e, true
	}
	for place, e := range l.byPlace {
		if here[place] {
			continue
		}
		if len(e.Signatures)+len(e.Agreed) > 0 {
			after[place] = e
		} else {
			changed = true
		}
	}
	l.byPlace = after
	return l, changed
}

// Reviewed returns the levels with the proposals of an assessment, without
// storing them. Those of another instant than the newest have no memory: live
// is false for them.
func (l Levels) Reviewed(a *risk.Assessment, live bool) Levels {
	if live {
		l, _ = l.reviewed(a)
	}
	l.live = live
	return l
}

// levelBook is the levels of a running service.
type levelBook struct {
	mu      sync.Mutex // one change at a time
	current Levels
	unsaved bool // a review could not be stored
	unread  bool // what is stored could not be read, and is not to be lost
}

func (b *levelBook) get() Levels {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current
}

// loadLevels begins anew when what is stored cannot be read: the service must
// come up. What is stored stays there until somebody signs.
func (s *Server) loadLevels(ctx context.Context) {
	l, err := LoadLevels(ctx, s.opts.Store)
	if err != nil {
		s.log.Error("the levels of sections cannot be read; none is in force", "error", err)
		l = Levels{live: true}
		s.levels.unread = true
	}
	s.levels.current = l
}

// reviewLevels brings the proposals up to a new assessment. A store that
// cannot be written does not stop it: the next review tries again.
func (s *Server) reviewLevels(ctx context.Context, a *risk.Assessment) {
	s.levels.mu.Lock()
	defer s.levels.mu.Unlock()
	after, changed := s.levels.current.reviewed(a)
	s.levels.current = after
	if !changed && !s.levels.unsaved || s.levels.unread {
		return
	}
	if err := s.saveLevels(ctx, after); err != nil {
		s.levels.unsaved = true
		s.log.Warn("the review of levels is not stored yet", "error", err)
	}
}

// saveLevels writes the levels whole. The caller holds the book.
func (s *Server) saveLevels(ctx context.Context, l Levels) error {
	raw, err := json.Marshal(l.byPlace)
	if err != nil {
		return err
	}
	if err := s.opts.Store.SetSetting(ctx, levelsSetting, raw); err != nil {
		return err
	}
	s.levels.unsaved, s.levels.unread = false, false
	return nil
}

// levelsFor are the levels as an answer to what was asked has them.
func (s *Server) levelsFor(a ask) Levels {
	l := s.levels.get()
	l.live = a.plain()
	return l
}

// signLevel takes one party's signature under a section's level.
func (s *Server) signLevel(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Level risk.Level `json:"level"`
		Party string     `json:"party"`
	}
	lang, err := langParam(r)
	if err != nil {
		return err
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	as := s.assessment.Load()
	sec, err := findSection(as, mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	var errs []paramError
	if _, ok := risk.ParseLevel(string(body.Level)); !ok {
		errs = append(errs, paramError{"level", fmt.Sprintf("%q is not low, medium, high or critical", body.Level)})
	}
	if body.Party != partyID && body.Party != partyMY {
		errs = append(errs, paramError{"party", fmt.Sprintf("%q is not ID or MY", body.Party)})
	}
	if who := asker(r.Context()); errs == nil && !who.Local && who.Country != body.Party {
		return problem{Status: http.StatusForbidden, Code: "not_your_party", Detail: "you sign for " + who.Country + " only"}
	}
	if errs != nil {
		return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_level", Detail: errs[0].Parameter + ": " + errs[0].Detail, Errors: errs}
	}
	s.levels.mu.Lock()
	defer s.levels.mu.Unlock()
	before := s.levels.current
	place := sec.Place()
	after := before
	word := signature{body.Level, s.opts.Now().UTC(), before.of(sec, s.opts.Now()).Proposal, asker(r.Context()).Agency}
	if e, changed := before.byPlace[place].signed(body.Party, word); changed {
		e.SectionID = sec.ID
		after = before.with(place, e)
		if err := s.saveLevels(context.WithoutCancel(r.Context()), after); err != nil {
			return err
		}
		s.levels.current = after
		s.log.Info("level signed", "section", sec.ID, "party", body.Party, "level", body.Level, "status", after.of(sec, s.opts.Now()).Status)
	}
	return s.sendJSON(w, r, http.StatusOK, answerWhole(sec, after.of(sec, s.opts.Now()), as.Model, lang))
}

// signed returns the entry with a party's signature, and whether that changes
// it. Where both parties then have the same level, it is in force.
func (e levelEntry) signed(party string, word signature) (levelEntry, bool) {
	if old, ok := e.Signatures[party]; ok && old.Level == word.Level && old.Proposal == word.Proposal {
		return e, false
	}
	e.Signatures = maps.Clone(e.Signatures)
	if e.Signatures == nil {
		e.Signatures = map[string]signature{}
	}
	e.Signatures[party] = word
	id, my := e.Signatures[partyID], e.Signatures[partyMY]
	if id.Level != my.Level {
		return e, true
	}
	e.Agreed = slices.Clone(e.Agreed)
	last := len(e.Agreed) - 1
	if last < 0 || e.Agreed[last].Level != word.Level {
		e.Agreed = append(e.Agreed, agreement{word.Level, word.At, word.Proposal})
	} else if id.Proposal == my.Proposal { // both want it to stay as it is
		e.Agreed[last].Proposal = word.Proposal
	}
	if n := len(e.Agreed); n > keptAgreements {
		e.Agreed = e.Agreed[n-keptAgreements:]
	}
	return e, true
}

// inForce is the last agreement up to an instant.
func (e levelEntry) inForce(at time.Time) (agreement, bool) {
	for _, a := range slices.Backward(e.Agreed) {
		if !a.At.After(at) {
			return a, true
		}
	}
	return agreement{}, false
}

// The states of a section's level.
const (
	levelProposed  = "proposed"  // nobody has signed any
	levelContested = "contested" // the parties have not signed the same level, or not what is proposed now
	levelInForce   = "in_force"  // both signed it
)

// signatureAnswer is who signed what and when.
type signatureAnswer struct {
	Party string     `json:"party"`
	Level risk.Level `json:"level"`
	At    time.Time  `json:"at"`
}

// levelAnswer is a section's level as answers show it.
type levelAnswer struct {
	Level  risk.Level `json:"level"`
	Status string     `json:"level_status"`
	// Proposal is what the assessment proposes; InForce what both parties
	// signed, and Since when; null and absent before they did.
	Proposal   risk.Level        `json:"level_proposal"`
	InForce    *risk.Level       `json:"level_in_force"`
	Since      *time.Time        `json:"level_since"`
	Signatures []signatureAnswer `json:"level_signatures"`
	// Insufficient: more than half of the strip was not seen in the window.
	Insufficient bool `json:"insufficient_knowledge"`
}

// of returns the level of a section at an instant. What both parties signed
// stays in force until they sign another. With nothing in force the level is
// the proposal, but critical only ever by signature. Of another instant than
// the newest there is no memory of reviews: the proposal is that of its index
// alone, and signatures that led to no agreement are left out.
func (l Levels) of(s risk.Section, at time.Time) levelAnswer {
	e := l.byPlace[s.Place()]
	out := levelAnswer{Proposal: s.Level, Signatures: []signatureAnswer{}, Insufficient: s.InsufficientKnowledge(), Status: levelProposed}
	if l.live {
		if e.Memory.Proposed != "" {
			out.Proposal = e.Memory.Proposed
		}
		for _, party := range []string{partyID, partyMY} {
			if sig, ok := e.Signatures[party]; ok {
				out.Signatures = append(out.Signatures, signatureAnswer{party, sig.Level, sig.At})
			}
		}
	}
	out.Level = out.Proposal
	if out.Level == risk.Critical {
		out.Level = risk.High
	}
	agreed, inForce := e.inForce(at)
	if inForce {
		out.Level, out.Since = agreed.Level, &agreed.At
		out.InForce = &agreed.Level
		out.Status = levelInForce
	}
	pending := slices.ContainsFunc(out.Signatures, func(g signatureAnswer) bool { return !inForce || g.Level != agreed.Level })
	if pending || inForce && agreed.Proposal != out.Proposal && agreed.Level != out.Proposal {
		out.Status = levelContested
	}
	return out
}

// signedText lists signatures in a cell: ID high 2026-11-22T10:00:00Z; MY …
func (a levelAnswer) signedText() string {
	var out []string
	for _, g := range a.Signatures {
		out = append(out, fmt.Sprintf("%s %s %s", g.Party, g.Level, g.At.Format(time.RFC3339)))
	}
	return strings.Join(out, "; ")
}
