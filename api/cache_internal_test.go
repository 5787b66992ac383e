package api

import (
	"bytes"
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// A tile that was packed after it was kept is counted with both forms, so that
// the cache stays within its bytes.
func TestPackedTilesAreCounted(t *testing.T) {
	const each, bytesKept = 100_000, 1_000_000
	l := newLane("tiles", 1, 1, 0)
	c, err := newTileCache(bytesKept, l)
	if err != nil {
		t.Fatal(err)
	}
	m := newMetrics(prometheus.NewRegistry(), &Server{})
	draw := func(context.Context) (tile, error) {
		body := make([]byte, each)
		for i := range body {
			body[i] = byte(i * i >> 7) // packs to a part
		}
		return newTile("application/vnd.mapbox-vector-tile", body), nil
	}
	for range 3 { // made, asked for packed, counted anew
		for k := range 9 {
			kept, err := c.get(t.Context(), m, string(rune('a'+k)), draw)
			if err != nil || len(kept.gzipped()) == 0 || bytes.Equal(kept.gzipped(), kept.body) {
				t.Fatal(err)
			}
		}
	}
	c.cache.CleanUp()
	total := 0
	for _, kept := range c.cache.All() {
		total += kept.size()
	}
	if total == 0 || total > bytesKept {
		t.Errorf("%d bytes are kept, at most %d may be", total, bytesKept)
	}
}

// What nobody asks for any more makes room, however often it was asked for.
func TestTilesOfEarlierStatesAreForgotten(t *testing.T) {
	s := &Server{lanes: &lanes{tiles: newLane("tiles", 1, 1, 0)}}
	if err := s.makeTileCaches(1 << 20); err != nil {
		t.Fatal(err)
	}
	m := newMetrics(prometheus.NewRegistry(), s)
	drawn := 0
	get := func(key string) {
		t.Helper()
		_, err := s.tiles.get(t.Context(), m, key, func(context.Context) (tile, error) { drawn++; return newTile("image/png", []byte{1}), nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	keys := []string{vectorKeys("a") + "v1", vectorKeys("ab") + "v1", vectorKeys("b") + "v1"}
	for range 20 {
		for _, key := range keys {
			get(key)
		}
	}
	s.tiles.forget(vectorKeys("a"))
	for _, key := range keys {
		get(key)
	}
	if drawn != len(keys)+1 {
		t.Errorf("%d tiles were drawn: all once, and the forgotten one again", drawn)
	}
}
