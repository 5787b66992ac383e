package api

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
)

// AuditKey signs the checkpoints of the audit log, and makes digests of what
// must not stand in it in clear.
type AuditKey struct {
	sign    ed25519.PrivateKey
	digests []byte
}

// ReadAuditKey reads the secret in a file that only its owner may read.
func ReadAuditKey(path string) (*AuditKey, error) {
	raw, err := readSecretFile(path)
	if err != nil {
		return nil, fmt.Errorf("the key of the audit log: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(secret) != 32 {
		return nil, fmt.Errorf("the key of the audit log: %s holds none; put the file back from a backup, checkpoints of another key cannot be verified", path)
	}
	seed, err := hkdf.Key(sha256.New, secret, nil, "sempadan audit checkpoints", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	digests, err := hkdf.Key(sha256.New, secret, nil, "sempadan audit digests", 32)
	if err != nil {
		return nil, err
	}
	return &AuditKey{ed25519.NewKeyFromSeed(seed), digests}, nil
}

// makeAuditKey is ReadAuditKey; it makes the file when there is none.
func makeAuditKey(path string) (*AuditKey, error) {
	k, err := ReadAuditKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("draw a key of the audit log: %w", err)
	}
	if err := writeSecretFile(path, []byte(hex.EncodeToString(secret[:])+"\n")); err != nil {
		return nil, err
	}
	return ReadAuditKey(path)
}

// Public is the key that verifies checkpoints.
func (k *AuditKey) Public() ed25519.PublicKey { return k.sign.Public().(ed25519.PublicKey) }

// PublicText is Public in base64, as checkpoints have it.
func (k *AuditKey) PublicText() string { return base64.StdEncoding.EncodeToString(k.Public()) }

// Checkpoint signs what a log is at a time.
func (k *AuditKey) Checkpoint(head data.AuditHead, at time.Time) data.AuditCheckpoint {
	return data.SignCheckpoint(k.sign, head, at)
}

// digest is a keyed digest of parts, 64 bits in hex: enough to find a thing again
// among some billions, and of no use without the key.
func (k *AuditKey) digest(parts ...string) string {
	h := hmac.New(sha256.New, k.digests)
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// record is the digest that stands for a record of a layer.
func (k *AuditKey) record(layer string, fid int64) string {
	return k.digest("record", layer, strconv.FormatInt(fid, 10))
}
