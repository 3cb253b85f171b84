package consent

import (
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// Act is what a participant does by proof: consent, change options, withdraw,
// give a version up for a later one. The proof is its authority; the node that
// admits it wraps it under its own key, which gives no right.
type Act struct {
	_      struct{} `cbor:",toarray"`
	Proven Proven
	Leaf   field.Leaf // of who withdraws; zero otherwise
}

// Check refuses a form that no rule could accept.
func (t Act) Check() error {
	if err := t.Proven.check(act.Consent, act.Options, act.Withdraw, act.Superseded); err != nil {
		return err
	}
	a := &t.Proven.Act
	if (t.Leaf == field.Leaf{}) == (a.Kind == act.Withdraw) {
		return trial.Refuse(trial.Malformed, "leaf: a withdrawal shows it, nothing else does")
	}
	if a.Kind == act.Consent && a.Sequence != 0 {
		return trial.Refuse(trial.WrongSequence, "act: sequence: a consent is the first act of its account, 0")
	}
	if a.Kind == act.Superseded && a.Successor <= a.Version {
		return trial.Refuse(trial.NotASuccessor, "act: successor: %v is not later than %v", a.Successor, a.Version)
	}
	return nil
}

// Claim is what the proof must show.
func (t Act) Claim() (*verifier.Item, error) {
	if t.Proven.Act.Kind == act.Withdraw {
		return ownLeaf(&t.Proven, t.Leaf)
	}
	return t.Proven.statement(t.Proven.Root), nil
}

// Authorise asks for no person: the proof is the authority.
func (t Act) Authorise(_ State, c trial.Context) error {
	if c.Signer.Role != trial.Node && c.Signer.Role != trial.Batcher {
		return trial.Refuse(trial.NotAuthorised, "an act is wrapped by the node that admits it; send it without an envelope")
	}
	return t.Proven.here(c)
}

// Validate refuses what the state of the account or the sets forbids.
func (t Act) Validate(s State, c trial.Context) error {
	known, _ := getAccount(s, t.Proven.Account)
	_, err := t.judge(s, c, known)
	return err
}

// judge says why the act is refused under an account as it is known; else in
// which set of its version it counts, which a withdrawal's leaf says later.
func (t Act) judge(s State, c trial.Context, known account) (trial.Set, error) {
	p, forms, ok := s.Protocol(t.Proven.Act.Version)
	if !ok {
		return 0, trial.Refuse(trial.NoSuchVersion, "version: %v is not registered", t.Proven.Act.Version)
	}
	if r, _ := t.Proven.Act.Kind.Rule(); r.FormSet && t.Proven.Act.FormSet != forms {
		return 0, trial.Refuse(trial.WrongForm, "form set: not the forms of version %v", t.Proven.Act.Version)
	}
	if known.Burnt {
		return 0, trial.Refuse(trial.AccountBurnt, "account: its participant has withdrawn")
	}
	switch t.Proven.Act.Kind {
	case act.Consent:
		if err := t.validateConsent(s, c, known); err != nil {
			return 0, err
		}
		return t.owing(s, c, p)
	case act.Options:
		if err := t.validateOptions(known); err != nil {
			return 0, err
		}
		return t.owing(s, c, p)
	case act.Superseded:
		return trial.Successor, t.validateSuperseded(s, c, known, p)
	default:
		return 0, t.validateWithdraw(s, known)
	}
}

func (t Act) validateConsent(s State, c trial.Context, known account) error {
	if known.Kind != 0 {
		return trial.Refuse(trial.AccountUsed, "account: used before; one leaf consents to a version once")
	}
	if s.Settled(t.Proven.Act.Version, c.Now) {
		return trial.Refuse(trial.VersionSettled, "version: %v is settled; consent to the present one", t.Proven.Act.Version)
	}
	if err := freshPass(s, t.Proven.Act.Pass); err != nil {
		return err
	}
	return roomForPasses(s, t.Proven.Act.Version, 1)
}

// roomForPasses refuses n passes of a version, each of which stands in the tree
// of every floor up to it.
func roomForPasses(s State, v trial.Version, n uint64) error {
	for floor := trial.Version(1); floor <= v; floor++ {
		if free(s, act.PassLeaves(floor)) < n {
			return trial.Refuse(trial.TreeFull, "the tree of passes is full; register the trial with the larger circuit")
		}
	}
	return nil
}

func (t Act) validateOptions(known account) error {
	if known.Kind != act.Consent {
		return trial.Refuse(trial.AccountUnused, "account: has not consented; options belong to a consent")
	}
	if want := known.Sequence + 1; t.Proven.Act.Sequence != want {
		return trial.Refuse(trial.WrongSequence, "act: sequence: %d; the next under this account is %d", t.Proven.Act.Sequence, want)
	}
	return nil
}

func (t Act) validateSuperseded(s State, c trial.Context, known account, p *trial.Protocol) error {
	a := &t.Proven.Act
	if known.Kind != 0 {
		return trial.Refuse(trial.AccountUsed, "account: used before")
	}
	if s.Settled(a.Version, c.Now) {
		return trial.Refuse(trial.VersionSettled, "version: %v is settled", a.Version)
	}
	return accepted(s, c, act.BothTree(a.Version, a.Successor), t.Proven.Root, t.life(s, p, a.Successor))
}

func (t Act) validateWithdraw(s State, known account) error {
	want := uint32(0)
	if known.Kind != 0 {
		want = known.Sequence + 1
	}
	if t.Proven.Act.Sequence != want {
		return trial.Refuse(trial.WrongSequence, "act: sequence: %d; the next under this account is %d", t.Proven.Act.Sequence, want)
	}
	m, ok := getMember(s, t.Leaf)
	if !ok {
		return trial.Refuse(trial.NotEnrolled, "leaf: not an enrolled leaf of this trial")
	}
	if m.owes(t.Proven.Act.Version) == nil {
		return trial.Refuse(trial.NotOwed, "leaf: does not owe consent to version %v", t.Proven.Act.Version)
	}
	return nil
}

// owing finds the set of the version that the root belongs to.
func (t Act) owing(s State, c trial.Context, p *trial.Protocol) (trial.Set, error) {
	v := t.Proven.Act.Version
	var refusal error
	for _, set := range []trial.Set{trial.New, trial.Existing} {
		err := accepted(s, c, act.SetTree(v, set), t.Proven.Root, t.life(s, p, 0))
		if err == nil {
			return set, nil
		}
		if refusal == nil || codeOf(err) == trial.RootExpired {
			refusal = err
		}
	}
	return 0, refusal
}

func codeOf(err error) trial.Code {
	if r, ok := err.(*trial.Refusal); ok { //nolint:errorlint // made in this package, never wrapped
		return r.Code
	}
	return 0
}

// life says until when a root that a set had at the end of an epoch is
// accepted: the set's next deadline and the grace. Members of N(v) each have
// their own time, the last of which runs out the registered days after the epoch.
func (t Act) life(s State, p *trial.Protocol, successor trial.Version) func(int64) int64 {
	of := max(t.Proven.Act.Version, successor)
	return func(epochEnd int64) int64 {
		limit := epochEnd + trial.Days(p.Terms.AnswerDays)
		if next, ok := s.NextDeadline(of, epochEnd); ok {
			limit = max(limit, next)
		}
		return limit + trial.Days(p.Terms.GraceDays)
	}
}

// freshPass refuses a pass that is no leaf, was used before, or equals an
// enrolled leaf, whose owner could then be taken for somebody else.
func freshPass(s State, pass field.Leaf) error {
	if _, err := pass.Element(); err != nil {
		return trial.Refuse(trial.Malformed, "pass: %v", err)
	}
	for _, k := range [][]byte{passKey(pass), memberKey(pass), screenedKey(pass)} {
		if _, used := s.Get(k); used {
			return trial.Refuse(trial.PassUsed, "pass: used before; the device makes a new one for each consent")
		}
	}
	return nil
}

// Apply discharges, changes or burns the account.
func (t Act) Apply(s State, c trial.Context) []event.Event {
	r := &roll{s: s, c: c}
	r.act(&t, t.counts(s, c))
	return r.done()
}

// counts is the set in which an act that is not refused counts.
func (t Act) counts(s State, c trial.Context) (set trial.Set) {
	switch t.Proven.Act.Kind {
	case act.Consent, act.Options:
		p, _, _ := s.Protocol(t.Proven.Act.Version)
		set, _ = t.owing(s, c, p)
	case act.Superseded:
		set = trial.Successor
	default:
	}
	return set
}

func (r *roll) act(t *Act, set trial.Set) {
	a := &t.Proven.Act
	known, _ := getAccount(r.s, t.Proven.Account)
	known.did(a)
	switch a.Kind {
	case act.Consent:
		state.Put(r.s, passKey(a.Pass), a.Version)
		for floor := trial.Version(1); floor <= a.Version; floor++ {
			known.Places = append(known.Places, r.plant(r.passes(floor), a.Pass))
		}
		r.count(a.Version, set, func(c *trial.Counters) { c.Acts++ })
	case act.Options:
	case act.Superseded:
		r.count(a.Version, set, func(c *trial.Counters) { c.Superseded++ })
	default:
		set = r.withdraw(t.Leaf, &known)
	}
	state.Put(r.s, accountKey(t.Proven.Account), known)
	r.tell(event.Acted{Kind: a.Kind, Version: a.Version, Set: set, Account: t.Proven.Account, Sequence: a.Sequence, Successor: a.Successor})
}

// withdraw burns the account, takes its passes out, and the leaf out of every
// tree. Nothing earned is touched. A settled version's counters stay.
func (r *roll) withdraw(leaf field.Leaf, known *account) trial.Set {
	for i, place := range known.Places {
		r.zeroPass(trial.Version(i+1), place)
	}
	known.Places = nil
	m, _ := getMember(r.s, leaf)
	settled := r.settled(known.Version)
	r.part(leaf, &m)
	o := m.owes(known.Version)
	if !settled {
		r.leaves(leaf, &m, o, trial.ByProof, known.Kind != 0)
	}
	state.Put(r.s, memberKey(leaf), m)
	return o.Set
}
