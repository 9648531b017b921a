package labelproof_test

import (
	"crypto/tls"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/labelfile"
	"sallyport/labels/spif"
	"sallyport/labels/textmark"
	"sallyport/labels/xep0258"
	"sallyport/peering"
	"sallyport/rules"
)

// stanzaCase is one of 109 to 122: a stanza goes to somebody with a clearance, through the whole engine.
type stanzaCase struct {
	name, file, clearance string
	change                func(testing.TB, *labels.Registry, *peering.Definition)

	want   peering.Outcome
	stage  peering.Stage  // of what does not cross
	reason peering.Reason // the same
	source string         // of the label of what crosses; "" for what has none
}

// TestNumberedStanzas is 109 to 122. Where the engine asks for more than the table before it lets something cross, there
// are two rows: the one of the table with what has to be configured, and the stricter one without.
func TestNumberedStanzas(t *testing.T) {
	t.Parallel()
	reg := guardAlone(t)
	const gbr, public, all = "c-internal-gbr", "c-public", "c-all"
	for _, c := range []stanzaCase{
		{name: "109 label in ESS", file: "message-ess", clearance: gbr, want: peering.Release, source: "its own label"},
		{name: "110 classification not in the clearance", file: "message-ess", clearance: public, stage: peering.LabelOut, reason: peering.Clearance},
		{name: "111 the same label in STANAG 4774", file: "message-4774", clearance: gbr, want: peering.Release, source: "its own label"},
		{name: "112 IC-ISM, no mapping is configured", file: "message-icism", clearance: all, stage: peering.LabelIn, reason: "label-unknown"},
		{name: "113 equivalent, the sender is trusted to assert it", file: "message-equivalent", clearance: gbr, change: trusted, want: peering.Release, source: "equivalent 1"},
		{name: "113 stricter: nobody is trusted unless the peer's entry says so", file: "message-equivalent", clearance: gbr, stage: peering.LabelIn, reason: "label-unknown"},
		{name: "114 empty label, no default", file: "message-empty-label", clearance: public, stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "114 empty label, default PUBLIC", file: "message-empty-label", clearance: public, change: byDefault(peering.UnlabelledRefuse), want: peering.Release, source: "default of peer high"},
		{name: "115 no label, no default", file: "message-unlabelled", clearance: all, stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "115 no label, default PUBLIC", file: "message-unlabelled", clearance: public, change: byDefault(peering.UnlabelledDefault), want: peering.Release, source: "default of peer high"},
		{name: "115 stricter: a default is for empty labels until it is said to be for missing ones", file: "message-unlabelled", clearance: public, change: byDefault(peering.UnlabelledRefuse), stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "116 first line, reading on", file: "message-flot", clearance: gbr, change: firstLines, want: peering.Release, source: "first line"},
		{name: "116 first line, reading off", file: "message-flot", clearance: all, stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "117 two envelopes", file: "message-two-envelopes", clearance: all, stage: peering.LabelIn, reason: "label-count"},
		{name: "118 the marking says less than the label", file: "message-lying-marking", clearance: public, stage: peering.LabelOut, reason: peering.Clearance},
		{name: "118 the marking is no input: cleared for the label, it crosses", file: "message-lying-marking", clearance: all, want: peering.Release, source: "its own label"},
		{name: "119 white space in base64", file: "message-whitespace-base64", clearance: gbr, want: peering.Release, source: "its own label"},
		{name: "120 labelled error", file: "message-error-labelled", clearance: all, want: peering.Drop, stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "121 labelled presence", file: "presence-labelled", clearance: all, want: peering.Drop, stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "122 subject of a room, unchecked where both peers say so", file: "groupchat-subject", clearance: "c-nil", change: freeSubjects, want: peering.Release},
		{name: "122 stricter: a subject is judged like a message", file: "groupchat-subject", clearance: all, stage: peering.LabelIn, reason: peering.NoLabel},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, reg)
		})
	}
}

func (c *stanzaCase) run(t *testing.T, reg *labels.Registry) {
	v := c.judge(t, reg)
	_, released := v.Released()
	if v.Outcome != c.want || released != (c.want == peering.Release) {
		t.Fatalf("%v (released: %v), want %v: %+v", v.Outcome, released, c.want, v.Refusal)
	}
	x := peering.Explain(&v)
	switch {
	case !released && (v.Refusal.Stage != c.stage || v.Refusal.Reason != c.reason):
		t.Errorf("refused at %v for %q, want %v for %q: %s", v.Refusal.Stage, v.Refusal.Reason, c.stage, c.reason, v.Refusal.Detail)
	case c.want == peering.Drop && v.Refusal.Condition != stanza.NoCondition:
		t.Errorf("the sender is told %v, want nothing", v.Refusal.Condition)
	case released && c.source == "" && x.Label != nil, released && c.source != "" && (x.Label == nil || x.Label.Source != c.source):
		t.Errorf("label %+v, want the source %q", x.Label, c.source)
	}
}

// judge sends the stanza from whom it says it is from.
func (c *stanzaCase) judge(t *testing.T, reg *labels.Registry) peering.Verdict {
	t.Helper()
	def := boundary(t, reg, c.clearance)
	if c.change != nil {
		c.change(t, reg, &def)
	}
	p, problems := peering.Compile(def)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	text := strings.Replace(string(read(t, "xmpp/"+c.file+".xml")), "jabber:client", "jabber:server", 1)
	e, err := xmlstream.ParseDocument([]byte(strings.TrimSpace(text)), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatal(err)
	}
	from := "high"
	if s.From().Domain() == "low.example" {
		from = "low"
	}
	return peering.NewEngine(p).Judge(&peering.Arrival{
		Stanza: s, Link: "s2s", Peer: from, Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: tableDay,
		Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}, Node: "gate", Serial: 1, Bytes: len(text),
	})
}

// TestNumberedStanzasAgree is the second half of 111 and of 109: both syntaxes are one label, and leave as the same octets.
func TestNumberedStanzasAgree(t *testing.T) {
	t.Parallel()
	reg := guardAlone(t)
	var left []string
	for _, file := range []string{"message-ess", "message-4774", "message-whitespace-base64"} {
		c := stanzaCase{file: file, clearance: "c-internal-gbr"}
		v := c.judge(t, reg)
		r, ok := v.Released()
		if !ok || v.LabelIn.String() != "GUARD INTERNAL USE REL TO GBR" {
			t.Fatalf("%s: %v as %v: %+v", file, v.Outcome, v.LabelIn, v.Refusal)
		}
		sl := r.Element().Child("urn:xmpp:sec-label:0", "securitylabel")
		if sl == nil {
			t.Fatalf("%s left without a label", file)
		}
		b, err := xmlstream.AppendElement(nil, sl, xmlstream.NSServer)
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, string(b))
	}
	if left[0] != left[1] || left[0] != left[2] {
		t.Errorf("left as\n%s", strings.Join(left, "\n"))
	}
}

// boundary is high.example, which may send everything, and low.example with the rooms, which has the clearance of the
// case. Both use the policy GUARD.
func boundary(t testing.TB, reg *labels.Registry, clearance string) peering.Definition {
	t.Helper()
	profile, problems := rules.CompileProfile(rules.DefaultProfile("federation"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	none, _ := rules.CompileRules(nil)
	peer := peering.Peer{
		Floor: peering.Floor{Methods: []peering.Method{peering.External}, MinTLS: tls.VersionTLS12},
		Kinds: peering.Kinds{Message: true, Presence: true, MUC: true}, Links: []string{"s2s"},
	}
	high, low := peer, peer
	high.Name, high.Side, high.Domains = "high", "inside", []peering.Pattern{"high.example"}
	high.Labelling = peering.Labelling{Clearances: cleared(t, reg, "c-all"), LabelSyntaxes: []xep0258.Syntax{xep0258.ESS, xep0258.STANAG4774}}
	low.Name, low.Side, low.Domains = "low", "outside", []peering.Pattern{"low.example", "muc.high.example"}
	low.Labelling = peering.Labelling{Clearances: cleared(t, reg, clearance), LabelSyntaxes: []xep0258.Syntax{xep0258.ESS}, SendLabels: peering.SendAlways}
	return peering.Definition{
		Labels: reg, Profile: profile, Rules: none, Peers: []peering.Peer{high, low},
		Pairs: []peering.Pair{{From: "high", To: "low", Both: true}},
	}
}

func trusted(_ testing.TB, _ *labels.Registry, d *peering.Definition) {
	d.Peers[0].TrustEquivalents = []string{"2.999.258.1"}
}

func freeSubjects(_ testing.TB, _ *labels.Registry, d *peering.Definition) {
	d.Peers[0].Subjects, d.Peers[1].Subjects = peering.FreeSubjects, peering.FreeSubjects
}

func byDefault(u peering.Unlabelled) func(testing.TB, *labels.Registry, *peering.Definition) {
	return func(t testing.TB, reg *labels.Registry, d *peering.Definition) {
		l, err := labelfile.LoadLabel(filepath.Join(data, "guard/l-public.xml"), reg, readOptions)
		if err != nil {
			t.Fatal(err)
		}
		d.Peers[0].DefaultLabel, d.Peers[0].Unlabelled = l, u
	}
}

func firstLines(t testing.TB, reg *labels.Registry, d *peering.Definition) {
	l, err := labelfile.LoadLabel(filepath.Join(data, "guard/l-internal-rel-gbr.xml"), reg, readOptions)
	if err != nil {
		t.Fatal(err)
	}
	d.Peers[0].FirstLines = textmark.NewTable([]textmark.Entry{{Text: l.String(), Label: l}})
}

func guardAlone(t testing.TB) *labels.Registry {
	t.Helper()
	p, problems := spif.Load(filepath.Join(data, "guard/guard.spif.xml"))
	if p == nil {
		t.Fatal(problems)
	}
	reg, err := labels.NewRegistry(p)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func cleared(t testing.TB, reg *labels.Registry, name string) labels.ClearanceSet {
	t.Helper()
	c, err := labelfile.LoadClearance(filepath.Join(data, "guard", name+".xml"), reg, readOptions)
	if err != nil {
		t.Fatal(err)
	}
	set, err := labels.NewClearanceSet(c)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
