package rules

// Namespaces that several built-in profiles speak of.
const (
	nsStates     = "http://jabber.org/protocol/chatstates"
	nsReceipts   = "urn:xmpp:receipts"
	nsMarkers    = "urn:xmpp:chat-markers:0"
	nsIDs        = "urn:xmpp:sid:0"
	nsHints      = "urn:xmpp:hints"
	nsESS        = "urn:xmpp:sec-label:ess:0"
	nsItemLabels = "urn:xmpp:sec-label:pubsub:0"
	nsNATO       = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"
	nsMUC        = "http://jabber.org/protocol/muc"
	nsMUCUser    = "http://jabber.org/protocol/muc#user"
	nsInfo       = "http://jabber.org/protocol/disco#info"
	nsItems      = "http://jabber.org/protocol/disco#items"
	nsNick       = "http://jabber.org/protocol/nick"
	nsAvatar     = "urn:xmpp:avatar:metadata"
)

// labelElements is XEP-0258 with the two syntaxes that the label stage reads. That stage holds them to their content
// model; here they only have to be let through and measured.
func labelElements() []ElementSpec {
	in := []string{"{" + nsLabel + "}label", "{" + nsLabel + "}equivalentlabel"}
	return []ElementSpec{
		{Name: "{" + nsLabel + "}securitylabel", In: inMessage},
		{
			Name: "{" + nsLabel + "}displaymarking", In: []string{"{" + nsLabel + "}securitylabel"},
			Attributes: []string{"fgcolor", "bgcolor"}, Text: "any",
		},
		{Name: in[0], In: []string{"{" + nsLabel + "}securitylabel"}},
		{Name: in[1], In: []string{"{" + nsLabel + "}securitylabel"}, Max: 8},
		{Name: "{" + nsESS + "}esssecuritylabel", In: in, Text: "any"},
		{Name: "{" + nsNATO + "}originatorConfidentialityLabel", In: in, Deep: true, Attributes: []string{"ReviewDateTime"}},
	}
}

// courtesies are the small signs that accompany messages: typing, receipts, markers, correction, stable ids, storage
// hints, no copies, delay (XEP-0085, 0184, 0333, 0308, 0359, 0334, 0280, 0203).
func courtesies() []ElementSpec {
	ids := []string{"id=id"}
	specs := []ElementSpec{
		{Name: "{" + nsReceipts + "}request", In: inMessage},
		{Name: "{" + nsReceipts + "}received", In: inMessage, Attributes: ids},
		{Name: "{" + nsMarkers + "}markable", In: inMessage},
		{Name: "{" + nsMarkers + "}received", In: inMessage, Attributes: ids},
		{Name: "{" + nsMarkers + "}displayed", In: inMessage, Attributes: ids},
		{Name: "{" + nsMarkers + "}acknowledged", In: inMessage, Attributes: ids},
		{Name: "{urn:xmpp:message-correct:0}replace", In: inMessage, Attributes: ids},
		{Name: "{" + nsIDs + "}origin-id", In: inMessage, Attributes: ids},
		{Name: "{" + nsIDs + "}stanza-id", In: inMessage, Attributes: []string{"id=id", "by=jid"}, Claim: "by"},
		{Name: "{urn:xmpp:delay}delay", In: inBoth, Attributes: []string{"stamp=time", "from=jid"}, Text: "any", Claim: "from?"},
	}
	for _, state := range []string{"active", "composing", "paused", "inactive", "gone"} {
		specs = append(specs, ElementSpec{Name: "{" + nsStates + "}" + state, In: inMessage})
	}
	specs = append(specs, ElementSpec{Name: "{" + nsCarbons + "}private", In: inMessage}) // XEP-0280 §8: a copy nobody wanted is worse
	for _, hint := range []string{"no-permanent-store", "no-store", "no-copy", "store"} {
		specs = append(specs, ElementSpec{Name: "{" + nsHints + "}" + hint, In: inMessage})
	}
	return specs
}

// roomElements is what a user of rooms needs, and no more: joining, being seen, invitations, subject and messages
// (XEP-0045, 0249, 0421). Configuration and administration stay on their own side of the boundary.
func roomElements() []ElementSpec {
	user := []string{"{" + nsMUCUser + "}x"}
	item := []string{"{" + nsMUCUser + "}item"}
	invite := []string{"{" + nsMUCUser + "}invite", "{" + nsMUCUser + "}decline"}
	reason := []string{item[0], invite[0], invite[1], "{" + nsMUCUser + "}destroy"}
	return []ElementSpec{
		{Name: "{" + nsMUC + "}x", In: inPresence},
		{
			Name: "{" + nsMUC + "}history", In: []string{"{" + nsMUC + "}x"},
			Attributes: []string{"maxchars=number", "maxstanzas=number", "seconds=number", "since=time"},
		},
		{Name: "{" + nsMUC + "}password", In: []string{"{" + nsMUC + "}x"}, Text: "any"},
		{Name: user[0], In: inBoth},
		{
			Name: item[0], In: user, Max: 4,
			Attributes: []string{"affiliation=owner|admin|member|none|outcast", "role=moderator|participant|visitor|none", "jid=jid", "nick"},
		},
		{Name: "{" + nsMUCUser + "}actor", In: item, Attributes: []string{"jid=jid", "nick"}},
		{Name: "{" + nsMUCUser + "}status", In: user, Max: 16, Attributes: []string{"code=number"}},
		{Name: invite[0], In: user, Attributes: []string{"to=jid", "from=jid"}},
		{Name: invite[1], In: user, Attributes: []string{"to=jid", "from=jid"}},
		{Name: "{" + nsMUCUser + "}continue", In: []string{invite[0]}, Attributes: []string{"thread=token"}},
		{Name: "{" + nsMUCUser + "}password", In: user, Text: "any"},
		{Name: "{" + nsMUCUser + "}destroy", In: user, Attributes: []string{"jid=jid"}},
		{Name: "{" + nsMUCUser + "}reason", In: reason, Text: "any"},
		{Name: "{urn:xmpp:occupant-id:0}occupant-id", In: inBoth, Attributes: []string{"id=id"}},
		{
			Name: "{jabber:x:conference}x", In: inMessage,
			Attributes: []string{"jid=jid", "password", "reason", "thread=token", "continue=true|false"},
		},
	}
}
