package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/replay"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial/contract"
)

// The ids of the checks, stable for programs that read a report.
const (
	checkUsable     = "format.usable"
	checkCanonical  = "format.canonical"
	checkManifest   = "manifest.hashes"
	checkGenesis    = "genesis.id"
	checkKeyPinned  = "key.pinned"
	checkKeyTrusted = "key.trusted"
	checkHeaders    = "headers.chain"
	checkTime       = "time.monotone"
	checkRules      = "rules.known"
	checkCheckpoint = "checkpoint.signature"
	checkDirectory  = "directory.chain"
	checkTrial      = "trial.chain"
	checkStreams    = "streams.proof"
	checkSignatures = "transactions.signatures"
	checkReplay     = "transactions.replay"
	checkProofs     = "proofs.valid"
	checkDigest     = "state.digest"
	checkLogRoot    = "checkpoint.log-root"
	checkRegistered = "order.registered-before-enrolment"
	checkApproved   = "order.approved-before-use"
	checkSites      = "sites.delegated"
	checkConsent    = "consent.v" // and the number of the version
	checkEligible   = "eligibility"
	checkWitnesses  = "witnesses"
	checkStamps     = "time-stamps"
	checkMilestones = "milestones"
	checkCeremony   = "ceremony"
	checkPackage    = "package"
	checkGate       = "gate." // and the id of a check of the gate
	checkOutcomes   = "outcomes"
	checkLooks      = "looks"
	checkData       = "data"
)

// verification is one file being verified. What a step reads and a step before
// it could not make is empty, and the step says so.
type verification struct {
	ctx    context.Context
	policy Policy
	report Report
	// withheld is why the streams are not replayed; empty where they may be.
	withheld string

	raw      []byte
	members  []member
	parts    map[string][]byte
	manifest Manifest

	genesis    *chain.Genesis
	key        *verifier.Key
	decoded    []chain.Header // all that decode
	chained    []chain.Header // the same, if they chain
	headers    []chain.Header // of them, those up to the height of the file
	checkpoint *chain.Checkpoint
	streams    [2]*stream // the directory's and the trial's
	recorder   *recorder
	replayed   *replay.Result
	stopped    *replay.Divergence
	proven     [2]*chain.Stream // what the last header says of the streams
	rooted     map[uint64]bool  // heights whose log is that of the entries and gaps; nil if it was not computed
	vouched    []vouched        // by ascending height
	standings  []contract.Standing
	histories  *history
}

// stream is one stream of the file, decoded and chained.
type stream struct {
	entries []engine.Entry
	leaves  []placed
	chain.Stream
}

func (v *verification) add(id string, o outcome) {
	v.report.Checks = append(v.report.Checks, Check{
		ID: id, Status: o.status, Reason: o.reason, Entry: o.entry, exception: o.exception,
	})
}

// outcome is the answer to one check.
type outcome struct {
	status        Status
	reason, entry string
	exception     bool
}

func passed(format string, args ...any) outcome {
	return outcome{status: Passed, reason: fmt.Sprintf(format, args...)}
}

func failed(entry, format string, args ...any) outcome {
	return outcome{status: Failed, entry: entry, reason: fmt.Sprintf(format, args...)}
}

// except is a failure of the trial's conduct that the file shows truly.
func except(entry, format string, args ...any) outcome {
	o := failed(entry, format, args...)
	o.exception = true
	return o
}

func skipped(format string, args ...any) outcome {
	return outcome{status: NotChecked, reason: fmt.Sprintf(format, args...)}
}

// after is the outcome of a check that needs what another could not give.
func after(id string) outcome { return skipped("rests on %s, which did not pass", id) }

// Verify verifies an evidence file of the given size under a policy. The file
// may be hostile. The error says that verification could not be done: a read
// failed, the context ended, or the policy is none; what is wrong with the file
// is in the report.
func Verify(ctx context.Context, r io.ReaderAt, size int64, p Policy) (*Report, error) {
	if err := p.prepare(); err != nil {
		return nil, err
	}
	v := &verification{ctx: ctx, policy: p, parts: map[string][]byte{}}
	if size > MaxBytes {
		return v.unusable(fmt.Errorf("%d bytes; an evidence file has at most %d", size, MaxBytes)), nil
	}
	v.raw = make([]byte, size)
	if n, err := r.ReadAt(v.raw, 0); n < len(v.raw) {
		return nil, fmt.Errorf("evidence file: %w", err)
	}
	if err := v.open(); err != nil {
		return v.unusable(err), nil
	}
	v.add(checkUsable, passed("an evidence file of version %d, %d bytes", Version, size))
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v.add(s.id, s.run(v))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v.consent()
	v.label()
	v.later()
	v.report.Study = v.study()
	v.conclude()
	return &v.report, nil
}

// steps are the checks in their order, but for those of versions, witnesses and
// results. A step reads what those before it made.
var steps = []struct {
	id  string
	run func(*verification) outcome
}{
	{checkCanonical, (*verification).canonical},
	{checkManifest, (*verification).hashes},
	{checkGenesis, (*verification).readGenesis},
	{checkKeyPinned, (*verification).pinned},
	{checkKeyTrusted, (*verification).trusted},
	{checkHeaders, (*verification).readHeaders},
	{checkTime, (*verification).monotone},
	{checkRules, (*verification).rules},
	{checkCheckpoint, (*verification).readCheckpoint},
	{checkDirectory, func(v *verification) outcome { return v.readStream(0) }},
	{checkTrial, func(v *verification) outcome { return v.readStream(1) }},
	{checkStreams, (*verification).complete},
	{checkSignatures, (*verification).signatures},
	{checkReplay, (*verification).replay},
	{checkProofs, (*verification).proofs},
	{checkDigest, (*verification).digest},
	{checkLogRoot, (*verification).logRoot},
	{checkRegistered, (*verification).registered},
	{checkApproved, (*verification).approved},
	{checkSites, (*verification).delegated},
}

func (v *verification) unusable(err error) *Report {
	v.add(checkUsable, failed("", "%v", err))
	v.report.Verdict = Unusable
	v.report.Sentence = fmt.Sprintf("%s: %v.", Unusable, err)
	return &v.report
}

// open finds the parts and holds them to the limits, before any is decoded.
func (v *verification) open() error {
	var err error
	if v.members, err = readArchive(v.raw); err != nil {
		return err
	}
	for _, m := range v.members {
		limit, items := limitsOf(m.name)
		if limit == 0 || m.method != methodStored {
			continue // canonical says so
		}
		if len(m.data) > limit || items > 0 && countItems(m.data) > items {
			return fmt.Errorf("%s: over its limit of %d bytes or %d items", m.name, limit, items)
		}
		v.parts[m.name] = m.data
	}
	b, ok := v.parts[partManifest]
	if !ok {
		return errors.New("no manifest; an evidence file begins with " + partManifest)
	}
	v.manifest, err = decodeManifest(b)
	return err
}

// canonical writes the archive anew from its parts and compares.
func (v *verification) canonical() outcome {
	var members []member
	names := v.names()
	for i, name := range names {
		b, ok := v.parts[name]
		if !ok {
			return failed("file:"+name, "missing, or not stored plainly")
		}
		if i >= len(v.members) || v.members[i].name != name {
			return failed("file:"+name, "not in its place, which is the %dth", i+1)
		}
		members = append(members, member{name: name, data: b})
	}
	if n := len(v.members); n > len(names) {
		return failed("file:"+v.members[len(names)].name, "%d files; this format has %d and no other", n, len(names))
	}
	c := &comparing{want: v.raw}
	if err := encodeArchive(c, members); err != nil || c.at < len(v.raw) {
		return failed(v.placeIn(c.at), "byte %d of the file is not what the format fixes", c.at)
	}
	if !bytes.Equal(v.parts[partReadme], v.options().readme()) {
		return failed("file:"+partReadme, "its text is fixed by the format, and this is another")
	}
	return passed("the archive is the one encoding of its %d parts", len(members))
}

// names are the parts that this file should have.
func (v *verification) names() []string { return v.options().expected() }

// options are the parts that this file has of those it may lack.
func (v *verification) options() (o options) {
	_, o.ceremony = v.parts[partCeremony]
	_, o.witnessed = v.parts[partCosigned]
	_, o.packaged = v.parts[partPackage]
	return o
}

// placeIn names the part that holds a byte of the file, if one does.
func (v *verification) placeIn(at int) string {
	for _, name := range v.names() {
		b := v.parts[name]
		start := offsetIn(v.raw, b)
		if start <= at && at < start+len(b) {
			return fmt.Sprintf("file:%s@%d", name, at-start)
		}
	}
	return fmt.Sprintf("file:archive@%d", at)
}

// offsetIn is where a part of b begins in it. Both share their memory up to
// the end of b, which their capacities count from.
func offsetIn(b, part []byte) int { return cap(b) - cap(part) }

// hashes compares the parts with the manifest.
func (v *verification) hashes() outcome {
	names := v.names()
	if len(v.manifest.Parts) != len(names)-1 || !slices.Equal(v.manifest.Absent, v.options().absent()) {
		return failed("file:"+partManifest, "its lists are not those of format version %d", Version)
	}
	for i, p := range v.manifest.Parts {
		if p.Name != names[i+1] {
			return failed("file:"+partManifest, "%q stands where %s belongs", p.Name, names[i+1])
		}
		b := v.parts[p.Name]
		if uint64(len(b)) != p.Size {
			return failed("file:"+p.Name, "%d bytes; the manifest says %d", len(b), p.Size)
		}
		if sha256.Sum256(b) != p.SHA256 {
			return failed("file:"+p.Name, "its SHA-256 is not the one in the manifest")
		}
	}
	return passed("each of the %d parts has the SHA-256 that the manifest lists; absent: %v", len(v.manifest.Parts), v.manifest.Absent)
}

func (v *verification) readGenesis() outcome {
	at := "file:" + partGenesis
	g, err := chain.DecodeGenesis(v.parts[partGenesis])
	if err != nil {
		return failed(at, "%v", err)
	}
	if g.ID() != v.manifest.Ledger {
		return failed(at, "it is of ledger %v; the manifest says %v", g.ID(), v.manifest.Ledger)
	}
	v.genesis = &g
	return passed("ledger %v, begun %s", g.ID(), instant(g.Time))
}

func (v *verification) pinned() outcome {
	if v.genesis == nil {
		return after(checkGenesis)
	}
	k, err := verifier.ParsePinned(v.parts[partKey], v.genesis.VerifyingKey)
	if err != nil {
		return failed("file:"+partKey, "%v", err)
	}
	v.key = k
	return passed("the verifying key is the one that the genesis pins, %v", wire.Hash(k.Hash()))
}

func (v *verification) trusted() outcome {
	if v.genesis == nil {
		return after(checkGenesis)
	}
	if who := v.policy.untrusted(*v.genesis); who != "" {
		if v.policy.Stranger {
			v.withheld = "not replayed: keys not trusted"
		}
		return failed("file:"+partGenesis, "signed by keys this policy (%s) does not trust: %s; pass --policy", v.policy.Name, who)
	}
	return passed("the policy (%s) knows the authorities, the node and the verifying key", v.policy.Name)
}

// conclude finds the verdict.
func (v *verification) conclude() {
	if len(v.headers) > 0 {
		v.report.AsOf = instant(v.headers[len(v.headers)-1].Time)
	}
	v.report.conclude(v.genesis != nil && v.policy.demonstration(*v.genesis), v.summary())
}
