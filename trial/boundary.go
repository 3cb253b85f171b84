package trial

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// The scopes of a boundary. A pooled one is evaluated by the contract; one by
// arm is evaluated off the ledger and recomputed once the trial is unblinded.
const (
	Pooled = "pooled"
	ByArm  = "arm"
)

// Expected is the unit of a boundary whose table is in expected events.
const Expected = "expected"

// Micro is how many parts a boundary's numbers cut one expected event into.
const Micro = 1_000_000

// Boundary is a registered stopping boundary: integers that anybody can
// compare counts with. How they were made is named in Method and can be redone.
//
// Events expected of so many person-days are person-days·RateEvents/RateDays.
// They are compared by cross-multiplication and never divided.
type Boundary struct {
	_          struct{} `cbor:",toarray"`
	ID         string
	Name       string
	Scope      string // Pooled or ByArm
	Events     string // which events count, in words
	RateEvents uint64
	RateDays   uint64
	Unit       string // Expected
	MinEvents  uint32 // no flag below so many events (M)
	FromMicro  uint64 // no flag below so many expected events, in millionths (D)
	UntilMicro uint64 // no flag above so many expected events, in millionths (T)
	AlphaMicro uint32 // probability of a flag without excess risk, in millionths
	// Table holds for c = 1, 2, … the number of expected events, in millionths
	// and rounded up, below which c events flag. The last is above UntilMicro,
	// so that it stands for every greater count too.
	Table      []uint64
	AnswerDays uint32 // days within which the board answers a flag
	Method     string
}

// Limits of a boundary, such that no comparison can overflow.
const (
	maxBoundaries = 16
	maxTable      = 4096
	maxRate       = 1 << 40
	maxMicro      = 1 << 50
)

// Flag reports whether a count crosses the boundary at an exposure in
// person-days: c ≥ M, D ≤ μ ≤ T and μ·10⁶ < table[c]. The boundary has passed
// Check.
func (b *Boundary) Flag(events, days uint64) bool {
	if events < uint64(b.MinEvents) || events == 0 {
		return false
	}
	below := b.Table[min(events, uint64(len(b.Table)))-1]
	return b.compare(days, b.FromMicro) >= 0 && b.compare(days, b.UntilMicro) <= 0 && b.compare(days, below) < 0
}

// compare orders the events expected of an exposure and a number of millionths:
// days·RateEvents·10⁶ and micro·RateDays, each in full.
func (b *Boundary) compare(days, micro uint64) int {
	a, c := product(days, b.RateEvents, Micro), product(micro, b.RateDays, 1)
	return slices.Compare(a[:], c[:])
}

// product is x·y·z in 192 bits, the most significant word first.
func product(x, y, z uint64) [3]uint64 {
	hi, lo := bits.Mul64(x, y)
	mid, low := bits.Mul64(lo, z)
	top, carried := bits.Mul64(hi, z)
	sum, carry := bits.Add64(mid, carried, 0)
	return [3]uint64{top + carry, sum, low}
}

// ExpectedMicro is how many events are expected of an exposure in person-days,
// in millionths, rounded down. It is for people to read; Flag never divides.
func (b *Boundary) ExpectedMicro(days uint64) uint64 {
	p := product(days, b.RateEvents, Micro)
	if p[0] != 0 || p[1] >= b.RateDays {
		return math.MaxUint64
	}
	q, _ := bits.Div64(p[1], p[2], b.RateDays)
	return q
}

// Check refuses a boundary that cannot be evaluated.
func (b *Boundary) Check() error {
	switch {
	case b.Scope != Pooled && b.Scope != ByArm:
		return fmt.Errorf("scope: %q; %q or %q", b.Scope, Pooled, ByArm)
	case b.Unit != Expected:
		return fmt.Errorf("unit: %q; this rule set knows %q", b.Unit, Expected)
	case b.RateEvents == 0 || b.RateEvents > maxRate || b.RateDays == 0 || b.RateDays > maxRate:
		return fmt.Errorf("rate: %d events in %d days; each 1 to %d", b.RateEvents, b.RateDays, uint64(maxRate))
	case b.MinEvents == 0:
		return fmt.Errorf("minimum of events: 0; 1 or more")
	case b.UntilMicro == 0 || b.UntilMicro > maxMicro || b.FromMicro > b.UntilMicro:
		return fmt.Errorf("from, until: %d, %d; until 1 to %d, from not above it", b.FromMicro, b.UntilMicro, uint64(maxMicro))
	case b.AlphaMicro == 0 || b.AlphaMicro >= Micro:
		return fmt.Errorf("alpha: %d millionths; above 0, below %d", b.AlphaMicro, Micro)
	case b.AnswerDays == 0 || b.AnswerDays > 366:
		return fmt.Errorf("answer: %d days; 1 to 366", b.AnswerDays)
	case len(b.Name) > maxName || len(b.Events) > maxName || len(b.Method) > maxName:
		return fmt.Errorf("name, events, method: at most %d bytes each", maxName)
	}
	return b.checkTable()
}

func (b *Boundary) checkTable() error {
	if len(b.Table) == 0 || len(b.Table) > maxTable || !slices.IsSorted(b.Table) {
		return fmt.Errorf("table: %d numbers; 1 to %d, none below the one before", len(b.Table), maxTable)
	}
	if last := b.Table[len(b.Table)-1]; last <= b.UntilMicro {
		return fmt.Errorf("table: ends at %d, which is not above until, %d; go on to the first that is", last, b.UntilMicro)
	}
	return nil
}

func (p *Protocol) checkBoundaries() error {
	if len(p.Boundaries) > maxBoundaries {
		return fmt.Errorf("boundaries: %d; at most %d", len(p.Boundaries), maxBoundaries)
	}
	var ids []string
	for i := range p.Boundaries {
		b := &p.Boundaries[i]
		if err := b.Check(); err != nil {
			return fmt.Errorf("boundaries: %q: %w", b.ID, err)
		}
		if b.Scope == ByArm && len(p.Arms) == 0 {
			return fmt.Errorf("boundaries: %q: by arm, and there is none; register the arms", b.ID)
		}
		ids = append(ids, b.ID)
	}
	if len(ids) == 0 {
		return nil
	}
	for _, a := range p.Arms {
		ids = append(ids, "arm "+a.ID)
	}
	return unique("boundaries and arms", ids)
}

func boundaries(p *Protocol) (n named) {
	for _, b := range p.Boundaries {
		n.add(b.ID, join(b.Name, b.Scope, b.Events, fmt.Sprintf("%d events in %d days", b.RateEvents, b.RateDays), b.Unit,
			fmt.Sprintf("at least %d events, %d to %d millionths expected, alpha %d millionths", b.MinEvents, b.FromMicro, b.UntilMicro, b.AlphaMicro),
			fmt.Sprintf("table %d", b.Table), fmt.Sprintf("answer in %d days", b.AnswerDays), b.Method))
	}
	return n
}
