package dtls

import (
	"crypto/subtle"
	"io"
	"net/netip"
	"slices"
	"time"
)

// tokenBytes is the length of a challenge's token.
const tokenBytes = 8

// Token is what a new address has to say again.
type Token [tokenBytes]byte

// candidate is an address from which an association's id came, and which has not answered yet.
type candidate struct {
	address   netip.AddrPort
	token     Token
	since     time.Time
	sent      time.Time // the last challenge
	tries     int
	passed    int  // datagrams let through because they may be the answer
	answered  bool // the token came back
	authentic bool // a record from there was the newest of all, under our keys
	held      [][]byte
}

// protected is for datagrams whose first record bears a connection id: these may come from anywhere.
func (f *Front) protected(now time.Time, from netip.AddrPort, first record, b []byte, out []Output) []Output {
	r := f.byCID[first.cid]
	switch {
	case r == nil:
		f.counts.Unknown++
		return out
	case !first.protected():
		f.counts.Unprotected++
		return out
	case from == r.address:
		if data := f.sift(r, b); len(data) > 0 {
			out = append(out, Output{Kind: Deliver, Key: r.key, Address: from, Data: data})
		}
		return out
	case r.half || r.pace == 0 || f.admits == nil || !f.admits(from.Addr()):
		f.counts.Strangers++ // nobody moves in the middle of a handshake
		return out
	}
	return f.elsewhere(now, r, from, first, b, out)
}

// elsewhere keeps what comes from a new address until that has answered a challenge. What may be the answer, by its length, passes; but
// no more of it than challenges were sent.
func (f *Front) elsewhere(now time.Time, r *route, from netip.AddrPort, first record, b []byte, out []Output) []Output {
	c := f.candidate(now, r, from)
	if c == nil {
		f.counts.Strangers++
		return out
	}
	if len(first.raw) == len(b) && isControl(len(first.body)) {
		if c.passed >= c.tries {
			f.counts.Strangers++
			return out
		}
		c.passed++
		return append(out, Output{Kind: Deliver, Key: r.key, Address: from, Data: b})
	}
	if len(c.held) < f.limits.HeldDatagrams && r.held+len(b) <= f.limits.HeldBytes {
		f.counts.Held++
		r.held += len(b)
		c.held = append(c.held, slices.Clone(b))
	} else {
		f.counts.Overflow++
	}
	// Each challenge is paid for by a datagram that is longer.
	if len(b) >= challengeBytes && c.tries < f.limits.Challenges && (c.tries == 0 || now.Sub(c.sent) >= r.pace) {
		c.tries++
		c.sent = now
		f.counts.Challenges++
		out = append(out, Output{Kind: Challenge, Key: r.key, Address: from, Token: c.token})
	}
	return out
}

// candidate finds or makes the state of a new address; nil when there are too many.
func (f *Front) candidate(now time.Time, r *route, from netip.AddrPort) *candidate {
	f.forget(now, r)
	for _, c := range r.moves {
		if c.address == from {
			return c
		}
	}
	if len(r.moves) >= f.limits.Candidates {
		return nil
	}
	c := &candidate{address: from, since: now}
	if _, err := io.ReadFull(f.random, c.token[:]); err != nil {
		return nil
	}
	r.moves = append(r.moves, c)
	return c
}

// forget drops candidates that had their time, with what they sent.
func (f *Front) forget(now time.Time, r *route) {
	life := time.Duration(f.limits.Challenges+1) * r.pace
	r.moves = slices.DeleteFunc(r.moves, func(c *candidate) bool {
		if now.Sub(c.since) < life {
			return false
		}
		f.counts.Unproven++
		f.release(r, c)
		return true
	})
}

func (f *Front) release(r *route, c *candidate) {
	for _, b := range c.held {
		r.held -= len(b)
	}
}

// Answered says that the association got a token back.
func (f *Front) Answered(k Key, t Token, out []Output) []Output {
	if r := f.byKey[k]; r != nil {
		for _, c := range r.moves {
			if c.tries > 0 && subtle.ConstantTimeCompare(c.token[:], t[:]) == 1 {
				c.answered = true
				return f.proven(r, c, out)
			}
		}
	}
	f.counts.Unknown++
	return out
}

// Authentic says that a datagram from that address was under our keys, and newer than anything else.
func (f *Front) Authentic(k Key, from netip.AddrPort, out []Output) []Output {
	if r := f.byKey[k]; r != nil {
		for _, c := range r.moves {
			if c.address == from {
				c.authentic = true
				return f.proven(r, c, out)
			}
		}
	}
	return out
}

// proven moves the association when both signs are there, and lets go what was held.
func (f *Front) proven(r *route, c *candidate, out []Output) []Output {
	if !c.answered || !c.authentic {
		return out
	}
	f.leave(r)
	r.address = c.address
	f.counts.Moved++
	out = append(out, Output{Kind: Moved, Key: r.key, Address: c.address})
	for _, b := range c.held {
		if data := f.sift(r, b); len(data) > 0 {
			out = append(out, Output{Kind: Deliver, Key: r.key, Address: c.address, Data: data})
		}
	}
	for _, other := range r.moves { // the others lost: the newest authentic address counts
		f.release(r, other)
	}
	r.moves = nil
	return out
}
