// Package accept takes connections from a listener for as long as there is one, whatever the system is short of meanwhile, and counts how many strangers have open ([Crowd]). What is done with a
// connection, and how many there may be, is its caller's.
package accept

import (
	"context"
	"errors"
	"net"
	"time"
)

// Again is how long nothing is taken after the system could not. It is short, since who is turned away meanwhile may be an operator who looks why.
const Again = 100 * time.Millisecond

// Each gives take every connection that next returns, one at a time, until the context ends, which is no error, or next says that the listener is closed
// (net.ErrClosed), which is returned if the context goes on. Of any other error, which means that the process is out of descriptors most likely, failed is told,
// and those that are connected stay so: Each goes on after Again. It does not close the listener: with the context, that is for who has opened it.
func Each[C net.Conn](ctx context.Context, next func() (C, error), failed func(error), take func(C)) error {
	for {
		conn, err := next()
		switch {
		case err == nil:
			take(conn)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			failed(err)
			rest(ctx)
		}
	}
}

// rest waits for Again, or until the context ends.
func rest(ctx context.Context) {
	timer := time.NewTimer(Again)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
