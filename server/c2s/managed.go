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
