package data

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"strconv"
	"time"
	_ "time/tzdata" // zones must not depend on the machine

	"github.com/sempadan/sempadan/geo"
)

// ImportOptions says what a file is and what becomes of it.
type ImportOptions struct {
	// Info describes the layer; its Kind decides the schema, and NextFID
	// numbers the new features.
	Info geo.LayerInfo
	// Format, ContentType and Filename declare the format, in that order of
	// weight; all may be "". ContentEncoding is "" or gzip.
	Format, ContentType, ContentEncoding, Filename string
	// Layer picks one of several layers in a file, "" when there is one.
	Layer string
	// GeoPackage reads files of that format; nil refuses them.
	GeoPackage GeoPackage
	// Mapping gives fields their columns.
	Mapping Mapping
	// Values gives words of fields of codes the codes that they stand for,
	// "*" all other words; letter case does not matter.
	Values map[string]map[string]string
	// Drop lists columns that are not stored; letter case and signs do not
	// matter.
	Drop []string
	// CRS names the coordinate reference system, "" for what the file says
	// or else longitude and latitude.
	CRS string
	// TZ is the zone of times that carry none, "" for UTC with a warning.
	TZ string
	// DateOrder is how 04/05/2022 is read, "" for what the data prove or
	// else day first with a warning.
	DateOrder DateOrder
	// Date, YYYY-MM-DD, supplies the date of tracks with times of day only.
	Date string
	// Strict refuses a file with columns that must not be stored.
	Strict bool
	// Now is the present, by which times in the future are found; zero is
	// the clock's.
	Now    time.Time
	Limits Limits // the zero value is DefaultLimits
	// Progress, when not nil, is called now and then.
	Progress func(Progress)
	// Upsert gives a row the FID of the stored one with the same source_system
	// and ID, and the values of that one for the fields that the file lacks.
	Upsert bool
	// Check, when not nil, looks at the meaning of each row that is neither
	// a track nor at fault.
	Check func(Candidate) []Finding
	// Hard names the checks on meaning (CheckCodes) whose findings are
	// faults of the row, not warnings.
	Hard []string
	// Stored, when not nil, is the layer that the file is appended to, in
	// which duplicates are looked for, or that an upsert changes.
	Stored *geo.Layer
}

// Progress is how far an import is.
type Progress struct {
	Rows  int
	Bytes int64 // of the file as it comes
}

// Import reads a file into a layer in one pass; what is held in memory is the
// layer. A file that is not taken gives a *Refusal, which carries the report;
// other errors are those of src and ctx. The layer has more or fewer features
// than Report.Accepted when it holds patrol tracks.
func Import(ctx context.Context, src io.Reader, opts ImportOptions) (*geo.Layer, *Report, error) {
	start := time.Now()
	im, err := newImporter(ctx, opts)
	var layer *geo.Layer
	if err == nil {
		layer, err = im.run(src)
	}
	im.report.Columns = im.columnUses()
	if im.report.TookMS = float64(time.Since(start).Microseconds()) / 1000; err == nil {
		return layer, im.report, nil
	}
	if r := (*Refusal)(nil); errors.As(err, &r) {
		im.report.Rejected = im.rows
		im.report.Accepted, im.report.Quarantined = 0, 0
		r.Report = im.report
		return nil, im.report, r
	}
	return nil, im.report, err
}

// importer is the state of one import.
type importer struct {
	ctx    context.Context
	opts   ImportOptions
	limits Limits
	kind   geo.LayerKind
	report *Report
	source *counted
	now    time.Time

	builder                        *geo.Builder
	adder                          *geo.RowAdder
	kindSlot, idSlot, externalSlot int
	sourceSlot                     int
	upsert                         *upsertRows // nil without
	slots                          []string    // the names of the properties that rows may have
	slotOf                         map[string]int
	values                         []any // of the row at hand, by slot
	schema                         map[string]*Field
	columns                        map[string]*column
	headers                        []string  // of a table
	order                          []*column // the columns in order of appearance
	fixed                          []fixedValue
	constants                      []cell          // of the mapping, for what is not a property
	fixedTo                        map[string]bool // fields that have a constant
	defaults                       []*defaultValue
	dates                          dateReader
	crs                            crs
	toWGS84                        transform // of crs
	tracks                         *trackSet
	notKept                        []string // columns left out by the privacy rules
	pending                        []pendingRow
	purge                          map[string]bool // slots whose values must go
	seenIDs, seenPlaces            seen
	hashSeed                       maphash.Seed
	placeKey                       []byte
	charset                        string // as declared: utf-8, utf-16, windows-1252 or ""
	utf16                          bool   // the file was UTF-16
	decimalComma                   bool   // the delimiter leaves the comma free
	row                            rowState
	placed                         map[string]string // columns of a table that hold the place
	declared                       bool              // the format was declared, not found
	scrutiny                       bool              // names and values are judged by the privacy rules

	rows    int // read
	taken   int
	counts  tallies
	unknown map[string]*unknownCode
}

// tallies are warnings too frequent to word each time.
type tallies struct {
	unzoned, skipped, repeated, undated, heights, measures, measuresDropped, mended, ambiguous, decimalComma, emptyRows, unplaced, placesDropped, notFinite, pastMidnight int
	firstAmbiguous                                                                                                                                                        string
}

// unknownCode counts the values of a field that its code list does not know.
type unknownCode struct {
	field, first string
	count        int
}

// A defaultValue fills a field that a row leaves out.
type defaultValue struct {
	field  *Field
	slot   int
	value  any
	filled bool
}

// A fixedValue is a constant of the mapping, the same in every row.
type fixedValue struct {
	slot  int
	value any
}

func newImporter(ctx context.Context, opts ImportOptions) (*importer, error) {
	im := &importer{
		ctx: ctx, opts: opts, limits: opts.Limits.filled(), kind: opts.Info.Kind, report: NewReport(opts.Info.ID),
		now: opts.Now, slotOf: map[string]int{}, schema: map[string]*Field{}, columns: map[string]*column{},
		fixedTo: map[string]bool{}, purge: map[string]bool{}, unknown: map[string]*unknownCode{}, hashSeed: maphash.MakeSeed(),
	}
	if im.now.IsZero() {
		im.now = time.Now()
	}
	im.scrutiny = im.kind == geo.KindIncident || im.kind == geo.KindPatrolTrack
	im.builder = geo.NewBuilder(opts.Info)
	im.tracks = newTrackSet()
	fields := Fields(im.kind)
	for i := range fields {
		im.schema[fields[i].Name] = &fields[i]
	}
	im.kindSlot, im.idSlot, im.externalSlot, im.sourceSlot = im.slot("kind"), im.slot("id"), im.slot("external_id"), im.slot("source_system")
	zone, err := ParseZone(opts.TZ)
	if err != nil {
		return im, err
	}
	switch opts.DateOrder {
	case "", DMY, MDY, YMD:
	default:
		return im, refuse(422, "bad_date_order", "the date order %s is not dmy, mdy or ymd", show(string(opts.DateOrder)))
	}
	im.dates = dateReader{order: opts.DateOrder, declared: opts.DateOrder != "", zone: zone}
	if err := checkHard(opts.Hard); err != nil {
		return im, err
	}
	switch {
	case opts.Upsert:
		im.upsert = newUpsertRows(opts.Stored)
	case opts.Stored != nil:
		im.recall(opts.Stored)
	}
	if opts.Date != "" {
		if _, err := time.Parse(time.DateOnly, opts.Date); err != nil {
			return im, refuse(422, "bad_date", "the date %s is not YYYY-MM-DD", show(opts.Date))
		}
		im.dates.day = []byte(opts.Date)
	}
	c, refusal := parseCRS(opts.CRS)
	if refusal != nil {
		return im, refusal
	}
	im.crs, im.toWGS84 = c, c.transform()
	im.noteCRS(c)
	if err := im.fixConstants(); err != nil {
		return im, err
	}
	for i := range fields {
		if f := &fields[i]; f.Default != "" && !im.fixedTo[f.Name] {
			im.defaults = append(im.defaults, &defaultValue{field: f, slot: im.slot(f.Name), value: f.Default})
		}
	}
	return im, nil
}

// slot returns the place of a property in the row's values.
func (im *importer) slot(name string) int {
	k, ok := im.slotOf[name]
	if !ok {
		k = len(im.slots)
		im.slotOf[name] = k
		im.slots = append(im.slots, name)
		im.values = append(im.values, nil)
		im.adder = nil
	}
	return k
}

func (im *importer) run(src io.Reader) (*geo.Layer, error) {
	w, format, err := im.open(src)
	if err == nil {
		im.report.Format = format
		switch format {
		case FormatCSV:
			err = im.readCSV(w)
		case FormatGPX:
			err = im.readGPX(w)
		case FormatKML:
			err = im.readKML(w)
		case FormatGeoJSON, FormatGeoJSONSeq:
			err = im.readGeoJSON(w, format)
		default:
			err = im.readBinary(w, format)
		}
	}
	if err != nil {
		im.settleWarnings()
		return nil, err
	}
	return im.finish()
}

// countRow is called once for every row of the file.
func (im *importer) countRow() error {
	im.rows++
	if im.limits.Features > 0 && im.rows > im.limits.Features {
		return refuse(413, "too_many_features", "the file has more than %d rows; split it, or import it on the command line", im.limits.Features)
	}
	if im.rows%4096 == 0 {
		if err := im.ctx.Err(); err != nil {
			return err
		}
		if im.opts.Progress != nil {
			im.opts.Progress(Progress{Rows: im.rows, Bytes: im.source.n})
		}
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
