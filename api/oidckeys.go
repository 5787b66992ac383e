package api

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

// signingKeys are the public keys that a provider signs with. A key of an
// unknown ID makes them be read again, but not more often than keysRetry: who
// sends forged tokens must not make this service ask the provider each time.
type signingKeys struct {
	url    string
	client *http.Client
	now    func() time.Time

	reading singleflight.Group
	mu      sync.Mutex
	byID    map[keyName]crypto.PublicKey
	read    time.Time // when they came
	tried   time.Time
}

type keyName struct{ id, algorithm string }

const (
	// keysFresh is after what time the keys are read again in any case, so that
	// one that the provider has withdrawn does not stay good.
	keysFresh = 5 * time.Minute
	// keysKept is how long they are good while the provider does not answer.
	keysKept  = time.Hour
	keysRetry = 10 * time.Second
	mostKeys  = 100
)

// find returns the key of an ID for an algorithm.
func (k *signingKeys) find(ctx context.Context, name keyName) (crypto.PublicKey, error) {
	now := k.now()
	k.mu.Lock()
	key, age := k.byID[name], now.Sub(k.read)
	rests := !k.tried.IsZero() && now.Sub(k.tried) < keysRetry && !now.Before(k.tried)
	k.mu.Unlock()
	switch {
	case key != nil && age < keysFresh && age >= 0:
		return key, nil
	case rests && key != nil && age < keysKept && age >= 0:
		return key, nil
	case rests && k.byIDEmpty():
		return nil, errProviderDown()
	case rests:
		return nil, errNoSignIn
	}
	done := k.reading.DoChan("keys", func() (any, error) {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), providerTimeout)
		defer cancel()
		return nil, k.fetch(own)
	})
	var err error
	select {
	case r := <-done:
		err = r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, age = k.byID[name], now.Sub(k.read)
	switch {
	case key != nil && age < keysKept:
		return key, nil
	case err != nil:
		return nil, errProviderDown()
	}
	return nil, errNoSignIn
}

func (k *signingKeys) byIDEmpty() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.byID) == 0
}

// fetch reads the keys. Those that no token here may be signed with are left
// out: other kinds, short ones, keys for encryption, secrets.
func (k *signingKeys) fetch(ctx context.Context) error {
	k.mu.Lock()
	k.tried = k.now()
	k.mu.Unlock()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return err
	}
	answer, err := k.client.Do(r)
	if err != nil {
		return fmt.Errorf("read the provider's keys: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("read the provider's keys: status %d, %w", answer.StatusCode, err)
	}
	byID, err := readKeys(raw)
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.byID, k.read = byID, k.now()
	k.mu.Unlock()
	return nil
}

func readKeys(raw []byte) (map[keyName]crypto.PublicKey, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("read the provider's keys: %w", err)
	}
	if len(doc.Keys) > mostKeys {
		return nil, fmt.Errorf("the provider has %d keys, more than %d", len(doc.Keys), mostKeys)
	}
	byID := map[keyName]crypto.PublicKey{}
	for _, one := range doc.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(one) != nil || !key.Valid() || key.KeyID == "" || key.Use != "" && key.Use != "sig" {
			continue // of a kind that is not used here
		}
		name := keyName{key.KeyID, algorithmOf(key.Key)}
		if _, twice := byID[name]; twice || name.algorithm == "" || key.Algorithm != "" && key.Algorithm != name.algorithm {
			continue
		}
		byID[name] = key.Key
	}
	return byID, nil
}

// algorithmOf is the one algorithm that a public key is used with, "" for none.
func algorithmOf(key any) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= 2048 {
			return string(jose.RS256)
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return string(jose.ES256)
		}
	}
	return ""
}
