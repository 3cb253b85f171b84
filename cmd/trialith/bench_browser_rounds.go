package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"runtime"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// measuring is one run of the benchmark.
type measuring struct {
	*browserBench
	site    *benchSite
	witness prover.Witness
	plain   plainWitness
	peer    bool
	say     func(string, ...any)
}

// teams are the numbers of workers, and of the peer's threads, that are measured.
var teams = []string{"1", "2"}

func measureBrowser(ctx context.Context, f browserFlags, say func(string, ...any)) (_ *browserBench, err error) {
	peer, err := browserPeer(ctx, f.peer, say)
	if err != nil {
		return nil, err
	}
	m := &measuring{peer: peer != "", say: say, browserBench: &browserBench{
		Prepare: map[string]float64{}, Semaphore: map[string]float64{}, Ratio: map[string]float64{}, Throttled: map[string]float64{}, FinishThrottled: map[string]float64{},
		Cold: map[string]opening{}, Warm: map[string]opening{}, Slowed: map[string]slowness{},
		Cores: runtime.NumCPU(), Runs: f.runs,
	}}
	if m.witness, err = benchWitness(tree.Depth); err != nil {
		return nil, err
	}
	m.plain = plainly(&m.witness)
	if m.site, err = newBenchSite(peer); err != nil {
		return nil, err
	}
	defer m.site.close() //nolint:errcheck // a directory of temporary files
	for _, step := range []func(context.Context) error{m.firstVisit, m.coldAlone, m.rounds} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return m.browserBench, nil
}

// participantPage is where a first visit begins.
const participantPage = "/take-part"

// firstVisit loads the participant's page in a fresh profile, then whatever the
// prover needs that the page has not yet loaded.
func (m *measuring) firstVisit(ctx context.Context) error {
	m.say("a first visit")
	if _, ok := m.site.size(participantPage, packed); !ok {
		return fmt.Errorf("the server has no page %s; a first visit begins there", participantPage)
	}
	b, err := startBrowser(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	m.site.note()
	if err := b.open(m.site.url + participantPage); err != nil {
		return err
	}
	if err := m.site.quiet(ctx); err != nil {
		return err
	}
	if err := m.page(b); err != nil {
		return err
	}
	if _, err := m.opening(b, "2"); err != nil {
		return err
	}
	m.First = m.site.visited()
	return nil
}

// page opens the benchmark's page and hands it the witness.
func (m *measuring) page(b *benchBrowser) error {
	if err := b.open(m.site.url + "/bench/"); err != nil {
		return err
	}
	_, err := callPage[any](b, "use", m.plain)
	return err
}

// coldAlone is the first proof of a fresh profile with one worker.
func (m *measuring) coldAlone(ctx context.Context) error {
	m.say("the first proof of a fresh profile")
	b, err := startBrowser(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	if err := m.page(b); err != nil {
		return err
	}
	m.Cold["1"], err = m.opening(b, "1")
	return err
}

// rounds is the rest, in one browser: the first proof with two workers, then ours
// and the peer's in turns, then ours slowed down.
func (m *measuring) rounds(ctx context.Context) error {
	b, err := startBrowser(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	v, err := chromedp.CallBrowser(b.ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return err
	}
	m.Browser = v.Product
	if err := m.page(b); err != nil {
		return err
	}
	if m.Cold["2"], err = m.opening(b, "2"); err != nil {
		return err
	}
	for _, n := range teams {
		if m.Warm[n], err = m.opening(b, n); err != nil {
			return err
		}
	}
	if err := m.turns(ctx, b); err != nil {
		return err
	}
	return m.slowed(ctx, b)
}

// opened is what the page's open returns, in milliseconds.
type opened struct {
	Kind  string  `json:"kind"`
	Open  float64 `json:"open"`
	Ready float64 `json:"ready"`
}

// opening opens a prover and makes its first proof.
func (m *measuring) opening(b *benchBrowser, workers string) (opening, error) {
	o, err := callPage[opened](b, "open", number(workers))
	if err != nil {
		return opening{}, err
	}
	if o.Kind != "kernel" {
		return opening{}, fmt.Errorf("this browser proves by %q: it has no WebAssembly SIMD", o.Kind)
	}
	p, err := m.prove(b, workers)
	return opening{Open: o.Open, Ready: o.Ready, Prepare: p.Prepare, Finish: p.Finish}, err
}

// proven is what the page's prove returns, in milliseconds.
type proven struct {
	Prepare float64 `json:"prepare"`
	Finish  float64 `json:"finish"`
	Proof   string  `json:"proof"`
}

// prove makes a proof of another message each time, and checks it.
func (m *measuring) prove(b *benchBrowser, workers string) (proven, error) {
	s := m.witness.Statement
	s.Message = field.Hash("bench", fmt.Appendf(nil, "message %d", m.Verified))
	p, err := callPage[proven](b, "prove", number(workers), s.Message.Text(10))
	if err != nil {
		return p, err
	}
	raw, err := hex.DecodeString(p.Proof)
	if err != nil {
		return p, err
	}
	proof, err := verifier.ParseProof(raw)
	if err != nil {
		return p, err
	}
	if err := verifier.Development().Verify(proof, s); err != nil {
		return p, fmt.Errorf("the browser's proof %d: %w", m.Verified, err)
	}
	m.Verified++
	return p, nil
}

// turns measures ours and the peer's one after the other, so that both meet the
// same machine. The first round is not counted.
func (m *measuring) turns(ctx context.Context, b *benchBrowser) error {
	prepare, finish, total, theirs := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	if m.peer {
		m.say("loading the peer")
		for _, n := range teams {
			if _, err := callPage[any](b, "openPeer", number(n)); err != nil {
				return err
			}
		}
	}
	m.say("%d rounds", m.Runs)
	for round := range m.Runs + 1 {
		for _, n := range teams {
			if err := ctx.Err(); err != nil {
				return err
			}
			p, err := m.prove(b, n)
			if err != nil {
				return err
			}
			if round > 0 {
				prepare[n], finish[n], total[n] = append(prepare[n], p.Prepare), append(finish[n], p.Finish), append(total[n], p.Prepare+p.Finish)
			}
			if !m.peer {
				continue
			}
			ms, err := callPage[float64](b, "provePeer", number(n))
			if err != nil {
				return err
			}
			if round > 0 {
				theirs[n] = append(theirs[n], ms)
			}
		}
	}
	m.Finish = browserMiddle(finish["2"])
	for _, n := range teams {
		m.Prepare[n] = browserMiddle(prepare[n])
		if m.peer {
			m.Semaphore[n] = browserMiddle(theirs[n])
			m.Ratio[n] = middle(total[n]) / m.Semaphore[n]
		}
	}
	return nil
}

// browserMiddle is a median by the browser's clock, which goes in steps of a
// tenth of a millisecond and is read as a sum of inexact numbers.
func browserMiddle(xs []float64) float64 { return math.Round(middle(xs)*100) / 100 }

func number(text string) int { return int(text[0] - '0') }

// plainWitness is a witness as the benchmark's page takes it: elements in decimal.
type plainWitness struct {
	Secret     string           `json:"secret"`
	Trapdoor   string           `json:"trapdoor"`
	Attributes field.Attributes `json:"attributes"`
	Path       [][]string       `json:"path"`
	Root       string           `json:"root"`
	Context    string           `json:"context"`
	Account    string           `json:"account"`
	Min        field.Attributes `json:"min"`
	Max        field.Attributes `json:"max"`
}

func plainly(w *prover.Witness) plainWitness {
	account := field.NewAccount(w.Secret, w.Leaf(), w.Statement.Context)
	root := w.Path.Root()
	p := plainWitness{
		Secret: w.Secret.Text(10), Trapdoor: w.Trapdoor.Text(10), Attributes: w.Attributes, Root: root.Text(10),
		Context: w.Statement.Context.Text(10), Account: account.Text(10), Min: w.Statement.Min, Max: w.Statement.Max,
	}
	for i := range w.Path {
		level := make([]string, len(w.Path[i]))
		for j := range level {
			level[j] = w.Path[i][j].Text(10)
		}
		p.Path = append(p.Path, level)
	}
	return p
}

// exists reports whether there is a file or directory of the name.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
