package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
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
	return s.markOf(w, r, info.ID, info.ID == releaseLayer, tiles.English)
}

// reportMark is the mark of a report on paper; there is none for the person at
// this machine.
func (s *Server) reportMark(w http.ResponseWriter, r *http.Request, lang tiles.Lang) geo.ExportMark {
	if asker(r.Context()).Local {
		return geo.ExportMark{}
	}
	return s.markOf(w, r, "gaps", true, lang)
}

var markWords = tiles.Words{
	EN: "Export %s for %s, key %s, %s, agreement %s. Not to be passed on.",
	ID: "Ekspor %s untuk %s, kunci %s, %s, perjanjian %s. Tidak untuk diteruskan.",
	MS: "Eksport %s untuk %s, kunci %s, %s, perjanjian %s. Bukan untuk diedarkan.",
}

// markOf makes a mark; shared: what is exported may tell what the partner owns.
func (s *Server) markOf(w http.ResponseWriter, r *http.Request, object string, shared bool, lang tiles.Lang) geo.ExportMark {
	who, now := asker(r.Context()), s.opts.Now().UTC()
	by := "none"
	if shared {
		if ids := s.agreementsOf(who.circle(), now); ids != "" {
			by = strings.ReplaceAll(ids, " ", ",")
		}
	}
	if by == "none" && lang != tiles.English {
		by = "–"
	}
	id := "x-" + strings.ToLower(rand.Text()[:16])
	w.Header().Set(exportHeader, id)
	s.note(r.Context(), "export", id+" "+object)
	return geo.ExportMark{ID: id, Text: fmt.Sprintf(markWords.In(lang), id, who.ownerText(), who.ID, now.Format("2006-01-02T15:04:05Z"), by)}
}

// mayExport reports whether rows of a layer (nil: all) may be read, see approved:
// asked of them, with what the person has read of it within a day. A page that
// goes on from another asks for all of them.
func (s *Server) mayExport(w http.ResponseWriter, r *http.Request, l *geo.Layer, asked int, rows iter.Seq[int]) (bool, error) {
	info := l.Info
	if info.Classification == classPublic || asked <= rawRows && s.maySum(r, l, rows) {
		return true, nil
	}
	format := r.URL.Query().Get("format")
	if format == "" {
		format = "geojson"
	}
	return s.approved(w, r, sensitive{action: twoExport, object: info.ID, detail: strconv.Itoa(asked) + " rows as " + format})
}
