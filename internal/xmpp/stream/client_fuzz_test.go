package stream_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
)

// clientPieces is what the client of the fuzz target may say, in any order. None of it proves a password.
var clientPieces = []string{
	helloClient, clientTags + ` to='b2.example'>`, clientTags + ` to='b.example' from='user@b.example'>`,
	`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`, plainAuth("user", "wrong"), plainAuth("nobody", "pencil"), plainAuth("gone", "pencil"),
	`<auth` + nsSASL + ` mechanism='SCRAM-SHA-1'>` + base("n,,n=user,r=client-nonce") + `</auth>`, `<auth` + nsSASL + ` mechanism='EXTERNAL'>=</auth>`,
	`<response` + nsSASL + `>` + base("c=biws,r=client-nonce,p=AAAA") + `</response>`, `<abort` + nsSASL + `/>`, `<success` + nsSASL + `/>`,
	authenticate2("SCRAM-SHA-1", "n,,n=user,r=client-nonce", bind2), `<response` + nsSASL2 + `>` + base("c=biws,r=client-nonce,p=AAAA") + `</response>`,
	authenticate2(sasl.TokenNone, "user\x00"+strings.Repeat("t", 32), `<fast xmlns='urn:xmpp:fast:0'/><resume xmlns='urn:xmpp:sm:3' previd='s' h='0'/>`+bind2),
	bindIQ, enableSM, resume("s", 0), `<r xmlns='urn:xmpp:sm:3'/>`, `<a xmlns='urn:xmpp:sm:3' h='0'/>`, `<a xmlns='urn:xmpp:sm:3' h='1'/>`,
	`<message to='x@a.example'/>`, `<presence/>`, `<message from='other@b.example/x' to='x@a.example'/>`, `<iq type='get' id='1'/>`, `<message to='@@'/>`,
	`<active xmlns='urn:xmpp:csi:0'/>`, `<stream:error/>`, `<stream:features/>`, `</stream:stream>`, ` `, `<`,
}

// What the edge may do in between.
const (
	fuzzRight = 200 + iota // the right password, proved
	fuzzBound
	fuzzRefused
	fuzzFound
	fuzzFailed
	fuzzToken
	fuzzNoSession
	fuzzAckDue
	fuzzTick
	fuzzSend
	fuzzClose
	fuzzHold
	fuzzShutDown
)

// FuzzClient feeds random conversations: nobody is authenticated without proof, no stanza comes before a bound
// resource nor from another sender, and the machine ends in time.
func FuzzClient(f *testing.F) {
	at := func(s string) byte { return byte(slices.Index(clientPieces, s)) }
	f.Add([]byte{0, at(helloClient), fuzzRight, at(helloClient), at(bindIQ), at(enableSM), at(`<presence/>`), fuzzSend, fuzzTick}, "")
	f.Add([]byte{1, at(helloClient), 3, at(helloClient), 7, 9, 12, 13, 14, fuzzRight}, "<x/>")
	f.Add([]byte{0, at(helloClient), fuzzHold, 12, fuzzFound, fuzzBound, fuzzToken, fuzzNoSession, 15}, "")
	f.Add([]byte{0, at(helloClient), fuzzRight, at(helloClient), at(bindIQ), at(enableSM), at(`<presence/>`), fuzzShutDown, at(`<presence/>`), fuzzAckDue, fuzzTick}, "<a/>")
	f.Add([]byte{2, at(helloClient), 4, 5, 6, 10, 4}, "</stream:stream>")
	f.Fuzz(func(t *testing.T, script []byte, tail string) {
		if len(script) == 0 || len(script) > 60 {
			return
		}
		x := newEdge(t, func(c *stream.ClientConfig) {
			p := everyWay
			p.SASL2, p.RequireBinding = script[0]&4 == 0, script[0]&8 != 0
			c.Policy = func(jid.JID) stream.ClientPolicy { return p }
		})
		start := stream.Start{TLS: &x.tls}
		if script[0]&1 != 0 {
			start.TLS = nil
		}
		x.step(start)
		proved := false
		for _, op := range script[1:] {
			if x.closed != nil {
				break
			}
			if int(op) < len(clientPieces) {
				x.say(clientPieces[op])
			} else if x.fuzz(op) {
				proved = true
			}
			judgeClient(t, x, proved)
		}
		if !proved && strings.Contains(tail, base("\x00user\x00pencil")) {
			return
		}
		x.say(tail)
		judgeClient(t, x, proved)
		for range 100 {
			if x.closed != nil {
				return
			}
			x.now = x.m.Deadline()
			x.step(stream.Tick{})
			if x.ready != nil && !x.m.Managed() {
				x.step(stream.Lost{})
			}
		}
		t.Fatal("the stream never ends")
	})
}

// fuzz does something that is no client's word. True: the right password was shown.
func (x *edge) fuzz(op byte) bool {
	switch op {
	case fuzzRight:
		x.say(plainAuth("user", "pencil"))
		return true
	case fuzzBound:
		x.step(stream.Bound{Resource: "desk"})
	case fuzzRefused:
		x.step(stream.BindRefused{Reason: stream.BindConflict})
	case fuzzFound:
		x.step(stream.Found{Reply: sasl.Reply{Standing: sasl.Good, Secret: secret("pencil")}})
	case fuzzFailed:
		x.step(stream.LookUpFailed{})
	case fuzzToken:
		x.step(stream.TokenGranted{Token: "x"})
	case fuzzNoSession:
		x.step(stream.SessionFound{ID: "s"})
	case fuzzAckDue:
		x.step(stream.AckDue{})
	case fuzzTick:
		x.now = x.now.Add(time.Second)
		x.step(stream.Tick{})
	case fuzzSend:
		x.send(1)
	case fuzzClose:
		x.step(stream.Close{})
	case fuzzShutDown:
		x.step(stream.ShutDown{})
	case fuzzHold:
		x.hold = !x.hold
	}
	return false
}

func judgeClient(t *testing.T, x *edge, proved bool) {
	t.Helper()
	if !proved && (len(x.auth) > 0 || x.ready != nil || len(x.binds) > 0 || strings.Contains(x.sent, "<success")) {
		t.Fatalf("authenticated without proof: %+v", x.auth)
	}
	if x.ready == nil && len(x.got) > 0 {
		t.Fatalf("a stanza before a resource was bound: %+v", x.got)
	}
	for _, a := range x.auth {
		if a.Account.Local() != "user" || a.Account.DomainJID() != domB && a.Account.DomainJID() != domB2 {
			t.Fatalf("authenticated as %s", a.Account)
		}
	}
	for _, a := range x.got {
		if a.Problem == stream.NoProblem && a.Stanza.From() != x.ready.Address {
			t.Fatalf("a stanza from %s", a.Stanza.From())
		}
	}
	if len(x.sent) > 1<<20 || len(x.asked) > stream.MaxLogins+60 {
		t.Fatal("unbounded")
	}
}
