// Package data is how things get in and out: formats, reports, the import
// pipeline and the Store contract.
package data
