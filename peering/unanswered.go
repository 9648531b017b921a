package peering

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Unanswered is what it takes to tell the sender of a request later that no answer came: addresses, id and reference, and nothing else
// of it, so that many may wait for long. The zero value tells nobody anything.
type Unanswered struct {
	from, to jid.JID
	id       string
	source   source // without its stanza
	toPeer   string
}

// Unanswered keeps that of a request that v released; zero for anything else.
func (v *Verdict) Unanswered() Unanswered {
	s := v.source.stanza
	if v.Outcome != Release || !s.IsRequest() {
		return Unanswered{}
	}
	u := Unanswered{s.From().Clone(), s.To().Clone(), string([]byte(s.ID())), v.source, v.ToPeer} // memory of its own: the stanza may be large
	u.source.stanza, u.source.local = stanza.Stanza{}, v.source.local.Clone()
	return u
}

// Ref is the reference that the verdict had.
func (u *Unanswered) Ref() string { return makeRef(u.source.node, u.source.serial) }

// Addresses are those of the request, as it came.
func (u *Unanswered) Addresses() (from, to jid.JID) { return u.from, u.to }

// FromPeer is the peer of the requester.
func (u *Unanswered) FromPeer() string { return u.source.peer }

// ToPeer is the peer that was asked.
func (u *Unanswered) ToPeer() string { return u.toPeer }

// NoAnswer makes the error that tells the sender of a request that nothing came back in time.
func (e *Engine) NoAnswer(u *Unanswered) (Released, bool) {
	p := e.policy.Load()
	if p == nil || u.from.IsZero() {
		return Released{}, false
	}
	asked := xmlstream.NewElement(xmlstream.Name{Space: "urn:xmpp:ping", Local: "ping"}, nil) // any will do: an error shows nothing of it
	root := xmlstream.NewElement(xmlstream.Name{Space: xmlstream.NSServer, Local: stanza.IQ.String()}, []xmlstream.Attr{
		{Name: xmlstream.Name{Local: "from"}, Value: u.from.String()},
		{Name: xmlstream.Name{Local: "id"}, Value: u.id},
		{Name: xmlstream.Name{Local: "to"}, Value: u.to.String()},
		{Name: xmlstream.Name{Local: "type"}, Value: "get"},
	}, xmlstream.ElementNode(asked))
	s, err := stanza.From(root)
	if err != nil {
		return Released{}, false
	}
	v := Verdict{Ruling: Ruling{Version: p.version, source: u.source}}
	v.source.stanza = s
	return e.ReplyTold(&v, Undelivered, ToldNoAnswer)
}
