// Package surface turns features into values on a grid: the density of
// incidents and the coverage of patrols, both in true metres.
package surface
