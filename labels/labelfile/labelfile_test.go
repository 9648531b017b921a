package labelfile_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/labels"
	"sallyport/labels/icism"
	"sallyport/labels/labelfile"
	"sallyport/labels/textmark"
)

var (
	at      = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	lenient = labelfile.Options{Lenient: true, Debug: true}
)

func TestSyntaxWordsAreInverse(t *testing.T) {
	for s := labelfile.ESS; s <= labelfile.SDN801c; s++ {
		if got, ok := labelfile.ParseSyntax(s.String()); !ok || got != s {
			t.Errorf("%s reads as %s, %v", s, got, ok)
		}
	}
	for _, word := range []string{"", "none", "ESS", "xml"} {
		if got, ok := labelfile.ParseSyntax(word); ok {
			t.Errorf("%q reads as %s", word, got)
		}
	}
}

// TestEverySyntaxOfOneLabel: the label INTERNAL REL TO GBR in each form it has in the test data or can be given.
func TestEverySyntaxOfOneLabel(t *testing.T) {
	reg := registry(t, "guard/guard.spif.xml")
	octets := read(t, "ess/label-guard-rel-gbr.ber")
	b64 := base64.StdEncoding.EncodeToString(octets)
	for _, c := range []struct {
		name   string
		in     []byte
		syntax labelfile.Syntax
	}{
		{"octets", octets, labelfile.ESSDER},
		{"octets, indefinite lengths", read(t, "ess/label-guard-rel-gbr-ber-indefinite.ber"), labelfile.ESSDER},
		{"base64", []byte(b64 + "\n"), labelfile.ESS},
		{"base64 in lines, no padding", []byte(strings.TrimRight(b64[:20]+"\r\n  "+b64[20:], "=")), labelfile.ESS},
		{"hexadecimal", []byte(hex.EncodeToString(octets)), labelfile.ESSHex},
		{"hexadecimal with colons", []byte("31:2c:" + hex.EncodeToString(octets[2:])), labelfile.ESSHex},
		{"debug format", read(t, "guard/l-internal-rel-gbr.xml"), labelfile.Spiffing},
		{"comments in it", []byte("<!-- hand-made --><label xmlns='http://surevine.com/xmlns/spiffy'><!-- - --><policy id='2.999.258.1'/>" +
			"<classification lacv='2'/><tag type='enumeratedPermissive' id='2.999.258.1.3' lacv='826'/></label>"), labelfile.Spiffing},
		{"marking", []byte("guard internal use  rel to gbr\n"), labelfile.Text},
		{"first line of text", []byte("[GUARD INTERNAL USE REL TO GBR]"), labelfile.Text},
		{"stanza with a first line", read(t, "xmpp/message-flot.xml"), labelfile.Message},
		{"stanza", read(t, "xmpp/message-ess.xml"), labelfile.Message},
		{"stanza with 4774", read(t, "xmpp/message-4774.xml"), labelfile.Message},
		{"securitylabel", []byte("<securitylabel xmlns='urn:xmpp:sec-label:0'><label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>" +
			b64 + "</esssecuritylabel></label></securitylabel>"), labelfile.XEP0258},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := lenient
			o.Table = table(t, reg)
			f, err := labelfile.Parse(c.in, reg, o)
			if err != nil {
				t.Fatal(err)
			}
			if f.Syntax != c.syntax {
				t.Errorf("syntax %s, want %s", f.Syntax, c.syntax)
			}
			l, err := f.Label(reg)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := l.String(), "GUARD INTERNAL USE REL TO GBR"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if _, err := f.Clearance(reg); err == nil {
				t.Error("a label was taken for a clearance")
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	reg := registry(t, "guard/guard.spif.xml")
	for _, c := range []struct {
		name string
		in   string
		o    labelfile.Options
		want string
	}{
		{"empty", " \n", lenient, "the file is empty"},
		{"prose", "GUARD INTERNAL", lenient, "looks like no syntax"},
		{"broken comment", "<!-- a -- b --><a/>", lenient, "a comment that"},
		{"PEM of another kind", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", lenient, "looks like no syntax"},
		{"certificate that is none", "-----BEGIN CERTIFICATE-----\nMAQwAgUA\n-----END CERTIFICATE-----\n", lenient, "read as certificate"},
		{"IC-ISM without a mapping", "<a xmlns='urn:b'/>", labelfile.Options{Syntax: labelfile.ICISM}, "without a mapping"},
		{"marking without a table", "GUARD PUBLIC", labelfile.Options{Syntax: labelfile.Text}, "no label that is known here has the marking \"GUARD PUBLIC\"; only markings in a catalogue"},
		{"not well-formed", "<label", lenient, "not readable as XML"},
		{"a policy", string(read(t, "guard/guard.spif.xml")), lenient, "this is a security policy"},
		{"a catalogue", "<catalog xmlns='urn:xmpp:sec-label:catalog:2'/>", lenient, "this is a catalogue"},
		{"another element", "<a xmlns='urn:b'/>", lenient, "no label and no clearance"},
		{"debug format where only real ones are read", string(read(t, "guard/l-public.xml")), labelfile.Options{}, "is for tests"},
		{"debug format without classification", string(read(t, "guard/l-no-class.xml")), lenient, "one classification, not 0"},
		{"octets after the label", string(read(t, "ess/label-guard-trailing.ber")), lenient, "read as ess-der: label-syntax: 2 octets after"},
		{"two envelopes", string(read(t, "xmpp/message-two-envelopes.xml")), lenient, "label-count"},
		{"unlabelled stanza", string(read(t, "xmpp/message-unlabelled.xml")), lenient, "no securitylabel"},
		{"empty label", string(read(t, "xmpp/message-empty-label.xml")), lenient, "asks for the default label"},
		{"marking that names a higher class", `<message xmlns='jabber:client'><securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking>SECRET</displaymarking>` +
			`<label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIB</esssecuritylabel></label></securitylabel></message>`, lenient, "names a higher"},
		{"forced syntax that it is not", "MQoCAQEGBYg3ggIB", labelfile.Options{Syntax: labelfile.STANAG4774}, "not readable as XML"},
		{"LDIF without clearance", "dn: cn=a\nsn: b\n", lenient, "neither the attribute"},
		{"LDIF with two entries", "dn: cn=a\n\ndn: cn=b\n", lenient, "more than one entry"},
		{"LDIF by URL", "dn: cn=a\nclearance:< file:///a\n", lenient, "by URL"},
		{"too large", strings.Repeat("M", labelfile.MaxBytes+1), lenient, "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := labelfile.Parse([]byte(c.in), reg, c.o)
			if err == nil {
				_, err = f.Label(reg)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var e *labels.Error
			if !errors.As(err, &e) || e.Code == labels.NoCode {
				t.Errorf("%v has no code", err)
			}
		})
	}
}

// TestEquivalents: what a message asserts beside its label is listed, and is not its label.
func TestEquivalents(t *testing.T) {
	reg := registry(t, "guard/guard.spif.xml")
	f, err := labelfile.Parse(read(t, "xmpp/message-equivalent.xml"), reg, lenient)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := f.Label(reg); err == nil {
		t.Errorf("the unknown label was read: %v", l)
	}
	if len(f.Equivalent) != 1 || f.Equivalent[0].Err != nil || f.Equivalent[0].Form.Class != 2 {
		t.Errorf("equivalents %+v", f.Equivalent)
	}
}

func TestLDIF(t *testing.T) {
	reg := registry(t, "guard/guard.spif.xml", "spiffing/nato-4774-policy.xml")
	b64 := base64.StdEncoding.EncodeToString(read(t, "ess/clearance-guard-all.ber"))
	entry := "dn: cn=juliet,o=example\nobjectClass: person\nclearance;binary:: " + b64[:30] + "\n " + b64[30:] +
		"\nconfidentialityClearance:: " + base64.StdEncoding.EncodeToString(read(t, "nato/c-gbr.xml")) + "\n"
	f, err := labelfile.Parse([]byte(entry), reg, lenient)
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.ClearanceList(reg)
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	if list[0].PolicyID() != "2.999.258.1" || list[1].PolicyID() != "1.3.26.1.3.1" {
		t.Errorf("policies %s and %s", list[0].PolicyID(), list[1].PolicyID())
	}
	twice := entry + "clearance:: " + base64.StdEncoding.EncodeToString(read(t, "ess/clearance-guard-empty-classlist.ber")) + "\n"
	if f, err = labelfile.Parse([]byte(twice), reg, lenient); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ClearanceList(reg); err == nil || !strings.Contains(err.Error(), "two clearances under policy 2.999.258.1") {
		t.Errorf("two values of one policy: %v", err)
	}
}

// TestRoundTrips: every label and clearance of the test data that can be read is the same after it was written in each
// syntax and read again.
func TestRoundTrips(t *testing.T) {
	reg := registry(t, "guard/guard.spif.xml", "guard/partner.spif.xml", "spiffing/nato-4774-policy.xml", "spiffing/tlp-plus.xml",
		"spiffing/uk-demo.xml", "fixed/food-policy.xml", "fixed/ACME-SPIF-example.xml")
	files := 0
	for _, dir := range []string{"guard", "nato", "tlp", "uk", "food", "acme", "ess", "spiffing"} {
		names, err := filepath.Glob(filepath.Join(testdata, dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			f, err := labelfile.Load(name, reg, lenient)
			if err != nil {
				continue // policies and files that must not be read; their tests are elsewhere
			}
			if l, err := f.Label(reg); err == nil {
				files++
				roundTripLabel(t, name, l, reg)
			}
			if c, err := f.Clearance(reg); err == nil {
				files++
				roundTripClearance(t, name, c, reg)
			}
		}
	}
	if files < 150 {
		t.Errorf("%d files only", files)
	}
}

func roundTripLabel(t *testing.T, name string, l *labels.Label, reg *labels.Registry) {
	t.Helper()
	for _, s := range labelfile.Writable() {
		if s == labelfile.ICISM { // needs a mapping, see TestICISM
			continue
		}
		b, err := labelfile.AppendLabel(nil, l, s, labelfile.WriteOptions{At: at})
		if s == labelfile.Spiffing && l.Form().PrivacyMark != "" {
			if err == nil {
				t.Errorf("%s as %s: lost its privacy mark", name, s)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s as %s: %v", name, s, err)
			continue
		}
		if s == labelfile.Text {
			continue
		}
		f, err := labelfile.Parse(b, reg, labelfile.Options{Debug: true})
		if err != nil {
			t.Errorf("%s as %s: %v", name, s, err)
			continue
		}
		if again, err := f.Label(reg); err != nil || !again.Equal(l) {
			t.Errorf("%s as %s: %v (%v), want %v", name, s, again, err, l)
		}
	}
}

func roundTripClearance(t *testing.T, name string, c *labels.Clearance, reg *labels.Registry) {
	t.Helper()
	for _, s := range []labelfile.Syntax{labelfile.ESS, labelfile.ESSDER, labelfile.ESSHex, labelfile.STANAG4774, labelfile.Spiffing} {
		b, err := labelfile.AppendClearance(nil, c, s)
		if err != nil {
			t.Errorf("%s as %s: %v", name, s, err)
			continue
		}
		f, err := labelfile.Parse(b, reg, labelfile.Options{Debug: true})
		if err != nil {
			t.Errorf("%s as %s: %v", name, s, err)
			continue
		}
		again, err := f.Clearance(reg)
		if err != nil || !again.Equal(c) && (s != labelfile.STANAG4774 || len(c.Ignored()) == 0) {
			t.Errorf("%s as %s: %v (%v), want %v", name, s, again, err, c)
		}
	}
}

// table knows the markings of two labels, one of them twice.
func table(t testing.TB, reg *labels.Registry) *textmark.Table {
	t.Helper()
	var entries []textmark.Entry
	for _, file := range []string{"guard/l-internal-rel-gbr.xml", "guard/l-public.xml"} {
		l, err := labelfile.LoadLabel(filepath.Join(testdata, file), reg, lenient)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, textmark.Entry{Text: l.String(), Label: l})
	}
	return textmark.NewTable(entries)
}

// TestX509: cases 77 and 78, on the samples of RFC 5755, RFC 5913, RFC 3114 and RFC 2634.
func TestX509(t *testing.T) {
	reg := registry(t)
	for _, c := range []struct {
		name, file string
		syntax     labelfile.Syntax
		policy     string
		class      uint32 // of a label
		err        string // of the entry: the samples have categories that nobody registered
	}{
		{"certificate with clearance", "rfc5755-cert-with-clearance.pem", labelfile.Certificate, "", 0, "category syntax"},
		{"CA certificate with constraints", "rfc5913-ca-clearance-constraints.pem", labelfile.Certificate, "", 0, "category syntax"},
		{"clearance constraints alone", "rfc5913-constraints.ber", labelfile.ESSDER, "", 0, "category syntax"},
		{"signed message, unknown category", "rfc3114-signed-with-label.pem", labelfile.CMS, "", 0, "category syntax"},
		{"signed message", "rfc2634-signed-with-label.pem", labelfile.CMS, "1.3.6.1.4.1.22112.1.1", 1, ""},
		{"its label alone", "rfc2634-label.ber", labelfile.ESSDER, "1.3.6.1.4.1.22112.1.1", 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := labelfile.Load(filepath.Join("testdata", "x509", c.file), reg, labelfile.Options{})
			if f.Syntax != c.syntax || err != nil {
				t.Fatalf("syntax %s, want %s: %v", f.Syntax, c.syntax, err)
			}
			var entry error
			switch {
			case len(f.Labels) == 1:
				entry = f.Labels[0].Err
				if got := f.Labels[0].Form; c.policy != "" && (got.Policy != c.policy || got.Class != c.class) {
					t.Errorf("label %+v", got)
				}
			case len(f.Clearances) > 0:
				entry = f.Clearances[0].Err
			default:
				t.Fatal("nothing in it")
			}
			if c.err == "" && entry != nil || c.err != "" && (entry == nil || !strings.Contains(entry.Error(), c.err)) {
				t.Errorf("entry says %v, want %q", entry, c.err)
			}
		})
	}
}

func TestICISM(t *testing.T) {
	reg := registry(t, "guard/guard.spif.xml")
	m := &icism.Mapping{
		Namespace: "urn:example:carrier", Element: "ism", Policy: "GUARD", Owners: []string{"USA"},
		Classes: map[string]string{"U": "PUBLIC", "R": "INTERNAL"},
		Values:  []icism.ValueMapping{{Attribute: "releasableTo", Token: "GBR", TagSet: "Release", Type: "permissive"}},
	}
	if wrong := m.Check(reg); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	l, err := labelfile.LoadLabel(filepath.Join(testdata, "guard/l-public.xml"), reg, lenient)
	if err != nil {
		t.Fatal(err)
	}
	b, err := labelfile.AppendLabel(nil, l, labelfile.ICISM, labelfile.WriteOptions{ICISM: m})
	if err != nil {
		t.Fatal(err)
	}
	f, err := labelfile.Parse(b, reg, labelfile.Options{ICISM: m})
	if err != nil || f.Syntax != labelfile.ICISM {
		t.Fatalf("%s, %v", f.Syntax, err)
	}
	if again, err := f.Label(reg); err != nil || !again.Equal(l) {
		t.Errorf("%v (%v), want %v", again, err, l)
	}
}
