package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ReadXY reads two columns of numbers of a comma-separated file with a header,
// and nothing else of it. The first row that is not two finite numbers ends it
// with an error that names its line.
func ReadXY(r io.Reader, xColumn, yColumn string, yield func(x, y float64)) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	header, err := in.Read()
	if err != nil {
		return fmt.Errorf("read the header: %w", err)
	}
	header = slices.Clone(header)
	header[0] = strings.TrimPrefix(header[0], string([]byte{0xEF, 0xBB, 0xBF}))
	xi, yi := slices.Index(header, xColumn), slices.Index(header, yColumn)
	if xi < 0 || yi < 0 {
		return fmt.Errorf("there are no columns %q and %q; the file has %s", xColumn, yColumn, strings.Join(header, ", "))
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		x, xErr := strconv.ParseFloat(strings.TrimSpace(row[xi]), 64)
		y, yErr := strconv.ParseFloat(strings.TrimSpace(row[yi]), 64)
		if xErr != nil || yErr != nil || math.IsNaN(x-x) || math.IsNaN(y-y) {
			line, _ := in.FieldPos(xi)
			return fmt.Errorf("line %d: %q, %q are not two numbers", line, row[xi], row[yi])
		}
		yield(x, y)
	}
}
