package api

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Cookies of people who signed in at the provider. The prefix __Host- makes a
// browser take them from this very host only, over TLS (or from this machine).
const (
	sessionCookie = "__Host-sempadan"
	flowCookie    = "__Host-sempadan-flow"
)

const (
	// longestSession is when somebody must sign in again, whatever they do.
	longestSession = 24 * time.Hour
	// idleSession is how long a session lasts without a request.
	idleSession = time.Hour
	// sessionsOfOne is how many browsers one person may use at once; the oldest
	// session ends when there is one more.
	sessionsOfOne = 10
	mostSessions  = 10_000
)

// session is a browser of somebody who signed in. It keeps the groups, not the
// role: what a group may do is asked anew with each request.
type session struct {
	subject      string
	groups       []string
	begun, asked time.Time
}

// sessionBook is the sessions of this process, by digests of their IDs: what is
// in memory opens no session.
type sessionBook struct {
	now func() time.Time

	mu   sync.Mutex
	byID map[[sha256.Size]byte]*session
}

func newSessionBook(now func() time.Time) *sessionBook {
	return &sessionBook{now: now, byID: map[[sha256.Size]byte]*session{}}
}

// open begins a session and returns its ID, 256 random bits.
func (b *sessionBook) open(m member) string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	id := base64.RawURLEncoding.EncodeToString(raw[:])
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	b.makeRoom(m.subject, now)
	b.byID[sha256.Sum256([]byte(id))] = &session{subject: m.subject, groups: m.groups, begun: now, asked: now}
	return id
}

// makeRoom ends what is over, and the oldest session of somebody who has many,
// or of all when there are too many.
func (b *sessionBook) makeRoom(subject string, now time.Time) {
	var oldest, oldestOwn [sha256.Size]byte
	own := 0
	for id, s := range b.byID {
		if s.over(now) {
			delete(b.byID, id)
			continue
		}
		if first := b.byID[oldest]; first == nil || s.begun.Before(first.begun) {
			oldest = id
		}
		if s.subject == subject {
			if own++; own == 1 || s.begun.Before(b.byID[oldestOwn].begun) {
				oldestOwn = id
			}
		}
	}
	if own >= sessionsOfOne {
		delete(b.byID, oldestOwn)
	} else if len(b.byID) >= mostSessions {
		delete(b.byID, oldest)
	}
}

func (s *session) over(now time.Time) bool {
	return now.Sub(s.begun) >= longestSession || now.Sub(s.asked) >= idleSession || now.Before(s.begun.Add(-clockSkew))
}

func (s *session) until() time.Time { return s.begun.Add(longestSession) }

// find returns the session of an ID, and notes that it is in use.
func (b *sessionBook) find(id string) (session, bool) {
	key, ok := sessionKey(id)
	if !ok {
		return session{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s, now := b.byID[key], b.now()
	if s == nil {
		return session{}, false
	}
	if s.over(now) {
		delete(b.byID, key)
		return session{}, false
	}
	s.asked = now
	return *s, true
}

func (b *sessionBook) end(id string) {
	key, ok := sessionKey(id)
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		delete(b.byID, key)
	}
}

// sessionKey is where a session is kept; the form of an ID is exact, so that
// one session has one.
func sessionKey(id string) (key [sha256.Size]byte, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil || len(raw) != 32 || strings.ContainsAny(id, "\r\n") {
		return key, false
	}
	return sha256.Sum256([]byte(id)), true
}

// ownPage reports whether a request with cookies comes from a page of this
// service, or from nobody's: others may send cookies along, and are not heard.
func ownPage(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin" || site == "none"
}

// cookieOf returns the value of a cookie that is there once.
func cookieOf(r *http.Request, name string) (string, bool) {
	found := r.CookiesNamed(name)
	if len(found) != 1 {
		return "", false
	}
	return found[0].Value, true
}

func setCookie(w http.ResponseWriter, name, value string, most time.Duration, site http.SameSite) {
	age := int(most / time.Second)
	if value == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: site})
}
