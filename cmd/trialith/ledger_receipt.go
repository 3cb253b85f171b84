package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/witness"
)

func verifyReceiptCommand() *cobra.Command {
	var genesis, policy string
	c := &cobra.Command{
		Use:   "verify-receipt FILE --genesis GENESIS",
		Short: "Check the receipt of a transaction, offline",
		Long: `Check the receipt of a transaction without a network, with nothing but the ledger's
genesis, and say what it proves. A receipt is what a node answers at
/v1/transactions/HASH/receipt: the text of a C2SP tlog-proof.

A policy (C2SP tlog-policy) says whose cosignatures count. Without one, only the
ledger's own key vouches for the receipt.

The exit code is 0 proven and witnessed, 3 proven but not witnessed (or of a
demonstration), 1 not valid, 2 unusable.`,
		Example: "  trialith ledger verify-receipt receipt.txt --genesis genesis.cbor --policy witnesses.txt",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, g, p, err := readReceipt(args[0], genesis, policy)
			if err != nil {
				return unusable(c.ErrOrStderr(), err)
			}
			return sayReceipt(c.OutOrStdout(), r, g, p)
		},
	}
	c.Flags().StringVar(&genesis, "genesis", "", "the ledger's genesis `file` (required)")
	c.Flags().StringVar(&policy, "policy", "", "a policy `file`: whose cosignatures count")
	c.MarkFlagRequired("genesis") //nolint:errcheck // the flag is there
	return c
}

// unusable ends a command that had nothing to judge.
func unusable(diagnostics io.Writer, err error) error {
	fmt.Fprintf(diagnostics, "trialith: error: %v\n", err)
	return exit(2)
}

func readReceipt(file, genesis, policy string) (r receipt.Receipt, g chain.Genesis, p receipt.Policy, err error) {
	if g, err = genesisFile(genesis); err != nil {
		return r, g, nil, err
	}
	if p, err = policyFile(policy); err != nil {
		return r, g, nil, err
	}
	b, err := readLimited(file, receipt.MaxBytes)
	if err != nil {
		return r, g, nil, err
	}
	r, err = receipt.Parse(b)
	return r, g, p, err
}

func sayReceipt(out io.Writer, r receipt.Receipt, g chain.Genesis, policy receipt.Policy) error {
	p, err := r.Verify(g, policy)
	if err != nil {
		fmt.Fprintf(out, "NOT VALID: %v\n", err)
		return exit(1)
	}
	if p.Notice == "" {
		fmt.Fprintf(out, "PROVEN: %s\n", p.Sentence())
		return nil
	}
	fmt.Fprintf(out, "PROVEN, WITH RESERVATIONS: %s\n%s\n", p.Sentence(), p.Notice)
	return exit(3)
}

// genesisFile reads a genesis from a file.
func genesisFile(path string) (chain.Genesis, error) {
	b, err := readLimited(path, chain.MaxGenesisBytes)
	if err != nil {
		return chain.Genesis{}, err
	}
	return chain.DecodeGenesis(b)
}

// policyFile reads a witness policy; no file is no policy.
func policyFile(path string) (receipt.Policy, error) {
	if path == "" {
		return nil, nil
	}
	b, err := readLimited(path, witness.MaxPolicyBytes)
	if err != nil {
		return nil, err
	}
	return witness.ParsePolicy(b)
}

// readLimited reads a file that is not longer than a limit.
func readLimited(path string, limit int64) (b []byte, err error) {
	f, err := os.Open(path) //nolint:gosec // the command line names the file
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	b, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s: more than %d bytes", path, limit)
	}
	return b, err
}
