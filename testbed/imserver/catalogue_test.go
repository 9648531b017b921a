package imserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What may be chosen is written as what is sent: with markings in the language of the server, in its syntax (XEP-0258 §4, §5).
func TestCataloguesAreWrittenLikeMessages(t *testing.T) {
	t.Parallel()
	w := labelled(t)
	spif := filepath.Join(w.home.Dir, "policy/basic.spif.xml")
	text, err := os.ReadFile(spif)
	if err != nil {
		t.Fatal(err)
	}
	const was, now = `name="PUBLIC" color="lime" lacv="1" hierarchy="1"/>`, `name="PUBLIC" color="lime" lacv="1" hierarchy="1">
      <spif:markingData phrase="POUR TOUS" xml:lang="fr"><spif:code>noNameDisplay</spif:code></spif:markingData></spif:securityClassification>`
	changed := strings.Replace(strings.Replace(string(text), was, now, 1), ` version="1" `, ` version="2" `, 1)
	if err := os.WriteFile(spif, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	juliet := w.login("juliet", "balcony")
	if got := juliet.offered(""); !strings.Contains(got, ">BASIC PUBLIC<") {
		t.Fatalf("to begin with she is offered %s", got)
	}
	w.edits("[server.labels]\n", "[server.labels]\nmarking-language = \"fr\"\n")
	if got := juliet.offered(""); !strings.Contains(got, "POUR TOUS") || strings.Contains(got, ">BASIC PUBLIC<") {
		t.Errorf("in French she is offered %s", got)
	}
	w.edits("[server.labels]\n", `[policy.ic-ism]
namespace = "urn:icism"
element = "icismlabel"
plain-attributes = true
policy = "BASIC"
owner-producers = ["USA"]
classifications = { U = "PUBLIC", C = "CONFIDENTIAL", S = "INTERNAL" }

[server.labels]
label-syntaxes = ["ic-ism", "ess"]
`)
	if got := juliet.offered(""); strings.Count(got, "icismlabel") < 3 || strings.Contains(got, "esssecuritylabel") {
		t.Errorf("in another syntax she is offered %s", got)
	}
}
