package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
	"github.com/spf13/cobra"
)

// planFlags change what UNITS.json says.
type planFlags struct {
	assessFlags
	out, unit, start string
	lang             string
	days             int
	json             bool
}

func planCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use: "plan UNITS.json", Short: "Plan patrols: who goes where and when, and how far that is from the best", Args: cobra.ExactArgs(1),
		Long: `Plan patrols. UNITS.json is what POST /v1/plans takes, or just the array of units:

  {"units":[{"id":"KP-1","country":"ID","base":[117.6,3.3],"mode":"sea_boat","hours":40,"speed_kmh":30,
    "sweep_width_m":2000,"sweep_width_night_m":600,"weather_factors":[0.5,0.25]}],
   "window_days":7,"weather":[{"from":"2026-11-30T00:00:00Z","until":"2026-12-01T00:00:00Z","wind_kt":20,"sea_ft":3}]}

Only id, country, base, mode, hours and speed_kmh are needed. By night, by the sun at
each section, and in rough and worse weather a unit sees less: as it says, else as
the model says of its mode.

-o writes by the ending of the file: .json, .geojson, .gpx, .kml or .csv.`,
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains([]string{"en", "id", "ms"}, f.lang) {
				return usageError{fmt.Errorf("--lang %s is not en, id or ms", f.lang)}
			}
			format, err := f.format()
			if err != nil {
				return err
			}
			q, err := f.request(c, args[0])
			if err != nil {
				return err
			}
			a, err := f.assess(c.Context(), nil)
			if err != nil {
				return err
			}
			p, err := q.Make(c.Context(), a, time.Now())
			if err != nil {
				return err
			}
			return f.write(c.OutOrStdout(), p.In(tiles.Lang(f.lang)), format)
		},
	}
	f.add(c)
	c.Flags().StringVarP(&f.out, "output", "o", "", "file to write: .json, .geojson, .gpx, .kml or .csv")
	c.Flags().StringVar(&f.unit, "unit", "", "only the sorties of this unit")
	c.Flags().StringVar(&f.start, "start", "", "first hour, RFC 3339; default: that of the file, else the next full hour")
	c.Flags().StringVar(&f.lang, "lang", "en", "language of the reasons: en, id or ms")
	c.Flags().IntVar(&f.days, "window-days", 0, "days to plan for, 1 to 14; default: that of the file, else 7")
	c.Flags().BoolVar(&f.json, "json", false, "one JSON document on standard output")
	return c
}

// format is that of the file to write; json without one.
func (f planFlags) format() (api.PlanFormat, error) {
	if f.out == "" || f.out == "-" {
		return api.PlanJSON, nil
	}
	format := api.PlanFormat(strings.ToLower(strings.TrimPrefix(filepath.Ext(f.out), ".")))
	if !slices.Contains(api.PlanFormats(), format) {
		return "", usageError{fmt.Errorf("-o %s: name a file that ends in .json, .geojson, .gpx, .kml or .csv", f.out)}
	}
	return format, nil
}

const mostUnitsFile = 1 << 20

func (f planFlags) request(c *cobra.Command, path string) (q api.PlanRequest, err error) {
	file, err := os.Open(path)
	if err != nil {
		return q, fmt.Errorf("read the units: %w", err)
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, mostUnitsFile+1))
	if err != nil {
		return q, fmt.Errorf("read the units: %w", err)
	}
	if len(raw) > mostUnitsFile {
		return q, fmt.Errorf("%s is over 1 MiB; give fewer units", path)
	}
	if q, err = api.ReadPlanRequest(raw); err != nil {
		return q, fmt.Errorf("%s: %w", path, err)
	}
	if f.start != "" {
		t, err := time.Parse(time.RFC3339, f.start)
		if err != nil {
			return q, usageError{fmt.Errorf("--start %s is not an instant such as 2026-11-30T00:00:00Z", f.start)}
		}
		q.Start = &t
	}
	if c.Flags().Changed("window-days") {
		q.WindowDays = &f.days
	}
	return q, nil
}

func (f planFlags) write(stdout io.Writer, p *api.PlanAnswer, format api.PlanFormat) error {
	file := f.out != "" && f.out != "-"
	if file || f.json || f.out == "-" {
		body, err := p.Render(format, f.unit, geo.ExportMark{})
		if err != nil {
			return err
		}
		if err := output(f.out, stdout, func(w io.Writer) error {
			_, err := w.Write(body)
			return err
		}); err != nil || !f.json {
			return err
		}
		if !file {
			return nil
		}
		whole, err := p.Render(api.PlanJSON, f.unit, geo.ExportMark{})
		if err != nil {
			return err
		}
		_, err = stdout.Write(whole)
		return err
	}
	return printPlan(stdout, p, f.unit)
}

// printPlan writes a plan for people.
func printPlan(w io.Writer, p *api.PlanAnswer, unit string) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	b, a := p.Before, p.After
	say("%d days from %s, all times UTC", p.WindowDays, p.Start.Format("2006-01-02 15:04"))
	say("expected undetected incidents: %.3g (%.3g to %.3g) before, %.3g (%.3g to %.3g) after", b.Mean, b.Lo80, b.Hi80, a.Mean, a.Lo80, a.Hi80)
	say("met: %.4g; no plan of these units on these beats meets more than %.4g (%.1f %% more), none on any route more than %.4g", p.Met, p.UpperBound, p.GapPercent, p.Bounds.AnyRoute)
	say("exploration: %.0f hours of %.1f wanted", p.Exploration.Hours, p.Exploration.WantedH)
	for _, x := range p.Exploration.Visited {
		say("  explores %s for %.1f h: %s", x.Section, x.Hours, x.Why)
	}
	for _, why := range p.Because {
		say("partial (%s): %s", why.Code, why.Text)
	}
	for _, u := range p.Unused {
		say("not used: %s (%s): %s", u.Unit, u.Reason, u.Text)
	}
	say("")
	say("unit\tdeparts\ton beat\toff beat\treturns\tsections\tmet")
	for _, s := range p.Sorties {
		if unit != "" && s.Unit != unit {
			continue
		}
		notes := ""
		if s.Explores {
			notes += " explores"
		}
		if s.Joint {
			notes += " joint"
		}
		say("%s\t%s\t%s\t%s\t%s\t%s\t%.3g%s", s.Unit, s.Departs.Format("Mon 02 Jan 15:04"), s.OnBeat.Format("15:04"), s.OffBeat.Format("15:04"), s.Returns.Format("15:04"),
			strings.Join(s.Sections, " "), s.Met, notes)
		for _, v := range s.Visits {
			var where []string
			for _, x := range v.Sections {
				where = append(where, fmt.Sprintf("%s %.1f h", x.Section, x.Hours))
			}
			if len(s.Visits) > 1 {
				say("\t\t%s\t%s\t\t%s\t%.3g", v.Arrives.Format("15:04"), v.Leaves.Format("15:04"), strings.Join(where, " "), v.Met)
			}
		}
	}
	return out.Flush()
}
