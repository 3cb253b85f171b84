package solo

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tx"
)

// Config says what a ledger runs on. Dir, Key, Machine and Genesis are needed.
type Config struct {
	Dir string             // the data directory; made if it is not there
	Key ed25519.PrivateKey // the node's: genesis's, or the one it rotated to
	// KeyOf finds the private half of any other key of the node, by which it is
	// rotated. Nil: there is none but Key.
	KeyOf func(tx.PublicKey) (ed25519.PrivateKey, error)
	// HeadFile holds the last signed head. Keep it beside the key, outside Dir
	// and its backups. Empty: nothing guards against a restored backup.
	HeadFile  string
	Clock     engine.Clock // nil: the machine's
	Machine   engine.StateMachine
	Genesis   chain.Genesis
	Followers []engine.Follower
	FS        vfs.FS // nil: the disk
	// Quorum is whose cosignatures a receipt is to carry, if a checkpoint has
	// them. Nil: anybody's.
	Quorum receipt.Policy

	MaxQueue      int // transactions admitted and not yet in a block; 0: 8192
	MaxQueueBytes int // their bytes; 0: 64 MiB
	MaxBlock      int // transactions of a block; 0: 2048
	MaxBlockBytes int // their bytes; 0: 16 MiB

	// MemTable is the size in bytes of the store's tables in memory; 0: its default.
	MemTable uint64
	// NoSync gives up durability; see store.Options.
	NoSync bool
}

// RealClock is the machine's clock.
type RealClock struct{}

// Now is milliseconds since 1970 UTC.
func (RealClock) Now() int64 { return time.Now().UnixMilli() }

func (c *Config) validate() error {
	switch {
	case c.Dir == "":
		return errors.New("solo: Dir: name the data directory")
	case c.Machine == nil:
		return errors.New("solo: Machine: give the state machine")
	case len(c.Key) != ed25519.PrivateKeySize:
		return fmt.Errorf("solo: Key: %d bytes; an Ed25519 private key has %d", len(c.Key), ed25519.PrivateKeySize)
	}
	if err := c.Genesis.Validate(); err != nil {
		return fmt.Errorf("solo: Genesis: %w", err)
	}
	if c.FS == nil {
		c.FS = vfs.Default
	}
	if c.Clock == nil {
		c.Clock = RealClock{}
	}
	for _, d := range []struct {
		name  string
		value *int
		is    int
	}{
		{"MaxQueue", &c.MaxQueue, 8192},
		{"MaxQueueBytes", &c.MaxQueueBytes, 64 << 20},
		{"MaxBlock", &c.MaxBlock, 2048},
		{"MaxBlockBytes", &c.MaxBlockBytes, 16 << 20},
	} {
		if *d.value < 0 {
			return fmt.Errorf("solo: %s: %d; give a number above 0, or 0 for %d", d.name, *d.value, d.is)
		}
		if *d.value == 0 {
			*d.value = d.is
		}
	}
	return nil
}
