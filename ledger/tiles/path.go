// Package tiles lays a ledger out as files that never change, so that any web
// server can serve it, any cache can keep it, and public tools can read it.
//
// The log is C2SP tlog-tiles; the ledger's own files stand beside it:
//
//	checkpoint                    the signed checkpoint of what the rest covers
//	tile/<L>/<N>[.p/<W>]          256 hashes of level 8·L, or the first W of them
//	tile/entries/<N>[.p/<W>]      256 leaves, each behind its length in 2 bytes
//	genesis                       canonical CBOR
//	rotations                     canonical CBOR, an array of the node's rotations so far
//	headers/<N>[.p/<W>]           256 headers from height 256·N + 1 on, behind 2 bytes each
//	transactions/<N>[.p/<W>]      256 transactions, behind 4 bytes each
//
// <N> is written in groups of three digits, all but the last behind an x:
// 1234067 is x001/x234/067. The same paths are served over HTTP and stand on
// the disk. A bundle is cut by count, not by block, so that its name does not
// depend on what it holds.
package tiles

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/trialith/trialith/ledger/chain"
)

// Width is how many items a full file holds, LogWidth its logarithm, and
// MaxLevel the highest level of tiles: a sixth would need a log of 2^48.
const (
	Width    = 1 << LogWidth
	LogWidth = 8
	MaxLevel = 5
)

const (
	maxIndex = 1 << 48 // above any file of a log with at most MaxLevel levels
	maxPath  = 64
)

// Kind says what a file holds.
type Kind uint8

// The kinds of file.
const (
	Checkpoint Kind = iota
	Genesis
	Rotations
	Hashes
	Entries
	Headers
	Transactions
)

// prefixes of the kinds that come in many files.
var prefixes = [...]string{Hashes: "tile/", Entries: "tile/entries/", Headers: "headers/", Transactions: "transactions/"}

// Path names a file.
type Path struct {
	Kind  Kind
	Level uint8  // of Hashes
	Index uint64 // N
	Width int    // items in it, 1 to 256; 0 for Checkpoint, Genesis and Rotations
}

// errPath is the one answer to a path that names no file.
var errPath = errors.New("tiles: not a path of the layout; see C2SP tlog-tiles")

// Full reports whether the file holds all it ever will.
func (p Path) Full() bool { return p.Width == Width }

// String is the path below the layout's root, without a slash before it.
func (p Path) String() string {
	switch p.Kind {
	case Checkpoint:
		return "checkpoint"
	case Genesis:
		return "genesis"
	case Rotations:
		return "rotations"
	case Hashes, Entries, Headers, Transactions:
	}
	var b strings.Builder
	b.WriteString(prefixes[p.Kind])
	if p.Kind == Hashes {
		fmt.Fprintf(&b, "%d/", p.Level)
	}
	b.WriteString(number(p.Index))
	if !p.Full() {
		fmt.Fprintf(&b, ".p/%d", p.Width)
	}
	return b.String()
}

// number writes an index in its groups of three digits.
func number(n uint64) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	return s
}

// ParsePath reads a path, strictly: a file has one name.
func ParsePath(s string) (Path, error) {
	switch {
	case s == "checkpoint":
		return Path{Kind: Checkpoint}, nil
	case s == "genesis":
		return Path{Kind: Genesis}, nil
	case s == "rotations":
		return Path{Kind: Rotations}, nil
	case len(s) > maxPath:
		return Path{}, errPath
	}
	p, rest, err := parseKind(s)
	if err != nil {
		return Path{}, err
	}
	p.Width = Width
	rest, width, partial := strings.Cut(rest, ".p/")
	if partial {
		if p.Width, err = strconv.Atoi(width); err != nil || p.Width < 1 || p.Width >= Width {
			return Path{}, errPath
		}
	}
	for group := range strings.SplitSeq(rest, "/") {
		n, err := strconv.ParseUint(strings.TrimPrefix(group, "x"), 10, 16)
		if err != nil || p.Index > maxIndex/1000 {
			return Path{}, errPath
		}
		p.Index = p.Index*1000 + n
	}
	if p.String() != s {
		return Path{}, errPath
	}
	return p, nil
}

func parseKind(s string) (p Path, rest string, err error) {
	for _, k := range []Kind{Entries, Headers, Transactions} {
		if rest, ok := strings.CutPrefix(s, prefixes[k]); ok {
			return Path{Kind: k}, rest, nil
		}
	}
	rest, ok := strings.CutPrefix(s, prefixes[Hashes])
	level, rest, more := strings.Cut(rest, "/")
	n, err := strconv.ParseUint(level, 10, 8)
	if !ok || !more || err != nil || n > MaxLevel {
		return p, "", errPath
	}
	return Path{Kind: Hashes, Level: uint8(n)}, rest, nil
}

// Items is how many items of a kind, and of a level of hashes, a ledger has.
func Items(c chain.Checkpoint, k Kind, level uint8) uint64 {
	switch k {
	case Headers:
		return c.Height
	case Hashes:
		return c.Size >> (LogWidth * level)
	case Entries, Transactions:
		return c.Size
	default:
		return 0
	}
}

// CoveredBy reports whether a checkpoint covers all that the file holds.
func (p Path) CoveredBy(c chain.Checkpoint) bool {
	if p.Width == 0 {
		return true
	}
	return p.Index*Width+uint64(p.Width) <= Items(c, p.Kind, p.Level)
}

// Since calls yield for each file that comes in many, which a ledger at now
// has and at old had not, until it returns false: of each kind the full
// ones, then the one that is not full yet.
func Since(old, now chain.Checkpoint, yield func(Path) bool) {
	for _, k := range []Kind{Headers, Transactions, Entries, Hashes} {
		for level := uint8(0); level <= MaxLevel && Items(now, k, level) > 0; level++ {
			if !since(Path{Kind: k, Level: level}, Items(old, k, level), Items(now, k, level), yield) {
				return
			}
			if k != Hashes {
				break
			}
		}
	}
}

func since(p Path, had, has uint64, yield func(Path) bool) bool {
	for p.Index = had / Width; p.Index < has/Width; p.Index++ {
		p.Width = Width
		if !yield(p) {
			return false
		}
	}
	if p.Width = int(has % Width); p.Width == 0 || has == had {
		return true
	}
	return yield(p)
}
