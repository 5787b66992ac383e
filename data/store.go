package data

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// Errors that callers of a Store branch on.
var (
	// ErrNotFound: the store has no such layer, version, receipt or setting.
	ErrNotFound = errors.New("not found")
	// ErrVersionMismatch: the layer is not at the version that the caller named.
	ErrVersionMismatch = errors.New("the layer has changed since that version")
	// ErrReadOnly: the store cannot be written now; reads go on.
	ErrReadOnly = errors.New("the store is read-only")
	// ErrFull: there is no room for the change; reads go on.
	ErrFull = errors.New("the store has no room left")
)

// Mode says what an import does to the layer that is there.
type Mode string

// The modes.
const (
	Replace Mode = "replace"
	Append  Mode = "append"
	Upsert  Mode = "upsert" // by Layer.ID: same ID replaces, others are added
)

// Provenance says where a version of a layer came from.
type Provenance struct {
	At       time.Time         `json:"at"`
	User     string            `json:"user,omitempty"`
	Filename string            `json:"filename,omitempty"`
	SHA256   string            `json:"sha256,omitempty"` // of the file as it came
	Mapping  map[string]string `json:"mapping,omitempty"`
	Format   string            `json:"format,omitempty"` // of the file
	Action   string            `json:"action"`           // replace, append, upsert, correct, withdraw, rollback, erase
	Reason   string            `json:"reason,omitempty"` // of a correction
}

// Change is one new version of one layer, written whole or not at all.
type Change struct {
	// Info is the layer's description after the change. Its Version and
	// NextFID are set by the store.
	Info geo.LayerInfo
	Mode Mode
	// Rows are the rows to write. With Append their FIDs must be at least
	// the stored NextFID; with Upsert a row whose FID is stored replaces it.
	Rows *geo.Layer
	// Withdrawn are FIDs whose rows leave the layer, with Append and Upsert.
	Withdrawn []int64
	// IfVersion, when not nil, must be the stored version (0: no such
	// layer), else ErrVersionMismatch.
	IfVersion *int64
	// IdempotencyKey, when not "", is stored with the change, together with
	// Answer, in the same transaction; Receipt finds it again.
	IdempotencyKey string
	Answer         json.RawMessage
	Provenance     Provenance
}

// Erasure names rows that must leave no trace: by FID, by the identifier of the
// source, or by what they say. Its provenance must not say what it erases.
type Erasure struct {
	FIDs []int64
	IDs  []string
	// Match, when not nil, returns the FIDs of further rows: it is shown, in
	// parts, the rows that only earlier versions had.
	Match func(part *geo.Layer) []int64
	// KeepReplaced leaves the copy of what a restore has replaced: the rows
	// were erased from it before.
	KeepReplaced bool
	Provenance   Provenance
}

// Erased is the record of an erasure.
type Erased struct {
	Layer      string     `json:"layer"`
	Rows       int        `json:"rows"` // of all versions together
	Provenance Provenance `json:"provenance"`
}

// Receipt is what was answered to a change that carried an idempotency key.
// After an erasure from the layer it has neither SHA256 nor Answer.
type Receipt struct {
	Layer   string          `json:"layer"`
	Version int64           `json:"version"`
	SHA256  string          `json:"sha256"`
	Answer  json.RawMessage `json:"answer"`
}

// Version describes one version of a layer.
type Version struct {
	Version    int64      `json:"version"`
	Features   int        `json:"features"`
	Added      int        `json:"added"`
	Removed    int        `json:"removed"`
	Provenance Provenance `json:"provenance"`
}

// Store keeps layers on disk. A method that changes something returns only
// when the change is on disk and would survive a power cut; a change that
// fails leaves nothing behind. All methods are safe for concurrent use; a
// writer does not block readers. storetest holds every implementation to this.
type Store interface {
	// Kind names the implementation: "gpkg" or "postgis".
	Kind() string
	// Layers lists the stored layers by ID.
	Layers(ctx context.Context) ([]geo.LayerInfo, error)
	// Load reads a layer whole, rows in FID order, or ErrNotFound.
	Load(ctx context.Context, id string) (*geo.Layer, error)
	// Commit writes a change and returns the layer's description with its
	// new Version and NextFID.
	Commit(ctx context.Context, c Change) (geo.LayerInfo, error)
	// Versions lists a layer's versions, newest first, or ErrNotFound.
	Versions(ctx context.Context, id string) ([]Version, error)
	// LoadVersion reads the content of a kept version, rows in FID order, or
	// ErrNotFound.
	LoadVersion(ctx context.Context, id string, version int64) (*geo.Layer, error)
	// Changes reads the rows that version to of a layer has and version from
	// has not, and the reverse, or ErrNotFound. Version 0 has no rows. Cost:
	// what changed between the two, and a look at each row.
	Changes(ctx context.Context, id string, from, to int64) (gone, come *geo.Layer, err error)
	// Rollback makes the content of an earlier version the newest version.
	Rollback(ctx context.Context, id string, version int64, p Provenance) (geo.LayerInfo, error)
	// Erase removes rows from the layer and all its versions, so that no file
	// of the store has their bytes, and makes a new version. It returns how
	// many rows there were, in all versions together, or ErrNotFound.
	Erase(ctx context.Context, id string, e Erasure) (int, geo.LayerInfo, error)
	// Erasures lists what was erased, newest first. It outlasts the layers.
	Erasures(ctx context.Context) ([]Erased, error)
	// Compact drops the versions from before a time, but never the newest of
	// a layer, and returns how many there were.
	Compact(ctx context.Context, before time.Time) (int, error)
	// Delete removes a layer with its versions, or ErrNotFound.
	Delete(ctx context.Context, id string) error
	// Receipt finds an earlier change by its idempotency key, or ErrNotFound.
	Receipt(ctx context.Context, key string) (Receipt, error)
	// Setting reads a named value of the program's own, or ErrNotFound.
	Setting(ctx context.Context, name string) (json.RawMessage, error)
	// SetSetting writes one; a nil value removes it.
	SetSetting(ctx context.Context, name string, value json.RawMessage) error
	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
	Close() error
	AuditLog
}
