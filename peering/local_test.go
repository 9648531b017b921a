package peering_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
	"sallyport/rules"
)

// home adds the server of this node, whose users may say to each other what their clients understand.
func home(t testing.TB, specs ...rules.RuleSpec) peering.Definition {
	t.Helper()
	def := definition(t, specs...)
	local := def.Peers[0]
	local.Name, local.Domains, local.Links = "local", []peering.Pattern{"home.example"}, []string{"local"}
	local.Floor = peering.Floor{Methods: []peering.Method{peering.Local}}
	def.Peers = append(def.Peers, local)
	def.Pairs = append(def.Pairs,
		peering.Pair{From: "local", To: "local", SameSide: true, Open: true}, peering.Pair{From: "local", To: "out", Both: true})
	return def
}

func atHome(t testing.TB, text string) peering.Arrival {
	t.Helper()
	a := arrival(t, "local", text)
	a.Link, a.Proof = "local", peering.Proof{Method: peering.Local}
	return a
}

func TestAmongOurselves(t *testing.T) {
	t.Parallel()
	refuse := rules.RuleSpec{ID: "no-receipts", Action: "refuse", When: rules.MatchSpec{Elements: []string{"{urn:xmpp:receipts}request"}}}
	for _, tt := range []struct {
		name, stanza string
		facts        func(*peering.Facts)
		want         peering.Reason // "" is released
	}{
		{name: "any shape", stanza: `<message to='b@home.example'>` + label("UNCLASSIFIED", "") + `<x xmlns='urn:nobody:knows'><y>z</y></x></message>`},
		{name: "the same to a neighbour", stanza: `<message to='b@out.example'>` + label("UNCLASSIFIED", "") + `<x xmlns='urn:nobody:knows'/></message>`, want: "empty"},
		{
			name: "a copy", stanza: `<message from='b@home.example' to='b@home.example/r2'>` + label("UNCLASSIFIED", "") + `<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>` +
				`<message xmlns='jabber:client' from='b@home.example/r' to='c@out.example'>` + label("UNCLASSIFIED", "") + `<body>x</body></message></forwarded></sent></message>`,
		},
		{name: "any request", stanza: `<iq to='b@home.example/r' type='get' id='1'><query xmlns='urn:nobody:knows'/></iq>`},
		{
			name:   "labels to choose from",
			stanza: `<iq from='home.example' to='b@home.example/r' type='result' id='1'><catalog xmlns='urn:xmpp:sec-label:catalog:2'><item selector='x'>` + label("SECRET", "") + `</item></catalog></iq>`,
			facts:  func(f *peering.Facts) { f.Awaited.Found = true },
		},
		{
			name:   "labels to choose from, for the own account",
			stanza: `<iq from='b@home.example' to='b@home.example/r' type='result' id='1'><catalog xmlns='urn:xmpp:sec-label:catalog:2'><item selector='x'>` + label("SECRET", "") + `</item></catalog></iq>`,
			facts:  func(f *peering.Facts) { f.Awaited.Found = true },
		},
		{
			name:   "labels to choose from, for another account",
			stanza: `<iq from='a@home.example' to='b@home.example/r' type='result' id='1'><catalog xmlns='urn:xmpp:sec-label:catalog:2'><item selector='x'>` + label("SECRET", "") + `</item></catalog></iq>`,
			facts:  func(f *peering.Facts) { f.Awaited.Found = true }, want: peering.LabelMisplaced,
		},
		{
			name:   "labels to choose from, of somebody",
			stanza: `<iq from='a@home.example/r' to='b@home.example/r' type='result' id='1'><catalog xmlns='urn:xmpp:sec-label:catalog:2'><item selector='x'>` + label("SECRET", "") + `</item></catalog></iq>`,
			facts:  func(f *peering.Facts) { f.Awaited.Found = true }, want: peering.LabelMisplaced,
		},
		{name: "an answer to nothing", stanza: `<iq to='b@home.example/r' type='result' id='1'/>`, want: peering.Unsolicited},
		{name: "an approval, which rosters judge", stanza: `<presence to='b@home.example' type='subscribed'/>`},
		{name: "an approval to a neighbour who did not ask", stanza: `<presence to='b@out.example' type='subscribed'/>`, want: peering.Unsolicited},
		{name: "no label", stanza: `<message to='b@home.example'><body>x</body></message>`, want: peering.NoLabel},
		{name: "a rule", stanza: `<message to='b@home.example'>` + label("UNCLASSIFIED", "") + `<request xmlns='urn:xmpp:receipts'/></message>`, want: peering.RuleRefused},
		{
			name: "above the clearance of the recipient", stanza: `<message to='b@home.example'>` + label("RESTRICTED", "") + `<body>x</body></message>`,
			facts: func(f *peering.Facts) { f.Recipient = peering.ClearanceFact{Source: "account b@home.example"} }, want: peering.Clearance,
		},
		{
			name: "above the clearance of the sender", stanza: `<message to='b@home.example'>` + label("RESTRICTED", "") + `<body>x</body></message>`,
			facts: func(f *peering.Facts) { f.Sender = peering.ClearanceFact{Source: "account a@home.example"} }, want: peering.SenderClear,
		},
		{name: "in the name of a neighbour", stanza: `<message from='a@out.example' to='b@home.example'>` + label("UNCLASSIFIED", "") + `</message>`, want: peering.SpoofedFrom},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := policy(t, home(t, refuse))
			text := tt.stanza
			if !strings.Contains(text, " from=") {
				text = strings.Replace(text, " to=", " from='a@home.example/r' to=", 1)
			}
			text = strings.Replace(text, " ", " xmlns='jabber:server' ", 1)
			a := atHome(t, text)
			if tt.facts != nil {
				tt.facts(&a.Facts)
			}
			v := p.Judge(&a)
			if tt.want == "" && v.Outcome != peering.Release || tt.want != "" && (v.Outcome == peering.Release || v.Refusal.Reason != tt.want) {
				t.Errorf("%v %q, want %q\n%+v", v.Outcome, v.Refusal.Reason, tt.want, v.Refusal)
			}
			a.Proof.Method = peering.External
			if v := p.Judge(&a); v.Outcome == peering.Release {
				t.Error("released for somebody who is not ourselves")
			}
		})
	}
}

// Only the server of this node may be without the profile.
func TestOpenPairs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*peering.Definition)
		want   string
	}{
		{"between two peers", func(d *peering.Definition) { d.Pairs[1].To = "out" }, "it joins two peers"},
		{"of a neighbour", func(d *peering.Definition) { d.Pairs[1].From, d.Pairs[1].To = "in", "in" }, "somebody else"},
		{"another proof will do", func(d *peering.Definition) {
			d.Peers[2].Floor.Methods = []peering.Method{peering.Local, peering.External}
		}, "somebody else"},
		{"no proof", func(d *peering.Definition) { d.Peers[2].Floor.Methods = nil }, "somebody else"},
		{"holds every domain", func(d *peering.Definition) { d.Peers[2].Default = true }, "other domains"},
		{"speaks for others", func(d *peering.Definition) { d.Peers[2].SpeaksFor = []peering.Pattern{"x.example"} }, "other domains"},
		{"other names", func(d *peering.Definition) {
			d.Peers[2].DomainMap = []peering.DomainMapping{{Far: domain("home.example"), Near: domain("h.example")}}
		}, "other domains"},
		{"domains without a name", func(d *peering.Definition) { d.Peers[2].Domains[0] = "*.home.example" }, "not named"},
		{"link with a proof of its own", func(d *peering.Definition) {
			d.LinkFloor = map[string]*peering.Floor{"local": {Methods: []peering.Method{peering.SourceAddress}}}
		}, "another proof"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			def := home(t)
			def.Pairs = def.Pairs[:2]
			tt.change(&def)
			p, problems := peering.Compile(def)
			if p != nil || len(problems) != 1 || !strings.Contains(problems[0].Text, tt.want) {
				t.Errorf("compiled %v, problems %v, want %q", p != nil, problems, tt.want)
			}
		})
	}
}

// forwards carries a message (XEP-0297).
func forwards(in string) string {
	return `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='c@home.example' to='a@home.example'>` + in + `<body>x</body></message></forwarded>`
}

func TestMayRead(t *testing.T) {
	t.Parallel()
	p := policy(t, home(t))
	low := peering.ClearanceFact{Clearances: clearance(t, p.Labels(), "outside.clearance.xml"), Source: "account"}
	for _, tt := range []struct {
		name, stanza string
		reader       peering.ClearanceFact
		want         bool
	}{
		{"within", `<message from='a@home.example'>` + label("UNCLASSIFIED", "") + `</message>`, low, true},
		{"nothing known of the reader", `<message from='a@home.example'>` + label("RESTRICTED", "") + `</message>`, peering.ClearanceFact{}, true},
		{"above the reader", `<message from='a@home.example'>` + label("SECRET", "") + `</message>`, low, false},
		{"reader without a clearance", `<message from='a@home.example'>` + label("UNCLASSIFIED", "") + `</message>`, peering.ClearanceFact{Source: "account"}, false},
		{"no label and no default", `<message from='a@home.example'><body>x</body></message>`, peering.ClearanceFact{}, false},
		{"default of the sender's peer", `<message from='a@out.example'><body>x</body></message>`, low, true},
		{"default of the sender's peer, above the reader", `<message from='a@out.example'><body>x</body></message>`, peering.ClearanceFact{Source: "account"}, false},
		{"no label from a peer that has to label", `<message from='a@in.example'><body>x</body></message>`, low, false},
		{"a label that cannot be read", `<message from='a@home.example'><securitylabel xmlns='urn:xmpp:sec-label:0'><label><x xmlns='y'/></label></securitylabel></message>`, low, false},
		{"one that carries another", `<message from='a@home.example'>` + label("UNCLASSIFIED", "") + forwards(label("UNCLASSIFIED", "")) + `</message>`, low, true},
		{"one that carries another, above the reader", `<message from='a@home.example'>` + label("UNCLASSIFIED", "") + forwards(label("SECRET", "")) + `</message>`, low, false},
		{"one that carries another without a label", `<message from='a@home.example'>` + label("UNCLASSIFIED", "") + forwards("") + `</message>`, low, false},
		{"an error", `<message from='a@home.example' type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`, low, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := atHome(t, strings.Replace(tt.stanza, "<message ", "<message xmlns='jabber:server' to='reader@home.example' ", 1))
			a.Facts.Recipient = tt.reader
			v := p.MayRead(&a)
			if _, released := v.Released(); released || (v.Outcome == peering.Release) != tt.want {
				t.Errorf("%v (released %v), want %v: %+v", v.Outcome, released, tt.want, v.Refusal)
			}
		})
	}
	def := home(t)
	def.Peers[2].SendLabels, def.Peers[2].Clients.NoLabels = peering.SendAlways, true // what was kept has lost its label
	stripped := policy(t, def)
	kept := atHome(t, `<message xmlns='jabber:server' from='a@out.example' to='reader@home.example'><body>[SECRET]</body></message>`)
	if v := stripped.MayRead(&kept); v.Outcome != peering.Release {
		t.Errorf("whom only the server bounds may not read what it was sent: %+v", v.Refusal)
	}
	kept.Facts.Recipient = low
	if v := stripped.MayRead(&kept); v.Outcome == peering.Release {
		t.Error("nobody knows what it was, and it is read")
	}
	a := atHome(t, `<message xmlns='jabber:server' from='a@out.example' to='b@out.example'>`+label("UNCLASSIFIED", "")+`</message>`)
	for _, peer := range []string{"out", "", "nobody"} {
		a.Peer = peer
		if v := p.MayRead(&a); v.Outcome == peering.Release {
			t.Errorf("read as %q", peer)
		}
	}
	if v := p.MayRead(&peering.Arrival{Peer: "local", Stanza: stanza.Stanza{}}); v.Outcome == peering.Release {
		t.Error("nothing was read")
	}
}
