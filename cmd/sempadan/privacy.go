package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data"
	"github.com/spf13/cobra"
)

// privacyPath is where the ledger of public releases is kept beside the keys.
func privacyPath(keys, store string) string { return keysPath(keys, store) + ".privacy" }

func privacyLedgerCommand() *cobra.Command {
	var store, keys string
	var asJSON bool
	c := &cobra.Command{
		Use: "privacy-ledger", Short: "List the releases of the public map and what they cost", Args: cobra.NoArgs,
		Long: "List the releases of the public map, oldest first, with the differential privacy that each cost. A quarter has one release at most, a year four. " +
			"The ledger is in the store and in a file beside the keys (STORE.keys.privacy); what either knows counts.",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := openStore(c.Context(), store, true)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			ledger, err := api.StoredPrivacyLedger(c.Context(), s, privacyPath(keys, store))
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]any{"ledger": append([]api.PrivacySpend{}, ledger...)})
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "QUARTER\tMADE\tFROM\tUNTIL\tEPSILON\tSHA256")
			for _, e := range ledger {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%g\t%s\n", e.Quarter.Format(time.DateOnly), e.MadeAt.Format(time.RFC3339),
					e.From.Format(time.DateOnly), e.Until.Format(time.DateOnly), e.Epsilon, e.SHA256)
			}
			return w.Flush()
		},
	}
	storeFlag(c, &store)
	c.Flags().StringVar(&keys, "keys", "", "file of the keys; default: the store's name with .keys")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

// carryPrivacy keeps what a replaced store knows of public releases.
func carryPrivacy(ctx context.Context, replaced string, store data.Store) (err error) {
	old, err := openStore(ctx, replaced, true)
	if err != nil {
		return nil // unreadable, which may be why it was replaced; the file beside the keys has the ledger
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	return api.CarryPrivacyLedger(ctx, old, store)
}
