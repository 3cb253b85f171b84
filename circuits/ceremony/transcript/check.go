package transcript

import (
	"errors"
	"fmt"
	"slices"

	"github.com/trialith/trialith/ledger/wire"
)

// Contributor is somebody who added a secret to a phase.
type Contributor struct {
	Name string    `json:"name"`
	Key  PublicKey `json:"key"`
	Time int64     `json:"time"`
	File wire.Hash `json:"file"`
}

// Beacon is the public value that closes a phase.
type Beacon struct {
	Source string `json:"source"`
	At     int64  `json:"at"`
	Size   int    `json:"size"`
	Value  []byte `json:"value,omitempty"` // none before the seal
}

// Phase is what happened in one of the two phases.
type Phase struct {
	Contributors []Contributor `json:"contributors"`
	Beacon       *Beacon       `json:"beacon,omitempty"` // none before the announcement
	Closed       bool          `json:"closed"`
	// last is the name of the newest state: the next contribution's challenge.
	last wire.Hash
	// after counts the contributions since the announcement.
	after int
}

// Last names the newest state of the phase: the file of the last contribution.
func (p *Phase) Last() wire.Hash { return p.last }

// State is a ceremony as far as its entries tell.
type State struct {
	Manifest Manifest `json:"manifest"`
	Phases   [2]Phase `json:"phases"`
	// Start is the SHA-256 of what phase 2 starts from; zero before.
	Start wire.Hash `json:"start"`
	// VerifyingKey and ProvingKey are the names of the keys; zero before the end.
	VerifyingKey wire.Hash `json:"verifying_key"`
	ProvingKey   wire.Hash `json:"proving_key"`

	head    wire.Hash // of the last entry
	entries int
	powers  powers
}

// Begin is the state before the first entry.
func Begin(m Manifest) (*State, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	s := &State{Manifest: m, head: m.ID(), powers: ones()}
	s.Phases[0].last = Start1(m.Domain)
	return s, nil
}

// Check follows a whole record from its manifest on, and refuses one that is
// empty, reordered, replayed or not sealed by the announced beacons.
func (t *Transcript) Check() (*State, error) {
	s, err := Begin(t.Manifest)
	if err != nil {
		return nil, err
	}
	for i := range t.Entries {
		if err := s.Apply(&t.Entries[i]); err != nil {
			return nil, fmt.Errorf("ceremony: entry %d: %w", i, err)
		}
	}
	return s, nil
}

// Done reports whether both phases are sealed.
func (s *State) Done() bool { return s.Phases[1].Closed }

// Phase is the phase at hand, 1 or 2; 2 when all is done.
func (s *State) Phase() uint8 {
	if s.Phases[0].Closed {
		return 2
	}
	return 1
}

// Head names the last entry, or the manifest before the first.
func (s *State) Head() wire.Hash { return s.head }

// Entries counts the entries.
func (s *State) Entries() int { return s.entries }

// Short is how many contributors the phase at hand still lacks.
func (s *State) Short() int {
	return max(0, int(s.Manifest.Minimum)-len(s.at(s.Phase()).Contributors))
}

func (s *State) at(phase uint8) *Phase { return &s.Phases[phase-1] }

// Apply checks the next entry and follows it. The state is unchanged on an error.
func (s *State) Apply(e *Entry) error {
	switch {
	case s.Done():
		return errors.New("the ceremony is sealed; nothing may follow")
	case s.entries >= MaxEntries:
		return fmt.Errorf("a ceremony has at most %d entries", MaxEntries)
	case e.Previous != s.head:
		return fmt.Errorf("it follows %v, and the last entry is %v: an entry is missing, moved or of another ceremony", e.Previous, s.head)
	case e.Phase != s.Phase():
		return fmt.Errorf("phase %d, and phase %d is at hand", e.Phase, s.Phase())
	case !isText(e.Name):
		return fmt.Errorf("name: 1 to %d bytes of text", MaxText)
	case e.Time < 0:
		return errors.New("time: before 1970")
	case !e.signed():
		return fmt.Errorf("the signature is not by %v", e.Key)
	}
	if err := s.body(e); err != nil {
		return err
	}
	s.head = e.Hash()
	s.entries++
	return nil
}

func (s *State) body(e *Entry) error {
	switch e.Kind {
	case Contributed:
		var c Contribution
		if err := wire.Unmarshal(e.Body, &c); err != nil {
			return err
		}
		return s.contribute(e, c)
	case Announced:
		var a Announcement
		if err := wire.Unmarshal(e.Body, &a); err != nil {
			return err
		}
		return s.announce(e, a)
	case Sealed:
		var c Seal
		if err := wire.Unmarshal(e.Body, &c); err != nil {
			return err
		}
		return s.seal(e, c)
	default:
		return fmt.Errorf("kind %d; known are %d to %d", e.Kind, Contributed, Sealed)
	}
}

// MayContribute says why a key may not contribute now; nil if it may. Two
// contributions by one key would count as one person twice.
func (s *State) MayContribute(key PublicKey, now int64) error {
	p := s.at(s.Phase())
	switch {
	case s.Done():
		return errors.New("the ceremony is sealed; nothing may follow")
	case slices.ContainsFunc(p.Contributors, func(c Contributor) bool { return c.Key == key }):
		return fmt.Errorf("the key %v has contributed to phase %d already; it counts once", key, s.Phase())
	case p.Beacon != nil && now >= p.Beacon.At:
		return fmt.Errorf("the beacon's moment %s has come: whoever contributes now could know its value; seal, or announce a later one", Instant(p.Beacon.At))
	}
	return nil
}

func (s *State) contribute(e *Entry, c Contribution) error {
	p := s.at(e.Phase)
	if err := s.MayContribute(e.Key, e.Time); err != nil {
		return err
	}
	next := s.powers
	var err error
	if e.Phase == 1 {
		err = next.contribute1(c.Head, s.Manifest.Domain, p.last)
	} else {
		err = next.contribute2(c.Head, p.last)
	}
	if err != nil {
		return fmt.Errorf("contribution %v: %w", c.File, err)
	}
	s.powers = next
	p.Contributors = append(slices.Clip(p.Contributors), Contributor{e.Name, e.Key, e.Time, c.File})
	p.last = c.File
	if p.Beacon != nil {
		p.after++
	}
	return nil
}

// announce takes a first announcement, or a later one that replaces it: the
// value it names is unknown too, and a contribution must follow it again.
func (s *State) announce(e *Entry, a Announcement) error {
	p := s.at(e.Phase)
	switch {
	case e.Key != s.Manifest.Coordinator:
		return fmt.Errorf("announced by %v; only the coordinator %v announces", e.Key, s.Manifest.Coordinator)
	case !isText(a.Source):
		return fmt.Errorf("beacon: source: 1 to %d bytes of text", MaxText)
	case a.Size < MinBeacon || a.Size > MaxBeacon:
		return fmt.Errorf("beacon: size: %d bytes; it must be %d to %d", a.Size, MinBeacon, MaxBeacon)
	case a.At <= e.Time:
		return errors.New("beacon: at: its moment has passed, so its value may be known; announce a later one")
	case slices.ContainsFunc(p.Contributors, func(c Contributor) bool { return c.Time >= a.At }):
		return errors.New("beacon: at: a contribution was made after it")
	}
	p.Beacon, p.after = &Beacon{Source: a.Source, At: a.At, Size: int(a.Size)}, 0
	return nil
}

// MaySeal says why the phase at hand may not be sealed by this value now; nil
// if it may.
func (s *State) MaySeal(beacon []byte, now int64) error {
	p := s.at(s.Phase())
	switch {
	case s.Done():
		return errors.New("the ceremony is sealed; nothing may follow")
	case s.Short() > 0:
		return fmt.Errorf("phase %d has %d contributors; the ceremony asks for %d", s.Phase(), len(p.Contributors), s.Manifest.Minimum)
	case p.Beacon == nil:
		return errors.New("no beacon is announced; announce one, then let somebody contribute")
	case p.after == 0:
		return errors.New("nobody contributed after the beacon was announced, so whoever announced it may have chosen it; let somebody contribute")
	case now < p.Beacon.At:
		return fmt.Errorf("the beacon's moment is %s; seal after it", Instant(p.Beacon.At))
	case len(beacon) != p.Beacon.Size:
		return fmt.Errorf("the beacon has %d bytes; announced are %d", len(beacon), p.Beacon.Size)
	case s.Phase() == 2 && slices.Equal(beacon, s.Phases[0].Beacon.Value):
		return errors.New("the beacon of phase 1 again; its value was known when phase 2 began")
	}
	return nil
}

func (s *State) seal(e *Entry, c Seal) error {
	p := s.at(e.Phase)
	if e.Key != s.Manifest.Coordinator {
		return fmt.Errorf("sealed by %v; only the coordinator %v seals", e.Key, s.Manifest.Coordinator)
	}
	if err := s.MaySeal(c.Beacon, e.Time); err != nil {
		return err
	}
	if c.Result == (wire.Hash{}) || (c.Proving == wire.Hash{}) != (e.Phase == 1) {
		return errors.New("seal: it must name what it made: in phase 1 the start of phase 2, in phase 2 both keys")
	}
	if e.Phase == 1 {
		s.powers.seal1(p.last, c.Beacon)
		s.Start, s.Phases[1].last = c.Result, c.Result
	} else {
		s.powers.seal2(p.last, c.Beacon)
		s.VerifyingKey, s.ProvingKey = c.Result, c.Proving
	}
	sealed := *p.Beacon
	sealed.Value = slices.Clone(c.Beacon)
	p.Beacon, p.Closed = &sealed, true
	return nil
}

// CheckKey holds a verifying key against a finished record: its name is the
// sealed one, and its α, β and δ are the product of all contributions and beacons.
func (s *State) CheckKey(key []byte, name wire.Hash) error {
	switch {
	case !s.Done():
		return errors.New("ceremony: it is not sealed, so it made no key")
	case name != s.VerifyingKey:
		return fmt.Errorf("ceremony: it made the verifying key %v, and this is %v", s.VerifyingKey, name)
	case !s.powers.made(key):
		return errors.New("ceremony: the key's α, β or δ is not the product of the contributions and beacons: the beacon or the key is another")
	}
	return nil
}
