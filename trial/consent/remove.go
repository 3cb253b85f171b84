package consent

import (
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Statement is a site's word on one version of a leaf that leaves: whether its
// account had been used, which the site knows from the receipt it was shown.
type Statement struct {
	_       struct{} `cbor:",toarray"`
	Version trial.Version
	Used    bool
}

// Remove takes a leaf out by the site's word: a withdrawal without key or phone
// (within 24 hours, C6), or the end of participation (within 14 days of the
// last visit). Sent by an investigator, cosigned by a second delegated person.
// Reason and date are in the vault; here is their commitment.
type Remove struct {
	_          struct{} `cbor:",toarray"`
	Leaf       field.Leaf
	Class      trial.Leaving // by word, or ended
	Statements []Statement   // ascending; one for each version that is not settled
	Reason     trial.Commitment
}

// Check refuses a form that no rule could accept.
func (t Remove) Check() error {
	if t.Class != trial.ByWord && t.Class != trial.Ended {
		return trial.Refuse(trial.Malformed, "class: 2 withdrawn by word, 3 ended")
	}
	if t.Reason == (trial.Commitment{}) {
		return trial.Refuse(trial.Malformed, "reason: commit to reason and date, with a salt")
	}
	return checkStatements(t.Statements)
}

func checkStatements(ss []Statement) error {
	if !slices.IsSortedFunc(ss, func(a, b Statement) int { return int(a.Version) - int(b.Version) }) {
		return trial.Refuse(trial.Malformed, "statements: sort them by version")
	}
	return nil
}

// Authorise asks for two delegated people of the leaf's site.
func (t Remove) Authorise(s State, c trial.Context) error { return byTwo(s, c, t.Leaf) }

func byTwo(s State, c trial.Context, leaf field.Leaf) error {
	m, ok := getMember(s, leaf)
	if !ok {
		return trial.Refuse(trial.NotEnrolled, "leaf: not an enrolled leaf of this trial")
	}
	if err := delegated(s, c, m.Site, trial.Recording); err != nil {
		return err
	}
	return second(s, c, m.Site)
}

// Validate refuses a removal that does not state each unsettled version.
func (t Remove) Validate(s State, c trial.Context) error {
	m, _ := getMember(s, t.Leaf)
	return stated(s, c, &m, t.Statements)
}

func stated(s State, c trial.Context, m *member, ss []Statement) error {
	owed := m.unstated(s, c.Now)
	if len(owed) == 0 && !m.Active {
		return trial.Refuse(trial.AlreadyLeft, "leaf: has left, and nothing is unsaid")
	}
	var said []trial.Version
	for _, x := range ss {
		said = append(said, x.Version)
	}
	if !slices.Equal(said, owed) {
		return trial.Refuse(trial.StatementsWrong, "statements: on versions %v; the unsettled ones are %v", said, owed)
	}
	return nil
}

// Apply takes the leaf out. Nobody can find its account or its pass: the pass
// lives until the floor passes it, and the site stops.
func (t Remove) Apply(s State, c trial.Context) []event.Event {
	r := &roll{s: s, c: c}
	m, _ := getMember(s, t.Leaf)
	r.word(t.Leaf, &m, t.Class, t.Statements)
	state.Put(s, memberKey(t.Leaf), m)
	return r.done()
}

func (r *roll) word(leaf field.Leaf, m *member, class trial.Leaving, ss []Statement) {
	r.part(leaf, m)
	for _, x := range ss {
		r.leaves(leaf, m, m.owes(x.Version), class, x.Used)
	}
}

// Correct replaces a word said at a removal, visibly, until the version
// settles. Sent by an investigator, cosigned by a second delegated person.
type Correct struct {
	_       struct{} `cbor:",toarray"`
	Leaf    field.Leaf
	Version trial.Version
	Used    bool
	Reason  trial.Commitment
}

// Check refuses a form that no rule could accept.
func (t Correct) Check() error {
	if t.Reason == (trial.Commitment{}) {
		return trial.Refuse(trial.Malformed, "reason: commit to the reason, with a salt")
	}
	return nil
}

// Authorise asks for two delegated people of the leaf's site.
func (t Correct) Authorise(s State, c trial.Context) error { return byTwo(s, c, t.Leaf) }

// Validate refuses where there is no word, or it says so already.
func (t Correct) Validate(s State, c trial.Context) error {
	m, _ := getMember(s, t.Leaf)
	o := m.owes(t.Version)
	if o == nil || o.Left != trial.ByWord && o.Left != trial.Ended {
		return trial.Refuse(trial.NoWord, "version: no word was said about version %v of this leaf", t.Version)
	}
	if o.Used == t.Used {
		return trial.Refuse(trial.NoChange, "used: it says so already")
	}
	if s.Settled(t.Version, c.Now) {
		return trial.Refuse(trial.VersionSettled, "version: %v is settled", t.Version)
	}
	return nil
}

// Apply replaces the word.
func (t Correct) Apply(s State, c trial.Context) []event.Event {
	r := &roll{s: s, c: c}
	m, _ := getMember(s, t.Leaf)
	o := m.owes(t.Version)
	r.leaves(t.Leaf, &m, o, o.Left, t.Used)
	state.Put(s, memberKey(t.Leaf), m)
	r.tell(event.WordCorrected{Leaf: t.Leaf, Version: t.Version, Used: t.Used})
	return r.done()
}
