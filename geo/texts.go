package geo

import (
	"math"
	"strings"
)

// texts is a list of texts that takes four bytes for each besides its own, and
// none where all have one length; the zero value is an empty one.
type texts struct {
	all  string
	ends []uint32
	// Where all but, at most, an empty one at the front have one length:
	n, width, empty int
}

func newTexts(list []string) texts {
	if list == nil {
		return texts{}
	}
	all, ends := strings.Join(list, ""), make([]uint32, len(list))
	end := 0
	for i, s := range list {
		end += len(s)
		ends[i] = uint32(end)
	}
	if end > math.MaxUint32 {
		panic("geo: the texts of one property of 65,536 features have over 4 GB")
	}
	return packTexts(all, ends)
}

// packTexts returns the texts that end at ends.
func packTexts(all string, ends []uint32) texts {
	empty := 0
	if len(ends) > 0 && ends[0] == 0 {
		empty = 1
	}
	n := len(ends) - empty
	if n <= 0 || len(all)%n != 0 || len(all) == 0 {
		return texts{all: all, ends: ends}
	}
	width := len(all) / n
	for i, end := range ends[empty:] {
		if int(end) != (i+1)*width {
			return texts{all: all, ends: ends}
		}
	}
	return texts{all: all, n: len(ends), width: width, empty: empty}
}

func (t *texts) len() int { return max(len(t.ends), t.n) }

func (t *texts) at(i int) string {
	if t.width > 0 {
		if i -= t.empty; i < 0 {
			return ""
		}
		return t.all[i*t.width : (i+1)*t.width]
	}
	if i == 0 {
		return t.all[:t.ends[0]]
	}
	return t.all[t.ends[i-1]:t.ends[i]]
}
