package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/sempadan/sempadan/api"
	"github.com/spf13/cobra"
)

// oidcFlags name the provider at which people sign in.
type oidcFlags struct {
	issuer, client, secretFile, redirect, audience, groups string
}

func (f *oidcFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.issuer, "oidc-issuer", "", "OpenID Connect provider at which people sign in, such as https://sso.example.org")
	c.Flags().StringVar(&f.client, "oidc-client-id", "", "what the provider calls this service")
	c.Flags().StringVar(&f.secretFile, "oidc-client-secret-file", "", "file of the secret that the provider knows it by, which only its owner may read; none for a public client")
	c.Flags().StringVar(&f.redirect, "oidc-redirect-url", "", "address of this service, as browsers reach it, followed by /auth/callback")
	c.Flags().StringVar(&f.groups, "oidc-groups", "", `file that says which group has which role: {"groups": {"mmea-planners": {"role": "planner", "agency": "MMEA", "country": "MY"}}}; "claim" and "scopes" when groups are not in the claim groups`)
	c.Flags().StringVar(&f.audience, "oidc-audience", "", "audience of access tokens that programs send, when it is not the client ID")
}

// options returns the provider, nil for none.
func (f oidcFlags) options() (*api.OIDC, error) {
	if f.issuer == "" {
		if f != (oidcFlags{}) {
			return nil, errors.New("--oidc-issuer is missing; the other --oidc flags are about it")
		}
		return nil, nil
	}
	o := &api.OIDC{Issuer: f.issuer, ClientID: f.client, RedirectURL: f.redirect, Audience: f.audience, Groups: f.groups}
	if f.secretFile != "" {
		secret, err := readSecret(f.secretFile)
		if err != nil {
			return nil, fmt.Errorf("--oidc-client-secret-file: %w", err)
		}
		o.ClientSecret = secret
	}
	return o, nil
}

// readSecret reads a file that only its owner may read.
func readSecret(path string) (string, error) {
	if err := ownerOnly(path); err != nil {
		return "", err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(raw))
	if secret == "" || len(secret) > 4096 || strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("%s holds no secret; write it into one line", path)
	}
	return secret, nil
}

func ownerOnly(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s can be read by others (mode %04o); run chmod 600 %s", path, st.Mode().Perm(), path)
	}
	return nil
}
