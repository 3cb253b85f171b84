// Package demo takes the CDISC pilot study through Trialith over the real HTTP
// API: each actor is a client with keys and memory of its own.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/cmd/trialith/demo/pilot"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/device"
	"github.com/trialith/trialith/trial/vault"
)

// Config of a demo run.
type Config struct {
	URL          string // of the running node
	Clock        *Clock
	Participants int    // the first N by date; 0: all
	Dir          string // where sites and custodians keep what is theirs
	// Between runs before each step; nil: nothing does.
	Between func(step string) error
	Report  *Report
	// AmendAfter is the pace of the open study; see the constant of this name.
	AmendAfter time.Duration
}

// Summary is what `demo --json` prints. Checks outside rely on its names.
type Summary struct {
	Trial         string             `json:"trial"`
	Enrolled      int                `json:"enrolled"`       // leaves
	Randomised    int                `json:"randomised"`     // accepted, or recorded as a deviation
	Ineligible    int                `json:"ineligible"`     // deviations
	FirstConsents int                `json:"first_consents"` // by those enrolled under the version
	Consented     map[string]int     `json:"consented"`      // accepted acts by version
	C9            map[string]string  `json:"c9"`
	Withdrawn     int                `json:"withdrawn"` // people, by proof
	Removed       map[string]int     `json:"removed"`   // people, by class of the site's word
	Doses         int                `json:"doses"`
	Refused       map[string]int     `json:"refused"` // by what was refused
	AdverseEvents AdverseEvents      `json:"adverse_events"`
	Queries       []string           `json:"queries"` // contradictions in the data
	Flags         []Flag             `json:"flags"`
	PackageCID    string             `json:"package_cid"`
	Label         string             `json:"label"`
	Exceptions    []string           `json:"exceptions"`
	Evidence      string             `json:"evidence"`
	Verdict       string             `json:"verdict"`
	Transactions  uint64             `json:"transactions"`
	Blocks        uint64             `json:"blocks"`
	Proofs        int                `json:"proofs"`
	Proving       float64            `json:"proving_seconds"`       // at least one proof was being made
	ProvingAlone  float64            `json:"proving_alone_seconds"` // as many proofs with nothing else, on two workers
	Seconds       map[string]float64 `json:"seconds"`

	api *client.Client
	id  trial.ID
}

// AdverseEvents counts those of the participants. Total, serious and severe are
// all; by arm are the emergent ones, under the planned arm.
type AdverseEvents struct {
	Total   int            `json:"total"`
	Serious int            `json:"serious"`
	Severe  int            `json:"severe"`
	ByArm   map[string]int `json:"by_arm"`
}

// Flag is a boundary crossed by an arm.
type Flag struct {
	Boundary      string `json:"boundary"`
	Arm           string `json:"arm"`
	Crossed       string `json:"crossed"` // the first day
	Look          string `json:"look"`    // its cut-off
	Events        uint64 `json:"events"`
	ExpectedMicro uint64 `json:"expected_micro"`
}

// Download gets the evidence file over HTTP into Evidence, and returns its size
// in bytes. Half a file is never left under that name.
func (s *Summary) Download(ctx context.Context) (int64, error) {
	f, err := os.CreateTemp(filepath.Dir(s.Evidence), ".evidence-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone once renamed
	if err := errors.Join(s.api.Evidence(ctx, s.id, f), f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	info, err := os.Stat(f.Name())
	if err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(f.Name(), s.Evidence)
}

// study is one run.
type study struct {
	config Config
	http   *http.Client
	api    *client.Client
	ledger wire.LedgerID
	trial  trial.ID
	prover *countingProver
	alone  time.Duration // for as many proofs as the run made

	versions  []trial.Protocol // by version, from 1
	regulator *party
	sponsor   *party
	ethics    *party
	sites     []*site
	people    []*participant
	board     *monitoring
	vault     *vault.Vault
	results   *results
	tally     tally
}

// countingProver measures what part of the run is proving.
type countingProver struct {
	prover *prover.Prover
	busy   busy
}

func (c *countingProver) Prove(w prover.Witness) (verifier.Proof, error) {
	c.busy.begin()
	defer c.busy.end()
	return c.prover.Prove(w)
}

// Run takes the study from an empty ledger to its last participant.
func Run(ctx context.Context, c Config) (*Summary, error) {
	s := &study{config: c, http: &http.Client{
		Timeout:   60 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 32},
	}}
	defer s.http.CloseIdleConnections()
	for _, step := range []struct {
		key, title string
		run        func(context.Context) (string, error)
	}{
		{"prover", "Load the prover", s.start},
		{"directory", "Directory: who may sign", s.enrolActors},
		{"register", "Register the protocol from USDM", s.register},
		{"open", "Ethics approves; the sites open", s.openFirst},
		{"version1", "Participants under version 1", s.beforeAmendment},
		{"amend", "Version 2: amended, approved, opened", s.amendment},
		{"reconsent", "Re-consent in the first epoch", s.reconsent},
		{"version2", "Participants to the end of the trial", s.afterAmendment},
		{"data", "Data committed, locked, unblinded", s.lockData},
		{"looks", "The board's looks opened and recomputed", s.openLooks},
		{"package", "Results packaged, held by two custodians", s.stage},
		{"release", "Released", s.release},
		{"alone", "Proving measured alone, two workers", s.measure},
	} {
		if c.Between != nil {
			if err := c.Between(step.key); err != nil {
				return nil, err
			}
		}
		if err := c.Report.Step(step.key, step.title, func() (string, error) { return step.run(ctx) }); err != nil {
			return nil, err
		}
	}
	return s.summary(ctx)
}

func (s *study) start(ctx context.Context) (string, error) {
	p, err := prover.Development()
	if err != nil {
		return "", err
	}
	s.prover = &countingProver{prover: p}
	s.api = client.New(s.config.URL, s.http)
	info, err := s.api.Ledger(ctx)
	if err != nil {
		return "", err
	}
	s.ledger = info.Ledger
	people, err := pilot.Participants()
	if err != nil {
		return "", err
	}
	if n := s.config.Participants; n > 0 && n < len(people) {
		people = people[:n]
	}
	s.regulator = newParty(s, "Regulator", trial.Regulator, demonstration.Key("regulator"))
	for _, p := range people {
		s.people = append(s.people, &participant{Participant: p})
	}
	events, err := pilot.AdverseEvents()
	if err != nil {
		return "", err
	}
	s.loadEvents(events)
	if s.board, err = s.newBoard(); err != nil {
		return "", err
	}
	if s.vault, err = openVault(s.config.Dir); err != nil {
		return "", err
	}
	return fmt.Sprintf("Groth16 on BN254; %d participants of the CDISC pilot study", len(people)), nil
}

// sample is how many proofs measure the speed of proving alone.
const sample = 48

// measure makes proofs with nothing else going on, so that a reader can tell
// what part of the run is proving.
func (s *study) measure(ctx context.Context) (string, error) {
	made, _ := s.prover.busy.read()
	n := min(sample, made)
	phones := make([]*device.Device, n)
	for i := range phones {
		phones[i] = device.New(device.Config{Ledger: s.ledger, Trial: s.trial, Prover: s.prover.prover})
	}
	begin := time.Now()
	err := eachOf(ctx, 2, phones, func(_ context.Context, d *device.Device) error {
		_, err := d.Enrol(s.sites[0].site, s.sites[0].investigator.id, 1, genesisDay, field.Attributes{attributeAge: 60})
		return err
	})
	if err != nil || n == 0 {
		return "", err
	}
	took := time.Since(begin)
	s.alone = took * time.Duration(made) / time.Duration(n)
	return fmt.Sprintf("%.1f proofs a second: %.1f s for the %d of this run", float64(n)/took.Seconds(), s.alone.Seconds(), made), nil
}

// device gives a participant a device of their own. It downloads leaf lists as
// of the newest block that its own transactions entered.
func (s *study) device(p *participant) *device.Device {
	p.public = &download{api: client.New(s.config.URL, s.http), trial: s.trial}
	return device.New(device.Config{Ledger: s.ledger, Trial: s.trial, Prover: s.prover, Public: p.public})
}

// days lists the days on which something happens to somebody, in order.
func (s *study) days(from, until trial.Day) (days []trial.Day) {
	days = s.lookDays()
	for _, p := range s.people {
		days = append(append(days, p.special()...), p.Screening, p.FirstDose, p.EndOfParticipation)
		for i := range p.events {
			days = append(days, received(&p.events[i]))
		}
	}
	days = slices.DeleteFunc(days, func(d trial.Day) bool { return d < from || d >= until })
	slices.Sort(days)
	return slices.Compact(days)
}
