package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ReadBudget is how many raw rows one key or account may read in an hour and in a
// day of UTC. 0 is the default.
type ReadBudget struct{ Hour, Day int64 }

// DefaultReadBudget lets somebody read the largest layer that an upload takes
// once an hour.
func DefaultReadBudget() ReadBudget { return ReadBudget{Hour: 1_000_000, Day: 5_000_000} }

// ParseReadBudget reads HOUR/DAY, such as 1000000/5000000.
func ParseReadBudget(text string) (b ReadBudget, err error) {
	hour, day, cut := strings.Cut(text, "/")
	if b.Hour, err = strconv.ParseInt(hour, 10, 64); err == nil && cut {
		b.Day, err = strconv.ParseInt(day, 10, 64)
	}
	if err != nil || !cut || b.Hour < 1 || b.Day < b.Hour {
		return b, fmt.Errorf("%q: give the rows of an hour and of a day, such as 1000000/5000000, the day's at least the hour's", text)
	}
	return b, nil
}

// budgets are how much of it everyone has used.
type budgets struct {
	limit ReadBudget
	mu    sync.Mutex
	used  map[string]*rowsRead
}

// rowsRead is what one reader read in the current hour and day.
type rowsRead struct {
	hour, day     time.Time
	inHour, inDay int64
}

func newBudgets(limit ReadBudget) *budgets {
	if limit == (ReadBudget{}) {
		limit = DefaultReadBudget()
	}
	return &budgets{limit: limit, used: map[string]*rowsRead{}}
}

const mostReaders = 10_000

// at returns a reader's sums at a time; mu is held.
func (b *budgets) at(reader string, now time.Time) *rowsRead {
	hour, day := now.UTC().Truncate(time.Hour), now.UTC().Truncate(24*time.Hour)
	u := b.used[reader]
	if u == nil {
		if len(b.used) >= mostReaders {
			for k, old := range b.used {
				if !old.day.Equal(day) {
					delete(b.used, k)
				}
			}
		}
		u = &rowsRead{}
		b.used[reader] = u
	}
	if !u.day.Equal(day) {
		u.day, u.inDay = day, 0
	}
	if !u.hour.Equal(hour) {
		u.hour, u.inHour = hour, 0
	}
	return u
}

// take books rows; half reports that this passes half of a budget. Rows beyond
// a budget are not booked: retry is then when it begins anew.
func (b *budgets) take(reader string, rows int64, now time.Time) (half bool, retry time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.at(reader, now)
	if u.inDay+rows > b.limit.Day {
		return false, u.day.Add(24 * time.Hour).Sub(now)
	}
	if u.inHour+rows > b.limit.Hour {
		return false, u.hour.Add(time.Hour).Sub(now)
	}
	passes := func(before, limit int64) bool { return 2*before < limit && 2*(before+rows) >= limit }
	half = passes(u.inHour, b.limit.Hour) || passes(u.inDay, b.limit.Day)
	u.inHour, u.inDay = u.inHour+rows, u.inDay+rows
	return half, 0
}

// recall books what was read before the service started.
func (b *budgets) recall(reader string, rows int64, at, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.at(reader, now)
	if !at.Before(u.day) {
		u.inDay += rows
	}
	if !at.Before(u.hour) {
		u.inHour += rows
	}
}

// errBudget is the answer beyond a budget.
func errBudget(limit ReadBudget) problem {
	return problem{Status: http.StatusTooManyRequests, Code: "read_budget",
		Detail: fmt.Sprintf("this would be more raw rows than one reader may read, %d an hour and %d a day; read fewer (bbox, datetime), wait, or ask the operator for a larger --read-budget", limit.Hour, limit.Day)}
}
