package data

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// postGIS starts a throw-away cluster with PostGIS and returns a function that
// runs SQL and gives the rows of its answer.
func postGIS(t *testing.T) func(sql string) [][]string {
	t.Helper()
	found, _ := filepath.Glob("/usr/share/postgresql/*/extension/postgis.control")
	if len(found) == 0 {
		missing(t, "PostGIS", "postgresql-postgis")
	}
	version := strings.Split(found[len(found)-1], "/")[4]
	bin := func(name string) string { return filepath.Join("/usr/lib/postgresql", version, "bin", name) }
	dir, err := os.MkdirTemp("", "sempadan-judge")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	owner := serverUser(t, dir)
	run := func(in, name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Stdin, cmd.SysProcAttr = dir, strings.NewReader(in), owner
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, complaints.Bytes())
		}
		return string(out)
	}
	cluster := filepath.Join(dir, "cluster")
	run("", bin("initdb"), "--no-sync", "--auth=trust", "--username=judge", "--encoding=UTF8", "--locale=C", "-D", cluster)
	run("", bin("pg_ctl"), "-D", cluster, "-w", "-s", "-l", filepath.Join(dir, "log"),
		"-o", "-F -c listen_addresses= -c max_connections=5 -c jit=off -k "+dir, "start")
	t.Cleanup(func() { run("", bin("pg_ctl"), "-D", cluster, "-m", "immediate", "-s", "stop") })
	query := func(sql string) [][]string {
		t.Helper()
		out := run(sql, bin("psql"), "-h", dir, "-U", "judge", "-d", "postgres", "-X", "-q", "-t", "--csv", "-v", "ON_ERROR_STOP=1")
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	query("CREATE EXTENSION postgis;")
	return query
}

// serverUser gives the folder to a user who may run PostgreSQL, which refuses
// to run as root.
func serverUser(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, err1 := strconv.Atoi(who.Uid)
	gid, err2 := strconv.Atoi(who.Gid)
	if err1 != nil || err2 != nil || os.Chown(dir, uid, gid) != nil {
		t.Fatalf("cannot give %s to %+v", dir, who)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// judged is a track with how far a length in one cell may be from PostGIS's, and
// how far in half of the cells: a leg that goes on for long just beside the edge
// of a cell is sensitive to a centimetre to either side.
type judged struct {
	name              string
	line              orb.LineString
	stepS             int
	offByM, halfOffBy float64
}

func judgedTracks(r *rand.Rand) (out []judged) {
	for _, k := range []struct {
		name              string
		from              orb.Point
		legs              int
		legM              float64
		stepS             int
		n                 int
		offByM, halfOffBy float64
	}{
		{"foot", orb.Point{110.2, 1.1}, 80, 90, 60, 4, 1e-4, 1e-5},
		{"boat", orb.Point{104, 1.2}, 60, 700, 60, 4, 0.01, 1e-4},
		{"boat in the north", orb.Point{23.5, 60}, 60, 700, 60, 4, 1, 0.01},
		{"aircraft", orb.Point{112, 4}, 40, 3300, 120, 4, 1, 0.006},
		{"long legs", orb.Point{108, 3}, 4, 60_000, 1600, 4, 1, 0.006},
		{"long legs in the south", orb.Point{140, -45}, 3, 60_000, 1600, 2, 1, 0.05},
	} {
		for range k.n {
			heading := r.Float64() * 360
			line := orb.LineString{k.from}
			for range k.legs {
				heading += (r.Float64() - .5) * 60
				next, _ := geo.Direct(line[len(line)-1], heading, k.legM*(.5+r.Float64()))
				line = append(line, next)
			}
			out = append(out, judged{name: k.name, line: line, stepS: k.stepS, offByM: k.offByM, halfOffBy: k.halfOffBy})
		}
	}
	return out
}

// PostGIS measures the length of each track in each cell. It shares nothing
// with us, not even the grid: the cells are its own tiles of zoom 15. Its legs
// are geodesics in steps of 200 m; ST_Segmentize would put them on a sphere.
func TestPostGISMeasuresTracks(t *testing.T) {
	query := postGIS(t)
	const seed = 31
	t.Logf("seed %d", seed)
	tracks := judgedTracks(rand.New(rand.NewPCG(seed, 1)))
	var sql strings.Builder
	sql.WriteString("CREATE TABLE leg (track int, ax float8, ay float8, bx float8, by float8, x0 int, x1 int, y0 int, y1 int);\nCOPY leg FROM stdin;\n")
	for i, k := range tracks {
		for j := 1; j < len(k.line); j++ {
			a, b := k.line[j-1], k.line[j]
			p, q := surface.CellAt(a), surface.CellAt(b)
			// A geodesic may leave the box of its ends to the north or south.
			fmt.Fprintf(&sql, "%d\t%v\t%v\t%v\t%v\t%d\t%d\t%d\t%d\n", i, a[0], a[1], b[0], b[1],
				min(p.X, q.X), max(p.X, q.X), min(p.Y, q.Y)-1, max(p.Y, q.Y)+1)
		}
	}
	sql.WriteString(`\.
CREATE TABLE part AS SELECT leg.*, way FROM leg,
	LATERAL (SELECT ST_Point(ax, ay, 4326)::geography AS a, ST_Point(bx, by, 4326)::geography AS b) ends,
	LATERAL (SELECT ST_Distance(a, b) AS m, ST_Azimuth(a, b) AS azimuth, ceil(ST_Distance(a, b) / 200)::int AS n) course,
	LATERAL (SELECT ST_MakeLine(ST_Project(a, m * k / n, azimuth)::geometry ORDER BY k) AS way FROM generate_series(0, n) k) geodesic;
CREATE TABLE cell AS SELECT x, y, ST_Transform(ST_TileEnvelope(15, x, y), 4326) AS box
	FROM (SELECT DISTINCT x, y FROM leg, generate_series(x0, x1) x, generate_series(y0, y1) y) xy;
CREATE INDEX ON cell (x, y);
SELECT track, x, y, sum(ST_Length(ST_Intersection(way, box)::geography)) FROM part JOIN cell
	ON x BETWEEN x0 AND x1 AND y BETWEEN y0 AND y1 AND ST_Intersects(way, box) GROUP BY track, x, y;
`)
	theirs := make([]map[surface.Cell]float64, len(tracks))
	for _, row := range query(sql.String()) {
		i, x, y := atoi(t, row[0]), atoi(t, row[1]), atoi(t, row[2])
		m, err := strconv.ParseFloat(row[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		if theirs[i] == nil {
			theirs[i] = map[surface.Cell]float64{}
		}
		theirs[i][surface.Cell{X: int32(x), Y: int32(y)}] = m
	}
	offs, mayHalf := map[string][]float64{}, map[string]float64{}
	for i, k := range tracks {
		ours, lengthM := lengthsByCell(k)
		total := 0.0
		mayHalf[k.name] = k.halfOffBy
		for cell, m := range theirs[i] {
			total += m
			off := math.Abs(m - ours[cell])
			offs[k.name] = append(offs[k.name], off)
			if off > k.offByM {
				t.Errorf("%s, track %d, cell %v: %.4f m, PostGIS measures %.4f", k.name, i, cell, ours[cell], m)
			}
			delete(ours, cell)
		}
		for cell, m := range ours {
			if m > k.offByM {
				t.Errorf("%s, track %d, cell %v: %.4f m where PostGIS has none", k.name, i, cell, m)
			}
		}
		if math.Abs(total/lengthM-1) > 1e-7 {
			t.Errorf("%s, track %d: %.3f m, PostGIS measures %.3f", k.name, i, lengthM, total)
		}
	}
	for name, off := range offs {
		slices.Sort(off)
		half, most := off[len(off)/2], off[len(off)-1]
		t.Logf("%s: in %d cells the difference is %.2g m in half of them and %.2g m at most", name, len(off), half, most)
		if half > mayHalf[name] {
			t.Errorf("%s: half of the cells are off by more than %g m", name, mayHalf[name])
		}
	}
}

// lengthsByCell is our measure: with a sweep width of one metre, what is swept
// is the length.
func lengthsByCell(k judged) (map[surface.Cell]float64, float64) {
	start := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	f := geo.Feature{Geometry: k.line, Properties: map[string]any{"sweep_width_m": 1.0, "country": "ID"}}
	for i := range k.line {
		f.VertexTimes = append(f.VertexTimes, start.Add(time.Duration(i*k.stepS)*time.Second))
	}
	f.From, f.To = start, f.VertexTimes[len(k.line)-1]
	c := surface.NewCoverage(surface.CoverageInputs{AsOf: start.AddDate(0, 0, 2),
		Tracks: []*geo.Layer{build(geo.KindPatrolTrack, f)}}, surface.DefaultCoverageModel())
	out := map[surface.Cell]float64{}
	c.Cells().Each(func(cell surface.Cell, e *surface.Effort) {
		if m := e.SweptM2[surface.Indonesia]; m > 0 {
			out[cell] = m
		}
	})
	return out, c.LengthM
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
