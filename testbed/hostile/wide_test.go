package hostile_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/xmpp/xmlstream"
)

// wideRows are the rows that need the profile for ordinary servers, which strips instead of refusing: on a second node with
// the same neighbours.
func wideRows() []row {
	return []row{
		{"C10_foreign_attribute_stripped", foreignAttributeStripped},
		{"C11_foreign_body_stripped", foreignBodyStripped},
		{"H07_answers_of_others", answersOfOthers},
		{"H15_claims_in_our_name", claimsInOurName},
		{"J07_references_stripped", referencesStripped},
	}
}

// crossesWithout plays messages that arrive with a body and without the mark.
func (w *world) crossesWithout(t *testing.T, cases map[string]string, check func(*xmlstream.Element) string) {
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			for _, s := range allSplits {
				at := w.b.tap.now()
				w.play(t, variant{name, in, accept(check)}, s)
				if found := findMark(w.b.tap.since(at)); found != "" {
					t.Errorf("crossed: %s", found)
				}
			}
		})
	}
}

// foreignAttributeStripped: C10.
func foreignAttributeStripped(t *testing.T, w *world) {
	w.crossesWithout(t, map[string]string{
		"last":  "<message to='$TO' x:to='$MARK@d.example' xmlns:x='urn:x' from='$FROM' type='chat' id='$ID'>$LABEL<body>fine</body></message>",
		"first": "<message x:to='$MARK@d.example' xmlns:x='urn:x' to='$TO' from='$FROM' type='chat' id='$ID'>$LABEL<body>fine</body></message>",
	}, func(e *xmlstream.Element) string {
		if strings.Contains(canonical(e), "d.example") {
			return "crossed: " + canonical(e)
		}
		return attribute("to", "v@b.example")(e)
	})
}

// foreignBodyStripped: C11.
func foreignBodyStripped(t *testing.T, w *world) {
	w.crossesWithout(t, map[string]string{
		"last":  fineMessage("<body>fine</body><body xmlns='urn:x'>$MARK</body>"),
		"first": fineMessage("<body xmlns='urn:x'>$MARK</body><body>fine</body>"),
	}, func(e *xmlstream.Element) string { return body("fine")(e) + textOnly(e) })
}

// claimsInOurName: H15. Every instance that says it was put there by one of ours goes, not only the first; what the sender's
// own side says of itself stays.
func claimsInOurName(t *testing.T, w *world) {
	const ours, theirs = "by='b.example'", "by='$DOMAIN'"
	id := func(by string) string { return "<stanza-id xmlns='urn:xmpp:sid:0' id='$MARK' " + by + "/>" }
	delay := func(from string) string {
		return "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z' from='" + from + "'>$MARK</delay>"
	}
	noClaim := func(e *xmlstream.Element) string {
		if text := canonical(e); strings.Contains(text, "by='b.example'") || strings.Contains(text, "from='b.example'") {
			return "crossed: " + text
		}
		return body("fine")(e)
	}
	w.crossesWithout(t, map[string]string{
		"stanza-id":           fineMessage("<body>fine</body>" + id(ours)),
		"stanza-id_three":     fineMessage(id(ours) + "<body>fine</body>" + id(ours) + id(ours)),
		"stanza-id_of_a_user": fineMessage("<body>fine</body>" + id("by='v@b.example'")),
		"delay":               fineMessage("<body>fine</body>" + delay("b.example") + delay("b.example")),
		"two_at_once":         fineMessage("<body>fine</body>" + id(ours) + delay("b.example") + id(ours)),
	}, noClaim)
	t.Run("own_claim_stays", func(t *testing.T) {
		w.play(t, variant{"", fineMessage("<body>fine</body>" + strings.Replace(id(theirs), "$MARK", "theirs", 1)), accept(func(e *xmlstream.Element) string {
			if e.Child("urn:xmpp:sid:0", "stanza-id") == nil {
				return "removed: " + canonical(e)
			}
			return ""
		})}, whole)
	})
	t.Run("archive", func(t *testing.T) {
		w.play(t, variant{"", message("<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='" + nsForward + "'>" + bare + "</forwarded></result>"), deny("wrapped")}, whole)
	})
}

// referencesStripped: J07. Where a profile strips, the reference goes and the text crosses.
func referencesStripped(t *testing.T, w *world) {
	w.crossesWithout(t, map[string]string{
		"oob": fineMessage("<body>fine</body><x xmlns='jabber:x:oob'><url>https://files.example/$MARK</url></x>"),
		"bob": fineMessage("<body>fine</body><data xmlns='urn:xmpp:bob' cid='sha1+x@bob.xmpp.org' type='image/png'>$MARK</data>"),
	}, body("fine"))
}

// answersOfOthers: H07. A request of ours is answered by whom it was sent to, once, and by nobody else.
func answersOfOthers(t *testing.T, w *world) {
	l := w.lane(t)
	id := w.id("asked")
	asker := w.dial(t, w.inside)
	asker.authenticated("b.example", l.domain, w.bCert)
	asker.say(fmt.Sprintf("<iq type='get' from='v@b.example/here' to='u@%s/r' id='%s'><ping xmlns='urn:xmpp:ping'/></iq>", l.domain, id))
	w.evil.await(t, id)
	seq := w.audit.read()
	answer := "<iq type='%s' from='%s' to='v@b.example/here' id='%s'>%s</iq>"
	const failed = "<error type='cancel'><service-unavailable xmlns='" + nsStanzas + "'/></error>"
	r := w.login(t, l)
	forged := [][3]string{
		{"result", "stranger@" + l.domain, id},
		{"result", "u@" + l.domain + "/other", id},
		{"result", "u@" + l.domain, id},
		{"error", "stranger@" + l.domain, id},
		{"result", "u@" + l.domain + "/r", "nobody-asked"},
	}
	for _, f := range forged {
		payload := ""
		if f[0] == "error" {
			payload = failed
		}
		r.sayf(answer, f[0], f[1], f[2], payload)
	}
	w.pass(t, l)
	if n := w.b.times(id) + w.b.times("nobody-asked"); n != 0 {
		t.Errorf("%d forged answers arrived", n)
	}
	r.sayf(answer, "result", "u@"+l.domain+"/r", id, "")
	w.b.await(t, id)
	r.sayf(answer, "result", "u@"+l.domain+"/r", id, "") // a second time nobody waits for it
	w.pass(t, l)
	if n := w.b.times(id); n != 1 {
		t.Errorf("the answer arrived %d times", n)
	}
	if n := w.evil.times("nobody-asked"); n != 0 {
		t.Error("an answer was answered")
	}
	unsolicited := 0
	for _, e := range w.audit.since(seq) {
		if e.Kind == audit.Decision && e.Reason == "unsolicited" && strings.Contains(e.From, l.domain) {
			unsolicited++
		}
	}
	if unsolicited != len(forged)+1 {
		t.Errorf("%d records of unsolicited answers, want %d", unsolicited, len(forged)+1)
	}
}
