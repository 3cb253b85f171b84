// Package safety holds the rules about harm: reports, exposure, the looks at
// registered boundaries, and what the monitoring board decides on them.
//
// The ledger never carries an arm before the study is unblinded. A report says
// for which boundaries its event counts, and no more of it than that; its
// details are a commitment. Pooled boundaries are evaluated here. Those by arm
// are evaluated by the board's statistician off the ledger: the look commits to
// what was counted, and after unblinding the opening is recomputed here.
//
// Nothing is evaluated on the arrival of an event. A look is as of a closed
// cut-off: exposure complete to that day at every open site. What arrives later
// counts on a later day, so a closed day never moves.
package safety

import (
	"encoding/binary"
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
)

// State is what the rules of safety read and write: the trial's stream, and
// questions that other rooms answer.
type State interface {
	state.Store
	// Delegated reports whether a site had delegated a task to a person then.
	Delegated(trial.SiteID, trial.ActorID, trial.Task, int64) bool
	// Unblinded reports whether the allocation list has been released.
	Unblinded() bool
	// OnBoard reports whether an actor is a member of the trial's monitoring board.
	OnBoard(trial.ActorID) bool
}

// head is where a trial's monitoring stands. It exists once a trial is registered.
type head struct {
	_      struct{} `cbor:",toarray"`
	Looks  uint32
	Opened uint32
	Closed trial.Day // cut-off of the latest look
}

// registered is a boundary as it was first registered. A later version of the
// protocol cannot alter it; it registers another under another id.
type registered struct {
	_        struct{} `cbor:",toarray"`
	Boundary trial.Boundary
	Version  trial.Version
	Time     int64
}

// change is how a count changed on a day. Additions are taken first, so that
// the highest count misses nothing that stood within the day.
type change struct {
	_       struct{} `cbor:",toarray"`
	Added   uint32
	Lowered uint32
}

// posted is a site's latest exposure.
type posted struct {
	_     struct{} `cbor:",toarray"`
	Until trial.Day
	Days  uint64
}

var (
	headKey        = []byte("safety/head")
	armPrefix      = []byte("safety/arm/")
	boundaryPrefix = []byte("safety/boundary/")
	flagPrefix     = []byte("safety/flag/")
	lookPrefix     = []byte("safety/look/")
	reportPrefix   = []byte("safety/report/")
	sitePrefix     = []byte("safety/site/")
	standingPrefix = []byte("safety/standing/")
	totalPrefix    = []byte("safety/total/")
)

func key(prefix []byte, name string) []byte { return append(slices.Clone(prefix), name...) }

func siteKey(site trial.SiteID) []byte   { return append(slices.Clone(sitePrefix), site[:]...) }
func reportKey(id trial.ReportID) []byte { return append(slices.Clone(reportPrefix), id[:]...) }
func postedKey(site trial.SiteID) []byte { return append([]byte("safety/posted/"), site[:]...) }
func lookKey(n uint32) []byte            { return binary.BigEndian.AppendUint32(slices.Clone(lookPrefix), n) }
func exposureKey(day trial.Day) []byte   { return appendDay([]byte("safety/exposure/"), day) }
func appendDay(k []byte, d trial.Day) []byte {
	return binary.BigEndian.AppendUint32(k, uint32(d)^1<<31)
}

// changeKey names the changes of a day; below a day its boundaries are sorted.
func changeKey(day trial.Day, boundary string) []byte {
	return append(appendDay([]byte("safety/change/"), day), boundary...)
}

func flagKey(boundary, arm string) []byte {
	return append(append(key(flagPrefix, boundary), 0), arm...)
}

func decisionKey(look uint32, boundary string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte("safety/decision/"), look), boundary...)
}

func has(v state.View, key []byte) bool {
	_, ok := v.Get(key)
	return ok
}

// boundaries lists what is registered, by id.
func boundaries(v state.View) (out []registered) {
	v.Scan(boundaryPrefix, func(k, _ []byte) bool {
		r, _ := state.Load[registered](v, slices.Clone(k))
		out = append(out, r)
		return true
	})
	return out
}

// arms lists every arm that a version registered, by id.
func arms(v state.View) (out []string) {
	v.Scan(armPrefix, func(k, _ []byte) bool {
		out = append(out, string(k[len(armPrefix):]))
		return true
	})
	return out
}

func known(s State) error {
	if !has(s, headKey) {
		return trial.Refuse(trial.UnknownTrial, "no trial is registered in this stream")
	}
	return nil
}

// bySite asks for the site's own key or for a person delegated recording there,
// and reports which.
func bySite(s State, c trial.Context, site trial.SiteID) error {
	if err := known(s); err != nil {
		return err
	}
	if isSite(c, site) || s.Delegated(site, c.Signer.ID, trial.Recording, c.Now) {
		return nil
	}
	return trial.Refuse(trial.UnknownDelegate, "signer: neither site %v nor a person whom it delegated recording to; its delegation log says who is", site)
}

func isSite(c trial.Context, site trial.SiteID) bool {
	return c.Signer.Role == trial.Site && trial.SiteID(c.Signer.ID) == site
}

func byBoard(s State, c trial.Context) error {
	if err := known(s); err != nil {
		return err
	}
	if !member(s, c.Signer) {
		return trial.Refuse(trial.NotAuthorised, "only a member of the trial's monitoring board may do this, not this %s; sponsor and ethics appoint the board", c.Signer.Role)
	}
	return nil
}

// member reports whether an actor is of the board of this trial: the role alone
// would let the boards of all other trials speak on it.
func member(s State, a trial.Actor) bool { return a.Role == trial.DSMB && s.OnBoard(a.ID) }

// opened is the day on which the trial first opened at a site.
func opened(s State, site trial.SiteID) (trial.Day, error) {
	day, ok := state.Load[trial.Day](s, siteKey(site))
	if !ok {
		return 0, trial.Refuse(trial.SiteNotOpen, "site: no version has opened at this site")
	}
	return day, nil
}

// checkMembership refuses a list of boundaries that has more than one form.
func checkMembership(ids []string) error {
	if len(ids) > 64 || !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		return trial.Refuse(trial.Malformed, "boundaries: at most 64, ascending, each once; none where the event counts for none")
	}
	for _, id := range ids {
		if len(id) > 128 {
			return trial.Refuse(trial.Malformed, "boundaries: an id of %d bytes; at most 128", len(id))
		}
	}
	return nil
}

func registeredAll(s State, ids []string) error {
	for _, id := range ids {
		if !has(s, key(boundaryPrefix, id)) {
			return trial.Refuse(trial.UnknownBoundary, "boundaries: %q is not registered in the protocol", id)
		}
	}
	return nil
}
