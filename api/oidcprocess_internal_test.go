package api

import (
	"bufio"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// startProvider builds and starts the provider of testdata/provider: a certified
// OpenID Connect server, in a process of its own. It is a module of its own, so
// that its packages are none of the program's.
func startProvider(t *testing.T, redirect string) (issuer string) {
	t.Helper()
	skip := func(format string, args ...any) {
		if os.Getenv("CI") == "true" {
			t.Fatalf(format, args...)
		}
		t.Skipf("*** NOT TESTED AGAINST A REAL PROVIDER: "+format, args...)
	}
	program := filepath.Join(t.TempDir(), "provider")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.Join("testdata", "provider")
	if out, err := build.CombinedOutput(); err != nil {
		skip("build the provider: %v\n%s", err, out)
	}
	run := exec.Command(program, redirect)
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider said %q: %v", line, err)
	}
	return strings.TrimSpace(line)
}

var signInForm = regexp.MustCompile(`name="id" value="([^"]+)"`)

// People sign in at a provider that is not ours, by a browser's way over HTTP,
// also after it has rotated its keys.
func TestRealProvider(t *testing.T) {
	var h http.Handler
	service := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	defer service.Close()
	redirect := service.URL + callbackPath
	issuer := startProvider(t, redirect)
	var log strings.Builder
	s := newSignedIn(t, func(o *Options) {
		o.SignIn.OIDC.Issuer, o.SignIn.OIDC.ClientSecret, o.SignIn.OIDC.RedirectURL = issuer, "a secret of tests", redirect
		o.Now = time.Now
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	h = s.h
	person := func(name string) (*http.Client, string) {
		client := service.Client()
		client.Jar, _ = cookiejar.New(nil)
		answer, err := client.Get(service.URL + "/auth/login")
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		form := signInForm.FindSubmatch(page)
		if form == nil {
			t.Fatalf("no form to sign in with: %d %s\n%s", answer.StatusCode, page, log.String())
		}
		answer, err = client.PostForm(issuer+"/login/username", url.Values{"id": {string(form[1])}, "username": {name}, "password": {"verysecure"}})
		if err != nil {
			t.Fatal(err)
		}
		page, _ = io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		return client, string(page)
	}
	me := func(c *http.Client) string {
		answer, err := c.Get(service.URL + "/v1/me")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		body, _ := io.ReadAll(answer.Body)
		return string(body)
	}
	planner, _ := person("test-user@localhost")
	if got := me(planner); !strings.Contains(got, `"role":"planner","agency":"MMEA","country":"MY"`) {
		t.Errorf("the planner is %s\n%s", got, log.String())
	}
	stranger, page := person("test-user2")
	if got := me(stranger); !strings.Contains(got, "not_signed_in") || !strings.Contains(page, "no_group") {
		t.Errorf("whoever is in no group is %s, and told %s", got, page)
	}
	answer, err := http.Post(issuer+"/rotate", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	s.s.gate.oidc.found.keys.tried = s.s.gate.oidc.found.keys.tried.Add(-keysRetry) // not to wait for it
	again, _ := person("test-user@localhost")
	if got := me(again); !strings.Contains(got, `"role":"planner"`) {
		t.Errorf("after the keys were rotated: %s\n%s", got, log.String())
	}
	if got := me(planner); !strings.Contains(got, `"role":"planner"`) {
		t.Errorf("the session from before: %s", got)
	}
}
