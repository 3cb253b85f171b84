package engine

import "github.com/trialith/trialith/ledger/wire"

// append appends the encoding of a result, [code, [[kind, body]…]].
func (r *Result) append(b []byte) []byte {
	b = wire.AppendUint(wire.AppendArray(b, 2), uint64(r.Code))
	b = wire.AppendArray(b, len(r.Events))
	for i := range r.Events {
		e := &r.Events[i]
		b = wire.AppendBytes(wire.AppendUint(wire.AppendArray(b, 2), uint64(e.Kind)), e.Body)
	}
	return b
}

// size is enough for the encoding.
func (r *Result) size() int {
	n := 16
	for i := range r.Events {
		n += 16 + len(r.Events[i].Body)
	}
	return n
}

// ResultsHash is H("results", [[code, events]…]), the results of a block's
// transactions in their order.
func ResultsHash(entries []Entry) wire.Hash {
	n := 16
	for i := range entries {
		n += entries[i].Result.size()
	}
	b := wire.AppendArray(make([]byte, 0, n), len(entries))
	for i := range entries {
		b = entries[i].Result.append(b)
	}
	return wire.SumEncoded("results", b)
}

// Encode returns the canonical bytes of e.
func (e *Entry) Encode() []byte {
	b := wire.AppendArray(make([]byte, 0, 160+e.Result.size()+len(e.Envelope)), 9)
	b = wire.AppendBytes(b, e.Stream[:])
	b = wire.AppendUint(b, e.Sequence)
	b = wire.AppendUint(b, e.Height)
	b = wire.AppendUint(b, uint64(e.Index))
	b = wire.AppendInt(b, e.Time)
	b = wire.AppendUint(b, e.Directory)
	b = wire.AppendBytes(b, e.Hash[:])
	return wire.AppendBytes(e.Result.append(b), e.Envelope)
}
