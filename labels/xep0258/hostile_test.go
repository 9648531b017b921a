package xep0258_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// The hostile inputs of group I, as far as the reader answers them. What is denied with the code clearance is in
// TestDenied, what belongs to other stages is not here.
func TestHostile(t *testing.T) {
	u, s := securityLabel(essLabel(publicESS)), securityLabel(essLabel(bravo))
	tests := []struct {
		name, message string
		code          labels.Code
	}{
		{"I02 U then S", message(u + s), labels.CodeCount},
		{"I02 S then U", message(s + u), labels.CodeCount},
		{"I02 U then U", message(u + u), labels.CodeCount},
		{"I04 in the body", strings.Replace(message(""), "<body>x</body>", "<body>x"+u+"</body>", 1), labels.CodeMisplaced},
		{"I04 in x", message("<x xmlns='urn:x'>" + u + "</x>"), labels.CodeMisplaced},
		{"I04 in error", message("<error type='auth'>" + u + "</error>"), labels.CodeMisplaced},
		{"I04 in x beside a right one", message(u + "<x xmlns='urn:x'>" + u + "</x>"), labels.CodeMisplaced},
		{"I04 deep", message(strings.Repeat("<x xmlns='urn:x'>", 20) + u + strings.Repeat("</x>", 20)), labels.CodeMisplaced},
		{"I04 a bare label element", message("<label xmlns='urn:xmpp:sec-label:0'/>"), labels.CodeMisplaced},
		{"I04 the label as stanza", u, labels.CodeMisplaced},
		{"I04 inside forwarded but not in its message", message("<forwarded xmlns='urn:xmpp:forward:0'>" + u + "</forwarded>"), labels.CodeMisplaced},
		{"I06 no label but an equivalent", message(securityLabel(equivalent(essLabel(publicESS)))), labels.CodeSyntax},
		{"I06 two labels", message(securityLabel(essLabel(publicESS) + essLabel(publicESS))), labels.CodeSyntax},
		{"I06 label with two children", message(securityLabel("<label>" + strings.Repeat("<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>"+
			publicESS+"</esssecuritylabel>", 2) + "</label>")), labels.CodeSyntax},
		{"I06 text instead of an element", message(securityLabel("<label>GUARD PUBLIC</label>")), labels.CodeSyntax},
		{"I06 text beside the label", message(securityLabel("GUARD PUBLIC" + essLabel(publicESS))), labels.CodeSyntax},
		{"I08 U marked SECRET", message(securityLabel("<displaymarking>GUARD SECRET</displaymarking>" + essLabel(publicESS))), labels.CodeMismatch},
		{"I09 marking of 10 KiB", message(securityLabel("<displaymarking>" + strings.Repeat("x", 10240) + "</displaymarking>" + essLabel(publicESS))), labels.CodeSyntax},
		{"I09 marking with elements", message(securityLabel("<displaymarking><b/></displaymarking>" + essLabel(publicESS))), labels.CodeSyntax},
		{"I10 4774 without Classification", message(securityLabel(stanag(guardName, "", ""))), labels.CodeSyntax},
		{"I10 ESS without classification", message(securityLabel(essLabel("MQcGBYg3ggIB"))), labels.CodeSyntax},
		{"I11 classification by name", message(securityLabel(stanag(guardName, "TOP SECRET PLUS", ""))), labels.CodeUnknown},
		{"I11 classification 99", message(securityLabel(essLabel("MQoCAWMGBYg3ggIB"))), labels.CodeUnknown},
		{"I12 policy unknown", message(securityLabel(essLabel("MQYCAQQGASk="))), labels.CodePolicy},
		{"I12 policy name unknown", message(securityLabel(stanag("<PolicyIdentifier>NOBODY</PolicyIdentifier>", "PUBLIC", ""))), labels.CodePolicy},
		{"I12 identifier unknown", message(securityLabel(stanag("<PolicyIdentifier URI='urn:oid:2.999.7'>GUARD</PolicyIdentifier>", "PUBLIC", ""))), labels.CodePolicy},
		{"I12 identifier of A, name of B", message(securityLabel(stanag("<PolicyIdentifier URI='urn:oid:2.999.258.1'>PARTNER</PolicyIdentifier>", "PUBLIC", ""))), labels.CodeMismatch},
		{"I12 no policy", message(securityLabel(stanag("", "PUBLIC", ""))), labels.CodeSyntax},
		{"I12 ESS without policy", message(securityLabel(essLabel("MQMCAQI="))), labels.CodeSyntax},
		{"I13 unknown tag set", message(securityLabel(stanag(guardName, "INTERNAL", category("PERMISSIVE", "Nowhere", "GBR")))), labels.CodeUnknown},
		{"I13 unknown category", message(securityLabel(stanag(guardName, "INTERNAL", category("PERMISSIVE", "Release", "XXX")))), labels.CodeUnknown},
		{"I13 known category of another type", message(securityLabel(stanag(guardName, "INTERNAL", category("RESTRICTIVE", "Release", "GBR")))), labels.CodeUnknown},
		{"I13 unknown Type", message(securityLabel(stanag(guardName, "INTERNAL", category("OTHER", "Release", "GBR")))), labels.CodeUnknown},
		{"I13 unknown category syntax", message(securityLabel(essLabel(unknownType))), labels.CodeUnknown},
		{"I14 empty category", message(securityLabel(stanag(guardName, "INTERNAL", category("PERMISSIVE", "Release")))), labels.CodeSyntax},
		{"I16 trailing octets", message(securityLabel(essLabel("MSwCAQIGBYg3ggIBMSAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOgUA"))), labels.CodeSyntax},
		{"I16 negative classification", message(securityLabel(essLabel("MQoCAf8GBYg3ggIB"))), labels.CodeSyntax},
		{"I16 repeated member", message(securityLabel(essLabel("MQ0CAQECAQIGBYg3ggIB"))), labels.CodeSyntax},
		{"I17 URL alphabet", message(securityLabel(essLabel(strings.Replace(publicESS, "Q", "-", 1)))), labels.CodeSyntax},
		{"I17 other octets", message(securityLabel(essLabel(publicESS + "\u00a0"))), labels.CodeSyntax},
		{"I17 padding inside", message(securityLabel(essLabel("MQ==" + publicESS))), labels.CodeSyntax},
		{"I17 too much padding", message(securityLabel(essLabel(publicESS + "===="))), labels.CodeSyntax},
		{"I17 over 8 KiB", message(securityLabel(essLabel(strings.Repeat("MQoC", 2049)))), labels.CodeSyntax},
		{"I17 no text", message(securityLabel(essLabel(""))), labels.CodeSyntax},
		{"I18 unknown child", message(securityLabel(essLabel(publicESS) + "<more/>")), labels.CodeSyntax},
		{"I18 unknown child of another namespace", message(securityLabel(essLabel(publicESS) + "<more xmlns='urn:x'/>")), labels.CodeSyntax},
		{"I18 foreign attribute", message("<securitylabel xmlns='urn:xmpp:sec-label:0' xmlns:p='urn:x' p:a='1'>" + essLabel(publicESS) + "</securitylabel>"), labels.CodeSyntax},
		{"I18 attribute on label", message(securityLabel(strings.Replace(essLabel(publicESS), "<label>", "<label a='1'>", 1))), labels.CodeSyntax},
		{"I18 attribute on the ESS label", message(securityLabel(strings.Replace(essLabel(publicESS), "ess:0'", "ess:0' a='1'", 1))), labels.CodeSyntax},
		{"I18 element in the ESS label", message(securityLabel(essLabel(publicESS + "<x/>"))), labels.CodeSyntax},
		{"I18 4774 with an extension", message(securityLabel(strings.Replace(stanag(guardName, "PUBLIC", ""), "</originator", "<x xmlns='urn:x'/></originator", 1))), labels.CodeSyntax},
		{"I18 4774 with a foreign attribute", message(securityLabel(strings.Replace(stanag(guardName, "PUBLIC", ""), "<Classification>", "<Classification xmlns:p='urn:x' p:a='1'>", 1))), labels.CodeSyntax},
		{"I18 nine equivalents", message(securityLabel(essLabel(publicESS) + strings.Repeat("<equivalentlabel><x xmlns='urn:x'/></equivalentlabel>", 9))), labels.CodeSyntax},
		{"I19 presence", strings.ReplaceAll(message(u), "message", "presence"), labels.CodeMisplaced},
		{"I19 presence, deep", strings.ReplaceAll(message("<x xmlns='urn:x'>"+u+"</x>"), "message", "presence"), labels.CodeMisplaced},
		{"I19 iq", strings.ReplaceAll(message(u), "message", "iq"), labels.CodeMisplaced},
		{"I19 iq with a wrapped message", strings.ReplaceAll(message("<forwarded xmlns='urn:xmpp:forward:0'>"+message(u)+"</forwarded>"), "message", "iq"), labels.CodeMisplaced},
		{"I20 the error has it in the body it returns", strings.Replace(message("<body>x"+u+"</body>"), "<message ", "<message type='error' ", 1), labels.CodeMisplaced},
		{"I25 catalogue as an answer", strings.ReplaceAll(message(catalog(u)), "message", "iq"), labels.CodeMisplaced},
		{"I25 catalogue in a message", message(catalog(u)), labels.CodeMisplaced},
		{"J10 correction with two labels", message(u + correction + s), labels.CodeCount},
		{"J10 correction with its label inside", message("<replace xmlns='urn:xmpp:message-correct:0' id='m1'>" + u + "</replace>"), labels.CodeMisplaced},
		{"pubsub publish", strings.ReplaceAll(message("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'>"+u+"</publish></pubsub>"), "message", "iq"), labels.CodeMisplaced},
		{"I21 labelled error", strings.Replace(message(u), "<message ", "<message type='error' ", 1), labels.CodeMisplaced},
		{"unknown syntax", message(securityLabel("<label><x xmlns='urn:x'/></label>")), labels.CodeUnknown},
		{"label of metadata", message(securityLabel(strings.ReplaceAll(stanag(guardName, "PUBLIC", ""), "originator", "metadata"))), labels.CodeSyntax},
		{"alternative as label", message(securityLabel(strings.ReplaceAll(stanag(guardName, "PUBLIC", ""), "originator", "alternative"))), labels.CodeSyntax},
	}
	r := xep0258.NewReader(guard(t, "guard/partner.spif.xml"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := parse(t, tt.message)
			wantCode(t, r.Read(e), tt.code)
			wantCode(t, r.Read(e), tt.code) // a second time: nothing refused is remembered as good
		})
	}
}

const correction = "<replace xmlns='urn:xmpp:message-correct:0' id='m1'/>"

func catalog(inside string) string {
	return "<catalog xmlns='urn:xmpp:sec-label:catalog:2'><item>" + inside + "</item></catalog>"
}

// What is no label, and what is read although it looks odd.
func TestRead(t *testing.T) {
	u := securityLabel(essLabel(publicESS))
	s := securityLabel(essLabel(bravo))
	foreign := strings.Replace(s, "urn:xmpp:sec-label:0", "urn:example:label", 1)
	tests := []struct {
		name, message string
		state         xep0258.State
		marking       string
	}{
		{"I01 no label", message(""), xep0258.Unlabelled, ""},
		{"I03 foreign one after", message(u + foreign), xep0258.Labelled, "GUARD PUBLIC"},
		{"I03 foreign one before", message(foreign + u), xep0258.Labelled, "GUARD PUBLIC"},
		{"I03 foreign one alone", message(foreign), xep0258.Unlabelled, ""},
		{"I04 as attribute", strings.Replace(message(""), "<message ", "<message securitylabel='GUARD PUBLIC' ", 1), xep0258.Unlabelled, ""},
		{"I20 error without a label", strings.Replace(message(""), "<message ", "<message type='error' ", 1), xep0258.Unlabelled, ""},
		{"I22 subject without a label", strings.Replace(message(""), "body>", "subject>", 2), xep0258.Unlabelled, ""},
		{"I22 subject with a label", strings.Replace(message(u), "body>", "subject>", 2), xep0258.Labelled, "GUARD PUBLIC"},
		{"J10 correction has its own label", message(u + correction), xep0258.Labelled, "GUARD PUBLIC"},
		{"J10 correction has the label of nobody else", message(correction), xep0258.Unlabelled, ""},
		{"I05 empty label", message(securityLabel("<label/>")), xep0258.UseDefault, ""},
		{"I05 label with white space", message(securityLabel("<label>\n</label>")), xep0258.UseDefault, ""},
		{"I07 equivalent is not asked", message(securityLabel(essLabel(bravo) + "<equivalentlabel><x xmlns='urn:x'/></equivalentlabel>")), xep0258.Labelled, "GUARD INTERNAL USE //BRAVO CHARLIE"},
		{"I08 S marked lower", message(securityLabel("<displaymarking>GUARD PUBLIC</displaymarking>" + essLabel(bravo))), xep0258.Labelled, "GUARD INTERNAL USE //BRAVO CHARLIE"},
		{"I09 colours", message(securityLabel("<displaymarking fgcolor='red;}body{x' bgcolor='x' z='1'>GUARD PUBLIC</displaymarking>" + essLabel(publicESS))), xep0258.Labelled, "GUARD PUBLIC"},
		{"I09 unknown attribute", message("<securitylabel xmlns='urn:xmpp:sec-label:0' a='1'>" + essLabel(publicESS) + "</securitylabel>"), xep0258.Labelled, "GUARD PUBLIC"},
		{"I14 value twice", message(securityLabel(stanag(guardName, "INTERNAL", category("PERMISSIVE", "Release", "GBR", "GBR")))), xep0258.Labelled, "GUARD INTERNAL USE REL TO GBR"},
		{"I16 indefinite lengths", message(securityLabel(essLabel("MYAGBYg3ggIBAgECMYAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOgAAAAA="))), xep0258.Labelled, "GUARD INTERNAL USE REL TO GBR"},
		{"I17 white space", message(securityLabel(essLabel(" MQoC\n\tAQEGBYg3ggIB\r\n"))), xep0258.Labelled, "GUARD PUBLIC"},
		{"I17 missing padding", message(securityLabel(essLabel(strings.TrimRight(relGBR, "=")))), xep0258.Labelled, "GUARD INTERNAL USE REL TO GBR"},
		{"any order", message(securityLabel(essLabel(publicESS) + "<displaymarking>GUARD PUBLIC</displaymarking>")), xep0258.Labelled, "GUARD PUBLIC"},
		{"name in another case", message(securityLabel(stanag(guardName, "internal", ""))), xep0258.Labelled, "GUARD INTERNAL USE"},
		{"two categories of one set", message(securityLabel(stanag(guardName, "INTERNAL", category("PERMISSIVE", "Release", "GBR")+category("PERMISSIVE", "Release", "FIVE")))), xep0258.Labelled, "GUARD INTERNAL USE GRP FIVE REL TO GBR"},
		{"wrapped message has its own", message(u + "<forwarded xmlns='urn:xmpp:forward:0'>" + message(s) + "</forwarded>"), xep0258.Labelled, "GUARD PUBLIC"},
		{"wrapped message alone has one", message("<forwarded xmlns='urn:xmpp:forward:0'>" + message(s) + "</forwarded>"), xep0258.Unlabelled, ""},
		{"presence without", strings.ReplaceAll(message(""), "message", "presence"), xep0258.Unlabelled, ""},
		{"client namespace", strings.Replace(message(u), "jabber:server", "jabber:client", 1), xep0258.Labelled, "GUARD PUBLIC"},
	}
	r := xep0258.NewReader(guard(t))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := r.Read(parse(t, tt.message))
			if f.State != tt.state || f.Label != nil && f.Label.String() != tt.marking || (f.Label != nil) != (tt.marking != "") {
				t.Fatalf("got %v %v %q (%v), want %v %q", f.State, f.Refusal, f.Label, f.Detail, tt.state, tt.marking)
			}
			if f.State != xep0258.Labelled && f.Refusal != labels.CodeNoLabel {
				t.Errorf("refusal without a default label is %v", f.Refusal)
			}
		})
	}
}

// The hostile inputs that are readable and that a clearance denies.
func TestDenied(t *testing.T) {
	reg := guard(t)
	p, _ := reg.Policy(guardID)
	fra := labels.Value{TagSet: "2.999.258.1.3", Kind: labels.EnumPermissive, LACV: 250}
	r := xep0258.NewReader(reg)
	for _, tt := range []struct {
		name, inside string
		c            *labels.Clearance
	}{
		{"I07 equivalent U beside S", essLabel(bravo) + equivalent(essLabel(publicESS)), clearance(t, reg, []uint32{1})},
		{"I08 S marked UNCLASSIFIED", "<displaymarking>UNCLASSIFIED</displaymarking>" + essLabel(bravo), clearance(t, reg, []uint32{1})},
		{"I14 REL TO without the peer's nation", essLabel(relGBR), clearance(t, reg, []uint32{0, 1, 2}, fra)},
		{"I24 sender below the label", essLabel(relGBR), clearance(t, reg, []uint32{1})},
		{"J10 correction under the label of a higher message", essLabel(bravo) + equivalent(essLabel(publicESS)), clearance(t, reg, []uint32{0, 1})},
		{"I15 restrictive category with a low class", stanag(guardName, "PUBLIC", category("RESTRICTIVE", "Caveats", "BRAVO")), clearance(t, reg, []uint32{0, 1, 2})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := r.Read(parse(t, message(securityLabel(tt.inside))))
			if f.State != xep0258.Labelled {
				t.Fatalf("%v: %s", f.Refusal, f.Detail)
			}
			if d := p.Decide(f.Label, tt.c); d.Granted || d.Reason.Code() != labels.CodeClearance {
				t.Errorf("%v %v", d.Granted, d.Reason)
			}
		})
	}
}

func TestDEROnly(t *testing.T) { // I16, where the peer says der-only
	r := xep0258.NewReaderWith(guard(t), xep0258.Options{DEROnly: true})
	wantCode(t, r.Read(parse(t, message(securityLabel(essLabel("MYIALAIBAgYFiDeCAgExIDAegApghkgBZQIBCAMBoRAwDgYGiDeCAgEDMQQCAgM6"))))), labels.CodeSyntax)
	if f := r.Read(parse(t, message(securityLabel(essLabel(relGBR))))); f.State != xep0258.Labelled {
		t.Errorf("DER: %s", f.Detail)
	}
}

// equivalent turns a label element into an equivalentlabel.
func equivalent(label string) string {
	return strings.NewReplacer("<label>", "<equivalentlabel>", "</label>", "</equivalentlabel>").Replace(label)
}

func TestOversized(t *testing.T) { // I17: 1 MiB cannot come through a stream; the reader does not rely on it
	big := base64.StdEncoding.EncodeToString(make([]byte, 300<<10))
	wantCode(t, xep0258.NewReader(guard(t)).Read(parse(t, message(securityLabel(essLabel(big))))), labels.CodeSyntax)
}
