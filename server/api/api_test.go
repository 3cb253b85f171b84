package api_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/api"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
)

func (l *lab) root() field.Root {
	l.Helper()
	leaves, err := l.api.Leaves(l.Context(), l.trial, "N-1", 0)
	l.check(err)
	t := tree.New(tree.Depth, tree.NewMemory())
	for i, leaf := range leaves {
		e, err := leaf.Element()
		l.check(err)
		l.check(t.Set(uint64(i), e))
	}
	return field.RootOf(t.Root())
}

func TestWhatIsAnswered(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	hash, err := l.api.Act(t.Context(), l.consents(1))
	l.check(err)
	o, err := l.api.Wait(t.Context(), hash)
	l.check(err)
	if !o.Accepted() {
		t.Fatalf("consent: %+v", o)
	}
	// Each path and what its answer says.
	at := "/v1/trials/" + l.trial.String()
	for _, c := range []struct {
		path string
		says []string
	}{
		{"/v1/ledger", []string{`"demonstration":true`, `"notice":"A test."`, `"clock":"study"`, `"witnesses":0`, `"epoch_seconds":3600`, `"genesis_time":"2023-11-14T22:13:20.000Z"`}},
		{"/v1/ledger/headers?from=1&limit=2", []string{`"height":1`, `"height":2`}},
		{"/v1/ledger/headers?from=999", []string{`[]`}},
		{"/v1/ledger/entries?limit=3", []string{`"name":"directory/0"`, `"kind":"directory.register"`, `"place":0`}},
		{"/v1/ledger/checkpoint", []string{"trialith.example/api\n"}},
		{"/v1/actors", []string{`"role":"regulator"`, `"genesis":true`, `"name":"doctor"`}},
		{"/v1/clock", []string{`"now":"2023-11-14T22:13:21.000Z"`, `"kind":"study"`}},
		{"/v1/trials", []string{l.trial.String(), `"acronym":"ATON"`, `"status":"open"`}},
		{at, []string{`"enrolled":1`, `"active":1`, `"verdict":"PROVEN"`, `"owed":1`, `"acts":1`, `"opened_sites":1`, `"sites":1`}},
		{at + "/versions/1", []string{
			`"protocol":{"identifiers":[]`, `"results_url":"https://example.org"`, `"level":"primary"`, `"terms":{"deadline_days":30,"answer_days":30`, `"changes":[]`, `"settled":false`,
			`"form_set":"` + act.FormSet(study().Forms).String(), `"sections":[{"heading":"What"`, `"options":[{"id":"results"`,
			`"questions":[{"id":"stop","text":"May you stop?","answers":["No","Yes"],"right":1,"why":"At any time."}]`,
		}},
		{at + "/sites", []string{`"name":"site"`, `"openings":[{"version":1,"opened":"2023-11-14T22:13:21.`, `"deadline":"2023-12-14T22:13:21.`, `"floor":1`}},
		{at + "/members", []string{`[{"leaf":"` + l.leaf.String() + `","site":"` + l.site.String() + `","version":1,"enrolled":"2023-11-14T22:13:21`, `"active":true}]`}},
		{at + "/accounts/latest", []string{`"version":1,"kind":"consent","sequence":0}]`}},
		{"/v1/sites/" + l.site.String() + "/delegations", []string{`"name":"doctor","tasks":["enrolling","recording"`, `"from":"2023-11-14"`}},
		{at + "/trees", []string{`"name":"N-1","size":1`, `"name":"pass-1"`}},
		{at + "/leaves/" + l.leaf.String(), []string{`"active":true`, `"owes":[{"version":1,"set":"N","left":"","used":false}]`, `"unsettled":[1]`}},
		{"/v1/transactions/" + hash.String(), []string{`"kind":"consent.act"`, `"code":0`, `"name":"trial/4"`}},
		{"/v1/transactions/" + hash.String() + "/receipt", []string{"c2sp.org/tlog-proof@v1\nextra ", "\ntrialith.example/api\n"}},
		{"/v1/ledger/streams/" + l.trial.String() + "/proof", []string{`"count":5`, `"stream":"` + l.trial.String()}},
		{"/v1/ledger/streams/" + strings.Repeat("9", 64) + "/proof", []string{`"count":0`}},
		{"/v1/docs", []string{"<h1>Trialith API", "/v1/acts"}},
		{"/v1/openapi.yaml", []string{"openapi: 3.1.0"}},
		{"/healthz", []string{"ok"}},
	} {
		r, b := l.do(http.MethodGet, c.path, nil, nil)
		if r.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", c.path, r.StatusCode, b)
		}
		for _, want := range c.says {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s: no %s in %s", c.path, want, b)
			}
		}
		for h, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if got := r.Header.Get(h); got != want {
				t.Errorf("%s: %s: %q", c.path, h, got)
			}
		}
		if !strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: no content security policy", c.path)
		}
	}
	if _, b := l.do(http.MethodGet, "/v1/ledger/genesis", nil, nil); !bytes.Equal(b, genesis().Encode()) {
		t.Error("the genesis is not its exact bytes")
	}
	r, err := l.api.Receipt(t.Context(), hash)
	l.check(err)
	if p, err := r.Verify(genesis(), nil); err != nil || p.Link.Hash != hash {
		t.Errorf("receipt: %+v, %v", p, err)
	}
	var told api.Receipt
	_, b := l.do(http.MethodGet, "/v1/transactions/"+hash.String()+"/receipt", map[string]string{"Accept": "application/json"}, nil)
	l.check(json.Unmarshal(b, &told))
	if told.Text != string(r.Text()) || told.Index != r.Index || !strings.HasPrefix(told.Notice, "A test. Demonstration:") || !strings.Contains(told.Notice, "No witness") {
		t.Errorf("receipt described: %+v", told)
	}
	l.streamProof(l.trial.String(), 5)
	l.streamProof(strings.Repeat("9", 64), 0)
	_, b = l.do(http.MethodGet, "/v1/ledger/checkpoint", nil, nil)
	if c, err := chain.OpenCheckpoint(genesis().Keys(), b); err != nil || c.Matches(l.ledger.Head()) != nil {
		t.Errorf("checkpoint: %v, %v", c, err)
	}
	if l.log.Len() > 0 {
		t.Errorf("the log has: %s", l.log)
	}
}

// streamProof checks the proof of a stream as who asked for it would.
func (l *lab) streamProof(stream string, count uint64) {
	l.Helper()
	var told api.StreamProof
	_, b := l.do(http.MethodGet, "/v1/ledger/streams/"+stream+"/proof", nil, nil)
	l.check(json.Unmarshal(b, &told))
	raw, err := hex.DecodeString(told.Proof)
	l.check(err)
	var p chain.StreamProof
	l.check(wire.Unmarshal(raw, &p))
	l.check(p.Verify(l.ledger.Head()))
	if p.Stream.Count != count || told.Count != count || p.ID.String() != stream || told.Height != p.Height {
		l.Errorf("stream %s: %+v, %+v", stream, told, p)
	}
	p.Stream.Count++
	if p.Verify(l.ledger.Head()) == nil {
		l.Error("a stream with another count was proven")
	}
}

// TestWhatIsRefused sends what must not enter, each with the problem it answers.
func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	before := l.ledger.Head()
	good := func() *tx.Envelope {
		r := directory.Register{Role: trial.DSMB, Name: "board", Country: "DE"}
		r.Prove(l.ledger.ID(), key("board"))
		return l.envelope("regulator", contract.DirectoryRegister, wire.Directory, r)
	}
	changed := func(change func(*tx.Envelope)) []byte {
		e := good()
		change(e)
		e.Sign(key("regulator"))
		return e.Encode()
	}
	unsigned := good()
	unsigned.Signature[0] ^= 1
	forged := l.consents(9)
	forged.Proven.Proof = badProof
	for _, c := range []struct {
		name, path, kind string
		body             []byte
		status           int
		code             trial.Code
	}{
		{"no content type", "/v1/transactions", "", good().Encode(), 415, 0},
		{"JSON", "/v1/transactions", "application/json", []byte("{}"), 415, 0},
		{"no CBOR", "/v1/transactions", "application/cbor", []byte("hello"), 400, 0},
		{"empty", "/v1/transactions", "application/cbor", nil, 400, 0},
		{"trailing byte", "/v1/transactions", "application/cbor", append(good().Encode(), 0), 400, 0},
		{"oversize", "/v1/transactions", "application/cbor", make([]byte, tx.MaxBytes+1), 413, 0},
		{"other ledger", "/v1/transactions", "application/cbor", changed(func(e *tx.Envelope) { e.Ledger[0] ^= 1 }), 400, 0},
		{"unknown kind", "/v1/transactions", "application/cbor", changed(func(e *tx.Envelope) { e.Kind = 999 }), 400, trial.UnknownKind},
		{"wrong stream", "/v1/transactions", "application/cbor", changed(func(e *tx.Envelope) { e.Stream[0] = 1 }), 400, trial.WrongStream},
		{"malformed body", "/v1/transactions", "application/cbor", changed(func(e *tx.Envelope) { e.Body = []byte{0} }), 400, trial.Malformed},
		{"expired", "/v1/transactions", "application/cbor", changed(func(e *tx.Envelope) { e.Expiry = begin }), 422, 0},
		{"bad signature", "/v1/transactions", "application/cbor", unsigned.Encode(), 403, trial.BadSignature},
		{"unknown key", "/v1/transactions", "application/cbor", l.envelope("stranger", contract.DirectoryDelegate, wire.Directory, directory.Delegate{Tasks: []trial.Task{1}}).Encode(), 403, trial.UnknownKey},
		{"no right", "/v1/transactions", "application/cbor", l.envelope("sponsor", contract.DirectoryDelegate, wire.Directory, directory.Delegate{Tasks: []trial.Task{1}}).Encode(), 403, trial.NotAuthorised},
		{"act: no CBOR", "/v1/acts", "application/cbor", []byte("hello"), 400, trial.Malformed},
		{"act: content type", "/v1/acts", "text/plain", wire.Marshal(l.consents(9)), 415, 0},
		{"act: oversize", "/v1/acts", "application/cbor", make([]byte, 1<<20), 413, 0},
		{"act: bad proof", "/v1/acts", "application/cbor", wire.Marshal(forged), 422, trial.ProofInvalid},
	} {
		header := map[string]string{}
		if c.kind != "" {
			header["Content-Type"] = c.kind
		}
		r, b := l.do(http.MethodPost, c.path, header, c.body)
		l.problem(c.name, r, b, c.status, c.code)
	}
	l.check(l.ledger.CatchUp(t.Context()))
	if h := l.ledger.Head(); h != before {
		t.Errorf("what was refused has entered: height %d, then %d", before.Height, h.Height)
	}
}

// problem checks that an answer is an RFC 9457 problem.
func (l *lab) problem(what string, r *http.Response, b []byte, status int, code trial.Code) {
	l.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
		Code                trial.Code
	}
	if err := json.Unmarshal(b, &p); err != nil {
		l.Errorf("%s: %v: %s", what, err, b)
	}
	if r.StatusCode != status || p.Status != status || p.Code != code || p.Type == "" || p.Title == "" ||
		!strings.HasPrefix(r.Header.Get("Content-Type"), "application/problem+json") {
		l.Errorf("%s: %d %s %s; want %d, code %d", what, r.StatusCode, r.Header.Get("Content-Type"), b, status, code)
	}
}

func TestBadAddresses(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	at := "/v1/trials/" + l.trial.String()
	zeros := strings.Repeat("0", 64)
	for path, status := range map[string]int{
		"/v1/nothing":                                      404,
		"/v1/trials/" + zeros:                              404,
		"/v1/trials/" + zeros + "/sites":                   404,
		"/v1/trials/" + zeros + "/trees":                   404,
		"/v1/trials/" + zeros + "/members":                 404,
		"/v1/trials/" + zeros + "/accounts/latest":         404,
		"/v1/trials/" + zeros + "/accounts":                404,
		"/v1/trials/" + zeros + "/accounts/entries":        404,
		"/v1/trials/" + zeros + "/evidence":                404,
		"/v1/trials/" + strings.ToUpper(l.trial.String()):  422,
		"/v1/trials/abc":                                   422,
		"/v1/trials/abc/evidence":                          422,
		at + "/versions/2":                                 404,
		at + "/versions/0":                                 422,
		at + "/versions/x":                                 422,
		at + "/trees/N-9/leaves":                           404,
		at + "/trees/accounts/leaves":                      404,
		at + "/trees/%2e%2e/leaves":                        422,
		at + "/leaves/" + zeros:                            404,
		"/v1/transactions/" + zeros:                        404,
		"/v1/transactions/" + zeros + "?wait=1":            404,
		"/v1/transactions/" + zeros + "?wait=31":           422,
		"/v1/transactions/" + zeros + "/receipt":           404,
		"/v1/ledger/entries?limit=1001":                    422,
		"/v1/ledger/entries?from=-1":                       422,
		"/v1/ledger/headers?limit=0":                       422,
		"/v1/ledger/entries?from=18446744073709551615":     200,
		"/v1/ledger/headers?from=1&limit=1000&unknown=yes": 200,
	} {
		r, b := l.do(http.MethodGet, path, nil, nil)
		if status == http.StatusOK {
			if r.StatusCode != status {
				t.Errorf("%s: %d %s", path, r.StatusCode, b)
			}
			continue
		}
		l.problem(path, r, b, status, 0)
	}
	if l.log.Len() > 0 {
		t.Errorf("a request's mistake is logged as a fault: %s", l.log)
	}
}

// TestRefusedAtTheDoor: nobody answers for an act with a name, so one that the
// rules refuse does not enter.
func TestRefusedAtTheDoor(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	c := l.consents(1)
	hash, err := l.api.Act(t.Context(), c)
	l.check(err)
	_, err = l.api.Wait(t.Context(), hash)
	l.check(err)
	c.Proven.Act.Pass[0]++ // another act under the same account
	_, err = l.api.Act(t.Context(), c)
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity || p.Code != trial.AccountUsed {
		t.Errorf("a second consent: %v", err)
	}
	got, err := l.api.Trial(t.Context(), l.trial)
	l.check(err)
	if v := got.Versions[0]; v.Counters.Acts != 1 || v.Verdict != "PROVEN" {
		t.Errorf("version 1: %+v", v)
	}
}

func TestTheSameAgain(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	c := l.consents(1)
	first, err := l.api.Act(t.Context(), c)
	l.check(err)
	_, err = l.api.Wait(t.Context(), first)
	l.check(err)
	l.clock.ms.Add(5000) // the node's wrapping differs by its expiry
	again, err := l.api.Act(t.Context(), c)
	l.check(err)
	if first != again {
		t.Errorf("the same act is %v, then %v", first, again)
	}
	e := l.envelope("site", contract.DirectoryDelegate, wire.Directory, directory.Delegate{Tasks: []trial.Task{1}})
	o := l.send(e)
	if o.Code != trial.NoSuchPerson {
		t.Fatalf("delegating nobody: %+v", o)
	}
	e.Expiry++
	e.Sign(key("site"))
	hash, err := l.api.Submit(t.Context(), e)
	l.check(err)
	if hash != o.Hash {
		t.Errorf("one idempotency key: %v, then %v", o.Hash, hash)
	}
}

// TestClientSends signs and sends as a program of somebody's own does.
func TestClientSends(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	o, err := l.api.Send(t.Context(), client.Order{
		Kind: contract.ProtocolOpen, Stream: wire.StreamID(l.trial), Body: protocol.Open{Version: 1, Site: l.site},
		Signer: key("sponsor"), Cosigners: []ed25519.PrivateKey{key("site")},
	})
	l.check(err)
	if o.Code != trial.AlreadyOpen || o.Stream != wire.StreamID(l.trial) || o.Time.UnixMilli() <= begin {
		t.Errorf("%+v", o)
	}
	_, err = l.api.Send(t.Context(), client.Order{Kind: contract.ProtocolOpen, Body: protocol.Open{}, Signer: key("sponsor"), Expiry: begin})
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity || p.Remedy == "" {
		t.Errorf("expired: %+v, %v", p, err)
	}
	hash, err := l.api.Act(t.Context(), l.consents(3))
	l.check(err)
	_, err = l.api.Wait(t.Context(), hash)
	l.check(err)
	accounts, err := l.api.Accounts(t.Context(), l.trial)
	l.check(err)
	if !slices.Equal(accounts, []field.Account{{31: 3}}) {
		t.Errorf("accounts: %v", accounts)
	}
}

func TestLeaves(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	path := fmt.Sprintf("/v1/trials/%v/trees/N-1/leaves?height=%d", l.trial, l.ledger.Head().Height)
	r, b := l.do(http.MethodGet, path, nil, nil)
	if r.StatusCode != http.StatusOK || !bytes.Equal(b, l.leaf[:]) || r.Header.Get("Content-Type") != "application/octet-stream" {
		t.Fatalf("%d %x", r.StatusCode, b)
	}
	if got := r.Header.Get("Trialith-Height"); got != fmt.Sprint(l.ledger.Head().Height) {
		t.Errorf("height %s", got)
	}
	tag := map[string]string{"If-None-Match": r.Header.Get("ETag")}
	if r, b := l.do(http.MethodGet, path, tag, nil); r.StatusCode != http.StatusNotModified || len(b) != 0 {
		t.Errorf("with its tag: %d %x", r.StatusCode, b)
	}
	// Left, the place is zero, the tag another.
	w := consent.Remove{Leaf: l.leaf, Class: trial.ByWord, Reason: trial.Commitment{1}, Statements: []consent.Statement{{Version: 1}}}
	l.must("doctor", contract.ConsentRemove, wire.StreamID(l.trial), w, "nurse")
	if r, b := l.do(http.MethodGet, path, tag, nil); r.StatusCode != http.StatusOK || !bytes.Equal(b, make([]byte, 32)) {
		t.Errorf("after leaving: %d %x", r.StatusCode, b)
	}
	m, err := l.api.Leaf(t.Context(), l.trial, l.leaf)
	l.check(err)
	if m.Active || len(m.Unsettled) != 0 {
		t.Errorf("the leaf: %+v", m)
	}
	if r, b := l.do(http.MethodGet, fmt.Sprintf("/v1/trials/%v/accounts", l.trial), nil, nil); r.StatusCode != http.StatusOK || len(b) != 0 {
		t.Errorf("accounts: %d %x", r.StatusCode, b)
	}
}

func TestEvidenceAndVerify(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	var file bytes.Buffer
	l.check(l.api.Evidence(t.Context(), l.trial, &file))
	if want := "evidence of " + l.trial.String(); file.String() != want {
		t.Errorf("evidence: %q", &file)
	}
	r, _ := l.do(http.MethodGet, fmt.Sprintf("/v1/trials/%v/evidence", l.trial), nil, nil)
	if got := r.Header.Get("Content-Disposition"); got != "attachment; filename=evidence.trialith" {
		t.Errorf("disposition %q", got)
	}
	form, kind := formOf(t, "file", file.Bytes())
	other, otherKind := formOf(t, "other", file.Bytes())
	for _, c := range []struct {
		kind   string
		body   []byte
		status int
	}{
		{"application/zip", file.Bytes(), 200},
		{kind, form, 200},
		{otherKind, other, 400},
		{"text/plain", file.Bytes(), 415},
		{"multipart/form-data", []byte("x"), 400},
	} {
		r, b := l.do(http.MethodPost, "/v1/verify", map[string]string{"Content-Type": c.kind}, c.body)
		if c.status != http.StatusOK {
			l.problem(c.kind, r, b, c.status, 0)
			continue
		}
		if want := fmt.Sprintf(`{"begins":"evide","size":%d}`, file.Len()); r.StatusCode != 200 || string(b) != want {
			t.Errorf("%s: %d %s, want %s", c.kind, r.StatusCode, b, want)
		}
	}
}

func formOf(t *testing.T, field string, body []byte) ([]byte, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	p, err := w.CreateFormFile(field, "evidence.trialith")
	if err == nil {
		_, err = p.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), w.FormDataContentType()
}

func TestVerifyLimit(t *testing.T) {
	t.Parallel()
	l := open(t, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url+"/v1/verify", io.LimitReader(zeros{}, 65<<20))
	l.check(err)
	req.Header.Set("Content-Type", "application/zip")
	r, err := l.http.Do(req)
	l.check(err)
	defer r.Body.Close()
	if r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("65 MiB: %d", r.StatusCode)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestFaults checks that a fault of the server is told to the log, and to the
// client without its cause.
func TestFaults(t *testing.T) {
	t.Parallel()
	l := run(t, func(c *api.Config) {
		c.Evidence = func(context.Context, trial.ID, io.Writer) error { return errors.New("disk nine is full") }
		c.Verify = func(context.Context, io.ReaderAt, int64) (any, error) { panic("disk nine is on fire") }
	})
	r, b := l.do(http.MethodGet, fmt.Sprintf("/v1/trials/%v/evidence", l.trial), nil, nil)
	l.problem("evidence", r, b, 500, 0)
	r, c := l.do(http.MethodPost, "/v1/verify", map[string]string{"Content-Type": "application/zip"}, []byte("x"))
	l.problem("verify", r, c, 500, 0)
	if strings.Contains(string(b)+string(c), "disk nine") {
		t.Errorf("the client is told: %s %s", b, c)
	}
	if log := l.log.String(); !strings.Contains(log, "disk nine is full") || !strings.Contains(log, "disk nine is on fire") {
		t.Errorf("the log is not told: %s", log)
	}
	if log := l.log.String(); strings.Contains(log, "127.0.0.1") || strings.Contains(log, l.trial.String()) {
		t.Errorf("the log knows who asked for what: %s", log)
	}
}

func TestClosedLedger(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	act := wire.Marshal(l.consents(1))
	l.check(l.ledger.Close())
	r, b := l.do(http.MethodPost, "/v1/acts", map[string]string{"Content-Type": "application/cbor"}, act)
	l.problem("act", r, b, 503, 0)
	if at := r.Header.Get("Retry-After"); at != "" {
		t.Errorf("Retry-After %s, though it does not come back by itself", at)
	}
}

func TestDescription(t *testing.T) {
	t.Parallel()
	l := open(t, nil)
	var doc struct {
		OpenAPI    string
		Info       struct{ Title, Version string }
		Paths      map[string]map[string]operation
		Components struct{ Schemas map[string]json.RawMessage }
	}
	l.json("/v1/openapi.json", &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title == "" || doc.Info.Version == "" {
		t.Errorf("%s %+v", doc.OpenAPI, doc.Info)
	}
	var got []string
	ids := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
			if o.OperationID == "" || ids[o.OperationID] || o.Summary == "" || len(o.Responses) < 2 {
				t.Errorf("%s %s: %+v", method, path, o)
			}
			ids[o.OperationID] = true
			o.parameters(t, path)
		}
	}
	slices.Sort(got)
	want := []string{
		"GET /v1/actors", "GET /v1/clock", "GET /v1/ledger", "GET /v1/ledger/checkpoint", "GET /v1/ledger/entries", "GET /v1/ledger/genesis",
		"GET /v1/ledger/headers", "GET /v1/ledger/streams/{stream}/proof", "GET /v1/sites/{site}/delegations", "GET /v1/transactions/{hash}", "GET /v1/transactions/{hash}/receipt", "GET /v1/trials", "GET /v1/trials/{trial}",
		"GET /v1/trials/{trial}/accounts", "GET /v1/trials/{trial}/accounts/entries", "GET /v1/trials/{trial}/accounts/latest", "GET /v1/trials/{trial}/batches", "GET /v1/trials/{trial}/datasets", "GET /v1/trials/{trial}/evidence", "GET /v1/trials/{trial}/gate",
		"GET /v1/trials/{trial}/leaves/{leaf}", "GET /v1/trials/{trial}/members", "GET /v1/trials/{trial}/results", "GET /v1/trials/{trial}/safety", "GET /v1/trials/{trial}/sites",
		"GET /v1/trials/{trial}/trees", "GET /v1/trials/{trial}/trees/{name}/leaves", "GET /v1/trials/{trial}/versions/{version}", "GET /v1/ways",
		"POST /v1/acts", "POST /v1/transactions", "POST /v1/trials/{trial}/package", "POST /v1/verify",
	}
	if !slices.Equal(got, want) {
		t.Errorf("described:\n%s", strings.Join(got, "\n"))
	}
	// Every reference leads somewhere.
	_, raw := l.do(http.MethodGet, "/v1/openapi.json", nil, nil)
	for _, part := range strings.Split(string(raw), `"$ref": "#/components/schemas/`)[1:] {
		if name := part[:strings.IndexByte(part, '"')]; doc.Components.Schemas[name] == nil {
			t.Errorf("schema %s is referred to and not there", name)
		}
	}
	_, page := l.do(http.MethodGet, "/v1/docs", nil, nil)
	for _, bad := range []string{"<script", "style=", "<style", "//unpkg", "cdn"} {
		if strings.Contains(string(page), bad) {
			t.Errorf("the page of the documentation has %s", bad)
		}
	}
	for _, w := range want {
		if !strings.Contains(string(page), w) {
			t.Errorf("the page of the documentation lacks %s", w)
		}
	}
}

// operation is what an OpenAPI document says of one.
type operation struct {
	OperationID string
	Summary     string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   json.RawMessage
	}
	Responses map[string]struct{ Description string }
}

// parameters checks that each part of an address is described.
func (o operation) parameters(t *testing.T, path string) {
	t.Helper()
	for _, part := range strings.Split(path, "{")[1:] {
		name := part[:strings.IndexByte(part, '}')]
		if !slices.ContainsFunc(o.Parameters, func(p struct {
			Name, In string
			Required bool
			Schema   json.RawMessage
		},
		) bool {
			return p.Name == name && p.In == "path" && p.Required && len(p.Schema) > 0
		}) {
			t.Errorf("%s: parameter %s is not described", path, name)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := api.New(api.Config{}); err == nil {
		t.Error("an API of nothing was made")
	}
}

// TestBatchesAndTables: what a batcher and a site sent is listed, and a batch
// refused at the door says which act to leave out.
func TestBatchesAndTables(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	at, stream := "/v1/trials/"+l.trial.String(), wire.StreamID(l.trial)
	l.register("batcher", trial.Batcher, "regulator")
	l.must("batcher", contract.ConsentBatch, stream, consent.Batch{Acts: []consent.Act{l.consents(1), l.consents(1)}})
	l.must("doctor", contract.ConsentCountersign, stream, consent.Countersign{
		Site: l.site, Table: trial.Commitment{7}, Total: 3, Day: trial.DayOf(l.clock.Now()),
	})
	for path, says := range map[string][]string{
		at + "/batches":         {`"name":"batcher","epoch":0,"acts":1,"skipped":1,`},
		at + "/accounts/latest": {`"kind":"consent","sequence":0}]`},
		at + "/sites":           {`"countersigned":{"epoch":0,"total":3,"day":"2023-11-14","table":"07`},
	} {
		_, b := l.do(http.MethodGet, path, nil, nil)
		for _, want := range says {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s: no %s in %s", path, want, b)
			}
		}
	}
	bad := l.consents(3)
	bad.Proven.Proof = badProof
	l.clock.ms.Add(3_600_000)
	_, err := l.api.Submit(t.Context(), l.envelope("batcher", contract.ConsentBatch, stream, consent.Batch{Acts: []consent.Act{l.consents(2), bad}, Epoch: 1}))
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != trial.ProofInvalid {
		t.Fatalf("a bad act: %v", err)
	}
	if place, ok := consent.BadAct(p.Detail); !ok || place != 1 {
		t.Errorf("place %d, %t: %s", place, ok, p.Detail)
	}
}
