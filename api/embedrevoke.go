package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"
)

// revocations are the grants of embed tokens that were ended before their time:
// a file beside the signing secret, so that a restart does not bring them back.
type revocations struct {
	file *polled[map[string]time.Time]
	now  func() time.Time
}

// revokedDocument is what is in the file: each grant with the time at which
// its last token would have ended anyway.
type revokedDocument struct {
	Revoked map[string]time.Time `json:"revoked"`
}

func newRevocations(path string, now func() time.Time) (*revocations, error) {
	v := &revocations{newPolled(path, now, readRevoked), now}
	_, err := v.file.get()
	return v, err
}

func readRevoked(path string) (map[string]time.Time, error) {
	raw, err := readSecretFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var doc revokedDocument
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("read the revoked embed tokens in %s: %w; restore the file, or remove it together with the signing secret beside it", path, err)
	}
	return doc.Revoked, nil
}

// has reports whether a grant was ended. When that cannot be known, it was.
func (v *revocations) has(id string) bool {
	revoked, err := v.file.get()
	_, ended := revoked[id]
	return err != nil || ended
}

// add ends a grant: on disk when it returns, and at once in this process.
func (v *revocations) add(id string) error {
	unlock, err := lockFile(v.file.path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	revoked, err := readRevoked(v.file.path)
	if err != nil {
		return err
	}
	now := v.now().UTC().Truncate(time.Second)
	next := map[string]time.Time{id: now.Add(longestGrant + longestEmbed)}
	for other, until := range revoked {
		if now.Before(until) {
			next[other] = until
		}
	}
	raw, err := json.MarshalIndent(revokedDocument{next}, "", "  ")
	if err != nil {
		return err
	}
	defer v.file.again()
	return writeSecretFile(v.file.path, append(raw, '\n'))
}

// revokeEmbed ends all tokens of a grant: for the key that asked for it, and
// for administrators.
func (s *Server) revokeEmbed(w http.ResponseWriter, r *http.Request) error {
	p, id := asker(r.Context()), mux.Vars(r)["grant"]
	keyID, _, _ := strings.Cut(id, ".")
	if s.gate == nil || s.gate.embeds == nil || !grantPattern.MatchString(id) || keyID != p.ID && !(p.Role == Admin && s.gate.keyCountry(keyID) == p.Country) {
		return problem{Status: http.StatusNotFound, Code: "grant_not_found", Detail: "there is no such grant of yours; POST /v1/embed-tokens told its id"}
	}
	if err := s.gate.embeds.revoked.add(id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// keyCountry is the country of a key, "" for none.
func (g *gate) keyCountry(id string) string {
	if g.keys == nil {
		return ""
	}
	for _, k := range g.keys.all() {
		if k.ID == id {
			return k.Country
		}
	}
	return ""
}
