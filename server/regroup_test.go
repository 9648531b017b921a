package server_test

import (
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/account"
)

// group makes one of im.example, or adds members to it.
func (b *bed) group(name string, members ...string) {
	b.t.Helper()
	if err := b.directory.ChangeGroup(b.t.Context(), "im.example", name, func(g *account.Group) error {
		for _, m := range members {
			g.Members = append(g.Members, jid.MustParse(m))
		}
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
}

// Who is put into a group is in the rosters of those who are connected, and they see each other, without another login.
func TestNewMembersOfAGroup(t *testing.T) {
	for name, look := range map[string]func(b *bed){
		"when it is told": func(b *bed) { b.server.Regroup() },
		"by itself":       func(*bed) { time.Sleep(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBed(t, nil, "juliet", "romeo", "nurse")
				if err := b.directory.AddGroup(t.Context(), "im.example", "crew", "The crew"); err != nil {
					t.Fatal(err)
				}
				b.group("crew", "juliet@im.example", "nurse@im.example", "ben@far.example")
				look(b)
				juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
				juliet.say(askRoster)
				juliet.gets("nurse@im.example")
				romeo.say(askRoster)
				romeo.drain()
				b.farGets("<presence from='juliet@im.example/balcony' to='ben@far.example'/>", "type='probe'")
				b.group("crew", "romeo@im.example")
				juliet.gets()
				look(b)
				juliet.gets("type='set'…<item jid='romeo@im.example' name='romeo' subscription='both'><group>The crew</group>", "<presence from='romeo@im.example/garden'")
				romeo.gets("<item jid='ben@far.example'…<group>The crew", "<item jid='juliet@im.example'", "<item jid='nurse@im.example'", "<presence from='juliet@im.example/balcony'")
				b.farGets("<presence from='romeo@im.example/garden' to='ben@far.example'/>", "<presence from='romeo@im.example' to='ben@far.example' type='probe'/>")
				look(b) // nothing has changed
				juliet.gets()
				romeo.gets()
			})
		})
	}
}

// A domain that is added has clients and groups from then on; what is none is refused with all that stands beside it.
func TestAddDomains(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		second, paris := jid.MustParse("second.example"), jid.MustParse("paris@second.example")
		want := stream.BindWanted{Account: paris, Resource: "r"}
		if err := b.server.AddDomains([]jid.JID{second, paris}); err == nil {
			t.Error("an account is taken for a domain")
		}
		if in, ok := b.server.BindTo(&client{bed: b, address: paris}, want).(stream.BindRefused); !ok || in.Reason != stream.BindNotAllowed {
			t.Errorf("of another domain: %+v", in)
		}
		if err := b.server.AddDomains([]jid.JID{second}); err != nil {
			t.Fatal(err)
		}
		if in, ok := b.server.BindTo(&client{bed: b, address: paris}, want).(stream.Bound); !ok {
			t.Errorf("of the one that was added: %+v", in)
		}
		b.login("juliet@im.example/balcony")
	})
}
