package peering_test

import (
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/xep0258"
	"sallyport/labels/xep0314"
	"sallyport/peering"
	"sallyport/rules"
)

const (
	nsPubSub = "http://jabber.org/protocol/pubsub"
	nsSlps   = "urn:xmpp:sec-label:pubsub:0"
	xmlnsPS  = "<pubsub xmlns='" + nsPubSub + "'>"
)

// pubsubProfile is the federation profile with requests to publish and answers with items, as XEP-0060 and XEP-0314 have
// them.
func pubsubProfile(_ *labels.Registry, d *peering.Definition) {
	spec := rules.DefaultProfile("federation")
	spec.Name = "pubsub"
	in := func(local string) string { return "{" + nsPubSub + "}" + local }
	spec.Elements = append(
		spec.Elements,
		rules.ElementSpec{Name: in("pubsub"), In: []string{"iq"}},
		rules.ElementSpec{Name: in("publish"), In: []string{in("pubsub")}, Attributes: []string{"node"}},
		rules.ElementSpec{Name: in("items"), In: []string{in("pubsub")}, Attributes: []string{"node"}},
		rules.ElementSpec{Name: in("item"), In: []string{in("publish"), in("items")}, Max: 16, Attributes: []string{"id=id", "{" + nsSlps + "}label=token"}},
		rules.ElementSpec{Name: "{urn:x}x", In: []string{in("item"), "{http://jabber.org/protocol/pubsub#event}item"}, Text: "any"},
		rules.ElementSpec{Name: "{urn:xmpp:sec-label:0}securitylabel", In: []string{in("publish"), in("items")}, Max: 16, Attributes: []string{"{" + nsSlps + "}id=token"}},
	)
	for i := range spec.Elements { // notifications of any node
		if spec.Elements[i].Name == "{http://jabber.org/protocol/pubsub#event}items" {
			spec.Elements[i].Attributes = []string{"node"}
		}
	}
	d.Profile, _ = rules.CompileProfile(spec)
}

func also(changes ...func(*labels.Registry, *peering.Definition)) func(*labels.Registry, *peering.Definition) {
	return func(reg *labels.Registry, d *peering.Definition) {
		pubsubProfile(reg, d)
		for _, change := range changes {
			change(reg, d)
		}
	}
}

func publish(inside string) string {
	return `<iq` + toOut + `type='set' id='1'>` + xmlnsPS + `<publish node='plans'>` + inside + `</publish></pubsub></iq>`
}

// fetched is an answer with items.
func fetched(inside string) string {
	return `<iq` + toOut + `type='result' id='1'>` + xmlnsPS + `<items node='plans'>` + inside + `</items></pubsub></iq>`
}

func listed(inside string) string {
	return `<iq` + toOut + `type='result' id='1'><query xmlns='http://jabber.org/protocol/disco#items'>` + inside + `</query></iq>`
}

// item is one with a pointer to a label, or without.
func item(id, label string) string {
	if label != "" {
		label = " xmlns:s='" + nsSlps + "' s:label='" + label + "'"
	}
	return "<item id='" + id + "'" + label + "><x xmlns='urn:x'>" + id + "</x></item>"
}

func listItem(name, label string) string {
	return strings.Replace(strings.Replace(item(name, label), "id='"+name+"'", "jid='pubsub.in.example' node='"+name+"'", 1), "<x xmlns='urn:x'>"+name+"</x>", "", 1)
}

// named gives a securitylabel the name that items point to.
func named(label, id string) string {
	return strings.Replace(label, "<securitylabel ", "<securitylabel xmlns:s='"+nsSlps+"' s:id='"+id+"' ", 1)
}

func asked(*labels.Registry) peering.Facts {
	return peering.Facts{Awaited: peering.AwaitedIQ{Found: true}}
}

// TestPublishedLabels: the label of a request to publish, of lists and of notifications takes the way of a message's.
func TestPublishedLabels(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	public, gbr := made(t, reg, guardID, 1), made(t, reg, guardID, 2, countries(826)...)
	secret := wire(t, made(t, reg, guardID, 2, countries(250)...))
	noDefault := func(_ *labels.Registry, d *peering.Definition) { d.DefaultLabel = nil }
	byDefault := also(func(_ *labels.Registry, d *peering.Definition) {
		d.Peers[0].Unlabelled, d.Peers[0].DefaultLabel = peering.UnlabelledDefault, gbr
	})
	event := func(inside string) string {
		return `<message` + toOut + `type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='plans'>` + item("1", "") + `</items></event>` + inside + `</message>`
	}
	x := item("1", "")
	for _, c := range []crossing{
		{name: "published", one: true, text: publish(x + wire(t, gbr)), change: also(), want: peering.Release, leaves: []string{wire(t, gbr) + "</publish>", "<item id='1'>"}, source: "its own label"},
		{name: "published, no items", one: true, text: publish(wire(t, gbr)), change: also(), want: peering.Release, leaves: []string{wire(t, gbr)}},
		{name: "published, several items", one: true, text: publish(x + item("2", "") + wire(t, gbr)), change: also(), want: peering.Release, leaves: []string{"id='2'", wire(t, gbr)}},
		{name: "published, peer not cleared", one: true, text: publish(x + secret), change: also(), stage: peering.LabelOut, reason: peering.Clearance},
		{name: "published, sending peer not cleared", one: true, text: publish(x + wire(t, gbr)), change: also(func(_ *labels.Registry, d *peering.Definition) {
			d.Peers[0].Clearances = clearances(t, cleared(t, reg, guardID, []uint32{1}))
		}), stage: peering.LabelIn, reason: peering.Clearance},
		{name: "published, user not cleared", one: true, text: publish(x + wire(t, gbr)), change: also(), facts: func(*labels.Registry) peering.Facts {
			return peering.Facts{Sender: peering.ClearanceFact{Source: "directory"}}
		}, stage: peering.LabelIn, reason: peering.SenderClear},
		{name: "published, not valid", one: true, text: publish(x + wire(t, made(t, reg, guardID, 6))), change: also(), stage: peering.LabelIn, reason: "label-invalid"},
		{name: "published, unreadable", one: true, text: publish(x + sealed("<label><x xmlns='urn:x'/></label>")), change: also(), stage: peering.LabelIn, reason: "label-unknown"},
		{name: "published, syntax the peer may not use", one: true, text: publish(x + wire(t, gbr)), change: also(on(0, func(_ *labels.Registry, l *peering.Labelling) {
			l.LabelSyntaxes = []xep0258.Syntax{xep0258.STANAG4774}
		})), stage: peering.LabelIn, reason: "label-syntax"},
		{name: "published, translated", text: publish(x + wire(t, gbr)), change: also(), want: peering.Release, leaves: []string{"PARTNER LIMITED SHARE Britain"}, gone: []string{"GUARD"}, through: 1},
		{name: "published, no translation", text: publish(x + wire(t, made(t, reg, guardID, 2, append(countries(826), labels.Value{TagSet: guardRelease, Kind: labels.Permissive, LACV: 0})...))), change: also(), stage: peering.LabelOut, reason: peering.NoMapping},
		{name: "published, translated with the original", text: publish(x + wire(t, gbr)), change: also(on(1, func(_ *labels.Registry, l *peering.Labelling) { l.Equivalents = peering.AddOriginal })), want: peering.Release, leaves: []string{essIn("equivalentlabel", essOf(t, gbr))}, through: 1},
		{name: "published, written anew", one: true, text: publish(x + sealed("<displaymarking>canary</displaymarking>"+essIn("label", essOf(t, gbr))+essIn("equivalentlabel", essOf(t, public)))), change: also(), want: peering.Release, leaves: []string{wire(t, gbr)}, gone: []string{"canary", "equivalentlabel"}},
		{name: "published, other syntax", one: true, text: publish(x + wire(t, gbr)), change: also(on(1, func(_ *labels.Registry, l *peering.Labelling) { l.LabelSyntaxes = []xep0258.Syntax{xep0258.STANAG4774} })), want: peering.Release, leaves: []string{"originatorConfidentialityLabel"}, gone: []string{"esssecuritylabel"}},
		{name: "published, peer takes no labels", one: true, text: publish(x + wire(t, gbr)), change: also(on(1, func(_ *labels.Registry, l *peering.Labelling) { l.SendLabels = peering.SendNever })), want: peering.Release, leaves: []string{"<item id='1'>"}, gone: []string{"securitylabel"}},
		{name: "published without a label", one: true, text: publish(x), change: also(noDefault), stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "published without a label, default", one: true, text: publish(x), change: byDefault, want: peering.Release, source: "default of peer in", gone: []string{"securitylabel"}},
		{name: "published without a label, default written", one: true, text: publish(x), change: also(byDefault, on(1, func(_ *labels.Registry, l *peering.Labelling) { l.SendLabels = peering.SendAlways })), want: peering.Release, leaves: []string{wire(t, gbr)}},
		{name: "published without a label, default beyond the peer", one: true, text: publish(x), change: also(byDefault, func(_ *labels.Registry, d *peering.Definition) {
			d.Peers[1].Clearances = clearances(t, cleared(t, reg, guardID, []uint32{1}))
		}), stage: peering.LabelOut, reason: peering.Clearance},
		{name: "published, empty label asks for the default", one: true, text: publish(x + sealed("<label/>")), change: byDefault, want: peering.Release, leaves: []string{wire(t, gbr)}},
		{name: "published, two labels", one: true, text: publish(x + wire(t, public) + wire(t, gbr)), change: also(), stage: peering.LabelIn, reason: "label-count"},
		{name: "published, label in the item", one: true, text: publish("<item id='1'>" + wire(t, public) + "</item>"), change: also(), stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "published, label in the payload too", one: true, text: publish("<item id='1'><x xmlns='urn:x'>" + wire(t, public) + "</x></item>" + wire(t, public)), change: also(), stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "published, pointer to a label", one: true, text: publish(item("1", "a") + wire(t, public)), change: also(), stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "answer to publishing repeats no label", one: true, text: strings.Replace(publish(x+wire(t, public)), "'set'", "'result'", 1), facts: asked, change: also(), stage: peering.LabelIn, reason: peering.LabelMisplaced},
		{name: "answer to publishing", one: true, text: strings.Replace(publish("<item id='1'/>"), "'set'", "'result'", 1), facts: asked, change: also(), want: peering.Release},
		{name: "relabelled by a rule", one: true, text: publish(x + wire(t, public)), change: also(func(_ *labels.Registry, d *peering.Definition) {
			d.Rules = ruled(t, rules.RuleSpec{ID: "r", Action: "relabel", Label: "f", NewLabel: gbr})
		}), want: peering.Release, leaves: []string{wire(t, gbr)}, gone: []string{"PUBLIC"}},
		{name: "the profile does not list the label", one: true, text: publish(x + wire(t, public)), change: also(func(_ *labels.Registry, d *peering.Definition) {
			spec := rules.DefaultProfile("federation")
			for _, local := range []string{"pubsub", "publish", "item"} {
				in := map[string]string{"pubsub": "iq", "publish": "{" + nsPubSub + "}pubsub", "item": "{" + nsPubSub + "}publish"}[local]
				spec.Elements = append(spec.Elements, rules.ElementSpec{Name: "{" + nsPubSub + "}" + local, In: []string{in}, Deep: local == "item", Attributes: []string{"id", "node"}})
			}
			d.Profile, _ = rules.CompileProfile(spec)
		}), stage: peering.Profile, reason: "wrapped"},

		{name: "notification", one: true, text: event(wire(t, gbr)), change: also(), want: peering.Release, label2: gbr.String(), leaves: []string{"<item id='1'>"}},
		{name: "notification, translated", text: event(wire(t, gbr)), change: also(), want: peering.Release, label2: "PARTNER LIMITED SHARE Britain [was internal; imported]", through: 1},
		{name: "notification, peer not cleared", one: true, text: event(secret), change: also(), stage: peering.LabelOut, reason: peering.Clearance},
		{name: "notification without a label", one: true, text: event(""), change: also(), stage: peering.LabelIn, reason: peering.NoLabel},
		{name: "notification, label inside the items", one: true, text: strings.Replace(event(wire(t, gbr)), "</items>", wire(t, public)+"</items>", 1), change: also(), stage: peering.LabelIn, reason: peering.LabelMisplaced},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, reg)
		})
	}
}

// TestLabelsOfItems: what was asked for is judged item by item, and one that may not cross keeps the others back.
func TestLabelsOfItems(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	public, gbr := wire(t, made(t, reg, guardID, 1)), wire(t, made(t, reg, guardID, 2, countries(826)...))
	fra := wire(t, made(t, reg, guardID, 2, countries(250)...))
	two := item("1", "a") + item("2", "b") + named(public, "a")
	byDefault := also(on(0, func(_ *labels.Registry, l *peering.Labelling) {
		l.Unlabelled, l.DefaultLabel = peering.UnlabelledDefault, made(t, reg, guardID, 1)
	}))
	always := on(1, func(_ *labels.Registry, l *peering.Labelling) { l.SendLabels = peering.SendAlways })
	wide := func(_ *labels.Registry, d *peering.Definition) { // no label dominates GBR and FRA
		d.Peers[1].Clearances = clearances(t, guardClear(t, reg))
	}
	rule := func(spec rules.RuleSpec) func(*labels.Registry, *peering.Definition) {
		return also(func(_ *labels.Registry, d *peering.Definition) { d.Rules = ruled(t, spec) })
	}
	internal := rules.MatchSpec{Labels: []string{"INTERNAL"}}
	for _, c := range []struct {
		crossing
		labels string // markings of the items that leave
	}{
		{crossing{name: "each with its own", one: true, text: fetched(two + named(gbr, "b")), want: peering.Release}, "GUARD PUBLIC|GUARD INTERNAL USE REL TO GBR"},
		{crossing{name: "one is not cleared", one: true, text: fetched(two + named(fra, "b")), stage: peering.LabelOut, reason: peering.Clearance}, "item 2 of 2: "},
		{crossing{name: "one is not valid", one: true, text: fetched(two + named(wire(t, made(t, reg, guardID, 6)), "b")), stage: peering.LabelIn, reason: "label-invalid"}, "item 2 of 2: "},
		{crossing{name: "one has no label", one: true, text: fetched(item("1", "a") + item("2", "") + named(public, "a")), stage: peering.LabelIn, reason: peering.NoLabel}, "item 2 of 2: "},
		{crossing{name: "one has no label, default", one: true, text: fetched(item("1", "a") + item("2", "") + named(gbr, "a")), change: byDefault, want: peering.Release}, "GUARD INTERNAL USE REL TO GBR|-"},
		{crossing{name: "one has no label, default written", one: true, text: fetched(item("1", "a") + item("2", "") + named(gbr, "a")), change: also(byDefault, always), want: peering.Release}, "GUARD INTERNAL USE REL TO GBR|GUARD PUBLIC"},
		{crossing{name: "no label at all", one: true, text: fetched(item("1", "")), stage: peering.LabelIn, reason: peering.NoLabel}, ""},
		{crossing{name: "no items", one: true, text: fetched(""), want: peering.Release}, ""},
		{crossing{name: "labels without a common one", one: true, text: fetched(item("1", "a") + item("2", "b") + named(gbr, "a") + named(fra, "b")), change: also(wide), want: peering.Release}, "GUARD INTERNAL USE REL TO GBR|GUARD INTERNAL USE REL TO FRA"},
		{crossing{name: "translated", text: fetched(two + named(gbr, "b")), want: peering.Release, through: 1}, "PARTNER OPEN [imported]|PARTNER LIMITED SHARE Britain [was internal; imported]"},
		{crossing{name: "one cannot be translated", text: fetched(two + named(wire(t, made(t, reg, guardID, 2, append(countries(826), labels.Value{TagSet: guardRelease, Kind: labels.Permissive, LACV: 0})...)), "b")), stage: peering.LabelOut, reason: peering.NoMapping}, "item 2 of 2: "},
		{crossing{name: "peer takes no labels", one: true, text: fetched(two + named(gbr, "b")), change: also(on(1, func(_ *labels.Registry, l *peering.Labelling) { l.SendLabels = peering.SendNever })), want: peering.Release, gone: []string{nsSlps, "securitylabel"}}, "-|-"},
		{crossing{name: "names of the sender do not cross", one: true, text: fetched(item("1", "canary") + named(gbr, "canary")), want: peering.Release, gone: []string{"canary"}}, "GUARD INTERNAL USE REL TO GBR"},
		{crossing{name: "pointer to nothing", one: true, text: fetched(item("1", "a") + item("2", "c") + named(public, "a")), stage: peering.LabelIn, reason: "label-syntax"}, ""},
		{crossing{name: "label of no item", one: true, text: fetched(two + named(gbr, "b") + named(fra, "c")), stage: peering.LabelIn, reason: peering.LabelMisplaced}, ""},
		{crossing{name: "two labels of one name", one: true, text: fetched(two + named(gbr, "b") + named(gbr, "b")), stage: peering.LabelIn, reason: "label-count"}, ""},
		{crossing{name: "label hidden in an item", one: true, text: fetched(strings.Replace(two, "</x>", public+"</x>", 1) + named(gbr, "b")), stage: peering.LabelIn, reason: peering.LabelMisplaced}, ""},
		{crossing{name: "labels in a request", one: true, text: strings.Replace(fetched(two+named(gbr, "b")), "'result'", "'get'", 1), stage: peering.LabelIn, reason: peering.LabelMisplaced}, ""},
		{crossing{name: "request for items", one: true, text: strings.Replace(fetched("<item id='1'/>"), "'result'", "'get'", 1), want: peering.Release}, "-"},
		{crossing{name: "a rule refuses the second", one: true, text: fetched(two + named(gbr, "b")), change: rule(rules.RuleSpec{ID: "r", Action: "refuse", When: internal}), stage: peering.Rules, reason: peering.RuleRefused}, ""},
		{crossing{name: "a rule would change one only", one: true, text: fetched(two + named(gbr, "b")), change: rule(rules.RuleSpec{ID: "r", Action: "relabel", Label: "f", NewLabel: made(t, reg, guardID, 1), Downgrade: true, When: internal}), stage: peering.Rules, reason: peering.RuleRefused}, "item 2 of 2: "},
		{crossing{name: "a rule relabels all", one: true, text: fetched(two + named(gbr, "b")), change: rule(rules.RuleSpec{ID: "r", Action: "relabel", Label: "f", NewLabel: made(t, reg, guardID, 1), Downgrade: true}), want: peering.Release, gone: []string{"INTERNAL"}}, "GUARD PUBLIC|GUARD PUBLIC"},
		{crossing{name: "profile without pointers", one: true, text: fetched(two + named(gbr, "b")), change: also(func(_ *labels.Registry, d *peering.Definition) {
			spec := rules.DefaultProfile("federation")
			for local, in := range map[string]string{"pubsub": "iq", "items": "{" + nsPubSub + "}pubsub", "item": "{" + nsPubSub + "}items"} {
				spec.Elements = append(spec.Elements, rules.ElementSpec{Name: "{" + nsPubSub + "}" + local, In: []string{in}, Max: 2, Attributes: []string{"id", "node"}})
			}
			spec.Elements = append(spec.Elements, rules.ElementSpec{Name: "{urn:x}x", In: []string{"{" + nsPubSub + "}item"}, Text: "any"})
			d.Profile, _ = rules.CompileProfile(spec)
		}), stage: peering.LabelOut, reason: "label-syntax"}, ""},
		{crossing{name: "list, each with its own", one: true, text: listed(listItem("1", "a") + listItem("2", "b") + named(public, "a") + named(gbr, "b")), want: peering.Release}, "GUARD PUBLIC|GUARD INTERNAL USE REL TO GBR"},
		{crossing{name: "list, federation profile", one: true, text: listed(listItem("1", "a") + named(gbr, "a")), change: func(*labels.Registry, *peering.Definition) {}, want: peering.Release}, "GUARD INTERNAL USE REL TO GBR"},
		{crossing{name: "list, one is not cleared", one: true, text: listed(listItem("1", "a") + listItem("2", "b") + named(public, "a") + named(fra, "b")), stage: peering.LabelOut, reason: peering.Clearance}, "item 2 of 2: "},
		{crossing{name: "list without labels is like any answer", one: true, text: listed(listItem("1", "") + listItem("2", "")), want: peering.Release}, "-|-"},
		{crossing{name: "list with labels, one has none", one: true, text: listed(listItem("1", "a") + listItem("2", "") + named(public, "a")), stage: peering.LabelIn, reason: peering.NoLabel}, "item 2 of 2: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.facts = asked; c.change == nil {
				c.change = also()
			}
			c.run(t, reg)
			def := twoPolicies(t, reg)
			if c.one {
				def = onePolicy(t, reg)
			}
			c.change(reg, &def)
			a := arrival(t, "in", c.text)
			a.Facts = asked(reg)
			v := peering.NewEngine(policy(t, def)).Judge(&a)
			released, ok := v.Released()
			if !ok {
				if !strings.HasPrefix(v.Refusal.Detail, c.labels) {
					t.Errorf("detail %q, want %q before it", v.Refusal.Detail, c.labels)
				}
				return
			}
			if got := markingsOf(t, reg, released); got != c.labels {
				t.Errorf("leaves with\n%s, want\n%s", got, c.labels)
			}
		})
	}
}

// markingsOf reads what leaves as a neighbour would.
func markingsOf(t *testing.T, reg *labels.Registry, r peering.Released) string {
	t.Helper()
	items, err := xep0314.Labels(r.Element())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, it := range items {
		m := "-"
		if it.Label != nil {
			m = xep0258.NewReader(reg).ReadLabel(it.Label).Label.String()
		}
		out = append(out, m)
	}
	return strings.Join(out, "|")
}

// TestItemsInTheRecord: audit and explain name the labels of all items, and of a refusal the one that was not cleared.
func TestItemsInTheRecord(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	public, gbr := wire(t, made(t, reg, guardID, 1)), wire(t, made(t, reg, guardID, 2, countries(826)...))
	def := onePolicy(t, reg)
	pubsubProfile(reg, &def)
	e := peering.NewEngine(policy(t, def))
	a := arrival(t, "in", fetched(item("1", "a")+item("2", "b")+named(public, "a")+named(gbr, "b")))
	a.Facts = asked(reg)
	v := e.Judge(&a)
	x := peering.Explain(&v)
	if want := "GUARD PUBLIC; GUARD INTERNAL USE REL TO GBR"; v.Facts.MarkingIn != want || v.Facts.MarkingOut != want {
		t.Errorf("recorded %q and %q, want %q", v.Facts.MarkingIn, v.Facts.MarkingOut, want)
	}
	if forms := "2.999.258.1 class 1; 2.999.258.1 class 2, 2.999.258.1.3 enumerated permissive 826"; x.Label == nil || x.Label.Received != forms || x.Label.Sent != forms {
		t.Errorf("explained as %+v, want %s", x.Label, forms)
	}
	if x.Label == nil || len(x.Label.Checks) != 4 || strings.Count(x.Label.Written, "<securitylabel") != 2 {
		t.Errorf("explained as %+v", x.Label)
	}

	var many strings.Builder // more checks than a record keeps
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
		many.WriteString(item(id, id) + named(public, id))
	}
	a = arrival(t, "in", fetched(many.String()+item("x", "x")+named(wire(t, made(t, reg, guardID, 2, countries(250)...)), "x")))
	a.Facts = asked(reg)
	v = e.Judge(&a)
	if last := v.Checks[peering.MaxChecks-1]; v.Outcome != peering.Refuse || last.Granted || last.Name != "out" || last.Label.String() != "GUARD INTERNAL USE REL TO FRA" {
		t.Errorf("%v, last check %+v", v.Outcome, last)
	}
	record, _, err := peering.ParseVerdict(peering.AppendVerdict(nil, &v))
	if err != nil || record.Label.Checks[peering.MaxChecks-1].Granted {
		t.Errorf("%v, read back %+v", err, record.Label.Checks)
	}
}
