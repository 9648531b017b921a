package peering_test

import (
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/xep0258"
	"sallyport/peering"
	"sallyport/rules"
)

// crossing is one message over the boundary between two organisations.
type crossing struct {
	name   string
	one    bool   // both use GUARD; else the far side uses PARTNER
	in     bool   // from out to in
	text   string // or
	label  string // of a chat message
	facts  func(*labels.Registry) peering.Facts
	change func(*labels.Registry, *peering.Definition)

	want    peering.Outcome
	stage   peering.Stage
	reason  peering.Reason
	label2  string   // marking of the label that leaves; "-" none at all
	leaves  []string // in what leaves
	gone    []string // not in what leaves
	source  string   // where the label came from, as explain says it
	through int      // translations
}

func on(peer int, change func(*labels.Registry, *peering.Labelling)) func(*labels.Registry, *peering.Definition) {
	return func(reg *labels.Registry, d *peering.Definition) { change(reg, &d.Peers[peer].Labelling) }
}

func TestCrossing(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]func(testing.TB, *labels.Registry) []crossing{
		"clearances": severalClearances, "translation": translations, "defaults": defaults, "relabel": relabels,
		"writing": writing, "first line": firstLines, "wrapped": wrapped, "closed": closed, "syntaxes": syntaxes,
	} {
		reg := guardRegistry(t)
		for _, c := range table(t, reg) {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				c.run(t, reg)
			})
		}
	}
}

func (c crossing) run(t *testing.T, reg *labels.Registry) {
	def, peer, wrap := twoPolicies(t, reg), "in", outward
	if c.one {
		def = onePolicy(t, reg)
	}
	if c.in {
		peer, wrap = "out", inward
	}
	if c.change != nil {
		c.change(reg, &def)
	}
	if c.text == "" {
		c.text = wrap(c.label)
	}
	a := arrival(t, peer, c.text)
	if c.facts != nil {
		a.Facts = c.facts(reg)
	}
	v := peering.NewEngine(policy(t, def)).Judge(&a)
	if v.Outcome != c.want {
		t.Fatalf("%v, want %v: %+v", v.Outcome, c.want, v.Refusal)
	}
	x := peering.Explain(&v)
	if c.source != "" && (x.Label == nil || x.Label.Source != c.source) {
		t.Errorf("explained as %+v, want the source %q", x.Label, c.source)
	}
	released, ok := v.Released()
	if c.want != peering.Release {
		if r := v.Refusal; ok || r.Stage != c.stage || r.Reason != c.reason || r.Detail == "" {
			t.Errorf("refused at %v for %q, want %v for %q: %s", r.Stage, r.Reason, c.stage, c.reason, r.Detail)
		}
		return
	}
	found := releasedLabel(t, reg, released.Element())
	switch {
	case c.label2 == "-" && found.State != xep0258.Unlabelled, c.label2 != "" && c.label2 != "-" && found.Label.String() != c.label2:
		t.Errorf("leaves with %v (%v %s), want %q", found.Label, found.State, found.Detail, c.label2)
	}
	if x.Label != nil && len(x.Label.Translations) != c.through {
		t.Errorf("%d translations, want %d: %+v", len(x.Label.Translations), c.through, x.Label.Translations)
	}
	text := canonical(t, released.Element())
	for _, want := range c.leaves {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q", text, want)
		}
	}
	for _, gone := range c.gone {
		if strings.Contains(text, gone) {
			t.Errorf("%s still has %q", text, gone)
		}
	}
}

func severalClearances(t testing.TB, reg *labels.Registry) []crossing {
	public, open := wire(t, made(t, reg, guardID, 1)), wire(t, made(t, reg, partnerID, 1))
	both := on(1, func(reg *labels.Registry, l *peering.Labelling) {
		*l = peering.Labelling{Clearances: clearances(t, partnerClear(t, reg), cleared(t, reg, guardID, []uint32{1}))}
	})
	link := func(cs ...*labels.Clearance) func(*labels.Registry, *peering.Definition) {
		return func(_ *labels.Registry, d *peering.Definition) {
			d.LinkClear = map[string]labels.ClearanceSet{"s2s": clearances(t, cs...)}
		}
	}
	user := func(set ...*labels.Clearance) func(*labels.Registry) peering.Facts {
		return func(*labels.Registry) peering.Facts {
			return peering.Facts{Sender: peering.ClearanceFact{Clearances: clearances(t, set...), Source: "directory"}}
		}
	}
	return []crossing{
		{name: "the one under the label's policy, one", label: public, change: both, want: peering.Release, label2: "GUARD PUBLIC"},
		{name: "the one under the label's policy, it does not do", label: wire(t, made(t, reg, guardID, 2)), change: both, stage: peering.LabelOut, reason: peering.Clearance},
		{name: "the other does not stand in", in: true, label: wire(t, made(t, reg, partnerID, 3)), change: both, stage: peering.LabelIn, reason: peering.Clearance},
		{name: "none under the label's policy", in: true, label: public, stage: peering.LabelIn, reason: peering.Clearance},
		{name: "link cleared under the policy inside", label: public, change: link(cleared(t, reg, guardID, []uint32{1})), want: peering.Release, label2: "PARTNER OPEN [imported]", through: 1},
		{name: "link not cleared", label: public, change: link(cleared(t, reg, guardID, []uint32{2})), stage: peering.LabelIn, reason: peering.Clearance},
		{name: "link cleared under both, one forbids", label: public, change: link(cleared(t, reg, guardID, []uint32{1}), cleared(t, reg, partnerID, []uint32{2})), stage: peering.LabelOut, reason: peering.Clearance},
		{name: "link without a clearance at all", label: public, change: link(), stage: peering.LabelIn, reason: peering.Clearance},
		{name: "link cleared for the translation alone", in: true, label: open, change: link(cleared(t, reg, guardID, []uint32{1})), want: peering.Release, label2: "GUARD PUBLIC", through: 1},
		{name: "I24 sender not cleared", label: public, facts: user(cleared(t, reg, guardID, []uint32{2})), stage: peering.LabelIn, reason: peering.SenderClear},
		{name: "sender known to have none", label: public, facts: user(), stage: peering.LabelIn, reason: peering.SenderClear},
		{name: "sender cleared", label: public, facts: user(cleared(t, reg, guardID, []uint32{1})), want: peering.Release, through: 1},
	}
}

func translations(t testing.TB, reg *labels.Registry) []crossing {
	gbr := made(t, reg, guardID, 2, countries(826)...)
	outTable := on(1, func(reg *labels.Registry, l *peering.Labelling) {
		l.TranslateOut, l.Table = labels.Table, []labels.Mapping{{From: made(t, reg, guardID, 1), To: made(t, reg, partnerID, 1)}}
	})
	inForeign := on(1, func(_ *labels.Registry, l *peering.Labelling) { l.TranslateIn = labels.ForeignSPIF })
	imported := labels.Value{TagSet: "2.999.258.2.3", Kind: labels.InformativeBits, LACV: 1}
	return []crossing{
		{name: "101 outward", label: wire(t, gbr), want: peering.Release, label2: "PARTNER LIMITED SHARE Britain [was internal; imported]", gone: []string{"GUARD"}, through: 1},
		{name: "102 outward, a value is discarded", label: wire(t, made(t, reg, guardID, 1, labels.Value{TagSet: "2.999.258.1.6", Kind: labels.InformativeBits, LACV: 0})), want: peering.Release, label2: "PARTNER OPEN [imported]", through: 1},
		{
			name: "103 outward, a value has no equivalent", label: wire(t, made(t, reg, guardID, 2, append(countries(826), labels.Value{TagSet: guardRelease, Kind: labels.Permissive, LACV: 0})...)),
			stage: peering.LabelOut, reason: peering.NoMapping,
		},
		{name: "outward, translated to what the peer is not cleared for", label: wire(t, made(t, reg, guardID, 2, countries(250)...)), stage: peering.LabelOut, reason: peering.Clearance},
		{name: "outward, nobody says how", label: wire(t, gbr), change: on(1, func(_ *labels.Registry, l *peering.Labelling) { l.TranslateOut = labels.NoReading }), stage: peering.LabelOut, reason: peering.Clearance},
		{name: "outward by table", label: wire(t, made(t, reg, guardID, 1)), change: outTable, want: peering.Release, label2: "PARTNER OPEN", through: 1},
		{name: "outward by table, not in it", label: wire(t, gbr), change: outTable, stage: peering.LabelOut, reason: peering.NoMapping},
		{name: "106 inward", in: true, label: wire(t, made(t, reg, partnerID, 1)), want: peering.Release, label2: "GUARD PUBLIC", gone: []string{"PARTNER"}, through: 1},
		{name: "107 inward, holds outward only", in: true, label: wire(t, made(t, reg, partnerID, 2)), stage: peering.LabelIn, reason: peering.NoMapping},
		{name: "108 inward, what we add ourselves", in: true, label: wire(t, made(t, reg, partnerID, 1, imported)), stage: peering.LabelIn, reason: peering.NoMapping},
		{
			name: "108 inward, and the peer's entry discards it", in: true, label: wire(t, made(t, reg, partnerID, 1, imported)),
			change: on(1, func(_ *labels.Registry, l *peering.Labelling) { l.Discard = []labels.Value{imported} }), want: peering.Release, label2: "GUARD PUBLIC", through: 1,
		},
		{name: "inward, checked before it is translated", in: true, label: wire(t, made(t, reg, partnerID, 3)), stage: peering.LabelIn, reason: peering.Clearance},
		{
			name: "inward, cleared as it came and not as translated", in: true, label: wire(t, made(t, reg, partnerID, 3)),
			change: func(reg *labels.Registry, d *peering.Definition) {
				d.Peers[1].Clearances = clearances(t, cleared(t, reg, partnerID, []uint32{3}))
				d.Peers[0].Clearances = clearances(t, cleared(t, reg, guardID, []uint32{1}))
			},
			stage: peering.LabelIn, reason: peering.TargetInvalid,
		},
		{name: "inward, the foreign policy says nothing", in: true, label: wire(t, made(t, reg, partnerID, 1)), change: func(reg *labels.Registry, d *peering.Definition) {
			inForeign(reg, d)
			d.Peers[0].LabelPolicy = nil
		}, stage: peering.LabelIn, reason: peering.NoMapping},
	}
}

func defaults(t testing.TB, reg *labels.Registry) []crossing {
	public, internal, alpha := made(t, reg, guardID, 1), made(t, reg, guardID, 2), made(t, reg, guardID, 2, labels.Value{TagSet: guardCaveats, Kind: labels.Restrictive, LACV: 0})
	at := func(s string) []peering.AddressPattern {
		a, ok := peering.ParseAddressPattern(s)
		if !ok {
			t.Fatal(s)
		}
		return []peering.AddressPattern{a}
	}
	entries := []peering.DefaultLabel{
		{ID: "domain", Label: alpha, Domains: at("*.in.example")},
		{ID: "user", Label: alpha, Users: at("juliet@in.example")},
		{ID: "room", Label: alpha, Rooms: at("ops@rooms.in.example")},
		{ID: "to-romeo", Label: alpha, From: at("juliet@in.example"), To: at("romeo@out.example")},
	}
	from := func(list ...peering.DefaultLabel) func(*labels.Registry, *peering.Definition) {
		return func(reg *labels.Registry, d *peering.Definition) {
			*d = onePolicy(t, reg)
			d.Peers[1].Clearances = clearances(t, guardClear(t, reg))
			d.Peers[0].Unlabelled, d.DefaultLabels = peering.UnlabelledDefault, list
			d.Peers[0].SendLabels, d.Peers[1].SendLabels = peering.SendAlways, peering.SendAlways
			d.DefaultLabel = public
		}
	}
	peerToo := func(list ...peering.DefaultLabel) func(*labels.Registry, *peering.Definition) {
		return func(reg *labels.Registry, d *peering.Definition) {
			from(list...)(reg, d)
			d.Peers[0].DefaultLabel = internal
		}
	}
	of := func(who string) string {
		return `<message xmlns='jabber:server' from='` + who + `' to='romeo@out.example'><body>x</body></message>`
	}
	room := `<message xmlns='jabber:server' from='ops@rooms.in.example/nick' to='romeo@out.example' type='groupchat'><body>x</body></message>`
	const marked = "GUARD INTERNAL USE //ALPHA"
	return []crossing{
		{name: "rule before all", text: of("juliet@in.example/b"), change: peerToo(entries...), want: peering.Release, label2: marked, source: "default of rule to-romeo"},
		{name: "user before peer", text: of("juliet@in.example/b"), change: peerToo(entries[:3]...), want: peering.Release, label2: marked, source: "default of user user"},
		{name: "room before user and peer", text: room, change: peerToo(entries...), want: peering.Release, label2: marked, source: "default of room room"},
		{name: "into a room", in: true, text: `<message xmlns='jabber:server' from='romeo@out.example/x' to='ops@rooms.in.example' type='groupchat'><body>x</body></message>`, change: func(reg *labels.Registry, d *peering.Definition) {
			from(entries...)(reg, d)
			d.Peers[1].Unlabelled = peering.UnlabelledDefault
		}, want: peering.Release, label2: marked, source: "default of room room"},
		{name: "peer before domain", text: of("nurse@lab.in.example"), change: peerToo(entries...), want: peering.Release, label2: "GUARD INTERNAL USE", source: "default of peer in"},
		{name: "domain before side", text: of("nurse@lab.in.example"), change: from(entries...), want: peering.Release, label2: marked, source: "default of domain domain"},
		{name: "side before policy", text: of("nurse@in.example"), change: func(reg *labels.Registry, d *peering.Definition) {
			from(entries...)(reg, d)
			d.Sides = map[string]peering.Side{"inside": {DefaultLabel: internal}}
		}, want: peering.Release, label2: "GUARD INTERNAL USE", source: "default of side inside"},
		{name: "policy last", text: of("nurse@in.example"), change: from(entries...), want: peering.Release, label2: "GUARD PUBLIC", source: "default of policy"},
		{name: "nothing behind it", text: of("nurse@in.example"), change: func(reg *labels.Registry, d *peering.Definition) {
			from(entries...)(reg, d)
			d.DefaultLabel = nil
		}, stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "I01 a missing label, not allowed to be", text: of("juliet@in.example"), change: func(reg *labels.Registry, d *peering.Definition) {
			from(entries...)(reg, d)
			d.Peers[0].Unlabelled = peering.UnlabelledRefuse
		}, stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "an unreadable label is not a missing one", label: sealed("<label><x xmlns='urn:x'/></label>"), change: from(entries...), stage: peering.LabelIn, reason: "label-unknown"},
		{name: "the default is judged like any label", text: of("nurse@in.example"), change: func(reg *labels.Registry, d *peering.Definition) {
			from()(reg, d)
			d.Peers[1].Clearances = clearances(t, cleared(t, reg, guardID, []uint32{2}))
		}, stage: peering.LabelOut, reason: peering.Clearance},
		{name: "a default that is not valid", text: of("nurse@in.example"), change: func(reg *labels.Registry, d *peering.Definition) {
			from()(reg, d)
			d.DefaultLabel = made(t, reg, guardID, 6) // CONFIDENTIAL needs an owner
		}, stage: peering.LabelIn, reason: "label-invalid"},
	}
}

func relabels(t testing.TB, reg *labels.Registry) []crossing {
	public, internal := made(t, reg, guardID, 1), made(t, reg, guardID, 2)
	by := func(l *labels.Label, downgrade bool) func(*labels.Registry, *peering.Definition) {
		return func(_ *labels.Registry, d *peering.Definition) {
			d.Rules = ruled(t, rules.RuleSpec{ID: "r", Action: "relabel", Label: "f", NewLabel: l, Downgrade: downgrade})
		}
	}
	return []crossing{
		{name: "raised", one: true, label: wire(t, public), change: by(internal, false), want: peering.Release, label2: "GUARD INTERNAL USE", gone: []string{"PUBLIC"}},
		{name: "lowered, the rule says so", one: true, label: wire(t, internal), change: by(public, true), want: peering.Release, label2: "GUARD PUBLIC"},
		{name: "lowered, it does not", one: true, label: wire(t, internal), change: by(public, false), stage: peering.Rules, reason: peering.RuleRefused},
		{name: "checked before it is lowered", one: true, label: wire(t, made(t, reg, guardID, 5)), change: by(public, true), stage: peering.LabelIn, reason: "label-invalid"},
		{name: "not valid under its policy", one: true, label: wire(t, public), change: by(made(t, reg, guardID, 6), false), stage: peering.Rules, reason: "label-invalid"},
		{name: "raised beyond the peer", one: true, label: wire(t, public), change: by(made(t, reg, guardID, 2, countries(250)...), false), stage: peering.LabelOut, reason: peering.Clearance},
		{name: "and then translated", label: wire(t, internal), change: by(public, true), want: peering.Release, label2: "PARTNER OPEN [imported]", through: 1},
		{name: "what came is not told as equivalent", label: wire(t, internal), change: func(reg *labels.Registry, d *peering.Definition) {
			by(public, true)(reg, d)
			d.Peers[1].Equivalents = peering.AddOriginal
		}, want: peering.Release, label2: "PARTNER OPEN [imported]", gone: []string{"INTERNAL", essOf(t, internal)}, leaves: []string{essOf(t, public)}, through: 1},
	}
}

// essOf is the base64 of a label.
func essOf(t testing.TB, l *labels.Label) string {
	t.Helper()
	e, err := xep0258.Payload(l, xep0258.ESS, noon)
	if err != nil {
		t.Fatal(err)
	}
	return e.Text()
}

func writing(t testing.TB, reg *labels.Registry) []crossing {
	gbr := made(t, reg, guardID, 2, countries(826)...)
	marked, private := privateLabel(t, reg)
	equivalents := essIn("equivalentlabel", essOf(t, made(t, reg, partnerID, 1)))
	to := func(change func(*peering.Labelling)) func(*labels.Registry, *peering.Definition) {
		return on(1, func(_ *labels.Registry, l *peering.Labelling) { change(l) })
	}
	return []crossing{
		{name: "I07 equivalents received never go on", one: true, label: sealed(essIn("label", essOf(t, gbr)) + equivalents), want: peering.Release, label2: gbr.String(), gone: []string{"equivalentlabel"}},
		{name: "I09 unknown octets of the sender do not", one: true, label: "<securitylabel xmlns='urn:xmpp:sec-label:0' canary='1'>" + essIn("label", " "+essOf(t, gbr)+" ") + "</securitylabel>", want: peering.Release, leaves: []string{wire(t, gbr)}, gone: []string{"canary", "> M"}},
		{name: "a false marking does not", one: true, label: sealed("<displaymarking>canary</displaymarking>" + essIn("label", essOf(t, gbr))), want: peering.Release, leaves: []string{wire(t, gbr)}, gone: []string{"canary"}},
		{name: "privacy mark dropped", one: true, label: private, want: peering.Release, leaves: []string{essOf(t, made(t, reg, guardID, 1))}, gone: []string{"CLEAR"}},
		{name: "privacy mark kept", one: true, label: private, change: to(func(l *peering.Labelling) { l.KeepPrivacyMarks = true }), want: peering.Release, leaves: []string{essOf(t, marked), "(CLEAR)"}},
		{name: "privacy mark dropped from a rule's line", one: true, label: private, change: func(_ *labels.Registry, d *peering.Definition) {
			d.Rules = ruled(t, rules.RuleSpec{ID: "m", Action: "mark", Mark: "<{marking}>"})
		}, want: peering.Release, leaves: []string{"GUARD PUBLIC&gt;"}, gone: []string{"CLEAR"}},
		{name: "translation with the original as equivalent", label: wire(t, gbr), change: to(func(l *peering.Labelling) { l.Equivalents = peering.AddOriginal }), want: peering.Release, label2: "PARTNER LIMITED SHARE Britain [was internal; imported]", leaves: []string{essIn("equivalentlabel", essOf(t, gbr))}, through: 1},
		{name: "original with the translation as equivalent", label: wire(t, gbr), change: to(func(l *peering.Labelling) { l.Equivalents = peering.AddTranslation }), want: peering.Release, label2: gbr.String(), leaves: []string{"<equivalentlabel>"}, through: 1},
		{name: "inward, the original as equivalent", in: true, label: wire(t, made(t, reg, partnerID, 1)), change: on(0, func(_ *labels.Registry, l *peering.Labelling) { l.Equivalents = peering.AddOriginal }), want: peering.Release, label2: "GUARD PUBLIC", leaves: []string{essIn("equivalentlabel", essOf(t, made(t, reg, partnerID, 1)))}, through: 1},
		{name: "marking in French", one: true, label: wire(t, gbr), change: to(func(l *peering.Labelling) { l.Language = "fr" }), want: peering.Release, leaves: []string{"GUARD USAGE INTERNE REL TO GBR"}},
		{name: "other syntax", one: true, label: wire(t, gbr), change: to(func(l *peering.Labelling) { l.LabelSyntaxes = []xep0258.Syntax{xep0258.STANAG4774} }), want: peering.Release, label2: gbr.String(), leaves: []string{"originatorConfidentialityLabel"}, gone: []string{"esssecuritylabel"}},
		{name: "stripped", one: true, label: wire(t, gbr), change: to(func(l *peering.Labelling) { l.SendLabels = peering.SendNever }), want: peering.Release, label2: "-", gone: []string{"GUARD"}},
	}
}

// privateLabel is a label with a privacy mark, and as a neighbour writes it.
func privateLabel(t testing.TB, reg *labels.Registry) (*labels.Label, string) {
	t.Helper()
	l, err := reg.Label(labels.LabelForm{Policy: guardID, Class: 1, PrivacyMark: "CLEAR"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := xep0258.ElementWith(l, l.Policy(), xep0258.WriteOptions{Syntax: xep0258.ESS, KeepPrivacyMark: true, At: noon})
	if err != nil {
		t.Fatal(err)
	}
	return l, canonical(t, e)
}

func firstLines(t testing.TB, reg *labels.Registry) []crossing {
	_, private := privateLabel(t, reg)
	public, gbr := made(t, reg, guardID, 1), made(t, reg, guardID, 2, countries(826)...)
	reads := func(reg *labels.Registry, d *peering.Definition) {
		d.Peers[0].FirstLines = lineTable(public, gbr)
		d.Peers[1].SendLabels = peering.SendAlways
	}
	writes := on(1, func(_ *labels.Registry, l *peering.Labelling) {
		l.SendLabels, l.WriteFirstLine = peering.SendNever, true
	})
	text := func(body, rest string) string {
		return `<message` + toOut + `type='chat'><body>` + body + `</body>` + rest + `</message>`
	}
	const line = "[GUARD INTERNAL USE REL TO GBR]\n"
	html := "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>canary</body></html>"
	allHTML := func(reg *labels.Registry, d *peering.Definition) {
		writes(reg, d)
		spec := rules.DefaultProfile("federation")
		spec.Mode = "strip"
		spec.Elements = append(spec.Elements, rules.ElementSpec{Name: "{http://jabber.org/protocol/xhtml-im}html", In: []string{"message"}})
		d.Profile, _ = rules.CompileProfile(spec)
	}
	return []crossing{
		{name: "116 read", one: true, text: text(line+"seven", ""), change: reads, want: peering.Release, label2: gbr.String(), leaves: []string{"<body>seven</body>"}, source: "first line"},
		{name: "116 not enabled: text", one: true, text: text(line+"seven", ""), stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "not in the catalogue", one: true, text: text("[GUARD SECRET]\nseven", ""), change: reads, stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "means what the label says", one: true, text: text(line+"seven", wire(t, gbr)), change: reads, want: peering.Release, label2: gbr.String(), leaves: []string{"<body>seven</body>"}, source: "its own label"},
		{name: "means another label", one: true, text: text(line+"seven", wire(t, public)), change: reads, stage: peering.LabelIn, reason: "label-mismatch"},
		{name: "bodies that do not agree", one: true, text: text(line+"seven", "<body xml:lang='fr'>sept</body>"), change: reads, stage: peering.LabelIn, reason: "label-mismatch"},
		{name: "read beyond the clearance", one: true, text: text(line+"seven", ""), change: func(reg *labels.Registry, d *peering.Definition) {
			reads(reg, d)
			d.Peers[0].Clearances = clearances(t, cleared(t, reg, guardID, []uint32{1}))
		}, stage: peering.LabelIn, reason: peering.Clearance},
		{name: "written", one: true, text: text("seven", wire(t, gbr)), change: writes, want: peering.Release, label2: "-", leaves: []string{"<body>" + line + "seven</body>"}},
		{name: "written in every body and language", one: true, text: text("seven", "<body xml:lang='fr'>sept</body>"+wire(t, gbr)), change: writes, want: peering.Release, leaves: []string{line + "seven", "[GUARD USAGE INTERNE REL TO GBR]\nsept"}},
		{name: "J08 the formatted alternative goes", one: true, text: text("seven", html+wire(t, gbr)), change: allHTML, want: peering.Release, leaves: []string{line}, gone: []string{"canary", "html"}},
		{name: "typed line stays below the true one", one: true, text: text("[GUARD PUBLIC]\nseven", wire(t, gbr)), change: writes, want: peering.Release, leaves: []string{"<body>" + line + "[GUARD PUBLIC]\nseven"}},
		{name: "without a privacy mark", one: true, text: text("seven", private), change: writes, want: peering.Release, leaves: []string{"<body>[GUARD PUBLIC]\nseven"}, gone: []string{"CLEAR"}},
		{name: "of the translation", text: text("seven", wire(t, gbr)), change: writes, want: peering.Release, leaves: []string{"<body>[PARTNER LIMITED SHARE Britain [was internal; imported]]\nseven"}, through: 1},
	}
}
