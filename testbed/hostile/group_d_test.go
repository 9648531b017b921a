package hostile_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
)

const (
	bidi     = "<bidi xmlns='urn:xmpp:bidi'/>"
	enableSM = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
	smFailed = "<failed xmlns='urn:xmpp:sm:3'><%s xmlns='" + nsStanzas + "'/></failed>"
)

// groupD is the stream and stream management.
func groupD() []row {
	return []row{
		atHeader("D01_not_xmpp", variants(streamError("not-well-formed"), "GET /$MARK HTTP/1.1\r\n", "\x16\x03\x01\x02\x00\x01\x00$MARK", noiseBytes(64<<10))),
		{"D01_recorded_once_a_minute", oncePerMinute},
		atHeader("D03_versions", variants(streamError("unsupported-version"), versioned(" version='2.0'"), versioned(""), versioned(" version='1.x'"))),
		{"D03_version_1.1", versionOneOne},
		atHeader("D04_hosts", variants(streamError("host-unknown"), addressed(" to='nosuch.example'"), addressed("")),
			[]variant{
				{"empty", addressed(" to=''"), streamError("improper-addressing")},
				{"no_domain", addressed(" to='a@b'"), streamError("improper-addressing")},
			}),
		{"D05_stanza_before_authentication", beforeAuthentication},
		{"D09_message_after_the_end", afterTheEnd},
		{"D10_stream_error_with_escapes", errorWithEscapes},
		{"D11_see_other_host", seeOtherHost},
		trapRow("D12_endless_features",
			trapped{
				name: "in_clear", script: func(r *raw, domain string) { r.sayf(stationHeader+endlessFeatures(), domain, "b.example") },
				said: "<policy-violation xmlns='" + nsStreams + "'/>", never: append(credentials, "<starttls"),
			},
			trapped{
				name: "65_mechanisms", script: func(r *raw, domain string) {
					r.sayf(stationHeader+"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</mechanisms></stream:features>",
						domain, "b.example", strings.Repeat("<mechanism>X</mechanism>", 65))
				},
				said: "<policy-violation xmlns='" + nsStreams + "'/>", never: append(credentials, "<starttls"),
			}),
		{"D15_resume_what_is_not_yours", resumeOthers},
		{"D16_acknowledgements", acknowledgements},
	}
}

func noiseBytes(n int) string {
	rnd := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	b[0] = 0x9C
	return string(b)
}

func versioned(version string) string {
	return strings.Replace(bareHeader, " version='1.0'", version, 1) // "jabber:server:dialback' version" has the blank before
}

func addressed(to string) string { return strings.Replace(bareHeader, " to='$TO'", to, 1) }

func endlessFeatures() string {
	return "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + strings.Repeat("<mechanism>X-"+strings.Repeat("M", 80)+"</mechanism>", 10_000)
}

// oncePerMinute: a source that comes again and again is recorded once.
func oncePerMinute(t *testing.T, w *world) {
	seq, source := w.audit.read(), freshSource()
	for range 5 {
		r := w.dialFrom(t, source, w.outside)
		r.say("GET / HTTP/1.1\r\n")
		r.end(closeLimit)
	}
	r := w.dial(t, w.outside) // somebody else, whose record comes after theirs
	r.say("GET / HTTP/1.1\r\n")
	r.end(closeLimit)
	w.audit.await(t, seq, "end of the other stream", endOf(r.address()))
	ends := map[string]int{}
	for _, e := range w.audit.since(seq) {
		if strings.HasPrefix(e.StanzaID, source.String()+":") {
			ends[e.Rule]++
		}
	}
	if ends["stream-down"] != 1 || ends["malformed"] > 1 {
		t.Errorf("recorded %v, want each once", ends)
	}
}

// versionOneOne: a later minor version is taken for 1.0.
func versionOneOne(t *testing.T, w *world) {
	r := w.dial(t, w.outside)
	r.say(strings.NewReplacer("$FROM", "x.evil.example", "$TO", "b.example").Replace(versioned(" version='1.1'")))
	if said := r.hear("</stream:features>"); !strings.Contains(said, " version='1.0'") {
		t.Errorf("said %q", said)
	}
	r.say(goodbye)
	r.end(closeLimit)
}

// beforeAuthentication: D05. The attacker is silent afterwards, so this is also where the 5 seconds are measured.
func beforeAuthentication(t *testing.T, w *world) {
	l := w.lane(t)
	stanza := strings.Replace(good(l.domain, "b.example", "early-1"), "fine", mark, 1)
	for name, prepare := range map[string]func(*raw){
		"in_clear": func(r *raw) {
			r.sayf(header, l.domain, "b.example")
			r.hear("</stream:features>")
		},
		"encrypted": func(r *raw) {
			r.encrypted(l.domain, "b.example", w.evilCert)
			r.sayf(header, l.domain, "b.example")
			r.hear("</stream:features>")
		},
		"after_a_failed_attempt": func(r *raw) {
			r.encrypted(l.domain, "b.example", w.evilCert)
			r.sayf(header, l.domain, "b.example")
			r.hear("</stream:features>")
			r.sayf(external, "Yi5leGFtcGxl") // b.example
			r.hear("</failure>")
		},
	} {
		t.Run(name, func(t *testing.T) {
			seq := w.audit.read()
			r := w.dial(t, w.outside)
			prepare(r)
			r.say(stanza)
			began := time.Now()
			if said := r.end(closeLimit); said != streamErrorText(streamError("not-authorized"))+goodbye {
				t.Errorf("said %q", said)
			}
			t.Logf("closed after %v", time.Since(began))
			w.endOfStranger(t, seq, r.address(), "not-authorized")
			w.pass(t, l)
			if n := w.b.times("early-1"); n != 0 {
				t.Errorf("delivered %d times", n)
			}
			for _, e := range w.audit.since(seq) {
				if e.Kind == audit.Decision && e.StanzaID == "early-1" {
					t.Errorf("judged: %s", show([]audit.Entry{e}))
				}
			}
		})
	}
}

// afterTheEnd: D09.
func afterTheEnd(t *testing.T, w *world) {
	l := w.lane(t)
	for _, s := range allSplits {
		before, after := w.id("before"), w.id("after")
		r := w.login(t, l)
		r.saySplit(s, []byte(good(l.domain, "b.example", before)+goodbye+good(l.domain, "b.example", after)))
		if said := r.end(closeLimit); said != goodbye {
			t.Errorf("split %s: said %q", s, said)
		}
		w.pass(t, l)
		if w.b.times(before) != 1 || w.b.times(after) != 0 {
			t.Errorf("split %s: before %d times, after %d times", s, w.b.times(before), w.b.times(after))
		}
	}
}

// errorWithEscapes: D10. What a peer says in its last words is one short line in the log.
func errorWithEscapes(t *testing.T, w *world) {
	l := w.lane(t)
	for name, size := range map[string]int{"within_the_limit": 300 << 10, "beyond_it": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			at, seq := w.log.now(), w.audit.read()
			r := w.login(t, l)
			text := strings.Repeat("d10-word&#x9;\u009b31m\u202e&#xD;\n", size/32)
			r.sayf("<stream:error><reset xmlns='%s'/><text xmlns='%s'>%s</text></stream:error>%s", nsStreams, nsStreams, text, goodbye)
			if said := r.end(closeLimit); said != goodbye {
				t.Errorf("said %.300q", said)
			}
			e := w.audit.await(t, seq, "end of the stream", endOf(r.address()))
			if e != nil && (len(e.Reason) > 300 || strings.ContainsAny(e.Reason, "\n\r\t\u009b\u202e")) {
				t.Errorf("recorded %q", e.Reason)
			}
			for line := range strings.Lines(string(w.log.since(at))) {
				if strings.Count(line, "d10-word")*len("d10-word") > 256 || strings.ContainsAny(line, "\u009b\u202e") {
					t.Errorf("logged %.600q", line)
				}
			}
		})
	}
}

// seeOtherHost: D11. A referral is followed nowhere, before TLS or after.
func seeOtherHost(t *testing.T, w *world) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan error, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			_ = c.Close()
		}
		called <- err
	}()
	refer := fmt.Sprintf("<stream:error><see-other-host xmlns='%s'>%s</see-other-host></stream:error>%s", nsStreams, ln.Addr(), goodbye)
	t.Run("before_and_after_tls", func(t *testing.T) {
		trapRow("",
			trapped{
				name: "before_tls", script: func(r *raw, domain string) { r.sayf(stationHeader+"%s", domain, "b.example", refer) },
				never: credentials, event: "see-other-host",
			},
			trapped{
				name: "after_tls", script: func(r *raw, domain string) {
					if w.secureAs(r, domain, nil) {
						r.sayf(stationHeader+"%s", domain, "b.example", refer)
					}
				},
				never: credentials, event: "see-other-host",
			}).run(t, w)
	})
	_ = ln.Close()
	if err := <-called; err == nil {
		t.Error("the referral was followed")
	}
}

// both is a login with XEP-0288, so that answers come back on the same stream.
func (w *world) both(t *testing.T, domain string) *raw {
	t.Helper()
	r := w.dial(t, w.outside)
	r.encrypted(domain, "b.example", w.evilCert)
	r.sayf(header, domain, "b.example")
	r.hear("</stream:features>")
	r.say(bidi)
	r.sayf(external, "=")
	r.hear("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	r.sayf(header, domain, "b.example")
	r.hear("</stream:features>")
	return r
}

// resumeOthers: D15. A session that is not yours and one that does not exist get the same answer; the owner keeps his.
func resumeOthers(t *testing.T, w *world) {
	owner, thief := w.id("owner")+".evil.example", w.id("thief")+".evil.example"
	r := w.both(t, owner)
	r.say(enableSM)
	_, id, _ := strings.Cut(r.hear("/>"), " id='")
	id, _, _ = strings.Cut(id, "'")
	if id == "" {
		t.Fatal("no session")
	}
	notFound := fmt.Sprintf(smFailed, "item-not-found")
	resume := "<resume xmlns='urn:xmpp:sm:3' previd='%s' h='0'/>"
	var took [2]time.Duration
	for i, previd := range []string{id, strings.Repeat("x", len(id))} {
		x := w.both(t, thief)
		began := time.Now()
		x.sayf(resume, previd)
		if said := x.hear("</failed>"); said+"</failed>" != notFound {
			t.Errorf("said %q, want %q", said+"</failed>", notFound)
		}
		took[i] = time.Since(began)
		x.say(goodbye)
		x.end(closeLimit)
	}
	t.Logf("answers took %v", took)
	early := w.dial(t, w.outside)
	early.encrypted(owner, "b.example", w.evilCert)
	early.sayf(header, owner, "b.example")
	early.hear("</stream:features>")
	early.sayf(resume, id)
	if said := early.hear("</failed>") + "</failed>"; said != fmt.Sprintf(smFailed, "unexpected-request") {
		t.Errorf("before authentication: said %q", said)
	}
	early.say(goodbye)
	early.end(closeLimit)
	mine := w.id("still-mine")
	r.say(good(owner, "b.example", mine))
	w.b.await(t, mine)
	r.say(goodbye)
	r.end(closeLimit)
}

// acknowledgements: D16.
func acknowledgements(t *testing.T, w *world) {
	const sent = 10
	ack := "<a xmlns='urn:xmpp:sm:3' h='%s'/>"
	tooHigh := "<stream:error><undefined-condition xmlns='" + nsStreams + "'/><handled-count-too-high xmlns='urn:xmpp:sm:3' h='4294967295' send-count='10'/></stream:error>"
	for _, c := range []struct{ name, h, want string }{
		{"too_high", "4294967295", tooHigh},
		{"negative", "-1", streamErrorText(streamError("bad-format"))},
		{"no_number", "x", streamErrorText(streamError("bad-format"))},
		{"repeated", "10", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			domain := w.id("ack") + ".evil.example"
			r := w.both(t, domain)
			r.say("<enable xmlns='urn:xmpp:sm:3'/>")
			r.hear("/>")
			refuse := func(n int) {
				for i := range n {
					r.sayf("<message from='u@%s' to='v@b.example' type='chat' id='%s-%d'><body>no label</body></message>", domain, c.name, i)
				}
				for i := range n {
					r.hear(" id='" + c.name + "-" + strconv.Itoa(i) + "'")
					r.hear("</message>")
				}
			}
			refuse(sent)
			r.sayf(ack, "10")
			r.sayf(ack, c.h)
			if c.want == "" {
				r.sayf(ack, c.h)
				refuse(2)
				r.sayf(ack, "12")
				r.say("<r xmlns='urn:xmpp:sm:3'/>")
				r.hear(" h='12'/>")
				r.say(goodbye)
				r.end(closeLimit)
				return
			}
			if said := r.endPolitely(closeLimit); !strings.HasSuffix(said, c.want+goodbye) {
				t.Errorf("said %q, want %q", said, c.want)
			}
		})
	}
}
