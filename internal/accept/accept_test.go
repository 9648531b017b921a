package accept_test

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/accept"
)

// TestEach: errors of the system are told of, cost a moment each, and end nothing; a closed listener and the end of the context do.
func TestEach(t *testing.T) {
	t.Parallel()
	var (
		full   = &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		closed = &net.OpError{Op: "accept", Net: "tcp", Err: net.ErrClosed}
	)
	for _, row := range []struct {
		name          string
		gives         []error // nil for a connection; after the last, the context ends, and the listener with it
		taken, failed int
		took          time.Duration
		err           error
	}{
		{"connections", []error{nil, nil, nil}, 3, 0, 0, nil},
		{"short of descriptors", []error{nil, full, full, nil}, 2, 2, 2 * accept.Again, nil},
		{"closed", []error{nil, closed, nil}, 1, 0, 0, net.ErrClosed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithCancel(t.Context())
				defer end()
				var taken, failed, k int
				next := func() (net.Conn, error) {
					if k == len(row.gives) {
						end()
						return nil, closed
					}
					k++
					return nil, row.gives[k-1]
				}
				from := time.Now()
				err := accept.Each(ctx, next, func(error) { failed++ }, func(net.Conn) { taken++ })
				if took := time.Since(from); !errors.Is(err, row.err) || taken != row.taken || failed != row.failed || took != row.took {
					t.Errorf("%d taken, %d errors, %v after %v; want %d, %d, %v after %v", taken, failed, err, took, row.taken, row.failed, row.err, row.took)
				}
			})
		})
	}
}

// TestEachEnds: the end of the context is not waited for.
func TestEachEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithTimeout(t.Context(), accept.Again/2)
		defer end()
		from := time.Now()
		err := accept.Each(ctx, func() (net.Conn, error) { return nil, syscall.EMFILE }, func(error) {}, func(net.Conn) {})
		if took := time.Since(from); err != nil || took != accept.Again/2 {
			t.Errorf("%v after %v, want nil after %v", err, took, accept.Again/2)
		}
	})
}
