package contract

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/protocol"
)

// Standing is how consent to one version stands at a time (C9).
type Standing struct {
	Version  trial.Version
	Counters trial.Counters // the sums over the sets of the version
	NotDue   uint64         // members who stay and whose time has not run out
	Settled  bool           // nothing may change the counters any more
	Verdict  reconsent.Verdict
}

// Standings judges each registered version of the trial whose state v is, at a
// time in milliseconds since 1970 UTC. It settles nothing.
func Standings(v state.View, now int64) []Standing {
	var out []Standing
	notDue := consent.AllNotDue(v, now)
	for n := trial.Version(1); n <= protocol.Latest(v); n++ {
		s := Standing{
			Version: n, Counters: consent.Counters(v, n), NotDue: notDue[n],
			Settled: Settled(v, n, now),
		}
		s.Verdict = reconsent.Judge(s.Counters, s.NotDue)
		out = append(out, s)
	}
	return out
}
