package main

import "github.com/spf13/cobra"

// ledgerCommand groups what an operator does with the ledger of a node's
// directory: check it, copy it, bring it back, hand it on.
func ledgerCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "ledger",
		Short: "Check, back up and restore a node's ledger",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(fsckCommand(), backupCommand(), restoreCommand(), headCommand(), rotateCommand())
	c.AddCommand(exportCommand(), mirrorCommand(), verifyReceiptCommand())
	return c
}
