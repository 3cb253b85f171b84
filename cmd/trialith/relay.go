package main

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/server/relay"
	"github.com/trialith/trialith/trial"
)

func relayCommand() *cobra.Command {
	var listen string
	var to []string
	c := &cobra.Command{
		Use:   "relay --to BATCHER=URL",
		Short: "Pass sealed acts of participants on to batchers",
		Long: `Serve a relay. A participant's device posts its act to it, sealed to a batcher's key and
always of one size; the relay passes the bytes on, and nothing else: no header, address
or time of who sent them. It knows who sends and not what; the batcher knows what and
not who. So a relay and a batcher must not be of one organisation, and neither may be
the sponsor's or a site's.

It has no ledger, key or directory, opens no file for writing and logs no request. What
stands in front of it must not log addresses either.`,
		Example: "  trialith relay --listen 127.0.0.1:8070 --to ACTOR=https://batcher.example",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			batchers, err := readBatchers(to)
			if err != nil {
				return err
			}
			r, err := relay.NewRelay(batchers)
			if err != nil {
				return err
			}
			listener, err := net.Listen("tcp", listen)
			if err != nil {
				return hint(err, "choose another address with --listen, for example 127.0.0.1:0")
			}
			fmt.Fprintf(c.OutOrStdout(), "relay serving http://%s\n", listener.Addr())
			return serveUntil(c.Context(), relay.NewServer(r), listener)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8070", "`address` to serve on; port 0 picks a free one")
	c.Flags().StringArrayVar(&to, "to", nil, "a batcher: its `ACTOR=URL`; may be given again")
	return c
}

// readBatchers reads the batchers that a relay passes acts on to.
func readBatchers(args []string) (map[trial.ActorID]string, error) {
	if len(args) == 0 {
		return nil, hint(errors.New("no batcher to pass acts on to"), `name one with --to ACTOR=URL; "trialith batcher show --dir D" prints its ACTOR`)
	}
	to := map[trial.ActorID]string{}
	for _, arg := range args {
		name, url, _ := strings.Cut(arg, "=")
		var id trial.ActorID
		if err := id.UnmarshalText([]byte(name)); err != nil || url == "" {
			return nil, hint(fmt.Errorf("--to %s: not ACTOR=URL", arg), "an ACTOR is 64 lower-case hex digits, a URL such as https://batcher.example")
		}
		if _, twice := to[id]; twice {
			return nil, fmt.Errorf("--to %s: this batcher is named already", arg)
		}
		to[id] = url
	}
	return to, nil
}
