package data

import (
	"github.com/sempadan/sempadan/geo"
)

// GeometryField names the geometry of a feature in filters.
const GeometryField = "geometry"

// Queryable is a property of the features of a layer that filters may name.
type Queryable struct {
	Name string
	Type string // of geo.FilterField
	// Field says more, for properties of the kind's schema; else its Name is "".
	Field Field
}

// Queryables lists what filters on a layer may name: the geometry, the fields
// of its kind, and what else its features have.
func Queryables(l *geo.Layer) []Queryable {
	out := []Queryable{{Name: GeometryField, Type: geo.FieldGeometry}}
	at := map[string]int{GeometryField: 0}
	fields := Fields(l.Info.Kind)
	from, to := l.Info.Kind.TimeFields()
	for _, name := range []string{from, to} {
		found := false
		for _, f := range fields {
			found = found || f.Name == name
		}
		if !found {
			fields = append(fields, Field{Name: name, Type: TypeInstant})
		}
	}
	for _, f := range fields {
		at[f.Name] = len(out)
		out = append(out, Queryable{f.Name, filterType(f.Type), f})
	}
	for _, c := range l.Columns() {
		k, inSchema := at[c.Name]
		switch {
		case c.Name == geo.HeightsField || inSchema && k == 0:
		case !inSchema:
			out = append(out, Queryable{Name: c.Name, Type: kindOfColumn(c.Type)})
		case out[k].Type != geo.FieldInstant && out[k].Type != kindOfColumn(c.Type):
			out[k].Type = geo.FieldAny
		}
	}
	if _, has := at["id"]; !has {
		out = append(out, Queryable{Name: "id", Type: geo.FieldAny})
	}
	return out
}

// FilterFields are queryables as geo.NewFilter takes them.
func FilterFields(list []Queryable) []geo.FilterField {
	var out []geo.FilterField
	for _, q := range list {
		out = append(out, geo.FilterField{Name: q.Name, Type: q.Type})
	}
	return out
}

func filterType(t FieldType) string {
	switch t {
	case TypeText, TypeCode, TypeSpells:
		return geo.FieldText
	case TypeInteger, TypeNumber:
		return geo.FieldNumber
	case TypeBoolean:
		return geo.FieldBoolean
	case TypeInstant:
		return geo.FieldInstant
	}
	return geo.FieldAny
}

func kindOfColumn(t string) string {
	switch t {
	case "number":
		return geo.FieldNumber
	case "text":
		return geo.FieldText
	case "boolean":
		return geo.FieldBoolean
	}
	return geo.FieldAny
}
