package hostileclient_test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var challenge = regexp.MustCompile(`<challenge[^>]*>([^<]*)<`)

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// first says client-first and returns server-first.
func (c *client) first() string {
	c.t.Helper()
	return c.firstOf("SCRAM-SHA-256", "n,,")
}

func (c *client) firstOf(mechanism, gs2 string) string {
	c.t.Helper()
	c.say(auth(mechanism, base(gs2+"n=juliet,r=client-nonce")))
	found := challenge.FindStringSubmatch(c.until("</challenge>"))
	text, err := base64.StdEncoding.DecodeString(found[1])
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// final is the right answer to server-first, without its proof and with.
func final(t testing.TB, first string) (without string, proof []byte) {
	t.Helper()
	return finalOf(t, first, []byte("n,,"))
}

// finalOf is that with what the channel is bound to.
func finalOf(t testing.TB, first string, binding []byte) (without string, proof []byte) {
	t.Helper()
	nonce, _, _ := strings.Cut(strings.TrimPrefix(first, "r="), ",")
	without = "c=" + base(string(binding)) + ",r=" + nonce
	return without, prove(t, first, without)
}

// prove is the right proof of what is said.
func prove(t testing.TB, first, without string) []byte {
	t.Helper()
	fields := strings.Split(first, ",")
	salt, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(fields[1], "s="))
	if err != nil {
		t.Fatal(err)
	}
	rounds, err := strconv.Atoi(strings.TrimPrefix(fields[2], "i="))
	if err != nil {
		t.Fatal(err)
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	key := mac(salted, "Client Key")
	stored := sha256.Sum256(key)
	proof := mac(stored[:], "n=juliet,r=client-nonce,"+first+","+without)
	for i := range proof {
		proof[i] ^= key[i]
	}
	return proof
}

func response(text string) string { return "<response" + nsSASL + ">" + base(text) + "</response>" }

func proven(without string, proof []byte) string {
	return response(without + ",p=" + base64.StdEncoding.EncodeToString(proof))
}

// replay: F07. What was right on one stream is wrong on another.
func replay(t *testing.T, b *bed) {
	one, two := b.opened(t), b.opened(t)
	answer := proven(final(t, one.first()))
	one.say(answer)
	one.until("<success")
	two.first()
	two.say(answer)
	if said := two.until("</failure>"); !strings.Contains(said, "<not-authorized/>") {
		t.Errorf("said %s", said)
	}
}

// anotherNonce: F07. The proof is right for what is said, which is not what was asked.
func anotherNonce(t *testing.T, b *bed) {
	for name, spoil := range map[string]func(nonce string) string{
		"that of the client": func(string) string { return "client-nonce" },
		"longer":             func(nonce string) string { return nonce + "x" },
	} {
		c := b.opened(t)
		first := c.first()
		nonce, _, _ := strings.Cut(strings.TrimPrefix(first, "r="), ",")
		without := "c=" + base("n,,") + ",r=" + spoil(nonce)
		c.say(proven(without, prove(t, first, without)))
		if said := c.until("</failure>"); !strings.Contains(said, "<not-authorized/>") {
			t.Errorf("%s: %s", name, said)
		}
	}
}

// foreignBinding: F08. The proof is right, for another connection.
func foreignBinding(t *testing.T, b *bed) {
	exported := func(c *client) []byte {
		state := c.conn.(*tls.Conn).ConnectionState()
		data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	other := exported(b.opened(t))
	for name, tc := range map[string]struct {
		binding func(own []byte) []byte
		said    string
	}{
		"its own":           {func(own []byte) []byte { return own }, "<success"},
		"of another":        {func([]byte) []byte { return other }, "<not-authorized/>"},
		"none at all":       {func([]byte) []byte { return nil }, "<not-authorized/>"},
		"a part of its own": {func(own []byte) []byte { return own[:31] }, "<not-authorized/>"},
	} {
		c := b.opened(t)
		first := c.firstOf("SCRAM-SHA-256-PLUS", "p=tls-exporter,,")
		c.say(proven(finalOf(t, first, append([]byte("p=tls-exporter,,"), tc.binding(exported(c))...))))
		if said := c.until("<success", "</failure>"); !strings.Contains(said, tc.said) {
			t.Errorf("%s: %s", name, said)
		}
	}
}

// guessed: F14. However many guess a password, from wherever, who knows it logs in within the seconds that an account is slowed down by. His password
// is derived in turn with theirs, on a machine of any speed: that is given time, too.
func guessed(t *testing.T, b *bed) {
	var all sync.WaitGroup
	for range 100 {
		c := b.opened(t)
		all.Go(func() {
			c.sayIn(whole, strings.Repeat(plain("benvolio", "wrong"), 4)+"</stream:stream>")
			if said := c.end(patience); strings.Count(said, "<not-authorized/>") != 4 || strings.Contains(said, "<success") {
				t.Errorf("said %s", said)
			}
		})
	}
	c := b.opened(t)
	began := time.Now()
	c.say(plain("benvolio", password))
	c.until("<success")
	if took, limit := time.Since(began), b.calm.yardstick.limit()+2*stall; took > limit {
		t.Errorf("who knows the password logged in after %v, limit %v", took, limit)
	}
	all.Wait()
}

// proofs: F09.
func proofs(t *testing.T, b *bed) {
	for name, spoil := range map[string]func([]byte) []byte{
		"one bit":   func(p []byte) []byte { p[len(p)-1] ^= 1; return p },
		"too short": func(p []byte) []byte { return p[:len(p)-1] },
		"too long":  func(p []byte) []byte { return append(slices.Clone(p), 0) },
	} {
		c := b.opened(t)
		without, proof := final(t, c.first())
		c.say(proven(without, spoil(proof)))
		if said := c.until("</failure>"); !strings.Contains(said, "<not-authorized/>") {
			t.Errorf("%s: %s", name, said)
		}
	}
	for name, spoil := range map[string]func(without string) string{
		"mandatory extension":        func(w string) string { return w + ",m=x" },
		"mandatory extension before": func(w string) string { return "m=x," + w },
	} {
		c := b.opened(t)
		without, proof := final(t, c.first())
		c.say(proven(spoil(without), proof))
		if said := c.until("</failure>"); !strings.Contains(said, "<malformed-request/>") {
			t.Errorf("%s: %s", name, said)
		}
	}
}

// mechanismsHashed: F17. The server proves by its signature which mechanisms it has offered (XEP-0474): a client that saw others
// knows that somebody is in between.
func mechanismsHashed(t *testing.T, b *bed) {
	c := b.dial(t)
	c.say(header)
	features := c.until("</stream:features>")
	_, hash, ok := strings.Cut(c.first(), ",h=")
	if !ok {
		t.Fatal("no hash of the offer")
	}
	list, _, _ := strings.Cut(features, "</mechanisms>")
	var offered, bindings []string
	for _, m := range regexp.MustCompile(`<mechanism>([^<]+)<`).FindAllStringSubmatch(list, -1) {
		offered = append(offered, m[1])
	}
	for _, m := range regexp.MustCompile(`<channel-binding type='([^']+)'`).FindAllStringSubmatch(features, -1) {
		bindings = append(bindings, m[1])
	}
	slices.Sort(offered)
	slices.Sort(bindings)
	sum := sha256.Sum256([]byte(strings.Join(offered, "\x1e") + "\x1f" + strings.Join(bindings, "\x1e")))
	if want := base64.StdEncoding.EncodeToString(sum[:]); hash != want {
		t.Errorf("the hash is %s, want %s of %q and %q", hash, want, offered, bindings)
	}
}
