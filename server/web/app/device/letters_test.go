package device_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
)

// TestLetters compares cards, letters and recovery sheets, and looks into the store.
func TestLetters(t *testing.T) {
	t.Parallel()
	p := browsertest.Open(t, "server/web/app/device/testdata/letters.ts", nil)
	for _, c := range []struct {
		name string
		test func(*testing.T, *browsertest.Page)
	}{
		{"cards", cards},
		{"letters of a site", lettersOfSite},
		{"letters to a site", lettersToSite},
		{"sheet", sheet},
		{"sheet misread", sheetMisread},
		{"store", store},
		{"store guarded", storeGuarded},
		{"docs/wire.md", page},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, p) })
	}
}

type madeCard struct{ Code, Format, Box, From string }

func cards(t *testing.T, p *browsertest.Page) {
	for _, made := range browsertest.Call[[]string](t, p, "newCodes", 50) {
		if _, err := client.ParseCode(made); err != nil {
			t.Errorf("%s, made in the browser: %v", made, err)
		}
	}
	for range 20 {
		code := client.NewCode()
		want := madeCard{string(code), code.String(), code.Box().String(), code.From()}
		typed := strings.ToLower(strings.NewReplacer("0", "o", "1", "l").Replace(code.String()))
		for _, text := range []string{string(code), code.String(), typed, " " + code.String() + " ", "https://node.example/take-part#" + string(code)} {
			if got := browsertest.Call[madeCard](t, p, "card", text); got != want {
				t.Errorf("%q is read as %+v, want %+v", text, got, want)
			}
		}
		wrong := []byte(code)
		for _, at := range []int{0, 5, 11} {
			was := wrong[at]
			wrong[at] = 'Z'
			_, ours := client.ParseCode(string(wrong))
			_, err := browsertest.Try[madeCard](p, "card", string(wrong))
			if was != 'Z' && (err == nil) != (ours == nil) {
				t.Errorf("%s: %v in the browser, %v in Go", wrong, err, ours)
			}
			wrong[at] = was
		}
	}
	for text, want := range map[string]string{
		"K7QM-2RTX-9PW": "code: 11 characters; a card's has 12", "": "code: 0 characters", "K7QM-2RTX-9PWU": "code: character 12 is none that cards use",
	} {
		if _, err := browsertest.Try[madeCard](p, "card", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func lettersOfSite(t *testing.T, p *browsertest.Page) {
	code := client.NewCode()
	name := strings.Repeat("ab", 32)
	card := client.Card{
		Type: "card", Ledger: name, Trial: name, Site: name, SiteName: "Klinik Süd", Investigator: name, Version: 2, Day: 20_000, Study: "A trial",
		Contact: "Dr ‹x›, 555", Inbox: make([]byte, 65), Code: "07-0012",
	}
	letter, err := code.Seal(card)
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString(letter)
	opened := browsertest.Call[client.Card](t, p, "openCard", string(code), encoded)
	if diff := cmp.Diff(card, opened); diff != "" {
		t.Errorf("a site's card, opened in the browser (-want +got):\n%s", diff)
	}
	made := unbase64(t, browsertest.Call[string](t, p, "cardLetter", string(code), card))
	var back client.Card
	if err := code.Open(made, &back); err != nil || len(made) != client.LetterSize {
		t.Fatalf("%d bytes: %v", len(made), err)
	}
	if diff := cmp.Diff(card, back); diff != "" {
		t.Errorf("a card made in the browser (-want +got):\n%s", diff)
	}
	letter[100] ^= 1
	if _, err := browsertest.Try[client.Card](p, "openCard", string(code), base64.StdEncoding.EncodeToString(letter)); err == nil || !strings.Contains(err.Error(), "not sealed for this card") {
		t.Errorf("a changed letter: %v", err)
	}
	if _, err := browsertest.Try[client.Card](p, "openCard", string(client.NewCode()), encoded); err == nil || !strings.Contains(err.Error(), "not sealed for this card") {
		t.Errorf("another card's letter: %v", err)
	}
	if _, err := browsertest.Try[string](p, "cardLetter", string(code), client.Card{Type: "card", Study: strings.Repeat("x", 4096)}); err == nil || !strings.Contains(err.Error(), "at most 4066") {
		t.Errorf("a letter too long: %v", err)
	}
	path, key := card, card
	path.Trial, key.Inbox = "../../elsewhere", make([]byte, 64)
	for want, words := range map[string]any{
		"version: no number": map[string]any{"type": "countersigned", "version": "two"}, "of no known type": map[string]any{"type": "toString"},
		"trial: no name": path, "inbox: no key": key, "reason: no text": map[string]any{"type": "refused", "reason": 7}, "letter: of no known": nil,
	} {
		strange, err := code.Seal(words)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := browsertest.Try[json.RawMessage](p, "openCard", string(code), base64.StdEncoding.EncodeToString(strange)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", words, err, want)
		}
	}
}

func lettersToSite(t *testing.T, p *browsertest.Page) {
	inbox, err := client.NewInbox()
	if err != nil {
		t.Fatal(err)
	}
	key, secret := base64.StdEncoding.EncodeToString(inbox.Public()), base64.StdEncoding.EncodeToString(inbox.Secret())
	if got := browsertest.Call[string](t, p, "inboxName", key); got != inbox.Box().String() {
		t.Errorf("box %s, want %v", got, inbox.Box())
	}
	for _, words := range []client.Letter{
		{Type: "enrol", Box: strings.Repeat("0a", 16), Subject: "07-0012", Body: make([]byte, 700)},
		{Type: "receipt", Subject: "07-0012", Version: 2, Epoch: 1 << 40},
		{Type: "visit", Subject: "07-0012", Code: "ABC123", Body: []byte{1}},
		{Type: "withdrawn", Subject: "07-0012"},
	} {
		words.From = client.NewCode().From()
		made := unbase64(t, browsertest.Call[string](t, p, "inboxLetter", key, words))
		var back client.Letter
		if err := inbox.Open(made, &back); err != nil || len(made) != client.LetterSize {
			t.Fatalf("%s: %d bytes: %v", words.Type, len(made), err)
		}
		if diff := cmp.Diff(words, back); diff != "" {
			t.Errorf("made in the browser (-want +got):\n%s", diff)
		}
		sealed, err := client.SealTo(inbox.Public(), words)
		if err != nil {
			t.Fatal(err)
		}
		opened := browsertest.Call[client.Letter](t, p, "openInbox", secret, key, base64.StdEncoding.EncodeToString(sealed))
		if diff := cmp.Diff(words, opened); diff != "" {
			t.Errorf("opened in the browser (-want +got):\n%s", diff)
		}
		sealed[4095] ^= 1
		if _, err := browsertest.Try[client.Letter](p, "openInbox", secret, key, base64.StdEncoding.EncodeToString(sealed)); err == nil {
			t.Errorf("%s: a changed letter opens", words.Type)
		}
	}
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type read struct {
	Master, Error string
	Group         int
}

// crockford is the base 32 of the sheet, written again for the test.
func crockford(b []byte) string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var out strings.Builder
	for i := 0; i < 8*len(b); i += 5 {
		v := 0
		for j := i; j < i+5; j++ {
			v <<= 1
			if j < 8*len(b) {
				v |= int(b[j/8]>>(7-j%8)) & 1
			}
		}
		out.WriteByte(letters[v])
	}
	return out.String()
}

func sheet(t *testing.T, p *browsertest.Page) {
	masters := [][]byte{make([]byte, 32), []byte(strings.Repeat("\xff", 32))}
	for range 30 {
		m := make([]byte, 32)
		rand.Read(m) //nolint:errcheck // never fails (crypto/rand)
		masters = append(masters, m)
	}
	for _, m := range masters {
		check := wire.Sum("recovery", m)
		want := crockford(append(append([]byte{}, m...), check[:2]...))
		groups := browsertest.Call[[]string](t, p, "sheet", hex.EncodeToString(m))
		if strings.Join(groups, "") != want || len(groups) != 11 || len(groups[0]) != 5 {
			t.Fatalf("sheet of %x: %v, want %s", m, groups, want)
		}
		typed := strings.ToLower(strings.NewReplacer("0", "O", "1", "i").Replace(strings.Join(groups, " ")))
		for _, text := range []string{want, strings.Join(groups, "-"), strings.Join(groups, "\n"), typed, " " + strings.ReplaceAll(want, "1", "L")} {
			if got := browsertest.Call[read](t, p, "readSheet", text); got.Master != hex.EncodeToString(m) {
				t.Errorf("%q is read as %+v", text, got)
			}
		}
	}
}

// sheetMisread: one letter wrong or two swapped are found, and nothing but the
// right sheet is read.
func sheetMisread(t *testing.T, p *browsertest.Page) {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	m := make([]byte, 32)
	rand.Read(m) //nolint:errcheck // never fails (crypto/rand)
	groups := browsertest.Call[[]string](t, p, "sheet", hex.EncodeToString(m))
	right := strings.Join(groups, "")
	named := 0
	for at := 0; at < len(right); at += 3 {
		wrong := []byte(right)
		wrong[at] = letters[(strings.IndexByte(letters, wrong[at])+7)%32]
		got := browsertest.Call[read](t, p, "readSheet", string(wrong))
		if got.Master != "" || got.Group != 0 && got.Group != at/5+1 {
			// The check has 16 bits: now and then it is met by chance.
			t.Logf("letter %d wrong: %+v", at, got)
			continue
		}
		if got.Group != 0 {
			named++
		}
	}
	if named < 12 {
		t.Errorf("the group was named %d of 19 times", named)
	}
	at := 0
	for right[at] == right[at+1] {
		at++
	}
	swapped := right[:at] + right[at+1:at+2] + right[at:at+1] + right[at+2:]
	if got := browsertest.Call[read](t, p, "readSheet", swapped); got.Master != "" || got.Error == "" {
		t.Errorf("two letters swapped: %+v", got)
	}
	for text, want := range map[string]read{
		"":         {Error: "recovery sheet: 0 letters, want 55"},
		right[:54]: {Error: "recovery sheet: 54 letters, want 55"},
		strings.Join(groups[:6], " ") + " " + groups[6][:4] + " " + strings.Join(groups[7:], " "): {Group: 7, Error: "recovery sheet: group 7: 4 letters, want 5"},
		strings.Join(groups[:3], " ") + " " + groups[3] + "8 " + strings.Join(groups[4:], " "):    {Group: 4, Error: "recovery sheet: group 4: 6 letters, want 5"},
		right[:12] + "U" + right[13:]: {Group: 3, Error: `recovery sheet: group 3: "U" is on no sheet`},
		right[:50] + "é" + right[51:]: {Group: 11, Error: `recovery sheet: group 11: "É" is on no sheet`},
	} {
		if got := browsertest.Call[read](t, p, "readSheet", text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

// store: what is kept comes back, and nothing of it lies plainly in the
// database: neither as text nor as bytes.
func store(t *testing.T, p *browsertest.Page) {
	got := browsertest.Call[struct {
		Same        bool
		Words       []string
		Raw         string
		Plain       []string
		Extractable bool
	}](t, p, "stored")
	if !got.Same {
		t.Error("what was kept is not what comes back")
	}
	if got.Extractable {
		t.Error("a script can read the key out")
	}
	if len(got.Raw) < 3*2*200 {
		t.Fatalf("the database holds %d digits; the test looked into nothing", len(got.Raw))
	}
	last := len(got.Words) - 1 // the random id, which names records
	for _, w := range got.Words[:last] {
		if strings.Contains(got.Raw, w) || strings.Contains(got.Raw, hex.EncodeToString([]byte(w))) || strings.Contains(strings.Join(got.Plain, " "), w) {
			t.Errorf("%q lies plainly in the database", w)
		}
	}
	if !strings.Contains(strings.Join(got.Plain, " "), got.Words[last]) {
		t.Error("control: the id is not found where it must be")
	}
}

func storeGuarded(t *testing.T, p *browsertest.Page) {
	got := browsertest.Call[struct {
		Read  int
		Moved string
		Left  int
	}](t, p, "guarded")
	if got.Read != 21 {
		t.Errorf("six changes at once: %d, want 21", got.Read)
	}
	if !strings.Contains(got.Moved, "does not open") {
		t.Errorf("a record moved to another's place: %s", got.Moved)
	}
	if got.Left != 0 {
		t.Errorf("%d records of a forgotten study are left", got.Left)
	}
}
