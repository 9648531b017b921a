package store_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/archive"
	"sallyport/server/roster"
	"sallyport/server/store"
	"sallyport/server/token"
)

// filled is a store with something in every table.
func filled(t *testing.T, p place) *store.Store {
	t.Helper()
	s := p.open(t)
	for _, d := range []string{"a.example", "b.example"} {
		domain(t, s, d)
		for _, local := range []string{"juliet", "ромео", "o.neil"} {
			if err := s.CreateAccount(t.Context(), someAccount(local+"@"+d)); err != nil {
				t.Fatal(err)
			}
		}
		g := account.Group{Domain: d, Name: "Крю & <b>", Title: "\u2028 line", Members: []jid.JID{jid.MustParse("juliet@" + d), jid.MustParse("x@far.example")}}
		if err := s.PutGroup(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if _, err := book(s).Change(t.Context(), jid.MustParse("juliet@"+d), jid.MustParse("x@far.example"), func(i *roster.Item) error {
			i.Groups, i.Request = []string{"<&>"}, []byte("\x00\xff")
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		entry := archive.Entry{Owner: jid.MustParse("juliet@" + d), With: jid.MustParse("x@far.example/r"), Stanza: []byte("<message/>")}
		if _, err := s.AppendArchive(t.Context(), moment(3), "n1", []archive.Entry{entry, entry}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func backedUp(t *testing.T, s *store.Store) string {
	t.Helper()
	var b bytes.Buffer
	rows, err := s.Backup(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(`{"rows":%d,`, rows); !strings.Contains(b.String(), want) {
		t.Fatalf("%d rows were told, the trailer has others", rows)
	}
	return b.String()
}

// A backup goes from either database into either, and comes out the same.
func TestBackupGoesAnywhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, from place) {
		want := backedUp(t, filled(t, from))
		for table := range store.Tables() {
			if !strings.Contains(want, `{"table":"`+table+`"`) {
				t.Errorf("table %s is not in the backup", table)
			}
		}
		each(t, func(t *testing.T, to place) {
			if _, err := store.Restore(t.Context(), store.Options{DSN: to.dsn}, strings.NewReader(want)); err != nil {
				t.Fatal(err)
			}
			s := to.open(t)
			if d := cmp.Diff(want, backedUp(t, s)); d != "" {
				t.Error(d)
			}
			if err := s.Check(t.Context(), store.Whole); err != nil {
				t.Error(err)
			}
			_, err := store.Restore(t.Context(), store.Options{DSN: to.dsn}, strings.NewReader(want))
			if err == nil || !strings.Contains(err.Error(), "not empty") {
				t.Errorf("restored again: %v", err)
			}
		})
	})
}

// A backup is the state of one moment, whatever happens beside it: both accounts of each pair, or neither.
func TestBackupIsOneMoment(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s := p.open(t)
		domain(t, s, "a.example")
		stop, done := make(chan struct{}), make(chan error, 1)
		go func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				g := account.Group{Domain: "a.example", Name: fmt.Sprint("g", i), Members: []jid.JID{jid.MustParse("x@a.example"), jid.MustParse("y@a.example")}}
				if err := s.PutGroup(t.Context(), g); err != nil {
					done <- err
					return
				}
			}
		}()
		for range 20 {
			text := backedUp(t, s)
			groups, members := strings.Count(text, `["a.example","g`), strings.Count(text, `@a.example"]`)
			if groups-members != members/2 {
				t.Errorf("%d rows of groups, %d of them members", groups, members)
			}
		}
		close(stop)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestBackupHasNoTokens: who reads a backup cannot log in with what is in it, nor can who had a token before it was restored.
func TestBackupHasNoTokens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s := filled(t, p)
		const value = "a-token-in-clear"
		one := token.Token{
			Account: jid.MustParse("juliet@a.example"), ID: "t1", Agent: "agent", Mechanism: "HT-SHA-256-EXPR", Value: value,
			Issued: moment(1), Expires: moment(1 << 30),
		}
		if err := s.AddToken(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Tokens(t.Context(), one.Account, one.Agent, one.Mechanism, moment(2)); err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		text := backedUp(t, s)
		if strings.Contains(text, value) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(value))) || strings.Contains(text, one.ID) {
			t.Error("the token is in the backup")
		}
		into := fresh(t, "sqlite")
		if _, err := store.Restore(t.Context(), store.Options{DSN: into.dsn}, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := into.open(t).Tokens(t.Context(), one.Account, one.Agent, one.Mechanism, moment(2)); err != nil || len(got) != 0 {
			t.Errorf("restored: %v, %v", got, err)
		}
	})
}

// What is not whole is refused, and leaves nothing behind.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	good := backedUp(t, filled(t, fresh(t, "sqlite")))
	lines := strings.SplitAfter(good, "\n")
	for _, tt := range []struct {
		name, text string
		is         error
	}{
		{"nothing", "", store.ErrBackup},
		{"something else", "PK\x03\x04\n", store.ErrBackup},
		{"cut off", good[:len(good)/2], store.ErrBackup},
		{"without its end", strings.Join(lines[:len(lines)-2], ""), store.ErrBackup},
		{"a value changed", strings.Replace(good, "staff", "chief", 1), store.ErrBackup},
		{"a row taken out", strings.Join(slices.Concat(lines[:5], lines[6:]), ""), store.ErrBackup},
		{"a row twice", strings.Join(slices.Concat(lines[:3], lines[2:]), ""), store.ErrBackup},
		{"more behind it", good + "\n", store.ErrBackup},
		{"a later version", strings.Replace(good, `"schema":`, `"schema":99`, 1), store.ErrNewer},
		{"a statement for a name", strings.Replace(good, `"columns":["domain","created"`, `"columns":["domain","created) SELECT 1--"`, 1), store.ErrBackup},
		{"a row before its table", lines[0] + `["x"]` + "\n" + lines[len(lines)-2], store.ErrBackup},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []string{"sqlite", "postgres"} {
				to := fresh(t, kind)
				if _, err := store.Restore(t.Context(), store.Options{DSN: to.dsn}, strings.NewReader(tt.text)); !errors.Is(err, tt.is) {
					t.Errorf("%s: got %v, want %v", kind, err, tt.is)
				}
				if all, err := to.open(t).ListDomains(t.Context(), ""); err != nil || len(all) > 0 {
					t.Errorf("%s: left behind are %v, %v", kind, all, err)
				}
			}
		})
	}
}

// Every table of the newest schema is in backups, with all of its columns.
func TestBackupsMissNoTable(t *testing.T) {
	t.Parallel()
	created := make(map[string]string) // what was said of the columns of each
	for _, m := range store.Migrations() {
		for _, text := range m {
			rest, ok := strings.CutPrefix(text, "CREATE TABLE ")
			if !ok {
				rest, ok = strings.CutPrefix(text, "ALTER TABLE ")
			}
			if name, body, _ := strings.Cut(rest, " "); ok {
				created[name] += body
			}
		}
	}
	for name, body := range created {
		for _, c := range store.Tables()[name] {
			if !strings.Contains(body, c+" {") {
				t.Errorf("table %s has no column %s", name, c)
			}
		}
		if got, want := len(store.Tables()[name]), strings.Count(body, " NOT NULL"); got != want {
			t.Errorf("table %s has %d columns, %d are backed up", name, want, got)
		}
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(created)), slices.Sorted(maps.Keys(store.Tables()))); d != "" {
		t.Error(d)
	}
}
