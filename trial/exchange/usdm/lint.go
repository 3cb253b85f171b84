package usdm

import (
	"regexp"
	"strconv"
	"strings"
)

// Severity says how much a finding matters.
type Severity uint8

// A note is worth knowing, a warning is to be settled before registering.
const (
	SeverityNote Severity = iota
	SeverityWarning
)

func (s Severity) String() string {
	return [...]string{"note", "warning"}[s]
}

// Lint is one finding about a definition that was read all the same: where,
// what, and what to do about it.
type Lint struct {
	Path     string
	Severity Severity
	Text     string
	Remedy   string
}

func (l Lint) String() string {
	return l.Severity.String() + ": " + l.Path + ": " + l.Text + "; " + l.Remedy
}

// maxLints bounds the findings of one file: a hostile file may hold one in
// every field.
const maxLints = 500

func (d *decoder) warn(n *node, text, remedy string) {
	if len(d.lints) < maxLints {
		d.lints = append(d.lints, Lint{Path: n.path(), Severity: SeverityWarning, Text: clip(text), Remedy: remedy})
	}
}

// placeholders are words that authors leave where content is to follow.
var placeholders = regexp.MustCompile(`(?i)^[\s*\[<(]*(to be (determined|decided|confirmed|completed|added|supplied)|tb[dcas]|not set|lorem ipsum|x{3,}|placeholder|insert .* here)\b`)

func isPlaceholder(s string) bool { return placeholders.MatchString(s) }

func quoted(s string) string { return strconv.Quote(clip(s)) }

// clip keeps a complaint readable when the file holds a book in a field.
func clip(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

// tidyNumber writes 50.0 as 50 and leaves every other number as it stands.
func tidyNumber(s string) string {
	if whole, fraction, found := strings.Cut(s, "."); found && fraction != "" && strings.Trim(fraction, "0") == "" {
		return whole
	}
	return s
}
