// Package demonstration derives the keys of demonstrations from a public
// sentence. Anybody can compute them, so a signature by one proves nothing;
// they exist so that the software can be shown and tested without a secret.
package demonstration

import (
	"crypto/ed25519"
	"crypto/sha256"

	"github.com/trialith/trialith/ledger/tx"
)

// Seed is the public sentence that stands before the name of each key.
const Seed = "trialith demonstration key, public: "

// Key is the Ed25519 key whose seed is SHA-256(Seed ‖ name). A demonstration
// uses "regulator" and "node" in its genesis, and "ethics", "sponsor" and
// others for the actors that it registers.
func Key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(Seed + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Public is the public half of Key.
func Public(name string) tx.PublicKey {
	return tx.PublicKey(Key(name).Public().(ed25519.PublicKey))
}
