package sasl_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/internal/sasl"
)

// F16 and RFC 4422 appendix A: which authorisation identity is accepted.
func TestExternalServer(t *testing.T) {
	one, two := []string{"a.example"}, []string{"a.example", "b.example"}
	for _, tc := range []struct {
		name     string
		proven   []string
		response string
		present  bool
		want     string
		fails    sasl.Condition
	}{
		{"empty, one identity", one, "", true, "a.example", 0},
		{"equal", one, "a.example", true, "a.example", 0},
		{"equal after preparation", one, "A.EXAMPLE", true, "a.example", 0},
		{"different", one, "b.example", true, "", sasl.InvalidAuthzid},
		{"empty, two identities", two, "", true, "", sasl.InvalidAuthzid},
		{"one of two", two, "b.example", true, "b.example", 0},
		{"nothing proven", nil, "a.example", true, "", sasl.NotAuthorized},
		{"nothing proven, nothing asked", nil, "", true, "", sasl.NotAuthorized},
		{"not UTF-8", one, "\xff", true, "", sasl.MalformedRequest},
	} {
		t.Run("F16 "+tc.name, func(t *testing.T) {
			s := &sasl.ExternalServer{Identities: tc.proven, Same: strings.EqualFold}
			_, done, err := s.Next([]byte(tc.response), tc.present)
			checkEnd(t, s, done, err, tc.want, tc.fails)
		})
	}
}

func TestExternalServerChallenges(t *testing.T) {
	s := &sasl.ExternalServer{Identities: []string{"a.example"}}
	challenge, done, err := s.Next(nil, false)
	if done || err != nil || len(challenge) != 0 {
		t.Fatalf("no initial response: got %q, %v, %v; want an empty challenge", challenge, done, err)
	}
	_, done, err = s.Next(nil, false)
	checkEnd(t, s, done, err, "a.example", 0)
}

func TestExternalServerForgetsOnFailure(t *testing.T) {
	s := &sasl.ExternalServer{Identities: []string{"a.example"}}
	_, done, err := s.Next([]byte("a.example"), true)
	checkEnd(t, s, done, err, "a.example", 0)
	_, done, err = s.Next([]byte("b.example"), true)
	checkEnd(t, s, done, err, "", sasl.InvalidAuthzid)
}

func checkEnd(t *testing.T, s sasl.Server, done bool, err error, want string, fails sasl.Condition) {
	t.Helper()
	var f *sasl.Failure
	switch {
	case fails != 0:
		if done || !errors.As(err, &f) || f.Condition != fails || s.Identity() != "" {
			t.Errorf("got done %v, %v, identity %q; want failure %v", done, err, s.Identity(), fails)
		}
	case err != nil || !done || s.Identity() != want:
		t.Errorf("got done %v, %v, identity %q; want %q", done, err, s.Identity(), want)
	}
}

func TestExternalClient(t *testing.T) {
	c := &sasl.ExternalClient{AuthzID: "capulet.lit"}
	got, err := c.Next(nil)
	if err != nil || sasl.EncodeText(got) != "Y2FwdWxldC5saXQ=" { // XEP-0178 §3 step 8
		t.Errorf("got %q, %v", sasl.EncodeText(got), err)
	}
	if _, err := c.Next([]byte("x")); err == nil {
		t.Error("a challenge with data was accepted")
	}
	got, err = (&sasl.ExternalClient{}).Next(nil)
	if err != nil || sasl.EncodeText(got) != "=" {
		t.Errorf("empty identity: got %q, %v; want \"=\"", sasl.EncodeText(got), err)
	}
}

// F03: strict base64.
func TestDecodeText(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       string
		present    bool
		bad        bool
	}{
		{"nothing", "", "", false, false},
		{"zero length", "=", "", true, false},
		{"value", "Y2FwdWxldC5saXQ=", "capulet.lit", true, false},
		{"F03 no base64", "capulet.lit!", "", false, true},
		{"F03 inner newline", "Y2Fwd\nWxldC5saXQ=", "", false, true},
		{"F03 inner space", "Y2Fwd WxldC5saXQ=", "", false, true},
		{"F03 trailing bits", "YR==", "", false, true},
		{"F03 no padding", "Y2FwdWxldC5saXQ", "", false, true},
		{"two equals", "==", "", false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, present, err := sasl.DecodeText(tc.text)
			if tc.bad {
				var f *sasl.Failure
				if !errors.As(err, &f) || f.Condition != sasl.IncorrectEncoding {
					t.Errorf("got %q, %v; want incorrect-encoding", got, err)
				}
				return
			}
			if err != nil || present != tc.present || string(got) != tc.want {
				t.Errorf("got %q, %v, %v; want %q, %v", got, present, err, tc.want, tc.present)
			}
		})
	}
}

func TestConditionNames(t *testing.T) {
	for c := sasl.Aborted; c <= sasl.TemporaryAuthFailure; c++ {
		got, ok := sasl.ParseCondition(c.String())
		if !ok || got != c {
			t.Errorf("%d %q: parsed as %v, %v", c, c, got, ok)
		}
	}
	if c, ok := sasl.ParseCondition("nonsense"); ok || c != sasl.NotAuthorized {
		t.Errorf("unknown condition: got %v, %v", c, ok)
	}
	if _, ok := sasl.ParseCondition(""); ok {
		t.Error("the empty name is a condition")
	}
}

func FuzzDecodeText(f *testing.F) {
	for _, s := range []string{"", "=", "Y2FwdWxldC5saXQ=", "YR==", "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, present, err := sasl.DecodeText(text)
		if err != nil {
			return
		}
		if !present {
			data = nil
		}
		if got := sasl.EncodeText(data); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	})
}
