package witness

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/wire"
)

// ErrRolledBack says that a witness has cosigned what is not in this history:
// the node runs on an old backup, or somebody else signs with its key.
var ErrRolledBack = errors.New("a witness has cosigned another history of this ledger")

// client asks one witness. It is used by one goroutine at a time.
type client struct {
	Endpoint
	http *http.Client
	size uint64 // that the witness knows, as far as is known here
}

// rejected is an answer that is neither a cosignature nor a conflict of history.
type rejected struct {
	status int
	reason string
}

func (r *rejected) Error() string {
	s := fmt.Sprintf("it answered %d: %s", r.status, r.reason)
	switch r.status {
	case http.StatusForbidden:
		s += "; it does not know the key that signs now: after a rotation its operator has to name the new one"
	case http.StatusNotFound:
		s += "; its operator has to name this ledger, and its URL must be the right one"
	}
	return s
}

// stale says that a witness refused a head for its time alone: the next head
// will do, this one never.
func stale(err error) bool {
	r, is := errors.AsType[*rejected](err)
	return is && r.status == http.StatusPreconditionFailed
}

// sameTrouble compares what two requests ended with. Trouble of one kind is one
// trouble, though sizes, times and ports in its words differ.
func sameTrouble(a, b error) bool {
	return trouble(a) == trouble(b)
}

func trouble(err error) string {
	r, refused := errors.AsType[*rejected](err)
	_, network := errors.AsType[*url.Error](err)
	switch {
	case refused:
		return fmt.Sprint(r.status)
	case errors.Is(err, ErrRolledBack):
		return ErrRolledBack.Error()
	case network:
		return "network"
	}
	return fmt.Sprint(err)
}

// ask gets the witness's cosignature line on a head, proving that it extends
// what the witness knows.
func (c *client) ask(ctx context.Context, h *round, prove func(m, n uint64) ([]wire.Hash, error)) (string, error) {
	if c.size > h.Size {
		c.size = 0 // it said so before; it may think better of it
	}
	// The witness may know more than we remember, and tells; it cannot make us
	// go on asking.
	for range 3 {
		if c.size > h.Size {
			return "", fmt.Errorf("%w: it knows %d transactions, this ledger has %d", ErrRolledBack, c.size, h.Size)
		}
		r := Request{Old: c.size, Checkpoint: h.signed}
		if 0 < c.size && c.size < h.Size {
			var err error
			if r.Proof, err = prove(c.size, h.Size); err != nil {
				return "", err
			}
		}
		status, answer, err := c.post(ctx, r.Encode())
		if err != nil {
			return "", err
		}
		switch status {
		case http.StatusOK:
			line, err := c.verify(h.text, answer)
			if err == nil {
				c.size = h.Size
			}
			return line, err
		case http.StatusConflict:
			known, err := parseSize(strings.TrimSuffix(answer, "\n"))
			if err != nil {
				return "", fmt.Errorf("it answered %d: %w", status, err)
			}
			if known == c.size && known == h.Size {
				return "", fmt.Errorf("%w: another head of %d transactions", ErrRolledBack, known)
			}
			c.size = known
		case http.StatusUnprocessableEntity:
			if c.size == h.Size {
				return "", fmt.Errorf("%w: another head of %d transactions", ErrRolledBack, h.Size)
			}
			return "", fmt.Errorf("%w: from the head of %d transactions that it knows there is no way to this ledger's of %d: %s", ErrRolledBack, c.size, h.Size, excerpt(answer))
		default:
			return "", &rejected{status, excerpt(answer)}
		}
	}
	return "", errors.New("it names another size each time it is asked")
}

func (c *client) post(ctx context.Context, body []byte) (status int, answer string, err error) {
	return post(ctx, c.http, c.URL+"/add-checkpoint", "text/plain; charset=utf-8", body, maxAnswerBytes)
}

// post sends a body and reads an answer of a bounded length.
func post(ctx context.Context, client *http.Client, address, kind string, body []byte, limit int64) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return 0, "", err
	}
	if int64(len(b)) > limit {
		return 0, "", fmt.Errorf("its answer is longer than %d bytes", limit)
	}
	return resp.StatusCode, string(b), nil
}

// verify finds the witness's own valid line in its answer. Others are ignored.
// The line that it returns is in the one spelling that a receipt has room for.
func (c *client) verify(text, answer string) (string, error) {
	n, err := note.Open([]byte(text+"\n"+answer), note.VerifierList(c.Key.Verifier()))
	if err != nil {
		return "", fmt.Errorf("its cosignature: %w", err)
	}
	s := n.Sigs[0]
	at, err := cosignedAt(s)
	if err != nil {
		return "", err
	}
	if at.Unix() == 0 {
		return "", errors.New("its cosignature: without a time")
	}
	b, err := base64.StdEncoding.DecodeString(s.Base64)
	return "— " + s.Name + " " + base64.StdEncoding.EncodeToString(b) + "\n", err
}

// excerpt is the beginning of a stranger's text, fit for a log.
func excerpt(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > 200 {
		s = s[:200]
	}
	return strings.TrimSpace(strings.ToValidUTF8(s, ""))
}

// addLine adds a cosignature to a signed note, unless that key has signed it:
// the earliest one shows the most.
func addLine(signed []byte, line string) []byte {
	prefix := line[:strings.LastIndexByte(line, ' ')+1]
	hash := line[len(prefix) : len(prefix)+5] // the first characters hold the key's hash alone
	for have := range strings.Lines(signatures(signed)) {
		if strings.HasPrefix(have, prefix+hash) {
			return signed
		}
	}
	return append(bytes.Clone(signed), line...)
}
