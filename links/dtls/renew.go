package dtls

import "errors"

var errRenewed = errors.New("it is begun anew")

// Renew ends the session in order, so that the next one greets with what the custodian says by then.
func (l *Link) Renew() {
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	if s != nil {
		s.close(errRenewed)
	}
}
