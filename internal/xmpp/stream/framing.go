package stream

import (
	"sallyport/internal/xmpp/xmlstream"
)

// Framing is how a stream lies on its transport.
type Framing uint8

const (
	// Stream is one long document on TCP (RFC 6120 §4).
	Stream Framing = iota
	// WebSocket has each first-level element as a message of its own, with
	// <open/> and <close/> for the tags of the stream (RFC 7395). Each Write is
	// exactly one message.
	WebSocket
)

const nsFraming = "urn:ietf:params:xml:ns:xmpp-framing"

func (f Framing) String() string { return enumName([]string{"stream", "websocket"}, uint8(f)) }

// appendHeader appends our header.
func (f Framing) appendHeader(dst []byte, h xmlstream.Header) []byte {
	if f == Stream {
		return xmlstream.AppendHeader(dst, h)
	}
	open := el(nsFraming, "open", "from", h.From, "id", h.ID, "to", h.To, "version", h.Version)
	if h.Lang != "" {
		open = open.WithAttr(xmlstream.Name{Space: xmlstream.NSXML, Local: "lang"}, h.Lang)
	}
	if data, err := xmlstream.AppendElement(dst, open, ""); err == nil {
		return data
	}
	return dst
}

// appendEnd appends our last word.
func (f Framing) appendEnd(dst []byte) []byte {
	if f == Stream {
		return xmlstream.AppendEnd(dst)
	}
	return append(dst, "<close xmlns='"+nsFraming+"'/>"...)
}

// appendElement writes e as a first-level element. Elements of the one content
// namespace may be handed in as those of the other: on the wire the header says which.
func (m *core) appendElement(dst []byte, e *xmlstream.Element) ([]byte, error) {
	if m.contentNS == xmlstream.NSClient && e.Space() == xmlstream.NSServer {
		return m.appendStanza(dst, e, nil)
	}
	if m.framing == WebSocket {
		return xmlstream.AppendElement(dst, e, "") // every message stands alone (RFC 7395 §3.3.3)
	}
	return xmlstream.AppendElement(dst, e, m.contentNS)
}

// ReadFrame reads one text message of a WebSocket as the event that a decoder
// would have given (RFC 7395 §3.3). Its error is what Malformed takes.
func ReadFrame(message []byte, limits xmlstream.Limits) (xmlstream.Event, *xmlstream.Error) {
	e, err := xmlstream.ParseDocument(message, xmlstream.Options{Limits: limits})
	if err != nil {
		return xmlstream.Event{}, frameError(message, limits, err)
	}
	if e.Space() != nsFraming {
		return xmlstream.Event{Kind: xmlstream.ElementEvent, Element: e, Bytes: len(message)}, nil
	}
	switch e.Local() {
	case "open":
		return xmlstream.Event{Kind: xmlstream.HeaderEvent, Header: headerOf(e), Bytes: len(message)}, nil
	case "close":
		return xmlstream.Event{Kind: xmlstream.EndEvent, Bytes: len(message)}, nil
	}
	return xmlstream.Event{Kind: xmlstream.ElementEvent, Element: e, Bytes: len(message)}, nil
}

// frameError tells XML that is broken from XML that is badly framed: half an element, or more than one (D22).
func frameError(message []byte, limits xmlstream.Limits, err error) *xmlstream.Error {
	bad, ok := err.(*xmlstream.Error)
	if !ok {
		bad = &xmlstream.Error{Condition: xmlstream.BadFormat, Detail: "unreadable message"}
	}
	bad.Bytes = len(message)
	if bad.Condition != xmlstream.NotWellFormed {
		return bad
	}
	at := int(min(bad.Offset, int64(len(message))))
	if _, err := xmlstream.ParseDocument(message[:at], xmlstream.Options{Limits: limits}); err == nil || at == len(message) {
		bad.Condition, bad.Detail = xmlstream.BadFormat, "not exactly one element in a message"
	}
	return bad
}

func headerOf(e *xmlstream.Element) xmlstream.Header {
	h := xmlstream.Header{Name: e.Name(), ContentNS: xmlstream.NSClient}
	h.To, _ = e.Attr("to")
	h.From, _ = e.Attr("from")
	h.ID, _ = e.Attr("id")
	h.Version, _ = e.Attr("version")
	h.Lang, _ = e.AttrNS(xmlstream.NSXML, "lang")
	for i := range e.NumAttrs() {
		h.Attrs = append(h.Attrs, e.AttrAt(i))
	}
	return h
}
