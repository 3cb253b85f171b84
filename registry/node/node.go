// Package node keeps and serves results packages as content-addressed data: a
// small IPFS node, embedded and offline.
//
// What it takes in it checks first, as bytes from outside: limits, hashes, a
// whole DAG of the one profile, no data of a person. Nothing of it reaches the
// store before that. One publication is one sync; a crash before it leaves at
// most blocks that no pin holds, and nobody is shown them.
//
// A package that is held is not yet seen: the gateway serves what was published,
// and nothing else of the store.
package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/exchange/offline"
	"github.com/ipfs/boxo/ipld/merkledag"
	pin "github.com/ipfs/boxo/pinning/pinner"
	"github.com/ipfs/boxo/pinning/pinner/dspinner"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ds "github.com/ipfs/go-datastore"
	pebbleds "github.com/ipfs/go-ds-pebble"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/trial"
)

// Config of a node.
type Config struct {
	// Dir is the directory of the store; it is made if it is not there.
	Dir string
	// Key is the node's. The key of each trial's name is made of it.
	Key ed25519.PrivateKey
	// Now is the clock that names expire by; time.Now if nil. Others judge names
	// by the real time, so a demonstration leaves it nil too.
	Now func() time.Time
}

func (c *Config) validate() error {
	if c.Dir == "" {
		return errors.New("registry node: dir: empty")
	}
	if len(c.Key) != ed25519.PrivateKeySize {
		return fmt.Errorf("registry node: key: %d bytes; an Ed25519 private key has %d", len(c.Key), ed25519.PrivateKeySize)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Node is an open registry node. Its methods may be called side by side.
type Node struct {
	cfg     Config
	store   ds.Batching
	blocks  blockstore.Blockstore
	service blockservice.BlockService
	dag     ipld.DAGService
	pins    pin.Pinner
	gateway gatewayParts

	writing sync.Mutex // one publication at a time

	mu        sync.RWMutex
	published map[trial.CID]*published
	visible   map[cid.Cid]bool // every block of what is published
	names     map[string]trial.CID
}

// published is a package that everybody may see.
type published struct {
	root  trial.CID
	index map[string]trial.CID // the node of each file
}

// Open opens a node's store and loads what it has published. The store is
// closed by Close.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	store, err := pebbleds.NewDatastore(filepath.Clean(cfg.Dir), pebbleds.WithCacheSize(8<<20))
	if err != nil {
		return nil, fmt.Errorf("registry node: %w", err)
	}
	n := &Node{
		cfg: cfg, store: store, published: map[trial.CID]*published{}, visible: map[cid.Cid]bool{}, names: map[string]trial.CID{},
	}
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("registry node: %w", err), store.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) error {
	n.blocks = blockstore.NewBlockstore(n.store)
	// Offline: what the store lacks nobody is asked for.
	n.service = blockservice.New(n.blocks, offline.Exchange(n.blocks))
	n.dag = merkledag.NewDAGService(n.service)
	pins, err := dspinner.New(ctx, n.store, n.dag)
	if err != nil {
		return err
	}
	pins.SetAutosync(false) // one Sync per publication
	n.pins = pins
	if err := n.openGateway(); err != nil {
		return err
	}
	return n.loadReleases(ctx)
}

// Close closes the store.
func (n *Node) Close() error { return errors.Join(n.service.Close(), n.store.Close()) }

// Import takes in a package's files, pins them durably and returns the CID of
// their directory. A package that holds data of a person is refused. What is
// held already is pinned once.
func (n *Node) Import(ctx context.Context, files []registry.File) (trial.CID, error) {
	if found := registry.CheckCells(files); len(found) > 0 {
		return trial.CID{}, fmt.Errorf("registry node: %d findings, the first: %w", len(found), found[0])
	}
	return n.add(ctx, files)
}

// add lays files out as the profile says, by the library that IPFS nodes share,
// and holds the CID against our own.
func (n *Node) add(ctx context.Context, files []registry.File) (trial.CID, error) {
	want, err := registry.CIDOf(files)
	if err != nil {
		return trial.CID{}, fmt.Errorf("registry node: %w", err)
	}
	n.writing.Lock()
	defer n.writing.Unlock()
	batch := ipld.NewBatch(ctx, n.dag, ipld.MaxSizeBatchOption(batchBytes), ipld.MaxNodesBatchOption(batchNodes))
	root, err := lay(ctx, &batched{n.dag, batch}, files)
	if err == nil {
		err = batch.Commit()
	}
	if err != nil {
		return trial.CID{}, fmt.Errorf("registry node: import: %w", err)
	}
	if got := trial.CID(root.Cid().Bytes()); got != want {
		return trial.CID{}, fmt.Errorf("registry node: import: the store's library finds %v, the registry %v; neither is believed", got, want)
	}
	return want, n.keep(ctx, want, pinOwn)
}

// Bounds of one batch of blocks in memory.
const (
	batchBytes = 8 << 20
	batchNodes = 1024
)

// How a DAG is pinned: our own import is known to be whole, one from outside is
// walked.
type pinMode bool

const (
	pinOwn  pinMode = false
	pinWalk pinMode = true
)

// keep pins a DAG, makes it durable and reads it back. The pin follows its
// blocks in the store's log, so that no crash leaves a pin without them.
func (n *Node) keep(ctx context.Context, root trial.CID, mode pinMode) error {
	if err := n.pin(ctx, root, mode); err != nil {
		return fmt.Errorf("registry node: pin: %w", err)
	}
	// Flush is the publication's one sync: the store has a single log.
	if err := n.pins.Flush(ctx); err != nil {
		return fmt.Errorf("registry node: sync: %w", err)
	}
	if _, err := n.Archive(ctx, root); err != nil {
		return errors.Join(fmt.Errorf("registry node: read back: %w", err), n.pins.Unpin(ctx, toCID(root), true))
	}
	return nil
}

func (n *Node) pin(ctx context.Context, root trial.CID, mode pinMode) error {
	if mode == pinOwn {
		return n.pins.PinWithMode(ctx, toCID(root), pin.Recursive, pinName)
	}
	top, err := n.dag.Get(ctx, toCID(root))
	if err != nil {
		return err
	}
	return n.pins.Pin(ctx, top, true, pinName)
}

// pinName says in a listing of pins what they are.
const pinName = "trialith results"

// Held reports whether a package is pinned here.
func (n *Node) Held(ctx context.Context, root trial.CID) (bool, error) {
	_, held, err := n.pins.IsPinnedWithType(ctx, toCID(root), pin.Recursive)
	return held, err
}

// Pins are the roots of the held packages, in no order.
func (n *Node) Pins(ctx context.Context) (roots []trial.CID, err error) {
	for p := range n.pins.RecursiveKeys(ctx, false) {
		if p.Err != nil {
			return nil, p.Err
		}
		roots = append(roots, trial.CID(p.Pin.Key.Bytes()))
	}
	return roots, nil
}

// Archive reads a whole package from the store and re-hashes every block of it.
func (n *Node) Archive(ctx context.Context, root trial.CID) (*registry.Archive, error) {
	list, err := n.collect(ctx, root)
	if err != nil {
		return nil, err
	}
	return registry.Assemble(root, list)
}

// collect reads a DAG's blocks. A block that is missing is an error, never left
// out.
func (n *Node) collect(ctx context.Context, root trial.CID) (list []registry.Block, err error) {
	seen := cid.NewSet()
	todo := []cid.Cid{toCID(root)}
	for len(todo) > 0 {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen.Visit(c) {
			continue
		}
		nd, err := n.dag.Get(ctx, c)
		if err != nil {
			return nil, err
		}
		if len(list) == registry.MaxBlocks || c.ByteLen() != len(trial.CID{}) {
			return nil, fmt.Errorf("%v: no package of this registry", c)
		}
		list = append(list, registry.Block{CID: trial.CID(c.Bytes()), Data: nd.RawData()})
		for _, l := range nd.Links() {
			todo = append(todo, l.Cid)
		}
	}
	return list, nil
}

// Files are the files of a held package, read back and re-hashed.
func (n *Node) Files(ctx context.Context, root trial.CID) ([]registry.File, error) {
	a, err := n.Archive(ctx, root)
	if err != nil {
		return nil, err
	}
	return a.Files()
}

// Export writes a held package as an archive (CAR version 1, depth first): one
// package, one archive, the same bytes wherever it is held.
func (n *Node) Export(ctx context.Context, root trial.CID, w io.Writer) error {
	a, err := n.Archive(ctx, root)
	if err != nil {
		return fmt.Errorf("registry node: export: %w", err)
	}
	return writeCAR(ctx, w, root, a.Blocks())
}

func (n *Node) put(ctx context.Context, list []registry.Block) error {
	var some []blocks.Block
	size := 0
	for _, k := range list {
		b, err := blocks.NewBlockWithCid(k.Data, toCID(k.CID))
		if err != nil {
			return err
		}
		some, size = append(some, b), size+len(k.Data)
		if size >= batchBytes {
			if err := n.blocks.PutMany(ctx, some); err != nil {
				return err
			}
			some, size = nil, 0
		}
	}
	return n.blocks.PutMany(ctx, some)
}

// toCID is the library's form of a CID of ours.
func toCID(c trial.CID) cid.Cid {
	out, err := cid.Cast(c[:])
	if err != nil {
		return cid.Undef // nothing is stored under it
	}
	return out
}
