package state

import (
	"fmt"

	"github.com/trialith/trialith/ledger/wire"
)

// Load decodes the value of key into a T, and says whether there is one. It
// panics on a value that does not decode: only a fault of the program or the
// disk can have put it there, and going on would spread it.
func Load[T any](v View, key []byte) (T, bool) {
	var x T
	b, ok := v.Get(key)
	if !ok {
		return x, false
	}
	if err := wire.Unmarshal(b, &x); err != nil {
		panic(fmt.Sprintf("state: value of %q: %v", key, err))
	}
	return x, true
}

// Put encodes x as the value of key.
func Put(s Store, key []byte, x any) { s.Set(key, wire.Marshal(x)) }
