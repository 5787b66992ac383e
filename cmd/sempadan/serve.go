package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/gpkg"
	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

type serveFlags struct {
	listen, store, model string
	demo, noBuiltin      bool
	maxBody              int64
	keepVersions         int
	keepDays             float64
	retain               string
}

func serveCommand() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use: "serve", Short: "Run the service", Args: cobra.NoArgs,
		Long: "Run the service. It answers on this machine only (a loopback address) and is open to whoever sits at it.",
		RunE: func(c *cobra.Command, _ []string) error { return serve(c.Context(), f) },
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "address to answer on; a loopback address")
	c.Flags().BoolVar(&f.demo, "demo", false, "add synthetic patrol tracks and posts, marked as such")
	c.Flags().BoolVar(&f.noBuiltin, "no-builtin", false, "leave out the layers that ship with the program")
	c.Flags().StringVar(&f.model, "model", "", "parameters of the score, a JSON file; a model set through the API comes first")
	c.Flags().Int64Var(&f.maxBody, "max-body", 64<<20, "largest upload in bytes")
	c.Flags().IntVar(&f.keepVersions, "keep-versions", gpkg.DefaultKeepVersions, "versions of a layer that are kept, the newest included")
	c.Flags().Float64Var(&f.keepDays, "keep-days", 0, "days for which earlier versions are kept; 0: as long as --keep-versions allows")
	c.Flags().StringVar(&f.retain, "retain", "", "class=days,…: erase records of a class so long after they happened; what has a valid_until goes by that in any case")
	storeFlag(c, &f.store)
	return c
}

// checkListen refuses every address but a loopback one: there is no sign-in.
func checkListen(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return usageError{fmt.Errorf("--listen %s: %w; give an address like 127.0.0.1:8080", addr, err)}
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return usageError{fmt.Errorf("--listen %s is refused: anyone who reaches that address could read every incident and patrol, because this version has no sign-in; use a loopback address such as 127.0.0.1:8080", addr)}
}

// Limits of the HTTP server; an upload's own limits are longer and set when it
// begins.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 60 * time.Second
	maxHeader     = 32 << 10
	shutdownAfter = 15 * time.Second
)

// serveGCPercent trades a little time for a fifth less memory: layers are most
// of what the service holds, and they live long.
const serveGCPercent = 50

func serve(ctx context.Context, f serveFlags) error {
	if err := checkListen(f.listen); err != nil {
		return err
	}
	if f.maxBody < 1 {
		return usageError{fmt.Errorf("--max-body %d: give a number of bytes above 0", f.maxBody)}
	}
	if f.keepVersions < 0 || !(f.keepDays >= 0) || f.keepDays > 36500 {
		return usageError{errors.New("--keep-versions is 0 (the default) or more, --keep-days 0 to 36500")}
	}
	retention, err := data.ParseRetention(f.retain)
	if err != nil {
		return usageError{fmt.Errorf("--retain: %w", err)}
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(serveGCPercent)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	model, err := readModel(f.model)
	if err != nil {
		return err
	}
	var builtin []*geo.Layer
	var store data.Store
	var both errgroup.Group
	both.Go(func() (err error) {
		builtin, err = builtinLayers(!f.noBuiltin, f.demo, time.Now().UTC())
		return err
	})
	both.Go(func() (err error) {
		store, err = openKept(ctx, f.store, gpkg.Options{KeepVersions: f.keepVersions})
		return err
	})
	err = both.Wait()
	if store != nil {
		defer func() { _ = store.Close() }()
	}
	if err != nil {
		return err
	}
	srv, err := api.New(ctx, api.Options{
		Store: store, GeoPackage: gpkg.Files{}, Builtin: builtin, Model: model, MaxBody: f.maxBody, LocalOnly: true, AssessLater: true, Check: layers.Checker(),
		Keeping: api.Keeping{Retention: retention, History: time.Duration(f.keepDays * 24 * float64(time.Hour))},
		Version: version, Commit: commit(), Now: time.Now, Log: log, Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listen: %w; is another service running there? choose another --listen", err)
	}
	background, stop := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { keepSnapshot(background, store, srv, log) })
	keeping.Go(func() { sweepHourly(background, srv) })
	defer func() { stop(); keeping.Wait(); writeSnapshot(store, srv, log) }()
	fmt.Printf("sempadan is at http://%s (open to the person at this machine; no sign-in)\n", listener.Addr())
	return run(ctx, listener, srv)
}

// sweepHourly erases at once and then every hour what is not to be kept.
func sweepHourly(ctx context.Context, srv *api.Server) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		srv.Sweep(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// snapshotEvery is how often the service looks whether its layers have been
// quiet since it looked last, and a snapshot of them is due.
const snapshotEvery = 20 * time.Second

// keepSnapshot keeps the store's snapshot up to date, so that a restart is
// quick even after a crash.
func keepSnapshot(ctx context.Context, store data.Store, srv *api.Server, log *slog.Logger) {
	tick := time.NewTicker(snapshotEvery)
	defer tick.Stop()
	seen, written := srv.State(), any(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		state := srv.State()
		if state == seen && state != written {
			writeSnapshot(store, srv, log)
			written = state
		}
		seen = state
	}
}

// writeSnapshot writes the store's snapshot, where the store has such a thing
// and it is not there yet. Nothing depends on it but the time of a restart.
func writeSnapshot(store data.Store, srv *api.Server, log *slog.Logger) {
	keeper, ok := store.(interface {
		Snapshot(ctx context.Context, layers []*geo.Layer) (bool, error)
	})
	if !ok {
		return
	}
	start := time.Now()
	written, err := keeper.Snapshot(context.Background(), srv.StoredLayers())
	if err != nil {
		log.Warn("the next start will be slower", "error", err)
	} else if written {
		log.Info("snapshot written", "took_ms", time.Since(start).Milliseconds())
	}
}

func run(ctx context.Context, listener net.Listener, srv *api.Server) error {
	server := &http.Server{
		Handler:           srv.Handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	srv.NotReady()
	end, cancel := context.WithTimeout(context.Background(), shutdownAfter)
	defer cancel()
	if err := server.Shutdown(end); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
