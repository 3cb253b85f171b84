package evidence

import (
	"slices"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/ledger/wire"
)

// ceremony judges the record of how the verifying key was made. The record shows
// who contributed and that the key's α, β and δ are theirs; that the key's other
// points belong to this circuit is computed from the contributions, which no
// evidence file carries.
func (v *verification) ceremony() outcome {
	part, found := v.parts[partCeremony]
	if !found {
		return v.noCeremony()
	}
	if v.key == nil {
		return after(checkKeyPinned)
	}
	at := "file:" + partCeremony
	t, err := transcript.Decode(part)
	if err != nil {
		return failed(at, "%v", err)
	}
	s, err := t.Check()
	if err != nil {
		return failed(at, "%v", err)
	}
	if err := s.CheckKey(v.key.Bytes(), wire.Hash(v.key.Hash())); err != nil {
		return failed(at, "%v", err)
	}
	if want, known := transcript.Circuit(t.Manifest.Depth); !known || want != t.Manifest.Circuit {
		return failed(at, "it is for the circuit %v of depth %d, which is none of the consent proof's", t.Manifest.Circuit, t.Manifest.Depth)
	}
	if phase := v.policy.unknown(s); phase != 0 {
		return failed(at, "no contributor to phase %d has a key that this policy (%s) trusts to have forgotten its secret", phase, v.policy.Name)
	}
	return passed("%q: %d people contributed to phase 1 and %d to phase 2, at least %d asked for; each proves a share of the key's α, β and δ; "+
		"both beacons were announced before the last contribution; \"trialith ceremony verify\" computes the whole key again from the contributions",
		t.Manifest.Name, len(s.Phases[0].Contributors), len(s.Phases[1].Contributors), t.Manifest.Minimum)
}

func (v *verification) noCeremony() outcome {
	if v.genesis != nil && v.policy.demonstration(*v.genesis) {
		return skipped("demonstration keys: their secrets are public, so there is no ceremony to check")
	}
	return skipped("the file holds no transcript; the verifying key rests on the policy alone")
}

// unknown is a phase without a contributor that the policy knows; 0 if there is
// none, or the policy names nobody. One honest contributor of each phase is
// enough, so one known is what is asked for.
func (p Policy) unknown(s *transcript.State) int {
	if len(p.Contributors) == 0 {
		return 0
	}
	for i, phase := range s.Phases {
		known := slices.ContainsFunc(phase.Contributors, func(c transcript.Contributor) bool { return slices.Contains(p.Contributors, c.Key) })
		if !known {
			return i + 1
		}
	}
	return 0
}
