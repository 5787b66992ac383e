package data

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// Revision is a file on its way to be a new version of a layer.
type Revision struct {
	ID    string
	Title string        // "": as it was, or the ID
	Kind  geo.LayerKind // "": as it was, or other
	Mode  Mode          // "": replace
	// Import says how the file is read; its Info, Upsert and Stored are set here.
	Import ImportOptions

	IfVersion      *int64
	IdempotencyKey string
	// Request tells apart requests under one idempotency key: the same key
	// with another Request is refused.
	Request string
	User    string
	// Owner is whose a new layer is, COUNTRY/AGENCY; "" where nobody signs in.
	Owner string
	// Classification is the class of a new layer, "" for internal. A layer that is
	// there keeps its own.
	Classification string
	SHA256         string // of the file as it came
	correcting     bool   // the row takes the place of a stored one, whole
}

// Kept is what is stored of the answer to a change with an idempotency key.
type Kept struct {
	Request string  `json:"request"`
	New     bool    `json:"new"` // the layer was not there before
	Report  *Report `json:"report"`
}

// Read reads the file into rows for a layer that is now old (nil: there is
// none).
func (v Revision) Read(ctx context.Context, src io.Reader, old *geo.Layer) (*geo.Layer, *Report, error) {
	info, err := v.info(old)
	if err != nil {
		return nil, nil, err
	}
	opts := v.Import
	opts.Info = info
	opts.Upsert = v.Mode == Upsert
	if v.Mode == Append || v.Mode == Upsert {
		opts.Stored = old
	}
	rows, report, err := Import(ctx, src, opts)
	if err != nil {
		return nil, report, err
	}
	if v.Mode == Append && old != nil && info.Kind == geo.KindPatrolTrack && !v.correcting {
		rows = joinTracks(old, rows, report)
		report.warnCount(unnamedTracks(rows), "no_track_id", "tracks have no track_id, so that fixes sent later cannot go on with them; give one with map=track_id:=U7")
	}
	if v.Mode == Replace || v.Mode == "" || old == nil || old.Info.Synthetic {
		rows.Info.Synthetic = allSynthetic(rows)
	}
	return rows, report, nil
}

func (v Revision) info(old *geo.Layer) (geo.LayerInfo, error) {
	info := geo.LayerInfo{ID: v.ID, Title: v.ID, Kind: geo.KindOther, Classification: "internal", Owner: v.Owner}
	if v.Classification != "" {
		info.Classification = v.Classification
	}
	if old != nil {
		info = old.Info
		info.Builtin = false
		if v.Classification != "" && v.Classification != info.Classification {
			return info, refuse(409, "classification_differs", "layer %s is %s; change that with PATCH /v1/layers/%s, not with an upload", v.ID, info.Classification, v.ID)
		}
	}
	if what := personal([]byte(v.Title), false); what != "" {
		return info, refuse(400, "forbidden_title", "the title looks like %s; give the layer another", what)
	}
	if v.Title != "" {
		info.Title = v.Title
	}
	if v.Kind == "" {
		return info, nil
	}
	if !slices.Contains(geo.LayerKinds(), v.Kind) {
		names := []string{}
		for _, k := range geo.LayerKinds() {
			names = append(names, string(k))
		}
		return info, refuse(400, "unknown_kind", "kind %q is not one of %s", v.Kind, strings.Join(names, ", "))
	}
	if old != nil && v.Mode != Replace && v.Mode != "" && v.Kind != info.Kind {
		return info, refuse(409, "kind_differs", "layer %s is of kind %s; leave kind out, or replace the layer", v.ID, info.Kind)
	}
	info.Kind = v.Kind
	return info, nil
}

// allSynthetic reports whether every row says that it was invented.
func allSynthetic(l *geo.Layer) bool {
	for row := range l.Len() {
		if invented, _ := l.Value(row, "synthetic").(bool); !invented {
			return false
		}
	}
	return l.Len() > 0
}

// Change makes the store's change of rows that Read gave. Of a layer that is
// there but not in the store (one that ships with the program), the whole
// merged content is stored. The report gets the version to come.
func (v Revision) Change(old *geo.Layer, stored bool, rows *geo.Layer, report *Report) (Change, error) {
	mode := v.Mode
	if mode == "" {
		mode = Replace
	}
	c := Change{
		Info: rows.Info, Mode: mode, Rows: rows, IfVersion: v.IfVersion, IdempotencyKey: v.IdempotencyKey,
		Provenance: Provenance{At: v.Import.Now.UTC(), User: v.User, Filename: withoutName(v.Import.Filename),
			SHA256: v.SHA256, Mapping: v.Import.Mapping.Map(), Format: report.Format, Action: string(mode)},
	}
	if mode == Append && old != nil && goesOn(old, rows) {
		c.Mode = Upsert
	}
	c.Info.UpdatedAt = v.Import.Now.UTC().Truncate(time.Millisecond)
	report.Version = 1
	switch {
	case old != nil && stored:
		report.Version = old.Info.Version + 1
	case old != nil:
		if v.IfVersion != nil && *v.IfVersion != old.Info.Version {
			return c, fmt.Errorf("layer %s: %w", v.ID, ErrVersionMismatch)
		}
		c.IfVersion = nil
		c.Rows, c.Mode = Merged(old, rows, c.Mode), Replace
	}
	if v.IdempotencyKey == "" {
		return c, nil
	}
	answer, err := json.Marshal(Kept{v.Request, old == nil, report.withoutValues()})
	c.Answer = answer
	return c, err
}

// goesOn reports whether appended rows take the place of stored ones, as fixes
// of a track that is there do.
func goesOn(old, rows *geo.Layer) bool {
	for row := range rows.Len() {
		if rows.FID(row) < old.Info.NextFID {
			return true
		}
	}
	return false
}

// withoutName keeps of a file name only its ending: a name may be a person's.
func withoutName(filename string) string {
	if filename == "" {
		return ""
	}
	ext := strings.ToLower(path.Ext(filename))
	if len(ext) > 12 {
		ext = ""
	}
	return "*" + ext
}

// withoutValues is the report as it may be stored: messages quote values of
// the file, and what was refused must not get onto the disk that way.
func (r *Report) withoutValues() *Report {
	kept := *r
	kept.Columns = nil
	kept.Warnings = slices.Clone(r.Warnings)
	for i := range kept.Warnings {
		kept.Warnings[i].Message = "the first answer had the details"
	}
	kept.Rows = slices.Clone(r.Rows)
	for i := range kept.Rows {
		kept.Rows[i].Message = "the first answer had the details"
	}
	return &kept
}

// Merged is a layer after a change: rows alone, after, or in place of those of
// old.
func Merged(old, rows *geo.Layer, mode Mode) *geo.Layer {
	switch {
	case old == nil || mode == Replace:
		return rows
	case mode == Append:
		return old.Append(rows)
	default:
		return old.Upsert(rows)
	}
}
