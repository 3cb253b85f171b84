package rows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// MaxOpening bounds the bytes of an opening in either form.
const MaxOpening = 4 << 20

const maxPath = 64

// ErrNotProven says that an opening does not lead to the root.
var ErrNotProven = errors.New("the row is not in the dataset with this root; ask who opened it for the dataset's present commitment")

// Opening shows one row and that it stands in a committed dataset. Encoded as a
// CBOR array of its fields, or as JSON.
type Opening struct {
	_       struct{}       `cbor:",toarray"`
	Dataset string         `json:"dataset"`
	Number  uint64         `json:"number"` // from 1
	Rows    uint64         `json:"rows"`   // of the dataset
	Columns []string       `json:"columns"`
	Cells   []string       `json:"cells"`
	Salt    trial.Digest   `json:"salt"`
	Path    []trial.Digest `json:"path"` // from the leaf up
}

// Check refuses what no table has.
func (o *Opening) Check() error {
	if err := checkHead(o.Dataset, o.Columns); err != nil {
		return err
	}
	if o.Rows > MaxRows || o.Number == 0 || o.Number > o.Rows {
		return fmt.Errorf("number: row %d of %d; 1 to the number of rows, at most %d", o.Number, o.Rows, MaxRows)
	}
	if len(o.Path) > maxPath {
		return fmt.Errorf("path: %d hashes; at most %d", len(o.Path), maxPath)
	}
	return checkCells(o.Columns, o.Cells)
}

// Verify checks the opening against the root that the ledger names. Number and
// columns are proven with the cells; Rows is what the path needs, and the
// ledger states it beside the root.
func (o *Opening) Verify(root trial.Digest) error {
	if err := o.Check(); err != nil {
		return err
	}
	path := make([][]byte, len(o.Path))
	for i := range o.Path {
		path[i] = o.Path[i][:]
	}
	l := leaf(o.Salt, content(o.Dataset, o.Number, Schema(o.Columns), o.Cells))
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, o.Number-1, o.Rows, l[:], path, root[:]); err != nil {
		return ErrNotProven
	}
	return nil
}

// Encode is the opening in CBOR.
func (o *Opening) Encode() []byte { return wire.Marshal(o) }

// Decode reads an opening in either form, strictly; a first byte { means JSON.
func Decode(b []byte) (*Opening, error) {
	if len(b) > MaxOpening {
		return nil, fmt.Errorf("opening: %d bytes; at most %d", len(b), MaxOpening)
	}
	o := new(Opening)
	var err error
	if bytes.HasPrefix(b, []byte("{")) {
		err = decodeJSON(b, o)
	} else {
		err = wire.Unmarshal(b, o)
	}
	if err == nil {
		err = o.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	return o, nil
}

func decodeJSON(b []byte, o *Opening) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(o); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows the JSON object")
	}
	return nil
}
