package witness

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"github.com/trialith/trialith/ledger/engine"
)

// needed skips a test for want of a tool, unless TRIALITH_REQUIRE names it.
func needed(t testing.TB, tool, how string) {
	t.Helper()
	if strings.Contains(os.Getenv("TRIALITH_REQUIRE"), tool) {
		t.Fatalf("%s is required: %s", tool, how)
	}
	t.Skipf("%s is not here: %s", tool, how)
}

// authority is an RFC 3161 authority of the openssl program, for one test.
type authority struct {
	t        testing.TB
	dir      string
	roots    *x509.CertPool
	key      crypto.Signer
	cert     *x509.Certificate
	server   *httptest.Server
	requests atomic.Int64
}

// template is how the authority's own certificate is made.
type template struct {
	usages   []x509.ExtKeyUsage
	critical bool
	from, to time.Time
	ess      string // hash by which signatures name the certificate
	rsa      bool
}

func proper() template {
	return template{
		usages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}, critical: true,
		from: time.Now().Add(-time.Hour), to: time.Now().Add(time.Hour), ess: "sha256",
	}
}

func authorityOf(t testing.TB, c template) *authority {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		needed(t, "openssl", "install it and have it on the PATH")
	}
	a := certified(t, c)
	a.file("ts.cnf", []byte(`[tsa]
default_tsa = test
[test]
serial = `+filepath.Join(a.dir, "serial")+`
crypto_device = builtin
signer_cert = `+filepath.Join(a.dir, "tsa.pem")+`
certs = `+filepath.Join(a.dir, "root.pem")+`
signer_key = `+filepath.Join(a.dir, "tsa.key")+`
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = `+c.ess+`
`))
	a.file("serial", []byte("01\n"))
	a.server = httptest.NewServer(http.HandlerFunc(a.answer))
	t.Cleanup(a.server.Close)
	return a
}

// certified makes the keys and certificates of an authority.
func certified(t testing.TB, c template) *authority {
	a := &authority{t: t, dir: t.TempDir(), roots: x509.NewCertPool()}
	rootKey, root := a.root()
	a.roots.AddCert(root)
	a.leaf(c, rootKey, root)
	return a
}

func (a *authority) file(name string, b []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

func (a *authority) certificate(name string, c, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	a.file(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	out, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func (a *authority) root() (crypto.Signer, *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	return key, a.certificate("root.pem", c, c, key.Public(), key)
}

func (a *authority) leaf(c template, rootKey crypto.Signer, root *x509.Certificate) {
	var key crypto.Signer
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if c.rsa {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.file("tsa.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	ids := map[x509.ExtKeyUsage]asn1.ObjectIdentifier{
		x509.ExtKeyUsageTimeStamping: {1, 3, 6, 1, 5, 5, 7, 3, 8}, x509.ExtKeyUsageServerAuth: {1, 3, 6, 1, 5, 5, 7, 3, 1},
	}
	var oids []asn1.ObjectIdentifier
	for _, u := range c.usages {
		oids = append(oids, ids[u])
	}
	value, err := asn1.Marshal(oids)
	if err != nil {
		a.t.Fatal(err)
	}
	a.key = key
	a.cert = a.certificate("tsa.pem", &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Test time stamping", Organization: []string{"Trialith tests"}},
		NotBefore: c.from, NotAfter: c.to, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: oidExtKeyUsage, Critical: c.critical, Value: value}},
	}, root, key.Public(), rootKey)
}

// answer has openssl answer one request.
func (a *authority) answer(rw http.ResponseWriter, r *http.Request) {
	n := a.requests.Add(1)
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
		http.Error(rw, "not a query", http.StatusBadRequest)
		return
	}
	query := a.file(fmt.Sprintf("%d.tsq", n), body)
	out, err := a.openssl("ts", "-reply", "-queryfile", query, "-config", filepath.Join(a.dir, "ts.cnf"))
	if err != nil {
		a.t.Log(err)
		http.Error(rw, "openssl failed", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "application/timestamp-reply")
	rw.Write(out)
}

func (a *authority) openssl(args ...string) ([]byte, error) {
	cmd := exec.Command("openssl", args...)
	var diagnostics bytes.Buffer
	cmd.Stderr = &diagnostics
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("openssl %s: %w: %s", strings.Join(args, " "), err, &diagnostics)
	}
	return out, err
}

// ask gets a stamp over the network.
func (a *authority) ask(checkpoint []byte) ([]byte, error) {
	c := newClient()
	defer c.CloseIdleConnections()
	return Stamp(context.Background(), c, a.server.URL, checkpoint, a.roots)
}

func TestStamp(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*template){
		"ECDSA":               func(*template) {},
		"RSA":                 func(c *template) { c.rsa = true },
		"named by SHA-1":      func(c *template) { c.ess = "sha1" },
		"named by SHA-512":    func(c *template) { c.ess = "sha512" },
		"certificate expires": func(c *template) { c.to = time.Now().Add(5 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := proper()
			change(&c)
			a := authorityOf(t, c)
			msg := signedBy(t)
			before := time.Now().Add(-2 * time.Second)
			token, err := a.ask(msg)
			if err != nil {
				t.Fatal(err)
			}
			at, who, err := VerifyStamp(token, msg, a.roots)
			if err != nil {
				t.Fatal(err)
			}
			if at.Before(before) || at.After(time.Now().Add(time.Second)) || who != "CN=Test time stamping,O=Trialith tests" {
				t.Errorf("%v %q", at, who)
			}
			// Cosignatures that come later do not touch the stamp.
			if _, _, err := VerifyStamp(token, signedBy(t, 1, 2), a.roots); err != nil {
				t.Error(err)
			}
			a.secondOpinion(token, msg)
		})
	}
}

// secondOpinion has openssl verify the token.
func (a *authority) secondOpinion(token, checkpoint []byte) {
	a.t.Helper()
	text, err := TextOf(checkpoint)
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.openssl("ts", "-verify", "-token_in", "-in", a.file("token", token), "-data", a.file("text", []byte(text)), "-CAfile", filepath.Join(a.dir, "root.pem")); err != nil {
		a.t.Error(err)
	}
}

func TestStampRefused(t *testing.T) {
	t.Parallel()
	good := authorityOf(t, proper())
	msg := signedBy(t)
	token, err := good.ask(msg)
	if err != nil {
		t.Fatal(err)
	}
	l := newLog(t).grow("another")
	if _, _, err := VerifyStamp(token, l.sign(l.head()), good.roots); err == nil || !strings.Contains(err.Error(), "another checkpoint") {
		t.Errorf("another checkpoint: %v", err)
	}
	other := authorityOf(t, proper())
	for name, roots := range map[string]*x509.CertPool{"another root": other.roots, "no root": x509.NewCertPool(), "nil": nil} {
		if _, _, err := VerifyStamp(token, msg, roots); err == nil {
			t.Errorf("%s: trusted", name)
		}
	}
	if _, _, err := VerifyStamp(append(bytes.Clone(token), 0), msg, good.roots); err == nil {
		t.Error("a byte after the end was let pass")
	}
	if _, _, err := VerifyStamp(nil, msg, good.roots); err == nil {
		t.Error("no token was let pass")
	}
	if _, _, err := VerifyStamp(bytes.Repeat([]byte{0x30, 0x80}, MaxStampBytes/2), msg, good.roots); err == nil {
		t.Error("a token nested without end was let pass")
	}
	// No flipped bit changes what a token says, and none makes a parser fall over.
	at, who, err := VerifyStamp(token, msg, good.roots)
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for i := range token {
		for bit := range 8 {
			bad := bytes.Clone(token)
			bad[i] ^= 1 << bit
			if at2, who2, err := VerifyStamp(bad, msg, good.roots); err == nil {
				taken++
				if !at2.Equal(at) || who2 != who {
					t.Errorf("byte %d: it now says %v by %s", i, at2, who2)
				}
			}
		}
	}
	t.Logf("%d of %d flipped bits lie outside of what is signed", taken, 8*len(token))
}

// TestStampCertificates: a certificate that is not for time stamping alone, or
// not valid at the stamp's time, stamps nothing.
func TestStampCertificates(t *testing.T) {
	t.Parallel()
	msg := signedBy(t)
	for name, c := range map[string]struct {
		change func(*template)
		reason string
	}{
		"not critical":  {func(c *template) { c.critical = false }, "not one for time stamping alone"},
		"for more":      {func(c *template) { c.usages = append(c.usages, x509.ExtKeyUsageServerAuth) }, "not one for time stamping alone"},
		"for else":      {func(c *template) { c.usages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, "not one for time stamping alone"},
		"expired":       {func(c *template) { c.from, c.to = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour) }, "outside of certificate validity"},
		"not yet valid": {func(c *template) { c.from, c.to = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour) }, "outside of certificate validity"},
	} {
		p := proper()
		c.change(&p)
		a := certified(t, p)
		_, _, err := VerifyStamp(a.sign(msg, time.Now()), msg, a.roots)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v; want %q", name, err, c.reason)
		}
	}
	// The certificate has to have been valid at the stamp's time; now is not asked.
	a := certified(t, proper())
	if _, _, err := VerifyStamp(a.sign(msg, time.Now().Add(-2*time.Hour)), msg, a.roots); err == nil || !strings.Contains(err.Error(), "not yet valid") {
		t.Errorf("a stamp from before its certificate: %v", err)
	}
	if _, _, err := VerifyStamp(a.sign(msg, time.Now()), msg, a.roots); err != nil {
		t.Error(err)
	}
}

// sign makes a token without asking what the certificate is for, as openssl does.
func (a *authority) sign(checkpoint []byte, at time.Time) []byte {
	a.t.Helper()
	imprint, err := imprintOf(checkpoint)
	if err != nil {
		a.t.Fatal(err)
	}
	s := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: imprint, Time: at.UTC().Truncate(time.Second), Policy: asn1.ObjectIdentifier{1, 2, 3},
		AddTSACertificate: true,
	}
	answer, err := s.CreateResponseWithOpts(a.cert, a.key, crypto.SHA256)
	if err != nil {
		a.t.Fatal(err)
	}
	var parts struct{ Status, Token asn1.RawValue }
	if _, err := asn1.Unmarshal(answer, &parts); err != nil {
		a.t.Fatal(err)
	}
	return parts.Token.FullBytes
}

// TestStampAnswers: an authority that answers something else is refused.
func TestStampAnswers(t *testing.T) {
	t.Parallel()
	a := authorityOf(t, proper())
	msg := signedBy(t)
	var old []byte
	record := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		a.answer(rec, r)
		old = rec.Body.Bytes()
		rw.Write(old)
	}))
	defer record.Close()
	c := newClient()
	defer c.CloseIdleConnections()
	if _, err := Stamp(t.Context(), c, record.URL, msg, a.roots); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]http.HandlerFunc{
		"an old answer": func(rw http.ResponseWriter, _ *http.Request) { rw.Write(old) },
		"nothing":       func(http.ResponseWriter, *http.Request) {},
		"an error":      func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "no", http.StatusForbidden) },
		"text":          func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "hello") },
		"a refusal":     func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte{0x30, 5, 0x30, 3, 2, 1, 2}) },
		"granted alone": func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte{0x30, 5, 0x30, 3, 2, 1, 0}) },
		"huge":          func(rw http.ResponseWriter, _ *http.Request) { rw.Write(make([]byte, 1<<20)) },
	} {
		s := httptest.NewServer(f)
		if token, err := Stamp(t.Context(), c, s.URL, msg, a.roots); err == nil {
			t.Errorf("%s: taken as a token of %d bytes", name, len(token))
		} else {
			t.Logf("%s: %v", name, err)
		}
		s.Close()
	}
}

// TestFeederStamps has heads stamped beside the cosignatures.
func TestFeederStamps(t *testing.T) {
	t.Parallel()
	a := authorityOf(t, proper())
	l := ledger(t, "a")
	f, err := NewFeeder(FeederConfig{
		Ledger: l, Authority: &Authority{URL: a.server.URL, Roots: a.roots, Every: time.Millisecond},
		Interval: time.Millisecond, Report: func(name string, err error) { t.Errorf("%s: %v", name, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Start()
	defer f.Close()
	for range 2 {
		write(t, l, "more")
		head := l.Head().Height
		eventually(t, "the head is stamped", func() bool {
			at, token, err := l.StampFrom(head)
			if errors.Is(err, engine.ErrUnknown) {
				return false
			}
			if err != nil || at != head {
				t.Fatalf("%d, %v", at, err)
			}
			if _, _, err := VerifyStamp(token, l.Checkpoint(), a.roots); err != nil {
				t.Fatal(err)
			}
			return true
		})
	}
}

// FuzzVerifyStamp: hostile bytes never make a parser fall over, and say nothing.
func FuzzVerifyStamp(f *testing.F) {
	msg := signedBy(f)
	f.Add(certified(f, proper()).sign(msg, time.Now()))
	f.Add([]byte{0x30, 0x80, 0, 0})
	roots := x509.NewCertPool()
	f.Fuzz(func(t *testing.T, token []byte) {
		if at, who, err := VerifyStamp(token, msg, roots); err == nil {
			t.Errorf("%v by %s, whom nobody trusts", at, who)
		}
		if _, err := tokenOf(token); err == nil && len(token) < 100 {
			t.Errorf("%x holds a token", token)
		}
	})
}
