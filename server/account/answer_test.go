package account_test

import (
	"testing"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	d := directory()
	added(t, d, "juliet@a.example")
	if err := d.SetState(t.Context(), added(t, d, "romeo@a.example"), account.Disabled); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, address string
		hash          account.Hash
		question      sasl.Question
		standing      sasl.Standing
		secret, right bool
	}{
		{"a secret", "juliet@a.example", account.SHA1, sasl.Question{Want: sasl.WantSecret}, sasl.Good, true, false},
		{"a secret of nobody", "nobody@a.example", account.SHA512, sasl.Question{Want: sasl.WantSecret}, sasl.Unknown, true, false},
		{"a password", "juliet@a.example", account.NoHash, sasl.Question{Want: sasl.WantPassword, Password: password}, sasl.Good, false, true},
		{"another password", "juliet@a.example", account.NoHash, sasl.Question{Want: sasl.WantPassword, Password: "x"}, sasl.Good, false, false},
		{"an empty password", "juliet@a.example", account.NoHash, sasl.Question{Want: sasl.WantPassword}, sasl.Good, false, false},
		{"a password of nobody", "nobody@a.example", account.NoHash, sasl.Question{Want: sasl.WantPassword, Password: password}, sasl.Unknown, false, false},
		{"a disabled account", "romeo@a.example", account.NoHash, sasl.Question{Want: sasl.WantPassword, Password: password}, sasl.Disabled, false, true},
		{"a standing", "romeo@a.example", account.NoHash, sasl.Question{Want: sasl.WantStanding}, sasl.Disabled, false, false},
		{"nothing", "juliet@a.example", account.NoHash, sasl.Question{}, sasl.Unknown, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := d.Answer(t.Context(), jid.MustParse(tt.address), tt.hash, tt.question)
			if err != nil || r.Standing != tt.standing || (len(r.Secret.Salt) > 0) != tt.secret || r.Right != tt.right {
				t.Errorf("got %v with a secret of %d bytes, right %t, %v", r.Standing, len(r.Secret.Salt), r.Right, err)
			}
		})
	}
	if _, err := d.Answer(t.Context(), jid.MustParse("juliet@a.example"), account.SHA1, sasl.Question{Want: 99}); err == nil {
		t.Error("an unknown question was answered")
	}
}
