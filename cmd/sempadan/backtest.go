package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
	"github.com/spf13/cobra"
)

type backtestFlags struct {
	incidents, from, area, step, kernel, bandwidth string
	x, y, time, calibration, lang                  string
	where                                          []string
	only, json                                     bool
	options                                        risk.BacktestOptions
}

func backtestCommand() *cobra.Command {
	var f backtestFlags
	c := &cobra.Command{
		Use: "backtest", Short: "Judge forecasts by what came after", Args: cobra.NoArgs,
		Long: "Forecast each fold from earlier incidents only, with the models count, kde, count2kde and sempadan, and say\n" +
			"what share of the incidents fell in the 1, 5, 10 and 20 % of the area that each held most likely.",
		Example: "  sempadan backtest --incidents stlouis.csv.gz --where category=burglary --from 2010-07-04 --folds 6 --horizon-days 30 --cell-m 250",
		RunE:    func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	fl, o := c.Flags(), &f.options
	fl.StringVar(&f.incidents, "incidents", "", "file of dated points, CSV or GeoJSON, packed with gzip or not (must be given)")
	fl.StringVar(&f.from, "from", "", "first day of the first fold, such as 2016-03-01 (must be given)")
	fl.IntVar(&o.Folds, "folds", 0, "number of folds (must be given)")
	fl.IntVar(&o.HorizonDays, "horizon-days", 0, "days that each fold forecasts (must be given)")
	fl.StringVar(&f.step, "step", "", "month: folds start on the first of each month; default: one horizon after the other")
	fl.IntVar(&o.TrainDays, "train-days", 0, "days that a fold learns from; default: everything earlier")
	fl.Float64Var(&o.Grid.CellM, "cell-m", 0, "edge of a cell in metres, with --planar in the unit of the plane")
	fl.Float64Var(&o.Grid.CellDeg, "cell-deg", 0, "edge of a cell in degrees, in place of --cell-m")
	fl.BoolVar(&o.Grid.Planar, "planar", false, "x and y are coordinates of a plane, not longitude and latitude")
	fl.StringVar(&f.area, "area", "", "study area, GeoJSON polygons; default: the cells with earlier incidents and around them")
	fl.IntVar(&o.Grid.Ring, "ring", 1, "cells around one with an incident that belong to the area, without --area")
	fl.StringVar(&f.x, "x", "", "column of x or longitude (default lon)")
	fl.StringVar(&f.y, "y", "", "column of y or latitude (default lat)")
	fl.StringVar(&f.time, "time", "", "column of the date (default date, datetime or occurred_from)")
	fl.StringArrayVar(&f.where, "where", nil, "COLUMN=VALUE that a row must have; may be given again")
	fl.BoolVar(&f.only, "only-where", false, "learn from the rows that --where asks for alone; default: sempadan learns from the others too, which are never forecast")
	fl.StringVar(&f.kernel, "kernel", "gaussian", "kernel of kde and count2kde: gaussian or quartic")
	fl.StringVar(&f.bandwidth, "bandwidth", "cv", "width of that kernel: a number in the unit of the plane, cv (leave one out) or cvf (forward)")
	fl.Float64Var(&o.Backoff, "backoff-bandwidth", 0, "width of the kernel in count2kde; default: the same")
	fl.StringVar(&f.calibration, "calibration", "", "file for the chart of forecast against observed incidents, .svg")
	fl.StringVar(&f.lang, "lang", "en", "language of the chart: en, id or ms")
	fl.BoolVar(&f.json, "json", false, "one JSON document on standard output")
	return c
}

func (f *backtestFlags) run(c *cobra.Command) error {
	where, err := f.check()
	if err != nil {
		return usageError{err}
	}
	if f.options.Grid.Area, err = readRings(f.area); err != nil {
		return err
	}
	incidents, err := f.load(where)
	if err != nil {
		return err
	}
	bar := newStepProgress("back-test", f.options.Folds)
	f.options.Progress = func(done, folds int) { bar.at(int64(done), fmt.Sprintf("fold %d of %d", done, folds)) }
	result, err := risk.RunBacktest(c.Context(), incidents, f.options)
	bar.done()
	if errors.Is(err, risk.ErrNoHistory) {
		return fmt.Errorf("%s: %w; it has %d dated places, choose a later --from", f.incidents, err, len(incidents))
	}
	if err != nil {
		return err
	}
	if f.calibration != "" {
		if err := f.writeChart(result); err != nil {
			return err
		}
	}
	if f.json {
		return printJSON(c.OutOrStdout(), result)
	}
	return printBacktest(c.OutOrStdout(), result)
}

// check reads the flags that need no file.
func (f *backtestFlags) check() (where [][2]string, err error) {
	o := &f.options
	if f.incidents == "" {
		return nil, errors.New("--incidents must be given; sempadan backtest --help shows how")
	}
	from, err := time.Parse(time.DateOnly, f.from)
	if err != nil {
		return nil, fmt.Errorf("--from %q is not a date such as 2016-03-01", f.from)
	}
	o.From = risk.DayOf(from)
	if f.lang != "en" && f.lang != "id" && f.lang != "ms" {
		return nil, fmt.Errorf("--lang %s is not en, id or ms", f.lang)
	}
	if f.calibration != "" && filepath.Ext(f.calibration) != ".svg" {
		return nil, fmt.Errorf("--calibration %s: give a file that ends in .svg", f.calibration)
	}
	switch f.step {
	case "", "month":
		o.Monthly = f.step == "month"
	default:
		return nil, fmt.Errorf("--step %s is not month", f.step)
	}
	switch f.kernel {
	case "gaussian", "quartic":
		o.Quartic = f.kernel == "quartic"
	default:
		return nil, fmt.Errorf("--kernel %s is not gaussian or quartic", f.kernel)
	}
	o.Bandwidth = risk.Bandwidth{Rule: f.bandwidth}
	if h, err := strconv.ParseFloat(f.bandwidth, 64); err == nil {
		o.Bandwidth = risk.Bandwidth{Rule: risk.BandwidthFixed, Fixed: h}
	}
	for _, w := range f.where {
		column, value, ok := strings.Cut(w, "=")
		if !ok || column == "" {
			return nil, fmt.Errorf("--where %s: give COLUMN=VALUE", w)
		}
		where = append(where, [2]string{column, value})
	}
	return where, o.Check()
}

// writeChart writes the calibration chart.
func (f *backtestFlags) writeChart(b *risk.Backtest) error {
	chart := tiles.Calibration{Bands: b.Calibration, From: b.From, Until: b.Until, Folds: f.options.Folds, Lang: tiles.Lang(f.lang)}
	return output(f.calibration, nil, func(w io.Writer) error {
		_, err := w.Write(chart.SVG())
		return err
	})
}

func (f *backtestFlags) load(where [][2]string) ([]risk.Occurrence, error) {
	file, err := os.Open(f.incidents)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	places, skipped, err := data.ReadDated(file, data.DatedColumns{X: f.x, Y: f.y, Time: f.time, Where: where, Others: !f.only})
	if unknown := (*data.UnknownColumnError)(nil); errors.As(err, &unknown) {
		return nil, usageError{fmt.Errorf("%s: %w", f.incidents, err)}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.incidents, err)
	}
	if skipped > 0 {
		fmt.Fprintf(os.Stderr, "%s: %d rows without a date or a place are left out\n", f.incidents, skipped)
	}
	var out []risk.Occurrence
	for _, p := range places {
		e := risk.Occurrence{Day: risk.DayOf(p.Day), X: p.X, Y: p.Y}
		if p.Other {
			f.options.Others = append(f.options.Others, e)
		} else {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no dated places that match", f.incidents)
	}
	return out, nil
}

// readRings reads the rings of all polygons of a GeoJSON file; none for "".
func readRings(path string) ([]orb.Ring, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rings, err := data.PolygonRings(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rings, nil
}

// printBacktest writes the tables for people.
func printBacktest(w io.Writer, b *risk.Backtest) error {
	var out strings.Builder
	fmt.Fprintf(&out, "%d cells, %d incidents (%d outside the area), %d of them in the folds\n", b.Cells, b.Incidents, b.Dropped, b.Judged)
	if b.Judged == 0 {
		out.WriteString("No incident is dated in a fold: there is nothing to judge.\n")
		_, err := io.WriteString(w, out.String())
		return err
	}
	fmt.Fprintf(&out, "hit rate %% (95 %% interval) / PAI / PEI, at the share of the area\n\n%-10s", "model")
	shares := risk.AreaShares()
	for _, s := range shares {
		fmt.Fprintf(&out, "  %-30s", fmt.Sprintf("%g %%", 100*s))
	}
	out.WriteString("  mean\n")
	for _, name := range risk.BacktestModels() {
		m := b.Models[name]
		fmt.Fprintf(&out, "%-10s", name)
		for _, s := range shares {
			r := m.Shares[risk.ShareName(s)]
			fmt.Fprintf(&out, "  %-30s", fmt.Sprintf("%.1f (%.1f–%.1f) / %.2f / %.3f", 100**r.HitRate, 100*r.CI95[0], 100*r.CI95[1], *r.PAI, *r.PEI))
		}
		fmt.Fprintf(&out, "  %.2f\n", 100**m.MeanHitRate)
	}
	fmt.Fprintf(&out, "\nsempadan less %s, points (95 %% interval, paired by fold):", b.BestSimple)
	for _, name := range slices.Concat(shareNames(), []string{"mean"}) {
		l := b.Lead[name]
		fmt.Fprintf(&out, "  %s: %+.2f (%+.2f to %+.2f)", name, 100*l.Difference, 100*l.CI95[0], 100*l.CI95[1])
	}
	out.WriteByte('\n')
	_, err := io.WriteString(w, out.String())
	return err
}

func shareNames() (out []string) {
	for _, s := range risk.AreaShares() {
		out = append(out, risk.ShareName(s))
	}
	return out
}
