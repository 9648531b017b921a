package stream_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

const (
	askLegacy    = `<iq type='get' id='a'><query xmlns='jabber:iq:auth'><username>user</username></query></iq>`
	ancientHello = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='b.example'>`
)

func legacySet(children string) string {
	return `<iq type='set' id='l'><query xmlns='jabber:iq:auth'>` + children + `</query></iq>`
}

func legacyLogin(user, password, resource string) string {
	return legacySet(`<username>` + user + `</username><password>` + password + `</password><resource>` + resource + `</resource>`)
}

func legacy(change func(*stream.ClientPolicy)) func(*stream.ClientConfig) {
	return func(c *stream.ClientConfig) {
		p := everyWay
		p.Legacy = true
		if change != nil {
			change(&p)
		}
		c.Policy = func(jid.JID) stream.ClientPolicy { return p }
	}
}

// A client from before SASL asks how, logs in with its resource, and goes on: with features (XEP-0078 §4) and as one of before XMPP 1.0,
// which knows of none.
func TestLegacyLogin(t *testing.T) {
	t.Parallel()
	for _, hello := range []string{helloClient, ancientHello} {
		x := direct(t, legacy(nil))
		said := x.say(hello)
		if known := strings.Contains(hello, "version="); known != strings.Contains(said, "<auth xmlns='http://jabber.org/features/iq-auth'/>") ||
			known != strings.Contains(said, "' version='1.0' ") || known != strings.Contains(said, "features") {
			t.Errorf("greeted with %s", said)
		}
		if said := x.say(askLegacy); !strings.Contains(said, "<query xmlns='jabber:iq:auth'><username/><password/><resource/></query>") || !strings.Contains(said, "id='a'") {
			t.Errorf("asked: %s", said)
		}
		if said := x.say(legacyLogin("user", "pencil", "desk")); said != `<iq from='b.example' id='l' type='result'/>` {
			t.Errorf("answered %s", said)
		}
		if x.ready == nil || x.ready.Address != userDesk || x.ready.Mechanism != stream.Legacy || len(x.auth) != 1 || x.auth[0].Binding || x.binds[0].Drawn {
			t.Fatalf("%+v, %+v, %+v", x.ready, x.auth, x.binds)
		}
		x.say(`<message to='other@b.example'><body>` + strings.Repeat("x", 50_000) + `</body></message>`) // more than a stranger may say
		if len(x.got) != 1 {
			t.Errorf("%d messages arrived", len(x.got))
		}
		x.say(askLegacy) // after the login it is a request like any other
		if len(x.got) != 2 {
			t.Errorf("%d stanzas arrived", len(x.got))
		}
	}
}

// What fails is told in the errors of XEP-0078, the same for a wrong password and for who is not there, and the client may try again.
func TestLegacyLoginRefused(t *testing.T) {
	t.Parallel()
	const code = `<iq from='b.example' id='l' type='error'><error `
	for name, c := range map[string]struct{ said, want string }{
		"wrong password":   {legacyLogin("user", "pen", "desk"), code + `code='401' type='auth'><not-authorized`},
		"nobody":           {legacyLogin("nobody", "pencil", "desk"), code + `code='401' type='auth'><not-authorized`},
		"disabled":         {legacyLogin("gone", "pencil", "desk"), code + `code='401' type='auth'><not-authorized`},
		"no name":          {legacyLogin("a b@c", "pencil", "desk"), code + `code='401' type='auth'><not-authorized`},
		"no resource":      {legacySet(`<username>user</username><password>pencil</password>`), code + `code='406' type='modify'><not-acceptable`},
		"no good resource": {legacyLogin("user", "pencil", "&#x202e;"), code + `code='406' type='modify'><not-acceptable`},
		"a digest": {
			legacySet(`<username>user</username><digest>48fc78be9ec8f86d8ce1c39c320c97c21d62334d</digest><resource>desk</resource>`), code + `code='406' type='modify'><not-acceptable`,
		},
		"two passwords": {
			legacySet(`<username>user</username><password>pencil</password><password>x</password><resource>desk</resource>`), code + `code='406' type='modify'><not-acceptable`,
		},
		"of another domain": {
			strings.Replace(legacyLogin("user", "pencil", "desk"), "<iq", "<iq to='c.example'", 1), code + `code='400' type='modify'><bad-request`,
		},
		"neither get nor set": {`<iq type='result' id='l'><query xmlns='jabber:iq:auth'/></iq>`, code + `code='400' type='modify'><bad-request`},
	} {
		x := direct(t, legacy(nil))
		x.say(helloClient)
		said := x.say(c.said)
		if !strings.Contains(said, c.want) || x.ready != nil || len(x.auth) > 0 {
			t.Errorf("%s: told %s, want %s", name, said, c.want)
		}
		if !strings.Contains(said, "<stream:error>") {
			if said := x.say(legacyLogin("user", "pencil", "desk")); x.ready == nil {
				t.Errorf("%s: the next try is told %s", name, said)
			}
		}
	}
}

// Never in clear, never where it is not on offer or a login has to be bound, not in the middle of another login, and not for ever.
func TestLegacyLoginEnds(t *testing.T) {
	t.Parallel()
	bound := func(p *stream.ClientPolicy) { p.RequireBinding = true }
	good := legacyLogin("user", "pencil", "desk")
	for name, c := range map[string]struct {
		x           *edge
		hello, said string
		want        stanza.StreamCondition
	}{
		"in clear":                {newEdge(t, legacy(nil)), helloClient, good, stanza.StreamNotAuthorized},
		"in clear, of before 1.0": {newEdge(t, legacy(nil)), ancientHello, "", stanza.StreamUnsupportedVersion},
		"not on offer":            {direct(t, nil), helloClient, good, stanza.StreamNotAuthorized},
		"of before 1.0":           {direct(t, nil), ancientHello, "", stanza.StreamUnsupportedVersion},
		"not bound":               {direct(t, legacy(bound)), helloClient, good, stanza.StreamNotAuthorized},
		"without an id":           {direct(t, legacy(nil)), helloClient, strings.Replace(good, "id='l'", "", 1), stanza.StreamPolicyViolation},
		"wrong again and again":   {direct(t, legacy(nil)), helloClient, strings.Repeat(legacyLogin("user", "pen", "desk"), stream.MaxLogins), stanza.StreamPolicyViolation},
		"asked again and again":   {direct(t, legacy(nil)), helloClient, strings.Repeat(askLegacy, 11), stanza.StreamPolicyViolation},
		"after SASL has failed":   {direct(t, legacy(nil)), helloClient, plainAuth("user", "pen") + good, stanza.StreamPolicyViolation},
		"asked after SASL failed": {direct(t, legacy(nil)), helloClient, plainAuth("user", "pen") + askLegacy, stanza.StreamPolicyViolation},
		"before any login":        {direct(t, legacy(nil)), helloClient, `<message to='other@b.example'><body>x</body></message>`, stanza.StreamNotAuthorized},
		"in the middle of SASL":   {direct(t, legacy(nil)), helloClient, `<auth` + nsSASL + ` mechanism='PLAIN'/>` + good, stanza.StreamNotAuthorized},
	} {
		t.Run(name, func(t *testing.T) {
			c.x.t = t
			if strings.HasPrefix(name, "in clear") {
				c.x.step(stream.Start{})
			}
			said := c.x.say(c.hello)
			if c.said != "" {
				said = c.x.say(c.said)
			}
			c.x.ends(said, c.want)
			if c.x.ready != nil {
				t.Error("logged in")
			}
		})
	}
}

// TestLegacyNoResource: who gets no resource is told, and the stream ends.
func TestLegacyNoResource(t *testing.T) {
	t.Parallel()
	x := direct(t, legacy(nil))
	x.say(helloClient)
	x.hold = true
	x.say(legacyLogin("user", "pencil", "desk"))
	x.step(stream.Found{Reply: x.reply(x.asked[0])})
	x.step(stream.BindRefused{Reason: stream.BindConflict})
	said := x.take()
	if !strings.Contains(said, "code='409' type='cancel'><conflict") {
		t.Errorf("told %s", said)
	}
	x.ends(said, stanza.StreamPolicyViolation)
}
