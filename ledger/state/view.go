// Package state is what the ledger's state machine reads and writes: for each
// stream a sorted map from keys to values, and the digest that commits to it.
package state

// View reads one stream's state. Values must not be modified.
type View interface {
	// Get returns the value of key, and whether there is one.
	Get(key []byte) ([]byte, bool)
	// Scan calls fn for each key with the prefix, in ascending order of keys,
	// until fn returns false.
	Scan(prefix []byte, fn func(key, value []byte) bool)
}

// Store also writes. An empty value is a value; Delete removes the key.
type Store interface {
	View
	Set(key, value []byte)
	Delete(key []byte)
}
