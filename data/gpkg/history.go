package gpkg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

func historyName(n int64) string { return "sempadan_history_" + strconv.FormatInt(n, 10) }

// newHistory registers a history table for the rows that this change removes,
// and returns its name.
func (ch *change) newHistory(layer string) (string, error) {
	var n int64
	err := ch.get([]any{&n}, `INSERT INTO sempadan_history (layer_id, removed) VALUES (?, ?) RETURNING n`, layer, ch.version.Version)
	if err != nil {
		return "", err
	}
	return historyName(n), ch.exec(`INSERT INTO gpkg_extensions VALUES (?, NULL, `+ownExtension+`)`, historyName(n))
}

// retire makes the layer's table, whole, a history table.
func (ch *change) retire() error {
	name := ch.stored.table
	history, err := ch.newHistory(ch.stored.info.ID)
	if err != nil {
		return err
	}
	if err := ch.dropTriggers(name); err != nil {
		return err
	}
	return ch.execAll(
		stmt(`DROP TABLE `+quote(rtreeName(name))),
		stmt(`ALTER TABLE `+quote(name)+` RENAME TO `+history),
	)
}

// moveToHistory takes the rows with the given FIDs out of the table and
// returns how many there were.
func (ch *change) moveToHistory(t table, fids []int64) (int, error) {
	if len(fids) == 0 {
		return 0, nil
	}
	text, err := json.Marshal(fids)
	if err != nil {
		return 0, err
	}
	list := string(text)
	from := ` FROM ` + quote(t.name) + ` WHERE fid IN (SELECT value FROM json_each(?))`
	var n int
	if err := ch.get([]any{&n}, `SELECT count(*)`+from, list); err != nil || n == 0 {
		return 0, err
	}
	history, err := ch.newHistory(ch.stored.info.ID)
	if err != nil {
		return 0, err
	}
	names := strings.Join(t.columnNames(), ",")
	return n, ch.execAll(
		stmt(t.createSQL(history)),
		stmt(`INSERT INTO `+history+` (`+names+`) SELECT `+names+from, list),
		stmt(`DELETE`+from, list),
	)
}

// purge drops the versions before oldest and the rows that none of the others
// has.
func (x *txn) purge(layer string, oldest int64) error {
	if err := x.exec(`DELETE FROM sempadan_versions WHERE layer_id = ? AND version < ?`, layer, oldest); err != nil {
		return err
	}
	return x.dropHistory(`layer_id = ? AND removed <= ?`, layer, oldest)
}

func (x *txn) dropHistory(where string, args ...any) error {
	names, err := x.strings(`SELECT 'sempadan_history_' || n FROM sempadan_history WHERE `+where, args...)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := x.execAll(
			stmt(`DROP TABLE `+name),
			stmt(`DELETE FROM gpkg_extensions WHERE table_name = ?`, name),
		); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		return nil
	}
	return x.exec(`DELETE FROM sempadan_history WHERE `+where, args...)
}

// Versions lists the kept versions of a layer, newest first.
func (s *Store) Versions(ctx context.Context, id string) ([]data.Version, error) {
	var out []data.Version
	err := s.read(ctx, func(x *txn) error {
		rows, err := x.conn.QueryContext(ctx, `SELECT version, features, added, removed, provenance
			FROM sempadan_versions WHERE layer_id = ? ORDER BY version DESC`, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var v data.Version
			var provenance []byte
			if err := rows.Scan(&v.Version, &v.Features, &v.Added, &v.Removed, &provenance); err != nil {
				return err
			}
			if err := json.Unmarshal(provenance, &v.Provenance); err != nil {
				return err
			}
			out = append(out, v)
		}
		return rows.Err()
	})
	if err == nil && len(out) == 0 {
		err = data.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("versions of layer %q: %w", id, err)
	}
	return out, nil
}

// Rollback writes the content of an earlier version as a new one. Who owns the
// layer, who may see it and its title stay as they are now; what the data are
// (kind, source, licence, note, whether synthetic) goes back with them.
func (s *Store) Rollback(ctx context.Context, id string, version int64, p data.Provenance) (geo.LayerInfo, error) {
	if p.Action == "" {
		p.Action = "rollback"
	}
	var info geo.LayerInfo
	err := s.write(ctx, func(x *txn) error {
		st, err := x.layer(id)
		if err != nil {
			return err
		}
		rows, err := x.content(st, version)
		if err != nil {
			return err
		}
		v := data.Version{Version: st.info.Version + 1, Provenance: p}
		ch := change{txn: x, stored: st, rows: rows, version: &v}
		if err := ch.replace(); err != nil {
			return err
		}
		now := st.info
		now.Kind, now.Source, now.Licence = rows.Info.Kind, rows.Info.Source, rows.Info.Licence
		now.Note, now.Synthetic = rows.Info.Note, rows.Info.Synthetic
		now.UpdatedAt = p.At
		info, err = ch.finish(now, s.opts.keep())
		return err
	})
	if err != nil {
		return geo.LayerInfo{}, fmt.Errorf("roll back layer %q to version %d: %w", id, version, err)
	}
	return info, nil
}

// content reads a version of a layer from its table and its history.
func (x *txn) content(st stored, version int64) (*geo.Layer, error) {
	var text []byte
	err := x.get([]any{&text}, `SELECT info FROM sempadan_versions WHERE layer_id = ? AND version = ?`, st.info.ID, version)
	if errors.Is(err, data.ErrNotFound) {
		return nil, fmt.Errorf("version %d is not kept; list the versions: %w", version, err)
	}
	if err != nil {
		return nil, err
	}
	var info geo.LayerInfo
	if err := json.Unmarshal(text, &info); err != nil {
		return nil, err
	}
	names, err := x.strings(`SELECT 'sempadan_history_' || n FROM sempadan_history WHERE layer_id = ? AND removed > ?`, st.info.ID, version)
	if err != nil {
		return nil, err
	}
	var parts []*geo.Layer
	for _, name := range append(names, st.table) {
		part, err := x.readTable(name, info, &version)
		if err != nil {
			return nil, err
		}
		if part.Len() > 0 {
			parts = append(parts, part)
		}
	}
	return merge(info, parts), nil
}

// LoadVersion reads the content of a kept version.
func (s *Store) LoadVersion(ctx context.Context, id string, version int64) (*geo.Layer, error) {
	var l *geo.Layer
	err := s.read(ctx, func(x *txn) error {
		st, err := x.layer(id)
		if err != nil {
			return err
		}
		l, err = x.content(st, version)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load version %d of layer %q: %w", version, id, err)
	}
	l.Info.Version = version
	return l.ByFID(), nil
}

// Changes reads what two versions do not have in common.
func (s *Store) Changes(ctx context.Context, id string, from, to int64) (gone, come *geo.Layer, err error) {
	if from > to {
		come, gone, err = s.Changes(ctx, id, to, from)
		return gone, come, err
	}
	err = s.read(ctx, func(x *txn) error {
		st, err := x.layer(id)
		if err != nil {
			return err
		}
		for _, version := range []int64{from, to} {
			var n int
			err := x.get([]any{&n}, `SELECT count(*) FROM sempadan_versions WHERE layer_id = ? AND version = ?`, id, version)
			if err == nil && n == 0 && version != 0 {
				err = fmt.Errorf("version %d is not kept; list the versions: %w", version, data.ErrNotFound)
			}
			if err != nil {
				return err
			}
		}
		gone, come, err = x.changes(st, from, to)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("versions %d and %d of layer %q: %w", from, to, id, err)
	}
	return gone, come, nil
}

func (x *txn) changes(st stored, from, to int64) (gone, come *geo.Layer, err error) {
	parts, err := x.partsOf(st)
	if err != nil {
		return nil, nil, err
	}
	var old, added []*geo.Layer
	for _, p := range parts {
		there := p.removed == 0 || p.removed > to // in version to, unless it came later
		where := fmt.Sprintf(` WHERE version_added > %d AND version_added <= %d`, from, to)
		if !there {
			if p.removed <= from {
				continue
			}
			where = fmt.Sprintf(` WHERE version_added <= %d`, from)
		}
		l, err := x.readRows(p.name, st.info, where, nil)
		if err != nil {
			return nil, nil, err
		}
		if there {
			added = append(added, l)
		} else {
			old = append(old, l)
		}
	}
	return merge(st.info, old), merge(st.info, added), nil
}

// merge returns the rows of the parts as one layer. A FID is in one part only.
func merge(info geo.LayerInfo, parts []*geo.Layer) *geo.Layer {
	if len(parts) == 1 {
		return parts[0]
	}
	all := geo.NewBuilder(info).Layer()
	for _, part := range parts {
		all = all.Append(part)
	}
	return all
}

// Delete removes a layer with its versions and receipts. The rows are
// overwritten on disk, in the log too unless a reader still holds it.
func (s *Store) Delete(ctx context.Context, id string) error {
	err := s.writeGone(ctx, func(x *txn) error {
		st, err := x.layer(id)
		if err != nil {
			return err
		}
		if err := x.dropHistory(`layer_id = ?`, id); err != nil {
			return err
		}
		x.tell("layer.delete", st.info, st.features)
		return x.execAll(
			stmt(`DROP TABLE `+quote(st.table)),
			stmt(`DROP TABLE `+quote(rtreeName(st.table))),
			stmt(`DELETE FROM gpkg_extensions WHERE table_name = ?`, st.table),
			stmt(`DELETE FROM gpkg_geometry_columns WHERE table_name = ?`, st.table),
			stmt(`DELETE FROM gpkg_contents WHERE table_name = ?`, st.table),
			stmt(`DELETE FROM sempadan_receipts WHERE layer_id = ?`, id),
			stmt(`DELETE FROM sempadan_layers WHERE id = ?`, id),
		)
	})
	if err != nil {
		return fmt.Errorf("delete layer %q: %w", id, err)
	}
	if err := s.removeOldCopies(false); err != nil {
		return fmt.Errorf("layer %q is deleted, but an old copy of the store is not: %w", id, err)
	}
	// The layer is gone; that its traces leave the log can wait for a reader.
	s.emptyLog(ctx)
	return nil
}
