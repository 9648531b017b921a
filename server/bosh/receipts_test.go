package bosh_test

import (
	"testing"
	"time"
)

// What a client has follows from what it asks for next; newBed has sent one element before.
func TestHas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, attrs string
		steps       func(b *bed)
		has         int
	}{
		{"nothing was asked for", "wait='20' hold='1'", func(b *bed) { b.send("<a/>") }, 0},
		{"an empty request: none is open", "wait='20' hold='1'", func(b *bed) { b.ask(101, "") }, 1},
		{"what it is answered with is not yet there", "wait='20' hold='1'", func(b *bed) { b.ask(101, ""); b.send("<a/>") }, 1},
		{"the next one tells", "wait='20' hold='1'", func(b *bed) { b.ask(101, ""); b.send("<a/>"); b.ask(102, "") }, 2},
		{"one that brings something may have been made before", "wait='20' hold='1'", func(b *bed) {
			b.ask(101, "")
			b.send("<a/>")
			b.ask(102, "xmpp:restart='true'")
		}, 1},
		{"the one behind that was not", "wait='20' hold='1'", func(b *bed) {
			b.ask(101, "")
			b.send("<a/>")
			b.ask(102, "xmpp:restart='true'")
			b.ask(103, "xmpp:restart='true'")
		}, 2},
		{"whoever asked is gone, and it is asked again", "wait='20' hold='1'", func(b *bed) {
			b.do(b.s.Gone(b.now, b.ask(101, "")))
			b.send("<a/>")
			b.ask(101, "")
		}, 1},
		{"nobody comes back", "wait='20' hold='1'", func(b *bed) {
			b.do(b.s.Gone(b.now, b.ask(101, "")))
			b.send("<a/>")
			b.pass(time.Hour)
		}, 1},
		{"it acknowledges less", "wait='20' hold='1' ack='1'", func(b *bed) { b.ask(101, ""); b.send("<a/>"); b.ask(102, "ack='100'") }, 1},
		{"it acknowledges what will be", "wait='20' hold='1' ack='1'", func(b *bed) { b.ask(101, "ack='999'"); b.send("<a/>") }, 1},
		{"it has nothing to acknowledge", "wait='20' hold='1' ack='1'", func(b *bed) {
			b.ask(101, "")
			b.send("<a/>")
			b.ask(102, "xmpp:restart='true'")
		}, 2},
		{"it holds nothing", "wait='0' hold='0'", func(b *bed) {
			b.ask(101, "")
			b.send("<a/>")
			b.ask(102, "xmpp:restart='true'")
			b.ask(103, "xmpp:restart='true'")
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, c.attrs)
			c.steps(b)
			if b.has != c.has {
				t.Errorf("has %d, want %d", b.has, c.has)
			}
		})
	}
}
