package audit_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/internal/disk/faulty"
)

func TestSyslogSink(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "log")
	for _, network := range []string{"unixgram", "udp"} {
		t.Run(network, func(t *testing.T) {
			address := socket
			if network == "udp" {
				address = "127.0.0.1:0"
			}
			server, err := net.ListenPacket(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = server.Close() }()
			sink, err := audit.DialSyslog(network, server.LocalAddr().String(), "gate way\n1")
			if err != nil {
				t.Fatal(err)
			}
			l := openLog(t, faulty.New(), func(o *audit.Options) { o.Sinks = []audit.HeadSink{sink} })
			closeLog(t, l)
			buf := make([]byte, 4096)
			n, _, err := server.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			line := string(buf[:n])
			if !strings.HasPrefix(line, "<109>1 20") || !strings.Contains(line, " gateway1 sallyport ") || !strings.Contains(line, ` audit-head - {"audit":"head"`) {
				t.Errorf("got %s", line)
			}
			if h, err := audit.ParseStatement(buf[:n]); err != nil || h.Verify(publicKey()) != nil {
				t.Errorf("%v in %s", err, line)
			}
		})
	}
	if _, err := audit.DialSyslog("tcp", "127.0.0.1:1", "x"); err == nil {
		t.Error("tcp was accepted")
	}
}

// TestSyslogProvesTheEnd: what a socket like /dev/log was told is enough to see that an older copy of the log, flawless by itself, has
// no end.
func TestSyslogProvesTheEnd(t *testing.T) {
	base := t.TempDir()
	dir, old, told := filepath.Join(base, "audit"), filepath.Join(base, "old"), filepath.Join(base, "told")
	server, err := net.ListenPacket("unixgram", filepath.Join(base, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	var lines []byte
	run := func(records int) {
		t.Helper()
		sink, err := audit.DialSyslog("unixgram", server.LocalAddr().String(), "gw")
		if err != nil {
			t.Fatal(err)
		}
		l, err := audit.Open(audit.Options{Dir: dir, Node: "gw1", Key: testKey(), HeadEvery: time.Hour, Sinks: []audit.HeadSink{sink}})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, l, newTold(), records)
		closeLog(t, l)
		buf := make([]byte, 4096)
		for range 2 { // at open and at close
			n, _, err := server.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(append(lines, buf[:n]...), '\n')
		}
	}
	run(10)
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	run(5)
	if err := os.WriteFile(told, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := audit.Verify(dir, told, publicKey()); err != nil || !r.OK() || r.HeadSeq != 15 || r.AfterHead != 0 {
		t.Errorf("whole: %+v, %v", r, err)
	}
	if r, err := audit.Verify(old, "", publicKey()); err != nil || !r.OK() {
		t.Errorf("the old copy by itself: %+v, %v", r, err)
	}
	r, err := audit.Verify(old, told, publicKey())
	if err != nil || r.OK() || r.LastSeq != 10 {
		t.Fatalf("the old copy: %+v, %v", r, err)
	}
	found := map[audit.Why]bool{}
	for _, p := range r.Problems {
		found[p.Why] = true
	}
	if !found[audit.Truncated] || !found[audit.HeadBehind] {
		t.Errorf("the old copy: %v", r.Problems)
	}
}
