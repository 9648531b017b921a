package delivery

import (
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/peering"
)

// Bounds of time.
const (
	defaultAfter = 30 * time.Second
	baseAnswer   = 2 * time.Minute
	maxAnswer    = 24 * time.Hour
	answerBytes  = 4 << 10 // of an answer that nobody has seen yet
)

// Options are what an operator chooses.
type Options struct {
	// After is how long something must have waited before its recipient is told so; 0 means 30 seconds, less than 0 never.
	After time.Duration `toml:"delay-after"`
}

// Late says whether something that was accepted then and leaves now gets a stamp.
func (o Options) Late(s stanza.Stanza, accepted, now time.Time) bool {
	after := o.After
	if after == 0 {
		after = defaultAfter
	}
	if after < 0 || accepted.IsZero() || now.Sub(accepted) < after {
		return false
	}
	switch s.Type() {
	case stanza.MessageNormal, stanza.MessageChat, stanza.MessageGroupchat, stanza.MessageHeadline,
		stanza.PresenceAvailable, stanza.PresenceUnavailable:
		return true
	default:
		return false
	}
}

// Leaving puts our stamp on what is late, and returns everything else as it is.
func (o Options) Leaving(r peering.Released, accepted, now time.Time) peering.Released {
	if !o.Late(r.Stanza(), accepted, now) {
		return r
	}
	return r.Delayed(accepted)
}

// AnswerBy is until when the answer to a request is waited for that leaves over such a link now, behind that many bytes: the way there,
// the queue on either side, the way back, and the hours in which the link may not be used. After that its requester is told NoAnswer,
// and what comes is refused as unsolicited.
//
// A gateway begins that time when the request has been delivered, with nothing ahead: before, what becomes of it is reported.
func AnswerBy(p links.Profile, now time.Time, ahead int) time.Time {
	if p.BitsPerSecond > 0 && float64(ahead)*8/float64(p.BitsPerSecond) > maxAnswer.Seconds() {
		return now.Add(maxAnswer) // a longer time may not be one that a Duration can hold
	}
	wait := p.Timeout(baseAnswer) + 2*p.Transmit(max(ahead, 0)) + p.Transmit(answerBytes)
	if p.HalfDuplex {
		wait += p.Transmit(p.WindowBytes())
	}
	if open, again := p.Open(now); !open {
		wait += again.Sub(now)
	}
	return now.Add(min(max(wait, baseAnswer), maxAnswer))
}
