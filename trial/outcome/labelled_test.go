package outcome

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial"
)

// labelled is a pair of registry entries of one trial, with what people who
// read both said of their primary outcomes.
type labelled struct {
	APrimary   []entry  `json:"a_primary"`
	ASecondary []entry  `json:"a_secondary"`
	BPrimary   []entry  `json:"b_primary"`
	BSecondary []entry  `json:"b_secondary"`
	Labels     []string `json:"labels"`
}

type entry struct{ Content string }

var timeFrame = regexp.MustCompile(`(?s)^(.*?)\n\[ Time Frame: (.*?) \]`)

func (e entry) parts() (name, timepoint string) {
	if m := timeFrame.FindStringSubmatch(e.Content); m != nil {
		return m[1], m[2]
	}
	name, _, _ = strings.Cut(e.Content, "\n")
	return name, ""
}

func (l *labelled) compare() Comparison {
	var v Version
	v.Number, v.InForce = 1, 1
	var list []Reported
	for _, of := range []struct {
		level trial.Level
		a, b  []entry
	}{{trial.Primary, l.APrimary, l.BPrimary}, {trial.Secondary, l.ASecondary, l.BSecondary}} {
		for _, e := range of.a {
			name, timepoint := e.parts()
			v.Outcomes = append(v.Outcomes, trial.Outcome{ID: string(rune('a' + len(v.Outcomes))), Level: of.level, Name: name, Timepoint: timepoint})
		}
		for _, e := range of.b {
			name, timepoint := e.parts()
			list = append(list, Reported{Level: of.level, Name: name, Timepoint: timepoint})
		}
	}
	return Compare([]Version{v}, Seen{}, list)
}

// TestAgainstReaders measures the comparison against people who read 868 pairs
// of registry entries. It must not call kept what they call switched; that it
// calls more changed than they do, a reader of the page sees side by side.
func TestAgainstReaders(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../../shared/data/outcomes/within-registry-labelled.jsonl")
	if err != nil {
		t.Skipf("the labelled pairs are not here: %v", err)
	}
	defer f.Close()
	var switched, found, kept, agreed, same, sameAgreed int
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var l labelled
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			continue // no list: the reader had no entry to compare with
		}
		c := l.compare()
		primary := func(x Line) bool { return x.Level == trial.Primary || slices.ContainsFunc(x.Changes, isLevel) }
		differs := slices.ContainsFunc(c.Lines, func(x Line) bool { return primary(x) && x.Status != AsRegistered })
		is := func(labels ...string) bool {
			return slices.ContainsFunc(labels, func(w string) bool { return slices.Contains(l.Labels, w) })
		}
		switch {
		case is("new_primary", "primary_omitted", "primary_to_secondary", "secondary_to_primary"):
			switched++
			if differs {
				found++
			} else {
				t.Logf("%v: %+v", l.Labels, c.Lines)
			}
		case is("no_change"):
			kept++
			if !differs {
				agreed++
			}
			if equalEntries(l.APrimary, l.BPrimary) {
				same++
				if !differs {
					sameAgreed++
				}
			}
		}
	}
	if s.Err() != nil || switched < 40 || kept < 400 {
		t.Fatalf("%v: %d switched, %d kept", s.Err(), switched, kept)
	}
	t.Logf("switched: %d of %d found; kept: %d of %d agreed; word for word the same: %d of %d agreed", found, switched, agreed, kept, sameAgreed, same)
	// One pair differs in the description alone, which no report carries.
	if found < switched-1 {
		t.Errorf("%d of %d switched primary outcomes are called kept", switched-found, switched)
	}
	if sameAgreed < same {
		t.Errorf("%d of %d equal entries are called changed", same-sameAgreed, same)
	}
}

func isLevel(c Change) bool { return c.Field == "level" }

func equalEntries(a, b []entry) bool { return slices.Equal(a, b) }
