package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/publication"
)

// custodian holds a package's bytes, so that results do not vanish with their
// sponsor. It takes them over HTTP and believes nothing it can compute.
type custodian struct {
	*party
	car []byte
}

// maxPackage bounds what a custodian takes, in bytes.
const maxPackage = 64 << 20

// receive opens the custodian's door, lets the sponsor send the package, checks
// the bytes, keeps them, and signs that it holds them.
func (k *custodian) receive(ctx context.Context, s *study) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(k.take), ReadHeaderTimeout: s.http.Timeout}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	err = send(ctx, s.http, "http://"+l.Addr().String()+"/package", s.results.car)
	if err := errors.Join(err, server.Shutdown(ctx)); err != nil {
		return err
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	held, err := k.check(1, s.results.root)
	if err != nil {
		return err
	}
	if err := k.keep(filepath.Join(s.config.Dir, "custodians", slug(k.name))); err != nil {
		return err
	}
	_, err = k.must(ctx, contract.PublicationHeld, wire.StreamID(s.trial), held)
	return err
}

func (k *custodian) take(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPackage))
	if err != nil {
		http.Error(w, "the package did not arrive whole", http.StatusBadRequest)
		return
	}
	k.car = b
}

func send(ctx context.Context, c *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r, err := c.Do(req)
	if err != nil {
		return err
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("the custodian answered %s", r.Status)
	}
	return nil
}

// check computes everything that the custodian vouches for from the bytes.
func (k *custodian) check(stage uint32, want trial.CID) (publication.Held, error) {
	a, err := registry.DecodeCAR(k.car)
	if err != nil {
		return publication.Held{}, err
	}
	files, err := a.Files()
	if err != nil {
		return publication.Held{}, err
	}
	root, err := registry.CIDOf(files)
	if err != nil {
		return publication.Held{}, err
	}
	if root != want || a.Root() != want {
		return publication.Held{}, fmt.Errorf("the bytes are of %v, the ledger names %v", root, want)
	}
	contents, err := registry.Read(files)
	if err != nil {
		return publication.Held{}, err
	}
	if found := registry.CheckCells(files); len(found) > 0 {
		return publication.Held{}, found[0]
	}
	return publication.Held{Stage: stage, Package: root, Outcomes: outcome.Digest(contents.Reported), Cells: true}, nil
}

func (k *custodian) keep(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "package.car"), k.car, 0o600)
}
