package presence_test

import (
	"testing"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/stanza"
	"sallyport/server/presence"
)

// The nine states of appendix A.1, by the names there.
var states = map[string]presence.State{
	"None":                  {},
	"None + Pending Out":    {PendingOut: true},
	"None + Pending In":     {PendingIn: true},
	"None + Pending Out+In": {PendingOut: true, PendingIn: true},
	"To":                    {To: true},
	"To + Pending In":       {To: true, PendingIn: true},
	"From":                  {From: true},
	"From + Pending Out":    {From: true, PendingOut: true},
	"Both":                  {To: true, From: true},
}

var order = []string{
	"None", "None + Pending Out", "None + Pending In", "None + Pending Out+In", "To", "To + Pending In", "From", "From + Pending Out", "Both",
}

// row is what one of the tables says of one state: whether the stanza goes on (to the contact, or to the owner's clients), and the state
// after it; "" is no change.
type row struct {
	on   bool
	next string
}

type table struct {
	name string
	typ  stanza.Type
	step func(presence.State, stanza.Type) (presence.State, presence.Effect)
	on   func(presence.Effect) bool
	rows [9]row // in the order of the states
}

func route(e presence.Effect) bool { return e.Route }
func show(e presence.Effect) bool  { return e.Show }

// Tables 1 to 8 of appendix A.2 and A.3, without approval beforehand.
var tables = []table{
	{"A.2.1", stanza.PresenceSubscribe, presence.State.Sends, route, [9]row{
		{true, "None + Pending Out"}, {true, ""}, {true, "None + Pending Out+In"}, {true, ""}, {true, ""}, {true, ""}, {true, "From + Pending Out"}, {true, ""}, {true, ""},
	}},
	{"A.2.2", stanza.PresenceUnsubscribe, presence.State.Sends, route, [9]row{
		{true, ""}, {true, "None"}, {true, ""}, {true, "None + Pending In"}, {true, "None"}, {true, "None + Pending In"}, {true, ""}, {true, "From"}, {true, "From"},
	}},
	{"A.2.3", stanza.PresenceSubscribed, presence.State.Sends, route, [9]row{
		{false, ""}, {false, ""}, {true, "From"}, {true, "From + Pending Out"}, {false, ""}, {true, "Both"}, {false, ""}, {false, ""}, {false, ""},
	}},
	{"A.2.4", stanza.PresenceUnsubscribed, presence.State.Sends, route, [9]row{
		{false, ""}, {false, ""}, {true, "None"}, {true, "None + Pending Out"}, {false, ""}, {true, "To"}, {true, "None"}, {true, "None + Pending Out"}, {true, "To"},
	}},
	{"A.3.1", stanza.PresenceSubscribe, presence.State.Comes, show, [9]row{
		{true, "None + Pending In"}, {true, "None + Pending Out+In"}, {false, ""}, {false, ""}, {true, "To + Pending In"}, {false, ""}, {false, ""}, {false, ""}, {false, ""},
	}},
	{"A.3.2", stanza.PresenceUnsubscribe, presence.State.Comes, show, [9]row{
		{false, ""}, {false, ""}, {true, "None"}, {true, "None + Pending Out"}, {false, ""}, {true, "To"}, {true, "None"}, {true, "None + Pending Out"}, {true, "To"},
	}},
	{"A.3.3", stanza.PresenceSubscribed, presence.State.Comes, show, [9]row{
		{false, ""}, {true, "To"}, {false, ""}, {true, "To + Pending In"}, {false, ""}, {false, ""}, {false, ""}, {true, "Both"}, {false, ""},
	}},
	{"A.3.4", stanza.PresenceUnsubscribed, presence.State.Comes, show, [9]row{
		{false, ""}, {true, "None"}, {false, ""}, {true, "None + Pending In"}, {true, "None"}, {true, "None + Pending In"}, {false, ""}, {true, "From"}, {true, "From"},
	}},
}

func TestAppendixA(t *testing.T) {
	t.Parallel()
	for _, tab := range tables {
		for i, name := range order {
			was, r := states[name], tab.rows[i]
			if was.String() != name {
				t.Fatalf("%q calls itself %q", name, was)
			}
			next, e := tab.step(was, tab.typ)
			want := name
			if r.next != "" {
				want = r.next
			}
			if next.Approved && tab.typ == stanza.PresenceSubscribed && !r.on { // §3.4: kept for later
				next.Approved = false
			}
			if next != states[want] || tab.on(e) != r.on {
				t.Errorf("%s, %s: %s, goes on %v; want %s, %v", tab.name, name, next, tab.on(e), want, r.on)
			}
		}
	}
}

// Approval before the request (§3.4).
func TestPreApproval(t *testing.T) {
	t.Parallel()
	for _, name := range order {
		was := states[name]
		approved, e := was.Sends(stanza.PresenceSubscribed)
		if e.Route != was.PendingIn || approved.Approved == (was.PendingIn || was.From) {
			t.Errorf("%s: approved %v, routed %v", name, approved.Approved, e.Route)
		}
		if !approved.Approved {
			continue
		}
		granted, e := approved.Comes(stanza.PresenceSubscribe)
		if !granted.From || granted.PendingIn || e.Answer != stanza.PresenceSubscribed || !e.Appear || e.Show {
			t.Errorf("%s: the request gives %s, %+v", name, granted, e)
		}
		if taken, e := approved.Sends(stanza.PresenceUnsubscribed); taken.Approved || e.Route {
			t.Errorf("%s: not taken back: %+v", name, e)
		}
	}
}

// Whatever is said by whom, the contact sees the owner only where the owner has said so, and both rosters agree when all is said.
func TestSubscriptionsAgree(t *testing.T) {
	t.Parallel()
	types := []stanza.Type{stanza.PresenceSubscribe, stanza.PresenceSubscribed, stanza.PresenceUnsubscribe, stanza.PresenceUnsubscribed}
	rapid.Check(t, func(t *rapid.T) {
		var ends [2]presence.State
		may := [2]bool{} // the owner of this end has allowed the other, and not taken it back
		var say func(by int, typ stanza.Type)
		comes := func(at int, typ stanza.Type) {
			next, e := ends[at].Comes(typ)
			ends[at] = next
			if e.Answer != stanza.NoType { // said by the server, which has moved on already
				say(at, e.Answer)
			}
		}
		say = func(by int, typ stanza.Type) { comes(1-by, typ) }
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			by, typ := rapid.IntRange(0, 1).Draw(t, "by"), rapid.SampledFrom(types).Draw(t, "type")
			switch typ {
			case stanza.PresenceSubscribed:
				may[by] = true
			case stanza.PresenceUnsubscribed:
				may[by] = false
			default:
			}
			next, e := ends[by].Sends(typ)
			ends[by] = next
			if e.Route {
				say(by, typ)
			}
			for i := range ends {
				a, b := ends[i], ends[1-i]
				if a.From && !may[i] {
					t.Fatalf("%d is seen without having said so: %s", i, a)
				}
				if a.To != b.From || a.PendingOut != b.PendingIn {
					t.Fatalf("rosters do not agree: %s and %s", a, b)
				}
				if a.To && a.PendingOut || a.From && a.PendingIn {
					t.Fatalf("no state of appendix A: %+v", a)
				}
			}
		}
	})
}

// What comes off the line in any order leads to a state of appendix A, and never shows the owner to who was not allowed.
func FuzzStates(f *testing.F) {
	f.Add([]byte{0, 9, 2, 11, 5, 6})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var s presence.State
		allowed := false
		for _, b := range steps {
			typ := stanza.PresenceSubscribe + stanza.Type(b&3)
			if b&8 == 0 {
				s, _ = s.Comes(typ)
			} else {
				allowed = typ == stanza.PresenceSubscribed || allowed && typ != stanza.PresenceUnsubscribed
				s, _ = s.Sends(typ)
			}
			plain := s
			plain.Approved = false
			if states[s.String()] != plain {
				t.Fatalf("no state of appendix A: %+v", s)
			}
			if s.From && !allowed {
				t.Fatalf("seen without having said so: %+v", s)
			}
		}
	})
}
