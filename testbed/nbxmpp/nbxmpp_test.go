package nbxmpp_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/spif"
	"sallyport/labels/xep0258"
)

// python is Debian's, which has nbxmpp; another one earlier in the path may not.
const python = "/usr/bin/python3"

// kept is what nbxmpp keeps of a catalogue.
type kept struct {
	Request string
	Choices []struct{ Name, Marking, Label string }
	Default string
}

func (k kept) names() []string {
	var out []string
	for _, c := range k.Choices {
		out = append(out, c.Name)
	}
	return out
}

func ask(t *testing.T, catalog []byte) kept {
	t.Helper()
	cmd := exec.Command(python, "ask.py")
	var problems bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(catalog), &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v (Debian package python3-nbxmpp)\n%s", err, problems.Bytes())
	}
	var k kept
	if err := json.Unmarshal(out, &k); err != nil {
		t.Fatal(err)
	}
	return k
}

var now = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func element(t *testing.T, c *catalogue.Catalogue, s xep0258.Syntax) []byte {
	t.Helper()
	e, err := c.Element(catalogue.Writing{To: jid.MustParse("romeo@low.example"), Syntax: s, At: now})
	if err != nil {
		t.Fatal(err)
	}
	b, err := xmlstream.AppendElement(nil, e, xmlstream.NSClient)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func policies(t *testing.T) *labels.Registry {
	t.Helper()
	p, problems := spif.Load("../../labels/testdata/guard/guard.spif.xml")
	if p == nil {
		t.Fatal(problems)
	}
	reg, err := labels.NewRegistry(p)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

// Gajim's library reads a whole catalogue of ours, item by item, and what it then puts into a message is the label of
// the item, in both syntaxes.
func TestReadsOurCatalogue(t *testing.T) {
	reg := policies(t)
	c, err := catalogue.FromPolicy(reg.Policies()[0], catalogue.Generate{At: now, Restrict: true, Default: "GUARD INTERNAL USE REL TO GBR"})
	if err != nil {
		t.Fatal(err)
	}
	for _, syntax := range []xep0258.Syntax{xep0258.ESS, xep0258.STANAG4774} {
		t.Run(syntax.String(), func(t *testing.T) {
			k := ask(t, element(t, c, syntax))
			if len(k.Choices) != len(c.Items) || k.Default != "INTERNAL|REL TO GBR" {
				t.Fatalf("%d choices of %d, default %q", len(k.Choices), len(c.Items), k.Default)
			}
			reader := xep0258.NewReader(reg)
			for n, i := range c.Items {
				choice := k.Choices[n]
				if choice.Name != i.Selector || choice.Marking != i.Label.String() {
					t.Errorf("shows %q marked %q, want %q marked %q", choice.Name, choice.Marking, i.Selector, i.Label)
				}
				message, err := xmlstream.ParseDocument([]byte("<message xmlns='jabber:client'><body>x</body>"+choice.Label+"</message>"),
					xmlstream.Options{ContentNS: xmlstream.NSClient})
				if err != nil {
					t.Fatalf("%v in %s", err, choice.Label)
				}
				if found := reader.Read(message); found.State != xep0258.Labelled || !found.Label.Equal(i.Label) {
					t.Errorf("sends %v %s for %s", found.State, found.Label, i.Label)
				}
			}
		})
	}
}

// The request that the library makes is one.
func TestItsRequestIsRead(t *testing.T) {
	k := ask(t, element(t, &catalogue.Catalogue{}, xep0258.ESS))
	e, err := xmlstream.ParseDocument([]byte(k.Request), xmlstream.Options{ContentNS: xmlstream.NSClient})
	if err != nil {
		t.Fatal(err)
	}
	// The client adds the id when it sends, the server the address of the session.
	e = e.WithAttr(xmlstream.Name{Local: "id"}, "1").WithAttr(xmlstream.Name{Local: "from"}, "juliet@high.example/b")
	s, err := stanza.FromCarried(e)
	if err != nil {
		t.Fatal(err)
	}
	r, err := catalogue.ParseRequest(s)
	if err != nil || r.To.String() != "romeo@low.example" || r.From.String() != "juliet@high.example" {
		t.Errorf("read %+v and %v", r, err)
	}
}

// What it loses of catalogues that are written otherwise: the reasons for the form of ours.
func TestWhatItLoses(t *testing.T) {
	const label = "<securitylabel xmlns='urn:xmpp:sec-label:0'><label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIB</esssecuritylabel></label></securitylabel>"
	for _, row := range []struct {
		name, items string
		want        []string
		preset      string
	}{
		{"no selectors", "<item default='true'>" + label + "</item>", nil, ""},
		{"one selector twice", "<item selector='A'>" + label + "</item><item selector='A'>" + label + "</item>", []string{"A"}, ""},
		{"default as a number", "<item selector='A' default='1'>" + label + "</item>", []string{"A"}, ""},
		{"default", "<item selector='A' default='true'>" + label + "</item>", []string{"A"}, "A"},
		{"without label", "<item selector='A'>" + label + "</item><item selector='B' default='true'/>", []string{"A"}, ""},
		{"securitylabel without label", "<item selector='A'><securitylabel xmlns='urn:xmpp:sec-label:0'/></item>", nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			k := ask(t, []byte("<catalog xmlns='urn:xmpp:sec-label:catalog:2'>"+row.items+"</catalog>"))
			if !slices.Equal(k.names(), row.want) || k.Default != row.preset {
				t.Errorf("keeps %q, default %q, want %q and %q", k.names(), k.Default, row.want, row.preset)
			}
		})
	}
}
