package c2s

// Managed reports whether stanzas that are sent now will come out as Acked, Unconfirmed or in Closed: by XEP-0198, or since the
// requests of a client tell what answers it has (XEP-0124).
func (x *Session) Managed() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.link == nil {
		return x.kept != nil
	}
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	return x.link.taken != nil || x.link.m.Managed() || x.link.m.Resuming() || x.link.waiting() != nil
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
