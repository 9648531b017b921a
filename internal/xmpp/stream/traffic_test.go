package stream_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// message builds one from from to to with a body.
func message(from, to, id string) *xmlstream.Element {
	n := func(local string) xmlstream.Name { return xmlstream.Name{Space: xmlstream.NSServer, Local: local} }
	at := func(local, v string) xmlstream.Attr {
		return xmlstream.Attr{Name: xmlstream.Name{Local: local}, Value: v}
	}
	return xmlstream.NewElement(n("message"), []xmlstream.Attr{at("from", from), at("to", to), at("id", id)},
		xmlstream.ElementNode(xmlstream.NewElement(n("body"), nil, xmlstream.TextNode("text "+id))))
}

// send sends a message between two domains; the verdict tells.
func (s *side) send(from, to jid.JID, token uint64) stream.Verdict {
	e := message("x@"+from.String(), "y@"+to.String(), fmt.Sprint(token))
	data, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		s.w.t.Fatal(err)
	}
	r := s.m.Send(s.w.now, stream.Item{Element: e, Bytes: len(data), Token: token, Pair: stream.Pair{Local: from, Remote: to}})
	if r.Verdict == stream.SendNow {
		s.write(data)
	}
	if r.AskAck {
		s.write(s.m.AppendAckRequest(nil))
	}
	return r.Verdict
}

// ids lists what arrived.
func (s *side) ids() string {
	var list []string
	for _, a := range s.got {
		list = append(list, a.Stanza.ID())
	}
	return strings.Join(list, " ")
}

func (s *side) has(p stream.Pair, d stream.Direction, m stream.Method) bool {
	return slices.ContainsFunc(s.auth, func(a stream.Authorised) bool {
		return a.Pair == p && a.Direction == d && a.Method == m
	})
}

func (s *side) saw(kind stream.FactKind) bool {
	return slices.ContainsFunc(s.notes, func(f stream.Fact) bool { return f.Kind == kind })
}

// wantError checks that s ended the stream with a condition, header first, close tag last.
func (s *side) wantError(t *testing.T, c stanza.StreamCondition) {
	t.Helper()
	if !strings.Contains(s.sent, "<"+c.String()+" xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>") {
		t.Errorf("%s did not send <%v/>; sent: %s", s.name, c, s.sent)
	}
	if !strings.HasSuffix(s.sent, "</stream:stream>") || !strings.Contains(s.sent, "<stream:stream ") {
		t.Errorf("%s did not open and close the stream; sent: %s", s.name, s.sent)
	}
	s.w.advance(5 * time.Second)
	if s.closed == nil {
		t.Fatalf("%s is not closed 5 s after the error", s.name)
	}
	if s.closed.Condition != c {
		t.Errorf("%s closed with %+v, want condition %v", s.name, *s.closed, c)
	}
}
