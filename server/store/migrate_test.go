package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/archive"
	"sallyport/server/roster"
	"sallyport/server/search"
	"sallyport/server/store"
)

// released holds the digest of each migration. One that was released is never edited: stores of that version exist.
var released = []string{
	"2a575bd693f5766d",
	"5b08a134141c2077",
	"dffe61622d8b81e4",
	"b4321a688dab82cd",
	"8873930f093b808d",
	"913e68393c5962bc",
	"207b1d18278e9219",
	"52d74acfa2c1eae4",
	"5505b21bdd718167",
}

func TestReleasedMigrationsAreNotEdited(t *testing.T) {
	t.Parallel()
	var got []string
	for _, m := range store.Migrations() {
		sum := sha256.Sum256([]byte(strings.Join(m, "\x00")))
		got = append(got, hex.EncodeToString(sum[:8]))
	}
	if d := cmp.Diff(released, got); d != "" {
		t.Errorf("write another migration instead:\n%s", d)
	}
}

// content is what a store of each version holds, as statements that its schema understands; the newest store has to give it back.
var content = []struct {
	statements []string
	check      func(*testing.T, *store.Store)
}{
	{
		statements: []string{
			`INSERT INTO domains (domain, created, decoy) VALUES ('a.example', 5, CAST('key' AS {bytes}))`,
			`INSERT INTO accounts (domain, local, state, clearance, catalogue, created, changed, revision)
				VALUES ('a.example', 'juliet', 1, 'staff', '', 6000000, 7000000, 3)`,
			`INSERT INTO credentials (domain, local, hash, iterations, salt, stored_key, server_key)
				VALUES ('a.example', 'juliet', 2, 4096, CAST('s' AS {bytes}), CAST('k' AS {bytes}), CAST('v' AS {bytes}))`,
			`INSERT INTO account_groups (domain, name, title, revision) VALUES ('a.example', 'crew', 'The crew', 2)`,
			`INSERT INTO group_members (domain, name, member) VALUES ('a.example', 'crew', 'juliet@a.example')`,
		},
		check: func(t *testing.T, s *store.Store) {
			juliet := jid.MustParse("juliet@a.example")
			a, err := s.Account(t.Context(), juliet)
			want := account.Account{
				JID: juliet, State: account.Enabled, Clearance: "staff", Revision: 3, Created: moment(6).Add(-1000), Changed: moment(7).Add(-1000),
				Credentials: []account.Credential{{Hash: account.SHA256, Iterations: 4096, Salt: []byte("s"), StoredKey: []byte("k"), ServerKey: []byte("v")}},
			}
			if d := cmp.Diff(want, a, same); err != nil || d != "" {
				t.Errorf("%v\n%s", err, d)
			}
			g, err := s.Group(t.Context(), "a.example", "crew")
			if err != nil || g.Title != "The crew" || !slices.Contains(g.Members, juliet) {
				t.Errorf("the group is %+v, %v", g, err)
			}
		},
	},
	{
		statements: []string{
			`INSERT INTO rosters (domain, local, version, forgotten) VALUES ('a.example', 'juliet', '0000000000020000-n1', '')`,
			`INSERT INTO roster_items (domain, local, contact, version, removed, name, groups_json, subscription, flags, request)
				VALUES ('a.example', 'juliet', 'romeo@b.example', '0000000000020000-n1', 0, 'R', '["F"]', 3, 2, CAST('' AS {bytes}))`,
		},
		check: func(t *testing.T, s *store.Store) {
			items, version, err := s.Roster(t.Context(), jid.MustParse("juliet@a.example"))
			want := []roster.Item{{
				Contact: jid.MustParse("romeo@b.example"), Name: "R", Groups: []string{"F"}, Subscription: roster.Both, Approved: true, Version: version,
			}}
			if d := cmp.Diff(want, items, same, sameID); err != nil || d != "" || version.String() != "0000000000020000-n1" {
				t.Errorf("%s, %v\n%s", version, err, d)
			}
		},
	},
	{
		statements: []string{
			`INSERT INTO archives (domain, local, last) VALUES ('a.example', 'juliet', '0000000000030000-n1')`,
			`INSERT INTO archive_entries (domain, local, id, with_bare, with_resource, stanza)
				VALUES ('a.example', 'juliet', '0000000000030000-n1', 'romeo@b.example', 'r', CAST('<message/>' AS {bytes}))`,
		},
		check: func(t *testing.T, s *store.Store) {
			page, err := s.QueryArchive(t.Context(), archive.Query{Owner: jid.MustParse("juliet@a.example"), With: jid.MustParse("romeo@b.example/r"), Max: 2})
			if err != nil || !page.Complete || len(page.Entries) != 1 || string(page.Entries[0].Stanza) != "<message/>" {
				t.Errorf("the archive has %+v, %v", page, err)
			}
		},
	},
	{
		statements: []string{
			`INSERT INTO archive_entries (domain, local, id, with_bare, with_resource, stanza, message_id)
				VALUES ('a.example', 'juliet', '0000000000030001-n1', 'nurse@b.example', 'r', CAST('<m/>' AS {bytes}), 'id')`,
			`INSERT INTO last_seen (domain, local, at, status) VALUES ('a.example', 'juliet', 5000000, 'Gone')`,
			`INSERT INTO blocked (domain, local, who) VALUES ('a.example', 'juliet', 'b.example')`,
			`INSERT INTO documents (domain, local, kind, name, content) VALUES ('a.example', 'juliet', 'private', 'n', CAST('<x/>' AS {bytes}))`,
			`INSERT INTO nodes (domain, local, name, options_json) VALUES ('a.example', 'juliet', 'n', '{}')`,
			`INSERT INTO node_items (domain, local, node, item, version, publisher, payload)
				VALUES ('a.example', 'juliet', 'n', 'i', '0000000000030001-n1', 'juliet@a.example/b', CAST('<x/>' AS {bytes}))`,
			`INSERT INTO invites (domain, digest, inviter, kind, local, expires, used) VALUES ('a.example', 'd', 'juliet@a.example', 1, '', 5000000, 0)`,
			`INSERT INTO push_services (domain, local, service, node, options) VALUES ('a.example', 'juliet', 'push.example', 'n', CAST('' AS {bytes}))`,
			`INSERT INTO uploads (domain, slot, owner, name, type, size, expires, stored) VALUES ('a.example', 's', 'juliet@a.example', 'f', 't', 3, 5000000, 1)`,
		},
		check: func(t *testing.T, s *store.Store) {
			e, err := s.FindMessage(t.Context(), jid.MustParse("juliet@a.example"), jid.MustParse("nurse@b.example"), "id")
			if err != nil || string(e.Stanza) != "<m/>" {
				t.Errorf("the archive has %+v, %v", e, err)
			}
		},
	},
	{
		statements: []string{
			`INSERT INTO tokens (domain, local, id, agent, mechanism, value, issued, expires, password)
				VALUES ('a.example', 'juliet', 't', 'phone', 'HT-SHA-256-EXPR', CAST('v' AS {bytes}), 5000000, 9000000, CAST('k' AS {bytes}))`,
		},
		check: func(t *testing.T, s *store.Store) {
			list, err := s.Tokens(t.Context(), jid.MustParse("juliet@a.example"), "phone", "HT-SHA-256-EXPR", moment(6))
			if err != nil || len(list) != 1 || list[0].Value != "v" {
				t.Errorf("the tokens are %+v, %v", list, err)
			}
		},
	},
	{
		statements: []string{
			`INSERT INTO offline_messages (domain, local, id, at, stanza) VALUES ('a.example', 'juliet', 7, 5000, CAST('<message/>' AS {bytes}))`,
		},
		check: func(t *testing.T, s *store.Store) {
			list, err := s.OfflineAfter(t.Context(), jid.MustParse("juliet@a.example"), 6)
			if err != nil || len(list) != 1 || string(list[0].Stanza) != "<message/>" || !list[0].At.Equal(time.UnixMicro(5000)) {
				t.Errorf("what waits is %+v, %v", list, err)
			}
		},
	},
	{
		statements: []string{
			`INSERT INTO people (domain, local, first, first_key, last, last_key, nick, nick_key, email, email_key)
				VALUES ('a.example', 'juliet', 'Juliet', 'juliet', '', '', '', '', '', '')`,
		},
		check: func(t *testing.T, s *store.Store) {
			found, err := s.FindPeople(t.Context(), "a.example", [search.NumFields]string{search.First: "jul"}, 2)
			if err != nil || len(found) != 1 || found[0].JID.Local() != "juliet" || found[0].Fields[search.First] != "Juliet" {
				t.Errorf("found %+v, %v", found, err)
			}
		},
	},
	{
		statements: []string{`INSERT INTO settings (domain, name, content) VALUES ('a.example', 'motd', CAST('{}' AS {bytes}))`},
		check: func(t *testing.T, s *store.Store) {
			if got, err := s.Setting(t.Context(), "a.example", "motd"); err != nil || string(got) != "{}" {
				t.Errorf("the setting is %s, %v", got, err)
			}
		},
	},
	{
		statements: []string{
			`INSERT INTO node_items (domain, local, node, item, version, publisher, payload, label)
				VALUES ('a.example', 'juliet', 'n', 'j', '0000000000030002-n1', 'juliet@a.example/b', CAST('<y/>' AS {bytes}), '<l/>')`,
		},
		check: func(t *testing.T, s *store.Store) {
			list, err := s.NodeItems(t.Context(), jid.MustParse("juliet@a.example"), "n", 5)
			if err != nil || len(list) != 2 || list[0].Label != "<l/>" || list[1].Label != "" || string(list[1].Payload) != "<x/>" {
				t.Errorf("the items are %+v, %v", list, err)
			}
		},
	},
}

// TestEveryVersionComesForward fills a store of each version with what it could hold, and opens it with this release.
func TestEveryVersionComesForward(t *testing.T) {
	t.Parallel()
	if len(content) != store.Versions {
		t.Fatalf("there are %d versions and content for %d", store.Versions, len(content))
	}
	each(t, func(t *testing.T, _ place) {
		kind := t.Name()[strings.LastIndex(t.Name(), "/")+1:]
		for version := range store.Versions + 1 {
			t.Run(fmt.Sprint("from ", version), func(t *testing.T) {
				t.Parallel()
				p := fresh(t, kind)
				old, err := store.OpenAt(t.Context(), store.Options{DSN: p.dsn}, version)
				if err != nil {
					t.Fatal(err)
				}
				if err := old.Close(); err != nil {
					t.Fatal(err)
				}
				types := strings.NewReplacer("{bytes}", map[string]string{"sqlite": "BLOB", "postgres": "BYTEA"}[kind])
				for _, c := range content[:version] {
					for _, q := range c.statements {
						p.exec(t, types.Replace(q))
					}
				}
				now := p.open(t)
				for _, c := range content[:version] {
					c.check(t, now)
				}
				if err := now.Check(t.Context(), store.Whole); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		for _, tt := range []struct {
			name, statement, want string
			ours                  bool
			is                    error
		}{
			{name: "a later version", ours: true, statement: "UPDATE sallyport_schema SET version = 1000", want: "version 1000", is: store.ErrNewer},
			{name: "tables of others", statement: "CREATE TABLE shop (article TEXT)", want: "not of sallyport"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				p := fresh(t, p.kind)
				if tt.ours {
					s, err := store.Open(t.Context(), store.Options{DSN: p.dsn})
					if err := errors.Join(err, s.Close()); err != nil {
						t.Fatal(err)
					}
				}
				p.exec(t, tt.statement)
				_, err := store.Open(t.Context(), store.Options{DSN: p.dsn})
				if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
			})
		}
	})
}

// Two processes that start together on an empty database both come up.
func TestOpenTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		const processes = 4
		errs := make(chan error, processes)
		for range processes {
			go func() {
				s, err := store.Open(t.Context(), store.Options{DSN: p.dsn})
				if err == nil {
					err = s.Close()
				}
				errs <- err
			}()
		}
		for range processes {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAddressOfTheStore(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"", "sqlite:", "mysql://u:secret@h/d", "postgres://u:secret@[/d"} {
		_, err := store.Open(t.Context(), store.Options{DSN: dsn})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
}

// TestNotReached: what cannot be reached is told in one line, with what to do.
func TestNotReached(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, dsn, want string }{
		{"no server there", "postgres://sallyport@127.0.0.1:1/postgres", "is PostgreSQL running there"},
		{"no such database", strings.Replace(cluster.DSN(""), "/postgres", "/nothing", 1), "create the database"},
		{"a user who may not", strings.Replace(cluster.DSN(""), "sallyport@", "stranger@", 1), "it does not let this user in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := store.Open(t.Context(), store.Options{DSN: tt.dsn})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\t\n") {
				t.Errorf("got %v, want one line with %q", err, tt.want)
			}
		})
	}
}
