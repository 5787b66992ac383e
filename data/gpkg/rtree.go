package gpkg

import (
	"cmp"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// The index is SQLite's R*Tree module. Filling it row by row is the costliest
// part of writing a layer, so that large changes write its tables directly, as
// a packed tree (Leutenegger, Lopez, Edgington: STR: A Simple and Efficient
// Algorithm for R-Tree Packing, ICDE 1997). The layout of the tables is in the
// head of SQLite's ext/rtree/rtree.c; rtreecheck() verifies it in the tests.
const (
	nodeBytes  = 1228 // header and 51 cells: what SQLite takes for pages of 4096 bytes and more
	nodeHeader = 4    // depth of the tree (root only), number of cells
	cellBytes  = 24   // id, then minx, maxx, miny, maxy as float32
	maxCells   = (nodeBytes - nodeHeader) / cellBytes
	packCells  = maxCells * 9 / 10 // leaves room for later rows
	rootNode   = 1
)

// cell is an entry of a node: a row, or a node of the level below.
type cell struct {
	id                     int64
	minX, maxX, minY, maxY float32
}

func cellOf(id int64, b orb.Bound) cell {
	return cell{id, roundDown(b.Min[0]), roundUp(b.Max[0]), roundDown(b.Min[1]), roundUp(b.Max[1])}
}

// roundDown returns the largest float32 not above v.
func roundDown(v float64) float32 {
	f := float32(v)
	if float64(f) > v {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f
}

// roundUp returns the smallest float32 not below v.
func roundUp(v float64) float32 {
	f := float32(v)
	if float64(f) < v {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}

// buildIndex makes the index of a table that has none, of boxes in any order,
// which it changes.
func (x *txn) buildIndex(table string, boxes []cell) error {
	name := rtreeName(table)
	if err := x.exec(`CREATE VIRTUAL TABLE ` + quote(name) + ` USING rtree(id, minx, maxx, miny, maxy)`); err != nil {
		return err
	}
	if len(boxes) == 0 {
		return nil
	}
	var size int
	if err := x.get([]any{&size}, `SELECT length(data) FROM `+quote(name+"_node")+` WHERE nodeno = 1`); err != nil {
		return err
	}
	if size != nodeBytes {
		return fmt.Errorf("index %s has nodes of %d bytes, not %d; the page size of the file is too small", name, size, nodeBytes)
	}
	t := pack(boxes)
	if err := x.exec(`DELETE FROM ` + quote(name+"_node")); err != nil {
		return err
	}
	return x.raw(func(c driver.Conn) error { return x.writeTree(c, name, t) })
}

// tree is a packed R-tree. Node k has the number k+1; the root is the first.
type tree struct {
	depth  int
	nodes  [][]cell
	parent []int64 // of each node, by index; 0 for the root
	leaves int     // index of the first leaf
}

// pack makes a tree of cells, which it sorts and keeps.
func pack(level []cell) tree {
	// Levels come from the leaves up but are numbered from the root down.
	var levels [][][]cell
	for {
		nodes := tiles(level)
		levels = append(levels, nodes)
		if len(nodes) == 1 {
			break
		}
		level = nil
		for k, node := range nodes {
			level = append(level, around(int64(k), node))
		}
	}
	slices.Reverse(levels)
	t := tree{depth: len(levels) - 1, parent: []int64{0}}
	first := int64(rootNode) // number of the level's first node
	for d, nodes := range levels {
		below := first + int64(len(nodes)) // number of the next level's first
		if d == t.depth {
			t.leaves = len(t.nodes)
			t.nodes = append(t.nodes, nodes...)
			break
		}
		t.parent = append(t.parent, make([]int64, len(levels[d+1]))...)
		for k, node := range nodes {
			for i := range node {
				t.parent[below+node[i].id-rootNode] = first + int64(k)
				node[i].id += below
			}
			t.nodes = append(t.nodes, node)
		}
		first = below
	}
	return t
}

// place is a row and the leaf that it is in.
type place struct{ fid, node int64 }

// places returns the rows in FID order, in which SQLite appends and does not
// search.
func (t *tree) places() []place {
	rows := 0
	for _, node := range t.nodes[t.leaves:] {
		rows += len(node)
	}
	out := make([]place, 0, rows)
	for k, node := range t.nodes[t.leaves:] {
		for _, c := range node {
			out = append(out, place{c.id, int64(t.leaves + k + rootNode)})
		}
	}
	slices.SortFunc(out, func(a, b place) int { return cmp.Compare(a.fid, b.fid) })
	return out
}

// tiles groups cells into nodes: into slices by longitude, each slice into
// runs by latitude.
func tiles(cells []cell) [][]cell {
	n := (len(cells) + packCells - 1) / packCells
	slicesN := int(math.Ceil(math.Sqrt(float64(n))))
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.minX+a.maxX, b.minX+b.maxX), cmp.Compare(a.id, b.id))
	})
	var nodes [][]cell
	for _, slice := range split(cells, slicesN) {
		slices.SortFunc(slice, func(a, b cell) int {
			return cmp.Or(cmp.Compare(a.minY+a.maxY, b.minY+b.maxY), cmp.Compare(a.id, b.id))
		})
		nodes = append(nodes, split(slice, (len(slice)+packCells-1)/packCells)...)
	}
	return nodes
}

// split cuts cells into n runs of equal length, give or take one.
func split(cells []cell, n int) [][]cell {
	var out [][]cell
	for k := range n {
		if run := cells[k*len(cells)/n : (k+1)*len(cells)/n]; len(run) > 0 {
			out = append(out, run)
		}
	}
	return out
}

func around(id int64, node []cell) cell {
	c := node[0]
	c.id = id
	for _, m := range node[1:] {
		c.minX, c.maxX = min(c.minX, m.minX), max(c.maxX, m.maxX)
		c.minY, c.maxY = min(c.minY, m.minY), max(c.maxY, m.maxY)
	}
	return c
}

// blob returns node k as SQLite stores it: big-endian, padded to full length.
func (t *tree) blob(k int) []byte {
	b := make([]byte, 0, nodeBytes)
	depth := 0
	if k == 0 {
		depth = t.depth
	}
	b = binary.BigEndian.AppendUint16(b, uint16(depth))
	b = binary.BigEndian.AppendUint16(b, uint16(len(t.nodes[k])))
	for _, c := range t.nodes[k] {
		b = binary.BigEndian.AppendUint64(b, uint64(c.id))
		for _, v := range [4]float32{c.minX, c.maxX, c.minY, c.maxY} {
			b = binary.BigEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	return b[:nodeBytes]
}

func (x *txn) writeTree(c driver.Conn, name string, t tree) error {
	pairs := func(suffix string, columns []string, n int, pair func(i int) (a int64, b driver.Value)) error {
		w := x.inserter(name+suffix, columns)
		defer w.close()
		for i := range n {
			if w.ready() {
				if err := w.flush(c); err != nil {
					return err
				}
			}
			a, b := pair(i)
			w.add(a)
			w.add(b)
		}
		return w.flush(c)
	}
	if err := pairs("_node", []string{"nodeno", "data"}, len(t.nodes), func(i int) (int64, driver.Value) {
		return int64(i + rootNode), t.blob(i)
	}); err != nil {
		return err
	}
	if err := pairs("_parent", []string{"nodeno", "parentnode"}, len(t.nodes)-1, func(i int) (int64, driver.Value) {
		return int64(i + 1 + rootNode), t.parent[i+1]
	}); err != nil {
		return err
	}
	places := t.places()
	return pairs("_rowid", []string{"rowid", "nodeno"}, len(places), func(i int) (int64, driver.Value) {
		return places[i].fid, places[i].node
	})
}

// A change of at least rebuildRows rows, and at least 1 in rebuildShare of the
// layer's, builds the index anew: packing costs a tenth of inserting.
const (
	rebuildRows  = 500
	rebuildShare = 10
)

// updateIndex brings the index up to date: kept rows of the table stay, those
// with the FIDs in removed go, boxes come in.
func (x *txn) updateIndex(table string, kept int, removed []int64, boxes []cell) error {
	name := quote(rtreeName(table))
	if len(boxes) >= rebuildRows && len(boxes)*rebuildShare >= kept {
		all, _, err := x.tableBoxes(table)
		if err != nil {
			return err
		}
		if err := x.exec(`DROP TABLE ` + name); err != nil {
			return err
		}
		return x.buildIndex(table, all)
	}
	return x.raw(func(c driver.Conn) error {
		if err := x.rawEach(c, `DELETE FROM `+name+` WHERE id = ?`, len(removed), func(i int) []driver.Value {
			return []driver.Value{removed[i]}
		}); err != nil {
			return err
		}
		return x.rawEach(c, `INSERT INTO `+name+` VALUES (?, ?, ?, ?, ?)`, len(boxes), func(i int) []driver.Value {
			b := boxes[i]
			return []driver.Value{b.id, float64(b.minX), float64(b.maxX), float64(b.minY), float64(b.maxY)}
		})
	})
}

// rawEach runs a statement n times.
func (x *txn) rawEach(c driver.Conn, sql string, n int, args func(i int) []driver.Value) error {
	if n == 0 {
		return nil
	}
	stmt, err := c.(driver.ConnPrepareContext).PrepareContext(x.ctx, sql)
	if err != nil {
		return err
	}
	defer stmt.Close()
	var named []driver.NamedValue
	for i := range n {
		named = named[:0]
		for k, v := range args(i) {
			named = append(named, driver.NamedValue{Ordinal: k + 1, Value: v})
		}
		if _, err := stmt.(driver.StmtExecContext).ExecContext(x.ctx, named); err != nil {
			return err
		}
	}
	return nil
}

// tableBoxes reads the envelopes of all rows of a table, in FID order, and the
// one around them.
func (x *txn) tableBoxes(table string) (out []cell, around orb.Bound, err error) {
	around = orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
	err = x.rawRows(`SELECT fid, geom FROM `+quote(table)+` ORDER BY fid`, func(row []driver.Value) error {
		blob, _ := row[1].([]byte)
		if blob == nil {
			return nil
		}
		g, err := parseGeometry(blob)
		if err != nil {
			return fmt.Errorf("feature %d: %w", row[0], err)
		}
		if fid, ok := row[0].(int64); ok && !isEmpty(g) {
			out = append(out, cellOf(fid, g.Bound()))
			around = join(around, g.Bound())
		}
		return nil
	})
	return out, around, err
}

// dropTriggers takes the index triggers off a table while rows change in bulk.
func (x *txn) dropTriggers(table string) error {
	names, err := x.strings(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE`, table)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := x.exec(`DROP TRIGGER ` + quote(name)); err != nil {
			return err
		}
	}
	return nil
}

func (x *txn) createTriggers(table string) error {
	for _, sql := range rtreeTriggers(table) {
		if err := x.exec(sql); err != nil {
			return err
		}
	}
	return nil
}
