package tx

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/trialith/trialith/ledger/wire"
)

// unsigned is what is signed, for the encoder that works by reflection.
type unsigned struct {
	_           struct{} `cbor:",toarray"`
	Version     uint8
	Ledger      wire.LedgerID
	Kind        Kind
	Stream      wire.StreamID
	Key         wire.KeyID
	Expiry      int64
	Idempotency Key
	Body        []byte
}

func samples() []*Envelope {
	out := []*Envelope{sample(), {}, {Version: Version}}
	for _, expiry := range []int64{0, 23, 24, 1 << 40, math.MaxInt64, -1, -24, -25, math.MinInt64} {
		for _, n := range []int{0, 1, 23, 24, 255, 256, 70000} {
			e := sample()
			e.Expiry, e.Kind, e.Body = expiry, Kind(n), bytes.Repeat([]byte{byte(n)}, n)
			e.Cosigners = e.Cosigners[:n%3]
			out = append(out, e)
		}
	}
	return out
}

func TestEncodingIsWires(t *testing.T) {
	t.Parallel()
	for _, e := range samples() {
		if got, want := e.Encode(), wire.Marshal(e); !bytes.Equal(got, want) {
			t.Fatalf("%x, want %x", got, want)
		}
		want := append([]byte(signingDomain), wire.Marshal(unsigned{
			Version: e.Version, Ledger: e.Ledger, Kind: e.Kind, Stream: e.Stream,
			Key: e.Key, Expiry: e.Expiry, Idempotency: e.Idempotency, Body: e.Body,
		})...)
		if got := e.SigningBytes(); !bytes.Equal(got, want) {
			t.Fatalf("signing bytes %x, want %x", got, want)
		}
	}
}

// agree compares the two decoders on b: what is taken, and as what.
func agree(t *testing.T, b []byte) (taken bool) {
	t.Helper()
	if len(b) > MaxBytes {
		return false
	}
	var want Envelope
	err := wire.Unmarshal(b, &want)
	if err == nil {
		err = want.check()
	}
	got, gotErr := Decode(b)
	if (err == nil) != (gotErr == nil) {
		t.Fatalf("%x: %v, by reflection %v", b, gotErr, err)
	}
	if err == nil && (!bytes.Equal(wire.Marshal(got), b) || !bytes.Equal(wire.Marshal(want), b)) {
		t.Fatalf("%x: taken as %+v, by reflection %+v", b, got, want)
	}
	return err == nil
}

func TestDecoderAgreesWithWires(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	good := 0
	for _, e := range samples() {
		b := e.Encode()
		if agree(t, b) {
			good++
		}
		for range 300 {
			// Heads stand at the beginning and at the end, behind the body.
			at := r.IntN(min(len(b), 260))
			if r.IntN(2) == 0 {
				at = len(b) - 1 - at
			}
			m := slices.Clone(b)
			switch r.IntN(4) {
			case 0:
				m[at] = byte(r.Uint32())
			case 1:
				m = slices.Delete(m, at, at+1)
			case 2:
				m = slices.Insert(m, at, byte(r.Uint32()))
			case 3:
				m = m[:at]
			}
			if agree(t, m) {
				good++
			}
		}
		// A longer head for the same number, at every place.
		for at := range min(len(b), 300) {
			if short := b[at] & 31; short < 24 {
				agree(t, slices.Concat(b[:at], []byte{b[at]&0xe0 | 24, short}, b[at+1:]))
			}
		}
	}
	if good < 1000 {
		t.Errorf("only %d were taken; the mutations are too coarse to compare anything", good)
	}
}
