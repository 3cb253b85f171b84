package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
)

const copyDay = int64(1_700_000_000_000)

// copied is a running node of a genesis that is always the same.
type copied struct {
	*testing.T
	dir string
	*node
	now int64
}

func startCopied(t *testing.T, now int64) *copied {
	t.Helper()
	c := &copied{T: t, dir: filepath.Join(t.TempDir(), "node"), now: now}
	if err := writeDemo(c.dir, copyDay); err != nil {
		t.Fatal(err)
	}
	g, key, err := readNode(c.dir)
	if err == nil {
		c.node, err = openNode(nodeConfig{dir: c.dir, listen: "127.0.0.1:0", genesis: g, key: key, clock: fixedClock(now)})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil && c.node != nil {
			t.Log(err)
		}
	})
	return c
}

// enter registers so many ethics committees and returns the last one's hash.
func (c *copied) enter(names ...string) (hash wire.TxHash) {
	c.Helper()
	api := client.New(c.url, http.DefaultClient)
	for _, name := range names {
		r := directory.Register{Role: trial.Ethics, Name: name, Country: "US"}
		r.Prove(c.ledger.ID(), demonstration.Key(name))
		sum := wire.Sum("x", name)
		e := &tx.Envelope{
			Ledger: c.ledger.ID(), Kind: contract.DirectoryRegister, Stream: wire.Directory, Expiry: c.now + 3600_000,
			Idempotency: tx.Key(sum[:16]), Body: wire.Marshal(r),
		}
		e.Sign(demonstration.Key("regulator"))
		o, err := api.Enter(c.Context(), e)
		if err != nil || !o.Accepted() {
			c.Fatalf("%s: %+v, %v", name, o, err)
		}
		hash = o.Hash
	}
	return hash
}

// cosign keeps a witness's cosignature of the head, and returns a policy that
// asks for it.
func (c *copied) cosign(t *testing.T) []byte {
	t.Helper()
	s, err := torchwood.NewCosignatureSigner("witness.example/one", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	keys := c.ledger.Genesis().Keys()
	v, err := note.NewVerifier(must(keys.VerifierKey()))
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(c.ledger.Checkpoint(), note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	msg, err := note.Sign(n, s)
	if err == nil {
		err = c.ledger.SetCosigned(c.ledger.Head().Height, msg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, "witness one %s\nquorum one\n", s.Verifier())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func names(from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("Committee %d", i))
	}
	return out
}

// trialith runs a command line and compares its exit code and what it says.
func trialith(t *testing.T, code int, says string, args ...string) {
	t.Helper()
	var out, diagnostics bytes.Buffer
	if got := run(args, &out, &diagnostics); got != code {
		t.Errorf("trialith %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, &out, &diagnostics)
	}
	if !strings.Contains(out.String()+diagnostics.String(), says) {
		t.Errorf("trialith %s: does not say %q:\n%s%s", strings.Join(args, " "), says, &out, &diagnostics)
	}
}

func TestVerifyReceipt(t *testing.T) {
	t.Parallel()
	c := startCopied(t, copyDay+1000)
	hash := c.enter(names(0, 3)...)
	r, err := client.New(c.url, http.DefaultClient).Receipt(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	dir, genesis := t.TempDir(), filepath.Join(c.dir, fileGenesis)
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("receipt.txt", r.Text())
	trialith(t, 3, "PROVEN, WITH RESERVATIONS: Transaction "+hash.String(), "ledger", "verify-receipt", good, "--genesis", genesis)
	trialith(t, 3, "No witness", "ledger", "verify-receipt", good, "--genesis", genesis)
	trialith(t, 3, "Demonstration", "ledger", "verify-receipt", good, "--genesis", genesis)
	trialith(t, 3, "No witness", "ledger", "verify-receipt", good, "--genesis", genesis, "--policy", write("none.txt", []byte("quorum none\n")))
	// Once a witness has cosigned, its cosignature travels in the receipt, and
	// counts for whose policy has it.
	policy := write("policy.txt", c.cosign(t))
	cosigned, err := client.New(c.url, http.DefaultClient).Receipt(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	witnessed := write("witnessed.txt", cosigned.Text())
	trialith(t, 3, "a quorum of witnesses", "ledger", "verify-receipt", witnessed, "--genesis", genesis, "--policy", policy)
	trialith(t, 3, "No witness", "ledger", "verify-receipt", witnessed, "--genesis", genesis)
	trialith(t, 3, "No witness", "ledger", "verify-receipt", good, "--genesis", genesis, "--policy", policy)
	r.Index--
	trialith(t, 1, "NOT VALID", "ledger", "verify-receipt", write("other.txt", r.Text()), "--genesis", genesis)
	trialith(t, 2, "receipt:", "ledger", "verify-receipt", write("half.txt", r.Text()[:100]), "--genesis", genesis)
	trialith(t, 2, "no such file", "ledger", "verify-receipt", filepath.Join(dir, "nowhere"), "--genesis", genesis)
	trialith(t, 2, "genesis", "ledger", "verify-receipt", good, "--genesis", good)
	trialith(t, 2, "policy", "ledger", "verify-receipt", good, "--genesis", genesis, "--policy", good)
}

// A node that runs and one that does not export the same files, a mirror of
// its address and one of the files make them again, and a monitor sees one
// history everywhere.
func TestCopies(t *testing.T) {
	t.Parallel()
	c := startCopied(t, copyDay+1000)
	c.enter(names(0, 5)...)
	at := t.TempDir()
	in := func(name string) string { return filepath.Join(at, name) }
	genesis := filepath.Join(c.dir, fileGenesis)
	export := []string{"ledger", "export", "--dir", c.dir, "--out", in("files")}
	trialith(t, 0, "5 blocks", export...)
	trialith(t, 1, "which ledger is it", "ledger", "mirror", c.url+"/log", "--out", in("copy"), "--once")
	trialith(t, 0, "5 blocks", "ledger", "mirror", c.url+"/log", "--out", in("copy"), "--once", "--genesis", genesis)
	c.enter(names(5, 9)...)
	watch := []string{"monitor", c.url + "/log", in("copy"), in("files"), "--dir", in("watch"), "--once"}
	trialith(t, 3, "it lags", append(watch, "--genesis", genesis)...)
	trialith(t, 0, "9 blocks", export...)
	trialith(t, 0, "9 blocks", "ledger", "mirror", c.url+"/log/", "--out", in("copy"), "--once")
	trialith(t, 0, "one history", watch...)
	trialith(t, 2, "no such file", "monitor", in("nowhere"), "--dir", in("watch"), "--once")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	export[5] = in("stopped")
	trialith(t, 0, "9 blocks", export...)
	for _, name := range []string{"copy", "stopped"} {
		sameFiles(t, in("files"), in(name))
	}
	trialith(t, 2, "executed again", "ledger", "mirror", flipped(t, in("files"), "tile/entries/000.p/9"), "--out", in("second"), "--once", "--genesis", genesis)
}

// flipped is a copy of a directory with a byte of a file changed.
func flipped(t *testing.T, dir, file string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "flipped")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(to, filepath.FromSlash(file))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[50] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// sameFiles compares what two directories show.
func sameFiles(t *testing.T, a, b string) {
	t.Helper()
	ctx := context.Background()
	_, c, err := mustDir(t, a).Published(ctx)
	if err != nil {
		t.Fatal(err)
	}
	paths := []tiles.Path{{Kind: tiles.Checkpoint}, {Kind: tiles.Genesis}, {Kind: tiles.Rotations}}
	none := c
	none.Size, none.Height = 0, 0
	tiles.Since(none, c, func(p tiles.Path) bool { paths = append(paths, p); return true })
	for _, p := range paths {
		x, errX := tiles.ReadDir(a).Read(ctx, p)
		y, errY := tiles.ReadDir(b).Read(ctx, p)
		if err := errors.Join(errX, errY); err != nil || !bytes.Equal(x, y) {
			t.Errorf("%v: %s has another than %s: %v", p, b, a, err)
		}
	}
}

func mustDir(t *testing.T, path string) tiles.Dir {
	t.Helper()
	d, err := tiles.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Two nodes with one key and two histories: monitor and mirror find out, and
// the proof convinces who has the genesis.
func TestTwoHistories(t *testing.T) {
	t.Parallel()
	one, two := startCopied(t, copyDay+1000), startCopied(t, copyDay+2000)
	one.enter(names(0, 3)...)
	two.enter(names(0, 4)...)
	at := t.TempDir()
	in := func(name string) string { return filepath.Join(at, name) }
	genesis := filepath.Join(one.dir, fileGenesis)
	trialith(t, 1, "signed two histories", "monitor", one.url+"/log", two.url+"/log", "--dir", in("watch"), "--genesis", genesis, "--once")
	trialith(t, 0, "3 blocks", "ledger", "mirror", one.url+"/log", "--out", in("copy"), "--genesis", genesis, "--once")
	trialith(t, 1, "signed two histories", "ledger", "mirror", two.url+"/log", "--out", in("copy"), "--once")
	for _, dir := range []string{"watch", "copy"} {
		files, err := filepath.Glob(in(filepath.Join(dir, "evidence", "*.equivocation")))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: %q, %v", dir, files, err)
		}
		trialith(t, 0, "PROVEN: The node of ledger", "monitor", "check", files[0], "--genesis", genesis)
		other := ledgerOf(t, time.Now())
		trialith(t, 1, "NOT PROVEN", "monitor", "check", files[0], "--genesis", filepath.Join(other, fileGenesis))
	}
	trialith(t, 2, "evidence", "monitor", "check", genesis, "--genesis", genesis)
}

// TestMirrorKilled kills the real process at random moments. What the directory
// shows is whole each time, and in the end it is the source's.
func TestMirrorKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it starts a process some twenty times")
	}
	c := startCopied(t, copyDay+1000)
	c.enter(names(0, 20)...)
	at := t.TempDir()
	files, out, genesis := filepath.Join(at, "files"), filepath.Join(at, "copy"), filepath.Join(c.dir, fileGenesis)
	exe, err := exec.LookPath("trialith")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 5))
	for round := range 20 {
		c.enter(names(20+15*round, 35+15*round)...)
		trialith(t, 0, "blocks", "ledger", "export", "--dir", c.dir, "--out", files)
		cmd := exec.Command(exe, "ledger", "mirror", files, "--out", out, "--genesis", genesis, "--once")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(r.IntN(400))*time.Millisecond, func() {
			cmd.Process.Kill() //nolint:errcheck // it may have ended
		})
		cmd.Wait() //nolint:errcheck // it was killed, or not
		timer.Stop()
		if _, err := os.Stat(filepath.Join(out, "checkpoint")); err != nil {
			continue
		}
		// A monitor of the copy alone reads the headers, the tiles and the signature.
		watch := filepath.Join(at, fmt.Sprint("watch", round))
		trialith(t, 0, "one history", "monitor", out, "--dir", watch, "--genesis", genesis, "--once")
	}
	trialith(t, 0, "320 blocks", "ledger", "mirror", files, "--out", out, "--genesis", genesis, "--once")
	sameFiles(t, files, out)
}
