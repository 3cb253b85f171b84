package evidence

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/ledger/witness"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/trial"
)

// maxPolicy bounds a policy file in bytes.
const maxPolicy = 1 << 20

// Policy says whom a verifier trusts. It is the verifier's own; no evidence
// file can change it.
type Policy struct {
	Name string `json:"name"`
	// Authorities are the keys that a genesis may name, each for one role: the
	// node's ("node") and those of the founding authorities.
	Authorities []Authority `json:"authorities"`
	// VerifyingKeys are the names of the proof system's keys that are trusted.
	VerifyingKeys []wire.Hash `json:"verifying_keys"`
	// Contributors are keys of people who are trusted to have forgotten their
	// secret. If there are any, each phase of a ceremony must have one of them.
	Contributors []transcript.PublicKey `json:"contributors,omitempty"`
	// Witnesses are the lines of a C2SP tlog-policy: independent witnesses, and
	// how many of them must have cosigned a checkpoint. None: no witness is asked for.
	Witnesses []string `json:"witnesses"`
	// TimeAuthorities are root certificates, in PEM, of RFC 3161 authorities
	// whose time stamps are believed.
	TimeAuthorities []string `json:"time_authorities,omitempty"`
	// Demonstration says that the keys are worth nothing outside of one.
	Demonstration bool `json:"demonstration"`

	// Now is the verifier's own time, in milliseconds since 1970 UTC; 0: the
	// machine's clock says. No ledger is of later than a day after it.
	Now int64 `json:"-"`
	// Stranger says that anybody may have the file checked at the verifier's
	// expense: what is signed by keys that the policy does not trust is then not
	// replayed.
	Stranger bool `json:"-"`

	witnesses *witness.Policy // of the lines; nil for none
	roots     *x509.CertPool  // of the time authorities; nil for none
}

// ahead is how far another's clock may be ahead of the verifier's, in milliseconds.
const ahead = 24 * 60 * 60 * 1000

// latest is the latest time that this verifier believes.
func (p Policy) latest() int64 {
	if p.Now != 0 {
		return p.Now + ahead
	}
	return time.Now().UnixMilli() + ahead
}

// Authority is a key that is trusted in a role.
type Authority struct {
	Role string       `json:"role"`
	Key  tx.PublicKey `json:"key"`
}

// Builtin is the policy where none is given. It knows the shipped one-party
// development set-up and the demonstration's authorities, whose secrets are
// public.
func Builtin() Policy {
	return Policy{
		Name: "built in, for demonstrations",
		Authorities: []Authority{
			{Role: trial.Regulator.String(), Key: demonstration.Public("regulator")},
			{Role: trial.Node.String(), Key: demonstration.Public("node")},
		},
		VerifyingKeys: []wire.Hash{verifier.DevelopmentHash},
		Witnesses:     []string{},
		Demonstration: true,
	}
}

// ParsePolicy reads a policy file: one JSON object with the fields of Policy.
func ParsePolicy(b []byte) (Policy, error) {
	var p Policy
	if len(b) > maxPolicy {
		return p, fmt.Errorf("policy: %d bytes; at most %d", len(b), maxPolicy)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("policy: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return p, errors.New("policy: something follows the JSON object")
	}
	return p, p.prepare()
}

// prepare validates a policy and parses what it quotes.
func (p *Policy) prepare() (err error) {
	p.witnesses = nil
	if len(p.Witnesses) > 0 {
		if p.witnesses, err = witness.ParsePolicy([]byte(strings.Join(p.Witnesses, "\n") + "\n")); err != nil {
			return fmt.Errorf("policy: witnesses: %w", err)
		}
	}
	if p.roots, err = rootsOf(p.TimeAuthorities); err != nil {
		return err
	}
	return p.validate()
}

// rootsOf is the pool of certificates in PEM; nil for none.
func rootsOf(certificates []string) (*x509.CertPool, error) {
	if len(certificates) == 0 {
		return nil, nil //nolint:nilnil // no authority is a policy, not a fault
	}
	pool := x509.NewCertPool()
	for i, c := range certificates {
		block, rest := pem.Decode([]byte(c))
		if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
			return nil, fmt.Errorf("policy: time_authorities: %d: give one certificate in PEM each", i)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("policy: time_authorities: %d: %w", i, err)
		}
		pool.AddCert(cert)
	}
	return pool, nil
}

func (p Policy) validate() error {
	if len(p.Authorities) == 0 || len(p.VerifyingKeys) == 0 {
		return errors.New("policy: authorities, verifying_keys: name at least one of each; without them nothing can be trusted")
	}
	for _, a := range p.Authorities {
		if _, ok := trial.ParseRole(a.Role); !ok {
			return fmt.Errorf("policy: authorities: role %q is none of the directory's", a.Role)
		}
	}
	return nil
}

func (p Policy) trusts(role string, key tx.PublicKey) bool {
	return slices.Contains(p.Authorities, Authority{Role: role, Key: key})
}

// untrusted names a key of the genesis, or the verifying key that it pins, that
// the policy does not trust; "" if there is none.
func (p Policy) untrusted(g chain.Genesis) string {
	if !p.trusts(trial.Node.String(), g.Node) {
		return fmt.Sprintf("the node's key %x", g.Node)
	}
	for _, a := range g.Authorities {
		if !p.trusts(a.Role, a.Key) {
			return fmt.Sprintf("the key %x of the %s", a.Key, a.Role)
		}
	}
	if !slices.Contains(p.VerifyingKeys, g.VerifyingKey) {
		return fmt.Sprintf("the verifying key %v", g.VerifyingKey)
	}
	return ""
}

// demonstration reports whether what rests on these keys is worth nothing
// outside of a demonstration. That the development set-up is one does not
// depend on what a policy says of it: anyone can forge under it.
func (p Policy) demonstration(g chain.Genesis) bool {
	return p.Demonstration || g.Demonstration || g.VerifyingKey == wire.Hash(verifier.DevelopmentHash)
}
