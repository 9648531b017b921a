package webclient_test

import (
	"fmt"
	"net/netip"
	"os"
	"testing"

	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
	"sallyport/testbed/webclient"
)

// withWeb lets pages of this machine connect.
const withWeb = `
[server.web]
listen = [%q]
origins = ["127.0.0.1:*"]
`

// TestSallyport: both clients log in and chat: in the browser by WebSocket, the other also by STARTTLS.
func TestSallyport(t *testing.T) {
	block, err := peers.ClaimBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	web := netip.AddrPortFrom(block.Addr(1), 5443)
	home, err := imserver.New(imserver.Wishes{
		Dir: t.TempDir(), Addr: block.Addr(1), Users: []string{"romeo", "juliet"}, More: fmt.Sprintf(withWeb, web),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			said, err := os.ReadFile(home.Log())
			t.Logf("the server said: %s %v", said, err)
		}
	})
	if err := home.Run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := home.Close(); err != nil {
			t.Error(err)
		}
	})
	talk := webclient.Talk{
		Domain: imserver.Domain, Authority: home.CA, Service: fmt.Sprintf("wss://%s/ws", web),
		People: [2]webclient.Person{{JID: "romeo@" + imserver.Domain, Password: imserver.Password}, {JID: "juliet@" + imserver.Domain, Password: imserver.Password}},
		Texts:  [2]string{"Is the harbour clear?", "It is. Come in."},
	}
	t.Run("Converse.js", func(t *testing.T) { converses(t, talk) })
	t.Run("xmpp.js by STARTTLS", func(t *testing.T) {
		talk := talk
		talk.Service = "xmpp://" + home.Clients.String()
		chats(t, talk)
	})
}
