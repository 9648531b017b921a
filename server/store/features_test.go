package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/account"
	"sallyport/server/blocking"
	"sallyport/server/entity"
	"sallyport/server/hybrid"
	"sallyport/server/invite"
	"sallyport/server/private"
	"sallyport/server/push"
	"sallyport/server/roster"
	"sallyport/server/search"
	"sallyport/server/upload"
)

func TestSeen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		if _, err := s.Seen(ctx, juliet); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("never seen: %v", err)
		}
		for _, want := range []entity.Seen{{At: moment(5), Status: "Heading Home"}, {At: moment(4)}} {
			if err := s.PutSeen(ctx, juliet, want); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Seen(ctx, juliet); err != nil || got != want {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		}
		if err := s.PutSeen(ctx, jid.MustParse("nobody@a.example"), entity.Seen{At: moment(1)}); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("without the account: %v", err)
		}
	})
}

func TestBlocked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		list := func(names ...string) (all []jid.JID) {
			for _, n := range names {
				all = append(all, jid.MustParse(n))
			}
			return all
		}
		check := func(want ...string) {
			t.Helper()
			got, err := s.Blocked(ctx, juliet)
			if d := cmp.Diff(list(want...), got, same); err != nil || d != "" {
				t.Errorf("%v\n%s", err, d)
			}
		}
		check()
		for range 2 {
			if err := s.Block(ctx, juliet, list("b.example", "a@b.example/r", "c@b.example")); err != nil {
				t.Fatal(err)
			}
		}
		check("a@b.example/r", "b.example", "c@b.example")
		if err := s.Unblock(ctx, juliet, list("b.example", "x@b.example")); err != nil {
			t.Fatal(err)
		}
		check("a@b.example/r", "c@b.example")
		var many []jid.JID
		for i := range blocking.MaxBlocked - 1 {
			many = append(many, jid.MustParse(fmt.Sprintf("u%d@b.example", i)))
		}
		if err := s.Block(ctx, juliet, many); !errors.Is(err, blocking.ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		check("a@b.example/r", "c@b.example")
		if err := s.Unblock(ctx, juliet, nil); err != nil {
			t.Fatal(err)
		}
		check()
		if err := s.Block(ctx, jid.MustParse("nobody@a.example"), list("b.example")); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("without the account: %v", err)
		}
	})
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		nobody := jid.MustParse("nobody@a.example")
		name := func(n string) xmlstream.Name { return xmlstream.Name{Space: "urn:" + n, Local: n} }
		for _, d := range []struct {
			name string
			put  func(jid.JID, []byte) error
			get  func(jid.JID) ([]byte, error)
		}{
			{
				"vCard", func(j jid.JID, b []byte) error { return s.PutVCard(ctx, j, b) },
				func(j jid.JID) ([]byte, error) { return s.VCard(ctx, j) },
			},
			{
				"private", func(j jid.JID, b []byte) error { return s.PutPrivate(ctx, j, name("x"), b) },
				func(j jid.JID) ([]byte, error) { return s.Private(ctx, j, name("x")) },
			},
		} {
			if _, err := d.get(juliet); !errors.Is(err, account.ErrNotFound) {
				t.Errorf("%s before it was put: %v", d.name, err)
			}
			for _, text := range []string{"<a/>", "<b/>"} {
				if err := d.put(juliet, []byte(text)); err != nil {
					t.Fatal(err)
				}
				if got, err := d.get(juliet); err != nil || string(got) != text {
					t.Errorf("%s: %s, %v", d.name, got, err)
				}
			}
			if err := d.put(nobody, []byte("<a/>")); !errors.Is(err, account.ErrNotFound) {
				t.Errorf("%s without the account: %v", d.name, err)
			}
		}
		for i := range private.MaxElements {
			err := s.PutPrivate(ctx, juliet, name(fmt.Sprint("n", i)), []byte("<a/>"))
			if last := i == private.MaxElements-1; errors.Is(err, private.ErrFull) != last || err != nil && !last {
				t.Fatalf("element %d: %v", i, err)
			}
		}
		if prefs, err := s.ArchivePrefs(ctx, juliet); err != nil || prefs != nil {
			t.Errorf("preferences that were not put: %s, %v", prefs, err)
		}
		if err := s.PutArchivePrefs(ctx, juliet, []byte("<p/>")); err != nil {
			t.Fatal(err)
		}
		if prefs, err := s.ArchivePrefs(ctx, juliet); err != nil || string(prefs) != "<p/>" {
			t.Errorf("preferences: %s, %v", prefs, err)
		}
	})
}

func TestUploads(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		slot := upload.Slot{Domain: "a.example", ID: "S1", Owner: juliet, Name: "f", Type: "t/x", Size: 60, Expires: moment(10)}
		if err := s.PutSlot(ctx, slot, 100); err != nil {
			t.Fatal(err)
		}
		second := slot
		second.ID, second.Expires = "S2", moment(20)
		if err := s.PutSlot(ctx, second, 100); !errors.Is(err, upload.ErrQuota) {
			t.Errorf("over the quota: %v", err)
		}
		if err := s.PutSlot(ctx, second, 120); err != nil {
			t.Error(err)
		}
		if got, err := s.Slot(ctx, "a.example", "S1", moment(9)); err != nil || got != slot {
			t.Errorf("got %+v, %v", got, err)
		}
		if _, err := s.Slot(ctx, "a.example", "S1", moment(10)); !errors.Is(err, upload.ErrSlot) {
			t.Errorf("it has expired: %v", err)
		}
		if err := s.MarkStored(ctx, "a.example", "S2", moment(30)); err != nil {
			t.Error(err)
		}
		if err := s.MarkStored(ctx, "a.example", "S2", moment(40)); !errors.Is(err, upload.ErrSlot) {
			t.Errorf("stored twice: %v", err)
		}
		if got, err := s.Slot(ctx, "a.example", "S2", moment(29)); err != nil || !got.Stored || !got.Expires.Equal(moment(30)) {
			t.Errorf("got %+v, %v", got, err)
		}
		if old, err := s.ExpiredSlots(ctx, moment(30), 1); err != nil || len(old) != 1 || old[0].ID != "S1" {
			t.Errorf("expired are %+v, %v", old, err)
		}
		if err := s.RemoveSlot(ctx, "a.example", "S1"); err != nil {
			t.Error(err)
		}
		if old, err := s.ExpiredSlots(ctx, moment(30), 9); err != nil || len(old) != 1 || old[0].ID != "S2" {
			t.Errorf("expired are %+v, %v", old, err)
		}
	})
}

func TestContact(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		version, err := hybrid.After(hybrid.ID{}, moment(1), "n1")
		if err != nil {
			t.Fatal(err)
		}
		want := roster.Item{Contact: jid.MustParse("romeo@b.example"), Name: "R", Subscription: roster.From, Version: version}
		if err := s.PutItem(ctx, juliet, hybrid.ID{}, want); err != nil {
			t.Fatal(err)
		}
		got, ok, err := s.Contact(ctx, juliet, jid.MustParse("romeo@b.example/x"))
		if d := cmp.Diff(want, got, same, sameID); !ok || err != nil || d != "" {
			t.Errorf("%v, %v\n%s", ok, err, d)
		}
		if _, ok, err := s.Contact(ctx, juliet, jid.MustParse("paris@b.example")); ok || err != nil {
			t.Errorf("somebody else: %v, %v", ok, err)
		}
	})
}

func TestPushes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		one := push.Registration{Service: jid.MustParse("p.example"), Node: "a", Client: "phone", Options: []byte("<x/>")}
		two := push.Registration{Service: jid.MustParse("p.example"), Node: "b"}
		three := push.Registration{Service: jid.MustParse("q.example"), Node: "a"}
		changed := one
		changed.Client = "tablet"
		for _, r := range []push.Registration{one, two, three, changed} {
			if err := s.PutPush(ctx, juliet, r); err != nil {
				t.Fatal(err)
			}
		}
		check := func(want ...push.Registration) {
			t.Helper()
			got, err := s.Pushes(ctx, juliet)
			if d := cmp.Diff(want, got, same); err != nil || d != "" {
				t.Errorf("%v\n%s", err, d)
			}
		}
		check(changed, two, three)
		if err := s.RemovePush(ctx, juliet, one.Service, "b"); err != nil {
			t.Error(err)
		}
		check(changed, three)
		if err := s.RemovePush(ctx, juliet, one.Service, ""); err != nil {
			t.Error(err)
		}
		check(three)
		if err := s.PutPush(ctx, jid.MustParse("nobody@a.example"), one); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("without the account: %v", err)
		}
	})
}

func TestInvites(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		both := invite.Invite{Domain: "a.example", Digest: "d", Inviter: juliet, For: invite.Contact | invite.Account, Expires: moment(10)}
		if err := s.PutInvite(ctx, both, 1, moment(1)); err != nil {
			t.Fatal(err)
		}
		second := both
		second.Digest, second.For, second.Local = "e", invite.Account, "romeo"
		if err := s.PutInvite(ctx, second, 1, moment(1)); !errors.Is(err, invite.ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		use := func(digest string, p invite.Purpose, at int64, look bool, want invite.Purpose) {
			t.Helper()
			i, err := s.UseInvite(ctx, "a.example", digest, p, moment(at), look)
			if ok := err == nil; ok != (want >= 0) || ok && i.Used != want || !ok && !errors.Is(err, invite.ErrToken) {
				t.Errorf("%s for %d: %+v, %v", digest, p, i, err)
			}
		}
		const no = -1
		use("x", invite.Contact, 2, false, no)
		use("d", invite.Contact, 2, true, 0)
		use("d", invite.Contact, 10, true, no)
		use("d", invite.Contact, 10, false, no)
		use("d", invite.Contact, 9, false, invite.Contact)
		use("d", invite.Contact, 9, false, no)
		use("d", invite.Contact, 9, true, no)
		use("d", invite.Account, 9, false, invite.Contact|invite.Account)
		if err := s.PutInvite(ctx, second, 1, moment(11)); err != nil { // the first has expired
			t.Errorf("after the first: %v", err)
		}
		use("e", invite.Contact, 9, false, no)
		if i, err := s.UseInvite(ctx, "a.example", "e", invite.Account, moment(9), true); err != nil || i.Local != "romeo" || i.Inviter != juliet {
			t.Errorf("got %+v, %v", i, err)
		}
		for _, tc := range []struct {
			name, domain, local string
			at                  int64
			want                bool
		}{
			{"it has the name", "a.example", "romeo", 9, true},
			{"it has expired", "a.example", "romeo", 10, false},
			{"another name", "a.example", "paris", 9, false},
			{"another domain", "b.example", "romeo", 9, false},
		} {
			if got, err := s.InviteNamed(ctx, tc.domain, tc.local, moment(tc.at)); err != nil || got != tc.want {
				t.Errorf("%s: %v, %v", tc.name, got, err)
			}
		}
		use("e", invite.Account, 9, false, invite.Account)
		if got, err := s.InviteNamed(ctx, "a.example", "romeo", moment(9)); err != nil || got {
			t.Errorf("it was used: %v, %v", got, err)
		}
		third := both
		third.Digest = "f"
		if err := s.PutInvite(ctx, third, 9, moment(1)); err != nil {
			t.Fatal(err)
		}
		use("f", invite.Contact, 2, true, 0)
		if err := s.RemoveAccount(ctx, juliet); err != nil { // whoever has her name next has promised nothing
			t.Fatal(err)
		}
		use("f", invite.Contact, 2, true, no)
	})
}

func TestPeople(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		put := func(who jid.JID, first, last string) error {
			fields := [search.NumFields]string{search.First: first, search.Last: last}
			keys := [search.NumFields]string{search.First: search.Key(first), search.Last: search.Key(last)}
			return s.PutPerson(ctx, search.Person{JID: who, Fields: fields}, keys)
		}
		if err := errors.Join(put(juliet, "Old", "Name"), put(juliet, "Juliet", "Çapulet")); err != nil {
			t.Fatal(err)
		}
		if err := put(jid.MustParse("nobody@a.example"), "a", "b"); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("without the account: %v", err)
		}
		for _, tt := range []struct {
			first, last, domain string
			limit, want         int
		}{
			{"j", "", "a.example", 9, 1},
			{"", "ça", "a.example", 9, 1},
			{"juliet", "çapulet", "a.example", 9, 1},
			{"julieta", "", "a.example", 9, 0},
			{"old", "", "a.example", 9, 0},
			{"i", "", "a.example", 9, 0},
			{"k", "", "a.example", 9, 0},
			{"j", "", "b.example", 9, 0},
			{"j", "", "a.example", 0, 0},
		} {
			got, err := s.FindPeople(ctx, tt.domain, [search.NumFields]string{search.First: tt.first, search.Last: tt.last}, tt.limit)
			if err != nil || len(got) != tt.want {
				t.Errorf("%+v: %+v, %v", tt, got, err)
			}
		}
		if err := put(juliet, "", ""); err != nil {
			t.Fatal(err)
		}
		if got, err := s.FindPeople(ctx, "a.example", [search.NumFields]string{}, 9); err != nil || len(got) > 0 {
			t.Errorf("left are %+v, %v", got, err)
		}
	})
}
