package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/gateway/control"
	"sallyport/testbed/peers"
)

// DialbackOnly sets both servers up so that certificates prove nothing: self-signed, and nobody looks (XEP-0220).
func DialbackOnly() Setup {
	selfSigned := func(s *peers.Settings, ca *peers.CA) (err error) {
		s.Auth = peers.DialbackOnly
		s.Pair, err = ca.IssueSelfSigned(s.Domain+"-self-signed", s.Domain, s.Rooms())
		return err
	}
	return Setup{Peers: peers.Options{Prosody: selfSigned, Ejabberd: selfSigned}, AnyCertificate: true}
}

// ExternalOnly sets both servers up without dialback.
func ExternalOnly() Setup {
	external := func(s *peers.Settings, _ *peers.CA) error {
		s.Auth = peers.ExternalOnly
		return nil
	}
	return Setup{Peers: peers.Options{Prosody: external, Ejabberd: external}}
}

// ExpiredCertificate gives the outside server a certificate that ended yesterday, and nobody accepts dialback.
func ExpiredCertificate() Setup {
	s := ExternalOnly()
	s.AnyCertificate = true
	s.Peers.Ejabberd = func(s *peers.Settings, ca *peers.CA) (err error) {
		s.Auth = peers.ExternalOnly
		s.Pair, err = ca.IssueExpired("expired", s.Domain, s.Rooms())
		return err
	}
	return s
}

// OneStreamBothWays makes Prosody offer and ask for bidirectional streams and stream management (XEP-0288, XEP-0198).
func OneStreamBothWays() Setup {
	return Setup{Peers: peers.Options{Prosody: func(s *peers.Settings, _ *peers.CA) error {
		s.Bidi, s.StreamManagement = true, true
		return nil
	}}}
}

// oneStreamBothWays plays messages and then asks the gateway whether a stream really carries both directions, with
// acknowledgements (XEP-0288, XEP-0198).
func oneStreamBothWays(t *testing.T, w *World) {
	messagesBothWays(t, w)
	gateway, ok := w.Middle.(*Gateway)
	if !ok {
		return
	}
	peer, err := gateway.Peer(insidePeer)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(peer.Open, func(s control.StreamStatus) bool { return s.Direction == "both" && s.Management }) {
		t.Errorf("no stream to Prosody carries both directions under stream management: %+v", peer.Open)
	}
}

// Authenticating returns gateway options under which both peers must prove themselves in this way alone.
func Authenticating(how string) GatewayOptions {
	only := func(p *PeerOptions) { p.Authenticate = []string{how} }
	return GatewayOptions{Inside: only, Outside: only}
}

// hurried lets what cannot be delivered come back within the test. It is for those where nothing is: where something is, logins
// of servers may take longer on a busy machine.
func hurried(o GatewayOptions) GatewayOptions {
	soon := func(p *PeerOptions) { p.QueueAge = "5s" }
	o.Inside, o.Outside = both(o.Inside, soon), both(o.Outside, soon)
	return o
}

// provenBy plays messages and then asks ejabberd's log how others proved their domain to it.
func provenBy(how, not string) func(*testing.T, *World) {
	return func(t *testing.T, w *World) {
		messagesBothWays(t, w)
		accepted := "Accepted inbound s2s %s authentication " + w.Bed.Prosody.Domain
		var log string
		said := eventually(Patience, func() bool { // it writes its log when it likes
			log = w.Bed.Ejabberd.LogTail(1 << 20)
			return strings.Contains(log, fmt.Sprintf(accepted, how))
		})
		if !said || strings.Contains(log, fmt.Sprintf(accepted, not)) {
			t.Errorf("ejabberd does not say that it accepted %s and not %s", how, not)
		}
	}
}

// nothingCrosses: neither side's messages arrive, and both senders are told.
func nothingCrosses(t *testing.T, w *World) {
	t.Helper()
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	alice.Says(bob.JID, "can you hear me?")
	bob.Says(alice.JID, "can you hear me?")
	unreachable := append([]string{"remote-server-not-found", "remote-server-timeout", "internal-server-error"}, refusals...)
	alice.SeesError(unreachable...)
	bob.SeesError(unreachable...)
}
