package churn_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/component"
	"sallyport/testbed/imserver"
)

const (
	hall       = "hall"
	hallDomain = "echo." + imserver.Domain
	hallSecret = "the secret of the echo, long enough"
)

// hall is one life of the component (XEP-0114), which always ends its stream in order: what was written to it before is read.
func (w *world) hall(until time.Time) {
	c, err := net.DialTimeout("tcp", w.hallAt.String(), time.Second)
	if err != nil {
		nap(50 * time.Millisecond)
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	dec := xmlstream.NewDecoder(xmlstream.Options{Limits: limits, ContentNS: component.Space})
	if _, err := io.WriteString(c, "<?xml version='1.0'?><stream:stream xmlns='"+component.Space+"' xmlns:stream='http://etherx.jabber.org/streams' to='"+hallDomain+"'>"); err != nil {
		return
	}
	header, err := nextEvent(dec, c)
	if err != nil || header.Kind != xmlstream.HeaderEvent {
		return
	}
	if _, err := io.WriteString(c, "<handshake>"+component.Handshake(header.Header.ID, hallSecret)+"</handshake>"); err != nil {
		return
	}
	if ev, err := nextEvent(dec, c); err != nil || ev.Kind != xmlstream.ElementEvent || ev.Element.Local() != "handshake" {
		return
	}
	s := &session{account: hall, full: hall + "@" + hallDomain, asks: map[string]*question{}, seen: map[string]bool{}}
	w.book.begin(s)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			ev, err := nextEvent(dec, c)
			if err != nil || ev.Kind == xmlstream.EndEvent {
				return
			}
			if ev.Kind == xmlstream.ElementEvent {
				w.heardAtHall(s, ev.Element)
			}
		}
	}()
	for range 3 + w.intn(20) {
		if time.Now().After(until) {
			break
		}
		w.hallSays(s, c)
		nap(time.Duration(w.intn(60)) * time.Millisecond)
	}
	if time.Now().After(until) { // those who write last have an answer
		nap(2 * time.Second)
	}
	_, _ = io.WriteString(c, "</stream:stream>")
	<-over
}

func nextEvent(dec *xmlstream.Decoder, c net.Conn) (xmlstream.Event, error) {
	for {
		ev, err := dec.Next()
		if !errors.Is(err, xmlstream.ErrShort) {
			return ev, err
		}
		if _, err := dec.Fill(c); err != nil {
			return ev, err
		}
	}
}

func (w *world) heardAtHall(s *session, e *xmlstream.Element) {
	typ, _ := e.Attr("type")
	id, _ := e.Attr("id")
	from, _ := e.Attr("from")
	switch {
	case e.Local() == "message" && typ == "error":
		w.book.bounced(id)
	case e.Local() == "message":
		if b := e.Child(component.Space, "body"); b != nil {
			s.mu.Lock()
			dup := s.seen[b.Text()]
			s.seen[b.Text()] = true
			s.got = append(s.got, b.Text())
			s.mu.Unlock()
			if dup {
				w.book.fault("%s got %s twice", s, b.Text())
			}
			w.book.received(s, b.Text(), from, false)
		}
	case e.Local() == "iq":
		s.mu.Lock()
		q := s.asks[id]
		delete(s.asks, id)
		s.mu.Unlock()
		if q != nil {
			q.after(typ == "result")
		}
	}
}

// hallSays says some messages, and asks something behind them.
func (w *world) hallSays(s *session, c net.Conn) {
	to, count := users[w.intn(len(users))], 1+w.intn(5)
	if !w.book.room(to, count) {
		return
	}
	var all strings.Builder
	var list []*said
	for range count {
		m := w.compose(s, to, to+"@"+imserver.Domain, "chat")
		m.raw = strings.Replace(m.raw, "<message", "<message from='"+s.full+"'", 1)
		list = append(list, m)
		all.WriteString(m.raw)
	}
	id := fmt.Sprintf("q%d", w.serial.Add(1))
	s.mu.Lock()
	s.asks[id] = &question{after: func(ok bool) {
		if ok {
			w.book.taken(list...)
		}
	}}
	s.mu.Unlock()
	fmt.Fprintf(&all, "<iq type='get' id='%s' from='%s' to='%s'>%s</iq>", id, s.full, imserver.Domain, ping)
	_, _ = io.WriteString(c, all.String()) // who is not there any more is told at the next read
}
