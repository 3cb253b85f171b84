package field

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
)

// The Poseidon2 instances of rule set 1 and the tags in lane 0 of the narrow one.
// The circuit takes them from here, so that the two cannot drift apart.
const (
	NarrowWidth   = 4
	NarrowFull    = 8
	NarrowPartial = 56
	WideWidth     = 8
	WideFull      = 8
	WidePartial   = 57

	TagIdentity = 1
	TagLeaf     = 2
	TagAccount  = 5
)

// Arity is the number of children of an inner node.
const Arity = WideWidth

// Attributes are the values attested in a leaf, 32 bits each. What a place means
// is fixed by the trial's registered criteria.
type Attributes [8]uint32

var narrow = poseidon2.NewPermutation(NarrowWidth, NarrowFull, NarrowPartial)

// Identity returns H1(secret, trapdoor). It never leaves the device: with it a
// site could recognise the person's accounts.
func Identity(secret, trapdoor Element) Element {
	return compress(TagIdentity, secret, trapdoor, Element{})
}

// NewLeaf returns H2(identity, pack(attributes 0..3), pack(attributes 4..7)).
func NewLeaf(idc Element, a Attributes) Element {
	return compress(TagLeaf, idc, Pack([4]uint32(a[:4])), Pack([4]uint32(a[4:])))
}

// NewAccount returns H5(secret, leaf, context), the nullifier: one leaf has
// exactly one account for each context, and without the secret nobody can link
// an account to its leaf.
func NewAccount(secret, leaf, context Element) Element {
	return compress(TagAccount, secret, leaf, context)
}

// Node returns the inner node over eight children: the wide permutation with the
// last child fed forward. Node of eight empty children is the empty node above.
func Node(children *[Arity]Element) Element {
	state := *children
	eight.permute(&state)
	var out Element
	out.Add(&state[Arity-1], &children[Arity-1])
	return out
}

// Pack returns the sum of four[i] · 2^(32 i).
func Pack(four [4]uint32) Element {
	var b [Size]byte
	for i, v := range four {
		binary.BigEndian.PutUint32(b[Size-4*(i+1):], v)
	}
	var e Element
	e.SetBytes(b[:]) // 128 bits: below r, nothing is reduced
	return e
}

// Hash maps a message to the field: RFC 9380 hash_to_field over SHA-256 with
// L = 48 and the domain separation tag "trialith/v1/" followed by purpose.
// purpose is a word of ours of 1 to 64 bytes, never outside input; others panic.
func Hash(purpose string, message []byte) Element {
	if len(purpose) < 1 || len(purpose) > 64 {
		panic("field: the purpose of a hash is a word of 1 to 64 bytes")
	}
	out, err := fr.Hash(message, []byte("trialith/v1/"+purpose), 1)
	if err != nil {
		panic(err) // only a tag above 255 bytes or an output above 8,160 can fail
	}
	return out[0]
}

// The tags of [Derive] from which a leaf is made.
const (
	SecretTag   = "secret"
	TrapdoorTag = "trapdoor"
)

// Derive returns HKDF-SHA-256 of the device's master key without salt, with the
// info tag ‖ ledger ‖ trial ‖ enrolment (4 bytes, big-endian), 48 bytes reduced
// modulo r. The device counts its enrolments, so that one person who enrols
// again has secrets that nobody can link.
func Derive(master [32]byte, tag string, ledger, trial [32]byte, enrolment uint32) (Element, error) {
	if tag == "" {
		return Element{}, errors.New("derive: the tag is empty; name what is derived")
	}
	info := append([]byte(tag), ledger[:]...)
	info = append(info, trial[:]...)
	info = binary.BigEndian.AppendUint32(info, enrolment)
	okm, err := hkdf.Key(sha256.New, master[:], nil, string(info), 48)
	if err != nil {
		return Element{}, fmt.Errorf("derive %s: %w", tag, err)
	}
	var e Element
	e.SetBigInt(new(big.Int).SetBytes(okm)) // 384 bits: the bias is below 2^-128
	if e.IsZero() {
		return Element{}, fmt.Errorf("derive %s: the result is zero; make a new master key", tag)
	}
	return e, nil
}

// compress is the narrow permutation with its tag in lane 0 and lane 3 fed forward.
func compress(tag uint64, a, b, c Element) Element {
	var state [NarrowWidth]Element
	state[0].SetUint64(tag)
	state[1], state[2], state[3] = a, b, c
	if err := narrow.Permutation(state[:]); err != nil {
		panic(err) // only a wrong width fails, and the width is fixed here
	}
	var out Element
	out.Add(&state[3], &c)
	return out
}
