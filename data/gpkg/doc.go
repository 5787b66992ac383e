// Package gpkg keeps layers in one OGC GeoPackage file (OGC 12-128r17, version
// 1.3) on SQLite, so that GDAL and QGIS open the store as it stands.
//
// Each layer is one feature table with the standard R-tree index. The columns
// of a feature table are
//
//	fid            the FID, primary key
//	geom           GeoPackageBinary, EPSG:4326
//	ext_id         the identifier that the source gave
//	time_from      ISO 8601 UTC with milliseconds; both null when undated
//	time_to
//	vertex_times   of a track: JSON array of unix milliseconds, one a vertex
//	…              one column a property, where name and type allow
//	properties     JSON object of the properties that have no column
//	version_added  the layer version that brought the row
//
// Rows that a change removes move to a table sempadan_history_N, one for each
// change that removed any; its version is in sempadan_history. The content of
// version n is so: the rows of the layer's table and of the history tables
// with a version above n, less the rows with version_added above n. History
// and the other tables named sempadan_… are the store's own; gpkg_extensions
// lists them, and GDAL does not show them.
package gpkg
