package membership

import (
	"fmt"

	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/permutation/poseidon2"

	"github.com/trialith/trialith/circuits/field"
)

// hasher is the twin in constraints of the hashes in package field.
type hasher struct {
	api          frontend.API
	narrow, wide *poseidon2.Permutation
}

func newHasher(api frontend.API) (*hasher, error) {
	narrow, err := poseidon2.NewPoseidon2FromParameters(api, field.NarrowWidth, field.NarrowFull, field.NarrowPartial)
	if err != nil {
		return nil, fmt.Errorf("poseidon2 of width %d: %w", field.NarrowWidth, err)
	}
	wide, err := poseidon2.NewPoseidon2FromParameters(api, field.WideWidth, field.WideFull, field.WidePartial)
	if err != nil {
		return nil, fmt.Errorf("poseidon2 of width %d: %w", field.WideWidth, err)
	}
	return &hasher{api: api, narrow: narrow, wide: wide}, nil
}

// tagged is the narrow hash: the tag in lane 0, lane 3 fed forward.
func (h *hasher) tagged(tag int, a, b, c frontend.Variable) frontend.Variable {
	return h.feedForward(h.narrow, tag, a, b, c)
}

// node is the wide hash over eight children, the last fed forward.
func (h *hasher) node(children []frontend.Variable) frontend.Variable {
	return h.feedForward(h.wide, children...)
}

func (h *hasher) feedForward(p *poseidon2.Permutation, in ...frontend.Variable) frontend.Variable {
	state := append([]frontend.Variable(nil), in...)
	if err := p.Permutation(state); err != nil {
		panic(err) // only a wrong width fails, and both widths are fixed above
	}
	last := len(in) - 1
	return h.api.Add(state[last], in[last])
}
