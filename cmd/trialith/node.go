package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/circuits/browser"
	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/ledger/witness"
	registrynode "github.com/trialith/trialith/registry/node"
	"github.com/trialith/trialith/server/mailbox"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial/contract"
)

// The files of a node's directory. The key and the last signed head stand apart
// from the ledger's data: a restored backup of the data cannot sign a second
// history.
const (
	fileGenesis  = "genesis.cbor"
	fileEvidence = "evidence.trialith"
	fileWays     = "ways.json"
	dirLedger    = "ledger"
	dirModel     = "readmodel"
	dirRegistry  = "registry"
	dirMail      = "mail"
	dirBrowser   = "browser" // provers for browsers that were built here
	dirKeys      = "keys"
	fileKey      = "node.key"
	fileHead     = "head"
)

// The mailbox's room: a busy site gets a dozen letters for each participant, and
// reading frees nothing.
const (
	lettersPerBox = 10_000
	lettersBytes  = 1 << 30
)

// nodeConfig says what a node runs on.
type nodeConfig struct {
	dir     string
	listen  string
	genesis chain.Genesis
	key     ed25519.PrivateKey
	clock   engine.Clock
	study   bool // the clock is a study's
	follow  []engine.Follower
	watched watchers
}

// node is the one place where the rooms meet: a ledger with the contract as its
// state machine, the followers, and HTTP over both.
type node struct {
	ledger *solo.Ledger
	keys   *keyring
	clock  engine.Clock
	model  *readmodel.Model
	store  *registrynode.Node
	mail   *mailbox.Store
	gnark  *browser.Gnark // built while it is asked for the first time
	key    *verifier.Key
	record []byte // of the ceremony that made the key; nil for none
	// proving is what participants' browsers prove with; nil where that is built in.
	proving *browser.Keys
	server  *http.Server
	url     string
	// gateway serves packages in readable form on an origin of its own: what
	// they hold could act for our pages on theirs.
	gateway    *http.Server
	gatewayURL string
	network    *http.Server // HTTPS for phones of the same network; nil for none
	control    *http.Server // for this machine's operator; nil for none
	failed     chan error
	feeder     *witness.Feeder // has the ledger witnessed; nil for none
	shown      atomic.Uint64   // height of the newest checkpoint that was shown
}

// openNode starts a node. It serves until Close.
func openNode(c nodeConfig) (_ *node, err error) {
	key, err := verifyingKey(c.dir, c.genesis)
	if err != nil {
		return nil, err
	}
	record, err := ceremonyRecord(c.dir, key)
	if err != nil {
		return nil, err
	}
	machine, err := contract.FromGenesis(c.genesis, key)
	if err != nil {
		return nil, err
	}
	n := &node{key: key, record: record, proving: provingKey(c.dir, key), keys: newKeyring(c.dir, c.key), clock: c.clock, failed: make(chan error, 4)}
	defer func() {
		if err != nil {
			n.Close() //nolint:errcheck // the first error is the one to tell
		}
	}()
	n.model, err = readmodel.Open(readmodel.Config{
		Dir: filepath.Join(c.dir, dirModel), Genesis: c.genesis, KindName: contract.Name,
	})
	if err != nil {
		return nil, err
	}
	n.store, err = registrynode.Open(context.Background(), registrynode.Config{Dir: filepath.Join(c.dir, dirRegistry), Key: c.key})
	if err != nil {
		return nil, err
	}
	n.mail, err = mailbox.Open(mailbox.Config{
		Dir: filepath.Join(c.dir, dirMail), PerBox: lettersPerBox, Bytes: lettersBytes, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return nil, err
	}
	var quorum receipt.Policy
	if c.watched.policy != nil {
		quorum = c.watched.policy
	}
	if err := hasSigned(c.dir, c.genesis); err != nil {
		return nil, err
	}
	n.ledger, err = solo.Open(solo.Config{
		Quorum: quorum, Dir: filepath.Join(c.dir, dirLedger), Key: c.key, KeyOf: n.keys.Of, HeadFile: filepath.Join(c.dir, dirKeys, fileHead),
		Clock: c.clock, Machine: machine, Genesis: c.genesis,
		Followers: append([]engine.Follower{n.model}, c.follow...),
	})
	if err != nil {
		return nil, err
	}
	if !c.study { // a study's clock goes on with its blocks
		if err := notAhead(n.ledger.Head().Time, c.clock.Now()); err != nil {
			return nil, err
		}
	}
	if err := settle(n.ledger, n.keys); err != nil {
		return nil, err
	}
	if err := n.watch(context.Background(), c.watched); err != nil {
		return nil, err
	}
	if err := n.serveControl(c.dir); err != nil {
		return nil, err
	}
	return n, n.serve(c)
}

// notAhead refuses a ledger whose newest block lies in the future of the clock:
// another clock wrote it, or this one is wrong.
func notAhead(head, now int64) error {
	if head <= now {
		return nil
	}
	text := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
	return hint(fmt.Errorf("the ledger's newest block is of %s, which lies in the future", text(head)),
		"set this machine's clock, which says %s", text(now))
}

// verifyingKey finds the key that the genesis names: in the node's directory, or
// built in. The built-in one serves demonstrations alone.
func verifyingKey(dir string, g chain.Genesis) (*verifier.Key, error) {
	if key := verifier.Development(); key.Hash() == g.VerifyingKey {
		if !g.Demonstration {
			return nil, errors.New("genesis: verifying key: the development set-up's, under which anyone can forge, in a ledger that does not say it is a demonstration; make keys with: trialith ceremony")
		}
		return key, nil
	}
	b, err := os.ReadFile(filepath.Join(dir, dirKeys, ceremony.VerifyingFile)) //nolint:gosec // the operator names the directory
	if err != nil {
		return nil, hint(fmt.Errorf("genesis: verifying key %v is not built in, and %w", g.VerifyingKey, err), "put %s and %s of its ceremony into %s", ceremony.VerifyingFile, ceremony.TranscriptFile, filepath.Join(dir, dirKeys))
	}
	return verifier.ParsePinned(b, g.VerifyingKey)
}

// provingKey begins to make what participants' browsers prove with, from the
// proving key beside the verifying key. The node runs without it too: it verifies,
// and whoever has the key elsewhere may prove.
func provingKey(dir string, key *verifier.Key) *browser.Keys {
	if key.Hash() == verifier.DevelopmentHash {
		return nil
	}
	return browser.StartKeys(key.Bytes(), func() ([]byte, error) {
		b, err := os.ReadFile(filepath.Join(dir, dirKeys, ceremony.ProvingFile)) //nolint:gosec // the operator names the directory
		if err != nil {                                                          // what visitors are told names no path
			return nil, fmt.Errorf("it does not hold %s of the ceremony", ceremony.ProvingFile)
		}
		return b, sealed(dir, b)
	})
}

// sealed refuses a proving key other than the one that the ceremony's transcript
// names, where there is one: a key that was spoilt on its way may still prove for
// some people.
func sealed(dir string, proving []byte) error {
	_, s, err := ceremonyState(dir)
	if err != nil {
		return fmt.Errorf("%s of the ceremony is not to be read", ceremony.TranscriptFile)
	}
	if got := wire.Hash(sha256.Sum256(proving)); s != nil && got != s.ProvingKey {
		return fmt.Errorf("%s has the SHA-256 %v, and the ceremony sealed %v", ceremony.ProvingFile, got, s.ProvingKey)
	}
	return nil
}

// tellProving says what an operator must know of a node that helps no browser to
// prove. It waits for the key to be laid out, and says nothing where all is well.
func (n *node) tellProving(ctx context.Context, dir string, tell *teller) {
	if n.proving == nil {
		return
	}
	if _, err := n.proving.Set(ctx); err != nil && ctx.Err() == nil {
		tell.fault(fmt.Errorf("no participant's browser can prove with this node: %w; put %s of the ledger's ceremony into %s and start the node again",
			err, ceremony.ProvingFile, filepath.Join(dir, dirKeys)))
	}
}

// ceremonyRecord is how the verifying key was made, for evidence files; nil for
// the development set-up, which nobody made.
func ceremonyRecord(dir string, key *verifier.Key) ([]byte, error) {
	b, s, err := ceremonyState(dir)
	if s == nil {
		return nil, err
	}
	return b, s.CheckKey(key.Bytes(), key.Hash())
}

// ceremonyState is the transcript beside the keys, and what it tells; nil where
// there is none.
func ceremonyState(dir string) ([]byte, *transcript.State, error) {
	b, err := os.ReadFile(filepath.Join(dir, dirKeys, ceremony.TranscriptFile)) //nolint:gosec // the operator names the directory
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	t, err := transcript.Decode(b)
	if err != nil {
		return nil, nil, err
	}
	s, err := t.Check()
	if err != nil {
		return nil, nil, err
	}
	return b, s, nil
}

func (n *node) serve(c nodeConfig) error {
	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return hint(err, "choose another address with --listen, for example 127.0.0.1:0")
	}
	if err := n.serveGateway(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	if err := n.mount(router, c); err != nil {
		return errors.Join(err, listener.Close())
	}
	n.server = newServer(router)
	n.url = "http://" + listener.Addr().String()
	go func() { n.failed <- n.server.Serve(listener) }()
	return nil
}

// newServer serves without a log of its own: the one of net/http names visitors
// by their addresses.
func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ErrorLog: log.New(io.Discard, "", 0),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
	}
}

// serveNetwork serves the same to this machine's networks, over HTTPS.
func (n *node) serveNetwork() (*lan, error) {
	ips, err := networkAddresses()
	if err != nil {
		return nil, err
	}
	l, err := serveLAN(n.server.Handler, lanAddress, ips, n.failed)
	if err == nil {
		n.network = l.server
	}
	return l, err
}

// serveGateway serves packages at the same host on a free port.
func (n *node) serveGateway(beside net.Addr) error {
	host, _, err := net.SplitHostPort(beside.String())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	n.gateway = newServer(n.store.Gateway())
	n.gatewayURL = "http://" + listener.Addr().String()
	go func() { n.failed <- n.gateway.Serve(listener) }()
	return nil
}

// Close stops serving, then the ledger, then the followers' stores.
func (n *node) Close() error {
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, s := range []*http.Server{n.server, n.network, n.gateway, n.control} {
		if s != nil {
			errs = append(errs, s.Shutdown(ctx))
		}
	}
	if n.feeder != nil {
		n.feeder.Close()
	}
	if n.ledger != nil {
		errs = append(errs, n.ledger.Close())
	}
	if n.model != nil {
		errs = append(errs, n.model.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.gnark != nil {
		n.gnark.Close()
	}
	if n.mail != nil {
		errs = append(errs, n.mail.Close())
	}
	return errors.Join(errs...)
}

// writeNode makes the directory of a new node: key, head file and genesis.
func writeNode(dir string, g chain.Genesis, key ed25519.PrivateKey) error {
	if err := os.MkdirAll(filepath.Join(dir, dirKeys), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, dirKeys, fileKey), key.Seed(), 0o600); err != nil {
		return err
	}
	if err := solo.WriteHeadFile(filepath.Join(dir, dirKeys, fileHead), g.Header()); err != nil {
		return err
	}
	// Last, for it makes the directory a node's.
	return os.WriteFile(filepath.Join(dir, fileGenesis), g.Encode(), 0o600)
}

// hasSigned refuses a node without a head file: one that lost it together with its
// ledger would begin another history from genesis, under the same key.
func hasSigned(dir string, g chain.Genesis) error {
	path := filepath.Join(dir, dirKeys, fileHead)
	_, found, err := solo.LastSigned(nil, path, g)
	if err == nil && !found {
		err = hint(fmt.Errorf("head file %s: missing, so what this node signed last is not known", path),
			"bring it back from beside the key, or write it anew: trialith ledger head --dir %s --checkpoint FILE", dir)
	}
	return err
}

// readNode reads them back.
func readNode(dir string) (chain.Genesis, ed25519.PrivateKey, error) {
	g, err := readGenesis(dir)
	if err != nil {
		return g, nil, err
	}
	key, err := readKey(filepath.Join(dir, dirKeys, fileKey))
	return g, key, err
}

func readGenesis(dir string) (chain.Genesis, error) {
	b, err := os.ReadFile(filepath.Join(dir, fileGenesis)) //nolint:gosec // the operator names the directory
	if err != nil {
		return chain.Genesis{}, hint(err, "%s is no node's directory; \"trialith demo --dir %s\" makes one", dir, dir)
	}
	return chain.DecodeGenesis(b)
}
