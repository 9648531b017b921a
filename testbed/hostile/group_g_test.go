package hostile_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/gateway/audit"
)

const (
	dialResult = "<db:result from='%s' to='%s'>%s</db:result>"
	dialValid  = "<db:result from='b.example' to='%s' type='valid'/>"
	dialError  = "<db:result from='%s' to='%s' type='error'><error type='%s'><%s xmlns='" + nsStanzas + "'/></error></db:result>"
)

// groupG is dialback. Its DNS rows are in dns_test.go.
func groupG() []row {
	return []row{
		{"G01_unsolicited_verify", func(t *testing.T, w *world) {
			unsolicited(t, w, "<db:verify type='valid' id='known' from='%s' to='b.example'/>")
		}},
		{"G02_unsolicited_result", func(t *testing.T, w *world) {
			unsolicited(t, w, "<db:result type='valid' from='%s' to='b.example'/>")
		}},
		{"G02_unsolicited_result_as_initiator", unsolicitedOutbound},
		{"G03_answer_on_another_stream", answerElsewhere},
		{"G04_key_of_another_pair", keyOfAnotherPair},
		{"G05_our_own_domain", ownDomain},
		{"G06_dialback_where_certificates_are_wanted", certificateOnly},
		{"G07_dialback_without_dialback", withoutDialback},
		{"G08_many_pairs", manyPairs},
		{"G08_large_key", largeKey},
		{"G08_missing_addresses", missingAddresses},
	}
}

// dialed opens an encrypted stream of a domain that has no certificate.
func (w *world) dialed(t *testing.T, domain string) *raw {
	t.Helper()
	r := w.dial(t, w.outside)
	r.encrypted(domain, "b.example", nil)
	r.sayf(header, domain, "b.example")
	r.hear("</stream:features>")
	return r
}

// unsolicited: G01, G02. Answers that nobody asked for change nothing, are recorded, and cost nothing.
func unsolicited(t *testing.T, w *world, answer string) {
	victim := w.id("victim") + ".dial.example"
	say := func(t *testing.T, r *raw) {
		t.Helper()
		seq := w.audit.read()
		r.sayf(answer, victim)
		w.audit.await(t, seq, "unsolicited", func(e *audit.Entry) bool {
			return e.Rule == "unsolicited-dialback" && e.StanzaID == r.address()
		})
	}
	then := func(t *testing.T, r *raw) { // the victim's pair is not authorised
		t.Helper()
		id := w.id("forged")
		r.say(strings.Replace(good(victim, "b.example", id), "fine", mark, 1))
		said := r.endPolitely(closeLimit)
		if !strings.Contains(said, "<invalid-from ") && !strings.Contains(said, "<not-authorized ") {
			t.Errorf("said %q", said)
		}
		if w.b.times(id) != 0 {
			t.Error("delivered")
		}
	}
	t.Run("authenticated", func(t *testing.T) {
		l := w.lane(t)
		r := w.login(t, l)
		say(t, r)
		kept := w.id("kept")
		r.say(good(l.domain, "b.example", kept))
		w.b.await(t, kept)
		then(t, r)
		w.pass(t, l)
	})
	t.Run("both_ways", func(t *testing.T) {
		domain := w.id("both") + ".evil.example"
		r := w.both(t, domain)
		say(t, r)
		kept := w.id("kept")
		r.say(good(domain, "b.example", kept))
		w.b.await(t, kept)
		then(t, r)
	})
	t.Run("before_authentication", func(t *testing.T) {
		r := w.dialed(t, victim)
		say(t, r)
		then(t, r)
	})
}

// unsolicitedOutbound: G02 on a stream that the node opened and that is in use. Nothing is accepted over it, before or after.
func unsolicitedOutbound(t *testing.T, w *world) {
	domain, victim := w.id("out")+".trap.example", w.id("victim")+".dial.example"
	seq, id, forged := w.audit.read(), w.id("opens"), w.id("forged")
	w.insider(t, domain, id)
	w.trap.await(t, id)
	w.trap.inject(domain, fmt.Sprintf("<db:result type='valid' from='%s' to='b.example'/>", victim))
	w.audit.await(t, seq, "unsolicited", func(e *audit.Entry) bool { return e.Rule == "unsolicited-dialback" && e.From == victim })
	at := w.trap.tap.now()
	w.trap.inject(domain, strings.Replace(good(victim, "b.example", forged), "fine", mark, 1))
	eventually(t, closeLimit, "the stream is ended", func() bool {
		return strings.Contains(string(w.trap.tap.since(at)), "<not-authorized xmlns='"+nsStreams+"'/>")
	})
	w.audit.await(t, seq, "end of the stream", func(e *audit.Entry) bool { return e.Rule == "stream-down" && e.From == domain })
	if w.b.times(forged) != 0 {
		t.Error("delivered")
	}
}

// answerElsewhere: G03. The answer counts only on the stream on which the question was asked. That it comes too late is for
// the tests of package stream, where half a minute costs nothing.
func answerElsewhere(t *testing.T, w *world) {
	domain := w.id("slow") + ".dial.example"
	asked, answer := make(chan struct{}), make(chan struct{})
	w.trap.mu.Lock()
	before := w.trap.verify
	w.trap.verify = func(d, key string) string {
		if d == domain {
			close(asked)
			<-answer
		}
		return before(d, key)
	}
	w.trap.mu.Unlock()
	seq := w.audit.read()
	r := w.dialed(t, domain)
	r.sayf(dialResult, domain, "b.example", "bad-key")
	<-asked
	r.sayf("<db:verify type='valid' from='%s' to='b.example' id='x'/>", domain)
	l := w.lane(t)
	other := w.login(t, l)
	other.sayf("<db:verify type='valid' from='%s' to='b.example' id='x'/>", domain)
	for _, x := range []*raw{r, other} {
		w.audit.await(t, seq, "unsolicited", func(e *audit.Entry) bool {
			return e.Rule == "unsolicited-dialback" && e.StanzaID == x.address()
		})
	}
	close(answer)
	if said := r.endPolitely(closeLimit); !strings.Contains(said, "type='invalid'") || strings.Contains(said, "type='valid'") {
		t.Errorf("said %q", said)
	}
	w.audit.await(t, seq, "spoof", func(e *audit.Entry) bool { return e.Rule == "spoof" && e.StanzaID == r.address() })
}

// keyOfAnotherPair: G04. The node makes a key for the stream "ab" and the domain c.dial.example; the same letters cut
// elsewhere are no key.
func keyOfAnotherPair(t *testing.T, w *world) {
	key := make(chan string, 1)
	w.trap.play(t, "c.dial.example", func(r *raw) {
		r.hear(">")
		r.hear(">")
		if !w.secureAs(r, "c.dial.example", nil) {
			return
		}
		r.sayf(strings.Replace(stationHeader, "station-stream", "ab", 1)+
			"<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>", "c.dial.example", "b.example")
		r.hear("<db:result")
		_, text, _ := strings.Cut(r.hear("</db:result>"), ">")
		select {
		case key <- text:
		default: // it tries again; nobody answers
		}
	})
	asked := w.id("for-a-key")
	w.insider(t, "c.dial.example", asked)
	defer w.b.await(t, asked) // comes back
	made := <-key
	if made == "" {
		t.Fatal("no key")
	}
	r := w.dialed(t, "c.dial.example")
	for _, c := range []struct{ from, id, key, want string }{
		{"c.dial.example", "ab", made, "valid"},
		{"bc.dial.example", "a", made, "invalid"},
		{"c.dial.example", "a", made, "invalid"},
		{"c.dial.example", "ab", made[:len(made)-1], "invalid"},
		{"c.dial.example", "ab", "", "invalid"},
		{"c.dial.example", "ab", strings.ToUpper(made), "invalid"},
	} {
		r.sayf("<db:verify from='%s' to='b.example' id='%s'>%s</db:verify>", c.from, c.id, c.key)
		if said := r.hear("/>"); !strings.HasSuffix(said, " type='"+c.want+"'") {
			t.Errorf("%+v: said %q", c, said)
		}
	}
	w.secret(made)
}

// ownDomain: G05.
func ownDomain(t *testing.T, w *world) {
	l := w.lane(t)
	seq := w.audit.read()
	r := w.login(t, l)
	r.sayf(dialResult, "b.example", "b.example", "key")
	if said := r.hear("</db:result>") + "</db:result>"; said != fmt.Sprintf(dialError, "b.example", "b.example", "cancel", "policy-violation") {
		t.Errorf("said %q", said)
	}
	w.audit.await(t, seq, "self-spoof", func(e *audit.Entry) bool { return e.Rule == "self-spoof" && e.StanzaID == r.address() })
	kept := w.id("kept")
	r.say(good(l.domain, "b.example", kept))
	w.b.await(t, kept)
}

// certificateOnly: G06.
func certificateOnly(t *testing.T, w *world) {
	domain, seq, forged := w.id("nocert")+".evil.example", w.audit.read(), w.id("forged")
	r := w.dialed(t, domain)
	r.sayf(dialResult, domain, "b.example", goodKey)
	if said := r.hear("</db:result>") + "</db:result>"; said != fmt.Sprintf(dialError, "b.example", domain, "cancel", "policy-violation") {
		t.Errorf("said %q", said)
	}
	w.audit.await(t, seq, "refusal", func(e *audit.Entry) bool { return e.Rule == "policy" && e.StanzaID == r.address() })
	r.say(strings.Replace(good(domain, "b.example", forged), "fine", mark, 1))
	if said := r.endPolitely(closeLimit); said != streamErrorText(streamError("invalid-from"))+goodbye {
		t.Errorf("said %q", said)
	}
}

// withoutDialback: G07. A certificate of one domain is no shortcut for another: the key is checked where that is allowed,
// and the pair refused where certificates are wanted.
func withoutDialback(t *testing.T, w *world) {
	victim := w.id("victim") + ".dial.example"
	r := w.dial(t, w.outside)
	r.encrypted(victim, "b.example", w.evilCert)
	r.sayf(header, victim, "b.example")
	r.hear("</stream:features>")
	r.sayf(dialResult, victim, "b.example", "bad-key")
	if said := r.endPolitely(closeLimit); !strings.Contains(said, "type='invalid'") {
		t.Errorf("said %q", said)
	}
	victim = w.id("victim") + ".evil.example"
	trap := w.leaf2("*.trap.example")
	r = w.dial(t, w.outside)
	r.encrypted(victim, "b.example", trap)
	r.sayf(header, victim, "b.example")
	r.hear("</stream:features>")
	r.sayf(dialResult, victim, "b.example", goodKey)
	if said := r.hear("</db:result>"); !strings.Contains(said, "policy-violation") {
		t.Errorf("said %q", said)
	}
}

// manyPairs: G08.
func manyPairs(t *testing.T, w *world) {
	stop := make(chan struct{})
	w.trap.mu.Lock()
	before := w.trap.verify
	w.trap.verify = func(d, key string) string {
		if strings.HasPrefix(d, "many") {
			<-stop
			return ""
		}
		return before(d, key)
	}
	w.trap.mu.Unlock()
	defer close(stop)
	seq := w.audit.read()
	r := w.dialed(t, "many.dial.example")
	go func() {
		for i := range 10_000 {
			if !r.write(fmt.Appendf(nil, dialResult, fmt.Sprintf("many%d.dial.example", i), "b.example", goodKey)) {
				return
			}
		}
	}()
	if said := r.endPolitely(patience); !strings.HasSuffix(said, streamErrorText(streamError("policy-violation"))+goodbye) || strings.Contains(said, "'valid'") {
		t.Errorf("said %.1000q", said)
	}
	w.audit.await(t, seq, "end of the stream", endOf(r.address()))
}

// largeKey: G08.
func largeKey(t *testing.T, w *world) {
	for _, s := range allSplits {
		r := w.dialed(t, "large.dial.example")
		go r.saySplit(s, []byte(fmt.Sprintf(dialResult, "large.dial.example", "b.example", strings.Repeat("k", 1<<20))))
		if said := r.endPolitely(closeLimit); said != streamErrorText(streamError("policy-violation"))+goodbye {
			t.Errorf("split %s: said %q", s, said)
		}
	}
}

// missingAddresses: G08.
func missingAddresses(t *testing.T, w *world) {
	for _, e := range []string{
		"<db:result to='b.example'>k</db:result>", "<db:result from='x.dial.example'>k</db:result>", "<db:result from='' to=''>k</db:result>",
		"<db:verify to='b.example' id='1'>k</db:verify>", "<db:verify from='x.dial.example' to='b.example'>k</db:verify>",
		"<db:result from='u@x.dial.example' to='b.example'>k</db:result>",
	} {
		r := w.dialed(t, "x.dial.example")
		r.say(e)
		if said := r.endPolitely(closeLimit); said != streamErrorText(streamError("improper-addressing"))+goodbye {
			t.Errorf("%s: said %q", e, said)
		}
	}
}
