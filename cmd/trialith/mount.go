package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/circuits/browser"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/registry/evidence"
	"github.com/trialith/trialith/server/api"
	"github.com/trialith/trialith/server/mailbox"
	"github.com/trialith/trialith/server/web"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

// cosignedWithin is how long an evidence file waits for the witnesses to see the
// head that it is of.
const cosignedWithin = 3 * time.Second

// mount puts the API and the pages on one router. Neither holds a key: what
// needs one, or the verifier, comes in as a function.
func (n *node) mount(router *gin.Engine, c nodeConfig) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	notice := ""
	if c.genesis.Demonstration {
		notice = verifier.DevelopmentNotice
	}
	notDue := func(_ context.Context, id trial.ID, v trial.Version) (uint64, error) {
		view, release := n.ledger.View(wire.StreamID(id))
		defer release()
		return consent.NotDue(view, v, c.clock.Now()), nil
	}
	var witnesses receipt.Policy
	cosigners := func() int { return 0 }
	if p := c.watched.policy; p != nil {
		witnesses = p
		cosigners = func() int {
			note, err := n.ledger.Cosigned()
			if err != nil {
				return 0
			}
			cosigned, err := p.Open(note)
			if err != nil {
				return 0
			}
			return len(cosigned.Cosignatures)
		}
	}
	ways, err := readWays(c.dir)
	if err != nil {
		return err
	}
	err = api.Register(router, api.Config{
		Ways:      func() api.Ways { return ways },
		Witnesses: witnesses, Cosigners: cosigners,
		Ledger: n.ledger, Model: n.model, Clock: c.clock, Study: c.study, Notice: notice, Log: log, NotDue: notDue,
		Wrap: wrap(c.genesis.ID(), n.keys.Present, c.clock), Package: n.takePackage(c.clock),
		Evidence: func(ctx context.Context, id trial.ID, w io.Writer) error {
			return evidence.Write(ctx, w, n.ledger, id, evidence.Contents{
				Key: n.key, Ceremony: n.record, Witnessed: n.ledger, Quorum: witnesses, Patience: cosignedWithin, Packages: n.store,
			})
		},
		Verify: func(ctx context.Context, r io.ReaderAt, size int64) (any, error) {
			return verifyUpload(ctx, r, size)
		},
	})
	if err != nil {
		return err
	}
	router.Match([]string{http.MethodGet, http.MethodHead}, "/log/*path", gin.WrapH(http.StripPrefix("/log/", tiles.New(n.ledger, func() []byte { return published(n.ledger, &n.shown) }))))
	packages := gin.WrapH(n.store.Trustless())
	for _, path := range []string{"/ipfs/*path", "/ipns/*path"} {
		router.GET(path, packages)
		router.HEAD(path, packages)
	}
	mailbox.Register(router, n.mail)
	n.gnark = browser.NewGnark(filepath.Join(c.dir, dirBrowser))
	provers := browser.Handler(n.gnark)
	if n.proving != nil {
		provers = n.proving.Handler(provers)
	}
	router.Match([]string{http.MethodGet, http.MethodHead}, browser.Base+"*path", gin.WrapH(provers))
	clock := web.RealTime
	if c.study {
		clock = web.StudyTime
	}
	return web.Register(router, web.Config{
		Witnesses: witnesses, Relays: ways.Origins(),
		Model: n.model, Ledger: n.ledger, Clock: clock, Now: c.clock.Now, Notice: notice, NotDue: notDue, Log: log,
		Label: func(_ context.Context, id trial.ID) (trial.Label, error) {
			view, release := n.ledger.View(wire.StreamID(id))
			defer release()
			return contract.Label(view, c.clock.Now()), nil
		},
		Gate: func(_ context.Context, id trial.ID) ([]trial.Check, error) {
			view, release := n.ledger.View(wire.StreamID(id))
			defer release()
			return contract.Gate(view, c.clock.Now()), nil
		},
		Package: func(ctx context.Context, root trial.CID) (registry.Package, error) {
			files, err := n.store.Files(ctx, root)
			return registry.Package{Files: files}, err
		},
		Gateway: func(root trial.CID) string { return n.gatewayURL + "/ipfs/" + root.String() },
		Verify: func(ctx context.Context, r io.ReaderAt, size int64) (web.Report, error) {
			report, err := verifyUpload(ctx, r, size)
			if err != nil {
				return web.Report{}, err
			}
			return page(report), nil
		},
	})
}

// readWays reads the ways in for participants' acts, once: the pages' policy
// names the relays too, and both must say the same.
func readWays(dir string) (api.Ways, error) {
	b, err := os.ReadFile(filepath.Join(dir, fileWays)) //nolint:gosec // the operator names the directory
	if errors.Is(err, fs.ErrNotExist) {
		return api.Ways{}, nil
	}
	if err != nil {
		return api.Ways{}, err
	}
	w, err := api.ParseWays(b)
	if err != nil {
		return w, hint(fmt.Errorf("%s: %w", fileWays, err), "correct %s, or take it away to send acts directly", filepath.Join(dir, fileWays))
	}
	return w, nil
}

// takePackage takes in the bytes of a trial's released results, whoever sends
// them: the ledger names the package, so nothing else can come in.
func (n *node) takePackage(clock engine.Clock) func(context.Context, trial.ID, []byte) (trial.CID, error) {
	return func(ctx context.Context, id trial.ID, car []byte) (trial.CID, error) {
		a, err := registry.DecodeCAR(car)
		if err != nil {
			return trial.CID{}, trial.Refuse(trial.Malformed, "package: %v", err)
		}
		view, release := n.ledger.View(wire.StreamID(id))
		released := contract.Label(view, clock.Now()).Package
		release()
		if a.Root() != released {
			return trial.CID{}, trial.Refuse(trial.NotReleased, "package: %v is not what this trial has released", a.Root())
		}
		root, err := n.store.ImportCAR(ctx, bytes.NewReader(car))
		if err != nil {
			return root, err
		}
		_, err = n.store.Publish(ctx, id, root)
		return root, err
	}
}

// uploadTime bounds the check of an uploaded file: a hostile one can hold a
// large ledger that is consistent.
const uploadTime = time.Minute

func verifyUpload(ctx context.Context, r io.ReaderAt, size int64) (*evidence.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, uploadTime)
	defer cancel()
	policy := evidence.Builtin()
	policy.Stranger = true
	return evidence.Verify(ctx, r, size, policy)
}

// wrap puts a participant's act into an envelope under the node's key, which
// gives it no right: the proof is its authority. The same act is the same
// transaction however often it is sent.
func wrap(ledger wire.LedgerID, key func() ed25519.PrivateKey, clock engine.Clock) func([]byte) ([]byte, error) {
	const hour = 60 * 60 * 1000
	return func(body []byte) ([]byte, error) {
		var t consent.Act
		if len(body) > tx.MaxBytes {
			return nil, trial.Refuse(trial.Malformed, "act: %d bytes; at most %d", len(body), tx.MaxBytes)
		}
		if err := wire.Unmarshal(body, &t); err != nil {
			return nil, trial.Refuse(trial.Malformed, "act: %v", err)
		}
		sum := wire.Sum("act", body)
		e := tx.Envelope{
			Ledger: ledger, Kind: contract.ConsentAct, Stream: wire.StreamID(t.Proven.Act.Trial),
			Expiry: clock.Now() + hour, Idempotency: tx.Key(sum[:16]), Body: body,
		}
		e.Sign(key())
		return e.Encode(), nil
	}
}

// page puts a report into the words of the pages.
func page(r *evidence.Report) web.Report {
	out := web.Report{Verdict: string(r.Verdict), Label: r.Label, Sentence: r.Sentence, AsOf: r.AsOf}
	for _, c := range r.Checks {
		status := string(c.Status)
		if c.Status == evidence.NotChecked {
			status = "not checked"
		}
		out.Checks = append(out.Checks, web.Check{ID: c.ID, Status: status, Reason: c.Reason, Entry: c.Entry})
	}
	return out
}
