// Package transcript is the record of a set-up ceremony: who contributed to
// which phase, in which order, and which public beacon closed it. It is a chain
// of signed entries, small enough to travel in an evidence file.
//
// A record alone shows that each contributor knew a secret of their own, that
// the α, β and δ of the verifying key are the product of those secrets and of
// the beacons, and that nobody was left out, moved or put in twice. That the
// other points of the keys follow from the same secrets needs the contributions
// themselves and the circuit: package ceremony computes that again.
//
// The threat is a coordinator who holds all the secrets: with them, proofs of
// anything can be made. One honest contributor of each phase is enough, so a
// record is worth as much as the least suspect name in it.
package transcript

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/trialith/trialith/ledger/wire"
)

// Format and Version name the record in its manifest.
const (
	Format  = "trialith ceremony"
	Version = 1
)

// Limits of a record.
const (
	MaxBytes   = 1 << 20
	MaxEntries = 1 << 8
	MaxText    = 200 // bytes of a name or of a beacon's source
	MinBeacon  = 16  // bytes of a beacon's value
	MaxBeacon  = 128

	// MinContributors is the least that a ceremony may ask for: by one alone, it
	// is no ceremony of several.
	MinContributors = 2
	// MaxDomain bounds the FFT domain, and with it the work on a hostile record.
	MaxDomain = 1 << 16
)

// PublicKey is an Ed25519 public key.
type PublicKey [32]byte

// MarshalText gives the text form, 64 lower-case hex digits.
func (k PublicKey) MarshalText() ([]byte, error) { return wire.HexText(k[:]), nil }

// UnmarshalText accepts the text form alone.
func (k *PublicKey) UnmarshalText(b []byte) error { return wire.ParseHex(k[:], b) }

func (k PublicKey) String() string { return string(wire.HexText(k[:])) }

// Manifest fixes a ceremony before its first entry. Encoded as a CBOR array.
type Manifest struct {
	_           struct{}  `cbor:",toarray"`
	Format      string    `json:"format"`
	Version     uint8     `json:"version"`
	Name        string    `json:"name"`
	Depth       uint8     `json:"depth"`       // of the trees that the circuit is about
	Circuit     wire.Hash `json:"circuit"`     // the circuit's name, HashCircuit of package ceremony
	Domain      uint64    `json:"domain"`      // size of the FFT domain, a power of two
	Minimum     uint16    `json:"minimum"`     // of distinct contributors, in each phase
	Began       int64     `json:"began"`       // by the coordinator's clock, in milliseconds
	Coordinator PublicKey `json:"coordinator"` // signs announcements and seals
}

// ID names the ceremony: the first entry follows it.
func (m Manifest) ID() wire.Hash { return wire.Sum("ceremony-manifest", m) }

// Validate refuses a manifest that no ceremony may begin with.
func (m Manifest) Validate() error {
	switch {
	case m.Format != Format || m.Version != Version:
		return fmt.Errorf("ceremony: %q version %d; only %q version %d is known", m.Format, m.Version, Format, Version)
	case !isText(m.Name):
		return fmt.Errorf("ceremony: name: 1 to %d bytes of text", MaxText)
	case m.Minimum < MinContributors || m.Minimum > MaxEntries/4:
		return fmt.Errorf("ceremony: minimum: %d contributors; it must be %d to %d", m.Minimum, MinContributors, MaxEntries/4)
	case m.Domain < 4 || m.Domain > MaxDomain || m.Domain&(m.Domain-1) != 0:
		return fmt.Errorf("ceremony: domain: %d is no power of two from 4 to %d", m.Domain, MaxDomain)
	case m.Began < 0:
		return errors.New("ceremony: began: before 1970")
	}
	return nil
}

// Kind says what an entry is.
type Kind uint8

// The kinds of entries.
const (
	Contributed Kind = 1 // somebody added their secret
	Announced   Kind = 2 // the beacon that will close the phase is named
	Sealed      Kind = 3 // the beacon closed the phase
)

// Entry is one step of a ceremony. Encoded as a CBOR array.
type Entry struct {
	_         struct{} `cbor:",toarray"`
	Previous  wire.Hash
	Kind      Kind
	Phase     uint8 // 1 or 2
	Time      int64 // by the signer's own clock, in milliseconds
	Name      string
	Key       PublicKey
	Body      []byte // canonical CBOR of Contribution, Announcement or Seal
	Signature [64]byte
}

// Contribution is the body of a contribution: the SHA-256 of its file, and the
// bytes of the file that prove the contributor's part ([Head1], [Head2]).
type Contribution struct {
	_    struct{} `cbor:",toarray"`
	File wire.Hash
	Head []byte
}

// Announcement names a public value that nobody knows yet, and when it will be.
type Announcement struct {
	_      struct{} `cbor:",toarray"`
	Source string   // where everybody finds the value, and which one it is
	At     int64    // milliseconds; every contribution to the phase comes before
	Size   uint16   // bytes of the value
}

// Seal closes a phase with the announced beacon.
type Seal struct {
	_      struct{} `cbor:",toarray"`
	Beacon []byte
	// Result is the SHA-256 of the state that phase 2 starts from; in phase 2 it
	// is the name of the verifying key.
	Result  wire.Hash
	Proving wire.Hash // SHA-256 of the proving key; zero in phase 1
}

// Hash names the entry; the next one follows it.
func (e *Entry) Hash() wire.Hash { return wire.Sum("ceremony-entry", *e) }

// digest is what the signer signs. It holds the entry before, so that no
// signature fits another place or another ceremony.
func (e *Entry) digest() wire.Hash {
	return wire.Sum("ceremony-signature", e.Previous, e.Kind, e.Phase, e.Time, e.Name, e.Key, e.Body)
}

// Sign sets the entry's key and signature.
func (e *Entry) Sign(key ed25519.PrivateKey) {
	e.Key = PublicKey(key.Public().(ed25519.PublicKey))
	d := e.digest()
	e.Signature = [64]byte(ed25519.Sign(key, d[:]))
}

func (e *Entry) signed() bool {
	d := e.digest()
	return ed25519.Verify(e.Key[:], d[:], e.Signature[:])
}

// Transcript is a whole record. Encoded as a CBOR array.
type Transcript struct {
	_        struct{} `cbor:",toarray"`
	Manifest Manifest
	Entries  []Entry
}

// Encode returns the canonical bytes.
func (t *Transcript) Encode() []byte { return wire.Marshal(*t) }

// Decode reads canonical bytes, which may be hostile. It checks no entry.
func Decode(b []byte) (*Transcript, error) {
	t := new(Transcript)
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("ceremony: a transcript of %d bytes; at most %d", len(b), MaxBytes)
	}
	if err := wire.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("ceremony: transcript: %w", err)
	}
	if len(t.Entries) > MaxEntries {
		return nil, fmt.Errorf("ceremony: %d entries; at most %d", len(t.Entries), MaxEntries)
	}
	return t, nil
}

// isText accepts a short line of UTF-8 without control characters, so that what
// a stranger wrote can be printed.
func isText(s string) bool {
	if s == "" || len(s) > MaxText || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return false
		}
	}
	return true
}
