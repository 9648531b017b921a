package modem

import (
	"errors"
	"fmt"
	"time"
)

// How long the ends of a connection have patience.
const (
	helloWithin = 10 * time.Second
	askAfter    = 15 * time.Second // of silence: a Ping
	deadAfter   = 45 * time.Second // of silence: the other end is gone
	overdue     = 10 * time.Second // and half the transmission's length beyond its end: the modem is stuck
)

// ErrSilent is in the chain of the error for a modem that does not say what it should in time.
var ErrSilent = errors.New("the modem is silent")

// Session is the station's end of the TCP framing. It answers pings, knows what is outstanding, and decides when the modem is dead.
type Session struct {
	dec     Decoder
	hello   Hello
	greeted bool
	begun   time.Time
	heard   time.Time
	asked   time.Time
	token   uint32
	key     *outstanding
	lost    Reason // for what is outstanding when it ends
	carrier bool
}

type outstanding struct {
	id  uint32
	due time.Time
}

// NewSession returns a session, and what it writes first: the station's Hello. Errors wrap ErrFrame: the name cannot be sent.
func NewSession(now time.Time, station string) (*Session, []byte, error) {
	b, err := AppendFrame(nil, Hello{Name: station})
	if err != nil {
		return nil, nil, err
	}
	return &Session{begun: now, heard: now, asked: now, lost: Gone}, b, nil
}

// Hello is what the modem said of itself; false before it did.
func (s *Session) Hello() (Hello, bool) { return s.hello, s.greeted }

// Ready reports whether the modem has introduced itself.
func (s *Session) Ready() bool { return s.greeted }

// Order encodes an order. A Key that the modem would not take, or while another is outstanding, is Lost at once.
func (s *Session) Order(now time.Time, o Order) Step {
	k, ok := o.(Key)
	switch {
	case ok && s.key != nil:
		return Step{Events: []Event{Lost{k.ID, Busy}}}
	case ok && (!s.greeted || !acceptable(k)):
		return Step{Events: []Event{Lost{k.ID, Refused}}}
	}
	b, err := AppendFrame(nil, o)
	if err != nil {
		return Step{Err: fmt.Errorf("order %T: %w", o, err)}
	}
	if ok {
		air := Timing{k.Waveform, s.hello.Radio}.Duration(len(k.Data))
		s.key = &outstanding{k.ID, now.Add(time.Duration(float64(air+air/2)/s.hello.Speed) + overdue)}
	}
	return Step{Write: b}
}

// Receive takes bytes from the modem.
func (s *Session) Receive(now time.Time, b []byte) Step {
	var all Step
	if _, err := s.dec.Write(b); err != nil {
		return Step{Err: err}
	}
	for {
		f, err := s.dec.Next()
		if err != nil {
			all.Err = err
			return all
		}
		if f == nil {
			return all
		}
		s.heard = now
		one := s.frame(f)
		all.Write, all.Events = append(all.Write, one.Write...), append(all.Events, one.Events...)
		if all.Err = one.Err; all.Err != nil {
			return all
		}
	}
}

func (s *Session) frame(f Frame) Step {
	if h, ok := f.(Hello); ok && !s.greeted && h.Speed > 0 {
		s.hello, s.greeted = h, true
		return Step{}
	}
	if !s.greeted {
		return Step{Err: fmt.Errorf("%T before hello: %w", f, ErrFrame)}
	}
	switch f := f.(type) {
	case Ping:
		b, err := AppendFrame(nil, Pong(f))
		return Step{Write: b, Err: err}
	case Pong:
		return Step{}
	case Keyed:
		return s.about(f.ID, f, false)
	case Sent:
		return s.about(f.ID, f, true)
	case Lost:
		return s.about(f.ID, f, true)
	case Carrier:
		s.carrier = f.On
		return Step{Events: []Event{f}}
	case Data:
		return Step{Events: []Event{f}}
	}
	return Step{Err: fmt.Errorf("%T from a modem: %w", f, ErrFrame)}
}

// about passes on news of the outstanding transmission. Of another they are ignored: it may have been aborted.
func (s *Session) about(id uint32, e Event, over bool) Step {
	if s.key == nil || s.key.id != id {
		return Step{}
	}
	if over {
		s.key = nil
	}
	return Step{Events: []Event{e}}
}

// Deadline is when Tick has something to do.
func (s *Session) Deadline() (time.Time, bool) {
	if !s.greeted {
		return s.begun.Add(helloWithin), true
	}
	at := earlier(later(s.heard, s.asked).Add(askAfter), s.heard.Add(deadAfter))
	if s.key != nil {
		at = earlier(at, s.key.due)
	}
	return at, true
}

// Tick asks a silent modem whether it is there, and ends the session where it has been silent too long. Errors wrap ErrSilent.
func (s *Session) Tick(now time.Time) Step {
	switch {
	case !s.greeted && !now.Before(s.begun.Add(helloWithin)):
		return Step{Err: fmt.Errorf("no hello within %v: %w", helloWithin, ErrSilent)}
	case s.key != nil && !now.Before(s.key.due):
		s.lost = Silent
		return Step{Err: fmt.Errorf("transmission %d is overdue: %w", s.key.id, ErrSilent)}
	case s.greeted && !now.Before(s.heard.Add(deadAfter)):
		s.lost = Silent
		return Step{Err: fmt.Errorf("nothing for %v: %w", deadAfter, ErrSilent)}
	case s.greeted && !now.Before(later(s.heard, s.asked).Add(askAfter)):
		s.asked, s.token = now, s.token+1
		b, err := AppendFrame(nil, Ping{s.token})
		return Step{Write: b, Err: err}
	}
	return Step{}
}

// End is what the station gets when the connection is gone.
func (s *Session) End() []Event {
	var events []Event
	if s.key != nil {
		events = append(events, Lost{s.key.id, s.lost})
		s.key = nil
	}
	if s.carrier {
		events = append(events, Carrier{SNR: SNRUnknown})
		s.carrier = false
	}
	return events
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
