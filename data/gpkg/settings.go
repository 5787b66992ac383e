package gpkg

import (
	"context"
	"encoding/json"
	"fmt"
)

// Setting reads a named value.
func (s *Store) Setting(ctx context.Context, name string) (json.RawMessage, error) {
	var value []byte
	err := s.read(ctx, func(x *txn) error {
		return x.get([]any{&value}, `SELECT value FROM sempadan_settings WHERE name = ?`, name)
	})
	if err != nil {
		return nil, fmt.Errorf("setting %q: %w", name, err)
	}
	return value, nil
}

// SetSetting writes a named value; nil removes it.
func (s *Store) SetSetting(ctx context.Context, name string, value json.RawMessage) error {
	err := s.write(ctx, func(x *txn) error {
		if value == nil {
			return x.exec(`DELETE FROM sempadan_settings WHERE name = ?`, name)
		}
		return x.exec(`INSERT INTO sempadan_settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, string(value))
	})
	if err != nil {
		return fmt.Errorf("setting %q: %w", name, err)
	}
	return nil
}
