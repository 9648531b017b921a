package control_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"sallyport/gateway/control"
	"sallyport/internal/role"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book keeps events, and fails when told to.
type book struct {
	mu     sync.Mutex
	events []string
	err    error
}

func (b *book) Record(_ context.Context, e control.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.events = append(b.events, e.Outcome.String()+" "+e.Verb+" by "+e.By.User)
	return nil
}

func (b *book) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *book) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.events...)
}

func constant(result any, err error) func(context.Context, json.RawMessage, control.Caller) (any, error) {
	return func(context.Context, json.RawMessage, control.Caller) (any, error) { return result, err }
}

type server struct {
	*control.Server
	path string
	book *book
}

// start runs a server on which everybody is uid 1000 in group 2000.
func start(t *testing.T, grants ...control.Grant) server {
	t.Helper()
	s := server{path: filepath.Join(t.TempDir(), "control.sock"), book: &book{}}
	var err error
	s.Server, err = control.Listen(control.Options{
		Path: s.path, Group: -1, Grants: grants, Recorder: s.book,
		Verbs: []control.Verb{
			{Name: "look", Role: role.View, Handle: constant("seen", nil)},
			{Name: "act", Role: role.Operate, Changes: true, Handle: constant("acted", nil)},
			{Name: "change", Role: role.Policy, Changes: true, Handle: constant(nil, errors.New("line 7: no such key"))},
			{Name: "nobody", Handle: constant("never", nil)},
			{Name: "big", Role: role.View, Handle: constant(strings.Repeat("x", 17<<20), nil)},
			{Name: "strict", Role: role.View, Handle: func(_ context.Context, args json.RawMessage, _ control.Caller) (any, error) {
				return nil, control.Decode(args, &struct{}{})
			}},
		},
		Identify: func(*net.UnixConn) (control.Identity, error) {
			return control.Identity{UID: 1000, GID: 2000, User: "ann", Groups: []uint32{2000}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-served); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(s.path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket is still there: %v", err)
		}
	})
	return s
}

func dial(t *testing.T, path string) *control.Client {
	t.Helper()
	c, err := control.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func codeOf(err error) control.Code {
	var ce *control.CallError
	if errors.As(err, &ce) {
		return ce.Code
	}
	return ""
}

func TestRoles(t *testing.T) {
	t.Parallel()
	user := func(r role.Role) control.Grant { return control.Grant{Role: r, ID: 1000} }
	group := func(r role.Role) control.Grant { return control.Grant{Role: r, Group: true, ID: 2000} }
	tests := []struct {
		name   string
		grants []control.Grant
		want   map[string]control.Code // "" is a result
	}{
		{"nothing granted", nil, map[string]control.Code{"look": control.Denied, "act": control.Denied, "nonsense": control.Denied}},
		{
			"to others",
			[]control.Grant{{Role: role.Policy, ID: 1001}, {Role: role.Policy, Group: true, ID: 1000}, {Role: role.Policy, ID: 2000}},
			map[string]control.Code{"look": control.Denied},
		},
		{"no role", []control.Grant{user(role.None)}, map[string]control.Code{"look": control.Denied, "nobody": control.Denied}},
		{"view", []control.Grant{user(role.View)}, map[string]control.Code{"look": "", "act": control.Denied, "change": control.Denied}},
		{"operate by group", []control.Grant{group(role.Operate)}, map[string]control.Code{"look": "", "act": "", "change": control.Denied}},
		{
			"highest counts",
			[]control.Grant{user(role.Policy), group(role.View)},
			map[string]control.Code{"look": "", "act": "", "change": control.Failed, "nobody": control.Denied, "nonsense": control.UnknownVerb},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.grants...)
			c := dial(t, s.path)
			for verb, want := range tt.want {
				if err := c.Call(t.Context(), verb, nil, nil); codeOf(err) != want {
					t.Errorf("%s: %v, want code %q", verb, err, want)
				}
			}
		})
	}
}

func TestRolesCanBeTakenAway(t *testing.T) {
	t.Parallel()
	s := start(t, control.Grant{Role: role.View, ID: 1000})
	c := dial(t, s.path)
	if err := c.Call(t.Context(), "look", nil, nil); err != nil {
		t.Fatal(err)
	}
	s.SetGrants(nil)
	if err := c.Call(t.Context(), "look", nil, nil); codeOf(err) != control.Denied {
		t.Errorf("after the role was taken away: %v", err)
	}
}

func TestEveryChangeIsRecorded(t *testing.T) {
	t.Parallel()
	s := start(t, control.Grant{Role: role.Operate, ID: 1000})
	c := dial(t, s.path)
	for _, verb := range []string{"look", "act", "change"} {
		_ = c.Call(t.Context(), verb, nil, nil)
	}
	want := []string{"began act by ann", "done act by ann", "denied change by ann"}
	if diff := cmp.Diff(want, s.book.all()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	s.book.fail(errors.New("disk full"))
	if err := c.Call(t.Context(), "act", nil, nil); codeOf(err) != control.Unrecorded {
		t.Errorf("act with a failed audit log: %v", err)
	}
	if err := c.Call(t.Context(), "look", nil, nil); err != nil {
		t.Errorf("look with a failed audit log: %v", err)
	}
}

func TestFailureSaysWhy(t *testing.T) {
	t.Parallel()
	s := start(t, control.Grant{Role: role.Policy, ID: 1000})
	err := dial(t, s.path).Call(t.Context(), "change", nil, nil)
	if codeOf(err) != control.Failed || err.Error() != "line 7: no such key" {
		t.Errorf("change: %v", err)
	}
	if got := s.book.all(); len(got) != 2 || got[1] != "failed change by ann" {
		t.Errorf("events %q", got)
	}
}

func TestResult(t *testing.T) {
	t.Parallel()
	s := start(t, control.Grant{Role: role.View, ID: 1000})
	c := dial(t, s.path)
	for range 3 { // a connection takes several questions
		var got string
		if err := c.Call(t.Context(), "look", nil, &got); err != nil || got != "seen" {
			t.Fatalf("look: %q, %v", got, err)
		}
	}
	if err := c.Call(t.Context(), "big", nil, nil); codeOf(err) != control.Failed {
		t.Errorf("an answer of 17 MiB: %v", err)
	}
	if err := c.Call(t.Context(), "strict", map[string]any{"nme": 1}, nil); codeOf(err) != control.BadQuestion {
		t.Errorf("an unknown argument: %v", err)
	}
}

func TestBadQuestions(t *testing.T) {
	t.Parallel()
	s := start(t, control.Grant{Role: role.View, ID: 1000})
	tests := []struct {
		name, send string
		want       control.Code
	}{
		{"not JSON", "status\n", control.BadQuestion},
		{"empty line", "\n", control.BadQuestion},
		{"unknown field", `{"verb":"look","role":"policy"}` + "\n", control.BadQuestion},
		{"two values", `{"verb":"look"}{"verb":"act"}` + "\n", control.BadQuestion},
		{"verb of another type", `{"verb":7}` + "\n", control.BadQuestion},
		{"null", "null\n", control.UnknownVerb},
		{"endless line", strings.Repeat(" ", 3<<20), control.BadQuestion},
		{"half a line", `{"verb":"look"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("unix", s.path)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go func() { // the server may stop reading before the end
				_, _ = conn.Write([]byte(tt.send))
				_ = conn.(*net.UnixConn).CloseWrite()
			}()
			line, _ := bufio.NewReader(conn).ReadBytes('\n')
			var a struct {
				OK    bool
				Error control.CallError
			}
			_ = json.Unmarshal(bytes.TrimSpace(line), &a)
			if a.OK || a.Error.Code != tt.want {
				t.Errorf("answer %.200s, want code %q", line, tt.want)
			}
		})
	}
}

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	s := start(t, control.Grant{Role: role.View, ID: 1000})
	for range 16 {
		if err := dial(t, s.path).Call(t.Context(), "look", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := dial(t, s.path).Call(t.Context(), "look", nil, nil); codeOf(err) != control.Busy {
		t.Errorf("connection 17: %v", err)
	}
}
