package scenario

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"sallyport/testbed/peers"
)

// WitnessedGateway sends the heads of its audit log to a syslog that the scenario plays.
type WitnessedGateway struct {
	*Gateway
	short  string // folder of its socket: a path that is short enough for one
	syslog *net.UnixConn
	read   chan struct{} // for each word of ours
	done   sync.WaitGroup

	mu   sync.Mutex
	said bytes.Buffer // one line for each datagram
}

var _ Middle = (*WitnessedGateway)(nil)

// Witnessed makes a WitnessedGateway.
func Witnessed(o GatewayOptions) Middle {
	return &WitnessedGateway{Gateway: &Gateway{Options: o}, read: make(chan struct{}, 1)}
}

// Start implements Middle.
func (g *WitnessedGateway) Start(b *peers.Bed) error {
	var err error
	if g.short, err = os.MkdirTemp("", "syslog"); err != nil {
		return err
	}
	socket := filepath.Join(g.short, "log")
	if g.syslog, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: socket}); err != nil {
		return err
	}
	g.done.Go(g.listen)
	g.Options.HeadSink = "syslog:" + socket
	return g.Gateway.Start(b)
}

// ourWord is a datagram of ours. When it has been read, so has everything that was sent before it.
const ourWord = "is that all?"

func (g *WitnessedGateway) listen() {
	datagram := make([]byte, 64<<10)
	for {
		n, err := g.syslog.Read(datagram)
		if err != nil {
			return
		}
		if string(datagram[:n]) == ourWord {
			g.read <- struct{}{}
			continue
		}
		g.mu.Lock()
		g.said.Write(datagram[:n])
		g.said.WriteByte('\n')
		g.mu.Unlock()
	}
}

// Said is everything the syslog was told until now.
func (g *WitnessedGateway) Said(t *testing.T) string {
	t.Helper()
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: filepath.Join(g.short, "log")})
	if err == nil {
		_, err = c.Write([]byte(ourWord))
		err = errors.Join(err, c.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	<-g.read
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.said.String()
}

// Close implements Middle.
func (g *WitnessedGateway) Close() error {
	err := g.Gateway.Close()
	if g.syslog != nil {
		err = errors.Join(err, g.syslog.Close())
	}
	g.done.Wait()
	if g.short != "" {
		err = errors.Join(err, os.RemoveAll(g.short))
	}
	return err
}

// headLine is a head as RFC 5424 §6 has it: facility 13 (log audit), severity 5, of this program.
var headLine = regexp.MustCompile(`^<109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ sallyport \d+ audit-head - \{"audit":"head",.*\}$`)

// logDir is where the gateway keeps its audit log.
func (g *Gateway) logDir() string { return filepath.Join(g.dir, "state", "audit") }

// endOfLog: the heads in the syslog prove the whole log. Whoever puts an older, flawless copy of it in its place deceives
// those who have only the directory, and nobody who has the heads; nor is it hidden that the end was cut off.
func endOfLog(t *testing.T, w *World) {
	g, ok := w.Middle.(*WitnessedGateway)
	if !ok {
		t.Fatal("nobody keeps the heads")
	}
	messagesBothWays(t, w)
	g.restartAround(t, func() { copyDir(t, g.logDir(), g.logDir()+".old") })
	messagesBothWays(t, w)
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	said := g.Said(t)
	heads := filepath.Join(g.dir, "syslog")
	if err := os.WriteFile(heads, []byte(said), 0o600); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(said) {
		if !headLine.MatchString(strings.TrimSpace(line)) {
			t.Errorf("the syslog was told %s", line)
		}
	}
	wantWhole(t, g.Gateway, heads)
	newest := filepath.Join(g.dir, "newest") // one line is enough
	if err := os.WriteFile(newest, []byte(lastLine(said)), 0o600); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, g.Gateway, newest)

	genuine := g.logDir() + ".genuine"
	move(t, g.logDir(), genuine)
	move(t, g.logDir()+".old", g.logDir())
	if out, err := g.command("audit", "verify"); err != nil {
		t.Errorf("an old log by itself: %v\n%s", err, out)
	}
	wantBroken(t, g.Gateway, newest)

	for _, cut := range []int64{1, 200} { // in a record; more than one
		if err := os.RemoveAll(g.logDir()); err != nil {
			t.Fatal(err)
		}
		copyDir(t, genuine, g.logDir())
		segment := newestSegment(t, g.logDir())
		info, err := os.Stat(segment)
		if err == nil {
			err = os.Truncate(segment, info.Size()-cut)
		}
		if err != nil {
			t.Fatal(err)
		}
		wantBroken(t, g.Gateway, newest)
	}
}

// restartAround stops the gateway in order, does something, and starts it again.
func (g *Gateway) restartAround(t *testing.T, do func()) {
	t.Helper()
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	do()
	if err := g.Run(); err != nil {
		t.Fatal(err)
	}
}

// wantWhole wants verify to be content with the heads in a file.
func wantWhole(t *testing.T, g *Gateway, heads string) {
	t.Helper()
	out, err := g.command("audit", "verify", "--head", heads)
	if err != nil || !bytes.Contains(out, []byte("whole; nothing is missing up to record")) {
		t.Errorf("verify with %s: %v\n%s", filepath.Base(heads), err, out)
	}
}

// wantBroken wants verify to find that the end is missing, and to say so with its exit code.
func wantBroken(t *testing.T, g *Gateway, heads string) {
	t.Helper()
	out, err := g.command("audit", "verify", "--head", heads)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 5 || !bytes.Contains(out, []byte("NOT WHOLE")) || !bytes.Contains(out, []byte("truncated")) {
		t.Errorf("verify of what has no end: %v\n%s", err, out)
	}
}

func lastLine(text string) string {
	text = strings.TrimRight(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// newestSegment is the file with the last records of a log.
func newestSegment(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "segment-*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no segment in %s: %v", dir, err)
	}
	return slices.Max(found)
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
