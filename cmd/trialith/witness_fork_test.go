package main

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/ledger/witness"
)

// TestForkAfterRotation: two histories that the node signed with its second key
// are proven with the rotations, and not without.
func TestForkAfterRotation(t *testing.T) {
	t.Parallel()
	key := func(n byte) ed25519.PrivateKey {
		return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	}
	present, next := key(1), key(2)
	g := chain.Genesis{
		Version: chain.GenesisVersion, Name: "Fork test", Time: 1_700_000_000_000, Epoch: 86400, Rules: 1, Origin: "trialith.example/fork",
		Node:        tx.PublicKey(present.Public().(ed25519.PublicKey)),
		Authorities: []chain.Authority{{Role: "regulator", Name: "A regulator", Country: "CH", Key: tx.PublicKey(key(3).Public().(ed25519.PublicKey))}},
	}
	r := chain.Rotation{Height: 3, Envelope: chain.NewRotation(g.ID(), present, next, 1<<50, tx.Key{1}).Encode()}
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	head := func(header byte) []byte {
		c := chain.Checkpoint{Origin: g.Origin, Size: 7, Height: 5, Time: g.Time + 5, Header: wire.Hash{header}}
		msg, err := c.Sign(chain.NewSigner(g.Origin, next))
		if err != nil {
			t.Fatal(err)
		}
		return msg
	}
	fork := file("log.fork", witness.FormatFork(head(1), head(2)))
	args := []string{"witness", "check", fork, "--genesis", file("genesis", g.Encode())}
	var out, diagnostics bytes.Buffer
	if code := run(args, &out, &diagnostics); code != 1 {
		t.Errorf("without the rotations: %d %s%s", code, &out, &diagnostics)
	}
	out.Reset()
	args = append(args, "--rotations", file("rotations", wire.Marshal([]chain.Rotation{r})))
	if code := run(args, &out, &diagnostics); code != 0 || !strings.Contains(out.String(), "signed two histories") {
		t.Errorf("%d %s%s", code, &out, &diagnostics)
	}
}

// TestLogsOfAWitness: two ledgers of one origin are refused, and so is a key that
// is named twice.
func TestLogsOfAWitness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ledger := func(name string, seed byte) (path, vkey string) {
		t.Helper()
		key := func(n byte) tx.PublicKey {
			return tx.PublicKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize)).Public().(ed25519.PublicKey))
		}
		g := chain.Genesis{
			Version: chain.GenesisVersion, Name: name, Time: 1_700_000_000_000, Epoch: 86400, Rules: 1, Origin: "trialith.example/one", Node: key(seed),
			Authorities: []chain.Authority{{Role: "regulator", Name: "A regulator", Country: "CH", Key: key(99)}},
		}
		path = filepath.Join(dir, name)
		if err := os.WriteFile(path, g.Encode(), 0o600); err != nil {
			t.Fatal(err)
		}
		vkey, err := g.VerifierKey()
		if err != nil {
			t.Fatal(err)
		}
		return path, "trialith.example/one=" + vkey
	}
	one, first := ledger("one", 1)
	other, second := ledger("other", 2)
	for _, c := range []struct {
		args []string
		good bool
	}{
		{[]string{one}, true},
		{[]string{one, second}, true},
		{[]string{second, one}, true},
		{[]string{one, other}, false},
		{[]string{one, one}, false},
		{[]string{one, first}, false},
	} {
		logs, err := readLogs(c.args)
		if (err == nil) != c.good {
			t.Errorf("%q: %v", c.args, err)
		}
		if err == nil && (len(logs) != 1 || len(logs[0].Keys) != len(c.args)) {
			t.Errorf("%q: %+v", c.args, logs)
		}
	}
}
