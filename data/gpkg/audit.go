package gpkg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// auditTable came with schema version 3.
const auditTable = `CREATE TABLE sempadan_audit (
  n INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  agency TEXT NOT NULL,
  country TEXT NOT NULL,
  role TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  outcome TEXT NOT NULL,
  count INTEGER NOT NULL,
  detail TEXT NOT NULL,
  digests TEXT NOT NULL,
  hash BLOB NOT NULL
)`

const auditColumns = `n, at, actor, agency, country, role, action, object, outcome, count, detail, digests, hash`

// auditHead is the end of the audit log as this process left it.
type auditHead struct {
	known bool
	head  data.AuditHead
}

// sealedAudit is what a transaction adds to the log.
type sealedAudit struct {
	any   bool
	head  data.AuditHead
	draft *data.AuditDraft
}

// settle takes a transaction's end over. Where it is not known whether it was
// committed, the end is read from the file the next time.
func (a *auditHead) settle(sealed sealedAudit, err error) {
	switch {
	case errors.Is(err, errLostConn):
		a.known = false
	case err == nil && sealed.any:
		a.known, a.head = true, sealed.head
		if sealed.draft != nil {
			sealed.draft.MarkWritten()
		}
	}
}

// tell says what the log is to tell of the transaction.
func (x *txn) tell(action string, info geo.LayerInfo, rows int) {
	x.note = &data.AuditEntry{Action: data.AuditWord(action), Object: info.ID, Count: int64(rows)}
	if info.ID != "" {
		x.note.Detail = fmt.Sprintf("version=%d %s", info.Version, data.GrantOf(info))
	}
}

// machineActor is whoever runs the program on this machine, without the service
// knowing who asks.
const machineActor = "machine"

// seal appends the entry of a transaction before it is committed: that of its
// context, or, once there is a log, one for whoever has the machine.
func (s *Store) seal(x *txn) (out sealedAudit, err error) {
	if x.sealed.any { // it was to append entries, and nothing else
		return x.sealed, nil
	}
	draft := data.AuditOf(x.ctx)
	if draft == nil && x.note == nil {
		return out, nil
	}
	e := data.AuditEntry{At: time.Now(), Actor: machineActor, Outcome: data.AuditDone}
	head, err := s.endOfAudit(x)
	switch {
	case err != nil:
		return out, err
	case draft != nil:
		if e = draft.Entry; draft.Now != nil {
			e.At = draft.Now()
		}
	case head.N == 0:
		return out, nil
	}
	if n := x.note; n != nil {
		e.Action, e.Object, e.Count = n.Action, n.Object, n.Count
		e.Detail = strings.TrimSpace(n.Detail + " " + e.Detail)
	}
	head, err = x.appendAudit(head, e)
	return sealedAudit{true, head, draft}, err
}

// endOfAudit reads the end of the log, and errs when it is not where this process
// left it.
func (s *Store) endOfAudit(x *txn) (data.AuditHead, error) {
	head, err := x.auditHead()
	if err == nil && s.audit.known && head != s.audit.head {
		return head, fmt.Errorf("%w: it ends with entry %d, not %d; keep the file, and restore a backup", data.ErrAuditBroken, head.N, s.audit.head.N)
	}
	return head, err
}

func (x *txn) auditHead() (head data.AuditHead, err error) {
	var hash []byte
	err = x.get([]any{&head.N, &hash}, `SELECT n, hash FROM sempadan_audit ORDER BY n DESC LIMIT 1`)
	if errors.Is(err, data.ErrNotFound) {
		return head, nil
	}
	copy(head.Hash[:], hash)
	return head, err
}

func (x *txn) appendAudit(head data.AuditHead, list ...data.AuditEntry) (data.AuditHead, error) {
	for _, e := range list {
		e, head = e.After(head)
		if err := x.insertAudit(e); err != nil {
			return head, err
		}
	}
	return head, nil
}

// insertAudit writes an entry as it stands.
func (x *txn) insertAudit(e data.AuditEntry) error {
	return x.exec(`INSERT INTO sempadan_audit (`+auditColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.N, e.At.UnixMilli(), e.Actor, e.Agency, e.Country, e.Role, e.Action, e.Object, e.Outcome, e.Count, e.Detail,
		strings.Join(e.Values, " "), e.Hash[:])
}

// AppendAudit adds entries to the audit log.
func (s *Store) AppendAudit(ctx context.Context, entries []data.AuditEntry) (head data.AuditHead, err error) {
	err = s.write(ctx, func(x *txn) error {
		x.onlyLogs = true
		if head, err = s.endOfAudit(x); err == nil {
			head, err = x.appendAudit(head, entries...)
		}
		x.sealed = sealedAudit{any: true, head: head}
		return err
	})
	if err != nil {
		return data.AuditHead{}, fmt.Errorf("append to the audit log: %w", err)
	}
	return head, nil
}

// AuditHead returns the last entry's number and hash.
func (s *Store) AuditHead(ctx context.Context) (head data.AuditHead, err error) {
	err = s.read(ctx, func(x *txn) (err error) {
		head, err = x.auditHead()
		return err
	})
	if err != nil {
		err = fmt.Errorf("read the audit log: %w", err)
	}
	return head, err
}

// ReadAudit reads entries of the audit log; see data.AuditLog.
func (s *Store) ReadAudit(ctx context.Context, f data.AuditFilter, each func(data.AuditEntry) error) error {
	query, args := auditQuery(f)
	err := s.read(ctx, func(x *txn) error {
		rows, err := x.conn.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		var last int64
		for rows.Next() {
			e, err := scanAudit(rows)
			if err != nil {
				return &data.AuditFault{N: last + 1, Reason: "cannot be read: " + err.Error()}
			}
			last = e.N
			if err := each(e); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	return nil
}

func scanAudit(rows *sql.Rows) (e data.AuditEntry, err error) {
	var at int64
	var digests string
	var hash []byte
	err = rows.Scan(&e.N, &at, &e.Actor, &e.Agency, &e.Country, &e.Role, &e.Action, &e.Object, &e.Outcome, &e.Count, &e.Detail, &digests, &hash)
	if err == nil && len(hash) != len(e.Hash) {
		err = fmt.Errorf("its hash has %d bytes", len(hash))
	}
	e.At = time.UnixMilli(at).UTC()
	copy(e.Hash[:], hash)
	if digests != "" {
		e.Values = strings.Split(digests, " ")
	}
	return e, err
}

func auditQuery(f data.AuditFilter) (string, []any) {
	var where []string
	var args []any
	add := func(condition string, arg ...any) {
		where = append(where, condition)
		args = append(args, arg...)
	}
	if f.After > 0 {
		add(`n > ?`, f.After)
	}
	if f.Before > 0 {
		add(`n < ?`, f.Before)
	}
	if !f.From.IsZero() {
		add(`at >= ?`, f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		add(`at < ?`, f.To.UnixMilli())
	}
	if f.Actor != "" {
		add(`actor = ?`, f.Actor)
	}
	if f.Object != "" {
		add(`object = ?`, f.Object)
	}
	if f.Value != "" {
		add(`instr(digests, ?) > 0`, f.Value)
	}
	if len(f.Actions) > 0 {
		list := make([]any, len(f.Actions))
		for i, a := range f.Actions {
			list[i] = a
		}
		add(`action IN (?`+strings.Repeat(`,?`, len(list)-1)+`)`, list...)
	}
	query := `SELECT ` + auditColumns + ` FROM sempadan_audit`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	query += ` ORDER BY n`
	if f.Newest {
		query += ` DESC`
	}
	if f.Limit > 0 {
		query += fmt.Sprintf(` LIMIT %d`, f.Limit)
	}
	return query, args
}
