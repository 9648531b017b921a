package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	access "sallyport/labels"
	"sallyport/labels/labelfile"
	"sallyport/labels/spif"
	"sallyport/links/deflate"
	"sallyport/peering"
	rulebook "sallyport/rules"
)

// The two gateways between which chats cross, and the domains of the people who chat.
const (
	nearDomain = "near.example"
	farDomain  = "far.example"
	chatBytes  = 50 // of text
	chatPeople = 8  // on each side
)

// chatWords are what the texts are made of. They stand for nobody's.
const chatWords = "at the harbour pilot boards on time wind north seven sea rough visibility good course speed fuel water engine " +
	"report ready change of plan convoy leaves berth four crane radio check all stations anchor depth tide current chart noon watch relief"

// chats makes labelled chats as a gateway would release them.
type chats struct {
	engine *peering.Engine
	dice   *rand.Rand
	serial uint64
}

// newChats loads the example's security policy: both ends may read what is RESTRICTED, and everything leaves with its label.
func newChats(seed uint64) (*chats, error) {
	folder := filepath.Join("examples", "sites", "policy")
	p, problems := spif.Load(filepath.Join(folder, "example.spif.xml"))
	if p == nil {
		return nil, fmt.Errorf("security policy: %v", problems)
	}
	reg, err := access.NewRegistry(p)
	if err != nil {
		return nil, err
	}
	cleared, err := labelfile.LoadClearance(filepath.Join(folder, "restricted.clearance.xml"), reg, labelfile.Options{})
	if err != nil {
		return nil, err
	}
	open, err := labelfile.LoadLabel(filepath.Join(folder, "unclassified.label.xml"), reg, labelfile.Options{})
	if err != nil {
		return nil, err
	}
	set, err := access.NewClearanceSet(cleared)
	if err != nil {
		return nil, err
	}
	profile, bad := rulebook.CompileProfile(rulebook.DefaultProfile("federation"))
	none, more := rulebook.CompileRules(nil)
	peer := func(name, domain string) peering.Peer {
		return peering.Peer{
			Name: name, Side: name, Domains: []peering.Pattern{peering.Pattern(domain)}, Kinds: peering.Kinds{Message: true},
			Floor: peering.Floor{Methods: []peering.Method{peering.External}, MinTLS: tls.VersionTLS12}, Links: []string{linkName},
			Labelling: peering.Labelling{Clearances: set, DefaultLabel: open, Unlabelled: peering.UnlabelledDefault, SendLabels: peering.SendAlways},
		}
	}
	compiled, worse := peering.Compile(peering.Definition{
		Profile: profile, Rules: none, Labels: reg, Peers: []peering.Peer{peer("near", nearDomain), peer("far", farDomain)},
		Pairs: []peering.Pair{{From: "near", To: "far", Both: true}},
	})
	if len(bad)+len(more)+len(worse) > 0 {
		return nil, fmt.Errorf("policy: %v %v %v", bad, more, worse)
	}
	return &chats{engine: peering.NewEngine(compiled), dice: rand.New(rand.NewPCG(seed, 1))}, nil //nolint:gosec // to be repeated
}

// next is a chat of somebody with somebody, released for the link.
func (c *chats) next(from, to string) (peering.Released, error) {
	c.serial++
	words := strings.Fields(chatWords)
	var text strings.Builder
	for text.Len() < chatBytes {
		text.WriteString(words[c.dice.IntN(len(words))] + " ")
	}
	source := fmt.Sprintf("<message from='user%d@%s/desk' to='user%d@%s' type='chat' id='%08x'><body>%s</body></message>",
		c.dice.IntN(chatPeople), from, c.dice.IntN(chatPeople), to, c.dice.Uint32(), text.String()[:chatBytes])
	e, err := xmlstream.ParseDocument([]byte(source), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		return peering.Released{}, err
	}
	s, err := stanza.From(e)
	if err != nil {
		return peering.Released{}, err
	}
	v := c.engine.Judge(&peering.Arrival{
		Stanza: s, Link: linkName, Peer: strings.TrimSuffix(from, ".example"), Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(),
		Time: time.Now(), Node: "bench", Serial: c.serial, Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}, Bytes: len(source),
	})
	r, ok := v.Released()
	if !ok {
		return r, fmt.Errorf("chat not released: %+v", v.Refusal)
	}
	return r, nil
}

// dictionary is trained on chats that are not among those measured.
func (c *chats) dictionary() (deflate.Dictionary, error) {
	var samples [][]byte
	for range 400 {
		r, err := c.next(nearDomain, farDomain)
		if err != nil {
			return deflate.Dictionary{}, err
		}
		b, err := xmlstream.AppendElement(nil, r.Element(), xmlstream.NSServer)
		if err != nil {
			return deflate.Dictionary{}, err
		}
		samples = append(samples, b)
	}
	return deflate.Train(samples, deflate.MaxDictionary), nil
}

// linkName is that of every link measured.
const linkName = "link"

// errNoReport: the link has not taken a chat.
var errNoReport = errors.New("the link did not take it")
