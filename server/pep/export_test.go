package pep

// Settle waits until nobody is asked for caps.
func (s *Service) Settle() { s.asks.Wait() }

// Clients counts what is remembered.
func (s *Service) Clients() int {
	s.wants.mu.Lock()
	defer s.wants.mu.Unlock()
	return s.wants.clients
}
