package main

import (
	"fmt"

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
