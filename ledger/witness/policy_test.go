package witness

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

func vkey(n int) string { return KeyOf(fmt.Sprintf("w%d.example", n), public(n)).String() }

func logKey(t testing.TB) string {
	k, err := note.NewEd25519VerifierKey(origin, key(0).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// signedBy is a checkpoint with the log's signature and those of some witnesses.
func signedBy(t testing.TB, witnesses ...int) []byte {
	l := newLog(t).grow("a")
	msg := l.sign(l.head())
	for _, n := range witnesses {
		msg = append(msg, cosign(fmt.Sprintf("w%d.example", n), key(n), time.UnixMilli(noon+int64(n)*1000), l.head().Text())...)
	}
	return msg
}

// example has the two levels of the specification's own example.
func example(t testing.TB) string {
	return "# who counts\nlog " + logKey(t) + " https://log.example/\n" +
		"witness X1 " + vkey(1) + " https://w1.example/\n  witness\tX2 " + vkey(2) + "\nwitness X3 " + vkey(3) + "\n" +
		"group X 2 X1 X2 X3\n\t # of two organisations\nwitness Y1 " + vkey(4) + "\nwitness Y2 " + vkey(5) + "\n" +
		"group Y any Y1 Y2\n\ngroup both all X Y\nquorum both\n"
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	text := example(t)
	p, err := ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if w := p.Witnesses(); len(w) != 5 || w[0].URL != "https://w1.example" || w[1].URL != "" || w[4].Name != "Y2" || p.AsksNone() {
		t.Errorf("%+v", w)
	}
	for _, c := range []struct {
		signed []int
		quorum bool
	}{
		{nil, false},
		{[]int{1, 2}, false},
		{[]int{1, 4}, false},
		{[]int{1, 2, 4}, true},
		{[]int{3, 2, 5}, true},
		{[]int{1, 2, 3, 4, 5}, true},
		{[]int{4, 5, 1}, false},
		{[]int{8, 9, 10}, false},
		{[]int{8, 1, 2, 4}, true},
	} {
		msg := signedBy(t, c.signed...)
		got, err := p.Open(msg)
		if err != nil {
			t.Fatal(err)
		}
		if got.Quorum != c.quorum || (p.Check(msg) == nil) != c.quorum {
			t.Errorf("%v: %+v", c.signed, got)
		}
		if c.quorum {
			secondOpinion(t, text, msg)
		}
	}
	c, err := p.Open(signedBy(t, 5, 2, 8))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Cosignatures) != 2 || c.Cosignatures[0].Name != "X2" || c.Cosignatures[1].Name != "Y2" ||
		c.First.UnixMilli() != noon+2000 || c.Last.UnixMilli() != noon+5000 {
		t.Errorf("%+v", c)
	}
	// One flipped bit in a cosignature of a known key is an error, not a gap.
	bad := signedBy(t, 1, 2, 4)
	bad[bytes.LastIndex(bad, []byte("w2.example"))+40] ^= 1
	if c, err := p.Open(bad); err == nil {
		t.Errorf("%+v", c)
	}
	if _, err := p.Open(bytes.Repeat([]byte("a"), chain.MaxCheckpointBytes+1)); err == nil {
		t.Error("a checkpoint beyond the limit was read")
	}
}

// TestPolicyOfLogs: a policy that names logs asks for the signature of one of
// them, under its own origin; one that names none leaves that to the caller.
func TestPolicyOfLogs(t *testing.T) {
	t.Parallel()
	witness := "witness w " + vkey(1) + "\nquorum w\n"
	msg := signedBy(t, 1)
	lines := bytes.SplitAfter(msg, []byte("\n"))
	unsigned := bytes.Join(append(lines[:5:5], lines[6]), nil) // without the log's line
	for policy, want := range map[string][2]bool{
		witness:                             {true, true},
		"log " + logKey(t) + "\n" + witness: {true, false},
		"log " + Key{Name: "log.example/other", Public: public(0), kind: algLog}.String() + "\n" + witness:                        {false, false},
		"log " + Key{Name: "log.example/other", Public: public(7), kind: algLog}.String() + "\nlog " + logKey(t) + "\n" + witness: {true, false},
	} {
		p, err := ParsePolicy([]byte(policy))
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{p.Check(msg) == nil, p.Check(unsigned) == nil}; got != want {
			t.Errorf("%s%v; want %v", policy, got, want)
		}
	}
	// The log's own key may not pass as a witness's: the kinds are two.
	if _, err := ParsePolicy([]byte("witness w " + logKey(t) + "\nquorum w\n")); err == nil {
		t.Error("a log's key was taken for a witness's")
	}
}

func TestQuorumNone(t *testing.T) {
	t.Parallel()
	p, err := ParsePolicy([]byte("witness w " + vkey(1) + "\nquorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := p.Open(signedBy(t, 1)); err != nil || c.Quorum || len(c.Cosignatures) != 1 || !p.AsksNone() {
		t.Errorf("%+v, %v: a policy that asks for no witness vouches for nothing", c, err)
	}
}

func TestBadPolicy(t *testing.T) {
	t.Parallel()
	w := "witness a " + vkey(1) + "\nwitness b " + vkey(2) + "\n"
	many := ""
	for i := range maxMembers + 1 {
		many += fmt.Sprintf("witness m%d %s\n", i, vkey(100+i))
	}
	for text, reason := range map[string]string{
		"":                                "no quorum line",
		w:                                 "no quorum line",
		w + "quorum a\nquorum b\n":        "a second quorum",
		w + "quorum c\n":                  "not defined above",
		"quorum a\n" + w:                  "not defined above",
		w + "quorum\n":                    "quorum <name>",
		w + "quorum a b\n":                "quorum <name>",
		w + "group g 3 a b\nquorum g\n":   `"3" of 2`,
		w + "group g 0 a b\nquorum g\n":   `"0" of 2`,
		w + "group g 01 a b\nquorum g\n":  `"01" of 2`,
		w + "group g all\nquorum g\n":     "group <name>",
		w + "group g all a a\nquorum g\n": "member already",
		w + "group g any a\ngroup h any a b\nquorum h\n":             "member already",
		w + "group g any g\nquorum g\n":                              "not defined above",
		w + "group a any b\nquorum a\n":                              "defined above",
		w + "group none any b\nquorum none\n":                        "a word of the format",
		w + "witness a " + vkey(3) + "\n":                            "defined above",
		w + "witness c " + vkey(1) + "\n":                            "each counts once",
		w + "witness c " + KeyOf("other", public(1)).String() + "\n": "each counts once",
		"witness c x\n":                                  "not of the form",
		"witness c " + vkey(1)[1:] + "\n":                "the hash is not",
		"witness c " + vkey(1) + " ftp://x\n":            "URL",
		"witness c " + vkey(1) + " https://u:p@x/\n":     "URL",
		"witness c\n":                                    "witness <name> <key>",
		"log x\n":                                        "not of the form",
		"log " + logKey(t) + "\nlog " + logKey(t) + "\n": "the key of",
		"witnes a b\n":                                   "a line begins with",
		"quorum none\r\n":                                "control character",
		many + "quorum m0\n":                             "more than",
		strings.Repeat("# x\n", MaxPolicyBytes/4) + "quorum none": "at most",
	} {
		if _, err := ParsePolicy([]byte(text)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.200s\n%v; want %q", text, err, reason)
		}
	}
}

// TestPolicyAgainstTorchwood compares with the other reader of the format: what
// we take it takes, and they agree on every set of signatures. It needs all of
// several logs where the specification needs one, so there is one here.
func TestPolicyAgainstTorchwood(t *testing.T) {
	t.Parallel()
	log, outer := logKey(t), t
	rapid.Check(t, func(t *rapid.T) {
		text, free := "log "+log+"\n", []string{}
		n := rapid.IntRange(1, 6).Draw(t, "witnesses")
		for i := 1; i <= n; i++ {
			text += fmt.Sprintf("witness n%d %s\n", i, vkey(i))
			free = append(free, fmt.Sprintf("n%d", i))
		}
		for g := range rapid.IntRange(0, 3).Draw(t, "groups") {
			k := rapid.IntRange(1, len(free)).Draw(t, "members")
			need := rapid.SampledFrom([]string{"all", "any", fmt.Sprint(rapid.IntRange(1, k).Draw(t, "need"))}).Draw(t, "kind")
			text += fmt.Sprintf("group g%d %s %s\n", g, need, strings.Join(free[:k], " "))
			free = append(free[k:], fmt.Sprintf("g%d", g))
		}
		text += "quorum " + rapid.SampledFrom(free).Draw(t, "quorum") + "\n"
		ours, err := ParsePolicy([]byte(text))
		if err != nil {
			t.Fatalf("%s%v", text, err)
		}
		theirs, err := torchwood.ParsePolicy([]byte(text))
		if err != nil {
			t.Fatalf("%s%v", text, err)
		}
		var signed []int
		for i := 1; i <= n; i++ {
			if rapid.Bool().Draw(t, "signs") {
				signed = append(signed, i)
			}
		}
		msg := signedBy(outer, signed...)
		opened, err := note.Open(msg, theirs)
		if err != nil {
			t.Fatal(err)
		}
		if want, got := theirs.Check(origin, opened.Sigs), ours.Check(msg); (want == nil) != (got == nil) {
			t.Fatalf("%ssigned by %v: torchwood %v, we %v", text, signed, want, got)
		}
	})
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	k := KeyOf("w.example", public(1))
	back, err := ParseKey(k.String())
	if err != nil || back != k {
		t.Errorf("%v, %v", back, err)
	}
	theirs, err := torchwood.NewCosignatureVerifier(k.String())
	if err != nil || theirs.KeyHash() != k.Verifier().KeyHash() || theirs.Name() != k.Verifier().Name() {
		t.Errorf("torchwood: %v", err)
	}
	for _, bad := range []string{
		"", "w.example", "w.example+00000000", strings.ToUpper(k.String()), k.String() + "=", k.String()[:len(k.String())-2] + "==",
		strings.Replace(k.String(), "w.example", "w.example2", 1), strings.Replace(k.String(), "w.example", "", 1),
	} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestCosignatureTime: a cosignature says nothing of a time that no clock shows.
func TestCosignatureTime(t *testing.T) {
	t.Parallel()
	p, err := ParsePolicy([]byte("witness w " + vkey(1) + "\nquorum w\n"))
	if err != nil {
		t.Fatal(err)
	}
	l := newLog(t).grow("a")
	for seconds, good := range map[int64]bool{0: true, maxSeconds: true, maxSeconds + 1: false, math.MaxInt64: false, -1: false} {
		msg := append(l.sign(l.head()), cosign("w1.example", key(1), time.Unix(seconds, 0), l.head().Text())...)
		if c, err := p.Open(msg); (err == nil) != good || good && !c.First.Equal(time.Unix(seconds, 0)) {
			t.Errorf("%d: %+v, %v", seconds, c, err)
		}
	}
}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	r := Request{Old: 20852014, Proof: []wire.Hash{wire.Sum("a"), wire.Sum("b")}, Checkpoint: signedBy(t)}
	text := string(r.Encode())
	back, err := ParseRequest([]byte(text))
	if err != nil || string(back.Encode()) != text {
		t.Fatalf("%+v, %v", back, err)
	}
	hash := strings.Split(text, "\n")[1]
	for _, bad := range []string{
		"", "\n\n", "old 1\n", "old 1\n\r\n", "Old 1\n\nx", "old 01\n\nx", "old -1\n\nx", "old +1\n\nx", "old \n\nx", "old 1 \n\nx",
		"old 18446744073709551616\n\nx", "old 9223372036854775808\n\nx", strings.Replace(text, hash, hash[1:], 1),
		strings.Replace(text, hash, hash[:len(hash)-2]+"B=", 1), strings.Replace(text, hash, hash+"\r", 1), strings.Replace(text, hash, "", 1),
		"old 1\n" + strings.Repeat(hash+"\n", MaxProofHashes+1) + "\nx",
	} {
		if r, err := ParseRequest([]byte(bad)); err == nil && string(r.Encode()) != bad {
			t.Errorf("%q was taken as %+v", bad, r)
		}
	}
	if _, err := ParseRequest([]byte("old 1\n" + strings.Repeat(hash+"\n", MaxProofHashes) + "\nx")); err != nil {
		t.Error(err)
	}
}

// FuzzParseRequest: what is taken comes back as it was, and the witness answers
// it with one of its codes, whatever it is.
func FuzzParseRequest(f *testing.F) {
	l := newLog(f).grow("a", "b", "c")
	f.Add(l.request(0, l.heads[0]))
	f.Add(l.request(1, l.head()))
	f.Add([]byte("old 0\n\nlog.example/test\n1\n\n— log.example/test AAAA\n"))
	w := open(f, config(f, at(noon)))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ParseRequest(body)
		if err == nil && !bytes.Equal(r.Encode(), body) {
			t.Errorf("%q comes back as %q", body, r.Encode())
		}
		switch code, answer := status(t, w, body); code {
		case 200, 400, 403, 404, 409, 412, 422:
		default:
			t.Errorf("%d %s", code, answer)
		}
	})
}

// FuzzPolicy: no policy makes a reader fall over, and none is satisfied by a
// checkpoint without cosignatures.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte(example(f)))
	f.Add([]byte("witness a " + vkey(1) + "\nquorum a\n"))
	msg := signedBy(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy(text)
		if err == nil && p.Check(msg) == nil {
			t.Errorf("%q is satisfied without a witness", text)
		}
	})
}
