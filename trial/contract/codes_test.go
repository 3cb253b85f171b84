package contract_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
)

// refused is a scenario that ends in a refusal. Each begins with version 1
// open at sites A and B, not at C.
type refused struct {
	code trial.Code
	door bool // before it enters the ledger
	what string
	run  func(b *bench) outcome
}

func directoryRefusals() []refused {
	return []refused{
		{trial.KeyExists, false, "a key twice", func(b *bench) outcome { return b.register("A1", trial.Investigator, "A") }},
		{trial.KeyExists, false, "an authority's key", func(b *bench) outcome { return b.register("node", trial.Batcher, "regulator") }},
		{trial.KeyExists, false, "rotation to a key in use", func(b *bench) outcome { return b.rotate("A1", "A2") }},
		{trial.KeyExists, false, "rotation to an authority's key", func(b *bench) outcome { return b.rotate("A1", "node") }},
		{trial.NoSuchActor, true, "revoking nobody", func(b *bench) outcome { return b.revoke("stranger", "regulator") }},
		{trial.NoPossession, true, "a key of somebody else", func(b *bench) outcome {
			t := directory.Register{Role: trial.Ethics, Name: "x", Country: "CH"}
			t.Prove(ledgerID, key("x"))
			t.Name = "y"
			return b.send(contract.DirectoryRegister, t, "regulator")
		}},
		{trial.NoPossession, true, "rotation to a key of somebody else", func(b *bench) outcome {
			return b.send(contract.DirectoryRotate, directory.Rotate{Key: public("x")}, "A1")
		}},
		{trial.AlreadyEnded, false, "revoking twice", func(b *bench) outcome {
			b.must(b.revoke("A2", "A"))
			return b.revoke("A2", "A")
		}},
		{trial.AlreadyEnded, false, "ending a delegation twice", func(b *bench) outcome {
			b.must(b.end("A", "A2"))
			return b.end("A", "A2")
		}},
		{trial.NoSuchPerson, false, "delegating to nobody", func(b *bench) outcome { return b.delegate("A", "stranger", trial.Enrolling) }},
		{trial.NoSuchPerson, false, "delegating to another site's person", func(b *bench) outcome { return b.delegate("A", "B1", trial.Enrolling) }},
		{trial.NoSuchPerson, false, "ending what is not on the log", func(b *bench) outcome { return b.end("A", "B1") }},
		{trial.DayTooEarly, false, "delegating backwards", func(b *bench) outcome {
			t := directory.Delegate{Person: actor("A1"), Tasks: []trial.Task{trial.Enrolling}, From: trial.DayOf(b.now) - 1}
			return b.send(contract.DirectoryDelegate, t, "A")
		}},
		{trial.Malformed, true, "no task", func(b *bench) outcome { return b.delegate("A", "A1") }},
		{trial.Malformed, true, "a task twice", func(b *bench) outcome { return b.delegate("A", "A1", trial.Enrolling, trial.Enrolling) }},
		{trial.Malformed, true, "an unknown task", func(b *bench) outcome { return b.delegate("A", "A1", 4) }},
		{trial.Malformed, true, "until before from", func(b *bench) outcome {
			t := directory.Delegate{Person: actor("A1"), Tasks: []trial.Task{trial.Enrolling}, From: trial.DayOf(b.now), Until: 1}
			return b.send(contract.DirectoryDelegate, t, "A")
		}},
		{trial.Malformed, true, "an unknown role", func(b *bench) outcome { return b.register("x", trial.Node, "regulator") }},
		{trial.Malformed, true, "no name", func(b *bench) outcome { return b.register("", trial.Ethics, "regulator") }},
		{trial.Malformed, true, "no country", func(b *bench) outcome {
			return b.send(contract.DirectoryRegister, directory.Register{Role: trial.Ethics, Name: "x", Country: "ch"}, "regulator")
		}},
		{trial.Malformed, false, "expired when it is registered", func(b *bench) outcome {
			t := directory.Register{Role: trial.Ethics, Name: "x", Country: "CH", Expires: b.now}
			t.Prove(ledgerID, key("x"))
			return b.send(contract.DirectoryRegister, t, "regulator")
		}},
		{trial.NotAuthorised, true, "a regulator cannot be registered", func(b *bench) outcome { return b.register("x", trial.Regulator, "regulator") }},
		{trial.NotAuthorised, true, "a sponsor grants no ethics committee", func(b *bench) outcome { return b.register("x", trial.Ethics, "sponsor") }},
		{trial.NotAuthorised, true, "a sponsor grants no investigator", func(b *bench) outcome { return b.register("x", trial.Investigator, "sponsor") }},
		{trial.NotAuthorised, true, "a site grants no site", func(b *bench) outcome { return b.register("x", trial.Site, "A", "ethics") }},
		{trial.NotAuthorised, true, "another site's person cannot be revoked", func(b *bench) outcome { return b.revoke("A1", "B") }},
		{trial.NotAuthorised, true, "an investigator delegates nothing", func(b *bench) outcome { return b.delegate("A1", "A2", trial.Enrolling) }},
		{trial.NotAuthorised, true, "an investigator ends no delegation", func(b *bench) outcome { return b.end("A1", "A2") }},
		{trial.NotAuthorised, true, "an authority's key is fixed", func(b *bench) outcome { return b.rotate("regulator", "x") }},
		{trial.WrongRole, false, "a pharmacist does not enrol", func(b *bench) outcome {
			b.must(b.register("A7", trial.Pharmacist, "A"))
			return b.delegate("A", "A7", trial.Enrolling)
		}},
		{trial.NeedsSecond, true, "a site is not revoked without ethics", func(b *bench) outcome { return b.revoke("A", "sponsor") }},
		{trial.NeedsSecond, true, "a site without ethics", func(b *bench) outcome { return b.register("x", trial.Site, "sponsor") }},
		{trial.ExpiredActor, true, "after its own end", func(b *bench) outcome {
			t := directory.Register{Role: trial.Investigator, Name: "x", Country: "CH", Expires: b.now + hour}
			t.Prove(ledgerID, key("x"))
			b.must(b.send(contract.DirectoryRegister, t, "A"))
			b.now += hour
			return b.rotate("x", "z")
		}},
		{trial.UnknownKey, true, "the key before a rotation", func(b *bench) outcome {
			b.must(b.rotate("A1", "fresh"))
			return b.enrol("P", "A", 1)
		}},
	}
}

// appointing is a board of two, the second of whom is given.
func appointing(second string, cosigners ...string) func(b *bench) outcome {
	return func(b *bench) outcome {
		b.must(b.register("chair", trial.DSMB, "regulator"))
		return b.send(contract.ProtocolAppoint, protocol.Appoint{Board: boardOf("chair", second)}, "sponsor", cosigners...)
	}
}

func protocolRefusals() []refused {
	return []refused{
		{trial.NoSuchActor, false, "a board with nobody on it", appointing("member", "ethics")},
		{trial.WrongRole, false, "a board with the sponsor on it", appointing("sponsor", "ethics")},
		{trial.NeedsSecond, true, "a board without ethics", appointing("member")},
		{trial.NotAuthorised, true, "a board appointed by ethics", func(b *bench) outcome {
			return b.send(contract.ProtocolAppoint, protocol.Appoint{Board: boardOf("chair", "member")}, "ethics", "sponsor")
		}},
		{trial.Malformed, true, "a board of one", func(b *bench) outcome {
			return b.send(contract.ProtocolAppoint, protocol.Appoint{Board: boardOf("chair")}, "sponsor", "ethics")
		}},
		{trial.Malformed, true, "a member twice", func(b *bench) outcome {
			return b.send(contract.ProtocolAppoint, protocol.Appoint{Board: boardOf("chair", "chair")}, "sponsor", "ethics")
		}},
		{trial.TrialExists, false, "registering twice", func(b *bench) outcome {
			b.count = 0
			return b.registerTrial()
		}},
		{trial.NotAuthorised, true, "registered by who is no sponsor", func(b *bench) outcome {
			return b.send(contract.ProtocolRegister, protocol.Register{Protocol: b.protocol()}, "ethics")
		}},
		{trial.WrongStream, true, "registered in another's stream", func(b *bench) outcome {
			return b.send(contract.ProtocolRegister, protocol.Register{Protocol: b.protocol()}, "sponsor")
		}},
		{trial.Malformed, true, "a protocol without outcomes", func(b *bench) outcome {
			p := b.protocol()
			p.Outcomes = nil
			return b.send(contract.ProtocolRegister, protocol.Register{Protocol: p}, "sponsor")
		}},
		{trial.Malformed, true, "an amendment without a reason", func(b *bench) outcome {
			return b.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: b.protocol()}, "sponsor")
		}},
		{trial.NotAuthorised, true, "an amendment by ethics", func(b *bench) outcome {
			return b.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: b.protocol(), Reason: "r"}, "ethics")
		}},
		{trial.NotNextVersion, false, "a version left out", func(b *bench) outcome { return b.amend(3, true) }},
		{trial.NoChange, false, "an amendment of nothing", func(b *bench) outcome {
			return b.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: b.protocol(), Reason: "r", Effective: trial.DayOf(b.now)}, "sponsor")
		}},
		{trial.DayTooEarly, false, "in force in the past", func(b *bench) outcome {
			p := b.protocol()
			p.Risks = "more"
			return b.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: p, Reason: "r", Effective: trial.DayOf(b.now) - 1}, "sponsor")
		}},
		{trial.UnknownTrial, true, "no trial in this stream", func(b *bench) outcome {
			b.trial, b.stream = trial.ID{1}, new(state.Memory)
			return b.amend(2, true)
		}},
		{trial.UnknownTrial, true, "ethics on no trial", func(b *bench) outcome {
			b.trial, b.stream = trial.ID{1}, new(state.Memory)
			return b.decide(protocol.Approve{Version: 1, Form: "main", Approved: true})
		}},
		{trial.NoSuchVersion, false, "approving what is not registered", func(b *bench) outcome {
			return b.decide(protocol.Approve{Version: 9, Form: "main", Approved: true})
		}},
		{trial.NoSuchVersion, false, "classifying version 1", func(b *bench) outcome { return b.classify(1, true) }},
		{trial.NoSuchVersion, false, "opening what is not registered", func(b *bench) outcome { return b.open(9, "A") }},
		{trial.NoSuchVersion, true, "consent to what is not registered", func(b *bench) outcome {
			b.must(b.enrol("P", "A", 1))
			t := b.consent("P", 9)
			t.Proven.Act.FormSet = trial.Digest{1}
			return b.perform(t)
		}},
		{trial.UnknownForm, false, "approving no form", func(b *bench) outcome {
			return b.decide(protocol.Approve{Version: 1, Form: "child", Approved: true})
		}},
		{trial.AlreadyDecided, false, "deciding twice", func(b *bench) outcome {
			return b.decide(protocol.Approve{Version: 1, Form: "main", Reason: "second thoughts"})
		}},
		{trial.Malformed, true, "refusing without a reason", func(b *bench) outcome { return b.decide(protocol.Approve{Version: 1, Form: "main"}) }},
		{trial.Malformed, true, "a site twice", func(b *bench) outcome {
			return b.decide(protocol.Approve{Version: 1, Form: "main", Approved: true, Sites: []trial.SiteID{site("A"), site("A")}})
		}},
		{trial.NotAuthorised, true, "approved by the sponsor", func(b *bench) outcome {
			return b.send(contract.ProtocolApprove, protocol.Approve{Version: 1, Form: "main", Approved: true}, "sponsor")
		}},
		{trial.Malformed, true, "classified without a reason", func(b *bench) outcome {
			return b.send(contract.ProtocolClassify, protocol.Classify{Version: 2}, "ethics")
		}},
		{trial.NotApproved, false, "open without ethics", func(b *bench) outcome {
			b.must(b.amend(2, true))
			return b.open(2, "A")
		}},
		{trial.NotApproved, false, "open where ethics refused", func(b *bench) outcome {
			b.must(b.amend(2, true))
			b.approve(2)
			b.must(b.decide(protocol.Approve{Version: 2, Form: "main", Reason: "not there", Sites: []trial.SiteID{site("A")}}))
			b.must(b.open(2, "B"))
			return b.open(2, "A")
		}},
		{trial.NeedsSecond, true, "open without the site", func(b *bench) outcome {
			return b.send(contract.ProtocolOpen, protocol.Open{Version: 1, Site: site("C")}, "sponsor", "A")
		}},
		{trial.NotAuthorised, true, "open without the sponsor", func(b *bench) outcome {
			return b.send(contract.ProtocolOpen, protocol.Open{Version: 1, Site: site("C")}, "C", "sponsor")
		}},
		{trial.AlreadyOpen, false, "open twice", func(b *bench) outcome { return b.open(1, "A") }},
		{trial.LaterVersionOpen, false, "open after a later version", func(b *bench) outcome {
			b.next(2, true, "C")
			return b.open(1, "C")
		}},
		{trial.VersionEnded, false, "open what has ended everywhere", func(b *bench) outcome {
			b.next(2, true, "A", "B")
			b.now += 31 * day
			return b.open(1, "C")
		}},
		{trial.AlreadyOpened, false, "classified after it opened", func(b *bench) outcome {
			b.next(2, true, "A")
			return b.classify(2, false)
		}},
	}
}

func formRefusals() []refused {
	return []refused{
		{trial.Malformed, true, "a body that is none", func(b *bench) outcome { return b.send(contract.ConsentEnrol, []byte{0xff}, "A1") }},
		{trial.Malformed, true, "another kind's body", func(b *bench) outcome {
			return b.send(contract.ConsentEnrol, consent.Transfer{}, "A1")
		}},
		{trial.UnknownKind, true, "kind 999", func(b *bench) outcome { return b.send(999, []byte{0xf6}, "A1") }},
		{trial.UnknownKey, true, "a stranger", func(b *bench) outcome { return b.send(contract.ConsentEnrol, b.enrolment("P", "A", 1), "stranger") }},
		{trial.UnknownKey, true, "a stranger cosigns", func(b *bench) outcome {
			return b.send(contract.ConsentEnrol, b.enrolment("P", "A", 1), "A1", "stranger")
		}},
		{trial.BadSignature, true, "another body than signed", func(b *bench) outcome {
			e := b.envelope(contract.ConsentEnrol, b.enrolment("P", "A", 1), "A1")
			e.Body = wire.Marshal(b.enrolment("Q", "A", 1))
			return b.enter(e)
		}},
		{trial.BadSignature, true, "another cosigned", func(b *bench) outcome {
			e := b.envelope(contract.ConsentEnrol, b.enrolment("P", "A", 1), "A1", "A2")
			e.Cosigners[0].Signature[0] ^= 1
			return b.enter(e)
		}},
		{trial.WrongStream, true, "a trial's in the directory", func(b *bench) outcome { return b.stray(contract.ConsentEnrol, wire.Directory) }},
		{trial.WrongStream, true, "the directory's in a trial", func(b *bench) outcome {
			return b.stray(contract.DirectoryRevoke, wire.StreamID(b.trial))
		}},
		{trial.WrongLedger, true, "another ledger's envelope", func(b *bench) outcome {
			e := b.envelope(contract.ConsentEnrol, b.enrolment("P", "A", 1), "A1")
			e.Ledger[0] ^= 1
			return b.enter(e)
		}},
		{trial.ExpiredActor, true, "a revoked person", func(b *bench) outcome {
			b.must(b.revoke("A1", "A"))
			return b.enrol("P", "A", 1)
		}},
	}
}

func (b *bench) stray(k tx.Kind, stream wire.StreamID) outcome {
	e := b.envelope(k, []byte{0xf6}, "A1")
	e.Stream = stream
	b.sign(e, "A1")
	return b.enter(e)
}

func (b *bench) rotate(name, to string) outcome {
	var t directory.Rotate
	t.Prove(ledgerID, trial.Actor{Role: role(name), Name: name}, key(to))
	return b.send(contract.DirectoryRotate, t, name)
}

func (b *bench) revoke(name, by string) outcome {
	return b.send(contract.DirectoryRevoke, directory.Revoke{Actor: actor(name)}, by)
}

func (b *bench) end(site, person string) outcome {
	return b.send(contract.DirectoryEndDelegation, directory.EndDelegation{Person: actor(person)}, site)
}

func (b *bench) decide(t protocol.Approve) outcome {
	return b.send(contract.ProtocolApprove, t, "ethics")
}

func (b *bench) classify(v trial.Version, existing bool) outcome {
	return b.send(contract.ProtocolClassify, protocol.Classify{Version: v, Substantial: true, Existing: existing, Reason: "r"}, "ethics")
}

// TestRefusals reaches every code that a rule can give.
func TestRefusals(t *testing.T) {
	t.Parallel()
	all := slices.Concat(formRefusals(), directoryRefusals(), protocolRefusals(), consentRefusals(), phaseRefusals(), publicationRefusals(), datasetRefusals(),
		reportRefusals(), lookRefusals(), openingRefusals(), batchRefusals(), countersignRefusals())
	reached := map[trial.Code]bool{}
	for _, r := range all {
		reached[r.code] = true
		t.Run(fmt.Sprintf("%d %s", r.code, r.what), func(t *testing.T) {
			t.Parallel()
			o := r.run(started(t))
			if o.Code != r.code || o.Door != r.door {
				t.Errorf("code %d, at the door %t (%s); want %d, %t", o.Code, o.Door, o.Text, r.code, r.door)
			}
		})
	}
	for name, code := range codes(t) {
		if reserved := code == trial.ActorExists || code == trial.AlreadyActing || code >= trial.Reserved; reached[code] == reserved {
			t.Errorf("%s (%d): reached %t; no rule of rule set 1 gives 100, 105 and 107", name, code, reached[code])
		}
		if !code.Known() {
			t.Errorf("%s (%d) is not in the families of codes", name, code)
		}
	}
}

// codes reads the table of codes from its source.
func codes(t *testing.T) map[string]trial.Code {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../refusal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]trial.Code{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Code" {
			x, err := strconv.Atoi(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found[v.Names[0].Name] = trial.Code(x)
		}
		return true
	})
	if len(found) < 50 {
		t.Fatalf("only %d codes found", len(found))
	}
	return found
}
