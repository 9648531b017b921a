package caps_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/caps"
	"sallyport/internal/xmpp/xmlstream"
)

func element(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func info(in string) string {
	return "<query xmlns='http://jabber.org/protocol/disco#info' node='urn:n#v'>" + in + "</query>"
}

func features(names ...string) string {
	return "<feature var='" + strings.Join(names, "'/><feature var='") + "'/>"
}

const exodus = "<identity category='client' type='pc' name='Exodus 0.9.1'/>"

var four = features("http://jabber.org/protocol/caps", "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items",
	"http://jabber.org/protocol/muc")

const (
	psi = "<identity xml:lang='en' category='client' type='pc' name='Psi 0.11'/><identity xml:lang='el' category='client' type='pc' name='Ψ 0.11'/>"
	frm = "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>" +
		"<field var='ip_version'><value>ipv4</value><value>ipv6</value></field><field var='os'><value>Mac</value></field>" +
		"<field var='os_version'><value>10.5.1</value></field><field var='software'><value>Psi</value></field>" +
		"<field var='software_version'><value>0.11</value></field></x>"
)

// TestVer has the two examples of XEP-0115 §5.2 and §5.3.
func TestVer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, info, algorithm, want string
		err                         error
	}{
		{"§5.2", info(exodus + four), "sha-1", "QgayPKawpkPSDYmwT/WM94uAlu0=", nil},
		{"§5.3", info(psi + four + frm), "sha-1", "q07IKJEyjvHSyhy//CH0CxmKi8w=", nil},
		{"§5.2 in another order", info(four + exodus), "sha-1", "QgayPKawpkPSDYmwT/WM94uAlu0=", nil},
		{"unknown algorithm", info(exodus), "md5", "", caps.ErrHash},
		{"identity twice", info(exodus + exodus), "sha-1", "", caps.ErrIllFormed},
		{"feature twice", info(exodus + features("urn:a", "urn:a")), "sha-1", "", caps.ErrIllFormed},
		{"form twice", info(frm + frm), "sha-1", "", caps.ErrIllFormed},
		{"form without type", info("<x xmlns='jabber:x:data'/>"), "sha-1", "", caps.ErrUncovered},
		{"type not hidden", info(strings.Replace(frm, " type='hidden'", "", 1)), "sha-1", "", caps.ErrUncovered},
		{"type of two values", info(strings.Replace(frm, "<value>urn", "<value>x</value><value>urn", 1)), "sha-1", "", caps.ErrIllFormed},
		{"separator in a feature", info(features("urn:a&lt;urn:b")), "sha-1", "", caps.ErrUncovered},
		{"slash in a category", info("<identity category='a/b' type='c'/>"), "sha-1", "", caps.ErrUncovered},
		{"something else", info("<item jid='a'/>"), "sha-1", "", caps.ErrUncovered},
		{"another query", "<query xmlns='jabber:iq:version'/>", "sha-1", "", caps.ErrUncovered},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := caps.Ver(tc.algorithm, element(t, tc.info))
			if got != tc.want || err != tc.err { //nolint:errorlint // none of them is wrapped
				t.Errorf("got %q, %v, want %q, %v", got, err, tc.want, tc.err)
			}
		})
	}
	if _, err := caps.Ver("sha-1", nil); err == nil {
		t.Error("nothing has a hash")
	}
}

// TestVerify: the hash may be right, and what it names is still not shared.
func TestVerify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, info string
		want       bool
	}{
		{"plain", info(exodus + four), true},
		{"vCard", info(exodus + features("urn:a", "vcard-temp")), true},
		{"a form can be read as features", info(psi + four + frm), false},
		{"a feature can be read as an identity", info(features("client/pc//Exodus 0.9.1")), false},
		{"a feature can be read as a field", info(exodus + features("urn:a", "os")), false},
		{"an identity can be read as a feature", info("<identity category='urn:a' type='pc'/>"), false},
		{"an attribute that is not hashed", info("<identity category='client' type='pc' secret='x'/>"), false},
		{"an attribute of the query that is not hashed", strings.Replace(info(exodus), "node=", "secret='x' node=", 1), false},
	}
	for _, algorithm := range []string{"sha-1", "sha-256", "sha-512"} {
		for _, tc := range tests {
			e := element(t, tc.info)
			ver, err := caps.Ver(algorithm, e)
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			if got := caps.Verify(e, "urn:n#"+ver); got != tc.want {
				t.Errorf("%s, %s: %v, want %v", tc.name, algorithm, got, tc.want)
			}
			if caps.Verify(e, "urn:n#"+ver[1:]+"=") || caps.Verify(e, "urn:n") || caps.Verify(e, ver) || caps.Verify(nil, ver) {
				t.Errorf("%s: another hash is right", tc.name)
			}
		}
	}
}

// TestOneHashOneReading: two disco#info that are both shared under one hash are the same sets.
func TestOneHashOneReading(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{
		"<identity category='client' type='pc'/>", "<identity category='client' type='pc' name='urn:a'/>", "<feature var='urn:a'/>",
		"<feature var='urn:b'/>", "<feature var='client/pc//'/>", "<feature var='os'/>", "<feature var='vcard-temp'/>", frm,
	})
	byVer := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfNDistinct(part, 0, 5, func(s string) string { return s }).Draw(t, "parts")
		e, err := xmlstream.ParseDocument([]byte(info(strings.Join(parts, ""))), xmlstream.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ver, err := caps.Ver("sha-256", e)
		if err != nil || !caps.Verify(e, "n#"+ver) {
			return
		}
		set := map[string]bool{}
		for _, p := range parts {
			set[p] = true
		}
		var sorted []string
		for _, p := range []string{
			"<identity category='client' type='pc'/>", "<identity category='client' type='pc' name='urn:a'/>", "<feature var='urn:a'/>",
			"<feature var='urn:b'/>", "<feature var='client/pc//'/>", "<feature var='os'/>", "<feature var='vcard-temp'/>", frm,
		} {
			if set[p] {
				sorted = append(sorted, p)
			}
		}
		text := strings.Join(sorted, "")
		if was, ok := byVer[ver]; ok && was != text {
			t.Fatalf("one hash for %s and %s", was, text)
		}
		byVer[ver] = text
	})
}

// FuzzVerify: no disco#info makes it fail otherwise than with an error.
func FuzzVerify(f *testing.F) {
	for _, in := range []string{exodus, psi, frm, "<feature/>", "<identity/>", "<x xmlns='jabber:x:data'><field><value/></field></x>", "text"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		e, err := xmlstream.ParseDocument([]byte(info(in)), xmlstream.Options{})
		if err != nil {
			return
		}
		ver, err := caps.Ver("sha-1", e)
		if err != nil {
			if ver != "" || caps.Verify(e, "n#"+ver) {
				t.Fatalf("%s: refused with %v and has hash %q", in, err, ver)
			}
			return
		}
		if len(ver) != 28 {
			t.Fatalf("%s: hash %q", in, ver)
		}
	})
}
