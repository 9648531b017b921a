package player

import (
	"errors"
	"fmt"

	"sallyport/labels"
	"sallyport/labels/labelfile"
	"sallyport/peering"
	"sallyport/rules"
)

// linkName is the one link of a player.
const linkName = "s2s"

// The peers in the table of a player: his own users, and everybody beyond his server.
const (
	home  = "home"
	world = "world"
)

// permissive is the policy of a server that lets its users send what they like: a link delivers only what an engine
// has released, and this is the engine of a player.
func (o *Options) permissive() (*peering.Policy, error) {
	reg, err := labels.NewRegistry(o.Labels)
	if err != nil {
		return nil, err
	}
	clearance, err := labelfile.LoadClearance(o.Clearance, reg, labelfile.Options{})
	if err != nil {
		return nil, err
	}
	set, err := labels.NewClearanceSet(clearance)
	if err != nil {
		return nil, err
	}
	unlabelled, err := labelfile.LoadLabel(o.Unlabelled, reg, labelfile.Options{})
	if err != nil {
		return nil, err
	}
	profile, problems := rules.CompileProfile(anything())
	none, more := rules.CompileRules(nil)
	if bad := append(problems, more...); len(bad) > 0 {
		return nil, fmt.Errorf("profile of a player: %v", bad)
	}
	peer := peering.Peer{
		Floor: peering.Floor{Methods: []peering.Method{peering.Local}}, Links: []string{linkName},
		Kinds:     peering.Kinds{Message: true, Presence: true, MUC: true, PubSub: true, IQ: []string{"*"}},
		Labelling: peering.Labelling{Clearances: set, Unlabelled: peering.UnlabelledDefault, DefaultLabel: unlabelled},
	}
	from, to := peer, peer
	from.Name, from.Side, from.Domains = home, home, []peering.Pattern{peering.Pattern(o.Domain)}
	to.Name, to.Side, to.Domains = world, world, []peering.Pattern{peering.Pattern(o.Other)}
	policy, bad := peering.Compile(peering.Definition{
		Peers: []peering.Peer{from, to}, Pairs: []peering.Pair{{From: home, To: world}},
		Profile: profile, Rules: none, Labels: reg,
	})
	var all error
	for _, p := range bad {
		all = errors.Join(all, p)
	}
	return policy, all
}

// anything is the widest profile there is, and an offer of a file, which shows that a gateway refuses it. It is strict, so that nothing is sent
// otherwise than as it is written.
func anything() rules.ProfileSpec {
	spec := rules.DefaultProfile(rules.Federation)
	spec.Name, spec.Mode = "anything", "strict"
	spec.Carriers = []string{"forward"}
	spec.Elements = append(spec.Elements, rules.ElementSpec{
		Name: "{urn:xmpp:jingle:1}jingle", In: []string{"iq"}, Attributes: []string{"action", "sid", "initiator"}, Deep: true,
	}, rules.ElementSpec{
		Name: "{urn:xmpp:jingle:apps:file-transfer:5}description", In: []string{"{urn:xmpp:jingle:1}content"}, Deep: true,
	}, rules.ElementSpec{
		Name: "{urn:xmpp:jingle:1}content", In: []string{"{urn:xmpp:jingle:1}jingle"}, Attributes: []string{"creator", "name"},
	})
	return spec
}
