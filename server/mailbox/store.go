// Package mailbox keeps sealed messages until the one they are for comes to
// fetch them: between a participant's device and the computer of a site, which
// are seldom on at the same time.
//
// It is a drop, no post office. Every message has one size, a box has a name
// that only who shares a secret can work out, and nothing is kept of who put a
// message in or took it out: no address, no session, no log. What is inside,
// and whether it is a message at all, only the reader can tell.
package mailbox

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

// Size of every message in bytes. A shorter one is padded before it is sealed.
const Size = 4096

// AtOnce is how many messages one answer holds at most.
const AtOnce = 100

// Box names a box: the first 16 bytes of a hash, which say nothing.
type Box [16]byte

// Message is what a box holds. Its sequence is larger than that of every
// earlier one of its box, also of those that are gone; it is not dense.
type Message struct {
	Sequence uint64
	Time     int64 // milliseconds since 1970 UTC, of its arrival
	Body     []byte
}

// Why a message is not taken.
var (
	ErrSize    = fmt.Errorf("message: a message has exactly %d bytes; pad it before it is sealed", Size)
	ErrBoxFull = errors.New("box: full; its oldest messages expire, so send this one later")
	ErrFull    = errors.New("mailbox: full; send the message later, or hand over what it says in person")
	ErrStopped = errors.New("mailbox: its disk failed, so nothing is taken until the node is started again")
)

// Config of a store.
type Config struct {
	Dir    string        // its own, made where it is missing; one process at a time
	PerBox int           // messages; default 1000
	Bytes  int64         // of all files; default 256 MiB
	Keep   time.Duration // default 180 days
	Now    func() int64  // milliseconds since 1970 UTC; default the machine's clock
	Log    *slog.Logger  // told of faults, never of messages; default none
}

func (c *Config) validate() error {
	if c.Dir == "" {
		return errors.New("mailbox: Config.Dir: missing; messages are kept there")
	}
	if c.PerBox == 0 {
		c.PerBox = 1000
	}
	if c.Bytes == 0 {
		c.Bytes = 256 << 20
	}
	if c.Keep == 0 {
		c.Keep = 180 * 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixMilli() }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Store is the boxes on the disk. It is safe for concurrent use.
type Store struct {
	config Config

	writing sync.Mutex // one message at a time is written and synced
	mu      sync.RWMutex
	boxes   map[Box][]place // oldest first
	files   []*segment      // oldest first
	next    uint64          // number of the next file
	swept   int64
	told    bool // that it is half full
	stopped error
}

// place is where a message is.
type place struct {
	sequence uint64
	time     int64
	in       *segment
	record   int64
}

// Open reads what a directory holds. What a crash left half written was
// promised to nobody, and is passed over.
func Open(c Config) (*Store, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("mailbox: %w", err)
	}
	s := &Store{config: c, boxes: map[Box][]place{}}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.sweep(c.Now())
	return s, nil
}

func (s *Store) load() error {
	names, err := segments(s.config.Dir)
	if err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	for _, number := range names {
		f, err := openSegment(s.config.Dir, number)
		if err != nil {
			return fmt.Errorf("mailbox: %w", err)
		}
		s.files, s.next = append(s.files, f), number+1
		bad, err := f.each(func(r *record, at int64) {
			s.boxes[r.box] = append(s.boxes[r.box], place{r.sequence, r.time, f, at})
		})
		if err != nil {
			return fmt.Errorf("mailbox: %s: %w", f.file.Name(), err)
		}
		if bad > 0 {
			s.config.Log.Error("mailbox: damaged messages passed over", "file", f.file.Name(), "messages", bad)
		}
	}
	return nil
}

// Put keeps a message and returns its sequence, once it is on the disk.
func (s *Store) Put(box Box, body []byte) (uint64, error) {
	if len(body) != Size {
		return 0, ErrSize
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	now := s.config.Now()
	s.sweepHourly(now)
	r, err := s.admit(box, now)
	if err != nil {
		return 0, err
	}
	f, err := s.open(now)
	if err != nil {
		return 0, s.failed(err)
	}
	copy(r.body[:], body)
	at, err := f.append(r)
	if err != nil {
		return 0, s.failed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boxes[box] = append(s.boxes[box], place{r.sequence, r.time, f, at})
	return r.sequence, nil
}

// admit refuses what there is no room for. The last quarter is for boxes that
// hold something: where there are ever more boxes, those in use are the last to
// suffer. It is no defence against who fills old boxes of their own.
func (s *Store) admit(box Box, now int64) (*record, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.stopped != nil {
		return nil, s.stopped
	}
	held := s.boxes[box]
	if len(held) >= s.config.PerBox {
		return nil, ErrBoxFull
	}
	room := s.config.Bytes
	if len(held) == 0 {
		room -= room / 4
	}
	var used int64
	for _, f := range s.files {
		used += f.records * recordSize
	}
	if used+recordSize > room {
		return nil, ErrFull
	}
	s.warn(used)
	// The time stands in for a counter, which a box that was emptied would lose.
	sequence := uint64(max(now, 1))
	if n := len(held); n > 0 {
		sequence = max(sequence, held[n-1].sequence+1)
	}
	return &record{box: box, sequence: sequence, time: now}, nil
}

// warn tells the operator once that the store is half full: nobody who sends has
// a name, so who floods it can only be seen here.
func (s *Store) warn(used int64) {
	if half := used > s.config.Bytes/2; half != s.told {
		if s.told = half; half {
			s.config.Log.Warn("mailbox: half full; new boxes are refused at three quarters", "bytes", used, "of", s.config.Bytes, "dir", s.config.Dir)
		}
	}
}

// open returns the file to append to, which is never older than a day: a whole
// file is thrown away when its newest message expires.
func (s *Store) open(now int64) (*segment, error) {
	if n := len(s.files); n > 0 && s.files[n-1].takes(now) {
		return s.files[n-1], nil
	}
	f, err := newSegment(s.config.Dir, s.next)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files, s.next = append(s.files, f), s.next+1
	return f, nil
}

// failed stops taking messages after an error that may have lost what the
// system said was written; a full disk is no such error.
func (s *Store) failed(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return ErrFull
	}
	s.config.Log.Error("mailbox stopped", "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = ErrStopped
	return ErrStopped
}

// Get returns the messages of a box after a sequence, the oldest first, at most
// AtOnce. An empty box and one that never was are the same.
func (s *Store) Get(box Box, after uint64) ([]Message, error) {
	if s.writing.TryLock() {
		s.sweepHourly(s.config.Now())
		s.writing.Unlock()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []Message{}
	dead := s.config.Now() - s.config.Keep.Milliseconds()
	for _, p := range s.boxes[box] {
		if p.sequence <= after || p.time <= dead {
			continue
		}
		if len(out) == AtOnce {
			break
		}
		r, err := p.in.read(p.record)
		if err != nil {
			s.config.Log.Error("mailbox: message not read", "file", p.in.file.Name(), "error", err)
			return nil, fmt.Errorf("mailbox: %w", err)
		}
		out = append(out, Message{Sequence: p.sequence, Time: p.time, Body: r.body[:]})
	}
	return out, nil
}

// Now is the clock that the times of messages are of.
func (s *Store) Now() int64 { return s.config.Now() }

// Close ends it. What was promised is on the disk already.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.file.Close())
	}
	s.files, s.boxes, s.stopped = nil, map[Box][]place{}, ErrStopped
	return errors.Join(errs...)
}
