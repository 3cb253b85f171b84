package tiles

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// Source is a running ledger. *solo.Ledger is one.
type Source interface {
	Genesis() chain.Genesis
	// Keys are the node's keys up to the head.
	Keys() (chain.Keys, error)
	// Checkpoint is the signed checkpoint of the head; nil when closed.
	Checkpoint() []byte
	// Headers returns the headers from one height to another, both included.
	Headers(from, to uint64) ([]chain.Header, error)
	// Entries returns up to limit entries from a place in the log on, and
	// Leaves the log's leaves.
	Entries(from uint64, limit int) ([]engine.Entry, error)
	Leaves(from uint64, limit int) ([][]byte, error)
	// LogNodes returns the hashes of full subtrees of the log.
	LogNodes([]chain.Node) ([][]byte, error)
}

// at once is how many transactions are in memory while a bundle is written:
// each can be large.
const atOnce = 16

// published reads a checkpoint that is the node's own: its text, not its signature.
func published(msg []byte) (chain.Checkpoint, error) {
	n, err := note.Open(msg, nil)
	if unverified, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		n, err = unverified.Note, nil
	}
	if err != nil {
		return chain.Checkpoint{}, fmt.Errorf("tiles: checkpoint: %w", err)
	}
	return chain.ParseCheckpoint(n.Text)
}

// write writes the file at p of a running ledger that covers it.
func write(w io.Writer, s Source, p Path) error {
	first := p.Index * Width
	switch p.Kind {
	case Genesis:
		return put(w, s.Genesis().Encode(), nil)
	case Rotations:
		keys, err := s.Keys()
		return put(w, wire.Marshal(keys.Rotations()), err)
	case Hashes:
		return writeHashes(w, s, p)
	case Headers:
		hs, err := s.Headers(first+1, first+uint64(p.Width))
		return put(w, EncodeHeaders(hs), err)
	case Entries:
		leaves, err := s.Leaves(first, p.Width)
		if err == nil && len(leaves) != p.Width {
			err = fmt.Errorf("tiles: %v: the ledger has %d leaves there", p, len(leaves))
		}
		return put(w, bundle(leaves, func(b []byte) []byte { return b }), err)
	case Transactions:
		return writeTransactions(w, s, first, first+uint64(p.Width))
	default:
		return put(w, s.Checkpoint(), nil)
	}
}

func put(w io.Writer, b []byte, err error) error {
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func bundle[T any](items []T, encode func(T) []byte) (b []byte) {
	for _, x := range items {
		b = AppendEntry(b, encode(x))
	}
	return b
}

func writeHashes(w io.Writer, s Source, p Path) error {
	nodes := make([]chain.Node, p.Width)
	for i := range nodes {
		nodes[i] = chain.Node{Level: LogWidth * uint(p.Level), Index: p.Index*Width + uint64(i)}
	}
	hashes, err := s.LogNodes(nodes)
	if err != nil {
		return err
	}
	var b []byte
	for _, h := range hashes {
		b = append(b, h...)
	}
	return put(w, b, nil)
}

func writeTransactions(w io.Writer, s Source, from, to uint64) error {
	for from < to {
		es, err := s.Entries(from, int(min(to-from, atOnce)))
		if err == nil && len(es) == 0 {
			err = fmt.Errorf("tiles: the ledger has no transaction %d", from)
		}
		if err == nil {
			err = begins(s, es[0].Height, es[0].Index, from)
		}
		if err != nil {
			return err
		}
		for i := range es {
			if err := put(w, appendTransaction(nil, TransactionOf(&es[i])), nil); err != nil {
				return err
			}
		}
		from += uint64(len(es))
	}
	return nil
}

// begins checks that the transaction of a block is at a place of the log: a
// ledger that was taken up from a snapshot of its state lacks the first ones,
// and begins later.
func begins(s Source, height uint64, index uint32, at uint64) error {
	hs, err := s.Headers(height, height)
	if err == nil && hs[0].First+uint64(index) != at {
		err = fmt.Errorf("tiles: the ledger has no transaction %d; it begins later", at)
	}
	return err
}

// handler serves the layout of a running ledger.
type handler struct {
	source     Source
	checkpoint func() []byte
}

// New makes a handler of the layout of a running ledger; strip what stands
// before its paths. checkpoint gives the checkpoint that is published, of the
// head or an earlier one, nil that of the head; nothing beyond it is served.
func New(s Source, checkpoint func() []byte) http.Handler {
	if checkpoint == nil {
		checkpoint = s.Checkpoint
	}
	return &handler{s, checkpoint}
}

// How long a cache may keep a file. What is full never changes; what is not
// does not either, but is not asked for any more once it is.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheDay     = "public, max-age=86400"
	cacheShort   = "public, max-age=5"
)

func (p Path) cache() string {
	switch {
	case p.Kind == Checkpoint || p.Kind == Rotations:
		return cacheShort
	case p.Kind == Genesis || p.Full():
		return cacheForever
	default:
		return cacheDay
	}
}

func (p Path) contentType() string {
	switch p.Kind {
	case Checkpoint:
		return "text/plain; charset=utf-8"
	case Genesis, Rotations:
		return "application/cbor"
	default:
		return "application/octet-stream"
	}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Access-Control-Allow-Origin", "*") // public, and without a cookie
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "only GET and HEAD")
		return
	}
	p, err := ParsePath(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil {
		refuse(w, http.StatusNotFound, "no such file; the layout is C2SP tlog-tiles")
		return
	}
	msg := h.checkpoint()
	if msg == nil {
		refuse(w, http.StatusServiceUnavailable, "the ledger is closed")
		return
	}
	c, err := published(msg)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the checkpoint cannot be read")
		return
	}
	if !p.CoveredBy(c) {
		refuse(w, http.StatusNotFound, "beyond the published checkpoint")
		return
	}
	h.serve(w, r, p, msg)
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, p Path, checkpoint []byte) {
	w.Header().Set("Content-Type", p.contentType())
	w.Header().Set("Cache-Control", p.cache())
	if p.Kind == Checkpoint {
		w.Header().Set("Content-Length", strconv.Itoa(len(checkpoint)))
		w.Write(checkpoint) //nolint:errcheck // the client has gone
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	out := &counted{w: w}
	if err := write(out, h.source, p); err != nil {
		if out.n > 0 {
			panic(http.ErrAbortHandler) // what was sent is not the file: the connection must say so
		}
		w.Header().Del("Cache-Control")
		refuse(w, http.StatusServiceUnavailable, "the ledger cannot be read")
	}
}

// counted knows whether anything was sent.
type counted struct {
	w io.Writer
	n int
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, status)
}
