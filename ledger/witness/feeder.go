package witness

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trialith/trialith/ledger/wire"
)

// Ledger is what a feeder asks of the node's ledger.
type Ledger interface {
	// Checkpoint is the signed checkpoint of the head; nil when it is closed.
	Checkpoint() []byte
	ConsistencyProof(m, n uint64) ([]wire.Hash, error)
	// AwaitBlock returns once the head is above a height.
	AwaitBlock(ctx context.Context, above uint64) error
	// CosignedAt returns what SetCosigned kept of a height, or an error.
	CosignedAt(height uint64) ([]byte, error)
	SetCosigned(height uint64, checkpoint []byte) error
	SetStamp(height uint64, token []byte) error
}

// FeederConfig says whom a feeder asks. Ledger is needed, and a witness or a
// stamping authority.
type FeederConfig struct {
	Ledger    Ledger
	Witnesses []Endpoint // each with a URL
	Authority *Authority // nil: no time stamps
	Client    *http.Client
	// Interval is the least time between two rounds: heads in between are not
	// cosigned. 0: one second.
	Interval time.Duration
	// Patience is how long a round waits for a slow witness before the next
	// one may begin. 0: two seconds.
	Patience time.Duration
	// Rest is how long a witness that failed is left alone, at first; it
	// doubles up to a minute. 0: one second.
	Rest time.Duration
	// Report is told when "witness <name>" or "authority <URL>" begins to fail,
	// fails for another reason, or does well again (nil). It must not block.
	Report func(who string, err error)
}

// Authority is an RFC 3161 authority.
type Authority struct {
	URL   string
	Roots *x509.CertPool
	Every time.Duration // between two stamps; 0: one hour
}

const (
	requestTimeout = 10 * time.Second
	longestRest    = time.Minute
)

func (c *FeederConfig) validate() error {
	if c.Ledger == nil {
		return errors.New("feeder: Ledger: give one")
	}
	if len(c.Witnesses) > maxMembers {
		return fmt.Errorf("feeder: Witnesses: %d; at most %d", len(c.Witnesses), maxMembers)
	}
	seen := map[string]bool{}
	for i, w := range c.Witnesses {
		u, err := checkURL(w.URL)
		if err != nil {
			return fmt.Errorf("feeder: witness %q: %w", w.Name, err)
		}
		if seen[w.Key.String()] {
			return fmt.Errorf("feeder: witness %q: its key is there twice", w.Name)
		}
		seen[w.Key.String()] = true
		c.Witnesses = slices.Clone(c.Witnesses)
		c.Witnesses[i].URL = u
	}
	if a := c.Authority; a != nil {
		if _, err := checkURL(a.URL); err != nil {
			return fmt.Errorf("feeder: authority: %w", err)
		}
		if a.Roots == nil {
			return errors.New("feeder: authority: Roots: give the certificates that its stamps are checked with")
		}
	}
	if c.Client == nil {
		c.Client = newClient()
	}
	if c.Report == nil {
		c.Report = func(string, error) {}
	}
	for _, d := range []struct{ value, is *time.Duration }{
		{&c.Interval, new(time.Second)},
		{&c.Patience, new(2 * time.Second)},
		{&c.Rest, new(time.Second)},
	} {
		if *d.value == 0 {
			*d.value = *d.is
		}
	}
	return nil
}

// newClient makes a client that goes where it was told and nowhere else.
func newClient() *http.Client {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: 2 * time.Minute,
		MaxResponseHeaderBytes: maxAnswerBytes,
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Feeder shows each new head to the witnesses and keeps their cosignatures. It
// runs beside the chain: no block waits for it.
type Feeder struct {
	cfg     FeederConfig
	asked   []*asked
	stamper *stamper // nil for no authority
	stop    context.CancelFunc
	work    sync.WaitGroup
	keeping sync.Mutex // from reading a cosigned checkpoint to writing it
}

// asked is one witness as the feeder sees it.
type asked struct {
	client
	offers  slot
	resting atomic.Bool

	mu  sync.Mutex
	err error // of the last request
}

// Standing is how a witness stands with the feeder.
type Standing struct {
	Name string
	Key  Key
	Err  error // why its last cosignature failed; nil if it did not
}

// NewFeeder makes a feeder, which is idle until Start.
func NewFeeder(c FeederConfig) (*Feeder, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	f := &Feeder{cfg: c}
	for _, w := range c.Witnesses {
		f.asked = append(f.asked, &asked{client: client{Endpoint: w, http: c.Client}, offers: make(slot, 1)})
	}
	if c.Authority != nil {
		f.stamper = newStamper(*c.Authority)
	}
	return f, nil
}

// Check shows the present head to every witness, before the node signs a new
// one. It fails with ErrRolledBack if a witness has cosigned what this ledger
// does not have. A witness that does not answer, or refuses the head for its
// age, is reported and let be.
func (f *Feeder) Check(ctx context.Context) error {
	r, err := newRound(f.cfg.Ledger.Checkpoint())
	if err != nil {
		return fmt.Errorf("feeder: %w", err)
	}
	errs := make([]error, len(f.asked))
	var work sync.WaitGroup
	for i, a := range f.asked {
		work.Go(func() { errs[i] = f.show(ctx, a, r, stale) })
	}
	work.Wait()
	for i, err := range errs {
		if errors.Is(err, ErrRolledBack) {
			return fmt.Errorf("witness %s: %w", f.asked[i].Name, err)
		}
	}
	return nil
}

// Start begins to feed. Close ends it.
func (f *Feeder) Start() {
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	for _, a := range f.asked {
		f.work.Go(func() { f.serve(ctx, a) })
	}
	if f.stamper != nil {
		f.work.Go(func() { f.stampHeads(ctx) })
	}
	f.work.Go(func() { f.rounds(ctx) })
}

// Close ends all requests and returns when nothing runs any more. Close the
// ledger after it.
func (f *Feeder) Close() {
	if f.stop != nil {
		f.stop()
	}
	f.work.Wait()
	f.cfg.Client.CloseIdleConnections()
}

// Standings tells how each witness stands.
func (f *Feeder) Standings() []Standing {
	out := make([]Standing, len(f.asked))
	for i, a := range f.asked {
		a.mu.Lock()
		out[i] = Standing{Name: a.Name, Key: a.Key, Err: a.err}
		a.mu.Unlock()
	}
	return out
}

// rounds offers the newest head to all witnesses together, so that their
// cosignatures meet on the same one.
func (f *Feeder) rounds(ctx context.Context) {
	var last uint64
	for f.cfg.Ledger.AwaitBlock(ctx, last) == nil {
		r, err := newRound(f.cfg.Ledger.Checkpoint())
		if err != nil {
			return // the ledger is closed
		}
		last = r.Height
		pause := time.NewTimer(f.cfg.Interval)
		f.begin(r)
		f.await(ctx, r)
		if f.stamper != nil {
			f.stamper.heads.put(offer{r, func() {}})
		}
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

func (f *Feeder) begin(r *round) {
	leave := r.join() // it is not over before all have joined
	defer leave()
	for _, a := range f.asked {
		settle := func() {}
		if !a.resting.Load() {
			settle = r.join()
		}
		a.offers.put(offer{r, settle})
	}
}

func (f *Feeder) await(ctx context.Context, r *round) {
	patience := time.NewTimer(f.cfg.Patience)
	defer patience.Stop()
	select {
	case <-ctx.Done():
	case <-r.over:
	case <-patience.C:
	}
}

// serve shows one witness what it is offered, until ctx ends.
func (f *Feeder) serve(ctx context.Context, a *asked) {
	rest := f.cfg.Rest
	for {
		var o offer
		select {
		case <-ctx.Done():
			return
		case o = <-a.offers:
		}
		for {
			err := f.show(ctx, a, o.round, never)
			o.settle()
			if err == nil || stale(err) || ctx.Err() != nil {
				rest = f.cfg.Rest
				break
			}
			a.resting.Store(true)
			pause(ctx, rest)
			a.resting.Store(false)
			rest = min(2*rest, longestRest)
			o = a.offers.newer(o)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func never(error) bool { return false }

// show asks a witness for its cosignature on a head and keeps it. Trouble that
// is expected is not reported.
func (f *Feeder) show(ctx context.Context, a *asked, r *round, expected func(error) bool) error {
	line, err := a.ask(ctx, r, f.cfg.Ledger.ConsistencyProof)
	if err == nil {
		err = f.keep(r, line)
	}
	if ctx.Err() == nil && a.turned(err) && !expected(err) {
		f.cfg.Report("witness "+a.Name, err)
	}
	return err
}

// turned remembers how a request ended, and says whether otherwise than the last.
func (a *asked) turned(err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	changed := !sameTrouble(a.err, err)
	a.err = err
	return changed
}

// keep adds a cosignature to what is kept of the head.
func (f *Feeder) keep(r *round, line string) error {
	if r.Height == 0 {
		return nil // there is no block to keep it with
	}
	f.keeping.Lock()
	defer f.keeping.Unlock()
	signed := r.signed
	if kept, err := f.cfg.Ledger.CosignedAt(r.Height); err == nil {
		signed = kept
	}
	return f.cfg.Ledger.SetCosigned(r.Height, addLine(signed, line))
}
