package mailbox

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is set by the test.
type clock struct {
	mu sync.Mutex
	ms int64
}

func (c *clock) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ms
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ms += d.Milliseconds()
}

const start = 1_800_000_000_000

func message(n byte) []byte { return bytes.Repeat([]byte{n}, Size) }

func opened(t testing.TB, c Config) (*Store, *clock) {
	t.Helper()
	k := &clock{ms: start}
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.Now == nil {
		c.Now = k.now
	}
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, k
}

func put(t testing.TB, s *Store, box Box, n byte) uint64 {
	t.Helper()
	sequence, err := s.Put(box, message(n))
	if err != nil {
		t.Fatal(err)
	}
	return sequence
}

// held returns the first byte of each message of a box.
func held(t testing.TB, s *Store, box Box, after uint64) (out []byte) {
	t.Helper()
	ms, err := s.Get(box, after)
	if err != nil {
		t.Fatal(err)
	}
	last := after
	for _, m := range ms {
		if m.Sequence <= last || len(m.Body) != Size || !bytes.Equal(m.Body, message(m.Body[0])) {
			t.Fatalf("message %d after %d: %d bytes", m.Sequence, last, len(m.Body))
		}
		last, out = m.Sequence, append(out, m.Body[0])
	}
	return out
}

func TestMessagesComeInOrderAndAgainAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := opened(t, Config{Dir: dir})
	a, b := Box{1}, Box{2}
	first := put(t, s, a, 1)
	put(t, s, b, 2)
	put(t, s, a, 3)
	for range 2 {
		if got := held(t, s, a, 0); !bytes.Equal(got, []byte{1, 3}) {
			t.Fatalf("box a holds %v", got)
		}
		if got := held(t, s, a, first); !bytes.Equal(got, []byte{3}) {
			t.Fatalf("after the first: %v", got)
		}
		if got := held(t, s, Box{9}, 0); len(got) != 0 {
			t.Fatalf("an unknown box holds %v", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(a, message(1)); !errors.Is(err, ErrStopped) {
			t.Fatalf("a closed store took a message: %v", err)
		}
		s, _ = opened(t, Config{Dir: dir})
	}
	if again := put(t, s, a, 4); again <= first {
		t.Errorf("sequence %d after %d", again, first)
	}
}

func TestOneAnswerIsBounded(t *testing.T) {
	t.Parallel()
	s, _ := opened(t, Config{})
	for n := range AtOnce + 7 {
		put(t, s, Box{}, byte(n))
	}
	ms, err := s.Get(Box{}, 0)
	if err != nil || len(ms) != AtOnce {
		t.Fatalf("%d messages, %v", len(ms), err)
	}
	if rest := held(t, s, Box{}, ms[AtOnce-1].Sequence); len(rest) != 7 {
		t.Errorf("%d after the first answer, want 7", len(rest))
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s, _ := opened(t, Config{PerBox: 3, Bytes: 8 * recordSize, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, n := range []int{0, Size - 1, Size + 1} {
		if _, err := s.Put(Box{}, make([]byte, n)); !errors.Is(err, ErrSize) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for range 3 {
		put(t, s, Box{1}, 1)
	}
	if _, err := s.Put(Box{1}, message(1)); !errors.Is(err, ErrBoxFull) {
		t.Errorf("the fourth of three: %v", err)
	}
	for n := range 3 {
		put(t, s, Box{2, byte(n)}, 1)
	}
	// Three quarters are taken: the rest is for boxes that hold something.
	if _, err := s.Put(Box{3}, message(1)); !errors.Is(err, ErrFull) {
		t.Errorf("a new box in a store nearly full: %v", err)
	}
	put(t, s, Box{2, 0}, 2)
	put(t, s, Box{2, 1}, 2)
	if _, err := s.Put(Box{2, 2}, message(1)); !errors.Is(err, ErrFull) {
		t.Errorf("a full store: %v", err)
	}
	if n := strings.Count(log.String(), "half full"); n != 1 {
		t.Errorf("the operator was told %d times: %s", n, &log)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, k := opened(t, Config{Dir: dir, Keep: 48 * time.Hour})
	put(t, s, Box{1}, 1)
	k.pass(25 * time.Hour)
	late := put(t, s, Box{1}, 2)
	if got := files(t, dir); len(got) != 2 {
		t.Fatalf("a day later the messages are in %q", got)
	}
	k.pass(23*time.Hour + time.Millisecond)
	if got := held(t, s, Box{1}, 0); !bytes.Equal(got, []byte{2}) {
		t.Fatalf("held %v", got)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Fatalf("the expired file stays: %q", got)
	}
	k.pass(30 * time.Hour)
	if got := held(t, s, Box{1}, 0); len(got) != 0 {
		t.Fatalf("held %v", got)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Fatalf("all are expired, and there is %q", got)
	}
	if again := put(t, s, Box{1}, 3); again <= late {
		t.Errorf("the box began its sequence again: %d after %d", again, late)
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A process that is killed while it writes leaves any part of a record behind.
// Nothing that was promised is lost, and the next message finds its place.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	torn := (&record{box: Box{1}, sequence: start + 100, time: start}).encode()
	for _, left := range []int{1, headSize, headSize + Size, len(torn) - 1} {
		dir := t.TempDir()
		s, _ := opened(t, Config{Dir: dir})
		put(t, s, Box{1}, 1)
		s.Close()
		file := files(t, dir)[0]
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(whole, torn[:left]...), 0o600); err != nil {
			t.Fatal(err)
		}
		for n := range byte(2) {
			s, _ = opened(t, Config{Dir: dir})
			put(t, s, Box{1}, 2+n)
			s.Close()
		}
		s, _ = opened(t, Config{Dir: dir})
		if got := held(t, s, Box{1}, 0); !bytes.Equal(got, []byte{1, 2, 3}) {
			t.Errorf("%d bytes of a record left: held %v", left, got)
		}
	}
}

// A message that the disk spoilt is passed over, and takes none with it.
func TestDamagedOnTheDisk(t *testing.T) {
	t.Parallel()
	for _, at := range []int64{0, 16, 24, headSize, recordSize - 1} {
		dir := t.TempDir()
		s, _ := opened(t, Config{Dir: dir})
		for n := range byte(3) {
			put(t, s, Box{1}, n)
		}
		s.Close()
		file := files(t, dir)[0]
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b[recordSize+at] ^= 1
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, _ = opened(t, Config{Dir: dir})
		if got := held(t, s, Box{1}, 0); !bytes.Equal(got, []byte{0, 2}) {
			t.Errorf("byte %d of the second: held %v", at, got)
		}
	}
}

// After an error of the disk nothing more is promised.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	s, _ := opened(t, Config{})
	put(t, s, Box{1}, 1)
	s.files[0].file.Close()
	for range 2 {
		if _, err := s.Put(Box{1}, message(2)); !errors.Is(err, ErrStopped) {
			t.Errorf("taken: %v", err)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := opened(t, Config{})
	var wg sync.WaitGroup
	for n := range byte(8) {
		wg.Go(func() {
			for range 5 {
				if _, err := s.Put(Box{n % 2}, message(n)); err != nil {
					t.Error(err)
				}
				if _, err := s.Get(Box{n % 2}, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if a, b := held(t, s, Box{0}, 0), held(t, s, Box{1}, 0); len(a) != 20 || len(b) != 20 {
		t.Errorf("%d and %d messages, want 20 each", len(a), len(b))
	}
}

func TestOtherFilesAreLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"notes.txt", "1.mail", "zz.mail", "0000000000000001.mail.old"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, k := opened(t, Config{Dir: dir})
	put(t, s, Box{1}, 1)
	k.pass(365 * 24 * time.Hour)
	held(t, s, Box{1}, 0)
	if got := files(t, dir); len(got) != 4 {
		t.Errorf("left: %q", got)
	}
}

// FuzzOpen gives the store a file of any bytes: it opens, hands out only what
// has its sum, and takes the next message.
func FuzzOpen(f *testing.F) {
	good := (&record{box: Box{1}, sequence: start, time: start}).encode()
	f.Add([]byte{}, 0)
	f.Add(good, 0)
	f.Add(good[:len(good)-1], 3)
	f.Add(bytes.Repeat(good, 3), int(recordSize))
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		dir := t.TempDir()
		if len(b) > 0 && at >= 0 {
			b[at%len(b)] ^= 0x55
		}
		if err := os.WriteFile(segmentPath(dir, 0), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, k := opened(t, Config{Dir: dir})
		before, err := s.Get(Box{1}, 0)
		if err != nil || len(before) > len(b)/int(recordSize) {
			t.Fatalf("%d messages in %d bytes, %v", len(before), len(b), err)
		}
		k.pass(time.Minute)
		put(t, s, Box{1}, 7)
		if after, err := s.Get(Box{1}, 0); err != nil || len(after) != len(before)+1 && len(before) < AtOnce {
			t.Fatalf("%d messages, then %d, %v", len(before), len(after), err)
		}
	})
}
