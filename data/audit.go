package data

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// ErrAuditBroken: the audit log in the store is not as this process left it.
var ErrAuditBroken = errors.New("the audit log in the store is not as this program left it")

// Outcomes of what the audit log tells.
const (
	AuditDone    = "done"
	AuditRefused = "refused"
	AuditAlert   = "alert"
)

// AuditHash is a SHA-256; its text is in hex.
type AuditHash [sha256.Size]byte

func (h AuditHash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h AuditHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *AuditHash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("a hash has %d hex digits, this has %d", hex.EncodedLen(len(h)), len(text))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// AuditEntry is one entry of the audit log. It has no coordinates, names,
// credentials or rows: what could tell of them is in Values, as keyed digests.
type AuditEntry struct {
	N       int64     `json:"n"`     // from 1 on, without gaps
	At      time.Time `json:"at"`    // to the millisecond
	Actor   string    `json:"actor"` // of a key or an account, or what of the program acted
	Agency  string    `json:"agency"`
	Country string    `json:"country"`
	Role    string    `json:"role"`
	Action  string    `json:"action"`
	Object  string    `json:"object"` // a layer, section, job or key
	Outcome string    `json:"outcome"`
	Count   int64     `json:"count"`            // rows
	Detail  string    `json:"detail,omitempty"` // what the program itself says, never what somebody sent
	Values  []string  `json:"values,omitempty"`
	Hash    AuditHash `json:"hash"` // SHA-256 of the hash before and the canonical entry
}

// AuditHead is the last entry of a log; the zero value that of an empty one.
type AuditHead struct {
	N    int64     `json:"n"`
	Hash AuditHash `json:"hash"`
}

// auditMark begins every canonical entry, so that its hash is of nothing else.
const auditMark = "sempadan audit 1\n"

// AppendCanonical appends the one encoding of an entry, its hash left out: the
// mark, n and the unix milliseconds (big-endian, eight bytes each), every text
// behind its length in four bytes, the count, and the values behind their number.
func (e AuditEntry) AppendCanonical(b []byte) []byte {
	text := func(s string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	b = append(b, auditMark...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.N))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	for _, s := range [...]string{e.Actor, e.Agency, e.Country, e.Role, e.Action, e.Object, e.Outcome, e.Detail} {
		text(s)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(e.Count))
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.Values)))
	for _, s := range e.Values {
		text(s)
	}
	return b
}

// hashAfter is the hash of the entry behind another.
func (e AuditEntry) hashAfter(before AuditHash) AuditHash {
	return sha256.Sum256(e.AppendCanonical(append(make([]byte, 0, 512), before[:]...)))
}

// After returns the entry as the next of a log: with its number and hash.
func (e AuditEntry) After(head AuditHead) (AuditEntry, AuditHead) {
	e.N = head.N + 1
	e.At = e.At.UTC().Truncate(time.Millisecond)
	e.Hash = e.hashAfter(head.Hash)
	return e, AuditHead{e.N, e.Hash}
}

// AuditFilter picks entries; the zero value takes all.
type AuditFilter struct {
	After, Before int64     // numbers, these themselves left out; 0: any
	From, To      time.Time // From is in, To is not; zero: any
	Actor, Object string
	Actions       []string
	Value         string
	Newest        bool // the newest first
	Limit         int  // 0: all
}

// AuditLog is the audit log of a store. Every change of the store's layers, and
// whatever is done with a context of WithAudit, adds its entry in the transaction
// of the change.
type AuditLog interface {
	// AppendAudit adds entries, which get their numbers and hashes here, and
	// returns when they are on disk.
	AppendAudit(ctx context.Context, entries []AuditEntry) (AuditHead, error)
	// AuditHead is the last entry.
	AuditHead(ctx context.Context) (AuditHead, error)
	// ReadAudit calls each with the entries of a filter, as they are at one
	// instant, by their numbers, until it errs. An entry that is none is an
	// *AuditFault.
	ReadAudit(ctx context.Context, f AuditFilter, each func(AuditEntry) error) error
}

// AuditDraft is the entry of a change that is about to be made. The store
// completes it with what it knows of the change and appends it with the first
// that succeeds.
type AuditDraft struct {
	Entry AuditEntry
	// Now, when not nil, tells the time of the entry as it is written.
	Now     func() time.Time
	written atomic.Bool
}

// Written reports whether the entry is in the log.
func (d *AuditDraft) Written() bool { return d.written.Load() }

// MarkWritten is for stores, once the transaction with the entry is on disk.
func (d *AuditDraft) MarkWritten() { d.written.Store(true) }

type auditDraftKey struct{}

// WithAudit returns a context whose first change of a store appends the draft.
func WithAudit(ctx context.Context, d *AuditDraft) context.Context {
	return context.WithValue(ctx, auditDraftKey{}, d)
}

// AuditOf returns the draft of a context that is not written yet, or nil.
func AuditOf(ctx context.Context) *AuditDraft {
	d, _ := ctx.Value(auditDraftKey{}).(*AuditDraft)
	if d == nil || d.Written() {
		return nil
	}
	return d
}

var auditWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9/_.-]{0,79}$`)

// AuditWord returns a word that may stand in the log in clear: one without
// spaces, of few characters. Any other is "?".
func AuditWord(s string) string {
	if s == "" || auditWord.MatchString(s) {
		return s
	}
	return "?"
}

// Grant is who may see a layer: what the log keeps of each of its versions.
type Grant struct{ Owner, Classification string }

// GrantOf is a layer's.
func GrantOf(info geo.LayerInfo) Grant {
	return Grant{AuditWord(info.Owner), AuditWord(info.Classification)}
}

func (g Grant) String() string { return "owner=" + g.Owner + " class=" + g.Classification }

// ParseGrant reads the grant in an entry's detail.
func ParseGrant(detail string) (g Grant, ok bool) {
	for part := range strings.FieldsSeq(detail) {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "owner":
			g.Owner, ok = value, true
		case "class":
			g.Classification = value
		}
	}
	return g, ok
}
