package contract_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/safety"
)

// TestSafetyScript runs testdata/safety.txt: a command, ----, what the ledger
// tells or why it refuses. Days count from genesis.
func TestSafetyScript(t *testing.T) {
	t.Parallel()
	const path = "testdata/safety.txt"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w := watched(t)
	var got []string
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		command, _, _ := strings.Cut(block, "----")
		command = strings.TrimSpace(command)
		if strings.HasPrefix(command, "#") {
			got = append(got, command)
			continue
		}
		got = append(got, strings.TrimSpace(command+"\n----\n"+w.run(strings.Fields(command))))
	}
	golden(t, path, []byte(strings.Join(got, "\n\n")+"\n"))
}

// run does one command of the script.
func (w *watch) run(f []string) string {
	at := func(i int) int {
		n, err := strconv.Atoi(f[i])
		if err != nil {
			w.tb.Fatalf("%q: %v", f, err)
		}
		return n
	}
	switch f[0] {
	case "day":
		w.day(at(1))
		return ""
	case "report": // name, site, arm, boundaries
		return retell(w.happens(f[1], f[2], f[3], f[4:]...))
	case "receive": // name, site, day of receipt, clock
		r := w.reportOf(f[1], f[2], first+trial.Day(at(3)))
		r.Clock, r.Serious = trial.Clock(at(4)), false
		return retell(w.report(r, f[2]))
	case "follow": // name, signer, boundaries
		return retell(w.follow(f[1], f[2], true, f[3:]...))
	case "expose": // site, day, person-days in x and in y
		return retell(w.expose(f[1], at(2), uint32(at(3)), uint32(at(4))))
	case "look":
		return retell(w.look(at(1)))
	case "decide": // look, boundary, decision
		for d := trial.Continue; d <= trial.Stop; d++ {
			if d.String() == f[3] {
				return retell(w.decideOn(uint32(at(1)), f[2], d))
			}
		}
	case "enrol":
		return retell(w.enrol(f[1], "A", 1))
	case "consent":
		return retell(w.perform(w.consent(f[1], 1)))
	case "dose":
		return retell(w.enterEntry(w.entry(f[1], 1, act.Dose, "A", trial.FirstDose, 0, "pass-1"), "A"))
	case "visit":
		return retell(w.enterEntry(w.entry(f[1], 1, act.Visit, "A", "week-2", 0, "pass-1"), "A"))
	case "unblind":
		w.unblind()
		return ""
	case "open":
		return retell(w.openLook(at(1)))
	case "flags":
		return w.flags()
	}
	w.tb.Fatalf("%q is no command", f)
	return ""
}

func (w *watch) flags() string {
	var s strings.Builder
	for _, f := range safety.Flags(w.stream) {
		fmt.Fprintf(&s, "%s; answered %t, due %s\n", flagged(f.Flag), f.Answered != 0, on(trial.DayOf(f.Due)))
	}
	fmt.Fprintf(&s, "all answered %t", safety.AllAnswered(w.stream, w.now))
	return s.String()
}

func on(d trial.Day) string { return fmt.Sprintf("day %d", d-first) }

func flagged(f trial.Flag) string {
	arm := f.Arm
	if arm == "" {
		arm = "pooled"
	}
	return fmt.Sprintf("flag %s %s crossed %s at %d events in %d days (%d millionths expected)", f.Boundary, arm, on(f.Crossed), f.Events, f.Days, f.ExpectedMicro)
}

func counted(counts []trial.Count) string {
	var out []string
	for _, c := range counts {
		out = append(out, fmt.Sprintf("%s %d (highest %d)", c.Boundary, c.Events, c.Highest))
	}
	return strings.Join(out, ", ")
}

// retell writes an outcome down: refusal, or the events of safety.
func retell(o outcome) string {
	if o.Code != 0 {
		return fmt.Sprintf("refused %d", o.Code)
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, e := range o.Events {
		switch e := e.(type) {
		case event.Reported:
			say("reported, received %s, counts on %s for %q, %v, late %t", on(e.Received), on(e.Counted), e.Boundaries, e.Clock, e.Late)
		case event.FollowedUp:
			say("followed up, counts on %s for %q, lowered %t", on(e.Counted), e.Boundaries, e.Lowered)
		case event.Exposed:
			say("closed up to %s at %d days", on(e.Until), e.Days)
		case event.Looked:
			say("look %d, %s to %s, sealed %t", e.Look, on(e.From), on(e.AsOf), e.Board != trial.Commitment{})
		case event.PooledLook:
			say("pooled: %d days, %s", e.Days, counted(e.Counts))
			for _, f := range e.Flags {
				say("%s", flagged(f))
			}
		case event.LookOpened:
			for _, a := range e.Arms {
				say("%s: %d days, %s", a.Arm, a.Days, counted(a.Counts))
			}
			for _, f := range e.Flags {
				say("%s", flagged(f))
			}
		case event.BoardDecided:
			say("the board decides to %v on %s", e.Decision, e.Boundary)
		case event.Enrolled, event.Acted, event.Entered:
			say("done")
		default:
		}
	}
	return strings.Join(lines, "\n")
}
