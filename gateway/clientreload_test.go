package gateway_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/gateway/control"
)

// TestReloadOfTheServer: what a running server can take it takes, and of the rest the answer names each key.
func TestReloadOfTheServer(t *testing.T) {
	t.Parallel()
	dir, conf := freshServer(t)
	secret := filepath.Join(dir, "turn.secret")
	before, err := os.ReadFile(conf)
	if err == nil {
		err = os.WriteFile(secret, []byte("a secret of a relay"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	const relay = "[server.service.relay]\ntype = \"turn\"\nhost = \"turn.example\"\nsecret = \"turn.secret\"\n"
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base := string(before) + relay
	write(base)
	g, err := opened(t, conf)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.Run(ended(t), nil); err != nil {
			t.Error(err)
		}
	}()
	for _, tc := range []struct{ name, more, says string }{
		{"administrators", "[server.admins]\noperate = [\"juliet@chat.example\"]\n", ""},
		{"registration", "[server.registration]\nopen = true\nper-hour = 10\n", ""},
		{"registration all off", "[server.registration]\nchange-password = false\n", "server.registration (all of it on, or off)"},
		{"rates", "[server.limits]\nstanza-rate = 5\naccount-stanza-rate = 6\naddress-stanza-rate = 7\nmax-stanza-bytes = \"100 KiB\"\n", ""},
		{"clients of an account", "[server.limits]\nresources = 5\nstanza-rate = 5\n", ""},
		{"invitations", "[server.invitations]\ncontacts = true\naccounts = true\ncreators = [\"juliet@chat.example\"]\nkeep = \"1d\"\n", ""},
		{"mechanisms", "[server.login]\nmechanisms = [\"SCRAM-SHA-256\"]\nchannel-binding = \"never\"\n", ""},
		{"certificates of people", "[server.login]\nmechanisms = [\"EXTERNAL\", \"SCRAM-SHA-256\"]\ntrust = [\"certs/ca.pem\"]\n", "server.login.mechanisms (EXTERNAL)"},
		{"TLS", "[server.login]\nmin-tls = \"1.3\"\n", "server.login.min-tls"},
		{"another service", "[server.service.other]\ntype = \"stun\"\nhost = \"stun.example\"\n", ""},
		{"passwords", "[server.passwords]\nmin-length = 12\n", ""},
		{"the web, and a database of another file", "[server.store]\nsqlite = \"other.db\"\n[server.web]\nlisten = [\"127.0.0.1:0\"]\n", "server.store.sqlite, server.web.listen"},
		{"who is reached", "[server.contacts]\nabuse = [\"mailto:abuse@chat.example\"]\n", ""},
		{"a component", "[server.components]\nlisten = [\"127.0.0.1:0\"]\n[server.component.irc]\ndomain = \"irc.chat.example\"\nsecret = \"turn.secret\"\n", ""},
		{"how long messages are kept", "[server.store]\nkeep-messages = \"30d\"\n", ""},
		{"the database", "[server.store]\npostgres = \"postgres://sallyport@/none\"\n", "server.store.postgres"},
		{"nothing", "", ""},
	} {
		write(base + tc.more)
		_, err := g.Reload(t.Context(), control.Caller{User: "test"}, control.ReloadQuestion{})
		want := ""
		if tc.says != "" {
			want = tc.says + " cannot change while the node runs"
		}
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", tc.name, err, want)
		}
	}
	write(strings.Replace(base, `domains = ["chat.example"]`, `domains = ["chat.example", "two.example"]`, 1))
	if _, err := g.Reload(t.Context(), control.Caller{User: "test"}, control.ReloadQuestion{}); err == nil || !strings.Contains(err.Error(), "server.domains") {
		t.Errorf("another domain, for which there is no certificate: %v", err)
	}
	write(strings.Replace(base, relay, "", 1))
	if _, err := g.Reload(t.Context(), control.Caller{User: "test"}, control.ReloadQuestion{}); err == nil || !strings.Contains(err.Error(), "server.service (the first, or the last)") {
		t.Errorf("no service: %v", err)
	}
}
