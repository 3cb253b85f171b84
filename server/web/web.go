// Package web serves the public pages: what a regulator, an editor or anyone
// else looks at. Each page is one GET, made on the server, and works without a
// script, which the content security policy forbids anyhow. A page says the
// verdict first and its reasons after, in words and not by colour alone. Only the
// pages on which proofs are made run a script, under a policy of their own.
//
// The pages only read. What a visitor uploads to be checked is held in a file
// without a name while it is checked, and is gone afterwards.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/server/upload"
	"github.com/trialith/trialith/trial"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

// Model answers the questions of the pages, as the read model does: it answers
// readmodel.ErrUnknown for what it does not have, and only reads.
type Model interface {
	Trials(context.Context) ([]readmodel.Trial, error)
	Trial(context.Context, trial.ID) (readmodel.Trial, error)
	Versions(context.Context, trial.ID) ([]readmodel.Version, error)
	Version(context.Context, trial.ID, trial.Version) (readmodel.Version, error)
	Decisions(context.Context, trial.ID) ([]readmodel.Decision, error)
	Sites(context.Context, trial.ID) ([]readmodel.Site, error)
	Trees(context.Context, trial.ID) ([]readmodel.Tree, error)
	Member(context.Context, trial.ID, field.Leaf) (readmodel.Member, error)
	Account(context.Context, trial.ID, field.Account) (readmodel.Account, error)
	Entries(_ context.Context, from uint64, limit int) ([]readmodel.Entry, error)
	StreamEntries(_ context.Context, _ wire.StreamID, from uint64, limit int) ([]readmodel.Entry, error)
	LatestEntries(_ context.Context, _ *wire.StreamID, limit int) ([]readmodel.Entry, error)
	Entry(context.Context, wire.TxHash) (readmodel.Entry, error)
	Actor(context.Context, trial.ActorID) (readmodel.Actor, error)
	Signer(context.Context, wire.KeyID) (readmodel.Actor, error)
	Boundaries(context.Context, trial.ID) ([]trial.Boundary, error)
	Harm(context.Context, trial.ID) (readmodel.Harm, error)
	Looks(context.Context, trial.ID) ([]readmodel.Look, error)
	Flags(context.Context, trial.ID) ([]readmodel.Flag, error)
	BoardDecisions(context.Context, trial.ID) ([]readmodel.BoardDecision, error)
	Unblindings(context.Context, trial.ID) ([]readmodel.Unblinding, error)
	Datasets(context.Context, trial.ID) ([]readmodel.Dataset, error)
	Stages(context.Context, trial.ID) ([]readmodel.Stage, error)
	Packages(context.Context, trial.CID) (map[trial.ID]uint32, error)
}

var _ Model = (*readmodel.Model)(nil)

// Ledger is what only the ledger itself can answer: bodies and proofs.
type Ledger interface {
	Genesis() chain.Genesis
	// Keys are the node's, up to the head.
	Keys() (chain.Keys, error)
	Head() chain.Header
	// Entry and Receipt answer an error for a hash that is in no block.
	Entry(wire.TxHash) (engine.Entry, error)
	Receipt(wire.TxHash) (receipt.Receipt, error)
	// Cosigned is the newest checkpoint that witnesses cosigned, or an error.
	Cosigned() ([]byte, error)
}

// Clock says which time the ledger runs on.
type Clock string

// The clocks. Study time jumps with the steps of a demonstration.
const (
	RealTime  Clock = "real"
	StudyTime Clock = "study"
)

// Report is the verifier's answer about an evidence file: the verdict, and a
// sentence that says it, come before the checks.
type Report struct {
	Verdict  string // VERIFIED, VALID WITH RESERVATIONS, NOT VALID or UNUSABLE
	Label    string // of the publication
	Sentence string
	AsOf     string
	Checks   []Check
}

// Check is one line of a report.
type Check struct {
	ID     string
	Status string // "passed", "failed" or "not_checked"
	Reason string
	Entry  string // the entry at fault, where there is one
}

// Config is what the pages are made from.
type Config struct {
	Model  Model
	Ledger Ledger

	Clock  Clock        // default RealTime
	Now    func() int64 // the ledger's time, milliseconds since 1970 UTC
	Notice string       // what this server must tell its visitors; may be empty

	// Witnesses says whose cosignatures count; nil: nobody's.
	Witnesses receipt.Policy
	// NotDue counts the members of a version who stay and whose time has not
	// run out. Where it is nil, none has time left.
	NotDue func(context.Context, trial.ID, trial.Version) (uint64, error)
	// Label is the word on a study's results now, and Gate lists every check
	// between the newest results and VERIFIED. Where they are nil, results are
	// awaited and nothing is said to be missing.
	Label func(context.Context, trial.ID) (trial.Label, error)
	Gate  func(context.Context, trial.ID) ([]trial.Check, error)
	// Package reads a results package that this server holds; nil: it holds
	// none. Gateway is the address of a package's files; nil: none is served.
	Package func(context.Context, trial.CID) (registry.Package, error)
	Gateway func(trial.CID) string
	// Verify checks an evidence file of the given size in bytes. Its error says
	// that the check could not be run, not that the file is bad.
	Verify func(context.Context, io.ReaderAt, int64) (Report, error)
	// Evidence is the address of a study's evidence file; default below /v1.
	Evidence func(trial.ID) string

	// Relays are the origins ("https://relay.example") that a participant's page
	// may send sealed acts to.
	Relays []string

	Source    string       // address of the source; default the project's
	MaxUpload int64        // bytes of an evidence file; default 64 MiB
	Log       *slog.Logger // told of faults, never of visitors; default none
}

func (c *Config) validate() error {
	switch {
	case c.Model == nil:
		return errors.New("web: Config.Model: missing; the pages read from it")
	case c.Ledger == nil:
		return errors.New("web: Config.Ledger: missing; entries and proofs come from it")
	case c.Now == nil:
		return errors.New("web: Config.Now: missing; the pages have no clock of their own")
	case c.Verify == nil:
		return errors.New("web: Config.Verify: missing; wire the verifier of evidence files")
	}
	switch c.Clock {
	case "":
		c.Clock = RealTime
	case RealTime, StudyTime:
	default:
		return fmt.Errorf("web: Config.Clock: %q; use RealTime or StudyTime", c.Clock)
	}
	for _, r := range c.Relays {
		if u, err := url.Parse(r); err != nil || u.Scheme == "" || u.Host == "" || r != u.Scheme+"://"+u.Host {
			return fmt.Errorf("web: Config.Relays: %q; give an origin alone, such as https://relay.example", r)
		}
	}
	if c.NotDue == nil {
		c.NotDue = func(context.Context, trial.ID, trial.Version) (uint64, error) { return 0, nil }
	}
	if c.Label == nil {
		c.Label = func(context.Context, trial.ID) (trial.Label, error) { return trial.Label{Word: trial.Awaited}, nil }
	}
	if c.Gate == nil {
		c.Gate = func(context.Context, trial.ID) ([]trial.Check, error) { return nil, nil }
	}
	if c.Evidence == nil {
		c.Evidence = func(id trial.ID) string { return "/v1/trials/" + id.String() + "/evidence" }
	}
	if c.Source == "" {
		c.Source = "https://github.com/trialith/trialith"
	}
	if c.MaxUpload == 0 {
		c.MaxUpload = 64 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// site is the pages of one server.
type site struct {
	Config
	assets assets
	due    dueMemo
	// checking bounds how many evidence files are held in memory at once, and
	// receiving how many on the disk.
	checking, receiving upload.Turns
}

const (
	filesAtOnce = 2
	peersAtOnce = 128
)

// Register mounts the pages on an engine, and answers in their style for
// addresses that no page has; below /v1, as the API does.
func Register(e *gin.Engine, c Config) error {
	if err := c.validate(); err != nil {
		return err
	}
	files, err := loadAssets()
	if err != nil {
		return err
	}
	s := &site{Config: c, assets: files, checking: upload.NewTurns(filesAtOnce), receiving: upload.NewTurns(peersAtOnce)}
	s.get(e, "/", s.home)
	s.get(e, "/check", s.check)
	e.POST("/check", secured, s.postCheck)
	s.get(e, "/studies/:trial", s.study)
	s.get(e, "/studies/:trial/versions/:version", s.version)
	s.get(e, "/studies/:trial/leaves/:leaf", s.leaf)
	e.GET("/studies/:trial/charts/:chart", secured, s.drawing)
	e.HEAD("/studies/:trial/charts/:chart", secured, s.drawing)
	s.get(e, "/ledger", s.ledger)
	s.get(e, "/ledger/:hash", s.entry)
	s.get(e, "/entries/:stream/:sequence", s.named)
	s.get(e, "/verify", s.verifyForm)
	e.POST("/verify", secured, s.page(s.verify))
	s.get(e, "/limits", s.limits)
	for _, page := range []string{"take-part", "my-consent"} {
		e.GET("/"+page, s.appSecured, s.app(page))
		e.HEAD("/"+page, s.appSecured, s.app(page))
	}
	e.GET("/site", deskSecured, s.desk)
	e.HEAD("/site", deskSecured, s.desk)
	e.GET("/sw.js", secured, s.serviceWorker)
	e.GET("/assets/:name", secured, s.asset)
	e.HEAD("/assets/:name", secured, s.asset)
	e.NoRoute(secured, s.noRoute)
	return nil
}

func (s *site) get(e *gin.Engine, path string, h handler) {
	e.GET(path, secured, s.page(h))
	e.HEAD(path, secured, s.page(h))
}

// Policy is the content security policy of every page that makes no proofs:
// nothing but our own style sheets, images and forms, and no script at all.
const Policy = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secured sets the headers that every answer of this package carries.
func secured(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
}

func (s *site) noRoute(c *gin.Context) {
	if strings.HasPrefix(c.Request.URL.Path, "/v1/") {
		problem.Write(c.Writer, problem.New(http.StatusNotFound, "no such address; /v1/docs lists all"))
		return
	}
	s.show(c, missing("Page not found", "There is no page at this address."))
}
