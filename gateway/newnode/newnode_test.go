package newnode_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/gateway/newnode"
	"sallyport/internal/tlsid/tlsidtest"
)

func plan() newnode.Plan {
	return newnode.Plan{
		Node: "chat1", Domains: []string{"Chat.example"}, Side: "inside", Listen: []string{"127.0.0.1:0"}, ListenDirect: []string{"127.0.0.1:0"},
		Now: time.Now(),
	}
}

func toOutside(t *testing.T) *newnode.Outside {
	t.Helper()
	ca := tlsidtest.Must(tlsidtest.NewCA("CA of others"))
	return &newnode.Outside{
		Domains: []string{"far.example", "*.far.example"}, Route: []string{"127.0.0.1:5269"}, Resolver: []string{"127.0.0.1:53"}, Listen: []string{"127.0.0.1:0"},
		Trust: []string{tlsidtest.Must(ca.WritePEM(t.TempDir(), "others"))},
	}
}

// What is written is a configuration without errors, and a policy under which people can talk.
func TestWrite(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*newnode.Plan)
		files  int
	}{
		{"alone", func(*newnode.Plan) {}, 12},
		{"with others", func(p *newnode.Plan) { p.Outside = toOutside(t) }, 12},
		{"with a request", func(p *newnode.Plan) { p.Request = true }, 13},
		{"two domains, direct only", func(p *newnode.Plan) { p.Domains, p.Listen = []string{"a.example", "b\u00fccher.example"}, nil }, 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, dir := plan(), filepath.Join(t.TempDir(), "new")
			tt.change(&p)
			done, err := newnode.Write(dir, p)
			if err != nil || len(done) != tt.files {
				t.Fatalf("%d files, want %d: %v, %v", len(done), tt.files, done, err)
			}
			cfg, problems := config.Load(filepath.Join(dir, newnode.ConfigFile))
			if problems.Failed() {
				t.Fatal(problems.Err())
			}
			policy, err := gateway.BuildPolicy(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if !policy.MayTalk("local", "local") || policy.MayTalk("local", "outside") != (p.Outside != nil) {
				t.Error("the wrong pairs")
			}
			secrets(t, dir)
			again(t, dir, p, len(done))
		})
	}
}

// secrets looks that nobody but the owner can read keys.
func secrets(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"certs/ca.key", "certs/server.key"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// again writes everything once more, which changes nothing, and then what is missing.
func again(t *testing.T, dir string, p newnode.Plan, files int) {
	t.Helper()
	before := texts(t, dir)
	p.Node = "other"
	done, err := newnode.Write(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range done {
		if !d.Kept {
			t.Errorf("%s was written again", d.Path)
		}
	}
	if after := texts(t, dir); len(after) != files || !same(before, after) {
		t.Errorf("%d files before, %d after", len(before), len(after))
	}
	for _, name := range []string{"certs/server.pem", "policy/internal.label.xml"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := newnode.Write(dir, p); err != nil {
		t.Fatal(err)
	}
	if _, problems := config.Load(filepath.Join(dir, newnode.ConfigFile)); problems.Failed() {
		t.Error(problems.Err())
	}
}

func same(a, b map[string]string) bool {
	for name, text := range a {
		if b[name] != text {
			return false
		}
	}
	return len(a) == len(b)
}

func texts(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPlansThatAreNone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*newnode.Plan)
		want   string
	}{
		{"no domain", func(p *newnode.Plan) { p.Domains = nil }, "no domain"},
		{"not a domain", func(p *newnode.Plan) { p.Domains = []string{"a b"} }, "is not a domain"},
		{"an address for a domain", func(p *newnode.Plan) { p.Domains = []string{"192.0.2.1"} }, "is not a domain"},
		{"text that would end a value", func(p *newnode.Plan) { p.Node = "a\"\n" }, "is not a name"},
		{"the side of the others", func(p *newnode.Plan) { p.Side = "outside" }, "is not a name for the side"},
		{"nowhere to connect", func(p *newnode.Plan) { p.Listen, p.ListenDirect = nil, nil }, "no address"},
		{"not an address", func(p *newnode.Plan) { p.Listen = []string{"chat.example:5222"} }, "is not an IP address"},
		{"an address twice", func(p *newnode.Plan) { p.Listen, p.ListenDirect = []string{"0.0.0.0:5222"}, []string{"127.0.0.1:5222"} }, "is taken by 0.0.0.0:5222"},
		{"that of other servers", func(p *newnode.Plan) {
			p.Outside = toOutside(t)
			p.Listen, p.Outside.Listen = []string{"127.0.0.1:5269"}, []string{"127.0.0.1:5269"}
		}, "is taken by"},
		{"ours as others", func(p *newnode.Plan) {
			p.Outside = toOutside(t)
			p.Outside.Domains = []string{"CHAT.example"}
		}, "chat.example has accounts here"},
		{"a state that is nowhere", func(p *newnode.Plan) { p.State = "state" }, "absolute path"},
		{"a state that would end a value", func(p *newnode.Plan) { p.State = "/a\"\nx" }, "absolute path"},
		{"a name that nobody finds", func(p *newnode.Plan) {
			p.Outside = toOutside(t)
			p.Outside.Route, p.Outside.Resolver = []string{"far.example:5269"}, nil
		}, "give a resolver"},
		{"nobody outside", func(p *newnode.Plan) { p.Outside = &newnode.Outside{} }, "no domain outside"},
		{"nobody vouches", func(p *newnode.Plan) { p.Outside = toOutside(t); p.Outside.Trust = nil }, "nobody vouches"},
		{"no way", func(p *newnode.Plan) { p.Outside = toOutside(t); p.Outside.Route, p.Outside.Resolver = nil, nil }, "where servers outside are"},
		{"a route without a port", func(p *newnode.Plan) { p.Outside = toOutside(t); p.Outside.Route = []string{"far.example"} }, "HOST:PORT"},
		{"no domain of others", func(p *newnode.Plan) { p.Outside = toOutside(t); p.Outside.Domains = []string{"*"} }, "is not a domain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, dir := plan(), t.TempDir()
			tt.change(&p)
			if _, err := newnode.Write(dir, p); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if left := texts(t, dir); len(left) != 0 {
				t.Errorf("%d files were written", len(left))
			}
		})
	}
}

// Who owns the state runs the node, and has to read its key, whoever made it.
func TestStateElsewhere(t *testing.T) {
	t.Parallel()
	p, dir, runs := plan(), t.TempDir(), os.Geteuid()
	p.State = filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(p.State, 0o700); err != nil {
		t.Fatal(err)
	}
	if runs == 0 { // only root can give something away
		if runs = 65534; os.Chown(p.State, runs, runs) != nil {
			t.Fatal("the folder cannot be given away")
		}
	}
	if _, err := newnode.Write(dir, p); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{"certs/server.key": runs, "certs/ca.key": os.Geteuid(), "sallyport.toml": os.Geteuid()} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if is, ok := info.Sys().(*syscall.Stat_t); !ok || int(is.Uid) != want {
			t.Errorf("%s belongs to %d, want %d", file, is.Uid, want)
		}
	}
	if text := texts(t, dir)[filepath.Join(dir, "sallyport.toml")]; !strings.Contains(text, `state = "`+p.State+`"`) || !strings.Contains(text, `"file:`+p.State+`/audit-heads/head"`) {
		t.Errorf("the configuration does not name %s:\n%s", p.State, text)
	}
}

// A certificate is issued with the key of the CA, or not at all: a new key fits no certificate that clients trust.
func TestAuthorityWithoutItsKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := newnode.Write(dir, plan()); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, "certs", name) }
	if err := errors.Join(os.Remove(at("server.pem")), os.Rename(at("ca.key"), at("kept"))); err != nil {
		t.Fatal(err)
	}
	if _, err := newnode.Write(dir, plan()); err == nil || !strings.Contains(err.Error(), "certs/ca.pem is there without its key, certs/ca.key: put that back") {
		t.Errorf("without the key: %v", err)
	}
	if _, err := os.Stat(at("ca.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key was made: %v", err)
	}
	other, err := os.ReadFile(at("server.key"))
	if err == nil {
		err = os.WriteFile(at("ca.key"), other, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newnode.Write(dir, plan()); err == nil || !strings.Contains(err.Error(), "certs/ca.key is not the key of certs/ca.pem") {
		t.Errorf("with another key: %v", err)
	}
	if err := os.Rename(at("kept"), at("ca.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := newnode.Write(dir, plan()); err != nil {
		t.Errorf("with the key again: %v", err)
	}
}

// A policy that init has not made cannot be continued.
func TestForeignPolicy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "policy"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "policy", "basic.spif.xml"), []byte("<x/>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := newnode.Write(dir, plan()); err == nil || !strings.Contains(err.Error(), "folder of its own") {
		t.Errorf("%v", err)
	}
}
