package imserver_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/peers"
)

// besideManaged is alone with a Prosody beyond that acknowledges what it has taken (XEP-0198).
func besideManaged(t *testing.T, users ...string) *world {
	t.Helper()
	managed := peers.Options{Prosody: func(s *peers.Settings, _ *peers.CA) error {
		s.StreamManagement = true
		return nil
	}}
	return besideAs(t, managed, prosody, users...)
}

// What the server keeps for another one, which dies, and has acknowledged to its own people, is there when it has been killed itself, and
// both have come back: once. (What it does not keep for another server it acknowledges when that has taken it.)
func TestKilledWhileTheOtherServerIsGone(t *testing.T) {
	t.Parallel()
	w := besideManaged(t, "juliet")
	w.edits("[peer.outside]\n", "[peer.outside]\nspool = true\n")
	bob, juliet := w.stranger("bob"), w.rawLogin("juliet", "balcony")
	said := 0
	say := func(n int) {
		t.Helper()
		var all strings.Builder
		for range n {
			fmt.Fprintf(&all, "<message to='%s' type='chat' id='w%d'><body>word %03d</body></message>", bob.Bare(), said, said)
			said++
		}
		if _, err := io.WriteString(juliet.conn, all.String()); err != nil {
			t.Fatal(err)
		}
		w.waits("all of it to be acknowledged", func() bool {
			taken, err := juliet.handled()
			must(t, err)
			return taken >= said
		})
	}
	say(10)
	bob.hears("word 009")
	must(t, bob.Close())
	w.beyond.Kill()
	w.waits("the stream to be lost", func() bool { return strings.Contains(w.logged(), `"msg":"stream closed"`) }) // what is in it comes back
	say(40)
	w.home.Kill()
	w.must(w.beyond.Start())
	again := w.enter(client.Account{User: "bob", Domain: w.beyond.Domain, Resource: "test", Password: "pw", Server: w.beyond.Clients(), CA: w.bed.CA.File})
	w.must(w.home.Run()) // when he is there: his server keeps nothing for him
	for n := 10; n < said; n++ {
		again.hears(fmt.Sprintf("word %03d", n))
	}
	// Those of before may come again: whether they had arrived was not on disk for certain.
	if more := again.Received(func(e client.Event) bool { return e.Kind == "message" && e.Body >= "word 010" }); len(more) > 0 {
		t.Errorf("it came more than once: %v", more)
	}
	w.commands("audit verify")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
