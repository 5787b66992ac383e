package gpkg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// Erase removes rows of a layer from all its versions; see data.Store. The
// bytes go too: freed pages are overwritten, the index is made anew (its nodes
// keep what was cut off their end), the bounds are measured again, the receipts
// of the layer lose what they say of its rows, the log is emptied, the snapshot and the copies from before an upgrade or a restore are removed. A
// reader that is on an old state keeps the log from being emptied; the next
// erasure, deletion or snapshot, or the end of the service, does it.
func (s *Store) Erase(ctx context.Context, id string, e data.Erasure) (erased int, info geo.LayerInfo, err error) {
	if e.Provenance.Action == "" {
		e.Provenance.Action = "erase"
	}
	if e.Match != nil { // a search that finds nothing must not touch the file
		if err := s.read(ctx, func(x *txn) error { return x.finds(id, e) }); err != nil {
			return 0, geo.LayerInfo{}, fmt.Errorf("erase from layer %q: %w", id, err)
		}
	}
	err = s.writeGone(ctx, func(x *txn) (err error) {
		erased, info, err = x.erase(id, e, s.opts.keep())
		return err
	})
	if err == nil {
		err = s.removeOldCopies(e.KeepReplaced)
	}
	if err != nil {
		return 0, geo.LayerInfo{}, fmt.Errorf("erase from layer %q: %w", id, err)
	}
	s.emptyLog(ctx)
	return erased, info, nil
}

func (x *txn) erase(id string, e data.Erasure, keep keeping) (int, geo.LayerInfo, error) {
	st, err := x.layer(id)
	if err != nil {
		return 0, geo.LayerInfo{}, err
	}
	parts, err := x.partsOf(st)
	if err != nil {
		return 0, geo.LayerInfo{}, err
	}
	fids, err := x.named(parts, st.info, e)
	if err != nil {
		return 0, geo.LayerInfo{}, err
	}
	if len(fids) == 0 {
		return 0, geo.LayerInfo{}, fmt.Errorf("no version has such a row: %w", data.ErrNotFound)
	}
	list, err := json.Marshal(fids)
	if err != nil {
		return 0, geo.LayerInfo{}, err
	}
	v := data.Version{Version: st.info.Version + 1, Provenance: e.Provenance}
	ch := change{txn: x, stored: st, rows: geo.NewBuilder(st.info).Layer(), version: &v}
	if err := ch.dropTriggers(st.table); err != nil {
		return 0, geo.LayerInfo{}, err
	}
	total := 0
	for _, part := range parts {
		n, err := x.eraseFrom(id, part, string(list))
		if err != nil {
			return 0, geo.LayerInfo{}, err
		}
		if part.name == st.table {
			v.Removed = n
		}
		total += n
	}
	if err := ch.describeAnew(); err != nil {
		return 0, geo.LayerInfo{}, err
	}
	if err := x.eraseReceipts(id); err != nil {
		return 0, geo.LayerInfo{}, err
	}
	provenance, err := json.Marshal(e.Provenance)
	if err != nil {
		return 0, geo.LayerInfo{}, err
	}
	if err := x.exec(`INSERT INTO sempadan_erasures (layer_id, rows, provenance) VALUES (?, ?, ?)`, id, total, string(provenance)); err != nil {
		return 0, geo.LayerInfo{}, err
	}
	now := st.info
	now.UpdatedAt = e.Provenance.At
	info, err := ch.finish(now, keep)
	x.tell("layer.erase", info, total)
	return total, info, err
}

// finds errs with data.ErrNotFound when an erasure would find nothing.
func (x *txn) finds(id string, e data.Erasure) error {
	st, err := x.layer(id)
	if err != nil {
		return err
	}
	parts, err := x.partsOf(st)
	if err != nil {
		return err
	}
	fids, err := x.named(parts, st.info, e)
	if err == nil && len(fids) == 0 {
		err = data.ErrNotFound
	}
	return err
}

// part is a table with rows of a layer; removed is the version that took them
// out, 0 for those that are there.
type part struct {
	name    string
	removed int64
}

func (x *txn) partsOf(st stored) ([]part, error) {
	rows, err := x.conn.QueryContext(x.ctx, `SELECT n, removed FROM sempadan_history WHERE layer_id = ?`, st.info.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []part{{name: st.table}}
	for rows.Next() {
		var n, removed int64
		if err := rows.Scan(&n, &removed); err != nil {
			return nil, err
		}
		out = append(out, part{historyName(n), removed})
	}
	return out, rows.Err()
}

// named finds the FIDs of all rows that an erasure names. A FID is never given
// twice, so that one list serves all tables.
func (x *txn) named(parts []part, info geo.LayerInfo, e data.Erasure) ([]int64, error) {
	fids, ids := map[int64]bool{}, map[string]bool{}
	for _, fid := range e.FIDs {
		fids[fid] = true
	}
	for _, id := range e.IDs {
		ids[id] = true
	}
	found := map[int64]bool{}
	for _, p := range parts {
		match := e.Match
		if p.removed == 0 {
			match = nil
		}
		if len(fids)+len(ids) == 0 && match == nil {
			continue
		}
		l, err := x.readRows(p.name, info, "", func(column string) bool {
			return match != nil || column == "id" || column == "external_id" // what geo.Layer.ID looks at
		})
		if err != nil {
			return nil, err
		}
		for row := range l.Len() {
			if fid := l.FID(row); fids[fid] || len(ids) > 0 && ids[l.ID(row)] {
				found[fid] = true
			}
		}
		if match != nil {
			for _, fid := range match(l) {
				found[fid] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// eraseFrom deletes rows from one table and takes them off the counts of the
// versions that had them.
func (x *txn) eraseFrom(layer string, p part, fids string) (int, error) {
	where := ` FROM ` + quote(p.name) + ` WHERE fid IN (SELECT value FROM json_each(?))`
	rows, err := x.conn.QueryContext(x.ctx, `SELECT version_added, count(*)`+where+` GROUP BY 1`, fids)
	if err != nil {
		return 0, err
	}
	added := map[int64]int{}
	for rows.Next() {
		var version int64
		var n int
		if err := rows.Scan(&version, &n); err != nil {
			return 0, errors.Join(err, rows.Close())
		}
		added[version] = n
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	total := 0
	for version, n := range added {
		total += n
		if err := x.exec(`UPDATE sempadan_versions SET features = features - ?1
			WHERE layer_id = ?2 AND version >= ?3 AND (?4 = 0 OR version < ?4)`, n, layer, version, p.removed); err != nil {
			return 0, err
		}
	}
	return total, x.exec(`DELETE`+where, fids)
}

// describeAnew makes the index and the bounds of the layer's table as if it
// had never held more than it does.
func (ch *change) describeAnew() error {
	name := ch.stored.table
	columns, err := ch.columnsOf(name)
	if err != nil {
		return err
	}
	ch.table = table{name: name, columns: columns}
	if err := ch.get([]any{&ch.table.geometry}, `SELECT geometry_type_name FROM gpkg_geometry_columns WHERE table_name = ?`, name); err != nil {
		return err
	}
	boxes, bound, err := ch.tableBoxes(name)
	if err != nil {
		return err
	}
	ch.bound = bound
	if err := ch.exec(`DROP TABLE ` + quote(rtreeName(name))); err != nil {
		return err
	}
	return ch.buildIndex(name, boxes)
}

// emptyLog writes the log back into the file, as far as readers let it.
func (s *Store) emptyLog(ctx context.Context) {
	leave, err := s.enter()
	if err != nil {
		return // Close has emptied the log
	}
	defer leave()
	_, _ = s.writer.ExecContext(context.WithoutCancel(ctx), `PRAGMA wal_checkpoint(TRUNCATE)`)
}

// Erasures lists what was erased, newest first.
func (s *Store) Erasures(ctx context.Context) ([]data.Erased, error) {
	out := []data.Erased{}
	err := s.read(ctx, func(x *txn) error {
		rows, err := x.conn.QueryContext(ctx, `SELECT layer_id, rows, provenance FROM sempadan_erasures ORDER BY n DESC LIMIT 1000`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e data.Erased
			var provenance []byte
			if err := rows.Scan(&e.Layer, &e.Rows, &provenance); err != nil {
				return err
			}
			if err := json.Unmarshal(provenance, &e.Provenance); err != nil {
				return err
			}
			out = append(out, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list erasures: %w", err)
	}
	return out, nil
}

// Compact drops the versions of all layers that are older than a time, but
// never the newest of a layer, and returns how many there were.
func (s *Store) Compact(ctx context.Context, before time.Time) (dropped int, err error) {
	errNone := errors.New("nothing is that old")
	err = s.write(ctx, func(x *txn) error {
		list, err := x.layers()
		if err != nil {
			return err
		}
		for _, st := range list {
			n, err := x.dropOlder(st, before)
			if err != nil {
				return err
			}
			dropped += n
		}
		if dropped == 0 {
			return errNone
		}
		x.tell("history.compact", geo.LayerInfo{}, dropped)
		return s.dropSnapshot()
	})
	if err != nil && !errors.Is(err, errNone) {
		return 0, fmt.Errorf("compact the history: %w", err)
	}
	if dropped > 0 {
		s.emptyLog(ctx)
	}
	return dropped, nil
}

// dropOlder drops the versions of a layer before the first that is to stay.
func (x *txn) dropOlder(st stored, before time.Time) (int, error) {
	var oldest int64
	err := x.get([]any{&oldest}, `SELECT coalesce(min(version), ?2) FROM sempadan_versions
		WHERE layer_id = ?1 AND (version >= ?2 OR julianday(provenance ->> 'at') >= julianday(?3))`,
		st.info.ID, st.info.Version, before.UTC().Format(time.RFC3339))
	if err != nil {
		return 0, err
	}
	var n int
	err = x.get([]any{&n}, `SELECT count(*) FROM sempadan_versions WHERE layer_id = ? AND version < ?`, st.info.ID, oldest)
	if err != nil || n == 0 {
		return 0, err
	}
	return n, x.purge(st.info.ID, oldest)
}

// upgradeBackup is where the store is copied to before an upgrade.
func (s *Store) upgradeBackup(version int) string {
	return fmt.Sprintf("%s.schema-%d", s.path, version)
}

// damagedKept is how long an erasure leaves the damaged files of a recovery to
// whoever is to look at them.
const damagedKept = 7 * 24 * time.Hour

// removeOldCopies removes the copies that an upgrade, a restore and a recovery
// have left, which still have what was erased since.
func (s *Store) removeOldCopies(keepReplaced bool) error {
	kept, err := filepath.Glob(globEscape(s.path) + ".damaged-*")
	if err != nil {
		return err
	}
	for _, name := range kept {
		if at, ok := keptSince(s.path, name); ok && time.Since(at) > damagedKept {
			if err := os.Remove(name); err != nil {
				return err
			}
		} else if s.opts.Notify != nil {
			s.opts.Notify(name + " may have what was erased; delete it when it is of no use")
		}
	}
	if !keepReplaced {
		if err := removeAll(replacedPath(s.path)); err != nil {
			return err
		}
	}
	for version := 1; version < schemaVersion; version++ {
		if err := os.Remove(s.upgradeBackup(version)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
