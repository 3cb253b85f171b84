package evidence

import (
	"context"
	"crypto/sha256"
	"slices"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
	outcomes "github.com/trialith/trialith/trial/outcome"
)

// Packages gives the archive of a results package by its CID, as
// registry.EncodeCAR writes it; nil if it holds none of that name.
type Packages interface {
	CAR(ctx context.Context, root trial.CID) ([]byte, error)
}

// released is the archive of the newest release; nil if there is none, or
// nobody gives its bytes.
func released(ctx context.Context, of []engine.Entry, packages Packages) ([]byte, error) {
	if packages == nil {
		return nil, nil
	}
	var newest *event.Released
	for i := range of {
		err := each(&of[i], func(e event.Event) {
			if r, is := e.(event.Released); is {
				newest = &r
			}
		})
		if err != nil {
			return nil, err
		}
	}
	if newest == nil {
		return nil, nil
	}
	return packages.CAR(ctx, newest.Package)
}

// carried judges the package that the file carries: its bytes by the name that
// the ledger gives it, and what it says by what was staged.
func (v *verification) carried(r *results) outcome {
	at := "file:" + partPackage
	switch {
	case r.release == nil && v.options().packaged:
		return failed(at, "the ledger releases no results, so no package belongs to it")
	case r.release == nil:
		return skipped("no results are released")
	case !v.options().packaged:
		return skipped("the file does not hold the package %v: fetch it by that name, its bytes can be no other", r.release.Package)
	}
	a, err := registry.DecodeCAR(v.parts[partPackage])
	if err != nil {
		return failed(at, "%v", err)
	}
	if a.Root() != r.release.Package {
		return failed(at, "it is the package %v; released is %v", a.Root(), r.release.Package)
	}
	files, err := a.Files()
	if err != nil {
		return failed(at, "%v", err)
	}
	return r.said(files, len(a.Blocks()))
}

// said holds what a package says against the ledger. Its bytes are the released
// ones, so what does not agree is the trial's conduct.
func (r *results) said(files []registry.File, blocks int) outcome {
	if found := registry.CheckCells(files); len(found) > 0 {
		return except(r.entry, "the released package may hold data of a person: %d findings, the first: %v", len(found), found[0])
	}
	c, err := registry.Read(files)
	if err != nil {
		return except(r.entry, "the released package cannot be read: %v", err)
	}
	staged := r.staged[r.release.Stage]
	switch {
	case c.Manifest != staged.Manifest:
		return except(r.entry, "the SHA-256 of the package's metadata is not the one that was staged")
	case outcomes.Digest(c.Reported) != outcomes.Digest(staged.Outcomes):
		return except(r.entry, "the outcomes that the package reports are not those that were staged")
	case !slices.Contains(r.definitions, sha256.Sum256(wire.Marshal(c.Protocol))):
		return except(r.entry, "the definition in the package is not one that was registered")
	}
	return passed("the package %v: %d files in %d blocks, each with its hash, complete; no data of a person; its outcomes and its definition are the ledger's",
		r.release.Package, len(files), blocks)
}
