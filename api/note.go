package api

import (
	"context"
	"strings"

	"github.com/sempadan/sempadan/data"
)

// note puts on the audit log what was decided, shared or taken away, by whom and
// about what: words of identifiers, never content. It stands beside the entry of
// the request, which is what must not be missing.
func (s *Server) note(ctx context.Context, what, object string) {
	who := asker(ctx)
	s.log.InfoContext(ctx, "noted", "action", what, "object", object, "agency", who.ownerText())
	if s.audit == nil || who.Local {
		return
	}
	words := strings.Fields(object)
	e := data.AuditEntry{At: s.opts.Now(), Actor: s.audit.actorOf(who), Agency: who.Agency, Country: who.Country, Role: string(who.Role),
		Action: "note." + what, Outcome: data.AuditDone}
	for i, w := range words {
		if words[i] = data.AuditWord(w); i == 0 {
			e.Object = words[i]
		}
	}
	e.Detail = strings.Join(words[min(1, len(words)):], " ")
	if err := s.audit.record(context.WithoutCancel(ctx), e); err != nil {
		s.log.ErrorContext(ctx, "a note is not on the audit log", "action", what, "error", err)
	}
}

// theirs is the one answer to a thing that is not there, or not for who asks.
func notThere(what, id, list string) problem {
	return problem{Status: 404, Code: what + "_not_found", Detail: "there is no " + what + " " + quoted(id) + "; GET " + list + " lists yours"}
}

func quoted(id string) string {
	if len(id) > 64 {
		id = id[:64]
	}
	return `"` + id + `"`
}

// openService is the answer where nobody signs in, so that there are no parties.
func openService(what string) problem {
	return problem{Status: 409, Code: "open_service", Detail: "this service asks nobody to sign in, so " + what + "; make keys with `sempadan keys create`"}
}
