package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
)

// tileFilterParams narrow the features of the vector tiles of one layer.
var tileFilterParams = [...]string{"filter", "filter-lang", "datetime"}

// tileQuery is which features of a layer are in its tiles.
type tileQuery struct {
	rowQuery            // its key is "" for all of them
	asked    url.Values // filter and datetime in their canonical form
}

// readTileQuery reads filter and datetime. Released cells come from a fixed menu:
// whoever sees no more than those may not narrow a tile at all. What means the same
// has the same key: the filter as data.TileFilter prints it, the time in UTC.
func (s *Server) readTileQuery(r *http.Request, e *entry) (q tileQuery, err error) {
	given := r.URL.Query()
	if (given.Get("filter") != "" || given.Get("datetime") != "") && (s.circle.generalised() || e.within != nil) {
		return q, problem{Status: http.StatusForbidden, Code: "not_for_this_role",
			Detail: "what is released in cells is drawn as it is published, and so is all that your role sees; ask for the tile without filter and datetime"}
	}
	lang := given.Get("filter-lang")
	if lang != "" && lang != data.CQL2Text && lang != data.CQL2JSON {
		return q, badParameter("filter-lang", "%q is not %s or %s", lang, data.CQL2Text, data.CQL2JSON)
	}
	q.asked = url.Values{}
	span, timed, err := datetimeParam(r)
	if err != nil {
		return q, err
	}
	if timed && span != (interval{}) {
		text, err := span.canonical()
		if err != nil {
			return q, err
		}
		q.span = &span
		q.asked.Set("datetime", text)
	}
	if text := given.Get("filter"); text != "" {
		if q.filter, text, err = tileFilter(lang, text, drawnFields(e)); err != nil {
			return q, err
		}
		q.asked.Set("filter", text)
	}
	q.key = q.asked.Encode()
	return q, nil
}

// tileFilter reads a filter of tiles, and returns its canonical text.
func tileFilter(lang, text string, fields []geo.FilterField) (*geo.Filter, string, error) {
	x, err := data.ParseFilter(lang, text, nil)
	if err != nil {
		return nil, "", inParameter("filter", err)
	}
	f, err := geo.NewFilter(x, fields)
	if err != nil {
		return nil, "", badParameter("filter", "%v", err)
	}
	if x, err = data.TileFilter(f.Expr()); err != nil {
		return nil, "", inParameter("filter", err)
	}
	if f, err = geo.NewFilter(x, fields); err != nil {
		return nil, "", badParameter("filter", "%v", err)
	}
	return f, data.FilterText(x), nil
}

// drawnFields are the properties that the layer's tiles have: a filter must not
// tell what they do not.
func drawnFields(e *entry) []geo.FilterField {
	return slices.DeleteFunc(slices.Clone(e.facts().fields), func(f geo.FilterField) bool {
		return f.Type != geo.FieldGeometry && !tiles.Drawn(e.layer.Info.Kind, f.Name)
	})
}

// inParameter names the parameter that a refusal is about.
func inParameter(name string, err error) error {
	var refusal *data.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	return problem{Status: refusal.Status, Code: refusal.Code, Detail: name + ": " + refusal.Message, Errors: []paramError{{name, refusal.Message}}}
}

// canonical writes an interval in UTC to the millisecond, .. for an open end.
func (i interval) canonical() (string, error) {
	end := func(t time.Time) (string, error) {
		if t.IsZero() {
			return "..", nil
		}
		if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
			return "", badParameter("datetime", "it leaves the years 0 to 9999; write .. for an open end")
		}
		return t.Format("2006-01-02T15:04:05.999Z"), nil
	}
	from, err := end(i.from)
	if err != nil {
		return "", err
	}
	to, err := end(i.to)
	if err != nil || from == to {
		return to, err
	}
	return from + "/" + to, nil
}
