package usdm

import "fmt"

// chain returns the objects of a list in the order of their previousId and
// nextId. Either field may carry the order alone; where both do they must
// agree. A list in which nobody names a neighbour keeps the file's order. A
// link to an object outside the list, two beginnings and a ring are refused:
// any order made from them would be a guess.
func (d *decoder) chain(nodes []*node) ([]*node, error) {
	if d.err != nil || len(nodes) < 2 {
		return nodes, d.err
	}
	at := make(map[string]int, len(nodes))
	for i, n := range nodes {
		id := d.need(n, "id")
		if _, twice := at[id]; twice && d.err == nil {
			d.fail(n.fields["id"], "%q is in the list twice", id)
		}
		at[id] = i
	}
	links := linking{d: d, nodes: nodes, at: at, next: make([]int, len(nodes)), prev: make([]int, len(nodes))}
	for i := range nodes {
		links.next[i], links.prev[i] = -1, -1
	}
	if !links.read() {
		return nodes, d.err
	}
	return links.walk()
}

type linking struct {
	d          *decoder
	nodes      []*node
	at         map[string]int
	next, prev []int
}

// read collects the links and says whether there is any.
func (l *linking) read() bool {
	linked := false
	for i, n := range l.nodes {
		for _, name := range []string{"previousId", "nextId"} {
			id := l.d.text(n, name)
			if id == "" {
				continue
			}
			linked = true
			j, known := l.at[id]
			if !known {
				l.d.fail(n.fields[name], "no object of the same list has the id %q", id)
				return false
			}
			if name == "nextId" {
				l.link(i, j, n.fields[name])
			} else {
				l.link(j, i, n.fields[name])
			}
		}
	}
	return linked && l.d.err == nil
}

func (l *linking) link(from, to int, field *node) {
	if (l.next[from] != -1 && l.next[from] != to) || (l.prev[to] != -1 && l.prev[to] != from) {
		l.d.fail(field, "disagrees with the previousId or nextId of another object; one order only")
		return
	}
	l.next[from], l.prev[to] = to, from
}

func (l *linking) walk() ([]*node, error) {
	head := -1
	for i := range l.nodes {
		if l.prev[i] != -1 {
			continue
		}
		if head != -1 {
			return nil, fmt.Errorf("usdm: %s.previousId: a second beginning beside %s; the list must be one chain", l.nodes[i].path(), l.nodes[head].path())
		}
		head = i
	}
	if head == -1 {
		return nil, fmt.Errorf("usdm: %s.previousId: the list runs in a ring; one object must have no previousId", l.nodes[0].path())
	}
	out := make([]*node, 0, len(l.nodes))
	for i := head; i != -1; i = l.next[i] {
		out = append(out, l.nodes[i])
	}
	if len(out) != len(l.nodes) {
		return nil, fmt.Errorf("usdm: %s.nextId: the chain from here reaches %d of %d objects; the others run in a ring", l.nodes[head].path(), len(out), len(l.nodes))
	}
	return out, nil
}
