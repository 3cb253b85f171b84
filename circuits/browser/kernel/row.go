package kernel

// rows makes row(list, n, ab, c): the two sides of one constraint,
// ab = [Σ left, Σ right], and c = their product in both lanes. Each of the n
// entries of the list is four addresses of plain elements: coefficient and wire of
// a term on the left, coefficient and wire of one on the right. A side with fewer
// terms is filled up with zeros.
//
// In and out: reduced.
func (k *kernel) rows() {
	f, arg := k.function("row", 4)
	list, n, ab, c := arg[0], arg[1], arg[2].at(0), arg[3].at(0)
	x, y, fr := scratch(0), scratch(1), k.fr
	f.copy(ab, k.zero)
	f.repeat(n, func() {
		f.address(x).point(list, 0, 0).point(list, 8, 0).call(k.gather)
		f.address(y).point(list, 4, 0).point(list, 12, 0).call(k.gather)
		f.mul(fr, x, x, y)
		f.add(fr, ab, ab, x)
		f.step(list, 16)
	})
	f.swap(x, ab)
	f.mul(fr, c, ab, x)
}
