package data

import (
	"strconv"

	"github.com/sempadan/sempadan/geo"
)

// markColumn holds the ID of an export in the rows of formats that have no
// place for it beside them. The importer leaves it out. Ten letters, as .dbf
// wants.
const markColumn = "spd_export"

// markExtra is the mark as a property of each feature; none without a mark.
func markExtra(m geo.ExportMark) []Extra {
	if m.ID == "" {
		return nil
	}
	return []Extra{{markColumn, strconv.Quote(m.ID)}}
}

// AppendMarkMembers appends the mark to the head of a FeatureCollection, each
// member with its comma: members that RFC 7946 leaves free; GDAL shows the
// description. Without a mark there are none.
func AppendMarkMembers(dst []byte, m geo.ExportMark) []byte {
	if m.ID == "" {
		return dst
	}
	dst = append(appendQuoted(append(dst, `"description":`...), m.Text), `,"export_id":`...)
	return append(appendQuoted(dst, m.ID), ',')
}
