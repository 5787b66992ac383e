package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data"
	"github.com/spf13/cobra"
)

// auditFlags are those of serve.
type auditFlags struct {
	sinks  []string
	budget string
}

func (f *auditFlags) addTo(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.sinks, "audit-sink", nil, "file outside the store, on another disk, that takes a signed checkpoint of the audit log each minute; may be given more than once, and when none of them can be written no data are answered")
	c.Flags().StringVar(&f.budget, "read-budget", "", "HOUR/DAY: how many rows that are not public one key may read; default 1000000/5000000")
}

// options are nil for a service that asks nobody to sign in.
func (f auditFlags) options(signIn bool, keys string) (*api.AuditOptions, error) {
	if !signIn {
		if len(f.sinks) > 0 || f.budget != "" {
			return nil, usageError{errors.New("--audit-sink and --read-budget are for a service that people sign in to; make keys with sempadan keys create")}
		}
		return nil, nil
	}
	o := &api.AuditOptions{KeyFile: auditKeyPath(keys), Sinks: f.sinks}
	if f.budget != "" {
		var err error
		if o.Budget, err = api.ParseReadBudget(f.budget); err != nil {
			return nil, usageError{fmt.Errorf("--read-budget %w", err)}
		}
	}
	return o, nil
}

// auditKeyPath is the secret of the audit log that goes with a file of keys.
func auditKeyPath(keys string) string { return keys + ".audit" }

func auditCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "audit", Short: "Verify the audit log, and ask who saw a record", Args: cobra.NoArgs,
		Long: "Verify the audit log of a store, and ask who saw a record. The service may run meanwhile.",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(auditVerifyCommand(), auditExposureCommand(), auditKeyCommand())
	return c
}

// auditOf opens a store's log with the key that goes with it.
func auditOf(ctx context.Context, f keysFlags) (data.Store, *api.AuditKey, error) {
	key, err := api.ReadAuditKey(auditKeyPath(keysPath(f.keys, f.store)))
	if err != nil {
		return nil, nil, fmt.Errorf("%w; a service with keys makes it, --keys says where", err)
	}
	store, err := openStore(ctx, f.store, true)
	return store, key, err
}

func auditVerifyCommand() *cobra.Command {
	var f keysFlags
	var sinks []string
	var asJSON bool
	c := &cobra.Command{
		Use: "verify", Short: "Find the first entry that is not what was written", Args: cobra.NoArgs,
		Long: "Read the whole audit log and find the first entry that was edited, dropped, swapped or inserted. That entries were cut off its end, or that all of it was made anew, " +
			"only checkpoints that are kept elsewhere can tell: give their files with --checkpoint. Exit 1 when something is wrong.",
		RunE: func(c *cobra.Command, _ []string) error {
			store, key, err := auditOf(c.Context(), f)
			if err != nil {
				return err
			}
			defer func() { _ = store.Close() }()
			for _, path := range sinks {
				if err := mustExist(path); err != nil {
					return err
				}
			}
			bar := newProgress("verifying the audit log", -1)
			report, err := api.VerifyAudit(c.Context(), store, key, sinks)
			bar.done()
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(c.OutOrStdout(), report)
			} else {
				err = printVerdict(c.OutOrStdout(), report)
			}
			if err == nil && !report.OK {
				err = fmt.Errorf("the audit log is not what was written: %w", report.Fault)
			}
			return err
		},
	}
	f.add(c)
	c.Flags().StringArrayVar(&sinks, "checkpoint", nil, "file of checkpoints (an --audit-sink); may be given more than once")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

func printVerdict(w io.Writer, r api.AuditReport) error {
	state := "is whole"
	if !r.OK {
		state = "is NOT what was written: " + r.Fault.Error()
	}
	_, err := fmt.Fprintf(w, "the audit log %s; %d entries follow from one another, %d checkpoints agree", state, r.Entries, r.Checkpoints)
	if err == nil && len(r.Restores) > 0 {
		_, err = fmt.Fprintf(w, "; a backup was restored, say entries %v", r.Restores)
	}
	if err == nil && r.Unreadable > 0 {
		_, err = fmt.Fprintf(w, ", %d lines are no checkpoint", r.Unreadable)
	}
	if err == nil && r.Checkpoints == 0 && r.OK {
		_, err = fmt.Fprint(w, "; without checkpoints nothing tells whether its end was cut off")
	}
	if err == nil {
		_, err = fmt.Fprintln(w)
	}
	return err
}

func auditKeyCommand() *cobra.Command {
	var f keysFlags
	c := &cobra.Command{
		Use: "key", Short: "Print the public key of the checkpoints", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			key, err := api.ReadAuditKey(auditKeyPath(keysPath(f.keys, f.store)))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), key.PublicText())
			return err
		},
	}
	f.add(c)
	return c
}

func auditExposureCommand() *cobra.Command {
	var f keysFlags
	var layer, id, from, to string
	var asJSON bool
	c := &cobra.Command{
		Use: "exposure", Short: "Who read a record, and who could have", Args: cobra.NoArgs,
		Long: "Who read a record between two times, and who could have: from the log, the keys that were good then and who might see the layer then.",
		RunE: func(c *cobra.Command, _ []string) error {
			q := api.ExposureQuery{Layer: layer}
			var err error
			if q.From, q.To, err = api.ParsePeriod(from, to); err != nil {
				return usageError{fmt.Errorf("--%w", err)}
			}
			if q.To.IsZero() {
				q.To = time.Now().UTC()
			}
			if layer == "" || id == "" {
				return usageError{errors.New("give --layer and --id, the record's id or its number as fid:7")}
			}
			store, key, err := auditOf(c.Context(), f)
			if err != nil {
				return err
			}
			defer func() { _ = store.Close() }()
			if q.FID, err = recordNumber(c.Context(), store, layer, id); err != nil {
				return err
			}
			q.Key = key
			bar := newProgress("reading the audit log", -1)
			out, err := api.Expose(c.Context(), store, q)
			bar.done()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), out)
			}
			return printExposure(c.OutOrStdout(), out)
		},
	}
	f.add(c)
	c.Flags().StringVar(&layer, "layer", "", "layer of the record (must be given)")
	c.Flags().StringVar(&id, "id", "", "the record: its id, or its number as fid:7, which also finds one that is gone (must be given)")
	c.Flags().StringVar(&from, "from", "", "from then on: a day, or an instant such as 2026-11-26T08:00:00Z")
	c.Flags().StringVar(&to, "to", "", "before then; a day is in it whole")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

// recordNumber finds the number that a record has in its layer.
func recordNumber(ctx context.Context, store data.Store, layer, id string) (int64, error) {
	if number, ok := strings.CutPrefix(id, "fid:"); ok {
		fid, err := strconv.ParseInt(number, 10, 64)
		if err != nil || fid < 1 {
			return 0, usageError{fmt.Errorf("--id %s: give fid: and a number from 1 on", id)}
		}
		return fid, nil
	}
	l, err := store.Load(ctx, layer)
	if err != nil {
		return 0, err
	}
	found := []int64{}
	for row := range l.Len() {
		if l.ID(row) == id {
			found = append(found, l.FID(row))
		}
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("layer %s has %d records of this id now; name one by its number, as fid:7, which also finds one that is gone", layer, len(found))
	}
	return found[0], nil
}

func printExposure(out io.Writer, x api.Exposure) error {
	begins := "there is no audit log: nothing is known"
	if x.LogBegins != nil {
		begins = "the log begins " + x.LogBegins.Format(time.RFC3339)
	}
	fmt.Fprintf(out, "record %d of %s, %s to %s; %s, %d entries\n", x.FID, x.Layer, x.From.Format(time.RFC3339), x.To.Format(time.RFC3339), begins, x.Entries)
	if x.Public {
		fmt.Fprintln(out, "the layer was public for some of the time: everyone who signed in could read it")
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "READ BY\tROLE\tAGENCY\tCOUNTRY\tHOW\tTIMES\tFIRST\tLAST")
	for _, r := range x.Read {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", r.Actor, r.Role, r.Agency, r.Country, r.How, r.Times, r.First.Format(time.RFC3339), r.Last.Format(time.RFC3339))
	}
	fmt.Fprintln(w, "\nCOULD\tROLE\tAGENCY\tCOUNTRY\tSEES\t\tFROM\tTO")
	for _, c := range x.Could {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\t%s\t%s\n", c.Actor, c.Role, c.Agency, c.Country, c.Sees, c.From.Format(time.RFC3339), c.To.Format(time.RFC3339))
	}
	return w.Flush()
}

func mustExist(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("--checkpoint: %w", err)
	}
	return nil
}

// noteRestore carries the log of a replaced store over to the one that was
// restored, and puts the restore on it. Where it cannot be carried over, the entry
// says where that log ended: checkpoints of later entries are of that one.
func noteRestore(ctx context.Context, path, replaced string) (err error) {
	store, err := openStore(ctx, path, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	detail := "replaced=none"
	if replaced != "" {
		if detail, err = carryAudit(ctx, replaced, store); err != nil {
			return fmt.Errorf("the store is restored, but not the audit log of the one that it replaces; keep %s: %w", replaced, err)
		}
		if err := carryPrivacy(ctx, replaced, store); err != nil {
			return fmt.Errorf("the store is restored, but not the privacy ledger of the one that it replaces; keep %s: %w", replaced, err)
		}
	}
	head, err := store.AuditHead(ctx)
	if err == nil && (head.N > 0 || strings.HasPrefix(detail, "replaced_n=")) {
		_, err = store.AppendAudit(ctx, []data.AuditEntry{data.RestoredAudit(time.Now(), detail)})
	}
	return err
}

func carryAudit(ctx context.Context, replaced string, store data.Store) (detail string, err error) {
	old, err := openStore(ctx, replaced, true)
	if err != nil {
		return "replaced=unreadable", nil // which may be why it was replaced
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	n, ok, err := data.CarryAudit(ctx, old, store)
	if ok || err != nil {
		return fmt.Sprintf("carried=%d", n), err
	}
	head, err := old.AuditHead(ctx)
	return fmt.Sprintf("replaced_n=%d replaced_hash=%s", head.N, head.Hash), err
}
