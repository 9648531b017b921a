package simulation

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/peering"
	"sallyport/rules"
)

// The names that both sites use: home is the domain in memory behind a gateway, far the other gateway.
const (
	home     = "home"
	far      = "far"
	linkHome = "memory"
	linkHF   = "hf"
)

func domain(site int) string { return []string{"a.example", "b.example"}[site] }

// engines judge, one for each site. Questions pass at site 0 alone: those of site 1 are refused at home, those of site 0 at site 1.
var engines = sync.OnceValues(func() ([2]*peering.Engine, error) {
	var out [2]*peering.Engine
	profile, problems := rules.CompileProfile(rules.DefaultProfile("federation"))
	set, more := rules.CompileRules(nil)
	labelling, registry, err := labelling()
	if len(problems)+len(more) > 0 || err != nil {
		return out, fmt.Errorf("policy: %v %v %w", problems, more, err)
	}
	for i := range out {
		kinds := peering.Kinds{Message: true, Presence: true, MUC: true}
		if i == 0 {
			kinds.IQ = []string{"*"}
		}
		floor := peering.Floor{Methods: []peering.Method{peering.SourceAddress}}
		p, bad := peering.Compile(peering.Definition{
			Profile: profile, Rules: set, Labels: registry,
			Peers: []peering.Peer{
				{Name: home, Side: "in", Domains: patterns(i), Floor: floor, Kinds: kinds, Links: []string{linkHome}, Labelling: labelling},
				{Name: far, Side: "out", Domains: patterns(1 - i), Floor: floor, Kinds: kinds, Links: []string{linkHF}, Labelling: labelling},
			},
			Pairs: []peering.Pair{{From: home, To: far, Both: true}},
		})
		if len(bad) > 0 {
			return out, fmt.Errorf("policy: %v", bad)
		}
		out[i] = peering.NewEngine(p)
	}
	return out, nil
})

// spifText is a policy of two classifications. Everybody is cleared for the first.
const spifText = `<spif:SPIF xmlns:spif="http://www.xmlspif.org/spif" schemaVersion="2.1" version="1" creationDate="20260101000000Z"
    originatorDN="CN=Example,O=Example,C=XX" keyIdentifier="00" privilegeId="2.16.840.1.101.2.1.8.3" rbacId="2.16.840.1.101.2.1.8.3">
  <spif:securityPolicyId name="EXAMPLE" id="2.999.1066.1"/>
  <spif:securityClassifications>
    <spif:securityClassification name="UNCLASSIFIED" color="lime" lacv="1" hierarchy="1"/>
    <spif:securityClassification name="SECRET" color="red" lacv="5" hierarchy="2"/>
  </spif:securityClassifications>
</spif:SPIF>`

// secret is the label of what nobody here is cleared for.
const secret = "<securitylabel xmlns='urn:xmpp:sec-label:0'><label><originatorConfidentialityLabel " +
	"xmlns='urn:nato:stanag:4774:confidentialitymetadatalabel:1:0'><ConfidentialityInformation>" +
	"<PolicyIdentifier URI='urn:oid:2.999.1066.1'>EXAMPLE</PolicyIdentifier><Classification>SECRET</Classification>" +
	"</ConfidentialityInformation></originatorConfidentialityLabel></label></securitylabel>"

// labelling is that of everybody: what has no label is unclassified.
func labelling() (l peering.Labelling, reg *labels.Registry, err error) {
	p, problems := spif.Parse("policy", []byte(spifText))
	if p == nil {
		return l, nil, fmt.Errorf("label policy: %v", problems)
	}
	var cleared *labels.Clearance
	if l.DefaultLabel, err = p.Label(labels.LabelForm{Policy: p.ID(), Class: 1}); err != nil {
		return l, nil, err
	}
	if cleared, err = p.Clearance(labels.ClearanceForm{Policy: p.ID(), Classes: []uint32{1}}); err != nil {
		return l, nil, err
	}
	if l.Clearances, err = labels.NewClearanceSet(cleared); err != nil {
		return l, nil, err
	}
	l.Unlabelled = peering.UnlabelledDefault
	reg, err = labels.NewRegistry(p)
	return l, reg, err
}

func patterns(site int) []peering.Pattern {
	return []peering.Pattern{peering.Pattern(domain(site)), peering.Pattern("rooms." + domain(site))}
}

// arrival is a stanza as it comes to be judged.
func (s *site) arrival(st stanza.Stanza, from string, bytes int) *peering.Arrival {
	s.serial++
	link := linkHome
	if from == far {
		link = linkHF
	}
	return &peering.Arrival{
		Stanza: st, Link: link, Peer: from, Domain: st.From().DomainJID(), LocalDomain: st.To().DomainJID(),
		Proof: peering.Proof{Method: peering.SourceAddress}, Time: s.w.now, Node: fmt.Sprint(s.i), Serial: s.serial, Bytes: bytes,
	}
}

// text is what stands in a message: its number, and more.
func (m *message) text() string {
	return m.name() + " " + strings.Repeat("lorem ipsum ", m.size/12+1)[:m.size]
}

// name is the id of the stanza.
func (m *message) name() string { return fmt.Sprintf("m%d", m.id) }

// xml is the stanza for one of the recipients.
func (m *message) xml(to jid.JID) string {
	switch m.topic {
	case presence:
		return fmt.Sprintf("<presence id='%s' from='%s' to='%s'><status>%s</status></presence>", m.name(), m.from(), to, m.text())
	case room:
		return fmt.Sprintf("<message type='groupchat' id='%s' from='%s' to='%s'><body>%s</body></message>", m.name(), m.from(), to, m.text())
	case question:
		return fmt.Sprintf("<iq type='get' id='%s' from='%s' to='%s'><query xmlns='jabber:iq:version'/></iq>", m.name(), m.from(), to)
	case chat:
	case classified:
		return fmt.Sprintf("<message type='chat' id='%s' from='%s' to='%s'><body>%s</body>%s</message>", m.name(), m.from(), to, m.text(), secret)
	}
	return fmt.Sprintf("<message type='chat' id='%s' from='%s' to='%s'><body>%s</body></message>", m.name(), m.from(), to, m.text())
}

func (m *message) from() string {
	if m.topic == room {
		return "ops@rooms." + domain(m.site) + "/officer"
	}
	return "u@" + domain(m.site) + "/r"
}

// recipients are at the other end.
func (m *message) recipients() []jid.JID {
	n := 1
	if m.topic == room {
		n = 3
	}
	out := make([]jid.JID, n)
	for i := range out {
		out[i] = jid.MustParse(fmt.Sprintf("v%d@%s/d", i, domain(1-m.site)))
	}
	return out
}

func parse(text string) (stanza.Stanza, error) {
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		return stanza.Stanza{}, err
	}
	return stanza.From(e)
}

// bodyOf is the text of a stanza that came.
func bodyOf(st stanza.Stanza) string {
	for _, name := range []string{"body", "status"} {
		if c := st.Element().Child(xmlstream.NSServer, name); c != nil {
			return c.Text()
		}
	}
	return ""
}

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
