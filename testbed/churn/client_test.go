package churn_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/testbed/imserver"
)

func (w *world) dial() (wire, error) {
	switch n := w.intn(10); {
	case n < 6:
		return dialTCP(w.home.Direct.String(), w.tls)
	case n < 8:
		return dialWeb(w.webAt.String(), w.tls)
	default:
		return dialPosts(w.webAt.String(), w.tls)
	}
}

func authenticate(c wire, user string) error {
	if err := c.restart(); err != nil {
		return err
	}
	if err := c.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>` +
		base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+imserver.Password)) + `</auth>`); err != nil {
		return err
	}
	e, err := c.read()
	if err != nil {
		return err
	}
	if e.Local() != "success" {
		return fmt.Errorf("login: %s", e.Local())
	}
	return c.restart()
}

// come logs in on a new session.
func (w *world) come(user, resource string, managed bool, c wire) (*session, error) {
	if err := authenticate(c, user); err != nil {
		return nil, err
	}
	if err := c.write(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>` + resource + `</resource></bind></iq>`); err != nil {
		return nil, err
	}
	e, err := c.read()
	if err != nil {
		return nil, err
	}
	if typ, _ := e.Attr("type"); typ != "result" {
		return nil, errors.New("bind refused")
	}
	s := &session{
		account: user, full: user + "@" + imserver.Domain + "/" + resource, managed: managed, asks: map[string]*question{}, seen: map[string]bool{}, wire: c,
	}
	w.book.begin(s)
	if managed {
		if err := c.write(`<enable xmlns='urn:xmpp:sm:3' resume='true'/>`); err != nil {
			return nil, err
		}
		for s.prev == "" {
			if e, err = c.read(); err != nil {
				return nil, err
			}
			if e.Is(nsSM, "enabled") {
				s.prev, _ = e.Attr("id")
				s.h = 0 // what came before does not count
				break
			}
			if e.Is(nsSM, "failed") {
				return nil, errors.New("not enabled")
			}
			w.stanza(s, c, e)
		}
	}
	w.run(s, c)
	return s, nil
}

// resume comes back for a session on another connection.
func (w *world) resume(s *session, c wire) error {
	if err := authenticate(c, s.account); err != nil {
		return err
	}
	s.mu.Lock()
	h := s.h
	s.mu.Unlock()
	if err := c.write(fmt.Sprintf(`<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>`, s.prev, h)); err != nil {
		return err
	}
	for {
		e, err := c.read()
		if err != nil {
			return err
		}
		switch {
		case e.Is(nsSM, "resumed"):
			v, _ := e.Attr("h")
			s.mu.Lock()
			w.acked(s, v)
			s.closed, s.wire = false, c
			s.sure = max(s.sure, h)
			again := []string{}
			for _, m := range s.sent { // it says again what the server did not take
				again = append(again, m.raw)
			}
			s.resumed++
			if len(again) > 0 {
				_ = c.write(strings.Join(again, "\n"))
			}
			s.mu.Unlock()
			w.run(s, c)
			return nil
		case e.Is(nsSM, "failed"):
			return errors.New("not resumed")
		default:
			return fmt.Errorf("%s in place of resumed", e.Local())
		}
	}
}

// run reads until the connection ends.
func (w *world) run(s *session, c wire) {
	w.readers.Add(1)
	go func() {
		defer w.readers.Done()
		for {
			s.listen()
			e, err := c.read()
			s.mu.Lock()
			mine := s.wire == c
			if err != nil {
				if mine {
					s.closed = true
					if s.diedHow == "" {
						s.diedHow = err.Error()
					}
					for _, q := range s.asks {
						q.doomed = true
					}
				}
				s.mu.Unlock()
				c.cut()
				return
			}
			s.mu.Unlock()
			if !mine {
				continue // what comes by the old one after the session went on elsewhere
			}
			if e.Is(xmlstream.NSStream, "error") {
				s.mu.Lock()
				for child := range e.Children() {
					s.diedHow = child.Local()
					break
				}
				s.mu.Unlock()
			}
			w.stanza(s, c, e)
		}
	}()
}

// stanza takes what came.
func (w *world) stanza(s *session, c wire, e *xmlstream.Element) {
	switch {
	case e.Is(nsSM, "r"):
		s.mu.Lock()
		h, mute := s.h, s.mute
		s.mu.Unlock()
		if !mute {
			s.ack(h)
		}
		return
	case e.Is(nsSM, "a"):
		v, _ := e.Attr("h")
		s.mu.Lock()
		if s.wire == c {
			w.acked(s, v)
		}
		s.mu.Unlock()
		return
	case e.Space() != xmlstream.NSClient:
		return
	}
	typ, _ := e.Attr("type")
	body := ""
	if b := e.Child(xmlstream.NSClient, "body"); b != nil && typ != "error" && e.Local() == "message" {
		body = b.Text()
	}
	s.mu.Lock()
	if s.wire != c {
		s.mu.Unlock()
		return
	}
	s.h++
	dup := false
	if body != "" {
		dup = s.seen[body]
		s.seen[body] = true
		s.got, s.gotH = append(s.got, body), append(s.gotH, s.h)
	}
	result := s.result
	owes := s.managed && !s.mute && s.h-s.told >= 40
	upTo := s.h
	s.mu.Unlock()
	if owes {
		s.ack(upTo)
	}
	id, _ := e.Attr("id")
	from, _ := e.Attr("from")
	switch e.Local() {
	case "message":
		if r := e.Child("urn:xmpp:mam:2", "result"); r != nil && result != nil {
			result(r)
		}
		if typ == "error" {
			w.book.bounced(id)
			return
		}
		if body == "" {
			return
		}
		if dup {
			w.book.fault("%s got %s twice", s, body)
		}
		w.book.received(s, body, from, e.Child("urn:xmpp:delay", "delay") != nil)
	case "iq":
		switch typ {
		case "result", "error":
			s.mu.Lock()
			if fin := e.Child("urn:xmpp:mam:2", "fin"); fin != nil {
				done, _ := fin.Attr("complete")
				s.complete = done == "true"
				if set := fin.Child("http://jabber.org/protocol/rsm", "set"); set != nil {
					if l := set.Child("http://jabber.org/protocol/rsm", "last"); l != nil {
						s.last = l.Text()
					}
				}
			}
			q := s.asks[id]
			delete(s.asks, id)
			s.mu.Unlock()
			if q != nil && q.after != nil {
				q.after(typ == "result")
			}
		default:
			out := fmt.Sprintf("<iq type='result' id='%s' to='%s'/>", id, from)
			w.say(s, out)
		}
	}
}

// acked: the server has taken so many; s.mu is held.
func (w *world) acked(s *session, v string) {
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil {
		w.book.fault("%s is told h=%q", s, v)
		return
	}
	h := uint32(n)
	if h-s.taken > uint32(len(s.sent)) {
		w.book.fault("%s is told h=%d, has %d and %d", s, h, s.taken, len(s.sent))
		return
	}
	w.book.taken(s.sent[:h-s.taken]...)
	s.sent, s.taken = s.sent[h-s.taken:], h
}

// say says one stanza that is no message, if there is a connection. What breaks while it is being said is said again by who comes back.
func (w *world) say(s *session, raw string) bool {
	s.mu.Lock()
	defer s.mu.Unlock() // so that what is counted has the order in which it is written
	if s.closed {
		return false
	}
	if s.managed {
		s.sent = append(s.sent, &said{raw: raw})
	}
	_ = s.wire.write(raw)
	return true
}

// ask says a request, and calls after when it is answered.
func (w *world) ask(s *session, typ, to, payload string, after func(ok bool)) *question {
	id := fmt.Sprintf("q%d", w.serial.Add(1))
	q := &question{what: typ + " " + to + " " + payload, at: time.Now(), after: after}
	s.mu.Lock()
	s.asks[id] = q
	s.mu.Unlock()
	if to != "" {
		to = " to='" + to + "'"
	}
	if !w.say(s, fmt.Sprintf("<iq type='%s' id='%s'%s>%s</iq>", typ, id, to, payload)) {
		s.mu.Lock()
		q.doomed = true // nobody has heard it
		s.mu.Unlock()
	}
	return q
}

const ping = "<ping xmlns='urn:xmpp:ping'/>"

// confirm has the server say what it has taken and, later, that it has processed our acknowledgement.
func (w *world) confirm(s *session, after func()) {
	s.mu.Lock()
	told := s.told
	s.mu.Unlock()
	w.ask(s, "get", imserver.Domain, ping, func(bool) {
		s.mu.Lock()
		s.sure = max(s.sure, told)
		s.mu.Unlock()
		if after != nil {
			after()
		}
	})
	if s.managed {
		_ = s.conn().write(`<r xmlns='urn:xmpp:sm:3'/>`)
	}
}

// finish has the server say what it took.
func (w *world) finish(s *session) {
	s.mu.Lock()
	h, mute := s.h, s.mute
	s.mu.Unlock()
	if s.managed && !mute {
		s.ack(h)
	}
	w.confirm(s, nil)
}
