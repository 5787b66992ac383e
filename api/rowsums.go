package api

import (
	"iter"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
)

// rowSums are the rows that each person has read of each layer that is not
// public within a day: many small reads take a second person as a large one does.
type rowSums struct {
	mu   sync.Mutex
	read map[readerLayer]map[int64]time.Time // by FID
}

type readerLayer struct{ reader, layer string }

const (
	sumWindow = 24 * time.Hour
	mostSums  = 10_000
)

// take books rows by their FIDs, unless the person would then have read more
// than rawRows different ones within a day; peek books none.
func (b *rowSums) take(who readerLayer, fids iter.Seq[int64], now time.Time, peek bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.read == nil {
		b.read = map[readerLayer]map[int64]time.Time{}
	}
	seen := b.read[who]
	for fid, at := range seen {
		if now.Sub(at) >= sumWindow {
			delete(seen, fid)
		}
	}
	come := map[int64]bool{}
	for fid := range fids {
		if _, known := seen[fid]; !known {
			come[fid] = true
		}
		if len(seen)+len(come) > rawRows {
			return false
		}
	}
	if peek || len(come) == 0 {
		return true
	}
	if seen == nil {
		if len(b.read) >= mostSums {
			for k, rows := range b.read {
				for fid, at := range rows {
					if now.Sub(at) >= sumWindow {
						delete(rows, fid)
					}
				}
				if len(rows) == 0 {
					delete(b.read, k)
				}
			}
		}
		seen = map[int64]time.Time{}
		b.read[who] = seen
	}
	for fid := range come {
		seen[fid] = now
	}
	return true
}

// root is the service itself, of which this may be the one for a circle.
func (s *Server) root() *Server {
	if s.parent != nil {
		return s.parent
	}
	return s
}

// maySum books rows of a layer on who reads them, and reports whether they may
// without a second person; rows nil is all.
func (s *Server) maySum(r *http.Request, l *geo.Layer, rows iter.Seq[int]) bool {
	who := asker(r.Context())
	if who.Local || l.Info.Classification == classPublic {
		return true
	}
	fids := func(yield func(int64) bool) {
		if rows == nil {
			for row := range l.Len() {
				if !yield(l.FID(row)) {
					return
				}
			}
			return
		}
		for row := range rows {
			if !yield(l.FID(row)) {
				return
			}
		}
	}
	return s.root().sums.take(readerLayer{who.ID, l.Info.ID}, fids, s.opts.Now(), r.Method == http.MethodHead)
}

// mayCompare reports whether the rows of a comparison may be answered, see
// approved.
func (s *Server) mayCompare(w http.ResponseWriter, r *http.Request, info geo.LayerInfo, diff data.Diff) (bool, error) {
	who := asker(r.Context())
	if who.Local || info.Classification == classPublic || s.root().sums.take(readerLayer{who.ID, info.ID}, func(yield func(int64) bool) {
		for _, row := range diff.Rows {
			if !yield(row.FID) {
				return
			}
		}
	}, s.opts.Now(), r.Method == http.MethodHead) {
		return true, nil
	}
	return s.approved(w, r, sensitive{action: twoExport, object: info.ID, detail: strconv.Itoa(len(diff.Rows)) + " rows of a comparison"})
}

// twoDraw is to see more than rawRows rows of a layer on the map: one approval
// is for all its tiles.
const twoDraw = "draw_layer"

// drawWithin is how long a layer may be drawn with one approval.
const drawWithin = 24 * time.Hour

// mayDraw reports whether a tile of a layer's rows may be answered; else it has
// answered 202, see approved.
func (s *Server) mayDraw(w http.ResponseWriter, r *http.Request, l *geo.Layer, t tiles.Tile) (bool, error) {
	if s.maySum(r, l, func(yield func(int) bool) {
		for _, row := range l.Window(t.Bound()) {
			if !yield(row) {
				return
			}
		}
	}) {
		return true, nil
	}
	q, now := sensitive{action: twoDraw, object: l.Info.ID, detail: "the layer's tiles for a day"}, s.opts.Now()
	digest := q.digest(r)
	for _, a := range s.books.approvals.all() {
		if a.Digest == digest && a.status(now) == approvalApproved {
			return true, nil
		}
	}
	a, err := s.askApproval(r, q)
	if err != nil {
		return false, err
	}
	return false, s.sendApproval(w, r, http.StatusAccepted, a)
}
