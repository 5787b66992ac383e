package api

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
)

// Actions of entries about what changes beside the store. Their agency, country
// and role are those of the key.
const (
	noticeKey       = "key.known"
	noticeLayer     = "layer.known"
	noticeAgreement = "agreement.known"
)

// knownState is what the log already says of keys, layers and agreements. Only
// the goroutine that writes the log looks at it.
type knownState struct {
	details map[string]string // by action and object
	keys    map[string]KeyInfo
}

func (k knownState) set(action, object, detail string) (changed bool) {
	name := action + " " + object
	if k.details[name] == detail {
		return false
	}
	k.details[name] = detail
	return true
}

// recall reads the log of before the service started: what is known, and what
// was read today.
func (a *auditor) recall(ctx context.Context) (knownState, error) {
	known := knownState{details: map[string]string{}, keys: map[string]KeyInfo{}}
	now := a.now()
	day := now.UTC().Truncate(24 * time.Hour)
	err := a.log.ReadAudit(ctx, data.AuditFilter{Actions: []string{noticeKey, noticeLayer, noticeAgreement}}, func(e data.AuditEntry) error {
		known.set(e.Action, e.Object, e.Detail)
		if e.Action == noticeKey {
			known.keys[e.Object] = KeyInfo{ID: e.Object, Role: Role(e.Role), Agency: e.Agency, Country: e.Country}
		}
		return nil
	})
	if err == nil {
		err = a.log.ReadAudit(ctx, data.AuditFilter{From: day}, func(e data.AuditEntry) error {
			if e.Outcome == data.AuditDone && strings.HasPrefix(e.Detail, detailRows) {
				a.budgets.recall(e.Actor, e.Count, e.At, now)
			}
			return nil
		})
	}
	return known, err
}

// news returns entries of what is not as the log says.
func (k knownState) news(s *Server) (out []data.AuditEntry) {
	add := func(e data.AuditEntry) {
		if k.set(e.Action, e.Object, e.Detail) {
			e.At, e.Actor, e.Outcome = s.opts.Now(), "service", data.AuditDone
			out = append(out, e)
		}
	}
	if s.gate != nil && s.gate.keys != nil {
		there := map[string]bool{}
		for _, key := range s.gate.keys.all() {
			there[key.ID] = true
			k.keys[key.ID] = key
			until := key.ExpiresAt
			if key.RevokedAt != nil && key.RevokedAt.Before(until) {
				until = *key.RevokedAt
			}
			add(data.AuditEntry{Action: noticeKey, Object: key.ID, Role: string(key.Role), Agency: key.Agency, Country: key.Country,
				Detail: fmt.Sprintf("from=%d until=%d", key.CreatedAt.Unix(), until.Unix())})
		}
		for id, key := range k.keys {
			if !there[id] && k.details[noticeKey+" "+id] != "gone" {
				add(data.AuditEntry{Action: noticeKey, Object: id, Role: string(key.Role), Agency: key.Agency, Country: key.Country, Detail: "gone"})
			}
		}
	}
	for _, e := range s.current().layers {
		add(data.AuditEntry{Action: noticeLayer, Object: data.AuditWord(e.layer.Info.ID), Detail: data.GrantOf(e.layer.Info).String()})
	}
	for _, g := range s.books.agreements.all() {
		if !g.signedBy(g.From) || !g.signedBy(g.To) {
			continue
		}
		until := g.ExpiresAt
		if g.Ended != nil && g.Ended.At.Before(until) {
			until = g.Ended.At
		}
		add(data.AuditEntry{Action: noticeAgreement, Object: data.AuditWord(g.ID),
			Detail: fmt.Sprintf("between=%s/%s until=%d", data.AuditWord(g.From), data.AuditWord(g.To), until.Unix())})
	}
	return out
}

// all returns the keys as the file has them now.
func (b *keyBook) all() []KeyInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := b.now(); now.Sub(b.looked) >= keyPoll || now.Before(b.looked) {
		b.refresh()
	}
	out := make([]KeyInfo, 0, len(b.byID))
	if b.problem != nil {
		return nil
	}
	for _, k := range b.byID {
		out = append(out, k)
	}
	return out
}

// field reads a number in an entry's detail.
func field(detail, name string) (string, bool) {
	for part := range strings.FieldsSeq(detail) {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

func fieldTime(detail, name string) time.Time {
	text, _ := field(detail, name)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
