package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// changing takes a turn among the changes of the layers, for one of a layer;
// done gives it back.
func (s *Server) changing(ctx context.Context, id string) (done func(), err error) {
	s.writes.Lock()
	if err := s.mayStillChange(ctx, id); err != nil {
		s.writes.Unlock()
		return nil, err
	}
	return s.writes.Unlock, nil
}

// apply stores a change of a layer (nil: a new one), then shows it: when it
// returns the change is on disk and in the tiles. The caller holds s.writes.
func (s *Server) apply(ctx context.Context, old *entry, change data.Change) (geo.LayerInfo, error) {
	info, err := s.commit(ctx, old, change)
	if err == nil {
		s.assessStored(ctx)
	}
	return info, err
}

func (s *Server) assessStored(ctx context.Context) {
	if err := s.assessChange(context.WithoutCancel(ctx)); err != nil {
		s.log.Error("the new layer is stored, but could not be assessed", "error", err)
	}
}

// commit is apply without the assessment.
func (s *Server) commit(ctx context.Context, old *entry, change data.Change) (geo.LayerInfo, error) {
	id := change.Info.ID
	info, err := s.opts.Store.Commit(ctx, change)
	if err != nil {
		return info, err
	}
	if err := s.setHidden(ctx, id, false); err != nil {
		s.log.Error("a layer took the place of a hidden one, which stays marked", "layer", id, "error", err)
	}
	s.replaceEntry(id, newEntry(change.After(old.content()).WithInfo(info), true))
	return info, nil
}

// mayStillChange is mayChange as things are now: the layer may have come, or have
// got another owner, while the body of the request did. The caller holds s.writes.
func (s *Server) mayStillChange(ctx context.Context, id string) error {
	who := asker(ctx)
	if who.Local {
		return nil
	}
	return s.mayChange(who, doReport, id, false)
}

// hiddenFrom reports whether a layer is there for others only.
func (s *Server) hiddenFrom(who principal, id string) bool {
	e := s.current().byID[id]
	if e == nil || ownerOf(e.layer.Info) == (owner{who.Country, who.Agency}) || e.layer.Info.Classification == classPublic {
		return false
	}
	return isPatrol(e.layer.Info.Kind) || who.layerSight(e.layer.Info, false) != exactRows
}

// blind reports whether somebody adds to layers whose rows they do not see: they
// are told of their own file alone.
func blind(who principal) bool { return who.Role == Contributor && !who.Local }

// blindReading is the layer that a file of somebody blind is read for: without
// rows to compare with, but those of tracks that go on.
func blindReading(u upload, old *geo.Layer) *geo.Layer {
	if old == nil || old.Info.Kind == geo.KindPatrolTrack && !u.dryRun {
		return old
	}
	return geo.NewBuilder(old.Info).Layer()
}

// forgetStored takes out of a report what it tells of stored rows.
func forgetStored(report *data.Report) {
	kept := report.Warnings[:0]
	for _, w := range report.Warnings {
		if w.Code != data.CheckAlreadyStored {
			kept = append(kept, w)
		}
	}
	report.Warnings = kept
}

// What else takes two persons.
const (
	twoRelease = "widen_release"
	twoReplace = "replace_layer"
)

// weigh returns what a change of a layer needs a second person for: that stored
// records go further than they may now, or that a replacement leaves out more
// than rawRows or more than half of the rows; nil for neither. content names the
// change among all of that version of the layer.
func weigh(who principal, old *entry, c data.Change, content string) *sensitive {
	if who.Local || old == nil {
		return nil
	}
	var why []string
	action := ""
	if c.Mode == data.Replace && old.stored {
		if n := data.Compare(old.layer, c.Rows).Removed; n > rawRows || 2*n > old.layer.Len() {
			action, why = twoReplace, append(why, fmt.Sprintf("%d of %d records are left out", n, old.layer.Len()))
		}
	}
	if n := widened(old.layer, c); n > 0 {
		action, why = twoRelease, append(why, fmt.Sprintf("%d records go further than now", n))
	}
	if action == "" {
		return nil
	}
	return &sensitive{action: action, object: old.layer.Info.ID, detail: strings.Join(why, ", "),
		body: fmt.Appendf(nil, "%d\n%s", old.layer.Info.Version, content)}
}

// reach is how far a record may go: by its release, and by its handling (Traffic
// Light Protocol).
type reach struct{ release, handling int }

func reachOf(l *geo.Layer, row int) (r reach) {
	for k, name := range recordReleases() {
		if l.Text(row, "release") == name {
			r.release = k
		}
	}
	switch l.Text(row, "handling") {
	case "TLP:RED":
		r.handling = 0
	case "TLP:GREEN":
		r.handling = 2
	case "TLP:CLEAR":
		r.handling = 3
	default:
		r.handling = 1 // as where it is not said
	}
	return r
}

func (r reach) beyond(o reach) bool { return r.release > o.release || r.handling > o.handling }

func (r reach) join(o reach) reach {
	return reach{max(r.release, o.release), max(r.handling, o.handling)}
}

// widened counts the stored records that a change lets go further. A record is
// one of the change when it has its number, its identifier, or its place and
// time.
func widened(old *geo.Layer, c data.Change) (n int) {
	if old.Info.Kind != geo.KindIncident {
		return 0
	}
	type spot struct {
		lon, lat float64
		at       int64
	}
	spotOf := func(l *geo.Layer, row int) (spot, bool) {
		p, isPoint := l.Point(row)
		from, _, dated := l.TimesMS(row)
		return spot{p[0], p[1], from}, isPoint && dated
	}
	byFID, byID, bySpot := map[int64]reach{}, map[string]reach{}, map[spot]reach{}
	var most reach
	for row := range c.Rows.Len() {
		r := reachOf(c.Rows, row)
		most = most.join(r)
		byFID[c.Rows.FID(row)] = r
		if id := c.Rows.ID(row); id != "" {
			byID[id] = byID[id].join(r)
		}
		if at, ok := spotOf(c.Rows, row); ok {
			bySpot[at] = bySpot[at].join(r)
		}
	}
	for row := range old.Len() {
		was := reachOf(old, row)
		if !most.beyond(was) {
			continue
		}
		becomes := byFID[old.FID(row)]
		if id := old.ID(row); id != "" {
			becomes = becomes.join(byID[id])
		}
		if at, ok := spotOf(old, row); ok {
			becomes = becomes.join(bySpot[at])
		}
		if becomes.beyond(was) {
			n++
		}
	}
	return n
}

// approvalNeeded tells a client that does not wait for an answer what it has to
// wait for.
func approvalNeeded(a approvalAnswer) problem {
	return problem{Status: http.StatusConflict, Code: "approval_needed", Detail: "this takes approval " + a.ID + " (" + a.Detail + "): " + a.Next}
}

// mayReport holds contributors to what they are there for: they report incidents.
// Patrols, posts, borders and areas decide what others are told of everything.
func (s *Server) mayReport(who principal, u *upload) error {
	if who.Local || who.Role != Contributor {
		return nil
	}
	kind := u.Kind
	if e := s.current().byID[u.ID]; e != nil {
		kind, u.Title = e.layer.Info.Kind, ""
	}
	if kind != geo.KindIncident {
		return problem{Status: http.StatusForbidden, Code: "not_for_this_role", Detail: "your role reports incidents: upload with kind=incident"}
	}
	return nil
}

// beginEdit takes a turn and finds the record that a request is about; done gives
// the turn back.
func (s *Server) beginEdit(w http.ResponseWriter, r *http.Request, find func(http.ResponseWriter, *http.Request) (*entry, int, error)) (e *entry, row int, done func(), err error) {
	mayTakeLong(w)
	if done, err = s.changing(r.Context(), mux.Vars(r)["id"]); err != nil {
		return nil, 0, nil, err
	}
	if e, row, err = find(w, r); err != nil {
		done()
		return nil, 0, nil, err
	}
	return e, row, done, nil
}

// weighed is a change of a layer that may take two persons; content tells it from
// others.
type weighed struct {
	of      *entry
	change  data.Change
	content string
}

// carryOut makes a change that one person may make, or that has the word of a
// second. When ok is false it is not made, and err is nil where that was answered.
func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, c weighed) (info geo.LayerInfo, ok bool, err error) {
	if q := weigh(asker(r.Context()), c.of, c.change, c.content); q != nil {
		if ok, err = s.approved(w, r, *q); !ok {
			return info, false, err
		}
	}
	info, err = s.apply(r.Context(), c.of, c.change)
	return info, err == nil, err
}
