package api

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var keyNow = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// keyring makes a file with one key.
func keyring(t *testing.T) (f KeyFile, info KeyInfo, token string) {
	t.Helper()
	f = KeyFile{filepath.Join(t.TempDir(), "s.keys")}
	info, token, err := f.Create(KeyRequest{Role: Planner, Agency: "MMEA", Country: "MY", Days: 30}, keyNow)
	if err != nil {
		t.Fatal(err)
	}
	return f, info, token
}

func TestKeyLife(t *testing.T) {
	f, info, token := keyring(t)
	now := keyNow
	b, err := newKeyBook(f, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	good := func() bool { _, err := b.find(token); return err == nil }
	if k, err := b.find(token); err != nil || k.ID != info.ID || k.Role != Planner || k.Agency != "MMEA" || k.Country != "MY" {
		t.Fatalf("%+v %v", k, err)
	}
	if now = keyNow.AddDate(0, 0, 30).Add(-time.Second); !good() {
		t.Error("not good a second before it ends")
	}
	if now = keyNow.AddDate(0, 0, 30); good() {
		t.Error("good when it has ended")
	}
	if now = keyNow.Add(-time.Hour); good() {
		t.Error("good an hour before it was made")
	}
	now = keyNow.Add(time.Hour)
	if !good() {
		t.Fatal("not good")
	}
	if err := f.Revoke(info.ID, now); err != nil {
		t.Fatal(err)
	}
	if now = now.Add(5 * time.Second); good() {
		t.Error("good five seconds after it was revoked")
	}
	if err := f.Revoke("0123456789", now); err == nil {
		t.Error("a key that is not there was revoked")
	}
}

// Forged, altered, cut and swapped tokens.
func TestNoForgedKeyIsGood(t *testing.T) {
	f, _, token := keyring(t)
	_, other, err := f.Create(KeyRequest{Role: Admin, Agency: "IMI", Country: "ID", Days: 1}, keyNow)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newKeyBook(f, func() time.Time { return keyNow })
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{
		"empty": "", "prefix": "spd_", "cut": token[:len(token)-1], "longer": token + "A", "padded": token + "=",
		"space": " " + token, "newline": token + "\n", "upper": strings.ToUpper(token), "twice": token + token,
		"secret of another": token[:15] + other[15:], "id of another": other[:15] + token[15:],
		"no prefix": token[4:], "other prefix": "spx_" + token[4:], "digest": keyPrefix + token[4:15] + digestOfSecret(token[15:])[:43],
		"zero digest": keyPrefix + "0000000000_" + strings.Repeat("A", 43), "NUL": token + "\x00", "percent": strings.Replace(token, "_", "%5F", 1),
		"none": "eyJhbGciOiJub25lIn0.e30.", "jwt": "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "unicode": strings.Replace(token, "a", "а", 1) + "а",
	}
	for name, forged := range bad {
		if _, err := b.find(forged); err == nil {
			t.Errorf("%s: %q is good", name, forged)
		}
	}
	for i := range token { // every flip of every bit
		for bit := range 8 {
			forged := []byte(token)
			forged[i] ^= 1 << bit
			if _, err := b.find(string(forged)); err == nil {
				t.Errorf("byte %d, bit %d: %q is good", i, bit, forged)
			}
		}
	}
	for _, good := range []string{token, other} {
		if _, err := b.find(good); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestKeyFileKeepsNoSecret(t *testing.T) {
	f, info, token := keyring(t)
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(token[15:])) || !bytes.Contains(raw, []byte(info.ID)) {
		t.Error("the file has the secret, or not the ID")
	}
	if st, _ := os.Stat(f.Path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", st.Mode().Perm())
	}
	if err := os.Chmod(f.Path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := newKeyBook(f, func() time.Time { return keyNow }); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that the group can read: %v", err)
	}
	list, err := f.List()
	if err == nil {
		t.Errorf("listed: %+v", list)
	}
}

func TestKeyRequests(t *testing.T) {
	f := KeyFile{filepath.Join(t.TempDir(), "s.keys")}
	good := KeyRequest{Role: Viewer, Agency: "NGO", Country: "ID", Days: 365}
	for name, edit := range map[string]func(*KeyRequest){
		"role": func(q *KeyRequest) { q.Role = "root" }, "agency": func(q *KeyRequest) { q.Agency = "a b" }, "no agency": func(q *KeyRequest) { q.Agency = "" },
		"country": func(q *KeyRequest) { q.Country = "SG" }, "days": func(q *KeyRequest) { q.Days = 0 }, "for ever": func(q *KeyRequest) { q.Days = 366 },
	} {
		q := good
		edit(&q)
		if _, token, err := f.Create(q, keyNow); err == nil || token != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := f.Create(good, keyNow); err != nil {
		t.Error(err)
	}
	if list, err := f.List(); err != nil || len(list) != 1 || list[0].SHA256 != "" {
		t.Errorf("%+v %v", list, err)
	}
}

func FuzzToken(f *testing.F) {
	f.Add("spd_0123456789_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, token string) {
		id, secret, ok := cutToken(token)
		if ok && keyPrefix+id+"_"+secret != token {
			t.Errorf("%q is taken as %q %q", token, id, secret)
		}
	})
}
