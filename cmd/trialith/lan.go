package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"
)

// lanAddress is where the demo serves phones of the same network, if it is free.
const lanAddress = ":8443"

// lan serves a handler to the network over HTTPS, under a certificate made for
// one run: browsers make keys only on this machine or over HTTPS.
type lan struct {
	server      *http.Server
	urls        []string
	fingerprint string // SHA-256 of the certificate, as browsers show it
}

// serveLAN begins to serve. What ends it later is told to failed.
func serveLAN(h http.Handler, listen string, ips []net.IP, failed chan<- error) (*lan, error) {
	certificate, err := ownCertificate(ips, time.Now())
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		listener, err = net.Listen("tcp", ":0") //nolint:gosec // to be reached from the network is what it is for
	}
	if err != nil {
		return nil, err
	}
	l := &lan{server: newServer(h), fingerprint: fingerprint(certificate.Certificate[0])}
	l.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	port := listener.Addr().(*net.TCPAddr).Port
	for _, ip := range ips {
		l.urls = append(l.urls, fmt.Sprintf("https://%s", net.JoinHostPort(ip.String(), fmt.Sprint(port))))
	}
	go func() { failed <- l.server.ServeTLS(listener, "", "") }()
	return l, nil
}

// ownCertificate makes a certificate that this machine signs for itself. It is
// kept nowhere and lasts a week.
func ownCertificate(ips []net.IP, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Trialith demonstration"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(7 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: ips, DNSNames: []string{"localhost"}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	var parts []string
	for _, b := range sum {
		parts = append(parts, fmt.Sprintf("%02X", b))
	}
	return strings.Join(parts, ":")
}

// networkAddresses are this machine's addresses in its networks, IPv4 first; the
// loopback and link-local ones are left out.
func networkAddresses() ([]net.IP, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var four, six []net.IP
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.IsLoopback() || n.IP.IsLinkLocalUnicast() {
			continue
		}
		if n.IP.To4() != nil {
			four = append(four, n.IP)
		} else {
			six = append(six, n.IP)
		}
	}
	return append(four, six...), nil
}
