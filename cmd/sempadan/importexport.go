package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/gpkg"
	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
	"github.com/spf13/cobra"
)

type importFlags struct {
	store, kind, mode, mapping, crs, tz, dateOrder, date, format, layer, title, profile string
	dryRun, strict, json                                                                bool
	hard                                                                                []string
	keepVersions                                                                        int
}

func importCommand() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use: "import LAYER FILE…", Short: "Import files into a layer", Args: cobra.MinimumNArgs(2),
		Long: "Import files into a layer of the store. A file is taken whole or not at all; every bad row is named. Of several files the first follows --mode, the others are appended.",
		RunE: func(c *cobra.Command, args []string) error { return importFiles(c, f, args[0], args[1:]) },
	}
	fl := c.Flags()
	storeFlag(c, &f.store)
	fl.StringVar(&f.kind, "kind", "", "what the features are: incident, crossing, water_crossing, illegal_port, patrol_track, post, boundary, area, other")
	fl.StringVar(&f.mode, "mode", "replace", "replace, append or upsert")
	fl.StringVar(&f.mapping, "map", "", "fields and their columns: field:column,… or field:=value")
	fl.StringVar(&f.profile, "profile", "", "named profile of the columns: aggregate_statistics, earthranger, missing_migrants, smart, or one of the store")
	fl.StringVar(&f.crs, "crs", "", "coordinate reference system of the file")
	fl.StringVar(&f.tz, "tz", "", "zone of times that carry none, such as Asia/Kuching")
	fl.StringVar(&f.dateOrder, "date-order", "", "dmy, mdy or ymd")
	fl.StringVar(&f.date, "date", "", "date of tracks with times of day only, YYYY-MM-DD")
	fl.StringVar(&f.format, "format", "", "geojson, geojsonseq, csv, gpx, kml, gpkg, shp or fgb; default: what the file is")
	fl.StringVar(&f.layer, "layer", "", "which layer of a file that has several")
	fl.StringVar(&f.title, "title", "", "name of the layer for people")
	fl.BoolVar(&f.dryRun, "dry-run", false, "report only; store nothing")
	fl.BoolVar(&f.strict, "strict", false, "refuse a file with columns that must not be stored")
	fl.StringSliceVar(&f.hard, "hard", nil, "checks on meaning that keep rows out instead of warning: "+strings.Join(data.CheckCodes(), ", "))
	fl.IntVar(&f.keepVersions, "keep-versions", gpkg.DefaultKeepVersions, "versions of the layer that are kept, the newest included")
	fl.BoolVar(&f.json, "json", false, "one JSON document on standard output")
	return c
}

func (f importFlags) revision(layer string) (data.Revision, error) {
	mapping, err := data.ParseMapping(f.mapping)
	if err != nil {
		return data.Revision{}, usageError{fmt.Errorf("--map: %w", err)}
	}
	mode := data.Mode(f.mode)
	if mode != data.Replace && mode != data.Append && mode != data.Upsert {
		return data.Revision{}, usageError{fmt.Errorf("--mode %s is not replace, append or upsert", f.mode)}
	}
	return data.Revision{
		ID: layer, Title: f.title, Kind: geo.LayerKind(f.kind), Mode: mode, User: "local",
		Import: data.ImportOptions{
			Format: f.format, Layer: f.layer, GeoPackage: gpkg.Files{}, Mapping: mapping, CRS: f.crs, TZ: f.tz, DateOrder: data.DateOrder(f.dateOrder),
			Date: f.date, Strict: f.strict, Now: time.Now().UTC(), Limits: data.FileLimits(),
			Check: layers.Checker(), Hard: f.hard,
		},
	}, nil
}

// importGCPercent trades time for memory: an import holds the whole layer.
const importGCPercent = 30

func importFiles(c *cobra.Command, f importFlags, layer string, files []string) error {
	rev, err := f.revision(layer)
	if err != nil {
		return err
	}
	store, err := openKept(c.Context(), f.store, gpkg.Options{KeepVersions: f.keepVersions, ReadOnly: f.dryRun})
	switch {
	case err == nil:
		defer func() { _ = store.Close() }()
	case !f.dryRun || !errors.Is(err, fs.ErrNotExist): // a dry run makes no store
		return err
	}
	debug.SetGCPercent(importGCPercent)
	if f.profile != "" {
		profile, err := data.FindProfile(c.Context(), store, f.profile)
		if err != nil {
			return usageError{fmt.Errorf("--profile: %w", err)}
		}
		profile.Apply(&rev.Import)
		if rev.Kind == "" {
			rev.Kind = profile.Kind
		}
	}
	var reports []*data.Report
	for i, file := range files {
		if i > 0 && rev.Mode == data.Replace && !f.dryRun {
			rev.Mode = data.Append
		}
		report, err := importFile(c.Context(), store, rev, file, f.dryRun)
		if refusal := (*data.Refusal)(nil); errors.As(err, &refusal) && refusal.Report != nil {
			report = refusal.Report
		}
		if report != nil {
			reports = append(reports, report)
			if !f.json {
				printReport(c.OutOrStdout(), file, report)
			}
		}
		if err != nil {
			if errors.Is(err, context.Canceled) {
				err = errors.New("stopped; nothing of it is stored")
			}
			if f.json {
				_ = printJSON(c.OutOrStdout(), map[string]any{"error": err.Error(), "reports": reports})
			}
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if f.json {
		if len(reports) == 1 {
			return printJSON(c.OutOrStdout(), reports[0])
		}
		return printJSON(c.OutOrStdout(), reports)
	}
	return nil
}

func importFile(ctx context.Context, store data.Store, rev data.Revision, path string, dryRun bool) (*data.Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	old, stored, err := layerNow(ctx, store, rev.ID)
	if err != nil {
		return nil, err
	}
	size := int64(-1)
	if st, err := file.Stat(); err == nil && st.Mode().IsRegular() {
		size = st.Size()
	}
	bar := newProgress("reading "+filepath.Base(path), size)
	sum := sha256.New()
	rev.Import.Filename = filepath.Base(path)
	start := time.Now()
	rev.Import.Progress = func(p data.Progress) { bar.at(p.Bytes, rowsNote(p, size, time.Since(start))) }
	rows, report, err := rev.Read(ctx, io.TeeReader(file, sum), old)
	bar.done()
	if err != nil || dryRun {
		if report != nil {
			report.DryRun = dryRun
		}
		if err == nil {
			diff := data.CompareChange(old, data.Change{Mode: rev.Mode, Rows: rows})
			report.Diff = &diff
		}
		return report, err
	}
	rev.SHA256 = hex.EncodeToString(sum.Sum(nil))
	change, err := rev.Change(old, stored, rows, report)
	if err != nil {
		return report, err
	}
	bar = newProgress(fmt.Sprintf("writing %d features", change.Rows.Len()), -1)
	_, err = store.Commit(ctx, change)
	bar.done()
	return report, err
}

// rowsNote says how many rows are read, how fast, and how long the rest takes.
func rowsNote(p data.Progress, size int64, took time.Duration) string {
	note := fmt.Sprintf("%d rows, %.0f a second", p.Rows, float64(p.Rows)/max(took.Seconds(), 1e-3))
	if p.Bytes > 0 && size > p.Bytes {
		left := time.Duration(float64(took) * float64(size-p.Bytes) / float64(p.Bytes))
		note += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return note
}

// layerNow returns a layer as it is: stored (in a store that may be nil),
// shipped with the program, or nil.
func layerNow(ctx context.Context, store data.Store, id string) (l *geo.Layer, stored bool, err error) {
	if store != nil {
		l, err = store.Load(ctx, id)
		if err == nil {
			return l, true, nil
		}
		if !errors.Is(err, data.ErrNotFound) {
			return nil, false, err
		}
	}
	for _, info := range layers.Builtin() {
		if info.ID == id {
			l, err := layers.Load(id)
			return l, false, err
		}
	}
	return nil, false, nil
}

func printReport(w io.Writer, file string, r *data.Report) {
	verb := "accepted"
	if r.DryRun {
		verb = "would be accepted"
	}
	fmt.Fprintf(w, "%s (%s): %d %s, %d quarantined, %d rejected, in %.0f ms\n", file, r.Format, r.Accepted, verb, r.Quarantined, r.Rejected, r.TookMS)
	if d := r.Diff; d != nil {
		fmt.Fprintf(w, "  nothing is stored; %d would be added, %d changed, %d removed, %d stay as they are\n", d.Added, d.Changed, d.Removed, d.Unchanged)
		printDiff(w, d)
	}
	if len(r.Defaults) > 0 {
		fmt.Fprintf(w, "  filled in: %s\n", strings.Join(r.Defaults, ", "))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "  warning %s (%d): %s\n", warning.Code, warning.Count, warning.Message)
	}
	for i, row := range r.Rows {
		if i == 20 {
			fmt.Fprintf(w, "  … and more; --json has them\n")
			break
		}
		fmt.Fprintf(w, "  row %d, %s: %s\n", row.Row, row.Field, row.Message)
	}
}

// printDiff lists the first features that a change would touch.
func printDiff(w io.Writer, d *data.Diff) {
	for i, row := range d.Rows {
		if i == 20 {
			fmt.Fprintf(w, "  … and more; --json has up to %d of each sort\n", data.MaxDiffRows)
			break
		}
		name := row.ID
		if name == "" {
			name = fmt.Sprintf("fid:%d", row.FID)
		}
		fmt.Fprintf(w, "  %s %s", row.Change, name)
		if len(row.Fields) > 0 {
			fmt.Fprintf(w, " (%s)", strings.Join(row.Fields, ", "))
		}
		fmt.Fprintln(w)
	}
}

func exportCommand() *cobra.Command {
	var store, format, out string
	var asJSON bool
	c := &cobra.Command{
		Use: "export LAYER", Short: "Write a layer to a file", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON && (out == "" || out == "-") {
				return usageError{errors.New("--json needs a file to write the layer to: -o FILE")}
			}
			s, err := openStore(c.Context(), store, true)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			l, _, err := layerNow(c.Context(), s, args[0])
			if err != nil {
				return err
			}
			if l == nil {
				return fmt.Errorf("there is no layer %q in %s", args[0], store)
			}
			if format == "" {
				format = formatOf(out)
			}
			bar := newProgress(fmt.Sprintf("writing %d features", l.Len()), -1)
			err = output(out, c.OutOrStdout(), func(w io.Writer) error {
				if format == "pmtiles" {
					return exportTiles(c.Context(), w, l)
				}
				return data.Export{Layer: l, GeoPackage: gpkg.Files{}}.Write(c.Context(), w, format)
			})
			bar.done()
			if err != nil || !asJSON {
				return err
			}
			return printJSON(c.OutOrStdout(), map[string]any{"layer": args[0], "version": l.Info.Version, "features": l.Len(), "format": format, "file": out})
		},
	}
	storeFlag(c, &store)
	c.Flags().StringVar(&format, "format", "", strings.Join(append(data.ExportFormats(), "pmtiles"), ", ")+"; default: by the file's ending")
	c.Flags().StringVarP(&out, "output", "o", "", "file to write; default: standard output")
	c.Flags().BoolVar(&asJSON, "json", false, "what was written as one JSON document on standard output; needs -o")
	return c
}

// exportTiles writes a layer as an archive of vector tiles.
func exportTiles(ctx context.Context, w io.Writer, l *geo.Layer) error {
	const maxZoom = 10
	spool, err := os.CreateTemp("", "sempadan-tiles-*")
	if err != nil {
		return fmt.Errorf("make the archive: %w", err)
	}
	defer func() {
		_ = spool.Close()
		_ = os.Remove(spool.Name())
	}()
	return api.WriteLayerPMTiles(ctx, w, spool, api.LayerArchive{Layer: l, MaxZoom: maxZoom})
}

// formatOf is the format that a file's ending stands for.
func formatOf(path string) string {
	switch ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), ".")); ext {
	case "", "json":
		return data.FormatGeoJSON
	case "zip":
		return data.FormatShapefile
	default:
		return ext
	}
}
