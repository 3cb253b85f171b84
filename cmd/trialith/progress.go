package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress shows the steps of a long command: as one bar on a terminal, else as
// a line for each step with the seconds since the first.
type progress struct {
	w        io.Writer
	terminal bool
	began    time.Time
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, began: time.Now()}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// show tells of a step before it begins.
func (p *progress) show(step, of int, what string) {
	since := time.Since(p.began).Seconds()
	if !p.terminal {
		fmt.Fprintf(p.w, "%d/%d  %6.1f s  %s\n", step, of, since, what)
		return
	}
	const width = 20
	done := width * (step - 1) / max(of, 1)
	end := ""
	if step >= of {
		end = "\n" // whatever is printed next has a line of its own
	}
	fmt.Fprintf(p.w, "\r\033[K[%s%s] %d/%d %.0f s %s%s", strings.Repeat("#", done), strings.Repeat("-", width-done), step, of, since, what, end)
}
