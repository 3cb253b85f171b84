package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/event"
)

// datasetKinds adds a transaction of each kind of data to a course.
func datasetKinds(b *bench) {
	b.must(b.register("data chair", trial.DSMB, "regulator"))
	b.must(b.register("data member", trial.DSMB, "regulator"))
	b.must(b.appoint("data chair", "data member"))
	b.must(b.send(contract.DatasetCommit, table(b, "ae"), "sponsor"))
	b.must(b.send(contract.DatasetLock, dataset.Lock{Names: []string{"ae"}, Cut: trial.DayOf(b.now)}, "sponsor"))
	b.must(b.send(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{8}}, "data chair", "data member"))
	b.must(b.send(contract.DatasetUnblindOne, dataset.UnblindOne{Site: site("A"), Cause: dataset.Suspected, Reason: trial.Commitment{9}}, "A1"))
}

// table is a commitment up to today.
func table(b *bench, name string) dataset.Commit {
	return dataset.Commit{
		Name: name, Root: element("root of %s", name), Rows: 3, Subjects: 2, Columns: []string{"USUBJID", "AETERM"},
		File: element("file of %s", name), Cut: trial.DayOf(b.now),
	}
}

func (b *bench) lock(names ...string) outcome {
	return b.send(contract.DatasetLock, dataset.Lock{Names: names, Cut: trial.DayOf(b.now)}, "sponsor")
}

func (b *bench) unblindOne(at, by string) outcome {
	return b.send(contract.DatasetUnblindOne, dataset.UnblindOne{Site: site(at), Cause: dataset.Emergency, Reason: trial.Commitment{1}}, by)
}

// withBoard has a committed table besides the monitoring board.
func withBoard(b *bench) *bench {
	b.house()
	b.must(b.send(contract.DatasetCommit, table(b, "ae"), "sponsor"))
	return b
}

func datasetRefusals() []refused {
	commit := func(what string, change func(*dataset.Commit)) refused {
		return refused{trial.Malformed, true, what, func(b *bench) outcome {
			t := table(b, "ae")
			change(&t)
			return b.send(contract.DatasetCommit, t, "sponsor")
		}}
	}
	elsewhere := func(b *bench) { b.trial[0] ^= 1; b.stream = newBench(b.tb).stream }
	list := []refused{
		commit("a table without a name", func(t *dataset.Commit) { t.Name = "" }),
		commit("a long name", func(t *dataset.Commit) { t.Name = strings.Repeat("a", dataset.MaxName+1) }),
		commit("a name in capitals", func(t *dataset.Commit) { t.Name = "AE" }),
		commit("a name that is a path", func(t *dataset.Commit) { t.Name = "../ae" }),
		commit("a name with a zero byte", func(t *dataset.Commit) { t.Name = "a\x00e" }),
		commit("more persons than rows", func(t *dataset.Commit) { t.Subjects = t.Rows + 1 }),
		commit("too many rows", func(t *dataset.Commit) { t.Rows = dataset.MaxRows + 1 }),
		commit("no column", func(t *dataset.Commit) { t.Columns = nil }),
		commit("a column twice", func(t *dataset.Commit) { t.Columns = []string{"A", "B", "A"} }),
		commit("an unnamed column", func(t *dataset.Commit) { t.Columns = []string{"A", ""} }),
		commit("a long column", func(t *dataset.Commit) { t.Columns = []string{strings.Repeat("A", dataset.MaxColumnName+1)} }),
		commit("too many columns", func(t *dataset.Commit) { t.Columns = make([]string, dataset.MaxColumns+1) }),
		{trial.Malformed, true, "locking unsorted", func(b *bench) outcome { return b.lock("dm", "ae") }},
		{trial.Malformed, true, "locking one twice", func(b *bench) outcome { return b.lock("ae", "ae") }},
		{trial.Malformed, true, "locking no name", func(b *bench) outcome { return b.lock("") }},
		{trial.Malformed, true, "locking too many", func(b *bench) outcome { return b.lock(make([]string, dataset.MaxLocked+1)...) }},
		{trial.Malformed, true, "unblinding to nothing", func(b *bench) outcome {
			withBoard(b)
			return b.send(contract.DatasetUnblind, dataset.Unblind{}, "chair", "member")
		}},
		{trial.Malformed, true, "unblinding one without a cause", func(b *bench) outcome {
			return b.send(contract.DatasetUnblindOne, dataset.UnblindOne{Site: site("A")}, "A1")
		}},
		{trial.Malformed, true, "unblinding one for another cause", func(b *bench) outcome {
			return b.send(contract.DatasetUnblindOne, dataset.UnblindOne{Site: site("A"), Cause: 3}, "A1")
		}},
		{trial.UnknownTrial, true, "unblinding no trial", func(b *bench) outcome {
			withBoard(b)
			elsewhere(b)
			return b.send(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{1}}, "chair", "member")
		}},
		{trial.UnknownTrial, true, "data of no trial", func(b *bench) outcome { elsewhere(b); return b.send(contract.DatasetCommit, table(b, "ae"), "sponsor") }},
		{trial.UnknownTrial, true, "locking data of no trial", func(b *bench) outcome { elsewhere(b); return b.lock() }},
		{trial.UnknownTrial, true, "unblinding one of no trial", func(b *bench) outcome { elsewhere(b); return b.unblindOne("A", "A1") }},
		{trial.DayInFuture, false, "data up to tomorrow", func(b *bench) outcome {
			t := table(b, "ae")
			t.Cut++
			return b.send(contract.DatasetCommit, t, "sponsor")
		}},
		{trial.NoChange, false, "the same data again", func(b *bench) outcome {
			withBoard(b)
			return b.send(contract.DatasetCommit, table(b, "ae"), "sponsor")
		}},
		{trial.DatasetLocked, false, "other data at a locked cut", func(b *bench) outcome {
			withBoard(b)
			b.must(b.lock())
			t := table(b, "ae")
			t.Root[0] ^= 1
			return b.send(contract.DatasetCommit, t, "sponsor")
		}},
		{trial.DatasetLocked, false, "data before a locked cut", func(b *bench) outcome {
			withBoard(b)
			b.must(b.lock("ae"))
			t := table(b, "ae")
			t.Cut -= 30
			return b.send(contract.DatasetCommit, t, "sponsor")
		}},
		{trial.NotCommitted, false, "locking nothing", func(b *bench) outcome { return b.lock() }},
		{trial.NotCommitted, false, "locking what is not committed", func(b *bench) outcome { withBoard(b); return b.lock("ae", "dm") }},
		{trial.NotCommitted, false, "locking up to another cut", func(b *bench) outcome {
			withBoard(b)
			b.now += day
			return b.lock("ae")
		}},
		{trial.NotCommitted, false, "locking all, one of them behind", func(b *bench) outcome {
			withBoard(b)
			b.now += day
			b.must(b.send(contract.DatasetCommit, table(b, "dm"), "sponsor"))
			return b.lock()
		}},
		{trial.AlreadyLocked, false, "locking twice", func(b *bench) outcome {
			withBoard(b)
			b.must(b.lock("ae"))
			return b.lock()
		}},
		{trial.AlreadyUnblinded, false, "unblinding twice", func(b *bench) outcome {
			withBoard(b)
			b.unblind()
			return b.send(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{2}}, "member", "chair")
		}},
		{trial.NeedsSecond, true, "unblinding alone", func(b *bench) outcome {
			withBoard(b)
			return b.send(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{1}}, "chair")
		}},
		{trial.NeedsSecond, true, "unblinding with the sponsor", func(b *bench) outcome {
			withBoard(b)
			return b.send(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{1}}, "chair", "sponsor")
		}},
		{trial.UnknownDelegate, true, "unblinding one at another site", func(b *bench) outcome { return b.unblindOne("B", "A1") }},
		{trial.UnknownDelegate, true, "unblinding one after the delegation", func(b *bench) outcome {
			b.must(b.end("A", "A1"))
			return b.unblindOne("A", "A1")
		}},
		{trial.UnknownDelegate, true, "unblinding one by the sponsor", func(b *bench) outcome { return b.unblindOne("A", "sponsor") }},
	}
	for _, by := range []string{"chair", "ethics", "A1", "K"} {
		list = append(list,
			refused{trial.NotAuthorised, true, "data committed by " + by, func(b *bench) outcome {
				b.house()
				return b.send(contract.DatasetCommit, table(b, "ae"), by)
			}},
			refused{trial.NotAuthorised, true, "data locked by " + by, func(b *bench) outcome {
				withBoard(b)
				return b.send(contract.DatasetLock, dataset.Lock{Cut: trial.DayOf(b.now)}, by)
			}})
	}
	for _, by := range []string{"sponsor", "ethics", "A1", "K"} {
		list = append(list, refused{trial.NotAuthorised, true, "unblinded by " + by, func(b *bench) outcome {
			withBoard(b)
			return b.send(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{1}}, by, "member")
		}})
	}
	return list
}

// TestDatasetHistory: committed, committed again, locked, and committed to a
// later cut beside the locked one.
func TestDatasetHistory(t *testing.T) {
	t.Parallel()
	b := started(t)
	if _, already := dataset.FirstCommitted(b.stream); already {
		t.Error("data before any was committed")
	}
	first := b.now
	b.must(b.send(contract.DatasetCommit, table(b, "ae"), "sponsor"))
	cut := trial.DayOf(b.now)
	b.now += hour
	again := table(b, "ae")
	again.Root[0] ^= 1
	o := b.must(b.send(contract.DatasetCommit, again, "sponsor"))
	if e := o.Events[0].(event.DatasetCommitted); e.Sequence != 2 || e.Root != again.Root || e.Time != b.now {
		t.Errorf("the second commitment: %+v", e)
	}
	b.must(b.lock())
	locked := b.now
	b.now += 30 * day
	later := table(b, "ae")
	b.must(b.send(contract.DatasetCommit, later, "sponsor"))

	r, ok := dataset.Get(b.stream, "ae", cut)
	if !ok || r.Root != again.Root || r.Sequence != 2 || r.Locked != locked {
		t.Errorf("at the locked cut: %+v", r)
	}
	if r, ok := dataset.Latest(b.stream, "ae"); !ok || r.Root != later.Root || r.Sequence != 1 || r.Locked != 0 {
		t.Errorf("at the later cut: %+v", r)
	}
	if d, ok := dataset.Locked(b.stream, "ae"); !ok || d != cut {
		t.Errorf("locked up to %v, %t", d, ok)
	}
	if at, ok := dataset.FirstCommitted(b.stream); !ok || at != first {
		t.Errorf("first committed %d, want %d", at, first)
	}
	if n := len(dataset.Datasets(b.stream)); n != 2 {
		t.Errorf("%d records", n)
	}
	if _, ok := dataset.Get(b.stream, "dm", cut); ok {
		t.Error("a dataset that was never committed")
	}
}

// TestUnblindingWithOpenData: it is never stopped, and never forgotten.
func TestUnblindingWithOpenData(t *testing.T) {
	t.Parallel()
	b := withBoard(started(t))
	b.must(b.send(contract.DatasetCommit, table(b, "dm"), "sponsor"))
	b.must(b.lock("dm"))
	cut := trial.DayOf(b.now)
	if got := dataset.UnlockedBeforeUnblinding(b.stream, cut); !slices.Equal(got, []string{"ae"}) {
		t.Errorf("open while blinded: %v", got)
	}
	if _, done := dataset.Unblinded(b.stream); done {
		t.Error("unblinded before")
	}
	o := b.must(b.send(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{1}}, "member", "chair"))
	if e := o.Events[0].(event.Unblinded); !slices.Equal(e.Open, []string{"ae"}) || e.Time != b.now {
		t.Errorf("%+v", e)
	}
	at := b.now
	// A lock in the same second, but after it, changes nothing any more.
	b.must(b.lock("ae"))
	b.must(b.send(contract.DatasetCommit, table(b, "ex"), "sponsor"))
	b.must(b.lock("ex"))
	for d, want := range map[trial.Day][]string{cut: {"ae", "ex"}, cut + 1: {"ae", "dm", "ex"}} {
		if got := dataset.UnlockedBeforeUnblinding(b.stream, d); !slices.Equal(got, want) {
			t.Errorf("open at unblinding up to %v: %v, want %v", d, got, want)
		}
	}
	if got, done := dataset.Unblinded(b.stream); !done || got != at {
		t.Errorf("unblinded at %d, %t; want %d", got, done, at)
	}
	if c, done := dataset.Allocation(b.stream); !done || c != (trial.Commitment{1}) {
		t.Errorf("allocation %v", c)
	}
}

// TestUnblindOne: nothing about the trial stops it: no version open, data
// locked, study unblinded; each is counted where it was.
func TestUnblindOne(t *testing.T) {
	t.Parallel()
	b := withBoard(started(t))
	b.must(b.unblindOne("A", "A1"))
	b.must(b.unblindOne("C", "C2"))
	b.must(b.lock())
	b.unblind()
	b.now += 1000 * day
	o := b.must(b.unblindOne("A", "A2"))
	if e := o.Events[0].(event.UnblindedOne); e.Number != 3 || e.Site != site("A") || e.Cause != uint8(dataset.Emergency) {
		t.Errorf("%+v", e)
	}
	if n, a := dataset.Emergencies(b.stream), dataset.EmergenciesAt(b.stream, site("A")); n != 3 || a != 2 {
		t.Errorf("%d in the trial, %d at A", n, a)
	}
	if c, done := dataset.Allocation(b.stream); !done || c != (trial.Commitment{1}) {
		t.Errorf("the allocation was lost: %v", c)
	}
}
