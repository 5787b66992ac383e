//go:build !unix

package gpkg

import "os"

// lockFile does nothing where there is no flock: SQLite's own locks keep the
// file whole, but two servers on one store are not told apart.
func lockFile(*os.File) (free bool, err error) { return true, nil }
