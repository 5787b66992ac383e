//go:build !linux

package gpkg

func networkFS(string) string { return "" }
