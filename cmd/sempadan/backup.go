package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sempadan/sempadan/api"
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
		Long: "Put a backup in the place of the store, after it was verified. It is refused while the service has the store open. What was there is kept beside it, as STORE.replaced. Records that were erased from it since the backup are erased again.",
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
			again, err := reerase(c.Context(), store, replaced)
			if err != nil {
				return fmt.Errorf("the store is restored, with what was erased since the backup; erase it before you serve it: %w", err)
			}
			kept := ""
			if replaced != "" {
				kept = "; what was there is " + replaced
			}
			return tell(c, asJSON, map[string]any{"store": store, "backup": args[0], "replaced": replaced, "erasures": again},
				"%s holds what %s does%s%s", store, args[0], kept, erasedAgain(again, args[0]))
		},
	}
	storeFlag(c, &store)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

// reerase erases from a restored store what had been erased from the one that
// it replaces. One that cannot be opened counts as one erasure to look for.
func reerase(ctx context.Context, path, replaced string) (out api.Reerased, err error) {
	if replaced == "" {
		return out, nil
	}
	old, err := openStore(ctx, replaced, true)
	if err != nil {
		return api.Reerased{Unknown: 1}, nil // which may be why it was replaced
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	store, err := openStore(ctx, path, false)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return api.Reerase(ctx, old, store, time.Now())
}

// erasedAgain says it to people.
func erasedAgain(r api.Reerased, backup string) (text string) {
	if r.Rows > 0 {
		text += fmt.Sprintf("; %d rows were erased again, which are still in %s", r.Rows, backup)
	}
	if r.Unknown > 0 {
		text += fmt.Sprintf("; %d erasures since the backup could not be read: repeat them before you serve the store", r.Unknown)
	}
	if len(r.Layers) > 0 {
		text += "; layers that were deleted since the backup are there again: " + strings.Join(r.Layers, ", ")
	}
	return text
}

// tell prints what was done, for programs or people.
func tell(c *cobra.Command, asJSON bool, v any, format string, args ...any) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), v)
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), format+"\n", args...)
	return err
}
