package component

import (
	"errors"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// FuzzStream: whatever comes, no stanza is taken before the handshake or of another domain, and what is written ends once.
func FuzzStream(f *testing.F) {
	head := "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='c.example'>"
	proof := "<handshake>" + Handshake("id", "secret") + "</handshake>"
	for _, in := range []string{
		head + proof + "<message from='a@c.example' to='b@d.example'><body/></message></stream:stream>",
		head + proof + "<iq from='c.example' to='b@d.example' type='get'/>", head + "<handshake/>", head + proof + proof, "</stream:stream>",
		head + proof + "<message from='a@c.example' to='@'/>", head + proof + head, "<?xml version='1.0'?>" + head, head + proof + "<!-- -->",
	} {
		f.Add(in, 7)
	}
	f.Fuzz(func(t *testing.T, in string, chunk int) {
		secret := func(d jid.JID) (string, bool) { return "secret", d.String() == "c.example" }
		s := &stream{secret: secret, id: "id"}
		dec := xmlstream.NewDecoder(xmlstream.Options{Limits: xmlstream.PreAuthLimits(), ContentNS: Space})
		var written strings.Builder
		ended := false
		take := func(out output) {
			if ended {
				t.Fatal("something after the end")
			}
			written.Write(out.write)
			if !out.stanza.IsZero() && (s.domain.IsZero() || !strings.Contains(in, proof) || out.stanza.From().Domain() != "c.example") {
				t.Fatalf("a stanza of %s was taken", out.stanza.From())
			}
			ended = out.end
		}
		step := max(1, chunk&0xff)
		for at := 0; at < len(in) && !ended; at += step {
			_, _ = dec.Write([]byte(in[at:min(at+step, len(in))])) // it takes everything
			for !ended {
				ev, err := dec.Next()
				if errors.Is(err, xmlstream.ErrShort) {
					break
				}
				if err != nil {
					take(s.broken(err))
					break
				}
				take(s.event(ev))
			}
		}
		if ended && (!strings.HasSuffix(written.String(), "</stream:stream>") || strings.Count(written.String(), "<stream:stream ") != 1) {
			t.Fatalf("wrote %s", written.String())
		}
	})
}
