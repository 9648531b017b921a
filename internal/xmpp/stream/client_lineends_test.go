package stream_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/stream"
)

// TestClientLineEnds: go-xmpp ends <starttls/> and <auth/> with a line end, against RFC 6120 §5.3.3 and §6.3.5: it says nothing, and is not read.
func TestClientLineEnds(t *testing.T) {
	x := newEdge(t, nil)
	x.step(stream.Start{})
	x.say(helloClient)
	if said := x.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\n"); !strings.HasPrefix(said, "<proceed") || x.has(stream.FactInjection) {
		t.Fatalf("said %s, closed %+v", said, x.closed)
	}
	x = direct(t, nil)
	x.say(helloClient)
	if said := x.say(plainAuth("user", "pencil") + "\n"); !strings.HasPrefix(said, "<success") {
		t.Fatalf("said %s, closed %+v", said, x.closed)
	}
	if said := x.say("<?xml version='1.0'?>\n" + helloClient); !strings.Contains(said, "<stream:features>") {
		t.Errorf("said %s, closed %+v", said, x.closed)
	}
}
