package xep0258_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/labels/xep0258"
)

const data = "../testdata"

var now = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func policyFile(t testing.TB, file string) *labels.Policy {
	t.Helper()
	p, problems := spif.Load(filepath.Join(data, file))
	if p == nil {
		t.Fatalf("%s: %v", file, problems)
	}
	return p
}

// guard returns a registry with the guard policy alone.
func guard(t testing.TB, more ...string) *labels.Registry {
	t.Helper()
	ps := []*labels.Policy{policyFile(t, "guard/guard.spif.xml")}
	for _, m := range more {
		ps = append(ps, policyFile(t, m))
	}
	reg, err := labels.NewRegistry(ps...)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func parse(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%v\n%.400s", err, text)
	}
	return e
}

func readData(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Clearances under the guard policy, as numbers.
func clearance(t testing.TB, reg *labels.Registry, classes []uint32, values ...labels.Value) *labels.Clearance {
	t.Helper()
	c, err := reg.Clearance(labels.ClearanceForm{Policy: guardID, Classes: classes, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const guardID = "2.999.258.1"

// message wraps a securitylabel's content.
func message(inside string) string {
	return "<message xmlns='jabber:server' from='a@a.example' to='b@b.example'><body>x</body>" + inside + "</message>"
}

func securityLabel(inside string) string {
	return "<securitylabel xmlns='urn:xmpp:sec-label:0'>" + inside + "</securitylabel>"
}

func essLabel(base64 string) string {
	return "<label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>" + base64 + "</esssecuritylabel></label>"
}

// Labels under the guard policy, see ess-vectors.tsv.
const (
	publicESS   = "MQoCAQEGBYg3ggIB"
	relGBR      = "MSwCAQIGBYg3ggIBMSAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOg=="
	bravo       = "MSsCAQIGBYg3ggIBMR8wHYAKYIZIAWUCAQgDAKEPMA0GBog3ggIBAQMDAEAB"
	unknownType = "MRgCAQIGBYg3ggIBMQwwCoADiDcHoQMMAXg="
)

// stanag writes a STANAG 4774 label; empty parts are left out.
func stanag(policy, class, rest string) string {
	if class != "" {
		class = "<Classification>" + class + "</Classification>"
	}
	return "<label><originatorConfidentialityLabel xmlns='urn:nato:stanag:4774:confidentialitymetadatalabel:1:0'>" +
		"<ConfidentialityInformation>" + policy + class + rest + "</ConfidentialityInformation>" +
		"<CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime></originatorConfidentialityLabel></label>"
}

const guardName = "<PolicyIdentifier URI='urn:oid:2.999.258.1'>GUARD</PolicyIdentifier>"

func category(kind, set string, values ...string) string {
	out := "<Category Type='" + kind + "' TagName='" + set + "'>"
	for _, v := range values {
		out += "<GenericValue>" + v + "</GenericValue>"
	}
	return out + "</Category>"
}

func wantCode(t *testing.T, f xep0258.Found, c labels.Code) {
	t.Helper()
	if f.State != xep0258.Refused || f.Refusal != c || f.Label != nil {
		t.Errorf("got %v %v %q (label %v), want refused with %s", f.State, f.Refusal, f.Detail, f.Label, c)
	}
}
