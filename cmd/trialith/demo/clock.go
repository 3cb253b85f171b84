package demo

import (
	"context"
	"sync"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/trial"
)

// morning is when a study day begins: 06:00 UTC.
const morning = 6 * 60 * 60 * 1000

// Clock is the study clock: it jumps to the next dated step and goes on one
// second a block. It follows the ledger to do so.
type Clock struct {
	// Jumped is told each jump; nil: nobody is.
	Jumped func(now int64)

	mu  sync.Mutex
	now int64
}

// NewClock starts a study clock on the morning of a day.
func NewClock(day trial.Day) *Clock { return &Clock{now: day.Start() + morning} }

// Now is the study time in milliseconds since 1970 UTC.
func (c *Clock) Now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Jump moves the clock to the morning of a day, never back.
func (c *Clock) Jump(day trial.Day) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = max(c.now, day.Start()+morning)
	if c.Jumped != nil {
		c.Jumped(c.now)
	}
}

// Cursor is 0: the clock keeps nothing, and hears of all blocks again.
func (c *Clock) Cursor(context.Context) (uint64, error) { return 0, nil }

// Apply goes on one second from the block.
func (c *Clock) Apply(_ context.Context, b engine.Block) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = max(c.now, b.Time+1000)
	return nil
}
