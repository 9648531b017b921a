package push

// Settle waits until nothing is on its way.
func (s *Service) Settle() { s.tasks.Wait() }
