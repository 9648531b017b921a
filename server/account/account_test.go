package account_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/account/accounttest"
)

func directory() *account.Directory {
	return &account.Directory{
		Store: &accounttest.Memory{}, Random: rand.Reader,
		Policy: account.Policy{Iterations: account.MinIterations},
		Now:    func() time.Time { return time.Unix(1, 0) },
	}
}

const password = "correct-horse-battery"

func added(t *testing.T, d *account.Directory, address string) jid.JID {
	t.Helper()
	j := jid.MustParse(address)
	if err := d.Add(t.Context(), j, password); err != nil {
		t.Fatal(err)
	}
	return j
}

// The keys are those of the exchanges in the RFCs: StoredKey and ServerKey were computed from them with Python's hashlib.
func TestDeriveIsTheRFCs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		hash   account.Hash
		salt   string
		stored string
		server string
	}{
		{"RFC 5802 §5", account.SHA1, "QSXCR+Q6sek8bf92", "6dlGYMOdZcOPutkcNY8U2g7vK9Y=", "D+CSWLOshSulAsxiupA+qs2/fTE="},
		{
			"RFC 7677 §3", account.SHA256, "W22ZaJ0SNY7soEsUEjb6gQ==",
			"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			salt, err := base64.StdEncoding.DecodeString(tt.salt)
			if err != nil {
				t.Fatal(err)
			}
			c, err := account.Derive(tt.hash, "pencil", salt, 4096)
			if err != nil {
				t.Fatal(err)
			}
			if got := base64.StdEncoding.EncodeToString(c.StoredKey); got != tt.stored {
				t.Errorf("stored key %s, want %s", got, tt.stored)
			}
			if got := base64.StdEncoding.EncodeToString(c.ServerKey); got != tt.server {
				t.Errorf("server key %s, want %s", got, tt.server)
			}
			if !c.Matches("pencil") || c.Matches("pencils") || (account.Credential{}).Matches("") {
				t.Error("it matches another password, or not its own")
			}
		})
	}
}

func TestDeriveRefuses(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"no hash":       second(account.Derive(account.NoHash, "p", []byte{1}, 4096)),
		"no salt":       second(account.Derive(account.SHA1, "p", nil, 4096)),
		"no iterations": second(account.Derive(account.SHA1, "p", []byte{1}, 0)),
		"a day of work": second(account.Derive(account.SHA1, "p", []byte{1}, 1<<31)),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func second(_ account.Credential, err error) error { return err }

// The examples of RFC 4013 §3, and our bounds.
func TestPrepare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"soft hyphen becomes nothing", "I\u00ADX", "IX"},
		{"as it is", "user", "user"},
		{"case stays", "USER", "USER"},
		{"NFKC of a letter", "\u00AA", "a"},
		{"NFKC of a number", "\u2168", "IX"},
		{"other spaces", "a\u00A0b", "a b"},
		{"control character", "a\u0007b", ""},
		{"mixed directions", "\u0627\u0031", ""},
		{"right to left", "\u0627\u0031\u0628", "\u0627\u0031\u0628"},
		{"nothing left", "\u00AD", ""},
		{"empty", "", ""},
		{"not UTF-8", "\xff", ""},
		{"private use", "a\uE000", ""},
		{"too long", strings.Repeat("x", account.MaxPasswordBytes+1), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := account.Prepare(tt.in)
			if got != tt.want || (err != nil) != (tt.want == "") || err != nil && !errors.Is(err, account.ErrPassword) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if err == nil {
				if again, err := account.Prepare(got); again != got || err != nil {
					t.Errorf("prepared again it is %q, %v", again, err)
				}
			}
		})
	}
}

func FuzzPrepare(f *testing.F) {
	for _, s := range []string{"user", "I\u00ADX", "\u0627\u0031\u0628", "e\u0301", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := account.Prepare(s)
		if err != nil {
			if strings.Contains(err.Error(), s) && len(s) > 40 {
				t.Error("the error shows the password")
			}
			return
		}
		if once == "" {
			t.Error("an empty password was taken")
		}
	})
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, password, want string }{
		{"good", password, ""},
		{"short", "ninechars", "9 characters"},
		{"short in characters, long in bytes", "дом-дом-д", "9 characters"},
		{"has the name in it", "xxJULIETxx1", "the name of the account"},
		{"one character", "aaaaaaaaaaaa", "again and again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := directory().Add(t.Context(), jid.MustParse("juliet@a.example"), tt.password)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), tt.password) {
				t.Error("the error shows the password")
			}
		})
	}
}

// TestSetPolicy: another policy holds for new passwords, and no old one stops working.
func TestSetPolicy(t *testing.T) {
	t.Parallel()
	d := directory()
	juliet := added(t, d, "juliet@a.example")
	d.SetPolicy(account.Policy{MinLength: len(password) + 1, Iterations: account.MinIterations})
	if err := d.SetPassword(t.Context(), juliet, password); !errors.Is(err, account.ErrPassword) {
		t.Errorf("a short one: %v, want ErrPassword", err)
	}
	if err := d.Verify(t.Context(), juliet, password); err != nil {
		t.Errorf("the one she has: %v", err)
	}
	d.SetPolicy(account.Policy{Iterations: account.MinIterations})
	if err := d.SetPassword(t.Context(), juliet, password); err != nil {
		t.Errorf("under the policy before: %v", err)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	d := directory()
	juliet := added(t, d, "juliet@a.example")
	off := added(t, d, "romeo@a.example")
	if err := d.SetState(t.Context(), off, account.Disabled); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, address, password string
		want                    error
	}{
		{"right", "juliet@a.example", password, nil},
		{"wrong", "juliet@a.example", password + "1", account.ErrNotAuthorized},
		{"empty", "juliet@a.example", "", account.ErrNotAuthorized},
		{"no account", "nobody@a.example", password, account.ErrNotAuthorized},
		{"no domain", "juliet@b.example", password, account.ErrNotAuthorized},
		{"disabled and right", "romeo@a.example", password, account.ErrDisabled},
		{"disabled and wrong", "romeo@a.example", "x", account.ErrNotAuthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := d.Verify(t.Context(), jid.MustParse(tt.address), tt.password); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if err := d.SetPassword(t.Context(), juliet, "another-"+password); err != nil {
		t.Fatal(err)
	}
	if err := d.Verify(t.Context(), juliet, password); !errors.Is(err, account.ErrNotAuthorized) {
		t.Errorf("the old password: %v", err)
	}
	if err := (account.Challenge{}).Outcome(true); !errors.Is(err, account.ErrNotAuthorized) {
		t.Errorf("the zero challenge admits: %v", err)
	}
}

// TestNamesWithoutAccountLookLikeOthers: the same shape, the same each time, different from name to name.
func TestNamesWithoutAccountLookLikeOthers(t *testing.T) {
	t.Parallel()
	d := directory()
	juliet := added(t, d, "juliet@a.example")
	nobody, noone := jid.MustParse("nobody@a.example"), jid.MustParse("noone@a.example")
	for _, h := range account.Hashes() {
		ask := func(j jid.JID) account.Credential {
			c, err := d.Challenge(t.Context(), j, h)
			if err != nil {
				t.Fatal(err)
			}
			return c.Credential
		}
		own, decoy := ask(juliet), ask(nobody)
		if len(own.Salt) != len(decoy.Salt) || own.Iterations != decoy.Iterations || own.Hash != decoy.Hash ||
			len(own.StoredKey) != len(decoy.StoredKey) || len(own.ServerKey) != len(decoy.ServerKey) {
			t.Errorf("%s: %+v beside %+v", h, own, decoy)
		}
		if again := ask(nobody); !bytes.Equal(again.Salt, decoy.Salt) {
			t.Errorf("%s: another salt each time", h)
		}
		if bytes.Equal(ask(noone).Salt, decoy.Salt) {
			t.Errorf("%s: one salt for all", h)
		}
	}
	c, err := d.Challenge(t.Context(), nobody, account.SHA1)
	if err != nil || !errors.Is(c.Outcome(true), account.ErrNotAuthorized) {
		t.Errorf("who proved to be nobody is told %v, %v", c.Outcome(true), err)
	}
}

// meddler changes an account behind the back of whoever read it.
type meddler struct {
	account.Store
	times int
}

func (m *meddler) ReplaceAccount(ctx context.Context, a account.Account) error {
	if m.times > 0 {
		m.times--
		other, err := m.Store.Account(ctx, a.JID)
		if err != nil {
			return err
		}
		other.Catalogue = "meddled"
		if err := m.Store.ReplaceAccount(ctx, other); err != nil {
			return err
		}
	}
	return m.Store.ReplaceAccount(ctx, a)
}

func TestChangesOfOthersAreKept(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		times int
		want  error
	}{{"once", 1, nil}, {"for ever", 100, account.ErrChanged}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := directory()
			j := added(t, d, "juliet@a.example")
			d.Store = &meddler{d.Store, tt.times}
			if err := d.SetClearance(t.Context(), j, "staff"); !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			a, err := d.Store.Account(t.Context(), j)
			if err != nil || a.Catalogue != "meddled" || (a.Clearance == "staff") != (tt.want == nil) {
				t.Errorf("kept is %+v, %v", a, err)
			}
		})
	}
}
