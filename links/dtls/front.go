package dtls

import (
	"errors"
	"io"
	"net/netip"
	"time"
)

// Key names an association within its Front. Zero names none.
type Key uint64

// Kind is what an Output asks for. The zero value asks for nothing.
type Kind uint8

// The kinds of output.
const (
	Nothing   Kind = iota
	Answer         // send Data to Address: a HelloVerifyRequest, or our ClientHello with the cookie asked for
	Begin          // somebody whose address was proven wants to begin: make an association, its id is CID; a Deliver follows
	Deliver        // give Data, which came from Address, to the association
	Challenge      // send Token to Address inside the association's protection
	Moved          // the association's address is Address now
	Expire         // the association took too long to be established: end it
)

// Output is something the owner of a Front is to do. Data aliases the datagram that was put in, or memory that was held and is now the
// owner's.
type Output struct {
	Kind    Kind
	Key     Key
	Address netip.AddrPort
	CID     CID
	Token   Token
	Data    []byte
}

// errAddress is why Dial does not begin: answers could not be told apart.
var errAddress = errors.New("an association with that address is being opened")

// Front decides for every datagram which association it may reach: a plain machine without clock, lock or I/O. It is owned by the
// Endpoint, under whose lock every call is made.
type Front struct {
	limits Limits
	admits func(netip.Addr) bool
	random io.Reader
	cookie bakery
	last   Key
	opened map[netip.AddrPort]*route // handshakes under way, or just finished
	byCID  map[CID]*route
	byKey  map[Key]*route
	half   map[netip.Addr]int // half-open associations by source
	halves int
	counts Counts
	scrap  []byte // answers are made here
}

// route is one association as the front sees it.
type route struct {
	key     Key
	cid     CID
	address netip.AddrPort // proven
	dialled bool
	half    bool // counted as half-open
	up      bool // established
	settled bool // nothing of the handshake is of use any more
	bytes   int  // in clear, let through
	records int  // in clear, let through
	random  [randomBytes]byte
	since   time.Time
	hello   []byte // dialled: our ClientHello as it was sent last
	verify  []byte // dialled: the record with the cookie that they asked for
	asked   int    // dialled: how often
	pace    time.Duration
	moves   []*candidate
	held    int // bytes, of all candidates
}

// NewFront makes a front. admits says which addresses may begin anything; nil admits none.
func NewFront(l Limits, admits func(netip.Addr) bool, random io.Reader) (*Front, error) {
	f := &Front{
		limits: l.withDefaults(), admits: admits, random: random, opened: make(map[netip.AddrPort]*route),
		byCID: make(map[CID]*route), byKey: make(map[Key]*route), half: make(map[netip.Addr]int),
	}
	if _, err := io.ReadFull(random, f.cookie.key[:]); err != nil {
		return nil, err
	}
	return f, nil
}

// Counts returns what the front has seen.
func (f *Front) Counts() Counts {
	c := f.counts
	c.HalfOpen, c.Associations = f.halves, len(f.byKey)
	return c
}

// Dial begins an association of ours.
func (f *Front) Dial(now time.Time, to netip.AddrPort) (Key, CID, error) {
	to = plain(to)
	if f.opened[to] != nil {
		return 0, CID{}, errAddress
	}
	r, err := f.begin(now, to)
	if err != nil {
		return 0, CID{}, err
	}
	r.dialled = true
	return r.key, r.cid, nil
}

// begin makes a half-open route. Ours do not count: nobody else can cause them.
func (f *Front) begin(now time.Time, address netip.AddrPort) (*route, error) {
	r := &route{address: address, since: now}
	for {
		if _, err := io.ReadFull(f.random, r.cid[:]); err != nil {
			return nil, err
		}
		if f.byCID[r.cid] == nil {
			break
		}
	}
	f.last++
	r.key = f.last
	f.byKey[r.key], f.byCID[r.cid], f.opened[address] = r, r, r
	return r, nil
}

// Outgoing sees what an association sends, and returns what is to be sent in its place: a ClientHello of ours gets the cookie.
func (f *Front) Outgoing(k Key, b []byte) []byte {
	r := f.byKey[k]
	if r == nil || !r.dialled || r.settled || len(b) == 0 || b[0] != typeHandshake {
		return b
	}
	first, _, ok := nextRecord(b)
	if !ok {
		return b
	}
	if _, ok := parseHello(first); !ok {
		return b
	}
	r.hello = append(r.hello[:0], b...)
	if r.verify == nil {
		return b
	}
	return append(append(make([]byte, 0, len(r.verify)+len(b)), r.verify...), b...)
}

// Established ends the time in which an association counts as half-open. pace is how long to wait between challenges.
func (f *Front) Established(k Key, pace time.Duration) {
	if r := f.byKey[k]; r != nil {
		f.whole(r)
		r.up, r.pace = true, pace
	}
}

// Settled says that the neighbour has shown that it has finished the handshake too; what is sent in clear is dropped from now on.
func (f *Front) Settled(k Key) {
	if r := f.byKey[k]; r != nil {
		r.settled, r.hello, r.verify = true, nil, nil
		f.leave(r)
	}
}

// Closed forgets an association.
func (f *Front) Closed(k Key) {
	r := f.byKey[k]
	if r == nil {
		return
	}
	f.whole(r)
	f.leave(r)
	delete(f.byCID, r.cid)
	delete(f.byKey, k)
}

func (f *Front) leave(r *route) {
	if f.opened[r.address] == r {
		delete(f.opened, r.address)
	}
}

// Address is where an association's datagrams are to be sent.
func (f *Front) Address(k Key) (netip.AddrPort, bool) {
	r := f.byKey[k]
	if r == nil {
		return netip.AddrPort{}, false
	}
	return r.address, true
}

// Tick ends what took too long.
func (f *Front) Tick(now time.Time, out []Output) []Output {
	for _, r := range f.byKey {
		if r.half && now.Sub(r.since) >= f.limits.Handshake {
			f.counts.Expired++
			out = append(out, Output{Kind: Expire, Key: r.key})
			f.Closed(r.key)
			continue
		}
		f.forget(now, r)
	}
	return out
}

// Datagram takes one datagram in.
func (f *Front) Datagram(now time.Time, from netip.AddrPort, b []byte, out []Output) []Output {
	f.counts.Datagrams++
	from = plain(from)
	if len(b) > f.limits.Datagram {
		f.counts.Malformed++
		return out
	}
	first, rest, ok := nextRecord(b)
	switch {
	case !ok:
		f.counts.Malformed++
		return out
	case first.typ == typeCID:
		return f.protected(now, from, first, b, out)
	case !first.clear():
		f.counts.Unprotected++ // application data in clear, an unknown type, or keys without a connection id
		return out
	}
	r := f.opened[from]
	if r == nil {
		return f.hello(now, from, first, rest, out)
	}
	switch theirs, begins := helloIn(first, rest); {
	case begins && f.yields(r, theirs):
		return f.hello(now, from, first, rest, out)
	case begins && r.dialled:
		f.counts.Unknown++ // both dialled at once, and ours goes on
		return out
	}
	return f.handshake(r, from, first, b, out)
}

// sift keeps the leading records that this association may see: whole ones, in clear while the handshake lasts, or with its id.
func (f *Front) sift(r *route, b []byte) []byte {
	kept := 0
	rest := b
	for range maxRecords {
		if len(rest) == 0 {
			break
		}
		next, after, ok := nextRecord(rest)
		if !ok {
			f.counts.Malformed++
			break
		}
		rest = after
		switch {
		case next.protected() && next.cid == r.cid:
		case next.clear() && !r.settled:
			r.bytes += len(next.raw)
			r.records++
		default:
			f.counts.Unprotected++
			continue
		}
		kept += copy(b[kept:], next.raw)
	}
	return b[:kept]
}

// plain removes what makes two spellings of one address.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// source is what half-open associations are counted by: an address, or the network of an IPv6 host.
func source(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
