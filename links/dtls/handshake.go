package dtls

import (
	"bytes"
	"net/netip"
	"time"
)

// maxAsked is how many HelloVerifyRequests one attempt of ours answers: whoever can forge them shall not have us send for ever.
const maxAsked = 8

// hello is for an address of which nothing is known: only a ClientHello with a cookie begins something.
func (f *Front) hello(now time.Time, from netip.AddrPort, first record, rest []byte, out []Output) []Output {
	if f.admits == nil || !f.admits(from.Addr()) {
		f.counts.Strangers++
		return out
	}
	cookie, has := parseVerify(first)
	if has {
		var ok bool
		if first, _, ok = nextRecord(rest); !ok {
			f.counts.Malformed++
			return out
		}
	}
	h, ok := parseHello(first)
	if !ok {
		f.counts.Unknown++
		return out
	}
	if !has || !f.cookie.fresh(now, from, h, cookie) {
		f.counts.Verified++
		f.scrap = f.cookie.verifyRequest(f.scrap[:0], now, from, h)
		return append(out, Output{Kind: Answer, Address: from, Data: f.scrap})
	}
	return f.open(now, from, h, out)
}

// open makes an association for somebody who has answered, unless there are too many that began and did not finish. Whoever begins anew
// from the same address takes the place of the attempt before.
func (f *Front) open(now time.Time, from netip.AddrPort, h clientHello, out []Output) []Output {
	if old := f.opened[from]; old != nil {
		f.leave(old)
		if !old.up {
			out = append(out, Output{Kind: Expire, Key: old.key})
			f.Closed(old.key)
		}
	}
	if f.half[source(from.Addr())] >= f.limits.PerSource || f.halves >= f.limits.HalfOpen {
		f.counts.Refused++
		return out
	}
	r, err := f.begin(now, from)
	if err != nil {
		f.counts.Refused++
		return out
	}
	r.random, r.half = h.random, true
	f.half[source(from.Addr())]++
	f.halves++
	f.counts.Opened++
	return append(out,
		Output{Kind: Begin, Key: r.key, Address: from, CID: r.cid},
		Output{Kind: Deliver, Key: r.key, Address: from, Data: h.raw})
}

// whole ends the counting of a half-open association.
func (f *Front) whole(r *route) {
	if !r.half {
		return
	}
	r.half = false
	f.halves--
	s := source(r.address.Addr())
	if f.half[s]--; f.half[s] == 0 {
		delete(f.half, s)
	}
}

// helloIn finds the ClientHello that a datagram begins with, behind a cookie or not.
func helloIn(first record, rest []byte) (clientHello, bool) {
	if _, has := parseVerify(first); has {
		next, _, ok := nextRecord(rest)
		if !ok {
			return clientHello{}, false
		}
		first = next
	}
	return parseHello(first)
}

// yields reports whether another attempt from the same address may take the place of this one. When both sides dial at once, the attempt
// with the larger random goes on: both see the same.
func (f *Front) yields(r *route, theirs clientHello) bool {
	if !r.dialled {
		return theirs.random != r.random
	}
	if r.up || len(r.hello) < recordHeader+minHelloBody {
		return true
	}
	ours := r.hello[recordHeader+messageHeader+2:][:randomBytes]
	return bytes.Compare(theirs.random[:], ours) > 0
}

// handshake is for the address of a handshake under way.
func (f *Front) handshake(r *route, from netip.AddrPort, first record, b []byte, out []Output) []Output {
	if _, ok := parseVerify(first); ok {
		if !r.dialled {
			b = b[len(first.raw):] // the cookie was looked at already
		} else {
			return f.asked(r, from, first, out)
		}
	}
	data := f.sift(r, b)
	if !r.up && (r.bytes > f.limits.ClearBytes || r.records > f.limits.ClearRecords) {
		f.counts.Flooded++
		f.Closed(r.key)
		return append(out, Output{Kind: Expire, Key: r.key})
	}
	if len(data) > 0 {
		out = append(out, Output{Kind: Deliver, Key: r.key, Address: from, Data: data})
	}
	return out
}

// asked answers a HelloVerifyRequest with the ClientHello as it was.
func (f *Front) asked(r *route, from netip.AddrPort, verify record, out []Output) []Output {
	if r.hello == nil || r.asked >= maxAsked {
		f.counts.Unknown++
		return out
	}
	r.asked++
	r.verify = append([]byte(nil), verify.raw...)
	return append(out, Output{Kind: Answer, Key: r.key, Address: from, Data: f.Outgoing(r.key, append([]byte(nil), r.hello...))})
}
