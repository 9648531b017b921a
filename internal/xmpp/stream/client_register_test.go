package stream_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

const (
	askForm  = `<iq type='get' id='f'><query xmlns='jabber:iq:register'/></iq>`
	makeIt   = `<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>new</username><password>x</password></query></iq>`
	showIt   = `<iq type='set' id='p'><preauth xmlns='urn:xmpp:pars:0' token='letmein'/></iq>`
	showNone = `<iq type='set' id='p'><preauth xmlns='urn:xmpp:pars:0'/></iq>`
)

func registers(how stream.Registration) func(*stream.ClientConfig) {
	return func(c *stream.ClientConfig) {
		p := everyWay
		p.Register = how
		c.Policy = func(jid.JID) stream.ClientPolicy { return p }
	}
}

// Who has no account asks how to make one, shows an invitation, makes one, and logs in on the same stream (XEP-0077 §3.1, XEP-0445 §4).
func TestRegistrationBeforeLogin(t *testing.T) {
	t.Parallel()
	x := direct(t, registers(stream.ByInvitation))
	if said := x.say(helloClient); !strings.Contains(said, "iq-register") || !strings.Contains(said, "urn:xmpp:invite") || !strings.Contains(said, "<register xmlns='urn:xmpp:ibr-token:0'/>") {
		t.Fatalf("offered %s", said)
	}
	x.say(askForm)
	x.step(stream.Registered{Condition: stanza.Forbidden, Text: "no"})
	if said := x.take(); !strings.Contains(said, "<forbidden") || !strings.Contains(said, ">no<") {
		t.Errorf("said %s", said)
	}
	x.say(showIt)
	shown := x.now
	x.now = x.now.Add(time.Second)
	x.step(stream.Registered{})
	if said := x.take(); !strings.Contains(said, "type='result'") {
		t.Errorf("said %s", said)
	}
	if said := x.say(showNone); !strings.Contains(said, "<bad-request") {
		t.Errorf("without a token: %s", said)
	}
	x.now = x.now.Add(time.Second)
	x.say(makeIt)
	x.step(stream.Registered{})
	x.step(stream.Registered{Condition: stanza.Conflict}) // that nobody asked for
	if said := x.take(); !strings.Contains(said, "id='r'") || strings.Contains(said, "conflict") {
		t.Errorf("said %s", said)
	}
	if len(x.joins) != 3 || x.joins[0].Set || x.joins[0].Token != "" || x.joins[1].Query != nil || x.joins[2].Token != "letmein" || !x.joins[2].Set {
		t.Errorf("the edge was asked %+v", x.joins)
	}
	if !x.joins[1].Shown.IsZero() || !x.joins[2].Shown.Equal(shown) {
		t.Errorf("shown %s, then %s, want nothing and %s", x.joins[1].Shown, x.joins[2].Shown, shown)
	}
	x.ends(x.say(`<message to='other@b.example'><body>x</body></message>`), stanza.StreamNotAuthorized)
}

// Never in clear, never where it is not on offer, and not for ever.
func TestRegistrationRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		x    *edge
		said string
		want stanza.StreamCondition
	}{
		"in clear":           {newEdge(t, registers(stream.OpenRegistration)), makeIt, stanza.StreamNotAuthorized},
		"not on offer":       {direct(t, nil), makeIt, stanza.StreamNotAuthorized},
		"without an id":      {direct(t, registers(stream.OpenRegistration)), `<iq type='get'><query xmlns='jabber:iq:register'/></iq>`, stanza.StreamPolicyViolation},
		"again and again":    {direct(t, registers(stream.OpenRegistration)), strings.Repeat(showNone, stream.MaxRegisters+1), stanza.StreamPolicyViolation},
		"at another address": {direct(t, registers(stream.OpenRegistration)), strings.Repeat(`<iq type='get' id='f' to='c.example'><query xmlns='jabber:iq:register'/></iq>`, stream.MaxRegisters+1), stanza.StreamPolicyViolation},
	} {
		t.Run(name, func(t *testing.T) {
			c.x.t = t
			if name == "in clear" {
				c.x.step(stream.Start{})
			}
			if said := c.x.say(helloClient); (name == "in clear" || name == "not on offer") && strings.Contains(said, "iq-register") {
				t.Errorf("offered %s", said)
			}
			c.x.ends(c.x.say(c.said), c.want)
			if len(c.x.joins) > 0 {
				t.Errorf("the edge was asked %+v", c.x.joins)
			}
		})
	}
}
