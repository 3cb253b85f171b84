package ceremony

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/wire"
)

// whole checks a record as an evidence file's reader does: from its bytes, to the
// end, against the key.
func whole(t *transcript.Transcript, key []byte) error {
	t, err := transcript.Decode(t.Encode())
	if err != nil {
		return err
	}
	s, err := t.Check()
	if err != nil {
		return err
	}
	return s.CheckKey(key, verifier.HashKey(key))
}

func sealOf(t *testing.T, e *transcript.Entry) transcript.Seal {
	t.Helper()
	var s transcript.Seal
	if err := wire.Unmarshal(e.Body, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// rechain makes the chain right again from an entry on, as somebody who holds
// every signer's key could: what catches the change then lies deeper.
func rechain(l *lab, t *transcript.Transcript, from int) {
	for i := from; i < len(t.Entries); i++ {
		e := &t.Entries[i]
		e.Previous = t.Manifest.ID()
		if i > 0 {
			e.Previous = t.Entries[i-1].Hash()
		}
		e.Sign(l.signer(e.Name).Key)
	}
}

// Refusal 19: an empty, reordered, replayed or beacon-mismatched transcript.
func TestRefusal19Transcript(t *testing.T) {
	t.Parallel()
	l := finished(t)
	other := finished(t).open().Transcript()
	honest := l.open().Transcript()
	key, err := os.ReadFile(filepath.Join(l.dir, VerifyingFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := whole(honest, key); err != nil {
		t.Fatal(err)
	}
	// The entries: 0 Ada, 1 Ben, 2 announced, 3 Cleo, 4 sealed; the same from 5 on.
	for _, tc := range []struct {
		name, word string
		do         func(x *transcript.Transcript)
	}{
		{"empty", "not sealed", func(x *transcript.Transcript) { x.Entries = nil }},
		{"only phase 1", "not sealed", func(x *transcript.Transcript) { x.Entries = x.Entries[:5] }},
		{"not sealed at last", "not sealed", func(x *transcript.Transcript) { x.Entries = x.Entries[:9] }},
		{"reordered", "missing, moved", func(x *transcript.Transcript) { x.Entries[0], x.Entries[1] = x.Entries[1], x.Entries[0] }},
		{"reordered, chain made right", "does not follow", func(x *transcript.Transcript) {
			x.Entries[0], x.Entries[1] = x.Entries[1], x.Entries[0]
			rechain(l, x, 0)
		}},
		{"one left out", "missing, moved", func(x *transcript.Transcript) { x.Entries = slices.Delete(x.Entries, 1, 2) }},
		{"one left out, chain made right", "does not follow", func(x *transcript.Transcript) {
			x.Entries = slices.Delete(x.Entries, 1, 2)
			rechain(l, x, 1)
		}},
		{"one twice", "missing, moved", func(x *transcript.Transcript) { x.Entries = slices.Insert(x.Entries, 1, x.Entries[0]) }},
		{"one twice, chain made right", "counts once", func(x *transcript.Transcript) {
			x.Entries = slices.Insert(x.Entries, 1, x.Entries[0])
			rechain(l, x, 1)
		}},
		{"one twice under two names", "does not follow", func(x *transcript.Transcript) {
			x.Entries = slices.Insert(x.Entries, 1, x.Entries[0])
			x.Entries[1].Name = "Dora"
			rechain(l, x, 1)
		}},
		{"replayed from another ceremony", "missing, moved", func(x *transcript.Transcript) { x.Entries[0] = other.Entries[0] }},
		{"replayed from another ceremony, chain made right", "does not follow", func(x *transcript.Transcript) {
			x.Entries[6] = other.Entries[6]
			rechain(l, x, 6)
		}},
		{"another ceremony's record", "made the verifying key", func(x *transcript.Transcript) { *x = *other }},
		{"a second seal", "nothing may follow", func(x *transcript.Transcript) { x.Entries = append(x.Entries, x.Entries[9]) }},
		{"a contribution after the seal", "nothing may follow", func(x *transcript.Transcript) {
			x.Entries = append(x.Entries, x.Entries[8])
			rechain(l, x, 10)
		}},
		{"phase 2 before phase 1", "phase 2", func(x *transcript.Transcript) { x.Entries = x.Entries[5:]; rechain(l, x, 0) }},
		{"another beacon in phase 1", "", func(x *transcript.Transcript) {
			s := sealOf(t, &x.Entries[4])
			s.Beacon[0] ^= 1
			x.Entries[4].Body = wire.Marshal(s)
			rechain(l, x, 4)
		}},
		{"another beacon in phase 2", "another", func(x *transcript.Transcript) {
			s := sealOf(t, &x.Entries[9])
			s.Beacon[0] ^= 1
			x.Entries[9].Body = wire.Marshal(s)
			rechain(l, x, 9)
		}},
		{"the beacon announced last", "nobody contributed after", func(x *transcript.Transcript) {
			x.Entries[7], x.Entries[8] = x.Entries[8], x.Entries[7]
			rechain(l, x, 7)
		}},
		{"no announcement", "no beacon", func(x *transcript.Transcript) {
			x.Entries = slices.Delete(x.Entries, 7, 8)
			rechain(l, x, 7)
		}},
		{"a higher minimum", "", func(x *transcript.Transcript) { x.Manifest.Minimum = 4; rechain(l, x, 0) }},
		{"another circuit", "missing, moved", func(x *transcript.Transcript) { x.Manifest.Circuit[0] ^= 1 }},
		{"another signature", "signature", func(x *transcript.Transcript) { x.Entries[3].Signature[0] ^= 1 }},
		{"another contributor's name", "signature", func(x *transcript.Transcript) { x.Entries[3].Name = "Dora" }},
		{"another contributor's key", "signature", func(x *transcript.Transcript) {
			x.Entries[3].Key = transcript.PublicKey(l.signer("Dora").Key.Public().(ed25519.PublicKey))
		}},
		{"an unknown kind", "kind", func(x *transcript.Transcript) { x.Entries[9].Kind = 9; rechain(l, x, 9) }},
		{"a body of another kind", "", func(x *transcript.Transcript) { x.Entries[3].Body = x.Entries[2].Body; rechain(l, x, 3) }},
		{"a version of tomorrow", "version", func(x *transcript.Transcript) { x.Manifest.Version++ }},
		{"a domain without end", "domain", func(x *transcript.Transcript) { x.Manifest.Domain = 1 << 40 }},
		{"too many entries", "at most", func(x *transcript.Transcript) { x.Entries = slices.Repeat(x.Entries[2:3], transcript.MaxEntries+1) }},
	} {
		x := &transcript.Transcript{Manifest: honest.Manifest, Entries: slices.Clone(honest.Entries)}
		tc.do(x)
		if err := whole(x, key); err == nil || !strings.Contains(err.Error(), tc.word) {
			t.Errorf("%s: %v, want a refusal that says %q", tc.name, err, tc.word)
		}
	}
}

// A key whose δ is another than the ceremony's, under the sealed name.
func TestKeyOfAnother(t *testing.T) {
	t.Parallel()
	one, two := finished(t), finished(t)
	key, err := os.ReadFile(filepath.Join(two.dir, VerifyingFile))
	if err != nil {
		t.Fatal(err)
	}
	s := one.open().State()
	if err := s.CheckKey(key, s.VerifyingKey); err == nil || !strings.Contains(err.Error(), "α, β or δ") {
		t.Errorf("%v", err)
	}
	if err := s.CheckKey(nil, s.VerifyingKey); err == nil {
		t.Error("no key was accepted")
	}
}

// No byte of a record can be changed.
func TestFlipAnyByteOfARecord(t *testing.T) {
	t.Parallel()
	l := finished(t)
	b := l.open().Transcript().Encode()
	key, err := os.ReadFile(filepath.Join(l.dir, VerifyingFile))
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(b); at += 37 {
		spoiled := bytes.Clone(b)
		spoiled[at] ^= 1 << (at % 8)
		x, err := transcript.Decode(spoiled)
		if err == nil {
			err = whole(x, key)
		}
		if err == nil {
			t.Errorf("byte %d changed, and nothing found", at)
		}
	}
}

// FuzzTranscript: a hostile record is refused or is the one encoding of what it says.
func FuzzTranscript(f *testing.F) {
	f.Add(finished(f).open().Transcript().Encode())
	f.Add([]byte{0x82})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := transcript.Decode(b)
		if err != nil {
			return
		}
		if !bytes.Equal(x.Encode(), b) {
			t.Error("two encodings")
		}
		_, _ = x.Check() // may not panic
	})
}
