// Package chain holds what the ledger's hash chain is made of: the genesis that
// names the ledger, the headers of its blocks, the links of its streams, the
// leaves of its log, and the signed checkpoints that outsiders compare.
//
// A reader who has the newest checkpoint, the headers and one stream's entries
// needs nothing else: each header names the one before it, the streams root
// names each stream's head, and the head chains every entry of the stream.
package chain

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// GenesisVersion is the only form of genesis there is.
const GenesisVersion = 1

// Limits of a genesis.
const (
	MaxGenesisBytes = 64 << 10
	MaxAuthorities  = 64
	MaxNameBytes    = 200
	MaxOriginBytes  = 100
	MaxRoleBytes    = 32
)

// Genesis says what a ledger is before its first transaction. Its hash is the
// ledger's name, so none of it can be changed later. Encoded as a CBOR array.
type Genesis struct {
	_       struct{} `cbor:",toarray"`
	Version uint8    `json:"version"`
	Name    string   `json:"name"`
	Time    int64    `json:"time"`  // milliseconds since 1970 UTC; every block is later
	Epoch   uint32   `json:"epoch"` // seconds of an epoch, counted from Time
	Rules   uint32   `json:"rules"` // rule-set version of the first block
	// Origin is the name that the checkpoints and their signature lines carry,
	// a schema-less URL such as "trialith.example/demo".
	Origin string `json:"origin"`
	// Node signs the checkpoints, and wraps the acts that come without a submitter.
	Node          tx.PublicKey `json:"node"`
	Authorities   []Authority  `json:"authorities"`
	VerifyingKey  wire.Hash    `json:"verifyingKey"` // of the proof system's verifying key
	Demonstration bool         `json:"demonstration"`
}

// Authority is an actor that is there from the beginning.
type Authority struct {
	_       struct{}     `cbor:",toarray"`
	Role    string       `json:"role"`
	Name    string       `json:"name"`
	Country string       `json:"country"` // ISO 3166-1 alpha-2
	Key     tx.PublicKey `json:"key"`
}

// ID is the name of the ledger, H("ledger", genesis).
func (g Genesis) ID() wire.LedgerID { return wire.LedgerID(wire.Sum("ledger", g)) }

// Encode returns the canonical bytes of g.
func (g Genesis) Encode() []byte { return wire.Marshal(g) }

// DecodeGenesis parses canonical bytes and validates them.
func DecodeGenesis(b []byte) (Genesis, error) {
	var g Genesis
	if len(b) > MaxGenesisBytes {
		return g, fmt.Errorf("genesis: %d bytes; at most %d", len(b), MaxGenesisBytes)
	}
	if err := wire.Unmarshal(b, &g); err != nil {
		return g, fmt.Errorf("genesis: %w", err)
	}
	return g, g.Validate()
}

// Validate checks the fields against their limits.
func (g Genesis) Validate() error {
	switch {
	case g.Version != GenesisVersion:
		return fmt.Errorf("genesis: version %d; only %d is known", g.Version, GenesisVersion)
	case g.Time <= 0:
		return errors.New("genesis: time: give milliseconds since 1970, above 0")
	case g.Epoch == 0:
		return errors.New("genesis: epoch: give the seconds of an epoch, above 0")
	case g.Rules == 0:
		return errors.New("genesis: rules: rule sets are numbered from 1")
	case g.Node == tx.PublicKey{}:
		return errors.New("genesis: node: give the public key that signs the checkpoints")
	case len(g.Authorities) > MaxAuthorities:
		return fmt.Errorf("genesis: authorities: %d; at most %d", len(g.Authorities), MaxAuthorities)
	}
	if err := text("name", g.Name, MaxNameBytes); err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	if err := CheckOrigin(g.Origin); err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	keys := map[tx.PublicKey]bool{g.Node: true}
	for i, a := range g.Authorities {
		if err := a.validate(); err != nil {
			return fmt.Errorf("genesis: authority %d: %w", i, err)
		}
		if keys[a.Key] {
			return fmt.Errorf("genesis: authority %d: key: used before; each has its own", i)
		}
		keys[a.Key] = true
	}
	return nil
}

func (a Authority) validate() error {
	if err := text("role", a.Role, MaxRoleBytes); err != nil {
		return err
	}
	if err := text("name", a.Name, MaxNameBytes); err != nil {
		return err
	}
	if c := a.Country; len(c) != 2 || c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z' {
		return fmt.Errorf("country: %q; two capital letters of ISO 3166-1", c)
	}
	return nil
}

// CheckOrigin checks a checkpoint origin: C2SP signed-note forbids white space
// and "+" in a key name, and the origin is the name of the key here.
func CheckOrigin(s string) error {
	if err := text("origin", s, MaxOriginBytes); err != nil {
		return err
	}
	if strings.ContainsFunc(s, unicode.IsSpace) || strings.Contains(s, "+") {
		return fmt.Errorf("origin: %q; no white space and no +", s)
	}
	return nil
}

func text(field, s string, limit int) error {
	switch {
	case s == "":
		return fmt.Errorf("%s: empty", field)
	case len(s) > limit:
		return fmt.Errorf("%s: %d bytes; at most %d", field, len(s), limit)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("%s: has a control character", field)
	case strings.TrimSpace(s) != s:
		return fmt.Errorf("%s: begins or ends with white space", field)
	}
	return nil
}
