package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// classifications lists the classes of layers, from open to closed.
func classifications() []string {
	return []string{classPublic, classInternal, classRestricted, classSecret}
}

// recordReleases lists how far records may go.
func recordReleases() []string {
	return []string{"national", "bilateral", "joint_plus_ngo", "public_aggregate"}
}

// mayClassify reports why an upload may not give a new layer a class: what is
// public is everyone's, which takes two persons.
func mayClassify(who principal, class string) error {
	if !slices.Contains(classifications(), class) {
		return badParameter("classification", "%q is not one of %s", class, strings.Join(classifications(), ", "))
	}
	if class == classPublic && !who.Local {
		return problem{Status: http.StatusForbidden, Code: "two_persons", Detail: "nobody makes a layer public alone; upload it, then ask with PATCH /v1/layers/{id}"}
	}
	return nil
}

// classifyLayer gives a layer another class, its records another release, or
// both, as a new version and with the word of a second person.
func (s *Server) classifyLayer(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Classification string    `json:"classification"`
		Release        string    `json:"release"`
		Origins        *[]string `json:"origins"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	switch {
	case body.Classification == "" && body.Release == "" && body.Origins == nil:
		return problem{Status: http.StatusUnprocessableEntity, Code: "nothing_to_change", Detail: "give classification, release, origins or several of them"}
	case body.Classification != "" && !slices.Contains(classifications(), body.Classification):
		return problem{Status: http.StatusUnprocessableEntity, Code: "unknown_classification", Detail: fmt.Sprintf("classification %q is not one of %s", body.Classification, strings.Join(classifications(), ", "))}
	case body.Release != "" && !slices.Contains(recordReleases(), body.Release):
		return problem{Status: http.StatusUnprocessableEntity, Code: "unknown_release", Detail: fmt.Sprintf("release %q is not one of %s", body.Release, strings.Join(recordReleases(), ", "))}
	}
	mayTakeLong(w)
	done, err := s.changing(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	defer done()
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	if err := e.checkVersion(r); err != nil {
		return err
	}
	if body.Release != "" && e.layer.Info.Kind != geo.KindIncident {
		return problem{Status: http.StatusUnprocessableEntity, Code: "no_release", Detail: "only incidents have a release; give classification alone"}
	}
	change, loosens := body.Classification != "" || body.Release != "", false
	origins := s.originsOf(e.layer.Info.ID)
	if body.Origins != nil {
		if origins, err = checkOrigins(*body.Origins, cmp.Or(body.Classification, e.layer.Info.Classification)); err != nil {
			return err
		}
		loosens = s.loosens(e.layer.Info.ID, origins)
	}
	what := sensitive{action: twoClassify, object: e.layer.Info.ID, detail: e.layer.Info.Classification + " to " + body.Classification + " " + body.Release,
		body: []byte(body.Classification + "\n" + body.Release)}
	if body.Origins != nil {
		what.detail += " origins " + strings.Join(origins, " ")
		what.body = append(what.body, "\n"+strings.Join(origins, "\n")...)
	}
	if change || loosens { // fewer pages need nobody's word
		if ok, err := s.approved(w, r, what); !ok {
			return err
		}
	}
	info := e.layer.Info
	if change {
		if info, err = s.apply(r.Context(), e, classified(e, body.Classification, body.Release, s.provenance(r.Context(), "classify"))); err != nil {
			return err
		}
		s.note(r.Context(), "classified", info.ID+" "+info.Classification+" "+body.Release)
	}
	if err := s.setOrigins(r.Context(), info.ID, origins); err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"layer": info.ID, "version": info.Version, "classification": info.Classification, "origins": append([]string{}, origins...)})
}

func (s *Server) provenance(ctx context.Context, action string) data.Provenance {
	return data.Provenance{At: s.opts.Now().UTC(), User: asker(ctx).ID, Action: action}
}

// classified is the change of a layer's class and of its records' release; ""
// leaves either as it is.
func classified(e *entry, class, release string, p data.Provenance) data.Change {
	info := e.layer.Info
	info.Builtin = false
	info.UpdatedAt = p.At.Truncate(time.Millisecond)
	if class != "" {
		info.Classification = class
	}
	change := data.Change{Info: info, Mode: data.Upsert, Rows: geo.NewBuilder(info).Layer(), Provenance: p}
	if release != "" {
		change.Rows = withValue(e.layer, info, "release", func(int) string { return release })
	}
	if !e.stored {
		change.Mode, change.Rows = data.Replace, e.layer.Upsert(change.Rows).WithInfo(info)
	}
	return change
}

// withValue returns the rows of a layer whose text of a field must be another,
// with that text; want says which.
func withValue(l *geo.Layer, info geo.LayerInfo, field string, want func(row int) string) *geo.Layer {
	b := geo.NewBuilder(info)
	for row := range l.Len() {
		text := want(row)
		if l.Text(row, field) == text {
			continue
		}
		f := l.Feature(row)
		f.Properties[field] = text
		b.Add(f)
	}
	return b.Layer()
}
