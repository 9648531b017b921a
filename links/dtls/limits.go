package dtls

import "time"

// Limits bound what the world can make an Endpoint hold. Zero fields take DefaultLimits.
type Limits struct {
	PerSource     int           // half-open associations from one address, or one IPv6 /64
	HalfOpen      int           // in all
	Handshake     time.Duration // until an association is established, SCTP included
	ClearBytes    int           // of one handshake, sent to us in clear
	ClearRecords  int           // of one handshake
	Datagram      int           // bytes of one
	Queue         int           // datagrams that wait for one association
	Candidates    int           // new addresses of one association that have not answered
	Challenges    int           // sent to one of these
	HeldDatagrams int           // from one of these
	HeldBytes     int           // of one association
}

// DefaultLimits returns the bounds used for zero fields.
func DefaultLimits() Limits {
	return Limits{
		PerSource: 8, HalfOpen: 64, Handshake: 20 * time.Second, ClearBytes: 256 << 10, ClearRecords: 600, Datagram: 4096, Queue: 1024,
		Candidates: 4, Challenges: 4, HeldDatagrams: 64, HeldBytes: 96 << 10,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ have, def *int }{
		{&l.PerSource, &d.PerSource},
		{&l.HalfOpen, &d.HalfOpen},
		{&l.ClearBytes, &d.ClearBytes},
		{&l.ClearRecords, &d.ClearRecords},
		{&l.Datagram, &d.Datagram},
		{&l.Queue, &d.Queue},
		{&l.Candidates, &d.Candidates},
		{&l.Challenges, &d.Challenges},
		{&l.HeldDatagrams, &d.HeldDatagrams},
		{&l.HeldBytes, &d.HeldBytes},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	if l.Handshake <= 0 {
		l.Handshake = d.Handshake
	}
	return l
}

// Counts is what a Front has seen, for metrics. All but the last two only grow.
type Counts struct {
	Datagrams    uint64 // taken in
	Malformed    uint64 // datagrams or rests of datagrams that are no DTLS records, or too long
	Unprotected  uint64 // records without protection that nothing waited for: application data of epoch 0, unknown types
	Unknown      uint64 // connection ids, tokens and messages that belong to nothing
	Strangers    uint64 // from addresses that may not begin, or where too many wait to be proven
	Verified     uint64 // HelloVerifyRequests sent
	Refused      uint64 // cookies were good, and too many associations half-open
	Opened       uint64 // by others
	Expired      uint64 // never established in time
	Flooded      uint64 // ended because more was sent in clear than any handshake needs
	Held         uint64 // datagrams kept for an address that has to answer first
	Overflow     uint64 // datagrams that a bound left no room for
	Challenges   uint64 // sent
	Unproven     uint64 // addresses that did not answer
	Moved        uint64 // addresses that did
	HalfOpen     int    // now
	Associations int    // now
}
