package hostile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// internalLabel is the label INTERNAL of the test policy, for which nobody here is cleared.
const internalLabel = "<securitylabel xmlns='urn:xmpp:sec-label:0'><label>" +
	"<originatorConfidentialityLabel xmlns='urn:nato:stanag:4774:confidentialitymetadatalabel:1:0'><ConfidentialityInformation>" +
	"<PolicyIdentifier URI='urn:oid:2.999.258.1'>GUARD</PolicyIdentifier><Classification>INTERNAL</Classification>" +
	"</ConfidentialityInformation><CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime></originatorConfidentialityLabel></label></securitylabel>"

const (
	nsForward = "urn:xmpp:forward:0"
	inner     = "<message xmlns='jabber:client' from='x@d.example' to='$TO' type='chat'>" + internalLabel + "<body>$MARK</body></message>"
)

// bare is inner without a label.
var bare = strings.Replace(inner, internalLabel, "", 1)

func forwarded(in string) string {
	return "<forwarded xmlns='" + nsForward + "'>" + in + "</forwarded>"
}

// nested forwards n deep, the innermost labelled INTERNAL.
func nested(n int) string {
	in := inner
	for range n - 1 {
		in = "<message xmlns='jabber:client' from='x@d.example' to='$TO'>" + publicLabel + forwarded(in) + "</message>"
	}
	return forwarded(in)
}

// groupJ is bypass by wrapping, under the strict profile.
func groupJ() []row {
	wrapped, profile, encrypted := deny("wrapped"), deny("profile"), deny("encrypted")
	iqKind := want{outcome: answered, condition: "service-unavailable", typ: "cancel", reason: "iq-kind"}
	carbon := func(kind, from string) string {
		return strings.Replace(message("<"+kind+" xmlns='urn:xmpp:carbons:2'>"+forwarded(inner)+"</"+kind+">"), "$FROM", from, 1)
	}
	event := func(in string) string {
		return message("<event xmlns='http://jabber.org/protocol/pubsub#event'>" + in + "</event>")
	}
	return []row{
		once("J01_forwarded", variants(wrapped, message(forwarded(inner)), message("<body>ok</body>"+forwarded(inner)),
			message("<x xmlns='urn:example'>"+forwarded(inner)+"</x>"), message(forwarded(strings.ReplaceAll(inner, "jabber:client", "jabber:server"))), message(bare)),
			// The label of a message that no carrier is around is a label in the wrong place (I04), which is found first.
			variants(deny("label-misplaced"), message(inner))),
		once("J02_carbons", variants(wrapped, carbon("sent", "u@$DOMAIN"), carbon("received", "u@$DOMAIN"), carbon("sent", "v@$DOMAIN/x"), carbon("received", "stranger@$DOMAIN"))),
		once("J03_archive", variants(wrapped, message("<result xmlns='urn:xmpp:mam:2' id='1' queryid='2'>"+forwarded(inner)+"</result>")),
			variants(iqKind, iq("type='set' id='$ID'", "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>$MARK</max></set></query>"))),
		// Where no wrapper is allowed the first one decides; that where one is, depth does is for the tests of peering. A level
		// is two elements: with what is inside, 29 of them fit the depth that a stream takes; more end it, as A28 wants.
		once("J04_levels_of_forwarding", []variant{
			{"3", message(nested(3)), deny("wrapped")},
			{"16", message(nested(16)), deny("wrapped")},
			{"29", message(nested(29)), deny("wrapped")},
			{"32", message(nested(32)), streamError("policy-violation")},
			{"64", message(nested(64)), streamError("policy-violation")},
		}),
		once("J05_pubsub", variants(wrapped,
			event("<items node='n'><item id='1'>"+bare+"</item></items>"),
			event("<items node='urn:xmpp:avatar:metadata'><item id='1'><metadata xmlns='urn:xmpp:avatar:metadata'><info id='$MARK' type='image/png' bytes='1'/></metadata></item></items>"),
			event("<items node='n'><retract id='1'>$MARK</retract></items>"),
			event("<items node='n'><item id='1'><x xmlns='urn:example'>$MARK</x></item></items>")),
			variants(deny("label-misplaced"), event("<items node='n'><item id='1'>"+inner+"</item></items>"))), // I04 again
		once("J06_files", variants(iqKind,
			iq("type='set' id='$ID'", "<open xmlns='http://jabber.org/protocol/ibb' block-size='4096' sid='$MARK'/>"),
			iq("type='set' id='$ID'", "<data xmlns='http://jabber.org/protocol/ibb' seq='0' sid='s'>$MARK</data>"),
			iq("type='set' id='$ID'", "<close xmlns='http://jabber.org/protocol/ibb' sid='$MARK'/>"),
			iq("type='set' id='$ID'", "<si xmlns='http://jabber.org/protocol/si' id='a' profile='http://jabber.org/protocol/si/profile/file-transfer'><file xmlns='http://jabber.org/protocol/si/profile/file-transfer' name='$MARK' size='1'/></si>"),
			iq("type='set' id='$ID'", "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'><content creator='initiator' name='f'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><name>$MARK</name></file></description></content></jingle>"),
			iq("type='set' id='$ID'", "<query xmlns='http://jabber.org/protocol/bytestreams' sid='s'><streamhost jid='p.evil.example' host='$MARK.example' port='1'/></query>")),
			variants(profile, message("<data xmlns='http://jabber.org/protocol/ibb' seq='0' sid='s'>$MARK</data>"))),
		once("J07_references_to_content", variants(profile,
			message("<body>see</body><x xmlns='jabber:x:oob'><url>https://files.example/$MARK</url></x>"),
			message("<x xmlns='jabber:x:oob'><url>aesgcm://files.example/$MARK</url></x>"),
			message("<body>see</body><data xmlns='urn:xmpp:bob' cid='sha1+x@bob.xmpp.org' type='image/png'>$MARK</data>"),
			message("<body>see</body><reference xmlns='urn:xmpp:reference:0' type='data' uri='data:text/plain,$MARK'/>")),
			variants(iqKind, iq("type='get' id='$ID'", "<request xmlns='urn:xmpp:http:upload:0' filename='$MARK' size='1'/>"))),
		once("J08_other_bodies", variants(profile,
			message("<body>ok</body><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>$MARK</p></body></html>"),
			message("<body>ok</body><markup xmlns='urn:xmpp:markup:0'><span start='0' end='2'><emphasis/></span></markup>"),
			message("<body>ok</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:example'><body start='0' end='2'/></fallback>"),
			message("<body>ok</body><body xml:lang='x'>$MARK</body>"), message("<body>ok<b>$MARK</b></body>"))),
		once("J09_encrypted", variants(encrypted,
			message("<body>dummy</body><encrypted xmlns='eu.siacs.conversations.axolotl'><payload>$MARK</payload></encrypted>"),
			message("<body>dummy</body><encrypted xmlns='urn:xmpp:omemo:2'><payload>$MARK</payload></encrypted>"),
			message("<openpgp xmlns='urn:xmpp:openpgp:0'>$MARK</openpgp>"),
			message("<body>dummy</body><x xmlns='jabber:x:encrypted'>$MARK</x>"),
			message("<body>dummy</body><encryption xmlns='urn:xmpp:eme:0' namespace='urn:example' name='$MARK'/>"),
			message("<body>?OTR:$MARK.</body>"), message("<body>-----BEGIN PGP MESSAGE-----\n$MARK</body>"))),
		{"J13_one_form_of_bytes", oneForm},
	}
}

// oneForm: J13. Variants of one message leave as the same bytes.
func oneForm(t *testing.T, w *world) {
	const body = "<body>fine &amp; dandy é</body>"
	plain := "<message to='$TO' from='$FROM' type='chat' id='$ID'>$LABEL" + body + "</message>"
	prefixed := strings.NewReplacer("<message ", "<s:message xmlns:s='jabber:server' ", "</message>", "</s:message>", "<body>", "<s:body>", "</body>", "</s:body>").Replace(plain)
	forms := []struct{ name, text string }{
		{"plain", plain},
		{"order", "<message id='$ID' type='chat' from='$FROM' to='$TO'>$LABEL" + body + "</message>"},
		{"quotes", `<message to="$TO" from="$FROM" type="chat" id="$ID">$LABEL` + body + "</message>"},
		{"white_space_in_tags", "<message\n\tto = '$TO'   from='$FROM' type='chat'\r\nid='$ID' >$LABEL" + strings.NewReplacer("<body>", "<body >", "</body>", "</body\n>").Replace(body) + "</message >"},
		{"prefix", prefixed},
		{"redundant_xmlns", strings.Replace(plain, "<body>", "<body xmlns='jabber:server'>", 1)},
		{"unused_prefix", strings.Replace(plain, "<body>", "<body xmlns:unused='urn:"+mark+"'>", 1)},
		{"references", strings.NewReplacer("&amp;", "&#38;", "é", "&#xE9;", "dandy", "d&#97;ndy").Replace(plain)},
		{"cdata", strings.Replace(plain, "fine &amp; dandy", "<![CDATA[fine & dandy]]>", 1)},
		{"decomposed", strings.Replace(plain, "é", "e\u0301", 1)},
		{"white_space_between", strings.NewReplacer("$LABEL", "\n  $LABEL\n  ", "</message>", "\n</message>").Replace(plain)},
		{"white_space_in_attribute", strings.Replace(plain, "type='chat'", "type='&#99;hat'", 1)},
		{"xmlns_again", strings.Replace(plain, "<message ", "<message xmlns='jabber:server' ", 1)},
	}
	first := ""
	for _, f := range forms {
		for _, s := range allSplits {
			at := w.b.tap.now()
			var ids []string
			w.play(t, variant{f.name, f.text, want{outcome: crosses, saw: func(id string) { ids = append(ids, id) }}}, s)
			got := wire(w.b.tap.since(at), ids[0])
			if first == "" {
				first = got
				t.Logf("%s", got)
			}
			if got != first || got == "" {
				t.Errorf("%s, split %s, leaves as\n%s\nwant\n%s", f.name, s, got, first)
			}
		}
	}
}

// wire is the message with that id as it stood on the wire, but for what differs from case to case.
func wire(b []byte, id string) string {
	i := bytes.Index(b, fmt.Appendf(nil, "id='%s'", id))
	if i < 0 {
		return ""
	}
	begin, end := bytes.LastIndexByte(b[:i], '<'), bytes.Index(b[i:], []byte("</message>"))
	if begin < 0 || end < 0 {
		return ""
	}
	out := string(b[begin : i+end+len("</message>")])
	from, _, _ := strings.Cut(out[strings.Index(out, "from='")+6:], "'")
	return strings.NewReplacer(id, "ID", from, "FROM").Replace(out)
}
