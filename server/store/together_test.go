package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/archive"
)

// Changes that come at the same time do not spoil each other: each is made whole, or says why not.
func TestChangesAtTheSameTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, owner := withOwner(t, p)
		const rounds, each = 8, 40
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for round := range rounds {
			var all sync.WaitGroup
			for i := range each {
				all.Go(func() {
					name := fmt.Sprintf("u%d-%d@a.example", round, i)
					switch i % 5 {
					case 0: // there is one already
						if err := s.CreateAccount(t.Context(), someAccount(owner.String())); !errors.Is(err, account.ErrExists) {
							t.Errorf("a second %s: %v", owner, err)
						}
					case 1: // fails behind its first statement
						a := someAccount(name)
						a.Credentials = append(a.Credentials, a.Credentials...)
						if err := s.CreateAccount(t.Context(), a); err == nil {
							t.Error("two credentials for one hash")
						}
					case 2: // nobody waits for it
						if err := s.CreateAccount(cancelled, someAccount(name)); !errors.Is(err, context.Canceled) {
							t.Errorf("cancelled: %v", err)
						}
					case 3:
						if err := s.CreateAccount(t.Context(), someAccount(name)); err != nil {
							t.Error(err)
						}
					default:
						if _, err := s.AppendArchive(t.Context(), moment(1), "n1", []archive.Entry{{Owner: owner, With: owner, Stanza: []byte(name)}}); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
		}
		seen := map[string]bool{}
		page, err := s.QueryArchive(t.Context(), archive.Query{Owner: owner, Max: archive.MaxPage})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			seen[string(e.Stanza)] = true
		}
		for round := range rounds {
			for i := range each {
				name := fmt.Sprintf("u%d-%d@a.example", round, i)
				_, err := s.Account(t.Context(), jid.MustParse(name))
				if made := err == nil; made != (i%5 == 3) || err != nil && !errors.Is(err, account.ErrNotFound) {
					t.Errorf("%s: %v", name, err)
				}
				if seen[name] != (i%5 == 4) {
					t.Errorf("%s in the archive: %v", name, seen[name])
				}
			}
		}
	})
}
