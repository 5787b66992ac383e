package api

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/gorilla/mux"
)

// keyFile returns the file of keys, where there is one.
func (s *Server) keyFile() (KeyFile, error) {
	if s.opts.SignIn.Keys == nil {
		return KeyFile{}, openService("there are no keys")
	}
	return *s.opts.SignIn.Keys, nil
}

// listKeys lists the keys of the own country, without their secrets.
func (s *Server) listKeys(w http.ResponseWriter, r *http.Request) error {
	out := []KeyInfo{}
	if s.opts.SignIn.Keys != nil {
		list, err := s.opts.SignIn.Keys.List()
		if err != nil {
			return err
		}
		out = append(out, slices.DeleteFunc(list, func(k KeyInfo) bool { return !asker(r.Context()).mayKeep(k) })...)
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"keys": out})
}

// mayKeep reports whether an administrator looks after a key: those of the own
// country.
func (p principal) mayKeep(k KeyInfo) bool { return p.Local || k.Country == p.Country }

// createKey makes a key of the own country, with the word of a second person.
func (s *Server) createKey(w http.ResponseWriter, r *http.Request) error {
	var q struct {
		Role    Role   `json:"role"`
		Agency  string `json:"agency"`
		Country string `json:"country"`
		Days    int    `json:"days"`
	}
	if err := readJSON(w, r, &q); err != nil {
		return err
	}
	file, err := s.keyFile()
	if err != nil {
		return err
	}
	ask := KeyRequest{Role: q.Role, Agency: q.Agency, Country: q.Country, Days: q.Days}
	if err := ask.check(); err != nil {
		return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_key", Detail: err.Error()}
	}
	if who := asker(r.Context()); !who.Local && who.Country != q.Country {
		return problem{Status: http.StatusForbidden, Code: "not_your_country", Detail: "you make keys for " + who.Country + " only"}
	}
	object := fmt.Sprintf("%s %s/%s", q.Role, q.Country, q.Agency)
	a, ok, err := s.hold(r, sensitive{action: twoKey, object: object, agency: q.Agency, detail: fmt.Sprintf("%d days", q.Days), body: fmt.Appendf(nil, "%+v", ask)})
	if err != nil {
		return err
	}
	if !ok {
		return s.sendApproval(w, r, http.StatusAccepted, a)
	}
	var made *KeyOrigin
	if a.Approved != nil {
		made = &KeyOrigin{By: a.By, Approved: *a.Approved}
	}
	info, token, err := file.create(ask, made, s.opts.Now())
	if err != nil {
		return err
	}
	s.note(r.Context(), "key_created", info.ID)
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusCreated, map[string]any{"id": info.ID, "key": token, "role": info.Role, "agency": info.Agency,
		"country": info.Country, "expires_at": info.ExpiresAt})
}

// revokeKey ends a key of the own country at once; that takes one person.
func (s *Server) revokeKey(w http.ResponseWriter, r *http.Request) error {
	file, err := s.keyFile()
	if err != nil {
		return err
	}
	id := mux.Vars(r)["id"]
	list, err := file.List()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(k KeyInfo) bool { return k.ID == id && asker(r.Context()).mayKeep(k) }) {
		return notThere("key", id, "/v1/keys")
	}
	if err := file.Revoke(id, s.opts.Now()); err != nil {
		return err
	}
	s.note(r.Context(), "key_revoked", id)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
