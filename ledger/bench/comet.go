package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/rpc/client/local"
	"github.com/cometbft/cometbft/types"
	cmttime "github.com/cometbft/cometbft/types/time"
)

// comet is one CometBFT validator with an application that does nothing: what
// consensus costs before there is anything to agree on. A transaction is
// durable when its block is committed, for the block is synced before.
type comet struct {
	node   *node.Node
	client *local.Local
	app    *nothing
}

func openComet(_ context.Context, c options) (system, error) {
	settings := cometSettings(c.dir)
	for _, d := range []string{"config", "data"} {
		if err := os.MkdirAll(filepath.Join(c.dir, d), 0o700); err != nil {
			return nil, err
		}
	}
	validator := privval.GenFilePV(settings.PrivValidatorKeyFile(), settings.PrivValidatorStateFile())
	validator.Save()
	key, err := p2p.LoadOrGenNodeKey(settings.NodeKeyFile())
	if err != nil {
		return nil, err
	}
	public, err := validator.GetPubKey()
	if err != nil {
		return nil, err
	}
	genesis := types.GenesisDoc{
		ChainID: "bench", GenesisTime: cmttime.Now(), InitialHeight: 1, ConsensusParams: types.DefaultConsensusParams(),
		Validators: []types.GenesisValidator{{Address: public.Address(), PubKey: public, Power: 10}},
	}
	if err := genesis.SaveAs(settings.GenesisFile()); err != nil {
		return nil, err
	}
	app := &nothing{waiting: map[txKey]chan struct{}{}}
	n, err := node.NewNode(settings, validator, key, proxy.NewLocalClientCreator(app),
		node.DefaultGenesisDocProviderFunc(settings), config.DefaultDBProvider,
		node.DefaultMetricsProvider(settings.Instrumentation), log.NewNopLogger())
	if err != nil {
		return nil, err
	}
	if err := n.Start(); err != nil {
		return nil, err
	}
	return &comet{n, local.New(n), app}, nil
}

// cometSettings are CometBFT's defaults, tuned for one machine.
func cometSettings(dir string) *config.Config {
	c := config.DefaultConfig()
	c.SetRoot(dir)
	c.RPC.ListenAddress = ""
	c.P2P.ListenAddress = "tcp://127.0.0.1:0"
	c.P2P.PexReactor = false
	c.TxIndex.Indexer = "null"
	c.Mempool.Size, c.Mempool.CacheSize = 50_000, 100_000
	c.Mempool.Recheck = false
	c.Consensus.CreateEmptyBlocks = false
	c.Consensus.SkipTimeoutCommit = true
	c.Consensus.TimeoutCommit = 0
	c.Consensus.TimeoutPropose = 300 * time.Millisecond
	c.Consensus.TimeoutPrevote = 150 * time.Millisecond
	c.Consensus.TimeoutPrecommit = 150 * time.Millisecond
	c.Consensus.PeerGossipSleepDuration = 5 * time.Millisecond
	return c
}

func (c *comet) add(ctx context.Context, entry []byte) error {
	done := c.app.wait(entry)
	r, err := c.client.BroadcastTxSync(ctx, entry)
	if err != nil {
		return err
	}
	if r.Code != abci.CodeTypeOK {
		return fmt.Errorf("the mempool refused it: %d %s", r.Code, r.Log)
	}
	select {
	case <-done:
		return nil
	case <-time.After(time.Minute):
		return errors.New("no block took it within a minute")
	}
}

func (c *comet) prove(context.Context, int) (int, time.Duration, error) { return 0, 0, nil }

func (c *comet) close() error {
	err := c.node.Stop()
	c.node.Wait()
	return err
}

type txKey [sha256.Size]byte

// nothing is the application. Its hash never changes: with a hash that does,
// CometBFT would make empty blocks to vote on it.
type nothing struct {
	abci.BaseApplication
	mu      sync.Mutex
	waiting map[txKey]chan struct{}
	block   []txKey
}

func (a *nothing) wait(entry []byte) <-chan struct{} {
	done := make(chan struct{})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting[sha256.Sum256(entry)] = done
	return done
}

// PrepareProposal proposes what the mempool offers.
func (a *nothing) PrepareProposal(_ context.Context, r *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	return &abci.ResponsePrepareProposal{Txs: r.Txs}, nil
}

// FinalizeBlock notes what the block holds.
func (a *nothing) FinalizeBlock(_ context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	a.block = a.block[:0]
	results := make([]*abci.ExecTxResult, len(r.Txs))
	for i, t := range r.Txs {
		results[i] = &abci.ExecTxResult{}
		a.block = append(a.block, sha256.Sum256(t))
	}
	return &abci.ResponseFinalizeBlock{TxResults: results}, nil
}

// Commit tells those who wait.
func (a *nothing) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, k := range a.block {
		if done, ok := a.waiting[k]; ok {
			close(done)
			delete(a.waiting, k)
		}
	}
	return &abci.ResponseCommit{}, nil
}
