package webclient_test

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/webclient"
)

// TestYardstick: both programs work with a server that is not ours, so that what they say of ours means something.
func TestYardstick(t *testing.T) {
	talk := prosody(t)
	t.Run("Converse.js", func(t *testing.T) { converses(t, talk) })
	t.Run("xmpp.js", func(t *testing.T) { chats(t, talk) })
}

// converses lets two people use Converse.js, and looks at what they saw.
func converses(t *testing.T, talk webclient.Talk) webclient.Seen {
	t.Helper()
	talk.Pictures = filepath.Join("..", "..", "build", "webclient", t.Name()) // kept, to be looked at
	if err := os.MkdirAll(talk.Pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	seen, err := webclient.Converse(ctx, talk)
	if err != nil {
		t.Fatal(err)
	}
	check(t, talk, seen)
	for _, name := range []string{"1.png", "2.png"} {
		b, err := os.ReadFile(filepath.Join(talk.Pictures, name))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := png.Decode(bytes.NewReader(b)); err != nil || p.Bounds().Dx() < 1000 {
			t.Errorf("%s is no picture of a window: %v", name, err)
		}
	}
	return seen
}

// chats lets them use xmpp.js.
func chats(t *testing.T, talk webclient.Talk) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	seen, err := webclient.XMPPJS(ctx, talk)
	if err != nil {
		t.Fatal(err)
	}
	check(t, talk, seen)
}

// check: both logged in with an address of their own, and each text stands there once.
func check(t *testing.T, talk webclient.Talk, seen webclient.Seen) {
	t.Helper()
	if len(seen.LoggedIn) != len(talk.People) {
		t.Fatalf("logged in: %v", seen.LoggedIn)
	}
	for i, who := range talk.People {
		if !strings.HasPrefix(seen.LoggedIn[i], who.JID+"/") {
			t.Errorf("%s logged in as %s", who.JID, seen.LoggedIn[i])
		}
	}
	for _, text := range talk.Texts {
		if seen.Read[text] != 1 {
			t.Errorf("%q stands there %d times", text, seen.Read[text])
		}
	}
	if t.Failed() {
		t.Log(strings.Join(seen.Told, "\n"))
	}
}
