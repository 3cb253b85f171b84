package contract_test

import (
	"fmt"
	"strings"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/protocol"
)

func (b *bench) act(k act.Kind, v trial.Version) act.Act {
	a := act.Act{Ledger: ledgerID, Trial: b.trial, Kind: k, Version: v}
	if r, _ := k.Rule(); r.FormSet {
		p, _ := protocol.Get(b.stream, v)
		a.FormSet, a.Options = p.FormSet, trial.Commitment{1}
	}
	return a
}

func (b *bench) enrolment(person, at string, v trial.Version) consent.Enrol {
	a := b.act(act.Enrol, v)
	a.Site, a.Person, a.Day = site(at), actor(at+"1"), trial.DayOf(b.now)
	l := leafOf(person)
	return consent.Enrol{Leaf: l, Proven: consent.Proven{Act: a, Account: accountOf(l, &a)}}
}

func (b *bench) enrol(person, at string, v trial.Version) outcome {
	return b.send(contract.ConsentEnrol, b.enrolment(person, at, v), at+"1")
}

// root is a tree's root now.
func (b *bench) root(tree string) field.Root { return consent.Root(b.stream, tree) }

// setOf is the tree of a version that holds a person's leaf.
func (b *bench) setOf(person string, v trial.Version) string {
	for _, set := range []trial.Set{trial.New, trial.Existing} {
		name := fmt.Sprintf("%v-%v", set, v)
		for _, l := range consent.Leaves(b.stream, name) {
			if l == leafOf(person) {
				return name
			}
		}
	}
	return ""
}

// proven is an act of a person on their account, against the root of a tree now.
func (b *bench) proven(person string, a act.Act, tree string) consent.Proven {
	p := consent.Proven{Act: a, Account: accountOf(leafOf(person), &a)}
	if tree != "" {
		p.Root = b.root(tree)
	}
	return p
}

func (b *bench) consent(person string, v trial.Version) consent.Act {
	a := b.act(act.Consent, v)
	a.Pass = passOf(person, v)
	return consent.Act{Proven: b.proven(person, a, b.setOf(person, v))}
}

func (b *bench) options(person string, v trial.Version, sequence uint32) consent.Act {
	a := b.act(act.Options, v)
	a.Sequence = sequence
	return consent.Act{Proven: b.proven(person, a, b.setOf(person, v))}
}

func (b *bench) withdrawal(person string, v trial.Version, sequence uint32) consent.Act {
	a := b.act(act.Withdraw, v)
	a.Sequence = sequence
	return consent.Act{Leaf: leafOf(person), Proven: b.proven(person, a, "")}
}

func (b *bench) superseded(person string, v, w trial.Version) consent.Act {
	a := b.act(act.Superseded, v)
	a.Successor = w
	return consent.Act{Proven: b.proven(person, a, fmt.Sprintf("X-%v-%v", v, w))}
}

func (b *bench) perform(t consent.Act) outcome { return b.send(contract.ConsentAct, t, "node") }

// epoch is the ledger's epoch now.
func (b *bench) epoch() uint64 { return uint64((b.now - genesis) / (epoch * 1000)) }

// batch sends acts as the batcher's batch of an epoch.
func (b *bench) batch(epoch uint64, acts ...consent.Act) outcome {
	return b.send(contract.ConsentBatch, consent.Batch{Acts: acts, Epoch: epoch}, "batcher")
}

func (b *bench) countersigned(at string, epoch uint64, total uint32) consent.Countersign {
	return consent.Countersign{Site: site(at), Epoch: epoch, Table: trial.Commitment{5}, Total: total, Day: trial.DayOf(b.now)}
}

func (b *bench) countersign(at string, epoch uint64, total uint32) outcome {
	return b.send(contract.ConsentCountersign, b.countersigned(at, epoch, total), at+"1")
}

// said writes statements: "1+" says that the account for version 1 was used, "2-" that for 2 was not.
func said(words ...string) (ss []consent.Statement) {
	for _, w := range words {
		var v uint32
		fmt.Sscanf(strings.TrimRight(w, "+-"), "%d", &v) //nolint:errcheck // words of these tests
		ss = append(ss, consent.Statement{Version: trial.Version(v), Used: strings.HasSuffix(w, "+")})
	}
	return ss
}

func (b *bench) remove(person, at string, class trial.Leaving, ss ...consent.Statement) outcome {
	return b.send(contract.ConsentRemove, consent.Remove{Leaf: leafOf(person), Class: class, Statements: ss, Reason: trial.Commitment{1}}, at+"1", at+"2")
}

func (b *bench) correct(person, at string, v trial.Version, used bool) outcome {
	return b.send(contract.ConsentCorrect, consent.Correct{Leaf: leafOf(person), Version: v, Used: used, Reason: trial.Commitment{2}}, at+"1", at+"2")
}

func (b *bench) replace(old, person, at string, v trial.Version, ss ...consent.Statement) outcome {
	e := b.enrolment(person, at, v)
	t := consent.Replace{Proven: e.Proven, Leaf: e.Leaf, Old: leafOf(old), Statements: ss, Reason: trial.Commitment{3}}
	return b.send(contract.ConsentReplace, t, at+"1", at+"2")
}

func (b *bench) transfer(person, from, to string) outcome {
	return b.send(contract.ConsentTransfer, consent.Transfer{Leaf: leafOf(person), To: site(to)}, to+"1", from+"2")
}

func (b *bench) entry(person string, v trial.Version, k act.Kind, at, slot string, rep uint32, tree string) consent.Entry {
	a := act.Act{Ledger: ledgerID, Trial: b.trial, Kind: k, Site: site(at), Slot: slot, Rep: rep, Day: trial.DayOf(b.now)}
	return consent.Entry{Proven: consent.Proven{Act: a, Root: b.root(tree), Account: accountOf(passOf(person, v), &a)}}
}

func (b *bench) enterEntry(t consent.Entry, at string) outcome {
	return b.send(contract.ConsentEntry, t, at+"1")
}
