package web

import (
	"fmt"
	"html"
	"math"
	"strings"
	"unicode"

	"github.com/trialith/trialith/trial"
)

// chart is events against expected events: one line for each arm, or one for
// all together, and the registered boundary where it is held against them.
type chart struct {
	Title  string
	Limit  *trial.Boundary // nil: the boundary is not about what is drawn
	Series []series
}

// series is what was counted at each look.
type series struct {
	Name   string
	Points []point
	Flag   *point // where it crossed the boundary; nil: it did not
}

// point is expected events and events.
type point struct{ X, Y float64 }

// maxDrawn bounds the points of one line.
const maxDrawn = 400

// canvas is the measure of a drawing, in units of its view box.
type canvas struct {
	width, plot             float64 // whole width, height of the plotted box
	left, right, top, below float64 // margins of the box
	font, line              float64
	letters                 int // of a name in the key
	ticks                   int
}

// A phone gets a drawing of its own: letters that are scaled down cannot be read.
var (
	wide   = canvas{width: 760, plot: 330, left: 60, right: 24, top: 20, below: 62, font: 15, line: 25, letters: 70, ticks: 8}
	narrow = canvas{width: 358, plot: 260, left: 42, right: 14, top: 16, below: 58, font: 14, line: 24, letters: 36, ticks: 4}
)

// scale turns counts into places in the box. Nothing is drawn outside it.
type scale struct {
	canvas
	maxX, maxY float64
}

func (s scale) x(v float64) float64 {
	return s.left + (s.width-s.left-s.right)*inside(v/s.maxX)
}

func (s scale) y(v float64) float64 { return s.top + s.plot*(1-inside(v/s.maxY)) }

func inside(share float64) float64 {
	if math.IsNaN(share) {
		return 0
	}
	return min(max(share, 0), 1)
}

// fit finds the ends of the axes.
func (c *chart) fit(on canvas) scale {
	s := scale{canvas: on}
	for _, l := range c.Series {
		for _, p := range l.Points {
			s.maxX, s.maxY = max(s.maxX, p.X), max(s.maxY, p.Y)
		}
	}
	if c.Limit != nil {
		until := expected(c.Limit.UntilMicro)
		if s.maxX == 0 || until <= 2*s.maxX {
			s.maxX = max(s.maxX, until)
		} else {
			s.maxX *= 1.5 // what is far ahead would press what is there into a corner
		}
		s.maxY = max(s.maxY, atLeast(c.Limit, min(s.maxX, until)))
	}
	s.maxX, s.maxY = max(s.maxX*1.04, 0.1), max(s.maxY+1, 4)
	return s
}

// expected is a number of millionths.
func expected(micro uint64) float64 { return float64(micro) / trial.Micro }

// draw makes the chart as an SVG document without script, style or link. What
// it shows stands in words and in a table beside it.
func (c *chart) draw(on canvas) []byte {
	s := c.fit(on)
	keys := len(c.Series)
	if c.Limit != nil {
		keys++
	}
	if c.flagged() {
		keys++
	}
	height := s.top + s.plot + s.below + float64(keys)*s.line
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" font-family="system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif" font-size="%s" fill="#0b0c0c">`,
		num(s.width), num(height), num(s.width), num(height), num(s.font))
	fmt.Fprintf(&b, `<title>%s</title><rect width="%s" height="%s" fill="#ffffff"/>`, svgText(c.Title), num(s.width), num(height))
	steps := c.steps(s)
	if steps != "" {
		fmt.Fprintf(&b, `<path d="%sV%sH%sZ" fill="#fbe9e6"/>`, steps, num(s.top), num(s.x(expected(c.Limit.FromMicro))))
	}
	axes(&b, s)
	if steps != "" {
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="#942514" stroke-width="2.5" stroke-dasharray="7 4"/>`, steps)
	}
	drawn := 0
	for i := range c.Series {
		c.Series[i].draw(&b, s, i)
		drawn += len(c.Series[i].Points)
	}
	if drawn == 0 {
		fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="middle">No look yet</text>`, num(s.left+(s.width-s.left-s.right)/2), num(s.top+s.plot/2))
	}
	c.key(&b, s)
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func (c *chart) flagged() bool {
	for _, l := range c.Series {
		if l.Flag != nil {
			return true
		}
	}
	return false
}

// atLeast is the fewest events that flag at so many expected; 0: none do.
func atLeast(b *trial.Boundary, x float64) float64 {
	for i, below := range b.Table {
		if n := i + 1; n >= int(b.MinEvents) && expected(below) > x {
			return float64(n)
		}
	}
	return float64(len(b.Table))
}

// steps is the path of the boundary: it is of steps, as events are whole. Empty
// where there is nothing to draw.
func (c *chart) steps(s scale) string {
	if c.Limit == nil {
		return ""
	}
	from, until := expected(c.Limit.FromMicro), min(expected(c.Limit.UntilMicro), s.maxX)
	if until <= from {
		return ""
	}
	var path strings.Builder
	y := atLeast(c.Limit, from)
	fmt.Fprintf(&path, "M%s %s", num(s.x(from)), num(s.y(y)))
	for y <= s.maxY && int(y) <= len(c.Limit.Table) {
		x := min(expected(c.Limit.Table[int(y)-1]), until)
		fmt.Fprintf(&path, "H%s", num(s.x(x)))
		if x >= until {
			break
		}
		if y = atLeast(c.Limit, x); y <= s.maxY {
			fmt.Fprintf(&path, "V%s", num(s.y(y)))
		}
	}
	return path.String()
}

func axes(b *strings.Builder, s scale) {
	bottom, end := s.top+s.plot, s.width-s.right
	for v, step := 0.0, step(s.maxY, 6, 1); v <= s.maxY; v += step {
		y := num(s.y(v))
		fmt.Fprintf(b, `<path d="M%s %sH%s" stroke="#d8d5ce" stroke-width="1"/>`, num(s.left), y, num(end))
		fmt.Fprintf(b, `<text x="%s" y="%s" text-anchor="end">%s</text>`, num(s.left-8), num(s.y(v)+s.font/3), num(v))
	}
	for v, step := 0.0, step(s.maxX, s.ticks, 0); v <= s.maxX; v += step {
		x := num(s.x(v))
		fmt.Fprintf(b, `<path d="M%s %sv6" stroke="#0b0c0c" stroke-width="1"/>`, x, num(bottom))
		fmt.Fprintf(b, `<text x="%s" y="%s" text-anchor="middle">%s</text>`, x, num(bottom+8+s.font), num(v))
	}
	fmt.Fprintf(b, `<path d="M%s %sV%sH%s" fill="none" stroke="#0b0c0c" stroke-width="1.5"/>`, num(s.left), num(s.top), num(bottom), num(end))
	fmt.Fprintf(b, `<text x="%s" y="%s" text-anchor="end">Events expected</text>`, num(end), num(bottom+16+2*s.font))
	fmt.Fprintf(b, `<text x="%s" y="%s">Events</text>`, num(s.left+8), num(s.top+s.font-2))
}

// step is a round distance between marks, at least least.
func step(upTo float64, marks int, least float64) float64 {
	rough := upTo / float64(marks)
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, n := range []float64{1, 2, 5, 10} {
		if v := n * unit; v >= rough {
			return max(v, least)
		}
	}
	return max(10*unit, least)
}

// Lines differ by form and by dashes, not by colour alone.
var (
	colours = []string{"#12436d", "#8a4b08", "#801650", "#1d6f5c"}
	dashes  = []string{"", "9 4", "3 3", "12 3 3 3"}
)

func (l *series) draw(b *strings.Builder, s scale, i int) {
	points := thin(l.Points)
	if len(points) > 1 {
		fmt.Fprintf(b, `<path d="M`)
		for _, p := range points {
			fmt.Fprintf(b, "%s %s ", num(s.x(p.X)), num(s.y(p.Y)))
		}
		fmt.Fprintf(b, `" fill="none" stroke="%s" stroke-width="2"%s/>`, colours[i%len(colours)], dashed(i))
	}
	for _, p := range points {
		marker(b, s.x(p.X), s.y(p.Y), i)
	}
	if l.Flag != nil {
		ring(b, s.x(l.Flag.X), s.y(l.Flag.Y))
	}
}

func dashed(i int) string {
	if d := dashes[i%len(dashes)]; d != "" {
		return ` stroke-dasharray="` + d + `"`
	}
	return ""
}

// thin leaves out points of a line that has too many to be seen apart.
func thin(points []point) []point {
	if len(points) <= maxDrawn {
		return points
	}
	var out []point
	for i := range maxDrawn {
		out = append(out, points[i*(len(points)-1)/(maxDrawn-1)])
	}
	return out
}

func marker(b *strings.Builder, x, y float64, i int) {
	fill := colours[i%len(colours)]
	switch i % 4 {
	case 0:
		fmt.Fprintf(b, `<circle cx="%s" cy="%s" r="4" fill="%s"/>`, num(x), num(y), fill)
	case 1:
		fmt.Fprintf(b, `<path d="M%s %sh8v8h-8z" fill="%s"/>`, num(x-4), num(y-4), fill)
	case 2:
		fmt.Fprintf(b, `<path d="M%s %sl5 9h-10z" fill="%s"/>`, num(x), num(y-5), fill)
	default:
		fmt.Fprintf(b, `<path d="M%s %sl5 5l-5 5l-5 -5z" fill="%s"/>`, num(x), num(y-5), fill)
	}
}

func ring(b *strings.Builder, x, y float64) {
	fmt.Fprintf(b, `<circle cx="%s" cy="%s" r="9" fill="none" stroke="#942514" stroke-width="2.5"/>`, num(x), num(y))
}

// key says what each line is, below the box.
func (c *chart) key(b *strings.Builder, s scale) {
	y := s.top + s.plot + s.below
	text := func(words string) {
		fmt.Fprintf(b, `<text x="%s" y="%s">%s</text>`, num(s.left+44), num(y+s.font/3), svgText(clipped(words, s.letters)))
		y += s.line
	}
	for i, l := range c.Series {
		fmt.Fprintf(b, `<path d="M%s %sh34" stroke="%s" stroke-width="2"%s/>`, num(s.left), num(y), colours[i%len(colours)], dashed(i))
		marker(b, s.left+17, y, i)
		text(l.Name)
	}
	if c.Limit != nil {
		fmt.Fprintf(b, `<path d="M%s %sh34" stroke="#942514" stroke-width="2.5" stroke-dasharray="7 4"/>`, num(s.left), num(y))
		text("Boundary: flagged on it or above")
	}
	if c.flagged() {
		ring(b, s.left+17, y)
		text("Where it was crossed")
	}
}

func clipped(s string, letters int) string {
	r := []rune(s)
	if len(r) <= letters {
		return s
	}
	return string(r[:letters-1]) + "…"
}

// svgText is a text that XML can hold.
func svgText(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s))
}

// num writes a number shortly, to a hundredth.
func num(v float64) string {
	s := strings.TrimRight(fmt.Sprintf("%.2f", v), "0")
	return strings.TrimSuffix(s, ".")
}
