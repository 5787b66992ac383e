package gpkg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// Commit writes a change of one layer; see data.Store. Append and upsert cost
// the rows of the change, replace those of the new content. A layer that is
// not there is made, whatever the mode.
func (s *Store) Commit(ctx context.Context, c data.Change) (geo.LayerInfo, error) {
	if c.Info.ID == "" {
		return geo.LayerInfo{}, errors.New("commit: the layer has no id")
	}
	if c.Rows == nil {
		c.Rows = geo.NewBuilder(c.Info).Layer()
	}
	if c.Provenance.Action == "" {
		c.Provenance.Action = string(c.Mode)
	}
	if c.IdempotencyKey != "" {
		s.used.add(receiptKey(c.IdempotencyKey)) // before the file has it, lest it be missed
	}
	var info geo.LayerInfo
	err := s.write(ctx, func(x *txn) (err error) {
		info, err = x.commit(c, s.opts.keep())
		return err
	})
	if err != nil {
		return geo.LayerInfo{}, fmt.Errorf("commit layer %q: %w", c.Info.ID, err)
	}
	if (c.Mode == data.Replace || info.Version == 1) && c.Rows.Len() >= snapshotAtOnce {
		// A start after a crash would else read all rows. It can wait for the
		// next quiet time if this fails: the change is on disk.
		_, _ = s.Snapshot(ctx, []*geo.Layer{c.Rows.WithInfo(info)})
	}
	return info, nil
}

// snapshotAtOnce is from how many rows on a new layer is put into the snapshot
// before its change is acknowledged, which adds a twentieth to its time.
const snapshotAtOnce = 200_000

func (x *txn) commit(c data.Change, keep keeping) (geo.LayerInfo, error) {
	st, err := x.layer(c.Info.ID)
	if err != nil && !errors.Is(err, data.ErrNotFound) {
		return geo.LayerInfo{}, err
	}
	if c.IfVersion != nil && *c.IfVersion != st.info.Version {
		return geo.LayerInfo{}, fmt.Errorf("%w: it is at version %d, not %d", data.ErrVersionMismatch, st.info.Version, *c.IfVersion)
	}
	v := data.Version{Version: st.info.Version + 1, Provenance: c.Provenance}
	if err := x.addReceipt(c, v.Version); err != nil {
		return geo.LayerInfo{}, err
	}
	ch := change{txn: x, stored: st, rows: c.Rows, version: &v}
	if st.table == "" {
		if err := ch.create(c.Info); err != nil {
			return geo.LayerInfo{}, err
		}
	}
	switch {
	case c.Mode == data.Replace || st.table == "" && (c.Mode == data.Append || c.Mode == data.Upsert):
		err = ch.replace()
	case c.Mode == data.Append:
		err = ch.append(c.Withdrawn)
	case c.Mode == data.Upsert:
		err = ch.upsert(c.Withdrawn)
	default:
		err = fmt.Errorf("mode %q is not known; use replace, append or upsert", c.Mode)
	}
	if err != nil {
		return geo.LayerInfo{}, err
	}
	return ch.finish(c.Info, keep)
}

// change is one new version of a layer in the making.
type change struct {
	*txn
	stored  stored
	rows    *geo.Layer
	version *data.Version
	table   table     // after the change
	bound   orb.Bound // of the content, or a little more after an upsert
}

// create reserves the table's name.
func (ch *change) create(info geo.LayerInfo) error {
	name, err := ch.freeName(info.ID)
	if err != nil {
		return err
	}
	ch.stored.table = name
	ch.stored.info.NextFID = 1
	return ch.exec(`INSERT INTO sempadan_layers (id, table_name, version, next_fid, features, info) VALUES (?, ?, 0, 1, 0, '{}')`, info.ID, name)
}

var (
	oddCharacters = regexp.MustCompile(`[^A-Za-z0-9_-]`)
	// takenNames are those that the standard, SQLite, GDAL or the store keep
	// for themselves, and those that do not begin with a letter.
	takenNames = regexp.MustCompile(`^(?i:gpkg|vgpkg|rtree|sqlite|sempadan|[^a-z])`)
)

// freeName returns a table name for a layer: its ID where that is possible.
func (ch *change) freeName(id string) (string, error) {
	base := oddCharacters.ReplaceAllString(id, "_")
	if takenNames.MatchString(base) {
		base = "layer_" + base
	}
	name := base
	for k := 2; ; k++ {
		var taken int
		err := ch.get([]any{&taken}, `SELECT (SELECT count(*) FROM sqlite_schema WHERE name IN (?1, ?2) COLLATE NOCASE)
			+ (SELECT count(*) FROM sempadan_layers WHERE table_name = ?1)`, name, rtreeName(name))
		if err != nil || taken == 0 {
			return name, err
		}
		name = fmt.Sprintf("%s_%d", base, k)
	}
}

// replace puts a new table in the place of the old one, which becomes history.
func (ch *change) replace() error {
	ch.version.Removed = ch.stored.features
	if ch.stored.info.Version > 0 {
		if err := ch.retire(); err != nil {
			return err
		}
	}
	ch.table, _ = table{name: ch.stored.table}.fit(ch.rows)
	ch.bound = ch.rows.Bound()
	if err := ch.exec(ch.table.createSQL(ch.table.name)); err != nil {
		return err
	}
	boxes, err := ch.insertRows(ch.table, ch.rows, ch.version.Version)
	if err != nil {
		return err
	}
	ch.version.Added = ch.rows.Len()
	return ch.buildIndex(ch.table.name, boxes)
}

// append adds rows to the table that is there.
func (ch *change) append(withdrawn []int64) error {
	for row := range ch.rows.Len() {
		if fid := ch.rows.FID(row); fid < ch.stored.info.NextFID {
			return fmt.Errorf("row %d: FID %d may have been given before; the next free one is %d", row+1, fid, ch.stored.info.NextFID)
		}
	}
	return ch.add(withdrawn)
}

// upsert moves the rows that are to be replaced to history, and adds the new.
func (ch *change) upsert(withdrawn []int64) error {
	return ch.add(append(sortedFIDs(ch.rows), withdrawn...))
}

// add takes out the rows with the given FIDs and adds those of the change.
func (ch *change) add(replaced []int64) error {
	name := ch.stored.table
	columns, err := ch.columnsOf(name)
	if err != nil {
		return err
	}
	old := table{name: name, columns: columns}
	var minX, minY, maxX, maxY *float64
	err = ch.get([]any{&old.geometry, &minX, &minY, &maxX, &maxY}, `SELECT g.geometry_type_name, c.min_x, c.min_y, c.max_x, c.max_y
		FROM gpkg_geometry_columns g JOIN gpkg_contents c USING (table_name) WHERE table_name = ?`, name)
	if err != nil {
		return err
	}
	ch.bound = ch.rows.Bound()
	if minX != nil && minY != nil && maxX != nil && maxY != nil {
		ch.bound = join(orb.Bound{Min: orb.Point{*minX, *minY}, Max: orb.Point{*maxX, *maxY}}, ch.bound)
	}
	if err := ch.dropTriggers(name); err != nil {
		return err
	}
	if ch.version.Removed, err = ch.moveToHistory(old, replaced); err != nil {
		return err
	}
	if ch.stored.features == 0 {
		old.geometry = "" // no rows bind the type
	}
	if err := ch.reshape(old); err != nil {
		return err
	}
	boxes, err := ch.insertRows(ch.table, ch.rows, ch.version.Version)
	if err != nil {
		return err
	}
	ch.version.Added = ch.rows.Len()
	return ch.updateIndex(name, ch.stored.features-ch.version.Removed, replaced, boxes)
}

func join(a, b orb.Bound) orb.Bound {
	switch {
	case a.Min[0] > a.Max[0]:
		return b
	case b.Min[0] > b.Max[0]:
		return a
	}
	return a.Union(b)
}

// reshape makes ch.table of the old one: new columns are added in place, other
// changes take a new table.
func (ch *change) reshape(old table) error {
	fitted, rebuild := old.fit(ch.rows)
	ch.table = fitted
	if rebuild {
		return ch.rebuild(old)
	}
	for _, c := range fitted.columns[len(old.columns):] {
		if err := ch.exec(`ALTER TABLE ` + quote(old.name) + ` ADD COLUMN ` + quote(c.name) + ` ` + c.declared); err != nil {
			return err
		}
	}
	return nil
}

func (ch *change) rebuild(old table) error {
	const tmp = "sempadan_rebuild"
	names := strings.Join(old.columnNames(), ",")
	return ch.execAll(
		stmt(`ALTER TABLE `+quote(old.name)+` RENAME TO `+tmp),
		stmt(ch.table.createSQL(old.name)),
		stmt(`INSERT INTO `+quote(old.name)+` (`+names+`) SELECT `+names+` FROM `+tmp),
		stmt(`DROP TABLE `+tmp),
	)
}

// finish writes what the standard's tables and the store's own say of the
// layer, drops the history that is no longer kept, and returns the new
// description.
func (ch *change) finish(info geo.LayerInfo, keep keeping) (geo.LayerInfo, error) {
	v := ch.version
	v.Features = ch.stored.features - v.Removed + v.Added
	info.Version = v.Version
	info.NextFID = ch.stored.info.NextFID
	if fids := sortedFIDs(ch.rows); len(fids) > 0 {
		info.NextFID = max(info.NextFID, fids[len(fids)-1]+1)
	}
	if info.UpdatedAt.IsZero() {
		info.UpdatedAt = v.Provenance.At
	}
	info.UpdatedAt = info.UpdatedAt.UTC().Round(0)
	if err := ch.describe(info); err != nil {
		return geo.LayerInfo{}, err
	}
	if err := ch.createTriggers(ch.table.name); err != nil {
		return geo.LayerInfo{}, err
	}
	infoJSON, err := json.Marshal(info)
	if err != nil {
		return geo.LayerInfo{}, err
	}
	provenance, err := json.Marshal(v.Provenance)
	if err != nil {
		return geo.LayerInfo{}, err
	}
	err = ch.execAll(
		stmt(`UPDATE sempadan_layers SET version = ?, next_fid = ?, features = ?, info = ? WHERE id = ?`,
			v.Version, info.NextFID, v.Features, string(infoJSON), info.ID),
		stmt(`INSERT INTO sempadan_versions VALUES (?, ?, ?, ?, ?, ?, ?)`,
			info.ID, v.Version, v.Features, v.Added, v.Removed, string(infoJSON), string(provenance)),
	)
	if err != nil {
		return geo.LayerInfo{}, err
	}
	ch.txn.tell("layer."+v.Provenance.Action, info, v.Added+v.Removed)
	oldest, err := keep.oldest(ch.txn, info.ID, *v)
	if err != nil {
		return geo.LayerInfo{}, err
	}
	return info, ch.purge(info.ID, oldest)
}

// keeping says which versions of a layer stay: the newest so many, and those of
// which somebody who signed in changed or took out rows within so many days.
type keeping struct{ versions, days int }

func (o Options) keep() keeping { return keeping{o.KeepVersions, o.KeepDays} }

// oldest is the first version that stays beside a new one.
func (k keeping) oldest(x *txn, layer string, v data.Version) (int64, error) {
	oldest := v.Version - int64(k.versions) + 1
	var changed *int64
	err := x.get([]any{&changed}, `SELECT min(version) FROM sempadan_versions
		WHERE layer_id = ?1 AND version > ?2 AND removed > 0 AND coalesce(provenance ->> 'user', '') NOT IN ('', 'local', 'retention')
			AND julianday(provenance ->> 'at') > julianday(?3)`,
		layer, v.Version-MostKept, v.Provenance.At.UTC().AddDate(0, 0, -k.days).Format(time.RFC3339))
	if err == nil && changed != nil {
		oldest = min(oldest, *changed-1)
	}
	return oldest, err
}

// describe writes the rows of the standard's tables.
func (ch *change) describe(info geo.LayerInfo) error {
	name := ch.table.name
	at, err := formatTime(info.UpdatedAt.UnixMilli())
	if err != nil {
		return err
	}
	description := info.Title
	if info.Synthetic {
		description = strings.TrimSpace(description + " (synthetic)")
	}
	var minX, minY, maxX, maxY any
	if b := ch.bound; b.Min[0] <= b.Max[0] {
		minX, minY, maxX, maxY = b.Min[0], b.Min[1], b.Max[0], b.Max[1]
	}
	return ch.execAll(
		stmt(`INSERT INTO gpkg_contents VALUES (?, 'features', ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (table_name) DO UPDATE SET description = excluded.description, last_change = excluded.last_change,
			min_x = excluded.min_x, min_y = excluded.min_y, max_x = excluded.max_x, max_y = excluded.max_y`,
			name, info.ID, description, at, minX, minY, maxX, maxY, srsID),
		stmt(`INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, 0, 0)
			ON CONFLICT (table_name) DO UPDATE SET geometry_type_name = excluded.geometry_type_name`,
			name, ch.table.geometry, srsID),
		stmt(`INSERT INTO gpkg_extensions VALUES (?, 'geom', `+rtreeExtension+`) ON CONFLICT DO NOTHING`, name),
	)
}
