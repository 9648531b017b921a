package gateway_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/gateway/newnode"
	"sallyport/server/admin"
)

// freshServer is the folder of a server that init has made, and its configuration.
func freshServer(t *testing.T) (dir, conf string) {
	t.Helper()
	dir = t.TempDir()
	_, err := newnode.Write(dir, newnode.Plan{
		Node: "n1", Side: "inside", Domains: []string{"chat.example"}, Listen: []string{"127.0.0.1:0"}, Now: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, newnode.ConfigFile)
}

// stopped gives the desk of a node that does not run.
func stopped(t *testing.T, conf string) *gateway.Stopped {
	t.Helper()
	s, err := gateway.OpenStopped(t.Context(), conf, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened is a node that is ready to run.
func opened(t *testing.T, conf string) (*gateway.Gateway, error) {
	t.Helper()
	cfg, problems := config.Load(conf)
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	return gateway.New(cfg, gateway.Options{})
}

// ended is a context that is over.
func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	end()
	return ctx
}

// TestStopped: what is done while no node runs is done by the same operations, and is in the log that the node goes on with.
func TestStopped(t *testing.T) {
	t.Parallel()
	dir, conf := freshServer(t)
	s := stopped(t, conf)
	const secret = "correct horse battery"
	var done admin.Done
	if err := s.Ask(t.Context(), "user.add", admin.NewUser{User: "juliet@chat.example", Password: secret, Email: "j@mail.example"}, &done); err != nil || done.Count != 1 {
		t.Fatalf("%v, done to %d", err, done.Count)
	}
	for name, tc := range map[string]struct {
		verb string
		args any
		code control.Code
	}{
		"there already":        {"user.add", admin.NewUser{User: "juliet@chat.example", Password: secret}, ""},
		"of the node alone":    {"reload", struct{}{}, control.UnknownVerb},
		"an end of what ended": {"node.stop", struct{}{}, ""},
		"a field too many":     {"user.disable", map[string]any{"users": []string{"juliet@chat.example"}, "domain": "x"}, control.BadQuestion},
	} {
		err := s.Ask(t.Context(), tc.verb, tc.args, nil)
		var ce *control.CallError
		if err == nil || tc.code != "" && (!errors.As(err, &ce) || ce.Code != tc.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := opened(t, conf); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("a node started meanwhile: %v", err)
	}
	if _, err := gateway.OpenStopped(t.Context(), conf, time.Now); !errors.Is(err, gateway.ErrHeld) {
		t.Errorf("a second one: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var trail []string
	for e, err := range audit.ReadDir(filepath.Join(dir, "state", "audit"), audit.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		r := e.Record
		trail = append(trail, r.Rule+" "+r.Outcome+" "+r.To+" "+r.Reason)
		if r.Kind != audit.ControlCommand || r.From == "" || strings.Contains(strings.Join([]string{r.Reason, r.To, r.From}, " "), secret) {
			t.Errorf("recorded %+v", r)
		}
	}
	if len(trail) < 4 || trail[0] != "user.add began juliet@chat.example no node running" || trail[1] != "user.add done juliet@chat.example no node running" {
		t.Errorf("the record has %q", trail)
	}
}

// TestNodeOfInit: the node that init makes opens all that it serves people with.
func TestNodeOfInit(t *testing.T) {
	t.Parallel()
	_, conf := freshServer(t)
	g, err := opened(t, conf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.OpenStopped(t.Context(), conf, time.Now); !errors.Is(err, gateway.ErrHeld) {
		t.Errorf("beside a node: %v", err)
	}
	if err := g.Run(ended(t), nil); err != nil {
		t.Error(err)
	}
	if err := stopped(t, conf).Close(); err != nil {
		t.Error(err)
	}
}
