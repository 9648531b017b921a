package c2s

import (
	"sallyport/internal/xmpp/stream"
	"sallyport/server/bosh"
)

// receiver is a pipe that knows what of what was written has arrived. Others have written it, and that is all that is known.
type receiver interface {
	// received is how many of the elements that were written the client has, ever.
	received() int
}

// receipts are the stanzas on such a pipe that nobody has acknowledged otherwise (XEP-0198). The lock of the link is theirs.
type receipts struct {
	pipe    receiver
	written int // elements, ever
	waiting []receipt
}

type receipt struct {
	behind int // elements, with it
	item   stream.Item
}

func newReceipts(p pipe) *receipts {
	if r, ok := p.(receiver); ok {
		return &receipts{pipe: r}
	}
	return nil
}

// until takes out the stanzas within the first n elements.
func (r *receipts) until(n int) (items []stream.Item) {
	for len(r.waiting) > 0 && r.waiting[0].behind <= n {
		items = append(items, r.waiting[0].item)
		r.waiting = r.waiting[1:]
	}
	return items
}

// room reports whether half of what may wait is left with so many bytes more; one stanza always has room where there is no other.
func (r *receipts) room(bytes int) bool {
	if r == nil || len(r.waiting) == 0 {
		return true
	}
	for i := range r.waiting {
		bytes += r.waiting[i].item.Bytes
	}
	return 2*bytes <= bosh.MaxWaiting
}

// rest takes out all.
func (r *receipts) rest() []stream.Item {
	if r == nil {
		return nil
	}
	return r.until(r.written)
}

// receipts tells which stanzas have arrived since it did the last time. It is called by the reader.
func (l *link) receipts() {
	if l.taken == nil {
		return
	}
	n := l.taken.pipe.received()
	l.mu.Lock()
	defer l.mu.Unlock()
	if items := l.taken.until(n); len(items) > 0 {
		l.tell(stream.Acked{Items: items})
	}
}

// unreceived tells which stanzas will not arrive any more, on this connection; mu is held.
func (l *link) unreceived() {
	if items := l.taken.rest(); len(items) > 0 {
		l.tell(stream.Unconfirmed{Items: items})
	}
}
