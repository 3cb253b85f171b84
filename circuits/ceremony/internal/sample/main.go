// Command sample holds a ceremony of the default circuit by three made-up people
// with public keys and a beacon of its own making, and writes its record and
// verifying key beside the tests of evidence files. The secrets of the
// contributions are forgotten, but nobody can know that: the keys serve tests alone.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/tree"
)

// into is where the tests read them, seen from package ceremony.
const into = "../../registry/evidence/testdata"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// clock is a clock for signers: a minute for each entry.
type clock int64

func (c *clock) signer(name string) ceremony.Signer {
	*c += 60_000
	seed := sha256.Sum256([]byte("trialith sample ceremony, public: " + name))
	return ceremony.Signer{Name: name, Key: ed25519.NewKeyFromSeed(seed[:]), Now: int64(*c)}
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "ceremony-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c := ceremony.Config{Dir: dir, Progress: func(step, of int, what string) { fmt.Printf("%d/%d %s\n", step, of, what) }}
	now := clock(1_790_000_000_000)
	plan := ceremony.Plan{Name: "Sample for tests", Depth: tree.Depth, Minimum: 2}
	x, err := ceremony.Init(c, plan, now.signer("Coordinator"))
	if err != nil {
		return err
	}
	for phase := range 2 {
		if err := hold(ctx, x, &now, phase); err != nil {
			return err
		}
	}
	return errors.Join(
		moved(filepath.Join(dir, ceremony.TranscriptFile), into+"/ceremony.cbor"),
		moved(filepath.Join(dir, ceremony.VerifyingFile), into+"/ceremony.vk"),
	)
}

func moved(from, to string) error {
	b, err := os.ReadFile(from) //nolint:gosec // a directory of our own making
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644) //nolint:gosec // one of two constants
}

// hold is one phase: two contribute, the beacon is announced, a third
// contributes, the beacon closes.
func hold(ctx context.Context, x *ceremony.Ceremony, now *clock, phase int) error {
	const hour = 3_600_000
	for _, name := range []string{"Ada", "Ben"} {
		if err := x.Contribute(now.signer(name)); err != nil {
			return err
		}
	}
	at := int64(*now) + hour
	if err := x.Announce(now.signer("Coordinator"), fmt.Sprintf("SHA-256 of the phase's number, a test's beacon (phase %d)", phase+1), at, sha256.Size); err != nil {
		return err
	}
	if err := x.Contribute(now.signer("Cleo")); err != nil {
		return err
	}
	*now = clock(at)
	value := sha256.Sum256([]byte{byte(phase + 1)})
	return x.Seal(ctx, now.signer("Coordinator"), value[:])
}
