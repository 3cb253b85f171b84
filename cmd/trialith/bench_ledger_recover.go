package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/engine"
)

// measuredRecovery is what a killed ledger takes to come back, and what its
// receipts cost: medians of many, the largest text.
type measuredRecovery struct {
	Entries      uint64  `json:"entries"` // that the ledger came back with
	Recovery     float64 `json:"recovery_s"`
	ReceiptBytes int     `json:"receipt_bytes"`
	Proof        float64 `json:"proof_us"`  // to make a receipt
	Verify       float64 `json:"verify_us"` // to verify one with the genesis alone
}

// provenReceipts is how many receipts are measured, from all over the log.
const provenReceipts = 500

func benchRecoverCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use: "ledger-recover", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return recoverLedger(c.Context(), dir, c.OutOrStdout()) },
	}
	c.Flags().StringVar(&dir, "dir", "", "")
	return c
}

// recoverLedger opens what a killed process left, up to the first receipt that
// verifies.
func recoverLedger(ctx context.Context, dir string, out io.Writer) (err error) {
	start := time.Now()
	l, err := openBench(dir, &entryMachine{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	m := measuredRecovery{Entries: l.Head().Size()}
	if _, _, _, err := receiptOf(l, m.Entries-1); err != nil {
		return err
	}
	m.Recovery = time.Since(start).Seconds()
	made, checked := make([]float64, provenReceipts), make([]float64, provenReceipts)
	for i := range uint64(provenReceipts) {
		if err := ctx.Err(); err != nil {
			return err
		}
		size, make, verify, err := receiptOf(l, i*m.Entries/provenReceipts)
		if err != nil {
			return err
		}
		m.ReceiptBytes = max(m.ReceiptBytes, size)
		made[i], checked[i] = microseconds(make), microseconds(verify)
	}
	m.Proof, m.Verify = middle(made), middle(checked)
	return json.NewEncoder(out).Encode(m)
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// receiptOf makes and verifies the receipt of the transaction at a place of the log.
func receiptOf(l engine.Engine, place uint64) (size int, make, verify time.Duration, err error) {
	entries, err := l.Entries(place, 1)
	if err == nil && len(entries) != 1 {
		err = engine.ErrUnknown
	}
	if err != nil {
		return 0, 0, 0, fmt.Errorf("transaction %d: %w", place, err)
	}
	start := time.Now()
	r, err := l.Receipt(entries[0].Hash)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("transaction %d: %w", place, err)
	}
	text := r.Text()
	make = time.Since(start)
	start = time.Now()
	if _, err := r.Verify(l.Genesis(), nil); err != nil {
		return 0, 0, 0, fmt.Errorf("transaction %d: %w", place, err)
	}
	return len(text), make, time.Since(start), nil
}
