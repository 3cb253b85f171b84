package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/witness"
)

// stampingAuthority serves RFC 3161 and returns its address and the file of its
// certificate, which is its own root.
func stampingAuthority(t *testing.T) (url, roots string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		q, err := timestamp.ParseRequest(body)
		if err != nil {
			t.Error(err)
			return
		}
		s := timestamp.Timestamp{
			HashAlgorithm: q.HashAlgorithm, HashedMessage: q.HashedMessage, Nonce: q.Nonce, Time: time.Now().UTC(),
			Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true,
		}
		answer, err := s.CreateResponseWithOpts(cert, key, crypto.SHA256)
		if err != nil {
			t.Error(err)
		}
		w.Write(answer)
	}))
	t.Cleanup(server.Close)
	roots = filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, roots
}

// TestStamped has a served node's head stamped by the authority that the flags name.
func TestStamped(t *testing.T) {
	t.Parallel()
	dir := ledgerOf(t, time.Now().Add(-time.Hour))
	g, key, err := readNode(dir)
	if err != nil {
		t.Fatal(err)
	}
	url, roots := stampingAuthority(t)
	w, err := watchersOf(dir, watcherFlags{stamps: url, trusts: roots})
	if err != nil {
		t.Fatal(err)
	}
	n, err := openNode(nodeConfig{dir: dir, listen: "127.0.0.1:0", genesis: g, key: key, clock: solo.RealClock{}, watched: w})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	deadline := time.After(time.Minute)
	for {
		height, token, err := n.ledger.StampFrom(0)
		if err == nil {
			at, who, err := witness.VerifyStamp(token, n.ledger.Checkpoint(), w.authority.Roots)
			if err != nil || height != 1 || who != "CN=Test authority" || time.Since(at) > time.Hour {
				t.Errorf("height %d, %v, %q, %v", height, at, who, err)
			}
			return
		}
		select {
		case <-deadline:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
