// Command recordday makes a recording of a day that never was: people on two sides who write to each other, are there and away, and talk
// in rooms, the same from the same seed. It is traffic for "sallyport link cost" and "sallyport link train".
//
// It opens no socket and asks nobody. The texts are made of the words of this file.
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/cost"
)

func main() {
	people := flag.Int("people", 20, "on each side")
	chats := flag.Int("chats", 30, "messages that each writes in the day")
	room := flag.Int("room", 100, "messages in the room, which everybody is in")
	seed := flag.Uint64("seed", 1, "the same makes the same day")
	flag.Parse()
	if err := record(os.Stdout, *people, *chats, *room, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "recordday:", err)
		os.Exit(1)
	}
}

// record writes the recording of a day.
func record(out io.Writer, people, chats, room int, seed uint64) error {
	d := newDay(people, seed)
	d.presence()
	d.conversations(chats)
	d.room(room)
	return d.write(out)
}

var (
	begin = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	words = strings.Fields(`position report received please confirm the convoy leaves harbour at first light weather north wind
		moderate sea state three visibility good request medical supplies two boxes fuel remaining sixty percent engine repaired
		next report in one hour stand by roger out relay to all stations meeting moved map grid updated helicopter delayed`)
)

const (
	label    = "<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking fgcolor='black' bgcolor='green'>UNCLASSIFIED</displaymarking></securitylabel>"
	active   = "<active xmlns='http://jabber.org/protocol/chatstates'/>"
	typing   = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
	request  = "<request xmlns='urn:xmpp:receipts'/>"
	markable = "<markable xmlns='urn:xmpp:chat-markers:0'/>"
	caps     = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://client.example' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>"
	photo    = "<x xmlns='vcard-temp:x:update'><photo>3f1c08ae7a32f8ad24e6ea4a2c1f31bb9ac9a0b1</photo></x>"
)

type day struct {
	random  *rand.Rand
	people  int
	entries []cost.Entry
	err     error
}

func newDay(people int, seed uint64) *day {
	return &day{random: rand.New(rand.NewPCG(seed, 0)), people: people} //nolint:gosec // the same day again is the point
}

// at is somewhere in the working day, more often in its middle.
func (d *day) at() time.Time {
	hours := 6 + (d.random.Float64()+d.random.Float64())*7
	return begin.Add(time.Duration(hours * float64(time.Hour)))
}

func (d *day) text() string {
	n := 3 + d.random.IntN(12)
	out := make([]string, n)
	for i := range out {
		out[i] = words[d.random.IntN(len(words))]
	}
	return strings.Join(out, " ")
}

// person is somebody on the side that the direction comes from.
func person(from cost.Direction, n int) string {
	if from == cost.Out {
		return fmt.Sprintf("officer%d@shore.example", n)
	}
	return fmt.Sprintf("watch%d@ship.example", n)
}

func (d *day) add(at time.Time, way cost.Direction, format string, args ...any) {
	tree, err := xmlstream.ParseDocument(fmt.Appendf(nil, format, args...), xmlstream.Options{ContentNS: xmlstream.NSServer})
	var s stanza.Stanza
	if err == nil {
		s, err = stanza.From(tree)
	}
	if err != nil {
		d.err = cmp.Or(d.err, fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err))
		return
	}
	d.entries = append(d.entries, cost.Entry{Time: at.Truncate(time.Millisecond), Direction: way, Stanza: s})
}

// presence: each comes, is away now and then, and goes; three people of the other side see him.
func (d *day) presence() {
	for _, way := range []cost.Direction{cost.Out, cost.In} {
		for n := range d.people {
			come, gone := begin.Add(6*time.Hour+time.Duration(d.random.IntN(3600))*time.Second), begin.Add(20*time.Hour+time.Duration(d.random.IntN(3600))*time.Second)
			for seen := range 3 {
				to := person(1-way, (n+seen)%d.people)
				from := person(way, n) + "/desk"
				d.add(come, way, "<presence from='%s' to='%s'><priority>5</priority><status>on watch</status>%s%s</presence>", from, to, caps, photo)
				for at := come; at.Before(gone); at = at.Add(time.Duration(5+d.random.IntN(40)) * time.Minute) {
					show := []string{"", "<show>away</show>", "<show>xa</show>", "<show>dnd</show>"}[d.random.IntN(4)]
					d.add(at, way, "<presence from='%s' to='%s'>%s<priority>5</priority><status>on watch</status>%s%s</presence>", from, to, show, caps, photo)
				}
				d.add(gone, way, "<presence from='%s' to='%s' type='unavailable'/>", from, to)
			}
		}
	}
}

// conversations: typing, a text that asks for a receipt, and the receipt.
func (d *day) conversations(chats int) {
	for _, way := range []cost.Direction{cost.Out, cost.In} {
		for n := range d.people {
			for i := range chats {
				at, from, to := d.at(), person(way, n)+"/desk", person(1-way, (n+d.random.IntN(3))%d.people)
				id := fmt.Sprintf("%08x-%d", d.random.Uint32(), i)
				d.add(at.Add(-10*time.Second), way, "<message from='%s' to='%s' type='chat'>%s%s</message>", from, to, label, typing)
				d.add(at, way, "<message from='%s' to='%s' type='chat' id='%s'>%s<body>%s</body>%s%s%s</message>", from, to, id, label, d.text(), active, request, markable)
				d.add(at.Add(2*time.Second), 1-way, "<message from='%s/desk' to='%s'><received xmlns='urn:xmpp:receipts' id='%s'/></message>", to, from, id)
			}
		}
	}
}

// room is a room on our side: one copy for each of the other.
func (d *day) room(messages int) {
	for i := range messages {
		at, id, text := d.at(), fmt.Sprintf("%08x-r%d", d.random.Uint32(), i), d.text()
		nick := d.random.IntN(d.people)
		for n := range d.people {
			d.add(at, cost.Out, "<message from='ops@rooms.shore.example/officer%d' to='%s/desk' type='groupchat' id='%s'>%s<body>%s</body>"+
				"<stanza-id xmlns='urn:xmpp:sid:0' by='ops@rooms.shore.example' id='%s'/></message>", nick, person(cost.In, n), id, label, text, id)
		}
	}
}

func (d *day) write(to io.Writer) error {
	if d.err != nil {
		return d.err
	}
	slices.SortStableFunc(d.entries, func(a, b cost.Entry) int { return a.Time.Compare(b.Time) })
	out := bufio.NewWriter(to)
	fmt.Fprintln(out, cost.Head)
	var line []byte
	var err error
	for _, e := range d.entries {
		if line, err = cost.Append(line[:0], e); err != nil {
			return err
		}
		_, _ = out.Write(line) // Flush reports errors
	}
	return out.Flush()
}
