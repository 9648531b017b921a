package server

import (
	"context"
	"slices"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/hybrid"
)

const (
	nsCarbonsRules = "urn:xmpp:carbons:rules:0"
	nsCarbons      = "urn:xmpp:carbons:2"
	nsForward      = "urn:xmpp:forward:0"
	nsMUCUser      = "http://jabber.org/protocol/muc#user"
	nsLabel        = "urn:xmpp:sec-label:0"
	nsReceipts     = "urn:xmpp:receipts"
	nsMarkers      = "urn:xmpp:chat-markers:0"
	nsConference   = "jabber:x:conference"
)

// carbons lets clients ask for copies (XEP-0280 §4, §5).
func (s *Server) carbons() Feature {
	return Feature{
		Name: "carbons", ServerFeatures: []string{nsCarbons, nsCarbonsRules}, AccountFeatures: []string{nsCarbons},
		IQ: []IQRoute{{Space: nsCarbons, At: []Target{AtAccount}, Handle: s.setCarbons}},
	}
}

func (s *Server) setCarbons(_ context.Context, q *Request) Answer {
	on := q.Payload.Local() == "enable"
	if !q.Set || !on && q.Payload.Local() != "disable" {
		return Answer{Condition: stanza.BadRequest}
	}
	r := s.connected(q.From)
	if r == nil {
		return Answer{Condition: stanza.NotAllowed}
	}
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	r.carbons = on
	return Answer{}
}

// copied says which messages are, and of those from one in a room that its own are sent by the room (XEP-0280 §6.1).
func copied(m stanza.Stanza, sent bool) bool {
	e := m.Element()
	if e.Child(nsCarbons, "private") != nil || e.Child(nsHints, "no-copy") != nil || isCarbon(e) {
		return false
	}
	room := e.Child(nsMUCUser, "x")
	switch {
	case m.Type() == stanza.MessageGroupchat:
		return false
	case m.Type() == stanza.MessageError:
		return room == nil
	case e.Child(nsConference, "x") != nil, room != nil && room.Child(nsMUCUser, "invite") != nil:
		return true
	case room != nil && !sent:
		return false
	case m.Type() == stanza.MessageChat:
		return true
	}
	for c := range e.Children() {
		switch {
		case c.Is(e.Space(), "body") && m.Type() == stanza.MessageNormal, c.Space() == nsReceipts, c.Space() == nsStates, c.Space() == nsMarkers:
			return true
		}
	}
	return false
}

func isCarbon(e *xmlstream.Element) bool { return carried(e) != nil }

// carried is the copy in a message, nil where it is none.
func carried(e *xmlstream.Element) *xmlstream.Element {
	for _, how := range []string{"received", "sent"} {
		if c := e.Child(nsCarbons, how); c != nil {
			return c
		}
	}
	return nil
}

// copying is what a copy says of a message.
type copying struct {
	how  string                   // sent or received
	but  []*resource              // who is not shown it
	may  func(stanza.Stanza) bool // asked last, and only where there is somebody to show it to; nil is yes
	kept hybrid.ID                // in the archive of who has sent it
}

// copySent shows a message of a client to the other clients of its account, unless the policy refuses it: what is not sent is not
// theirs to see.
func (s *Server) copySent(m *sent, kept hybrid.ID) {
	if !m.by.user.copies(m.by) || m.stanza.To().Bare() == m.by.user.bare { // they get it, or a copy of what they get
		return
	}
	s.copy(m.by.user, m.stanza, copying{"sent", []*resource{m.by}, s.cfg.Gate.MaySend, kept})
}

// copyReceived shows a message to the clients that it was not delivered to.
func (s *Server) copyReceived(u *user, c cleared, got []*resource) {
	if len(got) != 1 || u.copies(got[0]) {
		s.copy(u, c.stanza, copying{how: "received", but: got})
	}
}

// copies reports whether a client other than one wants copies of messages.
func (u *user) copies(but *resource) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range u.resources {
		if r.carbons && r != but {
			return true
		}
	}
	return false
}

func (s *Server) copy(u *user, m stanza.Stanza, c copying) {
	to := u.some(func(r *resource) bool { return r.carbons && !slices.Contains(c.but, r) && r.jid != m.From() })
	if len(to) == 0 || !copied(m, c.how == "sent") || c.may != nil && !c.may(m) {
		return
	}
	shown := tree.Renamed(m.Element(), xmlstream.NSServer, xmlstream.NSClient)
	if !c.kept.IsZero() {
		shown = tree.Appended(shown, tree.New("urn:xmpp:sid:0", "stanza-id", tree.Attr("by", u.bare.String()), tree.Attr("id", c.kept.String())))
	}
	// The copy is labelled as what is in it, or the label around it would not dominate.
	inner := tree.New(nsCarbons, c.how, tree.With(tree.New(nsForward, "forwarded", tree.With(shown))))
	label := m.Element().Child(nsLabel, "securitylabel")
	typ := m.Type()
	if typ == stanza.MessageError { // an error around a copy would be one of the copy
		typ = stanza.MessageChat
	}
	for _, r := range to {
		if around, err := tree.Message(typ, u.bare, r.jid, "", label, inner); err == nil {
			s.tell(r, around)
		}
	}
}
