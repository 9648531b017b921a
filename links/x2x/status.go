package x2x

import (
	"time"

	"sallyport/links"
)

// Status takes the picture of a link. It takes each lock for a moment.
func (l *Link) Status() links.Status {
	l.mu.Lock()
	st := links.Status{
		Name: l.name, Kind: "x2x", Peer: l.cfg.Peer.Name, Side: l.cfg.Side, State: l.state, Since: l.since, Profile: l.cfg.Profile,
		Quality: l.quality, Fingerprint: l.cfg.Fingerprint(), Warnings: l.cfg.Warnings(), Story: l.story.Tell(),
		Backlog: links.Backlog{Stanzas: l.queue.len(), Bytes: l.queue.bytes},
	}
	if l.queue.len() > 0 {
		st.Backlog.Oldest = l.queue.items[l.queue.head].since
	}
	if l.state == links.Waiting {
		st.Retry = l.retry
	}
	sending := l.sending
	l.mu.Unlock()
	n := &l.counters
	st.Traffic = links.Traffic{
		StanzasIn: n.StanzasIn.Load(), StanzasOut: n.StanzasOut.Load(), BytesIn: n.BytesIn.Load(), BytesOut: n.BytesOut.Load(),
		Plain: n.Plain.Load(), Saved: n.Saved.Load(), Refused: n.Foreign.Load() + n.Malformed.Load() + n.BadFrames.Load(),
	}
	st.Usage = l.usage.Tell(time.Now())
	if sending != nil {
		st.Carrier = sending.describe()
		ofTCP(sending.meter.Conn, &st.Quality)
	}
	for _, c := range l.carriers() {
		c.mu.Lock()
		items, bytes := c.s.Unconfirmed()
		st.Backlog.Unconfirmed += items
		st.Backlog.UnconfirmedBytes += bytes
		st.Backlog.Unsettled += c.s.Unsettled()
		c.mu.Unlock()
		if life := time.Since(c.since).Seconds(); life > 1 {
			st.Quality.BitsPerSecond += int64(float64(c.meter.sent.Load()+c.meter.reads.Load()) * 8 / life)
		}
	}
	return st
}
