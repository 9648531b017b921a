package webclient_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sallyport/testbed/peers"
	"sallyport/testbed/webclient"
)

// prosodyConfig is a server as small as these clients can use. It shows that the programs work, whatever ours does.
const prosodyConfig = `
daemonize = false
run_as_root = true
pidfile = %[1]q
data_path = %[2]q
modules_enabled = { "roster"; "saslauth"; "disco"; "websocket"; "ping"; "mam"; "carbons"; "pep"; "vcard4"; "blocklist" }
modules_disabled = { "s2s" }
c2s_ports = {}
c2s_direct_tls_ports = {}
http_ports = { %[3]d }
https_ports = {}
http_interfaces = { "127.0.0.1" }
consider_websocket_secure = true
http_default_host = "chat.example"
authentication = "internal_plain"
log = { info = "*console" }
VirtualHost "chat.example"
`

// prosody runs one, until the test ends.
func prosody(t *testing.T) webclient.Talk {
	t.Helper()
	dir := t.TempDir()
	var ports peers.Ports
	t.Cleanup(func() { _ = ports.Close() })
	free, err := ports.Free(netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	port := free.Port()
	config := filepath.Join(dir, "prosody.cfg.lua")
	text := fmt.Sprintf(prosodyConfig, filepath.Join(dir, "pid"), filepath.Join(dir, "data"), port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	accounts := filepath.Join(dir, "data", "chat%2eexample", "accounts")
	if err := os.MkdirAll(accounts, 0o700); err != nil {
		t.Fatal(err)
	}
	talk := webclient.Talk{
		Service: fmt.Sprintf("ws://127.0.0.1:%d/xmpp-websocket", port), Domain: "chat.example",
		People: [2]webclient.Person{{JID: "romeo@chat.example", Password: "pw1"}, {JID: "juliet@chat.example", Password: "pw2"}},
		Texts:  [2]string{"Is the harbour clear?", "It is. Come in."},
	}
	for i, who := range []string{"romeo", "juliet"} {
		account := fmt.Sprintf("return { [\"password\"] = %q; };\n", talk.People[i].Password)
		if err := os.WriteFile(filepath.Join(accounts, who+".dat"), []byte(account), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "prosody", "--config", config, "-F")
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, time.Minute
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the context of the test has ended by then
	answers(t, fmt.Sprintf("127.0.0.1:%d", port))
	return talk
}

// answers waits until somebody listens.
func answers(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}
