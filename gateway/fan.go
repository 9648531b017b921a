package gateway

import (
	"sync"

	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/peering"
)

// fan delivers an entry with several recipients to somebody who takes one at a time, and reports for all of them. Who has his copy
// parts from the entry, which goes on for the others.
type fan struct {
	o       *outgoing
	number  uint64
	h       *heldEntry
	to      []jid.JID
	mu      sync.Mutex
	left    int
	d       links.Disposition
	cause   error
	reached []jid.JID
}

var _ links.Reporter = (*fan)(nil)

// fanOut hands over the copies that did not arrive yet. False when there was no room for one of them: then none was handed over.
func (o *outgoing) fanOut(h *heldEntry, c links.Consignment, also []peering.Released, reserve func(*peering.Released) error) error {
	f := &fan{o: o, number: c.Token, h: h, d: links.Delivered}
	all := append([]peering.Released{c.Released}, also...)
	if f.to = append([]jid.JID{h.To}, h.Also...); len(f.to) != len(all) { // cannot be: they are equal, or left out of both
		return links.ErrRefused
	}
	for i := range all {
		if err := reserve(&all[i]); err != nil {
			for j := range i {
				o.b.giveBack(all[j].Local(), all[j].Remote())
			}
			return err
		}
	}
	f.left = len(all)
	for i := range all {
		o.b.Deliver(links.Consignment{Released: all[i], Token: uint64(i), Reporter: f, Turn: c.Turn, Lane: c.Lane})
	}
	return nil
}

// Report implements links.Reporter.
func (f *fan) Report(i uint64, d links.Disposition, cause error) {
	f.mu.Lock()
	if d == links.Delivered {
		f.reached = append(f.reached, f.to[i])
	} else if f.d == links.Delivered || d == links.InDoubt {
		f.d, f.cause = d, cause
	}
	f.left--
	last := f.left == 0
	f.mu.Unlock()
	if !last {
		return
	}
	if f.d != links.Delivered && len(f.reached) > 0 {
		x := f.o.x
		x.mu.Lock()
		for _, to := range f.reached {
			x.d.arrived(&f.h.Entry, to)
		}
		x.d.rest(&f.h.Entry)
		f.h.released = peering.Released{} // it may be of one who parted
		x.mu.Unlock()
	}
	f.o.Report(f.number, f.d, f.cause)
}
