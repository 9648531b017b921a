package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/peering"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// boundaryText is in.example under the policy GUARD, out.example under PARTNER.
const boundaryText = `
[node]
name = "gw1"
state = "state"
[side.inside]
listen = ["127.0.0.1:0"]
trust = ["ca.pem"]
label-policy = "GUARD"
[side.outside]
listen = ["127.0.0.1:0"]
trust = ["ca.pem"]
label-policy = "PARTNER"
[[certificate]]
cert = "gw.pem"
key = "gw.key"
[policy]
spif = ["labels/guard.spif.xml", "labels/partner.spif.xml"]
profile = "federation"
[peer.in]
side = "inside"
domains = ["in.example"]
route = ["127.0.0.1:1"]
kinds.message = true
clearance = "labels/guard.ber"
[peer.out]
side = "outside"
domains = ["out.example"]
route = ["127.0.0.1:1"]
kinds.message = true
clearance = "labels/partner.ber"
translate-out = "outbound"
translate-in = "local-spif"
[[pair]]
between = ["in", "out"]
[[clearance]]
users = ["juliet@in.example"]
clearance = "labels/guard.ber"
[[clearance]]
users = ["nobody@in.example"]
[[clearance]]
domains = ["out.example"]
`

// guardMessage is labelled INTERNAL, releasable to GBR.
const guardMessage = `<message from='juliet@in.example/b' to='romeo@out.example'><body>x</body><securitylabel xmlns='urn:xmpp:sec-label:0'><label>` +
	`<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MSwCAQIGBYg3ggIBMSAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOg==</esssecuritylabel></label></securitylabel></message>`

// writeBoundary puts a configuration with all its files into a folder and returns its path. GUARD people are cleared for
// PUBLIC and INTERNAL, GBR and FRA; the other side for OPEN and LIMITED, Britain.
func writeBoundary(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ca := tlsidtest.Must(tlsidtest.NewCA("Test CA"))
	tlsidtest.Must(ca.WritePEM(dir, "ca"))
	leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{"in.example", "out.example"}}))
	if _, _, err := leaf.WritePEM(dir, "gw"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "labels"), 0o700), os.Mkdir(filepath.Join(dir, "state"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"guard.spif.xml", "partner.spif.xml"} {
		put("labels/"+name, tlsidtest.Must(os.ReadFile("../../labels/testdata/guard/"+name)))
	}
	for name, f := range map[string]labels.ClearanceForm{
		"guard.ber": {Policy: "2.999.258.1", Classes: []uint32{1, 2}, Values: []labels.Value{
			{TagSet: "2.999.258.1.3", Kind: labels.EnumPermissive, LACV: 826}, {TagSet: "2.999.258.1.3", Kind: labels.EnumPermissive, LACV: 250},
		}},
		"partner.ber": {Policy: "2.999.258.2", Classes: []uint32{1, 2}, Values: []labels.Value{
			{TagSet: "2.999.258.2.2", Kind: labels.EnumPermissive, LACV: 44},
		}},
	} {
		put("labels/"+name, tlsidtest.Must(ess.AppendClearance(nil, f)))
	}
	put("sallyport.toml", []byte(text))
	return filepath.Join(dir, "sallyport.toml")
}

// builtBoundary is the policy of a configuration.
func builtBoundary(t *testing.T, text string) *peering.Policy {
	t.Helper()
	cfg, problems := config.Load(writeBoundary(t, text))
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	p, err := gateway.BuildPolicy(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
