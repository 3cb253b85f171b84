package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
)

// throttleRates are by how much the browser is slowed down.
var throttleRates = []string{"4", "6"}

// throttleMethod says how. The browser's own throttling reaches pages alone:
// asked for a worker, it answers that it supports no workers.
const throttleMethod = "stopping the browser's rendering processes, workers included, and letting them run for one part of the time in so many (the browser's own throttling does not reach workers)"

// throttleSlice is for how long the processes run at a time.
const throttleSlice = 3 * time.Millisecond

// loopRounds keep a worker busy for about a tenth of a second.
const loopRounds = 200_000_000

// A brake is set until the loop runs as much slower as asked, within this part.
const (
	brakeTolerance = 0.05
	brakeTries     = 5
)

// slowed measures ours with two workers in a browser that is slowed down.
func (m *measuring) slowed(ctx context.Context, b *benchBrowser) error {
	m.Method = throttleMethod
	if !canThrottle {
		m.Method = "none: this system cannot stop a process and let it run on"
		m.say("not slowed down: this system cannot")
		return nil
	}
	for _, name := range throttleRates {
		m.say("slowed down %s times", name)
		rate, err := strconv.ParseFloat(name, 64)
		if err != nil {
			return err
		}
		if err := m.slowedBy(ctx, b, name, rate); err != nil {
			return err
		}
	}
	return nil
}

func (m *measuring) slowedBy(ctx context.Context, b *benchBrowser, name string, rate float64) (err error) {
	renderers, err := b.renderers()
	if err != nil {
		return err
	}
	plain, err := loop(b, 5)
	if err != nil {
		return err
	}
	brake := startBrake(renderers, rate)
	defer func() { err = errors.Join(err, brake.release()) }()
	measured, err := brake.set(b, plain, rate)
	if err != nil {
		return err
	}
	var prepare, finish []float64
	for range m.Runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := m.prove(b, "2")
		if err != nil {
			return err
		}
		prepare, finish = append(prepare, p.Prepare), append(finish, p.Finish)
	}
	m.Slowed[name] = slowness{Asked: rate, Measured: measured}
	m.Throttled[name], m.FinishThrottled[name] = browserMiddle(prepare), browserMiddle(finish)
	return nil
}

// loop is the time of the loop in a worker, the median of some.
func loop(b *benchBrowser, runs int) (float64, error) {
	times := make([]float64, runs)
	for i := range times {
		var err error
		if times[i], err = callPage[float64](b, "calibrate", loopRounds); err != nil {
			return 0, err
		}
	}
	return middle(times), nil
}

// renderers are the processes of this browser that pages and workers run in.
func (b *benchBrowser) renderers() ([]int, error) {
	r, err := chromedp.CallBrowser(b.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, p := range r.ProcessInfo {
		if p.Type == "renderer" && p.ID > 1 {
			ids = append(ids, int(p.ID))
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("the browser names no rendering process")
	}
	return ids, nil
}

// brake lets processes run for one part of the time in so many.
type brake struct {
	rate atomic.Uint64 // the bits of a float64
	stop chan struct{}
	done sync.WaitGroup
	err  error
}

func startBrake(processes []int, rate float64) *brake {
	b := &brake{stop: make(chan struct{})}
	b.rate.Store(math.Float64bits(rate))
	b.done.Go(func() { b.err = b.run(processes) })
	return b
}

// set turns the brake until the loop, which took plain without it, takes rate
// times as long: what the processes get also depends on what else runs on this
// machine. It returns how much slower the loop ran at last.
func (b *brake) set(browser *benchBrowser, plain, rate float64) (measured float64, err error) {
	for range brakeTries {
		slow, err := loop(browser, 1)
		if err != nil {
			return 0, err
		}
		measured = slow / plain
		if math.Abs(measured/rate-1) <= brakeTolerance {
			break
		}
		turned := math.Float64frombits(b.rate.Load()) * rate / measured
		b.rate.Store(math.Float64bits(min(max(turned, 1), 10*rate)))
	}
	return measured, nil
}

// run keeps the sums of both times in proportion, for a sleep may last longer
// than it was asked to.
func (b *brake) run(processes []int) (err error) {
	defer func() { err = errors.Join(err, signalAll(processes, resume)) }()
	var owed time.Duration // how long the processes have yet to stand
	last := time.Now()
	lap := func() time.Duration {
		now := time.Now()
		d := now.Sub(last)
		last = now
		return d
	}
	for {
		select {
		case <-b.stop:
			return nil
		default:
		}
		if err := signalAll(processes, halt); err != nil {
			return err
		}
		owed += time.Duration(float64(lap()) * (math.Float64frombits(b.rate.Load()) - 1))
		time.Sleep(max(0, owed))
		if err := signalAll(processes, resume); err != nil {
			return err
		}
		owed -= lap()
		time.Sleep(throttleSlice)
	}
}

// release lets the processes run on.
func (b *brake) release() error {
	close(b.stop)
	b.done.Wait()
	if b.err != nil {
		return fmt.Errorf("slowing the browser down: %w", b.err)
	}
	return nil
}

func signalAll(processes []int, signal func(int) error) error {
	var errs []error
	for _, id := range processes {
		errs = append(errs, signal(id))
	}
	return errors.Join(errs...)
}
