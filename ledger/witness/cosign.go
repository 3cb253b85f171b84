// Package witness is what makes a split view visible: somebody else than the
// ledger's node remembers the newest head it was shown, and signs a head only if
// it extends that one.
//
// Witness is that somebody, a server of C2SP tlog-witness. Feeder is the node's
// side, which asks witnesses for cosignatures and keeps what they say. Policy is
// the verifier's side: which witnesses count, and how many of them must have
// signed. Stamp and VerifyStamp do the same with an RFC 3161 authority, which
// knows nothing of logs but is believed about the time.
//
// A cosignature says: as of its time, this is the newest head of this log that I
// have seen, and it extends every one before. Ours also says that the head's own
// time was within MaxSkew of the witness's clock.
package witness

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tx"
)

// The kinds of key that C2SP signed-note numbers.
const (
	algLog      = 1 // Ed25519 over the text
	algCosigner = 4 // Ed25519 over cosignature/v1
)

const (
	keyHashBytes     = 4
	timeBytes        = 8
	cosignatureBytes = timeBytes + ed25519.SignatureSize
	maxNameBytes     = 200
)

// Key is a verifier key, "<name>+<hash>+<base64 of kind and key>": of a log or
// of a witness.
type Key struct {
	Name   string
	Public tx.PublicKey
	kind   byte
}

// ParseLogKey parses the key of a log, ParseKey that of a witness.
func ParseLogKey(vkey string) (Key, error) { return parseKey(vkey, algLog) }

// ParseKey parses the key of a witness.
func ParseKey(vkey string) (Key, error) { return parseKey(vkey, algCosigner) }

func parseKey(vkey string, kind byte) (Key, error) {
	var k Key
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return k, fmt.Errorf("key %q: not of the form <name>+<hash>+<key>", vkey)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(b) != 1+ed25519.PublicKeySize {
		return k, fmt.Errorf("key %q: the last part is the base64 of %d bytes", vkey, 1+ed25519.PublicKeySize)
	}
	if b[0] != kind {
		return k, fmt.Errorf("key %q: of kind %d; a log's is %d (Ed25519), a witness's %d (cosignature/v1)", vkey, b[0], algLog, algCosigner)
	}
	if err := checkName(parts[0]); err != nil {
		return k, err
	}
	k = Key{Name: parts[0], Public: tx.PublicKey(b[1:]), kind: kind}
	if k.String() != vkey {
		return k, fmt.Errorf("key %q: the hash is not that of name and key, %08x; a character was lost or changed", vkey, k.hash())
	}
	return k, nil
}

// checkName holds the rule of C2SP signed-note for the name of a key.
func checkName(s string) error {
	switch {
	case s == "" || len(s) > maxNameBytes:
		return fmt.Errorf("name of %d bytes; 1 to %d", len(s), maxNameBytes)
	case !utf8.ValidString(s) || strings.Contains(s, "+") || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return fmt.Errorf("name %q: UTF-8 without white space and without +", s)
	}
	return nil
}

func (k Key) String() string {
	return fmt.Sprintf("%s+%08x+%s", k.Name, k.hash(), base64.StdEncoding.EncodeToString(append([]byte{k.kind}, k.Public[:]...)))
}

// hash is the first four bytes of SHA-256(name ‖ "\n" ‖ kind ‖ key).
func (k Key) hash() uint32 {
	sum := sha256.Sum256(append([]byte(k.Name+"\n"+string(rune(k.kind))), k.Public[:]...))
	return binary.BigEndian.Uint32(sum[:])
}

// Verifier is the key's rule for a note's signature lines.
func (k Key) Verifier() note.Verifier {
	if k.kind == algLog {
		return chain.NewVerifier(k.Name, k.Public)
	}
	return cosigner{k}
}

// cosigner verifies cosignature/v1 lines, by ZIP-215 as every signature here.
type cosigner struct{ Key }

func (c cosigner) Name() string    { return c.Key.Name }
func (c cosigner) KeyHash() uint32 { return c.hash() }

func (c cosigner) Verify(text, sig []byte) bool {
	if len(sig) != cosignatureBytes {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return tx.Signature(sig[timeBytes:]).Verify(c.Public, cosigned(at, string(text)))
}

// cosigned is what a cosignature signs.
func cosigned(seconds uint64, text string) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", seconds, text)
}

// cosign makes the signature line of a checkpoint's text.
func cosign(name string, key ed25519.PrivateKey, at time.Time, text string) string {
	k := Key{Name: name, Public: tx.PublicKey(key.Public().(ed25519.PublicKey)), kind: algCosigner}
	seconds := uint64(at.Unix())
	b := binary.BigEndian.AppendUint32(make([]byte, 0, keyHashBytes+cosignatureBytes), k.hash())
	b = binary.BigEndian.AppendUint64(b, seconds)
	b = append(b, ed25519.Sign(key, cosigned(seconds, text))...)
	return "— " + name + " " + base64.StdEncoding.EncodeToString(b) + "\n"
}

// Time is when a cosignature was made. The signature must have been verified.
func cosignedAt(s note.Signature) (time.Time, error) {
	b, err := base64.StdEncoding.DecodeString(s.Base64)
	if err != nil || len(b) != keyHashBytes+cosignatureBytes {
		return time.Time{}, fmt.Errorf("cosignature of %s: not in the form of cosignature/v1", s.Name)
	}
	seconds := binary.BigEndian.Uint64(b[keyHashBytes:])
	if seconds > maxSeconds {
		return time.Time{}, fmt.Errorf("cosignature of %s: a time after the year 9999", s.Name)
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}

const maxSeconds = 253402300799 // 9999-12-31T23:59:59Z

// TextOf is the text of a signed note, which its signatures cover.
func TextOf(signed []byte) (string, error) {
	text, _, found := strings.Cut(string(signed), "\n\n")
	if !found {
		return "", errors.New("checkpoint: no empty line between text and signatures")
	}
	return text + "\n", nil
}

// signatures are the signature lines of a signed note.
func signatures(signed []byte) string {
	_, lines, _ := strings.Cut(string(signed), "\n\n")
	return lines
}
