package contract_test

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

// senders sign whatever is fuzzed: one for each role, two people of a site.
var senders = []string{"node", "regulator", "sponsor", "ethics", "A", "A1", "A2", "B1", "batcher"}

// hostile sends arbitrary bytes as the body of a kind, rightly signed. It must
// be accepted or refused with a code, at the door and in a block alike.
func hostile(t *testing.T, b *bench, kind tx.Kind, body []byte, who int) {
	t.Helper()
	signer := senders[who%len(senders)]
	with := slices.DeleteFunc([]string{"A2", "ethics", "B2"}, func(s string) bool { return s == signer })
	e := b.envelope(kind, body, signer, with...)
	b.enter(e) // fails the test on a refusal without a code
	b.fast = true
	b.enter(e) // past the door, as if its right had ended in the block
	b.fast = false
}

// seeds are the bodies of a course that has each kind in it.
func seeds(tb testing.TB) []*tx.Envelope {
	b := newBench(tb)
	everyKind(b)
	return b.sent
}

func FuzzBodies(f *testing.F) {
	base := newBench(f)
	everyKind(base)
	for i, e := range base.sent {
		f.Add(uint16(e.Kind), e.Body, uint8(i))
	}
	for _, k := range contract.Kinds() {
		f.Add(uint16(k.Number), []byte{0x80}, uint8(0))
		f.Add(uint16(k.Number), []byte{0xf6}, uint8(5))
	}
	f.Fuzz(func(t *testing.T, kind uint16, body []byte, who uint8) {
		b := *base
		b.tb, b.sent, b.folded = t, nil, fold{}
		b.dir, b.stream = state.NewOverlay(base.dir), state.NewOverlay(base.stream)
		hostile(t, &b, tx.Kind(kind), body, int(who))
	})
}

// TestHostileBodies is the short form: each body of the course with bytes and
// numbers of it changed, against one state.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	everyKind(b)
	r := rand.New(rand.NewPCG(1, 1))
	for _, e := range seeds(t) {
		for range 40 {
			body := slices.Clone(e.Body)
			for range 1 + r.IntN(3) {
				switch i := r.IntN(len(body)); r.IntN(4) {
				case 0:
					body[i] ^= 1 << r.IntN(8)
				case 1:
					body = body[:i+1]
				case 2: // a number at its limit
					body = slices.Replace(body, i, i+1, binary.BigEndian.AppendUint32([]byte{0x1a}, ^uint32(0))...)
				default:
					body = slices.Insert(body, i, byte(r.IntN(256)))
				}
			}
			hostile(t, b, e.Kind, body, r.IntN(len(senders)))
		}
	}
}

// TestHostileNumbers puts limits into the numbers of bodies that are well formed.
func TestHostileNumbers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	everyKind(b)
	for _, e := range seeds(t) {
		k, _ := contract.KindOf(e.Kind)
		body, err := k.Decode(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		altered := reflect.New(reflect.TypeOf(body)).Elem()
		altered.Set(reflect.ValueOf(body))
		var a *act.Act
		batch, many := reflect.TypeAssert[*consent.Batch](altered.Addr())
		switch {
		case many:
			a = &batch.Acts[len(batch.Acts)-1].Proven.Act
		case provenOf(body) != nil:
			a = &altered.FieldByName("Proven").Addr().Interface().(*consent.Proven).Act
		default:
			continue
		}
		was := *a
		for _, n := range []uint32{0, 1 << 31, 1<<32 - 1} {
			for _, change := range []func(){
				func() { a.Version = trial.Version(n) },
				func() { a.Successor = trial.Version(n) },
				func() { a.Sequence = n },
				func() { a.Rep = n },
				func() { a.Day = trial.Day(n) },
			} {
				change()
				for _, who := range []int{0, 5, 8} { // node, investigator, batcher
					if many { // or it is refused before its acts are looked at
						b.now += epoch * 1000
						batch.Epoch = b.epoch()
					}
					hostile(t, b, e.Kind, wire.Marshal(altered.Interface()), who)
				}
				*a = was
			}
		}
	}
}

// TestMachineNeedsItsParts: what New refuses.
func TestMachineNeedsItsParts(t *testing.T) {
	t.Parallel()
	good := contract.Config{
		Epoch: 1, Node: public("node"), Verifier: new(recorder),
		Authorities: []contract.Authority{{Role: trial.Regulator, Key: public("regulator")}},
	}
	if _, err := contract.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*contract.Config){
		"no verifier": func(c *contract.Config) { c.Verifier = nil },
		"no epoch":    func(c *contract.Config) { c.Epoch = 0 },
		"a key twice": func(c *contract.Config) { c.Node = public("regulator") },
	} {
		c := good
		change(&c)
		if _, err := contract.New(c); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}
