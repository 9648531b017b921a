package gateway_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sallyport/gateway"
	"sallyport/gateway/config"
)

// TestStateOfAnother: root would leave files in it that its owner cannot open.
func TestStateOfAnother(t *testing.T) {
	state, want := "/", "/ belongs to root, and this runs as "
	if os.Geteuid() == 0 {
		state, want = t.TempDir(), "belongs to nobody, and this runs as root: run it as nobody, or give that folder with all in it to root"
		if err := os.Chown(state, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	if err := gateway.OwnState(state); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	if err := errors.Join(gateway.OwnState(t.TempDir()), gateway.OwnState(t.TempDir()+"/not-there-yet")); err != nil {
		t.Error(err)
	}
}

// TestNodeThatCannotListen: it does not start, says what to do, and says nothing of the addresses that it could have had.
func TestNodeThatCannotListen(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, conf := freshServer(t)
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), `listen = ["127.0.0.1:0"]`, `listen = ["127.0.0.1:0"]
listen-direct = ["`+taken.Addr().String()+`"]`, 1))
	if err := os.WriteFile(conf, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(conf)
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	core, logged := observer.New(zap.WarnLevel)
	g, err := gateway.New(cfg, gateway.Options{Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "another program or node has that address") {
		t.Errorf("got %v", err)
	}
	for _, line := range logged.All() {
		t.Errorf("logged: %s", line.Message)
	}
}

func TestAddressThatIsTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, tt := range []struct{ address, want string }{
		{l.Addr().String(), "another program or node has that address"},
		{"192.0.2.1:0", "this machine has no such address"},
	} {
		other, err := net.Listen("tcp", tt.address)
		if err == nil {
			other.Close()
			t.Fatalf("%s can be listened on", tt.address)
		}
		if err := gateway.Unheard(err); !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}
