package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/server/api"
)

const goodWays = `{"k_min": 10, "batchers": [
	{"actor": "0100000000000000000000000000000000000000000000000000000000000000", "name": "One", "relays": ["https://relay.example:8443/in", "http://127.0.0.1:8070"]},
	{"actor": "0200000000000000000000000000000000000000000000000000000000000000", "name": "Two", "relays": ["https://relay.example:8443/two"]}
]}`

func TestParseWays(t *testing.T) {
	t.Parallel()
	w, err := api.ParseWays([]byte(goodWays))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(w.Batchers[1])
	if err != nil || string(b) != `{"actor":"0200000000000000000000000000000000000000000000000000000000000000","name":"Two","relays":["https://relay.example:8443/two"]}` {
		t.Errorf("%s, %v", b, err)
	}
	if got := w.Origins(); !slices.Equal(got, []string{"https://relay.example:8443", "http://127.0.0.1:8070"}) || w.KMin != 10 {
		t.Errorf("%q, %d", got, w.KMin)
	}
	if w, err := api.ParseWays([]byte(`{"k_min":1,"batchers":[]}`)); err != nil || w.Batchers == nil {
		t.Errorf("none: %v, %v", w, err)
	}
}

func TestParseWaysRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, with, want string }{
		"no JSON":              {`{"k_min"`, `{k_min`, "invalid"},
		"another field":        {`"name": "One"`, `"name": "One", "key": "x"`, "unknown field"},
		"something behind":     {"\n]}", "\n]} {}", "follows"},
		"no least size":        {`"k_min": 10, `, ``, "k_min: 0"},
		"a huge least size":    {`10`, `257`, "k_min: 257"},
		"a short actor":        {`"0100`, `"01`, "want 64"},
		"no actor":             {`"0100`, `"0000`, "actor: missing"},
		"named twice":          {`"0200`, `"0100`, "named twice"},
		"no name":              {`"One"`, `""`, "name: 0 bytes"},
		"no relay":             {`["https://relay.example:8443/two"]`, `[]`, "relays: 0"},
		"a relay twice":        {`"http://127.0.0.1:8070"`, `"https://relay.example:8443/in"`, "named twice"},
		"another scheme":       {`http://127`, `ftp://127`, "no http"},
		"no host":              {`http://127.0.0.1:8070`, `https:///in`, "no http"},
		"a slash behind":       {`8443/in`, `8443/in/`, "slash"},
		"a query":              {`8443/in`, `8443/in?x`, "plain path"},
		"another's directive":  {`8443/in`, `8443/in; script-src *`, "plain path"},
		"a star":               {`https://relay.example:8443/in`, `https://*.example`, "plain path"},
		"a name and password":  {`https://relay`, `https://a:b@relay`, "plain path"},
		"an escaped character": {`8443/in`, `8443/%20`, "plain path"},
	} {
		text := strings.Replace(goodWays, c.old, c.with, 1)
		if text == goodWays {
			t.Errorf("%s: nothing was replaced", name)
		}
		if _, err := api.ParseWays([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := api.ParseWays(make([]byte, api.MaxWaysBytes+1)); err == nil {
		t.Error("a large file was taken")
	}
}

// TestWays: the list is there where there are none, and the epoch is the ledger's.
func TestWays(t *testing.T) {
	t.Parallel()
	var got api.Ways
	open(t, nil).json("/v1/ways", &got)
	if got.Batchers == nil || len(got.Batchers) != 0 || got.EpochSeconds != genesis().Epoch {
		t.Errorf("none: %+v", got)
	}
	w, err := api.ParseWays([]byte(goodWays))
	if err != nil {
		t.Fatal(err)
	}
	open(t, func(c *api.Config) { c.Ways = func() api.Ways { return w } }).json("/v1/ways", &got)
	if len(got.Batchers) != 2 || got.KMin != 10 || got.EpochSeconds != genesis().Epoch || got.Batchers[0].Relays[1] != "http://127.0.0.1:8070" {
		t.Errorf("%+v", got)
	}
}
