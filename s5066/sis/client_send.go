package sis

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"sallyport/s5066"
)

const (
	prefixKept = 256             // bytes of a request that confirmations are compared with
	lateBy     = 5 * time.Minute // how long after its time to live a request may still be answered
)

// waiting is a request whose confirmation is awaited. The list is in the order of sending.
type waiting struct {
	id        uint64
	expedited bool
	sap       s5066.SAP
	to        s5066.Address
	size      int
	prefix    []byte
	until     time.Time
}

// Send submits a U_PDU. The id is the caller's and not 0: Confirmed, Rejected and InDoubt carry it, one of them
// for each request that asks for a confirmation (with ARQ), unless the node answers twice or says
// nothing of a request without. ErrNotBound, ErrFlowOff and ErrBusy say to try later; nothing has
// been sent then.
func (c *Client) Send(now time.Time, id uint64, p UnidataRequest) error {
	p.Delivery = p.Delivery.Resolve(c.opts.Service) // some nodes do not know mode 0
	arq := p.Delivery.Mode == s5066.TxARQ
	confirmed := p.Delivery.Confirm != s5066.ConfirmNone
	switch {
	case c.state != clientBound:
		return ErrNotBound
	case len(p.Data) > c.mtu:
		return fmt.Errorf("%w: %d bytes, MTU %d", ErrTooLong, len(p.Data), c.mtu)
	case !p.Delivery.Mode.Defined():
		return ErrNoMode
	case !p.Destination.Valid(), arq && p.Destination.IsGroup():
		return fmt.Errorf("%w: %s by %s", ErrNowhere, p.Destination, p.Delivery.Mode)
	case p.TTL > s5066.MaxTTL:
		return fmt.Errorf("%w: time to live %v", ErrField, p.TTL)
	case c.off:
		return ErrFlowOff
	case len(c.out) > QueueOff, confirmed && len(c.waiting) >= c.opts.InFlight:
		return ErrBusy
	}
	out, err := AppendPrimitive(c.out, p)
	if err != nil {
		return err
	}
	c.out = out
	if !confirmed {
		return nil
	}
	ttl := p.TTL
	if ttl == 0 {
		ttl = s5066.MaxTTL // the node has a limit, which nobody has told us
	}
	c.waiting = append(c.waiting, waiting{
		id: id, expedited: p.Expedited, sap: p.SAP, to: p.Destination, size: len(p.Data),
		prefix: bytes.Clone(p.Data[:min(len(p.Data), prefixKept)]), until: now.Add(ttl + lateBy),
	})
	return nil
}

// HardLink submits HardLinkEstablish, HardLinkTerminate, HardLinkAccept or HardLinkReject. The
// remote address has to be that of one node.
func (c *Client) HardLink(_ time.Time, p Primitive) error {
	var remote s5066.Address
	switch p := p.(type) {
	case HardLinkEstablish:
		remote = p.Link.Remote
	case HardLinkAccept:
		remote = p.Link.Remote
	case HardLinkReject:
		remote = p.Link.Remote
	case HardLinkTerminate:
		remote = p.Remote
	default:
		return fmt.Errorf("%w: %s", ErrUnexpected, p.Type())
	}
	if !remote.IsUnicast() {
		return fmt.Errorf("%w: hard link with %s", ErrNowhere, remote)
	}
	return c.submit(p)
}

// Manage submits a management message; nodes take it from rank 15 only.
func (c *Client) Manage(_ time.Time, message uint8, body []byte) error {
	return c.submit(Management{Message: message, Body: body})
}

func (c *Client) submit(p Primitive) error {
	switch {
	case c.state != clientBound:
		return ErrNotBound
	case len(c.out) > QueueOff:
		return ErrBusy
	}
	out, err := AppendPrimitive(c.out, p)
	if err != nil {
		return err
	}
	c.out = out
	return nil
}

// take finds the oldest request that a confirmation or rejection can be about, and forgets
// it: the primitives carry no number, only where it went and how it began.
func (c *Client) take(expedited bool, sap s5066.SAP, to s5066.Address, returned []byte) (uint64, bool) {
	i := slices.IndexFunc(c.waiting, func(w waiting) bool {
		n := min(len(returned), len(w.prefix))
		return w.expedited == expedited && w.sap == sap && w.to == to &&
			len(returned) <= w.size && bytes.Equal(returned[:n], w.prefix[:n])
	})
	if i < 0 {
		return 0, false
	}
	id := c.waiting[i].id
	c.waiting = slices.Delete(c.waiting, i, i+1)
	return id, true
}

func (c *Client) confirmed(p UnidataConfirm) {
	id, known := c.take(p.Expedited, p.SAP, p.Destination, p.Returned)
	if !known { // it may come after its request was given up: nothing to count
		c.tell(Fault{Cause: fmt.Errorf("%w: to SAP %d of %s", ErrUnasked, p.SAP, p.Destination)})
		return
	}
	c.tell(Confirmed{id})
}

func (c *Client) rejected(p UnidataRejected) {
	id, _ := c.take(p.Expedited, p.SAP, p.Destination, p.Returned)
	c.tell(Rejected{id, p.Reason, p})
}

// giveUp stops waiting for what is over.
func (c *Client) giveUp(over func(waiting) bool) {
	c.waiting = slices.DeleteFunc(c.waiting, func(w waiting) bool {
		if over(w) {
			c.tell(InDoubt{w.id})
			return true
		}
		return false
	})
}
