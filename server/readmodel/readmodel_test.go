package readmodel_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// both runs a test on SQLite, and on PostgreSQL where TRIALITH_POSTGRES names one.
func both(t *testing.T, test func(*testing.T, readmodel.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, readmodel.Config{Dir: t.TempDir(), KindName: kindName})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, readmodel.Config{DSN: schema(t), KindName: kindName})
	})
}

func kindName(k tx.Kind) string { return map[tx.Kind]string{7: "seven"}[k] }

// schema makes a schema of its own for a test, and returns the URL that leads there.
func schema(t *testing.T) string {
	t.Helper()
	base := os.Getenv("TRIALITH_POSTGRES")
	if base == "" {
		const reason = "TRIALITH_POSTGRES is not set: give the URL of a PostgreSQL database to test on"
		if strings.Contains(os.Getenv("TRIALITH_REQUIRE"), "postgres") {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	db, err := gorm.Open(postgres.Open(base), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	name := "readmodel_" + hex.EncodeToString(random(8))
	if err := db.Exec("CREATE SCHEMA " + name).Error; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Exec("DROP SCHEMA " + name + " CASCADE").Error; err != nil {
			t.Error(err)
		}
		pool, err := db.DB()
		if err == nil {
			err = pool.Close()
		}
		if err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func random(n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err)
	}
	return b
}

func open(t testing.TB, c readmodel.Config) *readmodel.Model {
	t.Helper()
	m, err := readmodel.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// script makes blocks of one entry each, which say what events say.
type script struct {
	blocks []engine.Block
	count  map[wire.StreamID]uint64
}

const begin = 1_700_000_000_000

func (s *script) add(stream wire.StreamID, code engine.Code, events ...event.Event) {
	if s.count == nil {
		s.count = map[wire.StreamID]uint64{}
	}
	height := uint64(len(s.blocks) + 1)
	e := engine.Entry{
		Stream: stream, Sequence: s.count[stream], Height: height, Time: begin + int64(height)*3_600_000,
		Hash: wire.TxHash(wire.Sum("test", height)), Result: engine.Result{Code: code},
	}
	if code == engine.Accepted {
		e.Envelope = (&tx.Envelope{Version: tx.Version, Kind: 7, Stream: stream, Key: wire.KeyID{7}}).Encode()
	}
	for _, x := range events {
		kind, body := event.Encode(x)
		e.Result.Events = append(e.Result.Events, engine.Event{Kind: kind, Body: body})
	}
	s.count[stream]++
	s.blocks = append(s.blocks, engine.Block{Height: height, Time: e.Time, Entries: []engine.Entry{e}})
}

var (
	study   = trial.ID{1}
	stream  = wire.StreamID(study)
	siteOne = trial.SiteID{11}
	siteTwo = trial.SiteID{12}
	person  = trial.ActorID{21}
	sponsor = trial.ActorID{22}
	ethics  = trial.ActorID{23}
)

func leaf(n byte) field.Leaf       { return field.Leaf{31: n} }
func account(n byte) field.Account { return field.Account{31: 100 + n} }

func enrol(n byte, place uint64) []event.Event {
	return []event.Event{
		event.Enrolled{Leaf: leaf(n), Site: siteOne, Version: 1, Day: trial.DayOf(begin)},
		event.LeafSet{Tree: "N-1", Place: place, Leaf: leaf(n)},
		event.Counted{Version: 1, Set: trial.New, Counters: trial.Counters{Owed: place + 1}},
	}
}

// story is a small trial: three enrolled, one replaced, one withdrawn by proof
// after her version settled, one moved.
func story() *script {
	s := new(script)
	for _, a := range []trial.Actor{
		{ID: trial.ActorID(siteOne), Role: trial.Site, Name: "Beta", Country: "DE"},
		{ID: trial.ActorID(siteTwo), Role: trial.Site, Name: "Alpha", Country: "FR"},
		{ID: person, Role: trial.Investigator, Name: "Dr Gamma", Country: "DE", Site: siteOne},
		{ID: ethics, Role: trial.Ethics, Name: "Committee", Country: "DE"},
	} {
		s.add(wire.Directory, 0, event.ActorRegistered{Actor: a, Key: [32]byte(wire.Sum("key", a.ID))})
	}
	s.add(wire.Directory, 0, event.Delegated{Site: siteOne, Delegation: trial.Delegation{
		Person: person, Tasks: []trial.Task{trial.Enrolling, trial.Recording}, From: trial.DayOf(begin),
	}})
	s.add(wire.Directory, 0, event.KeyRotated{Actor: person, Key: [32]byte{9}})
	p := trial.Protocol{Title: "A trial", Acronym: "AT", Sponsor: "Sponsor Ltd", SampleSize: 3}
	s.add(stream, 0, event.Registered{Sponsor: sponsor, Protocol: p, FormSet: trial.Digest{5}})
	s.add(stream, 0, event.Decided{Version: 1, Form: "adult", Approved: true, Ethics: ethics})
	for _, site := range []trial.SiteID{siteOne, siteTwo} {
		s.add(stream, 0, event.SiteOpened{Version: 1, Site: site, Time: begin}, event.Opened{Version: 1, Site: site, Time: begin, Deadline: begin + 9})
	}
	for n := range byte(3) {
		s.add(stream, 0, enrol(n+1, uint64(n))...)
	}
	s.add(stream, 0, event.Acted{Kind: act.Consent, Version: 1, Set: trial.New, Account: account(1)}, event.LeafSet{Tree: "pass-1", Leaf: leaf(201)})
	s.add(stream, 303)
	s.add(stream, 0, event.Acted{Kind: act.Options, Version: 1, Set: trial.New, Account: account(1), Sequence: 1})
	p.Risks = "another"
	s.add(stream, 0, event.Amended{Version: 2, Protocol: p, FormSet: trial.Digest{6}, Reason: "why", Changes: []trial.Change{{Class: trial.RiskChange, Field: "risks", After: "another"}}},
		event.ImpactDerived{Version: 2, Impact: trial.Impact{Substantial: true, Existing: true, Classes: []trial.Class{trial.RiskChange}}})
	s.add(stream, 0, event.Classified{Version: 2, Impact: trial.Impact{Substantial: true, Decided: true}, Reason: "no", Ethics: ethics})
	// 1 withdraws by proof: its version is settled, so that nothing is counted.
	s.add(stream, 0, event.LeafSet{Tree: "N-1", Place: 0}, event.Acted{Kind: act.Withdraw, Version: 1, Set: trial.New, Account: account(1), Sequence: 2})
	// 2 is replaced by 4.
	s.add(stream, 0,
		event.LeafSet{Tree: "N-1", Place: 1},
		event.Left{Leaf: leaf(2), Site: siteOne, Version: 1, Set: trial.New, By: trial.ByWord, First: true},
		event.Enrolled{Leaf: leaf(4), Site: siteOne, Version: 1, Day: trial.DayOf(begin) + 1},
		event.LeafSet{Tree: "N-1", Place: 3, Leaf: leaf(4)},
		event.Replaced{Old: leaf(2), New: leaf(4), Site: siteOne})
	// What was said of 2 is said again.
	s.add(stream, 0, event.Left{Leaf: leaf(2), Site: siteOne, Version: 1, Set: trial.New, By: trial.ByWord, Used: true},
		event.WordCorrected{Leaf: leaf(2), Version: 1, Used: true})
	s.add(stream, 0, event.Transferred{Leaf: leaf(3), From: siteOne, To: siteTwo})
	s.add(stream, 0, event.Screened{Leaf: leaf(77), Site: siteOne}, event.LeafSet{Tree: "eligible", Leaf: leaf(77)})
	s.add(stream, 0, event.Randomised{Site: siteOne, Version: 1, Account: account(9)})
	s.add(stream, 0, event.Randomised{Site: siteOne, Version: 1, Deviation: "age"})
	s.add(stream, 0, event.Entered{Kind: act.Dose, Site: siteOne, Slot: "first-dose", Account: account(10), Floor: 1})
	s.add(stream, 0, event.Entered{Kind: act.Visit, Site: siteTwo, Slot: "v1", Account: account(11), Floor: 1})
	return s
}

func tell(t testing.TB, m *readmodel.Model, blocks []engine.Block) {
	t.Helper()
	for _, b := range blocks {
		if err := m.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStory(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c readmodel.Config) {
		m := open(t, c)
		s := story()
		tell(t, m, s.blocks)
		ctx := t.Context()
		if got := must[uint64](t)(m.Cursor(ctx)); got != uint64(len(s.blocks)) || m.Height() != got {
			t.Fatalf("cursor %d, height %d, want %d", got, m.Height(), len(s.blocks))
		}
		got := must[readmodel.Trial](t)(m.Trial(ctx, study))
		want := readmodel.Trial{
			ID: study, Title: "A trial", Acronym: "AT", Sponsor: "Sponsor Ltd", SponsorID: sponsor, Status: "open",
			Registered: begin + 7*3_600_000, Updated: s.blocks[len(s.blocks)-1].Time, Entry: "trial/0", Latest: 2, Sites: 2,
			Enrolled: 3, Active: 2, Randomised: 1, Deviations: 1, Visits: 1, Doses: 1, Entries: 2, Left: 1, Withdrawn: 1,
			Replaced: 1, Acts: 3, Refused: 1,
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error("trial:", d)
		}
		versions := must[[]readmodel.Version](t)(m.Versions(ctx, study))
		if len(versions) != 2 || versions[0].OpenedSites != 2 || versions[0].Counters.Owed != 3 || versions[0].FirstOpened != begin ||
			versions[1].Impact.Existing || !versions[1].Impact.Decided || len(versions[1].Impact.Classes) != 1 {
			t.Errorf("versions: %+v", versions)
		}
		two := must[readmodel.Version](t)(m.Version(ctx, study, 2))
		if two.Protocol.Risks != "another" || len(two.Changes) != 1 || two.Reason != "why" {
			t.Errorf("version 2: %+v", two)
		}
		sites := must[[]readmodel.Site](t)(m.Sites(ctx, study))
		if len(sites) != 2 || sites[0].Name != "Alpha" || sites[0].Active != 1 || sites[1].Enrolled != 3 || sites[1].Active != 1 ||
			sites[1].Withdrawn != 1 || len(sites[1].Openings) != 1 {
			t.Errorf("sites: %+v", sites)
		}
		one := must[readmodel.Member](t)(m.Member(ctx, study, leaf(1)))
		if one.Active || one.By != trial.ByProof || len(one.Owes) != 1 || one.Owes[0].Left != 0 {
			t.Errorf("who withdrew: %+v", one)
		}
		four := must[readmodel.Member](t)(m.Member(ctx, study, leaf(4)))
		if !four.Active || four.Replaces != leaf(2) || four.Owes[0].Place != 3 {
			t.Errorf("who replaces: %+v", four)
		}
		a := must[readmodel.Account](t)(m.Account(ctx, study, account(1)))
		if a.Kind != "withdraw" || a.Sequence != 2 || a.First == a.Latest {
			t.Errorf("account: %+v", a)
		}
		checkPeople(t, m)
		checkLists(t, m)
		checkLedger(t, m, s)
	})
}

func checkPeople(t *testing.T, m *readmodel.Model) {
	t.Helper()
	ctx := t.Context()
	log := must[[]readmodel.Delegation](t)(m.Delegations(ctx, siteOne))
	if len(log) != 1 || log[0].Name != "Dr Gamma" || len(log[0].Tasks) != 2 {
		t.Errorf("delegation log: %+v", log)
	}
	for _, key := range [][32]byte{{9}, [32]byte(wire.Sum("key", person))} {
		if a, err := m.Signer(ctx, tx.PublicKey(key).ID()); err != nil || a.ID != person || a.Public != (tx.PublicKey{9}) {
			t.Errorf("who held key %x: %+v, %v", key[:2], a, err)
		}
	}
	if d := must[[]readmodel.Decision](t)(m.Decisions(ctx, study)); len(d) != 1 || d[0].Name != "Committee" {
		t.Errorf("decisions: %+v", d)
	}
	if r := must[[]readmodel.Randomisation](t)(m.Randomisations(ctx, study, 10)); len(r) != 2 || r[0].Deviation != "age" {
		t.Errorf("randomisations: %+v", r)
	}
	visits, accounts := must[[]readmodel.Visit](t)(m.Visits(ctx, study, nil, 10)), must[readmodel.Leaves](t)(m.EntryAccounts(ctx, study))
	if first := visits[len(visits)-1].Account; len(accounts.Bytes) != field.Size*len(visits) || !bytes.Equal(accounts.Bytes[:field.Size], first[:]) {
		t.Errorf("accounts of %d entries: %+v", len(visits), accounts)
	}
	if v := must[[]readmodel.Visit](t)(m.Visits(ctx, study, &siteTwo, 10)); len(v) != 1 || v[0].Slot != "v1" {
		t.Errorf("visits of a site: %+v", v)
	}
	if l := must[[]readmodel.Leaving](t)(m.Leavings(ctx, study, 10)); len(l) != 2 || l[1].Leaf != leaf(2) || !l[1].First ||
		l[1].Corrected || !l[0].Corrected || !l[0].Used || l[0].First {
		t.Errorf("leavings: %+v", l)
	}
	if p := must[[]readmodel.Point](t)(m.EnrolmentByDay(ctx, study)); len(p) != 2 || p[0].Count != 3 || p[1].Count != 1 {
		t.Errorf("enrolment: %+v", p)
	}
	if p := must[[]readmodel.Point](t)(m.ActsByDay(ctx, study, 1)); len(p) != 1 || p[0].Count != 1 {
		t.Errorf("consents: %+v", p)
	}
	if x := must[[]readmodel.Member](t)(m.Members(ctx, study, &siteTwo, 10)); len(x) != 1 || x[0].Leaf != leaf(3) {
		t.Errorf("members of a site: %+v", x)
	}
}

func checkLists(t *testing.T, m *readmodel.Model) {
	t.Helper()
	ctx := t.Context()
	l := must[readmodel.Leaves](t)(m.Leaves(ctx, study, "N-1"))
	zero, three, four := leaf(0), leaf(3), leaf(4)
	if want := string(zero[:]) + string(zero[:]) + string(three[:]) + string(four[:]); string(l.Bytes) != want || l.Tag == "" {
		t.Errorf("N-1: %x", l.Bytes)
	}
	if trees := must[[]readmodel.Tree](t)(m.Trees(ctx, study)); len(trees) != 3 || trees[0].Name != "N-1" || trees[0].Size != 4 {
		t.Errorf("trees: %+v", trees)
	}
	one := account(1)
	if a := must[readmodel.Leaves](t)(m.AccountList(ctx, study)); string(a.Bytes) != string(one[:]) {
		t.Errorf("accounts: %x", a.Bytes)
	}
	for _, tree := range []string{"N-9", "accounts", ""} {
		if _, err := m.Leaves(ctx, study, tree); !errors.Is(err, readmodel.ErrUnknown) {
			t.Errorf("tree %q: %v", tree, err)
		}
	}
}

func checkLedger(t *testing.T, m *readmodel.Model, s *script) {
	t.Helper()
	ctx := t.Context()
	all := must[[]readmodel.Entry](t)(m.Entries(ctx, 0, 1000))
	if len(all) != len(s.blocks) || all[6].Name != "trial/0" || all[6].KindName != "seven" || all[0].Name != "directory/0" {
		t.Errorf("entries: %+v", all[:7])
	}
	latest := must[[]readmodel.Entry](t)(m.LatestEntries(ctx, &stream, 1))
	if len(latest) != 1 || latest[0] != all[len(all)-1] {
		t.Errorf("latest: %+v", latest)
	}
	e := must[readmodel.Entry](t)(m.Entry(ctx, all[14].Hash))
	if e != all[14] || !e.Refused() || e.Kind != 0 {
		t.Errorf("the refused: %+v", e)
	}
	if b := must[[]readmodel.Block](t)(m.Blocks(ctx, 0, 2)); len(b) != 2 || b[0].First != uint64(len(all)-1) {
		t.Errorf("blocks: %+v", b)
	}
	for what, err := range map[string]error{
		"largest block": second(m.Block(ctx, math.MaxUint64)),
		"block":         second(m.Block(ctx, 999)), "entry": second(m.Entry(ctx, wire.TxHash{})), "trial": second(m.Trial(ctx, trial.ID{9})),
		"member": second(m.Member(ctx, study, leaf(99))), "version": second(m.Version(ctx, study, 9)), "actor": second(m.Actor(ctx, trial.ActorID{})),
	} {
		if !errors.Is(err, readmodel.ErrUnknown) {
			t.Errorf("unknown %s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// everything reads all that pages may read, to compare two models.
func everything(t *testing.T, m *readmodel.Model) []any {
	t.Helper()
	ctx := t.Context()
	return []any{
		must[[]readmodel.Entry](t)(m.Entries(ctx, 0, 1000)), must[[]readmodel.Actor](t)(m.Actors(ctx)),
		must[[]readmodel.Trial](t)(m.Trials(ctx)), must[[]readmodel.Version](t)(m.Versions(ctx, study)),
		must[[]readmodel.Site](t)(m.Sites(ctx, study)), must[[]readmodel.Member](t)(m.Members(ctx, study, nil, 100)),
		must[[]readmodel.Account](t)(m.Accounts(ctx, study, 100)), must[[]readmodel.Leaving](t)(m.Leavings(ctx, study, 100)),
		must[[]readmodel.Tree](t)(m.Trees(ctx, study)), must[readmodel.Leaves](t)(m.Leaves(ctx, study, "N-1")).Bytes,
		must[[]readmodel.Counted](t)(m.Counters(ctx, study)), must[[]readmodel.Visit](t)(m.Visits(ctx, study, nil, 100)),
	}
}

func TestRepeatReopenRebuild(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c readmodel.Config) {
		s := story()
		m := open(t, c)
		tell(t, m, s.blocks)
		want := everything(t, m)
		tell(t, m, s.blocks[3:])
		if d := cmp.Diff(want, everything(t, m)); d != "" {
			t.Error("blocks told twice change something:", d)
		}
		if err := m.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m.Height() != 0 || len(must[[]readmodel.Entry](t)(m.Entries(t.Context(), 0, 10))) != 0 {
			t.Fatal("not empty after Drop")
		}
		// Half of them, then a process that starts anew tells the rest.
		tell(t, m, s.blocks[:17])
		again := open(t, c)
		if at := must[uint64](t)(again.Cursor(t.Context())); at != 17 {
			t.Fatalf("cursor %d after 17 blocks", at)
		}
		tell(t, again, s.blocks[17:])
		if d := cmp.Diff(want, everything(t, again)); d != "" {
			t.Error("rebuilt, it differs:", d)
		}
		// The first process lags behind now: it must not write over the second's rows.
		if err := m.Apply(t.Context(), s.blocks[17]); err == nil {
			t.Error("two writers")
		}
		if d := cmp.Diff(want, everything(t, again)); d != "" {
			t.Error("a second writer changed:", d)
		}
	})
}

// TestListsStand checks that a list in a reader's hands stays as it was read.
func TestListsStand(t *testing.T) {
	t.Parallel()
	m := open(t, readmodel.Config{Dir: t.TempDir()})
	s := story()
	tell(t, m, s.blocks[:13])
	before := must[readmodel.Leaves](t)(m.Leaves(t.Context(), study, "N-1"))
	copied := string(before.Bytes)
	tell(t, m, s.blocks[13:])
	after := must[readmodel.Leaves](t)(m.Leaves(t.Context(), study, "N-1"))
	if string(before.Bytes) != copied || len(copied) != 3*32 {
		t.Error("the bytes of a list changed after it was read")
	}
	if before.Tag == after.Tag {
		t.Error("another list has the same tag")
	}
}

func TestBadBlockChangesNothing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c readmodel.Config) {
		s := story()
		m := open(t, c)
		tell(t, m, s.blocks[:12])
		want := everything(t, m)
		bad := s.blocks[12]
		bad.Entries = append([]engine.Entry{}, bad.Entries...)
		bad.Entries[0].Result.Events = append(bad.Entries[0].Result.Events, engine.Event{Kind: 9999})
		if err := m.Apply(t.Context(), bad); err == nil {
			t.Fatal("an event of no kind was applied")
		}
		if err := m.Apply(t.Context(), s.blocks[13]); err == nil {
			t.Fatal("a block was left out")
		}
		if d := cmp.Diff(want, everything(t, m)); d != "" {
			t.Error("a block that failed changed:", d)
		}
		tell(t, m, s.blocks[12:])
		if got := must[readmodel.Trial](t)(m.Trial(t.Context(), study)); got.Enrolled != 3 || got.Active != 2 {
			t.Errorf("after the right block came: %+v", got)
		}
	})
}

func TestWait(t *testing.T) {
	t.Parallel()
	m := open(t, readmodel.Config{Dir: t.TempDir()})
	s := story()
	done := make(chan error, 1)
	go func() { done <- m.Wait(t.Context(), 5) }()
	tell(t, m, s.blocks[:6])
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := m.Wait(ctx, 7); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for a block that does not come: %v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []readmodel.Config{{}, {DSN: "host=localhost"}} {
		if _, err := readmodel.Open(c); err == nil {
			t.Errorf("%+v: opened", c)
		}
	}
}

func TestAnotherLedger(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c readmodel.Config) {
		c.Genesis = chain.Genesis{
			Version: chain.GenesisVersion, Name: "one", Authorities: []chain.Authority{{Role: "regulator", Name: "Agency", Country: "DE", Key: tx.PublicKey{1}}},
		}
		m := open(t, c)
		open(t, c) // the same again
		actors := must[[]readmodel.Actor](t)(m.Actors(t.Context()))
		if len(actors) != 2 || actors[0].Role != trial.Regulator || !actors[0].Genesis || actors[1].Role != trial.Node {
			t.Errorf("the genesis's actors: %+v", actors)
		}
		if a, err := m.Signer(t.Context(), tx.PublicKey{1}.ID()); err != nil || a.Name != "Agency" {
			t.Errorf("the regulator's key: %+v, %v", a, err)
		}
		c.Genesis.Name = "two"
		if _, err := readmodel.Open(c); err == nil {
			t.Error("the tables of another ledger were opened")
		}
	})
}

// BenchmarkApply tells a block of ten enrolments each time.
func BenchmarkApply(b *testing.B) {
	m := open(b, readmodel.Config{Dir: b.TempDir()})
	s := new(script)
	s.add(stream, 0, event.Registered{Sponsor: sponsor, Protocol: trial.Protocol{Title: "A trial"}})
	tell(b, m, s.blocks)
	place := uint64(0)
	for b.Loop() {
		var block engine.Block
		for range 10 {
			n := leaf(0)
			copy(n[:], random(16))
			s.add(stream, 0, event.Enrolled{Leaf: n, Site: siteOne, Version: 1}, event.LeafSet{Tree: "N-1", Place: place, Leaf: n},
				event.Counted{Version: 1, Set: trial.New, Counters: trial.Counters{Owed: place + 1}})
			place++
			block.Entries = append(block.Entries, s.blocks[len(s.blocks)-1].Entries[0])
		}
		block.Height = m.Height() + 1
		if err := m.Apply(b.Context(), block); err != nil {
			b.Fatal(err)
		}
	}
}

// TestBatch: one entry does many acts; several leaves leave by it.
func TestBatch(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c readmodel.Config) {
		m, s, ctx := open(t, c), story(), t.Context()
		batcher := trial.ActorID{31}
		s.add(wire.Directory, 0, event.ActorRegistered{Actor: trial.Actor{ID: batcher, Role: trial.Batcher, Name: "Batcher"}, Key: [32]byte{31}})
		leaves := func(n byte, place uint64) []event.Event {
			return []event.Event{
				event.LeafSet{Tree: "N-1", Place: place},
				event.Left{Leaf: leaf(n), Site: siteOne, Version: 1, Set: trial.New, By: trial.ByProof, First: true},
				event.Acted{Kind: act.Withdraw, Version: 1, Set: trial.New, Account: account(n)},
			}
		}
		s.add(stream, 0, slices.Concat([]event.Event{
			event.Batched{Batcher: batcher, Epoch: 5, Acts: 4, Skipped: 1},
			event.Acted{Kind: act.Consent, Version: 1, Set: trial.New, Account: account(50)},
			event.Acted{Kind: act.Options, Version: 1, Set: trial.New, Account: account(50), Sequence: 1},
		}, leaves(3, 2), leaves(4, 3))...)
		s.add(stream, 0, event.Countersigned{Site: siteOne, Epoch: 5, Table: trial.Commitment{8}, Total: 2, Day: 9, By: person})
		s.add(stream, 0, event.Countersigned{Site: siteTwo, Epoch: 6, Table: trial.Commitment{9}, Total: 1, Day: 9, By: person})
		tell(t, m, s.blocks)
		last := s.blocks[len(s.blocks)-1].Time
		if b := must[[]readmodel.Batch](t)(m.Batches(ctx, study, 10)); len(b) != 1 || b[0].Name != "Batcher" || b[0].Epoch != 5 ||
			b[0].Acts != 4 || b[0].Skipped != 1 || b[0].Batcher != batcher || b[0].Time != last-2*3_600_000 {
			t.Errorf("batches: %+v", b)
		}
		if l := must[[]readmodel.Leaving](t)(m.Leavings(ctx, study, 10)); len(l) != 4 || l[0].Entry != l[1].Entry || l[0].Leaf == l[1].Leaf {
			t.Errorf("leavings: %+v", l)
		}
		if a := must[[]readmodel.Account](t)(m.AllAccounts(ctx, study)); len(a) != 4 || a[1].Account != account(50) || a[1].Kind != "options" || a[1].Sequence != 1 || a[2].Kind != "withdraw" {
			t.Errorf("accounts: %+v", a)
		}
		if x := must[[]readmodel.Member](t)(m.AllMembers(ctx, study)); len(x) != 4 || x[0].Leaf != leaf(1) || x[3].Leaf != leaf(4) || x[3].Active {
			t.Errorf("members: %+v", x)
		}
		all := must[[]readmodel.Countersigned](t)(m.CountersignedAt(ctx, study, nil, 10))
		one := must[[]readmodel.Countersigned](t)(m.CountersignedAt(ctx, study, &siteOne, 10))
		want := readmodel.Countersigned{
			Site: siteOne, Epoch: 5, Table: trial.Commitment{8}, Total: 2, Day: 9, By: person, Time: last - 3_600_000, Entry: one[0].Entry,
		}
		if len(all) != 2 || all[0].Site != siteTwo || len(one) != 1 || one[0] != want {
			t.Errorf("countersigned: %+v, at one site %+v", all, one)
		}
		if got := must[readmodel.Trial](t)(m.Trial(ctx, study)); got.Active != 0 || got.Withdrawn != 3 || got.Acts != 7 {
			t.Errorf("trial: %+v", got)
		}
	})
}
