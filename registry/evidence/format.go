// Package evidence writes and verifies evidence files: one trial, whole, in a
// file that anybody checks offline, trusting nobody's server.
//
// A file holds the directory's stream and the trial's, the headers of the
// ledger they stand in, its newest signed checkpoint, and proofs that the two
// streams are complete as of it. Verify replays them through the contract, the
// state machine of the ledger itself, and judges what it finds by a policy. The
// file brings no root of trust: what it says of keys is compared, never
// believed.
//
// The format is a zip archive with exactly one encoding, so that two files of
// one checkpoint are the same bytes and nothing can be hidden in one.
package evidence

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Extension is the ending of an evidence file's name.
const Extension = ".trialith"

// Format and Version name the format in the manifest.
const (
	Format  = "trialith evidence"
	Version = 1
)

// MaxBytes bounds a whole evidence file.
const MaxBytes = 256 << 20

// Limits on what the parts hold, so that no file makes a verifier work without end.
const (
	maxHeaders = 1 << 20
	maxEntries = 1 << 20 // of one stream
	maxGaps    = 1 << 20
	// A trial has few milestones, and a file one checkpoint for each and the newest.
	maxCosigned = 1 << 12
)

// The parts of a file, by their names in the archive.
const (
	partManifest   = "manifest.cbor"
	partReadme     = "README.txt"
	partGenesis    = "genesis.cbor"
	partCheckpoint = "checkpoint.txt"
	partHeaders    = "headers.cbor"
	partDirectory  = "directory.cbor"
	partTrial      = "trial.cbor"
	partStreams    = "streams.cbor"
	partLog        = "log.cbor"
	partKey        = "verifying-key.bin"
	partCeremony   = "ceremony/transcript.cbor"
	partCosigned   = "cosigned.cbor"
	partPackage    = "package.car"
)

// layout is the order of the parts and how many bytes and, where a part is a
// sequence, how many items each may have.
var layout = []struct {
	name         string
	bytes, items int
}{
	{partManifest, 64 << 10, 0},
	{partReadme, 16 << 10, 0},
	{partGenesis, 64 << 10, 0},
	{partCheckpoint, 64 << 10, 0},
	{partHeaders, MaxBytes, maxHeaders},
	{partDirectory, MaxBytes, maxEntries},
	{partTrial, MaxBytes, maxEntries},
	{partStreams, 64 << 10, 2},
	{partLog, MaxBytes, maxGaps},
	{partKey, 64 << 10, 0},
}

// options are the parts that a file may have or lack. They follow the others, in
// this order.
type options struct {
	ceremony  bool // the record of how the verifying key was made
	witnessed bool // checkpoints that witnesses cosigned
	packaged  bool // the released results
}

// expected are the names of a file's parts in their order.
func (o options) expected() (names []string) {
	for _, l := range layout {
		names = append(names, l.name)
	}
	if o.ceremony {
		names = append(names, partCeremony)
	}
	if o.witnessed {
		names = append(names, partCosigned)
	}
	if o.packaged {
		names = append(names, partPackage)
	}
	return names
}

// absent are the parts that a file lacks. They are listed, so that nobody takes
// their absence for an oversight.
func (o options) absent() (names []string) {
	if !o.ceremony {
		names = append(names, "ceremony/")
	}
	if !o.witnessed {
		names = append(names, partCosigned)
	}
	if !o.packaged {
		names = append(names, partPackage)
	}
	return names
}

// readmeText is a part of the format: a file with any other text is not canonical.
//
//go:embed README.txt
var readmeText []byte

// What the text says besides in a file with a ceremony or with cosigned
// checkpoints, before what it says of the package.
const (
	readmeCeremony = `    ceremony/transcript.cbor
                       the record of how that key was made: who contributed,
                       and by which public values it was closed
`
	readmeCosigned = `    cosigned.cbor      checkpoints that independent witnesses cosigned, with
                       their time stamps: the newest, and one for each
                       milestone of the trial
`
)

// readme is the text that belongs into a file.
func (o options) readme() []byte {
	mark, besides := "    "+partPackage, ""
	if o.ceremony {
		besides += readmeCeremony
	}
	if o.witnessed {
		besides += readmeCosigned
	}
	return bytes.Replace(readmeText, []byte(mark), []byte(besides+mark), 1)
}

// Manifest lists what a file holds. Encoded as a CBOR array.
type Manifest struct {
	_       struct{} `cbor:",toarray"`
	Format  string
	Version uint8
	Ledger  wire.LedgerID
	Trial   trial.ID
	Height  uint64 // of the checkpoint
	Parts   []Part // all but the manifest, in their order
	Absent  []string
}

// Part names one part and its bytes.
type Part struct {
	_      struct{} `cbor:",toarray"`
	Name   string
	Size   uint64
	SHA256 trial.Digest
}

func decodeManifest(b []byte) (Manifest, error) {
	var m Manifest
	if err := wire.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("manifest: %w", err)
	}
	if m.Format != Format {
		return m, fmt.Errorf("manifest: format %q; an evidence file says %q", m.Format, Format)
	}
	if m.Version != Version {
		return m, fmt.Errorf("manifest: version %d; this verifier knows %d: use a newer one", m.Version, Version)
	}
	return m, nil
}

// Gap stands in for entries of other trials: the RFC 6962 hashes of the full
// subtrees that cover their places in the log, from left to right.
type Gap struct {
	_      struct{} `cbor:",toarray"`
	First  uint64
	Count  uint64
	Hashes []wire.Hash
}
