package vault_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial/vault"
)

// writing names the directory in which a child process of TestKill writes.
const writing = "TRIALITH_TEST_VAULT"

// TestMain is the child: it keeps records and says which are kept, until killed.
func TestMain(m *testing.M) {
	base := os.Getenv(writing)
	if base == "" {
		os.Exit(m.Run())
	}
	v, err := vault.Open(filepath.Join(base, "vault"), filepath.Join(base, "key"))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		items := make([]vault.Item, 5)
		for j := range items {
			items[j] = item(i, j)
		}
		kept, err := v.PutAll(items)
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		for j, r := range kept {
			fmt.Println(i, j, r.Commitment())
		}
		if i%4 == 3 {
			if err := v.DestroyKey(study, fmt.Sprint("gone", i)); err != nil {
				fmt.Println("error", err)
				os.Exit(1)
			}
		}
	}
}

func item(i, j int) vault.Item {
	return vault.Item{Ref: ref(fmt.Sprint("p", (i+j)%7), fmt.Sprint(i, "/", j)), Content: fmt.Appendf(nil, "content %d %d", i, j)}
}

// TestKill: whatever was said to be kept is there after a kill, with the very
// commitment that was told, and the next process goes on where it stopped.
func TestKill(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	told := map[string]string{}
	for round := range 6 {
		child := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very test
		child.Env = append(os.Environ(), writing+"="+base)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 30+17*round && lines.Scan(); n++ {
			at, commitment, _ := cutLast(lines.Text())
			if strings.HasPrefix(at, "error") {
				t.Fatal(lines.Text())
			}
			if was, again := told[at]; again && was != commitment {
				t.Errorf("%s: committed to %s, and again to %s", at, was, commitment)
			}
			told[at] = commitment
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
	}
	v, err := vault.Open(filepath.Join(base, "vault"), filepath.Join(base, "key"))
	if err != nil {
		t.Fatal(err)
	}
	for at, commitment := range told {
		var i, j int
		if _, err := fmt.Sscan(at, &i, &j); err != nil {
			t.Fatal(err)
		}
		x := item(i, j)
		r, err := v.Get(x.Ref)
		if err != nil || string(r.Content) != string(x.Content) || r.Commitment().String() != commitment {
			t.Errorf("%s: %v", at, err)
		}
	}
	if len(told) < 100 {
		t.Errorf("only %d records were told", len(told))
	}
	left, err := os.ReadDir(filepath.Join(base, "vault", "tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("%d half-written files are left, %v", len(left), err)
	}
	if _, err := v.Put(ref("gone3", "x"), nil); !errors.Is(err, vault.ErrDestroyed) {
		t.Errorf("a key that was destroyed before the kill: %v", err)
	}
}

func cutLast(s string) (before, last string, found bool) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
