package hostileclient_test

import (
	"strings"
	"testing"
)

func bind(resources string) string {
	return "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" + resources + "</bind></iq>"
}

// groupD is the stream, and stream management.
func groupD() []row {
	ill, notAuthorized := streamError("not-well-formed"), streamError("not-authorized")
	version := streamError("unsupported-version")
	to := func(attr string) string { return tags + attr + ">" }
	return []row{
		atHeader("D01_other_protocols", ill, "GET / HTTP/1.1\r\n", "\x16\x03\x01\x00\xa5", strings.Repeat("\x93\x1b\x07", 20_000)),
		atHeader("D02_wrong_namespace_of_streams", streamError("invalid-namespace"), strings.Replace(header, "streams'", "stream'", 1)),
		atHeader("D03_versions", version, strings.Replace(header, "1.0'>", "2.0'>", 1)[:21]+strings.Replace(bareHeader, "'1.0'", "'2.0'", 1),
			strings.Replace(bareHeader, " version='1.0'", "", 1), strings.Replace(bareHeader, "'1.0'", "'1.x'", 1)),
		{name: "D01_one_record_a_minute", n: 1, run: oneRecord},
		{name: "D03_version_1.1", n: 1, run: laterVersion},
		atHeader("D04_unknown_host", streamError("host-unknown"), to(" to='nosuch.example'"), to("")),
		atHeader("D04_no_host", streamError("improper-addressing"), to(" to=''"), to(" to='a@b'")),
		early("D05_stanza_before_authentication", variants(notAuthorized, "<message to='a@im.example' id='$ID'><body>"+mark+"</body></message>", "<presence/>", bindDesk)...),
		inStream("D06_nested_stream", variants(streamError("bad-format"), header[21:])),
		late("D07_another_host", variants(notAuthorized, to(" to='second.example'"))...),
		late("D08_another_from", variants(streamError("invalid-from"), to(" to='im.example' from='nurse@im.example'"))...),
		late("D08_resources", variants(reply("<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"),
			header+bind("<resource>a</resource><resource>b</resource>"), header+bind("<resource>"+strings.Repeat("a", 1024)+"</resource>"))...),
		inStream("D08_bind_twice", variants(stanzaError("not-allowed", "cancel"), bindDesk)),
		{name: "D09_after_the_end", n: 1, run: afterTheEnd},
		{name: "D13_200_of_one_address", n: 1, run: manyOfOne},
		{name: "D13_2000_of_40_addresses", n: 1, run: manyOfMany, program: true},
		{name: "D15_resumption_of_others", n: 3, run: resumptionOfOthers},
		{name: "D16_acknowledgements", n: 5, run: acknowledgements},
		{name: "D18_never_acknowledges", n: 1, run: neverAcknowledges, program: true},
		{name: "D19_enable_twice", n: 2, run: enableTwice},
		late("D19_enable_before_bind", variants(reply("<failed xmlns='urn:xmpp:sm:3'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"), header+enable)...),
	}
}

func laterVersion(t *testing.T, b *bed) {
	c := b.dial(t)
	c.say(strings.Replace(bareHeader, "'1.0'", "'1.1'", 1))
	if said := c.until("</stream:features>"); !strings.Contains(said, " version='1.0'") {
		t.Errorf("said %s", said)
	}
}

// afterTheEnd: D09.
func afterTheEnd(t *testing.T, b *bed) {
	before, after := b.id("before"), b.id("after")
	c := b.login(t)
	c.say(good(before) + "</stream:stream>" + good(after))
	last := "</message></stream:stream>"
	if b.home != nil { // what comes back may come too late there
		last = "</stream:stream>"
	}
	if said := c.end(closeLimit); !strings.HasSuffix(said, last) || strings.Contains(said, "error") {
		t.Errorf("said %s", said)
	}
	if b.arrives(before) != 1 || b.house.times(after) != 0 {
		t.Error("the message before is lost, or the one after taken")
	}
}

// resumptionOfOthers: D15.
func resumptionOfOthers(t *testing.T, b *bed) {
	owner := b.login(t)
	owner.say(enable)
	said := owner.until("/>")
	_, rest, _ := strings.Cut(said, " id='")
	id, _, _ := strings.Cut(rest, "'")
	resume := func(id string) string { return "<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='0'/>" }
	thief := b.dial(t)
	thief.say(header)
	thief.until("</stream:features>")
	thief.say(resume(id))
	if said := thief.until("</failed>"); !strings.Contains(said, "<unexpected-request") {
		t.Errorf("before authentication: %s", said)
	}
	thief.say(plain("mallory", password))
	thief.until("<success")
	thief.say(header)
	thief.until("</stream:features>")
	thief.say(resume(id))
	foreign := thief.until("</failed>")
	thief.say(resume("no-such-session"))
	if unknown := thief.until("</failed>"); foreign[strings.Index(foreign, "<failed"):] != unknown || !strings.Contains(unknown, "<item-not-found") {
		t.Errorf("of somebody else: %s\nof nobody: %s", foreign, unknown)
	}
	owner.say(good(b.id("still")))
	owner.until("</message>")
}

// acknowledgements: D16.
func acknowledgements(t *testing.T, b *bed) {
	for _, v := range []variant{
		{"too high", "<a xmlns='urn:xmpp:sm:3' h='4294967295'/>", streamError("undefined-condition")},
		{"negative", "<a xmlns='urn:xmpp:sm:3' h='-1'/>", streamError("bad-format")},
		{"no number", "<a xmlns='urn:xmpp:sm:3' h='x'/>", streamError("bad-format")},
		{"none", "<a xmlns='urn:xmpp:sm:3'/>", streamError("bad-format")},
		{"the same again", "<a xmlns='urn:xmpp:sm:3' h='3'/><a xmlns='urn:xmpp:sm:3' h='3'/>", accept("</message>")},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			c := b.login(t)
			c.say(enable)
			c.until("<enabled")
			for range 3 {
				c.say(good(b.id("good")))
				c.until("</message>")
			}
			c.say(v.input)
			if v.want.outcome == accepted {
				c.say(good(b.id("after")))
				c.until("</message>")
				return
			}
			said := c.end(closeLimit)
			if !strings.Contains(said, "<stream:error><"+v.want.said) || v.name == "too high" &&
				!strings.Contains(said, "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='4294967295' send-count='3'/>") {
				t.Errorf("said %s", said)
			}
		})
	}
}

// enableTwice: D19, and a flood of requests for acknowledgement, each answered.
func enableTwice(t *testing.T, b *bed) {
	c := b.login(t)
	c.say(enable + enable)
	if said := c.until("</failed>"); strings.Count(said, "<enabled") != 1 || !strings.Contains(said, "<unexpected-request") {
		t.Errorf("said %s", said)
	}
	const n = 900
	go c.sayIn(whole, strings.Repeat("<r xmlns='urn:xmpp:sm:3'/>", n))
	for range n {
		c.until("<a xmlns='urn:xmpp:sm:3' h='0'/>")
	}
}
