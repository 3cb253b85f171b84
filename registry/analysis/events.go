// Package analysis computes the tables of a results package from the rows of a
// trial's data. It is pure, and it counts in integers: a mean is rounded from an
// exact quotient, so that two programs find the same digits.
package analysis

import (
	"cmp"
	"maps"
	"slices"
)

// Subject is a participant who belongs to the analysis, under the planned arm.
type Subject struct {
	ID  string // used to count, never written out
	Arm string
	// Start is the first day of treatment, YYYY-MM-DD; empty if there was none.
	Start string
}

// Event is one adverse event as recorded.
type Event struct {
	Subject  string
	Start    string // AESTDTC: YYYY, YYYY-MM or YYYY-MM-DD; empty if not recorded
	System   string // AEBODSYS, a body system of MedDRA
	Severity string // AESEV: MILD, MODERATE, SEVERE
	Serious  bool   // AESER
	Fatal    bool   // AESDTH, or an outcome of FATAL
}

// Severities are the levels of AESEV, in the order of a table's rows.
var Severities = []string{"MILD", "MODERATE", "SEVERE"}

// Emergent reports whether an event began on or after the first day of
// treatment. A partial date is compared at its precision: one of 2013 is
// emergent under a treatment that began in 2013.
func Emergent(event, treatment string) bool {
	if event == "" || treatment == "" {
		return false
	}
	n := min(len(event), len(treatment))
	return event[:n] >= treatment[:n]
}

// Count is how many participants had at least one event, and how many events.
type Count struct {
	Participants int
	Events       int
}

// ArmEvents is the column of one arm.
type ArmEvents struct {
	Arm          string
	Participants int // in the arm, with or without events
	Any          Count
	BySeverity   []Count // as Severities, then those of no known severity
	Serious      Count
	Fatal        Count
}

// SystemEvents is the row of a body system: one count for each arm.
type SystemEvents struct {
	System string
	Arms   []Count
}

// Events is the table of treatment-emergent adverse events by arm.
type Events struct {
	Arms    []ArmEvents // in the order given
	Systems []SystemEvents
	// NotEmergent are events before treatment, Undated those without a start:
	// they are in no column.
	NotEmergent int
	Undated     int
	// Unknown are events of people who are no subjects.
	Unknown int
}

// EventsByArm makes the table. arms fixes the columns and their order; a
// subject of another arm is left out.
func EventsByArm(arms []string, subjects []Subject, events []Event) Events {
	people := map[string]Subject{}
	for _, s := range subjects {
		people[s.ID] = s
	}
	t := Events{}
	byArm := map[string][]Event{}
	systems := map[string]bool{}
	for _, e := range events {
		who, known := people[e.Subject]
		switch {
		case !known || !slices.Contains(arms, who.Arm):
			t.Unknown++
		case e.Start == "":
			t.Undated++
		case !Emergent(e.Start, who.Start):
			t.NotEmergent++
		default:
			byArm[who.Arm] = append(byArm[who.Arm], e)
			systems[e.System] = true
		}
	}
	for _, arm := range arms {
		t.Arms = append(t.Arms, column(arm, subjects, byArm[arm]))
	}
	for _, system := range slices.Sorted(maps.Keys(systems)) {
		row := SystemEvents{System: system}
		for _, arm := range arms {
			row.Arms = append(row.Arms, count(byArm[arm], func(e Event) bool { return e.System == system }))
		}
		t.Systems = append(t.Systems, row)
	}
	return t
}

func column(arm string, subjects []Subject, events []Event) ArmEvents {
	a := ArmEvents{Arm: arm, Any: count(events, func(Event) bool { return true })}
	for _, s := range subjects {
		if s.Arm == arm {
			a.Participants++
		}
	}
	for _, severity := range Severities {
		a.BySeverity = append(a.BySeverity, count(events, func(e Event) bool { return e.Severity == severity }))
	}
	a.BySeverity = append(a.BySeverity, count(events, func(e Event) bool { return !slices.Contains(Severities, e.Severity) }))
	a.Serious = count(events, func(e Event) bool { return e.Serious })
	a.Fatal = count(events, func(e Event) bool { return e.Fatal })
	return a
}

func count(events []Event, is func(Event) bool) Count {
	people := map[string]bool{}
	n := 0
	for _, e := range events {
		if is(e) {
			people[e.Subject] = true
			n++
		}
	}
	return Count{Participants: len(people), Events: n}
}

// BySize orders body systems by their events, most first, then by name.
func BySize(systems []SystemEvents) []SystemEvents {
	total := func(s SystemEvents) (n int) {
		for _, c := range s.Arms {
			n += c.Events
		}
		return n
	}
	return slices.SortedFunc(slices.Values(systems), func(a, b SystemEvents) int {
		return cmp.Or(cmp.Compare(total(b), total(a)), cmp.Compare(a.System, b.System))
	})
}
