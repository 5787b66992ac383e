// Provider is an OpenID Connect provider to sign in at in tests: the certified
// server of zitadel/oidc with two people, groups and keys that can be rotated.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// people has the groups that a token tells of whoever signs in.
type people struct {
	*storage.Storage
	mu   sync.Mutex
	keys []*key // the last one signs
}

type key struct {
	id      string
	private *rsa.PrivateKey
}

func (k *key) ID() string                                  { return k.id }
func (k *key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k *key) Key() any                                    { return k.private }

type published struct{ *key }

func (k published) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k published) Use() string                        { return "sig" }
func (k published) Key() any                           { return &k.private.PublicKey }

// rotate signs with a new key from now on and withdraws all others.
func (p *people) rotate() {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = []*key{{"key-" + rand.Text()[:8], private}}
}

func (p *people) SigningKey(context.Context) (op.SigningKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[len(p.keys)-1], nil
}

func (p *people) KeySet(context.Context) (out []op.Key, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.keys {
		out = append(out, published{k})
	}
	return out, nil
}

func (p *people) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, request op.IDTokenRequest, _ []string) error {
	info.Subject = request.GetSubject()
	info.AppendClaims("groups", map[string][]string{"id1": {"staff", "mmea-planners"}, "id2": {"staff"}}[request.GetSubject()])
	return nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	issuer := "http://localhost:" + strconv.Itoa(port)
	storage.RegisterClients(storage.WebClient("sempadan", "a secret of tests", os.Args[1]))
	p := &people{Storage: storage.NewStorage(storage.NewUserStore(issuer))}
	p.rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /rotate", func(http.ResponseWriter, *http.Request) { p.rotate() })
	mux.Handle("/", exampleop.SetupServer(issuer, p, slog.New(slog.DiscardHandler), false, op.WithAllowInsecure()))
	fmt.Println(issuer)
	panic(http.Serve(listener, mux))
}
