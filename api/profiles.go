package api

import (
	"net/http"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
)

// listProfiles tells the named ways of reading files.
func (s *Server) listProfiles(w http.ResponseWriter, r *http.Request) error {
	list, err := data.Profiles(r.Context(), s.opts.Store)
	if err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"profiles": list})
}

// putProfile stores a profile under the name of its path.
func (s *Server) putProfile(w http.ResponseWriter, r *http.Request) error {
	var p data.Profile
	if err := readJSON(w, r, &p); err != nil {
		return err
	}
	name := mux.Vars(r)["name"]
	if p.Name != "" && p.Name != name {
		return badParameter("name", "the body names the profile %q; leave the name out or give it as in the path", p.Name)
	}
	p.Name = name
	s.writes.Lock()
	defer s.writes.Unlock()
	if err := data.SaveProfile(r.Context(), s.opts.Store, p); err != nil {
		return err
	}
	p.Builtin = false
	return s.sendJSON(w, r, http.StatusOK, p)
}
