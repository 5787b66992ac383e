package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
	"github.com/spf13/cobra"
)

// assessFlags are the flags of commands that assess the store.
type assessFlags struct {
	store, model, asOf string
	demo, noBuiltin    bool

	levels api.Levels // that the store remembered when assess read it
}

func (f *assessFlags) add(c *cobra.Command) {
	storeFlag(c, &f.store)
	c.Flags().StringVar(&f.model, "model", "", "parameters of the score, a JSON file")
	c.Flags().StringVar(&f.asOf, "as-of", "", "instant to speak of: a date or RFC 3339; default: the end of the data")
	c.Flags().BoolVar(&f.demo, "demo", false, "add synthetic patrol tracks and posts, marked as such")
	c.Flags().BoolVar(&f.noBuiltin, "no-builtin", false, "leave out the layers that ship with the program")
}

// assess makes an assessment of the store. change may adjust the model.
func (f *assessFlags) assess(ctx context.Context, change func(*risk.Model)) (*risk.Assessment, error) {
	m, err := readModel(f.model)
	if err != nil {
		return nil, err
	}
	in := risk.Inputs{Now: time.Now().UTC(), Program: version}
	if f.asOf != "" {
		if in.AsOf, err = parseInstant(f.asOf); err != nil {
			return nil, err
		}
	}
	builtin, err := builtinLayers(!f.noBuiltin, f.demo, in.Now)
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, f.store, true)
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	if in.Layers, err = api.LoadLayers(ctx, store, builtin); err != nil {
		return nil, err
	}
	if m, err = api.LoadModel(ctx, store, m); err != nil {
		return nil, err
	}
	if f.levels, err = api.LoadLevels(ctx, store); err != nil {
		return nil, err
	}
	if change != nil {
		change(&m)
	}
	return risk.Assess(ctx, in, m)
}

func parseInstant(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, usageError{fmt.Errorf("--as-of %s is neither 2026-11-22 nor 2026-11-22T10:00:00Z", text)}
	}
	return t.Add(24*time.Hour - time.Millisecond), nil
}

func gapsCommand() *cobra.Command {
	var f assessFlags
	var format, lang, out, minLevel string
	var filter risk.GapFilter
	var asJSON bool
	c := &cobra.Command{
		Use: "gaps", Short: "Write the ranked patrol-gap report", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON {
				if c.Flags().Changed("format") && format != "json" {
					return usageError{fmt.Errorf("--json and --format %s contradict each other", format)}
				}
				format = "json"
			}
			if !slices.Contains(api.GapFormats(), api.GapFormat(format)) {
				return usageError{fmt.Errorf("--format %s is not json, geojson, csv, html or pdf", format)}
			}
			if lang != "en" && lang != "id" && lang != "ms" {
				return usageError{fmt.Errorf("--lang %s is not en, id or ms", lang)}
			}
			if level, ok := risk.ParseLevel(minLevel); ok {
				filter.MinLevel = level
			} else if minLevel != "" {
				return usageError{fmt.Errorf("--min-level %s is not low, medium, high or critical", minLevel)}
			}
			a, err := f.assess(c.Context(), nil)
			if err != nil {
				return err
			}
			report := api.GapReport{Assessment: a, Levels: f.levels.Reviewed(a, f.asOf == ""), At: time.Now(), Filter: filter, Lang: tiles.Lang(lang)}
			if f.asOf != "" {
				report.At = a.AsOf
			}
			body, err := report.Render(api.GapFormat(format))
			if err != nil {
				return err
			}
			return output(out, c.OutOrStdout(), func(w io.Writer) error {
				_, err := w.Write(body)
				return err
			})
		},
	}
	f.add(c)
	c.Flags().StringVar(&format, "format", "json", "json, geojson, csv, html or pdf")
	c.Flags().StringVar(&lang, "lang", "en", "language of the report: en, id or ms")
	c.Flags().StringVarP(&out, "output", "o", "", "file to write; default: standard output")
	c.Flags().StringVar(&filter.Country, "country", "", "only sections of this country: ID or MY")
	c.Flags().StringVar(&filter.Agency, "agency", "", "only sections where this agency may act")
	c.Flags().StringVar(&minLevel, "min-level", "", "only sections of this level or above")
	c.Flags().IntVar(&filter.Limit, "limit", 0, "at most that many gaps; 0: all")
	c.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	return c
}
