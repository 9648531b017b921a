package bosh_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/server/bosh"
)

// A client that pauses may never read the answer: what is for it waits (XEP-0124 §10).
func TestPauseIsAnsweredWithNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t, "wait='20' hold='1'")
	first := b.ask(101, "")
	paused := b.ask(102, "pause='90'")
	b.answers(first, nothing)
	b.answers(paused, nothing)
	b.send("<a/>")
	again := b.ask(103, "pause='90'")
	if b.said[again] != nothing {
		t.Errorf("the pause is answered %s", b.said[again])
	}
	if b.has != 1 { // of the first answer of all
		t.Errorf("has %d", b.has)
	}
	b.answers(b.ask(104, ""), "<a/></body>")
	if b.ask(105, ""); b.has != 2 {
		t.Errorf("has %d", b.has)
	}
	b.pass(bosh.Inactivity)
	if b.lost {
		t.Error("lost while it asks")
	}
}

// What is of the stream stands in a body that declares its prefix (XEP-0206 §2).
func TestBodyOfTheStream(t *testing.T) {
	t.Parallel()
	const features = "<features xmlns='http://etherx.jabber.org/streams'/>"
	b := newBed(t, "wait='20' hold='1'")
	asked := b.ask(101, "")
	b.send(features)
	b.answers(asked, "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'>"+features+"</body>")
	asked = b.ask(102, "")
	b.do(b.s.End(b.now, []byte("<error xmlns='http://etherx.jabber.org/streams'/>"), bosh.RemoteStreamError))
	b.answers(asked, " xmlns:stream='http://etherx.jabber.org/streams'><error ")
}

// The version is the lower one of the two (XEP-0124 §7.2).
func TestVersion(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"ver='1.6'": "1.6", "ver='1.5'": "1.5", "ver='1.11'": "1.6", "ver='2.0'": "1.6", "ver='0.9'": "0.9", "": "1.6", "ver='x'": "1.6", "ver='1.-5'": "1.6", "ver='1.05'": "1.5",
	} {
		r := body(t, "rid='100' to='im.example' wait='20' hold='1' "+said, "")
		b := &bed{t: t, now: time.Unix(1000, 0), said: make(map[uint64]string), s: bosh.New("SID", r)}
		b.do(b.s.Request(b.now, 1, r))
		b.send("<f/>")
		if !strings.Contains(b.said[1], " ver='"+want+"'") {
			t.Errorf("%s: %s, want %s", said, b.said[1], want)
		}
	}
}
