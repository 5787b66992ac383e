package plan

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// each calls do(0) … do(n-1), several at once. What it does must not depend on the
// order.
func each(n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
