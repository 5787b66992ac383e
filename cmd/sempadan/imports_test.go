package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sempadan/sempadan"

// rooms lists every package with the packages of this module that it may
// import. Rooms: geo < data | tiles < api < cmd; a child may import its
// parent, never the reverse.
var rooms = map[string][]string{
	"geo":              {},
	"geo/surface":      {"geo"},
	"geo/risk":         {"geo", "geo/surface"},
	"geo/plan":         {"geo", "geo/surface", "geo/risk"},
	"geo/route":        {"geo", "geo/surface", "geo/risk"},
	"data":             {"geo"},
	"data/gpkg":        {"geo", "data"},
	"data/storetest":   {"geo", "data"},
	"data/layers":      {"geo", "data"},
	"data/layers/make": {"geo", "data", "data/layers"},
	"tiles":            {"geo", "geo/surface", "geo/risk"},
	"api":              {"geo", "geo/surface", "geo/risk", "geo/route", "geo/plan", "data", "tiles"},
	"cmd/sempadan":     {"geo", "geo/surface", "geo/risk", "geo/route", "data", "data/gpkg", "data/layers", "tiles", "api"},
}

// homes lists where outside packages may be used; a prefix stands for all
// below it. What is not listed here or below may be used nowhere.
var homes = map[string][]string{
	"github.com/KimMachineGun/automemlimit": {"cmd/sempadan"},

	"github.com/paulmach/orb":             {"*"},
	"github.com/paulmach/orb/geojson":     {"api"},
	"github.com/paulmach/orb/project":     {"data"},
	"github.com/tidwall/rtree":            {"geo"},
	"github.com/twpayne/go-geom":          {"data"},
	"github.com/twpayne/go-kml/v3":        {"data"},
	"github.com/google/flatbuffers":       {"data"},
	"github.com/parquet-go/parquet-go":    {"data"},
	"github.com/klauspost/compress":       {"data", "tiles", "api"},
	"modernc.org/sqlite":                  {"data/gpkg"},
	"golang.org/x/sys/unix":               {"data/gpkg"},
	"golang.org/x/text":                   {"data"},
	"gonum.org/v1/gonum":                  {"geo/risk"},
	"golang.org/x/image":                  {"tiles"},
	"golang.org/x/image/font":             {"tiles", "api"},
	"codeberg.org/go-pdf/fpdf":            {"api"},
	"github.com/gorilla/mux":              {"api"},
	"github.com/coreos/go-oidc/v3":        {"api"},
	"github.com/go-jose/go-jose/v4":       {"api"},
	"golang.org/x/oauth2":                 {"api"},
	"github.com/getkin/kin-openapi":       {"api"},
	"github.com/maypok86/otter/v2":        {"api"},
	"github.com/prometheus/client_golang": {"api", "cmd/sempadan"},
	"github.com/spf13/cobra":              {"cmd/sempadan"},
	"github.com/schollz/progressbar/v3":   {"cmd/sempadan"},
	"golang.org/x/sync":                   {"cmd/sempadan", "api"},
	"golang.org/x/time/rate":              {"api"},
	"golang.org/x/term":                   {"cmd/sempadan"},
}

// pure packages give the same bytes for the same inputs: no files, no network,
// no clock of their own.
var pure = []string{"geo", "geo/surface", "geo/risk", "geo/plan", "geo/route", "tiles"}

var impure = []string{"os", "os/exec", "net", "net/http", "math/rand", "io/ioutil", "path/filepath", "syscall"}

func TestImportRules(t *testing.T) {
	for pkg, files := range sources(t) {
		allowed, listed := rooms[pkg]
		if !listed {
			t.Errorf("package %s is not in the list of rooms: say here where it belongs", pkg)
			continue
		}
		for _, file := range files {
			for _, path := range importsOf(t, file) {
				checkImport(t, pkg, file, path, allowed)
			}
		}
	}
}

func checkImport(t *testing.T, pkg, file, path string, allowed []string) {
	t.Helper()
	if inside, ok := strings.CutPrefix(path, module+"/"); ok {
		if !slices.Contains(allowed, inside) {
			t.Errorf("%s: %s must not import %s", file, pkg, inside)
		}
		return
	}
	if slices.Contains(pure, pkg) && slices.Contains(impure, path) {
		t.Errorf("%s: %s is pure and must not import %s", file, pkg, path)
	}
	if !strings.Contains(strings.Split(path, "/")[0], ".") {
		return // the standard library
	}
	home, length := []string(nil), 0
	for prefix, at := range homes {
		if (path == prefix || strings.HasPrefix(path, prefix+"/")) && len(prefix) > length {
			home, length = at, len(prefix)
		}
	}
	if !slices.Contains(home, pkg) && !slices.Contains(home, "*") {
		t.Errorf("%s: %s has no home in %s (homes: %v)", file, path, pkg, home)
	}
}

// The pure packages have no clock, no unseeded randomness and no init.
func TestPurePackages(t *testing.T) {
	for pkg, files := range sources(t) {
		for _, file := range files {
			text := read(t, file)
			if strings.Contains(text, "\nfunc init()") {
				t.Errorf("%s has an init function", file)
			}
			if slices.Contains(pure, pkg) && (strings.Contains(text, "time.Now(") || strings.Contains(text, "rand.IntN(") || strings.Contains(text, "time.Since(")) {
				t.Errorf("%s reads a clock or unseeded randomness", file)
			}
			if lines := strings.Count(text, "\n"); lines > 600 {
				t.Errorf("%s has %d lines, over 600", file, lines)
			}
		}
	}
}

// sources returns the Go files of each package, without tests.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	root := "../.."
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			pkg, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil {
				return err
			}
			out[filepath.ToSlash(pkg)] = append(out[filepath.ToSlash(pkg)], path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 10 {
		t.Fatalf("only %d packages found", len(out))
	}
	return out
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, path)
	}
	return out
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
