package gpkg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	applicationID = 0x47504b47 // "GPKG"
	userVersion   = 10300      // GeoPackage 1.3.0
	// schemaVersion counts the changes of the tables sempadan_….
	schemaVersion = 3
	// programName is kept for whoever opens a store that is too new for them.
	programName = "sempadan"
)

// standardTables are the tables of GeoPackage 1.3 that a file of features needs
// (OGC 12-128r17, annex C).
const standardTables = `
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL,
  definition TEXT NOT NULL,
  description TEXT
);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY,
  data_type TEXT NOT NULL,
  identifier TEXT UNIQUE,
  description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE,
  min_y DOUBLE,
  max_x DOUBLE,
  max_y DOUBLE,
  srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id)
);
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL,
  column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL,
  m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id)
);
CREATE TABLE gpkg_extensions (
  table_name TEXT,
  column_name TEXT,
  extension_name TEXT NOT NULL,
  definition TEXT NOT NULL,
  scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name)
);
`

// storeTables are the store's own. They are not STRICT: SQLite before 3.37,
// which many QGIS installations still have, could then not open the file at
// all.
const storeTables = `
CREATE TABLE sempadan_store (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  schema_version INTEGER NOT NULL,
  program TEXT NOT NULL
);
CREATE TABLE sempadan_layers (
  id TEXT NOT NULL PRIMARY KEY,
  table_name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  version INTEGER NOT NULL,
  next_fid INTEGER NOT NULL,
  features INTEGER NOT NULL,
  info TEXT NOT NULL
);
CREATE TABLE sempadan_versions (
  layer_id TEXT NOT NULL REFERENCES sempadan_layers(id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  features INTEGER NOT NULL,
  added INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  info TEXT NOT NULL,
  provenance TEXT NOT NULL,
  PRIMARY KEY (layer_id, version)
);
CREATE TABLE sempadan_history (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  layer_id TEXT NOT NULL REFERENCES sempadan_layers(id) ON DELETE CASCADE,
  removed INTEGER NOT NULL
);
CREATE TABLE sempadan_receipts (
  key TEXT NOT NULL PRIMARY KEY,
  layer_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  answer TEXT
);
CREATE INDEX sempadan_receipts_layer ON sempadan_receipts(layer_id);
CREATE TABLE sempadan_settings (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
`

// ownTables are listed in gpkg_extensions, as the standard asks of tables that
// it does not know.
var ownTables = [...]string{"sempadan_store", "sempadan_layers", "sempadan_versions",
	"sempadan_history", "sempadan_receipts", "sempadan_settings", "sempadan_erasures", "sempadan_audit"}

const (
	rtreeExtension = `'gpkg_rtree_index', 'http://www.geopackage.org/spec130/#extension_rtree', 'write-only'`
	ownExtension   = `'sempadan_store', 'layer versions, receipts and settings of the route-risk service', 'write-only'`
	// gdal_aspatial makes GDAL list only what gpkg_contents lists.
	aspatialExtension = `'gdal_aspatial', 'http://gdal.org/geopackage_aspatial.html', 'read-write'`
)

const (
	wgs84WKT = `GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]`
	webWKT   = `PROJCS["WGS 84 / Pseudo-Mercator",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]],PROJECTION["Mercator_1SP"],PARAMETER["central_meridian",0],PARAMETER["scale_factor",1],PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH],EXTENSION["PROJ4","+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +wktext +no_defs"],AUTHORITY["EPSG","3857"]]`
)

// create writes an empty store beside path and renames it into place, so that
// a crash leaves either no store or a whole one.
func create(ctx context.Context, path string) error {
	tmp := path + ".new"
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(tmp + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := fill(ctx, tmp); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

// fill makes the tables. The log mode comes last, when all is in the file.
func fill(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", fileURL(path, "_pragma=synchronous(FULL)"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var b strings.Builder
	fmt.Fprintf(&b, "PRAGMA application_id = %d; PRAGMA user_version = %d; BEGIN;", applicationID, userVersion)
	b.WriteString(standardTables + storeTables + erasuresTable + ";" + auditTable + ";")
	fmt.Fprintf(&b, "INSERT INTO sempadan_store VALUES (1, %d, '%s');", schemaVersion, programName)
	fmt.Fprintf(&b, "INSERT INTO sempadan_settings VALUES ('%s', lower(hex(randomblob(%d)))), ('%s', '0');", settingID, markIDBytes, settingCommit)
	fmt.Fprintf(&b, "INSERT INTO gpkg_extensions VALUES (NULL, NULL, %s);", aspatialExtension)
	for _, name := range ownTables {
		fmt.Fprintf(&b, "INSERT INTO gpkg_extensions VALUES ('%s', NULL, %s);", name, ownExtension)
	}
	b.WriteString(systemRows())
	b.WriteString("COMMIT; PRAGMA journal_mode = WAL;")
	_, err = db.ExecContext(ctx, b.String())
	return err
}

// systemRows returns the statements that fill gpkg_spatial_ref_sys.
func systemRows() string {
	var b strings.Builder
	for _, row := range [][]any{
		{"Undefined cartesian SRS", -1, "NONE", -1, "undefined", "undefined cartesian coordinate reference system"},
		{"Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"},
		{"WGS 84 geodetic", 4326, "EPSG", 4326, wgs84WKT, "longitude/latitude coordinates in decimal degrees on the WGS 84 spheroid"},
		{"WGS 84 / Pseudo-Mercator", 3857, "EPSG", 3857, webWKT, "spherical Mercator projection in metres, as web maps use it"},
	} {
		fmt.Fprintf(&b, "INSERT INTO gpkg_spatial_ref_sys VALUES ('%s', %d, '%s', %d, '%s', '%s');", row...)
	}
	return b.String()
}

// quote makes an SQL identifier of any name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal makes an SQL text literal.
func literal(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// rtreeName returns the name of a feature table's index.
func rtreeName(table string) string { return "rtree_" + table + "_geom" }

// rtreeTriggers returns the statements that make the triggers by which other
// programs keep the index right (OGC 12-128r17, annex F.3; update1 and update3
// as version 1.4 corrects them, which it recommends for older files too).
func rtreeTriggers(table string) []string {
	const (
		filled    = `(NEW.geom NOTNULL AND NOT ST_IsEmpty(NEW.geom))`
		emptied   = `(NEW.geom ISNULL OR ST_IsEmpty(NEW.geom))`
		wasFilled = `(OLD.geom NOTNULL AND NOT ST_IsEmpty(OLD.geom))`
		wasEmpty  = `(OLD.geom ISNULL OR ST_IsEmpty(OLD.geom))`
		box       = `NEW.fid, ST_MinX(NEW.geom), ST_MaxX(NEW.geom), ST_MinY(NEW.geom), ST_MaxY(NEW.geom)`
		setBox    = `minx = ST_MinX(NEW.geom), maxx = ST_MaxX(NEW.geom), miny = ST_MinY(NEW.geom), maxy = ST_MaxY(NEW.geom)`
	)
	index := quote(rtreeName(table))
	var out []string
	add := func(name, event, when, action string) {
		out = append(out, fmt.Sprintf("CREATE TRIGGER %s AFTER %s ON %s WHEN %s BEGIN %s; END",
			quote(rtreeName(table)+"_"+name), event, quote(table), when, action))
	}
	replace := `INSERT OR REPLACE INTO ` + index + ` VALUES (` + box + `)`
	remove := `DELETE FROM ` + index + ` WHERE id = OLD.fid`
	add("insert", "INSERT", filled, replace)
	add("update2", "UPDATE OF geom", `OLD.fid = NEW.fid AND `+emptied, remove)
	add("update4", "UPDATE", `OLD.fid != NEW.fid AND `+emptied, `DELETE FROM `+index+` WHERE id IN (OLD.fid, NEW.fid)`)
	add("update5", "UPDATE", `OLD.fid != NEW.fid AND `+filled, remove+`; `+replace)
	add("update6", "UPDATE OF geom", `OLD.fid = NEW.fid AND `+filled+` AND `+wasFilled, `UPDATE `+index+` SET `+setBox+` WHERE id = NEW.fid`)
	add("update7", "UPDATE OF geom", `OLD.fid = NEW.fid AND `+filled+` AND `+wasEmpty, `INSERT INTO `+index+` VALUES (`+box+`)`)
	add("delete", "DELETE", `OLD.geom NOTNULL`, remove)
	return out
}
