package witness

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tx"
)

// MaxSkew is how far the time of a head may lie from the witness's clock.
const MaxSkew = 5 * time.Minute

// Clock gives the time.
type Clock interface {
	// Now is milliseconds since 1970 UTC.
	Now() int64
}

// Log is a log that a witness watches. A node that rotates its key has more
// than one.
type Log struct {
	Origin string
	Keys   []note.Verifier
}

// LogOf is the log of a ledger of this project, as its genesis says.
func LogOf(g chain.Genesis) Log {
	return Log{Origin: g.Origin, Keys: []note.Verifier{chain.NewVerifier(g.Origin, g.Node)}}
}

// Config says what a witness runs on.
type Config struct {
	Dir  string // its state; made if it is not there
	Name string // of its key, a schema-less URL such as "witness.example/w1"
	// Key signs. nil: the one in Dir, which is made at the first start; then
	// Name is needed at the first start alone.
	Key   ed25519.PrivateKey
	Logs  []Log
	Clock Clock
	FS    vfs.FS // nil: the disk
	// Report is told what a log did wrong; nil for nobody. It must not block.
	Report func(error)
}

func (c *Config) validate() error {
	switch {
	case c.Dir == "":
		return errors.New("witness: Dir: name the directory of its state")
	case c.Key != nil && len(c.Key) != ed25519.PrivateKeySize:
		return fmt.Errorf("witness: Key: %d bytes; an Ed25519 private key has %d", len(c.Key), ed25519.PrivateKeySize)
	case c.Clock == nil:
		return errors.New("witness: Clock: give one")
	}
	if c.Key != nil || c.Name != "" {
		if err := checkName(c.Name); err != nil {
			return fmt.Errorf("witness: Name: %w", err)
		}
	}
	if c.FS == nil {
		c.FS = vfs.Default
	}
	if c.Report == nil {
		c.Report = func(error) {}
	}
	return nil
}

// Witness cosigns the heads of logs, each at least as long as the one before
// and beginning with it. Its methods are safe for concurrent use.
type Witness struct {
	cfg    Config
	key    Key
	unlock func() error
	logs   map[string]*watched
}

// watched is one log and its newest head. The lock is held from the comparison
// to the sync, so that two requests cannot both extend the same head.
type watched struct {
	keys   note.Verifiers
	record record

	mu   sync.Mutex
	seen seen
	// failed is why the state on disk is not known; nothing is signed then.
	failed error
}

// Open opens a witness's directory. Two processes cannot have the same one.
func Open(c Config) (*Witness, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if err := makeDir(c.FS, c.Dir); err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	lock, err := pebble.LockDirectory(c.Dir, c.FS)
	if err != nil {
		return nil, fmt.Errorf("witness: %s: another process has it open: %w", c.Dir, err)
	}
	w := &Witness{cfg: c, unlock: sync.OnceValue(lock.Close), logs: map[string]*watched{}}
	if err := w.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("witness: %w", err), w.Close())
	}
	return w, nil
}

// start reads the key and the state of every log.
func (w *Witness) start() (err error) {
	if w.cfg.Key == nil {
		if w.cfg.Name, w.cfg.Key, err = ensureKey(w.cfg.Dir, w.cfg.Name); err != nil {
			return err
		}
	}
	w.key = KeyOf(w.cfg.Name, tx.PublicKey(w.cfg.Key.Public().(ed25519.PublicKey)))
	for _, l := range w.cfg.Logs {
		if err := w.watch(l); err != nil {
			return err
		}
	}
	return nil
}

func (w *Witness) watch(l Log) error {
	if _, twice := w.logs[l.Origin]; twice {
		return fmt.Errorf("log %q: named twice; give all its keys at once", l.Origin)
	}
	if len(l.Keys) == 0 {
		return fmt.Errorf("log %q: without a key", l.Origin)
	}
	for _, k := range l.Keys {
		if k.Name() != l.Origin {
			return fmt.Errorf("log %q: a key of the name %q; a log's key has its origin's name", l.Origin, k.Name())
		}
	}
	r := newRecord(w.cfg.FS, w.cfg.Dir, l.Origin)
	s, err := r.load(l.Origin)
	if err != nil {
		return err
	}
	w.logs[l.Origin] = &watched{keys: note.VerifierList(l.Keys...), record: r, seen: s}
	return nil
}

// Close gives the directory free. Stop the server first.
func (w *Witness) Close() error { return w.unlock() }

// VerifierKey is the witness's key as policies name it.
func (w *Witness) VerifierKey() string { return w.key.String() }

// refusal is a request that gets no cosignature.
type refusal struct {
	status int
	size   uint64 // that the witness knows, for a conflict
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, err: fmt.Errorf(format, args...)}
}

// ServeHTTP answers POST …/add-checkpoint of C2SP tlog-witness. A head whose
// time is off is refused with 412, which that specification does not know.
// GET …/<SHA-256 of the origin>/checkpoint shows the newest head of a log that
// was cosigned, with the cosignature: it says how far a node that lost its data
// had come. GET …/checkpoint/<origin> is the same for who types it.
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if origin, found := w.asked(r.URL.Path); found && r.Method == http.MethodGet {
		w.show(rw, origin)
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/add-checkpoint") {
		http.Error(rw, "this is a witness; it answers POST /add-checkpoint and GET /<SHA-256 of an origin>/checkpoint", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", http.MethodPost)
		http.Error(rw, "POST a request of c2sp.org/tlog-witness", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, MaxRequestBytes))
	if err != nil {
		http.Error(rw, fmt.Sprintf("request: %v; at most %d bytes", err, MaxRequestBytes), http.StatusBadRequest)
		return
	}
	line, err := w.Add(body)
	if err != nil {
		answerRefusal(rw, err)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(rw, line) //nolint:errcheck // a client that is gone asks again
}

// asked is the origin of the log whose newest head a path names.
func (w *Witness) asked(path string) (origin string, found bool) {
	if _, origin, found = strings.Cut(path, "/checkpoint/"); found {
		return origin, true
	}
	prefix, found := strings.CutSuffix(path, "/checkpoint")
	hash := prefix[strings.LastIndexByte(prefix, '/')+1:]
	for origin := range w.logs {
		if hash == fmt.Sprintf("%x", sha256.Sum256([]byte(origin))) {
			return origin, found
		}
	}
	return hash, found
}

// show answers with the newest head of a log and its cosignature.
func (w *Witness) show(rw http.ResponseWriter, origin string) {
	l, known := w.logs[origin]
	if !known {
		http.Error(rw, fmt.Sprintf("this witness does not watch the log %q", origin), http.StatusNotFound)
		return
	}
	l.mu.Lock()
	checkpoint := l.seen.checkpoint
	l.mu.Unlock()
	if checkpoint == nil {
		http.Error(rw, "this witness has cosigned nothing of it", http.StatusNotFound)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Write(checkpoint) //nolint:errcheck // a client that is gone asks again
}

func answerRefusal(rw http.ResponseWriter, err error) {
	r, ours := errors.AsType[*refusal](err)
	switch {
	case !ours:
		http.Error(rw, err.Error(), http.StatusInternalServerError)
	case r.status == http.StatusConflict:
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(r.status)
		fmt.Fprintf(rw, "%d\n", r.size)
	default:
		http.Error(rw, err.Error(), r.status)
	}
}

// Add judges one add-checkpoint request and returns the cosignature line. By
// then the head is on disk.
func (w *Witness) Add(body []byte) (string, error) {
	r, err := ParseRequest(body)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "%w", err)
	}
	origin, _, _ := strings.Cut(string(r.Checkpoint), "\n")
	l, known := w.logs[origin]
	if !known {
		return "", refuse(http.StatusNotFound, "checkpoint: this witness does not watch the log %q", origin)
	}
	n, err := note.Open(r.Checkpoint, l.keys)
	if err != nil {
		return "", refuse(statusOf(err), "checkpoint: %w", err)
	}
	h, err := parseHead(n.Text)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "%w", err)
	}
	if r.Old > h.size {
		return "", refuse(http.StatusBadRequest, "request: old size %d, the checkpoint's is %d", r.Old, h.size)
	}
	// What is kept and shown as evidence has the log's signatures alone.
	signed, err := note.Sign(&note.Note{Text: n.Text, Sigs: n.Sigs})
	if err != nil {
		return "", refuse(http.StatusBadRequest, "checkpoint: %w", err)
	}
	return l.advance(w, r, h, n.Text, signed)
}

// statusOf tells a note that is no note from one without a good signature.
func statusOf(err error) int {
	_, unverified := errors.AsType[*note.UnverifiedNoteError](err)
	_, invalid := errors.AsType[*note.InvalidSignatureError](err)
	if unverified || invalid {
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

// advance makes h the newest head of the log, durably, and cosigns it, or says
// why not. The cosignature's time is of when no later head was known.
func (l *watched) advance(w *Witness, r Request, h head, text string, signed []byte) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return "", l.failed
	}
	if err := l.judge(r, h); err != nil {
		if fork, found := errors.AsType[*forkError](err); found {
			w.cfg.Report(errors.Join(fork, l.record.keep(fork.kept, l.seen.checkpoint, signed)))
			err = fork.refusal
		}
		return "", err
	}
	now := w.cfg.Clock.Now()
	if err := punctual(h, now); err != nil {
		return "", err
	}
	line := cosign(w.cfg.Name, w.cfg.Key, time.UnixMilli(now), text)
	if l.seen.checkpoint != nil && h.size == l.seen.size {
		return line, nil // the same head again: it is on disk
	}
	signed = append(signed, line...)
	if err := l.record.save(signed); err != nil {
		// Whether the old or the new state is on disk is not known.
		l.failed = fmt.Errorf("witness: the state of %q could not be written; restart it: %w", h.origin, err)
		w.cfg.Report(l.failed)
		return "", l.failed
	}
	l.seen = seen{h, signed}
	return line, nil
}

// forkError is a head that a log signed although it does not go with the one
// before, or was not shown to.
type forkError struct {
	origin string
	kept   string // the kind of file that keeps both
	*refusal
}

func (e *forkError) Error() string { return fmt.Sprintf("log %q: %v", e.origin, e.err) }

func forked(h head, status int, size uint64, format string, args ...any) error {
	return &forkError{h.origin, extFork, &refusal{status, size, fmt.Errorf("FORK: "+format, args...)}}
}

// judge compares a head with the newest one. It only reads.
func (l *watched) judge(r Request, h head) error {
	s := l.seen
	first := s.checkpoint == nil
	if !first && h.size == s.size && !h.same(s.head) {
		status := http.StatusConflict
		if r.Old == s.size {
			status = http.StatusUnprocessableEntity
		}
		return forked(h, status, s.size, "two heads of size %d", h.size)
	}
	if r.Old != s.size {
		return &refusal{http.StatusConflict, s.size, fmt.Errorf("old size %d, this witness knows %d", r.Old, s.size)}
	}
	root := s.root
	if first {
		root = sha256.Sum256(nil) // of the empty log, RFC 6962
	}
	if err := chain.VerifyConsistency(r.Old, h.size, r.Proof, root, h.root); err != nil {
		if first {
			return refuse(http.StatusUnprocessableEntity, "proof: %w", err)
		}
		// Anybody who has a head can send it with a bad proof, so this alone
		// convicts nobody.
		return &forkError{h.origin, extUnproven, &refusal{
			http.StatusUnprocessableEntity, s.size,
			fmt.Errorf("no proof that the head of size %d extends that of size %d: %w", h.size, s.size, err),
		}}
	}
	if err := s.precedes(h); err != nil {
		return forked(h, http.StatusUnprocessableEntity, s.size, "%w", err)
	}
	return nil
}

// same says whether two heads of one size are one head.
func (h head) same(o head) bool {
	if h.root != o.root || (h.header == nil) != (o.header == nil) {
		return false
	}
	return h.header == nil || *h.header == *o.header
}

// precedes checks that the header line of a longer head goes on from s: once a
// log has shown one it always does, and heights and times grow.
func (s seen) precedes(h head) error {
	if s.header == nil || h.size == s.size {
		return nil
	}
	switch {
	case h.header == nil:
		return errors.New("the head has no header line, the one before has")
	case h.header.Height <= s.header.Height:
		return fmt.Errorf("height %d after %d", h.header.Height, s.header.Height)
	case h.header.Time <= s.header.Time:
		return fmt.Errorf("time %d after %d", h.header.Time, s.header.Time)
	}
	return nil
}

// punctual refuses a head whose time is off this clock: a log that dates its
// heads back or ahead gets no cosignature. A log without times has none to judge.
func punctual(h head, now int64) error {
	if h.header == nil {
		return nil
	}
	if off := now - h.header.Time; off > MaxSkew.Milliseconds() || off < -MaxSkew.Milliseconds() {
		return refuse(http.StatusPreconditionFailed, "time: the head is of %s, this witness's clock says %s; they may be %v apart",
			instant(h.header.Time), instant(now), MaxSkew)
	}
	return nil
}

func instant(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
