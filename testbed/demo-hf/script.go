package main

import (
	"fmt"
	"strings"

	"sallyport/labels/xep0258"
	"sallyport/testbed/player"
)

// person is somebody who talks.
type person struct{ station, jid string }

func (p person) name() string {
	local, _, _ := strings.Cut(p.jid, "@")
	return local
}

// Who talks.
var (
	bridge     = person{"ship", "bridge@ship.example"}
	operations = person{"shore", "operations@shore.example"}
	warnings   = person{"shore", "warnings@shore.example"}
)

// line is something that somebody says to somebody.
type line struct {
	from, to person
	label    player.Label
	text     string
}

var (
	open       = player.Label{Class: "UNCLASSIFIED", Syntax: xep0258.STANAG4774}
	restricted = player.Label{Class: "RESTRICTED", Releasable: []string{"GBR"}, Syntax: xep0258.STANAG4774}
)

// talk is said in turns, one after the other; the lines of one turn at the same time.
func talk() [][]line {
	return [][]line{
		{{bridge, operations, open, "Shore, this is the ship. Engine trouble, making six knots. Expect to arrive at 2140 instead of 1800."}},
		{{operations, bridge, open, "Understood, 2140. A tug stands by from 2100."}},
		{
			{bridge, operations, restricted, "One of the crew has a broken arm. Please send an ambulance to the quay."},
			{operations, bridge, open, "Which draught do you need at the berth?"},
		},
		{{bridge, operations, open, "Draught six metres."}},
		{{operations, bridge, restricted, "Ambulance is ordered. Keep silence until further notice."}},
	}
}

// warning reaches a ship that keeps silence.
var warning = line{warnings, bridge, open, "Gale warning: north-west 9 expected from 1900, sea very rough."}

// after is said when the silence is over.
var after = line{bridge, operations, open, "Gale warning received. Thank you, out."}

// stanza is a line as it leaves its sender's server.
func (l line) stanza(id, label string) string {
	return fmt.Sprintf("<message type='chat' id='%s' from='%s/console' to='%s'><body>%s</body>%s</message>", id, l.from.jid, l.to.jid, l.text, label)
}
