package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/publication"
	"github.com/trialith/trialith/trial/safety"
)

// ended is run with a board, two custodians, a pooled boundary registered by an
// amendment, reports, a look, data, and released results.
func ended(t *testing.T) *lab {
	t.Helper()
	l := run(t, nil)
	l.register("board", trial.DSMB, "regulator")
	l.register("member", trial.DSMB, "regulator")
	l.register("library", trial.Custodian, "regulator")
	l.register("patients", trial.Custodian, "regulator")
	stream := wire.StreamID(l.trial)
	must := func(signer string, kind tx.Kind, body any, cosigners ...string) {
		t.Helper()
		l.must(signer, kind, stream, body, cosigners...)
	}
	var board []trial.ActorID
	for _, who := range []string{"board", "member"} {
		board = append(board, act.ActorID(l.ledger.ID(), trial.DSMB, public(who)))
	}
	slices.SortFunc(board, func(a, b trial.ActorID) int { return slices.Compare(a[:], b[:]) })
	must("sponsor", contract.ProtocolAppoint, protocol.Appoint{Board: board}, "ethics")
	today := trial.DayOf(l.clock.Now())
	p := study()
	p.Boundaries = []trial.Boundary{{
		ID: "any", Name: "Any event", Scope: trial.Pooled, Events: "all", RateEvents: 1, RateDays: 1000, Unit: trial.Expected, MinEvents: 1,
		UntilMicro: 4_000_000, AlphaMicro: 50_000, Table: []uint64{20_000, 4_000_001}, AnswerDays: 7, Method: "by hand",
	}}
	must("sponsor", contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: p, Reason: "a boundary", Effective: today})
	for n := range byte(2) {
		must("doctor", contract.SafetyReport, safety.Report{
			ID: trial.ReportID{n + 1}, Site: l.site, Clock: trial.FifteenDays, Received: today, Serious: n == 0, Boundaries: []string{"any"}, Details: trial.Commitment{1},
		})
	}
	l.clock.ms.Add(trial.Days(1))
	must("doctor", contract.SafetyExposure, safety.Exposure{Site: l.site, Until: today, Days: 40})
	must("board", contract.SafetyLook, safety.Look{AsOf: today})
	must("board", contract.SafetyDecide, safety.Decide{Look: 1, Boundary: "any", Decision: trial.Continue, Reason: "watch"}, "member")
	must("sponsor", contract.DatasetCommit, dataset.Commit{Name: "adsl", Root: trial.Digest{1}, Rows: 1, Subjects: 1, Columns: []string{"A"}, File: trial.Commitment{2}, Cut: today})
	must("sponsor", contract.DatasetLock, dataset.Lock{Cut: today})
	must("board", contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{3}}, "member")
	must("sponsor", contract.PublicationCut, publication.Cut{AsOf: trial.DayOf(l.clock.Now())})
	reported := []outcome.Reported{{ID: "o1", Level: trial.Primary, Name: "Something else", N: 1}}
	must("sponsor", contract.PublicationStage, publication.Stage{Package: packageCID, Manifest: trial.Digest{4}, Outcomes: reported, Cut: 1})
	for _, who := range []string{"library", "patients"} {
		must(who, contract.PublicationHeld, publication.Held{Stage: 1, Package: packageCID, Outcomes: outcome.Digest(reported), Cells: true})
	}
	must("sponsor", contract.PublicationRelease, publication.Release{Stage: 1})
	must("library", contract.PublicationPin, publication.Pin{Stage: 1, Node: "node-1"})
	return l
}

var packageCID = trial.CID{1, 0x70, 0x12, 32, 5}

func TestResults(t *testing.T) {
	t.Parallel()
	l := ended(t)
	at := "/v1/trials/" + l.trial.String()
	for path, says := range map[string][]string{
		"/safety": {
			`"total":2,"serious":1`, `"queries":1`, `"person_days":40`, `"scope":"pooled"`, `"sealed":false`, `"arms":[]`,
			`"counts":[{"boundary":"any","events":2,"highest":2}]`, `"arm":"","look":1`, `"expected_micro":40000`, `"decision":"continue","reason":"watch"`,
		},
		"/datasets": {`"name":"adsl"`, `"locked":"2023-11-15`, `"unblinded":"2023-11-15`, `"open_at_unblinding":[]`, `"unblinded_alone":0`},
		"/results": {
			`"label":"PUBLISHED WITH EXCEPTIONS"`, `"package_cid":"` + packageCID.String(), `"held_by":["library","patients"]`, `"status":"changed"`,
			`"outcomes:o1 changed silently: name"`, `"node":"node-1"`, `"supersedes":0`, `"field":"name","before":"Nothing","after":"Something else"`,
		},
		"/gate": {`{"id":"bytes-held","holds":true,`, `"id":"outcomes","holds":false`, `"owner":"sponsor"`},
	} {
		r, b := l.do(http.MethodGet, at+path, nil, nil)
		if r.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", path, r.StatusCode, b)
		}
		for _, want := range says {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s: no %s in %s", path, want, b)
			}
		}
	}
}

// The client reads what the node answers.
func TestClientReadsResults(t *testing.T) {
	t.Parallel()
	l := ended(t)
	ctx := t.Context()
	r, err := l.api.Results(ctx, l.trial)
	l.check(err)
	if r.Label != trial.PublishedWithExceptions || r.PackageCID != packageCID.String() || r.Stage != 1 || len(r.HeldBy) != 2 ||
		len(r.Packages) != 1 || r.Packages[0].CID != packageCID || !slices.Equal(r.Packages[0].Exceptions, r.Exceptions) {
		t.Errorf("results: %+v", r)
	}
	s, err := l.api.Safety(ctx, l.trial)
	l.check(err)
	want := client.Flag{Boundary: "any", Crossed: trial.DayOf(begin), Look: 1, Events: 2, Days: 40, ExpectedMicro: 40_000}
	if s.Reports.Total != 2 || len(s.Looks) != 1 || len(s.Flags) != 1 || s.Flags[0] != want {
		t.Errorf("safety: %+v", s)
	}
	checks, err := l.api.Gate(ctx, l.trial)
	l.check(err)
	var failing []string
	for _, c := range checks {
		if !c.Holds {
			failing = append(failing, c.Exception())
		}
	}
	if !slices.Equal(failing, r.Exceptions) {
		t.Errorf("the gate misses %q, released with %q", failing, r.Exceptions)
	}
	d, err := l.api.Datasets(ctx, l.trial)
	l.check(err)
	if len(d.Datasets) != 1 || d.Datasets[0].Root != (trial.Digest{1}) || d.Datasets[0].Locked.IsZero() || d.Unblinded.IsZero() {
		t.Errorf("data: %+v", d)
	}
}

// Before anything is released the label says so, and the gate says who owes what.
func TestResultsOfNothing(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	r, err := l.api.Results(t.Context(), l.trial)
	l.check(err)
	if r.Label != trial.Awaited || r.Stage != 0 || r.PackageCID != "" || len(r.Packages) != 0 {
		t.Errorf("%+v", r)
	}
	for _, path := range []string{"safety", "results", "gate", "datasets"} {
		address := fmt.Sprintf("/v1/trials/%v/%s", trial.ID{9}, path)
		if r, b := l.do(http.MethodGet, address, nil, nil); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, r.StatusCode, b)
		}
	}
}
