package rows

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Secret is what the salts of a dataset are made from. Who has it can try
// values against every row: it goes to the vault, and never onto the ledger.
type Secret [32]byte

// String hides the secret from anything that prints it.
func (Secret) String() string { return "(secret)" }

// GoString hides the secret from anything that prints it.
func (Secret) GoString() string { return "(secret)" }

// Tree is a table with the hashes that commit to it.
type Tree struct {
	table  *Table
	secret []byte // extracted
	schema trial.Digest
	levels [][]trial.Digest // from the leaves up; a lone last node moves up as it is
}

// Build commits to a table. Equal tables under one secret have equal roots.
func Build(t *Table, secret Secret) (*Tree, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	extracted, err := hkdf.Extract(sha256.New, secret[:], nil)
	if err != nil {
		return nil, err
	}
	out := &Tree{table: t, secret: extracted, schema: Schema(t.Columns)}
	leaves := make([]trial.Digest, len(t.Cells))
	for i, cells := range t.Cells {
		c := content(t.Dataset, uint64(i+1), out.schema, cells)
		salt, err := out.salt("row", c)
		if err != nil {
			return nil, err
		}
		leaves[i] = leaf(salt, c)
	}
	out.levels = grow(leaves)
	return out, nil
}

// Schema is the hash of the column names, H("schema", columns).
func Schema(columns []string) trial.Digest { return trial.Digest(wire.Sum("schema", columns)) }

func content(dataset string, number uint64, schema trial.Digest, cells []string) []byte {
	return wire.Marshal([]any{dataset, number, schema, cells})
}

// salt is a function of all that it hides: a row that is corrected and
// committed again under the same secret has another salt, so that the opening
// of its first form helps nobody to try values against the second.
func (t *Tree) salt(purpose string, content []byte) (salt [32]byte, err error) {
	b, err := hkdf.Expand(sha256.New, t.secret, "trialith/v1/"+purpose+"\x00"+string(content), len(salt))
	copy(salt[:], b)
	return salt, err
}

func leaf(salt [32]byte, content []byte) trial.Digest {
	c := wire.Sum("commit", "row", salt, content)
	return trial.Digest(rfc6962.DefaultHasher.HashLeaf(c[:]))
}

// grow computes the levels above the leaves. Pairing from the left and moving a
// lone node up gives RFC 6962's tree, whose left halves are full.
func grow(leaves []trial.Digest) [][]trial.Digest {
	levels := [][]trial.Digest{leaves}
	for below := leaves; len(below) > 1; {
		above := make([]trial.Digest, 0, (len(below)+1)/2)
		for i := 0; i+1 < len(below); i += 2 {
			above = append(above, trial.Digest(rfc6962.DefaultHasher.HashChildren(below[i][:], below[i+1][:])))
		}
		if len(below)%2 == 1 {
			above = append(above, below[len(below)-1])
		}
		levels, below = append(levels, above), above
	}
	return levels
}

// Root is what goes on the ledger; of a table without rows it is the hash of nothing.
func (t *Tree) Root() trial.Digest {
	top := t.levels[len(t.levels)-1]
	if len(top) == 0 {
		return trial.Digest(rfc6962.DefaultHasher.EmptyRoot())
	}
	return top[0]
}

// Rows is how many rows the tree has.
func (t *Tree) Rows() uint64 { return uint64(len(t.table.Cells)) }

// File commits to the canonical file, H("commit", "file", salt, SHA-256 of it):
// who has the file and the salt can check that nothing was left out.
func (t *Tree) File() (trial.Commitment, [32]byte, error) {
	sum := sha256.Sum256(t.table.Canonical())
	salt, err := t.salt("file", wire.Marshal([]any{t.table.Dataset, sum}))
	if err != nil {
		return trial.Commitment{}, salt, err
	}
	return trial.Commitment(wire.Sum("commit", "file", salt, sum[:])), salt, nil
}

// Prove opens one row, numbered from 1.
func (t *Tree) Prove(number uint64) (Opening, error) {
	if number == 0 || number > t.Rows() {
		return Opening{}, fmt.Errorf("row: %d; %s has rows 1 to %d", number, t.table.Dataset, t.Rows())
	}
	cells := t.table.Cells[number-1]
	salt, err := t.salt("row", content(t.table.Dataset, number, t.schema, cells))
	if err != nil {
		return Opening{}, err
	}
	return Opening{
		Dataset: t.table.Dataset, Number: number, Rows: t.Rows(), Columns: t.table.Columns, Cells: cells,
		Salt: trial.Digest(salt), Path: t.path(number - 1),
	}, nil
}

// path is the RFC 6962 inclusion proof of a leaf: the neighbour on each level
// where there is one.
func (t *Tree) path(at uint64) (path []trial.Digest) {
	for _, level := range t.levels[:len(t.levels)-1] {
		if neighbour := at ^ 1; neighbour < uint64(len(level)) {
			path = append(path, level[neighbour])
		}
		at /= 2
	}
	return path
}
