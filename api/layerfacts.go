package api

import (
	"math"
	"slices"
	"sort"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// layerFacts are what is worked out of a layer once, when somebody asks.
type layerFacts struct {
	order      []int32 // rows by FID; nil where they are in that order
	from, to   int64   // of the dated rows, unix milliseconds
	dated      bool
	shapes     string // the one type of geometry, "" for several
	queryables []data.Queryable
	fields     []geo.FilterField
	flagged    bool             // some row says something of collusion
	secret     bool             // some row may be of it
	params     []data.Queryable // that have a query parameter of their own
}

func factsOf(l *geo.Layer) layerFacts {
	f := layerFacts{queryables: data.Queryables(l), from: math.MaxInt64, to: math.MinInt64}
	f.fields = data.FilterFields(f.queryables)
	for _, q := range f.queryables {
		if q.Type != geo.FieldGeometry && q.Type != geo.FieldAny && !slices.Contains(itemParams[:], q.Name) {
			f.params = append(f.params, q)
		}
	}
	f.flagged = l.Info.Kind == geo.KindIncident && slices.ContainsFunc(l.Columns(), func(c geo.Column) bool { return c.Name == geo.CollusionField })
	f.secret = l.MayTellOfCollusion()
	ascending := true
	for row := range l.Len() {
		ascending = ascending && (row == 0 || l.FID(row-1) < l.FID(row))
		if from, to, ok := l.TimesMS(row); ok {
			f.from, f.to, f.dated = min(f.from, from), max(f.to, to), true
		}
		shape := "Point"
		if _, isPoint := l.Point(row); !isPoint {
			shape = l.Geometry(row).GeoJSONType()
		}
		if row == 0 {
			f.shapes = shape
		} else if f.shapes != shape {
			f.shapes = ""
		}
	}
	if !ascending {
		f.order = make([]int32, l.Len())
		for row := range f.order {
			f.order[row] = int32(row)
		}
		slices.SortFunc(f.order, func(a, b int32) int { return int(min(1, max(-1, l.FID(int(a))-l.FID(int(b))))) })
	}
	return f
}

// byFID is the row that is the k-th by FID.
func (e *entry) byFID(k int) int {
	if order := e.facts().order; order != nil {
		return int(order[k])
	}
	return k
}

// rowOf finds a feature by its FID.
func (e *entry) rowOf(fid int64) (row int, ok bool) {
	l := e.layer
	k := sort.Search(l.Len(), func(k int) bool { return l.FID(e.byFID(k)) >= fid })
	if k == l.Len() || l.FID(e.byFID(k)) != fid {
		return 0, false
	}
	return e.byFID(k), true
}
