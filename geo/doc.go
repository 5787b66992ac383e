// Package geo says what things are and how they are measured: features and
// layers, geodesic distance and area, and the spatial index. It is pure: no
// files, no network, no clock.
package geo
