package api

import "context"

// note tells what was decided, shared or taken away, by whom and about what: an
// identifier, never content.
func (s *Server) note(ctx context.Context, what, object string) {
	who := asker(ctx)
	s.log.InfoContext(ctx, "noted", "action", what, "object", object, "by", who.ID, "agency", who.ownerText())
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
