package api

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// failureLimits slow down whoever tries credentials: by address, some at once
// and then one in six seconds.
type failureLimits struct {
	mu     sync.Mutex
	byHost map[string]*rate.Limiter
}

const (
	failuresAtOnce  = 20
	failureEvery    = 6 * time.Second
	mostFailedHosts = 10_000
)

// allow reports whether an address may still be wrong.
func (f *failureLimits) allow(host string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.byHost[host]
	return l == nil || l.TokensAt(now) >= 1
}

// failed notes a wrong credential.
func (f *failureLimits) failed(host string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.byHost[host]
	if l == nil {
		if len(f.byHost) >= mostFailedHosts {
			clear(f.byHost) // whoever has so many addresses is not stopped by one
		}
		l = rate.NewLimiter(rate.Every(failureEvery), failuresAtOnce)
		f.byHost[host] = l
	}
	l.AllowN(now, 1)
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
