package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sempadan/sempadan/data"
)

// testReaders: while a layer is replaced again and again, readers see whole
// versions only, and never an older one after a newer.
func (s Suite) testReaders(t *testing.T) {
	const versions, rows = 12, 400
	st, ctx := s.Open(t), t.Context()
	commit(t, st, data.Replace, grid("c", 1, rows, 1))
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := int64(0)
			for {
				select {
				case <-done:
					return
				default:
				}
				l, err := st.Load(ctx, "c")
				if err != nil {
					t.Error(err)
					return
				}
				if l.Info.Version < last || l.Len() != rows {
					t.Errorf("version %d after %d with %d rows", l.Info.Version, last, l.Len())
				}
				last = l.Info.Version
				for row := range l.Len() {
					if tag := l.Number(row, "tag"); tag != float64(last) {
						t.Errorf("version %d has a row of version %v", last, tag)
						return
					}
				}
				if _, err := st.Versions(ctx, "c"); err != nil {
					t.Error(err)
				}
				if list, err := st.Layers(ctx); err != nil || len(list) != 1 {
					t.Errorf("Layers = %v, %v", list, err)
				}
			}
		})
	}
	for v := 2; v <= versions; v++ {
		commit(t, st, data.Replace, grid("c", int64(v*rows), rows, float64(v)))
	}
	close(done)
	wg.Wait()
}

// testWriters: of changes that expect the same version exactly one is taken.
func (s Suite) testWriters(t *testing.T) {
	const writers, rounds = 4, 5
	st, ctx := s.Open(t), t.Context()
	commit(t, st, data.Replace, grid("w", 1, 1, 0))
	var mu sync.Mutex
	won := map[int64]int{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for round := range rounds {
				have := int64(round + 1)
				c := change(data.Append, grid("w", 2+have, 1, float64(w)))
				c.IfVersion = &have
				_, err := st.Commit(ctx, c)
				for ctx.Err() == nil { // until this round is decided
					if l, lerr := st.Load(ctx, "w"); lerr != nil || l.Info.Version > have {
						break
					}
				}
				mu.Lock()
				if err == nil {
					won[have]++
				} else if !errors.Is(err, data.ErrVersionMismatch) {
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for have := int64(1); have <= rounds; have++ {
		if won[have] != 1 {
			t.Errorf("%d writers changed version %d", won[have], have)
		}
	}
	if n := load(t, st, "w").Len(); n != 1+rounds {
		t.Errorf("%d rows", n)
	}
}

// testCancel cancels changes at various moments: each is then there wholly or
// not at all, as its error says, and the store takes further changes.
func (s Suite) testCancel(t *testing.T) {
	st := s.Open(t)
	const rows = 8_000
	want := grid("x", 1, 50, 1)
	commit(t, st, data.Replace, want)
	big := grid("x", 1000, rows, 2)
	cancelled := 0
	for k := range 12 {
		ctx, cancel := context.WithCancel(t.Context())
		if k == 0 {
			cancel()
		}
		timer := time.AfterFunc(time.Duration(k)*2*time.Millisecond, cancel)
		before := load(t, st, "x").Info.Version
		_, err := st.Commit(ctx, change(data.Replace, big))
		timer.Stop()
		cancel()
		l := load(t, st, "x")
		if err == nil {
			Equal(t, l, big)
			commit(t, st, data.Replace, want)
			continue
		}
		cancelled++
		wantErr(t, "cancelled", err, context.Canceled)
		if l.Info.Version != before {
			t.Errorf("version %d after a cancelled change of version %d", l.Info.Version, before)
		}
		Equal(t, l, want)
	}
	if cancelled == 0 {
		t.Error("nothing was cancelled")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := st.Load(ctx, "x")
	wantErr(t, "Load", err, context.Canceled)
	_, err = st.Rollback(ctx, "x", 1, data.Provenance{At: now})
	wantErr(t, "Rollback", err, context.Canceled)
	wantErr(t, "Delete", st.Delete(ctx, "x"), context.Canceled)
	Equal(t, load(t, st, "x"), want)
}
