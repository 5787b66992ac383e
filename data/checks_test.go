package data

import (
	"context"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

const checkHead = "id,lon,lat,occurred_from,kind,location_precision_m,medium\n"

// findings returns the rows that each check named.
func findings(r *Report) map[string][]int {
	out := map[string][]int{}
	for _, w := range r.Warnings {
		if w.Rows != nil {
			out[w.Code] = w.Rows
		}
	}
	return out
}

func TestChecksNameRows(t *testing.T) {
	atSea := func(c Candidate) []Finding {
		if p, _ := c.Geometry.(orb.Point); p[1] > 3 && c.Text("medium") == "road" && c.Kind == geo.KindIncident {
			return []Finding{{CheckAtSea, "medium", "lies at sea"}}
		}
		return nil
	}
	text := checkHead +
		"A1,112.201,1.451,2022-11-05T04:00:00Z,irr.exit,50,road\n" +
		"A2,112.201,1.451,2022-11-05T04:00:00Z,irr.exit,50,road\n" + // the place, time and kind of A1
		"A3,112.201,1.451,2022-11-05T04:00:00Z,irr.entry,50,road\n" + // another kind
		"A1,112.301,1.451,2022-11-06T04:00:00Z,irr.exit,50,road\n" + // the identifier of the first
		"A5,112.2,1.5,2022-11-07T04:00:00Z,irr.exit,,road\n" + // one decimal, no precision
		"A6,112.25,1.45,2022-11-08T04:00:00Z,irr.exit,10,road\n" + // 787 m by its digits
		"A7,112.25,3.4523,2022-11-09T04:00:00Z,irr.exit,1000,road\n" + // at sea by the hook
		"A8,1.45,112.25,2022-11-09T04:00:00Z,irr.exit,1000,road\n" // swapped
	hooked := func(o *ImportOptions) { o.Check = atSea }
	_, r := mustImport(t, text, geo.KindIncident, hooked)
	want := map[string][]int{CheckDuplicatePlaceTime: {3}, CheckDuplicateID: {5}, CheckPrecisionCoarse: {6}, CheckPrecisionDoubtful: {7}, CheckAtSea: {8}, "swapped_axes": {9}}
	if got := findings(r); !reflect.DeepEqual(got, want) || r.Accepted != 7 || r.Quarantined != 1 {
		t.Errorf("%v, expected %v; %+v", got, want, r)
	}

	_, r = mustImport(t, text, geo.KindIncident, hooked, func(o *ImportOptions) { o.Hard = CheckCodes() })
	faults := map[string]int{}
	for _, f := range r.Rows {
		faults[f.Code] = f.Row
	}
	hard := map[string]int{CheckDuplicatePlaceTime: 3, CheckDuplicateID: 5, CheckPrecisionCoarse: 6, CheckPrecisionDoubtful: 7, CheckAtSea: 8, "lat_out_of_range": 9}
	if !reflect.DeepEqual(faults, hard) || r.Accepted != 2 {
		t.Errorf("%v, expected %v", faults, hard)
	}
	mustRefuse(t, 422, "unknown_check", text, geo.KindIncident, func(o *ImportOptions) { o.Hard = []string{"no_such"} })
}

func TestAppendMeetsWhatIsStored(t *testing.T) {
	text := checkHead + "A1,112.201,1.451,2022-11-05T04:00:00Z,irr.exit,50,road\n"
	old, _ := mustImport(t, text, geo.KindIncident)
	_, r := mustImport(t, text+"A2,112.2010001,1.451,2022-11-05T04:00:00Z,irr.exit,50,road\nA3,112.3,1.4512,2022-11-05,irr.exit,50,road\n", geo.KindIncident,
		func(o *ImportOptions) { o.Stored = old })
	if w, n := warning(r, CheckAlreadyStored); n != 2 || !reflect.DeepEqual(w[0].Rows, []int{2, 3}) {
		t.Errorf("%+v", r.Warnings)
	}
}

// The fixes of a track share its identifier, which is no duplicate.
func TestAppendOfTracksHasNoCheckByID(t *testing.T) {
	fixes := "track_id,lon,lat,time\nT1,112.2,1.4,2022-11-05T04:00:00Z\nT1,112.21,1.4,2022-11-05T04:10:00Z\n"
	old, _ := mustImport(t, fixes, geo.KindPatrolTrack)
	_, r := mustImport(t, fixes, geo.KindPatrolTrack, func(o *ImportOptions) { o.Stored = old })
	for _, w := range r.Warnings {
		if w.Code == CheckAlreadyStored || w.Code == CheckDuplicateID || slices.Contains(w.Rows, 0) {
			t.Errorf("%+v", w)
		}
	}
}

func TestImportWarnsOfUpsertWithoutID(t *testing.T) {
	text := checkHead + "A1,112.201,1.451,2022-11-05T04:00:00Z,irr.exit,50,road\n,112.3,1.4512,2022-11-05,irr.exit,50,road\n,112.4,1.4512,2022-11-05,irr.exit,50,road\n"
	_, r, err := Revision{ID: "a", Kind: geo.KindIncident, Mode: Upsert, Import: ImportOptions{Now: testNow}}.Read(context.Background(), strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	if w, n := warning(r, "no_id"); n != 2 || !strings.HasPrefix(w[0].Message, "2 rows have no id") {
		t.Errorf("%+v", r.Warnings)
	}
	if _, n := warning(func() *Report { _, r := mustImport(t, text, geo.KindIncident); return r }(), "no_id"); n != 0 {
		t.Error("a replacement needs no identifiers")
	}
}

func TestImportWarnsOfExpired(t *testing.T) {
	day := func(days int) string { return testNow.AddDate(0, 0, days).Format("2006-01-02") }
	_, r := mustImport(t, "lon,lat,valid_until\n112.201,1.4512,"+day(-2)+"\n112.202,1.4512,"+day(2)+"\n112.203,1.4512,\n", geo.KindIncident)
	if _, n := warning(r, "expired"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
}

func TestAmbiguousColumnsOfThePlace(t *testing.T) {
	for _, c := range []struct {
		head, mapping string
		want          int
	}{{"lon,Lon,lat", "", 1}, {"lon,longitude,lat", "", 1}, {"lon,longitude,lat", "lon:longitude", 0}, {"lon,x,lat", "", 0}, {"lon,a,lat", "", 0}} {
		_, r := mustImport(t, c.head+"\n112.201,112.3,1.4512\n", geo.KindOther, withMapping(t, c.mapping))
		w, n := warning(r, "ambiguous_columns")
		if n != c.want || n > 0 && (!strings.Contains(w[0].Message, "“lon” is used") || !strings.Contains(w[0].Message, "map=lon:") ||
			!strings.Contains(w[0].Message, strings.Split(c.head, ",")[1])) {
			t.Errorf("%s: %+v", c.head, r.Warnings)
		}
	}
}

// A date whose order is settled later keeps its row when a check takes the row
// out.
func TestHardCheckBesideUnsureDates(t *testing.T) {
	l, r := mustImport(t, checkHead+
		"A1,112.201,1.451,04/05/2022,irr.exit,50,road\nA1,112.202,1.451,04/05/2022,irr.exit,50,road\nA3,112.203,1.451,05/06/2022,irr.exit,50,road\nA4,112.204,1.451,05/30/2022,irr.exit,50,road\n",
		geo.KindIncident, func(o *ImportOptions) { o.Hard = []string{CheckDuplicateID} })
	if l.Len() != 3 || r.Accepted != 3 || r.Quarantined != 1 {
		t.Fatalf("%+v", r)
	}
	for row, month := range []int{4, 5, 5} {
		if from, _ := l.Times(row); int(from.Month()) != month {
			t.Errorf("row %d: %v", row, from)
		}
	}
}

func TestPrecisionOfDigits(t *testing.T) {
	for _, c := range []struct {
		v      float64
		digits int
	}{{112, 0}, {-112.2, 1}, {1.45, 2}, {0.001, 3}, {112.1234567, 7}, {-0.1234565, 7}, {100.000001, 6}} {
		if got := decimals(c.v); got != c.digits {
			t.Errorf("%v has %d decimals, expected %d", c.v, got, c.digits)
		}
	}
	// Half of 0.01 degrees is 556.6 m; in both directions 787.2 m.
	if got := precisionOfDigitsM(2); math.Abs(got-787.2) > 0.1 {
		t.Error(got)
	}
}
