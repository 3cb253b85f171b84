package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/cmd/trialith/demo"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial/contract"
)

type demoFlags struct {
	once         bool
	participants int
	dir          string
	listen       string
	lan          bool
	json         bool
}

func demoCommand() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Take a real published study through Trialith, then serve it",
		Long: `Take the CDISC pilot study (254 participants, 17 sites) through Trialith over the
real HTTP API: registration, consent in zero knowledge, adverse events and the
safety board's looks, an amendment, re-consent, withdrawal, released results, and
one evidence file. Then keep serving it.

The keys are demonstration keys of a one-party set-up, and all actors run on this
machine. Parts that the data do not hold are examples, and say so.`,
		Example: "  trialith demo\n  trialith demo --once --participants 20 --dir ./trial",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runDemo(c, f) },
	}
	c.Flags().BoolVar(&f.once, "once", false, "end when the study is done, instead of serving it")
	c.Flags().IntVar(&f.participants, "participants", 0, "only the first `N` participants by date (default: all 254)")
	c.Flags().StringVar(&f.dir, "dir", "", "a new or empty `directory` for state and evidence.trialith (default: a new temporary one, kept)")
	c.Flags().StringVar(&f.listen, "listen", "", "`address` to serve on (default 127.0.0.1:8080, or a free port where that is taken)")
	c.Flags().BoolVar(&f.lan, "lan", false, "serve phones of this network too, over HTTPS under a certificate made for this run")
	c.Flags().BoolVar(&f.json, "json", false, "print a summary as JSON on the last line of standard output")
	return c
}

func (f *demoFlags) validate(set func(string) bool) error {
	if set("participants") && f.participants < 1 {
		return hint(fmt.Errorf("--participants %d: at least 1", f.participants), "leave it out for all")
	}
	if f.lan && f.once {
		return hint(errors.New("--lan, --once: nobody could reach it"), "leave out one of them")
	}
	if f.listen == "" {
		f.listen = freeAddress(f.once)
	}
	return nil
}

// freeAddress is where the demo serves if nobody said: where a reader would
// look, unless that is taken, or the run ends before anybody can.
func freeAddress(once bool) string {
	const usual, any = "127.0.0.1:8080", "127.0.0.1:0"
	if once {
		return any
	}
	l, err := net.Listen("tcp", usual)
	if err != nil {
		return any
	}
	l.Close() //nolint:errcheck,gosec // it was only to ask
	return usual
}

// emptyDir makes the directory of a run, refusing one in use.
func emptyDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "trialith-demo-")
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(entries) > 0 {
		return "", hint(fmt.Errorf("--dir %s: not empty", dir),
			"name a new directory; \"trialith serve --dir %s\" serves what an earlier run left", dir)
	}
	return dir, nil
}

const demoWarning = `Trialith demo: the CDISC pilot study, from registration to released results.

  DEMONSTRATION KEYS: the proof system's keys come from a one-party set-up with a
  public seed, so anybody can forge. Never use them for a trial.
  ALL ACTORS RUN ON THIS MACHINE, each with keys and memory of its own, and speak
  to the node over HTTP only.
  EXAMPLES: the consent form and its options, the analysis plan, the amendment, the
  safety board's decisions and three people's answers are written for the demo. The
  rate of the safety boundary was taken from the placebo arm, afterwards. The rest
  is the data's.

`

func runDemo(c *cobra.Command, f demoFlags) error {
	if err := f.validate(c.Flags().Changed); err != nil {
		return err
	}
	dir, err := emptyDir(f.dir)
	if err != nil {
		return err
	}
	out, diagnostics := c.OutOrStdout(), c.ErrOrStderr()
	fmt.Fprintf(out, "%s  State: %s\n\n", demoWarning, dir)
	report := &demo.Report{Out: out, Err: diagnostics, Bar: isTerminal(diagnostics)}
	clock := demo.NewClock(demo.GenesisDay())

	var n *node
	err = report.Step("start", "Start the node", func() (string, error) {
		n, err = startDemo(dir, f.listen, clock)
		return "pebble ledger, SQLite read model, study clock", err
	})
	if err != nil {
		return err
	}
	defer n.Close() //nolint:errcheck // closed by name where the result matters
	summary, err := demo.Run(c.Context(), demo.Config{URL: n.url, Clock: clock, Participants: f.participants, Dir: dir, Report: report})
	if err != nil {
		return err
	}
	if err := n.ledger.Err(); err != nil {
		return err
	}
	summary.Evidence = filepath.Join(dir, fileEvidence)
	if err := demoEvidence(c.Context(), report, summary); err != nil {
		return err
	}
	open, err := openStudy(c.Context(), n.url, clock, dir, report)
	if err != nil {
		return err
	}
	if !f.once {
		printAddresses(out, n.url, summary, open)
	}
	if f.json {
		if err := json.NewEncoder(out).Encode(summary); err != nil {
			return err
		}
	}
	if f.once {
		return n.Close()
	}
	if f.lan {
		l, err := n.serveNetwork()
		if err != nil {
			return err
		}
		printNetwork(out, l, open)
	}
	go open.clinic.Run(c.Context())
	return waitServing(c.Context(), n)
}

// openedStudy is the study that goes on, and the cards that invite to it.
type openedStudy struct {
	clinic *demo.Clinic
	cards  []client.Code
}

// cardsAtFirst is how many people can answer before one of them has.
const cardsAtFirst = 2

// openStudy leaves one study open, so that whoever watches can take part.
func openStudy(ctx context.Context, url string, clock *demo.Clock, dir string, report *demo.Report) (*openedStudy, error) {
	o := &openedStudy{}
	return o, report.Step("join", "A study that you can join", func() (string, error) {
		var err error
		if o.clinic, err = demo.OpenStudy(ctx, demo.Config{URL: url, Clock: clock, Dir: dir, Report: report, AmendAfter: demo.AmendAfter}); err != nil {
			return "", err
		}
		for range cardsAtFirst {
			code, err := o.clinic.Invite(ctx)
			if err != nil {
				return "", err
			}
			o.cards = append(o.cards, code)
		}
		return fmt.Sprintf("an example study, open at one clinic; %d invitation cards", len(o.cards)), nil
	})
}

func startDemo(dir, listen string, clock *demo.Clock) (*node, error) {
	if err := writeDemo(dir, clock.Now()); err != nil {
		return nil, err
	}
	g, key, err := readNode(dir)
	if err != nil {
		return nil, err
	}
	return openNode(nodeConfig{
		dir: dir, listen: listen, genesis: g, key: key, clock: clock, study: true, follow: []engine.Follower{clock},
	})
}

// writeDemo makes the directory of a demonstration's node, with keys that
// anybody can make.
func writeDemo(dir string, begin int64) error {
	g := chain.Genesis{
		Version: chain.GenesisVersion, Name: "Trialith demonstration", Time: begin, Epoch: 24 * 60 * 60,
		Rules: contract.RuleSet, Origin: "trialith.example/demo", Node: demonstration.Public("node"),
		Authorities:  []chain.Authority{{Role: "regulator", Name: "Regulator (demonstration)", Country: "US", Key: demonstration.Public("regulator")}},
		VerifyingKey: wire.Hash(verifier.DevelopmentHash), Demonstration: true,
	}
	return writeNode(dir, g, demonstration.Key("node"))
}

// demoEvidence downloads the evidence file as anybody would, and verifies it by
// the same code as "trialith verify".
func demoEvidence(ctx context.Context, report *demo.Report, s *demo.Summary) error {
	var size int64
	err := report.Step("evidence", "Download the evidence file", func() (string, error) {
		var err error
		size, err = s.Download(ctx)
		return fmt.Sprintf("%s, %.1f MB", fileEvidence, float64(size)/1e6), err
	})
	if err != nil {
		return err
	}
	return report.Step("verify", "Verify it offline", func() (string, error) {
		r, err := verifyFile(ctx, s.Evidence, "")
		if err != nil {
			return "", err
		}
		s.Verdict = string(r.Verdict)
		return r.Sentence, nil
	})
}

func printAddresses(out io.Writer, url string, s *demo.Summary, open *openedStudy) {
	fmt.Fprintf(out, `
Take part yourself, in your browser; your keys and your proof are made there:

      %s/take-part#%s
`, url, string(open.cards[0]))
	for _, c := range open.cards[1:] {
		fmt.Fprintf(out, "      or type the code %v\n", c)
	}
	fmt.Fprintf(out, `      A minute and a half after you agreed, the study changes, and you are asked again.
      Then see it at %s/studies/%s
      and in its evidence file, made when you ask for it: %s/v1/trials/%s/evidence
      The clinic's side is played for you. To play it, open %s/site and
      read in the keys in %s.
`, url, open.clinic.Trial(), url, open.clinic.Trial(), url, filepath.Join(filepath.Dir(s.Evidence), "clinic"))
	printOtherMachines(out, url)
	fmt.Fprintf(out, `
Open  %s/                       the home page: check anything
      %s/studies/%s
      %s/ledger                 every transaction
      %s/verify                 drop the evidence file
      %s/v1/docs                the API

Verify it yourself, without this node:  trialith verify %s
Stop with Ctrl-C; serve it again with:  trialith serve --dir %s
`, url, url, s.Trial, url, url, url, s.Evidence, filepath.Dir(s.Evidence))
}

// printOtherMachines says what another machine can do here: a browser makes keys
// only where it knows that nobody listens.
func printOtherMachines(out io.Writer, url string) {
	host, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if ip := net.ParseIP(host); err != nil || ip.IsLoopback() {
		fmt.Fprint(out, "      A phone needs HTTPS to make keys: start the demo with --lan, and it gets an address.\n")
		return
	}
	ips, err := networkAddresses()
	if err != nil {
		return
	}
	for _, ip := range ips {
		fmt.Fprintf(out, "      From other machines, to read:  http://%s/\n", net.JoinHostPort(ip.String(), port))
	}
	fmt.Fprint(out, "      To take part there needs HTTPS, without which browsers make no keys: start the demo with --lan.\n")
}

func printNetwork(out io.Writer, l *lan, open *openedStudy) {
	fmt.Fprint(out, "\nOn a phone in this network:\n\n")
	for _, url := range l.urls {
		fmt.Fprintf(out, "      %s/take-part#%s\n", url, string(open.cards[len(open.cards)-1]))
	}
	fmt.Fprintf(out, `      Its browser will warn: this machine made the certificate itself, for this run. Go on only
      if its SHA-256 fingerprint is
      %s
`, l.fingerprint)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// waitServing serves until the command is interrupted.
func waitServing(ctx context.Context, n *node) error {
	select {
	case <-ctx.Done():
		return n.Close()
	case err := <-n.failed:
		return err
	}
}
