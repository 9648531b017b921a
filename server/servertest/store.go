package servertest

import (
	"path/filepath"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/store"
)

// Store opens a store on SQLite with accounts in it; the test closes it at its end.
func Store(t testing.TB, accounts ...string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DSN: "sqlite:" + filepath.Join(t.TempDir(), "server.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range accounts {
		j := jid.MustParse(name)
		if _, err := s.EnsureDomain(t.Context(), account.Domain{Name: j.Domain(), Created: time.Unix(1, 0), Decoy: []byte("key")}); err != nil {
			t.Fatal(err)
		}
		if err := s.CreateAccount(t.Context(), account.Account{JID: j, State: account.Enabled}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
