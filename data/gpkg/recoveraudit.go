package gpkg

import (
	"context"
	"time"

	"github.com/sempadan/sempadan/data"
)

// auditSalvage is what came over of the audit log of a damaged store.
type auditSalvage struct {
	head   data.AuditHead // the last entry that is known to have been
	copied int64
	whole  bool // nothing is known to be missing
}

// copyAudit copies the entries of the damaged file as they stand: from the first
// to one that cannot be read, and from the last back to there. What lies between
// is missing, which a verification of the log tells.
func (d *salvage) copyAudit(ctx context.Context, to *txn) (auditSalvage, error) {
	out := auditSalvage{head: d.index.Audit, whole: d.index.Audit.N == 0}
	if d.db == nil {
		return out, nil
	}
	var failed error // to write
	var logged bool
	err := run(ctx, d.db, "BEGIN", func(x *txn) error {
		var n int
		if err := x.get([]any{&n}, `SELECT count(*) FROM sqlite_schema WHERE name = 'sempadan_audit'`); err != nil || n == 0 {
			return err
		}
		logged = true
		first, err := x.copyEntries(to, 0, false)
		if failed = err; failed != nil {
			return failed
		}
		last, err := x.copyEntries(to, first.head.N, true)
		if failed = err; failed != nil {
			return failed
		}
		out.copied = first.n + last.n
		if last.n == 0 {
			last.head = first.head
		}
		if last.head.N >= out.head.N {
			out.head = last.head
			out.whole = first.ended && x.check(`PRAGMA quick_check('sempadan_audit')`) == nil
		}
		return nil
	})
	if failed == nil && (err != nil || !logged && out.head.N > 0) {
		out.whole = false
	}
	return out, failed
}

// copiedEntries are those that copyEntries met.
type copiedEntries struct {
	head  data.AuditHead // the highest
	n     int64
	ended bool // none was met that cannot be read
}

// copyEntries copies the entries beyond a number, forwards or backwards, up to
// the first that cannot be read. It errs when it cannot write.
func (x *txn) copyEntries(to *txn, beyond int64, backwards bool) (out copiedEntries, err error) {
	query := `SELECT ` + auditColumns + ` FROM sempadan_audit WHERE n > ? ORDER BY n`
	if backwards {
		query += ` DESC`
	}
	rows, err := x.conn.QueryContext(x.ctx, query, beyond)
	if err != nil {
		return out, nil
	}
	defer rows.Close()
	for before := int64(0); rows.Next(); {
		e, err := scanAudit(rows)
		if err != nil || e.N <= beyond || before > 0 && (backwards && e.N >= before || !backwards && e.N <= before) {
			return out, nil
		}
		before = e.N
		if err := to.insertAudit(e); err != nil {
			return out, err
		}
		if out.n++; e.N > out.head.N {
			out.head = data.AuditHead{N: e.N, Hash: e.Hash}
		}
	}
	out.ended = rows.Err() == nil
	return out, nil
}

// tellRecovered adds to a log, when there is one, that the store was recovered.
// Where entries may be missing the number leaves one out: what looks whole would
// hide it.
func (x *txn) tellRecovered(log auditSalvage, at time.Time, detail string) error {
	if log.head.N == 0 && log.whole {
		return nil
	}
	head := log.head
	if !log.whole {
		head.N++
	}
	_, err := x.appendAudit(head, data.AuditEntry{At: at, Actor: machineActor, Action: data.AuditRecover, Outcome: data.AuditDone,
		Count: log.copied, Detail: detail})
	return err
}
