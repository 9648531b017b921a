package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"sallyport/gateway/radio"
	"sallyport/internal/xmpp/stanza"
	"sallyport/testbed/player"
)

// heardWithin bounds everything that has to cross, in real time.
const heardWithin = 10 * time.Minute

// tellAfter lets the line of a transmission be printed before what was heard by it, in the channel's time and in real time at least.
const (
	tellAfter      = 1500 * time.Millisecond
	tellAfterLeast = 300 * time.Millisecond
)

// silenceLasts is how long the ship keeps silence after it was warned, in the channel's time.
const silenceLasts = 10 * time.Second

const (
	columns = 80
	margin  = "          " // as wide as the time of a transmission
)

// play prints what happens. Safe for concurrent use.
type play struct {
	options
	*radio.Roll
	words   *radio.Teller
	colours bool
	serial  atomic.Int64
	xml     atomic.Int64       // bytes that left the servers
	delays  chan time.Duration // of the channel
}

func newPlay(out io.Writer, o options) *play {
	wide := radio.Columns(out)
	return &play{
		options: o, Roll: radio.NewRoll(out, wide), words: radio.NewTeller(stations[:]), delays: make(chan time.Duration, 100),
		colours: wide > 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

// onAir shows who keys now, below the lines.
func (p *play) onAir(now []radio.Told) {
	if len(now) == 0 {
		p.Show(margin + "· nobody transmits")
		return
	}
	p.Show(p.words.Lines(now)...)
}

// say prints words behind a head, broken into lines; those after the first begin two columns behind the head, if that is indented.
func (p *play) say(head, text string) {
	var b strings.Builder
	at := len([]rune(head))
	b.WriteString(head)
	indent := len(head) - len(strings.TrimLeft(head, " "))
	if indent > 0 {
		indent += 2
	}
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i > 0 && at+1+n > columns:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		case i > 0:
			b.WriteString(" ")
			at++
		}
		b.WriteString(word)
		at += n
	}
	fmt.Fprintln(p, p.paint(head, b.String()))
}

// paint gives the lines between transmissions colours, on a terminal only, and not where NO_COLOR asks for none (no-color.org).
func (p *play) paint(head, text string) string {
	colour := ""
	switch mark := strings.TrimSpace(head); {
	case !p.colours:
	case strings.HasPrefix(mark, "»"):
		colour = "1"
	case strings.HasPrefix(mark, "«"):
		colour = "32"
	case strings.HasPrefix(mark, "$"):
		colour = "33"
	}
	if colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// perform is the whole piece.
func (p *play) perform(ctx context.Context, s *stage) error {
	for _, turn := range talk() {
		if err := p.turn(ctx, s, turn); err != nil {
			return err
		}
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := p.silence(ctx, s); err != nil {
		return err
	}
	if err := p.turn(ctx, s, []line{after}); err != nil {
		return err
	}
	return s.settle(ctx)
}

// turn lets lines be said at the same time, and waits until all have been heard.
func (p *play) turn(ctx context.Context, s *stage, lines []line) error {
	ctx, stop := context.WithTimeout(ctx, heardWithin)
	defer stop()
	errs := make(chan error, len(lines))
	for _, l := range lines {
		p.say(fmt.Sprintf("%s» %s says: ", margin, l.from.name()), fmt.Sprintf("“%s” (%s)", l.text, l.label.Class))
		go func() { errs <- p.carry(ctx, s, l) }()
	}
	var all error
	for range lines {
		all = errors.Join(all, <-errs)
	}
	return all
}

// carry takes one line from user to user.
func (p *play) carry(ctx context.Context, s *stage, l line) error {
	id := fmt.Sprintf("demo-%d", p.serial.Add(1))
	from, to := s.domains[l.from.station], s.domains[l.to.station]
	label, err := l.label.Element(s.players[l.from.station].Labels)
	if err != nil {
		return err
	}
	message, err := player.Parse(l.stanza(id, label))
	if err != nil {
		return err
	}
	begun := time.Now()
	left, err := from.Send(ctx, message)
	if err != nil {
		return err
	}
	p.xml.Add(int64(len(player.Text(left))))
	got, err := to.Receive(ctx, func(m stanza.Stanza) bool { return said(m) == l.text })
	if err != nil {
		return fmt.Errorf("%s does not hear %q: %w", l.to.jid, l.text, err)
	}
	delay := time.Duration(float64(time.Since(begun)) * p.speed)
	p.delays <- delay
	if err := rest(ctx, max(time.Duration(float64(tellAfter)/p.speed), tellAfterLeast)); err != nil {
		return err
	}
	p.say(fmt.Sprintf("%s« %s hears: ", margin, l.to.name()), fmt.Sprintf("“%s”, after %.0f s", beginning(said(got)), delay.Seconds()))
	return nil
}

func said(m stanza.Stanza) string {
	if body := m.Element().Child(m.Element().Space(), "body"); body != nil {
		return body.Text()
	}
	return ""
}

// beginning is enough of a text to know it by.
func beginning(text string) string {
	if words := strings.Fields(text); len(words) > 3 {
		return strings.Join(words[:3], " ") + " …"
	}
	return text
}

// silence lets the ship key nothing, and warns it.
func (p *play) silence(ctx context.Context, s *stage) error {
	if err := p.emcon(ctx, s, "on"); err != nil {
		return err
	}
	if err := p.turn(ctx, s, []line{warning}); err != nil {
		return err
	}
	if err := rest(ctx, time.Duration(float64(silenceLasts)/p.speed)); err != nil {
		return err
	}
	if err := p.emcon(ctx, s, "off"); err != nil {
		return err
	}
	return s.settle(ctx)
}

func rest(ctx context.Context, d time.Duration) error {
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-over.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// emcon gives the orders that an operator on the ship would: to the link, so that nothing new is begun, and to the node, so that nothing is keyed.
func (p *play) emcon(ctx context.Context, s *stage, word string) error {
	orders := [][]string{
		{"link", "emcon", "radio", word, "-c", s.path("ship-gateway.toml")}, {"hf", "emcon", word, "-c", s.path("ship.toml")},
	}
	if word == "off" {
		orders[0], orders[1] = orders[1], orders[0]
	}
	for _, args := range orders {
		p.say(margin+"$ ", "sallyport "+strings.Join(args[:len(args)-2], " "))
		if _, err := s.sallyport(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}
