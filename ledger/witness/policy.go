package witness

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tx"
)

// Limits of a policy.
const (
	MaxPolicyBytes = 64 << 10
	maxMembers     = 64 // logs; witnesses; groups
)

// Policy is a C2SP tlog-policy: which logs and which witnesses are known, and
// how many of the witnesses must have cosigned a checkpoint.
//
//	log <key> [<url>]
//	witness <name> <key> [<url>]
//	group <name> all|any|<k> <name>...
//	quorum <name>|none
type Policy struct {
	logs      []Key
	witnesses []Endpoint
	groups    []group
	quorum    int // place in members; none below 0
	members   map[string]int
	used      map[string]bool // in a group
}

// Endpoint is a witness of a policy: its name there, its key, and the
// submission prefix where it is asked; empty if the policy has none.
type Endpoint struct {
	Name string
	Key  Key
	URL  string
}

// group needs a number of its members. A member is a witness, by its place, or
// an earlier group, by its place after all witnesses there can be.
type group struct {
	need    int
	members []int
}

const noQuorum = -1

// ParsePolicy parses a policy file, strictly.
func ParsePolicy(b []byte) (*Policy, error) {
	if len(b) > MaxPolicyBytes {
		return nil, fmt.Errorf("policy: %d bytes; at most %d", len(b), MaxPolicyBytes)
	}
	p := &Policy{members: map[string]int{}, used: map[string]bool{}}
	done := false
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		words, err := split(strings.TrimSuffix(line, "\n"))
		if err == nil && len(words) > 0 {
			if words[0] == "quorum" && done {
				err = errors.New("a second quorum line")
			} else {
				err = p.line(words)
			}
			done = done || words[0] == "quorum"
		}
		if err != nil {
			return nil, fmt.Errorf("policy: line %d: %w", n, err)
		}
	}
	if !done {
		return nil, errors.New(`policy: no quorum line; "quorum none" asks for no witness`)
	}
	return p, nil
}

// split takes a line apart at spaces and tabs. A comment takes a line of its own.
func split(line string) ([]string, error) {
	for i := range len(line) {
		if c := line[i]; c != '\t' && (c < 0x20 || c == 0x7f) {
			return nil, fmt.Errorf("control character 0x%02x", c)
		}
	}
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) > 0 && strings.HasPrefix(words[0], "#") {
		return nil, nil
	}
	return words, nil
}

func (p *Policy) line(words []string) error {
	rest := words[1:]
	switch words[0] {
	case "log":
		return p.addLog(rest)
	case "witness":
		return p.addWitness(rest)
	case "group":
		return p.addGroup(rest)
	case "quorum":
		return p.setQuorum(rest)
	}
	return fmt.Errorf("%q: a line begins with log, witness, group or quorum", words[0])
}

func (p *Policy) addLog(words []string) error {
	if len(words) < 1 || len(words) > 2 {
		return errors.New("log <key> [<url>]")
	}
	k, err := ParseLogKey(words[0])
	if err != nil {
		return err
	}
	for _, l := range p.logs {
		if l.Public == k.Public {
			return fmt.Errorf("log %q: the key of %q", k.Name, l.Name)
		}
	}
	if len(p.logs) == maxMembers {
		return fmt.Errorf("more than %d logs", maxMembers)
	}
	p.logs = append(p.logs, k)
	return nil
}

func (p *Policy) addWitness(words []string) error {
	if len(words) < 2 || len(words) > 3 {
		return errors.New("witness <name> <key> [<url>]")
	}
	k, err := ParseKey(words[1])
	if err != nil {
		return err
	}
	e := Endpoint{Name: words[0], Key: k}
	if len(words) == 3 {
		if e.URL, err = checkURL(words[2]); err != nil {
			return err
		}
	}
	for _, w := range p.witnesses {
		if w.Key.Public == k.Public {
			return fmt.Errorf("witness %q: the key of %q; each counts once", e.Name, w.Name)
		}
	}
	if len(p.witnesses) == maxMembers {
		return fmt.Errorf("more than %d witnesses", maxMembers)
	}
	if err := p.name(e.Name, len(p.witnesses)); err != nil {
		return err
	}
	p.witnesses = append(p.witnesses, e)
	return nil
}

func (p *Policy) addGroup(words []string) error {
	if len(words) < 3 {
		return errors.New("group <name> all|any|<k> <name>...")
	}
	g := group{}
	for _, name := range words[2:] {
		at, known := p.members[name]
		switch {
		case !known:
			return fmt.Errorf("group %q: %q is not defined above", words[0], name)
		case p.used[name]:
			return fmt.Errorf("group %q: %q is a member already; each counts in one way", words[0], name)
		}
		p.used[name] = true
		g.members = append(g.members, at)
	}
	switch words[1] {
	case "all":
		g.need = len(g.members)
	case "any":
		g.need = 1
	default:
		k, err := strconv.Atoi(words[1])
		if err != nil || strconv.Itoa(k) != words[1] || k < 1 || k > len(g.members) {
			return fmt.Errorf("group %q: %q of %d members", words[0], words[1], len(g.members))
		}
		g.need = k
	}
	if len(p.groups) == maxMembers {
		return fmt.Errorf("more than %d groups", maxMembers)
	}
	if err := p.name(words[0], maxMembers+len(p.groups)); err != nil {
		return err
	}
	p.groups = append(p.groups, g)
	return nil
}

func (p *Policy) setQuorum(words []string) error {
	if len(words) != 1 {
		return errors.New("quorum <name>")
	}
	if words[0] == "none" {
		p.quorum = noQuorum
		return nil
	}
	at, known := p.members[words[0]]
	if !known {
		return fmt.Errorf("quorum: %q is not defined above", words[0])
	}
	p.quorum = at
	return nil
}

func (p *Policy) name(name string, at int) error {
	switch _, taken := p.members[name]; {
	case taken:
		return fmt.Errorf("%q: defined above", name)
	case name == "none" || name == "all" || name == "any":
		return fmt.Errorf("%q: a word of the format, not a name", name)
	}
	p.members[name] = at
	return nil
}

func checkURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("URL %q: of the form https://host/path", s)
	}
	return strings.TrimSuffix(s, "/"), nil
}

// Witnesses are the policy's witnesses in their order.
func (p *Policy) Witnesses() []Endpoint { return p.witnesses }

// AsksNone says that the policy is content without a witness.
func (p *Policy) AsksNone() bool { return p.quorum == noQuorum }

// Cosignature is one that was verified.
type Cosignature struct {
	Name string // of the witness in the policy
	Key  Key
	Time time.Time // when the witness signed, by its own clock, in UTC
}

// Cosigned is what a policy finds on a checkpoint.
type Cosigned struct {
	Cosignatures []Cosignature // in the policy's order, one for each witness
	Quorum       bool          // as many as the policy asks for; false when it asks for none
	// First and Last are the earliest and the latest time of a cosignature;
	// zero without any.
	First, Last time.Time
}

// Check returns nil if the signed checkpoint carries valid cosignatures of the
// quorum, and, if the policy names logs, the signature of one of them.
func (p *Policy) Check(checkpoint []byte) error {
	c, err := p.Open(checkpoint)
	if err != nil {
		return err
	}
	if !c.Quorum {
		return fmt.Errorf("checkpoint: %d of the policy's %d witnesses cosigned it; its quorum asks for more, or for none", len(c.Cosignatures), len(p.witnesses))
	}
	return nil
}

// Open verifies the cosignatures on a signed checkpoint. A line of an unknown
// key is passed over, a bad one of a known key is an error. If the policy names
// logs, one of them must have signed; otherwise the log's signature is the
// caller's to check.
func (p *Policy) Open(checkpoint []byte) (Cosigned, error) {
	var c Cosigned
	if len(checkpoint) > chain.MaxCheckpointBytes {
		return c, fmt.Errorf("checkpoint: %d bytes; at most %d", len(checkpoint), chain.MaxCheckpointBytes)
	}
	n, err := note.Open(checkpoint, p)
	if _, unverified := errors.AsType[*note.UnverifiedNoteError](err); unverified && len(p.logs) == 0 {
		return c, nil // no line of any witness that the policy knows
	}
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	h, err := parseHead(n.Text)
	if err != nil {
		return c, err
	}
	if err := p.logged(h.origin, n.Sigs); err != nil {
		return c, err
	}
	signed := map[int]bool{}
	for i, w := range p.witnesses {
		for _, s := range n.Sigs {
			if s.Name != w.Key.Name || s.Hash != w.Key.hash() {
				continue
			}
			at, err := cosignedAt(s)
			if err != nil {
				return Cosigned{}, err
			}
			signed[i] = true
			c.add(Cosignature{Name: w.Name, Key: w.Key, Time: at})
		}
	}
	c.Quorum = p.quorum != noQuorum && p.satisfied(p.quorum, signed)
	return c, nil
}

func (c *Cosigned) add(s Cosignature) {
	c.Cosignatures = append(c.Cosignatures, s)
	if c.First.IsZero() || s.Time.Before(c.First) {
		c.First = s.Time
	}
	if s.Time.After(c.Last) {
		c.Last = s.Time
	}
}

// logged checks that one of the policy's logs signed a checkpoint of its own.
func (p *Policy) logged(origin string, sigs []note.Signature) error {
	if len(p.logs) == 0 {
		return nil
	}
	for _, l := range p.logs {
		for _, s := range sigs {
			if s.Name == l.Name && s.Hash == l.hash() && l.Name == origin {
				return nil
			}
		}
	}
	return fmt.Errorf("checkpoint: of %q, and not signed by a log of that name in the policy", origin)
}

// satisfied asks each member once: no name is in two groups.
func (p *Policy) satisfied(at int, signed map[int]bool) bool {
	if at < maxMembers {
		return signed[at]
	}
	g := p.groups[at-maxMembers]
	have := 0
	for _, m := range g.members {
		if p.satisfied(m, signed) {
			have++
		}
	}
	return have >= g.need
}

// Verifier finds the verifier of a signature line; it makes a Policy the
// note.Verifiers of its own keys.
func (p *Policy) Verifier(name string, hash uint32) (note.Verifier, error) {
	for _, k := range p.logs {
		if k.Name == name && k.hash() == hash {
			return k.Verifier(), nil
		}
	}
	for _, w := range p.witnesses {
		if w.Key.Name == name && w.Key.hash() == hash {
			return w.Key.Verifier(), nil
		}
	}
	return nil, &note.UnknownVerifierError{Name: name, KeyHash: hash}
}

// KeyOf is the key of a witness from its name and public key.
func KeyOf(name string, public tx.PublicKey) Key {
	return Key{Name: name, Public: public, kind: algCosigner}
}
