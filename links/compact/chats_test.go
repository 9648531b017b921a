package compact_test

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// The traffic that models are trained on and measured with. Training has the words and people of this file; what is measured has the
// texts of testdata/chats.txt, one sentence a line, written for this purpose on matters that the training texts are not about, cut to 50
// characters (links/prose was written without sight of them, and has no four words in a row of theirs), and people whom the training has never seen. Domains, clients and labels are the same in both: these
// are what two sites know of each other.

var (
	trainingWords = strings.Fields(`position report received please confirm the convoy leaves harbour at first light weather north wind
		moderate sea state three visibility good request medical supplies two boxes fuel remaining sixty percent engine repaired
		next report in one hour stand by roger out relay to all stations meeting moved map grid updated helicopter delayed`)
	trained   = []string{"captain", "watch1", "watch2", "ops.room", "engineer", "medic", "radio", "supply", "n.berg", "k.lund", "bridge", "deck"}
	strangers = []string{"h.sorensen", "j.vasquez", "weather", "p.okafor", "duty.officer", "t.lindqvist", "boat7", "m.haddad", "cook", "r.silva"}
	domains   = [2]string{"shore.example", "ship.example"}
	resources = []string{"desk", "laptop", "ops", "mobile"}
	labels    = []string{
		label("UNCLASSIFIED", "green", "MQYCAQEGASk="),
		label("RESTRICTED", "blue", "MQYCAQIGASk="),
		label("CONFIDENTIAL", "yellow", "MQYCAQMGASk="),
	}
)

//go:embed testdata/chats.txt
var chats string

func label(marking, colour, ess string) string {
	return fmt.Sprintf("<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking bgcolor='%s' fgcolor='black'>%s</displaymarking>"+
		"<label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>%s</esssecuritylabel></label></securitylabel>", colour, marking, ess)
}

// element is for text of this file, which is right.
func element(text string) *xmlstream.Element {
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		panic(fmt.Sprintf("%v: %s", err, text))
	}
	return e
}

// talk makes chats between people of two sides.
type talk struct {
	*rand.Rand
	people []string
}

func pick[T any](k talk, from []T) T { return from[k.IntN(len(from))] }

// id is as clients make it: eight hexadecimal digits and a count, five to ten letters and digits, or a UUID.
func (k talk) id(n int) string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	switch k.IntN(3) {
	case 0:
		return fmt.Sprintf("%08x-%d", k.Uint32(), n%50)
	case 1:
		out := make([]byte, 5+k.IntN(6))
		for i := range out {
			out[i] = letters[k.IntN(len(letters))]
		}
		return string(out)
	}
	return fmt.Sprintf("%08x-%04x-4%03x-%x%03x-%012x", k.Uint32(), k.IntN(1<<16), k.IntN(1<<12), 8+k.IntN(4), k.IntN(1<<12), k.Uint64()>>16)
}

// plain is the XML of e.
func plain(e *xmlstream.Element) []byte {
	b, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		panic(err)
	}
	return b
}

func (k talk) chat(n int, body string) *xmlstream.Element {
	side := k.IntN(2)
	return element(fmt.Sprintf("<message from='%s@%s/%s' to='%s@%s' type='chat' id='%s'>%s<body>%s</body></message>",
		pick(k, k.people), domains[side], pick(k, resources), pick(k, k.people), domains[1-side], k.id(n), pick(k, labels), body))
}

// training is a recorded time of chats, presence, and a room.
func training(n int) (out []*xmlstream.Element) {
	k := talk{rand.New(rand.NewPCG(1, 1)), trained}
	for i := range n {
		words := make([]string, 3+k.IntN(9))
		for j := range words {
			words[j] = pick(k, trainingWords)
		}
		body := strings.Join(words, " ")
		out = append(out, k.chat(i, body))
		side := k.IntN(2)
		switch i % 4 {
		case 0:
			out = append(out, element(fmt.Sprintf("<presence from='%s@%s/%s' to='%s@%s'><show>away</show><priority>5</priority></presence>",
				pick(k, k.people), domains[side], pick(k, resources), pick(k, k.people), domains[1-side])))
		case 1:
			id := k.id(i)
			out = append(out, element(fmt.Sprintf("<message from='ops@rooms.%s/%s' to='%s@%s/desk' type='groupchat' id='%s'>%s<body>%s</body>"+
				"<stanza-id xmlns='urn:xmpp:sid:0' by='ops@rooms.%[1]s' id='%[5]s'/></message>",
				domains[side], pick(k, k.people), pick(k, k.people), domains[1-side], id, pick(k, labels), body)))
		case 2:
			out = append(out, element(fmt.Sprintf("<iq from='%s@%s/desk' to='%s' type='get' id='%s'><ping xmlns='urn:xmpp:ping'/></iq>",
				pick(k, k.people), domains[side], domains[1-side], k.id(i))))
		}
	}
	return out
}

// measured are the 200 chats that figures are of.
func measured() []*xmlstream.Element { return between(strangers) }

// between are the same between these people.
func between(people []string) (out []*xmlstream.Element) {
	k := talk{rand.New(rand.NewPCG(2, 2)), people}
	for line := range strings.Lines(chats) {
		out = append(out, k.chat(len(out), line[:50]))
	}
	return out
}
