package store_test

import (
	"errors"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

// What is kept for a domain goes with it, and what is noted of an account goes with that.
func TestSettingsAndNotes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, ctx := p.open(t), t.Context()
		juliet, romeo := jid.MustParse("juliet@a.example"), jid.MustParse("romeo@a.example")
		if err := s.PutSetting(ctx, "a.example", "motd", []byte("x")); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("a setting of an unknown domain: %v", err)
		}
		if _, err := s.EnsureDomain(ctx, account.Domain{Name: "a.example", Decoy: make([]byte, 32)}); err != nil {
			t.Fatal(err)
		}
		if err := s.PutNote(ctx, juliet, "role", []byte("view")); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("a note of nobody: %v", err)
		}
		for _, who := range []jid.JID{juliet, romeo} {
			if err := s.CreateAccount(ctx, account.Account{JID: who, State: account.Enabled}); err != nil {
				t.Fatal(err)
			}
			if err := s.PutNote(ctx, who, "role", []byte("view")); err != nil {
				t.Fatal(err)
			}
		}
		for _, content := range []string{"one", "two"} {
			if err := s.PutSetting(ctx, "a.example", "motd", []byte(content)); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Setting(ctx, "a.example", "motd"); err != nil || string(got) != content {
				t.Errorf("the setting is %s, %v", got, err)
			}
		}
		if all, err := s.Noted(ctx, "a.example", "role", 10); err != nil || len(all) != 2 || string(all[romeo]) != "view" {
			t.Errorf("noted: %v, %v", all, err)
		}
		if one, err := s.Noted(ctx, "a.example", "role", 1); err != nil || len(one) != 1 {
			t.Errorf("one is noted: %v, %v", one, err)
		}
		if err := errors.Join(s.PutNote(ctx, juliet, "role", nil), s.RemoveAccount(ctx, romeo)); err != nil {
			t.Fatal(err)
		}
		if all, err := s.Noted(ctx, "a.example", "role", 10); err != nil || len(all) != 0 {
			t.Errorf("still noted: %v, %v", all, err)
		}
		if err := errors.Join(s.PutSetting(ctx, "a.example", "motd", nil), s.PutSetting(ctx, "a.example", "welcome", []byte("w"))); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Setting(ctx, "a.example", "motd"); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("taken away: %v", err)
		}
		if err := s.RemoveDomain(ctx, "a.example"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Setting(ctx, "a.example", "welcome"); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("of a domain that is gone: %v", err)
		}
	})
}
