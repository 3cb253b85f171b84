package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/trialith/trialith/trial"
)

// Ways are the ways in for participants' acts that nobody on them can follow:
// batchers, and the relays to each. A device chooses at random, and sends
// elsewhere what does not come to the ledger.
type Ways struct {
	EpochSeconds uint32 `json:"epoch_seconds" doc:"a batch is sent after the end of each"`
	KMin         int    `json:"k_min" doc:"the least size of a batch where no deadline presses"`
	Batchers     []Way  `json:"batchers"`
}

// Way is a batcher and the relays to it.
type Way struct {
	Actor  string   `json:"actor" doc:"the batcher's, whose key is in /v1/actors"`
	Name   string   `json:"name"`
	Relays []string `json:"relays" doc:"base addresses: the act goes to RELAY/v1/sealed/ACTOR"`
}

// Limits of the ways in.
const (
	MaxWaysBytes = 64 << 10
	maxWays      = 16
)

// waysFile is the file that an operator writes: the ways without the epoch,
// which is the ledger's.
type waysFile struct {
	KMin     int `json:"k_min"`
	Batchers []struct {
		Actor  trial.ActorID `json:"actor"`
		Name   string        `json:"name"`
		Relays []string      `json:"relays"`
	} `json:"batchers"`
}

// ParseWays reads the file ways.json of a node:
//
//	{"k_min": 10, "batchers": [{"actor": "<64 hex digits>", "name": "…", "relays": ["https://relay.example"]}]}
//
// Nothing else may stand in it. The epoch is the ledger's.
func ParseWays(b []byte) (w Ways, err error) {
	if len(b) > MaxWaysBytes {
		return w, fmt.Errorf("ways: %d bytes; at most %d", len(b), MaxWaysBytes)
	}
	var f waysFile
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return w, fmt.Errorf("ways: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return w, errors.New("ways: something follows the object; leave it out")
	}
	if f.KMin < 1 || f.KMin > 256 {
		return w, fmt.Errorf("ways: k_min: %d; 1 to 256, as the batchers have it", f.KMin)
	}
	if len(f.Batchers) > maxWays {
		return w, fmt.Errorf("ways: %d batchers; at most %d", len(f.Batchers), maxWays)
	}
	w = Ways{KMin: f.KMin, Batchers: []Way{}}
	for _, x := range f.Batchers {
		way := Way{Actor: x.Actor.String(), Name: x.Name, Relays: x.Relays}
		if err := way.check(); err != nil {
			return Ways{}, fmt.Errorf("ways: batcher %s: %w", way.Actor, err)
		}
		if slices.ContainsFunc(w.Batchers, func(o Way) bool { return o.Actor == way.Actor }) {
			return Ways{}, fmt.Errorf("ways: batcher %s: named twice; name all its relays together", way.Actor)
		}
		w.Batchers = append(w.Batchers, way)
	}
	return w, nil
}

func (w Way) check() error {
	switch {
	case w.Actor == trial.ActorID{}.String():
		return errors.New("actor: missing")
	case w.Name == "" || len(w.Name) > 200:
		return fmt.Errorf("name: %d bytes; 1 to 200", len(w.Name))
	case len(w.Relays) == 0 || len(w.Relays) > maxWays:
		return fmt.Errorf("relays: %d; 1 to %d", len(w.Relays), maxWays)
	}
	for i, r := range w.Relays {
		if err := checkRelay(r); err != nil {
			return fmt.Errorf("relay %q: %w", r, err)
		}
		if slices.Contains(w.Relays[:i], r) {
			return fmt.Errorf("relay %q: named twice", r)
		}
	}
	return nil
}

// checkRelay takes an address as it is put into a policy for pages and before a
// path: nothing in it may mean more than a scheme, a host and a plain path.
func checkRelay(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._:/[]", c)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return errors.New("no http or https address")
	case strings.ContainsFunc(address, func(c rune) bool { return !plain(c) }):
		return errors.New("write scheme, host, port and a plain path alone")
	case strings.HasSuffix(address, "/"):
		return errors.New("leave the slash at the end out")
	}
	return nil
}

// Origins are those of all relays, each once: where pages must be let connect.
func (w Ways) Origins() (out []string) {
	for _, b := range w.Batchers {
		for _, r := range b.Relays {
			if u, err := url.Parse(r); err == nil && !slices.Contains(out, u.Scheme+"://"+u.Host) {
				out = append(out, u.Scheme+"://"+u.Host)
			}
		}
	}
	return out
}

func (s *server) wayRoutes() {
	get(s, "/v1/ways", "ways", "The ways in for acts: batchers, and relays to each", s.ways,
		"An empty list where there are none: acts then go to /v1/acts.")
}

func (s *server) ways(context.Context, *struct{}) (*out[Ways], error) {
	w := Ways{}
	if s.Ways != nil {
		w = s.Ways()
	}
	if w.Batchers == nil {
		w.Batchers = []Way{}
	}
	w.EpochSeconds = s.Ledger.Genesis().Epoch
	return answer(w)
}
