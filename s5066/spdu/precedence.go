package spdu

import "sallyport/s5066"

// claim is what decides between two hard links.
type claim struct {
	rank     s5066.Rank
	priority uint8
	typ      s5066.LinkType
	remote   s5066.Address
}

// before reports whether a claim goes before the hard link that exists: the higher rank, then the higher priority; then, for the same two
// nodes, the higher type. Else what exists stays (A.11).
func (c claim) before(existing claim) bool {
	switch {
	case c.rank != existing.rank:
		return c.rank > existing.rank
	case c.priority != existing.priority:
		return c.priority > existing.priority
	case c.remote != existing.remote:
		return false
	}
	return c.typ > existing.typ
}

// refusal is why a claim that does not go before the existing hard link is refused at the node that was called.
func (c claim) refusal(existing claim) s5066.LinkReason {
	if c.rank == existing.rank && c.priority == existing.priority {
		return s5066.LinkBusy
	}
	return s5066.LinkPrecedence
}
