package gateway_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/peering"
)

// twoPolicies is a boundary between a server under the policy GUARD and a partner under PARTNER, and a third that
// knows no labels and reads markings in the text.
const twoPolicies = `
[side.in]
listen = ["127.0.0.1:1"]
trust = ["ca.pem"]
label-policy = "GUARD"
[side.out]
listen = ["127.0.0.1:2"]
trust = ["ca.pem"]
[[certificate]]
cert = "own.pem"
key = "own.key"

[policy]
spif = ["labels/guard.spif.xml", "labels/partner.spif.xml"]
profile = "federation"

[peer.a]
side = "in"
domains = ["a.example"]
route = ["127.0.0.1:9"]
kinds.message = true
kinds.muc = true
clearance = "labels/clearance.xml"
unlabelled = "default"
[peer.b]
side = "out"
domains = ["b.example"]
route = ["127.0.0.1:9"]
kinds.message = true
kinds.muc = true
clearance = ["labels/partner-clearance.xml"]
label-policy = "PARTNER"
translate-out = "outbound"
translate-in = "table"
add-equivalent = "original"
[[peer.b.translation]]
from = "labels/partner-label.xml"
to = "labels/label.xml"
[peer.c]
side = "out"
domains = ["c.example"]
route = ["127.0.0.1:9"]
kinds.message = true
clearance = "labels/clearance.xml"
send-labels = "never"
write-first-line = true
read-first-line = true
catalogue = "labels/catalogue.xml"

[link.s2s]
clearance = ["labels/clearance.xml"]

[[pair]]
between = ["a", "b"]
[[pair]]
between = ["a", "c"]

[[default-label]]
id = "ops"
label = "labels/label.xml"
rooms = ["ops@a.example"]

[[rule]]
id = "up"
action = "relabel"
label = "labels/label.xml"
when.from = ["low@a.example"]
`

// What the keys of the configuration say of labels is what the engine does.
func TestLabelKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t, memLeaf())
	if err := os.CopyFS(filepath.Join(s.dir, "labels"), os.DirFS("config/testdata/labels")); err != nil {
		t.Fatal(err)
	}
	s.writeText(t, "[node]\nname = \"gw1\"\nstate = \"state\"\n"+twoPolicies)
	cfg, problems := config.Load(s.path())
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	p, err := gateway.BuildPolicy(cfg)
	if err != nil {
		t.Fatal(err)
	}
	const (
		public = `<securitylabel xmlns='urn:xmpp:sec-label:0'><label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIB</esssecuritylabel></label></securitylabel>`
		open   = `<securitylabel xmlns='urn:xmpp:sec-label:0'><label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIC</esssecuritylabel></label></securitylabel>`
		other  = `<securitylabel xmlns='urn:xmpp:sec-label:0'><label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQIGBYg3ggIC</esssecuritylabel></label></securitylabel>`
	)
	say := func(from, to, typ, inside string) string {
		return `<message from='` + from + `' to='` + to + `' type='` + typ + `'>` + inside + `</message>`
	}
	for _, c := range []struct {
		name, peer, stanza string
		outcome, reason    string
		source, sent       string
		released           string
	}{
		{"translated out, the original kept", "a", say("u@a.example", "v@b.example", "chat", "<body>x</body>"+public), "released", "", "its own label", "PARTNER OPEN [imported]", "<equivalentlabel>"},
		{"translated in by table", "b", say("v@b.example", "u@a.example", "chat", "<body>x</body>"+open), "released", "", "its own label", "GUARD PUBLIC", "GUARD PUBLIC"},
		{"not in the table", "b", say("v@b.example", "u@a.example", "chat", "<body>x</body>"+other), "refused", "no-mapping", "", "", ""},
		{"default of a room", "a", say("ops@a.example/nick", "v@b.example", "groupchat", "<body>x</body>"), "released", "", "default of room ops", "PARTNER OPEN [imported]", "<body>x</body>"},
		{"no default for others", "a", say("u@a.example", "v@b.example", "chat", "<body>x</body>"), "refused", "no-label", "", "", ""},
		{"relabelled by rule", "a", say("low@a.example", "v@c.example", "chat", "<body>x</body>"+public), "released", "", "its own label", "GUARD PUBLIC", "<body>[GUARD PUBLIC]\nx</body>"},
		{"marked in the text", "a", say("u@a.example", "v@c.example", "chat", "<body>x</body>"+public), "released", "", "its own label", "GUARD PUBLIC", "<body>[GUARD PUBLIC]\nx</body>"},
		{"read from the text", "c", say("v@c.example", "u@a.example", "chat", "<body>[guard  public]\nx</body>"), "released", "", "first line", "GUARD PUBLIC", "<body>x</body>"},
	} {
		x, err := gateway.Explain(p, control.ExplainQuestion{From: c.peer, Stanza: c.stanza}, certsFrom.AddDate(26, 0, 0))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if x.Outcome != c.outcome || x.Reason != c.reason {
			t.Errorf("%s: %s %s (%s), want %s %s", c.name, x.Outcome, x.Reason, x.Detail, c.outcome, c.reason)
			continue
		}
		out := "" // what is said to leave as a label: nothing where none does
		if strings.Contains(x.Released, "<securitylabel") {
			out = c.sent
		}
		if x.LabelOut != out {
			t.Errorf("%s: label out %q, want %q", c.name, x.LabelOut, out)
		}
		if tr := x.Label; c.peer == "b" && (len(tr.Translations) != 1 || tr.Translations[0].For != "side in") {
			t.Errorf("%s: translations %+v, want one for side in", c.name, tr.Translations)
		}
		if c.outcome != peering.Release.String() {
			continue
		}
		if x.Label == nil || x.Label.Source != c.source || x.Label.SentMarking != c.sent || !strings.Contains(x.Released, c.released) {
			t.Errorf("%s: %+v\n%s\nwant source %q, sent %q, with %q", c.name, x.Label, x.Released, c.source, c.sent, c.released)
		}
	}
	if held := p.Peer("b").Clearances.Len(); held != 1 {
		t.Errorf("peer b has %d clearances, want 1", held)
	}
}

// A label file that changes makes another version of the policy.
func TestLabelFilesAreOfThePolicy(t *testing.T) {
	t.Parallel()
	s := newSite(t, memLeaf())
	if err := os.CopyFS(filepath.Join(s.dir, "labels"), os.DirFS("config/testdata/labels")); err != nil {
		t.Fatal(err)
	}
	s.writeText(t, "[node]\nname = \"gw1\"\nstate = \"state\"\n"+twoPolicies)
	version := func() peering.Version {
		cfg, problems := config.Load(s.path())
		if problems.Failed() {
			t.Fatal(problems.Err())
		}
		p, err := gateway.BuildPolicy(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return p.Version()
	}
	seen := map[peering.Version]string{version(): "before"}
	for _, name := range []string{"clearance.xml", "partner-label.xml", "label.xml", "catalogue.xml", "partner.spif.xml"} {
		file := filepath.Join(s.dir, "labels", name)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(b, '\n', ' '), 0o600); err != nil {
			t.Fatal(err)
		}
		v := version()
		if other, same := seen[v]; same {
			t.Errorf("after a change of %s the version is that of %q", name, other)
		}
		seen[v] = name
	}
}

// What users, rooms and domains are cleared for, from the file to the verdict; explain looks it up, too.
func TestClearanceKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t, memLeaf())
	if err := os.CopyFS(filepath.Join(s.dir, "labels"), os.DirFS("config/testdata/labels")); err != nil {
		t.Fatal(err)
	}
	s.writeText(t, "[node]\nname = \"gw1\"\nstate = \"state\"\n"+twoPolicies+`
[[clearance]]
users = ["None@a.example"]
rooms = ["closed@a.example"]
[[clearance]]
users = ["ops@a.example"]
rooms = ["open@a.example"]
clearance = "labels/clearance.xml"
[[clearance]]
domains = ["b.example"]
clearance = "labels/partner-clearance.xml"
[[clearance]]
domains = ["a.example"]
clearance = "labels/clearance.xml"
`)
	cfg, problems := config.Load(s.path())
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	p, err := gateway.BuildPolicy(cfg)
	if err != nil {
		t.Fatal(err)
	}
	const public = `<securitylabel xmlns='urn:xmpp:sec-label:0'><label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIB</esssecuritylabel></label></securitylabel>`
	for _, c := range []struct{ from, to, want, subjects string }{
		{"none@a.example/x", "v@b.example", "sender-clearance", "peer a, link s2s, sender user none@a.example"},
		{"closed@a.example/nick", "v@b.example", "sender-clearance", "peer a, link s2s, sender room closed@a.example"},
		{"ops@a.example", "v@b.example", "", "peer a, link s2s, sender user ops@a.example, peer b, link s2s, recipient domain b.example"},
		{"open@a.example/nick", "v@b.example", "", "peer a, link s2s, sender room open@a.example, peer b, link s2s, recipient domain b.example"},
		{"u@a.example", "v@b.example", "", "peer a, link s2s, sender domain a.example, peer b, link s2s, recipient domain b.example"},
		{"u@a.example", "v@c.example", "", "peer a, link s2s, sender domain a.example, peer c, link s2s"},
	} {
		x, err := gateway.Explain(p, control.ExplainQuestion{From: "a", Stanza: `<message from='` + c.from + `' to='` + c.to + `'><body>x</body>` + public + `</message>`}, certsFrom.AddDate(26, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
		var subjects []string
		for _, check := range x.Label.Checks {
			subjects = append(subjects, check.Subject)
		}
		if got := strings.Join(subjects, ", "); x.Reason != c.want || got != c.subjects {
			t.Errorf("%s to %s: %q (%s), checked %s; want %q, checked %s", c.from, c.to, x.Reason, x.Detail, got, c.want, c.subjects)
		}
	}
}
