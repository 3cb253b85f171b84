package solo

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// errNoKey says that the node's key is not at hand.
var errNoKey = errors.New("its private half is not among the keys at hand; bring back its key file")

// private finds the private half of a key of the node.
func (c *Config) private(key tx.PublicKey) (ed25519.PrivateKey, error) {
	if tx.PublicKey(c.Key.Public().(ed25519.PublicKey)) == key {
		return c.Key, nil
	}
	if c.KeyOf == nil {
		return nil, errNoKey
	}
	private, err := c.KeyOf(key)
	if err != nil {
		return nil, err
	}
	if len(private) != ed25519.PrivateKeySize || tx.PublicKey(private.Public().(ed25519.PublicKey)) != key {
		return nil, errNoKey
	}
	return private, nil
}

// signer signs with the node's key of a height.
func (l *Ledger) signer(node tx.PublicKey) (note.Signer, error) {
	private, err := l.cfg.private(node)
	if err != nil {
		return nil, fmt.Errorf("the node's key %v: %w", node.ID(), err)
	}
	return chain.NewSigner(l.cfg.Genesis.Origin, private), nil
}

// mayRotate refuses a rotation to a key that this node could not sign with.
func (l *Ledger) mayRotate(e *tx.Envelope) error {
	if e.Kind != engine.KindRotate {
		return nil
	}
	next, err := chain.RotatesTo(e)
	if err != nil {
		return &engine.RefusedError{Err: err}
	}
	if _, err := l.cfg.private(next); err != nil {
		return &engine.RefusedError{Err: fmt.Errorf("rotation: new key %v: %w", next.ID(), err)}
	}
	return nil
}

// Keys are the node's keys up to the head.
func (l *Ledger) Keys() (chain.Keys, error) {
	return read(l, func(c *committed) (chain.Keys, error) { return l.keysOf(c) })
}

// keysOf reads them; it keeps what it verified until the key changes.
func (l *Ledger) keysOf(c *committed) (chain.Keys, error) {
	directory := c.State(wire.Directory)
	if k := l.keys.Load(); k != nil && k.Present() == engine.NodeKey(l.cfg.Genesis.Node, directory) {
		return *k, nil
	}
	k, err := engine.NodeKeys(l.cfg.Genesis, directory)
	if err == nil {
		l.keys.Store(&k)
	}
	return k, err
}
