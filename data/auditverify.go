package data

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// AuditCheckpoint says what the log was at one instant, signed, for whoever keeps
// it outside: a chain of hashes alone does not stop somebody who makes all of
// them anew.
type AuditCheckpoint struct {
	AuditHead
	At        time.Time `json:"at"`
	Key       string    `json:"key"`       // the public key, base64
	Signature string    `json:"signature"` // Ed25519, base64
}

const checkpointMark = "sempadan checkpoint 1\n"

func (c AuditCheckpoint) message() []byte {
	b := append([]byte(checkpointMark), c.Hash[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.N))
	return binary.BigEndian.AppendUint64(b, uint64(c.At.UnixMilli()))
}

// SignCheckpoint makes the checkpoint of a head.
func SignCheckpoint(key ed25519.PrivateKey, head AuditHead, at time.Time) AuditCheckpoint {
	c := AuditCheckpoint{AuditHead: head, At: at.UTC().Truncate(time.Millisecond),
		Key: base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))}
	c.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, c.message()))
	return c
}

// SignedBy reports whether a checkpoint is of a key.
func (c AuditCheckpoint) SignedBy(key ed25519.PublicKey) bool {
	signature, err := base64.StdEncoding.Strict().DecodeString(c.Signature)
	return err == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, c.message(), signature)
}

const (
	maxCheckpointLine = 4096
	maxCheckpoints    = 20_000_000 // one a minute for 38 years
)

// ReadCheckpoints reads a sink: one checkpoint a line. Lines that are none, such
// as one that a crash cut off, are counted.
func ReadCheckpoints(r io.Reader) (points []AuditCheckpoint, unreadable int, err error) {
	lines := bufio.NewReaderSize(r, maxCheckpointLine)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
			line = []byte("too long")
		}
		if err != nil && err != io.EOF {
			return nil, 0, err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			var c AuditCheckpoint
			if json.Unmarshal(line, &c) != nil || c.N < 1 || c.Signature == "" {
				unreadable++
			} else if points = append(points, c); len(points) > maxCheckpoints {
				return nil, 0, fmt.Errorf("the file has more than %d checkpoints", maxCheckpoints)
			}
		}
		if err == io.EOF {
			return points, unreadable, nil
		}
	}
}

// AuditFault is the first thing that is wrong with a log.
type AuditFault struct {
	N      int64  `json:"n"` // of the entry
	Reason string `json:"reason"`
}

func (f *AuditFault) Error() string { return fmt.Sprintf("entry %d: %s", f.N, f.Reason) }

// AuditVerdict is what a verification found.
type AuditVerdict struct {
	OK          bool        `json:"ok"`
	Entries     int64       `json:"entries"`
	Head        AuditHead   `json:"head"`
	Checkpoints int         `json:"checkpoints"`        // that the log agrees with
	Restores    []int64     `json:"restores,omitempty"` // entries that say a backup was restored
	Fault       *AuditFault `json:"fault,omitempty"`
}

// AuditVerifier reads a log entry by entry and finds the first that was edited,
// dropped, swapped, inserted or cut off. What a chain cannot tell, entries cut off
// its end and a chain made anew, the checkpoints do.
type AuditVerifier struct {
	head   AuditHead
	points []AuditCheckpoint // by N
	agreed int
	fault  *AuditFault

	restores []int64
}

// NewAuditVerifier begins a verification against checkpoints, all of which must
// be signed by the key.
func NewAuditVerifier(points []AuditCheckpoint, key ed25519.PublicKey) *AuditVerifier {
	v := &AuditVerifier{points: slices.Clone(points)}
	slices.SortStableFunc(v.points, func(a, b AuditCheckpoint) int { return int(min(1, max(-1, a.N-b.N))) })
	for _, c := range v.points {
		if !c.SignedBy(key) {
			v.fault = &AuditFault{c.N, "its checkpoint of " + c.At.Format(time.RFC3339) + " is not signed by this service's key"}
			break
		}
	}
	return v
}

// Add takes the next entry.
func (v *AuditVerifier) Add(e AuditEntry) {
	if e.Action == AuditRestore {
		v.restores = append(v.restores, e.N)
	}
	if v.fault != nil {
		return
	}
	switch want := v.head.N + 1; {
	case e.N != want:
		v.fault = &AuditFault{want, fmt.Sprintf("is missing: in its place is entry %d", e.N)}
	case e.Hash != e.hashAfter(v.head.Hash):
		v.fault = &AuditFault{e.N, "is not what was written: its hash does not follow from it and the one before"}
	}
	if v.fault != nil {
		return
	}
	v.head = AuditHead{e.N, e.Hash}
	for v.agreed < len(v.points) && v.points[v.agreed].N == e.N {
		if v.points[v.agreed].Hash != e.Hash {
			since := int64(1)
			if v.agreed > 0 {
				since = v.points[v.agreed-1].N + 1
			}
			v.fault = &AuditFault{since, fmt.Sprintf("or one up to %d is not what was written: the log was made anew from there and differs from the checkpoint of entry %d", e.N, e.N)}
			return
		}
		v.agreed++
	}
}

// Fail ends the verification at an entry that could not be read.
func (v *AuditVerifier) Fail(f *AuditFault) {
	if v.fault == nil {
		v.fault = f
	}
}

// Verdict ends a verification.
func (v *AuditVerifier) Verdict() AuditVerdict {
	if v.fault == nil && v.agreed < len(v.points) {
		v.fault = &AuditFault{v.head.N + 1, fmt.Sprintf("is missing: the log was cut off, a checkpoint is of entry %d", v.points[len(v.points)-1].N)}
	}
	return AuditVerdict{OK: v.fault == nil, Entries: v.head.N, Head: v.head, Checkpoints: v.agreed, Restores: v.restores, Fault: v.fault}
}
