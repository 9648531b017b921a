package peering_test

import (
	"crypto/tls"

	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
	"sallyport/rules"
)

type judged struct {
	name   string
	peer   string // it comes from; default "in"
	stanza string
	facts  peering.Facts
	proof  *peering.Proof
	change func(*peering.Definition)

	want   peering.Outcome
	stage  peering.Stage
	reason peering.Reason
	cond   stanza.Condition
	leaves string // substring of what is released
	gone   string // must not be in what is released
}

const (
	toOut  = ` xmlns='jabber:server' from='juliet@in.example/balcony' to='romeo@out.example' `
	toIn   = ` xmlns='jabber:server' from='romeo@out.example/orchard' to='juliet@in.example' `
	secret = `SECRET`
)

var judgements = []judged{
	// stage 1: who
	{
		name: "no such peer", peer: "stranger", stanza: `<message` + toOut + `><body>x</body></message>`,
		stage: peering.Admit, reason: peering.UnknownPeer, cond: stanza.NotAllowed,
	},
	{
		name: "peer is refused", stanza: `<message` + toOut + `/>`, change: func(d *peering.Definition) { d.Peers[0].Refuse = true },
		stage: peering.Admit, reason: peering.RefusedPeer, cond: stanza.NotAllowed,
	},
	{
		name: "proof below the floor", stanza: `<message` + toOut + `/>`,
		proof: &peering.Proof{Method: peering.Dialback, TLS: tls.VersionTLS13},
		stage: peering.Admit, reason: peering.BelowFloor, cond: stanza.NotAuthorized,
	},
	{
		name: "TLS below the floor", stanza: `<message` + toOut + `/>`,
		proof: &peering.Proof{Method: peering.External, TLS: tls.VersionTLS11},
		stage: peering.Admit, reason: peering.BelowFloor, cond: stanza.NotAuthorized,
	},
	{
		name: "pin demanded, key not pinned", stanza: `<message` + toOut + `/>`,
		change: func(d *peering.Definition) { d.Peers[0].Floor.Pinned = true },
		stage:  peering.Admit, reason: peering.BelowFloor, cond: stanza.NotAuthorized,
	},
	{
		name: "H01 from of a domain the peer does not own", stanza: `<message xmlns='jabber:server' from='x@bank.example' to='romeo@out.example'/>`,
		stage: peering.Admit, reason: peering.SpoofedFrom, cond: stanza.NotAllowed,
	},
	{
		name: "relay may not speak for others", stanza: `<presence xmlns='jabber:server' from='x@bank.example' to='romeo@out.example'/>`,
		change: func(d *peering.Definition) { d.Peers[0].SpeaksFor = []peering.Pattern{"*.bank.example"} },
		stage:  peering.Admit, reason: peering.SpoofedFrom, cond: stanza.NotAllowed,
	},
	{
		name: "relay speaks for a domain it was given", stanza: `<presence xmlns='jabber:server' from='x@a.bank.example' to='romeo@out.example'/>`,
		change: func(d *peering.Definition) { d.Peers[0].SpeaksFor = []peering.Pattern{"*.bank.example"} },
		want:   peering.Release, leaves: "from='x@a.bank.example'",
	},
	// stage 1: whereto
	{
		name: "nobody holds the destination", stanza: `<message xmlns='jabber:server' from='a@in.example' to='b@nowhere.example'/>`,
		stage: peering.Admit, reason: peering.NoRoute, cond: stanza.ItemNotFound,
	},
	{
		name: "pair not listed", stanza: `<message` + toOut + `/>`, change: func(d *peering.Definition) { d.Pairs = nil },
		stage: peering.Admit, reason: peering.UnlistedPair, cond: stanza.NotAllowed,
	},
	{
		name: "pair listed the other way only", stanza: `<message` + toOut + `/>`,
		change: func(d *peering.Definition) { d.Pairs = []peering.Pair{{From: "out", To: "in"}} },
		stage:  peering.Admit, reason: peering.UnlistedPair, cond: stanza.NotAllowed,
	},
	{
		name: "answer over a one-way pair", stanza: `<iq` + toOut + `type='result' id='7'/>`,
		facts:  peering.Facts{Awaited: peering.AwaitedIQ{Found: true}},
		change: func(d *peering.Definition) { d.Pairs = []peering.Pair{{From: "out", To: "in"}} },
		want:   peering.Release, leaves: "type='result'",
	},
	{
		name: "to itself", stanza: `<message xmlns='jabber:server' from='a@in.example' to='b@in.example'/>`,
		stage: peering.Admit, reason: peering.UnlistedPair, cond: stanza.NotAllowed,
	},
	// stage 1: lists of a domain
	{
		name: "sender on the black list", stanza: `<message` + toOut + `/>`, facts: peering.Facts{Excluded: peering.SenderListed},
		stage: peering.Admit, reason: peering.Blacklisted, cond: stanza.NotAllowed,
	},
	{
		name: "recipient not on the white list", stanza: `<presence` + toOut + `/>`, facts: peering.Facts{Excluded: peering.RecipientUnlisted},
		stage: peering.Admit, reason: peering.NotWhitelisted, cond: stanza.NotAllowed,
	},
	{
		name: "answer of who is on the black list", stanza: `<iq` + toOut + `type='result' id='7'/>`,
		facts: peering.Facts{Excluded: peering.SenderListed, Awaited: peering.AwaitedIQ{Found: true}},
		stage: peering.Admit, reason: peering.Blacklisted, cond: stanza.NotAllowed,
	},
	{
		name: "a list does not replace a pair", stanza: `<message` + toOut + `/>`, change: func(d *peering.Definition) { d.Pairs = nil },
		facts: peering.Facts{Excluded: peering.NotExcluded}, stage: peering.Admit, reason: peering.UnlistedPair, cond: stanza.NotAllowed,
	},
	// stage 1: which kind
	{
		name: "messages not carried", stanza: `<message` + toOut + `><body>x</body></message>`,
		change: func(d *peering.Definition) { d.Peers[1].Kinds.Message = false },
		stage:  peering.Admit, reason: peering.KindNotAllowed, cond: stanza.NotAllowed,
	},
	{
		name:   "rooms not carried",
		stanza: `<presence xmlns='jabber:server' from='a@in.example/x' to='room@rooms.out.example/nick'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
		change: func(d *peering.Definition) { d.Peers[1].Kinds.MUC = false },
		stage:  peering.Admit, reason: peering.KindNotAllowed, cond: stanza.NotAllowed,
	},
	{
		name: "J06 file transfer", stanza: `<iq` + toOut + `type='set' id='1'><open xmlns='http://jabber.org/protocol/ibb' sid='a' block-size='4096'/></iq>`,
		change: func(d *peering.Definition) { d.Peers[1].Kinds.IQ = []string{"urn:xmpp:ping"} },
		stage:  peering.Admit, reason: peering.IQKind, cond: stanza.ServiceUnavailable,
	},
	{
		name: "J06 file transfer, all the profile allows", stanza: `<iq` + toOut + `type='set' id='1'><open xmlns='http://jabber.org/protocol/ibb' sid='a' block-size='4096'/></iq>`,
		stage: peering.Profile, reason: peering.IQKind, cond: stanza.ServiceUnavailable,
	},
	{
		name: "H07 result nobody waits for", stanza: `<iq` + toOut + `type='result' id='1'/>`,
		stage: peering.Admit, reason: peering.Unsolicited,
	},
	{
		name: "approval nobody asked for", stanza: `<presence` + toOut + `type='subscribed'/>`,
		stage: peering.Admit, reason: peering.Unsolicited,
	},
	{
		name: "approval of what was asked", stanza: `<presence` + toOut + `type='subscribed'/>`, facts: peering.Facts{Asked: true},
		want: peering.Release, leaves: "type='subscribed'",
	},
	{
		name: "ping", stanza: `<iq` + toOut + `type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`,
		want: peering.Release, leaves: "<ping",
	},
	// stage 2
	{
		name: "I01 no label", stanza: `<message` + toOut + `><body>x</body></message>`,
		stage: peering.LabelIn, reason: peering.NoLabel, cond: stanza.PolicyViolation,
	},
	{
		name: "no label, default of the peer, written for the other side", peer: "out", stanza: `<message` + toIn + `><body>x</body></message>`,
		want: peering.Release, leaves: "<body>x</body>",
	},
	{
		name: "label refused by the clearance outside", stanza: `<message` + toOut + `><body>x</body>` + label("SECRET", "") + `</message>`,
		stage: peering.LabelOut, reason: peering.Clearance, cond: stanza.PolicyViolation,
	},
	{
		name: "label refused by the clearance it comes from", peer: "out", stanza: `<message` + toIn + `><body>x</body>` + label("SECRET", "") + `</message>`,
		stage: peering.LabelIn, reason: peering.Clearance, cond: stanza.PolicyViolation,
	},
	{
		name: "label allowed", stanza: `<message` + toOut + `><body>x</body>` + label("RESTRICTED", "") + `</message>`,
		want: peering.Release, leaves: "EXAMPLE RESTRICTED",
	},
	{
		name: "I05 empty label, default of the peer", peer: "out",
		stanza: `<message` + toIn + `><body>x</body><securitylabel xmlns='urn:xmpp:sec-label:0'><label/></securitylabel></message>`,
		want:   peering.Release, leaves: "EXAMPLE UNCLASSIFIED",
	},
	{
		name: "I08 empty label that shows a higher marking", peer: "out",
		stanza: `<message` + toIn + `><body>x</body><securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking>SECRET</displaymarking><label/></securitylabel></message>`,
		stage:  peering.LabelIn, reason: "label-mismatch", cond: stanza.PolicyViolation,
	},
	{
		name: "a rule strips the label: it is written again", stanza: `<message` + toOut + `><body>x</body>` + label("RESTRICTED", "") + `</message>`,
		change: func(d *peering.Definition) {
			d.Rules, _ = rules.CompileRules([]rules.RuleSpec{{ID: "s", Action: "strip", Elements: []string{"{urn:xmpp:sec-label:0}securitylabel"}}})
		},
		want: peering.Release, leaves: "EXAMPLE RESTRICTED",
	},
	{
		name: "I11 unknown classification", stanza: `<message` + toOut + `><body>x</body>` + label("COSMIC", "") + `</message>`,
		stage: peering.LabelIn, reason: "label-unknown", cond: stanza.PolicyViolation,
	},
	{
		name: "I02 two labels", stanza: `<message` + toOut + `><body>x</body>` + label("UNCLASSIFIED", "") + label("UNCLASSIFIED", "") + `</message>`,
		stage: peering.LabelIn, reason: "label-count", cond: stanza.PolicyViolation,
	},
	{
		name: "I19 labelled presence", stanza: `<presence` + toOut + `>` + label("UNCLASSIFIED", "") + `</presence>`,
		want: peering.Drop, stage: peering.LabelIn, reason: peering.LabelMisplaced,
	},
	{
		name:   "I21 labelled error",
		stanza: `<message` + toOut + `type='error'>` + label("UNCLASSIFIED", "") + `<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
		want:   peering.Drop, stage: peering.LabelIn, reason: peering.LabelMisplaced,
	},
	{
		name:   "I20 error with the original body",
		stanza: `<message` + toOut + `type='error'><body>canary</body><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>canary</text></error></message>`,
		want:   peering.Release, leaves: "item-not-found", gone: "canary",
	},
	{
		name: "I22 subject without label", stanza: `<message xmlns='jabber:server' from='a@in.example/x' to='room@rooms.out.example' type='groupchat'><subject>canary</subject></message>`,
		stage: peering.LabelIn, reason: peering.NoLabel, cond: stanza.PolicyViolation,
	},
	// wrapped content
	{
		name: "J01 secret forwarded inside unclassified",
		stanza: `<message` + toOut + `><body>x</body>` + label("UNCLASSIFIED", "") + `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='a@in.example' to='b@in.example'><body>canary</body>` +
			label("SECRET", "") + `</message></forwarded></message>`,
		stage: peering.LabelIn, reason: peering.Wrapped, cond: stanza.PolicyViolation,
	},
	{
		name:   "J02 carbons",
		stanza: `<message` + toOut + `><body>x</body>` + label("UNCLASSIFIED", "") + `<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='a@in.example' to='b@in.example'><body>canary</body></message></forwarded></sent></message>`,
		stage:  peering.LabelIn, reason: peering.Wrapped, cond: stanza.PolicyViolation,
	},
	{
		name: "J01 carrier allowed, secret inside", stanza: forwarding(label("UNCLASSIFIED", ""), label("SECRET", "")), change: carrying("forward"),
		stage: peering.LabelOut, reason: peering.Clearance, cond: stanza.PolicyViolation,
	},
	{
		name: "J01 carrier allowed, no label inside", stanza: forwarding(label("UNCLASSIFIED", ""), ""), change: carrying("forward"),
		stage: peering.LabelIn, reason: peering.NoLabel, cond: stanza.PolicyViolation,
	},
	{
		name: "J01 carrier allowed, both labels good", stanza: forwarding(label("UNCLASSIFIED", ""), label("UNCLASSIFIED", "")), change: carrying("forward"),
		want: peering.Release, leaves: "canary",
	},
	{
		name: "J01 carrier allowed, what is inside is held against the profile", change: carrying("forward"),
		stanza: forwarding(label("UNCLASSIFIED", ""), label("UNCLASSIFIED", "")+`<x xmlns='jabber:x:oob'><url>http://secret.example/</url></x>`),
		stage:  peering.Profile, reason: "profile", cond: stanza.PolicyViolation,
	},
	{
		name: "J04 forwarded in forwarded in forwarded", change: carrying("forward"),
		stanza: `<message` + toOut + `><body>x</body>` + label("UNCLASSIFIED", "") + nested(3, label("SECRET", "")) + `</message>`,
		stage:  peering.LabelOut, reason: peering.Clearance, cond: stanza.PolicyViolation,
	},
	{
		name: "J04 too deep", change: carrying("forward"),
		stanza: `<message` + toOut + `><body>x</body>` + label("UNCLASSIFIED", "") + nested(6, label("UNCLASSIFIED", "")) + `</message>`,
		stage:  peering.LabelIn, reason: "depth", cond: stanza.PolicyViolation,
	},
	// stage 5
	{
		name: "domain map outwards", stanza: `<message xmlns='jabber:server' from='juliet@corp.in.example/b' to='romeo@out.example' id='1'><body>x</body>` + label("UNCLASSIFIED", "") + `</message>`,
		change: func(d *peering.Definition) {
			d.Peers[0].DomainMap = []peering.DomainMapping{{Far: domain("corp.in.example"), Near: domain("public.example")}}
		},
		want: peering.Release, leaves: "from='juliet@public.example/b'", gone: "corp",
	},
	{
		name: "domain map inwards", peer: "out", stanza: `<message xmlns='jabber:server' from='romeo@out.example' to='juliet@public.example' id='1'><body>x</body></message>`,
		change: func(d *peering.Definition) {
			d.Peers[0].DomainMap = []peering.DomainMapping{{Far: domain("corp.in.example"), Near: domain("public.example")}}
		},
		want: peering.Release, leaves: "to='juliet@corp.in.example'", gone: "public",
	},
	{
		name: "id issued anew", stanza: `<iq` + toOut + `type='get' id='canary'><ping xmlns='urn:xmpp:ping'/></iq>`,
		facts: peering.Facts{FreshID: "fresh"}, change: func(d *peering.Definition) { d.ReissueIDs = true },
		want: peering.Release, leaves: "id='fresh'", gone: "canary",
	},
	{
		name: "id issued anew, none given", stanza: `<iq` + toOut + `type='get' id='canary'><ping xmlns='urn:xmpp:ping'/></iq>`,
		change: func(d *peering.Definition) { d.ReissueIDs = true },
		stage:  peering.Address, reason: peering.AddressRefused, cond: stanza.InternalServerError,
	},
	{
		name: "requester's id restored", stanza: `<iq` + toOut + `type='result' id='fresh'/>`,
		facts: peering.Facts{Awaited: peering.AwaitedIQ{Found: true, OriginalID: "orig"}},
		want:  peering.Release, leaves: "id='orig'",
	},
}

// forwarding is a message with one forwarded inside.
func forwarding(outer, inner string) string {
	return `<message` + toOut + `><body>x</body>` + outer + `<forwarded xmlns='urn:xmpp:forward:0'>` +
		`<message xmlns='jabber:client' from='a@in.example/x' to='b@in.example' type='chat'><body>canary</body>` + inner + `</message></forwarded></message>`
}

// nested is a forwarded message in a forwarded message, depth times; the innermost has the label given.
func nested(depth int, innermost string) string {
	inner, l := "", innermost
	for range depth {
		inner = `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='a@in.example/x' to='b@in.example' type='chat'><body>canary</body>` +
			l + inner + `</message></forwarded>`
		l = label("UNCLASSIFIED", "")
	}
	return inner
}

// carrying is a profile that lets stanzas travel in a carrier, refusing what it does not list.
func carrying(carrier string) func(*peering.Definition) {
	return func(d *peering.Definition) {
		spec := rules.DefaultProfile("federation")
		spec.Mode, spec.Carriers = "strict", []string{carrier}
		d.Profile, _ = rules.CompileProfile(spec)
	}
}
