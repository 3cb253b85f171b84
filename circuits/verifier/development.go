package verifier

import (
	_ "embed"
	"encoding/hex"
	"sync"
)

// DevelopmentNotice must stand wherever a result rests on the development keys.
const DevelopmentNotice = "Demonstration keys: they come from a set-up without secrets, so anyone can forge proofs; no trial may rely on them."

// developmentHash is what HashKey says of the embedded key; the command that makes
// the key prints it.
const developmentHash = "06bd116794d19b09c7bec02380f2b2347492856cb4152cc0166d2fab24dae6a0"

//go:embed development.vk
var developmentKey []byte

// DevelopmentHash is the name of the development key, [Key.Hash]. A ledger whose
// genesis pins it is a demonstration.
var DevelopmentHash = func() (hash [32]byte) {
	if _, err := hex.Decode(hash[:], []byte(developmentHash)); err != nil {
		panic(err) // a constant of this package
	}
	return hash
}()

// Development returns the verifying key of the development set-up, for trees of
// the default depth. Its secret is public: see [DevelopmentNotice].
func Development() *Key { return development() }

var development = sync.OnceValue(func() *Key {
	k, err := ParsePinned(developmentKey, DevelopmentHash)
	if err != nil {
		panic(err) // the embedded key and its pin were generated together
	}
	return k
})
