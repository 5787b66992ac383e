package api

import "slices"

// independent reports whether a key is a second agency's for the requests of an
// agency: it was not made on that agency's request without the word of its own,
// nor with the word, or on the request, of a key that was. Keys that were made
// at the machine are, and accounts of a sign-in provider.
func independent(keys []KeyInfo, id, of string) bool {
	for range len(keys) + 1 { // a chain has no more links
		at := slices.IndexFunc(keys, func(k KeyInfo) bool { return k.ID == id })
		if at < 0 || keys[at].Made == nil {
			return true
		}
		k := keys[at]
		switch {
		case k.Made.Approved.Agency == k.Agency:
			id = k.Made.Approved.KeyID // who answers for it
		case k.Made.By.Agency == of:
			return false
		default:
			id = k.Made.By.KeyID
		}
	}
	return false
}

func (s *Server) independent(id, of string) bool {
	if s.opts.SignIn.Keys == nil {
		return true
	}
	keys, err := s.opts.SignIn.Keys.List()
	return err == nil && independent(keys, id, of)
}

// mayVouch reports whether somebody may approve what must be approved by one
// agency: a person of it, or, where nobody of it has a key that may, an
// administrator of another. What the requester's own agency is to have, any
// other agency approves.
func (s *Server) mayVouch(a Approval, who principal) bool {
	if a.Agency == "" || a.Agency == a.By.Agency || who.Agency == a.Agency {
		return true
	}
	if s.opts.SignIn.Keys == nil {
		return who.Role == Admin
	}
	keys, err := s.opts.SignIn.Keys.List()
	return err == nil && who.Role == Admin && !slices.ContainsFunc(keys, func(k KeyInfo) bool {
		return k.Agency == a.Agency && k.Country == a.By.Country && k.Role.may(doDecide) && k.RevokedAt == nil && s.opts.Now().Before(k.ExpiresAt) &&
			independent(keys, k.ID, a.By.Agency)
	})
}
