package c2s_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/server/c2s"
)

// guarded serves HTTP in simulated time.
func guarded(t *testing.T, h http.Handler) (dial func() net.Conn) {
	t.Helper()
	ln, s := make(memory), &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	c2s.Guard(s, c2s.Bounds{})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return func() net.Conn {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { _ = ours.Close() })
		ln <- from{theirs, "192.0.2.1"}
		return pumped(ours)
	}
}

// ends is how long it takes until a connection is closed.
func ends(t *testing.T, conn net.Conn) time.Duration {
	t.Helper()
	began := time.Now()
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Log(err)
	}
	return time.Since(began)
}

// A body that does not come ends the connection, whether a handler wants it or not.
func TestBodiesThatNeverCome(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"nobody reads it":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"somebody reads it": func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) },
	} {
		for _, length := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
			synctest.Test(t, func(t *testing.T) {
				conn := guarded(t, handler)()
				fmt.Fprintf(conn, "PUT /x HTTP/1.1\r\nHost: im.example\r\n%s\r\n\r\n", length)
				if took := ends(t, conn); took > time.Minute {
					t.Errorf("%s, %s: held for %v", name, length, took)
				}
			})
		}
	}
}

// What comes slowly is taken, what comes byte by byte for ever is not.
func TestSlowBodies(t *testing.T) {
	for rate, whole := range map[int]bool{1: false, 2 << 10: true} {
		synctest.Test(t, func(t *testing.T) {
			var came int
			var failed error
			conn := guarded(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				data, err := io.ReadAll(r.Body)
				came, failed = len(data), err
			}))()
			n := rate * 300
			fmt.Fprintf(conn, "PUT /x HTTP/1.1\r\nHost: im.example\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", n)
			for range 300 {
				time.Sleep(time.Second) // virtual: the rate
				if _, err := conn.Write([]byte(strings.Repeat("x", rate))); err != nil {
					break
				}
			}
			ends(t, conn)
			if synctest.Wait(); (came == n) != whole || (failed == nil) != whole {
				t.Errorf("%d bytes a second: %d of %d came, %v", rate, came, n, failed)
			}
		})
	}
}

// Connections of HTTP are as many of a network as they may be; one that has become a WebSocket is none, and one that has ended. That there are
// too many is told, and not each time.
func TestMaxWeb(t *testing.T) {
	b := newBed(t)
	hs := httptest.NewUnstartedServer(b.server.WebSocket(context.Background(), c2s.WebOptions{}))
	hs.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: b.certificate}
	const each = 20
	began := time.Now()
	var told atomic.Int32
	c2s.Guard(hs.Config, c2s.Bounds{Each: each, Crowded: func(netip.Addr) { told.Add(1) }})
	hs.StartTLS()
	t.Cleanup(hs.Close)
	addr := hs.Listener.Addr().String()
	b.dialWeb(addr)
	var held []net.Conn
	for range each {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		held = append(held, conn)
	}
	for range 3 {
		late, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer late.Close()
		_ = late.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := bufio.NewReader(late).ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("one too many: %v", err)
		}
	}
	for _, c := range held {
		_ = c.Close()
	}
	for end := time.Now().Add(time.Minute); ; { // it is not seen at once
		conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: b.roots, ServerName: "im.example"})
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("there is no room again: %v", err)
		}
	}
	if n := told.Load(); n == 0 || n > 1+int32(time.Since(began)/time.Minute) {
		t.Errorf("that there are too many is told %d times in %v", n, time.Since(began))
	}
}
