package client

import (
	"bytes"
	"strings"
	"testing"
)

func TestCode(t *testing.T) {
	t.Parallel()
	c := NewCode()
	for _, s := range []string{c.String(), strings.ToLower(c.String()), " " + string(c), strings.ReplaceAll(strings.ReplaceAll(string(c), "0", "o"), "1", "l")} {
		got, err := ParseCode(s)
		if err != nil || got != c {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for i := range len(c) {
		for _, r := range codeLetters {
			wrong := string(c[:i]) + string(r) + string(c[i+1:])
			if wrong == string(c) {
				continue
			}
			if _, err := ParseCode(wrong); err == nil {
				t.Errorf("%s for %s was taken", wrong, c)
			}
		}
	}
	for _, s := range []string{"", "K7QM", string(c) + "0", strings.Repeat("U", 12), strings.Repeat("é", 6)} {
		if _, err := ParseCode(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

// FuzzParseCode holds that what is read as a code is written as one.
func FuzzParseCode(f *testing.F) {
	f.Add("K7QM-2RTX-9PWD")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		if err != nil {
			return
		}
		if again, err := ParseCode(c.String()); err != nil || again != c {
			t.Errorf("%q: %v, then %v, %v", s, c, again, err)
		}
	})
}

func TestLetters(t *testing.T) {
	t.Parallel()
	c, other := NewCode(), NewCode()
	in, err := NewInbox()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := NewInbox()
	if err != nil {
		t.Fatal(err)
	}
	want := Letter{Type: "visit", Subject: "07-0012", Body: []byte{1, 2, 3}, Code: "K7QM2R"}
	card, err := c.Seal(want)
	if err != nil {
		t.Fatal(err)
	}
	mail, err := SealTo(in.Public(), want)
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]struct {
		letter      []byte
		right, left func([]byte, any) error
	}{"card": {card, c.Open, other.Open}, "inbox": {mail, in.Open, stranger.Open}} {
		if len(l.letter) != LetterSize {
			t.Errorf("%s: %d bytes", name, len(l.letter))
		}
		var got Letter
		if err := l.right(l.letter, &got); err != nil || got.Subject != want.Subject || !bytes.Equal(got.Body, want.Body) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if err := l.left(l.letter, &got); err == nil {
			t.Errorf("%s: opened by somebody else", name)
		}
		for _, i := range []int{0, 12, 70, LetterSize - 1} {
			bad := bytes.Clone(l.letter)
			bad[i] ^= 1
			if err := l.right(bad, &got); err == nil {
				t.Errorf("%s: byte %d changed, opened all the same", name, i)
			}
		}
		if err := l.right(l.letter[:LetterSize-1], &got); err == nil {
			t.Errorf("%s: cut, opened all the same", name)
		}
	}
	if _, err := c.Seal(Letter{Reason: strings.Repeat("x", LetterSize)}); err == nil {
		t.Error("a letter that is too long was sealed")
	}
	again, err := ParseInbox(in.Secret())
	if err != nil || again.Box() != in.Box() {
		t.Errorf("restored: %v", err)
	}
}
