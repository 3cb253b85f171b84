package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// panel is one small plot: one line, a point with its value for each step.
type panel struct {
	title  string
	format string // of a value
	points []point
}

type point struct {
	name  string // of the step
	value float64
}

// Sizes in the plot's own units.
const (
	panelWide, panelHigh = 300, 170
	panelsInRow          = 2
	plotLeft, plotRight  = 34, 34
	plotTop, plotBottom  = 52, 34
	titleHigh            = 50
)

// svgStyle is dark on light and, where the reader's system asks for it, light
// on dark. Nothing is said by colour alone: every point has its value in text.
const svgStyle = `<style>
.paper{fill:#fff}.ink{fill:#1b1b1b}.line{stroke:#1b1b1b;fill:none;stroke-width:1.5}.axis{stroke:#767676;stroke-width:1}
text{font-family:system-ui,sans-serif;font-size:11px}.head{font-size:15px;font-weight:600}.name{font-size:12px;font-weight:600}
@media (prefers-color-scheme:dark){.paper{fill:#121212}.ink{fill:#ededed}.line{stroke:#ededed}.axis{stroke:#9a9a9a}}
</style>
`

// svg draws panels side by side. The title and a description that holds every
// value stand first, for readers who do not see the drawing.
func svg(title string, panels []panel) string {
	rows := (len(panels) + panelsInRow - 1) / panelsInRow
	wide, high := panelsInRow*panelWide, titleHigh+rows*panelHigh
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">`+"\n", wide, high)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", html.EscapeString(title), html.EscapeString(describe(panels)))
	b.WriteString(svgStyle)
	fmt.Fprintf(&b, `<rect class="paper" width="%d" height="%d"/>`+"\n", wide, high)
	fmt.Fprintf(&b, `<text class="ink head" x="12" y="22">%s</text>`+"\n", html.EscapeString(title))
	b.WriteString(`<text class="ink" x="12" y="40">Across: entries in the ledger. The line below each plot is zero.</text>` + "\n")
	for i, p := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", i%panelsInRow*panelWide, titleHigh+i/panelsInRow*panelHigh)
		p.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func describe(panels []panel) string {
	var b strings.Builder
	for _, p := range panels {
		fmt.Fprintf(&b, "%s: ", p.title)
		for i, q := range p.points {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s at %s entries", p.label(q), q.name)
		}
		b.WriteString(". ")
	}
	return strings.TrimSpace(b.String())
}

func (p panel) label(q point) string { return fmt.Sprintf(p.format, q.value) }

// draw draws the panel from 0 up, the steps at equal distances.
func (p panel) draw(b *strings.Builder) {
	fmt.Fprintf(b, `<text class="ink name" x="12" y="20">%s</text>`+"\n", html.EscapeString(p.title))
	fmt.Fprintf(b, `<path class="axis" d="M%d %dH%d"/>`+"\n", plotLeft-16, panelHigh-plotBottom, panelWide-plotRight+16)
	top := 0.0
	for _, q := range p.points {
		top = max(top, q.value)
	}
	var line strings.Builder
	for i, q := range p.points {
		x, y := p.place(i, q.value, top)
		fmt.Fprintf(&line, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], x, y)
		fmt.Fprintf(b, `<circle class="ink" cx="%.1f" cy="%.1f" r="3"/>`+"\n", x, y)
		fmt.Fprintf(b, `<text class="ink" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", x, y-8, html.EscapeString(p.label(q)))
		fmt.Fprintf(b, `<text class="ink" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x, panelHigh-plotBottom+16, html.EscapeString(q.name))
	}
	if line.Len() > 0 {
		fmt.Fprintf(b, `<path class="line" d="%s"/>`+"\n", line.String())
	}
}

// place is where the i-th point is.
func (p panel) place(i int, value, top float64) (x, y float64) {
	x = plotLeft + float64(panelWide-plotLeft-plotRight)*float64(i)/math.Max(1, float64(len(p.points)-1))
	y = panelHigh - plotBottom
	if top > 0 {
		y -= float64(panelHigh-plotTop-plotBottom) * value / top
	}
	return x, y
}
