// Package usdm reads study definitions in the form of the CDISC Unified
// Study Definitions Model (USDM v4.0, and v3.11 where the two agree) and maps
// them onto the words of a trial.
//
// The reader is strict about structure and tolerant about content. A file
// that is too large, too deep, not JSON, that repeats a field or an id, holds
// a value of the wrong type, or whose ordered lists do not form one chain is
// refused with the path of the field. A field that is merely empty, a
// placeholder that was never filled in, a reference that leads nowhere: these
// are kept as they stand and reported as a Lint, because CDISC's own published
// samples hold all of them.
//
// Nothing here reads a clock, a network or a file system.
package usdm
