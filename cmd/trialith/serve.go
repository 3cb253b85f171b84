package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/engine/solo"
)

func serveCommand() *cobra.Command {
	var dir, listen string
	var f watcherFlags
	c := &cobra.Command{
		Use:   "serve --dir DIR",
		Short: "Serve a node's directory on the real clock",
		Long: `Serve the ledger, pages and API of a node's directory. The clock is the machine's:
a ledger whose newest block lies in the future is refused.

Witnesses are shown each new head and cosign it; so nobody can be shown another
history. They are named by --witness, or in the file "witnesses" in DIR, a policy of
C2SP tlog-policy with their URLs. At the start they are asked what they know: a node
that has lost what a witness has signed does not run. An authority (--tsa) stamps the
head's time once an hour.

The ledger's verifying key is read from DIR/keys/verifying-key.bin. For participants'
browsers to prove, proving-key.bin of the same ceremony belongs beside it.`,
		Example: "  trialith serve --dir node --witness \"$(trialith witness vkey --dir w) http://127.0.0.1:8090\"",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			g, key, err := readNode(dir)
			if err != nil {
				return err
			}
			w, err := watchersOf(dir, f)
			if err != nil {
				return err
			}
			w.tell = newTeller(c.ErrOrStderr())
			n, err := openNode(nodeConfig{dir: dir, listen: listen, genesis: g, key: key, clock: solo.RealClock{}, watched: w})
			if err != nil {
				return err
			}
			defer n.Close() //nolint:errcheck // closed by name where the result matters
			fmt.Fprintf(c.OutOrStdout(), "serving %s\n", n.url)
			if g.Demonstration {
				fmt.Fprintln(c.ErrOrStderr(), "trialith: DEMONSTRATION KEYS: anybody can forge what this ledger holds")
			}
			go n.tellProving(c.Context(), dir, w.tell)
			return waitServing(c.Context(), n)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the node's `directory` (required)")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "`address` to serve on; port 0 picks a free one")
	c.Flags().StringArrayVar(&f.witnesses, "witness", nil, "a witness to be cosigned by: its `KEY URL`; may be given again")
	c.Flags().StringVar(&f.stamps, "tsa", "", "the `URL` of an RFC 3161 authority that stamps checkpoints")
	c.Flags().StringVar(&f.trusts, "tsa-roots", "", "a `file` of the certificates, in PEM, that its stamps are checked with")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	return c
}
