package pep

import (
	"context"
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/recent"
)

// Namespaces.
const (
	nsPubsub  = "http://jabber.org/protocol/pubsub"
	nsOwner   = nsPubsub + "#owner"
	nsEvent   = nsPubsub + "#event"
	nsErrors  = nsPubsub + "#errors"
	nsConfig  = nsPubsub + "#node_config"
	nsOptions = nsPubsub + "#publish-options"
	nsMeta    = nsPubsub + "#meta-data"
	nsInfo    = "http://jabber.org/protocol/disco#info"
)

// rememberedNodes is of how many accounts the lists of nodes are in memory, twice.
const rememberedNodes = 2048

// Config is what the service needs. All but Changed and Taken.
type Config struct {
	Store Store
	Core  server.Core // Tell, Submit, Ask, Resources
	Node  string      // of this server, as in the configuration
	Now   func() time.Time
	// MaySee reports whether somebody is subscribed to the presence of an account.
	MaySee func(ctx context.Context, account, who jid.JID) bool
	// Knows reports whether an account has somebody in its roster: his clients are remembered for the time when he may see something.
	Knows func(ctx context.Context, account, who jid.JID) bool
	// Groups gives the groups in which an account has somebody.
	Groups func(ctx context.Context, account, who jid.JID) []string
	// Blocks reports whether an account blocks somebody.
	Blocks func(ctx context.Context, account, other jid.JID) bool
	// MayRead reports whether what is kept may be shown to a reader today, by its label or the default for one, and the reader's clearance.
	MayRead func(kept stanza.Stanza, reader jid.JID) bool
	// MayAnswer reports whether an answer with what is kept would be released to whom it is for, wherever he is. Nil: it would not.
	MayAnswer func(answer stanza.Stanza) bool
	// Changed is told of what was published without a label, after it was kept; Taken, that items of a node, or all of it, went, or have
	// got labels. Nil: nobody is.
	Changed func(ctx context.Context, account jid.JID, node, id string, payload *xmlstream.Element)
	Taken   func(ctx context.Context, account jid.JID, node string)
}

// Service answers for all accounts. It is safe for concurrent use.
type Service struct {
	Config
	nodes *recent.Memory[[]Node]
	wants *interests

	ctx   context.Context //nolint:containedctx // ends what is asked when the service is closed
	close context.CancelFunc
	asks  sync.WaitGroup
}

// New makes the service. Whoever makes it closes it.
func New(c Config) *Service {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{Config: c, nodes: recent.New[[]Node](rememberedNodes), ctx: ctx, close: cancel}
	s.wants = newInterests()
	return s
}

// Close ends all questions for caps and waits for them.
func (s *Service) Close() {
	s.close()
	s.asks.Wait()
}

// Feature is what the server is given.
func (s *Service) Feature() server.Feature {
	at := []server.Target{server.AtAccount, server.AtOthers}
	return server.Feature{
		Name:            "personal eventing",
		AccountFeatures: announced(),
		Comes:           s.comes,
		Forget:          s.forget,
		Available:       s.available,
		Unavailable:     s.unavailable, Appears: s.appears,
		IQ: []server.IQRoute{
			{Space: nsPubsub, Local: "pubsub", At: at, Handle: s.pubsub},
			{Space: nsOwner, Local: "pubsub", At: at, Handle: s.owner},
		},
	}
}

func announced() []string {
	list := []string{nsPubsub, nsLabel, "urn:ietf:params:xml:ns:vcard-4.0"} // the last: XEP-0292 §7, whose vCards are published
	for _, f := range []string{
		"access-open", "access-presence", "access-roster", "access-whitelist", "auto-create", "auto-subscribe", "config-node",
		"config-node-max", "create-and-configure", "create-nodes", "delete-items", "delete-nodes", "filtered-notifications", "item-ids",
		"last-published", "meta-data", "multi-items", "persistent-items", "presence-notifications", "publish",
		"publish-options", "pubsub-on-a-jid", "purge-nodes", "retract-items", "retrieve-default", "retrieve-items", "rsm",
	} {
		list = append(list, nsPubsub+"#"+f)
	}
	return list
}

// node gives a node of an account; ok is false where there is none.
func (s *Service) node(ctx context.Context, owner jid.JID, name string) (Node, bool, error) {
	all, err := s.all(ctx, owner)
	if err != nil {
		return Node{}, false, err
	}
	for _, n := range all {
		if n.Name == name {
			return n, true, nil
		}
	}
	return Node{}, false, nil
}

// all gives the nodes of an account; they are not to be changed.
func (s *Service) all(ctx context.Context, owner jid.JID) ([]Node, error) {
	return s.nodes.Get(owner, func() ([]Node, error) { return s.Store.Nodes(ctx, owner) })
}

// putNode makes or changes a node.
func (s *Service) putNode(ctx context.Context, owner jid.JID, n Node, create bool) error {
	defer s.nodes.Forget(owner)
	return s.Store.PutNode(ctx, owner, n, create)
}

// access is how far somebody may go.
type access uint8

const (
	stranger access = iota // is not to know that there is an account
	closed                 // sees presence, and is not let in
	reader
	owner
)

// access says it for one node.
func (s *Service) access(ctx context.Context, account, who jid.JID, o *Options) access {
	if who.Bare() == account {
		return owner
	}
	if s.Blocks(ctx, account, who) {
		return stranger
	}
	if o.Access == Open {
		return reader
	}
	if !s.MaySee(ctx, account, who.Bare()) {
		return stranger
	}
	switch o.Access {
	case Presence:
		return reader
	case Roster:
		for _, g := range s.Groups(ctx, account, who.Bare()) {
			for _, allowed := range o.Groups {
				if g == allowed {
					return reader
				}
			}
		}
	}
	return closed
}

// Nodes gives the names of the nodes that somebody may read.
func (s *Service) Nodes(ctx context.Context, account, who jid.JID) []string {
	all, err := s.all(ctx, account)
	if err != nil {
		return nil
	}
	var names []string
	for i := range all {
		if s.access(ctx, account, who, &all[i].Options) >= reader {
			names = append(names, all[i].Name)
		}
	}
	return names
}
