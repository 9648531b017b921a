package login_test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strconv"
	"strings"

	"sallyport/testbed/imserver"
)

// profile is how SASL is said: by RFC 6120 §6 or by XEP-0388.
type profile struct {
	two  bool
	more string // asked for together with a login by XEP-0388
}

func (p profile) space() string {
	if p.two {
		return " xmlns='urn:xmpp:sasl:2'"
	}
	return " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
}

func (p profile) auth(mechanism string, first []byte) string {
	if p.two {
		return "<authenticate" + p.space() + " mechanism='" + mechanism + "'><initial-response>" + encode(first) + "</initial-response>" + p.more + "</authenticate>"
	}
	return "<auth" + p.space() + " mechanism='" + mechanism + "'>" + encode(first) + "</auth>"
}

// scram is one attempt by SCRAM (RFC 5802), written from the standard for these tests.
type scram struct {
	mechanism string
	user      string
	password  string
	binding   string // type, empty for none
	flag      string // where it is not the one of the binding
	data      []byte // where it is not that of the channel
	profile
}

func hashOf(mechanism string) func() hash.Hash {
	switch strings.TrimSuffix(mechanism, "-PLUS") {
	case "SCRAM-SHA-1":
		return sha1.New
	case "SCRAM-SHA-256":
		return sha256.New
	}
	return sha512.New
}

// header is the one of GS2, and what c= has behind it.
func (a scram) header(s *strand) (gs2 string, data []byte) {
	gs2 = "n,,"
	if a.binding != "" {
		gs2, data = "p="+a.binding+",,", s.bound(a.binding)
	}
	if a.flag != "" {
		gs2 = a.flag + ",,"
	}
	if a.data != nil {
		data = a.data
	}
	return gs2, data
}

// in tries to log in. What was said last comes back: it ends in </success> or </failure>, or in challenge where that is not to be answered.
func (s *strand) in(a scram) string {
	s.t.Helper()
	h := hashOf(a.mechanism)
	mac := func(key []byte, text string) []byte {
		m := hmac.New(h, key)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	gs2, data := a.header(s)
	bare := "n=" + a.user + ",r=fyko-d2lbbFgONRv9qkxdawL"
	s.say(a.auth(a.mechanism, []byte(gs2+bare)))
	said := s.until("</challenge>", "</failure>")
	if strings.HasSuffix(said, "</failure>") {
		return said
	}
	first := s.decode(between(said, ">", "</challenge>"))
	fields := map[byte]string{}
	for _, f := range strings.Split(first, ",") {
		fields[f[0]] = f[2:]
	}
	rounds, err := strconv.Atoi(fields['i'])
	if err != nil || !strings.HasPrefix(fields['r'], "fyko-d2lbbFgONRv9qkxdawL") {
		s.t.Fatalf("server-first %q", first)
	}
	s.untouched(fields['h'], h())
	salted, err := pbkdf2.Key(h, a.password, []byte(s.decode(fields['s'])), rounds, h().Size())
	if err != nil {
		s.t.Fatal(err)
	}
	key := mac(salted, "Client Key")
	stored := h()
	stored.Write(key)
	final := "c=" + encode(append([]byte(gs2), data...)) + ",r=" + fields['r']
	message := bare + "," + first + "," + final
	for i, b := range mac(stored.Sum(nil), message) {
		key[i] ^= b
	}
	s.say("<response" + a.space() + ">" + encode([]byte(final+",p="+encode(key))) + "</response>")
	said = s.until("</success>", "</failure>")
	if strings.HasSuffix(said, "</success>") {
		if proof := encode([]byte("v=" + encode(mac(mac(salted, "Server Key"), message)))); !strings.Contains(said, ">"+proof+"<") {
			s.t.Errorf("the server has not proven itself: %s", said)
		}
	}
	return said
}

// untouched holds the hash of the server (XEP-0474) against what was offered here: somebody in between cannot have changed it.
func (s *strand) untouched(told string, h hash.Hash) {
	s.t.Helper()
	mechanisms, bindings := s.offered()
	text := strings.Join(sorted(mechanisms), "\x1e")
	if len(bindings) > 0 {
		text += "\x1f" + strings.Join(sorted(bindings), "\x1e")
	}
	h.Write([]byte(text))
	if want := encode(h.Sum(nil)); told != want {
		s.t.Errorf("the hash of %q and %q is %q, want %q", mechanisms, bindings, told, want)
	}
}

func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	in, _, _ := strings.Cut(rest, to)
	return in
}

// juliet is the one who logs in.
func juliet(mechanism, binding string) scram {
	return scram{mechanism: mechanism, user: "juliet", password: imserver.Password, binding: binding}
}
