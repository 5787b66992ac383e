package data

// Limits bounds what one file may ask of the importer. Zero means no limit for
// BodyBytes, UnpackedBytes and Features, and the default for the others.
type Limits struct {
	BodyBytes     int64 // of the file as it comes
	UnpackedBytes int64 // of a compressed file once unpacked
	Ratio         int64 // unpacked bytes a packed byte, beyond the first MiB unpacked
	Features      int   // rows of a file
	Vertices      int   // of one feature
	Properties    int   // of one feature
	ValueBytes    int   // of one property
	Depth         int   // of nested JSON
	PropertyDepth int   // of nested JSON inside properties
	Columns       int   // of a text table
	LineBytes     int   // of one line of a text table
}

// DefaultLimits returns the limits of an upload.
func DefaultLimits() Limits {
	return Limits{
		BodyBytes: 64 << 20, UnpackedBytes: 256 << 20, Ratio: 100,
		Features: 1_000_000, Vertices: 1_000_000, Properties: 256, ValueBytes: 64 << 10,
		Depth: 64, PropertyDepth: 8, Columns: 512, LineBytes: 1 << 20,
	}
}

// FileLimits returns the limits of a file that the person at the machine
// imports: those of an upload without its bounds on size and number.
func FileLimits() Limits {
	l := DefaultLimits()
	l.BodyBytes, l.UnpackedBytes, l.Features = 0, 0, 0
	return l
}

func (l Limits) filled() Limits {
	d := DefaultLimits()
	if l == (Limits{}) {
		return d
	}
	if l.Ratio == 0 {
		l.Ratio = d.Ratio
	}
	for _, p := range []struct {
		v *int
		d int
	}{
		{&l.Vertices, d.Vertices}, {&l.Properties, d.Properties}, {&l.ValueBytes, d.ValueBytes},
		{&l.Depth, d.Depth}, {&l.PropertyDepth, d.PropertyDepth}, {&l.Columns, d.Columns}, {&l.LineBytes, d.LineBytes},
	} {
		if *p.v == 0 {
			*p.v = p.d
		}
	}
	return l
}

// Names are shorter than values, and a file has few distinct ones.
const (
	maxNameBytes   = 256
	maxColumnNames = 4096
)
