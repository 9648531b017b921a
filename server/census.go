package server

// Census is how many are here.
type Census struct {
	Users     int // accounts with a client that is connected, or waits to be resumed
	Sessions  int // clients
	Available int // of them, those that have said that they are there
}

// Census counts who is here.
func (s *Server) Census() (c Census) {
	for i := range s.shards {
		for _, u := range s.shards[i].all() {
			all := u.some(isConnected)
			c.Sessions += len(all)
			c.Available += len(u.some(isAvailable))
			if len(all) > 0 {
				c.Users++
			}
		}
	}
	return c
}
