// Package relay is the way in for a participant's acts that nobody on it can
// follow (PROTOCOL.md, section 8). The device seals its act to a batcher's key
// and posts it through a relay of another organisation, always in one size: the
// relay knows the address and not the act, the batcher knows the act and not
// the address. The batcher sends what came in an epoch in one batch, shuffled.
//
// A [Relay] holds no ledger, key or file and writes down nothing about a
// request. A [Batcher] signs a promise for each act that it took; by then the
// act is on its disk.
package relay

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Clock gives the time, which on a demonstration is not the machine's.
type Clock interface {
	// Now is milliseconds since 1970 UTC.
	Now() int64
}

// Verifier decides whether a proof shows its statement. *verifier.Key is one.
type Verifier interface {
	Verify(verifier.Proof, verifier.Statement) error
}

// KMin is the least size of a batch where nothing presses.
const KMin = 10

// How long the sending of one batch may take, which waits for its block, and one
// look at all trials.
const (
	askTime  = 30 * time.Second
	lookTime = 2 * time.Minute
)

// Config says what a batcher runs on.
type Config struct {
	Dir      string // its journal; the keys' too
	Keys     *Keys
	Genesis  chain.Genesis
	Verifier Verifier // under the key that the genesis names
	Node     Node
	Clock    Clock
	// KMin is the least size of a batch where no deadline presses; 0: KMin.
	KMin int
	// Jitter is how long after an epoch's end its batch is sent at the latest;
	// drawn anew for each. 0: a tenth of an epoch, and a negative one is none.
	Jitter time.Duration
	// Look is how many ticks there are from one look at the ledger's trials
	// to the next; 0: 10.
	Look int
	// MaxHeld is how many acts are held at most; 0: 20,000.
	MaxHeld int
	// Tell is told what the operator should know: sizes of batches and what goes
	// wrong, never of an act or a sender. nil for nobody. It must not block.
	Tell func(string)
}

func (c *Config) validate() error {
	switch {
	case c.Dir == "":
		return errors.New("batcher: Dir: name the directory of its journal")
	case c.Keys == nil:
		return errors.New("batcher: Keys: missing")
	case c.Verifier == nil:
		return errors.New("batcher: Verifier: give one of the key that the genesis names")
	case c.Keys.ledger != c.Genesis.ID():
		return errors.New("batcher: Keys: of another ledger")
	case c.Node == nil:
		return errors.New("batcher: Node: missing")
	case c.Clock == nil:
		return errors.New("batcher: Clock: give one")
	}
	if c.KMin == 0 {
		c.KMin = KMin
	}
	if c.Jitter == 0 {
		c.Jitter = time.Duration(c.Genesis.Epoch) * time.Second / 10
	}
	if c.Look == 0 {
		c.Look = 10
	}
	if c.MaxHeld == 0 {
		c.MaxHeld = 20_000
	}
	if c.Tell == nil {
		c.Tell = func(string) {}
	}
	return nil
}

// Batcher takes sealed acts and sends those of an epoch together. Its methods
// are safe for concurrent use.
type Batcher struct {
	cfg      Config
	ledger   wire.LedgerID
	keys     *Keys
	verifier Verifier
	node     Node
	turns    chan struct{}
	view     view
	unlock   func() error

	tick  sync.Mutex // one at a time
	ticks int        // under tick

	mu      sync.Mutex // of what is below
	state   *state
	journal *journal
	spent   int               // finished since the journal was written anew
	jitter  int64             // milliseconds, of the present epoch
	told    map[string]string // what was told last of each matter, to say it once
	failed  error             // why the journal can no longer be relied on

	step func(string) // called after each step of the journal: a test looks at the disk there
}

// OpenBatcher goes on where the journal of a directory ends. Two processes
// cannot have the same one.
func OpenBatcher(c Config) (*Batcher, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	unlock, err := lockDirectory(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("batcher: %s: another process has it open: %w", c.Dir, err)
	}
	b := &Batcher{
		cfg: c, ledger: c.Genesis.ID(), keys: c.Keys, verifier: c.Verifier, node: c.Node, unlock: unlock,
		turns: make(chan struct{}, 4*runtime.GOMAXPROCS(0)), state: newState(), told: map[string]string{},
		step: func(string) {},
	}
	b.journal, err = openJournal(c.Dir, b.state.apply, b.state.describe)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("batcher: %w", err), unlock())
	}
	b.draw()
	return b, nil
}

// Close gives the directory free. Stop the server and Run first.
func (b *Batcher) Close() error { return errors.Join(b.journal.Close(), b.unlock()) }

// Held counts the acts that are promised and not finished.
func (b *Batcher) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.state.acts)
}

// Run ticks until ctx ends, or until the journal fails: what was promised then
// is safe, and nothing more is.
func (b *Batcher) Run(ctx context.Context, every time.Duration) error {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if err := b.Tick(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func idOf(bytes []byte) actID { return sha256.Sum256(bytes) }

// epoch numbers the epoch of a time; epochs are counted from genesis.
func (b *Batcher) epoch(ms int64) uint64 { return b.context().EpochAt(ms) }

func (b *Batcher) context() trial.Context {
	return trial.Context{Genesis: b.cfg.Genesis.Time, Epoch: b.cfg.Genesis.Epoch}
}

// draw chooses how long after the end of this epoch the batch is sent.
func (b *Batcher) draw() {
	b.jitter = 0
	if most := b.cfg.Jitter.Milliseconds(); most > 0 {
		b.jitter = int64(below(uint64(most)))
	}
}

// write appends a change and applies it; b.mu is held. It is durable once
// synced says so.
func (b *Batcher) write(c change) (end int64, err error) {
	if b.failed != nil {
		return 0, b.failed
	}
	if end, err = b.journal.Append(c); err != nil {
		return 0, fmt.Errorf("batcher: %w", err)
	}
	b.state.apply(c)
	b.spent += len(c.Finished)
	b.step("written")
	return end, nil
}

// synced returns once the journal is durable up to an end. A failure is for good.
func (b *Batcher) synced(end int64) error {
	err := b.journal.Sync(end)
	if err != nil {
		b.mu.Lock()
		b.failed = fmt.Errorf("batcher: %w; start it again", err)
		b.mu.Unlock()
	}
	return err
}

// commit makes a change durable.
func (b *Batcher) commit(c change) error {
	b.mu.Lock()
	end, err := b.write(c)
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return b.synced(end)
}

// tell says what goes wrong, once until it changes.
func (b *Batcher) tell(what string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	b.mu.Lock()
	news := b.told[what] != text
	b.told[what] = text
	b.mu.Unlock()
	switch {
	case news && err != nil:
		b.cfg.Tell(what + ": " + text)
	case news:
		b.cfg.Tell(what + ": well again")
	}
}
