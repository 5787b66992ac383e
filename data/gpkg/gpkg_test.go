package gpkg

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
)

func openTest(t *testing.T, path string, opts Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newStore(t *testing.T) *Store {
	t.Helper()
	return openTest(t, filepath.Join(t.TempDir(), "store.gpkg"), Options{})
}

func TestStore(t *testing.T) {
	suite := storetest.Suite{
		// Every test ends with a look at the whole file.
		Open: func(t *testing.T) data.Store {
			path := filepath.Join(t.TempDir(), "store.gpkg")
			s, err := Open(context.Background(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				checkFile(t, path)
			})
			return s
		},
		Reopen: func(t *testing.T, s data.Store) data.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return openTest(t, s.(*Store).Path(), Options{})
		},
	}
	suite.Run(t)
}
