package x2x

import (
	"errors"
	"io"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/deflate"
	"sallyport/links/fanout"
)

// Feed takes bytes of the carrier; Next says what came of them.
func (s *Stream) Feed(now time.Time, p []byte) {
	if len(p) == 0 || s.phase == over || s.phase == unstarted {
		return
	}
	s.timers.lastIn = now
	s.received += uint64(len(p))
	s.owed += len(p)
	if !s.cfg.Records {
		_, _ = s.dec.Write(p)
		return
	}
	s.in = append(s.in, p...)
}

// Next returns the next event; None when more bytes, or time, are needed.
func (s *Stream) Next(now time.Time) Event {
	for {
		if e, ok := s.pop(); ok {
			return e
		}
		if s.phase == over || s.phase == unstarted {
			return Event{}
		}
		ev, err := s.dec.Next()
		switch {
		case err == nil:
			s.take(now, ev)
		case errors.Is(err, xmlstream.ErrShort):
			if !s.cfg.Records || !s.record(now) {
				if e, ok := s.pop(); ok {
					return e
				}
				return Event{}
			}
		case errors.Is(err, io.EOF):
			s.end(Event{Detail: "bytes after the end"})
		default:
			s.malformed(now, err)
		}
	}
}

func (s *Stream) malformed(now time.Time, err error) {
	var bad *xmlstream.Error
	if !errors.As(err, &bad) {
		s.fail(now, stanza.StreamInternalServerError, "decoder failed")
		return
	}
	c, ok := stanza.ParseStreamCondition(bad.Condition)
	if !ok {
		c = stanza.StreamNotWellFormed
	}
	detail := bad.Detail
	if s.received <= 64 && !s.cfg.Records && bad.Offset == 0 {
		detail += "; the very first byte is wrong: the peer may use TLS or compression here, which this end does not"
	}
	s.fail(now, c, detail)
}

// record takes one record of a compressed carrier; false when none has come whole.
func (s *Stream) record(now time.Time) bool {
	r, rest, ok, bad := nextRecord(s.in)
	if bad {
		detail := "record out of shape"
		if s.in[0] == '<' {
			detail = "plain XML where records were agreed: the peer does not compress"
		}
		s.fail(now, stanza.StreamBadFormat, detail)
		return false
	}
	if !ok {
		return false
	}
	switch r.kind {
	case recordXML:
		_, _ = s.dec.Write(r.body)
	case recordStanza, recordCustody:
		s.compressed(now, r)
	case recordMarks:
		s.heard(now, links.Acknowledgements, r.bytes)
		s.marks(now, r)
	case recordManaged:
		s.heard(now, links.Acknowledgements, r.bytes)
		s.managedRecord(now, r)
	}
	if len(rest) == 0 && cap(s.in) > 2*maxRecord {
		s.in = nil
	} else {
		s.in = append(s.in[:0], rest...)
	}
	return s.phase != over
}

// compressed takes one compressed stanza.
func (s *Stream) compressed(now time.Time, r record) {
	frame, custodial := r.body, r.kind == recordCustody
	var f links.Frame
	if s.open == nil || custodial != (s.cfg.Mode == Custody) || custodial && !s.greeted {
		s.fail(now, stanza.StreamBadFormat, "compressed stanza of another mode")
		return
	}
	if custodial {
		var ok bool
		if f, frame, ok = s.heads.in.read(r, s.peer.Epoch); !ok {
			s.fail(now, stanza.StreamBadFormat, "custody head out of shape")
			return
		}
	}
	id := ""
	if r.id {
		var ok bool
		if id, frame, ok = r.identifier(frame); !ok {
			s.fail(now, stanza.StreamBadFormat, "identifier out of shape")
			return
		}
	}
	plain, err := s.open.Open(frame)
	s.owed += len(plain)
	if err != nil {
		s.emit(Event{Kind: Noticed, Word: NoticeFrame, Detail: err.Error(), Bytes: r.bytes})
		if s.cfg.Compression.Context == deflate.Shared {
			s.fail(now, stanza.StreamUndefinedCondition, "shared compression context lost")
			return
		}
		big := errors.Is(err, deflate.ErrTooBig) || errors.Is(err, deflate.ErrRatio)
		s.arrive(now, Event{Frame: f, Bytes: r.bytes, Malformed: &stanza.Malformed{
			Stanza: stanza.PolicyViolation, TooBig: big, Detail: "compressed frame: " + err.Error(),
		}})
		return
	}
	e, err := xmlstream.ParseDocument(plain, xmlstream.Options{Limits: s.cfg.Limits, ContentNS: xmlstream.NSServer})
	if err != nil {
		s.malformed(now, err)
		return
	}
	var list []*xmlstream.Element
	if whole := custodial; e.Is(NSCustody, "c") && whole {
		if e, list, whole = content(e); !whole {
			s.fail(now, stanza.StreamBadFormat, "frame out of shape")
			return
		}
	}
	if e.Space() != xmlstream.NSServer {
		s.fail(now, stanza.StreamUnsupportedStanzaType, "compressed element that is no stanza")
		return
	}
	if _, twice := e.Attr("id"); r.id && twice {
		s.fail(now, stanza.StreamBadFormat, "two identifiers")
		return
	} else if r.id {
		e = e.WithAttr(xmlstream.Name{Local: "id"}, id)
	}
	s.heardFrom(now, e, f, len(plain), r.bytes)
	s.stanza(now, e, list, f, r.bytes)
}

// take sorts what the decoder gives.
func (s *Stream) take(now time.Time, ev xmlstream.Event) {
	switch ev.Kind {
	case xmlstream.EndEvent:
		s.peerEnded(now)
	case xmlstream.OversizeEvent:
		s.oversize(now, ev)
	case xmlstream.ElementEvent:
		s.element(now, ev.Element, ev.Bytes)
	case xmlstream.HeaderEvent, xmlstream.NoEvent: // there is none without headers
		s.fail(now, stanza.StreamBadFormat, "stream header")
	}
}

func (s *Stream) element(now time.Time, e *xmlstream.Element, bytes int) {
	switch e.Space() {
	case xmlstream.NSServer:
		if s.cfg.Mode == Custody {
			s.fail(now, stanza.StreamBadFormat, "stanza without a frame: the peer does not keep custody")
			return
		}
		s.heardFrom(now, e, links.Frame{}, bytes, bytes)
		s.stanza(now, e, nil, links.Frame{}, bytes)
	case NSCustody:
		if s.cfg.Mode != Custody {
			s.fail(now, stanza.StreamBadFormat, "custody frames on a link without custody")
			return
		}
		s.custody(now, e, bytes)
	case nsManage:
		s.heard(now, links.Acknowledgements, bytes)
		s.manage(now, e)
	case xmlstream.NSStream:
		if e.Local() == "error" {
			s.peerError(e)
			return
		}
		s.fail(now, stanza.StreamBadFormat, "negotiation on a zero-handshake link") // O03
	case nsCompress: // M01: never offered
		b, _ := xmlstream.AppendElement(nil, xmlstream.NewElement(xmlstream.Name{Space: nsCompress, Local: "failure"}, nil,
			xmlstream.Node{Element: xmlstream.NewElement(xmlstream.Name{Space: nsCompress, Local: "unsupported-method"}, nil)}), xmlstream.NSServer)
		s.xml(now, b)
	case xmlstream.NSSASL, xmlstream.NSTLS, xmlstream.NSDialback:
		s.fail(now, stanza.StreamBadFormat, "negotiation on a zero-handshake link") // O03
	default:
		s.fail(now, stanza.StreamUnsupportedStanzaType, "element of no agreed namespace")
	}
}

// stanza checks one stanza, and whose it is (O02). list are the elements behind it in its frame.
func (s *Stream) stanza(now time.Time, e *xmlstream.Element, list []*xmlstream.Element, f links.Frame, bytes int) {
	st, err := stanza.From(e)
	var bad *stanza.Malformed
	switch {
	case err == nil:
		if !s.cfg.Remote(st.From().DomainJID()) {
			s.drop(now, NoticeForeign, "from "+st.From().Domain(), f, bytes)
			return
		}
		a := Event{Stanza: st, Frame: f, Bytes: bytes}
		var err error
		switch a.Also, err = fanout.Parse(st, list); {
		case err != nil:
			a.Stanza, a.Also, a.Malformed = stanza.Stanza{}, nil, refusedAs(st, stanza.BadRequest, err.Error())
		case !s.cfg.Local(st.To().DomainJID()):
			a.Stanza, a.Also, a.Malformed = stanza.Stanza{}, nil, refusedAs(st, stanza.ItemNotFound, "the domain is not one of this end")
		}
		s.arrive(now, a)
	case errors.As(err, &bad) && bad.Stream == stanza.NoStreamCondition && s.cfg.Remote(bad.From.DomainJID()):
		s.arrive(now, Event{Malformed: bad, Frame: f, Bytes: bytes})
	case bad != nil:
		s.drop(now, NoticeMalformed, bad.Detail, f, bytes)
	}
}

// refusedAs is how a stanza is refused that this end cannot take: for somebody else's domain, which is answered and never relayed, or
// with a list of recipients out of shape.
func refusedAs(st stanza.Stanza, c stanza.Condition, why string) *stanza.Malformed {
	return &stanza.Malformed{
		Stanza: c, Kind: st.Kind(), Type: st.Type(), ID: st.ID(), To: st.To(), From: st.From(),
		Detail: clip(why), Element: st.Element(),
	}
}

// drop settles a stanza that nobody can be answered about, and notes it.
func (s *Stream) drop(now time.Time, word, detail string, f links.Frame, bytes int) {
	s.emit(Event{Kind: Noticed, Word: word, Detail: clip(detail), Frame: f, Bytes: bytes})
	seq := s.arrived(f)
	s.Settled(now, seq)
}

// arrive hands up one arrival.
func (s *Stream) arrive(now time.Time, e Event) {
	s.timers.lastStanza = now
	s.flood.n = 0
	e.Kind = Arrived
	e.Seq = s.arrived(e.Frame)
	s.emit(e)
}

func (s *Stream) arrived(f links.Frame) uint64 {
	s.owedItems++
	if s.cfg.Mode == Custody {
		return s.carried.Arrived(f)
	}
	return s.session.Arrived()
}

// oversize takes the start tag of an element that was read past.
func (s *Stream) oversize(now time.Time, ev xmlstream.Event) {
	e := ev.Element
	bad := &stanza.Malformed{Stanza: stanza.PolicyViolation, TooBig: true, Detail: "element too large", Element: e}
	switch {
	case e.Is(NSCustody, "c") && s.cfg.Mode == Custody && s.greeted:
		f, ok := parseFrame(e, s.peer.Epoch)
		if !ok || f.Epoch != s.peer.Epoch {
			s.fail(now, stanza.StreamBadFormat, "frame out of shape")
			return
		}
		s.arrive(now, Event{Malformed: bad, Frame: f, Bytes: ev.Bytes})
	case e.Space() == xmlstream.NSServer && s.cfg.Mode != Custody:
		kind, ok := stanza.ParseKind(e.Local())
		rawFrom, _ := e.Attr("from")
		rawTo, _ := e.Attr("to")
		from, errFrom := jid.Parse(rawFrom)
		to, errTo := jid.Parse(rawTo)
		if !ok || errFrom != nil || errTo != nil || !s.cfg.Remote(from.DomainJID()) {
			s.drop(now, NoticeMalformed, "element too large", links.Frame{}, ev.Bytes)
			return
		}
		bad.Kind, bad.From, bad.To = kind, from, to
		if id, _ := e.Attr("id"); len(id) <= stanza.MaxID {
			bad.ID = id
		}
		if name, typed := e.Attr("type"); typed {
			bad.Type, _ = stanza.ParseType(kind, name)
		}
		s.arrive(now, Event{Malformed: bad, Bytes: ev.Bytes})
	default:
		s.fail(now, stanza.StreamPolicyViolation, "element too large")
	}
}

// peerError takes the peer's stream error; its end follows, or does not.
func (s *Stream) peerError(e *xmlstream.Element) {
	c := stanza.StreamUndefinedCondition
	for child := range e.Children() {
		if child.Space() == xmlstream.NSStreams && child.Local() != "text" {
			if known, ok := stanza.ParseStreamCondition(child.Local()); ok {
				c = known
			}
			break
		}
	}
	s.emit(Event{Kind: Noticed, Word: NoticePeerError, Detail: c.String()})
	s.end(Event{Condition: c, Detail: "the peer ended the stream: " + c.String()})
}

// peerEnded takes the peer's end tag.
func (s *Stream) peerEnded(now time.Time) {
	if s.phase == closing {
		s.end(Event{Clean: true, Idle: s.timers.idle, Detail: "closed"})
		return
	}
	s.acknowledge(now)
	s.xml(now, xmlstream.AppendEnd(nil))
	s.end(Event{Detail: "closed by the peer", Clean: len(s.flight) == 0})
}

func clip(text string) string { return text[:min(len(text), maxDetail)] }
