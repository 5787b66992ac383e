package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
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
	keys                 string
	tlsCert, tlsKey      string
	proxy                string
	audit                auditFlags
	oidc                 oidcFlags
	publicMap            bool
}

func serveCommand() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use: "serve", Short: "Run the service", Args: cobra.NoArgs,
		Long: "Run the service. Without a file of keys it answers on this machine only (a loopback address) and is open to whoever sits at it. " +
			"With one (sempadan keys create makes it) everyone needs a key, and it may answer elsewhere, with TLS or behind a proxy that has it.",
		RunE: func(c *cobra.Command, _ []string) error { return serve(c.Context(), f) },
	}
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "address to answer on; a loopback address, unless there are keys and TLS or a proxy")
	c.Flags().BoolVar(&f.demo, "demo", false, "add synthetic patrol tracks and posts, marked as such")
	c.Flags().BoolVar(&f.noBuiltin, "no-builtin", false, "leave out the layers that ship with the program")
	c.Flags().StringVar(&f.model, "model", "", "parameters of the score, a JSON file; a model set through the API comes first")
	c.Flags().Int64Var(&f.maxBody, "max-body", 64<<20, "largest upload in bytes")
	c.Flags().IntVar(&f.keepVersions, "keep-versions", gpkg.DefaultKeepVersions, "versions of a layer that are kept, the newest included")
	c.Flags().Float64Var(&f.keepDays, "keep-days", 0, "days for which earlier versions are kept; 0: as long as --keep-versions allows")
	c.Flags().StringVar(&f.retain, "retain", "", "class=days,…: erase records of a class so long after they happened; the class of a record is its retention_class, else the classification of its layer (a column classification of the record is not looked at); what has a valid_until goes by that in any case")
	c.Flags().StringVar(&f.keys, "keys", "", "file of the keys that people need; default: the store's name with .keys, when it is there")
	c.Flags().StringVar(&f.tlsCert, "tls-cert", "", "certificate for TLS, a PEM file")
	c.Flags().StringVar(&f.tlsKey, "tls-key", "", "its private key, a PEM file that only its owner may read")
	c.Flags().StringVar(&f.proxy, "behind-proxy", "", "network of the proxies that have TLS, such as 10.0.0.0/8: nobody else is answered")
	c.Flags().BoolVar(&f.publicMap, "public-map", false, "let anyone see the public map, which is counts with noise, without signing in; needs keys")
	f.audit.addTo(c)
	f.oidc.add(c)
	storeFlag(c, &f.store)
	return c
}

// signIn returns how people prove who they are: with keys when there is a file
// of them, and at a provider when one is named.
func (f serveFlags) signIn() (api.SignIn, error) {
	provider, err := f.oidc.options()
	if err != nil {
		return api.SignIn{}, usageError{err}
	}
	path := keysPath(f.keys, f.store)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && f.keys == "" {
		if provider == nil && f.publicMap {
			return api.SignIn{}, usageError{errors.New("--public-map is for a service that people sign in to: without keys all is open to whoever asks; make one with sempadan keys create")}
		}
		if provider == nil {
			return api.SignIn{}, nil
		}
	} else if err != nil {
		return api.SignIn{}, usageError{fmt.Errorf("--keys %s: %w; make one with sempadan keys create --keys %s", path, err, path)}
	}
	return api.SignIn{Keys: &api.KeyFile{Path: path}, EmbedSecret: path + ".embed", OIDC: provider,
		HTTPS: f.tlsCert != "" || f.proxy != "", Proxied: f.proxy != "", PrivacyLedger: privacyPath(f.keys, f.store), PublicMap: f.publicMap}, nil
}

// checkListen refuses addresses at which others could read what they must not:
// any but a loopback one when nobody has to sign in, or when what is sent there
// is not sealed.
func (f serveFlags) checkListen(signIn bool) error {
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen %s: %w; give an address like 127.0.0.1:8080", f.listen, err)}
	}
	if (f.tlsCert == "") != (f.tlsKey == "") {
		return usageError{errors.New("give both --tls-cert and --tls-key, or neither")}
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	if !signIn {
		return usageError{fmt.Errorf("--listen %s is refused: anyone who reaches that address could read every incident and patrol, because nobody has to sign in; make keys with sempadan keys create, or use a loopback address such as 127.0.0.1:8080", f.listen)}
	}
	if f.tlsCert == "" && f.proxy == "" {
		return usageError{fmt.Errorf("--listen %s is refused: keys and data would cross the network in the clear; give --tls-cert and --tls-key, or --behind-proxy with the network of a proxy that has TLS", f.listen)}
	}
	return nil
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

func serve(ctx context.Context, f serveFlags) error {
	signIn, err := f.signIn()
	if err != nil {
		return err
	}
	if err := f.checkListen(signIn.Keys != nil); err != nil {
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
	audit, err := f.audit.options(signIn.Keys != nil, keysPath(f.keys, f.store))
	if err != nil {
		return err
	}
	go paceCollector(ctx)
	log := slog.New(api.Redacted(slog.NewJSONHandler(os.Stderr, nil)))
	limitMemory(log)
	model, err := readModel(f.model)
	if err != nil {
		return err
	}
	opts := gpkg.Options{KeepVersions: f.keepVersions, Notify: func(message string) { log.Warn("store", "message", message) }}
	var builtin []*geo.Layer
	var store data.Store
	var both errgroup.Group
	both.Go(func() (err error) {
		builtin, err = builtinLayers(!f.noBuiltin, f.demo, time.Now().UTC())
		return err
	})
	both.Go(func() (err error) {
		store, err = openKept(ctx, f.store, opts)
		return err
	})
	err = both.Wait()
	defer func() {
		if store != nil {
			_ = store.Close()
		}
	}()
	if err != nil {
		return err
	}
	options := api.Options{
		GeoPackage: gpkg.Files{}, Builtin: builtin, Model: model, MaxBody: f.maxBody, LocalOnly: signIn.Keys == nil, SignIn: signIn, AssessLater: true, Check: layers.Checker(),
		Audit:   audit,
		Keeping: api.Keeping{Retention: retention, History: time.Duration(f.keepDays * 24 * float64(time.Hour))},
		Version: version, Commit: commit(), Now: time.Now, Log: log,
	}
	start := func() (*api.Server, error) {
		options.Store, options.Registry = store, prometheus.NewRegistry()
		return api.New(ctx, options)
	}
	srv, err := start()
	if errors.Is(err, gpkg.ErrDamaged) { // in a way that only loading the layers shows
		_ = store.Close()
		opts.Damaged = err
		if store, err = openKept(ctx, f.store, opts); err == nil {
			srv, err = start()
		}
	}
	if err != nil {
		return err
	}
	defer srv.Close()
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listen: %w; is another service running there? choose another --listen", err)
	}
	background, stop := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { keepSnapshot(background, store, srv, log) })
	keeping.Go(func() { sweepHourly(background, srv) })
	defer func() { stop(); keeping.Wait(); srv.Close(); writeSnapshot(store, srv, log) }()
	listener, scheme, err := f.seal(listener)
	if err != nil {
		return err
	}
	who := "open to the person at this machine; no sign-in"
	if signIn.Keys != nil {
		who = "everyone needs a key; sempadan keys create makes one"
	}
	if signIn.OIDC != nil {
		who = "people sign in at " + signIn.OIDC.Issuer + "; programs need a key"
	}
	fmt.Printf("sempadan is at %s://%s (%s)\n", scheme, listener.Addr(), who)
	return run(ctx, listener, srv, log)
}

// seal puts TLS on a listener, or takes connections of the proxies alone.
func (f serveFlags) seal(l net.Listener) (net.Listener, string, error) {
	if f.proxy != "" {
		network, err := netip.ParsePrefix(f.proxy)
		if err != nil {
			return nil, "", usageError{fmt.Errorf("--behind-proxy %s: %w; give a network such as 10.0.0.0/8", f.proxy, err)}
		}
		l = proxied{l, network.Masked()}
	}
	if f.tlsCert == "" {
		return l, "http", nil
	}
	if err := ownerOnly(f.tlsKey); err != nil {
		return nil, "", usageError{fmt.Errorf("--tls-key: %w", err)}
	}
	cert, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
	if err != nil {
		return nil, "", usageError{fmt.Errorf("--tls-cert and --tls-key: %w", err)}
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}), "https", nil
}

// proxied is a listener that takes connections from one network only.
type proxied struct {
	net.Listener
	from netip.Prefix
}

func (p proxied) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if at, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil && p.from.Contains(at.Addr().Unmap()) {
			return c, nil
		}
		_ = c.Close()
	}
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

func run(ctx context.Context, listener net.Listener, srv *api.Server, log *slog.Logger) error {
	server := &http.Server{
		Handler:           srv.Handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(api.Strict(server, listener)) }()
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
