package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sempadan/sempadan/data/gpkg"
)

func backupCommand() *cobra.Command {
	var store string
	var asJSON bool
	c := &cobra.Command{
		Use: "backup FILE", Short: "Write a verified copy of the store", Args: cobra.ExactArgs(1),
		Long: "Write a copy of the store, as it is at one instant, to a file that must not exist. The service may run meanwhile. The copy takes its name only when it is whole, on disk and verified.",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := openStore(c.Context(), store, true)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			file, ok := s.(*gpkg.Store)
			if !ok {
				return usageError{errors.New("a PostGIS store is backed up with pg_dump")}
			}
			bar := newProgress("copying "+filepath.Base(store), -1)
			err = file.Backup(c.Context(), args[0])
			bar.done()
			if err != nil {
				return err
			}
			return tell(c, asJSON, map[string]any{"store": store, "backup": args[0]}, "%s is a copy of %s, verified", args[0], store)
		},
	}
	storeFlag(c, &store)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

func restoreCommand() *cobra.Command {
	var store string
	var asJSON bool
	c := &cobra.Command{
		Use: "restore FILE", Short: "Put a backup in the place of the store", Args: cobra.ExactArgs(1),
		Long: "Put a backup in the place of the store, after it was verified. It is refused while the service has the store open. What was there is kept beside it, as STORE.replaced.",
		RunE: func(c *cobra.Command, args []string) error {
			bar := newProgress("restoring "+filepath.Base(args[0]), -1)
			replaced, err := gpkg.Restore(c.Context(), args[0], store)
			bar.done()
			if err == nil {
				err = noteRestore(c.Context(), store, replaced)
			}
			if err != nil {
				return err
			}
			kept := ""
			if replaced != "" {
				kept = "; what was there is " + replaced
			}
			return tell(c, asJSON, map[string]any{"store": store, "backup": args[0], "replaced": replaced}, "%s holds what %s does%s", store, args[0], kept)
		},
	}
	storeFlag(c, &store)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

// tell prints what was done, for programs or people.
func tell(c *cobra.Command, asJSON bool, v any, format string, args ...any) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), v)
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), format+"\n", args...)
	return err
}
