package monitor_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/monitor"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/wire"
)

func open(t testing.TB, dir string, policy receipt.Policy) *monitor.Monitor {
	t.Helper()
	m, err := monitor.Open(t.Context(), monitor.Config{Dir: dir, Genesis: genesis(), Clock: clock(genesis().Time + 3600_000), Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// many is blocks of one letter each.
func many(n int) (out []string) {
	for i := range n {
		out = append(out, string(rune('a'+i%26)))
	}
	return out
}

// A monitor follows an honest ledger through servers that are not equally far,
// over HTTP and from files, through a rotation of the key, and begins again
// from what it kept.
func TestFollows(t *testing.T) {
	t.Parallel()
	n := script(t)
	dir := t.TempDir()
	steps := []struct {
		add    []string
		rotate int
		blocks uint64
	}{{nil, 0, 0}, {[]string{"ab", "c"}, 0, 2}, {nil, 0, 0}, {many(300), 0, 300}, {[]string{"x"}, 7, 1}, {many(700), 0, 700}, {[]string{"y", "z"}, 8, 2}}
	var before tiles.Reader
	for i, s := range steps {
		if s.rotate > 0 {
			n.rotate(t, s.rotate)
		}
		n.more(t, s.add...)
		m := open(t, dir, nil)
		view := n.shown(t)
		if i%2 == 0 {
			server := httptest.NewServer(http.StripPrefix("/log", tiles.New(n, nil)))
			defer server.Close()
			view = tiles.NewRemote(server.URL+"/log/", server.Client())
		}
		r, err := m.Look(t.Context(), view)
		if err != nil || r.New != s.blocks || len(r.Doubts) > 0 || r.Checkpoint.Height != uint64(len(n.headers)) {
			t.Fatalf("step %d: %+v, %v", i, r, err)
		}
		if before != nil && s.blocks > 0 {
			r, err := m.Look(t.Context(), before)
			if err != nil || len(r.Doubts) != 1 || !strings.Contains(r.Doubts[0], "lags") {
				t.Errorf("step %d: a server that lags: %+v, %v", i, r, err)
			}
		}
		before = n.shown(t)
	}
	if _, err := os.Stat(filepath.Join(dir, "evidence")); !errors.Is(err, os.ErrNotExist) {
		t.Error("there is evidence against an honest ledger")
	}
}

// Each way to sign two histories is found, whichever of them is seen first, and
// the evidence convinces who has nothing but the genesis.
func TestEquivocation(t *testing.T) {
	t.Parallel()
	base := func() *node { return script(t, append([]string{"ab", "c"}, many(20)...)...) }
	rewritten := base()
	rewritten.leaves[1] = []byte("other") // the log forgets a transaction, the headers go on
	rewritten.more(t, "q")
	rotated := base()
	rotated.rotate(t, 5)
	rotated.more(t, "u", "v")
	for name, c := range map[string]struct {
		one, two *node
		says     string
	}{
		"one height":               {with(t, base(), "d"), with(t, base(), "e"), "name two blocks"},
		"another length":           {with(t, base(), "d"), with(t, base(), "e", "f", "g"), "commits to another block 23"},
		"long ago":                 {with(t, script(t, "a"), many(600)...), with(t, script(t, "b"), many(700)...), "commits to another block 601"},
		"one block, two logs":      {base(), signing(base(), func(c *chain.Checkpoint) { c.Root[0] ^= 1 }), "name two logs"},
		"one block, two times":     {base(), signing(base(), func(c *chain.Checkpoint) { c.Time++ }), "name two times"},
		"a shorter log later":      {base(), signing(with(t, base(), "d"), func(c *chain.Checkpoint) { c.Size = 2 }), "each of the blocks between has one"},
		"an earlier time":          {base(), signing(with(t, base(), "d"), func(c *chain.Checkpoint) { c.Time = 5 }), "not of a later time"},
		"another log below":        {base(), rewritten, "does not begin with the 23 transactions"},
		"under an old key":         {rotated, with(t, base(), "u", "w"), "name two blocks"},
		"under an old key, longer": {rotated, with(t, base(), "u", "w", "x"), "commits to another block 24"},
	} {
		for order, views := range [][2]*node{{c.one, c.two}, {c.two, c.one}} {
			if order == 1 && c.one.sign == nil && (c.two.sign != nil || c.two == rewritten) {
				continue // the second is one that no monitor takes as its first
			}
			dir := t.TempDir()
			m := open(t, dir, nil)
			if _, err := m.Look(t.Context(), views[0].shown(t)); err != nil {
				t.Fatalf("%s: first: %v", name, err)
			}
			r, err := m.Look(t.Context(), views[1].shown(t))
			var twice *monitor.EquivocationError
			if !errors.As(err, &twice) || !strings.Contains(twice.Sentence, c.says) {
				t.Errorf("%s, %d: %+v, %v", name, order, r, err)
				continue
			}
			convinces(t, name, r.Evidence, twice.Sentence)
			if again, err := open(t, dir, nil).Look(t.Context(), views[0].shown(t)); err != nil || again.New != 0 {
				t.Errorf("%s: what was known first is given up: %+v, %v", name, again, err)
			}
		}
	}
}

func with(t testing.TB, n *node, blocks ...string) *node {
	n.more(t, blocks...)
	return n
}

func signing(n *node, change func(*chain.Checkpoint)) *node {
	n.sign = func(c chain.Checkpoint) chain.Checkpoint { change(&c); return c }
	return n
}

func convinces(t *testing.T, name, file, sentence string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := monitor.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.Check(genesis()); err != nil || got != sentence {
		t.Errorf("%s: %q, %v", name, got, err)
	}
	other := genesis()
	other.Name = "Another"
	if _, err := e.Check(other); err == nil {
		t.Errorf("%s: proves something of another ledger", name)
	}
}

// What only looks like two histories proves nothing, and a server that cannot
// show what the ledger signed is not taken as the ledger.
func TestNoEquivocation(t *testing.T) {
	t.Parallel()
	n := script(t, "ab", "c", "d")
	view := n.shown(t)
	for name, c := range map[string]struct {
		view tiles.Reader
		says string
	}{
		"signed by a stranger":  {strange(t, "ab", "c", "e"), "signature"},
		"headers do not chain":  {changed{view2(t, n), tiles.Headers, 900}, ""},
		"tiles are not its log": {changed{view2(t, n), tiles.Hashes, 3}, ""},
		"its own header is not what it signed": {
			signing(with(t, script(t, "ab", "c", "d"), "e"), func(c *chain.Checkpoint) { c.Header[0] ^= 1 }).shown(t), "another header",
		},
		"nothing there": {changed{view2(t, n), tiles.Checkpoint, -1}, "no such file"},
	} {
		m := open(t, t.TempDir(), nil)
		if _, err := m.Look(t.Context(), view); err != nil {
			t.Fatal(err)
		}
		r, err := m.Look(t.Context(), c.view)
		var twice *monitor.EquivocationError
		if err == nil || errors.As(err, &twice) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if r.Checkpoint.Height != 3 {
			t.Errorf("%s: it was taken", name)
		}
	}
}

func view2(t testing.TB, n *node) tiles.Reader {
	more := &node{keys: n.keys}
	*more = *n
	more.leaves = append([][]byte(nil), n.leaves...)
	more.headers = append([]chain.Header(nil), n.headers...)
	more.more(t, "x", "y")
	return more.shown(t)
}

func strange(t testing.TB, blocks ...string) tiles.Reader {
	n := script(t, blocks...)
	n.keys[genesis().Node] = key(9)
	return n.shown(t)
}

// changed changes a byte of each file of a kind; -1: there is none.
type changed struct {
	tiles.Reader
	kind tiles.Kind
	at   int
}

func (c changed) Read(ctx context.Context, p tiles.Path) ([]byte, error) {
	b, err := c.Reader.Read(ctx, p)
	if p.Kind != c.kind || err != nil {
		return b, err
	}
	if c.at < 0 {
		return nil, tiles.ErrNotFound
	}
	b[c.at%len(b)] ^= 1
	return b, nil
}

type quorum struct{ torchwood.Policy }

func (q quorum) Check(msg []byte) error {
	n, err := note.Open(msg, q)
	if err != nil {
		return err
	}
	return q.Policy.Check(genesis().Origin, n.Sigs)
}

func TestDoubts(t *testing.T) {
	t.Parallel()
	s, err := torchwood.NewCosignatureSigner("witness.example/one", ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	policy := quorum{torchwood.SingleVerifierPolicy(s.Verifier())}
	n := script(t, "ab")
	m := open(t, t.TempDir(), policy)
	for _, c := range []struct {
		name  string
		want  string
		after func()
	}{
		{"not cosigned", "not witnessed", func() {}},
		{"cosigned", "", func() { n.cosigner = s }},
		{"from the future", "before this machine's clock", func() {
			n.more(t, "c")
			n.headers[1].Time += 4000_000
		}},
	} {
		c.after()
		r, err := m.Look(t.Context(), n.shown(t))
		if err != nil || (c.want == "") != (len(r.Doubts) == 0) || !strings.Contains(fmt.Sprint(r.Doubts), c.want) {
			t.Errorf("%s: %+v, %v", c.name, r, err)
		}
	}
}

// A directory that is damaged is not gone on from.
func TestDamagedDirectory(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"headers/000.p/3", "checkpoint", "genesis"} {
		dir := t.TempDir()
		if _, err := open(t, dir, nil).Look(t.Context(), script(t, "ab", "c", "d").shown(t)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := monitor.Open(t.Context(), monitor.Config{Dir: dir, Genesis: genesis(), Clock: clock(0)}); err == nil {
			t.Errorf("%s: damaged, and taken", name)
		}
	}
}

// evidence is one of each kind.
func evidence(t testing.TB) (out []*monitor.Equivocation) {
	t.Helper()
	rewritten := script(t, "ab", "c", "d")
	rewritten.leaves[1] = []byte("other")
	rewritten.more(t, "q")
	for _, views := range [][2]*node{
		{script(t, "ab", "c", "d"), script(t, "ab", "c", "e")},
		{script(t, "ab", "c", "d"), script(t, "ab", "c", "e", "f", "g")},
		{script(t, "ab", "c", "d"), rewritten},
	} {
		m := open(t, t.TempDir(), nil)
		if _, err := m.Look(context.Background(), views[0].shown(t)); err != nil {
			t.Fatal(err)
		}
		_, err := m.Look(context.Background(), views[1].shown(t))
		var twice *monitor.EquivocationError
		if !errors.As(err, &twice) {
			t.Fatal(err)
		}
		out = append(out, twice.Evidence)
	}
	return out
}

// Changed evidence proves nothing: no byte of it is idle.
func TestMutatedEvidence(t *testing.T) {
	t.Parallel()
	for n, e := range evidence(t) {
		good := e.Encode()
		sentence, err := e.Check(genesis())
		if err != nil {
			t.Fatal(err)
		}
		for i := range good {
			b := bytes.Clone(good)
			b[i] ^= 1
			x, err := monitor.Parse(b)
			if err != nil {
				continue
			}
			if got, err := x.Check(genesis()); err == nil && got != sentence {
				t.Errorf("evidence %d, byte %d: %s", n, i, got)
			}
		}
	}
	for name, change := range map[string]func(*monitor.Equivocation){
		"two of one history": func(e *monitor.Equivocation) { e.Later = e.Earlier },
		"swapped":            func(e *monitor.Equivocation) { e.Earlier, e.Later = e.Later, e.Earlier },
		"no headers":         func(e *monitor.Equivocation) { e.Headers = nil },
		"a header less":      func(e *monitor.Equivocation) { e.Headers = e.Headers[1:] },
		"not the last":       func(e *monitor.Equivocation) { e.Headers = e.Headers[:len(e.Headers)-1] },
		"a strange rotation": func(e *monitor.Equivocation) { e.Later.Rotations = []chain.Rotation{{Height: 1}} },
		"unsigned": func(e *monitor.Equivocation) {
			e.Earlier.Checkpoint, _, _ = strings.Cut(e.Earlier.Checkpoint, "\u2014")
		},
		"an honest pair": func(e *monitor.Equivocation) {
			e.Headers[0].Results = wire.Hash{}
			honest := script(t, "ab", "c", "e")
			e.Earlier.Checkpoint = string(honest.Checkpoint())
		},
	} {
		e := *evidence(t)[1]
		change(&e)
		if got, err := e.Check(genesis()); err == nil {
			t.Errorf("%s: %s", name, got)
		}
	}
	e := *evidence(t)[2]
	e.Root[0] ^= 1
	if got, err := e.Check(genesis()); err == nil {
		t.Errorf("another root: %s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range evidence(f) {
		f.Add(e.Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := monitor.Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(e.Encode(), b) {
			t.Fatal("a second encoding was taken")
		}
		// Whatever convinces holds two checkpoints that the node signed.
		if _, err := e.Check(genesis()); err != nil {
			return
		}
		for _, s := range []monitor.Signed{e.Earlier, e.Later} {
			if _, err := s.Open(genesis()); err != nil {
				t.Fatal(err)
			}
		}
		if e.Earlier.Checkpoint == e.Later.Checkpoint {
			t.Fatal("one checkpoint convinces")
		}
	})
}
