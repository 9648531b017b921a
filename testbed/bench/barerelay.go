package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
)

// bareRelayCommand makes this program a relay instead of a measurement.
const bareRelayCommand = "bare-relay"

// relayBuffer is as much as one TLS record can hold.
const relayBuffer = 16 << 10

// bareRelay is the yardstick for relays: it ends TLS on both sides and copies bytes, and nothing else. What was read
// at once is written at once. It runs until it is killed.
func bareRelay(args []string) error {
	f := flag.NewFlagSet(bareRelayCommand, flag.ContinueOnError)
	listen := f.String("listen", "", "address to listen on")
	connect := f.String("connect", "", "address to connect to")
	cert := f.String("cert", "", "certificate for both sides")
	key := f.String("key", "", "its key")
	if err := f.Parse(args); err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		return err
	}
	l, err := tls.Listen("tcp", *listen, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13})
	if err != nil {
		return err
	}
	for {
		near, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			if err := pass(near, *connect, pair); err != nil {
				fmt.Fprintln(os.Stderr, "bare relay:", err)
			}
		}()
	}
}

func pass(near net.Conn, connect string, pair tls.Certificate) error {
	far, err := tls.Dial("tcp", connect, &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13,
		InsecureSkipVerify: true, // it measures bytes, not trust
	})
	if err != nil {
		_ = near.Close()
		return err
	}
	go copyBytes(near, far)
	copyBytes(far, near)
	return nil
}

// copyBytes goes on until either end closes, then closes both.
func copyBytes(to, from net.Conn) {
	buf := make([]byte, relayBuffer)
	// Only the plain interfaces: io.Copy would otherwise look for shortcuts.
	_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, buf)
	_ = to.Close()
	_ = from.Close()
}
