package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestLaneShedsWhatDoesNotFit(t *testing.T) {
	l := newLane("tests", 2, 3, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	var running, most, shed, left atomic.Int32
	hold := make(chan struct{})
	var all sync.WaitGroup
	come := func() {
		all.Go(func() {
			leave, err := l.enter(ctx)
			if errors.Is(err, context.Canceled) {
				left.Add(1)
				return
			}
			if err != nil {
				if p := problemOf(err); p.Status != http.StatusServiceUnavailable || p.Code != "busy" {
					t.Errorf("shed with %+v", p)
				}
				shed.Add(1)
				return
			}
			most.Store(max(most.Load(), running.Add(1)))
			<-hold
			running.Add(-1)
			leave()
		})
	}
	until := func(what string, done func() bool) {
		for range 1000 {
			if done() {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("never: %s", what)
	}
	for range 5 {
		come()
	}
	until("two run, three wait", func() bool { return running.Load() == 2 && len(l.waiting) == 3 })
	for range 4 {
		come()
	}
	until("four are shed", func() bool { return shed.Load() == 4 })
	cancel() // those who wait leave, and free their place
	until("three left", func() bool { return left.Load() == 3 && len(l.waiting) == 0 })
	close(hold)
	all.Wait()
	if most.Load() != 2 {
		t.Errorf("%d ran at once", most.Load())
	}
	leave, err := l.enter(t.Context())
	if err != nil {
		t.Fatalf("the lane is not free again: %v", err)
	}
	leave()
}

func TestLaneDoesNotWaitForever(t *testing.T) {
	l := newLane("tests", 1, 1, time.Millisecond)
	leave, err := l.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	if _, err := l.enter(t.Context()); problemOf(err).Code != "busy" {
		t.Errorf("after the longest wait: %v", err)
	}
}
