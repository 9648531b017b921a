package bosh

// receipts is how much of what was said the client has, as far as its requests tell. What it does not have when the session is
// lost is nobody's otherwise: an answer may be written to a connection that nobody reads from any more.
type receipts struct {
	said int    // elements, ever
	has  int    // of them, those that the client has for certain
	sent []mark // answers that it may not have, by id
}

// mark is an answer: with it the client has all elements up to one.
type mark struct {
	rid  uint64
	upTo int
}

// answered is said of a request when its answer has all that was said so far.
func (r *receipts) answered(rid uint64) {
	if last := len(r.sent) - 1; r.said == r.has || last >= 0 && r.sent[last].upTo == r.said {
		return // it brings nothing new
	}
	r.sent = append(r.sent, mark{rid, r.said})
}

// received is said when the client has the answers up to one.
func (r *receipts) received(rid uint64) {
	for len(r.sent) > 0 && r.sent[0].rid <= rid {
		r.has, r.sent = r.sent[0].upTo, r.sent[1:]
	}
}

// answersBefore gives the last request whose answer the client has when it makes this one (§9.2).
func (s *Session) answersBefore(r *Request) uint64 {
	switch {
	case s.ack && r.Acked > 0:
		return min(r.Acked, r.RID-1)
	case s.ack, r.empty(): // with acknowledgements it says nothing when it has all; who has a request open makes no empty one
		return r.RID - 1
	case r.RID > s.requests(): // as many are open at most
		return r.RID - s.requests()
	}
	return 0
}
