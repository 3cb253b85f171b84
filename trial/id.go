// Package trial holds the words of a clinical trial: its names, roles, protocol,
// versions and outcomes, and the refusals of the rules about them. It does no
// I/O and imports nothing of ours, so that every room can speak the same words.
//
// Terms are those of ICH E6(R3), the WHO trial registration data set, CDISC
// USDM and SDTM.
package trial

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Names of 32 bytes; text form lower-case hex. How each is made is in
// docs/wire.md.
type (
	// ID names a trial, and its stream on the ledger.
	ID [32]byte
	// ActorID names whoever may sign: H("actor", ledger, first public key).
	ActorID [32]byte
	// SiteID names a trial site: the ActorID of the site's own key.
	SiteID [32]byte
	// Digest is the SHA-256 of a public document.
	Digest [32]byte
	// Commitment is a salted commitment, H("commit", kind, salt[32], bytes).
	Commitment [32]byte
)

func (x ID) String() string         { return hex.EncodeToString(x[:]) }
func (x ActorID) String() string    { return hex.EncodeToString(x[:]) }
func (x SiteID) String() string     { return hex.EncodeToString(x[:]) }
func (x Digest) String() string     { return hex.EncodeToString(x[:]) }
func (x Commitment) String() string { return hex.EncodeToString(x[:]) }

// MarshalText gives the text form.
func (x ID) MarshalText() ([]byte, error)         { return []byte(x.String()), nil }
func (x ActorID) MarshalText() ([]byte, error)    { return []byte(x.String()), nil }
func (x SiteID) MarshalText() ([]byte, error)     { return []byte(x.String()), nil }
func (x Digest) MarshalText() ([]byte, error)     { return []byte(x.String()), nil }
func (x Commitment) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// UnmarshalText accepts the text form alone.
func (x *ID) UnmarshalText(b []byte) error         { return parse(x[:], b) }
func (x *ActorID) UnmarshalText(b []byte) error    { return parse(x[:], b) }
func (x *SiteID) UnmarshalText(b []byte) error     { return parse(x[:], b) }
func (x *Digest) UnmarshalText(b []byte) error     { return parse(x[:], b) }
func (x *Commitment) UnmarshalText(b []byte) error { return parse(x[:], b) }

func parse(dst, text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(dst) {
		return fmt.Errorf("want %d lower-case hex digits, got %d characters", 2*len(dst), len(text))
	}
	if hex.EncodeToString(raw) != string(text) {
		return fmt.Errorf("hex must be lower-case")
	}
	copy(dst, raw)
	return nil
}

// Version numbers the consent versions of a trial from 1.
type Version uint32

func (v Version) String() string { return strconv.FormatUint(uint64(v), 10) }

// Day is a calendar day, counted from 1970-01-01 in UTC. Its text form is ISO 8601.
type Day int32

const dayMillis = 24 * 60 * 60 * 1000

// DayOf returns the day that holds a time in milliseconds since 1970 UTC; the
// last or the first that there is for a time beyond it.
func DayOf(ms int64) Day {
	d := ms / dayMillis
	if ms%dayMillis < 0 {
		d--
	}
	return Day(min(max(d, math.MinInt32), math.MaxInt32))
}

// ParseDay reads YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a day; write YYYY-MM-DD", s)
	}
	return DayOf(t.UnixMilli()), nil
}

// Start is the first millisecond of the day.
func (d Day) Start() int64 { return int64(d) * dayMillis }

func (d Day) String() string { return time.UnixMilli(d.Start()).UTC().Format(time.DateOnly) }

// MarshalText gives YYYY-MM-DD.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDay(string(b))
	return err
}

// Days is a span of whole days in milliseconds.
func Days(n uint32) int64 { return int64(n) * dayMillis }

// Hours is a span of whole hours in milliseconds.
func Hours(n uint32) int64 { return int64(n) * 60 * 60 * 1000 }
