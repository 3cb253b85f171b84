package api

import (
	"context"
	"encoding/hex"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/server/readmodel"
)

// About is the ledger at a glance.
type About struct {
	Ledger        string `json:"ledger" doc:"the ledger's name, the hash of its genesis"`
	Name          string `json:"name"`
	Origin        string `json:"origin" doc:"what its checkpoints are signed under"`
	GenesisTime   string `json:"genesis_time" format:"date-time"`
	EpochSeconds  uint32 `json:"epoch_seconds"`
	RuleSet       uint32 `json:"rule_set"`
	Height        uint64 `json:"height"`
	Time          string `json:"time" format:"date-time" doc:"of the last block"`
	Transactions  uint64 `json:"transactions"`
	Demonstration bool   `json:"demonstration" doc:"its keys are public: it proves nothing about any trial"`
	Notice        string `json:"notice" doc:"to be shown wherever its results are"`
	VerifyingKey  string `json:"verifying_key" doc:"hash of the key that checks its proofs"`
	Clock         string `json:"clock" enum:"study,real" doc:"study: a demonstration's clock, which jumps"`
	Witnesses     int    `json:"witnesses" doc:"how many of the node's independent witnesses cosigned the newest cosigned checkpoint"`
}

// Header is a block's header.
type Header struct {
	Height   uint64 `json:"height"`
	Time     string `json:"time" format:"date-time"`
	First    uint64 `json:"first" doc:"place of its first transaction in the log"`
	Count    uint32 `json:"count"`
	Hash     string `json:"hash"`
	Previous string `json:"previous"`
	Root     string `json:"root" doc:"of the log, RFC 6962"`
	Streams  string `json:"streams" doc:"root of the map over the streams"`
	Results  string `json:"results"`
	RuleSet  uint32 `json:"rule_set"`
}

// Now is the node's clock.
type Now struct {
	Now  string `json:"now" format:"date-time"`
	Kind string `json:"kind" enum:"study,real"`
}

type out[T any] struct{ Body T }

func answer[T any](v T) (*out[T], error) { return &out[T]{Body: v}, nil }

// file answers bytes of a kind of their own.
type file struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *server) ledgerRoutes() {
	get(s, "/v1/ledger", "ledger", "The ledger at a glance", s.about)
	get(s, "/v1/ledger/headers", "headers", "The headers of blocks, from a height on", s.headers)
	get(s, "/v1/ledger/entries", "entries", "The transactions of the log, from a place on", s.entries)
	get(s, "/v1/actors", "actors", "Who may sign, or might have", s.actors)
	get(s, "/v1/clock", "clock", "The node's clock", s.now)
	get(s, "/v1/ledger/streams/{stream}/proof", "stream-proof",
		"What the head says of a stream: its head, count and state digest, proven against the header's streams root", s.streamProof)
	huma.Register(s.api, binary("/v1/ledger/genesis", "genesis", "The genesis, its exact bytes", "application/cbor"),
		func(context.Context, *struct{}) (*file, error) {
			return &file{ContentType: "application/cbor", Body: s.Ledger.Genesis().Encode()}, nil
		})
	huma.Register(s.api, binary("/v1/ledger/checkpoint", "checkpoint", "The signed checkpoint of the head, a C2SP signed note", "text/plain"),
		answering(s, s.checkpoint))
}

// binary is a route that answers bytes.
func binary(path, id, summary string, kinds ...string) huma.Operation {
	o := operation(http.MethodGet, path, id, summary)
	content := map[string]*huma.MediaType{}
	for _, k := range kinds {
		content[k] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: content}}
	o.Errors = []int{http.StatusNotFound, http.StatusServiceUnavailable}
	return o
}

// shaped gives one kind of a route's answer its schema.
func shaped(o huma.Operation, kind string, schema *huma.Schema) huma.Operation {
	o.Responses["200"].Content[kind].Schema = schema
	return o
}

func (s *server) clockKind() string {
	if s.Study {
		return "study"
	}
	return "real"
}

func (s *server) about(context.Context, *struct{}) (*out[About], error) {
	g, h, witnesses := s.Ledger.Genesis(), s.Ledger.Head(), 0
	if s.Cosigners != nil {
		witnesses = s.Cosigners()
	}
	return answer(About{
		Ledger: g.ID().String(), Name: g.Name, Origin: g.Origin, GenesisTime: instant(g.Time), EpochSeconds: g.Epoch, RuleSet: h.Rules,
		Height: h.Height, Time: instant(h.Time), Transactions: h.Size(), Demonstration: g.Demonstration, Notice: s.Notice,
		VerifyingKey: g.VerifyingKey.String(), Clock: s.clockKind(), Witnesses: witnesses,
	})
}

func (s *server) now(context.Context, *struct{}) (*out[Now], error) {
	return answer(Now{Now: instant(s.Clock.Now()), Kind: s.clockKind()})
}

func (s *server) checkpoint(context.Context, *struct{}) (*file, error) {
	b := s.Ledger.Checkpoint()
	if b == nil {
		return nil, problem.New(http.StatusServiceUnavailable, "the ledger is closed")
	}
	return &file{ContentType: "text/plain; charset=utf-8", Body: b}, nil
}

type inStream struct {
	Stream string `path:"stream" pattern:"^[0-9a-f]{64}$" doc:"the trial's name; 64 zeros for the directory"`
}

// StreamProof shows that a stream is complete: whoever has its entries up to
// Count, chained to Head, has all of them.
type StreamProof struct {
	Stream  string `json:"stream"`
	Height  uint64 `json:"height" doc:"of the header whose streams root it is proven against"`
	Streams string `json:"streams" doc:"that root"`
	Header  string `json:"header" doc:"hash of that header, which the checkpoint of the height signs"`
	Count   uint64 `json:"count" doc:"of its transactions; 0: proven that it has none"`
	Head    string `json:"head"`
	Digest  string `json:"digest" doc:"root of the map of its state"`
	Proof   string `json:"proof" doc:"canonical CBOR of [stream, height, [head, count, digest], proof], hexadecimal"`
}

func (s *server) streamProof(_ context.Context, in *inStream) (*out[StreamProof], error) {
	id, err := name[wire.StreamID]("stream", in.Stream)
	if err != nil {
		return nil, err
	}
	p, err := s.Ledger.StreamProof(id)
	if err != nil {
		return nil, err
	}
	hs, err := s.Ledger.Headers(p.Height, p.Height)
	if err != nil {
		return nil, err
	}
	return answer(StreamProof{
		Stream: p.ID.String(), Height: p.Height, Streams: hs[0].Streams.String(), Header: hs[0].Hash().String(), Count: p.Stream.Count,
		Head: p.Stream.Head.String(), Digest: p.Stream.Digest.String(), Proof: hex.EncodeToString(wire.Marshal(p)),
	})
}

func (s *server) headers(_ context.Context, in *inPage) (*out[[]Header], error) {
	head := s.Ledger.Head().Height
	if in.From > head {
		return answer([]Header{})
	}
	hs, err := s.Ledger.Headers(in.From, min(head, in.From+uint64(in.Limit)-1))
	if err != nil {
		return nil, err
	}
	return answer(list(hs, func(h *chain.Header) Header {
		return Header{
			Height: h.Height, Time: instant(h.Time), First: h.First, Count: h.Count, Hash: h.Hash().String(), Previous: h.Previous.String(),
			Root: h.Root.String(), Streams: h.Streams.String(), Results: h.Results.String(), RuleSet: h.Rules,
		}
	}))
}

func (s *server) entries(ctx context.Context, in *inPage) (*out[[]Entry], error) {
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	es, err := s.Model.Entries(ctx, in.From, in.Limit)
	if err != nil {
		return nil, err
	}
	return answer(list(es, entryOf))
}

// Actor is a party that may sign.
type Actor struct {
	Actor      string `json:"actor"`
	Role       string `json:"role" example:"investigator"`
	Name       string `json:"name"`
	Country    string `json:"country" doc:"ISO 3166-1 alpha-2"`
	Site       string `json:"site,omitempty" doc:"of an investigator or pharmacist"`
	Key        string `json:"key" doc:"the present public key, Ed25519"`
	Registered string `json:"registered,omitempty" format:"date-time"`
	Expires    string `json:"expires,omitempty" format:"date-time"`
	Revoked    string `json:"revoked,omitempty" format:"date-time"`
	Genesis    bool   `json:"genesis" doc:"named by the genesis of the ledger"`
}

func (s *server) actors(ctx context.Context, _ *struct{}) (*out[[]Actor], error) {
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	as, err := s.Model.Actors(ctx)
	if err != nil {
		return nil, err
	}
	return answer(list(as, func(a *readmodel.Actor) Actor {
		key, _ := a.Public.MarshalText()
		x := Actor{
			Actor: a.ID.String(), Role: a.Role.String(), Name: a.Name, Country: a.Country, Key: string(key),
			Registered: instant(a.Registered), Expires: instant(a.Expires), Revoked: instant(a.Revoked), Genesis: a.Genesis,
		}
		if a.Site != [32]byte{} {
			x.Site = a.Site.String()
		}
		return x
	}))
}
