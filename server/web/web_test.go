package web

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"golang.org/x/net/html"

	"github.com/trialith/trialith/trial"
)

func init() { gin.SetMode(gin.TestMode) }

func config(f *fake) Config {
	return f.results(Config{
		Model: f, Ledger: ledgerOf{f}, Clock: StudyTime, Now: func() int64 { return firstDay + 120*dayMillis },
		Notice: "Example data.",
		NotDue: func(_ context.Context, _ trial.ID, v trial.Version) (uint64, error) {
			return map[trial.Version]uint64{2: 2}[v], nil
		},
		Verify: func(_ context.Context, r io.ReaderAt, size int64) (Report, error) {
			b := make([]byte, size)
			if _, err := r.ReadAt(b, 0); err != nil {
				return Report{}, err
			}
			return Report{
				Verdict: "NOT VALID", Label: "AWAITED", AsOf: "2012-11-03T06:00:00Z", Sentence: "Demonstration keys: entry trial/57 was changed, " + string(b) + ".",
				Checks: []Check{{"chain", "failed", "the link does not follow " + hostile, "trial/57"}, {"proofs", "passed", "2,400 proofs", ""}, {"witness", "not_checked", "no witness", ""}},
			}, nil
		},
	})
}

func serve(t *testing.T, f *fake, c Config) http.Handler {
	t.Helper()
	e := gin.New()
	if err := Register(e, c); err != nil {
		t.Fatal(err)
	}
	return e
}

func get(h http.Handler, address string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	return w
}

// everyPage lists an address of each page, and the status it answers with.
func everyPage(f *fake) map[string]int {
	study, other := "/studies/"+studyID.String(), "/studies/"+otherID.String()
	return map[string]int{
		"/": 200, study: 200, other: 200, study + "/versions/1": 200, study + "/versions/2": 200, other + "/versions/1": 200,
		study + "/leaves/" + leafName.String(): 200, "/ledger": 200, "/ledger?stream=directory": 200, "/ledger?page=3": 200,
		"/ledger?stream=" + studyID.String(): 200, "/ledger/" + f.entries[1].Hash.String(): 200, "/ledger/" + f.entries[4].Hash.String(): 200,
		"/ledger/" + f.entries[3].Hash.String(): 200, "/verify": 200, "/limits": 200,
		"/check?q=": 400, "/check?q=nothing+of+the+kind": 404, "/check?q=%3Cb+onclick%3Dx%3E": 404,
		"/nowhere": 404, "/studies/12": 404, "/studies/" + chainID(): 404, study + "/versions/9": 404, study + "/versions/x": 404,
		study + "/leaves/zz": 404, "/ledger/zz": 404, "/ledger/" + chainID(): 404, "/entries/trial/999": 404, "/entries/x/1": 404,
	}
}

func chainID() string { return trial.ID(sum("nothing")).String() }

func TestEveryPage(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	for address, status := range everyPage(f) {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			w := get(h, address)
			if w.Code != status {
				t.Fatalf("status %d, want %d", w.Code, status)
			}
			if got := w.Header().Get("Content-Security-Policy"); got != "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" {
				t.Errorf("policy %q", got)
			}
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Type": "text/html; charset=utf-8"} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if w.Header().Get("Permissions-Policy") == "" || w.Header().Get("Set-Cookie") != "" {
				t.Error("permissions policy missing, or a cookie is set")
			}
			checkDocument(t, w.Body.String())
		})
	}
}

// checkDocument holds what every page must be: one main heading, headings in
// order, no script, no style of its own, ids once, tables with captions.
func checkDocument(t *testing.T, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	seen, tags := map[string]bool{}, map[string]int{}
	level := 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		tags[n.Data]++
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			if now := int(n.Data[1] - '0'); now > level+1 && level > 0 {
				t.Errorf("heading of level %d after level %d: %q", now, level, text(n))
			} else {
				level = now
			}
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			case a.Key == "id" && seen[a.Val]:
				t.Errorf("id %q stands twice", a.Val)
			case a.Key == "id":
				seen[a.Val] = true
			case (a.Key == "href" || a.Key == "src") && strings.HasPrefix(strings.ToLower(a.Val), "javascript:"):
				t.Errorf("address %q", a.Val)
			}
		}
	}
	if tags["h1"] != 1 || tags["main"] != 1 || tags["title"] != 1 {
		t.Errorf("h1 %d, main %d, title %d; want one of each", tags["h1"], tags["main"], tags["title"])
	}
	if tags["script"] != 0 || tags["style"] != 0 || tags["iframe"] != 0 {
		t.Errorf("script %d, style %d, iframe %d", tags["script"], tags["style"], tags["iframe"])
	}
	if tags["table"] != tags["caption"] {
		t.Errorf("%d tables, %d captions", tags["table"], tags["caption"])
	}
	if !strings.Contains(page, " – Trialith</title>") || !strings.Contains(page, `<html lang="en"`) {
		t.Error("title or language missing")
	}
	if !strings.Contains(page, "Demonstration keys.") || !strings.Contains(page, "Study time.") {
		t.Error("the warning is missing")
	}
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestHostileNamesAreText(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	body := get(h, "/studies/"+otherID.String()).Body.String()
	if strings.Contains(body, "<script") || !strings.Contains(body, "&lt;script&gt;") {
		t.Error("the title is not escaped")
	}
}

func TestWhatAStudysPageSays(t *testing.T) {
	t.Parallel()
	f := newFake()
	body := get(serve(t, f, config(f)), "/studies/"+studyID.String()).Body.String()
	for _, want := range []string{
		"PROVEN", "ATTESTED(2)", "At most 2 people who stayed could be without consent to version 2",
		"No witness has cosigned this ledger", "trialith verify evidence.trialith", "/v1/trials/" + studyID.String() + "/evidence",
		"Placeholder", "To be determined", "What this does not prevent", "H2Q-MC-LZZT", "Nothing: this is new",
		"<del>", "<ins>", "deleted: ", "inserted: ", "as it touches: outcomes, risks, eligibility",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestWhatARefusedEntrySays(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	body := get(h, "/ledger/"+f.entries[3].Hash.String()).Body.String()
	for _, want := range []string{"Refused, code 301", "A later version is past its deadline at this site.", "its body is not", "Inclusion path (7 hashes)", "Place 3 of 122", "No witness: only the ledger"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(body, "What was signed") {
		t.Error("a refused entry has no body to show")
	}
	body = get(h, "/ledger/"+f.entries[4].Hash.String()).Body.String()
	for _, want := range []string{"Study registered", "Registered whole: Safety and Efficacy", "Raw bytes"} {
		if !strings.Contains(body, want) {
			t.Errorf("the accepted entry does not say %q", want)
		}
	}
}

func TestPagesOfTheLedger(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	for _, c := range []struct {
		query       string
		status      int
		first, last string // entries
	}{
		{"", 200, "trial/119", "trial/70"},
		{"?page=1", 200, "trial/119", "trial/70"},
		{"?page=2", 200, "trial/69", "trial/20"},
		{"?page=3", 200, "trial/19", "directory/0"},
		{"?page=4", 404, "", ""},
		{"?page=0", 404, "", ""},
		{"?page=-1", 404, "", ""},
		{"?page=x", 404, "", ""},
		{"?page=99999999999999999999", 404, "", ""},
		{"?stream=directory", 200, "directory/1", "directory/0"},
		{"?stream=directory&page=2", 404, "", ""},
		{"?stream=" + studyID.String() + "&page=3", 200, "trial/19", "trial/0"},
		{"?stream=" + otherID.String(), 200, "", ""},
		{"?stream=zz", 404, "", ""},
	} {
		w := get(h, "/ledger"+c.query)
		if w.Code != c.status {
			t.Errorf("%q: status %d, want %d", c.query, w.Code, c.status)
			continue
		}
		names := entryNames(t, w.Body.String())
		if c.first == "" && len(names) > 0 {
			t.Errorf("%q: entries %v, want none", c.query, names)
		}
		if c.first != "" && (len(names) == 0 || names[0] != c.first || names[len(names)-1] != c.last) {
			t.Errorf("%q: entries %v, want %s to %s", c.query, names, c.first, c.last)
		}
	}
}

func entryNames(t *testing.T, page string) (names []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "th" {
			if s := text(n); strings.Contains(s, "/") {
				names = append(names, s)
			}
		}
	}
	return names
}

func TestCheck(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	study := "/studies/" + studyID.String()
	for _, c := range []struct{ name, q, to string }{
		{"study by hash", studyID.String(), study},
		{"as copied, with spaces", "  " + studyID.String() + "\n", study},
		{"in capitals, with 0x", "0x" + strings.ToUpper(studyID.String()), study},
		{"study by number", "h2q-mc-lzzt", study},
		{"study by acronym", "lzzt", study},
		{"study by a part of its title", "transdermal", study},
		{"study by its public title", "memory loss", study},
		{"transaction", f.entries[4].Hash.String(), "/ledger/" + f.entries[4].Hash.String()},
		{"refused transaction", f.entries[3].Hash.String(), "/ledger/" + f.entries[3].Hash.String()},
		{"leaf", leafName.String(), study + "/leaves/" + leafName.String()},
		{"account", account.String(), "/entries/trial/11?trial=" + studyID.String()},
		{"document", documents.String(), ""},
		{"forms", trial.Digest(sum("forms")).String(), study + "/versions/1"},
		{"site", siteID.String(), "/ledger?stream=directory"},
		{"ledger", f.genesis.ID().String(), "/ledger"},
		{"entry", "trial/5", "/ledger/" + f.entries[7].Hash.String()},
		{"entry of the directory", "directory/1", "/ledger/" + f.entries[1].Hash.String()},
		{"tree", "X-1-2", study + "#trees"},
	} {
		w := get(h, "/check?q="+url.QueryEscape(c.q))
		switch {
		case c.to != "" && (w.Code != http.StatusSeeOther || w.Header().Get("Location") != c.to):
			t.Errorf("%s: %d to %q, want %q", c.name, w.Code, w.Header().Get("Location"), c.to)
		case c.to == "" && (w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "More than one answer")):
			t.Errorf("%s: %d, want a choice", c.name, w.Code)
		}
	}
}

func TestCheckOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	for q, says := range map[string]string{
		chainID():      "try again in a minute",
		chainID()[:40]: "A hash has 64 digits; this has 40",
		"bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi": "content identifier",
		"trial/100000":               "Nothing on this ledger has this name",
		"trial/99999999999999999999": "Nothing on this ledger has this name",
		"trial/-1":                   "Nothing on this ledger has this name",
		"N-7":                        "Nothing on this ledger has this name",
		"NCT00000000":                "Nothing on this ledger has this name",
		"' OR 1=1 --":                "Nothing on this ledger has this name",
	} {
		w := get(h, "/check?q="+url.QueryEscape(q))
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%q: %d, without %q", q, w.Code, says)
		}
	}
	if w := get(h, "/check?q="+strings.Repeat("a", 201)); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "at most 200 characters") {
		t.Errorf("a long question: %d", w.Code)
	}
}

func TestPostedCheckGoesToItsAddress(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	post := func(body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/check", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := post("q=trial%2F5"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/check?q=trial%2F5" {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := post("q=" + strings.Repeat("a", maxCheckForm)); w.Code != http.StatusBadRequest {
		t.Errorf("a form beyond its limit: %d", w.Code)
	}
}

func TestAFaultIsToldWithoutItsInside(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.broken = errBroken
	w := get(serve(t, f, config(f)), "/")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), errBroken.Error()) {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	checkDocument(t, w.Body.String())

	c := config(newFake())
	c.NotDue = func(context.Context, trial.ID, trial.Version) (uint64, error) { panic("inside") }
	w = get(serve(t, newFake(), c), "/")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "inside") {
		t.Errorf("a panic: status %d", w.Code)
	}
}

func TestNotDueIsCountedOnceAHead(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := config(f)
	asked := 0
	c.NotDue = func(context.Context, trial.ID, trial.Version) (uint64, error) { asked++; return 0, nil }
	h := serve(t, f, c)
	get(h, "/")
	get(h, "/")
	if asked != 3 {
		t.Errorf("asked %d times for 3 versions", asked)
	}
	f.entries = f.entries[:100]
	get(h, "/")
	if asked != 6 {
		t.Errorf("asked %d times after the head moved, want 6", asked)
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	files, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	styles, scripts := 0, 0
	for name, address := range files.address {
		w := get(h, address)
		if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d, %q", address, w.Code, w.Header().Get("Cache-Control"))
		}
		for _, foreign := range []string{"url(", "@import", "@font-face", "GDS Transport", "crown", "crest"} {
			if strings.Contains(w.Body.String(), foreign) {
				t.Errorf("%s holds %q", name, foreign)
			}
		}
		r := httptest.NewRequest(http.MethodGet, address, nil)
		r.Header.Set("Accept-Encoding", "br, gzip")
		packed := httptest.NewRecorder()
		h.ServeHTTP(packed, r)
		if strings.HasSuffix(name, ".js") {
			scripts = max(scripts, packed.Body.Len())
		} else {
			styles += packed.Body.Len()
		}
		if packed.Header().Get("Content-Encoding") != "gzip" {
			continue
		}
		if z, err := gzip.NewReader(packed.Body); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if plain, err := io.ReadAll(z); err != nil || string(plain) != w.Body.String() {
			t.Errorf("%s: packed, it is another file: %v", name, err)
		}
	}
	if styles > 40<<10 || scripts > 90<<10 {
		t.Errorf("%d bytes of style sheets and %d of the longest script, packed; at most 40 and 90 KiB", styles, scripts)
	}
	for _, address := range []string{"/assets/govuk.css", "/assets/README.md", "/assets/..%2fweb.go", "/assets/"} {
		if w := get(h, address); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
}

func TestARealLedgerCarriesNoWarning(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.genesis.Demonstration = false
	c := config(f)
	c.Clock, c.Notice = RealTime, ""
	body := get(serve(t, f, c), "/").Body.String()
	if strings.Contains(body, "Demonstration keys") || strings.Contains(body, "Study time") {
		t.Error("a warning stands where there is nothing to warn of")
	}
}

func TestConfigIsAsked(t *testing.T) {
	t.Parallel()
	f := newFake()
	for name, spoil := range map[string]func(*Config){
		"Model":  func(c *Config) { c.Model = nil },
		"Ledger": func(c *Config) { c.Ledger = nil },
		"Now":    func(c *Config) { c.Now = nil },
		"Verify": func(c *Config) { c.Verify = nil },
		"Clock":  func(c *Config) { c.Clock = "sundial" },
	} {
		c := config(f)
		spoil(&c)
		if err := Register(gin.New(), c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
