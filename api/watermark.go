package api

import (
	"context"
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

// exportHeader names an export in its answer, as its mark and the audit do.
const exportHeader = "Sempadan-Export"

// rawRows is how many rows of a layer that is not public one person may read at
// once without a second.
const rawRows = 1000

// marked reports whether what is read of a layer carries a mark: all that is not
// public, and counts that came by agreement.
func (s *Server) marked(ctx context.Context, info geo.LayerInfo) bool {
	return !asker(ctx).Local && (info.Classification != classPublic || info.ID == releaseLayer)
}

// mark makes the mark of an export and names it in the answer and in the log.
// All marks of a person and an agreement have one length.
func (s *Server) mark(w http.ResponseWriter, r *http.Request, info geo.LayerInfo) geo.ExportMark {
	if !s.marked(r.Context(), info) {
		return geo.ExportMark{}
	}
	who, now := asker(r.Context()), s.opts.Now().UTC()
	by := "none"
	if info.ID == releaseLayer {
		if ids := s.agreementsOf(who.circle(), now); ids != "" {
			by = strings.ReplaceAll(ids, " ", ",")
		}
	}
	id := "x-" + strings.ToLower(rand.Text()[:16])
	w.Header().Set(exportHeader, id)
	s.note(r.Context(), "export", id+" "+info.ID)
	return geo.ExportMark{ID: id, Text: "Export " + id + " for " + who.ownerText() + ", key " + who.ID + ", " + now.Format("2006-01-02T15:04:05Z") +
		", agreement " + by + ". Not to be passed on."}
}

// mayExport reports whether so many rows of a layer may be read, see approved.
// A page that goes on from another counts as all of them.
func (s *Server) mayExport(w http.ResponseWriter, r *http.Request, info geo.LayerInfo, rows int) (bool, error) {
	if info.Classification == classPublic || rows <= rawRows {
		return true, nil
	}
	format := r.URL.Query().Get("format")
	if format == "" {
		format = "geojson"
	}
	return s.approved(w, r, sensitive{action: twoExport, object: info.ID, detail: strconv.Itoa(rows) + " rows as " + format})
}
