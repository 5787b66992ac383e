package route

// flowNet is a directed network with capacities, of which it finds a greatest
// flow and a least cut.
//
// Source: Y. Dinitz, Soviet Math. Doklady 11 (1970).
type flowNet struct {
	head  []int32 // first arc by vertex; -1: none
	arcs  []arc   // each followed by its opposite
	level []int32
	at    []int32 // arc that is looked at next, by vertex
}

type arc struct {
	to, next int32
	room     int64
}

// unbounded is a capacity that no cut takes.
const unbounded = int64(1) << 40

func newFlowNet(vertices int) *flowNet {
	n := &flowNet{head: make([]int32, vertices), level: make([]int32, vertices), at: make([]int32, vertices)}
	for i := range n.head {
		n.head[i] = -1
	}
	return n
}

func (n *flowNet) join(from, to int32, room int64) {
	n.arcs = append(n.arcs, arc{to, n.head[from], room}, arc{from, n.head[to], 0})
	n.head[from], n.head[to] = int32(len(n.arcs)-2), int32(len(n.arcs)-1)
}

// fill sends as much as there is room for and returns it; ok is false when a way
// has no bound.
func (n *flowNet) fill(from, to int32) (flow int64, ok bool) {
	for n.layer(from, to) {
		copy(n.at, n.head)
		for {
			sent := n.send(from, to, unbounded)
			if sent == 0 {
				break
			}
			if flow += sent; flow >= unbounded {
				return flow, false
			}
		}
	}
	return flow, true
}

// layer numbers the vertices by how many arcs with room lead there; it reports
// whether to is reached. Where it is not, those on the near side of the cut that
// is nearest to from have a level of 0 and more.
func (n *flowNet) layer(from, to int32) bool {
	for i := range n.level {
		n.level[i] = -1
	}
	n.level[from] = 0
	queue := []int32{from}
	for len(queue) > 0 {
		u := queue[0]
		queue = queue[1:]
		for e := n.head[u]; e >= 0; e = n.arcs[e].next {
			if v := n.arcs[e].to; n.arcs[e].room > 0 && n.level[v] < 0 {
				n.level[v] = n.level[u] + 1
				if v == to {
					return true
				}
				queue = append(queue, v)
			}
		}
	}
	return false
}

// send pushes up to most along one way of the layers.
func (n *flowNet) send(u, to int32, most int64) int64 {
	if u == to {
		return most
	}
	for ; n.at[u] >= 0; n.at[u] = n.arcs[n.at[u]].next {
		e := n.at[u]
		v := n.arcs[e].to
		if n.arcs[e].room == 0 || n.level[v] != n.level[u]+1 {
			continue
		}
		if sent := n.send(v, to, min(most, n.arcs[e].room)); sent > 0 {
			n.arcs[e].room -= sent
			n.arcs[e^1].room += sent
			return sent
		}
	}
	return 0
}
