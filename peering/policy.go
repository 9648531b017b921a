package peering

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/labels"
	"sallyport/labels/icism"
	"sallyport/labels/xep0258"
	"sallyport/rules"
)

// Pair lets two peers talk. Pairs are the only way anything crosses.
type Pair struct {
	From, To string // peer names
	Both     bool   // the other way too
	SameSide bool   // allowed although both peers are on one side
	// Open lets stanzas of any shape through: what users of the server of this node say to each other is held against labels,
	// clearances and rules, but not against the profile of the boundary. From and To are the server itself; see ourselves.
	Open bool
}

// Definition is what a policy is compiled from. It may be changed freely before Compile
// and must not be afterwards.
type Definition struct {
	Peers     []Peer
	Pairs     []Pair
	Profile   *rules.Profile
	Rules     *rules.Set
	Labels    *labels.Registry
	LinkClear map[string]labels.ClearanceSet // clearances of links that have some of their own
	// LinkFloor is what links of their own security must have proved, in place of the floor of the peer.
	LinkFloor map[string]*Floor
	Sides     map[string]Side
	// DefaultLabels are labels for what comes without one, before and behind those of peers: see LabelSource.
	DefaultLabels []DefaultLabel
	DefaultLabel  *labels.Label // the last resort
	// Subjects are the clearances of users, rooms and whole domains; see FillClearances.
	Subjects   []SubjectClearance
	ICISM      *icism.Mapping // nil: IC-ISM attributes are not known
	Expiry     time.Duration  // how long a release may wait; 0: no limit
	ReissueIDs bool           // iq requests get ids of our own
	Sources    [][]byte       // the bytes the version is a digest of
}

// Side is what peers of a side have in common.
type Side struct {
	// LabelPolicy governs the labels of the side: those that come to it under another are translated, where the peer
	// that sends them says how. Peers read labels under it unless they name one of their own.
	LabelPolicy  *labels.Policy
	DefaultLabel *labels.Label
}

// Problem is one reason why a definition is not a policy.
type Problem struct {
	Subject string // peer, pair or part
	Text    string
}

func (p Problem) Error() string { return p.Subject + ": " + p.Text }

// Policy is one compiled, immutable policy. It is safe for any number of goroutines.
type Policy struct {
	version  Version
	peers    peerTable
	pairs    map[[2]string]*way
	profile  *rules.Profile
	rules    *rules.Set
	buckets  []rules.Bucket
	writer   xep0258.Writer
	subjects subjectTable
	bare     *translations // labels without their privacy marks
	def      Definition
}

// Compile proves a definition and makes it a policy. It returns every problem at once
// and no policy if there is any.
func Compile(def Definition) (*Policy, []Problem) {
	def.Peers = slices.Clone(def.Peers) // what is compiled of a peer is kept in it
	p := &Policy{
		profile: def.Profile, rules: def.Rules, def: def, bare: newTranslations(),
		pairs: make(map[[2]string]*way),
	}
	p.buckets = def.Rules.Buckets()
	var problems []Problem
	bad := func(subject, format string, args ...any) {
		problems = append(problems, Problem{subject, fmt.Sprintf(format, args...)})
	}
	if def.Profile == nil || def.Rules == nil || def.Labels == nil {
		bad("policy", "profile, rules and label policies are all needed")
	}
	p.compilePeers(bad)
	p.compileLabels(bad)
	p.compilePairs(bad)
	p.compileSubjects(bad)
	if len(problems) > 0 {
		return nil, problems
	}
	h := sha256.New()
	for _, src := range def.Sources {
		fmt.Fprintf(h, "%d:", len(src))
		h.Write(src)
	}
	copy(p.version[:], h.Sum(nil))
	return p, nil
}

type complain func(subject, format string, args ...any)

func (p *Policy) compilePeers(bad complain) {
	t := peerTable{byName: map[string]*Peer{}, exact: map[string]*Peer{}, suffix: map[string]*Peer{}}
	for i := range p.def.Peers {
		peer := &p.def.Peers[i]
		subject := "peer " + peer.Name
		if peer.Name == "" || peer.Side == "" {
			bad(subject, "needs a name and a side")
		}
		if t.byName[peer.Name] != nil {
			bad(subject, "is defined twice")
		}
		t.byName[peer.Name] = peer
		for _, d := range peer.Domains {
			t.claim(peer, d, bad)
		}
		for _, m := range peer.DomainMap {
			t.claim(peer, Pattern(m.Near.String()), bad)
		}
		if peer.Default {
			if t.byLocal != nil {
				bad(subject, "is a second default, beside %s", t.byLocal.Name)
			}
			t.byLocal = peer
		}
		if len(peer.Links) == 0 && !peer.Refuse {
			bad(subject, "has no link")
		}
		if len(peer.Links) > MaxLinks {
			bad(subject, "has %d links, at most %d", len(peer.Links), MaxLinks)
		}
	}
	p.peers = t
}

func (t *peerTable) claim(peer *Peer, d Pattern, bad complain) {
	table, key := t.exact, string(d)
	if base, ok := strings.CutPrefix(key, "*."); ok {
		table, key = t.suffix, base
	}
	if other := table[key]; other != nil && other != peer {
		bad("peer "+peer.Name, "owns %s, which peer %s owns too", d, other.Name)
	}
	table[key] = peer
}

func (p *Policy) compilePairs(bad complain) {
	for _, pair := range p.def.Pairs {
		subject := "pair " + pair.From + " to " + pair.To
		from, to := p.peers.byName[pair.From], p.peers.byName[pair.To]
		if from == nil || to == nil {
			bad(subject, "names a peer that is not defined")
			continue
		}
		if from.Side == to.Side && !pair.SameSide {
			bad(subject, "joins two peers of side %s; say same-side = true if that is meant", from.Side)
		}
		if pair.Open {
			if why := p.mayOpen(from, to); why != "" {
				bad(subject, "cannot be open: %s", why)
				continue
			}
		}
		p.open(from, to, &pair)
		if pair.Both {
			p.open(to, from, &pair)
		}
	}
}

// way is one direction of a pair, with the rules that can match on it.
type way struct {
	sameSide, open bool
	rules          *rules.Set
}

func (p *Policy) open(from, to *Peer, pair *Pair) {
	p.pairs[[2]string{from.Name, to.Name}] = &way{pair.SameSide, pair.Open, p.rules.Between(from.Side, to.Side, from.Name, to.Name)}
}

// Version names the policy.
func (p *Policy) Version() Version { return p.version }

// Peer returns the definition of a peer, or nil.
func (p *Policy) Peer(name string) *Peer { return p.peers.byName[name] }

// Holding returns the peer that holds a domain as everybody else writes it, or nil.
func (p *Policy) Holding(domain jid.JID) *Peer { return p.peers.holding(domain.Domain()) }

// Peers lists the peers in the order of the definition.
func (p *Policy) Peers() []Peer { return p.def.Peers }

// MayTalk reports whether a pair is listed in that direction.
func (p *Policy) MayTalk(from, to string) bool {
	_, ok := p.pairs[[2]string{from, to}]
	return ok
}

// Labels are the security policies that labels are read under.
func (p *Policy) Labels() *labels.Registry { return p.def.Labels }

// Buckets are the counters that rules of this policy read, in the order of Facts.Levels.
// The caller does not change them.
func (p *Policy) Buckets() []rules.Bucket { return p.buckets }

// ReissuesIDs reports whether iq requests get ids of our own, so that the gateway has to
// bring a fresh one in the facts.
func (p *Policy) ReissuesIDs() bool { return p.def.ReissueIDs }

// loaded reports whether a label policy is one of this policy's.
func (p *Policy) loaded(lp *labels.Policy) bool {
	if lp == nil {
		return false
	}
	have, ok := p.def.Labels.Policy(lp.ID())
	return ok && have == lp
}
