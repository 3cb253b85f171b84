package trial

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ms   int64
		text string
	}{
		{0, "1970-01-01"},
		{dayMillis - 1, "1970-01-01"},
		{dayMillis, "1970-01-02"},
		{-1, "1969-12-31"},
		{-dayMillis, "1969-12-31"},
		{time.Date(2028, 2, 29, 23, 59, 59, 0, time.UTC).UnixMilli(), "2028-02-29"},
	} {
		d := DayOf(c.ms)
		if d.String() != c.text {
			t.Errorf("DayOf(%d) = %v, want %s", c.ms, d, c.text)
		}
		if back, err := ParseDay(c.text); err != nil || back != d {
			t.Errorf("ParseDay(%s) = %v, %v", c.text, back, err)
		}
		if s := d.Start(); s > c.ms || c.ms >= (d+1).Start() {
			t.Errorf("%s starts at %d and does not hold %d", c.text, s, c.ms)
		}
	}
	for _, bad := range []string{"", "2026-1-5", "2026-02-30", "20260105", "2026-01-05T00:00:00Z"} {
		if _, err := ParseDay(bad); err == nil || !strings.Contains(err.Error(), "YYYY-MM-DD") {
			t.Errorf("ParseDay(%q): %v", bad, err)
		}
	}
}

func TestNamesHaveOneText(t *testing.T) {
	t.Parallel()
	var id ID
	id[0], id[31] = 0xab, 1
	b, err := json.Marshal(id)
	if err != nil {
		t.Fatal(err)
	}
	var back ID
	if err := json.Unmarshal(b, &back); err != nil || back != id {
		t.Errorf("%v, %v", back, err)
	}
	text := id.String()
	for name, bad := range map[string]string{
		"empty": "", "short": text[2:], "long": text + "00", "odd": text[1:], "capital": strings.ToUpper(text),
		"no hex": "zz" + text[2:], "space": " " + text[1:],
	} {
		var x ActorID
		if err := x.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if x != (ActorID{}) {
			t.Errorf("%s: refused, but wrote %v", name, x)
		}
	}
}

// TestProtocolCheck: each refusal names the field, and what to do.
func TestProtocolCheck(t *testing.T) {
	t.Parallel()
	if err := example().Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Protocol){
		"title: empty":                             func(p *Protocol) { p.Title = " " },
		"outcomes: none; register":                 func(p *Protocol) { p.Outcomes = nil },
		"outcomes: o1: level 0; 1 primary":         func(p *Protocol) { p.Outcomes[0].Level = 0 },
		"outcomes: o1: level 4":                    func(p *Protocol) { p.Outcomes[0].Level = 4 },
		`outcomes: "o1" stands twice`:              func(p *Protocol) { p.Outcomes = append(p.Outcomes, p.Outcomes[0]) },
		"outcomes: 257; at most 256":               func(p *Protocol) { p.Outcomes = make([]Outcome, 257) },
		"identifiers: 257; at most":                func(p *Protocol) { p.Identifiers = make([]Identifier, 257) },
		"documents: 257; at most":                  func(p *Protocol) { p.Documents = make([]Document, 257) },
		"attested: 9 attributes; a leaf holds":     func(p *Protocol) { p.Attested = make([]Attribute, 9) },
		"attested: age: minimum 90 above":          func(p *Protocol) { p.Attested[0].Min = 90 },
		"privacy: profile \"\"":                    func(p *Protocol) { p.Privacy = "" },
		"forms: none":                              func(p *Protocol) { p.Forms = nil },
		`forms: "main": id, language and`:          func(p *Protocol) { p.Forms[0].Sections = nil },
		`forms: "": id, language`:                  func(p *Protocol) { p.Forms[0].ID = "" },
		"at most 16 options":                       func(p *Protocol) { p.Forms[0].Options = make([]Option, 17) },
		`forms: "main": 17 questions; at most`:     func(p *Protocol) { p.Forms[0].Questions = make([]Question, 17) },
		`questions: "stop": 1 answers; give 2`:     func(p *Protocol) { p.Forms[0].Questions[0].Answers = []string{"Yes"} },
		`questions: "stop": 7 answers`:             func(p *Protocol) { p.Forms[0].Questions[0].Answers = make([]string, 7) },
		`questions: "stop": its text, each answer`: func(p *Protocol) { p.Forms[0].Questions[0].Answers[0] = " " },
		`"stop": its text, each answer and why`:    func(p *Protocol) { p.Forms[0].Questions[0].Why = "" },
		`"stop": the right answer is number 2`:     func(p *Protocol) { p.Forms[0].Questions[0].Right = 2 },
		`the right answer is number 4294967295`:    func(p *Protocol) { p.Forms[0].Questions[0].Right = 1<<32 - 1 },
		`questions: "stop" stands twice`: func(p *Protocol) {
			p.Forms[0].Questions = append(p.Forms[0].Questions, p.Forms[0].Questions[0])
		},
		`questions: an id of 1 to 128 bytes`:       func(p *Protocol) { p.Forms[0].Questions[0].ID = "" },
		"forms: main: 1025 bytes":                  func(p *Protocol) { p.Forms[0].Questions[0].Why = strings.Repeat("w", 1025) },
		`forms: "main" stands twice`:               func(p *Protocol) { p.Forms = append(p.Forms, p.Forms[0]) },
		"visits: first-dose: the first dose":       func(p *Protocol) { p.Visits[0].Repeatable = true },
		"visits: an id of 1 to 128 bytes":          func(p *Protocol) { p.Visits[0].ID = "" },
		"visits: an id of 1 to 128 bytes is":       func(p *Protocol) { p.Visits[0].ID = strings.Repeat("v", 129) },
		"terms: deadline and answer 1 to 366":      func(p *Protocol) { p.Terms.DeadlineDays = 0 },
		"terms: deadline and answer 1 to 366 d":    func(p *Protocol) { p.Terms.AnswerDays = 367 },
		"terms: deadline and answer 1 to 366 days": func(p *Protocol) { p.Terms.GraceDays = 367 },
		"recording at most 168 hours":              func(p *Protocol) { p.Terms.RecordingHours = 169 },
		"title: 1025 bytes; at most 1024":          func(p *Protocol) { p.Title = strings.Repeat("t", 1025) },
		"risks: 32769 bytes; at most 32768":        func(p *Protocol) { p.Risks = strings.Repeat("r", 32769) },
		"forms: main: 32769 bytes":                 func(p *Protocol) { p.Forms[0].Sections[0].Text = strings.Repeat("s", 32769) },
	} {
		p := example()
		change(p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	lo, hi := example().Bounds()
	for i := range lo {
		wantLo, wantHi := uint32(0), uint32(1<<32-1)
		if i == 0 {
			wantLo, wantHi = 18, 80
		}
		if lo[i] != wantLo || hi[i] != wantHi {
			t.Errorf("attribute %d: %d to %d", i, lo[i], hi[i])
		}
	}
}

func TestDelegationCovers(t *testing.T) {
	t.Parallel()
	d := Delegation{Tasks: []Task{Enrolling}, From: 10, Until: 12}
	for _, c := range []struct {
		task  Task
		now   int64
		ended int64
		want  bool
	}{
		{Enrolling, Day(10).Start(), 0, true},
		{Enrolling, Day(10).Start() - 1, 0, false},
		{Enrolling, Day(13).Start() - 1, 0, true},
		{Enrolling, Day(13).Start(), 0, false},
		{Recording, Day(11).Start(), 0, false},
		{Enrolling, Day(11).Start(), Day(11).Start(), false},
		{Enrolling, Day(11).Start() - 1, Day(11).Start(), true},
	} {
		d.Ended = c.ended
		if got := d.Covers(c.task, c.now); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

func TestServing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		actor Actor
		now   int64
		want  bool
	}{
		{Actor{}, 5, false},
		{Actor{Role: Site}, 5, true},
		{Actor{Role: Site, Expires: 5}, 4, true},
		{Actor{Role: Site, Expires: 5}, 5, false},
		{Actor{Role: Site, Revoked: 5}, 4, true},
		{Actor{Role: Site, Revoked: 5}, 5, false},
	} {
		if got := c.actor.Serving(c.now); got != c.want {
			t.Errorf("%+v at %d: %t", c.actor, c.now, got)
		}
	}
}

func TestEpochs(t *testing.T) {
	t.Parallel()
	c := Context{Genesis: 1000, Epoch: 10}
	for ms, want := range map[int64]uint64{0: 0, 999: 0, 1000: 0, 10_999: 0, 11_000: 1, 31_000: 3} {
		if got := c.EpochAt(ms); got != want {
			t.Errorf("epoch at %d: %d, want %d", ms, got, want)
		}
	}
	if end := c.EpochEnd(0); end != 11_000 || c.EpochAt(end) != 1 || c.EpochAt(end-1) != 0 {
		t.Errorf("epoch 0 ends at %d", end)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	for r := Sponsor; r <= Node; r++ {
		if got, ok := ParseRole(r.String()); !ok || got != r {
			t.Errorf("%d %v: %v, %t", r, r, got, ok)
		}
	}
	for _, bad := range []string{"", "Sponsor", "unknown role"} {
		if r, ok := ParseRole(bad); ok {
			t.Errorf("%q is %v", bad, r)
		}
	}
	if Role(0).String() != "unknown role" || (Node+1).String() != "unknown role" {
		t.Error("an unknown role has a word")
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	err := Refuse(RootExpired, "root: %d", 7)
	var r *Refusal
	if !errors.As(err, &r) || r.Code != 305 || err.Error() != "refused (305): root: 7" {
		t.Errorf("%v", err)
	}
}
