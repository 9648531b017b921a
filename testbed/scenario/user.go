package scenario

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"sallyport/testbed/client"
)

// must fails the test of this user when an action of the scenario itself could not be done.
func (u *User) must(err error) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
}

// Says sends a chat message with payloads.
func (u *User) Says(to, body string, extra ...string) {
	u.t.Helper()
	u.must(u.Send(client.Message{To: to, Body: body, Extra: extra}))
}

// Hears waits for a message with that body and returns it.
func (u *User) Hears(body string) client.Event {
	u.t.Helper()
	return u.Sees(func(e client.Event) bool { return e.Kind == "message" && e.Type != "error" && e.Body == body })
}

// Sees waits for anything that matches.
func (u *User) Sees(match func(client.Event) bool) client.Event {
	u.t.Helper()
	e, err := u.Expect(cmp.Or(u.patience, Patience), match)
	u.must(err)
	return e
}

// SeesPresence waits for presence of a type ("" is available) from a full or bare address.
func (u *User) SeesPresence(kind, from string) client.Event {
	u.t.Helper()
	return u.Sees(func(e client.Event) bool {
		return e.Kind == "presence" && e.Type == kind && (e.From == from || bare(e.From) == from)
	})
}

// SeesError waits for an error message and wants one of the conditions.
func (u *User) SeesError(conditions ...string) client.Event {
	u.t.Helper()
	e := u.Sees(func(e client.Event) bool { return e.Kind == "message" && e.Type == "error" })
	if slices.Contains(conditions, e.Condition) {
		return e
	}
	u.t.Errorf("got error %q, want one of %q: %s", e.Condition, conditions, e.XML)
	return e
}

// HearsNothing checks that nothing that matches is here or comes within the quiet time.
func (u *User) HearsNothing(match func(client.Event) bool) {
	u.t.Helper()
	if e, err := u.Expect(Quiet, match); err == nil {
		u.t.Errorf("%s got what must not arrive: %s", u.JID, e.XML)
	}
}

// Refused checks that err is an error stanza with one of the conditions.
func (u *User) Refused(err error, conditions ...string) {
	u.t.Helper()
	var r *client.Refused
	if !errors.As(err, &r) {
		u.t.Errorf("got %v, want to be refused with one of %q", err, conditions)
		return
	}
	if slices.Contains(conditions, r.Condition) {
		return
	}
	u.t.Errorf("refused with %q, want one of %q", r.Condition, conditions)
}

// Befriends makes two users see each other's presence, each asked and approved (RFC 6121 §3).
func (u *User) Befriends(other *User) {
	u.t.Helper()
	u.must(u.Presence(other.Bare(), "subscribe", ""))
	other.SeesPresence("subscribe", u.Bare())
	u.must(other.Presence(u.Bare(), "subscribed", ""))
	u.SeesPresence("subscribed", other.Bare())
	u.SeesPresence("", other.Bare())
	u.must(other.Presence(u.Bare(), "subscribe", ""))
	u.SeesPresence("subscribe", other.Bare())
	u.must(u.Presence(other.Bare(), "subscribed", ""))
	other.SeesPresence("subscribed", u.Bare())
	other.SeesPresence("", u.Bare())
}

func bare(jid string) string {
	for i := range jid {
		if jid[i] == '/' {
			return jid[:i]
		}
	}
	return jid
}

// eventually asks again until the condition holds; for what is only visible by asking.
func eventually(limit time.Duration, holds func() bool) bool {
	late := time.After(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-late:
			return false
		case <-tick.C:
		}
	}
	return true
}
