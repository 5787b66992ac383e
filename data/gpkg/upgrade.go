package gpkg

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// erasuresTable came with schema version 2.
const erasuresTable = `CREATE TABLE sempadan_erasures (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  layer_id TEXT NOT NULL,
  rows INTEGER NOT NULL,
  provenance TEXT NOT NULL
)`

// upgrades are the steps from each schema version to the next; the first is
// from version 1.
func upgrades() [][]statement {
	return [][]statement{
		{stmt(erasuresTable), stmt(`INSERT INTO gpkg_extensions VALUES ('sempadan_erasures', NULL, ` + ownExtension + `)`)},
		{stmt(auditTable), stmt(`INSERT INTO gpkg_extensions VALUES ('sempadan_audit', NULL, ` + ownExtension + `)`)},
	}
}

// upgrade brings a store of an older program up to this one, after a copy of
// it was made and verified. It is whole or not at all.
func (s *Store) upgrade(ctx context.Context) error {
	var version int
	if err := s.read(ctx, func(x *txn) error {
		return x.get([]any{&version}, `SELECT schema_version FROM sempadan_store`)
	}); err != nil || version == schemaVersion {
		return err
	}
	if version < 1 {
		return fmt.Errorf("the store has schema version %d, which no program wrote; restore a backup", version)
	}
	copied := s.upgradeBackup(version)
	if s.opts.Notify != nil {
		s.opts.Notify(fmt.Sprintf("the store is of an older version: it is copied to %s and upgraded", copied))
	}
	// One from an upgrade that did not come to its end may be there.
	if err := os.Remove(copied); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the store has schema version %d and is not upgraded to %d: %w", version, schemaVersion, err)
	}
	if err := s.Backup(ctx, copied); err != nil {
		return fmt.Errorf("the store has schema version %d and is not upgraded to %d, because it could not be copied first; make room beside it and start again: %w", version, schemaVersion, err)
	}
	err := s.write(ctx, func(x *txn) error {
		for _, step := range upgrades()[version-1:] {
			if err := x.execAll(step...); err != nil {
				return err
			}
		}
		return x.exec(`UPDATE sempadan_store SET schema_version = ?, program = ?`, schemaVersion, programName)
	})
	if err != nil {
		return fmt.Errorf("upgrade the store from schema version %d to %d (it is as it was, with a copy at %s): %w", version, schemaVersion, copied, err)
	}
	return nil
}
