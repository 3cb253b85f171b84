package usdm

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// reader takes typed fields out of nodes. The first wrong type or missing
// field is kept in err and names its path; what is read after that is empty,
// so that a whole object can be read before looking.
type reader struct {
	err  error
	byID map[string]*node
}

func (r *reader) fail(n *node, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("usdm: %s: %s", n.path(), fmt.Sprintf(format, args...))
	}
}

// get returns the field, or nil where it is absent or null. The two mean the
// same in USDM.
func (r *reader) get(n *node, name string, want kind) *node {
	if n == nil {
		return nil
	}
	if n.kind != kindObject {
		r.fail(n, "a %s where an object is expected", n.kind)
		return nil
	}
	field := n.fields[name]
	if field == nil || field.kind == kindNull {
		return nil
	}
	if field.kind != want {
		r.fail(field, "a %s where a %s is expected", field.kind, want)
		return nil
	}
	return field
}

func (r *reader) text(n *node, name string) string {
	if field := r.get(n, name, kindString); field != nil {
		return field.text
	}
	return ""
}

// need is text for a field without which the object means nothing.
func (r *reader) need(n *node, name string) string {
	s := r.text(n, name)
	if s == "" && r.err == nil {
		r.absent(n, name)
	}
	return s
}

func (r *reader) absent(n *node, name string) {
	missing := &node{parent: n, key: name}
	r.fail(missing, "the field is absent or empty; USDM requires it")
}

func (r *reader) flag(n *node, name string) bool {
	field := r.get(n, name, kindBool)
	return field != nil && field.text == "true"
}

func (r *reader) object(n *node, name string) *node { return r.get(n, name, kindObject) }

// list returns the objects of a list; an absent list is an empty one.
func (r *reader) list(n *node, name string) []*node {
	field := r.get(n, name, kindList)
	if field == nil {
		return nil
	}
	if len(field.items) > MaxList {
		r.fail(field, "%d entries; at most %d", len(field.items), MaxList)
		return nil
	}
	for _, item := range field.items {
		if item.kind != kindObject {
			r.fail(item, "a %s where an object is expected", item.kind)
			return nil
		}
	}
	return field.items
}

// ids returns the strings of a list of ids.
func (r *reader) ids(n *node, name string) []string {
	field := r.get(n, name, kindList)
	if field == nil {
		return nil
	}
	out := make([]string, 0, len(field.items))
	for _, item := range field.items {
		if item.kind != kindString {
			r.fail(item, "a %s where an id is expected", item.kind)
			return nil
		}
		out = append(out, item.text)
	}
	return out
}

// code returns the words of a Code, or of the standard code of an AliasCode.
func (r *reader) code(n *node, name string) Code { return r.codeOf(r.object(n, name)) }

func (r *reader) codeOf(c *node) Code {
	if c == nil {
		return Code{}
	}
	if standard := r.object(c, "standardCode"); standard != nil {
		c = standard
	}
	return Code{System: r.text(c, "codeSystem"), Code: r.text(c, "code"), Words: r.text(c, "decode")}
}

func (r *reader) codes(n *node, name string) []Code {
	var out []Code
	for _, c := range r.list(n, name) {
		out = append(out, r.codeOf(c))
	}
	return out
}

// quantity reads a Quantity. Its value may be written as 300 or 300.0 but
// must be a whole number within range.
func (r *reader) quantity(n *node, name string) *Quantity {
	q := r.object(n, name)
	if q == nil {
		return nil
	}
	value := r.get(q, "value", kindNumber)
	if value == nil {
		r.absent(q, "value")
		return nil
	}
	return &Quantity{Value: whole(value.text), Text: tidyNumber(value.text), Unit: r.code(q, "unit").Words}
}

// whole returns the whole number that s stands for, or nil.
func whole(s string) *uint32 {
	v, err := strconv.ParseUint(tidyNumber(s), 10, 32)
	if err != nil {
		return nil
	}
	out := uint32(v)
	return &out
}

// index maps each id in the file to its object. CDISC's own v3.11 files write
// an object again where a second place uses it, so a repeated id is refused
// only where the two objects differ.
func (r *reader) index(n *node) error {
	if n.kind == kindObject {
		if id := n.fields["id"]; id != nil && id.kind == kindString && id.text != "" {
			if err := r.place(id.text, n); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(n.fields)) {
			if err := r.index(n.fields[name]); err != nil {
				return err
			}
		}
		return nil
	}
	for _, item := range n.items {
		if err := r.index(item); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) place(id string, n *node) error {
	first, taken := r.byID[id]
	if !taken {
		r.byID[id] = n
		return nil
	}
	if !same(first, n) {
		return fmt.Errorf("usdm: %s.id: %q is also the id of another object, %s; ids are unique in a file", n.path(), id, first.path())
	}
	return nil
}

func same(a, b *node) bool {
	if a.kind != b.kind || a.text != b.text || len(a.items) != len(b.items) || len(a.fields) != len(b.fields) {
		return false
	}
	for i := range a.items {
		if !same(a.items[i], b.items[i]) {
			return false
		}
	}
	for name, field := range a.fields {
		if other := b.fields[name]; other == nil || !same(field, other) {
			return false
		}
	}
	return true
}

func class(n *node) string {
	if t := n.fields["instanceType"]; t != nil {
		return t.text
	}
	return ""
}
