package churn_test

import (
	"fmt"
	"strings"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/testbed/imserver"
)

// live is one life of a client.
func (w *world) live(user string, n int, until time.Time) {
	c, err := w.dial()
	if err != nil {
		nap(50 * time.Millisecond)
		return
	}
	_, isBOSH := c.(*posts)
	managed := !isBOSH && w.intn(4) > 0
	resource := fmt.Sprintf("r%d", n)
	if w.intn(8) == 0 { // it takes that of another
		resource = fmt.Sprintf("r%d", w.intn(3))
	}
	s, err := w.come(user, resource, managed, c)
	if err != nil {
		c.cut()
		nap(30 * time.Millisecond)
		return
	}
	w.mu.Lock()
	w.all = append(w.all, s)
	w.mu.Unlock()
	if w.intn(10) > 0 {
		w.presence(s)
	}
	for range 1 + w.intn(25) {
		if time.Now().After(until) {
			return // it stays
		}
		if !s.alive() {
			if s.managed && w.intn(3) > 0 && w.comeBack(s) {
				continue
			}
			return
		}
		w.act(s)
		nap(time.Duration(w.intn(25)) * time.Millisecond)
	}
	w.goAway(s, until)
}

func (w *world) presence(s *session) {
	w.say(s, fmt.Sprintf("<presence><priority>%d</priority></presence>", []int{-1, 0, 0, 5}[w.intn(4)]))
}

func (w *world) act(s *session) {
	switch p := w.intn(40); {
	case p < 16:
		w.chat(s)
	case p < 20:
		w.confirm(s, nil)
	case p < 22:
		w.presence(s)
	case p < 23:
		w.say(s, "<presence type='unavailable'/>")
	case p < 25:
		_ = s.conn().write("<" + []string{"active", "inactive"}[w.intn(2)] + " xmlns='urn:xmpp:csi:0'/>")
	case p < 27:
		w.ask(s, "set", "", "<"+[]string{"enable", "disable"}[w.intn(2)]+" xmlns='urn:xmpp:carbons:2'/>", nil)
	case p < 29:
		w.block(s)
	case p < 31:
		w.ask(s, "get", "", "<query xmlns='http://jabber.org/protocol/disco#info'/>", nil)
	case p < 33: // some client, which may be there or not
		to := fmt.Sprintf("%s@%s/r%d", users[w.intn(len(users))], imserver.Domain, w.intn(3))
		q := w.ask(s, "get", to, ping, nil)
		s.mu.Lock()
		q.doomed = true // who it is for may be gone without a word
		s.mu.Unlock()
	case p < 34:
		w.ask(s, "set", "", "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>3</max><before/></set></query>", nil)
	case p < 35: // deaf for a while
		s.reading.Lock()
		time.AfterFunc(time.Duration(w.intn(300))*time.Millisecond, s.reading.Unlock)
	case p < 36:
		s.mu.Lock()
		s.mute = !s.mute
		s.mu.Unlock()
	case p < 38 && s.managed:
		s.mu.Lock()
		h, mute := s.h, s.mute
		s.mu.Unlock()
		if !mute {
			s.ack(h)
		}
	case p < 39 && s.managed && s.resumed < 5: // it believes that its connection is lost
		w.comeBack(s)
	}
}

func (w *world) block(s *session) {
	if s.account != "b2" && s.account != "b3" {
		return
	}
	other := map[string]string{"b2": "b3", "b3": "b2"}[s.account]
	w.book.mu.Lock()
	w.book.blocked[s.account+" "+other] = true
	w.book.mu.Unlock()
	verb := []string{"block", "unblock"}[w.intn(2)]
	w.ask(s, "set", "", "<"+verb+" xmlns='urn:xmpp:blocking'><item jid='"+other+"@"+imserver.Domain+"'/></"+verb+">", nil)
}

func (w *world) chat(s *session) {
	to, addr, kind, count := w.whom()
	if !w.book.room(to, count) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	var list []*said
	var all strings.Builder
	for range count {
		m := w.compose(s, to, addr, kind)
		list = append(list, m)
		all.WriteString(m.raw + "\n")
		if s.managed {
			s.sent = append(s.sent, m)
		}
	}
	_ = s.wire.write(all.String())
	if s.managed {
		if w.intn(2) == 0 {
			_ = s.wire.write("<r xmlns='urn:xmpp:sm:3'/>")
		}
		return
	}
	go w.ask(s, "get", imserver.Domain, ping, func(ok bool) {
		if ok {
			w.book.taken(list...)
		}
	})
}

// whom chooses who is written to, and how much.
func (w *world) whom() (to, addr, kind string, count int) {
	count = 1 + w.intn(8)
	if w.intn(6) == 0 {
		count = 40
	}
	if w.intn(12) == 0 {
		return hall, hall + "@" + hallDomain, "chat", count
	}
	to = users[w.intn(len(users))]
	addr, kind = to+"@"+imserver.Domain, "chat"
	if w.intn(3) == 0 {
		addr += fmt.Sprintf("/r%d", w.intn(3))
	}
	if w.intn(8) == 0 {
		kind = "normal"
	}
	return to, addr, kind, count
}

// compose makes a message, and writes it into the book.
func (w *world) compose(s *session, to, addr, kind string) *said {
	n := int(w.serial.Add(1))
	body := fmt.Sprintf("m%d-%d", w.book.seed, n)
	m := &said{n: n, body: body, from: s, to: to, addr: addr, kind: kind, at: time.Now()}
	hint := ""
	if w.intn(6) == 0 {
		hint = "<store xmlns='urn:xmpp:hints'/>"
	}
	m.raw = fmt.Sprintf("<message to='%s' type='%s' id='%s'><body>%s</body><origin-id xmlns='urn:xmpp:sid:0' id='%s'/>%s</message>", addr, kind, body, body, body, hint)
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	w.book.said[body] = m
	return m
}

// comeBack resumes, the old connection cut or not, now and then at the same time twice.
func (w *world) comeBack(s *session) bool {
	s.mu.Lock()
	old := s.wire
	s.mu.Unlock()
	switch w.intn(3) {
	case 0:
		old.cut()
	case 1:
		old.half()
	}
	if w.intn(4) == 0 {
		nap(time.Duration(w.intn(1500)) * time.Millisecond)
	}
	for range 3 {
		var c wire
		var err error
		if w.intn(4) == 0 {
			c, err = dialWeb(w.webAt.String(), w.tls)
		} else {
			c, err = dialTCP(w.home.Direct.String(), w.tls)
		}
		if err != nil {
			nap(50 * time.Millisecond)
			continue
		}
		s.mu.Lock() // nothing is said until it is known what the server has
		s.closed = true
		s.wire = c
		s.mu.Unlock()
		if err := w.resume(s, c); err == nil {
			return true
		}
		c.cut()
	}
	return false
}

func (w *world) goAway(s *session, until time.Time) {
	if !s.tracked() { // what was written to it on a connection that breaks is with nobody
		_ = s.conn().leave()
		for end := time.Now().Add(5 * time.Second); s.alive() && time.Now().Before(end); {
			nap(5 * time.Millisecond)
		}
		return
	}
	switch w.intn(6) {
	case 0:
		w.say(s, "<presence type='unavailable'/>")
		_ = s.conn().leave()
	case 1:
		_ = s.conn().leave()
	case 2:
		s.conn().cut()
	case 3:
		s.conn().half()
	case 4: // it says nothing any more, and does not read
		s.reading.Lock()
		time.AfterFunc(time.Until(until), func() {
			s.reading.Unlock()
			s.conn().cut()
		})
	default:
		s.conn().cut()
		if s.managed {
			nap(time.Duration(w.intn(2000)) * time.Millisecond)
			if w.comeBack(s) {
				w.act(s)
			}
		}
	}
}

// readArchive notes what the archive has.
func (w *world) readArchive(s *session) {
	last := map[int]*said{}
	w.pages(s, func(result *xmlstream.Element) {
		f := result.Child("urn:xmpp:forward:0", "forwarded")
		if f == nil {
			return
		}
		for m := range f.Children() {
			if m.Local() != "message" {
				continue
			}
			to, _ := m.Attr("to")
			if !strings.HasPrefix(to, s.account+"@") {
				continue
			}
			b := m.Child(xmlstream.NSClient, "body")
			if b == nil {
				continue
			}
			w.book.mu.Lock()
			if one := w.book.said[b.Text()]; one != nil {
				one.kept++
				if l := last[one.from.id]; l != nil && l.n > one.n {
					w.book.faults = append(w.book.faults, fmt.Sprintf("ARCHIVE ORDER of %s: %s\n\tbehind %s", s.account, one, l))
				}
				last[one.from.id] = one
			}
			w.book.mu.Unlock()
		}
	})
}

// pages reads all of an archive.
func (w *world) pages(s *session, each func(*xmlstream.Element)) {
	s.mu.Lock()
	s.result = each
	s.mu.Unlock()
	for after := ""; ; {
		w.await(s, "set", "", "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>100</max>"+after+"</set></query>")
		s.mu.Lock()
		last, complete := s.last, s.complete
		s.last = ""
		s.mu.Unlock()
		if complete || last == "" {
			return
		}
		after = "<after>" + last + "</after>"
	}
}
