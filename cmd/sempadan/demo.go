package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sempadan/sempadan/data/layers"
	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	var dir, asOf string
	var opts layers.DemoOptions
	var asJSON bool
	c := &cobra.Command{
		Use: "demo", Short: "Write synthetic demonstration layers", Args: cobra.NoArgs,
		Long: "Write synthetic demonstration layers as DIR/{layer}.geojson. Every feature is invented and says so. The same seed and date give the same bytes.",
		RunE: func(c *cobra.Command, _ []string) error {
			if dir == "" {
				return usageError{errors.New("give the folder to write to with -o")}
			}
			at := time.Now().UTC().Truncate(24 * time.Hour)
			if asOf != "" {
				var err error
				if at, err = time.Parse(time.DateOnly, asOf); err != nil {
					return usageError{fmt.Errorf("--as-of %s is not a date like 2026-11-22", asOf)}
				}
			}
			if opts.Incidents < 0 {
				return usageError{fmt.Errorf("--incidents %d: give 0 or more", opts.Incidents)}
			}
			opts.AsOf = at
			return writeDemo(c, dir, opts, asJSON)
		},
	}
	c.Flags().Int64Var(&opts.Seed, "seed", 1, "seed of the invention")
	c.Flags().IntVar(&opts.Incidents, "incidents", 0, "how many incidents to invent; with them come water crossings and illegal ports")
	c.Flags().StringVar(&asOf, "as-of", "", "last day of the patrols; default: today")
	c.Flags().StringVarP(&dir, "output", "o", "", "folder to write to (must be given)")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

func writeDemo(c *cobra.Command, dir string, opts layers.DemoOptions, asJSON bool) error {
	invented, err := layers.DemoLayers(opts)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	files := map[string]string{}
	for _, l := range invented {
		path := filepath.Join(dir, l.Info.ID+".geojson")
		bar := newProgress("writing "+path, -1)
		err := output(path, nil, l.WriteGeoJSON)
		bar.done()
		if err != nil {
			return err
		}
		files[l.Info.ID] = path
		if !asJSON {
			fmt.Fprintln(c.OutOrStdout(), path)
		}
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), map[string]any{"synthetic": true, "seed": opts.Seed, "files": files})
	}
	return nil
}
