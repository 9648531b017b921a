package x2x

import (
	"errors"
	"time"

	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/deflate"
)

// ErrNotRunning: the stream is over, or about to be.
var ErrNotRunning = errors.New("x2x: stream is not running")

// Send encodes one stanza into the output. Transmit: its token comes back in Confirmed or Ended. Already: it is delivered (the peer's
// greeting said so). Full: not now. Refused with ErrNotRunning: on another carrier; with another error: never.
func (s *Stream) Send(now time.Time, it Item) (custody.Verdict, error) {
	if s.phase != running {
		return custody.Refused, ErrNotRunning
	}
	carried, lifted := s.lift(it.Element)
	if len(it.Also) > 0 { // the head of a compressed one stands before it
		if s.cfg.Mode != Custody {
			return custody.Refused, links.ErrNoCustody
		}
		carried = custodyElement("c", nil, contents(carried, it.Also)...)
	}
	plain, err := xmlstream.AppendElement(s.spare[:0], carried, xmlstream.NSServer)
	if err != nil {
		return custody.Refused, err
	}
	s.spare = plain
	v, err := s.admit(now, it, len(plain))
	if v != custody.Transmit {
		return v, err
	}
	s.timers.lastStanza, s.timers.lastOut = now, now
	before := len(s.out)
	body := s.write(it, plain, lifted)
	s.usedBy(now, &it, len(plain), body, len(s.out)-before)
	s.expectAnswer(now)
	if cap(s.spare) > 128<<10 {
		s.spare = nil
	}
	return v, nil
}

// admit takes the stanza into whoever keeps it until it is confirmed.
func (s *Stream) admit(now time.Time, it Item, bytes int) (custody.Verdict, error) {
	if s.cfg.Mode == Custody {
		v := s.sender.Send(it.Frame, it.Token, bytes)
		if v == custody.Refused {
			return v, links.ErrNoCustody
		}
		return v, nil
	}
	if len(s.flight) >= s.cfg.Window.Items || len(s.flight) > 0 && s.flying+bytes > s.cfg.Window.Bytes {
		return custody.Full, nil
	}
	if s.cfg.Mode == Managed && !s.session.Sent(stream.Item{Bytes: bytes, Token: it.Token}) {
		return custody.Full, nil
	}
	s.flight = append(s.flight, flying{it.Token, bytes, now})
	s.flying += bytes
	return custody.Transmit, nil
}

// write puts the admitted stanza on the wire, and returns how many of the bytes are its own.
func (s *Stream) write(it Item, plain, lifted []byte) (body int) {
	if s.zip != nil {
		if n, ok := s.deflated(it, plain, lifted); ok {
			return n
		}
		if len(lifted) > 0 { // it goes as it is
			plain, _ = xmlstream.AppendElement(nil, it.Element, xmlstream.NSServer) // it was written once
		}
	}
	if s.cfg.Mode != Custody {
		if !s.cfg.Records {
			s.out = append(s.out, plain...)
		} else {
			s.out = appendXML(s.out, plain)
		}
		return len(plain)
	}
	if !s.cfg.Records {
		s.out, _ = appendConsignment(s.out, it.Frame, s.cfg.Epoch, it.Element, it.Also) // it was written once, and the frame is valid
		return len(plain)
	}
	b, _ := appendConsignment(nil, it.Frame, s.cfg.Epoch, it.Element, it.Also)
	s.out = appendXML(s.out, b)
	return len(plain)
}

// deflated writes a compressed stanza, if that is worth it, and returns how long it is.
func (s *Stream) deflated(it Item, plain, lifted []byte) (n int, ok bool) {
	frame, err := s.zip.Append(nil, plain)
	s.plain += uint64(len(plain))
	if err != nil {
		return 0, false
	}
	n = len(lifted) + len(frame)
	s.saved += int64(len(plain) - len(frame))
	kind := byte(recordStanza)
	var head []byte
	if s.cfg.Mode == Custody {
		kind = recordCustody | it.Frame.Lane<<recordLane
		head = s.heads.out.append(nil, it.Frame)
	}
	if len(lifted) > 0 {
		kind |= recordID
	}
	if len(lifted) > 0 && lifted[0] == 0 {
		kind |= recordUUID
		lifted = lifted[1:]
	}
	s.out = appendRecord(s.out, kind, head, lifted, frame)
	return n, true
}

// lift takes the identifier off a stanza that is to be compressed, if it is of a kind that is shorter beside the frame.
func (s *Stream) lift(e *xmlstream.Element) (rest *xmlstream.Element, lifted []byte) {
	if s.zip == nil {
		return e, nil
	}
	id, _ := e.Attr("id")
	lifted, ok := deflate.AppendIdentifier(nil, id)
	if !ok {
		return e, nil
	}
	return e.WithoutAttr(xmlstream.Name{Local: "id"}), lifted
}
