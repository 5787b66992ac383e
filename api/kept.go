package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/sempadan/sempadan/data"
)

// kept is a list that the service has in memory and the store keeps whole,
// under one name. A list that was read is never changed; readers do not wait.
type kept[T any] struct {
	name  string
	store data.Store
	mu    sync.Mutex // one change at a time
	list  atomic.Pointer[[]T]
	lost  error // what is stored cannot be read, and is not to be lost
}

// load reads the list. One that cannot be read counts as empty, and cannot be
// changed.
func (k *kept[T]) load(ctx context.Context, store data.Store) error {
	k.store = store
	list := []T{}
	raw, err := store.Setting(ctx, k.name)
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if errors.Is(err, data.ErrNotFound) {
		err = nil
	}
	if err != nil {
		list = []T{}
		k.lost = fmt.Errorf("read the %s: %w; restore the store from a backup", k.name, err)
	}
	k.list.Store(&list)
	return k.lost
}

// all returns the list as it is now; it must not be written into.
func (k *kept[T]) all() []T { return *k.list.Load() }

// change replaces the list by what edit makes of it; when it returns that is on
// disk. edit must not write into what it is given.
func (k *kept[T]) change(ctx context.Context, edit func([]T) ([]T, error)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lost != nil {
		return k.lost
	}
	list, err := edit(k.all())
	if err != nil {
		return err
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return err
	}
	if err := k.store.SetSetting(context.WithoutCancel(ctx), k.name, raw); err != nil {
		return fmt.Errorf("keep the %s: %w", k.name, err)
	}
	k.list.Store(&list)
	return nil
}

// books are the lists that the parties keep together.
type books struct {
	agreements kept[Agreement]
	approvals  kept[Approval]
	requests   kept[InfoRequest]
	tombstones kept[Tombstone]
	plans      kept[keptPlan]
	drafts     drafts
	origins    kept[layerOrigins]
	public     publicBooks
}

// Names of the lists in the store.
const (
	agreementsSetting = "agreements"
	approvalsSetting  = "approvals"
	requestsSetting   = "information_requests"
	tombstonesSetting = "tombstones"
	originsSetting    = "layer_origins"
)

// loadBooks reads the lists. The service comes up without one that cannot be
// read: nothing is then shared, approved or requested.
func (s *Server) loadBooks(ctx context.Context) {
	b := &books{agreements: kept[Agreement]{name: agreementsSetting}, approvals: kept[Approval]{name: approvalsSetting},
		requests: kept[InfoRequest]{name: requestsSetting}, tombstones: kept[Tombstone]{name: tombstonesSetting}, plans: kept[keptPlan]{name: plansSetting},
		origins: kept[layerOrigins]{name: originsSetting}}
	for _, err := range []error{b.agreements.load(ctx, s.opts.Store), b.approvals.load(ctx, s.opts.Store),
		b.requests.load(ctx, s.opts.Store), b.tombstones.load(ctx, s.opts.Store), b.plans.load(ctx, s.opts.Store), b.origins.load(ctx, s.opts.Store)} {
		if err != nil {
			s.log.Error("a list cannot be read and counts as empty", "error", err)
		}
	}
	b.public.store, b.public.file, b.public.dice = s.opts.Store, s.opts.SignIn.PrivacyLedger, secureDice
	s.books = b
}

// newest returns a list with one more entry, without the oldest beyond most.
func newest[T any](list []T, entry T, most int) []T {
	out := append(append(make([]T, 0, len(list)+1), list...), entry)
	return out[max(0, len(out)-most):]
}

// swapped returns a list with another entry at a place.
func swapped[T any](list []T, at int, entry T) []T {
	out := append([]T{}, list...)
	out[at] = entry
	return out
}
