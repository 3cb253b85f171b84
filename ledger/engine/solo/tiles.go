package solo

import "github.com/trialith/trialith/ledger/chain"

// Leaves returns up to limit leaves of the log from a place on, which counts from 0.
func (l *Ledger) Leaves(from uint64, limit int) ([][]byte, error) {
	return read(l, func(c *committed) ([][]byte, error) { return c.Leaves(from, limit) })
}

// LogNodes returns the hashes of full subtrees of the log.
func (l *Ledger) LogNodes(nodes []chain.Node) ([][]byte, error) {
	return read(l, func(c *committed) ([][]byte, error) { return c.LogNodes(nodes) })
}
