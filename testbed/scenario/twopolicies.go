package scenario

import (
	"path/filepath"
	"strings"
	"testing"

	"sallyport/testbed/client"
)

// TwoPolicies is a gateway between an organisation that labels under GUARD and one that labels under PARTNER: outwards by
// the equivalences that GUARD states, inwards by the same read backwards.
func TwoPolicies() GatewayOptions {
	return GatewayOptions{
		LabelPolicy: "GUARD", Policies: []string{"partner.spif.xml"}, Inside: RefuseUnlabelled,
		Outside: func(p *PeerOptions) {
			RefuseUnlabelled(p)
			p.Clearance = filepath.Join(testdata(), "partner-clearance.xml")
			p.More = "label-policy = \"PARTNER\"\ntranslate-out = \"outbound\"\ntranslate-in = \"local-spif\""
		},
	}
}

// essOpen is the label OPEN of the PARTNER policy, essLimited its LIMITED, for which there is nothing inwards.
const (
	essOpen = "<securitylabel xmlns='" + labelNS + "'><label>" +
		"<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIC</esssecuritylabel></label></securitylabel>"
	essLimited = "<securitylabel xmlns='" + labelNS + "'><label>" +
		"<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQIGBYg3ggIC</esssecuritylabel></label></securitylabel>"
)

// twoPolicies: each side reads labels under its own policy and never sees the other's; what has no equivalent stays.
func twoPolicies(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	alice.Says(bob.JID, "for everybody", essPublic)
	bob.Says(alice.JID, "for everybody, too", essOpen)
	for _, c := range []struct {
		e             client.Event
		marking, gone string
	}{
		{bob.Hears("for everybody"), "PARTNER OPEN [imported]", "GUARD"},
		{alice.Hears("for everybody, too"), "GUARD PUBLIC", "PARTNER"},
	} {
		if !c.e.Has(labelNS, "securitylabel") || !strings.Contains(c.e.XML, c.marking) || strings.Contains(c.e.XML, c.gone) {
			t.Errorf("want the marking %q and nothing of %s: %s", c.marking, c.gone, c.e.XML)
		}
	}
	alice.Says(bob.JID, "for us alone", LabelXML("INTERNAL", "USA", ""))
	alice.SeesError(refusals...)
	bob.Says(alice.JID, "for them alone", essLimited)
	bob.SeesError(refusals...)
	alice.Says(bob.JID, "and again", essPublic)
	bob.Hears("and again")
	bob.HearsNothing(func(e client.Event) bool { return strings.Contains(e.XML, "for us alone") })
	alice.HearsNothing(func(e client.Event) bool { return strings.Contains(e.XML, "for them alone") })
	w.audited(t, "refused", bob.JID, "label-in")
}
