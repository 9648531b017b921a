package control_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sallyport/gateway/control"
	"sallyport/internal/role"
)

func listen(path string) (*control.Server, error) {
	return control.Listen(control.Options{Path: path, Group: -1, Recorder: &book{}})
}

func TestSocketMode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		group int
		want  os.FileMode
	}{{"own user only", -1, 0o600}, {"with a group", os.Getegid(), 0o660}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, err := control.Listen(control.Options{Path: filepath.Join(dir, "s"), Group: tt.group, Recorder: &book{}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			info, err := os.Stat(filepath.Join(dir, "s"))
			if err != nil || info.Mode().Perm() != tt.want {
				t.Errorf("mode %v, %v, want %v", info.Mode(), err, tt.want)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 1 {
				t.Errorf("left in the directory: %v, %v", left, err)
			}
		})
	}
}

func TestSocketIsTakenOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	first, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = first.Serve() }()
	if _, err := listen(path); !errors.Is(err, control.ErrRunning) {
		t.Errorf("a second node: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLeftOverSocketIsReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close() // as after kill -9
	s, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestNothingElseIsReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(path); err == nil {
		t.Error("a file was replaced")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "x" {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

func TestRecorderIsRequired(t *testing.T) {
	t.Parallel()
	if _, err := control.Listen(control.Options{Path: filepath.Join(t.TempDir(), "s"), Group: -1}); err == nil {
		t.Error("a server without a recorder")
	}
}

func TestDialSaysWhatToDo(t *testing.T) {
	t.Parallel()
	_, err := control.Dial(t.Context(), filepath.Join(t.TempDir(), "s"))
	if err == nil || !strings.Contains(err.Error(), "no node is running") {
		t.Errorf("no socket: %v", err)
	}
}

// TestKernelNamesTheCaller uses the system's own answer: the test's user has every role.
func TestKernelNamesTheCaller(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	s, err := control.Listen(control.Options{
		Path: path, Group: -1, Recorder: &book{},
		Verbs: []control.Verb{{Name: "change", Role: role.Policy, Changes: true, Handle: constant("changed", nil)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	go func() { _ = s.Serve() }()
	if err := dial(t, path).Call(t.Context(), "change", nil, nil); err != nil {
		t.Errorf("the gateway's own user: %v", err)
	}
}

// TestOutOfDescriptors: an operator gets in when there are some again.
func TestOutOfDescriptors(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	s, err := control.Listen(control.Options{
		Path: path, Group: -1, Recorder: &book{}, Verbs: []control.Verb{{Name: "look", Role: role.View, Handle: constant("seen", nil)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.FailFirst(&net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", syscall.EMFILE)})
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	if err := dial(t, path).Call(t.Context(), "look", nil, nil); err != nil {
		t.Error(err)
	}
	if err := errors.Join(s.Close(), <-served); err != nil {
		t.Error(err)
	}
}
