package data

import (
	"context"
	"errors"
	"time"
)

// AuditRestore is the action of the entry that says a backup was restored.
const AuditRestore = "store.restore"

// AuditRecover is the action of the entry that says a store was recovered from
// damage. Where entries may be missing its number leaves one out, so that a
// verification tells of it.
const AuditRecover = "store.recover"

const carryBatch = 10_000

var errNotTheSame = errors.New("one log does not go on where the other ends")

// CarryAudit adds to a log what another has beyond it, so that restoring a backup
// loses no entry. It adds nothing, and says false, when the other does not go on
// where this one ends.
func CarryAudit(ctx context.Context, from, to AuditLog) (carried int, ok bool, err error) {
	head, err := to.AuditHead(ctx)
	if err != nil {
		return 0, false, err
	}
	var rest []AuditEntry
	v := AuditVerifier{head: head}
	err = from.ReadAudit(ctx, AuditFilter{After: head.N}, func(e AuditEntry) error {
		if v.Add(e); v.fault != nil {
			return errNotTheSame
		}
		rest = append(rest, e)
		return nil
	})
	if errors.Is(err, errNotTheSame) {
		return 0, false, nil
	}
	var fault *AuditFault
	if errors.As(err, &fault) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	if end, err := from.AuditHead(ctx); err != nil || end != v.head {
		return 0, false, err
	}
	for i := 0; i < len(rest); i += carryBatch {
		if _, err := to.AppendAudit(ctx, rest[i:min(len(rest), i+carryBatch)]); err != nil {
			return i, false, err
		}
	}
	return len(rest), true, nil
}

// RestoredAudit is the entry for a restore, from the log of the store that was
// replaced, where it could not be carried over.
func RestoredAudit(at time.Time, detail string) AuditEntry {
	return AuditEntry{At: at, Actor: "machine", Action: AuditRestore, Outcome: AuditDone, Detail: detail}
}
