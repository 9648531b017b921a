package gateway_test

import (
	"strings"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/peering"
)

// listed is an answer with two names, each under a label (XEP-0314 §4.2).
func listed(id, first, second string) string {
	label := func(name, class string) string {
		return `<securitylabel xmlns='urn:xmpp:sec-label:0' xmlns:s='urn:xmpp:sec-label:pubsub:0' s:id='` + name + `'><label>` +
			`<originatorConfidentialityLabel xmlns='urn:nato:stanag:4774:confidentialitymetadatalabel:1:0'><ConfidentialityInformation>` +
			`<PolicyIdentifier URI='urn:oid:2.999.1066.1'>EXAMPLE</PolicyIdentifier><Classification>` + class + `</Classification>` +
			`</ConfidentialityInformation><CreationDateTime>2026-11-21T00:00:00Z</CreationDateTime></originatorConfidentialityLabel></label></securitylabel>`
	}
	return `<iq type='result' id='` + id + `' from='v@b.example/r' to='u@a.example/r'><query xmlns='http://jabber.org/protocol/disco#items'>` +
		`<item xmlns:s='urn:xmpp:sec-label:pubsub:0' s:label='x' jid='b.example' node='one'/><item xmlns:s='urn:xmpp:sec-label:pubsub:0' s:label='y' jid='b.example' node='two'/>` +
		label("x", first) + label("y", second) + `</query></iq>`
}

// TestLabelledList: a list with labels crosses with labels written anew, or not at all; the record says which label it was.
func TestLabelledList(t *testing.T) {
	for _, c := range []struct{ name, second, outcome, reason string }{
		{"both cleared", "RESTRICTED", "released", ""},
		{"one is not", "SECRET", "refused", "clearance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, n *node) {
				n.say(
					`<iq type='get' id='q1' from='u@a.example/r' to='v@b.example/r'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`,
					listed("q1", "UNCLASSIFIED", c.second),
				)
				var last audit.Entry
				for _, e := range n.records(audit.Filter{Kind: audit.Decision}) {
					last = e
				}
				facts, err := peering.ParseRecorded(last.Facts)
				if last.Outcome != c.outcome || last.Reason != c.reason || err != nil || facts.Label == nil {
					t.Fatalf("%s %s %v %+v, want %s %s", last.Outcome, last.Reason, err, facts.Label, c.outcome, c.reason)
				}
				if !strings.Contains(last.LabelIn, c.second) {
					t.Errorf("label in the record: %q, want %s", last.LabelIn, c.second)
				}
				got := n.link.to("a.example")
				if c.outcome == "refused" {
					if len(got) != 0 || facts.Label.Checks[len(facts.Label.Checks)-1].Granted {
						t.Errorf("%d delivered, checks %+v", len(got), facts.Label.Checks)
					}
					return
				}
				if len(got) != 1 || strings.Count(got[0].text(), "<displaymarking") != 2 || strings.Contains(got[0].text(), "'x'") {
					t.Errorf("delivered %v, want both labels written anew", got)
				}
			})
		})
	}
}
