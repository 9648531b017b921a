package sasl_test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"hash"
	"strings"
	"testing"

	"sallyport/internal/sasl"
)

var hashes = map[string]func() hash.Hash{sasl.ScramSHA1: sha1.New, sasl.ScramSHA256: sha256.New, sasl.ScramSHA512: sha512.New}

func hashOf(mechanism string) func() hash.Hash {
	return hashes[strings.TrimSuffix(mechanism, sasl.PlusSuffix)]
}

func sum(h func() hash.Hash, text []byte) []byte {
	x := h()
	x.Write(text)
	return x.Sum(nil)
}

func mac(h func() hash.Hash, key []byte, text string) []byte {
	x := hmac.New(h, key)
	x.Write([]byte(text))
	return x.Sum(nil)
}

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// secretOf is what a server keeps of a password.
func secretOf(t testing.TB, mechanism, password, salt string, iterations int) (s sasl.Secret, clientKey []byte) {
	t.Helper()
	h := hashOf(mechanism)
	salted, err := pbkdf2.Key(h, password, unbase64(t, salt), iterations, h().Size())
	if err != nil {
		t.Fatal(err)
	}
	clientKey = mac(h, salted, "Client Key")
	return sasl.Secret{
		Salt: unbase64(t, salt), Iterations: iterations,
		StoredKey: sum(h, clientKey), ServerKey: mac(h, salted, "Server Key"),
	}, clientKey
}

// channel knows one user of user.example.
func channel(nonce string, bindings ...sasl.Binding) sasl.Channel {
	return sasl.Channel{
		Nonce: nonce, Bindings: bindings,
		Account: func(name string) (string, bool) {
			return strings.ToLower(name) + "@user.example", !strings.ContainsAny(name, "@ \"")
		},
		Same: strings.EqualFold,
	}
}

// answer carries one question.
func answer(t testing.TB, s sasl.Server, r sasl.Reply) (challenge []byte, done bool, err error) {
	t.Helper()
	q, ok := s.(sasl.Inquirer).Asks()
	if !ok || q.Identity == "" {
		t.Fatalf("nothing asked: %+v %v", q, ok)
	}
	return s.(sasl.Inquirer).Answer(r)
}

// The examples of the specifications, word for word.
func TestScramVectors(t *testing.T) {
	for _, tc := range []struct {
		name, mechanism, nonce, salt                    string
		clientFirst, serverFirst, clientFinal, verifier string
	}{
		{
			"RFC 5802 section 5", sasl.ScramSHA1, "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92",
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
		{
			"RFC 7677 section 3", sasl.ScramSHA256, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==",
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			secret, _ := secretOf(t, tc.mechanism, "pencil", tc.salt, 4096)
			s := sasl.NewServer(tc.mechanism, channel(tc.nonce))
			if got, done, err := s.Next([]byte(tc.clientFirst), true); got != nil || done || err != nil {
				t.Fatalf("client-first: %q %v %v", got, done, err)
			}
			got, done, err := answer(t, s, sasl.Reply{Standing: sasl.Good, Secret: secret})
			if string(got) != tc.serverFirst || done || err != nil {
				t.Fatalf("server-first: got %q %v %v\nwant %q", got, done, err, tc.serverFirst)
			}
			got, done, err = s.Next([]byte(tc.clientFinal), true)
			if string(got) != tc.verifier || !done || err != nil || s.Identity() != "user@user.example" {
				t.Errorf("server-final: got %q %v %v, identity %q", got, done, err, s.Identity())
			}
		})
	}
}

// XEP-0474 §5, full example: the hash of both lists.
func TestScramOfferHash(t *testing.T) {
	ch := channel("a09117a6-ac50-4f2f-93f1-93799c2bddf6", sasl.Binding{Type: sasl.TLSServerEndPoint, Data: []byte("e")}, sasl.Binding{Type: sasl.TLSExporter, Data: []byte("THIS IS FAKE CB DATA")})
	ch.Offered = []string{"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"}
	s := sasl.NewServer("SCRAM-SHA-1-PLUS", ch)
	if _, _, err := s.Next([]byte("p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6"), true); err != nil {
		t.Fatal(err)
	}
	secret, _ := secretOf(t, sasl.ScramSHA1, "pencil", "QSXCR+Q6sek8bf92", 4096)
	got, _, err := answer(t, s, sasl.Reply{Standing: sasl.Good, Secret: secret})
	want := "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08="
	if err != nil || string(got) != want {
		t.Errorf("got  %q %v\nwant %q", got, err, want)
	}
}

// attempt is one whole exchange by a client that can be told to lie.
type attempt struct {
	mechanism, gs2, bind string // bind: data behind the header in c=
	password             string
	standing             sasl.Standing
	require              bool
	alter                func(final string) string
}

var exporter = sasl.Binding{Type: sasl.TLSExporter, Data: []byte("exported by this channel")}

func (a attempt) run(t *testing.T) (sasl.Server, bool, error) {
	t.Helper()
	ch := channel("server-nonce", exporter, sasl.Binding{Type: sasl.TLSServerEndPoint, Data: []byte("certificate")})
	ch.RequireBinding = a.require
	s := sasl.NewServer(a.mechanism, ch)
	bare := "n=user,r=client-nonce"
	if _, _, err := s.Next([]byte(a.gs2+bare), true); err != nil {
		return s, false, err
	}
	secret, _ := secretOf(t, a.mechanism, "pencil", "QSXCR+Q6sek8bf92", 64)
	first, _, err := answer(t, s, sasl.Reply{Standing: a.standing, Secret: secret})
	if err != nil {
		return s, false, err
	}
	h := hashOf(a.mechanism)
	mine, key := secretOf(t, a.mechanism, a.password, "QSXCR+Q6sek8bf92", 64)
	without := "c=" + base64.StdEncoding.EncodeToString([]byte(a.gs2+a.bind)) + ",r=client-nonceserver-nonce"
	proof := mac(h, mine.StoredKey, bare+","+string(first)+","+without)
	for i := range proof {
		proof[i] ^= key[i]
	}
	final := without + ",p=" + base64.StdEncoding.EncodeToString(proof)
	if a.alter != nil {
		final = a.alter(final)
	}
	_, done, err := s.Next([]byte(final), true)
	return s, done, err
}

func TestScramAttempts(t *testing.T) {
	const plus = sasl.ScramSHA256 + sasl.PlusSuffix
	good := attempt{mechanism: sasl.ScramSHA256, gs2: "n,,", password: "pencil", standing: sasl.Good}
	with := func(change func(*attempt)) attempt { a := good; change(&a); return a }
	for _, tc := range []struct {
		name  string
		a     attempt
		fails sasl.Condition
		why   sasl.Why
	}{
		{"right password", good, 0, 0},
		{"SHA-1", with(func(a *attempt) { a.mechanism = sasl.ScramSHA1 }), 0, 0},
		{"SHA-512", with(func(a *attempt) { a.mechanism = sasl.ScramSHA512 }), 0, 0},
		{"own identity spelt out", with(func(a *attempt) { a.gs2 = "n,a=USER@user.example," }), 0, 0},
		{"plus with exporter", with(func(a *attempt) { a.mechanism, a.gs2, a.bind = plus, "p=tls-exporter,,", string(exporter.Data) }), 0, 0},
		{"plus with end point", with(func(a *attempt) { a.mechanism, a.gs2, a.bind = plus, "p=tls-server-end-point,,", "certificate" }), 0, 0},
		{"required and done", with(func(a *attempt) {
			a.require, a.mechanism, a.gs2, a.bind = true, plus, "p=tls-exporter,,", string(exporter.Data)
		}), 0, 0},
		{"wrong password", with(func(a *attempt) { a.password = "Pencil" }), sasl.NotAuthorized, sasl.WrongProof},
		{"no such account", with(func(a *attempt) { a.standing = sasl.Unknown }), sasl.NotAuthorized, sasl.WrongProof},
		{"disabled, right password", with(func(a *attempt) { a.standing = sasl.Disabled }), sasl.AccountDisabled, sasl.NotInStanding},
		{"disabled, wrong password", with(func(a *attempt) { a.standing, a.password = sasl.Disabled, "x" }), sasl.NotAuthorized, sasl.WrongProof},
		{"expired", with(func(a *attempt) { a.standing = sasl.Expired }), sasl.CredentialsExpired, sasl.NotInStanding},
		{"F05 somebody else", with(func(a *attempt) { a.gs2 = "n,a=victim@user.example," }), sasl.InvalidAuthzid, sasl.BadAuthzID},
		{"F08 flag y although plus was offered", with(func(a *attempt) { a.gs2 = "y,," }), sasl.NotAuthorized, sasl.Downgraded},
		{"F08 tls-unique", with(func(a *attempt) { a.mechanism, a.gs2 = plus, "p=tls-unique,," }), sasl.NotAuthorized, sasl.WrongBinding},
		{"F08 data of another connection", with(func(a *attempt) { a.mechanism, a.gs2, a.bind = plus, "p=tls-exporter,,", "another channel" }), sasl.NotAuthorized, sasl.WrongBinding},
		{"F08 n although required", with(func(a *attempt) { a.require = true }), sasl.NotAuthorized, sasl.Downgraded},
		{"F08 plus without binding", with(func(a *attempt) { a.mechanism = plus }), sasl.NotAuthorized, sasl.Downgraded},
		{"F08 binding without plus", with(func(a *attempt) { a.gs2, a.bind = "p=tls-exporter,,", string(exporter.Data) }), sasl.NotAuthorized, sasl.WrongBinding},
		{"F07 nonce not echoed", with(func(a *attempt) { a.alter = replace("r=client-nonceserver-nonce", "r=client-nonceserver-nonsense") }), sasl.NotAuthorized, sasl.WrongProof},
		{"F09 mandatory extension", with(func(a *attempt) { a.alter = replace(",p=", ",m=x,p=") }), sasl.MalformedRequest, 0},
		{"F09 proof too short", with(func(a *attempt) { a.alter = func(f string) string { return f[:strings.Index(f, ",p=")] + ",p=AAAA" } }), sasl.NotAuthorized, sasl.WrongProof},
		{"F09 proof too long", with(func(a *attempt) {
			a.alter = func(f string) string {
				i := strings.Index(f, ",p=") + 3
				return f[:i] + base64.StdEncoding.EncodeToString(append(unbase64(t, f[i:]), 0))
			}
		}), sasl.NotAuthorized, sasl.WrongProof},
		{"F09 one bit", with(func(a *attempt) {
			a.alter = func(f string) string {
				i := strings.Index(f, ",p=") + 3
				p := unbase64(t, f[i:])
				p[7] ^= 1
				return f[:i] + base64.StdEncoding.EncodeToString(p)
			}
		}), sasl.NotAuthorized, sasl.WrongProof},
		{"no proof", with(func(a *attempt) { a.alter = func(string) string { return "c=biws,r=x" } }), sasl.MalformedRequest, 0},
		{"empty", with(func(a *attempt) { a.alter = func(string) string { return "" } }), sasl.MalformedRequest, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, done, err := tc.a.run(t)
			checkEnd(t, s, done, err, "user@user.example", tc.fails)
			var f *sasl.Failure
			if errors.As(err, &f) && f.Why != tc.why {
				t.Errorf("why: got %v, want %v", f.Why, tc.why)
			}
			if err != nil {
				if _, again, err := s.Next([]byte("n,,n=user,r=client-nonce"), true); again || err == nil {
					t.Error("a failed attempt goes on")
				}
			}
		})
	}
}

func replace(old, by string) func(string) string {
	return func(f string) string { return strings.Replace(f, old, by, 1) }
}

// F07, F09, F13: what is refused before anybody is asked about an account.
func TestScramFirstRefused(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		fails      sasl.Condition
	}{
		{"F07 empty nonce", "n,,n=user,r=", sasl.MalformedRequest},
		{"F07 one character", "n,,n=user,r=a", sasl.MalformedRequest},
		{"F07 comma in the nonce", "n,,n=user,r=abcdefgh,ijk", sasl.MalformedRequest},
		{"F07 nonce of 1000", "n,,n=user,r=" + strings.Repeat("a", 1000), sasl.MalformedRequest},
		{"F09 mandatory extension", "n,,m=x,n=user,r=client-nonce", sasl.MalformedRequest},
		{"F09 mandatory extension behind", "n,,n=user,r=client-nonce,m=x", sasl.MalformedRequest},
		{"no header", "n=user,r=client-nonce", sasl.MalformedRequest},
		{"unknown flag", "x,,n=user,r=client-nonce", sasl.MalformedRequest},
		{"p without type", "p=,,n=user,r=client-nonce", sasl.MalformedRequest},
		{"other = in the name", "n,,n=us=er,r=client-nonce", sasl.MalformedRequest},
		{"empty name", "n,,n=,r=client-nonce", sasl.MalformedRequest},
		{"F13 long name", "n,,n=" + strings.Repeat("u", 1024) + ",r=client-nonce", sasl.MalformedRequest},
		{"F13 zero byte", "n,,n=us\x00er,r=client-nonce", sasl.MalformedRequest},
		{"F13 quote", "n,,n=us\"er,r=client-nonce", sasl.NotAuthorized},
		{"not UTF-8", "n,,n=\xff,r=client-nonce", sasl.MalformedRequest},
		{"nothing", "", sasl.MalformedRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sasl.NewServer(sasl.ScramSHA1, channel("server-nonce"))
			_, done, err := s.Next([]byte(tc.text), true)
			checkEnd(t, s, done, err, "", tc.fails)
			if q, ok := s.(sasl.Inquirer).Asks(); ok {
				t.Errorf("asked %+v", q)
			}
		})
	}
}

// Escapes of a saslname (RFC 5802 §5.1), and the missing initial response.
func TestScramNames(t *testing.T) {
	s := sasl.NewServer(sasl.ScramSHA1, channel("server-nonce"))
	if got, done, err := s.Next(nil, false); got == nil || len(got) > 0 || done || err != nil {
		t.Fatalf("no initial response: %q %v %v", got, done, err)
	}
	if _, _, err := s.Next([]byte("n,,n=a=2Cb=3Dc,r=client-nonce,x=unknown"), true); err != nil {
		t.Fatal(err)
	}
	q, ok := s.(sasl.Inquirer).Asks()
	if !ok || q.Identity != "a,b=c@user.example" || q.Want != sasl.WantSecret {
		t.Errorf("asked %+v", q)
	}
	_, done, err := s.(sasl.Inquirer).Answer(sasl.Reply{Standing: sasl.Good})
	checkEnd(t, s, done, err, "", sasl.TemporaryAuthFailure)
}

func FuzzScram(f *testing.F) {
	f.Add("n,,n=user,r=client-nonce", "c=biws,r=client-nonceserver-nonce,p=AAAA")
	f.Add("p=tls-exporter,a=x,n=user,r=client-nonce,e=x", "c=biws,r=x,m=y,p=")
	f.Fuzz(func(t *testing.T, first, final string) {
		secret := sasl.Secret{Salt: []byte("salt"), Iterations: 1, StoredKey: make([]byte, sha1.Size), ServerKey: make([]byte, sha1.Size)}
		for _, name := range []string{sasl.ScramSHA1, sasl.ScramSHA1 + sasl.PlusSuffix} {
			s := sasl.NewServer(name, channel("server-nonce", exporter))
			if _, done, err := s.Next([]byte(first), true); done || err != nil {
				if done || s.Identity() != "" {
					t.Fatal("authenticated by the first message")
				}
				continue
			}
			if _, done, _ := answer(t, s, sasl.Reply{Standing: sasl.Good, Secret: secret}); done {
				t.Fatal("authenticated by an answer")
			}
			if _, done, _ := s.Next([]byte(final), true); done || s.Identity() != "" {
				t.Fatalf("authenticated by %q and %q", first, final)
			}
		}
	})
}
