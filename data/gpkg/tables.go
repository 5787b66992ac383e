package gpkg

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// savedTable is a small table of the store in a snapshot: what a recovered
// store has besides its layers. Of the versions only the newest of each layer
// is kept, since their rows are not.
type savedTable struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"` // text, integers and null
}

var savedTables = [...]struct{ name, columns, where string }{
	{"sempadan_versions", "layer_id,version,features,added,removed,info,provenance", ` WHERE version = (SELECT version FROM sempadan_layers WHERE id = layer_id)`},
	{"sempadan_receipts", "key,layer_id,version,sha256,answer", ` ORDER BY rowid`},
	{"sempadan_settings", "name,value", ``},
	{"sempadan_erasures", "n,layer_id,rows,provenance", ``},
}

func (x *txn) writeTables(w *sectionWriter) error {
	var out []savedTable
	for _, t := range savedTables {
		saved, err := x.saveTable(t.name, t.columns, t.where)
		if err != nil {
			return err
		}
		out = append(out, saved)
	}
	return w.section(snapshotSection{}, func(f io.Writer) error { return json.NewEncoder(f).Encode(out) })
}

func (x *txn) saveTable(name, columns, where string) (savedTable, error) {
	t := savedTable{Name: name, Columns: strings.Split(columns, ",")}
	rows, err := x.conn.QueryContext(x.ctx, `SELECT `+columns+` FROM `+name+where)
	if err != nil {
		return t, err
	}
	defer rows.Close()
	for rows.Next() {
		row, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
		for k := range row {
			into[k] = &row[k]
		}
		if err := rows.Scan(into...); err != nil {
			return t, err
		}
		for k, v := range row {
			if b, ok := v.([]byte); ok {
				row[k] = string(b)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t, rows.Err()
}

func (part snapshotSection) tables(f *os.File) ([]savedTable, error) {
	var out []savedTable
	err := part.read(f, func(in io.Reader) error {
		raw, err := io.ReadAll(io.LimitReader(in, part.Length))
		if err != nil {
			return err
		}
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.UseNumber()
		return dec.Decode(&out)
	})
	return out, err
}

// restoreTable puts the rows of a saved table in the place of those there.
func (x *txn) restoreTable(t savedTable) error {
	for _, known := range savedTables {
		if known.name != t.Name || known.columns != strings.Join(t.Columns, ",") {
			continue
		}
		if err := x.exec(`DELETE FROM ` + t.Name); err != nil {
			return err
		}
		insert := `INSERT INTO ` + t.Name + ` (` + known.columns + `) VALUES (?` + strings.Repeat(`,?`, len(t.Columns)-1) + `)`
		for _, row := range t.Rows {
			for k, v := range row {
				if n, ok := v.(json.Number); ok {
					i, err := n.Int64()
					if err != nil {
						return err
					}
					row[k] = i
				}
			}
			if err := x.exec(insert, row...); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("table %q is not known", t.Name)
}
