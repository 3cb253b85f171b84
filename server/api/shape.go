package api

import (
	"encoding"
	"fmt"
	"net/http"
	"time"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

// milliseconds is RFC 3339 with milliseconds.
const milliseconds = "2006-01-02T15:04:05.000Z07:00"

// instant is the text of a time in milliseconds since 1970; "" for none.
func instant(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(milliseconds)
}

// TrialPath is the part of an address that names a trial.
type TrialPath struct {
	Trial string `path:"trial" pattern:"^[0-9a-f]{64}$" doc:"the trial's name, 64 lower-case hex digits"`
}

// HashPath is the part of an address that names a transaction.
type HashPath struct {
	Hash string `path:"hash" pattern:"^[0-9a-f]{64}$" doc:"the transaction's hash, 64 lower-case hex digits"`
}

type inPage struct {
	From  uint64 `query:"from" doc:"the first, counted from 0"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many at most"`
}

// name reads a name from an address.
func name[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](field, text string) (out T, err error) {
	if err := P(&out).UnmarshalText([]byte(text)); err != nil {
		return out, problem.New(http.StatusUnprocessableEntity, fmt.Sprintf("%s: %v", field, err))
	}
	return out, nil
}

func (in *TrialPath) id() (trial.ID, error) { return name[trial.ID]("trial", in.Trial) }

// Entry is one transaction in the ledger.
type Entry struct {
	Place    *uint64    `json:"place,omitempty" doc:"in the whole log, from 0"`
	Name     string     `json:"name" doc:"in its stream: directory/3, trial/57" example:"trial/57"`
	Stream   string     `json:"stream" doc:"the trial's name; zeros for the directory"`
	Sequence uint64     `json:"sequence"`
	Height   uint64     `json:"height" doc:"of its block"`
	Index    uint32     `json:"index" doc:"in its block"`
	Time     string     `json:"time" format:"date-time"`
	Hash     string     `json:"hash"`
	Kind     string     `json:"kind" doc:"empty for a refused one: its body is not kept" example:"consent.act"`
	Code     trial.Code `json:"code" doc:"0: accepted; else the number of the refusal"`
	Refusal  string     `json:"refusal" doc:"what the code means"`
}

func entryOf(e *readmodel.Entry) Entry {
	code := trial.Code(e.Code)
	return Entry{
		Place: &e.Place, Name: e.Name, Stream: e.Stream.String(), Sequence: e.Sequence, Height: e.Height, Index: e.Index,
		Time: instant(e.Time), Hash: e.Hash.String(), Kind: e.KindName, Code: code, Refusal: problem.Meaning(code),
	}
}

// told is an entry as the ledger itself tells it.
func told(e *engine.Entry) Entry {
	code := trial.Code(e.Result.Code)
	out := Entry{
		Name: e.Name(), Stream: e.Stream.String(), Sequence: e.Sequence, Height: e.Height, Index: e.Index,
		Time: instant(e.Time), Hash: e.Hash.String(), Code: code, Refusal: problem.Meaning(code),
	}
	if envelope, err := tx.Decode(e.Envelope); err == nil {
		kind, _ := contract.KindOf(envelope.Kind)
		out.Kind = kind.Name
	}
	return out
}

func list[T, O any](in []T, shape func(*T) O) []O {
	out := make([]O, len(in))
	for i := range in {
		out[i] = shape(&in[i])
	}
	return out
}
