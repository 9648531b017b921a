package gateway_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"sallyport/gateway"
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
