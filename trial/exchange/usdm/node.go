package usdm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of one study definition. The largest published sample is 1.7 MB with
// 16,000 values at depth 16.
const (
	// MaxBytes is the largest file that Decode reads.
	MaxBytes = 8 << 20
	// MaxDepth is the deepest nesting of objects and lists.
	MaxDepth = 48
	// MaxValues is the largest number of JSON values in one file.
	MaxValues = 400_000
	// MaxList is the largest number of entries of a list that is read.
	MaxList = 5_000
	// MaxProse is how many bytes of marked-up text are turned into plain text,
	// those that template tags bring in counted each time: without it a short
	// file of tags that lead to tags would unfold without end.
	MaxProse = 4 * MaxBytes
)

// kind is the JSON type of a node.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindList
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "list", "object"}[k]
}

// node is one JSON value that knows where it stands, so that every complaint
// can name its field.
type node struct {
	parent *node
	key    string // name in the parent object
	index  int    // position in the parent list
	kind   kind
	text   string // of a string, number or boolean
	items  []*node
	fields map[string]*node
}

// path is the node's place in the file, such as
// study.versions[0].titles[2].text.
func (n *node) path() string {
	if n.parent == nil {
		return "file"
	}
	var parts []string
	for at := n; at.parent != nil; at = at.parent {
		if at.parent.kind == kindList {
			parts = append(parts, "["+strconv.Itoa(at.index)+"]")
			continue
		}
		parts = append(parts, "."+at.key)
	}
	var b strings.Builder
	for _, part := range slices.Backward(parts) {
		b.WriteString(part)
	}
	return strings.TrimPrefix(b.String(), ".")
}

// parse reads one JSON document within the limits.
func parse(r io.Reader) (*node, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("usdm: reading the file: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("usdm: file: more than %d bytes; a study definition is smaller, remove embedded documents", MaxBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, errors.New("usdm: file: not UTF-8; save it as UTF-8")
	}
	if first := bytes.TrimLeft(data, " \t\r\n"); bytes.HasPrefix(first, []byte("//")) || bytes.HasPrefix(first, []byte("/*")) {
		return nil, errors.New("usdm: file: starts with a comment, which JSON does not allow; remove the comment lines")
	}
	p := parser{dec: json.NewDecoder(bytes.NewReader(data)), data: data}
	p.dec.UseNumber()
	root := &node{}
	if err := p.value(root, 0); err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("usdm: file: bytes after the end of the document at line %d; keep one document in a file", p.line())
	}
	return root, nil
}

type parser struct {
	dec    *json.Decoder
	data   []byte
	values int
}

func (p *parser) line() int {
	return 1 + bytes.Count(p.data[:min(p.dec.InputOffset(), int64(len(p.data)))], []byte("\n"))
}

func (p *parser) value(n *node, depth int) error {
	token, err := p.token(n)
	if err != nil {
		return err
	}
	if p.values++; p.values > MaxValues {
		return fmt.Errorf("usdm: %s: more than %d values in the file", n.path(), MaxValues)
	}
	switch t := token.(type) {
	case nil:
		n.kind = kindNull
	case bool:
		n.kind, n.text = kindBool, strconv.FormatBool(t)
	case json.Number:
		n.kind, n.text = kindNumber, t.String()
	case string:
		n.kind, n.text = kindString, t
	case json.Delim:
		if depth++; depth > MaxDepth {
			return fmt.Errorf("usdm: %s: nested deeper than %d levels", n.path(), MaxDepth)
		}
		if t == '[' {
			return p.list(n, depth)
		}
		return p.object(n, depth)
	}
	return nil
}

func (p *parser) list(n *node, depth int) error {
	n.kind = kindList
	for p.dec.More() {
		item := &node{parent: n, index: len(n.items)}
		if err := p.value(item, depth); err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	_, err := p.token(n)
	return err
}

func (p *parser) object(n *node, depth int) error {
	n.kind, n.fields = kindObject, map[string]*node{}
	for p.dec.More() {
		token, err := p.token(n)
		if err != nil {
			return err
		}
		key, _ := token.(string) // the decoder admits nothing else as a name
		field := &node{parent: n, key: key}
		// Two readers of a repeated field may each see another value.
		if _, twice := n.fields[key]; twice {
			return fmt.Errorf("usdm: %s: the field is there twice; keep one", field.path())
		}
		if err := p.value(field, depth); err != nil {
			return err
		}
		n.fields[key] = field
	}
	_, err := p.token(n)
	return err
}

func (p *parser) token(n *node) (json.Token, error) {
	token, err := p.dec.Token()
	if err == nil {
		return token, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("usdm: %s: the file ends here, at line %d, before the document does; it was cut short", n.path(), p.line())
	}
	return nil, fmt.Errorf("usdm: %s: not JSON at line %d: %w", n.path(), p.line(), err)
}
