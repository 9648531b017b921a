package peering_test

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/peering"
	"sallyport/rules"
)

// hostile is one row of group I of the hostile inputs, at the boundary itself.
type hostile struct {
	row    string
	text   string // a stanza, or
	label  string // what stands beside the body of a message
	reason peering.Reason
	want   peering.Outcome // Release: what leaves is the canonical message
	change func(*labels.Registry, *peering.Definition)
}

const stanagNS = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"

// nato writes a STANAG 4774 label of which parts may be missing or wrong.
func nato(policy, class, rest string) string {
	if class != "" {
		class = "<Classification>" + class + "</Classification>"
	}
	return "<label><originatorConfidentialityLabel xmlns='" + stanagNS + "'><ConfidentialityInformation>" + policy + class + rest +
		"</ConfidentialityInformation><CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime></originatorConfidentialityLabel></label>"
}

const (
	ofGuard = "<PolicyIdentifier URI='urn:oid:2.999.258.1'>GUARD</PolicyIdentifier>"
	public  = "MQoCAQEGBYg3ggIB"
	relGBR  = "MSwCAQIGBYg3ggIBMSAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOg=="
)

func ber(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile("../labels/testdata/ess/" + file + ".ber")
	if err != nil {
		t.Fatal(err)
	}
	return sealed(essIn("label", base64.StdEncoding.EncodeToString(b)))
}

func release(kind string, nations ...string) string {
	var out strings.Builder
	out.WriteString("<Category Type='" + kind + "' TagName='Release'>")
	for _, n := range nations {
		out.WriteString("<GenericValue>" + n + "</GenericValue>")
	}
	return out.String() + "</Category>"
}

func groupI(t testing.TB) []hostile {
	good, secret := sealed(essIn("label", public)), ber(t, "label-guard-titan-atlas")
	foreign := strings.Replace(secret, "urn:xmpp:sec-label:0", "urn:xmpp:sec-label:1", 1)
	strict := func(_ *labels.Registry, d *peering.Definition) {
		d.Profile, _ = rules.CompileProfile(rules.DefaultProfile("strict"))
	}
	withDefault := func(reg *labels.Registry, d *peering.Definition) { d.Peers[0].DefaultLabel = made(t, reg, guardID, 1) }
	der := func(_ *labels.Registry, d *peering.Definition) { d.Peers[0].DEROnly = true }
	return []hostile{
		{row: "I01", reason: peering.NoLabel},
		{row: "I02 U then S", label: good + secret, reason: "label-count"},
		{row: "I02 S then U", label: secret + good, reason: "label-count"},
		{row: "I02 U then U", label: good + good, reason: "label-count"},
		{row: "I03 foreign after", label: good + foreign, reason: "profile", change: strict},
		{row: "I03 foreign before", label: foreign + good, reason: "profile", change: strict},
		{row: "I03 foreign alone is no label", label: foreign, reason: peering.NoLabel},
		{row: "I04 inside body", text: strings.Replace(outward(""), "art thou", good, 1), reason: "label-misplaced"},
		{row: "I04 inside x", label: "<x xmlns='urn:x'>" + good + "</x>", reason: "label-misplaced"},
		{row: "I04 attribute", text: strings.Replace(outward(""), "<message", "<message securitylabel='PUBLIC'", 1), reason: peering.NoLabel},
		{row: "I05 empty, no default", label: sealed("<label/>"), reason: peering.NoLabel},
		{row: "I05 empty, with a default", label: sealed("<label/>"), want: peering.Release, change: withDefault},
		{row: "I06 equivalent alone", label: sealed(essIn("equivalentlabel", public)), reason: "label-syntax"},
		{row: "I06 two labels in one", label: sealed(essIn("label", public) + essIn("label", public)), reason: "label-syntax"},
		{row: "I06 two children", label: sealed(strings.Replace(essIn("label", public), "</label>", "<x xmlns='urn:x'/></label>", 1)), reason: "label-syntax"},
		{row: "I06 text", label: sealed("<label>PUBLIC</label>"), reason: "label-syntax"},
		{row: "I07 contradicting equivalent", label: sealed(essIn("label", essFRA(t)) + essIn("equivalentlabel", public)), reason: peering.Clearance},
		{row: "I08 S shown as U", label: sealed("<displaymarking>GUARD PUBLIC</displaymarking>" + essIn("label", essFRA(t))), reason: peering.Clearance},
		{row: "I08 U shown as S", label: sealed("<displaymarking>GUARD SECRET</displaymarking>" + essIn("label", public)), reason: "label-mismatch"},
		{row: "I09 marking of 10 KiB", label: sealed("<displaymarking>" + strings.Repeat("x", 10<<10) + "</displaymarking>" + essIn("label", public)), reason: "label-syntax"},
		{row: "I09 colours", label: sealed("<displaymarking fgcolor='red;}body{canary'>GUARD PUBLIC</displaymarking>" + essIn("label", public)), want: peering.Release},
		{row: "I10 4774 without a class", label: sealed(nato(ofGuard, "", "")), reason: "label-syntax"},
		{row: "I10 ESS without a class", label: ber(t, "label-guard-noclass"), reason: "label-syntax"},
		{row: "I11 unknown name", label: sealed(nato(ofGuard, "TOP SECRET PLUS", "")), reason: "label-unknown"},
		{row: "I11 lacv 99", label: sealed(essIn("label", "MQoCAWMGBYg3ggIB")), reason: "label-unknown"},
		{row: "I12 unknown policy", label: sealed(essIn("label", "MQYCAQQGASk=")), reason: "policy-unknown"},
		{row: "I12 OID of one, name of another", label: sealed(nato("<PolicyIdentifier URI='urn:oid:2.999.258.1'>PARTNER</PolicyIdentifier>", "PUBLIC", "")), reason: "label-mismatch"},
		{row: "I12 none", label: sealed(nato("", "PUBLIC", "")), reason: "label-syntax"},
		{row: "I12 none in ESS", label: ber(t, "label-nopolicy"), reason: "label-syntax"},
		{row: "I13 unknown tag set", label: sealed(nato(ofGuard, "INTERNAL", strings.Replace(release("PERMISSIVE", "GBR"), "Release", "Elsewhere", 1))), reason: "label-unknown"},
		{row: "I13 unknown value", label: sealed(nato(ofGuard, "INTERNAL", release("PERMISSIVE", "XXX"))), reason: "label-unknown"},
		{row: "I13 unknown category syntax", label: ber(t, "label-guard-unknown-category-type"), reason: "label-unknown"},
		{row: "I13 unknown type", label: sealed(nato(ofGuard, "INTERNAL", release("FORBIDDEN", "GBR"))), reason: "label-unknown"},
		{row: "I14 not released to the peer", label: sealed(essIn("label", essFRA(t))), reason: peering.Clearance},
		{row: "I14 empty category", label: sealed(nato(ofGuard, "INTERNAL", release("PERMISSIVE"))), reason: "label-syntax"},
		{row: "I14 the same value twice", label: sealed(nato(ofGuard, "INTERNAL", release("PERMISSIVE", "GBR", "GBR"))), want: peering.Release},
		{row: "I15 restrictive value that the link lacks", label: ber(t, "label-guard-public"), reason: peering.Clearance, change: func(reg *labels.Registry, d *peering.Definition) {
			d.LinkClear = map[string]labels.ClearanceSet{"s2s": clearances(t, cleared(t, reg, guardID, []uint32{2}))}
		}},
		{row: "I16 trailing octets", label: ber(t, "label-guard-trailing"), reason: "label-syntax"},
		{row: "I16 repeated member", label: ber(t, "label-guard-dupfield"), reason: "label-syntax"},
		{row: "I16 length beyond the end", label: ber(t, "label-guard-truncated"), reason: "label-syntax"},
		{row: "I16 negative class", label: ber(t, "label-guard-negclass"), reason: "label-syntax"},
		{row: "I16 indefinite length", label: ber(t, "label-guard-rel-gbr-ber-indefinite"), want: peering.Release},
		{row: "I16 indefinite length, der-only", label: ber(t, "label-guard-rel-gbr-ber-indefinite"), reason: "label-syntax", change: der},
		{row: "I16 long length, der-only", label: ber(t, "label-guard-rel-gbr-ber-longlen"), reason: "label-syntax", change: der},
		{row: "I16 deep", label: sealed(essIn("label", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x31\x80", 3000))))), reason: "label-syntax"},
		{row: "I17 white space", label: sealed(essIn("label", "\n "+relGBR[:20]+"\t"+relGBR[20:])), want: peering.Release},
		{row: "I17 no padding", label: sealed(essIn("label", strings.TrimRight(relGBR, "="))), want: peering.Release},
		{row: "I17 URL alphabet", label: sealed(essIn("label", "MQ-_"+public)), reason: "label-syntax"},
		{row: "I17 9 KiB", label: sealed(essIn("label", strings.Repeat("M", 9<<10))), reason: "label-syntax"},
		{row: "I18 extra child", label: sealed(essIn("label", public) + "<x xmlns='urn:x'/>"), reason: "label-syntax"},
		{row: "I18 foreign attribute", label: strings.Replace(good, "<securitylabel", "<securitylabel xmlns:x='urn:x' x:y='canary'", 1), reason: "label-syntax"},
		{row: "I19 presence", text: `<presence` + toOut + `>` + good + `</presence>`, want: peering.Drop, reason: "label-misplaced"},
		{row: "I19 iq", text: `<iq` + toOut + `type='get' id='1'>` + good + `</iq>`, reason: "label-misplaced"},
		{row: "I21", text: `<message` + toOut + `type='error'><body>canary</body>` + good + `<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`, want: peering.Drop, reason: "label-misplaced"},
		{row: "I25 catalogue request", text: `<iq` + toOut + `type='get' id='1'><catalog xmlns='urn:xmpp:sec-label:catalog:2' to='romeo@out.example'/></iq>`, reason: peering.IQKind, change: strict},
		{row: "J10 correction is judged as a message of its own", label: good + "<replace xmlns='urn:xmpp:message-correct:0' id='m0'/>", want: peering.Release},
		{row: "J10 correction with a label beyond the peer", label: sealed(essIn("label", essFRA(t))) + "<replace xmlns='urn:xmpp:message-correct:0' id='m0'/>", reason: peering.Clearance},
	}
}

func essFRA(t testing.TB) string {
	return essOf(t, made(t, guardRegistry(t), guardID, 2, countries(250)...))
}

func TestGroupI(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	for _, c := range groupI(t) {
		t.Run(c.row, func(t *testing.T) {
			t.Parallel()
			def := onePolicy(t, reg)
			if c.change != nil {
				c.change(reg, &def)
			}
			if c.text == "" {
				c.text = outward(c.label)
			}
			a := arrival(t, "in", c.text)
			v := peering.NewEngine(policy(t, def)).Judge(&a)
			if v.Outcome != c.want || v.Refusal.Reason != c.reason {
				t.Fatalf("%v %q (%s), want %v %q", v.Outcome, v.Refusal.Reason, v.Refusal.Detail, c.want, c.reason)
			}
			r, ok := v.Released()
			if !ok {
				return
			}
			if text := canonical(t, r.Element()); strings.Contains(text, "canary") || !hasWritten(t, reg, r.Element()) {
				t.Errorf("released %s, which is not as this gateway writes it", text)
			}
		})
	}
}

// hasWritten reports whether the label of a message is the one that this gateway would write for it.
func hasWritten(t testing.TB, reg *labels.Registry, e *xmlstream.Element) bool {
	t.Helper()
	sl := e.Child("urn:xmpp:sec-label:0", "securitylabel")
	found := releasedLabel(t, reg, e)
	if sl == nil || found.Label == nil {
		return false
	}
	text := canonical(t, sl)
	return text == wire(t, found.Label) || strings.Contains(text, stanagNS) && strings.Contains(text, found.Label.String())
}
