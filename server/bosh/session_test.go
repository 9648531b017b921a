package bosh_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/bosh"
)

// bed is one session, with what it said and heard.
type bed struct {
	t       *testing.T
	s       *bosh.Session
	now     time.Time
	handles uint64
	said    map[uint64]string // by handle
	heard   []string
	lost    bool
	over    bool
	has     int
}

func body(t *testing.T, attrs, inside string) bosh.Request {
	t.Helper()
	r, err := bosh.ParseBody([]byte("<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' "+attrs+">"+inside+"</body>"), xmlstream.ClientLimits())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// newBed is a session that was opened: the first answer was given, ids go on at 101.
func newBed(t *testing.T, attrs string) *bed {
	b := &bed{t: t, now: time.Unix(1000, 0), said: make(map[uint64]string)}
	r := body(t, "rid='100' to='im.example' ver='1.6' xmpp:version='1.0' "+attrs, "")
	b.s = bosh.New("SID", r)
	b.handles++
	b.do(b.s.Request(b.now, b.handles, r))
	b.s.AuthID("stream")
	b.send("<f/>")
	b.heard = nil
	return b
}

func (b *bed) do(o bosh.Outcome) {
	for _, a := range o.Answers {
		if _, twice := b.said[a.Handle]; twice {
			b.t.Errorf("request %d is answered twice", a.Handle)
		}
		b.said[a.Handle] = string(a.Body)
	}
	for _, r := range o.Heard {
		switch {
		case r.Terminate:
			b.heard = append(b.heard, "end")
		default:
			b.heard = append(b.heard, fmt.Sprint(r.RID))
		}
	}
	b.lost, b.over = b.lost || o.Lost, b.over || o.Over
	if o.Has < b.has {
		b.t.Errorf("it had %d, and has %d", b.has, o.Has)
	}
	b.has = o.Has
}

// ask makes a request and returns its handle.
func (b *bed) ask(rid int, attrs string) uint64 {
	b.handles++
	b.do(b.s.Request(b.now, b.handles, body(b.t, fmt.Sprintf("rid='%d' sid='SID' %s", rid, attrs), "")))
	return b.handles
}

func (b *bed) send(elements string) bool {
	o, ok := b.s.Send(b.now, []byte(elements), 1)
	b.do(o)
	return ok
}

func (b *bed) pass(d time.Duration) {
	end := b.now.Add(d)
	ticks := 0
	for at := b.s.Deadline(); !at.IsZero() && !at.After(end); at = b.s.Deadline() {
		if at.After(b.now) {
			b.now = at
		}
		b.do(b.s.Tick(b.now))
		if ticks++; ticks > 1000 {
			b.t.Fatalf("still due at %v, now %v", at, b.now)
		}
	}
	b.now = end
}

// answers checks what a request was told; "" means not yet.
func (b *bed) answers(handle uint64, want string) {
	b.t.Helper()
	got, ok := b.said[handle]
	switch {
	case want == "" && ok:
		b.t.Errorf("request %d was answered %s", handle, got)
	case want != "" && !strings.Contains(got, want):
		b.t.Errorf("request %d was answered %q, want %s", handle, got, want)
	}
}

const nothing = "<body xmlns='http://jabber.org/protocol/httpbind'/>"

func TestOpen(t *testing.T) {
	b := newBed(t, "wait='300' hold='5' ack='1'")
	want := "<body xmlns='http://jabber.org/protocol/httpbind' ack='100' authid='stream' from='im.example' hold='1' inactivity='30' maxpause='120' " +
		"polling='5' requests='2' sid='SID' ver='1.6' wait='60' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' xmpp:restartlogic='true'><f/></body>"
	if b.said[1] != want {
		t.Errorf("got  %s\nwant %s", b.said[1], want)
	}
}

// One request waits for something to say, for no longer than it wants; the next one lets it go.
func TestHold(t *testing.T) {
	b := newBed(t, "wait='20' hold='1'")
	first := b.ask(101, "")
	b.answers(first, "")
	b.send("<a/>")
	b.answers(first, "<a/></body>")
	b.send("<b/>")
	b.send("<c/>")
	second := b.ask(102, "")
	b.answers(second, "<b/><c/></body>")
	third := b.ask(103, "")
	fourth := b.ask(104, "")
	b.answers(third, nothing)
	b.pass(19 * time.Second)
	b.answers(fourth, "")
	b.pass(time.Second)
	b.answers(fourth, nothing)
	if got := strings.Join(b.heard, " "); got != "101 102 103 104" {
		t.Errorf("heard %s", got)
	}
}

// Requests are processed in the order of their ids, once, whatever their way.
func TestOrder(t *testing.T) {
	b := newBed(t, "wait='20' hold='1' ack='1'")
	late := b.ask(102, "")
	if len(b.heard) > 0 {
		t.Errorf("heard %v before its turn", b.heard)
	}
	early := b.ask(101, "")
	if got := strings.Join(b.heard, " "); got != "101 102" {
		t.Errorf("heard %s", got)
	}
	b.answers(early, "<body xmlns='http://jabber.org/protocol/httpbind' ack='102'/>")
	b.answers(late, "")
	again := b.ask(101, "") // its answer got lost
	b.answers(again, "ack='102'/>")
	swapped := b.ask(102, "") // the connection that waited broke
	b.answers(late, "<body")
	b.answers(swapped, "")
	b.send("<a/>")
	b.answers(swapped, "<a/>")
	if got := strings.Join(b.heard, " "); got != "101 102" {
		t.Errorf("heard %s", got)
	}
}

// A request that waits for one before it, and comes again because its connection broke, takes its own place (§14.3).
func TestEarlyAgain(t *testing.T) {
	b := newBed(t, "wait='20' hold='1'")
	broken := b.ask(102, "")
	b.do(b.s.Gone(b.now, broken))
	waiting := b.ask(102, "")
	again := b.ask(102, "") // it may be that nobody has told us that the connection broke
	b.answers(waiting, nothing)
	b.ask(101, "")
	b.send("<a/>")
	b.answers(again, "<a/>")
	if got := strings.Join(b.heard, " "); got != "101 102" || b.over {
		t.Errorf("heard %s, over %v", got, b.over)
	}
}

func TestEnds(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(b *bed) uint64
		said string
	}{
		{"an id beyond the window", func(b *bed) uint64 { return b.ask(103, "") }, "condition='item-not-found'"},
		{"an id of long ago", func(b *bed) uint64 { return b.ask(7, "") }, "condition='item-not-found'"},
		{"too many in a second", func(b *bed) uint64 {
			for i := range 60 {
				b.ask(101+i, "")
				b.send("<a/>")
			}
			return 51
		}, "condition='policy-violation'"},
		{"we end", func(b *bed) uint64 {
			b.ask(101, "")
			b.send("<a/>")
			h := b.ask(102, "")
			b.do(b.s.End(b.now, nil, bosh.RemoteStreamError))
			return h
		}, "condition='remote-stream-error' type='terminate'"},
		{"we end, and say something", func(b *bed) uint64 {
			b.send("<error/>")
			b.do(b.s.End(b.now, nil, bosh.RemoteStreamError))
			return b.ask(101, "")
		}, "type='terminate'><error/></body>"},
		{"it ends", func(b *bed) uint64 {
			h := b.ask(101, "type='terminate'")
			b.do(b.s.End(b.now, nil, bosh.None))
			return h
		}, "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t, "wait='20' hold='1'")
			h := tc.do(b)
			b.answers(h, tc.said)
			b.pass(bosh.Linger)
			if !b.over || b.lost {
				t.Errorf("over %v, lost %v", b.over, b.lost)
			}
			if strings.Count(strings.Join(b.heard, " "), "end") > 1 {
				t.Errorf("heard %v", b.heard)
			}
			b.answers(b.ask(105, ""), "condition='item-not-found'")
		})
	}
}

// What a client says before it is told of our end is heard, once.
func TestHeardBehindTheEnd(t *testing.T) {
	b := newBed(t, "wait='20' hold='1'")
	b.do(b.s.End(b.now, []byte("<error/>"), bosh.RemoteStreamError))
	b.answers(b.ask(101, ""), "type='terminate'><error/></body>")
	b.answers(b.ask(102, ""), "condition='item-not-found'")
	if got := strings.Join(b.heard, " "); got != "101" || !b.over {
		t.Errorf("heard %s, over %v", got, b.over)
	}
}

// Without a request the session is lost, later where the client said that it would be silent.
func TestInactivity(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ask   func(b *bed)
		after time.Duration
	}{
		{"silent", func(*bed) {}, bosh.Inactivity},
		{"answered", func(b *bed) { b.ask(101, ""); b.send("<a/>") }, bosh.Inactivity},
		{"waited for nothing", func(b *bed) { b.ask(101, "") }, 20*time.Second + bosh.Inactivity},
		{"paused", func(b *bed) { b.ask(101, "pause='90'") }, 90 * time.Second},
		{"paused for too long", func(b *bed) { b.ask(101, "pause='100000'") }, bosh.MaxPause},
		{"pause over", func(b *bed) { b.ask(101, "pause='90'"); b.ask(102, ""); b.send("<a/>") }, bosh.Inactivity},
		{"one too early, whose turn never comes", func(b *bed) { b.ask(102, "") }, bosh.Inactivity},
		{"one too early, which broke", func(b *bed) { b.do(b.s.Gone(b.now, b.ask(102, ""))) }, bosh.Inactivity},
		{"the connection broke", func(b *bed) { b.do(b.s.Gone(b.now, b.ask(101, ""))) }, bosh.Inactivity},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t, "wait='20' hold='1'")
			tc.ask(b)
			b.pass(tc.after - time.Second)
			if b.lost {
				t.Fatal("lost too early")
			}
			b.pass(time.Second)
			if !b.lost || !b.over {
				t.Errorf("lost %v, over %v", b.lost, b.over)
			}
		})
	}
}

// Who lets us hold nothing may not ask without pause (§12).
func TestPolling(t *testing.T) {
	b := newBed(t, "wait='0' hold='1'")
	b.answers(b.ask(101, ""), nothing)
	b.pass(bosh.Polling)
	b.answers(b.ask(102, ""), nothing)
	b.send("<a/>")
	b.pass(time.Second)
	if h := b.ask(103, ""); !strings.Contains(b.said[h], "policy-violation") || !b.over {
		t.Errorf("got %s", b.said[h])
	}
}

// The answer to a request that broke is kept for when it comes again; what is too much for a silent client ends the session.
func TestKept(t *testing.T) {
	b := newBed(t, "wait='20' hold='1'")
	broken := b.ask(101, "")
	b.do(b.s.Gone(b.now, broken))
	b.send("<a/>")
	b.answers(b.ask(101, ""), "<a/></body>")
	if !b.send(strings.Repeat("x", bosh.MaxWaiting)) || b.send("x") {
		t.Error("the limit is elsewhere")
	}
}

func TestParseBody(t *testing.T) {
	const tag = "<body xmlns='http://jabber.org/protocol/httpbind' "
	for _, tc := range []struct{ name, body string }{
		{"no rid", tag + "sid='a'/>"},
		{"rid no number", tag + "rid='x'/>"},
		{"rid zero", tag + "rid='0'/>"},
		{"rid too large", tag + "rid='9007199254740992'/>"},
		{"rid with a sign", tag + "rid='+1'/>"},
		{"rid with zeros", tag + "rid='007'/>"},
		{"negative wait", tag + "rid='1' wait='-1'/>"},
		{"other namespace", "<body rid='1'/>"},
		{"other name", "<bodies xmlns='http://jabber.org/protocol/httpbind' rid='1'/>"},
		{"text", tag + "rid='1'>hello</body>"},
		{"a DTD", "<!DOCTYPE x>" + tag + "rid='1'/>"},
		{"two", tag + "rid='1'/>" + tag + "rid='2'/>"},
		{"half", tag + "rid='1'>"},
		{"nothing", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if r, err := bosh.ParseBody([]byte(tc.body), xmlstream.ClientLimits()); err == nil {
				t.Errorf("it is %+v", r)
			}
		})
	}
}

// Whatever comes, in whatever order: every request is answered at most once, in the end all are, and none is heard twice.
func FuzzSession(f *testing.F) {
	f.Add([]byte{1, 0, 2, 0, 3, 1, 4, 2})
	f.Fuzz(func(t *testing.T, steps []byte) {
		steps = steps[:min(len(steps), 300)]
		b := newBed(t, "wait='20' hold='1' ack='1'")
		next := 101
		asked := []uint64{}
		for _, step := range steps {
			switch step % 6 {
			case 0:
				asked = append(asked, b.ask(next, ""))
				next++
			case 1:
				asked = append(asked, b.ask(max(1, next-int(step)/50), ""))
			case 2:
				b.send("<a/>")
			case 3:
				b.pass(time.Duration(step) * time.Second / 10)
			case 4:
				if len(asked) > 0 {
					at := int(step) % len(asked)
					b.do(b.s.Gone(b.now, asked[at]))
				}
			case 5:
				asked = append(asked, b.ask(next+1, ""))
			}
		}
		b.do(b.s.End(b.now, nil, bosh.None))
		b.pass(bosh.Linger)
		if !b.over {
			t.Error("the session does not end")
		}
		seen := map[string]bool{}
		for _, h := range b.heard {
			if seen[h] {
				t.Errorf("heard %s twice in %v", h, b.heard)
			}
			seen[h] = true
		}
	})
}

// What is read as a body says a request id, and only elements inside; whatever else comes is refused.
func FuzzParseBody(f *testing.F) {
	f.Add([]byte("<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='a' wait='60' hold='1'/>"))
	f.Add([]byte("<body xmlns='http://jabber.org/protocol/httpbind' xmlns:x='urn:xmpp:xbosh' rid='2' x:restart='true' type='terminate'><a xmlns='jabber:client'/></body>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := bosh.ParseBody(data, xmlstream.PreAuthLimits())
		if err != nil {
			return
		}
		if r.RID == 0 || r.RID > 1<<53 || r.Wait < 0 || r.Hold < 0 || r.Pause < 0 {
			t.Errorf("read %+v", r)
		}
		for _, e := range r.Elements {
			if e == nil {
				t.Error("an element that is none")
			}
		}
	})
}
