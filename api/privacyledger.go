package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo/surface"
)

// publicSetting is where the store keeps the ledger and the newest release, in
// one value: one is never without the other.
const publicSetting = "public_releases"

// mostReleases is how many releases a year of quarters may have.
const mostReleases = 4

// PrivacySpend is an entry of the privacy ledger: a release and what it cost.
type PrivacySpend struct {
	Quarter time.Time `json:"quarter"`
	MadeAt  time.Time `json:"made_at"`
	From    time.Time `json:"from"` // of the days that count
	Until   time.Time `json:"until"`
	Epsilon float64   `json:"epsilon"`
	SHA256  string    `json:"sha256"` // of the noisy counts
}

// publicBook is the ledger, oldest first, with the newest release.
type publicBook struct {
	Ledger []PrivacySpend `json:"ledger"`
	Latest *publicRelease `json:"latest,omitempty"`
}

var (
	errReleased = errors.New("the quarter has its release")
	errSpent    = errors.New("a year of quarters has four releases; no fifth is made")
)

// allows reports why no release may be made for a quarter. It goes by the names of
// quarters, each of which counts once, so that a clock that is put back or
// forward buys nothing.
func (b publicBook) allows(quarter time.Time) error {
	spent := 0
	for _, e := range b.Ledger {
		if !e.Quarter.Before(quarter) {
			return errReleased
		}
		if e.Quarter.After(quarter.AddDate(-1, 0, 0)) {
			spent++
		}
	}
	if spent >= mostReleases {
		return errSpent
	}
	return nil
}

// with returns the book with one more release.
func (b publicBook) with(r publicRelease, now time.Time) publicBook {
	e := PrivacySpend{Quarter: r.Quarter, MadeAt: now.UTC().Truncate(time.Second), From: r.From, Until: r.Until, Epsilon: 1, SHA256: contentTag(fmt.Append(nil, r.Cells, r.Regions))}
	return publicBook{append(slices.Clone(b.Ledger), e), &r}
}

// merged is what two copies of the book know together, so that an older one that
// is put back forgets nothing.
func (b publicBook) merged(o publicBook) publicBook {
	out := publicBook{slices.Clone(b.Ledger), b.Latest}
	for _, e := range o.Ledger {
		if !slices.ContainsFunc(out.Ledger, func(k PrivacySpend) bool { return k.Quarter.Equal(e.Quarter) && k.SHA256 == e.SHA256 }) {
			out.Ledger = append(out.Ledger, e)
		}
	}
	slices.SortStableFunc(out.Ledger, func(x, y PrivacySpend) int { return x.Quarter.Compare(y.Quarter) })
	if o.Latest != nil && (out.Latest == nil || out.Latest.Quarter.Before(o.Latest.Quarter)) {
		out.Latest = o.Latest
	}
	return out
}

// publicBooks keeps the book: in the store, and in a file beside the keys that no
// restore of the store puts back.
type publicBooks struct {
	mu    sync.Mutex // one release at a time
	store data.Store
	file  string // "" for none
	dice  surface.Dice
}

// read returns what the store and the file know.
func (b *publicBooks) read(ctx context.Context) (out publicBook, err error) {
	raw, err := b.store.Setting(ctx, publicSetting)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil && !errors.Is(err, data.ErrNotFound) {
		return out, fmt.Errorf("read the privacy ledger: %w; restore the store from a backup", err)
	}
	if b.file == "" {
		return out, nil
	}
	raw, err = os.ReadFile(b.file)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	var kept publicBook
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil {
		return out, fmt.Errorf("read the privacy ledger %s: %w; put it back from a backup", b.file, err)
	}
	return kept.merged(out), nil
}

// write keeps the book, first where a restore does not reach.
func (b *publicBooks) write(ctx context.Context, book publicBook) error {
	raw, err := json.Marshal(book)
	if err != nil {
		return err
	}
	if b.file != "" {
		if err := writeSecretFile(b.file, raw); err != nil {
			return fmt.Errorf("keep the privacy ledger: %w", err)
		}
	}
	if err := b.store.SetSetting(context.WithoutCancel(ctx), publicSetting, raw); err != nil {
		return fmt.Errorf("keep the privacy ledger: %w", err)
	}
	return nil
}

// StoredPrivacyLedger reads the ledger of a store and of the file beside its keys,
// "" for none.
func StoredPrivacyLedger(ctx context.Context, store data.Store, file string) ([]PrivacySpend, error) {
	b := publicBooks{store: store, file: file}
	book, err := b.read(ctx)
	return book.Ledger, err
}

// CarryPrivacyLedger adds to a store what another knows of releases, so that
// restoring a backup gives no budget back.
func CarryPrivacyLedger(ctx context.Context, from, to data.Store) error {
	old, here := publicBooks{store: from}, publicBooks{store: to}
	was, err := old.read(ctx)
	if err != nil || len(was.Ledger) == 0 {
		return err
	}
	is, err := here.read(ctx)
	if err != nil {
		return err
	}
	return here.write(ctx, was.merged(is))
}

func (s *Server) privacyLedger(w http.ResponseWriter, r *http.Request) error {
	book, err := s.books.public.read(r.Context())
	if err != nil {
		return errLedger(err)
	}
	ledger := book.Ledger
	if ledger == nil {
		ledger = []PrivacySpend{}
	}
	quarter := quarterStart(s.opts.Now())
	left := mostReleases
	for _, e := range ledger {
		if e.Quarter.After(quarter.AddDate(-1, 0, 0)) {
			left--
		}
	}
	next := quarter
	for errors.Is(book.allows(next), errReleased) {
		next = next.AddDate(0, 3, 0)
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{"ledger": ledger, "releases_left": max(0, left), "epsilon_a_release": 1, "most_a_year": mostReleases,
		"next": next.Format(time.DateOnly)})
}
