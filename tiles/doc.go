// Package tiles says how things look on a map: vector and raster tiles, colour
// scales, legends, TileJSON and MapLibre styles. It is pure: no files, no
// network, no clock; the same inputs give the same bytes.
package tiles
