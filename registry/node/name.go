package node

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/boxo/ipns"
	"github.com/ipfs/boxo/path"
	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"

	"github.com/trialith/trialith/trial"
)

// How long a record is valid, how long it may be kept, and when it is signed
// anew.
const (
	recordLife  = 365 * 24 * time.Hour
	recordTTL   = 5 * time.Minute
	recordRenew = 90 * 24 * time.Hour
)

// Release is a trial's published results: the newest that the node was told of.
type Release struct {
	Trial   trial.ID  `json:"trial"`
	Version uint32    `json:"version"` // counts the packages that were published, from 1
	Root    trial.CID `json:"root"`
	// Sequence of the newest record; it never falls.
	Sequence uint64 `json:"sequence"`
	// Record is the signed IPNS record.
	Record []byte `json:"record"`
	// Earlier are the roots of the packages published before, oldest first. They
	// stay to be seen.
	Earlier []trial.CID `json:"earlier"`
}

var releases = ds.NewKey("/trialith/release")

func releaseKey(t trial.ID) ds.Key { return releases.ChildString(t.String()) }

// Publish shows a held package as a trial's results and points the trial's name
// to it. Said again it changes nothing.
func (n *Node) Publish(ctx context.Context, t trial.ID, root trial.CID) (Release, error) {
	n.writing.Lock()
	defer n.writing.Unlock()
	held, err := n.Held(ctx, root)
	if err != nil {
		return Release{}, err
	}
	if !held {
		return Release{}, fmt.Errorf("registry node: publish: %v is not held here; import it first", root)
	}
	r, found, err := n.release(ctx, t)
	if err != nil || found && r.Root == root {
		return r, err
	}
	if found {
		r.Earlier = append(r.Earlier, r.Root)
	}
	r.Trial, r.Root, r.Version = t, root, r.Version+1
	if err := n.sign(ctx, &r); err != nil {
		return r, err
	}
	return r, n.show(ctx, r)
}

// Renew signs anew the records that run out soon, and returns how many.
func (n *Node) Renew(ctx context.Context) (renewed int, err error) {
	n.writing.Lock()
	defer n.writing.Unlock()
	list, err := n.Releases(ctx)
	if err != nil {
		return 0, err
	}
	for _, r := range list {
		rec, err := ipns.UnmarshalRecord(r.Record)
		if err != nil {
			return renewed, err
		}
		until, err := rec.Validity()
		if err != nil {
			return renewed, err
		}
		if until.Sub(n.cfg.Now()) > recordRenew {
			continue
		}
		if err := n.sign(ctx, &r); err != nil {
			return renewed, err
		}
		renewed++
	}
	return renewed, nil
}

// sign makes the next record and writes it with its sequence in one value, so
// that no crash uses a sequence twice.
func (n *Node) sign(ctx context.Context, r *Release) error {
	key, err := n.nameKey(r.Trial)
	if err != nil {
		return err
	}
	r.Sequence++
	rec, err := ipns.NewRecord(key, path.FromCid(toCID(r.Root)), r.Sequence, n.cfg.Now().Add(recordLife), recordTTL,
		ipns.WithV1Compatibility(false),
		ipns.WithMetadata(map[string]any{"trial": r.Trial.String(), "version": int64(r.Version)}))
	if err != nil {
		return fmt.Errorf("registry node: name: %w", err)
	}
	if r.Record, err = ipns.MarshalRecord(rec); err != nil {
		return fmt.Errorf("registry node: name: %w", err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := n.store.Put(ctx, releaseKey(r.Trial), b); err != nil {
		return err
	}
	return n.store.Sync(ctx, releases)
}

// Resolve is the newest release of a trial; false if there is none here.
func (n *Node) Resolve(ctx context.Context, t trial.ID) (Release, bool, error) {
	return n.release(ctx, t)
}

func (n *Node) release(ctx context.Context, t trial.ID) (r Release, found bool, err error) {
	b, err := n.store.Get(ctx, releaseKey(t))
	if errors.Is(err, ds.ErrNotFound) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	return r, true, json.Unmarshal(b, &r)
}

// Releases lists the newest release of each trial.
func (n *Node) Releases(ctx context.Context) (list []Release, err error) {
	found, err := n.store.Query(ctx, query.Query{Prefix: releases.String(), Orders: []query.Order{query.OrderByKey{}}})
	if err != nil {
		return nil, err
	}
	defer found.Close() //nolint:errcheck // only read
	for e := range found.Next() {
		var r Release
		if e.Error != nil {
			return nil, e.Error
		}
		if err := json.Unmarshal(e.Value, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Key, err)
		}
		list = append(list, r)
	}
	return list, nil
}

// nameKey is the key of a trial's name: it is made of the node's, so that one
// backup keeps all names, and no name's key tells another's.
func (n *Node) nameKey(t trial.ID) (crypto.PrivKey, error) {
	m := hmac.New(sha256.New, n.cfg.Key.Seed())
	m.Write([]byte("trialith/registry/name/v1"))
	m.Write(t[:])
	return crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(m.Sum(nil)))
}

// Name is a trial's IPNS name at this node, as it stands in /ipns/….
func (n *Node) Name(t trial.ID) (string, error) {
	name, err := n.ipnsName(t)
	return name.String(), err
}

func (n *Node) ipnsName(t trial.ID) (ipns.Name, error) {
	key, err := n.nameKey(t)
	if err != nil {
		return ipns.Name{}, err
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return ipns.Name{}, err
	}
	return ipns.NameFromPeer(id), nil
}

// records gives the gateway the records of the node's own names.
type records struct{ node *Node }

var _ routing.ValueStore = records{}

// PutValue refuses: names are written by Publish alone.
func (records) PutValue(context.Context, string, []byte, ...routing.Option) error {
	return routing.ErrNotSupported
}

// GetValue finds a record by its routing key.
func (s records) GetValue(ctx context.Context, key string, _ ...routing.Option) ([]byte, error) {
	list, err := s.node.Releases(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		name, err := s.node.ipnsName(r.Trial)
		if err != nil {
			return nil, err
		}
		if string(name.RoutingKey()) == key {
			return r.Record, nil
		}
	}
	return nil, routing.ErrNotFound
}

// SearchValue finds one value or none.
func (s records) SearchValue(ctx context.Context, key string, _ ...routing.Option) (<-chan []byte, error) {
	out := make(chan []byte, 1)
	defer close(out)
	b, err := s.GetValue(ctx, key)
	if err != nil {
		return out, err
	}
	out <- b
	return out, nil
}
