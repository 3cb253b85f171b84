package node

import (
	"bytes"
	"context"
	"slices"
	"strings"

	chunk "github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/trialith/trialith/registry"
)

// profile is passed to each call: its globals would change other users of the
// library in this process.
var profile = uio.UnixFS_v1_2025

// lay makes the DAG of a directory of files.
func lay(ctx context.Context, dag ipld.DAGService, files []registry.File) (ipld.Node, error) {
	sorted := slices.SortedFunc(slices.Values(files), func(a, b registry.File) int { return strings.Compare(a.Path, b.Path) })
	return layDirectory(ctx, dag, sorted, "")
}

func layDirectory(ctx context.Context, dag ipld.DAGService, files []registry.File, prefix string) (ipld.Node, error) {
	dir, err := uio.NewDirectory(dag,
		uio.WithCidBuilder(profile.CidBuilder()), uio.WithMaxHAMTFanout(profile.HAMTShardWidth),
		uio.WithSizeEstimationMode(profile.HAMTSizeEstimation))
	if err != nil {
		return nil, err
	}
	for len(files) > 0 {
		name, _, below := strings.Cut(files[0].Path[len(prefix):], "/")
		end, child := 1, ipld.Node(nil)
		if below {
			inside := prefix + name + "/"
			for end < len(files) && strings.HasPrefix(files[end].Path, inside) {
				end++
			}
			child, err = layDirectory(ctx, dag, files[:end], inside)
		} else {
			child, err = layFile(dag, files[0].Data)
		}
		if err != nil {
			return nil, err
		}
		if err := dir.AddChild(ctx, name, child); err != nil {
			return nil, err
		}
		files = files[end:]
	}
	nd, err := dir.GetNode()
	if err != nil {
		return nil, err
	}
	return nd, dag.Add(ctx, nd)
}

func layFile(dag ipld.DAGService, data []byte) (ipld.Node, error) {
	params := helpers.DagBuilderParams{
		Maxlinks: profile.FileDAGWidth, RawLeaves: profile.RawLeaves, CidBuilder: profile.CidBuilder(), Dagserv: dag,
	}
	db, err := params.New(chunk.NewSizeSplitter(bytes.NewReader(data), profile.ChunkSize))
	if err != nil {
		return nil, err
	}
	return balanced.Layout(db)
}

// batched buffers writes. A read of what may still be in the buffer writes it
// first.
type batched struct {
	ipld.DAGService
	batch *ipld.Batch
}

func (b *batched) Add(ctx context.Context, nd ipld.Node) error { return b.batch.Add(ctx, nd) }

func (b *batched) AddMany(ctx context.Context, list []ipld.Node) error {
	return b.batch.AddMany(ctx, list)
}

func (b *batched) Get(ctx context.Context, c cid.Cid) (ipld.Node, error) {
	if nd, err := b.DAGService.Get(ctx, c); err == nil {
		return nd, nil
	}
	if err := b.batch.Commit(); err != nil {
		return nil, err
	}
	return b.DAGService.Get(ctx, c)
}
