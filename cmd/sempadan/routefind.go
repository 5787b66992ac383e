package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/route"
	"github.com/spf13/cobra"
)

// routeFindFlags are those of the commands that ask for ways.
type routeFindFlags struct {
	assessFlags
	q                                 api.RouteQuestion
	from, to, theta, depart, out      string
	modes, avoid                      []string
	origins, destinations, crossings  []string
	stretch, cellM, protect, gamma, s float64
	k                                 int
	json, minCut                      bool
}

func (f *routeFindFlags) addCommon(c *cobra.Command) {
	f.add(c)
	fl := c.Flags()
	fl.StringSliceVar(&f.modes, "mode", nil, "foot, motorcycle, river_boat, sea_boat, or several together with commas; default: all")
	fl.StringVar(&f.theta, "theta", "", "hours that a unit of -ln(1-p) of being met is worth: 0 is fastest, inf is met least")
	fl.StringSliceVar(&f.avoid, "avoid", nil, "layers of areas where nobody passes")
	fl.Float64Var(&f.cellM, "cell-m", 1000, "metres between the nodes of the graph")
	fl.BoolVar(&f.json, "json", false, "one JSON document on standard output")
	fl.StringVarP(&f.out, "output", "o", "", "file to write: .geojson, .gpx or .json")
}

func (f *routeFindFlags) addEnds(c *cobra.Command) {
	c.Flags().StringVar(&f.from, "from", "", "where the way begins: longitude,latitude")
	c.Flags().StringVar(&f.to, "to", "", "where it ends: longitude,latitude")
	c.Flags().StringVar(&f.depart, "depart", "", "when the traveller starts, such as 2026-11-22T20:00:00+08:00; default: at no hour in particular")
}

func (f *routeFindFlags) addMatrix(c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVar(&f.origins, "origin", nil, "an origin, longitude,latitude; may be given again")
	fl.StringArrayVar(&f.destinations, "destination", nil, "a destination, longitude,latitude; may be given again")
	fl.StringArrayVar(&f.crossings, "crossing", nil, "a place that ways pass; may be given again; default: the border sections")
	fl.BoolVar(&f.minCut, "min-cut", false, "also the fewest squares of ground that all ways pass")
	fl.Float64Var(&f.stretch, "stretch", 1.5, "leave out ways that cost more than so many times the least of their pair")
}

func routeFindCommand() *cobra.Command {
	var f routeFindFlags
	c := &cobra.Command{
		Use: "find", Short: "Find the fastest way, the one that is met least, or what lies between", Args: cobra.NoArgs,
		Long: "Find ways between two places. Without --theta, --k and --front: the fastest and the one that patrols meet least. Ways are a manual for offenders: do not pass them on.",
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.addCommon(c)
	f.addEnds(c)
	c.Flags().IntVar(&f.q.K, "k", 0, "so many ways that differ, with how often each is chosen")
	c.Flags().BoolVar(&f.q.Front, "front", false, "the ways from the fastest to the one that is met least")
	c.Flags().BoolVar(&f.q.Corridor, "corridor", false, "also how ways spread, and where many pass")
	return c
}

func routeMatrixCommand() *cobra.Command {
	var f routeFindFlags
	c := &cobra.Command{
		Use: "matrix", Short: "Find the ways between many places, by each crossing", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.addCommon(c)
	f.addMatrix(c)
	return c
}

func routeInterdictCommand() *cobra.Command {
	var f routeFindFlags
	c := &cobra.Command{
		Use: "interdict", Short: "Say which crossings or stretches to protect so that the fewest get through", Args: cobra.NoArgs,
		Long: "Say what to protect: with --origin and --destination which crossings, with --from and --to which squares of ground.",
		RunE: func(c *cobra.Command, _ []string) error {
			f.q.Interdict = &api.InterdictQuestion{K: f.k, Protect: f.protect, Gamma: f.gamma, SideM: f.s}
			return f.run(c)
		},
	}
	f.addCommon(c)
	f.addEnds(c)
	f.addMatrix(c)
	fl := c.Flags()
	fl.IntVar(&f.k, "k", 3, "how many to protect")
	fl.Float64Var(&f.protect, "protect", 0.5, "chance that a protected one meets who passes")
	fl.Float64Var(&f.gamma, "gamma", 0, "how rational travellers are; 0: wholly")
	fl.Float64Var(&f.s, "side-m", 5000, "side of the squares of ground")
	return c
}

// question is what the flags ask.
func (f *routeFindFlags) question() error {
	q := &f.q
	q.Mode = f.modes
	if f.theta != "" {
		q.Theta = new(api.Theta)
		text := f.theta
		if text == "inf" {
			text = `"inf"`
		}
		if err := q.Theta.UnmarshalJSON([]byte(text)); err != nil {
			return usageError{fmt.Errorf("--theta %s is neither a number nor inf", f.theta)}
		}
	}
	if f.depart != "" {
		q.Depart = new(api.Departure)
		if err := q.Depart.UnmarshalJSON([]byte(strconv.Quote(f.depart))); err != nil {
			return usageError{fmt.Errorf("--depart %s is no instant such as 2026-11-22T20:00:00+08:00", f.depart)}
		}
	}
	for _, id := range f.avoid {
		q.Avoid = append(q.Avoid, api.Barrier{Layer: id})
	}
	for _, end := range []struct {
		name, text string
		into       **api.Place
	}{{"from", f.from, &q.From}, {"to", f.to, &q.To}} {
		if end.text != "" {
			p, err := parsePlace(end.name, end.text)
			if err != nil {
				return err
			}
			*end.into = p
		}
	}
	if len(f.origins)+len(f.destinations) > 0 {
		q.Matrix = &api.MatrixQuestion{Stretch: f.stretch, MinCut: f.minCut}
		for _, list := range []struct {
			name  string
			texts []string
			into  *[]api.Place
		}{{"origin", f.origins, &q.Matrix.Origins}, {"destination", f.destinations, &q.Matrix.Destinations}, {"crossing", f.crossings, &q.Matrix.Crossings}} {
			for _, text := range list.texts {
				p, err := parsePlace(list.name, text)
				if err != nil {
					return err
				}
				*list.into = append(*list.into, *p)
			}
		}
	}
	if err := q.Check(); err != nil {
		return usageError{err}
	}
	return nil
}

func (f *routeFindFlags) run(c *cobra.Command) error {
	ext := strings.ToLower(filepath.Ext(f.out))
	switch {
	case f.out != "" && ext != ".geojson" && ext != ".gpx" && ext != ".json":
		return usageError{fmt.Errorf("-o %s: give a file that ends in .geojson, .gpx or .json", f.out)}
	case !(f.cellM >= 200 && f.cellM <= 20_000):
		return usageError{fmt.Errorf("--cell-m %g: give 200 to 20000", f.cellM)}
	}
	if err := f.question(); err != nil {
		return err
	}
	if f.q.Matrix != nil && (ext == ".geojson" || ext == ".gpx") {
		return usageError{errors.New("-o: a matrix has no lines; give a file that ends in .json")}
	}
	a, g, err := f.laidGraph(c.Context(), f.cellM)
	if err != nil {
		return err
	}
	found, err := f.q.Answer(c.Context(), a, g)
	if err != nil {
		return err
	}
	if ext == ".geojson" || ext == ".gpx" {
		body, err := found.Render(ext[1:], geo.ExportMark{})
		if err != nil {
			return err
		}
		if err := output(f.out, nil, func(w io.Writer) error { _, err := w.Write(body); return err }); err != nil {
			return err
		}
	}
	if f.json || ext == ".json" {
		to := f.out
		if ext != ".json" {
			to = ""
		}
		return output(to, c.OutOrStdout(), func(w io.Writer) error { return printJSON(w, found) })
	}
	return printFound(c.OutOrStdout(), found)
}

func printFound(w io.Writer, found *api.RouteAnswer) error {
	var b strings.Builder
	for i, way := range found.Ways {
		fmt.Fprintf(&b, "%d. %-11s %.1f km, %.1f h, met %s (%s to %s)", i+1, way.Kind, way.LengthM/1000, way.Hours,
			percent(way.PDetected.Mean), percent(way.PDetected.Low), percent(way.PDetected.High))
		if way.P != nil {
			fmt.Fprintf(&b, ", chosen %s", percent(*way.P))
		}
		for _, x := range way.Borders {
			fmt.Fprintf(&b, "; %s to %s at %.4f,%.4f", orSea(x.From), orSea(x.To), x.At[0], x.At[1])
		}
		b.WriteByte('\n')
	}
	if found.HourWhy != "" {
		fmt.Fprintf(&b, "%s\n", found.HourWhy)
	}
	if found.Evasion != nil {
		fmt.Fprintf(&b, "gets through: %s\n", percent(*found.Evasion))
	}
	if m := found.Matrix; m != nil {
		for _, e := range m.Entries {
			fmt.Fprintf(&b, "origin %d, destination %d, by %s at %.4f,%.4f: %.1f h, met %s\n", e.Origin+1, e.Destination+1,
				sectionOr(m.Crossings[e.Crossing].SectionID), e.At[0], e.At[1], e.Hours, percent(e.PDetected))
		}
	}
	cut := found.MinCut
	if c := found.Corridor; c != nil {
		cut = c.MinCut
	}
	if cut != nil {
		fmt.Fprintf(&b, "%d squares of %g m part the ends, for ways that cost up to %g times the least (%s)\n", len(cut.Squares), cut.SideM, cut.Reach, cut.Why)
		for _, s := range cut.Squares {
			fmt.Fprintf(&b, "  around %.4f,%.4f %s: %s of the ways, %s of those who get through\n", s.At[0], s.At[1], s.SectionID, percent(s.Passages), percent(s.EvasionShare))
		}
	}
	if i := found.Interdict; i != nil {
		fmt.Fprintf(&b, "protect %d %s: gets through %s before, %s after", len(i.Elements), i.Of, percent(i.Before), percent(i.After))
		if i.Exact {
			b.WriteString(" (no other choice of as many does better)")
		} else {
			fmt.Fprintf(&b, " (no choice leaves less than %s)", percent(i.Bound))
		}
		b.WriteByte('\n')
		for k, s := range i.Segments {
			fmt.Fprintf(&b, "  %d. the square around %.4f,%.4f %s\n", k+1, s.At[0], s.At[1], s.SectionID)
		}
		for k, x := range i.Crossings {
			fmt.Fprintf(&b, "  %d. %s\n", k+1, sectionOr(x.SectionID))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orSea(country string) string {
	if country == "" {
		return "the sea"
	}
	return country
}

func sectionOr(id string) string {
	if id == "" {
		return "outside of all sections"
	}
	return "section " + id
}

func routeWhatIfCommand() *cobra.Command {
	var f assessFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "whatif QUESTION.json", Short: "Compare the border with what it would be with other posts, patrols and sensors", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			raw, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			var q api.WhatIfQuestion
			dec := json.NewDecoder(strings.NewReader(string(raw)))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&q); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			a, err := f.assess(c.Context(), nil)
			if err != nil {
				return err
			}
			o := route.DefaultGraphOptions()
			o.CellM = api.WhatIfCellM
			out, err := q.Answer(c.Context(), a, func(id string) *geo.Layer {
				for _, l := range a.Layers() {
					if l.Info.ID == id {
						return l
					}
				}
				return nil
			}, func() (*route.Graph, error) { return route.NewGraph(c.Context(), a, o) })
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), out)
			}
			return printWhatIf(c.OutOrStdout(), out)
		},
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

func printWhatIf(w io.Writer, out *api.WhatIfAnswer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "undetected incidents in 30 days: %.3f before, %.3f after\n", out.ResidualBefore, out.ResidualAfter)
	for _, s := range out.Sections {
		fmt.Fprintf(&b, "%s %s: %.3f to %.3f, level %s to %s\n", s.ID, s.Name, s.ResidualBefore.Mean, s.ResidualAfter.Mean, s.LevelBefore, s.LevelAfter)
	}
	if d := out.Displacement; d != nil {
		fmt.Fprintf(&b, "gets through: %s before, %s after; %s of travellers cross elsewhere\n", percent(d.EvasionBefore), percent(d.EvasionAfter), percent(d.Diverted))
		for _, s := range d.Shifts {
			fmt.Fprintf(&b, "  by %s: %s to %s\n", sectionOr(s.SectionID), percent(s.Before), percent(s.After))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
