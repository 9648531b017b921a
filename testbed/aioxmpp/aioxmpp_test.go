package aioxmpp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
)

// python is Debian's, which has aioxmpp; another one earlier in the path may not.
const python = "/usr/bin/python3"

// noBinding: aioxmpp binds by what TLS 1.3 does not have, and fails where a binding is offered: COMPAT(aioxmpp, 0.13).
const noBinding = "\n[server.login]\nchannel-binding = \"never\"\n"

func TestTalk(t *testing.T) {
	t.Parallel()
	block, err := peers.ClaimBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	home, err := imserver.New(imserver.Wishes{Dir: t.TempDir(), Addr: block.Addr(1), Users: []string{"romeo", "juliet"}, More: noBinding})
	if err != nil {
		t.Fatal(err)
	}
	if err := home.Run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := home.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			said, err := os.ReadFile(home.Log())
			t.Logf("the server said: %s %v", said, err)
		}
	})
	job, err := json.Marshal(map[string]any{
		"host": home.Clients.Addr(), "port": home.Clients.Port(), "authority": home.CA,
		"people": [][2]string{{"romeo@" + imserver.Domain, imserver.Password}, {"juliet@" + imserver.Domain, imserver.Password}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-W", "ignore", "talk.py")
	var complaints bytes.Buffer
	cmd.Stdin, cmd.Stderr, cmd.WaitDelay = bytes.NewReader(job), &complaints, 5*time.Second
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, complaints.String())
	}
	judge(t, string(out))
}

// judge: both are logged in and managed, each text was read once, and the server says what it can.
func judge(t *testing.T, out string) {
	t.Helper()
	logins, read, done := 0, map[string]int{}, false
	for line := range strings.Lines(out) {
		var told struct {
			LoggedIn string `json:"logged_in"`
			Managed  bool
			Features []string
			Sees     string
			Read     string
			Sender   string
			Done     bool
		}
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if told.LoggedIn != "" {
			logins++
			if !told.Managed {
				t.Errorf("%s has no stream management", told.LoggedIn)
			}
		}
		for _, want := range []string{"http://jabber.org/protocol/disco#info", "urn:xmpp:ping", "urn:xmpp:carbons:2"} {
			if told.Features != nil && !slices.Contains(told.Features, want) {
				t.Errorf("the server does not tell of %s: %v", want, told.Features)
			}
		}
		if told.Read != "" {
			read[told.Sender+": "+told.Read]++
		}
		done = done || told.Done
	}
	want := map[string]int{"romeo@" + imserver.Domain + ": Is the harbour clear?": 1, "juliet@" + imserver.Domain + ": It is. Come in.": 1}
	for text, n := range want {
		if read[text] != n {
			t.Errorf("%q was read %d times", text, read[text])
		}
	}
	if logins != 2 || !done {
		t.Errorf("%d logins, at the end: %v", logins, done)
	}
	if t.Failed() {
		t.Log(out)
	}
}
