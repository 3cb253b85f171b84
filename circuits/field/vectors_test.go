package field_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew; every changed line is a change of the protocol")

// vectors is the form of testdata/vectors.json. Elements are 64 hexadecimal
// digits, the other bytes hexadecimal too.
type vectors struct {
	Identity []identityVector `json:"identity"`
	Pack     []packVector     `json:"pack"`
	Leaf     []leafVector     `json:"leaf"`
	Account  []accountVector  `json:"account"`
	Node     []nodeVector     `json:"node"`
	Empty    []field.Root     `json:"empty"`
	OwnLeaf  []ownLeafVector  `json:"ownLeafRoot"`
	Hash     []hashVector     `json:"hashToField"`
	Derive   []deriveVector   `json:"derive"`
}

type (
	identityVector struct {
		Secret   field.Root `json:"secret"`
		Trapdoor field.Root `json:"trapdoor"`
		Identity field.Root `json:"identity"`
	}
	packVector struct {
		Four   [4]uint32  `json:"four"`
		Packed field.Root `json:"packed"`
	}
	leafVector struct {
		Identity   field.Root       `json:"identity"`
		Attributes field.Attributes `json:"attributes"`
		Leaf       field.Leaf       `json:"leaf"`
	}
	accountVector struct {
		Secret  field.Root    `json:"secret"`
		Leaf    field.Leaf    `json:"leaf"`
		Context field.Root    `json:"context"`
		Account field.Account `json:"account"`
	}
	nodeVector struct {
		Children [8]field.Root `json:"children"`
		Node     field.Root    `json:"node"`
	}
	ownLeafVector struct {
		Leaf  field.Leaf `json:"leaf"`
		Depth int        `json:"depth"`
		Root  field.Root `json:"root"`
	}
	hashVector struct {
		Purpose string     `json:"purpose"`
		Message string     `json:"message"`
		Element field.Root `json:"element"`
	}
	deriveVector struct {
		Master    field.Root `json:"master"`
		Tag       string     `json:"tag"`
		Ledger    field.Root `json:"ledger"`
		Trial     field.Root `json:"trial"`
		Enrolment uint32     `json:"enrolment"`
		Element   field.Root `json:"element"`
	}
)

// computeVectors makes the vectors from fixed inputs alone.
func computeVectors(t *testing.T) (v vectors) {
	t.Helper()
	var last field.Element // r - 1, the largest element
	one := number(1)
	last.Sub(&last, &one)
	master, ledger, trial := field.Encode(number(1)), field.Encode(number(2)), field.Encode(number(3))
	for _, tag := range []string{field.SecretTag, field.TrapdoorTag} {
		for _, n := range []uint32{0, math.MaxUint32} {
			e, err := field.Derive(master, tag, ledger, trial, n)
			if err != nil {
				t.Fatal(err)
			}
			v.Derive = append(v.Derive, deriveVector{master, tag, ledger, trial, n, field.RootOf(e)})
		}
	}
	for _, m := range []string{"", "consent", "a message longer than one block of the hash function, which has 64 bytes"} {
		for _, purpose := range []string{"context", "message"} {
			e := field.Hash(purpose, []byte(m))
			v.Hash = append(v.Hash, hashVector{purpose, hex.EncodeToString([]byte(m)), field.RootOf(e)})
		}
	}
	for _, a := range []field.Attributes{{}, {1, 2, 3, 4, 5, 6, 7, 8}, {math.MaxUint32, 0, 0, math.MaxUint32, 0, math.MaxUint32}} {
		secret, trapdoor := number(uint64(a[0])+10), last
		idc := field.Identity(secret, trapdoor)
		leaf, context := field.NewLeaf(idc, a), field.Hash("context", []byte("vector"))
		v.Identity = append(v.Identity, identityVector{field.RootOf(secret), field.RootOf(trapdoor), field.RootOf(idc)})
		v.Pack = append(v.Pack, packVector{[4]uint32(a[:4]), field.RootOf(field.Pack([4]uint32(a[:4])))})
		v.Leaf = append(v.Leaf, leafVector{field.RootOf(idc), a, field.LeafOf(leaf)})
		v.Account = append(v.Account, accountVector{field.RootOf(secret), field.LeafOf(leaf), field.RootOf(context), field.AccountOf(field.NewAccount(secret, leaf, context))})
		for _, depth := range []int{tree.Depth, tree.DeepDepth} {
			v.OwnLeaf = append(v.OwnLeaf, ownLeafVector{field.LeafOf(leaf), depth, field.RootOf(tree.OwnLeafRoot(depth, leaf))})
		}
	}
	for _, start := range []field.Element{number(0), last} {
		var n nodeVector
		var children [8]field.Element
		for i := range children {
			step := number(uint64(i))
			children[i].Add(&start, &step)
			n.Children[i] = field.RootOf(children[i])
		}
		n.Node = field.RootOf(field.Node(&children))
		v.Node = append(v.Node, n)
	}
	for level := range tree.DeepDepth + 1 {
		v.Empty = append(v.Empty, field.RootOf(tree.Empty(level)))
	}
	return v
}

func number(n uint64) (e field.Element) {
	e.SetUint64(n)
	return e
}

func TestVectors(t *testing.T) {
	t.Parallel()
	const name = "testdata/vectors.json"
	got := computeVectors(t)
	if *update {
		b, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, append(b, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var want vectors
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the protocol changed (-file +code):\n%s", diff)
	}
}
