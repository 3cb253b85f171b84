package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// exit ends a command with a code, having said all there is to say.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// hinted is an error with a remedy on the next line.
type hinted struct {
	error
	hint string
}

func hint(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}

// run runs a command line and returns its exit code. Results go to out,
// everything else to diagnostics.
func run(args []string, out, diagnostics io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(diagnostics)
	err := root.ExecuteContext(ctx)
	var code exit
	var h hinted
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &h):
		fmt.Fprintf(diagnostics, "trialith: error: %v\ntrialith: hint: %s\n", err, h.hint)
	default:
		fmt.Fprintf(diagnostics, "trialith: error: %v\n", err)
	}
	return 1
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "trialith",
		Short: "Keep a clinical trial honest in public without exposing the people in it",
		Long: `Trialith keeps a clinical trial honest in public without exposing the people in it.

Start with "trialith demo": it takes a real published study from registration to
a verified record of consent, then serves it. "trialith verify FILE" checks an
evidence file without a network.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(demoCommand(), serveCommand(), verifyCommand(), dataCommand(), benchCommand(), ceremonyCommand(), ledgerCommand(), witnessCommand(), relayCommand(), batcherCommand(), monitorCommand(), versionCommand())
	return root
}
