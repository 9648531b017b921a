package x2x

import (
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
)

func appendManaged(dst []byte, local string, h uint32) []byte {
	dst = append(append(append(dst, '<'), local...), " xmlns='"+nsManage+"'"...)
	if local == "a" {
		dst = append(strconv.AppendUint(append(dst, " h='"...), uint64(h), 10), '\'')
	}
	return append(dst, "/>"...)
}

// manageWith puts a question or an acknowledgement of XEP-0198 on the wire: in a record of a few bytes, where records are used.
func (s *Stream) manageWith(now time.Time, local string, h uint32) {
	if !s.cfg.Records {
		s.put(now, appendManaged(nil, local, h), links.Acknowledgements)
		return
	}
	if s.phase == closing || s.phase == over {
		return
	}
	var body []byte
	if local == "a" {
		body = binary.AppendUvarint(nil, uint64(h))
	}
	before := len(s.out)
	s.timers.lastOut = now
	s.out = appendRecord(s.out, recordManaged, body)
	s.used(now, links.Acknowledgements, len(s.out)-before)
}

// managedRecord takes such a record.
func (s *Stream) managedRecord(now time.Time, r record) {
	h, n := binary.Uvarint(r.body)
	switch {
	case s.cfg.Mode != Managed || n != len(r.body) || n > 1 && r.body[n-1] == 0:
		s.fail(now, stanza.StreamBadFormat, "acknowledgement out of shape")
	case n == 0:
		s.managedAsked(now)
	default:
		s.managedAck(now, h)
	}
}

// manage takes an element of XEP-0198. Without agreement on it there is none: it is refused like an enable that comes too late.
func (s *Stream) manage(now time.Time, e *xmlstream.Element) {
	switch {
	case s.cfg.Mode != Managed || e.Local() != "r" && e.Local() != "a":
		if s.flood.hit(now) {
			s.fail(now, stanza.StreamPolicyViolation, "too many requests of stream management")
			return
		}
		b, _ := xmlstream.AppendElement(nil, xmlstream.NewElement(xmlstream.Name{Space: nsManage, Local: "failed"}, nil,
			xmlstream.Node{Element: xmlstream.NewElement(xmlstream.Name{Space: xmlstream.NSStanzas, Local: "unexpected-request"}, nil)}), xmlstream.NSServer)
		s.xml(now, b)
	case e.Local() == "r":
		s.managedAsked(now)
	default:
		text, _ := e.Attr("h")
		h, ok := decimal(text)
		if !ok {
			h = 1 << 32
		}
		s.managedAck(now, h)
	}
}

func (s *Stream) managedAsked(now time.Time) {
	if s.flood.hit(now) {
		s.fail(now, stanza.StreamPolicyViolation, "too many acknowledgement requests")
		return
	}
	s.acknowledge(now)
}

func (s *Stream) managedAck(now time.Time, h uint64) {
	if h > 1<<32-1 {
		s.fail(now, stanza.StreamBadFormat, "acknowledgement without a number")
		return
	}
	items, err := s.session.Acked(uint32(h))
	if err != nil {
		s.emit(Event{Kind: Noticed, Word: NoticeBogusAck, Detail: "handled count too high"})
		s.fail(now, stanza.StreamUndefinedCondition, "handled count too high")
		return
	}
	s.answered(now, s.timers.asked)
	if len(items) == 0 {
		return
	}
	tokens := make([]uint64, 0, len(items))
	for range items {
		f := s.flight[0]
		s.flight = s.flight[1:]
		s.flying -= f.bytes
		tokens = append(tokens, f.token)
	}
	s.emit(Event{Kind: Confirmed, Tokens: tokens})
}

// custody takes an element of our own namespace.
func (s *Stream) custody(now time.Time, e *xmlstream.Element, bytes int) {
	if !s.greeted && e.Local() != "h" {
		s.fail(now, stanza.StreamBadFormat, "no greeting first")
		return
	}
	switch e.Local() {
	case "c":
	case "a":
		s.heard(now, links.Acknowledgements, bytes)
	default:
		s.heard(now, links.Framing, bytes)
	}
	switch e.Local() {
	case "h":
		s.greeting(now, e)
	case "c":
		f, ok := parseFrame(e, s.peer.Epoch)
		inner, list, whole := content(e)
		if !ok || !whole || f.Epoch != s.peer.Epoch || inner.Space() != xmlstream.NSServer {
			s.fail(now, stanza.StreamBadFormat, "frame out of shape")
			return
		}
		s.heardFrom(now, inner, f, bytes, bytes)
		s.stanza(now, inner, list, f, bytes)
	case "a":
		s.custodyAck(now, e)
	case "p", "o":
		s.probe(now, e)
	default:
		s.fail(now, stanza.StreamUnsupportedStanzaType, "custody element of no agreed name")
	}
}

func (s *Stream) greeting(now time.Time, e *xmlstream.Element) {
	if s.greeted {
		s.fail(now, stanza.StreamBadFormat, "second greeting")
		return
	}
	g, why := parseGreeting(e)
	if why == "" && g.Dictionary != s.dictionary() {
		why = "the two ends have different dictionaries"
	}
	if why == "" && g.Form != s.form() {
		why = "records of another form"
	}
	if why == "" && g.Epoch == s.cfg.Epoch {
		why = "our own greeting came back as the peer's"
	}
	if why != "" {
		s.fail(now, stanza.StreamBadFormat, why)
		return
	}
	s.peer, s.greeted = g, true
	if s.disowns(g.Marks) {
		s.emit(Event{Kind: Greeted, Epoch: g.Epoch, Marks: g.Marks})
		s.fail(now, stanza.StreamUndefinedCondition, "the peer holds what was never sent")
		return
	}
	var tokens []uint64
	s.sender.Greeted(g.Marks, func(token uint64) { tokens = append(tokens, token) })
	s.emit(Event{Kind: Greeted, Epoch: g.Epoch, Marks: g.Marks})
	if len(tokens) > 0 {
		s.emit(Event{Kind: Confirmed, Tokens: tokens})
	}
}

// disowns reports whether marks speak of numbers of ours that we never gave.
func (s *Stream) disowns(marks []links.Mark) bool {
	if s.cfg.Issued == nil {
		return false
	}
	highest := s.cfg.Issued()
	return slices.ContainsFunc(marks, func(m links.Mark) bool { return m.Epoch == s.cfg.Epoch && m.Number > highest })
}

func (s *Stream) custodyAck(now time.Time, e *xmlstream.Element) {
	m, ok := parseMark(e, s.cfg.Epoch)
	if !ok {
		s.fail(now, stanza.StreamBadFormat, "acknowledgement out of shape")
		return
	}
	s.acked(now, []links.Mark{m})
}

// marks takes acknowledgements in a record.
func (s *Stream) marks(now time.Time, r record) {
	marks, ok := parseMarks(r.body, s.cfg.Epoch)
	if !ok || s.cfg.Mode != Custody || !s.greeted {
		s.fail(now, stanza.StreamBadFormat, "acknowledgement out of shape")
		return
	}
	s.acked(now, marks)
}

// acked takes acknowledgements of whatever form; the first that is wrong ends it.
func (s *Stream) acked(now time.Time, marks []links.Mark) {
	var tokens []uint64
	var err error
	for _, m := range marks {
		if err == nil {
			err = s.sender.Acked(m, func(token uint64) { tokens = append(tokens, token) })
		}
	}
	if len(tokens) > 0 {
		s.answered(now, time.Time{})
		s.emit(Event{Kind: Confirmed, Tokens: tokens})
	}
	if err != nil {
		s.emit(Event{Kind: Noticed, Word: NoticeBogusAck, Detail: err.Error()})
		s.fail(now, stanza.StreamUndefinedCondition, "acknowledgement of what was never sent")
	}
}

func (s *Stream) probe(now time.Time, e *xmlstream.Element) {
	text, _ := e.Attr("n")
	n, ok := decimal(text)
	switch {
	case !ok:
		s.fail(now, stanza.StreamBadFormat, "probe out of shape")
	case e.Local() == "o":
		if n == s.timers.probe {
			s.answered(now, s.timers.probed)
			s.timers.probed = time.Time{}
		}
	case s.flood.hit(now):
		s.fail(now, stanza.StreamPolicyViolation, "too many probes")
	default:
		s.xml(now, appendProbe(nil, "o", n))
	}
}

// confirmOld lets go of what a living stream took long ago, where nobody confirms.
func (s *Stream) confirmOld(now time.Time) {
	if s.cfg.Mode != Plain {
		return
	}
	var tokens []uint64
	for len(s.flight) > 0 && !now.Before(s.flight[0].at.Add(s.cfg.Profile.AnswerTimeout(s.cfg.Window.Bytes))) {
		s.flying -= s.flight[0].bytes
		tokens = append(tokens, s.flight[0].token)
		s.flight = s.flight[1:]
	}
	if len(tokens) > 0 {
		s.emit(Event{Kind: Confirmed, Tokens: tokens, Unproven: true})
	}
}

// Item is one stanza to send.
type Item struct {
	Element *xmlstream.Element
	Also    []*xmlstream.Element // the list of other recipients, under custody (links/fanout)
	Token   uint64
	Frame   links.Frame // under custody
}
