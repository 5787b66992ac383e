package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// Reerased says what became of the erasures of a store that a restore replaced.
type Reerased struct {
	Rows int `json:"erased_again"` // of all versions together
	// Unknown counts the erasures since the backup of which nothing says what
	// they erased: a person has to repeat them.
	Unknown int `json:"erasures_to_repeat"`
	// Layers were deleted since the backup, and are there again.
	Layers []string `json:"deleted_layers_back,omitempty"`
}

// Reerase erases from a restored store what had been erased from the one that
// it replaces, by the digests in its tombstones, and carries those over. What
// retention erases the service does by itself.
func Reerase(ctx context.Context, old, restored data.Store, now time.Time) (out Reerased, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("erase again what was erased since the backup: %w", err)
		}
	}()
	before, err := tombstonesOf(ctx, old)
	if err != nil {
		return out, err
	}
	have, err := tombstonesOf(ctx, restored)
	if err != nil {
		return out, err
	}
	layers, err := restored.Layers(ctx)
	if err != nil {
		return out, err
	}
	if out.Unknown, err = unknownErasures(ctx, old, restored, before); err != nil {
		return out, err
	}
	// A record that was erased before the backup may have come back since.
	since := slices.DeleteFunc(slices.Clone(before), func(t Tombstone) bool { return slices.Contains(have, t) })
	for _, info := range layers {
		gone := map[string]bool{}
		for _, t := range since {
			if t.Layer != info.ID {
				continue
			}
			if t.RecordSHA256 != "" {
				gone[t.RecordSHA256] = true
			}
			if t.Action == tombDelete && !slices.Contains(out.Layers, t.Layer) {
				out.Layers = append(out.Layers, t.Layer)
			}
		}
		n, err := eraseDigests(ctx, restored, info.ID, gone, now)
		if err != nil {
			return out, err
		}
		out.Rows += n
	}
	if len(since) == 0 {
		return out, nil
	}
	all := append(have, since...)
	raw, err := json.Marshal(all[max(0, len(all)-mostTombstones):])
	if err != nil {
		return out, err
	}
	return out, restored.SetSetting(ctx, tombstonesSetting, raw)
}

// eraseDigests erases the records of a layer whose digests are given.
func eraseDigests(ctx context.Context, store data.Store, id string, gone map[string]bool, now time.Time) (int, error) {
	if len(gone) == 0 {
		return 0, nil
	}
	l, err := store.Load(ctx, id)
	if err != nil {
		return 0, err
	}
	match := func(part *geo.Layer) (fids []int64) {
		for row := range part.Len() {
			own := part.ID(row)
			if gone[fidDigest(id, part.FID(row))] || own != "" && gone[recordDigest(id, own)] {
				fids = append(fids, part.FID(row))
			}
		}
		return fids
	}
	n, _, err := store.Erase(ctx, id, data.Erasure{FIDs: match(l), Match: match, KeepReplaced: true,
		Provenance: data.Provenance{At: now.UTC(), User: "local", Action: "erase", Reason: "it was erased before the restore"}})
	if errors.Is(err, data.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// unknownErasures counts the erasures that only the old store knows and that
// have no tombstone from then.
func unknownErasures(ctx context.Context, old, restored data.Store, tombstones []Tombstone) (n int, err error) {
	list, err := old.Erasures(ctx)
	if err != nil {
		return 0, err
	}
	known, err := restored.Erasures(ctx)
	if err != nil {
		return 0, err
	}
	for _, e := range list {
		from := e.Provenance.At.Truncate(time.Second)
		told := e.Provenance.User == "retention" || slices.ContainsFunc(known, func(k data.Erased) bool {
			return k.Layer == e.Layer && k.Rows == e.Rows && k.Provenance.At.Equal(e.Provenance.At)
		}) ||
			slices.ContainsFunc(tombstones, func(t Tombstone) bool {
				return t.Layer == e.Layer && t.RecordSHA256 != "" && !t.At.Before(from) && t.At.Sub(from) < time.Hour
			})
		if !told {
			n++
		}
	}
	return n, nil
}

func tombstonesOf(ctx context.Context, store data.Store) (list []Tombstone, err error) {
	raw, err := store.Setting(ctx, tombstonesSetting)
	if errors.Is(err, data.ErrNotFound) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	return list, err
}

// fidDigest stands for a record without an identifier of its own. A layer never
// gives a FID twice.
func fidDigest(layer string, fid int64) string {
	return recordDigest(layer, "\x00"+strconv.FormatInt(fid, 10))
}
