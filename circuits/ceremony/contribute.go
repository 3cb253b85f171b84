package ceremony

import (
	"crypto/ed25519"
	"fmt"

	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/ledger/wire"
)

// Contribute adds a secret to the phase at hand. The secret comes from the
// system's randomness, is never written and is forgotten when this returns;
// whoever copies the machine's memory meanwhile knows it.
//
// It checks the record and the contribution that it builds upon; whoever wants
// all contributions checked first calls [Ceremony.Verify].
func (x *Ceremony) Contribute(by Signer) error {
	if err := x.state.MayContribute(transcript.PublicKey(by.Key.Public().(ed25519.PublicKey)), by.Now); err != nil {
		return fmt.Errorf("ceremony: %w", err)
	}
	x.progress(1, 3, "reading the contribution before")
	add, head := x.contribute1, x.head1
	if x.state.Phase() == 2 {
		add, head = x.contribute2, x.head2
	}
	b, err := add()
	if err != nil {
		return err
	}
	x.progress(3, 3, "writing it and signing")
	hash, err := keep(x.dir, b)
	if err != nil {
		return fmt.Errorf("ceremony: %w", err)
	}
	return x.enter(transcript.Contributed, by, transcript.Contribution{File: hash, Head: head(b)})
}

func (x *Ceremony) head1(b []byte) []byte { return transcript.Head1(b, x.circuit.domain) }
func (x *Ceremony) head2(b []byte) []byte {
	return transcript.Head2(b, x.circuit.domain, x.circuit.private)
}

func (x *Ceremony) contribute1() ([]byte, error) {
	p, err := x.read1(len(x.state.Phases[0].Contributors) - 1)
	if err != nil {
		return nil, err
	}
	x.progress(2, 3, "contributing to phase 1")
	p.Contribute()
	return encode(p)
}

func (x *Ceremony) contribute2() ([]byte, error) {
	p, err := x.read2(len(x.state.Phases[1].Contributors) - 1)
	if err != nil {
		return nil, err
	}
	x.progress(2, 3, "contributing to phase 2")
	p.Contribute()
	return encode(p)
}

// read1 reads the contribution of a number to phase 1, and compares it with its
// entry. Contribution -1 is the start.
func (x *Ceremony) read1(i int) (*mpcsetup.Phase1, error) {
	if i < 0 {
		return mpcsetup.NewPhase1(x.circuit.domain), nil
	}
	all := x.state.Phases[0].Contributors
	b, err := readState(x.dir, all[i].File, transcript.Size1(x.circuit.domain))
	if err != nil {
		return nil, err
	}
	previous := transcript.Start1(x.circuit.domain)
	if i > 0 {
		previous = all[i-1].File
	}
	p, err := decode1(b, x.circuit.domain, previous)
	if err == nil {
		err = x.sameHead(all[i].File, x.head1(b))
	}
	if err != nil {
		return nil, fmt.Errorf("ceremony: contribution %d to phase 1: %w", i+1, err)
	}
	return p, nil
}

// read2 is read1 for phase 2; its contribution -1 is the start.
func (x *Ceremony) read2(i int) (*mpcsetup.Phase2, error) {
	all := x.state.Phases[1].Contributors
	file, previous := x.state.Start, []byte(nil)
	if i >= 0 {
		file, previous = all[i].File, x.state.Start[:]
	}
	if i > 0 {
		previous = all[i-1].File[:]
	}
	b, err := readState(x.dir, file, transcript.Size2(x.circuit.domain, x.circuit.private))
	if err != nil {
		return nil, err
	}
	p, err := decode2(b, x.circuit, previous)
	if err == nil && i >= 0 {
		err = x.sameHead(file, x.head2(b))
	}
	if err != nil {
		return nil, fmt.Errorf("ceremony: contribution %d to phase 2: %w", i+1, err)
	}
	return p, nil
}

// sameHead compares the head that an entry has of a file with the file's own.
func (x *Ceremony) sameHead(file wire.Hash, head []byte) error {
	for i := range x.record.Entries {
		e := &x.record.Entries[i]
		var c transcript.Contribution
		if e.Kind != transcript.Contributed || wire.Unmarshal(e.Body, &c) != nil || c.File != file {
			continue
		}
		if string(c.Head) != string(head) {
			return fmt.Errorf("entry %d says of it what the file does not", i+1)
		}
	}
	return nil
}
