package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/api"
)

// strict is a service as the program runs it, with the checks of its listener; it
// returns its address.
func strict(t *testing.T, s *service) string {
	t.Helper()
	h := httptest.NewUnstartedServer(s.server.Handler())
	h.Listener = api.Strict(h.Config, h.Listener)
	h.Config.MaxHeaderBytes = 32 << 10
	h.Start()
	t.Cleanup(h.Close)
	return h.Listener.Addr().String()
}

// exchange sends bytes as they are, and returns the answers until the connection
// is closed; closed is false when it was not, and the last answer is the one to
// the request that is sent behind them.
func exchange(t *testing.T, address, sent string) (statuses []int, bodies []string, closed bool) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, sent); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	last := false
	for {
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			return statuses, bodies, true
		}
		body, _ := io.ReadAll(a.Body)
		statuses, bodies = append(statuses, a.StatusCode), append(bodies, string(body))
		switch {
		case a.Close:
			_, err := r.ReadByte()
			return statuses, bodies, err != nil
		case last:
			return statuses, bodies, false
		}
		last = true // whoever answers and leaves open takes another
		if _, err := fmt.Fprintf(c, "GET /version HTTP/1.1\r\nHost: %s\r\n\r\n", address); err != nil {
			return statuses, bodies, true
		}
	}
}

// Requests that a proxy could read in another way than the service are refused, and
// nothing behind them is answered.
func TestSmuggledRequests(t *testing.T) {
	s := start(t, "", false)
	address := strict(t, s)
	host := "Host: " + address + "\r\n"
	get := "GET /version HTTP/1.1\r\n" + host
	put := "PUT /v1/layers/smuggled?kind=incident HTTP/1.1\r\n" + host + "Content-Type: text/csv\r\n"
	const csv = "id,lon,lat\na,110,1\n"
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(csv), csv)
	const coded = "Transfer-Encoding: chunked\r\n"
	for name, sent := range map[string]string{
		"length, coding": put + "Content-Length: 3\r\n" + coded + "\r\n" + chunks, "coding, length": put + coded + "content-LENGTH: 3\r\n\r\n" + chunks,
		"length, coding of a GET": get + "Content-Length: 5\r\n" + coded + "\r\n0\r\n\r\n" + get + "\r\n", "two lengths": put + "Content-Length: 3\r\nContent-Length: 19\r\n\r\n" + csv,
		"one length twice": put + "Content-Length: 19\r\nContent-Length: 19\r\n\r\n" + csv, "a list of lengths": put + "Content-Length: 19, 19\r\n\r\n" + csv,
		"a signed length": put + "Content-Length: +19\r\n\r\n" + csv, "a negative length": put + "Content-Length: -1\r\n\r\n" + csv, "a length in hex": put + "Content-Length: 0x13\r\n\r\n" + csv,
		"a huge length": put + "Content-Length: 99999999999999999999999\r\n\r\n" + csv, "a folded line": get + "X-A: b\r\n c\r\n\r\n", "a folded coding": put + "Transfer-Encoding:\r\n\tchunked\r\n\r\n" + chunks,
		"bare line feeds": strings.ReplaceAll(get, "\r\n", "\n") + "\n", "one bare line feed": get + "X-A: b\nX-B: c\r\n\r\n", "a bare carriage return": get + "X-A: b\rX-B: c\r\n\r\n",
		"a blank before the colon": put + "Content-Length : 19\r\n\r\n" + csv, "a blank in a name": get + "X A: b\r\n\r\n", "a blank before a name": "GET /version HTTP/1.1\r\n X: y\r\n" + host + "\r\n",
		"a bare line feed in chunks": put + coded + "\r\n13\n" + csv + "\n0\n\n", "one behind an extension": put + coded + "\r\n13;a=b\n" + csv + "\r\n0\r\n\r\n",
		"a long extension": put + coded + "\r\n13;" + strings.Repeat("a", 20000) + "\r\n" + csv + "\r\n0\r\n\r\n", "a negative chunk": put + coded + "\r\n-13\r\n" + csv + "\r\n0\r\n\r\n",
		"a chunk in 0x": put + coded + "\r\n0x13\r\n" + csv + "\r\n0\r\n\r\n", "a huge chunk": put + coded + "\r\nfffffffffffffffff\r\n" + csv + "\r\n0\r\n\r\n",
		"a chunk that is no number": put + coded + "\r\nxyz\r\n\r\n", "another coding": put + "Transfer-Encoding: xchunked\r\n\r\n" + chunks, "two codings": put + coded + "Transfer-Encoding: identity\r\n\r\n" + chunks,
		"a coding behind a tab": put + "Transfer-Encoding: \vchunked\r\n\r\n" + chunks, "two hosts": get + "Host: evil.example\r\n\r\n", "no host": "GET /version HTTP/1.1\r\n\r\n",
		"a NUL in the path": "GET /ver\x00sion HTTP/1.1\r\n" + host + "\r\n", "a NUL in a header": get + "X: a\x00b\r\n\r\n", "no version": "GET /version\r\n\r\n", "two blanks": "GET  /version HTTP/1.1\r\n" + host + "\r\n",
		"another host in the path": "GET http://evil.example/version HTTP/1.1\r\n" + strings.Replace(host, address, "evil.example", 1) + "Connection: close\r\n\r\n",
		"a header too long":        get + "X: " + strings.Repeat("a", 40000) + "\r\n\r\n", "a path too long": "GET /version?" + strings.Repeat("a", 40000) + " HTTP/1.1\r\n" + host + "\r\n",
	} {
		statuses, bodies, closed := exchange(t, address, sent)
		if len(statuses) == 0 && closed && strings.Contains(name, "long") {
			continue // it was reset with the answer on its way
		}
		if len(statuses) != 1 || !closed || statuses[0] != 501 && (statuses[0] < 400 || statuses[0] > 499) {
			t.Errorf("%s: answered %v, closed %v: %.200q", name, statuses, closed, bodies)
		}
	}
	s.want(404, "/v1/layers/smuggled")
	// The same, as it should be, is taken; behind chunks nothing more is.
	for name, c := range map[string]struct {
		sent   string
		closed bool
	}{
		"a length": {put + "Content-Length: 19\r\n\r\n" + csv, false}, "chunks": {put + coded + "\r\n" + chunks, true},
		"an extension, which is passed over": {put + coded + "\r\n13;a=b\r\n" + csv + "\r\n0\r\n\r\n", true}, "a GET": {get + "\r\n", false},
		"a body with bare line feeds and headers": {put + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(csv)+40, csv+strings.Repeat("\n Content-Length: 1", 2)+"\n\n"), false},
	} {
		statuses, bodies, closed := exchange(t, address, c.sent)
		if want := map[bool]int{true: 1, false: 2}[c.closed]; len(statuses) != want || closed != c.closed || statuses[0] > 422 || statuses[len(statuses)-1] == 400 {
			t.Errorf("%s: answered %v, closed %v: %.200q", name, statuses, closed, bodies)
		}
	}
	if statuses, _, closed := exchange(t, address, put+coded+"\r\n"+chunks+get+"\r\n"+get+"\r\n"); len(statuses) != 1 || !closed {
		t.Errorf("behind chunks: %v", statuses)
	}
}

// Requests one after another on a connection are each looked at.
func TestSmuggledLater(t *testing.T) {
	s := start(t, "", false)
	address := strict(t, s)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	ask := func(sent string) int {
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, a.Body)
		return a.StatusCode
	}
	get := "GET /version HTTP/1.1\r\nHost: " + address + "\r\n"
	for range 3 {
		if status := ask(get + "\r\n"); status != 200 {
			t.Fatal(status)
		}
	}
	if status := ask(get + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"); status != 400 {
		t.Error(status)
	}
}

// A body that does not come to its end is the sender's fault, and leaves nothing.
func TestCutBodies(t *testing.T) {
	s := start(t, "", false)
	for _, path := range []string{"PUT /v1/layers/cut?kind=incident", "PUT /v1/model", "POST /v1/routes/score", "POST /v1/routes/find", "POST /v1/plans", "POST /v1/requests"} {
		method, target, _ := strings.Cut(path, " ")
		r := httptest.NewRequest(method, target, io.MultiReader(bytes.NewReader([]byte("{\"id\": ")), failing{}))
		r.Host = "127.0.0.1"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.server.Handler().ServeHTTP(w, r)
		if w.Code != 400 || !strings.Contains(w.Body.String(), `"body_cut"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	s.want(404, "/v1/layers/cut")
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// What the checks of a listener cost a request: they look at some hundred bytes.
func BenchmarkStrict(b *testing.B) {
	head := []byte("GET /tiles/layers/cases/8/206/127.mvt?v=1-18ad HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nUser-Agent: " + strings.Repeat("x", 300) + "\r\n\r\n")
	mine, theirs := net.Pipe()
	defer func() { _ = mine.Close() }()
	server := &http.Server{}
	l := api.Strict(server, oneConn{theirs})
	c, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for {
			if _, err := mine.Write(head); err != nil {
				return
			}
		}
	}()
	into := make([]byte, 4096)
	for b.Loop() {
		server.ConnState(c, http.StateIdle)
		if _, err := c.Read(into); err != nil {
			b.Fatal(err)
		}
	}
}

type oneConn struct{ net.Conn }

func (l oneConn) Accept() (net.Conn, error) { return l.Conn, nil }
func (l oneConn) Addr() net.Addr            { return l.LocalAddr() }
