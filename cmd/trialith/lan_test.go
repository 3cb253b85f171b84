package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestNetwork asks over HTTPS what the fingerprint on the screen promises.
func TestNetwork(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	failed := make(chan error, 1)
	l, err := serveLAN(h, "127.0.0.1:0", []net.IP{net.IPv4(127, 0, 0, 1)}, failed)
	if err != nil {
		t.Fatal(err)
	}
	var seen *x509.Certificate
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{ //nolint:gosec // compared by its fingerprint below
		InsecureSkipVerify: true,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			if got := fingerprint(raw[0]); got != l.fingerprint {
				t.Errorf("fingerprint %s, shown %s", got, l.fingerprint)
			}
			var err error
			seen, err = x509.ParseCertificate(raw[0])
			return err
		},
	}}}
	r, err := c.Get(l.urls[0])
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusNoContent || seen.VerifyHostname("127.0.0.1") != nil || time.Until(seen.NotAfter) > 8*24*time.Hour {
		t.Errorf("status %d, certificate until %v", r.StatusCode, seen.NotAfter)
	}
	c.CloseIdleConnections()
	if err := l.server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

func TestOtherMachines(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{"http://127.0.0.1:8080": "--lan", "http://[::]:8080": "HTTPS"} {
		var b strings.Builder
		printOtherMachines(&b, url)
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s: %q", url, b.String())
		}
	}
}
