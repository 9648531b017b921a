package node

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
	"sallyport/s5066/sis"
	"sallyport/s5066/spdu"
)

// Names of C_PDUs in the data transfer sublayer: those of channel access and of S_PDUs of the node itself have a bit of their own.
const (
	controlID = 1 << 63
	ownID     = 1 << 62
)

const (
	maxRequests = 8192             // of all clients together
	ahead       = dpdu.Window      // C_PDUs given to the data transfer sublayer for one remote, beyond which others wait here: a window may hold one in each frame
	retryPause  = 60 * time.Second // before a call that was refused for the time being is made again
)

// accept takes a request that the client side has found good.
func (n *Node) accept(e sis.Unidata) {
	n.stats.Requests++
	q := &n.requests
	r := &request{client: e.Client, sap: e.SAP, req: e.Request, came: n.now, expires: e.Expires}
	cpdu, err := n.encode(r)
	if err != nil || len(q.all) >= maxRequests || r.arq() && !n.cfg.Permits(r.req.Destination) {
		n.stats.Rejected++
		n.sis.Reject(n.now, r.client, r.req, sis.RejectNoAnswer)
		return
	}
	q.last++
	r.id, r.cpdu = q.last, cpdu
	if r.arq() {
		if err := n.deliveries.Add(spdu.Delivery{
			ID: r.id, Remote: r.req.Destination, Source: r.sap, SAP: r.req.SAP, Confirm: r.req.Delivery.Confirm, UPDU: r.req.Data,
		}); err != nil {
			n.stats.Rejected++
			n.sis.Reject(n.now, r.client, r.req, sis.RejectNoAnswer)
			return
		}
	}
	q.all[r.id] = r
	q.count(r.client, 1, len(r.req.Data))
	q.queue(r)
}

// encode makes the C_PDU.
func (n *Node) encode(r *request) ([]byte, error) {
	p := spdu.Data{Priority: r.req.Priority, Source: r.sap, SAP: r.req.SAP, Confirm: r.req.Delivery.Confirm == s5066.ConfirmClient, UPDU: r.req.Data}
	if r.req.Expedited {
		p.Priority = 0
	}
	if r.req.TTL < n.cfg.SIS.MaxTTL {
		p.TTD = spdu.DieAt(n.now, r.expires)
	}
	return encode(p)
}

func encode(p spdu.PDU) ([]byte, error) {
	s, err := spdu.Append(nil, p)
	if err != nil {
		return nil, err
	}
	return cas.Append(nil, cas.CPDU{Type: cas.Data, SPDU: s})
}

// feed gives away what can go, most urgent first, and asks for the links that are missing.
func (n *Node) feed() {
	blocked := make(map[s5066.Address]bool)
	for _, r := range slices.Clone(n.requests.waiting) {
		switch to := r.req.Destination; {
		case !r.arq():
			n.give(r)
		case blocked[to] || !n.hard.Allows(r.sap, to, r.req.SAP):
		case !n.linked(to):
			blocked[to] = true
		case n.requests.given[to] >= ahead && !r.req.Expedited:
		default:
			n.give(r)
		}
	}
}

// linked reports whether data may go to a node now, and calls it if there is no link.
func (n *Node) linked(to s5066.Address) bool {
	_, leave := n.soft.Open(to)
	switch {
	case n.cas.Phase(to) == cas.Up:
		return !leave
	case n.cas.Phase(to) != 0 || n.cfg.EMCON || !n.air.there || n.now.Before(n.pauses[to]):
		return false
	}
	events, err := n.cas.Make(n.now, to, false)
	n.fromCAS(events)
	switch {
	case errors.Is(err, cas.ErrNotPermitted), errors.Is(err, cas.ErrBroadcast):
		n.rejectAll(to, spdu.NoAnswer)
	case errors.Is(err, cas.ErrFull):
		n.soft.Crowded(n.now)
		n.pauses[to] = n.now.Add(retryPause / 4)
	case err != nil:
		n.pauses[to] = n.now.Add(retryPause)
	}
	return false
}

// give hands a request to the data transfer sublayer.
func (n *Node) give(r *request) {
	err := n.dts.Send(n.now, dts.Request{
		ID: r.id, Remote: r.req.Destination, Mode: r.mode(), Priority: r.req.Priority, CPDU: r.cpdu, Lifetime: max(r.expires.Sub(n.now), 1),
		Unordered: r.req.Delivery.AsTheyArrive, Repeats: int(r.req.Delivery.Retransmissions),
	})
	switch {
	case err == nil:
		n.requests.unqueue(r)
		r.given = true
		n.requests.given[r.req.Destination]++
		n.soft.Busy(n.now, r.req.Destination, true)
	case errors.Is(err, dts.ErrFull), errors.Is(err, dts.ErrNotConnected):
		// it waits
	default:
		n.fail(r, spdu.NoAnswer)
	}
}

// returned takes back what was given away.
func (n *Node) returned(r *request) {
	if !r.given {
		return
	}
	r.given = false
	to := r.req.Destination
	if n.requests.given[to]--; n.requests.given[to] <= 0 {
		delete(n.requests.given, to)
		n.soft.Busy(n.now, to, false)
	}
}

// confirmed, rejected and broadcast are what the data transfer sublayer says of a C_PDU.
func (n *Node) confirmed(id uint64) {
	if r := n.requests.all[id]; r != nil {
		n.returned(r)
		n.stats.latency(n.now.Sub(r.came))
		n.outcomes(n.deliveries.Reported(n.now, id))
	}
}

func (n *Node) rejected(e dts.Rejected) {
	if e.ID&controlID != 0 {
		n.cas.Sent(n.now, e.ID&^controlID)
		return
	}
	r := n.requests.all[e.ID]
	if r == nil {
		return
	}
	n.returned(r)
	switch {
	case e.Reason == dts.Expired || !n.now.Before(r.expires):
		n.fail(r, spdu.Expired)
	case !e.InDoubt && (e.Reason == dts.LinkEnded || e.Reason == dts.Reset || e.Reason == dts.NoLink):
		n.requests.queue(r)
	default:
		n.fail(r, spdu.NoAnswer)
	}
}

func (n *Node) broadcast(id uint64) {
	if id&controlID != 0 {
		n.air.saying = append(n.air.saying, id&^controlID)
		return
	}
	if r := n.requests.all[id]; r != nil {
		n.returned(r)
		n.end(r)
	}
}

// fail ends a request without delivery.
func (n *Node) fail(r *request, why spdu.Result) {
	if r.arq() {
		n.outcomes(n.deliveries.Failed(r.id, why))
		return
	}
	n.stats.Rejected++
	n.end(r)
}

// outcomes tells clients.
func (n *Node) outcomes(list []spdu.Outcome) {
	for _, o := range list {
		r := n.requests.all[o.ID]
		if r == nil {
			continue
		}
		if o.Result == spdu.Delivered {
			n.stats.Confirmed++
			n.sis.Confirm(n.now, r.client, r.req)
		} else {
			n.stats.Rejected++
			n.sis.Reject(n.now, r.client, r.req, reason(o.Result))
		}
		n.end(r)
	}
}

func reason(r spdu.Result) sis.RejectReason {
	switch r {
	case spdu.Expired:
		return sis.RejectExpired
	case spdu.NoSAP:
		return sis.RejectNoSAP
	}
	return sis.RejectNoAnswer
}

func (n *Node) end(r *request) {
	n.returned(r)
	n.requests.unqueue(r)
	delete(n.requests.all, r.id)
	n.requests.count(r.client, -1, -len(r.req.Data))
}

// expire ends what has waited too long.
func (n *Node) expire() {
	for _, r := range slices.Clone(n.requests.waiting) {
		if !n.now.Before(r.expires) {
			n.fail(r, spdu.Expired)
		}
	}
}

// rejectAll ends what waits for a node.
func (n *Node) rejectAll(to s5066.Address, why spdu.Result) {
	for _, r := range slices.Clone(n.requests.waiting) {
		if r.arq() && r.req.Destination == to {
			n.fail(r, why)
		}
	}
}

// forget drops what a client has left behind that it will ask for again.
func (n *Node) forget(client sis.ClientID) {
	for _, r := range slices.Clone(n.requests.waiting) {
		if r.client == client && r.req.Delivery.Confirm != s5066.ConfirmNone {
			n.deliveries.Failed(r.id, spdu.NoAnswer)
			n.stats.Dropped++
			n.end(r)
		}
	}
	delete(n.requests.held, client)
}

// flow holds clients back that have too much waiting, and lets them go on at half of it.
func (n *Node) flow() {
	for id, l := range n.requests.load {
		if !n.requests.held[id] && (l.count >= n.cfg.QueueCount || l.bytes >= n.cfg.QueueBytes) {
			n.requests.held[id] = true
			n.sis.FlowOff(n.now, id)
		}
	}
	for id := range n.requests.held {
		if l := n.requests.load[id]; l.count <= n.cfg.QueueCount/2 && l.bytes <= n.cfg.QueueBytes/2 {
			delete(n.requests.held, id)
			n.sis.FlowOn(n.now, id)
		}
	}
}

// say sends an S_PDU of the node itself.
func (n *Node) say(to s5066.Address, p spdu.PDU, expedited bool, priority s5066.Priority) {
	cpdu, err := encode(p)
	if err != nil {
		n.tell(Event{Kind: Discarded, Remote: to, Err: err})
		return
	}
	q := dts.Request{ID: ownID, Remote: to, Mode: dts.ARQ, Priority: priority, CPDU: cpdu, Lifetime: n.cfg.HardAnswer}
	if p.Type() < spdu.TypeLinkRequest {
		q.Lifetime = n.cfg.ClientWait
	}
	if expedited {
		q.Mode = dts.ExpeditedARQ
	}
	if err := n.dts.Send(n.now, q); err != nil {
		n.tell(Event{Kind: Discarded, Remote: to, Text: p.Type().String(), Err: fmt.Errorf("answer: %w", err)})
	}
}
