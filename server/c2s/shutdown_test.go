package c2s_test

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/c2s"
)

const (
	shutdown = "<system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
	lastWord = "<message to='romeo@im.example'><body>last</body></message>"
)

// holds counts what arrives, and holds it back where it is to be settled later.
func (h *house) holds(s *c2s.Session, a *stream.Arrival) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.Stanza.Kind() == stanza.Message {
		h.said++
	}
	if h.slow {
		h.unsaid = append(h.unsaid, func() { s.Settled(a) })
	}
	return h.slow
}

// later has what arrives settled by settle, from now on.
func (h *house) later() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slow = true
}

// settle settles what has arrived.
func (h *house) settle() {
	h.mu.Lock()
	list := h.unsaid
	h.unsaid = nil
	h.mu.Unlock()
	for _, settled := range list {
		settled()
	}
}

// messages is how many have arrived.
func (h *house) messages() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said
}

// wasTold is how the session of a client that was told of the end has ended.
func (d *den) wasTold(cause stream.Cause) stream.Closed {
	d.t.Helper()
	end := <-d.house.ends
	if end.Cause != cause || end.Condition != stanza.StreamSystemShutdown {
		d.t.Errorf("ended %+v", end)
	}
	return end
}

// What a client says before it knows that the server ends is taken; then it goes as soon as the client does.
func TestShutDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		c := d.dial()
		c.login()
		d.end()
		if said := c.until("</stream:stream>"); !strings.Contains(said, "<stream:error>"+shutdown+"</stream:error>") {
			t.Errorf("said %s", said)
		}
		c.say(lastWord)
		synctest.Wait()
		if n := d.house.messages(); n != 1 {
			t.Errorf("%d messages were taken", n)
		}
		c.say("</stream:stream>")
		d.wasTold(stream.Finished)
		<-d.over
	})
}

// A client that goes without a word has said what it said, and one that does not go is not waited for longer than a close may take.
func TestShutDownWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		gone, stays := d.dial(), d.dial()
		gone.login()
		stays.login()
		began := time.Now()
		d.end()
		gone.until("</stream:stream>")
		gone.say(lastWord)
		_ = gone.conn.Close()
		d.wasTold(stream.Finished)
		if n := d.house.messages(); n != 1 {
			t.Errorf("%d messages were taken", n)
		}
		d.wasTold(stream.CloseTimedOut)
		<-d.over
		if took := time.Since(began); took > 7*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// A client that wants acknowledgements has them for what was taken, and what it never acknowledged comes out.
func TestShutDownManaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		d.house.later()
		c := d.dial()
		c.managed()
		c.say(lastWord + lastWord)
		d.house.session().Send(note(t, "unread"), 7)
		synctest.Wait()
		d.end()
		synctest.Wait()
		c.say(lastWord)
		synctest.Wait()
		d.house.settle()
		said := c.until("</stream:stream>")
		if at := strings.Index(said, "<a xmlns='urn:xmpp:sm:3' h='2'/><stream:error>"+shutdown); at < 0 {
			t.Errorf("said %s", said)
		}
		synctest.Wait()
		d.house.settle()
		c.say("</stream:stream>")
		if end := d.wasTold(stream.Finished); len(end.Unconfirmed) != 1 || end.Unconfirmed[0].Token != 7 || end.Resume != nil {
			t.Errorf("ended %+v", end)
		}
		if n := d.house.messages(); n != 3 {
			t.Errorf("%d messages were taken", n)
		}
	})
}

// What a client said while the server was busy with what it said before is taken, too.
func TestShutDownWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		d.house.later()
		c := d.dial()
		c.login()
		const many = 5_000                                                               // so many may be unsettled
		go func() { _, _ = io.WriteString(c.conn, strings.Repeat(lastWord, many+10)) }() // what comes of it is looked at
		synctest.Wait()
		before := d.house.messages()
		d.end()
		synctest.Wait()
		if now := d.house.messages(); now != before || now >= many+10 {
			t.Fatalf("%d messages were taken, and %d before", now, before)
		}
		d.house.settle()
		synctest.Wait()
		if n := d.house.messages(); n != many+10 {
			t.Errorf("%d messages were taken", n)
		}
		c.say("</stream:stream>")
		d.house.settle()
		d.wasTold(stream.Finished)
	})
}

// So it is with requests: the one that waits is answered with the end, and the next one still brings what it has to say.
func TestShutDownBOSH(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		a := d.overPipes(c2s.WebOptions{})
		a.login()
		answer := make(chan string)
		go func() { answer <- a.ask("", "") }()
		synctest.Wait()
		d.end()
		told := func(said string) {
			t.Helper()
			if !strings.Contains(said, "condition='remote-stream-error'") || !strings.Contains(said, "type='terminate'") || !strings.Contains(said, "<system-shutdown ") {
				t.Errorf("said %s", said)
			}
		}
		told(<-answer)
		d.wasTold(stream.Finished)

		d = newDen(t, nil)
		a = d.overPipes(c2s.WebOptions{})
		a.login()
		d.end()
		synctest.Wait()
		told(a.ask("", strings.Replace(lastWord, "<message", "<message"+nsClient, 1)))
		d.wasTold(stream.Finished)
		if n := d.house.messages(); n != 1 {
			t.Errorf("%d messages were taken", n)
		}
		if said := a.open(); !strings.Contains(said, "condition='system-shutdown'") {
			t.Errorf("a new one: %s", said)
		}
	})
}

// And with WebSockets.
func TestShutDownWebSocket(t *testing.T) {
	b := newBed(t)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	c := b.dialWeb(b.web(b.server.WebSocket(ctx, c2s.WebOptions{})))
	c.login()
	end()
	if said := c.until("<close "); !strings.Contains(said, shutdown) {
		t.Errorf("said %s", said)
	}
	c.say(strings.Replace(lastWord, "<message", "<message"+nsClient, 1), "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
	c.closes(1000)
	if end := <-b.house.ends; end.Cause != stream.Finished || end.Condition != stanza.StreamSystemShutdown || b.house.messages() != 1 {
		t.Errorf("ended %+v, and %d messages were taken", end, b.house.messages())
	}
}

// Who loses the connection while the end waits for what was taken from him could come back, and has nowhere to: his session ends with the
// server, and what he never acknowledged comes out.
func TestShutDownOfTheLost(t *testing.T) {
	b := newBed(t)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	c := b.dialWeb(b.web(b.server.WebSocket(ctx, c2s.WebOptions{})))
	c.login()
	c.say(enable)
	c.until("<enabled ")
	b.house.later()
	c.say(strings.Replace(lastWord, "<message", "<message"+nsClient, 1))
	for b.house.messages() == 0 {
		runtime.Gosched()
	}
	b.house.session().Send(note(t, "unread"), 7)
	end()
	_ = c.conn.NetConn().Close()
	b.server.Close()
	select {
	case end := <-b.house.ends:
		if len(end.Unconfirmed) != 1 || end.Unconfirmed[0].Token != 7 {
			t.Errorf("ended %+v", end)
		}
	default:
		t.Error("the session has not ended")
	}
}
