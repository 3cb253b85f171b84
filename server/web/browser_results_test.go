package web

import (
	"fmt"
	"net/http/httptest"
	"testing"
)

// A study under way and one that is over, on a phone and on a desktop.
func TestResultsInABrowser(t *testing.T) {
	axe, ctx := axeCore(t), browser(t)
	for name, has := range map[string]told{"sealed": watchedStudy(), "published": publishedStudy()} {
		f := newFake()
		f.told = has
		server := httptest.NewServer(serve(t, f, config(f)))
		t.Cleanup(server.Close)
		for _, width := range []int64{390, 1280} {
			t.Run(fmt.Sprintf("%s at %d", name, width), func(t *testing.T) {
				look(t, ctx, axe, server.URL+"/studies/"+studyID.String(), name, width)
				const drawn = `[...document.querySelectorAll("img")].every(i => i.complete && i.naturalWidth > 0) && document.querySelector(".t-chart img").currentSrc`
				want := fmt.Sprintf("%s%s", server.URL, chartAddress(studyID, 1, map[int64]string{390: "narrow", 1280: "wide"}[width]))
				if src := evaluate[any](t, ctx, drawn); src != want {
					t.Errorf("the chart shown is %v, want %s", src, want)
				}
			})
		}
	}
}
