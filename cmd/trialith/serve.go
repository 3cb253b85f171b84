package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/engine/solo"
)

func serveCommand() *cobra.Command {
	var dir, listen string
	c := &cobra.Command{
		Use:   "serve --dir DIR",
		Short: "Serve a node's directory on the real clock",
		Long: `Serve the ledger, pages and API of a node's directory. The clock is the machine's:
a ledger whose newest block lies in the future is refused.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			g, key, err := readNode(dir)
			if err != nil {
				return err
			}
			n, err := openNode(nodeConfig{dir: dir, listen: listen, genesis: g, key: key, clock: solo.RealClock{}})
			if err != nil {
				return err
			}
			defer n.Close() //nolint:errcheck // closed by name where the result matters
			if head, now := time.UnixMilli(n.ledger.Head().Time).UTC(), time.Now().UTC(); head.After(now) {
				return hint(fmt.Errorf("the ledger's newest block is of %s, which lies in the future", head.Format(time.RFC3339)),
					"set this machine's clock, which says %s", now.Format(time.RFC3339))
			}
			fmt.Fprintf(c.OutOrStdout(), "serving %s\n", n.url)
			if g.Demonstration {
				fmt.Fprintln(c.ErrOrStderr(), "trialith: DEMONSTRATION KEYS: anybody can forge what this ledger holds")
			}
			return waitServing(c.Context(), n)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the node's `directory` (required)")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "`address` to serve on; port 0 picks a free one")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	return c
}
