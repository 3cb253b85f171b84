package demo

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Report tells a reader what happens: a ticked list with times, and a bar on
// long steps.
type Report struct {
	Out io.Writer // the list
	Err io.Writer // the bar, and warnings
	Bar bool      // Err is a terminal

	number int
	took   map[string]float64
}

// Step runs one step of the list and keeps its time under a key.
func (r *Report) Step(key, title string, run func() (string, error)) error {
	r.number++
	begin := time.Now()
	detail, err := run()
	took := time.Since(begin)
	if r.took == nil {
		r.took = map[string]float64{}
	}
	r.took[key] = round(took.Seconds())
	if err != nil {
		fmt.Fprintf(r.Out, "✗ %2d. %s\n", r.number, title)
		return fmt.Errorf("%s: %w", title, err)
	}
	fmt.Fprintf(r.Out, "✓ %2d. %-40s %7.1f s   %s\n", r.number, title, took.Seconds(), detail)
	return nil
}

func round(s float64) float64 { return float64(int(s*1000+0.5)) / 1000 }

// bar shows how far a long step is. Where nobody watches it is silent.
func (r *Report) bar(total int, title string) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(r.Err), progressbar.OptionSetVisibility(r.Bar),
		progressbar.OptionSetDescription("     "+title), progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond))
}

// busy measures how long at least one proof was being made.
type busy struct {
	mu     sync.Mutex
	active int
	since  time.Time
	total  time.Duration
	count  int
}

func (b *busy) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.active == 0 {
		b.since = time.Now()
	}
	b.active++
	b.count++
}

func (b *busy) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active--
	if b.active == 0 {
		b.total += time.Since(b.since)
	}
}

func (b *busy) read() (int, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count, b.total
}
