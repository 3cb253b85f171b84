package contract_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/protocol"
)

// TestScripts runs the golden scripts of testdata/script: commands, ----, the
// events or the refusal. Blocks are divided by an empty line; go test -update
// writes what follows each ---- again, to be read line by line.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := &script{bench: newBench(t), kept: map[string]func() outcome{}, refusals: map[trial.Code]string{}}
			for name, code := range codes(t) {
				s.refusals[code] = spaced(name)
			}
			var out []string
			for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
				out = append(out, s.block(block))
			}
			golden(t, path, []byte(strings.Join(out, "\n\n")+"\n"))
		})
	}
}

// script runs commands on a bench, and keeps acts that are made before they are sent.
type script struct {
	*bench
	kept     map[string]func() outcome
	refusals map[trial.Code]string
}

func (s *script) block(text string) string {
	commands, _, ok := strings.Cut(text, "\n----")
	if !ok {
		return text
	}
	var out []string
	for line := range strings.SplitSeq(commands, "\n") {
		if line != "" && line[0] != '#' {
			out = append(out, s.run(strings.Fields(line))...)
		}
	}
	return commands + "\n----\n" + strings.Join(out, "\n")
}

func (s *script) run(words []string) []string {
	s.tb.Helper()
	args := words[1:]
	switch words[0] {
	case "wait":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			s.tb.Fatal(err)
		}
		s.now += d.Milliseconds()
		return []string{"day " + strconv.FormatInt((s.now-genesis)/day, 10)}
	case "standings":
		return s.standings()
	case "keep":
		s.kept[args[0]] = s.command(args[1:])
		return []string{"kept"}
	case "send":
		return s.tell(s.kept[args[0]]())
	default:
		return s.tell(s.command(words)())
	}
}

func (s *script) standings() (out []string) {
	for _, x := range contract.Standings(s.stream, s.now) {
		c := x.Counters
		line := fmt.Sprintf("version %v: %v; owed %d, acts %d, superseded %d, left by proof %d/%d, by word %d/%d, ended %d, not due %d",
			x.Version, x.Verdict, c.Owed, c.Acts, c.Superseded, c.LeftProved0, c.LeftProved1, c.LeftWord0, c.LeftWord1, c.Ended, x.NotDue)
		if x.Verdict.Contradicted > 0 {
			line += fmt.Sprintf(", words contradicted %d", x.Verdict.Contradicted)
		}
		if x.Settled {
			line += ", settled"
		}
		out = append(out, line)
	}
	return out
}

func version(word string) trial.Version {
	n, err := strconv.ParseUint(word, 10, 32)
	if err != nil {
		panic(err)
	}
	return trial.Version(n)
}

// command makes a transaction now, to be sent when the result is called.
func (s *script) command(words []string) func() outcome {
	w := append(words, "", "", "", "", "")
	name, args := w[0], words[1:]
	switch name {
	case "register":
		r, _ := trial.ParseRole(w[2])
		return func() outcome { return s.register(w[1], r, w[3], args[3:]...) }
	case "delegate":
		var tasks []trial.Task
		for _, c := range w[3] {
			tasks = append(tasks, trial.Task(c-'0'))
		}
		t := directory.Delegate{Person: actor(w[2]), Tasks: tasks, From: trial.DayOf(s.now)}
		if w[4] != "" {
			t.Until = t.From + trial.Day(version(w[4]))
		}
		return func() outcome { return s.send(contract.DirectoryDelegate, t, w[1]) }
	case "rotate":
		return func() outcome { return s.rotate(w[1], w[2]) }
	case "revoke":
		return func() outcome { return s.revoke(w[1], w[2]) }
	case "end":
		return func() outcome { return s.end(w[1], w[2]) }
	case "trial":
		return s.registerTrial
	case "amend":
		return func() outcome { return s.amend(version(w[1]), w[2] == "existing") }
	case "classify":
		return func() outcome { return s.classify(version(w[1]), w[2] == "existing") }
	case "approve", "refuse":
		t := protocol.Approve{Version: version(w[1]), Form: "main", Approved: name == "approve", Reason: "said so"}
		if w[2] != "" {
			t.Sites = []trial.SiteID{site(w[2])}
		}
		return func() outcome { return s.decide(t) }
	case "open":
		return func() outcome { return s.open(version(w[1]), w[2]) }
	default:
		return s.consentCommand(name, w, args)
	}
}

func (s *script) consentCommand(name string, w, args []string) func() outcome {
	perform := func(t consent.Act) func() outcome { return func() outcome { return s.perform(t) } }
	switch name {
	case "enrol":
		return func() outcome { return s.enrol(w[1], w[2], version(w[3])) }
	case "consent":
		return perform(s.consent(w[1], version(w[2])))
	case "options":
		return perform(s.options(w[1], version(w[2]), uint32(version(w[3]))))
	case "withdraw":
		return perform(s.withdrawal(w[1], version(w[2]), uint32(version(w[3]))))
	case "supersede":
		return perform(s.superseded(w[1], version(w[2]), version(w[3])))
	case "remove", "ended":
		class := map[string]trial.Leaving{"remove": trial.ByWord, "ended": trial.Ended}[name]
		return func() outcome { return s.remove(w[1], w[2], class, said(args[2:]...)...) }
	case "correct":
		return func() outcome { return s.correct(w[1], w[2], version(w[3]), w[4] == "used") }
	case "replace":
		return func() outcome { return s.replace(w[1], w[2], w[3], version(w[4]), said(args[4:]...)...) }
	case "move":
		return func() outcome { return s.transfer(w[1], w[2], w[3]) }
	case "screen":
		return func() outcome { return s.screen(w[1], w[2]) }
	case "randomise":
		return func() outcome { return s.randomise(w[1], w[2], version(w[3])) }
	case "deviate":
		return func() outcome { return s.deviate(w[1], w[2]) }
	case "visit", "dose", "attest":
		kind := map[string]act.Kind{"visit": act.Visit, "dose": act.Dose, "attest": act.Attest}[name]
		t := s.entry(w[1], version(w[2]), kind, w[3], w[4], uint32(version(w[5])), "pass-"+w[6])
		return func() outcome { return s.enterEntry(t, w[3]) }
	default:
		s.tb.Fatalf("no command %q", name)
		return nil
	}
}

// tell writes an outcome: a refusal with its sentence where it was given at the
// door, or the events, trees and counters left out.
func (s *script) tell(o outcome) (out []string) {
	if o.Code != 0 && o.Door {
		return []string{fmt.Sprintf("does not enter: %d %s: %s", o.Code, s.refusals[o.Code], s.shorten(o.Text))}
	}
	if o.Code != 0 {
		return []string{fmt.Sprintf("enters as refused: %d %s", o.Code, s.refusals[o.Code])}
	}
	for _, e := range o.Events {
		if line := s.describe(e); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func (s *script) describe(e event.Event) string {
	switch e := e.(type) {
	case event.LeafSet:
		if e.Leaf == (field.Leaf{}) {
			return fmt.Sprintf("  %s: place %d emptied", e.Tree, e.Place)
		}
		return fmt.Sprintf("  %s: place %d %s", e.Tree, e.Place, s.person(e.Leaf))
	case event.Counted:
		return "" // standings show them
	case event.Registered:
		return "registered"
	case event.Amended:
		var fields []string
		for _, c := range e.Changes {
			fields = append(fields, c.Field+" ("+c.Class.String()+")")
		}
		return fmt.Sprintf("amended: version %v, %s", e.Version, strings.Join(fields, ", "))
	case event.ImpactDerived:
		return fmt.Sprintf("impact of version %v: substantial %t, existing %t", e.Version, e.Impact.Substantial, e.Impact.Existing)
	case event.Opened:
		return fmt.Sprintf("opened: version %v, deadline day %d, existing %t", e.Version, (e.Deadline-genesis)/day, e.Existing)
	case event.Enrolled:
		return fmt.Sprintf("enrolled: %s under %v", s.person(e.Leaf), e.Version)
	case event.Acted:
		return fmt.Sprintf("acted: %v on version %v, set %v, sequence %d", e.Kind, e.Version, e.Set, e.Sequence)
	case event.Left:
		return fmt.Sprintf("left: %s, version %v, set %v, %v, used %t, first %t", s.person(e.Leaf), e.Version, e.Set, e.By, e.Used, e.First)
	case event.Entered:
		return fmt.Sprintf("entered: %v %q %d, floor %v", e.Kind, e.Slot, e.Rep, e.Floor)
	default:
		return spaced(reflect.TypeOf(e).Name())
	}
}

func (s *script) person(l field.Leaf) string {
	for _, p := range []string{"P", "Q", "R", "S", "T", "U"} {
		if l == leafOf(p) {
			return p
		}
		if l == screenedOf(p) {
			return p + " screened"
		}
		for v := trial.Version(1); v < 5; v++ {
			if l == passOf(p, v) {
				return fmt.Sprintf("pass of %s for %v", p, v)
			}
		}
	}
	return "somebody"
}

// shorten writes the names of actors as the script does.
func (s *script) shorten(text string) string {
	for name := range roles {
		text = strings.ReplaceAll(text, actor(name).String(), name)
	}
	return text
}
