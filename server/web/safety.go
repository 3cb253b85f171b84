package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
)

// safetyPart is what is public about harm.
type safetyPart struct {
	Harm      readmodel.Harm
	Watched   []watched
	Looks     int
	Sealed    int
	Unblinded int64 // 0: the study is blinded
	Single    uint64
}

// watched is a registered boundary with what the looks counted for it.
type watched struct {
	trial.Boundary
	Number int // from 1, in the address of its chart
	Arms   []string
	Lines  []lookLine // oldest first
	Flags  []flagged
	Board  []readmodel.BoardDecision
	Open   bool // counts by arm are known
	Sealed int  // looks whose counts by arm are not
}

// lookLine is a look in the table of a boundary.
type lookLine struct {
	Look  uint32
	AsOf  trial.Day
	Entry string
	All   cell
	Arms  []cell // as watched.Arms; none while it is sealed
}

// cell is what stood at a look: highest count ever, and exposure.
type cell struct {
	Events, Days, Expected uint64 // expected in millionths
}

func (c cell) point() point { return point{expected(c.Expected), float64(c.Events)} }

// flagged is a flag with the board's answer at its look.
type flagged struct {
	readmodel.Flag
	Name   string // of the arm; empty: all together
	Answer *readmodel.BoardDecision
	Due    int64
}

func (s *site) readSafety(ctx context.Context, id trial.ID, arms map[string]string) (p safetyPart, err error) {
	if p.Harm, err = s.Model.Harm(ctx, id); err != nil {
		return p, err
	}
	unblindings, err := s.Model.Unblindings(ctx, id)
	if err != nil {
		return p, err
	}
	for _, u := range unblindings {
		if u.Whole {
			p.Unblinded = u.Time
		} else {
			p.Single++
		}
	}
	looks, err := s.Model.Looks(ctx, id)
	if err != nil {
		return p, err
	}
	p.Looks = len(looks)
	for i := range looks {
		if looks[i].Sealed() {
			p.Sealed++
		}
	}
	p.Watched, err = s.readWatched(ctx, id, looks, arms)
	return p, err
}

func (s *site) readWatched(ctx context.Context, id trial.ID, looks []readmodel.Look, arms map[string]string) ([]watched, error) {
	boundaries, err := s.Model.Boundaries(ctx, id)
	if err != nil {
		return nil, err
	}
	flags, err := s.Model.Flags(ctx, id)
	if err != nil {
		return nil, err
	}
	decisions, err := s.Model.BoardDecisions(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make([]watched, len(boundaries))
	for i := range boundaries {
		w := watched{Boundary: boundaries[i], Number: i + 1}
		w.count(looks, arms)
		w.flag(flags, decisions, arms)
		out[i] = w
	}
	return out, nil
}

// count takes the boundary's counts from the looks.
func (w *watched) count(looks []readmodel.Look, names map[string]string) {
	var ids []string
	for _, l := range looks {
		for _, a := range l.Arms {
			if w.Scope == trial.ByArm && !slices.Contains(ids, a.Arm) {
				ids = append(ids, a.Arm)
				w.Arms = append(w.Arms, armName(names, a.Arm))
			}
		}
	}
	w.Open = len(ids) > 0
	for i := range looks {
		l := &looks[i]
		n, found := countOf(l.Counts, w.ID)
		if !found {
			continue // registered later
		}
		line := lookLine{Look: l.Number, AsOf: l.AsOf, Entry: l.Entry, All: w.cell(n, l.Days)}
		if w.Scope == trial.ByArm && l.Sealed() {
			w.Sealed++
		}
		for _, id := range ids {
			if j := slices.IndexFunc(l.Arms, func(a trial.ArmCount) bool { return a.Arm == id }); j >= 0 {
				n, _ := countOf(l.Arms[j].Counts, w.ID)
				line.Arms = append(line.Arms, w.cell(n, l.Arms[j].Days))
			}
		}
		w.Lines = append(w.Lines, line)
	}
}

func countOf(counts []trial.Count, id string) (uint64, bool) {
	i := slices.IndexFunc(counts, func(n trial.Count) bool { return n.Boundary == id })
	if i < 0 {
		return 0, false
	}
	return counts[i].Highest, true
}

func (w *watched) cell(events, days uint64) cell {
	return cell{Events: events, Days: days, Expected: w.ExpectedMicro(days)}
}

func (w *watched) flag(flags []readmodel.Flag, decisions []readmodel.BoardDecision, names map[string]string) {
	for _, d := range decisions {
		if d.Boundary == w.ID {
			w.Board = append(w.Board, d)
		}
	}
	for _, f := range flags {
		if f.Boundary != w.ID {
			continue
		}
		x := flagged{Flag: f, Due: f.Raised + trial.Days(w.AnswerDays)}
		if f.Arm != "" {
			x.Name = armName(names, f.Arm)
		}
		if i := slices.IndexFunc(w.Board, func(d readmodel.BoardDecision) bool { return d.Look == f.Look }); i >= 0 {
			x.Answer = &w.Board[i]
		}
		w.Flags = append(w.Flags, x)
	}
}

func armName(names map[string]string, id string) string {
	if n := names[id]; strings.TrimSpace(n) != "" {
		return n
	}
	return id
}

// title is what a boundary is called.
func (w *watched) title() string {
	if strings.TrimSpace(w.Name) != "" {
		return w.Name
	}
	return w.ID
}

// sentence says what the looks found, before any picture of it.
func (w *watched) sentence() string {
	switch {
	case len(w.Lines) == 0:
		return "The safety board has not looked yet."
	case len(w.Flags) > 0:
		return w.crossedWords()
	case w.Scope == trial.ByArm && w.Sealed > 0:
		return fmt.Sprintf("The board has looked %s, last as of %s. What it saw of each arm is sealed: the ledger holds a commitment to it, which is opened once the study is unblinded.",
			times(len(w.Lines)), day(w.Lines[len(w.Lines)-1].AsOf))
	default:
		return fmt.Sprintf("The board has looked %s, last as of %s. The boundary was never crossed.", times(len(w.Lines)), day(w.Lines[len(w.Lines)-1].AsOf))
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return count(uint64(n), "time", "times")
}

func (w *watched) crossedWords() string {
	var words []string
	for _, f := range w.Flags {
		where := "by all arms together"
		if f.Name != "" {
			where = "in the arm “" + f.Name + "”"
		}
		words = append(words, fmt.Sprintf("%s on %s, with %s where %s were expected", where, day(f.Crossed), count(f.Events, "event", "events"), decimal(f.ExpectedMicro)))
	}
	return "The boundary was crossed " + strings.Join(words, "; ") + "."
}

// decimal writes millionths with two decimals, rounded down.
func decimal(micro uint64) string {
	return fmt.Sprintf("%s.%02d", number(micro/trial.Micro), micro%trial.Micro/10_000)
}

// rateWords is the rate that a boundary compares with.
func (w *watched) rateWords() string {
	return fmt.Sprintf("%s in %s person-days", count(w.RateEvents, "event", "events"), number(w.RateDays))
}

func (w *watched) scopeWords() string {
	if w.Scope == trial.ByArm {
		return "Each arm by itself. Before the study is unblinded only the board sees it."
	}
	return "All arms together. The ledger’s rules evaluate it at each look."
}

func decisionWord(d trial.BoardDecision) string {
	switch d {
	case trial.Continue:
		return "go on"
	case trial.Modify:
		return "have the study changed"
	case trial.Pause:
		return "pause enrolment and first doses"
	case trial.Stop:
		return "stop enrolment and first doses"
	default:
		return d.String()
	}
}

// answerWords is what the board said to a flag, or how long it may take.
func (f flagged) answerWords(now int64) string {
	switch {
	case f.Answer != nil:
		return fmt.Sprintf("On %s the board decided to %s: %s", dayOf(f.Answer.Time), decisionWord(f.Answer.Decision), f.Answer.Reason)
	case now <= f.Due:
		return "The board has until " + dayOf(f.Due) + " to answer."
	default:
		return "The board has not answered. Its time ran out on " + dayOf(f.Due) + "."
	}
}

// chart draws what may be shown: a boundary by arm is not held against the sum
// over all arms, so it is left out until the arms are known.
func (w *watched) chart() *chart {
	c := &chart{Title: w.title()}
	if w.Scope == trial.Pooled || w.Open || len(w.Lines) == 0 {
		c.Limit = &w.Boundary
	}
	if !w.Open {
		c.Series = []series{w.series("All arms together", func(l lookLine) *cell { return &l.All })}
	}
	for i, name := range w.Arms {
		c.Series = append(c.Series, w.series(name, func(l lookLine) *cell {
			if i < len(l.Arms) {
				return &l.Arms[i]
			}
			return nil
		}))
	}
	return c
}

func (w *watched) series(name string, of func(lookLine) *cell) series {
	l := series{Name: name}
	for _, line := range w.Lines {
		if c := of(line); c != nil {
			l.Points = append(l.Points, c.point())
		}
	}
	for _, f := range w.Flags {
		if f.Name == name || f.Name == "" && !w.Open {
			l.Flag = &point{expected(f.ExpectedMicro), float64(f.Events)}
		}
	}
	return l
}

// alt says in a line what the picture is; the table says all of it.
func (w *watched) alt() string {
	return fmt.Sprintf("Chart of events counted against events expected at %s. %s The table below holds the same numbers.",
		count(uint64(len(w.Lines)), "look", "looks"), w.sentence())
}

func chartAddress(id trial.ID, n int, on string) string {
	return studyAddress(id) + "/charts/" + strconv.Itoa(n) + "-" + on + ".svg"
}

// drawing serves a chart as a picture. Its address is of a kind for desks or
// for phones: 1-wide.svg, 1-narrow.svg.
func (s *site) drawing(c *gin.Context) {
	id, err := trialID(c)
	name, measure, _ := strings.Cut(strings.TrimSuffix(c.Param("chart"), ".svg"), "-")
	n, bad := strconv.Atoi(name)
	on, known := map[string]canvas{"wide": wide, "narrow": narrow}[measure]
	if err != nil || bad != nil || !known || !strings.HasSuffix(c.Param("chart"), ".svg") {
		c.String(http.StatusNotFound, "no such chart")
		return
	}
	p, err := s.readSafetyOf(c, id)
	switch {
	case err != nil:
		s.show(c, s.explain(c, err))
	case n < 1 || n > len(p.Watched):
		c.String(http.StatusNotFound, "no such chart")
	default:
		c.Data(http.StatusOK, "image/svg+xml", p.Watched[n-1].chart().draw(on))
	}
}

func (s *site) readSafetyOf(ctx context.Context, id trial.ID) (safetyPart, error) {
	t, err := s.Model.Trial(ctx, id)
	if err != nil {
		return safetyPart{}, err
	}
	v, err := s.Model.Version(ctx, id, t.Latest)
	if err != nil {
		return safetyPart{}, err
	}
	return s.readSafety(ctx, id, armNames(v.Protocol))
}

func armNames(p *trial.Protocol) map[string]string {
	names := map[string]string{}
	if p != nil {
		for _, a := range p.Arms {
			names[a.ID] = a.Name
		}
	}
	return names
}
