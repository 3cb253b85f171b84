// Package enginetest says in tests what every engine.Engine owes its callers.
//
// An engine passes Run with a constructor of its own. Audit checks a running
// ledger against itself, and Reexecute against a second execution that shares
// nothing with it; both are for the tests of faults as well, which ask them
// after whatever befell the ledger.
package enginetest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Options are what a case asks of an engine.
type Options struct {
	Dir       string             // its home; the same one again is a restart
	Genesis   chain.Genesis      // toy's
	Key       ed25519.PrivateKey // genesis's node key
	Machine   engine.StateMachine
	Clock     engine.Clock // nil: the machine's
	Followers []engine.Follower
	MaxQueue  int // transactions admitted and not yet in a block; 0: its own limit
}

// Open starts an engine, or ends the test. The case closes it; what is left
// open when the test ends Open closes by itself.
type Open func(t testing.TB, o Options) engine.Engine

// Case is one thing that an engine owes.
type Case struct {
	Name string
	Run  func(t testing.TB, open Open)
}

// Cases are all of them.
func Cases() []Case {
	return []Case{
		{"Empty", empty},
		{"OneTransaction", oneTransaction},
		{"Order", order},
		{"DirectoryFirst", directoryFirst},
		{"Refusals", refusals},
		{"TooLarge", tooLarge},
		{"SubmitErrors", submitErrors},
		{"Idempotency", idempotency},
		{"IdempotencyInTheQueue", idempotencyInTheQueue},
		{"IdempotencyAfterRestart", idempotencyAfterRestart},
		{"ExpiryInTheQueue", expiryInTheQueue},
		{"Busy", busy},
		{"ManySubmitters", manySubmitters},
		{"Cancelled", cancelled},
		{"CloseDrains", closeDrains},
		{"Closed", closed},
		{"Restart", restart},
		{"TimeIsMonotone", timeIsMonotone},
		{"ReadYourWrites", readYourWrites},
		{"Linearizable", linearizable},
		{"Receipts", receipts},
		{"StreamProofs", streamProofs},
		{"Consistency", consistency},
		{"Followers", followers},
		{"FollowersAfterRestart", followersAfterRestart},
		{"FollowerFails", followerFails},
		{"Reexecution", reexecution},
	}
}

// Run holds an engine to every case.
func Run(t *testing.T, open Open) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.Run(t, open)
		})
	}
}

// options are those of a case that asks nothing else.
func options(t testing.TB) Options {
	return Options{Dir: t.TempDir(), Genesis: toy.Genesis(), Key: toy.Key(0), Machine: new(toy.Machine)}
}

// limit ends a wait that would never end. No case depends on its length.
func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Enter submits a transaction and waits for its entry.
func Enter(ctx context.Context, e engine.Engine, raw []byte) (engine.Entry, error) {
	hash, err := e.Submit(ctx, raw)
	if err != nil {
		return engine.Entry{}, err
	}
	return e.Wait(ctx, hash)
}

func enter(t testing.TB, e engine.Engine, raw []byte) engine.Entry {
	t.Helper()
	entry, err := Enter(limit(t), e, raw)
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

func submit(t testing.TB, e engine.Engine, raw []byte) wire.TxHash {
	t.Helper()
	hash, err := e.Submit(limit(t), raw)
	if err != nil {
		t.Fatal(err)
	}
	if hash != tx.Hash(raw) {
		t.Fatalf("submitted %v, told %v", tx.Hash(raw), hash)
	}
	return hash
}

func wait(t testing.TB, e engine.Engine, hash wire.TxHash) engine.Entry {
	t.Helper()
	entry, err := e.Wait(limit(t), hash)
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

func shut(t testing.TB, e engine.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition that another goroutine brings about.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	ctx := limit(t)
	for !done() {
		if ctx.Err() != nil {
			t.Fatalf("waited for nothing: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// audit is Audit that ends the test.
func audit(t testing.TB, e engine.Engine) {
	t.Helper()
	if err := Audit(e); err != nil {
		t.Fatal(err)
	}
}

// size is the number of transactions in the log.
func size(e engine.Engine) uint64 { return e.Head().Size() }

// wants reports an error that is not the wanted one.
func wants(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}
