package tiles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Remote reads the layout of a server.
type Remote struct {
	base string
	http *http.Client
}

// NewRemote makes a reader of the layout at a base URL such as
// http://127.0.0.1:8080/log.
func NewRemote(base string, c *http.Client) *Remote { return &Remote{trimmed(base), c} }

// URL is the base that it reads from.
func (r *Remote) URL() string { return r.base }

// Read asks for a file; a 404 or 410 is ErrNotFound.
func (r *Remote) Read(ctx context.Context, p Path) (b []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+"/"+p.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("tiles: %w", err)
	}
	answer, err := r.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("tiles: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	switch answer.StatusCode {
	case http.StatusOK:
		return readAll(answer.Body, p)
	case http.StatusNotFound, http.StatusGone:
		err = ErrNotFound
	default:
		err = fmt.Errorf("HTTP %d", answer.StatusCode)
	}
	// A short answer is read to its end, which keeps the connection.
	_, rest := io.Copy(io.Discard, io.LimitReader(answer.Body, 4096))
	return nil, errors.Join(fmt.Errorf("tiles: %s/%v: %w", r.base, p, err), rest)
}
