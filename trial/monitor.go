package trial

import (
	"encoding/hex"
	"fmt"
)

// ReportID names a safety report within a trial: 16 random bytes that the
// reporter draws, so that they say nothing of the person.
type ReportID [16]byte

func (x ReportID) String() string { return hex.EncodeToString(x[:]) }

// MarshalText gives the text form.
func (x ReportID) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// UnmarshalText accepts the text form alone.
func (x *ReportID) UnmarshalText(b []byte) error { return parse(x[:], b) }

// Clock is within how many days of its receipt a report must reach the
// authorities (ICH E2A III.B; 21 CFR 312.32(c)).
type Clock uint8

// The clock classes.
const (
	NoClock     Clock = 0
	SevenDays   Clock = 7  // fatal or life-threatening
	FifteenDays Clock = 15 // serious otherwise
)

func (c Clock) String() string {
	if c == NoClock {
		return "no clock"
	}
	return fmt.Sprintf("%d days", uint8(c))
}

// BoardDecision is what a monitoring board decides on a boundary.
type BoardDecision uint8

// The decisions.
const (
	Continue BoardDecision = iota + 1
	Modify
	Pause
	Stop
)

var boardDecisions = [...]string{Continue: "continue", Modify: "modify", Pause: "pause", Stop: "stop"}

func (d BoardDecision) String() string {
	if d == 0 || int(d) >= len(boardDecisions) {
		return "unknown decision"
	}
	return boardDecisions[d]
}

// Count is how many events count for a boundary: by the latest assessments, and
// at most ever.
type Count struct {
	_        struct{} `cbor:",toarray"`
	Boundary string
	Events   uint64
	Highest  uint64
}

// ArmCount is what an opened look tells of one arm at its cut-off.
type ArmCount struct {
	_      struct{} `cbor:",toarray"`
	Arm    string
	Days   uint64 // person-days since the trial began
	Counts []Count
}

// Flag is a boundary crossed. It latches: one for each boundary, or for each
// boundary and arm.
type Flag struct {
	_             struct{} `cbor:",toarray"`
	Boundary      string
	Arm           string // empty: pooled
	Look          uint32 // the look that found it
	Crossed       Day    // the first evaluated day on which it is crossed
	Events        uint64 // on that day, as its Days and ExpectedMicro
	Days          uint64
	ExpectedMicro uint64 // rounded down, to be read; the flag rests on integers
}
