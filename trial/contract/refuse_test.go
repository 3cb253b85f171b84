package contract_test

import (
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/protocol"
)

// What a verifier must refuse, as far as the contract decides it: the numbers
// are those of the list in the design of the consent proof.

func TestRefuse02AccountUsedOrBurntAndSequence(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	want(t, c.perform(c.consented("P", 1)), trial.AccountUsed)
	want(t, c.perform(c.optioned("P", 1, 0)), trial.WrongSequence)
	want(t, c.perform(c.optioned("P", 1, 2)), trial.WrongSequence)
	// What was refused has used nothing: the account is taken with its act or not at all.
	want(t, c.perform(c.optioned("P", 1, 1)), 0)
	want(t, c.perform(c.withdrawn("P", 1, 1)), trial.WrongSequence)
	inFlight := c.optioned("P", 1, 2)
	want(t, c.perform(c.withdrawn("P", 1, 2)), 0)
	want(t, c.perform(inFlight), trial.AccountBurnt)
	want(t, c.perform(c.withdrawn("P", 1, 3)), trial.AccountBurnt)
}

func TestRefuse03UnknownRoot(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	c.next(2, true, "A")
	a := c.consent("Q", 1).Proven.Act
	for name, root := range map[string]field.Root{
		"none": {}, "made up": {1}, "another version's": c.root("E-2"), "the passes'": c.root("pass-1"),
		"the eligible's": c.root("eligible"), "one's own": own(leafOf("Q")),
	} {
		p := consent.Proven{Act: a, Root: root, Account: accountOf(leafOf("Q"), &a)}
		c.vacuous(&p, root)
		if o := c.perform(consent.Act{Proven: p}); o.Code != trial.UnknownRoot {
			t.Errorf("%s: %d", name, o.Code)
		}
	}
	for _, name := range []string{"N-1", "eligible"} {
		v := c.visited("P", 1, "week-2", 0, name)
		want(t, c.enterEntry(v, "A"), trial.UnknownRoot)
	}
}

func TestRefuse04RootPastItsLife(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	old := c.consented("Q", 1)
	c.now += 2 * hour
	c.must(c.send(contract.ConsentEnrol, c.enrolled("R", "A", 1), "A1"))
	within := c.consented("R", 1)
	c.now += 3 * hour
	c.must(c.send(contract.ConsentEnrol, c.enrolled("S", "A", 1), "A1"))
	c.now += 44*day - 4*hour
	want(t, c.perform(within), 0)
	c.now += 10 * day
	want(t, c.perform(old), trial.RootExpired)
}

func TestRefuse04RootInsideAnEpoch(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	passing := c.consented("Q", 1)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("R", "A", 1), "A1"))
	want(t, c.perform(passing), trial.UnknownRoot)
}

func TestRefuse04PassRootFromBeforeAZeroedPass(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	c.must(c.perform(c.consented("Q", 1)))
	before, late := c.visited("Q", 1, "week-2", 0, "pass-1"), c.visited("Q", 1, "rescue", 0, "pass-1")
	c.must(c.perform(c.withdrawn("Q", 1, 1)))
	c.now += 23 * hour // an offline clinic records within the registered delay
	want(t, c.enterEntry(before, "A"), 0)
	c.now += 1*hour + 1
	late.Proven.Act.Day = trial.DayOf(c.now)
	c.vacuous(&late.Proven, late.Proven.Root)
	want(t, c.enterEntry(late, "A"), trial.RootExpired)
	// Who did not withdraw takes the passes of now.
	want(t, c.enterEntry(c.visited("P", 1, "week-2", 0, "pass-1"), "A"), 0)
}

func TestRefuse04PassBelowTheFloor(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.next(2, true, "A")
	c.now += 30 * day
	want(t, c.enterEntry(c.visited("P", 1, "week-2", 0, "pass-1"), "A"), 0)
	c.now++
	want(t, c.enterEntry(c.visited("P", 1, "rescue", 0, "pass-1"), "A"), trial.PassBelowFloor)
	c.must(c.perform(c.consented("P", 2)))
	want(t, c.enterEntry(c.visited("P", 2, "rescue", 0, "pass-2"), "A"), 0)
}

// TestRefuse05AnotherContext: the account of another purpose, ledger, trial,
// version, slot or repetition proves nothing here.
func TestRefuse05AnotherContext(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	for name, change := range map[string]func(*act.Act){
		"purpose": func(a *act.Act) { a.Kind = act.Enrol },
		"ledger":  func(a *act.Act) { a.Ledger[0] ^= 1 },
		"trial":   func(a *act.Act) { a.Trial[0] ^= 1 },
		"version": func(a *act.Act) { a.Version = 2 },
	} {
		p := c.consent("Q", 1).Proven
		other := p.Act
		change(&other)
		p.Account = accountOf(leafOf("Q"), &other)
		c.provenUnder(&p, &other)
		if o := c.perform(consent.Act{Proven: p}); o.Code != trial.ProofInvalid {
			t.Errorf("%s: %d", name, o.Code)
		}
	}
	for name, change := range map[string]func(*act.Act){
		"purpose": func(a *act.Act) { a.Kind = act.Attest },
		"slot":    func(a *act.Act) { a.Slot = "rescue" },
		"rep":     func(a *act.Act) { a.Rep = 1 },
	} {
		e := c.visited("P", 1, "week-2", 0, "pass-1")
		other := e.Proven.Act
		change(&other)
		e.Proven.Account = accountOf(passOf("P", 1), &other)
		c.provenUnder(&e.Proven, &other)
		if o := c.enterEntry(e, "A"); o.Code != trial.ProofInvalid {
			t.Errorf("entry: %s: %d", name, o.Code)
		}
	}
}

// provenUnder proves p's own message under another act's context.
func (c *clinic) provenUnder(p *consent.Proven, other *act.Act) {
	c.vacuous(p, p.Root)
	s := c.d.made[p.Proof]
	s.Context = other.Context()
	c.d.made[p.Proof] = s
}

// fieldsOf change one field of an act each.
var fieldsOf = map[string]func(*act.Act){
	"ledger":    func(a *act.Act) { a.Ledger[0] ^= 1 },
	"trial":     func(a *act.Act) { a.Trial[0] ^= 1 },
	"version":   func(a *act.Act) { a.Version++ },
	"form set":  func(a *act.Act) { a.FormSet[0] ^= 1 },
	"sequence":  func(a *act.Act) { a.Sequence++ },
	"options":   func(a *act.Act) { a.Options[0] ^= 2 },
	"pass":      func(a *act.Act) { a.Pass[31] ^= 1 },
	"successor": func(a *act.Act) { a.Successor++ },
	"site":      func(a *act.Act) { a.Site = site("B") },
	"person":    func(a *act.Act) { a.Person = actor("A2") },
	"slot":      func(a *act.Act) { a.Slot = "rescue" },
	"rep":       func(a *act.Act) { a.Rep++ },
	"day":       func(a *act.Act) { a.Day-- },
	"kit":       func(a *act.Act) { a.Kit[0] ^= 1 },
	"pay":       func(a *act.Act) { a.Pay[31] ^= 1 },
}

// proofCase is a transaction that carries a proof, ready to be accepted.
type proofCase struct {
	kind tx.Kind
	p    *consent.Proven
	body func() any
	used []string // fields of the act
}

// proofs lists one of each kind that carries a proof.
func (c *clinic) proofs() map[string]proofCase {
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	c.next(2, true, "A")
	enrol, say, opt := c.enrolled("R", "A", 2), c.consented("Q", 1), c.optioned("P", 1, 1)
	leave, give, screen := c.withdrawn("P", 1, 1), c.gaveUp("Q", 1, 2), c.screened("Q", "A")
	elig, visit := c.eligible("P", "A", 1), c.visited("P", 1, "week-2", 0, "pass-1")
	e := c.enrolment("T", "A", 1)
	replace := consent.Replace{Proven: e.Proven, Leaf: e.Leaf, Old: leafOf("P"), Statements: said("1+", "2-"), Reason: trial.Commitment{3}}
	c.vacuous(&replace.Proven, own(e.Leaf))
	everywhere := []string{"ledger", "trial"}
	with := func(more ...string) []string { return append(more, everywhere...) }
	return map[string]proofCase{
		"enrol":      {contract.ConsentEnrol, &enrol.Proven, func() any { return enrol }, with("version", "site", "person", "day")},
		"consent":    {contract.ConsentAct, &say.Proven, func() any { return say }, with("version", "form set", "sequence", "options", "pass")},
		"options":    {contract.ConsentAct, &opt.Proven, func() any { return opt }, with("version", "form set", "sequence", "options")},
		"withdraw":   {contract.ConsentAct, &leave.Proven, func() any { return leave }, with("version", "sequence")},
		"superseded": {contract.ConsentAct, &give.Proven, func() any { return give }, with("version", "successor")},
		"screen":     {contract.ConsentScreen, &screen.Proven, func() any { return screen }, with("site", "person", "day")},
		"eligible":   {contract.ConsentRandomise, &elig.Proven, func() any { return elig }, with("version", "site", "person", "day")},
		"visit":      {contract.ConsentEntry, &visit.Proven, func() any { return visit }, with("site", "slot", "rep", "day", "kit", "pay")},
		"replace":    {contract.ConsentReplace, &replace.Proven, func() any { return replace }, with("version", "site", "person", "day")},
	}
}

func (c *clinic) sender(k tx.Kind, a *act.Act) (string, []string) {
	if k == contract.ConsentAct {
		return "node", nil
	}
	for _, name := range []string{"A", "B"} {
		if a.Site == site(name) {
			if a.Person == actor(name+"2") {
				return name + "2", []string{name + "1"}
			}
			return name + "1", []string{name + "2"}
		}
	}
	return "A1", []string{"A2"}
}

// TestRefuse06AlteredField alters each field of each act in turn, kind and form
// among them, and sends it as whoever the altered act names.
func TestRefuse06AlteredField(t *testing.T) {
	t.Parallel()
	for name := range newClinic(t).proofs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t)
			x := c.proofs()[name]
			was := *x.p
			for _, f := range x.used {
				fieldsOf[f](&x.p.Act)
				c.refusesAltered(t, f, x)
				*x.p = was
			}
			for _, k := range []act.Kind{act.Consent, act.Options, act.Withdraw, act.Visit, act.Attest, act.Screen} {
				if k == was.Act.Kind {
					continue
				}
				x.p.Act.Kind = k
				signer, with := c.sender(x.kind, &was.Act)
				if o := c.send(x.kind, x.body(), signer, with...); !o.Door {
					t.Errorf("sent as %v: %d", k, o.Code)
				}
				*x.p = was
			}
			signer, with := c.sender(x.kind, &was.Act)
			want(t, c.send(x.kind, x.body(), signer, with...), 0)
		})
	}
}

// refusesAltered: by its proof, or before that by what the field says.
func (c *clinic) refusesAltered(t *testing.T, f string, x proofCase) {
	t.Helper()
	signer, with := c.sender(x.kind, &x.p.Act)
	o := c.send(x.kind, x.body(), signer, with...)
	switch o.Code {
	case trial.ProofInvalid, trial.WrongLedger, trial.UnknownTrial, trial.NotAuthorised, trial.UnknownDelegate,
		trial.NotASuccessor, trial.WrongSequence:
		if !o.Door {
			t.Errorf("%s: %d, after it entered", f, o.Code)
		}
	default:
		t.Errorf("%s: %d (%s)", f, o.Code, o.Text)
	}
}

func TestRefuse07Bounds(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	lo, hi := verifier.Vacuous()
	for name, bounds := range map[string][2]field.Attributes{
		"vacuous":   {lo, hi},
		"narrower":  {{19}, criteria()},
		"wider":     {{17}, criteria()},
		"other max": {{18}, hi},
	} {
		e := c.eligible("P", "A", 1)
		e.Proven.Proof = c.d.prove(&e.Proven.Act, e.Proven.Root, e.Proven.Account, bounds[0], bounds[1])
		if o := c.send(contract.ConsentRandomise, e, "A1"); o.Code != trial.ProofInvalid {
			t.Errorf("%s: %d", name, o.Code)
		}
	}
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	s := c.consented("Q", 1)
	s.Proven.Proof = c.d.prove(&s.Proven.Act, s.Proven.Root, s.Proven.Account, field.Attributes{18}, criteria())
	want(t, c.perform(s), trial.ProofInvalid)
	want(t, c.send(contract.ConsentRandomise, c.eligible("P", "A", 1), "A1"), 0)
}

// TestRefuse07BoundsOfAnotherVersion: criteria of the version that the act names.
func TestRefuse07BoundsOfAnotherVersion(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	p := c.protocol()
	p.Attested[0].Max = 60
	c.must(c.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: p, Reason: "r", Effective: trial.DayOf(c.now)}, "sponsor"))
	c.approve(2)
	c.must(c.open(2, "A"))
	want(t, c.send(contract.ConsentRandomise, c.eligible("P", "A", 2), "A1"), trial.ProofInvalid)
}

func TestRefuse09ReRandomisedCopy(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	say, elig, visit := c.consented("Q", 1), c.eligible("P", "A", 1), c.visited("P", 1, "week-2", 0, "pass-1")
	opt := c.optioned("P", 1, 1)
	again := func(p *consent.Proven) { // other bytes, the same statement
		s := c.d.made[p.Proof]
		p.Proof = c.d.prove(&p.Act, s.Root, s.Account, s.Min, s.Max)
	}
	c.must(c.perform(say))
	again(&say.Proven)
	want(t, c.perform(say), trial.AccountUsed)
	c.must(c.perform(opt))
	again(&opt.Proven)
	want(t, c.perform(opt), trial.WrongSequence)
	c.must(c.send(contract.ConsentRandomise, elig, "A1"))
	again(&elig.Proven)
	want(t, c.send(contract.ConsentRandomise, elig, "A1"), trial.AlreadyRandomised)
	c.must(c.enterEntry(visit, "A"))
	again(&visit.Proven)
	want(t, c.enterEntry(visit, "A"), trial.SlotUsed)
	enrol := c.enrolled("P", "A", 1)
	want(t, c.send(contract.ConsentEnrol, enrol, "A1"), trial.LeafUsed)
}

func TestRefuse14AnotherLedger(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	e := c.enrolment("Q", "A", 1)
	e.Proven.Act.Ledger[0] ^= 1
	c.vacuous(&e.Proven, own(e.Leaf))
	want(t, c.send(contract.ConsentEnrol, e, "A1"), trial.WrongLedger)
	// Nor may its envelope say so alone.
	env := c.envelope(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1")
	env.Ledger[0] ^= 1
	want(t, c.enter(env), trial.WrongLedger)
}

func TestRefuse14AnotherTrial(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	e := c.enrolment("Q", "A", 1)
	e.Proven.Act.Trial[0] ^= 1
	c.vacuous(&e.Proven, own(e.Leaf))
	want(t, c.send(contract.ConsentEnrol, e, "A1"), trial.UnknownTrial)
}

// TestRefuse15AnotherSender: whoever copies a proof changes nothing about whom
// it is credited to.
func TestRefuse15AnotherSender(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	enrol, elig := c.enrolled("Q", "A", 1), c.eligible("P", "A", 1)
	for _, other := range []string{"A2", "B1", "sponsor"} {
		want(t, c.send(contract.ConsentEnrol, enrol, other), trial.NotAuthorised)
		want(t, c.send(contract.ConsentRandomise, elig, other), trial.NotAuthorised)
	}
	want(t, c.send(contract.ConsentEntry, c.visited("P", 1, "week-2", 0, "pass-1"), "B1"), trial.UnknownDelegate)
	opt := c.optioned("P", 1, 1)
	first := c.must(c.send(contract.ConsentAct, opt, "batcher")) // wrapping gives no right, and credits nobody
	want(t, c.send(contract.ConsentAct, opt, "node"), trial.WrongSequence)
	if len(first.Events) != 1 {
		t.Errorf("%+v", first.Events)
	}
}
