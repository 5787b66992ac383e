package data

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// chain returns a log of n entries.
func chain(n int) []AuditEntry {
	out := make([]AuditEntry, n)
	var head AuditHead
	for i := range out {
		out[i], head = AuditEntry{At: time.UnixMilli(1_790_000_000_000 + int64(i)*977), Actor: fmt.Sprint("key", i%5), Agency: "POLRI", Country: "ID",
			Role: "analyst", Action: []string{"rows.read", "layer.append"}[i%2], Object: "incidents", Outcome: AuditDone, Count: int64(i),
			Values: []string{"a1b2", "c3"}[:i%3]}.After(head)
	}
	return out
}

func verdict(log []AuditEntry, points []AuditCheckpoint) AuditVerdict {
	v := NewAuditVerifier(points, testKey(1).Public().(ed25519.PublicKey))
	for _, e := range log {
		v.Add(e)
	}
	return v.Verdict()
}

func checkpointsOf(log []AuditEntry, every int) (out []AuditCheckpoint) {
	for i := every - 1; i < len(log); i += every {
		out = append(out, SignCheckpoint(testKey(1), AuditHead{log[i].N, log[i].Hash}, log[i].At))
	}
	return out
}

// The encoding is fixed: a log that was written must stay verifiable.
func TestAuditCanonical(t *testing.T) {
	e := AuditEntry{N: 1, At: time.UnixMilli(2), Actor: "a", Values: []string{"v"}}
	want := "73656d706164616e20617564697420310a" + // the mark
		"0000000000000001" + "0000000000000002" + "00000001" + "61" + strings.Repeat("00000000", 7) +
		"0000000000000000" + "00000001" + "00000001" + "76"
	if got := hex.EncodeToString(e.AppendCanonical(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	raw, _ := hex.DecodeString(want)
	sum := sha256.Sum256(append(make([]byte, 32), raw...))
	if e, head := (AuditEntry{At: time.UnixMilli(2), Actor: "a", Values: []string{"v"}}).After(AuditHead{}); e.Hash != sum || head != (AuditHead{1, sum}) {
		t.Errorf("%s, want %x", e.Hash, sum)
	}
}

// Two different entries have different encodings, wherever their texts are cut.
func TestAuditCanonicalIsInjective(t *testing.T) {
	a := AuditEntry{Actor: "ab", Agency: "c", Values: []string{"x", "y"}}
	for _, b := range []AuditEntry{{Actor: "a", Agency: "bc", Values: []string{"x", "y"}}, {Actor: "ab", Agency: "c", Values: []string{"xy"}},
		{Actor: "ab", Agency: "c", Values: []string{"x", "y", ""}}, {Actor: "ab", Country: "c", Values: []string{"x", "y"}}} {
		if bytes.Equal(a.AppendCanonical(nil), b.AppendCanonical(nil)) {
			t.Errorf("%+v encodes as %+v", a, b)
		}
	}
}

// tamperings change one entry of a log each; they say which is the first bad one.
func tamperings() map[string]func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
	edit := func(change func(*AuditEntry)) func(*rand.Rand, []AuditEntry) ([]AuditEntry, int64) {
		return func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
			i := r.IntN(len(log))
			change(&log[i])
			return log, int64(i + 1)
		}
	}
	return map[string]func(*rand.Rand, []AuditEntry) ([]AuditEntry, int64){
		"edit at":      edit(func(e *AuditEntry) { e.At = e.At.Add(time.Millisecond) }),
		"edit actor":   edit(func(e *AuditEntry) { e.Actor += "x" }),
		"edit agency":  edit(func(e *AuditEntry) { e.Agency = "MMEA" }),
		"edit country": edit(func(e *AuditEntry) { e.Country = "MY" }),
		"edit role":    edit(func(e *AuditEntry) { e.Role = "viewer" }),
		"edit action":  edit(func(e *AuditEntry) { e.Action = "other" }),
		"edit object":  edit(func(e *AuditEntry) { e.Object = "" }),
		"edit outcome": edit(func(e *AuditEntry) { e.Outcome = AuditRefused }),
		"edit detail":  edit(func(e *AuditEntry) { e.Detail = "x" }),
		"edit count":   edit(func(e *AuditEntry) { e.Count++ }),
		"edit values":  edit(func(e *AuditEntry) { e.Values = append(slices.Clone(e.Values), "") }),
		"edit hash":    edit(func(e *AuditEntry) { e.Hash[7] ^= 1 }),
		"edit n":       edit(func(e *AuditEntry) { e.N = -e.N }),
		"drop": func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
			i := r.IntN(len(log))
			return slices.Delete(log, i, i+1), int64(i + 1)
		},
		"drop and renumber": func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
			i := r.IntN(len(log) - 1)
			log = slices.Delete(log, i, i+1)
			for k := i; k < len(log); k++ {
				log[k].N--
			}
			return log, int64(i + 1)
		},
		"swap": func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
			i := r.IntN(len(log) - 1)
			j := i + 1 + r.IntN(len(log)-i-1)
			log[i], log[j] = log[j], log[i]
			return log, int64(i + 1)
		},
		"swap content": func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
			i := r.IntN(len(log) - 1)
			log[i], log[i+1] = log[i+1], log[i]
			log[i].N, log[i+1].N = log[i+1].N, log[i].N
			return log, int64(i + 1)
		},
		"insert": func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
			i := 1 + r.IntN(len(log)-1)
			e, _ := AuditEntry{Actor: "forged"}.After(AuditHead{log[i-1].N, log[i-1].Hash})
			return slices.Insert(log, i, e), 0 // the forged one follows, the next does not
		},
		"insert twice the same": func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
			i := r.IntN(len(log))
			return slices.Insert(log, i, log[i]), 0
		},
		"truncate": func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
			i := r.IntN(len(log))
			return log[:i], int64(i + 1)
		},
		"make anew": func(r *rand.Rand, log []AuditEntry) ([]AuditEntry, int64) {
			i := r.IntN(len(log))
			log[i].Count += 1000
			head := AuditHead{}
			for k := range log {
				log[k], head = log[k].After(head)
			}
			return log, -int64(i + 1)
		},
	}
}

// Every way of changing one entry is found, wherever it is, and the first bad
// entry is named.
func TestAuditTampering(t *testing.T) {
	whole := chain(60)
	points := checkpointsOf(whole, 10)
	if v := verdict(whole, points); !v.OK || v.Entries != 60 || v.Checkpoints != 6 || v.Head.Hash != whole[59].Hash {
		t.Fatalf("an honest log: %+v", v)
	}
	found, tried := 0, 0
	for name, tamper := range tamperings() {
		for seed := range uint64(200) {
			log, first := tamper(rand.New(rand.NewPCG(seed, 1)), slices.Clone(whole))
			v := verdict(log, points)
			tried++
			if v.OK {
				t.Errorf("%s, seed %d: not found", name, seed)
				continue
			}
			found++
			switch {
			case first > 0 && v.Fault.N != first:
				t.Errorf("%s, seed %d: names entry %d, want %d: %v", name, seed, v.Fault.N, first, v.Fault)
			case first < 0 && (v.Fault.N > -first || v.Fault.N+10 <= -first):
				t.Errorf("%s, seed %d: names entries from %d, which %d is not in", name, seed, v.Fault.N, -first)
			}
		}
	}
	t.Logf("%d of %d found", found, tried)
}

// A checkpoint counts only with a good signature of the key.
func TestCheckpointSignature(t *testing.T) {
	log := chain(3)
	c := SignCheckpoint(testKey(1), AuditHead{3, log[2].Hash}, log[2].At)
	for name, change := range map[string]func(c *AuditCheckpoint){
		"n": func(c *AuditCheckpoint) { c.N = 2 }, "hash": func(c *AuditCheckpoint) { c.Hash[0] ^= 1 },
		"at": func(c *AuditCheckpoint) { c.At = c.At.Add(time.Second) }, "signature": func(c *AuditCheckpoint) { c.Signature = "AA==" },
		"key": func(c *AuditCheckpoint) { *c = SignCheckpoint(testKey(2), c.AuditHead, c.At) },
	} {
		bad := c
		change(&bad)
		if v := verdict(log, []AuditCheckpoint{bad}); v.OK {
			t.Errorf("%s: taken", name)
		}
	}
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	torn := string(raw[:40]) + "\n" + string(raw) + "\n\n" + strings.Repeat("x", 10_000) + "\n" + string(raw[:50])
	points, bad, err := ReadCheckpoints(strings.NewReader(torn))
	if err != nil || bad != 3 || len(points) != 1 || points[0] != c {
		t.Errorf("%v, %d unreadable, %v", points, bad, err)
	}
}

func TestGrant(t *testing.T) {
	for _, g := range []Grant{{"ID/POLRI", "internal"}, {"", ""}} {
		if got, ok := ParseGrant("version=3 " + g.String()); !ok || got != g {
			t.Errorf("%+v: %+v, %v", g, got, ok)
		}
	}
	if AuditWord("Siti Aminah") != "?" || AuditWord("MY/MMEA") != "MY/MMEA" {
		t.Error("AuditWord")
	}
}

func FuzzAuditReader(f *testing.F) {
	log := chain(4)
	for _, c := range checkpointsOf(log, 2) {
		raw, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(raw, '\n'), "owner=ID/POLRI class=secret", int64(3))
	}
	f.Add([]byte("{\"n\":9223372036854775807,\"signature\":\"x\"}\n\x00"), "owner", int64(-1))
	f.Fuzz(func(t *testing.T, sink []byte, detail string, n int64) {
		points, bad, err := ReadCheckpoints(bytes.NewReader(sink))
		if err != nil || len(points)+bad > len(sink) {
			t.Fatalf("%d points, %d unreadable of %d bytes, %v", len(points), bad, len(sink), err)
		}
		if g, ok := ParseGrant(detail); ok && strings.ContainsAny(g.Owner+g.Classification, " \t\n") {
			t.Fatalf("%+v", g)
		}
		forged := slices.Clone(log)
		forged[2].N, forged[2].Detail = n, detail
		if v := verdict(forged, points); v.OK && (n != 3 || detail != "") {
			t.Fatalf("taken: %+v", v)
		}
	})
}

func BenchmarkVerifyAudit(b *testing.B) {
	log := chain(10_000)
	for b.Loop() {
		if !verdict(log, nil).OK {
			b.Fatal("not ok")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/entry")
}
