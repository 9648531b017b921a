package node

import (
	"slices"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dts"
	"sallyport/s5066/sis"
)

// request is a U_PDU of a client until its end.
type request struct {
	id      uint64
	client  sis.ClientID
	sap     s5066.SAP
	req     sis.UnidataRequest
	came    time.Time
	expires time.Time
	cpdu    []byte
	given   bool // to the data transfer sublayer
}

func (r *request) arq() bool { return r.req.Delivery.Mode == s5066.TxARQ }

func (r *request) mode() dts.Mode {
	switch {
	case r.arq() && r.req.Expedited:
		return dts.ExpeditedARQ
	case r.arq():
		return dts.ARQ
	case r.req.Expedited:
		return dts.ExpeditedNonARQ
	}
	return dts.NonARQ
}

// urgency orders what waits: expedited, then by priority.
func (r *request) urgency() int {
	if r.req.Expedited {
		return 16
	}
	return int(r.req.Priority)
}

// requests are all that have not ended: waiting here, most urgent first and in the order of acceptance, or given away.
type requests struct {
	last    uint64
	all     map[uint64]*request
	waiting []*request
	given   map[s5066.Address]int
	load    map[sis.ClientID]load
	held    map[sis.ClientID]bool // S_DATA_FLOW_OFF was asked for
}

// load is what one client has in the node.
type load struct{ count, bytes int }

func newRequests() requests {
	return requests{
		all: make(map[uint64]*request), given: make(map[s5066.Address]int), load: make(map[sis.ClientID]load), held: make(map[sis.ClientID]bool),
	}
}

func compareRequests(a, b *request) int {
	if d := b.urgency() - a.urgency(); d != 0 {
		return d
	}
	return int(int64(a.id) - int64(b.id)) //nolint:gosec // counters
}

// queue puts a request where it belongs, also one that comes back.
func (q *requests) queue(r *request) {
	at, _ := slices.BinarySearchFunc(q.waiting, r, compareRequests)
	q.waiting = slices.Insert(q.waiting, at, r)
}

func (q *requests) unqueue(r *request) {
	if at, ok := slices.BinarySearchFunc(q.waiting, r, compareRequests); ok {
		q.waiting = slices.Delete(q.waiting, at, at+1)
	}
}

func (q *requests) deadline() (first time.Time, ok bool) {
	for _, r := range q.waiting {
		if !ok || r.expires.Before(first) {
			first, ok = r.expires, true
		}
	}
	return first, ok
}

func (q *requests) count(id sis.ClientID, n, bytes int) {
	l := q.load[id]
	l.count += n
	l.bytes += bytes
	if l.count == 0 {
		delete(q.load, id)
		return
	}
	q.load[id] = l
}
