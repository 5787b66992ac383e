package data

// seen is a set of hashes, each with a mark that it is of the stored layer. The
// hashes are spread already, so their own bits are their place; 0 stands for an
// empty one.
type seen struct {
	at     []uint64
	stored []bool
	n      int
}

// meet tells whether a hash was met before, and adds it.
func (s *seen) meet(h uint64) (met, stored bool) {
	k := s.place(h)
	if s.at[k] != 0 {
		return true, s.stored[k]
	}
	s.at[k] = max(h, 1)
	s.n++
	return false, false
}

// recall adds a hash of the stored layer.
func (s *seen) recall(h uint64) {
	s.meet(h)
	s.stored[s.place(h)] = true
}

// place returns where a hash is, or where it goes.
func (s *seen) place(h uint64) int {
	if 4*s.n >= 3*len(s.at) {
		s.grow()
	}
	h = max(h, 1)
	mask := uint64(len(s.at) - 1)
	k := h & mask
	for s.at[k] != 0 && s.at[k] != h {
		k = (k + 1) & mask
	}
	return int(k)
}

func (s *seen) grow() {
	old := *s
	size := max(1024, 2*len(old.at))
	*s = seen{at: make([]uint64, size), stored: make([]bool, size), n: old.n}
	for i, h := range old.at {
		if h != 0 {
			k := s.place(h)
			s.at[k], s.stored[k] = h, old.stored[i]
		}
	}
}
