package webclient_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
	"sallyport/testbed/webclient"
)

// withWeb lets pages of this machine connect, by WebSocket and by BOSH. The port of the address is that of nobody: others reach it at the usual one.
const withWeb = `
[server.web]
listen = [%q]
url = "https://home.test"
origins = ["127.0.0.1:*"]
bosh = true
`

// home is a server with two people, and where it serves what is reached by HTTP.
func home(t *testing.T, more string) (*imserver.Home, netip.AddrPort) {
	t.Helper()
	block, err := peers.ClaimBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	web := netip.AddrPortFrom(block.Addr(1), 5443)
	h, err := imserver.New(imserver.Wishes{
		Dir: t.TempDir(), Addr: block.Addr(1), Users: []string{"romeo", "juliet"}, More: fmt.Sprintf(withWeb, web) + more,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			said, err := os.ReadFile(h.Log())
			t.Logf("the server said: %s %v", said, err)
		}
	})
	if err := h.Run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h, web
}

var people = [2]webclient.Person{{JID: "romeo@" + imserver.Domain, Password: imserver.Password}, {JID: "juliet@" + imserver.Domain, Password: imserver.Password}}

// What a client finds in the host-meta of the domain.
const (
	bySocket   = "wss://home.test/ws"
	byRequests = "https://home.test/bosh"
)

// TestSallyport: all clients log in and chat: in the browser and in StanzaJS by WebSocket and BOSH, told where or finding out; xmpp.js by STARTTLS.
func TestSallyport(t *testing.T) {
	h, web := home(t, "")
	talk := webclient.Talk{
		Domain: imserver.Domain, Authority: h.CA, At: web.String(),
		People: people,
		Texts:  [2]string{"Is the harbour clear?", "It is. Come in."},
	}
	for _, tc := range []struct{ name, service, connected string }{
		{"Converse.js", bySocket, bySocket},
		{"Converse.js by BOSH", byRequests, byRequests},
		{"Converse.js by host-meta", "", bySocket},
	} {
		t.Run(tc.name, func(t *testing.T) {
			talk := talk
			talk.Service, talk.Texts = tc.service, [2]string{"Is the harbour clear? " + tc.name, "It is. Come in. " + tc.name} // none of the archive
			connected(t, converses(t, talk), tc.connected)
		})
	}
	for _, tc := range []struct {
		transport, connected string
		silent               int
	}{{"websocket", bySocket, 0}, {"bosh", byRequests, heldFor + 2}} {
		t.Run("StanzaJS by host-meta, "+tc.transport, func(t *testing.T) {
			t.Parallel() // with the silence of the other
			talk := talk
			talk.Transport, talk.Silent, talk.Texts = tc.transport, tc.silent, [2]string{"Is it clear? " + tc.transport, "It is. " + tc.transport}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			seen, err := webclient.StanzaJS(ctx, talk)
			if err != nil {
				t.Fatal(err)
			}
			check(t, talk, seen)
			connected(t, seen, tc.connected)
		})
	}
	t.Run("xmpp.js by STARTTLS", func(t *testing.T) {
		talk := talk
		talk.Service = "xmpp://" + h.Clients.String()
		chats(t, talk)
	})
}

// heldFor is how many seconds StanzaJS lets a request wait.
const heldFor = 30

func connected(t *testing.T, seen webclient.Seen, to string) {
	t.Helper()
	if want := []string{to, to}; !slices.Equal(seen.Services, want) {
		t.Errorf("connected to %v, want %v", seen.Services, want)
	}
}

// TestTokens: xmpp.js logs in by SASL2, gets a resource, stream management and a token with it, resumes by the token, and comes back by it alone.
func TestTokens(t *testing.T) {
	h, web := home(t, "")
	for name, service := range map[string]string{"TCP": "xmpps://home.test:5223", "STARTTLS": "xmpp://" + h.Clients.String(), "WebSocket": bySocket} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			seen, err := webclient.Tokens(ctx, webclient.Talk{
				Domain: imserver.Domain, Service: service, Authority: h.CA, People: people, At: web.String(), Direct: h.Direct.String(),
			})
			if err != nil {
				t.Fatal(err)
			}
			byTokens(t, seen)
		})
	}
}

// byTokens: what was asked for was given, each time with the login.
func byTokens(t *testing.T, seen webclient.Seen) {
	t.Helper()
	const password, token, given = "SCRAM-SHA-1", "HT-SHA-256-NONE", "additional-data authorization-identifier "
	want := []webclient.Login{
		{Mechanism: password, Success: given + "bound token"}, // the other's
		{Mechanism: password, Success: given + "bound token"},
		{Mechanism: token, Success: given + "resumed"},
		{Mechanism: token, Success: given + "bound"},
		{Mechanism: token, Refused: "not-authorized"},
		{Mechanism: password, Success: given + "bound token"},
	}
	for i, l := range seen.Logins {
		if i >= len(want) || l.Mechanism != want[i].Mechanism || l.Success != want[i].Success || l.Refused != want[i].Refused {
			t.Errorf("login %d: %+v", i+1, l)
		}
	}
	if len(seen.Logins) != len(want) || len(seen.LoggedIn) != 3 {
		t.Fatalf("%d attempts, of which are in: %v", len(seen.Logins), seen.LoggedIn)
	}
	first := seen.LoggedIn[0]
	if seen.Resumed != first || seen.Logins[2].Address != first || !strings.HasPrefix(first, people[0].JID+"/tag/") {
		t.Errorf("%s was resumed as %s", first, seen.Resumed)
	}
	if len(seen.Errors) > 0 {
		t.Error(seen.Errors)
	}
}
