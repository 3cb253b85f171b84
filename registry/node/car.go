package node

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"
	car "github.com/ipld/go-car/v2"
	"github.com/ipld/go-car/v2/storage"

	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/trial"
)

// Bounds of an archive from outside: its header, and one block with its CID.
const (
	maxHeader  = 4 << 10
	maxSection = 2 << 20
)

// ImportCAR takes in a package from an archive that anybody may have sent: CAR
// version 1, one root, blocks in any order. Every block is re-hashed; the
// package must be whole, of the profile, and hold no data of a person. Only then
// is it stored and pinned.
func (n *Node) ImportCAR(ctx context.Context, r io.Reader) (trial.CID, error) {
	root, list, err := readCAR(ctx, r)
	if err != nil {
		return root, fmt.Errorf("registry node: archive: %w", err)
	}
	a, err := registry.Assemble(root, list)
	if err != nil {
		return root, fmt.Errorf("registry node: %w", err)
	}
	files, err := a.Files()
	if err != nil {
		return root, fmt.Errorf("registry node: %w", err)
	}
	if found := registry.CheckCells(files); len(found) > 0 {
		return root, fmt.Errorf("registry node: %d findings, the first: %w", len(found), found[0])
	}
	n.writing.Lock()
	defer n.writing.Unlock()
	if err := n.put(ctx, a.Blocks()); err != nil {
		return root, fmt.Errorf("registry node: %w", err)
	}
	return root, n.keep(ctx, root, pinWalk)
}

// readCAR reads an archive within its limits. It is read to its end: what
// follows the blocks is a fault too.
func readCAR(ctx context.Context, r io.Reader) (root trial.CID, list []registry.Block, err error) {
	limited := &io.LimitedReader{R: r, N: registry.MaxCAR + 1}
	reader, err := car.NewBlockReader(bufio.NewReader(limited), car.MaxAllowedHeaderSize(maxHeader), car.MaxAllowedSectionSize(maxSection))
	if err != nil {
		return root, nil, err
	}
	if reader.Version != 1 || len(reader.Roots) != 1 {
		return root, nil, fmt.Errorf("version %d with %d roots; want version 1 with one", reader.Version, len(reader.Roots))
	}
	if root, err = fromCID(reader.Roots[0]); err != nil {
		return root, nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return root, nil, err
		}
		b, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return root, list, nil
		}
		if err != nil {
			return root, nil, fmt.Errorf("block %d: %w", len(list), err)
		}
		if limited.N == 0 || len(list) == registry.MaxBlocks {
			return root, nil, fmt.Errorf("more than %d bytes or %d blocks", registry.MaxCAR, registry.MaxBlocks)
		}
		c, err := fromCID(b.Cid())
		if err != nil {
			return root, nil, fmt.Errorf("block %d: %w", len(list), err)
		}
		list = append(list, registry.Block{CID: c, Data: b.RawData()})
	}
}

// fromCID admits the CIDs of the profile: an identity hash holds data that
// nothing counts, and another hash may not bind.
func fromCID(c cid.Cid) (out trial.CID, err error) {
	b := c.Bytes()
	if len(b) != len(out) {
		return out, fmt.Errorf("%v: only CIDv1 with SHA-256, raw or dag-pb, is taken in", c)
	}
	out = trial.CID(b)
	return out, out.Check()
}

// CAR is the archive of a held package; nil if none of that root is held here.
func (n *Node) CAR(ctx context.Context, root trial.CID) ([]byte, error) {
	held, err := n.Held(ctx, root)
	if err != nil || !held {
		return nil, err
	}
	var b bytes.Buffer
	err = n.Export(ctx, root, &b)
	return b.Bytes(), err
}

func writeCAR(ctx context.Context, w io.Writer, root trial.CID, list []registry.Block) error {
	out, err := storage.NewWritable(w, []cid.Cid{toCID(root)}, car.WriteAsCarV1(true))
	if err != nil {
		return err
	}
	for _, k := range list {
		if err := out.Put(ctx, toCID(k.CID).KeyString(), k.Data); err != nil {
			return err
		}
	}
	return out.Finalize()
}
