package state

import (
	"errors"
	"fmt"
	"slices"

	"github.com/trialith/trialith/ledger/wire"
)

// Proof shows against a map's root that a key has a value, or that it has none.
// Encoded as a CBOR array of its fields.
type Proof struct {
	_        struct{}    `cbor:",toarray"`
	Siblings []wire.Hash `json:"siblings"` // from the root down
	// Other is the leaf that stands where an absent key would: none when the
	// place is empty or the key is present, else one.
	Other []Leaf `json:"other,omitempty"`
}

// Leaf is a pair of the map by its hashes.
type Leaf struct {
	_     struct{}  `cbor:",toarray"`
	Path  wire.Hash `json:"path"`
	Value wire.Hash `json:"value"`
}

// Prove makes the proof for key, of presence or of absence as the case is.
func (m Map) Prove(key []byte) Proof {
	var p Proof
	path := pathOf(key)
	at := tree{child: m.top()}
	for depth := 0; at.kind == node; depth++ {
		below := at.below
		if below == nil {
			below = m.load(nodeKey(depth, path))
		}
		side := bit(path, depth)
		at = below[side]
		p.Siblings = append(p.Siblings, below[1-side].hash())
	}
	if at.kind == leaf && at.a != path {
		p.Other = []Leaf{{Path: at.a, Value: at.b}}
	}
	return p
}

// Present checks that key has the value in the map with this root.
func (p Proof) Present(root wire.Hash, key, value []byte) error {
	if len(p.Other) != 0 {
		return errors.New("map proof: other: a proof of presence has none")
	}
	path := pathOf(key)
	return p.climb(root, path, leafHash(path, valueHash(value)))
}

// Absent checks that key has no value in the map with this root.
func (p Proof) Absent(root wire.Hash, key []byte) error {
	path := pathOf(key)
	switch len(p.Other) {
	case 0:
		return p.climb(root, path, wire.Hash{})
	case 1:
	default:
		return fmt.Errorf("map proof: other: %d leaves; at most 1", len(p.Other))
	}
	other := p.Other[0]
	if other.Path == path {
		return errors.New("map proof: other: it is the key's own leaf")
	}
	if len(p.Siblings) > maxDepth {
		return fmt.Errorf("map proof: %d siblings; at most %d", len(p.Siblings), maxDepth)
	}
	for depth := range p.Siblings {
		if bit(path, depth) != bit(other.Path, depth) {
			return fmt.Errorf("map proof: other: leaves the key's path at depth %d", depth)
		}
	}
	return p.climb(root, path, leafHash(other.Path, other.Value))
}

// climb hashes from the end of the path to the root and compares.
func (p Proof) climb(root, path, at wire.Hash) error {
	if len(p.Siblings) > maxDepth {
		return fmt.Errorf("map proof: %d siblings; at most %d", len(p.Siblings), maxDepth)
	}
	for depth, v := range slices.Backward(p.Siblings) {
		if bit(path, depth) == 0 {
			at = nodeHash(at, v)
		} else {
			at = nodeHash(v, at)
		}
	}
	if at != root {
		return fmt.Errorf("map proof: gives root %s, the header says %s", short(at), short(root))
	}
	return nil
}

func short(h wire.Hash) string { return h.String()[:12] }
