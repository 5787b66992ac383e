package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// groupDocument says what the members of the provider's groups are here. Whoever
// is in no group of it, or in two that differ, is nobody.
type groupDocument struct {
	// Claim is where a token has the groups, by the names on the way: ["groups"]
	// when it is left out.
	Claim []string `json:"claim,omitempty"`
	// Scopes are asked for beside openid.
	Scopes []string              `json:"scopes,omitempty"`
	Groups map[string]membership `json:"groups"`
}

// membership is what a group makes of its members.
type membership struct {
	Role    Role   `json:"role"`
	Agency  string `json:"agency"`
	Country string `json:"country"`
}

const mostGroupBytes = 1 << 20

// readGroups reads a file of groups. Nobody but its owner may be able to write
// it: it gives out roles.
func readGroups(path string) (doc groupDocument, err error) {
	file, err := os.Open(path)
	if err != nil {
		return doc, fmt.Errorf("read the groups: %w", err)
	}
	defer func() { _ = file.Close() }()
	st, err := file.Stat()
	if err != nil {
		return doc, fmt.Errorf("read the groups: %w", err)
	}
	if st.Mode().Perm()&0o022 != 0 {
		return doc, fmt.Errorf("%s can be written by others (mode %04o); run chmod go-w %s", path, st.Mode().Perm(), path)
	}
	raw, err := io.ReadAll(io.LimitReader(file, mostGroupBytes+1))
	if err != nil {
		return doc, fmt.Errorf("read the groups: %w", err)
	}
	if doc, err = parseGroups(raw); err != nil {
		return groupDocument{}, fmt.Errorf("%s: %w", path, err)
	}
	return doc, nil
}

func parseGroups(raw []byte) (doc groupDocument, err error) {
	if len(raw) > mostGroupBytes {
		return doc, fmt.Errorf("more than %d bytes cannot be a file of groups", mostGroupBytes)
	}
	if _, err := strictObject(raw); err != nil {
		return doc, fmt.Errorf("%w; it looks like {\"groups\": {\"mmea-planners\": {\"role\": \"planner\", \"agency\": \"MMEA\", \"country\": \"MY\"}}}", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return doc, err
	}
	if len(doc.Groups) == 0 {
		return doc, errors.New("no group has a role; give one under groups")
	}
	for name, m := range doc.Groups {
		if err := (KeyRequest{Role: m.Role, Agency: m.Agency, Country: m.Country, Days: 1}).check(); err != nil {
			return doc, fmt.Errorf("group %q: %w", name, err)
		}
		if name == "" {
			return doc, errors.New("a group has no name")
		}
	}
	return doc, nil
}

func (d groupDocument) scopes() []string {
	out := []string{"openid"}
	for _, s := range d.Scopes {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

const (
	mostGroupsOfOne = 1000
	mostGroupName   = 512
)

// groupsIn returns the groups that a token's claims name; what is no name, or
// no list of names, is an error.
func (d groupDocument) groupsIn(claims map[string]any) ([]string, error) {
	way := d.Claim
	if len(way) == 0 {
		way = []string{"groups"}
	}
	var v any = claims
	for _, name := range way {
		inside, ok := v.(map[string]any)
		if !ok {
			return nil, errNoGroup
		}
		v = inside[name]
	}
	switch v := v.(type) {
	case string:
		return []string{v}, nil
	case []any:
		if len(v) > mostGroupsOfOne {
			return nil, errNoGroup
		}
		var out []string
		for _, one := range v {
			name, ok := one.(string)
			if !ok || len(name) > mostGroupName {
				return nil, errNoGroup
			}
			out = append(out, name)
		}
		return out, nil
	}
	return nil, errNoGroup
}

var (
	errNoGroup   = errors.New("none of your groups has a role here; ask your administrator to put you in one")
	errTwoGroups = errors.New("your groups have different roles here; ask your administrator to leave you in one of them")
)

// who returns what the members of groups are: of all that have a role, the one
// that they agree in.
func (d groupDocument) who(groups []string) (m membership, err error) {
	found := false
	for _, name := range groups {
		other, known := d.Groups[name]
		switch {
		case !known:
		case found && other != m:
			return membership{}, errTwoGroups
		default:
			m, found = other, true
		}
	}
	if !found {
		return membership{}, errNoGroup
	}
	return m, nil
}
