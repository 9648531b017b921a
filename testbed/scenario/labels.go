package scenario

import (
	"strings"
	"testing"

	"sallyport/testbed/client"
)

const labelNS = "urn:xmpp:sec-label:0"

// LabelXML is a security label of the GUARD policy in the STANAG 4774 syntax inside XEP-0258, with a marking.
func LabelXML(classification, release, marking string) string {
	category := ""
	if release != "" {
		category = "<Category Type='PERMISSIVE' TagName='Release'><GenericValue>" + release + "</GenericValue></Category>"
	}
	return "<securitylabel xmlns='" + labelNS + "'><displaymarking fgcolor='black' bgcolor='lime'>" + marking + "</displaymarking><label>" +
		"<originatorConfidentialityLabel xmlns='urn:nato:stanag:4774:confidentialitymetadatalabel:1:0'><ConfidentialityInformation>" +
		"<PolicyIdentifier URI='urn:oid:2.999.258.1'>GUARD</PolicyIdentifier><Classification>" + classification + "</Classification>" + category +
		"</ConfidentialityInformation><CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime></originatorConfidentialityLabel>" +
		"</label></securitylabel>"
}

// essPublic is the label PUBLIC of the same policy as an ESSSecurityLabel (RFC 2634 §3.2).
const essPublic = "<securitylabel xmlns='" + labelNS + "'><label>" +
	"<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIB</esssecuritylabel></label></securitylabel>"

// labelAllowed: what the outside is cleared for arrives, with its label and a marking made from the policy.
func labelAllowed(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	alice.Says(bob.JID, "for everybody", LabelXML("PUBLIC", "", "GUARD PUBLIC"))
	bob.Says(alice.JID, "for everybody, too", essPublic)
	for _, e := range []client.Event{bob.Hears("for everybody"), alice.Hears("for everybody, too")} {
		if !e.Has(labelNS, "securitylabel") || !strings.Contains(e.XML, "GUARD PUBLIC") {
			t.Errorf("label or marking is wrong: %s", e.XML)
		}
	}
}

// labelRefused: what the outside is not cleared for does not arrive, whatever its marking says; the sender is told so.
func labelRefused(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	alice.Says(bob.JID, "for us alone", LabelXML("INTERNAL", "GBR", "GUARD PUBLIC"))
	alice.SeesError(refusals...)
	alice.Says(bob.JID, "for everybody", essPublic)
	bob.Hears("for everybody")
	bob.HearsNothing(func(e client.Event) bool { return strings.Contains(e.XML, "for us alone") })
	w.audited(t, "refused", alice.JID, "label-out")
}

// unlabelled: without a label nothing crosses; neither with two, nor with one that nobody can read or whose marking
// says something else.
func unlabelled(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	unreadable := "<securitylabel xmlns='" + labelNS + "'><label><x xmlns='urn:example:unknown'/></label></securitylabel>"
	for _, labels := range [][]string{nil, {essPublic, essPublic}, {unreadable}, {LabelXML("NO SUCH CLASS", "", "")}, {LabelXML("PUBLIC", "", "SECRET")}} {
		alice.Says(bob.JID, "nothing said of me", labels...)
		alice.SeesError(refusals...)
	}
	alice.Says(bob.JID, "for everybody", essPublic)
	bob.Hears("for everybody")
	bob.HearsNothing(func(e client.Event) bool { return strings.Contains(e.XML, "nothing said of me") })
	w.audited(t, "refused", alice.JID, "label-in")
}

// wrappedContent: a public envelope with an internal message forwarded inside it is judged by what is inside
// (XEP-0297), and so is one inside a forged carbon (XEP-0280).
func wrappedContent(t *testing.T, w *World) {
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	inner := "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='carol@" + w.Bed.Prosody.Domain +
		"' to='" + alice.Bare() + "' type='chat'><body>for us alone</body>" + LabelXML("INTERNAL", "GBR", "") + "</message></forwarded>"
	alice.Says(bob.JID, "look at this", essPublic, inner)
	alice.SeesError(refusals...)
	alice.Says(bob.JID, "", essPublic, "<received xmlns='urn:xmpp:carbons:2'>"+inner+"</received>")
	alice.SeesError(refusals...)
	alice.Says(bob.JID, "for everybody", essPublic)
	bob.Hears("for everybody")
	bob.HearsNothing(func(e client.Event) bool { return strings.Contains(e.XML, "for us alone") })
}
