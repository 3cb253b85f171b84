package device_test

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/server/api"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/server/mailbox"
	"github.com/trialith/trialith/trial"
)

const hostile = "server/web/app/device/testdata/hostile.ts"

func (l *lab) card() client.Card {
	return client.Card{
		Type: "card", Ledger: l.ledger.ID().String(), Trial: l.trial.String(), Site: l.site.String(), SiteName: "Clinic", Investigator: l.doctor.String(),
		Version: 1, Day: int64(trial.DayOf(l.clock.Now())), Study: l.protocol.PublicTitle, Contact: "555-0100", Inbox: l.inbox.Public(), Code: "07-0012",
	}
}

// TestOneAnswer: a person who agrees twice, in two pages or after a reload, has
// one act on its way, with the choice and salt that the device remembers.
func TestOneAnswer(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	got := call[[]string](l, "both", 1, choice{"main", "en", []string{}}, choice{"main", "en", []string{"results"}})
	slices.Sort(got[:2])
	if got[0] != "agreed" && got[1] != "agreed" || !strings.Contains(got[0]+got[1], "on its way") || got[2] != "1" {
		t.Fatalf("both pages agreed: %q", got)
	}
	l.fails("on its way", "prepare", 1)
	kept := call[[]outgoing](l, "outgoing")[0]
	call[synced](l, "sync", true)
	if m := call[memory](l, "memory"); len(m.Given) != 1 || !slices.Equal(m.Given[0].Choice.Taken, kept.Choice.Taken) {
		t.Errorf("remembers %+v, sent %+v", m.Given, kept.Choice)
	}
}

// TestForgedCards: a card whose names are none, or of a study or site that the
// ledger does not have, opens nothing; one that comes later changes nothing.
func TestForgedCards(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	before := call[memory](l, "memory")
	strange := strings.Repeat("ab", 32)
	for field, value := range map[string]any{"trial": "../../v1/ways?", "site": "", "investigator": "ABC", "inbox": "BA=="} {
		code := client.NewCode()
		call[any](l, "forge", string(code), map[string]any{field: value}, l.card())
		l.fails("no invitation under this code", "invite", string(code))
		call[any](l, "forge", string(l.code), map[string]any{field: value}, l.card())
	}
	for field, value := range map[string]any{"trial": strange, "site": strange, "version": 7} {
		code := client.NewCode()
		call[any](l, "forge", string(code), map[string]any{field: value}, l.card())
		l.fails("a study or site that is not on this ledger", "invite", string(code))
	}
	if call[int](l, "studies") != 1 {
		t.Error("a forged card is kept")
	}
	call[synced](l, "sync", true)
	if after := call[memory](l, "memory"); after.Study != before.Study || after.Trial != before.Trial {
		t.Errorf("a forged card changed %+v to %+v", before, after)
	}
	code := client.NewCode()
	call[any](l, "forge", string(code), map[string]any{"siteName": "Clinic\u202egnihton\u2066", "contact": "عيادة 555\u200f"}, l.card())
	if m := call[map[string]any](l, "invite", string(code)); m["siteName"] != "Clinicgnihton" || m["contact"] != "عيادة 555\u200f" {
		t.Errorf("letters that turn a text round stand on the page: %q", m)
	}
}

// TestClaimOfVisit: a letter that says a visit was recorded keeps nobody from
// showing the next one in the slot; the public list alone does.
func TestClaimOfVisit(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, true)
	call[synced](l, "sync", true)
	l.reads("receipt")
	call[shown](l, "visit", visiting{"week-2", 0, "visit"})
	l.writes(client.Letter{Type: "visited", Slot: "week-2"})
	call[synced](l, "sync", true)
	if s := call[shown](l, "visit", visiting{"week-2", 0, "visit"}); s.Code == "" {
		t.Error("nothing to show")
	}
}

// TestOpenedWhileLeaving: a version that opens between the decision to leave and
// the record of it is withdrawn from too: silence there would count as missing.
func TestOpenedWhileLeaving(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, true)
	call[synced](l, "sync", true)
	call[any](l, "leave")
	l.clock.ms.Add(24 * hour)
	l.amends(2, "More.")
	for range 3 {
		call[synced](l, "sync", true)
		l.clock.ms.Add(hour)
	}
	if c := l.counters(2); c.Owed != 1 || c.LeftProved0 != 1 {
		t.Errorf("version 2: %+v", c)
	}
	if waits := call[[]outgoing](l, "outgoing"); len(waits) != 0 {
		t.Errorf("still waiting: %+v", waits)
	}
}

// TestUsedCard: whoever opens a card that enrolled somebody else is told so at
// once, and waits for nothing.
func TestUsedCard(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	l.writes(client.Letter{Type: "enrolled", Transaction: "x"})
	if again := call[memory](l, "invite", string(l.code)); again.Enrolled != "asked" {
		t.Errorf("the same device again: %+v", again)
	}
	sheet := call[string](l, "sheet")
	call[any](l, "begin", "another browser")
	l.fails("this card was used before", "invite", string(l.code))
	if m := call[memory](l, "restore", sheet, string(l.code)); m.Enrolled != "yes" {
		t.Errorf("restored: %+v", m)
	}
}

// TestSignatures: what a batcher signs is checked also on phones whose browser
// knows no Ed25519, and to the same end.
func TestSignatures(t *testing.T) {
	t.Parallel()
	p := browsertest.Open(t, hostile, nil)
	message := []byte("what a batcher promises")
	good := ed25519.Sign(key("batcher"), message)
	own := key("batcher").Public().(ed25519.PublicKey)
	changed := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1
		return b
	}
	// s + the order of the base point would be a second signature of the same message.
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10}
	twin := bytes.Clone(good)
	for i, carry := 0, 0; i < 32; i++ {
		carry += int(twin[32+i]) + int(order[i])
		twin[32+i], carry = byte(carry), carry>>8
	}
	for name, c := range map[string]struct {
		key, signature, message []byte
		want                    bool
	}{
		"right":           {own, good, message, true},
		"empty message":   {own, ed25519.Sign(key("batcher"), nil), []byte{}, true},
		"another message": {own, good, message[1:], false},
		"another key":     {key("other").Public().(ed25519.PublicKey), good, message, false},
		"no point":        {bytes.Repeat([]byte{0xff}, 32), good, message, false},
		"short key":       {own[1:], good, message, false},
		"R changed":       {own, changed(good, 3), message, false},
		"s changed":       {own, changed(good, 40), message, false},
		"s of another":    {own, twin, message, false},
		"short":           {own, good[:63], message, false},
		"zeros":           {own, make([]byte, 64), message, false},
	} {
		got := browsertest.Call[[]bool](t, p, "signed", c.key, c.signature, c.message)
		if !slices.Equal(got, []bool{c.want, c.want, c.want}) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestUnkept: a browser that keeps no data is told of as such.
func TestUnkept(t *testing.T) {
	t.Parallel()
	p := browsertest.Open(t, hostile, nil)
	for _, method := range []string{"open", "add", "put"} {
		if got := browsertest.Call[string](t, p, "unkept", method); got != "storage" {
			t.Errorf("%s: %s", method, got)
		}
	}
}

// TestOneAccountForASlot: a page that was open since before shows no visit under
// another pass than the page that showed it first.
func TestOneAccountForASlot(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	agree := func(v int) {
		l.Helper()
		call[any](l, "prepare", v)
		call[outgoing](l, "agree", choice{"main", "en", []string{}}, true)
		call[synced](l, "sync", true)
	}
	agree(1)
	call[any](l, "otherPage")
	l.clock.ms.Add(hour)
	l.amends(2, "More.")
	agree(2)
	l.clock.ms.Add(29*24*hour + 23*hour)
	if s := call[standing](l, "status"); s.Floor != 1 {
		t.Fatalf("floor %d before the deadline", s.Floor)
	}
	call[shown](l, "visit", visiting{"week-2", 0, "visit"})
	l.clock.ms.Add(2 * hour)
	if s := call[standing](l, "status"); s.Floor != 2 {
		t.Fatalf("floor %d past the deadline", s.Floor)
	}
	l.fails("shown before, under an earlier consent", "visitOther", visiting{"week-2", 0, "visit"})
}

// TestRefusedIsNotAskedAgain: a site that said no is not asked again by a page that
// only gets ready; its reason is told.
func TestRefusedIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	call[any](l, "begin", "trialith")
	call[memory](l, "invite", string(l.code))
	call[string](l, "ask")
	l.reads("enrol")
	l.writes(client.Letter{Type: "refused", Reason: "Come by first."})
	call[synced](l, "sync", true)
	for range 2 {
		l.fails("Come by first.", "reads", 1)
	}
	l.noMore()
}

// TestTwoDevices: of two devices of one person that both agree the ledger takes
// one, and the other does not hold its own choice for the one on the ledger.
func TestTwoDevices(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	sheet := call[string](l, "sheet")
	call[any](l, "begin", "second")
	call[memory](l, "restore", sheet, string(l.code))
	call[any](l, "prepare", 1)
	call[any](l, "aside")
	call[any](l, "begin", "trialith")
	call[int](l, "reopen")
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{"results"}}, true)
	call[synced](l, "sync", true)
	call[any](l, "begin", "second")
	call[int](l, "reopen")
	call[any](l, "agreeElsewhere", choice{"main", "en", []string{}})
	call[synced](l, "sync", true)
	m := call[memory](l, "memory")
	if len(m.Given) != 1 || m.Given[0].Choice != nil {
		t.Errorf("the second device remembers %+v", m.Given)
	}
	if waits := call[[]outgoing](l, "outgoing"); len(waits) != 0 {
		t.Errorf("still waiting: %+v", waits)
	}
	if l.reads("receipt"); l.counters(1).Acts != 1 {
		t.Errorf("counters %+v", l.counters(1))
	}
	l.noMore() // one receipt
}

// TestLeavingDoesNotWait: the site hears of it at once, whatever another page of
// the same browser is at.
func TestLeavingDoesNotWait(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	call[any](l, "leaveMeanwhile")
	for range 200 {
		if posted, err := l.boxes.Get(mailbox.Box(l.inbox.Box()), l.read); err != nil || len(posted) > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	l.reads("withdrawn")
}

// TestStuck: what keeps an act from going, other than the connection, is told, and
// its person may send it directly.
func TestStuck(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	l.ways.Batchers = append(l.ways.Batchers, api.Way{Actor: strings.Repeat("ab", 32), Name: "Nobody", Relays: []string{l.page.URL + "/relay"}})
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, false)
	if told := call[string](l, "tended"); !strings.Contains(told, "knows none of the batchers") {
		t.Errorf("told %q", told)
	}
	l.ways.Batchers = []api.Way{}
	if told := call[string](l, "tended"); !strings.Contains(told, "names no relay any more") {
		t.Errorf("told %q", told)
	}
	if now := call[[]int](l, "directly"); !slices.Equal(now, []int{1, 0, 0}) {
		t.Errorf("given, waiting, held: %v", now)
	}
}
