package web

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// needed skips a test for want of a tool, unless TRIALITH_REQUIRE names it.
func needed(t *testing.T, tool, how string) {
	t.Helper()
	if strings.Contains(os.Getenv("TRIALITH_REQUIRE"), tool) {
		t.Fatalf("%s is required: %s", tool, how)
	}
	t.Skipf("%s is not here: %s", tool, how)
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	needed(t, "chromium", "install it and have it on the PATH")
	return ""
}

// axeCore is the checker of accessibility, which is not shipped with the project.
func axeCore(t *testing.T) string {
	t.Helper()
	path := os.Getenv("TRIALITH_AXE")
	if path == "" {
		needed(t, "axe", "set TRIALITH_AXE to axe.min.js of axe-core")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func browser(t *testing.T, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options,
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// violation is what axe-core finds.
type violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML           string `json:"html"`
		FailureSummary string `json:"failureSummary"`
	} `json:"nodes"`
}

// Every page, on a phone and on a desktop, has no fault that axe-core can find,
// does not scroll sideways, and is drawn with its style sheets.
func TestPagesInABrowser(t *testing.T) {
	axe, ctx := axeCore(t), browser(t)
	f := newFake()
	server := httptest.NewServer(serve(t, f, config(f)))
	t.Cleanup(server.Close)
	study := "/studies/" + studyID.String()
	pages := map[string]string{
		"home": "/", "mistake": "/check?q=", "study": study, "new-study": "/studies/" + otherID.String(), "version": study + "/versions/2",
		"leaf": study + "/leaves/" + leafName.String(), "ledger": "/ledger?page=2", "entry": "/ledger/" + f.entries[4].Hash.String(),
		"refused": "/ledger/" + f.entries[3].Hash.String(), "verify": "/verify", "limits": "/limits",
		"missing": "/nowhere", "unknown": "/check?q=unknown", "choice": "/check?q=trial/0",
	}
	for name, address := range pages {
		for _, width := range []int64{390, 1280} {
			t.Run(fmt.Sprintf("%s at %d", name, width), func(t *testing.T) {
				look(t, ctx, axe, server.URL+address, name, width)
			})
		}
	}
	witnessed := newFake()
	witnessed.cosigned = cosignedOf(t, witnessed)
	c := config(witnessed)
	c.Witnesses = quorum{}
	seen := httptest.NewServer(serve(t, witnessed, c))
	t.Cleanup(seen.Close)
	for _, width := range []int64{390, 1280} {
		t.Run(fmt.Sprintf("witnessed at %d", width), func(t *testing.T) {
			look(t, ctx, axe, seen.URL+study, "witnessed", width)
		})
	}
	t.Run("report", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "evidence.trialith")
		if err := os.WriteFile(file, []byte("bytes"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx,
			chromedp.Navigate(server.URL+"/verify"), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}),
			chromedp.Click(chromedp.CSS("main form button")), chromedp.WaitVisible(chromedp.CSS("table caption")),
		); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{390, 1280} {
			look(t, ctx, axe, "", "report", width)
		}
	})
}

// look examines an address, or where there is none the page that is open.
func look(t *testing.T, ctx context.Context, axe, address, name string, width int64) {
	t.Helper()
	steps := []chromedp.Action[chromedp.Void]{chromedp.EmulateViewport(width, 900)}
	if address != "" {
		steps = append(steps, chromedp.Navigate(address))
	}
	if err := chromedp.Do(ctx, append(steps, chromedp.Evaluate[chromedp.Void](axe))...); err != nil {
		t.Fatal(err)
	}
	wide := evaluate[int64](t, ctx, `document.documentElement.scrollWidth`)
	window := evaluate[int64](t, ctx, `window.innerWidth`)
	if wide > window || window != width {
		t.Errorf("the page is %d wide in a window of %d, asked for %d", wide, window, width)
	}
	if weight := evaluate[string](t, ctx, `getComputedStyle(document.querySelector("h1")).fontWeight`); weight != "700" {
		t.Errorf("weight of the main heading: %s, want 700: its style sheet is missing", weight)
	}
	for _, v := range evaluate[[]violation](t, ctx, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations)`) {
		t.Errorf("%s (%s): %s", v.ID, v.Impact, v.Help)
		for _, n := range v.Nodes {
			t.Logf("  %s\n  %s", n.HTML, n.FailureSummary)
		}
	}
	if dir := os.Getenv("TRIALITH_SCREENSHOTS"); dir != "" {
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.60s: %v", expression, err)
	}
	return v
}
