package gpkg

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkFile holds a closed store to what SQLite and the standard ask of it.
func checkFile(t *testing.T, path string) {
	t.Helper()
	for _, suffix := range []string{"-wal", "-shm", ".new"} {
		if _, err := os.Stat(path + suffix); err == nil {
			t.Errorf("%s is left behind", filepath.Base(path+suffix))
		}
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("file mode: %v, %v", st.Mode(), err)
	}
	db, err := sql.Open("sqlite", fileURL(path, "mode=ro"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list := func(query string, args ...any) []string {
		t.Helper()
		conn, err := db.Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		out, err := (&txn{ctx: context.Background(), conn: conn}).strings(query, args...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return out
	}
	want := func(what, query, expected string, args ...any) {
		t.Helper()
		if got := strings.Join(list(query, args...), " "); got != expected {
			t.Errorf("%s: %q, want %q", what, got, expected)
		}
	}
	want("integrity", `PRAGMA integrity_check`, "ok")
	want("foreign keys", `SELECT "table" FROM pragma_foreign_key_check`, "")
	want("application", `PRAGMA application_id`, "1196444487")
	want("version", `PRAGMA user_version`, "10300")
	want("reference systems", `SELECT srs_id FROM gpkg_spatial_ref_sys ORDER BY 1`, "-1 0 3857 4326")
	// Every table but the standard's own is listed, and what is listed is there.
	want("unlisted tables", `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'gpkg~_%' ESCAPE '~'
		AND name NOT LIKE 'rtree~_%' ESCAPE '~' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
		AND name NOT IN (SELECT table_name FROM gpkg_contents) AND name NOT IN (SELECT table_name FROM gpkg_extensions WHERE table_name NOTNULL)`, "")
	want("missing tables", `SELECT table_name FROM (SELECT table_name FROM gpkg_contents UNION SELECT table_name FROM gpkg_extensions WHERE table_name NOTNULL
		UNION SELECT 'rtree_' || table_name || '_geom' FROM gpkg_contents) WHERE table_name NOT IN (SELECT name FROM sqlite_schema)`, "")
	for _, name := range list(`SELECT table_name FROM gpkg_contents`) {
		want("index of "+name, `SELECT rtreecheck(?)`, "ok", rtreeName(name))
		want("rows without index entry", `SELECT fid FROM `+quote(name)+` WHERE fid NOT IN (SELECT id FROM `+quote(rtreeName(name))+`)`, "")
		want("index entries without row", `SELECT id FROM `+quote(rtreeName(name))+` WHERE id NOT IN (SELECT fid FROM `+quote(name)+`)`, "")
		want("triggers of "+name, `SELECT replace(name, ?, '') FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? ORDER BY 1`,
			"_delete _insert _update2 _update4 _update5 _update6 _update7", rtreeName(name), name)
		want("geometry type", `SELECT g.geometry_type_name = c.type AND g.srs_id = 4326 FROM gpkg_geometry_columns g JOIN pragma_table_info(g.table_name) c
			WHERE g.table_name = ? AND c.name = g.column_name`, "1", name)
		want("extent", `SELECT coalesce(min(r.minx >= c.min_x - 1e-4 AND r.maxx <= c.max_x + 1e-4 AND r.miny >= c.min_y - 1e-4 AND r.maxy <= c.max_y + 1e-4), 1)
			FROM gpkg_contents c, `+quote(rtreeName(name))+` r WHERE c.table_name = ?`, "1", name)
	}
}
