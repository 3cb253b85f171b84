package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/server/relay"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/directory"
)

type batcherFlags struct {
	node, dir, listen string
	kMin              int
	jitter            time.Duration
}

func batcherCommand() *cobra.Command {
	var f batcherFlags
	c := &cobra.Command{
		Use:   "batcher --node URL --dir DIR",
		Short: "Take sealed acts of participants, and send those of an epoch together",
		Long: `Serve a batcher of a ledger. It opens the acts that devices sealed to its key and relays
passed on, verifies each at the door, keeps it on the disk, and signs a promise for it.
At the end of each epoch it sends what came in one transaction per trial, shuffled. A
batch smaller than --k-min waits, unless a deadline of the study is near or past, or it
is the night's batch of first consents; its size is printed. An act is kept until it is
on the ledger or refused for good, also when the process is killed.

A batcher knows what was said and not who said it. It must not be of one organisation
with a relay, and neither may be the sponsor's or a site's.`,
		Example: "  trialith batcher init --dir b --genesis genesis.cbor --name \"A university\" --country CH\n" +
			"  trialith batcher --node http://127.0.0.1:8080 --dir b",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runBatcher(c, f) },
	}
	c.Flags().StringVar(&f.node, "node", "", "the `URL` of a node of the ledger (required)")
	c.Flags().StringVar(&f.dir, "dir", "", "the batcher's `directory`, which \"batcher init\" made (required)")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8071", "`address` to serve relays on; port 0 picks a free one")
	c.Flags().IntVar(&f.kMin, "k-min", relay.KMin, "least `size` of a batch where no deadline presses")
	c.Flags().DurationVar(&f.jitter, "jitter", 0, "how long after an epoch its batch is sent at the latest; 0: a tenth of an epoch")
	c.MarkFlagRequired("node") //nolint:errcheck // the flag is there
	c.MarkFlagRequired("dir")  //nolint:errcheck // the flag is there
	c.AddCommand(batcherInitCommand(), batcherShowCommand())
	return c
}

func batcherInitCommand() *cobra.Command {
	var dir, genesis, name, country string
	c := &cobra.Command{
		Use:   "init --dir DIR --genesis GENESIS --name NAME --country XX",
		Short: "Make the directory and keys of a new batcher",
		Long: `Make a batcher's keys for the ledger of a genesis file, and print what the ledger's
regulator registers it with: its actor name, its public key, and the body of the
transaction directory.register, signed by that key, in hexadecimal. The private keys
stay in DIR.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			g, err := genesisFile(genesis)
			if err != nil {
				return err
			}
			if err := (directory.Register{Role: trial.Batcher, Name: name, Country: country}).Check(); err != nil {
				return hint(err, "give --name NAME and --country XX")
			}
			k, err := relay.InitKeys(dir, g.ID())
			if err != nil {
				return err
			}
			// Last, for it makes the directory a batcher's.
			if err := os.WriteFile(filepath.Join(dir, fileGenesis), g.Encode(), 0o600); err != nil {
				return err
			}
			sayKeys(c, k)
			fmt.Fprintf(c.OutOrStdout(), "register  %x\n", wire.Marshal(k.Register(name, country)))
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the batcher's `directory`; made if it is not there (required)")
	c.Flags().StringVar(&genesis, "genesis", "", "the ledger's genesis `file` (required)")
	c.Flags().StringVar(&name, "name", "", "the `name` of the organisation that runs it")
	c.Flags().StringVar(&country, "country", "", "its `country`, two letters of ISO 3166-1")
	c.MarkFlagRequired("dir")     //nolint:errcheck // the flag is there
	c.MarkFlagRequired("genesis") //nolint:errcheck // the flag is there
	return c
}

func batcherShowCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "show --dir DIR",
		Short: "Print the names of a batcher, as relays and ways.json take them",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, k, err := readBatcher(dir)
			if err != nil {
				return err
			}
			sayKeys(c, k)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the batcher's `directory` (required)")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	return c
}

func sayKeys(c *cobra.Command, k *relay.Keys) {
	fmt.Fprintf(c.OutOrStdout(), "actor     %v\nkey       %s\n", k.Actor(), k.PublicText())
}

// readBatcher reads a batcher's genesis and keys.
func readBatcher(dir string) (g chain.Genesis, k *relay.Keys, err error) {
	b, err := readLimited(filepath.Join(dir, fileGenesis), chain.MaxGenesisBytes)
	if err == nil {
		g, err = chain.DecodeGenesis(b)
	}
	if err == nil {
		k, err = relay.OpenKeys(dir, g.ID())
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = hint(err, `"trialith batcher init --dir %s --genesis GENESIS" makes a batcher's directory`, dir)
	}
	return g, k, err
}

func runBatcher(c *cobra.Command, f batcherFlags) error {
	if f.kMin < 1 {
		return hint(fmt.Errorf("--k-min %d: at least 1", f.kMin), "the usual size is %d", relay.KMin)
	}
	g, keys, err := readBatcher(f.dir)
	if err != nil {
		return err
	}
	key, err := batcherKey(f.dir, g)
	if err != nil {
		return err
	}
	node := batcherNode{client.New(f.node, &http.Client{Timeout: time.Minute})}
	clock, err := node.clock(c.Context(), g)
	if err != nil {
		return err
	}
	tell := newTeller(c.ErrOrStderr())
	b, err := relay.OpenBatcher(relay.Config{
		Dir: f.dir, Keys: keys, Genesis: g, Verifier: key, Node: node, Clock: clock, KMin: f.kMin, Jitter: f.jitter,
		Tell: func(text string) { tell.fault(errors.New(text)) },
	})
	if err != nil {
		return err
	}
	defer b.Close() //nolint:errcheck // every change is synced when it is made
	return serveBatcher(c, f, b)
}

// serveBatcher serves and ticks until it is told to stop, or the disk fails.
func serveBatcher(c *cobra.Command, f batcherFlags, b *relay.Batcher) error {
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return hint(err, "choose another address with --listen, for example 127.0.0.1:0")
	}
	fmt.Fprintf(c.OutOrStdout(), "batcher serving http://%s\n", listener.Addr())
	ctx, stop := context.WithCancel(c.Context())
	ran := make(chan error, 1)
	go func() {
		defer stop()
		ran <- b.Run(ctx, time.Second)
	}()
	err = serveUntil(ctx, relay.NewServer(b.Handler()), listener)
	stop()
	return errors.Join(err, <-ran)
}

// batcherKey finds the verifying key that the genesis names: in the batcher's
// directory, or built in.
func batcherKey(dir string, g chain.Genesis) (*verifier.Key, error) {
	if key := verifier.Development(); wire.Hash(key.Hash()) == g.VerifyingKey && g.Demonstration {
		return key, nil
	}
	b, err := os.ReadFile(filepath.Join(dir, ceremony.VerifyingFile)) //nolint:gosec // the operator names the directory
	if err != nil {
		return nil, hint(fmt.Errorf("genesis: verifying key %v is not built in, and %w", g.VerifyingKey, err), "put %s of its ceremony into %s", ceremony.VerifyingFile, dir)
	}
	return verifier.ParsePinned(b, g.VerifyingKey)
}
