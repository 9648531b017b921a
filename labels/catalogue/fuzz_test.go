package catalogue_test

import (
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels/catalogue"
	"sallyport/labels/xep0258"
)

// A file that is read can be written and read again as the same, and what is left of it for somebody cleared for
// little is valid.
func FuzzParse(f *testing.F) {
	reg := registry(f, guardSPIF, partnerSPIF)
	for _, seed := range []string{
		catalog("", ""),
		catalog(" name='N' restrict='true' size='1'", item(" selector='A|B' default='true'", ess(publicESS, marking("GUARD PUBLIC")))),
		catalog("", item("", ess(relGBR))+item(" default='1'", "")),
		catalog("", item(" selector='A'", ess(trailing))),
		string(codeList(f, entry(f, "default", label(f, reg, public)), entry(f, "GB", label(f, reg, internal, gbr)))),
	} {
		f.Add([]byte(seed))
	}
	low := catalogue.Filter{
		At: now, Sender: judged(f, clearance(f, reg, guardID, []uint32{public})), Service: unknown, Peer: unknown, Link: unknown, Recipient: unknown,
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := catalogue.Parse(b, reg)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v and %v", c, err)
		}
		catalogue.ParseMarkings(b, reg)
		if err != nil {
			return
		}
		for _, i := range c.For(low).Items {
			if i.Label.ClassName() != "PUBLIC" {
				t.Fatalf("%s is offered", i.Label)
			}
		}
		e, err := c.Element(catalogue.Writing{Syntax: xep0258.ESS, At: now})
		if err != nil {
			return // a few thousand octets of selectors can be too much for one stanza
		}
		again, err := catalogue.Parse(octets(t, e), reg)
		if err != nil || !again.Equal(c.WithSelectors("")) {
			t.Fatalf("%v: %+v, before %+v", err, again, c)
		}
	})
}

// A request that is read names two addresses; the asker is the sender or one of the sender's users.
func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{
		iq(" type='get'"+juliet, ask(" to='romeo@low.example'")),
		iq(" type='get' from='high.example'", ask(" to='a@b.example' from='juliet@high.example' node='n'")),
		iq(" type='set'"+juliet, ask("")),
		iq(" type='get'"+juliet, "<catalog xmlns='urn:xmpp:sec-label:catalog:2' to='a@b.example'>x</catalog>"),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := xmlstream.ParseDocument(b, xmlstream.Options{ContentNS: xmlstream.NSClient})
		if err != nil {
			return
		}
		s, err := stanza.FromCarried(e)
		if err != nil {
			return
		}
		r, err := catalogue.ParseRequest(s)
		if err != nil {
			if r != (catalogue.Request{}) {
				t.Fatalf("%+v and %v", r, err)
			}
			return
		}
		if _, named := s.Payload().Attr("to"); r.To.IsZero() == named || r.From.IsZero() || r.From.IsFull() || r.From.Domain() != s.From().Domain() {
			t.Fatalf("%+v from %s", r, s.From())
		}
		if s.From().Local() != "" && r.From != s.From().Bare() {
			t.Fatalf("%s asks for %s", s.From(), r.From)
		}
	})
}
