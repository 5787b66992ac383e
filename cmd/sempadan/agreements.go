package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/spf13/cobra"
)

func agreementsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "agreements", Short: "List and end sharing agreements", Args: cobra.NoArgs,
		Long: "List and end sharing agreements. They are proposed by an administrator of one country and signed by one of the other, with their keys: " +
			"POST /v1/agreements, then POST /v1/agreements/ID {\"decision\":\"approve\"}. Nobody signs here for either.",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(agreementsListCommand(), agreementsEndCommand())
	return c
}

func agreementsListCommand() *cobra.Command {
	var store string
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the agreements, newest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := openStore(c.Context(), store, true)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			list, err := api.StoredAgreements(c.Context(), s, time.Now())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]any{"agreements": list})
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "ID\tFROM\tTO\tSTATE\tUNTIL\tCELLS\tK\tLAYERS\tFIELDS\tPURPOSE")
			for _, a := range list {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%g km\t%d\t%s\t%s\t%s\n", a.ID, a.From, a.To, a.Status, a.ExpiresAt.Format(time.RFC3339), a.CellKM, a.K,
					orAll(a.Layers), orNone(a.Fields), a.Purpose)
			}
			return w.Flush()
		},
	}
	storeFlag(c, &store)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

func orAll(list []string) string {
	if len(list) == 0 {
		return "all"
	}
	return strings.Join(list, ",")
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ",")
}

func agreementsEndCommand() *cobra.Command {
	var store, country, agency string
	c := &cobra.Command{
		Use: "end ID", Short: "End an agreement at once, for one of its countries; while a service runs, use DELETE /v1/agreements/ID", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if country == "" || agency == "" {
				return usageError{errors.New("say for whom it ends: --country ID or MY, and --agency CODE")}
			}
			s, err := openStore(c.Context(), store, false)
			if err != nil {
				return fmt.Errorf("%w; while a service has the store open, end it there with DELETE /v1/agreements/%s", err, args[0])
			}
			defer func() { _ = s.Close() }()
			by := api.PartyWord{Country: country, Agency: agency, KeyID: "command line", At: time.Now().UTC().Truncate(time.Millisecond)}
			if err := api.EndStoredAgreement(c.Context(), s, args[0], by); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "agreement %s has ended\n", args[0])
			return err
		},
	}
	storeFlag(c, &store)
	c.Flags().StringVar(&country, "country", "", "for which country: ID or MY (must be given)")
	c.Flags().StringVar(&agency, "agency", "", "for which agency of it, such as BNPP or MAPO (must be given)")
	return c
}
