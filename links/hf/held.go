package hf

import "sallyport/links"

// held are the marks that we hold of the peer's lanes, as far as the link knows. Every greeting tells all of them: one that is silent of
// a lane says that nothing of it is held.
type held [links.Lanes]links.Mark

// learn takes a mark that goes further, or is of another epoch.
func (h *held) learn(m links.Mark) {
	if m.Lane < links.Lanes && (m.Epoch != h[m.Lane].Epoch || m.Number > h[m.Lane].Number) {
		h[m.Lane] = m
	}
}

// marks are those that there are.
func (h *held) marks() (all []links.Mark) {
	for _, m := range h {
		if m.Epoch != 0 {
			all = append(all, m)
		}
	}
	return all
}
