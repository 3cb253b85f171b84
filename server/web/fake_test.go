package web

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/protocol"
)

// fake is a ledger and its read model in memory, with one study of two
// versions and hostile names in it.
type fake struct {
	genesis  chain.Genesis
	trials   []readmodel.Trial
	versions []readmodel.Version
	entries  []readmodel.Entry
	bodies   map[wire.TxHash][]byte
	told     told
	broken   error
	cosigned []byte
}

const hostile = `<script>alert("x")</script> & 'quotes'`

var (
	studyID   = trial.ID(sum("study"))
	otherID   = trial.ID(sum("other study"))
	leafName  = field.Leaf(sum("leaf"))
	account   = field.Account(sum("account"))
	documents = trial.Digest(sum("document"))
	siteID    = trial.SiteID(sum("site"))
	sponsor   = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
)

// firstDay is 6 July 2012, 06:00 UTC, in milliseconds since 1970.
const firstDay = int64(1_341_554_400_000)

const dayMillis = int64(24 * 60 * 60 * 1000)

func sum(s string) [32]byte { return sha256.Sum256([]byte(s)) }

func newFake() *fake {
	f := &fake{bodies: map[wire.TxHash][]byte{}, genesis: chain.Genesis{
		Version: 1, Name: "Demonstration ledger", Time: firstDay - dayMillis, Epoch: 86400, Origin: "trialith.example/demo", Demonstration: true,
		Node: tx.PublicKey(sponsor.Public().(ed25519.PublicKey)),
	}}
	v1, v2 := firstProtocol(), firstProtocol()
	v2.Outcomes[0].Timepoint = "Week 24 or at early termination"
	v2.Risks = "Skin irritation at the site of the patch, and fainting, which was seen in 3 participants of this study."
	v2.Criteria = append(v2.Criteria, trial.Criterion{ID: "E3", Exclusion: true, Text: "History of fainting in the last year"})
	f.versions = []readmodel.Version{
		{
			Trial: studyID, Version: 1, Registered: firstDay, Effective: trial.DayOf(firstDay), FormSet: trial.Digest(sum("forms")), Entry: "trial/0",
			Counters: trial.Counters{Owed: 254, Acts: 251, LeftProved0: 3, LeftProved1: 20, LeftWord1: 2, Ended: 2}, OpenedSites: 2,
			FirstOpened: firstDay + 3*dayMillis, LastDue: firstDay + 33*dayMillis, Protocol: &v1,
		},
		{
			Trial: studyID, Version: 2, Registered: firstDay + 90*dayMillis, Effective: trial.DayOf(firstDay + 100*dayMillis), Entry: "trial/60",
			Reason:   "Three participants fainted; the risk is now named, and who fainted before is no longer asked.",
			Impact:   trial.Impact{Substantial: true, Existing: true, Classes: []trial.Class{trial.OutcomeChange, trial.RiskChange, trial.EligibilityChange}},
			Counters: trial.Counters{Owed: 240, Acts: 236, LeftProved0: 2, LeftWord0: 3, Ended: 1}, OpenedSites: 2,
			FirstOpened: firstDay + 100*dayMillis, LastDue: firstDay + 130*dayMillis, Protocol: &v2, Changes: trial.Diff(&v1, &v2),
		},
	}
	f.trials = []readmodel.Trial{
		{
			ID: studyID, Title: v1.Title, Acronym: v1.Acronym, Sponsor: v1.Sponsor, Status: "open", Registered: firstDay, Entry: "trial/0",
			Latest: 2, Sites: 2, Enrolled: 254, Active: 229, Randomised: 240, Deviations: 1, Doses: 900, Entries: 2400, Withdrawn: 23, Ended: 2, Refused: 4,
		},
		{ID: otherID, Title: hostile, Sponsor: hostile, Status: "registered", Registered: firstDay, Entry: "trial/0", Latest: 1},
	}
	f.told = watchedStudy()
	f.fillEntries()
	return f
}

func firstProtocol() trial.Protocol {
	return trial.Protocol{
		Identifiers: []trial.Identifier{{Number: "H2Q-MC-LZZT", Organisation: "Eli Lilly and Company"}},
		Sponsor:     "Eli Lilly and Company", PublicContact: "trials@sponsor.example",
		PublicTitle: "A patch for memory loss: is it safe, and does it help?",
		Title:       "Safety and Efficacy of the Xanomeline Transdermal Therapeutic System (TTS) in Patients with Mild to Moderate Alzheimer’s Disease",
		Acronym:     "LZZT", Countries: []string{"US"}, Conditions: []string{"Alzheimer’s disease"}, StudyType: "Interventional", Phase: "Phase II",
		Blinding: "Double blind", SampleSize: 300, Summary: "Participants wear a patch every day for half a year. Some patches hold a medicine and some hold none.\nNobody knows who has which.",
		Outcomes: []trial.Outcome{
			{ID: "O1", Level: trial.Primary, Name: "ADAS-Cog (11) total score", Text: "Change from baseline in the total score", Timepoint: "Week 24", Objective: "Does the patch slow the loss of memory?"},
			{ID: "O2", Level: trial.Secondary, Name: "CIBIC+", Text: "To be determined", Timepoint: "To be determined"},
		},
		Arms:      []trial.Arm{{ID: "A1", Name: "Placebo", Type: "placebo comparator", Description: "A patch without medicine"}, {ID: "A2", Name: "High dose", Type: "experimental"}, {ID: "A3", Name: "Low dose " + hostile, Type: "experimental"}},
		Phases:    []trial.Phase{{ID: "P1", Name: "Screening"}, {ID: "P2", Name: "Treatment", Description: "24 weeks"}},
		Visits:    []trial.Visit{{ID: "first-dose", Name: "First dose", Timing: "Day 1", Dose: true}, {ID: "v2", Name: "Visit 2", Timing: "Week 2", Repeatable: true}},
		Criteria:  []trial.Criterion{{ID: "I1", Text: "At least 50 years of age"}, {ID: "E1", Exclusion: true, Text: "A serious illness besides " + hostile}},
		Attested:  []trial.Attribute{{Name: "age", Unit: "years", Min: 50, Max: 120}, {Name: "MMSE", Unit: "points", Min: 10, Max: 23, Screening: true}},
		Forms:     []trial.Form{{ID: "icf-en", Language: "en", Title: "Information for participants", Example: true, Sections: []trial.Section{{Heading: "What is asked", Text: "Wear a patch."}}, Options: []trial.Option{{ID: "results", Text: "Tell me the results"}}, Questions: []trial.Question{{ID: "leave", Text: "May you stop?", Answers: []string{"No", "Yes, on any day"}, Right: 1, Why: "You may leave."}}}},
		Risks:     "Skin irritation at the site of the patch.",
		Burden:    "13 visits in 26 weeks.",
		Documents: []trial.Document{{Kind: "protocol", Title: "Protocol LZZT", SHA256: documents, Bytes: 1_234_567}},
	}
}

// fillEntries makes 120 entries of the study, each third one refused, and two
// of the directory.
func (f *fake) fillEntries() {
	body := wire.Marshal(protocol.Register{Protocol: firstProtocol()})
	for i := range uint64(122) {
		e := readmodel.Entry{
			Place: i, Stream: wire.StreamID(studyID), Sequence: i - 2, Name: fmt.Sprintf("trial/%d", i-2),
			Height: i + 1, Time: firstDay + int64(i)*1000, Kind: contract.ProtocolRegister, KindName: "protocol.register",
		}
		if i < 2 {
			e.Stream, e.Sequence, e.Name = wire.Directory, i, fmt.Sprintf("directory/%d", i)
		}
		env := tx.Envelope{Kind: e.Kind, Stream: e.Stream, Body: body, Idempotency: tx.Key{byte(i)}}
		env.Sign(sponsor)
		raw := env.Encode()
		e.Hash, e.Signer = tx.Hash(raw), env.Key
		if i >= 2 && i%3 == 0 {
			e.Code, e.Kind, e.KindName, e.Signer = engine.Code(trial.OutdatedVersion), 0, "", wire.KeyID{}
		} else {
			f.bodies[e.Hash] = raw
		}
		f.entries = append(f.entries, e)
	}
}

func (f *fake) Genesis() chain.Genesis { return f.genesis }

func (f *fake) Keys() (chain.Keys, error) { return f.genesis.Keys(), nil }

func (f *fake) Head() chain.Header {
	return chain.Header{Height: uint64(len(f.entries)), Time: f.entries[len(f.entries)-1].Time}
}

func (f *fake) Cosigned() ([]byte, error) {
	if f.cosigned == nil {
		return nil, engine.ErrUnknown
	}
	return f.cosigned, nil
}

// Receipt proves an entry in the log of all, under the checkpoint of the last.
func (f *fake) Receipt(h wire.TxHash) (receipt.Receipt, error) {
	i := slices.IndexFunc(f.entries, func(e readmodel.Entry) bool { return e.Hash == h })
	if i < 0 {
		return receipt.Receipt{}, engine.ErrUnknown
	}
	e, last := f.entries[i], f.entries[len(f.entries)-1]
	link := chain.Link{Stream: e.Stream, Sequence: e.Sequence, Height: e.Height, Time: e.Time, Hash: e.Hash, Code: uint16(e.Code)}
	leaves := make([][]byte, len(f.entries))
	leaves[i] = link.Leaf()
	log, nodes := chain.NewLog(), map[chain.Node][]byte{}
	if err := log.Append(leaves, func(n chain.Node, hash []byte) { nodes[n] = hash }); err != nil {
		return receipt.Receipt{}, err
	}
	root, err := log.Root()
	if err != nil {
		return receipt.Receipt{}, err
	}
	path, err := chain.InclusionProof(e.Place, log.Size(), func(ids []chain.Node) (out [][]byte, _ error) {
		for _, id := range ids {
			out = append(out, nodes[id])
		}
		return out, nil
	})
	if err != nil {
		return receipt.Receipt{}, err
	}
	c := chain.Checkpoint{Origin: f.genesis.Origin, Size: log.Size(), Root: root, Height: last.Height, Time: last.Time}
	msg, err := c.Sign(chain.NewSigner(f.genesis.Origin, sponsor))
	return receipt.New(e.Place, link, path, msg, nil), err
}

// ledgerOf gives the fake the other Entry that the ledger has.
type ledgerOf struct{ *fake }

func (l ledgerOf) Entry(h wire.TxHash) (engine.Entry, error) {
	b, ok := l.bodies[h]
	if !ok {
		return engine.Entry{}, engine.ErrUnknown
	}
	return engine.Entry{Hash: h, Envelope: b}, nil
}

func (f *fake) Trials(context.Context) ([]readmodel.Trial, error) { return f.trials, f.broken }

func (f *fake) Trial(_ context.Context, id trial.ID) (readmodel.Trial, error) {
	for _, t := range f.trials {
		if t.ID == id {
			return t, f.broken
		}
	}
	return readmodel.Trial{}, readmodel.ErrUnknown
}

func (f *fake) Versions(_ context.Context, id trial.ID) (vs []readmodel.Version, err error) {
	if id == otherID {
		return []readmodel.Version{{Trial: id, Version: 1, Registered: firstDay, Effective: trial.DayOf(firstDay), Entry: "trial/0"}}, nil
	}
	for _, v := range f.versions {
		v.Protocol, v.Changes = nil, nil
		vs = append(vs, v)
	}
	return vs, nil
}

func (f *fake) Version(_ context.Context, id trial.ID, n trial.Version) (readmodel.Version, error) {
	if id == otherID {
		return readmodel.Version{Trial: id, Version: 1, Protocol: &trial.Protocol{Title: hostile, Outcomes: []trial.Outcome{{ID: "O", Level: trial.Primary, Name: hostile, Text: hostile}}}}, nil
	}
	if n < 1 || int(n) > len(f.versions) {
		return readmodel.Version{}, readmodel.ErrUnknown
	}
	return f.versions[n-1], nil
}

func (f *fake) Decisions(context.Context, trial.ID) ([]readmodel.Decision, error) {
	return []readmodel.Decision{
		{Version: 1, Form: "icf-en", Approved: true, Name: "Ethics committee of the coast", Time: firstDay + dayMillis, Entry: "trial/2"},
		{Version: 2, Form: "icf-en", Sites: []trial.SiteID{siteID}, Approved: false, Reason: hostile, Name: hostile, Time: firstDay, Entry: "trial/3"},
	}, nil
}

func (f *fake) Sites(context.Context, trial.ID) ([]readmodel.Site, error) {
	return []readmodel.Site{
		{ID: siteID, Name: "Clinic 701", Country: "US", Enrolled: 41, Active: 38, Openings: []readmodel.Opening{
			{Site: siteID, Version: 1, Opened: firstDay + 3*dayMillis, Deadline: firstDay + 33*dayMillis, Entry: "trial/5"},
			{Site: siteID, Version: 2, Opened: firstDay + 100*dayMillis, Deadline: firstDay + 130*dayMillis, Existing: true, Entry: "trial/70"},
		}},
		{ID: trial.SiteID(sum("site 2")), Name: hostile, Country: "US"},
	}, nil
}

func (f *fake) Trees(_ context.Context, id trial.ID) ([]readmodel.Tree, error) {
	if id == otherID {
		return nil, nil
	}
	return []readmodel.Tree{{Name: "E-2", Size: 230}, {Name: "N-1", Size: 254}, {Name: "X-1-2", Size: 230}, {Name: "eligible", Size: 241}, {Name: "pass-1", Size: 487}}, nil
}

func (f *fake) Member(_ context.Context, id trial.ID, l field.Leaf) (readmodel.Member, error) {
	if id != studyID || l != leafName {
		return readmodel.Member{}, readmodel.ErrUnknown
	}
	return readmodel.Member{Leaf: l, Site: siteID, Version: 1, Day: trial.DayOf(firstDay), Entry: "trial/9", Owes: []readmodel.Owing{
		{Version: 1, Set: trial.New}, {Version: 2, Set: trial.Existing, Left: trial.ByWord, Used: true},
	}}, nil
}

func (f *fake) Account(_ context.Context, id trial.ID, a field.Account) (readmodel.Account, error) {
	if id != studyID || a != account {
		return readmodel.Account{}, readmodel.ErrUnknown
	}
	return readmodel.Account{Account: a, Entry: "trial/11"}, nil
}

func (f *fake) Entries(_ context.Context, from uint64, limit int) ([]readmodel.Entry, error) {
	return slices.Clone(f.entries[from:min(len(f.entries), int(from)+limit)]), nil
}

func (f *fake) StreamEntries(_ context.Context, s wire.StreamID, from uint64, limit int) (es []readmodel.Entry, err error) {
	for _, e := range f.entries {
		if e.Stream == s && e.Sequence >= from && len(es) < limit {
			es = append(es, e)
		}
	}
	return es, nil
}

func (f *fake) LatestEntries(_ context.Context, s *wire.StreamID, limit int) (es []readmodel.Entry, err error) {
	for _, e := range slices.Backward(f.entries) {
		if (s == nil || e.Stream == *s) && len(es) < limit {
			es = append(es, e)
		}
	}
	return es, nil
}

func (f *fake) Entry(_ context.Context, h wire.TxHash) (readmodel.Entry, error) {
	for _, e := range f.entries {
		if e.Hash == h {
			return e, nil
		}
	}
	return readmodel.Entry{}, readmodel.ErrUnknown
}

func (f *fake) Actor(_ context.Context, id trial.ActorID) (readmodel.Actor, error) {
	if id == trial.ActorID(siteID) {
		return readmodel.Actor{Actor: trial.Actor{ID: id, Role: trial.Site, Name: "Clinic 701"}}, nil
	}
	return readmodel.Actor{}, readmodel.ErrUnknown
}

func (f *fake) Signer(_ context.Context, k wire.KeyID) (readmodel.Actor, error) {
	if k == tx.PublicKey(sponsor.Public().(ed25519.PublicKey)).ID() {
		return readmodel.Actor{Actor: trial.Actor{Role: trial.Sponsor, Name: hostile}}, nil
	}
	return readmodel.Actor{}, readmodel.ErrUnknown
}

var errBroken = errors.New("the tables are gone")
