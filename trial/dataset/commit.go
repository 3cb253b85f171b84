package dataset

import (
	"slices"
	"unicode/utf8"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Limits of a commitment.
const (
	MaxColumns    = 512
	MaxColumnName = 64 // bytes
	MaxRows       = 1 << 32
)

// Commit fixes the rows of a dataset up to a cut without showing one (ICH E6(R3)
// 4.2; ICH E9 5.8). Sent by the sponsor. It may be sent again for the same cut
// until that is locked; each time it supersedes the one before, visibly.
type Commit struct {
	_        struct{}         `cbor:",toarray"`
	Name     string           // such as "adsl"
	Root     trial.Digest     // of the salted Merkle tree over the rows
	Rows     uint64           // below the header
	Subjects uint64           // persons that the rows are about
	Columns  []string         // in the order of the file
	File     trial.Commitment // salted, to the canonical file
	Cut      trial.Day        // the data are up to and with this day
}

// Check refuses counts and columns that no table has.
func (t Commit) Check() error {
	if err := checkName("name", t.Name); err != nil {
		return err
	}
	if t.Rows > 0 && t.Subjects == 0 {
		return trial.Refuse(trial.Malformed, "subjects: %d rows of nobody; state the persons that the rows are about", t.Rows)
	}
	if t.Rows > MaxRows || t.Subjects > t.Rows {
		return trial.Refuse(trial.Malformed, "rows: %d rows of %d persons; at most %d rows, and a row for each person", t.Rows, t.Subjects, uint64(MaxRows))
	}
	if n := len(t.Columns); n == 0 || n > MaxColumns {
		return trial.Refuse(trial.Malformed, "columns: %d; 1 to %d", n, MaxColumns)
	}
	for i, c := range t.Columns {
		if len(c) == 0 || len(c) > MaxColumnName || !utf8.ValidString(c) || slices.Contains(t.Columns[:i], c) {
			return trial.Refuse(trial.Malformed, "columns: number %d: a name of 1 to %d bytes, each once", i+1, MaxColumnName)
		}
	}
	return nil
}

// Authorise asks for the trial's sponsor.
func (t Commit) Authorise(s State, c trial.Context) error { return bySponsor(s, c) }

// Validate refuses a cut to come, a locked one, and a commitment that stands.
func (t Commit) Validate(s State, c trial.Context) error {
	if today := trial.DayOf(c.Now); t.Cut > today {
		return trial.Refuse(trial.DayInFuture, "cut: %v is after today, %v; data cannot be complete up to it", t.Cut, today)
	}
	if locked, ok := Locked(s, t.Name); ok && t.Cut <= locked {
		return trial.Refuse(trial.DatasetLocked, "cut: %q is locked up to %v; commit corrections with a later cut", t.Name, locked)
	}
	if r, ok := Get(s, t.Name, t.Cut); ok && t.same(r) {
		return trial.Refuse(trial.NoChange, "root: equal to commitment %d of %q at this cut; it stands", r.Sequence, t.Name)
	}
	return nil
}

func (t Commit) same(r Record) bool {
	return t.Root == r.Root && t.File == r.File && t.Rows == r.Rows && t.Subjects == r.Subjects && slices.Equal(t.Columns, r.Columns)
}

// Apply writes the commitment in place of the one before at this cut.
func (t Commit) Apply(s State, c trial.Context) []event.Event {
	was, _ := Get(s, t.Name, t.Cut)
	r := Record{
		Name: t.Name, Cut: t.Cut, Sequence: was.Sequence + 1, Root: t.Root, Rows: t.Rows, Subjects: t.Subjects,
		Columns: t.Columns, File: t.File, Committed: c.Now,
	}
	state.Put(s, recordKey(t.Name, t.Cut), r)
	n, known := state.Load[standing](s, nameKey(t.Name))
	if !known || t.Cut > n.Latest {
		n.Latest = t.Cut
		state.Put(s, nameKey(t.Name), n)
	}
	if _, before := FirstCommitted(s); !before {
		state.Put(s, firstKey, c.Now)
	}
	return []event.Event{event.DatasetCommitted{
		Name: t.Name, Cut: t.Cut, Sequence: r.Sequence, Root: t.Root, Rows: t.Rows, Subjects: t.Subjects,
		Columns: t.Columns, File: t.File, Time: c.Now,
	}}
}
