package sasl_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/sasl"
)

// F04, F05, F06, F13: what PLAIN asks about, and what it refuses at once.
func TestPlain(t *testing.T) {
	for _, tc := range []struct {
		name, message string
		asks          string
		fails         sasl.Condition
	}{
		{"RFC 4616 section 4", "\x00tim\x00tanstaaftanstaaf", "tim@user.example", 0},
		{"own identity", "Tim@user.example\x00tim\x00p", "tim@user.example", 0},
		{"F04 one NUL", "tim\x00p", "", sasl.MalformedRequest},
		{"F04 three NULs", "\x00tim\x00p\x00", "", sasl.MalformedRequest},
		{"F04 not UTF-8", "\x00tim\x00\xff", "", sasl.NotAuthorized},
		{"F04 no name", "\x00\x00p", "", sasl.MalformedRequest},
		{"F05 somebody else", "victim@user.example\x00tim\x00p", "", sasl.InvalidAuthzid},
		{"F06 empty password", "\x00tim\x00", "", sasl.NotAuthorized},
		{"F13 not a name", "\x00t\"m\x00p", "", sasl.NotAuthorized},
		{"empty", "", "", sasl.MalformedRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sasl.NewServer(sasl.Plain, channel("n"))
			_, done, err := s.Next([]byte(tc.message), true)
			if tc.fails != 0 {
				checkEnd(t, s, done, err, "", tc.fails)
				return
			}
			q, ok := s.(sasl.Inquirer).Asks()
			if err != nil || !ok || q.Identity != tc.asks || q.Want != sasl.WantPassword || q.Password == "" {
				t.Fatalf("asked %v %q, %v", q.Want, q.Identity, err)
			}
			_, done, err = answer(t, s, sasl.Reply{Standing: sasl.Good, Right: true})
			checkEnd(t, s, done, err, tc.asks, 0)
		})
	}
}

func TestPlainAnswers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		reply sasl.Reply
		fails sasl.Condition
	}{
		{"zero reply", sasl.Reply{}, sasl.NotAuthorized},
		{"wrong", sasl.Reply{Standing: sasl.Good}, sasl.NotAuthorized},
		{"unknown account", sasl.Reply{Right: true}, sasl.NotAuthorized},
		{"disabled", sasl.Reply{Standing: sasl.Disabled, Right: true}, sasl.AccountDisabled},
		{"disabled and wrong", sasl.Reply{Standing: sasl.Disabled}, sasl.NotAuthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sasl.NewServer(sasl.Plain, channel("n"))
			if got, _, err := s.Next(nil, false); got == nil || err != nil {
				t.Fatalf("no initial response: %v %v", got, err)
			}
			if _, _, err := s.Next([]byte("\x00tim\x00p"), true); err != nil {
				t.Fatal(err)
			}
			_, done, err := answer(t, s, tc.reply)
			checkEnd(t, s, done, err, "", tc.fails)
			_, done, err = s.Next([]byte("\x00tim\x00p"), true)
			checkEnd(t, s, done, err, "", sasl.MalformedRequest)
		})
	}
}

// A password is shown by no verb.
func TestPasswordHidden(t *testing.T) {
	q := sasl.Question{Password: "tanstaaf"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, q); strings.Contains(got, "tanstaaf") {
			t.Errorf("%s: %s", verb, got)
		}
		if got := fmt.Sprintf(verb, q.Password); strings.Contains(got, "tanstaaf") {
			t.Errorf("%s: %s", verb, got)
		}
	}
}

// EXTERNAL of a client: the account must be in good standing as well.
func TestExternalAccount(t *testing.T) {
	ch := channel("n")
	ch.Proven = []string{"tim@user.example"}
	for standing, fails := range map[sasl.Standing]sasl.Condition{
		sasl.Good: 0, sasl.Unknown: sasl.NotAuthorized, sasl.Disabled: sasl.AccountDisabled,
	} {
		s := sasl.NewServer(sasl.External, ch)
		if got, done, err := s.Next([]byte{}, true); got != nil || done || err != nil || s.Identity() != "" {
			t.Fatalf("before the account was looked at: %q %v %v %q", got, done, err, s.Identity())
		}
		_, done, err := answer(t, s, sasl.Reply{Standing: standing})
		checkEnd(t, s, done, err, "tim@user.example", fails)
	}
}

// HT-SHA-256 (XEP-0484): the token of the mechanism and of this channel only.
func TestTokens(t *testing.T) {
	bindings := []sasl.Binding{exporter, {Type: sasl.TLSServerEndPoint, Data: []byte("certificate")}}
	message := func(token, data string) []byte {
		return append([]byte("tim\x00"), mac(sha256.New, []byte(token), "Initiator"+data)...)
	}
	tokens := []sasl.Token{{ID: "1", Value: "old"}, {ID: "2", Value: "new"}, {ID: "3", Value: "ended", Over: true}}
	for _, tc := range []struct {
		name, mechanism, token, data string
		reply                        sasl.Reply
		used                         string
		fails                        sasl.Condition
	}{
		{"none", sasl.TokenNone, "new", "", sasl.Reply{Standing: sasl.Good, Tokens: tokens}, "2", 0},
		{"older token", sasl.TokenNone, "old", "", sasl.Reply{Standing: sasl.Good, Tokens: tokens}, "1", 0},
		{"exporter", sasl.TokenExpr, "new", string(exporter.Data), sasl.Reply{Standing: sasl.Good, Tokens: tokens}, "2", 0},
		{"end point", sasl.TokenEndP, "new", "certificate", sasl.Reply{Standing: sasl.Good, Tokens: tokens}, "2", 0},
		{"another channel", sasl.TokenExpr, "new", "another", sasl.Reply{Standing: sasl.Good, Tokens: tokens}, "", sasl.NotAuthorized},
		{"wrong token", sasl.TokenNone, "other", "", sasl.Reply{Standing: sasl.Good, Tokens: tokens}, "", sasl.NotAuthorized},
		{"no token", sasl.TokenNone, "", "", sasl.Reply{Standing: sasl.Good}, "", sasl.NotAuthorized},
		{"empty token on record", sasl.TokenNone, "", "", sasl.Reply{Standing: sasl.Good, Tokens: []sasl.Token{{ID: "x"}}}, "", sasl.NotAuthorized},
		{"unknown account", sasl.TokenNone, "new", "", sasl.Reply{Tokens: tokens}, "", sasl.NotAuthorized},
		{"disabled", sasl.TokenNone, "new", "", sasl.Reply{Standing: sasl.Disabled, Tokens: tokens}, "", sasl.AccountDisabled},
		{"XEP-0484 §4.2, ended", sasl.TokenNone, "ended", "", sasl.Reply{Standing: sasl.Good, Tokens: tokens}, "", sasl.CredentialsExpired},
		{"ended, disabled", sasl.TokenNone, "ended", "", sasl.Reply{Standing: sasl.Disabled, Tokens: tokens}, "", sasl.AccountDisabled},
		{"ended, unknown account", sasl.TokenNone, "ended", "", sasl.Reply{Tokens: tokens}, "", sasl.NotAuthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sasl.NewServer(tc.mechanism, channel("n", bindings...))
			if _, _, err := s.Next(message(tc.token, tc.data), true); err != nil {
				t.Fatal(err)
			}
			got, done, err := answer(t, s, tc.reply)
			checkEnd(t, s, done, err, "tim@user.example", tc.fails)
			if sasl.UsedToken(s) != tc.used {
				t.Errorf("used %q, want %q", sasl.UsedToken(s), tc.used)
			}
			if done && !slices.Equal(got, mac(sha256.New, []byte(tc.token), "Responder"+tc.data)) {
				t.Error("our own proof is wrong")
			}
		})
	}
	for _, bad := range []string{"", "tim", "tim\x00short", "\x00" + strings.Repeat("x", 32), "\xff\x00" + strings.Repeat("x", 32)} {
		s := sasl.NewServer(sasl.TokenNone, channel("n"))
		_, done, err := s.Next([]byte(bad), true)
		checkEnd(t, s, done, err, "", sasl.MalformedRequest)
	}
}

func TestNewServerUnknown(t *testing.T) {
	for _, name := range []string{"", "NOSUCH", "plain", "scram-sha-1", "SCRAM-SHA-1-PLUS-PLUS", "EXTERNAL-PLUS", "HT-SHA-256-UNIQ"} { // F01
		if s := sasl.NewServer(name, channel("n")); s != nil {
			t.Errorf("%q is %T", name, s)
		}
	}
	s := sasl.NewServer(sasl.ScramSHA1, sasl.Channel{})
	var f *sasl.Failure
	if _, _, err := s.Next([]byte("n,,n=user,r=client-nonce"), true); !errors.As(err, &f) {
		t.Errorf("the zero channel takes a name: %v", err)
	}
}
