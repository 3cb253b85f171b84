package usdm

import (
	"strings"

	"golang.org/x/net/html"
)

// maxHops bounds how often a template tag may lead to text that holds another.
const maxHops = 4

// words is the plain text of a field that may hold markup and template tags.
func (d *decoder) words(n *node, name string) string {
	field := d.get(n, name, kindString)
	if field == nil {
		return ""
	}
	return d.plain(field, field.text, d.dictionary(n), 0)
}

func (d *decoder) needWords(n *node, name string) string {
	s := d.words(n, name)
	if s == "" && d.err == nil {
		d.absent(n, name)
	}
	return s
}

// dictionary returns the tags of an object's syntax template dictionary, or nil.
func (d *decoder) dictionary(n *node) map[string]string {
	id := d.text(n, "dictionaryId")
	if id == "" {
		return nil
	}
	if tags, read := d.dictionaries[id]; read {
		return tags
	}
	found := d.byID[id]
	if found == nil || class(found) != "SyntaxTemplateDictionary" {
		d.warn(n.fields["dictionaryId"], "no dictionary has the id "+quoted(id), "add the dictionary or remove its id")
		return nil
	}
	tags := map[string]string{}
	for _, m := range d.list(found, "parameterMaps") {
		tags[d.need(m, "tag")] = d.text(m, "reference")
	}
	d.dictionaries[id] = tags
	return tags
}

// plain turns markup into lines of text and resolves template tags. What
// cannot be resolved stays, in square brackets, and is reported at field.
func (d *decoder) plain(field *node, markup string, dictionary map[string]string, hops int) string {
	// A tag costs work even where it brings in no text.
	if d.prose += len(markup) + 64; d.prose > MaxProse {
		d.fail(field, "more than %d bytes of text with this one; template tags may unfold without end", MaxProse)
		return ""
	}
	var out prose
	tokens := html.NewTokenizer(strings.NewReader(markup))
	skip := ""
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return out.String()
		case html.TextToken:
			if skip == "" {
				out.text(tokens.Token().Data)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			switch {
			case token.Data == "script" || token.Data == "style":
				skip = token.Data
			case skip != "":
			case token.Data == "usdm:tag":
				out.text(d.tag(field, attribute(token, "name"), dictionary, hops))
			case token.Data == "usdm:ref":
				out.text(d.reference(field, token, dictionary, hops))
			default:
				out.open(token.Data)
			}
		case html.EndTagToken:
			token := tokens.Token()
			if token.Data == skip {
				skip = ""
			}
			out.close(token.Data)
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

// tag resolves <usdm:tag name="min_age"/> through the dictionary.
func (d *decoder) tag(field *node, name string, dictionary map[string]string, hops int) string {
	markup, found := dictionary[name]
	switch {
	case found && hops < maxHops:
		return d.plain(field, markup, dictionary, hops+1)
	case found:
		d.warn(field, "the template tag "+quoted(name)+" leads to itself", "end the chain of tags in plain words")
		return "[" + name + "]"
	}
	d.warn(field, "the template tag "+quoted(name)+" has no entry in a dictionary", "add it to the dictionary or write the words")
	return "[" + name + "]"
}

// reference resolves <usdm:ref klass="Quantity" id="Quantity_9" attribute="value"/>.
func (d *decoder) reference(field *node, token html.Token, dictionary map[string]string, hops int) string {
	klass, id, name := attribute(token, "klass"), attribute(token, "id"), attribute(token, "attribute")
	unresolved := "[" + klass + " " + id + " " + name + "]"
	target := d.byID[id]
	if target == nil || class(target) != klass {
		d.warn(field, "no "+klass+" has the id "+quoted(id), "correct the reference or write the words")
		return unresolved
	}
	value := target.fields[name]
	switch {
	case value == nil:
	case value.kind == kindNumber:
		return tidyNumber(value.text)
	case value.kind == kindString && hops < maxHops:
		return d.plain(field, value.text, dictionary, hops+1)
	case value.kind == kindObject && d.codeOf(value).Words != "":
		return d.codeOf(value).Words
	}
	d.warn(field, "the reference to "+id+"."+name+" holds no words", "correct the reference or write the words")
	return unresolved
}

func attribute(token html.Token, name string) string {
	for _, a := range token.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// prose gathers text: runs of white space become one space, block elements
// become lines, list items begin with a dash.
type prose struct {
	lines   []string
	line    strings.Builder
	pending bool // a space is due before the next word
}

func (p *prose) text(s string) {
	for _, r := range s {
		switch r {
		case ' ', '\t', '\n', '\r', '\f', '\u00a0', '\u200b', '\ufeff':
			p.pending = true
		default:
			if p.pending && p.line.Len() > 0 {
				p.line.WriteByte(' ')
			}
			p.pending = false
			p.line.WriteRune(r)
		}
	}
}

func (p *prose) open(tag string) {
	switch tag {
	case "li":
		p.end()
		p.line.WriteByte('-')
		p.pending = true
	case "td", "th":
		if p.line.Len() > 0 {
			p.text(" | ")
		}
	case "p", "div":
		// A paragraph inside a list item or a cell stays on its line.
		if p.line.String() != "-" && !strings.HasSuffix(p.line.String(), " |") {
			p.end()
		}
	case "br", "tr", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6":
		p.end()
	}
}

func (p *prose) close(tag string) {
	switch tag {
	case "p", "div", "li", "tr", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6":
		p.end()
	}
}

func (p *prose) end() {
	if line := p.line.String(); line != "" && line != "-" {
		p.lines = append(p.lines, line)
	}
	p.line.Reset()
	p.pending = false
}

func (p *prose) String() string {
	p.end()
	return strings.Join(p.lines, "\n")
}
