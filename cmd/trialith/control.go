package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"github.com/trialith/trialith/ledger/store"
)

// fileControl is the socket among a running node's keys over which the commands
// of "trialith ledger" reach it. Who may read the keys may use it, and nobody
// else: it lies in their directory, whose mode is 0700, and its own is 0600.
const fileControl = "control.sock"

const maxControl = 64 << 10 // bytes of a question

// maxSocketPath is how long the path of a socket may be, on every system.
const maxSocketPath = 103

// serveControl serves the socket until the server is closed. A path that is too long
// for a socket leaves the node without one; the commands then need it stopped.
func (n *node) serveControl(dir string) error {
	path, err := filepath.Abs(filepath.Join(dir, dirKeys, fileControl))
	if err != nil || len(path) > maxSocketPath {
		return err
	}
	// The ledger's lock is held: whoever left the socket is gone.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(err, listener.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backup", answer(func(_ context.Context, q backupQuestion) (store.Manifest, error) {
		return n.ledger.Backup(q.Out)
	}))
	mux.HandleFunc("POST /rotate", answer(func(ctx context.Context, _ struct{}) (rotated, error) {
		return rotate(ctx, n.ledger, n.keys, n.clock)
	}))
	mux.HandleFunc("POST /export", answer(n.export))
	n.control = newServer(mux)
	go func() { n.failed <- n.control.Serve(listener) }()
	return nil
}

// answer turns a function into a handler: JSON in, JSON or the error's text out.
func answer[Q, A any](fn func(context.Context, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		err := json.NewDecoder(io.LimitReader(r.Body, maxControl)).Decode(&q)
		var a A
		if err == nil {
			a, err = fn(r.Context(), q)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(a) //nolint:errcheck,errchkjson // who asked has gone
	}
}

// errNotRunning says that no node runs on a directory.
var errNotRunning = errors.New("no node runs on it")

// ask asks the node that runs on a directory.
func ask[A any](ctx context.Context, dir, what string, q any) (a A, err error) {
	path, err := filepath.Abs(filepath.Join(dir, dirKeys, fileControl))
	if err != nil {
		return a, err
	}
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node/"+what, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	resp, err := client.Do(r)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EINVAL) {
		return a, errNotRunning
	}
	if err != nil {
		return a, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	switch {
	case err != nil:
		return a, err
	case resp.StatusCode != http.StatusOK:
		return a, fmt.Errorf("the running node: %s", bytes.TrimSpace(text))
	}
	return a, json.Unmarshal(text, &a)
}
