package main

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/spf13/cobra"
)

// keysFlags say where the keys are: in a file of their own beside the store.
type keysFlags struct{ store, keys string }

func (f keysFlags) file() api.KeyFile { return api.KeyFile{Path: keysPath(f.keys, f.store)} }

// keysPath is the file of keys that goes with a store.
func keysPath(keys, store string) string {
	if keys != "" {
		return keys
	}
	if strings.Contains(store, "://") {
		return "sempadan.keys"
	}
	return store + ".keys"
}

func (f *keysFlags) add(c *cobra.Command) {
	storeFlag(c, &f.store)
	c.Flags().StringVar(&f.keys, "keys", "", "file of the keys; default: the store's name with .keys")
}

func keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "keys", Short: "Make, list and revoke API keys", Args: cobra.NoArgs,
		Long: "Make, list and revoke API keys. A service whose file of keys is there asks everyone for one (Authorization: Bearer ...); " +
			"it follows a change of the file within five seconds.",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(keysCreateCommand(), keysListCommand(), keysRevokeCommand())
	return c
}

func keysCreateCommand() *cobra.Command {
	var f keysFlags
	var q api.KeyRequest
	var scopes []string
	var asJSON bool
	c := &cobra.Command{
		Use: "create", Short: "Make a key and print it, once", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			info, token, err := f.file().Create(q, time.Now(), scopes...)
			if err != nil {
				return usageError{err}
			}
			if asJSON {
				made := map[string]any{"id": info.ID, "key": token, "role": info.Role,
					"agency": info.Agency, "country": info.Country, "expires_at": info.ExpiresAt}
				if len(scopes) > 0 {
					made["scopes"] = scopes
				}
				return printJSON(c.OutOrStdout(), made)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s\nkey %s of %s (%s), %s, good until %s; it is shown this once\n",
				token, info.ID, info.Agency, info.Country, info.Role, info.ExpiresAt.Format(time.DateOnly))
			return err
		},
	}
	f.add(c)
	c.Flags().StringVar((*string)(&q.Role), "role", "", "viewer, contributor, planner, analyst or admin (must be given)")
	c.Flags().StringVar(&q.Agency, "agency", "", "the agency's code, such as POLRI or MMEA (must be given)")
	c.Flags().StringVar(&q.Country, "country", "", "ID or MY (must be given)")
	c.Flags().IntVar(&q.Days, "days", 0, "how many days the key is good for, 1 to 365 (must be given)")
	c.Flags().StringSliceVar(&scopes, "scope", nil, "narrow the key: read (nothing is changed), layer:ID, surface:NAME (those alone); may be repeated")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

func keysListCommand() *cobra.Command {
	var f keysFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the keys, without their secrets", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := f.file().List()
			if err != nil {
				return err
			}
			if asJSON {
				if list == nil {
					list = []api.KeyInfo{}
				}
				return printJSON(c.OutOrStdout(), map[string]any{"keys": list})
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "ID\tROLE\tAGENCY\tCOUNTRY\tSCOPES\tGOOD UNTIL\tSTATE")
			now := time.Now()
			for _, k := range list {
				state := "good"
				switch {
				case k.RevokedAt != nil:
					state = "revoked " + k.RevokedAt.Format(time.DateOnly)
				case !now.Before(k.ExpiresAt):
					state = "expired"
				}
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Role, k.Agency, k.Country, cmp.Or(strings.Join(k.Scopes, ","), "-"), k.ExpiresAt.Format(time.DateOnly), state)
			}
			return w.Flush()
		},
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

func keysRevokeCommand() *cobra.Command {
	var f keysFlags
	c := &cobra.Command{
		Use: "revoke ID", Short: "End a key", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.file().Revoke(args[0], time.Now()); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "key %s is revoked; running services follow within five seconds\n", args[0])
			return err
		},
	}
	f.add(c)
	return c
}
