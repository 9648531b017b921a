package stream_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

const (
	shutdown = "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
	ack2     = "<a xmlns='urn:xmpp:sm:3' h='2'/>"
	note     = "<message to='x@a.example'><body>b</body></message>"
)

// inOrder ends the client's side, and wants that to be the end of the server's.
func (x *edge) inOrder(messages int) {
	x.t.Helper()
	x.say("</stream:stream>")
	if x.closed == nil || x.closed.Cause != stream.Finished || !x.closed.Clean || x.closed.Condition != stanza.StreamSystemShutdown || x.closed.Resume != nil {
		x.t.Errorf("closed %+v", x.closed)
	}
	if len(x.got) != messages {
		x.t.Errorf("%d stanzas were taken, want %d", len(x.got), messages)
	}
}

// What a client says before it knows of the end is taken, and it is told why it is the end.
func TestClientShutDown(t *testing.T) {
	x := direct(t, nil).login()
	x.step(stream.ShutDown{})
	if said := x.take(); said != shutdown {
		t.Errorf("said %s", said)
	}
	if said := x.say(note + note); said != "" || len(x.got) != 2 || x.got[0].Bytes != len(note) {
		t.Errorf("said %s, taken %+v", said, x.got)
	}
	if v := x.send(1); v != stream.SendClosed {
		t.Errorf("something can still be sent: %v", v)
	}
	x.step(stream.ShutDown{}) // once is enough
	if said := x.take(); said != "" {
		t.Errorf("said again %s", said)
	}
	x.inOrder(2)
}

// A client that wants acknowledgements has them for all that was taken before the end is said.
func TestClientShutDownSettles(t *testing.T) {
	x, _ := managedClient(t, nil)
	x.keep = true
	x.say(note + note)
	x.send(7)
	x.take()
	x.step(stream.ShutDown{})
	if said := x.take() + x.say(note); said != "" || len(x.got) != 2 || !x.m.ReadPaused() {
		t.Errorf("said %s before what was taken is settled, and took %d", said, len(x.got))
	}
	if v := x.send(8); v != stream.SendNow {
		t.Errorf("nothing can be sent while it is waited: %v", v)
	}
	x.take()
	for _, a := range x.got {
		if a.Session.Settled(a.Seq) {
			x.step(stream.AckDue{})
		}
	}
	if said := x.take(); said != ack2+shutdown {
		t.Errorf("said %s", said)
	}
	x.say("<a xmlns='urn:xmpp:sm:3' h='1'/>")
	x.inOrder(3)
	if len(x.acked) != 1 || len(x.unsure) != 1 || x.unsure[0] != 8 {
		t.Errorf("acknowledged are %v, and not %v", x.acked, x.unsure)
	}
}

func TestClientShutDownSettled(t *testing.T) {
	x, _ := managedClient(t, nil)
	x.say(note + note)
	x.step(stream.ShutDown{})
	if said := x.take(); said != ack2+shutdown {
		t.Errorf("said %s", said)
	}
	x.inOrder(2)
}

// What is not settled in time is not acknowledged, and the end does not wait for it.
func TestClientShutDownDoesNotWait(t *testing.T) {
	x, _ := managedClient(t, nil)
	x.keep = true
	x.say(note)
	x.step(stream.ShutDown{})
	if at := x.m.Deadline(); at != x.now.Add(time.Second) {
		t.Errorf("it waits until %s", at)
	}
	x.now = x.now.Add(time.Second)
	x.step(stream.Tick{})
	if said := x.take(); said != shutdown {
		t.Errorf("said %s", said)
	}
	x.now = x.m.Deadline()
	x.step(stream.Tick{})
	if x.closed == nil || x.closed.Cause != stream.CloseTimedOut {
		t.Errorf("closed %+v", x.closed)
	}
}

// Whatever a client is about to do, the end is said where something can be said, and waits for nobody's answer.
func TestClientShutDownAnytime(t *testing.T) {
	for _, tc := range []struct {
		name  string
		at    func(*edge)
		want  string // what is said
		waits bool   // for the client's end
	}{
		{"before the header", func(*edge) {}, "<?xml version='1.0'?><stream:stream ", true},
		{"after the header", func(x *edge) { x.say(helloClient) }, "", true},
		{"during a login", func(x *edge) { x.hold = true; x.say(helloClient); x.say(plainAuth("user", "pencil")) }, "", true},
		{"after the client's end", func(x *edge) { x.login(); x.say("</stream:stream>") }, "nothing", false},
		{"after a loss", func(x *edge) { x.login(); x.step(stream.Lost{Cause: "reset"}) }, "nothing", false},
		{"after an error", func(x *edge) { x.login(); x.say("<evil/>") }, "nothing", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := direct(t, nil)
			tc.at(x)
			x.take()
			x.step(stream.ShutDown{})
			switch said := x.take(); {
			case tc.want == "nothing" && said != "", tc.want != "nothing" && (!strings.HasPrefix(said, tc.want) || !strings.HasSuffix(said, shutdown)):
				t.Errorf("said %s", said)
			case (x.closed == nil) != tc.waits:
				t.Errorf("closed %+v", x.closed)
			}
			if x.m.ReadPaused() && tc.waits {
				t.Error("the client's end is not read")
			}
		})
	}
	x := newEdge(t, nil)
	x.step(stream.Start{})
	x.say(helloClient)
	x.tls = stream.TLSFacts{}
	for _, o := range x.m.Step(x.now, stream.ShutDown{}) {
		x.do(o)
	}
	if said := x.take(); !strings.HasSuffix(said, shutdown) {
		t.Errorf("in clear: said %s", said)
	}
}
