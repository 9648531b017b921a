package client_test

import (
	"testing"
	"time"

	"sallyport/testbed/client"
	"sallyport/testbed/peers"
)

// Two clients of one server, on each of the two servers, can register, log in and talk.
func TestTalk(t *testing.T) {
	bed, err := peers.OpenBed(t.TempDir(), peers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := bed.Start(); err != nil {
		t.Fatal(err)
	}
	driver, err := client.StartDriver()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := driver.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, s := range []*peers.Server{bed.Prosody, bed.Ejabberd} {
		t.Run(s.Name, func(t *testing.T) {
			account := client.Account{
				User: "alice", Domain: s.Domain, Password: "pw", Server: s.Clients(), CA: s.CA, Register: true,
			}
			alice, err := driver.Login(account)
			if err != nil {
				t.Fatalf("%v\n%s", err, s.LogTail(2000))
			}
			account.User = "carol"
			carol, err := driver.Login(account)
			if err != nil {
				t.Fatal(err)
			}
			if err := alice.Send(client.Message{To: carol.JID, Body: "hello"}); err != nil {
				t.Fatal(err)
			}
			if _, err := carol.Expect(time.Minute, func(e client.Event) bool { return e.Body == "hello" }); err != nil {
				t.Error(err)
			}
			for _, c := range []*client.Client{alice, carol} {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
