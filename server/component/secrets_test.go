package component_test

import (
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/component"
)

const (
	poems       = "poems.shakespeare.lit"
	otherSecret = "another secret, of as many bytes"
)

// proves does the handshake of a domain with a secret, and gives the answer to it.
func (c *client) proves(domain, secret string) string {
	c.Helper()
	_, after, _ := strings.Cut(c.says(header(domain)), " id='")
	id, _, _ := strings.Cut(after, "'")
	return c.says("<handshake>" + component.Handshake(id, secret) + "</handshake>")
}

// Domains and their secrets change while components are connected; whom it is not about notices nothing.
func TestSecretsChange(t *testing.T) {
	t.Parallel()
	said := func(domain string) string {
		return "<message from='" + domain + "' to='bard@shakespeare.lit'><body>b</body></message>"
	}
	for _, tc := range []struct {
		name  string
		to    map[string]string
		got   string // by who has proven the domain of plays
		again string // what comes of proving it anew with the other secret
	}{
		{"nothing", map[string]string{plays: secret, poems: secret}, "", "<conflict "},
		{"another domain, too", map[string]string{plays: secret, poems: secret, "songs.shakespeare.lit": secret}, "", "<conflict "},
		{"another secret", map[string]string{plays: otherSecret, poems: secret}, "<reset ", "<handshake/>"},
		{"it is removed", map[string]string{poems: secret}, "<host-gone ", "<host-unknown "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(w *world) {
				w.secrets(map[string]string{plays: secret, poems: secret})
				one, other := w.login(), w.connect()
				if got := other.proves(poems, secret); got != "<handshake/>" {
					t.Fatalf("a domain that came later: %s", got)
				}
				w.secrets(tc.to)
				got := one.says(said(plays))
				if !strings.Contains(got, tc.got) || (tc.got != "") != strings.HasSuffix(got, "</stream:stream>") {
					t.Errorf("it is told %s, want %s", got, tc.got)
				}
				if heard := w.gate.submitted(); (tc.got == "") != (len(heard) == 1) {
					t.Errorf("taken of it: %s", heard)
				}
				with := otherSecret
				if tc.got == "" {
					with = secret
				}
				late := w.connect()
				_, after, found := strings.Cut(late.says(header(plays)), " id='")
				id, rest, _ := strings.Cut(after, "'")
				if found && !strings.Contains(rest, "</stream:stream>") {
					rest = late.says("<handshake>" + component.Handshake(id, with) + "</handshake>")
				}
				if !strings.Contains(rest, tc.again) {
					t.Errorf("proven again it is told %s, want %s", rest, tc.again)
				}
				if got := other.says(said(poems)); got != "" || len(w.gate.submitted()) != 1 {
					t.Errorf("the other one is told %s", got)
				}
			})
		})
	}
}

// What waits for a component is written before it hears that its secret is another one.
func TestWhatWaitsGoesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		c := w.login()
		result := w.delivers(plays, "before")
		w.secrets(map[string]string{plays: otherSecret})
		got := c.got()
		before, after, _ := strings.Cut(got, "</message>")
		if result() != "delivered" || !strings.Contains(before, "before") || !strings.Contains(after, "<reset ") {
			t.Errorf("it got %s", got)
		}
		if got := w.delivers(plays, "behind")(); got != "service-unavailable" {
			t.Errorf("what comes then is %s", got)
		}
	})
}

// A handshake that began under the old secret does not end under the new one.
func TestAHandshakeUnderTheOldSecret(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		c := w.connect()
		_, after, _ := strings.Cut(c.says(header(plays)), " id='")
		id, _, _ := strings.Cut(after, "'")
		w.secrets(map[string]string{plays: otherSecret})
		if got := c.says("<handshake>" + component.Handshake(id, secret) + "</handshake>"); !strings.Contains(got, "<not-authorized ") {
			t.Errorf("it is told %s", got)
		}
	})
}

func TestSecretsThatAreNone(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		if err := w.all.SetSecrets(map[jid.JID]string{jid.MustParse(plays): "short"}); err == nil {
			t.Error("a short one is taken")
		}
		w.login()
	})
}

// secrets has the components be these.
func (w *world) secrets(of map[string]string) {
	w.Helper()
	next := make(map[jid.JID]string)
	for d, s := range maps.All(of) {
		next[jid.MustParse(d)] = s
	}
	if err := w.all.SetSecrets(next); err != nil {
		w.Fatal(err)
	}
}

// In the end components are told so, have what waited for them, and what they said before they knew is taken.
func TestClose(t *testing.T) {
	t.Parallel()
	bubble(t, func(w *world) {
		c, stranger := w.login(), w.connect()
		stranger.says(header(plays))
		result := w.delivers(plays, "last")
		over := make(chan struct{})
		go func() {
			defer close(over)
			w.all.Close()
		}()
		got := c.says("<message from='" + plays + "' to='bard@shakespeare.lit'><body>on its way</body></message>")
		if heard := w.gate.submitted(); len(heard) != 1 || !strings.Contains(heard[0], "on its way") {
			t.Errorf("taken is %s", heard)
		}
		if !strings.Contains(got, "last") || !strings.HasSuffix(got, "</stream:stream>") || !strings.Contains(got, "<system-shutdown ") || result() != "delivered" {
			t.Errorf("it is told %s", got)
		}
		select {
		case <-over:
			t.Error("nobody waits for what it says")
		default:
		}
		c.says("</stream:stream>")
		<-over
		if _, err := io.WriteString(stranger.Conn, " "); err == nil {
			t.Error("who has proven nothing is still there")
		}
	})
}

// A component that does not end its side, or does not even read, holds up nobody for long.
func TestCloseWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, connect := range map[string]func(w *world){
		"it goes on":       func(w *world) { w.login() },
		"it does not read": func(w *world) { w.loginByHand() },
	} {
		bubble(t, func(w *world) {
			connect(w)
			w.delivers(plays, "b")
			from := time.Now()
			w.all.Close()
			if took := time.Since(from); took > 2*component.CloseTimeout {
				t.Errorf("%s: it took %s", name, took)
			}
		})
	}
}
