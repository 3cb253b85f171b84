package verifier_test

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

var update = flag.Bool("update", false, "prove testdata/vectors.json anew; needed only after a change of the keys")

// vectors is the form of testdata/vectors.json.
type vectors struct {
	Key     field.Root `json:"verifyingKey"` // its hash
	Vectors []vector   `json:"vectors"`
}

type vector struct {
	Name      string    `json:"name"`
	Valid     bool      `json:"valid"`
	Proof     string    `json:"proof"` // hexadecimal, of whatever length
	Statement statement `json:"statement"`
}

// statement is a verifier.Statement in text; elements are 64 hexadecimal digits,
// and may be out of range where the vector is to be refused.
type statement struct {
	Root    field.Root       `json:"root"`
	Context field.Root       `json:"context"`
	Account field.Account    `json:"account"`
	Message field.Root       `json:"message"`
	Min     field.Attributes `json:"min"`
	Max     field.Attributes `json:"max"`
}

func text(s verifier.Statement) statement {
	return statement{s.Root, field.RootOf(s.Context), s.Account, field.RootOf(s.Message), s.Min, s.Max}
}

func (s statement) parse() (out verifier.Statement, err error) {
	out = verifier.Statement{Root: s.Root, Account: s.Account, Min: s.Min, Max: s.Max}
	if out.Context, err = s.Context.Element(); err != nil {
		return out, err
	}
	out.Message, err = s.Message.Element()
	return out, err
}

// valid are three honest acts: vacuous bounds in a tree, tight bounds in a tree,
// and an own-leaf proof.
var valid = sync.OnceValue(func() []verifier.Item {
	var file vectors
	b, err := os.ReadFile("testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(b, &file)
	}
	if err != nil {
		panic(err)
	}
	var items []verifier.Item
	for _, v := range file.Vectors {
		if !v.Valid {
			continue
		}
		s, err := v.Statement.parse()
		if err != nil {
			panic(err)
		}
		var item verifier.Item
		if err := item.Proof.UnmarshalText([]byte(v.Proof)); err != nil {
			panic(err)
		}
		item.Statement = s
		items = append(items, item)
	}
	return items
})

func number(n uint64) (e field.Element) {
	e.SetUint64(n)
	return e
}

// witnesses makes the three acts.
func witnesses(t *testing.T) (names []string, ws []prover.Witness) {
	t.Helper()
	person := func(n uint64) prover.Witness {
		return prover.Witness{Secret: number(100 + n), Trapdoor: number(200 + n), Attributes: field.Attributes{0, 1 << 31, 1<<32 - 1, 61, 1, 2, 3, uint32(n)}}
	}
	var leaves []field.Element
	for n := range uint64(20) {
		w := person(n)
		leaves = append(leaves, w.Leaf())
	}
	tr, err := tree.Build(tree.Depth, leaves)
	if err != nil {
		t.Fatal(err)
	}
	act := func(n uint64) prover.Witness {
		w := person(n)
		if w.Path, err = tr.Path(n); err != nil {
			t.Fatal(err)
		}
		w.Sign(field.Hash("context", []byte{byte(n)}), field.Hash("message", []byte{byte(n)}))
		return w
	}
	loose, tight := act(3), act(17)
	tight.Statement.Min = tight.Attributes
	tight.Statement.Max = tight.Attributes
	own := person(5)
	own = prover.OwnLeaf(own.Secret, own.Trapdoor, own.Attributes, field.Hash("context", nil), field.Hash("message", nil))
	return []string{"vacuous bounds", "bounds at the attributes", "own leaf"}, []prover.Witness{loose, tight, own}
}

func prove(t *testing.T) (file vectors) {
	t.Helper()
	p, err := prover.Development()
	if err != nil {
		t.Fatal(err)
	}
	file.Key = verifier.DevelopmentHash
	names, ws := witnesses(t)
	var items []verifier.Item
	for i, w := range ws {
		proof, err := p.Prove(w)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, verifier.Item{Proof: proof, Statement: w.Statement})
		file.Vectors = append(file.Vectors, vector{names[i], true, proof.String(), text(w.Statement)})
	}
	file.Vectors = append(file.Vectors, forgeries(items[0], items[1])...)
	return file
}

// TestVectors verifies the recorded proofs and refuses the recorded forgeries.
func TestVectors(t *testing.T) {
	t.Parallel()
	const name = "testdata/vectors.json"
	if *update {
		b, err := json.MarshalIndent(prove(t), "", "\t")
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
	var file vectors
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	key := verifier.Development()
	if key.Hash() != file.Key {
		t.Fatalf("the vectors are for the key %v and this is %x", file.Key, key.Hash())
	}
	if len(file.Vectors) < 20 || !slices.ContainsFunc(file.Vectors, func(v vector) bool { return v.Valid }) {
		t.Fatalf("only %d vectors", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		if err := verify(key, v); (err == nil) != v.Valid {
			t.Errorf("%s: %v, want valid %t", v.Name, err, v.Valid)
		}
	}
}

func verify(key *verifier.Key, v vector) error {
	s, err := v.Statement.parse()
	if err != nil {
		return err
	}
	var proof verifier.Proof
	if err := proof.UnmarshalText([]byte(v.Proof)); err != nil {
		return err
	}
	return key.Verify(proof, s)
}
