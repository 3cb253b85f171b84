package evidence

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// unpack gives copies of the parts of a file.
func unpack(t testing.TB, b []byte) map[string][]byte {
	t.Helper()
	members, err := readArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for _, m := range members {
		parts[m.name] = bytes.Clone(m.data)
	}
	return parts
}

// pack makes a canonical file of parts. Unless the manifest is to lie, its
// sizes and hashes are made right: what catches the change lies deeper.
func pack(t testing.TB, parts map[string][]byte, lie bool) []byte {
	t.Helper()
	if !lie {
		m, err := decodeManifest(parts[partManifest])
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Parts {
			b := parts[m.Parts[i].Name]
			m.Parts[i].Size, m.Parts[i].SHA256 = uint64(len(b)), sha256.Sum256(b)
		}
		parts[partManifest] = wire.Marshal(m)
	}
	var members []member
	for _, l := range layout {
		members = append(members, member{name: l.name, data: parts[l.name]})
	}
	for _, name := range []string{partCeremony, partCosigned, partPackage} {
		if b, found := parts[name]; found {
			members = append(members, member{name: name, data: b})
		}
	}
	var b bytes.Buffer
	if err := encodeArchive(&b, members); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// change repacks a file after its parts were changed.
func change(t testing.TB, b []byte, do func(parts map[string][]byte)) []byte {
	t.Helper()
	parts := unpack(t, b)
	do(parts)
	return pack(t, parts, false)
}

func list[T any](t testing.TB, part []byte) []T {
	t.Helper()
	items, _, bad := decodeSequence[T](part)
	if bad != nil {
		t.Fatal(bad.err)
	}
	return items
}

// edit repacks a file after a sequence in it was changed.
func edit[T any](t testing.TB, b []byte, part string, do func([]T) []T) []byte {
	t.Helper()
	return change(t, b, func(parts map[string][]byte) { parts[part] = sequence(do(list[T](t, parts[part]))) })
}

// caught asserts that a file does not verify, and that the sentence names the
// entry, unless that is left open.
func caught(t *testing.T, name string, b []byte, entry string) *Report {
	t.Helper()
	r := check(t, b)
	if r.Verdict != NotValid && r.Verdict != Unusable {
		t.Fatalf("%s: not caught: %s", name, r.Sentence)
	}
	if entry != "" && !strings.HasPrefix(r.Sentence, fmt.Sprintf("NOT VALID: %s: ", entry)) {
		t.Errorf("%s: want entry %s: %s", name, entry, r.Sentence)
	}
	return r
}

// holder names the entry of a sequence that holds a byte.
func holder(t testing.TB, name string, part []byte, at int) string {
	t.Helper()
	_, offsets, _ := decodeSequence[engine.Entry](part)
	i, found := slices.BinarySearch(offsets, at)
	if !found {
		i--
	}
	return fmt.Sprintf("%s/%d", name, i)
}

// TestFlipAnyByte flips bytes all over the file, and in each part with the
// manifest made right again.
func TestFlipAnyByte(t *testing.T) {
	t.Parallel()
	b := golden(t)
	for at := 0; at < len(b); at += 131 {
		flipped := bytes.Clone(b)
		flipped[at] ^= 1 << (at % 8)
		caught(t, fmt.Sprintf("byte %d", at), flipped, "")
	}
	for at := max(0, len(b)-700); at < len(b); at += 7 { // the archive's directory
		flipped := bytes.Clone(b)
		flipped[at] ^= 1
		caught(t, fmt.Sprintf("byte %d", at), flipped, "")
	}
}

func TestFlipAnyPart(t *testing.T) {
	t.Parallel()
	b := golden(t)
	parts := unpack(t, b)
	for _, l := range layout[1:] {
		n := len(parts[l.name])
		step := max(1, n/25)
		for at := 0; at < n; at += step {
			want := ""
			switch l.name {
			case partDirectory:
				want = holder(t, "directory", parts[l.name], at)
			case partTrial:
				want = holder(t, "trial", parts[l.name], at)
			}
			flip := func(parts map[string][]byte) { parts[l.name][at] ^= 1 << (at % 8) }
			caught(t, fmt.Sprintf("%s@%d, manifest right", l.name, at), change(t, b, flip), want)
			lying := unpack(t, b)
			flip(lying)
			r := caught(t, fmt.Sprintf("%s@%d", l.name, at), pack(t, lying, true), want)
			if c, _ := r.Check(checkManifest); c.Status != Failed {
				t.Errorf("%s@%d: the manifest's hash did not catch it", l.name, at)
			}
		}
	}
}

func TestLeaveOutAnyEntry(t *testing.T) {
	t.Parallel()
	b := golden(t)
	for name, part := range map[string]string{"directory": partDirectory, "trial": partTrial} {
		for i := range list[engine.Entry](t, unpack(t, b)[part]) {
			entry := fmt.Sprintf("%s/%d", name, i)
			caught(t, "without "+entry, edit(t, b, part, func(es []engine.Entry) []engine.Entry { return slices.Delete(es, i, i+1) }), entry)
		}
	}
}

func TestSwapEntries(t *testing.T) {
	t.Parallel()
	b := golden(t)
	for i := range len(list[engine.Entry](t, unpack(t, b)[partTrial])) - 1 {
		entry := fmt.Sprintf("trial/%d", i)
		swap := func(es []engine.Entry) []engine.Entry {
			es[i], es[i+1] = es[i+1], es[i]
			return es
		}
		caught(t, "swapped "+entry, edit(t, b, partTrial, swap), entry)
		caught(t, "swapped and renumbered "+entry, edit(t, b, partTrial, func(es []engine.Entry) []engine.Entry {
			es = swap(es)
			// What they say of their places stays in place.
			a, z := &es[i], &es[i+1]
			a.Sequence, z.Sequence = z.Sequence, a.Sequence
			a.Height, z.Height = z.Height, a.Height
			a.Time, z.Time = z.Time, a.Time
			return es
		}), "")
	}
}

// TestTamper has one case for each kind of change by somebody who makes the
// manifest right again but cannot sign.
func TestTamper(t *testing.T) {
	t.Parallel()
	b := golden(t)
	refused := -1
	for i, e := range list[engine.Entry](t, unpack(t, b)[partTrial]) {
		if e.Result.Code != engine.Accepted {
			refused = i
		}
	}
	refusedEntry := fmt.Sprintf("trial/%d", refused)
	trialEntry := func(i int, do func(*engine.Entry)) []byte {
		return edit(t, b, partTrial, func(es []engine.Entry) []engine.Entry { do(&es[i]); return es })
	}
	for _, c := range []struct {
		name        string
		file        []byte
		check       string
		want, entry string
	}{
		{"a refused entry given a body", trialEntry(refused, func(e *engine.Entry) { e.Envelope = []byte{1} }), checkTrial, "yet it has a body", refusedEntry},
		{"a refused entry given events", trialEntry(refused, func(e *engine.Entry) { e.Result.Events = []engine.Event{{Kind: 1}} }), checkTrial, "yet it has a body", refusedEntry},
		{"a refused entry accepted", trialEntry(refused, func(e *engine.Entry) { e.Result.Code = 0 }), checkTrial, "hash", refusedEntry},
		{"another refusal", trialEntry(refused, func(e *engine.Entry) { e.Result.Code++ }), checkStreams, "does not chain", refusedEntry},
		{"another refused transaction", trialEntry(refused, func(e *engine.Entry) { e.Hash[0]++ }), checkStreams, "does not chain", refusedEntry},
		{"an accepted entry refused", trialEntry(4, func(e *engine.Entry) {
			e.Result, e.Envelope = engine.Result{Code: 300}, nil
		}), checkStreams, "does not chain", ""},
		{"an envelope with another signature", trialEntry(3, func(e *engine.Entry) {
			env, err := tx.Decode(e.Envelope)
			if err != nil {
				t.Fatal(err)
			}
			env.Signature[0] ^= 1
			e.Envelope = env.Encode()
			e.Hash = tx.Hash(e.Envelope)
		}), checkSignatures, "not the signer's", "trial/3"},
		{"an event left out", trialEntry(3, func(e *engine.Entry) { e.Result.Events = e.Result.Events[1:] }), checkReplay, "events", "trial/3"},
		{"an entry at another time", trialEntry(3, func(e *engine.Entry) { e.Time++ }), checkTrial, "time", "trial/3"},
		{"an entry repeated", edit(t, b, partTrial, func(es []engine.Entry) []engine.Entry { return append(es, es[len(es)-1]) }), checkTrial, "stands in its place", "trial/19"},
		{"an entry of the other stream", change(t, b, func(p map[string][]byte) { p[partTrial] = p[partDirectory] }), checkTrial, "belongs to stream", "trial/0"},
		{"no entry at all", change(t, b, func(p map[string][]byte) { p[partTrial] = nil }), checkTrial, "missing", "trial/0"},
		{"two headers exchanged", edit(t, b, partHeaders, func(hs []chain.Header) []chain.Header {
			hs[3], hs[4] = hs[4], hs[3]
			return hs
		}), checkHeaders, "stands where", ""},
		{"a header's time", edit(t, b, partHeaders, func(hs []chain.Header) []chain.Header { hs[3].Time = hs[2].Time; return hs }), checkTime, "is not after", ""},
		{"a header of another rule set", edit(t, b, partHeaders, func(hs []chain.Header) []chain.Header { hs[29].Rules++; return hs }), checkRules, "use a newer one", ""},
		{"the last header", edit(t, b, partHeaders, func(hs []chain.Header) []chain.Header { hs[29].Streams[0]++; return hs }), checkCheckpoint, "not the one that was signed", ""},
		{"a header too few", edit(t, b, partHeaders, func(hs []chain.Header) []chain.Header { return hs[:29] }), checkHeaders, "end at height 29", ""},
		{"no header", change(t, b, func(p map[string][]byte) { p[partHeaders] = nil }), checkHeaders, "no header", ""},
		{"a checkpoint signed by nobody", change(t, b, func(p map[string][]byte) {
			p[partCheckpoint] = bytes.Replace(p[partCheckpoint], []byte("trialith.example/evidence\n30"), []byte("trialith.example/evidence\n29"), 1)
		}), checkCheckpoint, "", ""},
		{"a signature more on the checkpoint", change(t, b, func(p map[string][]byte) {
			lines := bytes.SplitAfter(p[partCheckpoint], []byte("\n"))
			p[partCheckpoint] = append(p[partCheckpoint], bytes.Replace(lines[5], []byte("trialith.example"), []byte("else.example"), 1)...)
		}), checkCheckpoint, "the only one", ""},
		{"stream proofs exchanged", edit(t, b, partStreams, func(ps []chain.StreamProof) []chain.StreamProof {
			return []chain.StreamProof{ps[1], ps[0]}
		}), checkStreams, "is of stream", ""},
		{"one stream proof", edit(t, b, partStreams, func(ps []chain.StreamProof) []chain.StreamProof { return ps[:1] }), checkStreams, "needs the proof", ""},
		{"a stream proof that counts less", edit(t, b, partStreams, func(ps []chain.StreamProof) []chain.StreamProof { ps[1].Stream.Count--; return ps }), checkStreams, "gives root", ""},
		{"a gap's hash", edit(t, b, partLog, func(gs []Gap) []Gap { gs[0].Hashes[0][0]++; return gs }), checkLogRoot, "do not give the root", ""},
		{"a gap left out", edit(t, b, partLog, func(gs []Gap) []Gap { return gs[1:] }), checkLogRoot, "neither", ""},
		{"a gap over an entry", edit(t, b, partLog, func(gs []Gap) []Gap { gs[0].First--; return gs }), checkLogRoot, "", ""},
		{"a gap beyond the log", edit(t, b, partLog, func(gs []Gap) []Gap { return append(gs, Gap{First: 1 << 63, Count: 1 << 63}) }), checkLogRoot, "beyond", ""},
		{"the verifying key exchanged", change(t, b, func(p map[string][]byte) {
			k := p[partKey] // two bases exchanged: points of the curve, another key
			at := len(k) - 8 - 32
			x := bytes.Clone(k[at : at+32])
			copy(k[at:], k[at-32:at])
			copy(k[at-32:], x)
		}), checkKeyPinned, "pinned", ""},
		{"another text to read", change(t, b, func(p map[string][]byte) { p[partReadme] = append(p[partReadme], "It is all true.\n"...) }), checkCanonical, "fixed by the format", ""},
		{"another genesis", change(t, b, func(p map[string][]byte) {
			g, err := chain.DecodeGenesis(p[partGenesis])
			if err != nil {
				t.Fatal(err)
			}
			g.Epoch++
			p[partGenesis] = g.Encode()
		}), checkGenesis, "the manifest says", ""},
		{"another genesis and manifest", change(t, b, func(p map[string][]byte) {
			g, err := chain.DecodeGenesis(p[partGenesis])
			if err != nil {
				t.Fatal(err)
			}
			g.Node[0]++
			p[partGenesis] = g.Encode()
			m, err := decodeManifest(p[partManifest])
			if err != nil {
				t.Fatal(err)
			}
			m.Ledger = g.ID()
			p[partManifest] = wire.Marshal(m)
		}), checkKeyTrusted, "does not trust", ""},
	} {
		r := caught(t, c.name, c.file, c.entry)
		if got, ok := r.Check(c.check); !ok || got.Status != Failed || !strings.Contains(got.Reason, c.want) {
			t.Errorf("%s: %s should fail with %q:\n%s", c.name, c.check, c.want, text(r))
		}
	}
}

func TestLyingManifest(t *testing.T) {
	t.Parallel()
	b := golden(t)
	for name, do := range map[string]func(*Manifest){
		"size":     func(m *Manifest) { m.Parts[3].Size++ },
		"hash":     func(m *Manifest) { m.Parts[3].SHA256[0]++ },
		"name":     func(m *Manifest) { m.Parts[3].Name = "tails.cbor" },
		"order":    func(m *Manifest) { m.Parts[3], m.Parts[4] = m.Parts[4], m.Parts[3] },
		"part":     func(m *Manifest) { m.Parts = m.Parts[1:] },
		"absent":   func(m *Manifest) { m.Absent = m.Absent[1:] },
		"trial":    func(m *Manifest) { m.Trial[0]++ },
		"no trial": func(m *Manifest) { m.Trial = trial.ID{} },
		"ledger":   func(m *Manifest) { m.Ledger[0]++ },
		"height":   func(m *Manifest) { m.Height-- },
	} {
		parts := unpack(t, b)
		m, err := decodeManifest(parts[partManifest])
		if err != nil {
			t.Fatal(err)
		}
		do(&m)
		parts[partManifest] = wire.Marshal(m)
		if r := caught(t, name, pack(t, parts, true), ""); r.Verdict != NotValid {
			t.Errorf("%s: %s", name, r.Sentence)
		}
	}
	for name, do := range map[string]func(*Manifest){
		"format":  func(m *Manifest) { m.Format = "something else" },
		"version": func(m *Manifest) { m.Version++ },
	} {
		parts := unpack(t, b)
		m, err := decodeManifest(parts[partManifest])
		if err != nil {
			t.Fatal(err)
		}
		do(&m)
		parts[partManifest] = wire.Marshal(m)
		if r := caught(t, name, pack(t, parts, true), ""); r.Verdict != Unusable || r.ExitCode() != 2 {
			t.Errorf("%s: %s", name, r.Sentence)
		}
	}
}

// TestOtherArchives: what other zip programs would make of the same parts is
// not the one encoding.
func TestOtherArchives(t *testing.T) {
	t.Parallel()
	b := golden(t)
	parts := unpack(t, b)
	var order []string
	for _, l := range layout {
		order = append(order, l.name)
	}
	swapped := slices.Clone(order)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	for name, file := range map[string][]byte{
		"trailing bytes":  append(bytes.Clone(b), 0),
		"leading bytes":   append([]byte{0}, b...),
		"another program": zipped(t, parts, order, zip.Store, ""),
		"a comment":       zipped(t, parts, order, zip.Store, "verified by the regulator"),
		"compressed":      zipped(t, parts, order, zip.Deflate, ""),
		"an extra file":   zipped(t, parts, append(slices.Clone(order), "note.txt"), zip.Store, ""),
		"a file twice":    zipped(t, parts, append(slices.Clone(order), partTrial), zip.Store, ""),
		"another order":   zipped(t, parts, swapped, zip.Store, ""),
		"a file missing":  zipped(t, parts, order[:9], zip.Store, ""),
		"another time":    timed(b),
	} {
		r := caught(t, name, file, "")
		if c, ok := r.Check(checkCanonical); r.Verdict == NotValid && (!ok || c.Status != Failed) {
			t.Errorf("%s: %s", name, text(r))
		}
	}
}

func zipped(t testing.TB, parts map[string][]byte, names []string, method uint16, comment string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, name := range names {
		m := method
		if i == 0 {
			m = zip.Store // else there is no manifest
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: m})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(parts[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.SetComment(comment); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// timed dates the first file to another day, in both places.
func timed(b []byte) []byte {
	out := bytes.Clone(b)
	binary.LittleEndian.PutUint16(out[12:], 0x5d21)
	at := binary.LittleEndian.Uint32(out[len(out)-6:])
	binary.LittleEndian.PutUint16(out[at+14:], 0x5d21)
	return out
}

// TestUnusable: what is no evidence file, or passes a limit, is judged no further.
func TestUnusable(t *testing.T) {
	t.Parallel()
	b := golden(t)
	parts := unpack(t, b)
	many := make([]string, maxMembers+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, file := range map[string][]byte{
		"nothing":          nil,
		"text":             []byte("a letter"),
		"an empty archive": zipped(t, nil, nil, zip.Store, ""),
		"no manifest":      zipped(t, parts, []string{partTrial}, zip.Store, ""),
		"another manifest": zipped(t, map[string][]byte{partManifest: []byte("{}")}, []string{partManifest}, zip.Store, ""),
		"too many files":   zipped(t, nil, many, zip.Store, ""),
		"too many items": change(t, b, func(p map[string][]byte) {
			p[partStreams] = slices.Concat(p[partStreams], p[partStreams])
		}),
		"a part too large": change(t, b, func(p map[string][]byte) { p[partGenesis] = make([]byte, 1<<20) }),
	} {
		if r := check(t, file); r.Verdict != Unusable || r.ExitCode() != 2 || len(r.Checks) != 1 {
			t.Errorf("%s: %s", name, text(r))
		}
	}
	r, err := Verify(t.Context(), bytes.NewReader(nil), MaxBytes+1, Builtin())
	if err != nil || r.Verdict != Unusable {
		t.Errorf("too large: %v", err)
	}
	for n := 0; n < len(b); n += 997 {
		caught(t, fmt.Sprintf("cut off at %d", n), b[:n], "")
	}
}

// TestMixedFiles mixes parts of files that each verify.
func TestMixedFiles(t *testing.T) {
	t.Parallel()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	first := l.trial
	older := l.file()
	l.begin()
	other := l.file()
	l.trial = first
	newer := l.file()
	for _, b := range [][]byte{older, other, newer} {
		if r := check(t, b); r.Verdict != Reservations {
			t.Fatal(text(r))
		}
	}
	with := func(b, from []byte, names ...string) []byte {
		return change(t, b, func(parts map[string][]byte) {
			for _, n := range names {
				parts[n] = unpack(t, from)[n]
			}
		})
	}
	caught(t, "another trial's entries", with(newer, other, partTrial), "trial/0")
	caught(t, "another trial's entries, proofs and gaps", with(newer, other, partTrial, partStreams, partLog), "trial/0")
	caught(t, "another trial's proofs", with(newer, other, partStreams), "")
	caught(t, "an older checkpoint", with(newer, older, partCheckpoint), "")
	caught(t, "older headers", with(newer, older, partHeaders), "")
	caught(t, "an older ledger under the manifest of the newer", with(newer, older, partCheckpoint, partHeaders, partStreams, partLog), "")
	caught(t, "the directory of before", with(newer, older, partStreams), "")
	parts := unpack(t, other)
	m, err := decodeManifest(parts[partManifest])
	if err != nil {
		t.Fatal(err)
	}
	m.Trial = first
	parts[partManifest] = wire.Marshal(m)
	caught(t, "under another trial's name", pack(t, parts, true), "trial/0")
}
