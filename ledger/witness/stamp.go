package witness

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	_ "crypto/sha1" //nolint:gosec // ESSCertID of RFC 2634 names a certificate by SHA-1; the chain is what is trusted
	"crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

// MaxStampBytes bounds a time stamp token with its certificates.
const MaxStampBytes = 64 << 10

// maxDepth bounds how deep a token's values are nested; a real one has about 12.
const maxDepth = 32

// Stamp asks an RFC 3161 authority to stamp the text of a signed checkpoint,
// checks its answer against roots and returns the token, in DER.
func Stamp(ctx context.Context, client *http.Client, url string, checkpoint []byte, roots *x509.CertPool) ([]byte, error) {
	imprint, err := imprintOf(checkpoint)
	if err != nil {
		return nil, err
	}
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, err
	}
	request, err := (&timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: imprint, Certificates: true, Nonce: nonce}).Marshal()
	if err != nil {
		return nil, fmt.Errorf("time stamp: %w", err)
	}
	status, answer, err := post(ctx, client, url, "application/timestamp-query", request, MaxStampBytes)
	if err != nil {
		return nil, fmt.Errorf("time stamp: %w", err)
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("time stamp: %w", &rejected{status, excerpt(answer)})
	}
	token, err := tokenOf([]byte(answer))
	if err != nil {
		return nil, fmt.Errorf("time stamp: %w", err)
	}
	s, err := openStamp(token, imprint, roots)
	if err != nil {
		return nil, fmt.Errorf("time stamp: %w", err)
	}
	if s.nonce == nil || s.nonce.Cmp(nonce) != 0 {
		return nil, errors.New("time stamp: the nonce is not the one that was sent; the answer may be an old one")
	}
	return token, nil
}

// VerifyStamp checks, without a network, that token is an RFC 3161 time stamp of
// the text of a signed checkpoint, made by an authority whose certificate, for
// time stamping alone, goes back to one of roots and was valid at that time. It
// returns the time, in UTC, and the authority's name.
func VerifyStamp(token, checkpoint []byte, roots *x509.CertPool) (at time.Time, authority string, err error) {
	imprint, err := imprintOf(checkpoint)
	if err != nil {
		return at, "", err
	}
	s, err := openStamp(token, imprint, roots)
	if err != nil {
		return at, "", fmt.Errorf("time stamp: %w", err)
	}
	return s.time, s.authority, nil
}

func imprintOf(checkpoint []byte) ([]byte, error) {
	text, err := TextOf(checkpoint)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:], nil
}

// stamped is what a token says.
type stamped struct {
	time      time.Time
	authority string
	nonce     *big.Int
}

// tokenOf takes the token out of an authority's answer.
func tokenOf(answer []byte) (token []byte, err error) {
	defer caught(&err)
	if err := checkDER(answer); err != nil {
		return nil, err
	}
	s, err := timestamp.ParseResponse(answer)
	if err != nil {
		return nil, err
	}
	return s.RawToken, nil
}

var (
	oidTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidExtKeyUsage   = asn1.ObjectIdentifier{2, 5, 29, 37}

	// What the library would also take, SHA-1 and DSA, is not here.
	digests = []asn1.ObjectIdentifier{pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDDigestAlgorithmSHA384, pkcs7.OIDDigestAlgorithmSHA512}
	signers = []asn1.ObjectIdentifier{
		pkcs7.OIDEncryptionAlgorithmRSA, pkcs7.OIDEncryptionAlgorithmRSASHA256, pkcs7.OIDEncryptionAlgorithmRSASHA384, pkcs7.OIDEncryptionAlgorithmRSASHA512,
		pkcs7.OIDDigestAlgorithmECDSASHA256, pkcs7.OIDDigestAlgorithmECDSASHA384, pkcs7.OIDDigestAlgorithmECDSASHA512,
		pkcs7.OIDEncryptionAlgorithmEDDSA25519,
	}
)

// openStamp verifies a token of a SHA-256 imprint.
func openStamp(token, imprint []byte, roots *x509.CertPool) (s stamped, err error) {
	defer caught(&err)
	if err := checkDER(token); err != nil {
		return s, err
	}
	p7, err := pkcs7.Parse(token)
	if err != nil {
		return s, err
	}
	cert, err := signerOf(p7)
	if err != nil {
		return s, err
	}
	t, err := timestamp.Parse(token) // verifies the signature by cert
	if err != nil {
		return s, err
	}
	if t.HashAlgorithm != crypto.SHA256 || !bytes.Equal(t.HashedMessage, imprint) {
		return s, errors.New("of another checkpoint")
	}
	if err := checkChain(cert, p7.Certificates, roots, t.Time); err != nil {
		return s, err
	}
	return stamped{time: t.Time.UTC(), authority: cert.Subject.String(), nonce: t.Nonce}, nil
}

// signerOf finds the certificate that a token's only signature is checked with,
// and checks the signed attributes that the library does not look at: they bind
// the signature to a time stamp and to this very certificate.
func signerOf(p7 *pkcs7.PKCS7) (*x509.Certificate, error) {
	if len(p7.Signers) != 1 {
		return nil, fmt.Errorf("%d signatures; a time stamp has one", len(p7.Signers))
	}
	known := func(list []asn1.ObjectIdentifier, oid asn1.ObjectIdentifier) bool {
		return slices.ContainsFunc(list, oid.Equal)
	}
	signer := &p7.Signers[0]
	if !known(digests, signer.DigestAlgorithm.Algorithm) || !known(signers, signer.DigestEncryptionAlgorithm.Algorithm) {
		return nil, fmt.Errorf("algorithms %v and %v; SHA-2 with RSA, ECDSA or Ed25519", signer.DigestAlgorithm.Algorithm, signer.DigestEncryptionAlgorithm.Algorithm)
	}
	cert := p7.GetOnlySigner()
	if cert == nil {
		return nil, errors.New("without the certificate of its signer")
	}
	var kind asn1.ObjectIdentifier
	if err := p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &kind); err != nil || !kind.Equal(oidTSTInfo) {
		return nil, errors.New("what is signed is not a time stamp")
	}
	return cert, bound(p7, cert)
}

// bound checks that the signature names its certificate, by RFC 5816 or RFC 2634.
func bound(p7 *pkcs7.PKCS7, cert *x509.Certificate) error {
	for _, a := range []struct {
		oid  asn1.ObjectIdentifier
		hash crypto.Hash // unless it names another
	}{{oidSigningCertV2, crypto.SHA256}, {oidSigningCert, crypto.SHA1}} {
		var ids struct {
			Certs    []asn1.RawValue
			Policies asn1.RawValue `asn1:"optional"`
		}
		if p7.UnmarshalSignedAttribute(a.oid, &ids) != nil || len(ids.Certs) == 0 {
			continue
		}
		if !names(ids.Certs[0].Bytes, a.hash, cert) { // the first is the signer's
			return errors.New("signed under another certificate")
		}
		return nil
	}
	return errors.New("its signature does not name its certificate (ESSCertID)")
}

// names reads an ESSCertID or ESSCertIDv2: a hash of the certificate, before it
// the algorithm if it is not the default one.
func names(id []byte, hash crypto.Hash, cert *x509.Certificate) bool {
	var alg pkix.AlgorithmIdentifier
	if rest, err := asn1.Unmarshal(id, &alg); err == nil {
		known := map[string]crypto.Hash{
			pkcs7.OIDDigestAlgorithmSHA256.String(): crypto.SHA256, pkcs7.OIDDigestAlgorithmSHA384.String(): crypto.SHA384,
			pkcs7.OIDDigestAlgorithmSHA512.String(): crypto.SHA512,
		}
		var found bool
		if hash, found = known[alg.Algorithm.String()]; !found {
			return false
		}
		id = rest
	}
	var named []byte
	if _, err := asn1.Unmarshal(id, &named); err != nil {
		return false
	}
	h := hash.New()
	h.Write(cert.Raw)
	return bytes.Equal(named, h.Sum(nil))
}

// checkChain checks a certificate at a time, for time stamping and nothing else,
// as RFC 3161 2.3 wants it.
func checkChain(cert *x509.Certificate, others []*x509.Certificate, roots *x509.CertPool, at time.Time) error {
	if roots == nil {
		return errors.New("no authority is trusted")
	}
	critical := slices.ContainsFunc(cert.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidExtKeyUsage) && e.Critical })
	if !critical || len(cert.UnknownExtKeyUsage) > 0 || !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}) {
		return fmt.Errorf("the certificate of %q is not one for time stamping alone", cert.Subject)
	}
	between := x509.NewCertPool()
	for _, c := range others {
		between.AddCert(c)
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	return err
}

// checkDER walks over hostile bytes before the parsers do: one value, definite
// lengths, bounded in size and depth. Those parsers recurse.
func checkDER(b []byte) error {
	if len(b) > MaxStampBytes {
		return fmt.Errorf("%d bytes; at most %d", len(b), MaxStampBytes)
	}
	rest, err := walkDER(b, 0)
	if err == nil && len(rest) > 0 {
		err = errors.New("bytes after its end")
	}
	return err
}

// walkDER walks over one value and returns what follows.
func walkDER(b []byte, depth int) (rest []byte, err error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	var v asn1.RawValue
	if rest, err = asn1.Unmarshal(b, &v); err != nil {
		return nil, err
	}
	if !v.IsCompound {
		return rest, nil
	}
	for inner := v.Bytes; len(inner) > 0; {
		if inner, err = walkDER(inner, depth+1); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// caught turns a panic of a parser into an error.
func caught(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("damaged: %v", r)
	}
}

// stamper has heads stamped, now and then.
type stamper struct {
	Authority
	heads slot
}

func newStamper(a Authority) *stamper {
	if a.Every == 0 {
		a.Every = time.Hour
	}
	return &stamper{a, make(slot, 1)}
}

// stampHeads has the newest head stamped whenever there is a new one and the
// authority has had its pause, until ctx ends.
func (f *Feeder) stampHeads(ctx context.Context) {
	s, rest := f.stamper, f.cfg.Rest
	var last error
	for {
		var o offer
		select {
		case <-ctx.Done():
			return
		case o = <-s.heads:
		}
		for {
			err := f.stamp(ctx, o.round)
			if ctx.Err() != nil {
				return
			}
			if !sameTrouble(last, err) {
				f.cfg.Report("authority "+s.URL, err)
			}
			last = err
			if err == nil {
				rest = f.cfg.Rest
				break
			}
			pause(ctx, rest)
			rest = min(2*rest, longestRest)
			o = s.heads.newer(o)
		}
		pause(ctx, s.Every)
	}
}

func (f *Feeder) stamp(ctx context.Context, r *round) error {
	token, err := Stamp(ctx, f.cfg.Client, f.stamper.URL, r.signed, f.stamper.Roots)
	if err != nil {
		return err
	}
	return f.cfg.Ledger.SetStamp(r.Height, token)
}
