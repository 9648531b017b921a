package x2x

import (
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/deflate"
)

// Stream is the zero-handshake stream of one carrier as a plain machine. Whoever owns it does this:
//
//  1. s := NewStream(cfg); s.Start(now).
//  2. Bytes of the carrier go into Feed (64 KiB at most at a time), then Next is called until it returns None.
//  3. After anything, what Output returns is written, in order.
//  4. Tick is called at Deadline, which may change with every call.
//  5. Settled is called for each Seq that arrived, in any order. While Paused, nothing more is fed.
//  6. When the carrier is lost: Lost. After Ended nothing happens any more but Output.
//
// One goroutine, or one mutex, owns it.
type Stream struct {
	cfg  StreamConfig
	dec  *xmlstream.Decoder
	in   []byte // of records that have not come whole
	zip  *deflate.Writer
	open *deflate.Reader

	out    []byte
	spare  []byte                         // scratch for one stanza
	heads  struct{ out, in custodyHeads } // of records
	events []Event
	first  int // of events

	session *stream.Session // Plain, Managed: counts
	sender  *custody.Sender
	carried custody.Carried
	peer    Greeting
	greeted bool
	flight  []flying // Plain, Managed: written and unconfirmed, oldest first
	flying  int      // bytes of these

	phase  phase
	timers timers
	flood  flood

	quality   links.Quality
	received  uint64 // bytes fed
	owed      int    // bytes fed, also unpacked, since everything was acknowledged
	owedItems int    // and stanzas
	plain     uint64 // bytes given to the compressor
	saved     int64
}

type flying struct {
	token uint64
	bytes int
	at    time.Time
}

type phase uint8

const (
	unstarted phase = iota
	running
	closing // our end is written, the peer's is awaited
	over
)

// NewStream returns a stream that has said nothing yet.
func NewStream(cfg StreamConfig) *Stream {
	cfg = cfg.withDefaults()
	s := &Stream{
		cfg: cfg,
		dec: xmlstream.NewDecoder(xmlstream.Options{Limits: cfg.Limits, ContentNS: xmlstream.NSServer, NoHeader: true}),
	}
	s.session = stream.NewSession(stream.ManageConfig{MaxItems: cfg.Window.Items, MaxBytes: cfg.Window.Bytes, MaxUnsettled: maxUnsettled})
	if cfg.Mode == Managed {
		s.session.StartInbound()
		s.session.StartOutbound()
	}
	if cfg.Mode == Custody {
		s.sender = custody.NewSender(cfg.Epoch, cfg.Window)
	}
	if cfg.Compression != nil {
		s.zip, s.open = deflate.NewWriter(*cfg.Compression), deflate.NewReader(*cfg.Compression)
	}
	return s
}

// Start begins: under custody the greeting is written.
func (s *Stream) Start(now time.Time) {
	if s.phase != unstarted {
		return
	}
	s.phase = running
	s.quality.Since = now
	s.timers.lastIn, s.timers.lastOut, s.timers.lastStanza = now, now, now
	if s.cfg.Mode == Custody {
		s.xml(now, AppendGreeting(nil, Greeting{Epoch: s.cfg.Epoch, Marks: s.cfg.Marks, Dictionary: s.dictionary(), Form: s.form()}))
	}
}

func (s *Stream) dictionary() string {
	if s.cfg.Compression == nil {
		return ""
	}
	return s.cfg.Compression.Dictionary.ID()
}

func (s *Stream) form() string {
	if s.cfg.Records {
		return recordsForm
	}
	return ""
}

// xml puts whole elements on the wire; after our end nothing goes there any more.
func (s *Stream) xml(now time.Time, b []byte) { s.put(now, b, links.Framing) }

func (s *Stream) put(now time.Time, b []byte, what links.Content) {
	if s.phase == closing || s.phase == over {
		return
	}
	before := len(s.out)
	s.timers.lastOut = now
	if s.cfg.Records {
		s.out = appendXML(s.out, b)
	} else {
		s.out = append(s.out, b...)
	}
	s.used(now, what, len(s.out)-before)
}

// Output returns what is to be written, and forgets it. An acknowledgement that waits travels along. spare, if any, is a buffer to use
// from now on.
func (s *Stream) Output(spare []byte) []byte {
	if len(s.out) > 0 && !s.timers.ackDue.IsZero() {
		s.acknowledge(s.timers.lastOut)
	}
	b := s.out
	s.out = spare[:0]
	return b
}

// Pending is how much Output would return.
func (s *Stream) Pending() int { return len(s.out) }

// Settled takes the receipt of an arrival.
func (s *Stream) Settled(now time.Time, seq uint64) {
	due := false
	if s.cfg.Mode == Custody {
		due = s.carried.Settled(seq)
	} else {
		s.session.Settled(seq)
		due = s.cfg.Mode == Managed && s.session.Handled() != s.timers.told
	}
	if !due || s.phase == over {
		return
	}
	at := now.Add(s.cfg.Profile.AckDelay())
	if s.owedItems >= s.cfg.Window.Items/ackParts || s.owed >= s.cfg.Window.Bytes/ackParts {
		at = now // or the peer would soon wait for us
	}
	if t := s.timers.ackDue; t.IsZero() || at.Before(t) {
		s.timers.ackDue = at
	}
}

// acknowledge writes what is due.
func (s *Stream) acknowledge(now time.Time) {
	s.timers.ackDue = time.Time{}
	if s.Unsettled() == 0 {
		s.owed, s.owedItems = 0, 0
	}
	switch s.cfg.Mode {
	case Plain:
	case Managed:
		s.timers.told = s.session.Handled()
		s.manageWith(now, "a", s.timers.told)
	case Custody:
		s.acknowledgeMarks(now, s.carried.Due(nil))
	}
}

// acknowledgeMarks writes acknowledgements: in one record, or each in an element.
func (s *Stream) acknowledgeMarks(now time.Time, marks []links.Mark) {
	if s.cfg.Records && len(marks) > 0 && s.phase != closing && s.phase != over {
		before := len(s.out)
		s.timers.lastOut = now
		s.out = appendRecord(s.out, recordMarks, appendMarks(nil, marks))
		s.used(now, links.Acknowledgements, len(s.out)-before)
		return
	}
	for _, m := range marks {
		s.put(now, appendAck(nil, m, s.peer.Epoch), links.Acknowledgements)
	}
}

// Unsettled counts arrivals without receipt.
func (s *Stream) Unsettled() int {
	if s.cfg.Mode == Custody {
		return s.carried.Unsettled()
	}
	return s.session.Unsettled()
}

// Paused says that nothing more is to be fed until receipts came.
func (s *Stream) Paused() bool { return s.Unsettled() >= maxUnsettled }

// Unconfirmed counts what was written and is not confirmed.
func (s *Stream) Unconfirmed() (items, bytes int) {
	if s.cfg.Mode == Custody {
		return s.sender.Unconfirmed()
	}
	return len(s.flight), s.flying
}

// Peer is the peer's greeting, once there was one.
func (s *Stream) Peer() (g Greeting, ok bool) { return s.peer, s.greeted }

// Quality is what was measured.
func (s *Stream) Quality() links.Quality { return s.quality }

// Saved says what went into the compressor, and how much less came out.
func (s *Stream) Saved() (plain uint64, saved int64) { return s.plain, s.saved }

// Running reports whether stanzas can be sent.
func (s *Stream) Running() bool { return s.phase == running }

// Close ends the stream in order. The peer's end is waited for; Ended follows.
func (s *Stream) Close(now time.Time) { s.close(now, false) }

func (s *Stream) close(now time.Time, idle bool) {
	if s.phase != running {
		if s.phase == unstarted {
			s.end(Event{})
		}
		return
	}
	s.acknowledge(now)
	s.xml(now, xmlstream.AppendEnd(nil))
	s.phase = closing
	s.timers.idle = idle
	s.timers.closeBy = now.Add(s.cfg.Profile.Timeout(closeWait))
}

// Lost ends the stream because the carrier is gone.
func (s *Stream) Lost(detail string) { s.end(Event{Detail: detail}) }

// fail ends the stream with an error of ours (RFC 6120 §4.9).
func (s *Stream) fail(now time.Time, c stanza.StreamCondition, detail string) {
	if s.phase == over {
		return
	}
	if s.phase == running {
		s.acknowledge(now)
		b, _ := xmlstream.AppendElement(nil, stanza.StreamError(c, "", nil), xmlstream.NSServer) // from a template
		s.xml(now, xmlstream.AppendEnd(b))
	}
	s.end(Event{Condition: c, Ours: true, Detail: detail})
}

// end is the only way into over.
func (s *Stream) end(e Event) {
	if s.phase == over {
		return
	}
	e.Kind = Ended
	s.phase = over
	if s.cfg.Mode == Custody {
		e.Disposition = links.Returned
		s.sender.Lost(func(token uint64) { e.Left = append(e.Left, token) })
	} else {
		e.Disposition = links.InDoubt
		if e.Clean {
			e.Disposition = links.Delivered
		}
		for _, f := range s.flight {
			e.Left = append(e.Left, f.token)
		}
		s.flight, s.flying = nil, 0
	}
	s.emit(e)
}

func (s *Stream) emit(e Event) { s.events = append(s.events, e) }

// Timed returns the next event if it can have come of time (Confirmed, Ended), for an owner whose reader takes all others with Next.
func (s *Stream) Timed() (Event, bool) {
	if s.first < len(s.events) && (s.events[s.first].Kind == Confirmed || s.events[s.first].Kind == Ended) {
		return s.pop()
	}
	return Event{}, false
}

func (s *Stream) pop() (Event, bool) {
	if s.first == len(s.events) {
		return Event{}, false
	}
	e := s.events[s.first]
	s.events[s.first] = Event{}
	if s.first++; s.first == len(s.events) {
		s.events, s.first = s.events[:0], 0
	}
	return e, true
}
