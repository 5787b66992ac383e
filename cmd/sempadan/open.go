package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/gpkg"
	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/spf13/cobra"
)

// storeFlag adds --store.
func storeFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "store", "sempadan.gpkg", "the store: a GeoPackage file, made when it is not there")
}

func openStore(ctx context.Context, path string, readOnly bool) (data.Store, error) {
	return openKept(ctx, path, gpkg.Options{ReadOnly: readOnly})
}

func openKept(ctx context.Context, path string, opts gpkg.Options) (data.Store, error) {
	if strings.HasPrefix(path, "postgres://") || strings.HasPrefix(path, "postgresql://") {
		return nil, usageError{errors.New("this version keeps its layers in a GeoPackage; give --store a file")}
	}
	if opts.Notify == nil {
		opts.Notify = func(message string) { fmt.Fprintln(os.Stderr, "sempadan:", message) }
	}
	store, err := gpkg.Open(ctx, path, opts)
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", path, err)
	}
	return store, nil
}

// builtinLayers are the layers that ship with the program, and the synthetic
// patrols when they are wanted.
func builtinLayers(builtin, demo bool, now time.Time) ([]*geo.Layer, error) {
	var out []*geo.Layer
	if builtin {
		for _, info := range layers.Builtin() {
			l, err := layers.Load(info.ID)
			if err != nil {
				return nil, err
			}
			out = append(out, l)
		}
	}
	if demo {
		invented, err := layers.Demo(layers.DemoOptions{Seed: 1, AsOf: now.Truncate(24 * time.Hour)})
		if err != nil {
			return nil, err
		}
		out = append(out, invented...)
	}
	return out, nil
}

// readModel reads the parameters of the score from a file; "" gives the
// defaults. What the file leaves out keeps its default.
func readModel(path string) (risk.Model, error) {
	m := risk.DefaultModel()
	if path == "" {
		return m, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return m, fmt.Errorf("read the model: %w", err)
	}
	defer func() { _ = f.Close() }()
	dec := json.NewDecoder(f)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, fmt.Errorf("read the model %s: %w", path, err)
	}
	if m.Version == risk.DefaultModel().Version {
		m.Version = "file"
	}
	if err := m.Validate(); err != nil {
		return m, fmt.Errorf("the model %s cannot be used: %w", path, err)
	}
	return m, nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// output writes to a file, or to standard output for "" and "-". A file takes
// its name only when it is whole, and is its owner's alone to read (mode 0600):
// it may have what is not public.
func output(path string, stdout io.Writer, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		return write(stdout)
	}
	f, err := os.CreateTemp(dirOf(path), ".sempadan-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if err := write(f); err != nil {
		_ = f.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

func dirOf(path string) string {
	if i := strings.LastIndexByte(path, os.PathSeparator); i >= 0 {
		return path[:i+1]
	}
	return "."
}
