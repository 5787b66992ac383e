package api

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
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
	p.Owner = asker(r.Context()).ownerText()
	if old, err := data.FindProfile(r.Context(), s.opts.Store, name); err == nil && !old.Builtin && p.Owner != "" && old.Owner != p.Owner {
		return problem{Status: http.StatusConflict, Code: "name_taken", Detail: "a profile of this name belongs to another agency; choose another name"}
	}
	if err := data.SaveProfile(r.Context(), s.opts.Store, p); err != nil {
		return err
	}
	p.Builtin = false
	return s.sendJSON(w, r, http.StatusOK, p)
}

// schema tells the fields of a kind of layer, also before there is one.
func (s *Server) schema(w http.ResponseWriter, r *http.Request) error {
	kind := geo.LayerKind(mux.Vars(r)["kind"])
	if !slices.Contains(geo.LayerKinds(), kind) {
		return problem{Status: http.StatusNotFound, Code: "unknown_kind", Detail: fmt.Sprintf("there is no kind of layer %q", kind)}
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"kind": kind, "fields": data.Fields(kind)})
}
