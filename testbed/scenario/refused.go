package scenario

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/testbed/client"
	"sallyport/testbed/peers"
)

// refusals are the conditions with which a gateway tells a sender no. It never says why.
var refusals = []string{"policy-violation", "forbidden", "not-acceptable", "service-unavailable", "not-allowed"}

// fileTransferRefused: what starts a transfer of a file is not in the profile, whichever way it is asked
// (XEP-0047, XEP-0095, XEP-0234), and does not reach the other side.
func fileTransferRefused(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	alice.Says(bob.JID, "here comes a file")
	bob.Hears("here comes a file")
	alice.Refused(alice.OfferBytestream(bob.JID), refusals...)
	bob.Refused(bob.OfferBytestream(alice.JID), refusals...)
	for _, payload := range []string{
		"<si xmlns='http://jabber.org/protocol/si' id='s1' profile='http://jabber.org/protocol/si/profile/file-transfer'/>",
		"<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s2'>" +
			"<content creator='initiator' name='c'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/></content></jingle>",
		"<query xmlns='http://jabber.org/protocol/bytestreams' sid='s3'><streamhost jid='p.test' host='192.0.2.1' port='7777'/></query>",
	} {
		_, err := alice.IQ("set", bob.JID, payload)
		alice.Refused(err, refusals...)
	}
	bob.HearsNothing(func(e client.Event) bool { return e.Kind == "iq" && e.Type == "set" && bare(e.From) == alice.Bare() })
	w.audited(t, "refused", alice.JID, "profile")
}

// spoofedFrom: the outside server, properly authenticated, says stanzas in other people's names: an unknown
// domain's, the inside domain's own, nobody's (RFC 6120 §8.1.2.2). None may arrive, and each stream that is honest works.
func spoofedFrom(t *testing.T, w *World) {
	alice := w.Inside(t, "alice")
	outside := w.Bed.Ejabberd
	at := netip.AddrPortFrom(w.Bed.Outside(), 5269)
	dial := func() *peers.Intruder {
		s, err := peers.DialIntruder(at, outside.Domain, w.Bed.Prosody.Domain, outside.Pair)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() }) // the gateway may have closed it
		return s
	}
	for i, from := range []string{
		"mallory@evil.test/x", "boss@" + w.Bed.Prosody.Domain + "/x", w.Bed.Prosody.Domain, alice.JID, "", "@@",
	} {
		s := dial()
		attribute := fmt.Sprintf(" from='%s'", from)
		if from == "" {
			attribute = ""
		}
		err := s.Send(fmt.Sprintf("<message%s to='%s' type='chat' id='f%d'><body>forged</body></message>", attribute, alice.JID, i))
		if err != nil {
			t.Fatal(err)
		}
	}
	honest := dial()
	err := honest.Send(fmt.Sprintf("<message from='bob@%s/x' to='%s' type='chat' id='h'><body>honest</body></message>", outside.Domain, alice.JID))
	if err != nil {
		t.Fatal(err)
	}
	alice.Hears("honest")
	alice.HearsNothing(func(e client.Event) bool { return e.Body == "forged" })
}

// audited wants a record with that outcome for a sender, at one of the stages.
func (w *World) audited(t *testing.T, outcome, from string, stages ...string) {
	t.Helper()
	var last []audit.Entry
	found := eventually(Patience, func() bool {
		lines, err := w.Middle.Audit()
		if err != nil {
			t.Fatal(err)
		}
		last = lines
		for _, l := range lines {
			if l.Kind != audit.Decision || l.Outcome != outcome || l.From != from {
				continue
			}
			if slices.Contains(stages, l.Stage) {
				return true
			}
		}
		return false
	})
	if !found {
		t.Errorf("no record outcome=%s from=%s at %q among %d: %+v", outcome, from, stages, len(last), tail(last, 10))
	}
}

func tail(lines []audit.Entry, n int) []audit.Entry { return lines[max(0, len(lines)-n):] }
