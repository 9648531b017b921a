package main

import (
	"fmt"

	"sallyport/labels/xep0258"
	"sallyport/testbed/player"
)

// act is one thing that a player sends, and what a reader should know of it.
type act struct {
	name    string // its id, and the name of its file
	inwards bool   // from outside to inside; the other way otherwise
	what    string
	label   player.Label
	text    string // XML, "%s" where the label goes
	answers bool   // something comes back
	raw     bool   // nothing that a link would send: a stream by hand
	fatal   bool   // raw, and the end of that stream
}

// The users, and a text between them.
const (
	juliet = "juliet@inside.example/desk"
	romeo  = "romeo@outside.example/laptop"
)

func message(id, from, to, inner string) string {
	return fmt.Sprintf("<message type='chat' id='%s' from='%s' to='%s'>%s%%s</message>", id, from, to, inner)
}

// script is the show, in its order.
func script() []act {
	return append(append(outwards(), inwards()...), broken()...)
}

func outwards() []act {
	return []act{
		{
			name: "labelled", what: "message \"Pilot on board 06:40\", RESTRICTED (REL GBR)",
			label: player.Label{Class: "RESTRICTED", Releasable: []string{"GBR"}, Syntax: xep0258.ESS},
			text:  message("labelled", juliet, romeo, "<body>Pilot on board 06:40</body>"),
		},
		{
			name: "other-syntax", what: "message \"Lunch is at twelve\", UNCLASSIFIED (STANAG 4774)",
			label: player.Label{Class: "UNCLASSIFIED", Syntax: xep0258.STANAG4774},
			text:  message("other-syntax", juliet, romeo, "<body>Lunch is at twelve.</body>"),
		},
		{
			name: "unlabelled", what: "message \"I forgot something\", without a label",
			text: message("unlabelled", juliet, romeo, "<body>I forgot something.</body>"),
		},
		{
			name: "secret", what: "message \"We sail at dawn\", SECRET",
			label: player.Label{Class: "SECRET", Syntax: xep0258.ESS},
			text:  message("secret", juliet, romeo, "<body>We sail at dawn.</body>"),
		},
		{
			name: "wrapped", what: "message, UNCLASSIFIED, with a forwarded one inside",
			label: player.Label{Class: "UNCLASSIFIED", Syntax: xep0258.ESS},
			text: message("wrapped", juliet, romeo, "<body>Look what he wrote!</body><forwarded xmlns='urn:xmpp:forward:0'>"+
				"<message xmlns='jabber:client' from='admiral@inside.example/bridge' to='juliet@inside.example' type='chat'>"+
				"<body>We sail at dawn.</body></message></forwarded>"),
		},
		{
			name: "presence", what: "presence: do not disturb, and why not",
			text: "<presence id='presence' from='" + juliet + "' to='romeo@outside.example'>" +
				"<show>dnd</show><status>In the operations room until 18:00</status><priority>5</priority></presence>",
		},
		{
			name: "disco", what: "iq: what are you? (service discovery)", answers: true,
			text: "<iq type='get' id='disco' from='" + juliet + "' to='outside.example'>" +
				"<query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
		},
		{
			name: "file", what: "iq: an offer of a file (Jingle file transfer)",
			text: "<iq type='set' id='file' from='" + juliet + "' to='" + romeo + "'>" +
				"<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='a73sjjvkla37jfea' initiator='" + juliet + "'>" +
				"<content creator='initiator' name='chart.pdf'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/></content></jingle></iq>",
		},
	}
}

func inwards() []act {
	return []act{
		{
			name: "default-label", inwards: true, what: "message \"When is high water?\", without a label",
			text: message("default-label", romeo, juliet, "<body>When is high water?</body>"),
		},
		{
			name: "typing", inwards: true, what: "message that says only that romeo is typing",
			text: message("typing", romeo, juliet, "<composing xmlns='http://jabber.org/protocol/chatstates'/>"),
		},
	}
}

func broken() []act {
	return []act{
		{
			name: "bad-address", raw: true, what: "message to an address that is none",
			text: "<message type='chat' id='bad-address' from='" + juliet + "' to='ro meo@outside.example'><body>Hello?</body></message>",
		},
		{
			name: "not-xml", raw: true, fatal: true, what: "message that is not well-formed XML: 2 <3",
			text: "<message type='chat' id='not-xml' from='" + juliet + "' to='" + romeo + "'><body>2 <3</body></message>",
		},
	}
}
