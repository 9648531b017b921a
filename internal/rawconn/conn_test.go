package rawconn_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"sallyport/internal/rawconn"
)

// pair is both ends of a TCP connection, ours first.
func pair(t testing.TB) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ours = rawconn.New(ours)
	if _, ok := ours.(*rawconn.Conn); !ok {
		t.Fatalf("%T", ours)
	}
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	return ours, theirs
}

// TestIsAConn is the suite that the implementations of net.Conn in the standard library pass.
func TestIsAConn(t *testing.T) {
	nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
		a, b = pair(t)
		return a, rawconn.New(b), func() { _, _ = a.Close(), b.Close() }, nil
	})
}

// TestNotTCP: what is no TCP connection stays what it is.
func TestNotTCP(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	defer a.Close()
	if rawconn.New(a) != a {
		t.Error("wrapped")
	}
}

// TestMoreThanFits: a write waits for room in the kernel, and every byte of it arrives.
func TestMoreThanFits(t *testing.T) {
	ours, theirs := pair(t)
	want := bytes.Repeat([]byte("0123456789abcdef"), 2<<20)
	go func() {
		if n, err := ours.Write(want); n != len(want) || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		_ = ours.Close()
	}()
	got, err := io.ReadAll(theirs)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d of %d bytes, %v", len(got), len(want), err)
	}
}

// TestDeadlineOfAWrite: who writes is told how much went out before its time was over.
func TestDeadlineOfAWrite(t *testing.T) {
	ours, theirs := pair(t)
	if err := ours.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := ours.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	_ = ours.Close()
	if got, err := io.Copy(io.Discard, theirs); got != int64(n) || err != nil {
		t.Errorf("%d bytes arrived of %d said, %v", got, n, err)
	}
}

// TestErrors: they read as those of the net package do, and are found by what they are.
func TestErrors(t *testing.T) {
	t.Run("end", func(t *testing.T) {
		ours, theirs := pair(t)
		_ = theirs.Close()
		if _, err := ours.Read(make([]byte, 8)); err != io.EOF {
			t.Error(err)
		}
	})
	t.Run("reset", func(t *testing.T) {
		ours, theirs := pair(t)
		_ = theirs.(*net.TCPConn).SetLinger(0)
		_ = theirs.Close()
		_, err := ours.Read(make([]byte, 8))
		if below := (*net.OpError)(nil); !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &below) || below.Op != "read" {
			t.Error(err)
		}
		if _, err = ours.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Error(err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		ours, _ := pair(t)
		_ = ours.Close()
		_, read := ours.Read(make([]byte, 8))
		_, write := ours.Write([]byte("x"))
		for _, err := range []error{read, write} {
			if !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
	})
	t.Run("nothing to move", func(t *testing.T) {
		ours, _ := pair(t)
		if n, err := ours.Read(nil); n != 0 || err != nil {
			t.Error(n, err)
		}
		if n, err := ours.Write(nil); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

// TestHalfClose: what a TCP connection can do, it can.
func TestHalfClose(t *testing.T) {
	ours, theirs := pair(t)
	half, ok := ours.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		t.Fatal("no CloseWrite")
	}
	if _, err := theirs.Read(make([]byte, 8)); err != io.EOF {
		t.Error(err)
	}
	if _, err := theirs.Write([]byte("late")); err != nil {
		t.Error(err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(ours, got); err != nil || string(got) != "late" {
		t.Errorf("%q, %v", got, err)
	}
}
