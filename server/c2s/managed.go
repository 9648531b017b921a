package c2s

// Managed reports whether stanzas that are sent now will come out as Acked, Unconfirmed or in Closed: by XEP-0198, or since the
// requests of a client tell what answers it has (XEP-0124).
func (x *Session) Managed() bool {
	managed, _ := x.Standing()
	return managed
}

// Standing is Managed, and whether the client is away: it has no connection, and may come back for what is sent now.
func (x *Session) Standing() (managed, away bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	l := x.link
	if l == nil {
		return x.kept != nil, x.kept != nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting() != nil { // the reader has not parked it yet
		return true, true
	}
	return l.taken != nil || l.m.Managed() || l.m.Resuming(), false
}

// Room reports whether a stanza of so many bytes that can wait for acknowledgements should be sent now. Who sends more than that does not
// leave enough room for what cannot wait, and in the end ends the session.
func (x *Session) Room(bytes int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.link == nil {
		return x.kept == nil || x.kept.Room(bytes)
	}
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	if kept := x.link.waiting(); kept != nil {
		return kept.Room(bytes)
	}
	return x.link.m.Room(bytes) && x.link.taken.room(bytes)
}
