package api

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// polled is a file as a running service has it: read again, within keyPoll, when
// it has changed. A file that cannot be read has no content, so that what
// depends on it fails closed.
type polled[T any] struct {
	path string
	now  func() time.Time
	read func(path string) (T, error)

	mu      sync.Mutex
	looked  time.Time
	stamp   string
	value   T
	problem error
}

func newPolled[T any](path string, now func() time.Time, read func(string) (T, error)) *polled[T] {
	return &polled[T]{path: path, now: now, read: read}
}

// get returns the content of the file as it is, or was a moment ago.
func (p *polled[T]) get() (T, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.stamp == "" || now.Sub(p.looked) >= keyPoll || now.Before(p.looked) {
		p.looked = now
		p.refresh()
	}
	return p.value, p.problem
}

// again reads the file at the next get, whenever that is.
func (p *polled[T]) again() {
	p.mu.Lock()
	p.stamp = ""
	p.mu.Unlock()
}

func (p *polled[T]) refresh() {
	stamp := "absent"
	if st, err := os.Stat(p.path); err == nil {
		stamp = fmt.Sprint(st.Size(), st.ModTime().UnixNano(), st.Mode())
	}
	if stamp == p.stamp && p.problem == nil {
		return
	}
	p.stamp = stamp
	if p.value, p.problem = p.read(p.path); p.problem != nil {
		var none T
		p.value = none
	}
}
