package gpkg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sempadan/sempadan/data"
)

// keptReceipts bounds the receipts; the oldest go first.
const keptReceipts = 10_000

const receiptDigest = "sha256:"

// receiptKey is what stands for an idempotency key in the store: clients make
// keys of what the change is about.
func receiptKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return receiptDigest + hex.EncodeToString(sum[:])
}

// receiptKeys are the forms in which the store may have a key: older programs
// kept it as it was given.
func receiptKeys(key string) []any {
	digest := receiptKey(key)
	if strings.HasPrefix(key, receiptDigest) {
		return []any{digest, digest}
	}
	return []any{digest, key}
}

// usedKeys are the keys that the store may have, so that asking for a new one
// reads nothing: after each change that makes a table a reading connection would
// parse the whole schema again.
type usedKeys struct {
	sync.Mutex
	set  map[string]bool
	read bool // set has those of the file, too
}

func (u *usedKeys) add(keys ...string) {
	u.Lock()
	defer u.Unlock()
	if u.set == nil {
		u.set = map[string]bool{}
	}
	for _, key := range keys {
		u.set[key] = true
	}
}

func (u *usedKeys) has(keys []any) bool {
	u.Lock()
	defer u.Unlock()
	return !u.read || slices.ContainsFunc(keys, func(key any) bool { return u.set[key.(string)] })
}

// readUsedKeys is done once, at the first question.
func (s *Store) readUsedKeys(ctx context.Context) error {
	s.used.Lock()
	done := s.used.read
	s.used.Unlock()
	if done {
		return nil
	}
	var keys []string
	err := s.read(ctx, func(x *txn) (err error) {
		keys, err = x.strings(`SELECT key FROM sempadan_receipts`)
		return err
	})
	if err == nil {
		s.used.add(keys...)
		s.used.Lock()
		s.used.read = true
		s.used.Unlock()
	}
	return err
}

// Receipt finds an earlier change by its idempotency key.
func (s *Store) Receipt(ctx context.Context, key string) (data.Receipt, error) {
	var r data.Receipt
	if !s.used.has(receiptKeys(key)) {
		return r, fmt.Errorf("receipt: %w", data.ErrNotFound)
	}
	if err := s.readUsedKeys(ctx); err != nil {
		return r, fmt.Errorf("receipt: %w", err)
	}
	var answer []byte
	err := s.read(ctx, func(x *txn) error {
		return x.get([]any{&r.Layer, &r.Version, &r.SHA256, &answer},
			`SELECT layer_id, version, sha256, answer FROM sempadan_receipts WHERE key IN (?, ?)`, receiptKeys(key)...)
	})
	if err != nil {
		return data.Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	r.Answer = answer
	return r, nil
}

// addReceipt keeps the answer to a change, when it is to be given again.
func (x *txn) addReceipt(c data.Change, version int64) error {
	if c.IdempotencyKey == "" {
		return nil
	}
	var used int
	if err := x.get([]any{&used}, `SELECT count(*) FROM sempadan_receipts WHERE key IN (?, ?)`, receiptKeys(c.IdempotencyKey)...); err != nil {
		return err
	}
	if used > 0 {
		return fmt.Errorf("idempotency key %q has been used; ask for its receipt, or use a new key", c.IdempotencyKey)
	}
	return x.execAll(
		stmt(`INSERT INTO sempadan_receipts VALUES (?, ?, ?, ?, ?)`,
			receiptKey(c.IdempotencyKey), c.Info.ID, version, c.Provenance.SHA256, textOrNull(string(c.Answer))),
		stmt(`DELETE FROM sempadan_receipts WHERE rowid <= last_insert_rowid() - ?`, keptReceipts))
}

// eraseReceipts takes out of a layer's receipts what they say of its rows: the
// answer with its bounds, the digest of the file and a key in plain text. What
// stays is that the key was used.
func (x *txn) eraseReceipts(layer string) error {
	plain, err := x.strings(`SELECT key FROM sempadan_receipts WHERE layer_id = ? AND key NOT LIKE '`+receiptDigest+`%'`, layer)
	if err != nil {
		return err
	}
	for _, key := range plain {
		if err := x.exec(`UPDATE sempadan_receipts SET key = ? WHERE key = ?`, receiptKey(key), key); err != nil {
			return err
		}
	}
	return x.exec(`UPDATE sempadan_receipts SET sha256 = '', answer = NULL WHERE layer_id = ?`, layer)
}
