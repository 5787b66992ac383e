package api

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// KeyInfo is an API key as it is kept: its secret only as a digest.
type KeyInfo struct {
	ID        string     `json:"id"`
	Role      Role       `json:"role"`
	Agency    string     `json:"agency"`
	Country   string     `json:"country"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Scopes    []string   `json:"scopes,omitempty"` // see inScope
	Made      *KeyOrigin `json:"made,omitempty"`   // nil: at the machine
	SHA256    string     `json:"sha256,omitempty"` // of the secret, hex
}

// KeyOrigin is who asked for a key over HTTP, and who approved it.
type KeyOrigin struct{ By, Approved PartyWord }

// longestKey is how long a key may be good for.
const longestKey = 365 * 24 * time.Hour

// KeyRequest asks for a key.
type KeyRequest struct {
	Role            Role
	Agency, Country string
	Days            int
}

// agencyPattern is what an agency's code may look like.
var agencyPattern = regexp.MustCompile(`^[A-Z0-9][A-Z0-9/_-]{0,39}$`)

func (q KeyRequest) check() error {
	switch {
	case !slices.Contains(Roles(), q.Role):
		return fmt.Errorf("role %q: use one of %s", q.Role, strings.Join(roleNames(), ", "))
	case !agencyPattern.MatchString(q.Agency):
		return fmt.Errorf("agency %q: use a code of capital letters and digits such as POLRI or MMEA", q.Agency)
	case !slices.Contains(countries[:], q.Country):
		return fmt.Errorf("country %q: use ID or MY", q.Country)
	case q.Days < 1 || time.Duration(q.Days)*24*time.Hour > longestKey:
		return fmt.Errorf("%d days: use 1 to 365; no key is good for ever", q.Days)
	}
	return nil
}

// KeyFile is the keys of a service: a file of its own, beside the store and not
// in it, that only its owner may read.
type KeyFile struct{ Path string }

// keysDocument is what is in the file.
type keysDocument struct {
	Keys []KeyInfo `json:"keys"`
}

// Create adds a key and returns it with the token, which nothing keeps: 256
// random bits behind the key's ID. Without scopes it is for all that its role
// may.
func (f KeyFile) Create(q KeyRequest, now time.Time, scopes ...string) (info KeyInfo, token string, err error) {
	return f.create(q, nil, now, scopes...)
}

// create is Create for somebody who asked over HTTP; made is nil at the machine.
func (f KeyFile) create(q KeyRequest, made *KeyOrigin, now time.Time, scopes ...string) (info KeyInfo, token string, err error) {
	if err := cmp.Or(q.check(), checkScopes(scopes)); err != nil {
		return info, "", err
	}
	var raw [37]byte // five of the ID, 32 of the secret
	if _, err := rand.Read(raw[:]); err != nil {
		return info, "", fmt.Errorf("draw a key: %w", err)
	}
	secret := base64.RawURLEncoding.EncodeToString(raw[5:])
	now = now.UTC().Truncate(time.Second)
	info = KeyInfo{ID: hex.EncodeToString(raw[:5]), Role: q.Role, Agency: q.Agency, Country: q.Country, Scopes: scopes, Made: made,
		CreatedAt: now, ExpiresAt: now.AddDate(0, 0, q.Days), SHA256: digestOfSecret(secret)}
	err = f.change(func(doc *keysDocument) error {
		doc.Keys = append(doc.Keys, info)
		return nil
	})
	return info, keyPrefix + info.ID + "_" + secret, err
}

// Revoke ends a key; services that read the file follow within keyPoll.
func (f KeyFile) Revoke(id string, now time.Time) error {
	return f.change(func(doc *keysDocument) error {
		for i := range doc.Keys {
			if k := &doc.Keys[i]; k.ID == id {
				if k.RevokedAt == nil {
					now = now.UTC().Truncate(time.Second)
					k.RevokedAt = &now
				}
				return nil
			}
		}
		return fmt.Errorf("there is no key %s; `sempadan keys list` shows them", id)
	})
}

// List returns the keys without their digests.
func (f KeyFile) List() ([]KeyInfo, error) {
	doc, err := f.read()
	for i := range doc.Keys {
		doc.Keys[i].SHA256 = ""
	}
	return doc.Keys, err
}

// read returns what is in the file; a file that is not there has no keys.
func (f KeyFile) read() (doc keysDocument, err error) {
	raw, err := readSecretFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return doc, nil
	}
	if err != nil {
		return doc, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return doc, fmt.Errorf("read the keys in %s: %w; restore the file or remove it and create keys anew", f.Path, err)
	}
	return doc, nil
}

// readSecretFile reads a file that only its owner may read.
func readSecretFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	st, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o); run chmod 600 %s", path, st.Mode().Perm(), path)
	}
	const most = 16 << 20
	if st.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes, more than %d; it cannot be a file of keys", path, st.Size(), most)
	}
	return os.ReadFile(path)
}

// change rewrites the file whole: what a reader sees is the old or the new.
func (f KeyFile) change(edit func(*keysDocument) error) error {
	unlock, err := lockFile(f.Path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	doc, err := f.read()
	if err != nil {
		return err
	}
	if err := edit(&doc); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	return writeSecretFile(f.Path, append(raw, '\n'))
}

// lockFile waits until no other process has the lock; one that is older than
// a minute was left behind.
func lockFile(path string) (unlock func(), err error) {
	for range 200 {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			_ = file.Close()
			return func() { _ = os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("lock the keys: %w", err)
		}
		if st, err := os.Stat(path); err == nil && time.Since(st.ModTime()) > time.Minute {
			_ = os.Remove(path)
			continue
		}
		time.Sleep(25 * time.Millisecond)
	}
	return nil, fmt.Errorf("another program is changing the keys; try again, or remove %s", path)
}

func writeSecretFile(path string, raw []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(raw)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

const keyPrefix = "spd_"

func digestOfSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// keyPoll is how often a service looks whether the keys have changed.
const keyPoll = 2 * time.Second

// keyBook is the keys as a running service has them.
type keyBook struct {
	file KeyFile
	now  func() time.Time

	mu      sync.Mutex
	looked  time.Time
	stamp   string // of the file that was read
	byID    map[string]KeyInfo
	problem error // the file cannot be read: no key is good
}

func newKeyBook(f KeyFile, now func() time.Time) (*keyBook, error) {
	b := &keyBook{file: f, now: now}
	b.refresh()
	return b, b.problem
}

// refresh reads the file again when it has changed.
func (b *keyBook) refresh() {
	b.looked = b.now()
	stamp := "absent"
	if st, err := os.Stat(b.file.Path); err == nil {
		stamp = fmt.Sprint(st.Size(), st.ModTime().UnixNano(), st.Mode())
	}
	if stamp == b.stamp && b.problem == nil {
		return
	}
	doc, err := b.file.read()
	b.stamp, b.problem, b.byID = stamp, err, map[string]KeyInfo{}
	if err != nil {
		return
	}
	for _, k := range doc.Keys {
		b.byID[k.ID] = k
	}
}

// errNoSignIn is all that whoever shows a wrong key is told.
var errNoSignIn = errors.New("this key is not good")

// find returns the key of a token. Every token takes the same way through it:
// one digest and one comparison, of a key or of none.
func (b *keyBook) find(token string) (KeyInfo, error) {
	id, secret, shaped := cutToken(token)
	k, good := b.byIDGood(id)
	if !good {
		k = KeyInfo{SHA256: strings.Repeat("0", 64)}
	}
	same := subtle.ConstantTimeCompare([]byte(digestOfSecret(secret)), []byte(k.SHA256)) == 1
	if !shaped || !good || !same {
		return KeyInfo{}, errNoSignIn
	}
	return k, nil
}

// byIDGood returns a key that is neither revoked nor at its end.
func (b *keyBook) byIDGood(id string) (KeyInfo, bool) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.looked) >= keyPoll || now.Before(b.looked) {
		b.refresh()
	}
	k, known := b.byID[id]
	return k, known && k.RevokedAt == nil && now.Before(k.ExpiresAt) && !now.Before(k.CreatedAt.Add(-time.Minute))
}

// cutToken takes a token apart; its form is exact, so that one key has one
// token.
func cutToken(token string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(token, keyPrefix)
	if !ok || len(rest) != 10+1+43 || rest[10] != '_' {
		return "", token, false
	}
	id, secret = rest[:10], rest[11:]
	raw, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	if err != nil || len(raw) != 32 || strings.ContainsAny(secret, "\r\n") || strings.Trim(id, "0123456789abcdef") != "" {
		return "", token, false
	}
	return id, secret, true
}
