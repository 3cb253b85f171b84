package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/witness"
)

// fileWitnesses is the node's own policy: the witnesses that it asks, with their
// URLs, and the quorum that its API calls witnessed.
const fileWitnesses = "witnesses"

// maxRootsBytes bounds a file of certificates.
const maxRootsBytes = 1 << 20

// watchers are who vouches for the ledger from outside.
type watchers struct {
	witnesses []witness.Endpoint
	policy    *witness.Policy    // nil for none
	authority *witness.Authority // nil for none
	tell      *teller            // of their troubles
}

// watcherFlags are those of "trialith serve".
type watcherFlags struct {
	witnesses      []string
	stamps, trusts string
}

// watchersOf puts together what the flags and the node's directory say.
func watchersOf(dir string, f watcherFlags) (w watchers, err error) {
	if w.policy, err = witnessesFile(filepath.Join(dir, fileWitnesses)); err != nil {
		return w, err
	}
	if w.policy != nil {
		for _, e := range w.policy.Witnesses() {
			if e.URL != "" {
				w.witnesses = append(w.witnesses, e)
			}
		}
	}
	for _, arg := range f.witnesses {
		e, err := readWitness(arg)
		if err != nil {
			return w, err
		}
		w.witnesses = append(w.witnesses, e)
	}
	if w.policy == nil && len(w.witnesses) > 0 {
		if w.policy, err = allOf(w.witnesses); err != nil {
			return w, fmt.Errorf("--witness: %w", err)
		}
	}
	if f.stamps == "" && f.trusts == "" {
		return w, nil
	}
	if f.stamps == "" || f.trusts == "" {
		return w, hint(errors.New("--tsa and --tsa-roots belong together"), "give the address of the authority, and the certificates that its stamps are checked with")
	}
	roots, err := readRoots(f.trusts)
	if err != nil {
		return w, err
	}
	w.authority = &witness.Authority{URL: f.stamps, Roots: roots}
	return w, nil
}

// allOf is the policy of a node that names its witnesses on the command line: it
// calls witnessed what each of them cosigned.
func allOf(witnesses []witness.Endpoint) (*witness.Policy, error) {
	var text strings.Builder
	names := make([]string, len(witnesses))
	for i, e := range witnesses {
		names[i] = fmt.Sprintf("w%d", i+1)
		fmt.Fprintf(&text, "witness %s %v\n", names[i], e.Key)
	}
	fmt.Fprintf(&text, "group every all %s\nquorum every\n", strings.Join(names, " "))
	return witness.ParsePolicy([]byte(text.String()))
}

func witnessesFile(path string) (*witness.Policy, error) {
	b, err := readLimited(path, witness.MaxPolicyBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := witness.ParsePolicy(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// readWitness reads "KEY URL".
func readWitness(arg string) (witness.Endpoint, error) {
	words := strings.Fields(arg)
	if len(words) != 2 {
		return witness.Endpoint{}, hint(fmt.Errorf("--witness %q: not a key and a URL", arg), `in one argument: "NAME+HASH+KEY https://…"; "trialith witness vkey" prints the key`)
	}
	k, err := witness.ParseKey(words[0])
	if err != nil {
		return witness.Endpoint{}, fmt.Errorf("--witness: %w", err)
	}
	return witness.Endpoint{Name: k.Name, Key: k, URL: words[1]}, nil
}

func readRoots(path string) (*x509.CertPool, error) {
	b, err := readLimited(path, maxRootsBytes)
	if err != nil {
		return nil, fmt.Errorf("--tsa-roots: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("--tsa-roots: %s: no certificate in PEM", path)
	}
	return roots, nil
}

// watch begins to have the ledger witnessed.
func (n *node) watch(ctx context.Context, w watchers) error {
	n.shown.Store(n.ledger.Head().Height)
	f, err := asked(ctx, n.ledger, w)
	if f == nil || err != nil {
		return err
	}
	f.Start()
	n.feeder = f
	return nil
}

// asked asks the witnesses what they know: whoever runs on an old backup learns it
// here, before it signs a block. There is no feeder if nobody is to be asked.
func asked(ctx context.Context, l *solo.Ledger, w watchers) (*witness.Feeder, error) {
	if len(w.witnesses) == 0 && w.authority == nil {
		return nil, nil
	}
	c := witness.FeederConfig{Ledger: l, Witnesses: w.witnesses, Authority: w.authority}
	if w.tell != nil {
		c.Report = w.tell.watched
	}
	f, err := witness.NewFeeder(c)
	if err != nil {
		return nil, err
	}
	if err := f.Check(ctx); err != nil {
		f.Close()
		return nil, hint(err, `this node must not sign: bring a backup that has what the witness shows at its URL below /checkpoint/%s ("trialith ledger restore"), or stop whoever else signs with its key; if the witness is mistaken, leave it out`, l.Genesis().Origin)
	}
	return f, nil
}

// staleness is how far behind the head a cosigned checkpoint may be, in
// milliseconds, to be shown in its place.
const staleness = 60_000

// published is the checkpoint that the node shows: the newest that witnesses
// have cosigned, unless that is more than a minute behind. Their silence does
// not hide what the ledger holds. It never goes back to an older one.
func published(l *solo.Ledger, shown *atomic.Uint64) []byte {
	head := l.Head()
	if msg, err := l.Cosigned(); err == nil {
		c, err := parseStored(msg)
		if err == nil && head.Time-c.Time <= staleness && advance(shown, c.Height) {
			return msg
		}
	}
	msg := l.Checkpoint()
	if c, err := parseStored(msg); err == nil {
		advance(shown, c.Height)
	}
	return msg
}

// parseStored parses a checkpoint of the ledger's own store, which was verified when
// it was kept.
func parseStored(msg []byte) (chain.Checkpoint, error) {
	text, err := witness.TextOf(msg)
	if err != nil {
		return chain.Checkpoint{}, err
	}
	return chain.ParseCheckpoint(text)
}

// advance moves to a height unless it is already beyond.
func advance(shown *atomic.Uint64, height uint64) bool {
	for {
		was := shown.Load()
		if height < was {
			return false
		}
		if shown.CompareAndSwap(was, height) {
			return true
		}
	}
}
