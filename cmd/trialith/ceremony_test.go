package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
)

// smallCircuit has as many public inputs as the consent proof and hardly any
// constraint, so that a whole ceremony takes a moment.
type smallCircuit struct {
	Public [verifier.Inputs]frontend.Variable `gnark:",public"`
}

func (c *smallCircuit) Define(api frontend.API) error {
	for _, p := range c.Public {
		api.Mul(p, api.Add(p, 1))
	}
	return nil
}

// hoursLater is how far the clock of smallMain goes ahead.
const hoursLater = "TEST_HOURS_LATER"

// smallMain is the command with a small circuit for its ceremonies, and a clock
// that goes ahead by so many hours.
func smallMain() {
	if hours, err := strconv.Atoi(os.Getenv(hoursLater)); err == nil {
		ceremonyClock = func() time.Time { return time.Now().Add(time.Duration(hours) * time.Hour) }
	}
	ceremonyCompile = func(int) (*cs_bn254.R1CS, error) {
		system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, new(smallCircuit))
		if err != nil {
			return nil, err
		}
		return system.(*cs_bn254.R1CS), nil
	}
	main()
}

// TestCeremonyKilled kills the real process at random moments of every step, and
// runs the step again until it is done. What was there stays there.
func TestCeremonyKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it starts a process some hundred times")
	}
	k := &killer{t: t, at: t.TempDir(), dir: filepath.Join(t.TempDir(), "ceremony"), r: rand.New(rand.NewPCG(19, 4))}
	as := func(name string) []string { return []string{"--as", name, "--key", filepath.Join(k.at, name+".key")} }
	k.until("already", append([]string{"init", k.dir, "--name", "Killed", "--minimum", "2"}, as("Coordinator")...)...)
	for phase := range 2 {
		value := sha256.Sum256([]byte{byte(phase)})
		k.until("counts once", append([]string{"contribute", k.dir}, as("Ada")...)...)
		k.whole(append([]string{"announce", k.dir, "--source", "a value", "--at", "+1h"}, as("Coordinator")...)...)
		k.until("counts once", append([]string{"contribute", k.dir}, as("Ben")...)...)
		k.hours += 2
		k.until("no beacon is announced|has 0 contributors", append([]string{"seal", k.dir, "--beacon", hex.EncodeToString(value[:])}, as("Coordinator")...)...)
	}
	if out := k.whole("verify", k.dir); !strings.Contains(out, "VERIFIED") {
		t.Error(out)
	}
	if k.kills == 0 {
		t.Error("nothing was killed; the test tested nothing")
	}
	t.Logf("%d kills", k.kills)
}

// killer runs the command in processes of their own.
type killer struct {
	t       *testing.T
	at, dir string
	r       *rand.Rand
	kills   int
	hours   int
}

func (k *killer) command(args ...string) *exec.Cmd {
	// testscript.Main puts the command on the path.
	cmd := exec.CommandContext(k.t.Context(), "trialith-small", append([]string{"ceremony"}, args...)...)
	cmd.Env = append(os.Environ(), hoursLater+"="+strconv.Itoa(k.hours))
	return cmd
}

// whole runs a command to its end.
func (k *killer) whole(args ...string) string {
	k.t.Helper()
	out, err := k.command(args...).CombinedOutput()
	if err != nil {
		k.t.Fatalf("%s: %v: %s", args, err, out)
	}
	return string(out)
}

// until starts a command and kills it, time after time and a little later each
// time, until it has been done: it says so, or refuses to do it twice by one of
// the words.
func (k *killer) until(words string, args ...string) {
	k.t.Helper()
	for attempt := range 100 {
		cmd := k.command(args...)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			k.t.Fatal(err)
		}
		stop := time.AfterFunc(time.Duration(attempt)*2*time.Millisecond+time.Duration(k.r.IntN(4000))*time.Microsecond, func() {
			_ = cmd.Process.Kill() // it may have ended
		})
		err := cmd.Wait()
		stop.Stop()
		if err == nil {
			return
		}
		if failed, ok := errors.AsType[*exec.ExitError](err); ok && failed.ExitCode() == -1 {
			k.kills++
			continue
		}
		for word := range strings.SplitSeq(words, "|") {
			if strings.Contains(out.String(), word) {
				return // done before the kill
			}
		}
		k.t.Fatalf("%s: %v: %s", args, err, out.String())
	}
	k.whole(args...) // a slow machine
}

func TestSeedFileRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, tc := range map[string]struct {
		bytes int
		mode  os.FileMode
		word  string
	}{
		"readable by others": {32, 0o640, "others may read it"},
		"too long":           {33, 0o600, "33 bytes"},
		"empty":              {0, 0o600, "0 bytes"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, tc.bytes), tc.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := seedFile(path); err == nil || !strings.Contains(err.Error(), tc.word) {
			t.Errorf("%s: %v", name, err)
		}
	}
	path := filepath.Join(dir, "new")
	made, err := seedFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := seedFile(path); err != nil || !again.Equal(made) {
		t.Errorf("%v, or another key", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// A node takes the key of a ceremony from its directory, with the record for
// evidence files. The development key serves ledgers that say what they are.
func TestVerifyingKeyOfACeremony(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("..", "..", "registry", "evidence", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	dir := t.TempDir()
	put := func(name string, b []byte) {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, dirKeys), 0o700), os.WriteFile(filepath.Join(dir, dirKeys, name), b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	vk := read("ceremony.vk")
	g := chain.Genesis{VerifyingKey: verifier.HashKey(vk)}
	if _, err := verifyingKey(dir, g); err == nil || !strings.Contains(err.Error(), "not built in") {
		t.Errorf("no key: %v", err)
	}
	put(ceremony.VerifyingFile, vk)
	key, err := verifyingKey(dir, g)
	if err != nil {
		t.Fatal(err)
	}
	if record, err := ceremonyRecord(dir, key); record != nil || err != nil {
		t.Errorf("no record: %v", err)
	}
	put(ceremony.TranscriptFile, read("ceremony.cbor"))
	if record, err := ceremonyRecord(dir, key); record == nil || err != nil {
		t.Errorf("%v", err)
	}
	if _, err := ceremonyRecord(dir, verifier.Development()); err == nil {
		t.Error("the record of another key was taken")
	}
	g.VerifyingKey = verifier.DevelopmentHash
	if _, err := verifyingKey(dir, g); err == nil || !strings.Contains(err.Error(), "anyone can forge") {
		t.Errorf("the development key in earnest: %v", err)
	}
	g.Demonstration = true
	if key, err := verifyingKey(dir, g); err != nil || key != verifier.Development() {
		t.Errorf("%v", err)
	}
}
