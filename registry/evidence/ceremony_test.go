package evidence

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/wire"
)

// sealed is a ledger whose genesis pins the key of a ceremony of three people
// for the real circuit (circuits/ceremony/internal/sample made it), with the
// record, and a policy that trusts that key.
type sealed struct {
	*lab
	key    *verifier.Key
	record []byte
	policy Policy
}

func newSealed(t *testing.T) *sealed {
	t.Helper()
	b, err := os.ReadFile("testdata/ceremony.vk")
	if err != nil {
		t.Fatal(err)
	}
	s := new(sealed)
	if s.key, err = verifier.ParseKey(b); err != nil {
		t.Fatal(err)
	}
	if s.record, err = os.ReadFile("testdata/ceremony.cbor"); err != nil {
		t.Fatal(err)
	}
	g := labGenesis()
	g.VerifyingKey, g.Demonstration = s.key.Hash(), false
	s.lab = newLab(t, g, s.key, nil)
	s.found()
	s.begin()
	s.policy = Builtin()
	s.policy.Demonstration, s.policy.VerifyingKeys = false, []wire.Hash{g.VerifyingKey}
	return s
}

func (s *sealed) file(record []byte) []byte {
	s.t.Helper()
	var b bytes.Buffer
	if err := Write(s.t.Context(), &b, s.ledger, s.trial, Contents{Key: s.key, Ceremony: record}); err != nil {
		s.t.Fatal(err)
	}
	return b.Bytes()
}

func (s *sealed) check(b []byte) *Report {
	s.t.Helper()
	r, err := Verify(s.t.Context(), bytes.NewReader(b), int64(len(b)), s.policy)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestCeremonyTravels(t *testing.T) {
	t.Parallel()
	s := newSealed(t)
	r := s.check(s.file(s.record))
	c, _ := r.Check(checkCeremony)
	if c.Status != Passed || !strings.Contains(c.Reason, "3 people contributed to phase 1 and 3 to phase 2") {
		t.Errorf("%+v", c)
	}
	for _, c := range r.Checks {
		if c.Status == Failed {
			t.Errorf("%+v", c)
		}
	}
	if r.Verdict != Reservations || strings.Contains(r.Sentence, "Demonstration") {
		t.Errorf("%s", r.Sentence)
	}
	// The part may be absent: then the check says that nothing was checked.
	r = s.check(s.file(nil))
	if c, _ := r.Check(checkCeremony); c.Status != NotChecked || !strings.Contains(c.Reason, "no transcript") {
		t.Errorf("%+v", c)
	}
}

// A reader who names the people they trust is told if none of them took part.
func TestCeremonyContributors(t *testing.T) {
	t.Parallel()
	s := newSealed(t)
	x, err := transcript.Decode(s.record)
	if err != nil {
		t.Fatal(err)
	}
	b := s.file(s.record)
	for name, tc := range map[string]struct {
		keys []transcript.PublicKey
		want Status
	}{
		"one of them": {[]transcript.PublicKey{{1}, x.Entries[0].Key}, Passed},
		"a stranger":  {[]transcript.PublicKey{{1}}, Failed},
		"coordinator": {[]transcript.PublicKey{x.Manifest.Coordinator}, Failed},
	} {
		s.policy.Contributors = tc.keys
		if c, _ := s.check(b).Check(checkCeremony); c.Status != tc.want {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Refusal 19, in an evidence file whose manifest is right.
func TestCeremonyTampered(t *testing.T) {
	t.Parallel()
	s := newSealed(t)
	honest := s.file(s.record)
	for name, spoil := range map[string]func(x *transcript.Transcript){
		"empty":               func(x *transcript.Transcript) { x.Entries = nil },
		"unfinished":          func(x *transcript.Transcript) { x.Entries = x.Entries[:9] },
		"reordered":           func(x *transcript.Transcript) { x.Entries[0], x.Entries[1] = x.Entries[1], x.Entries[0] },
		"replayed":            func(x *transcript.Transcript) { x.Entries = slices.Insert(x.Entries, 1, x.Entries[0]) },
		"another beacon":      func(x *transcript.Transcript) { x.Entries[9].Body[5] ^= 1 },
		"another contributor": func(x *transcript.Transcript) { x.Entries[3].Name = "Dora" },
		"another circuit":     func(x *transcript.Transcript) { x.Manifest.Circuit[0] ^= 1 },
		"a lower minimum":     func(x *transcript.Transcript) { x.Manifest.Minimum-- },
	} {
		b := change(t, honest, func(parts map[string][]byte) {
			x, err := transcript.Decode(parts[partCeremony])
			if err != nil {
				t.Fatal(err)
			}
			spoil(x)
			parts[partCeremony] = x.Encode()
		})
		r := s.check(b)
		if c, _ := r.Check(checkCeremony); c.Status != Failed || c.Entry != "file:"+partCeremony || r.Verdict != NotValid {
			t.Errorf("%s: %+v, %s", name, c, r.Sentence)
		}
	}
	part := unpack(t, honest)[partCeremony]
	for at := 0; at < len(part); at += 211 {
		b := change(t, honest, func(parts map[string][]byte) { parts[partCeremony][at] ^= 1 << (at % 8) })
		if r := s.check(b); r.Verdict != NotValid {
			t.Errorf("byte %d of the record: %s", at, r.Sentence)
		}
	}
}

// The record of a real ceremony does not make another key good: the development
// key with it is refused.
func TestCeremonyOfAnotherKey(t *testing.T) {
	t.Parallel()
	record, err := os.ReadFile("testdata/ceremony.cbor")
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, l.ledger, l.trial, Contents{Key: verifier.Development(), Ceremony: record}); err != nil {
		t.Fatal(err)
	}
	r := check(t, b.Bytes())
	if c, _ := r.Check(checkCeremony); c.Status != Failed || r.Verdict != NotValid {
		t.Errorf("%+v, %s", c, r.Sentence)
	}
}

// What an unpacked file says of itself names the part.
func TestReadmeNamesTheCeremony(t *testing.T) {
	t.Parallel()
	with, without := options{ceremony: true}, options{}
	if !bytes.Contains(with.readme(), []byte(partCeremony)) || bytes.Contains(without.readme(), []byte("ceremony")) {
		t.Errorf("%s", with.readme())
	}
}
