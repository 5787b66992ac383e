package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/gpkg"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/route"
	"github.com/spf13/cobra"
)

func routeCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "route", Short: "Score routes, and find ways that a traveller may take", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(routeScoreCommand(), routeFindCommand(), routeMatrixCommand(), routeInterdictCommand(), routeWhatIfCommand())
	for _, sub := range c.Commands() {
		check := sub.Args
		sub.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usageError{fmt.Errorf("%w; %s --help shows how it is used", err, c.CommandPath())}
			}
			return nil
		}
	}
	return c
}

// routeScoreFlags are those of route score.
type routeScoreFlags struct {
	assessFlags
	options     route.Options
	depart, out string
	json        bool
}

func routeScoreCommand() *cobra.Command {
	f := routeScoreFlags{options: route.DefaultOptions()}
	c := &cobra.Command{
		Use: "score FILE", Short: "Tell what risk the lines of a file carry (GeoJSON, GPX, KML; - is standard input)", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	f.add(c)
	fl, o := c.Flags(), &f.options
	fl.Float64Var(&o.CorridorM, "corridor-m", o.CorridorM, "full width of the corridor along the line, in metres")
	fl.Float64Var(&o.PeriodDays, "period-days", o.PeriodDays, "days in which incidents are expected")
	fl.Float64Var(&o.SpeedKMH, "speed-kmh", o.SpeedKMH, "speed of the traveller")
	fl.Float64Var(&o.StepM, "step-m", o.StepM, "length of the steps of the profile, about")
	fl.StringVar(&f.depart, "depart", "", "when the traveller starts, such as 2026-11-22T20:00:00+08:00; default: at no hour in particular")
	fl.BoolVar(&o.ByTime, "by-time", false, "also by hour of departure and month")
	fl.BoolVar(&f.json, "json", false, "one JSON document on standard output")
	fl.StringVarP(&f.out, "output", "o", "", "file to write, .geojson (a map of the steps) or .json")
	return c
}

func (f *routeScoreFlags) run(c *cobra.Command, path string) error {
	ext := strings.ToLower(filepath.Ext(f.out))
	if f.out != "" && ext != ".geojson" && ext != ".json" {
		return usageError{fmt.Errorf("-o %s: give a file that ends in .geojson or .json", f.out)}
	}
	if f.depart != "" {
		var err error
		if f.options.Depart, err = time.Parse(time.RFC3339, f.depart); err != nil {
			return usageError{fmt.Errorf("--depart %s is no instant such as 2026-11-22T20:00:00+08:00", f.depart)}
		}
	}
	if err := f.options.Validate(); err != nil {
		return usageError{err}
	}
	in, err := readLines(c, path)
	if err != nil {
		return err
	}
	a, err := f.assess(c.Context(), nil)
	if err != nil {
		return err
	}
	if ext == ".geojson" {
		all, err := api.ScoredFeatures(c.Context(), a, in, f.options)
		if err != nil {
			return err
		}
		return output(f.out, nil, func(w io.Writer) error { return json.NewEncoder(w).Encode(all) })
	}
	all, err := api.ScoreRoutes(c.Context(), a, in, api.ScoreOptions{Options: f.options, Parts: len(in.Lines) <= 100})
	if err != nil {
		return err
	}
	single := len(all.Routes) == 1 && all.Quarantined == 0
	if single && all.Routes[0].Score == nil {
		return errors.New(all.Routes[0].Error)
	}
	if f.json || ext == ".json" {
		return output(f.out, c.OutOrStdout(), func(w io.Writer) error {
			if single {
				return printJSON(w, all.Routes[0].Score)
			}
			return printJSON(w, all)
		})
	}
	return printScores(c.OutOrStdout(), all)
}

func readLines(c *cobra.Command, path string) (api.RouteLines, error) {
	src, name := c.InOrStdin(), ""
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return api.RouteLines{}, err
		}
		defer func() { _ = file.Close() }()
		src, name = file, filepath.Base(path)
	}
	in, err := api.ReadRouteLines(c.Context(), src, data.ImportOptions{Filename: name, GeoPackage: gpkg.Files{}, Now: time.Now().UTC(), Limits: data.FileLimits()})
	if err != nil {
		return in, fmt.Errorf("%s: %w", path, err)
	}
	return in, nil
}

func percent(v float64) string {
	if v > 0 && v < 0.0001 {
		return "< 0.01 %"
	}
	return strconv.FormatFloat(100*v, 'f', 2, 64) + " %"
}

func printScores(w io.Writer, all *api.ScoredRoutes) error {
	var b strings.Builder
	for _, r := range all.Routes {
		if r.Score == nil {
			fmt.Fprintf(&b, "route %d: %s\n", r.Index+1, r.Error)
			continue
		}
		i := r.PIncidentInterval
		fmt.Fprintf(&b, "route %d: %.1f km, %.1f h; at least one incident in %g days within %g m: %s (90 %%: %s to %s); met by a patrol: %s\n",
			r.Index+1, r.LengthM/1000, r.Hours, r.PeriodDays, r.CorridorM, percent(r.PIncident), percent(i.Lo90), percent(i.Hi90), percent(r.PDetected))
		if r.UnknownShare > 0 {
			fmt.Fprintf(&b, "  of %s of its length nothing is known\n", percent(r.UnknownShare))
		}
		for k, t := range r.Top {
			fmt.Fprintf(&b, "  %d. km %.1f to %.1f: %s of the hazard\n", k+1, t.FromM/1000, t.ToM/1000, percent(t.Share))
		}
		if x := r.Crossing; x != nil {
			fmt.Fprintf(&b, "  nearest official crossing: %s, %.1f km from km %.1f\n", x.Name, x.DistanceM/1000, x.AlongM/1000)
		}
	}
	if all.Partial {
		fmt.Fprintf(&b, "partial: %d without a score, %d that could not be read", all.Failed, all.Quarantined)
		if rows, _ := all.Rows.([]data.RowFault); len(rows) > 0 {
			fmt.Fprintf(&b, "; of the first of them, number %d: %s", rows[0].Row, rows[0].Message)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// laidGraph assesses the store and lays a graph over it.
func (f *assessFlags) laidGraph(ctx context.Context, cellM float64) (*risk.Assessment, *route.Graph, error) {
	a, err := f.assess(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	o := route.DefaultGraphOptions()
	o.CellM = cellM
	g, err := route.NewGraph(ctx, a, o)
	return a, g, err
}

// parsePlace reads lon,lat.
func parsePlace(flag, text string) (*api.Place, error) {
	lon, lat, two := strings.Cut(text, ",")
	x, err := strconv.ParseFloat(strings.TrimSpace(lon), 64)
	y, err2 := strconv.ParseFloat(strings.TrimSpace(lat), 64)
	if !two || err != nil || err2 != nil || !(math.Abs(x) <= 180) || !(math.Abs(y) <= 85) {
		return nil, usageError{fmt.Errorf("--%s %s: give longitude,latitude, such as 109.3,1.3", flag, text)}
	}
	return &api.Place{x, y}, nil
}
