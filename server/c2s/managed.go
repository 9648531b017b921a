package c2s

// Managed reports whether stanzas that are sent now will come out as Acked, Unconfirmed or in Closed (XEP-0198).
func (x *Session) Managed() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.link == nil {
		return x.kept != nil
	}
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	return x.link.m.Managed()
}
