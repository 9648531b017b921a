package peering_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
	"sallyport/labels/icism"
	"sallyport/labels/xep0258"
	"sallyport/peering"
	"sallyport/rules"
)

func wrapped(t testing.TB, reg *labels.Registry) []crossing {
	public, gbr, bare := made(t, reg, guardID, 1), made(t, reg, guardID, 2, countries(826)...), made(t, reg, guardID, 2)
	carry := func(more func(*labels.Registry, *peering.Definition)) func(*labels.Registry, *peering.Definition) {
		return func(reg *labels.Registry, d *peering.Definition) {
			carrying("forward")(d)
			if more != nil {
				more(reg, d)
			}
		}
	}
	loose := sealed("<displaymarking>canary</displaymarking>" + essIn("label", " "+essOf(t, public)))
	return []crossing{
		{name: "equal labels", one: true, text: forwarding(wire(t, gbr), wire(t, gbr)), change: carry(nil), want: peering.Release, leaves: []string{"canary"}},
		{name: "lower inside", one: true, text: forwarding(wire(t, bare), wire(t, public)), change: carry(nil), want: peering.Release, leaves: []string{"canary"}},
		{name: "higher inside", one: true, text: forwarding(wire(t, public), wire(t, bare)), change: carry(nil), stage: peering.LabelIn, reason: peering.Wrapped},
		{name: "restricted inside, open outside", one: true, text: forwarding(wire(t, bare), wire(t, gbr)), change: carry(nil), stage: peering.LabelIn, reason: peering.Wrapped},
		{name: "written anew inside", one: true, text: strings.Replace(forwarding(wire(t, bare), loose), "<body>canary</body>", "<body>x</body>", 1), change: carry(nil), want: peering.Release, leaves: []string{wire(t, public)}, gone: []string{"canary"}},
		{name: "translated inside", text: forwarding(wire(t, public), wire(t, public)), change: carry(nil), want: peering.Release, leaves: []string{"PARTNER OPEN"}, gone: []string{"GUARD"}, through: 1},
		{name: "taken away and marked inside", one: true, text: forwarding(wire(t, bare), wire(t, public)), change: carry(on(1, func(_ *labels.Registry, l *peering.Labelling) {
			l.SendLabels, l.WriteFirstLine = peering.SendNever, true
		})), want: peering.Release, leaves: []string{"<body>[GUARD INTERNAL USE]\nx</body>", "<body>[GUARD PUBLIC]\ncanary</body>"}, gone: []string{"securitylabel"}},
		{name: "a rule lowers the one around", one: true, text: forwarding(wire(t, bare), wire(t, bare)), change: carry(func(_ *labels.Registry, d *peering.Definition) {
			d.Rules = ruled(t, rules.RuleSpec{ID: "r", Action: "relabel", Label: "f", NewLabel: public, Downgrade: true})
		}), stage: peering.LabelIn, reason: peering.Wrapped},
		{name: "invalid inside", one: true, text: forwarding(wire(t, bare), wire(t, made(t, reg, guardID, 6))), change: carry(nil), stage: peering.LabelIn, reason: "label-invalid"},
	}
}

// closed are the ways round the label: each carries a canary that must not arrive.
func closed(t testing.TB, reg *labels.Registry) []crossing {
	public := wire(t, made(t, reg, guardID, 1))
	const subject = `<message xmlns='jabber:server' from='a@in.example/x' to='room@rooms.out.example' type='groupchat'><subject>canary</subject></message>`
	free := func(peers ...int) func(*labels.Registry, *peering.Definition) {
		return func(_ *labels.Registry, d *peering.Definition) {
			for _, i := range peers {
				d.Peers[i].Subjects = peering.FreeSubjects
			}
		}
	}
	notFound := `<error type='cancel' by='canary'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>canary</text><canary xmlns='urn:canary'>canary</canary></error>`
	strict := func(_ *labels.Registry, d *peering.Definition) {
		spec := rules.DefaultProfile("strict")
		spec.Mode, spec.PresenceMode = "strip", "strip"
		d.Profile, _ = rules.CompileProfile(spec)
	}
	return []crossing{
		{name: "I22 subject judged", one: true, text: subject, stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "122 I22 subject free, both say so", one: true, text: subject, change: free(0, 1), want: peering.Release, label2: "-"},
		{name: "subject free, one says so", one: true, text: subject, change: free(0), stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "subject free, with a body", one: true, text: strings.Replace(subject, "</message>", "<body>x</body></message>", 1), change: free(0, 1), stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "subject free, with something else", one: true, text: strings.Replace(subject, "</message>", "<x xmlns='urn:x'/></message>", 1), change: free(0, 1), stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "subject free, outside a room", one: true, text: strings.Replace(subject, "groupchat", "chat", 1), change: free(0, 1), stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "subject free, a label is judged all the same", one: true, text: strings.Replace(subject, "</message>", wire(t, made(t, reg, guardID, 6))+"</message>", 1), change: free(0, 1), stage: peering.LabelIn, reason: "label-invalid"},
		{name: "I20 error carries nothing", one: true, text: `<message` + toOut + `type='error'><body>canary</body>` + notFound + `</message>`, want: peering.Release, leaves: []string{"item-not-found"}, gone: []string{"canary"}},
		{name: "iq error carries nothing", one: true, text: `<iq` + toOut + `type='error' id='1'><canary xmlns='urn:canary'/>` + notFound + `</iq>`, facts: func(*labels.Registry) peering.Facts {
			return peering.Facts{Awaited: peering.AwaitedIQ{Found: true}}
		}, want: peering.Release, leaves: []string{"item-not-found"}, gone: []string{"canary"}},
		{name: "presence error carries nothing", one: true, text: `<presence` + toOut + `type='error'><status>canary</status>` + notFound + `</presence>`, want: peering.Release, leaves: []string{"item-not-found"}, gone: []string{"canary"}},
		{name: "I21 120 labelled error", one: true, text: `<message` + toOut + `type='error'>` + public + notFound + `</message>`, want: peering.Drop, stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "I19 121 labelled presence", one: true, text: `<presence` + toOut + `>` + public + `</presence>`, want: peering.Drop, stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "I19 labelled iq", one: true, text: `<iq` + toOut + `type='get' id='1'>` + public + `</iq>`, stage: peering.Admit, reason: peering.IQKind, change: func(_ *labels.Registry, d *peering.Definition) { d.Peers[0].Kinds.IQ = nil }},
		{name: "label beside what is published", one: true, text: `<iq` + toOut + `type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='1'/></publish>` + public + `</pubsub></iq>`, stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "label hidden in presence", one: true, text: `<presence` + toOut + `><x xmlns='urn:x'>` + public + `</x></presence>`, want: peering.Drop, stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "J14 presence status, strict profile", one: true, text: `<presence` + toOut + `><show>away</show><status>canary</status></presence>`, change: strict, want: peering.Release, leaves: []string{"away"}, gone: []string{"canary"}},
		{name: "J14 presence status, folded by a rule", one: true, text: `<presence` + toOut + `><show>away</show><status>canary</status><priority>7</priority></presence>`, change: func(_ *labels.Registry, d *peering.Definition) {
			d.Rules = ruled(t, rules.RuleSpec{ID: "f", Action: "fold", Fold: rules.FoldSpec{Show: []string{"online", "away"}}})
		}, want: peering.Release, leaves: []string{"away"}, gone: []string{"canary", "7"}},
	}
}

func syntaxes(t testing.TB, reg *labels.Registry) []crossing {
	gbr := made(t, reg, guardID, 2, countries(826)...)
	mapping := &icism.Mapping{
		Namespace: "http://example.gov/IC-ISM/0", Element: "icismlabel", Plain: true, Policy: "GUARD", Owners: []string{"USA"},
		Classes: map[string]string{"U": "PUBLIC", "C": "INTERNAL"},
		Values: []icism.ValueMapping{
			{Attribute: "disseminationControls", Token: "REL", Discard: true},
			{Attribute: "releasableTo", Token: "USA", TagSet: "Release", Type: "permissive", Name: "USA"},
			{Attribute: "releasableTo", Token: "GBR", TagSet: "Release", Type: "permissive", Name: "GBR"},
		},
	}
	ism := sealed("<label><icismlabel xmlns='http://example.gov/IC-ISM/0' classification='C' ownerProducer='USA' disseminationControls='REL' releasableTo='USA GBR'/></label>")
	known := func(_ *labels.Registry, d *peering.Definition) { d.ICISM = mapping }
	ismOut := func(reg *labels.Registry, d *peering.Definition) {
		known(reg, d)
		d.Peers[1].LabelSyntaxes = []xep0258.Syntax{xep0258.ICISM}
	}
	indefinite := sealed(essIn("label", "MYACAQIGBYg3ggIBMSAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOgAA"))
	unknown := sealed("<label><x xmlns='urn:x'/></label>" + essIn("equivalentlabel", essOf(t, gbr)))
	return []crossing{
		{name: "112 IC-ISM without a mapping", one: true, label: ism, stage: peering.LabelIn, reason: "label-unknown"},
		{name: "IC-ISM with one", one: true, label: ism, change: known, want: peering.Release, label2: "GUARD INTERNAL USE REL TO GBR, USA", leaves: []string{"esssecuritylabel"}},
		{name: "IC-ISM out", one: true, label: wire(t, made(t, reg, guardID, 1)), change: func(reg *labels.Registry, d *peering.Definition) {
			ismOut(reg, d)
			spec := rules.DefaultProfile("federation")
			spec.Elements = append(spec.Elements, rules.ElementSpec{
				Name: "{http://example.gov/IC-ISM/0}icismlabel", In: []string{"{urn:xmpp:sec-label:0}label"}, Attributes: []string{"classification=any", "ownerProducer=any"},
			})
			d.Profile, _ = rules.CompileProfile(spec)
		}, want: peering.Release, leaves: []string{"icismlabel", "classification='U'"}},
		{name: "IC-ISM out, stripped by the profile", one: true, label: wire(t, made(t, reg, guardID, 1)), change: ismOut, stage: peering.LabelOut, reason: "label-syntax"},
		{name: "IC-ISM out inside, refused by the profile", one: true, text: forwarding(wire(t, gbr), wire(t, made(t, reg, guardID, 1))), change: func(reg *labels.Registry, d *peering.Definition) {
			ismOut(reg, d)
			carrying("forward")(d)
		}, stage: peering.Profile, reason: "profile"},
		{name: "IC-ISM out inside alone, emptied by the profile", one: true, text: forwarding("", wire(t, made(t, reg, guardID, 1))), change: func(reg *labels.Registry, d *peering.Definition) {
			ismOut(reg, d)
			d.Peers[0].DefaultLabel, d.Peers[0].Unlabelled = made(t, reg, guardID, 1), peering.UnlabelledDefault
			spec := rules.DefaultProfile("federation")
			spec.Mode, spec.Carriers = "strip", []string{"forward"}
			d.Profile, _ = rules.CompileProfile(spec)
		}, stage: peering.LabelOut, reason: "label-syntax"},
		{name: "SDN.801c out", one: true, label: wire(t, gbr), change: on(1, func(_ *labels.Registry, l *peering.Labelling) {
			l.LabelSyntaxes = []xep0258.Syntax{xep0258.SDN801c}
		}), want: peering.Release, label2: gbr.String(), gone: []string{essOf(t, gbr)}},
		{name: "I16 BER", one: true, label: indefinite, want: peering.Release, leaves: []string{essOf(t, gbr)}},
		{name: "I16 BER from a peer that must write DER", one: true, label: indefinite, change: on(0, func(_ *labels.Registry, l *peering.Labelling) { l.DEROnly = true }), stage: peering.LabelIn, reason: "label-syntax"},
		{name: "a syntax that the peer may not use", one: true, label: wire(t, gbr), change: on(0, func(_ *labels.Registry, l *peering.Labelling) {
			l.LabelSyntaxes = []xep0258.Syntax{xep0258.STANAG4774}
		}), stage: peering.LabelIn, reason: "label-syntax"},
		{name: "113 equivalent, trusted", one: true, label: unknown, change: on(0, func(_ *labels.Registry, l *peering.Labelling) { l.TrustEquivalents = []string{guardID} }), want: peering.Release, label2: gbr.String(), source: "equivalent 1", gone: []string{"urn:x'", "equivalentlabel"}},
		{name: "113 equivalent, not trusted", one: true, label: unknown, stage: peering.LabelIn, reason: "label-unknown"},
	}
}

// Nobody is told about a labelled error or presence, and both are recorded.
func TestDropsAreSilent(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	e := peering.NewEngine(policy(t, onePolicy(t, reg)))
	public := wire(t, made(t, reg, guardID, 1))
	for _, text := range []string{
		`<presence` + toOut + `>` + public + `</presence>`,
		`<message` + toOut + `type='error'>` + public + `<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
	} {
		a := arrival(t, "in", text)
		v := e.Judge(&a)
		if _, ok := e.Reply(&v, peering.ByVerdict); ok || v.Outcome != peering.Drop {
			t.Errorf("%s: %v, answered %v; want dropped without an answer", text, v.Outcome, ok)
		}
		if v.Refusal.Reason != peering.LabelMisplaced || v.Refusal.Condition != stanza.NoCondition {
			t.Errorf("%s: %+v", text, v.Refusal)
		}
	}
}
