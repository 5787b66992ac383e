package api

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/maypok86/otter/v2"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// tile is a finished tile, with its packed form once somebody asked for that.
type tile struct {
	contentType string
	body        []byte
	packed      *packedBody
	tag, note   string
	counted     int // how many bytes the cache takes it for; 0: len(body)
}

// packedBody is a body packed when it is first wanted.
type packedBody struct {
	once sync.Once
	body []byte
	kept atomic.Int64 // len(body), for who counts bytes
}

func newTile(contentType string, body []byte) tile {
	t := tile{contentType: contentType, body: body, tag: contentTag(body)}
	if packable(contentType) && len(body) >= packFrom {
		t.packed = &packedBody{}
	}
	return t
}

// gzipped returns the packed form of the tile; nil when packing does not pay.
func (t tile) gzipped() []byte {
	if t.packed == nil {
		return nil
	}
	t.packed.once.Do(func() {
		t.packed.body = pack(t.body)
		t.packed.kept.Store(int64(len(t.packed.body)))
	})
	return t.packed.body
}

// size is how many bytes the tile takes.
func (t tile) size() int {
	if t.packed == nil {
		return len(t.body)
	}
	return len(t.body) + int(t.packed.kept.Load())
}

// tileCache keeps tiles up to a number of bytes. A key names the content: an
// edit makes new keys, so nothing in here is ever stale. Callers that want the
// same missing tile wait for one of them to make it. Errors are not kept.
type tileCache struct {
	cache *otter.Cache[string, tile]
	lane  *lane // of making tiles
}

func newTileCache(bytes int64, lane *lane) (*tileCache, error) {
	c, err := otter.New(&otter.Options[string, tile]{
		MaximumWeight: uint64(bytes),
		Weigher: func(key string, t tile) uint32 {
			return uint32(len(key) + t.size() + 200)
		},
	})
	return &tileCache{c, lane}, err
}

// makeTileCaches divides bytes among vector tiles, those of filters, of which
// there is no end, and raster tiles, which are small.
func (s *Server) makeTileCaches(bytes int64) (err error) {
	for _, c := range []struct {
		cache **tileCache
		bytes int64
	}{{&s.tiles, bytes * 7 / 8}, {&s.filtered, bytes / 24}, {&s.rasters, bytes / 12}} {
		if *c.cache, err = newTileCache(c.bytes, s.lanes.tiles); err != nil {
			return fmt.Errorf("tile cache: %w", err)
		}
	}
	return nil
}

// forget drops the tiles whose keys begin so. Nobody asks for those of an
// earlier state, but as long as they are remembered as often asked for they would
// keep new ones out.
func (c *tileCache) forget(prefix string) {
	for key := range c.cache.Keys() {
		if strings.HasPrefix(key, prefix) {
			c.cache.Invalidate(key)
		}
	}
}

func (c *tileCache) get(ctx context.Context, m *metrics, key string, draw func(context.Context) (tile, error)) (tile, error) {
	if t, ok := c.cache.GetIfPresent(key); ok {
		m.cache.WithLabelValues("hit").Inc()
		if n := t.size(); n > max(t.counted, len(t.body)) { // it was packed since
			t.counted = n
			c.cache.Set(key, t)
		}
		return t, nil
	}
	m.cache.WithLabelValues("miss").Inc()
	// One caller that leaves must not fail the others.
	return c.cache.Get(context.WithoutCancel(ctx), key, otter.LoaderFunc[string, tile](
		func(ctx context.Context, _ string) (tile, error) {
			leave, err := c.lane.enter(ctx)
			if err != nil {
				return tile{}, err
			}
			defer leave()
			return draw(ctx)
		}))
}

// painters are the makers of raster tiles of one assessment, whose memory goes
// from tile to tile.
type painters struct {
	mu      sync.Mutex
	version string
	made    map[string]*tiles.Raster
}

// get returns the painter of a surface in a ramp, by the scales that hold.
func (p *painters) get(newest *risk.Assessment, a surfaceAsk) (*tiles.Raster, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made == nil || p.version != newest.Version {
		p.version, p.made = newest.Version, map[string]*tiles.Raster{}
	}
	key := a.surface.ID + "|" + a.ramp.Name + "|" + a.scaled.Version
	if r := p.made[key]; r != nil {
		return r, nil
	}
	r, err := tiles.NewRaster(a.scale(), a.ramp)
	if err == nil {
		p.made[key] = r
	}
	return r, err
}
