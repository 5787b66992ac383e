// Command sempadan is the one program: the service and its tools. It holds
// flags and wiring, nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "sempadan:", err)
	if wrong := (usageError{}); errors.As(err, &wrong) {
		os.Exit(2)
	}
	os.Exit(1)
}

// usageError is wrong use of the command line: exit 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func root() *cobra.Command {
	c := &cobra.Command{
		Use:           "sempadan",
		Short:         "Route-risk analysis for the Indonesia–Malaysia border",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	c.AddCommand(serveCommand(), importCommand(), exportCommand(), surfaceCommand(), gapsCommand(), routeCommand(), planCommand(), backtestCommand(), demoCommand(), backupCommand(), restoreCommand(), keysCommand(), agreementsCommand(), auditCommand(), privacyLedgerCommand(), versionCommand())
	for _, sub := range append(c.Commands(), c) {
		if check := sub.Args; check != nil {
			sub.Args = func(c *cobra.Command, args []string) error {
				if err := check(c, args); err != nil {
					return usageError{fmt.Errorf("%w; %s --help shows how it is used", err, c.CommandPath())}
				}
				return nil
			}
		}
	}
	return c
}

func versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]string{"version": version, "commit": commit()})
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "sempadan %s (%s)\n", version, commit())
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document on standard output")
	return c
}

// commit is what the program was built from.
func commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return "unknown"
}
