package push

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/mam"
	"sallyport/server/recent"
)

const (
	nsPush    = "urn:xmpp:push:0"
	nsSummary = "urn:xmpp:push:summary"
	nsPubsub  = "http://jabber.org/protocol/pubsub"

	// MaxServices is how many services the clients of an account may name.
	MaxServices = 20
	maxNode     = 1024    // bytes of a node's name
	maxOptions  = 8 << 10 // bytes of publish options
	maxOnTheWay = 1000    // notifications at a time
	answerIn    = time.Minute
	remembered  = 4096
)

// ErrFull: the account's clients have named MaxServices services.
var ErrFull = errors.New("too many push services")

// Registration is what a client has named.
type Registration struct {
	Service jid.JID
	Node    string
	Client  string // the resource that named it
	// Options are publish options that the service wants to see again, canonical XML; empty for none.
	Options []byte
}

// Store keeps registrations. What it has changed is durable when it returns without error.
type Store interface {
	// PutPush adds or replaces one, by its service and node. ErrFull; account.ErrNotFound without the account.
	PutPush(ctx context.Context, owner jid.JID, r Registration) error
	// RemovePush removes one, or all of a service where node is empty.
	RemovePush(ctx context.Context, owner, service jid.JID, node string) error
	// Pushes gives all of an account.
	Pushes(ctx context.Context, owner jid.JID) ([]Registration, error)
}

// Config is what the feature needs. All of it.
type Config struct {
	Store Store
	Core  server.Core // Ask, Resources
}

// Service notifies. It is safe for concurrent use.
type Service struct {
	Config
	named *recent.Memory[[]Registration]

	ctx   context.Context //nolint:containedctx // ends notifications when the service is closed
	close context.CancelFunc
	tasks sync.WaitGroup

	mu      sync.Mutex
	waiting map[key]int // messages since the one that is on its way
}

type key struct {
	account, service jid.JID
	node             string
}

// New makes the service. Whoever makes it closes it.
func New(c Config) *Service {
	ctx, cancel := context.WithCancel(context.Background())
	return &Service{Config: c, named: recent.New[[]Registration](remembered), ctx: ctx, close: cancel, waiting: make(map[key]int)}
}

// Close ends what is on its way, and waits for it.
func (s *Service) Close() {
	s.close()
	s.tasks.Wait()
}

// Feature is what the server is given. It goes behind blocking.
func (s *Service) Feature() server.Feature {
	at := []server.Target{server.AtAccount}
	return server.Feature{
		Name:            "push notifications",
		AccountFeatures: []string{nsPush},
		Together:        s.together,
		Away:            s.away,
		Forget:          s.named.Forget,
		IQ: []server.IQRoute{
			{Space: nsPush, Local: "enable", At: at, Handle: s.enable},
			{Space: nsPush, Local: "disable", At: at, Handle: s.disable},
		},
	}
}

func refused(c stanza.Condition) server.Answer { return server.Answer{Condition: c} }

func (s *Service) enable(ctx context.Context, q *server.Request) server.Answer {
	service, err := jid.Parse(tree.Value(q.Payload, "jid"))
	r := Registration{Service: service, Node: tree.Value(q.Payload, "node"), Client: q.From.Resource()}
	if !q.Set || err != nil || r.Node == "" || len(r.Node) > maxNode {
		return refused(stanza.BadRequest)
	}
	if x := q.Payload.Child(form.Space, "x"); x != nil {
		if _, err := form.Submitted(x, nsPubsub+"#publish-options"); err != nil {
			return refused(stanza.BadRequest)
		}
		if r.Options, err = xmlstream.AppendElement(nil, x, ""); err != nil || len(r.Options) > maxOptions {
			return refused(stanza.BadRequest)
		}
	}
	err = s.Store.PutPush(ctx, q.Account, r)
	s.named.Forget(q.Account)
	switch {
	case errors.Is(err, ErrFull):
		return refused(stanza.ResourceConstraint)
	case err != nil:
		return refused(stanza.InternalServerError)
	}
	return server.Answer{}
}

func (s *Service) disable(ctx context.Context, q *server.Request) server.Answer {
	service, err := jid.Parse(tree.Value(q.Payload, "jid"))
	if !q.Set || err != nil {
		return refused(stanza.BadRequest)
	}
	err = s.Store.RemovePush(ctx, q.Account, service, tree.Value(q.Payload, "node"))
	s.named.Forget(q.Account)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return refused(stanza.InternalServerError)
	}
	return server.Answer{}
}

// wakes: what archives keep, or would if its sender had not wished that nothing of it stays (XEP-0334 §4.1). It waits all the same.
func wakes(m stanza.Stanza) bool {
	e := m.Element().MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
		if c.Is("urn:xmpp:hints", "no-permanent-store") {
			return nil
		}
		return c
	})
	if e != m.Element() {
		var err error
		if m, err = m.WithElement(e); err != nil {
			return false
		}
	}
	return mam.Keeps(m)
}

// together looks for clients that do not see messages that come.
func (s *Service) together(ctx context.Context, all []server.Passing) {
	if all[0].Out {
		return
	}
	account := all[0].Account
	list, err := s.named.Get(account, func() ([]Registration, error) { return s.Store.Pushes(ctx, account) })
	if err != nil || len(list) == 0 {
		return // the messages come, whether or not somebody is woken
	}
	for i := range all {
		if p := &all[i]; p.Err == nil && p.Stanza.Kind() == stanza.Message && !p.Self && wakes(p.Stanza) {
			s.wake(account, list)
		}
	}
}

// wake tells the services of those clients that are not there, or do not look.
func (s *Service) wake(account jid.JID, list []Registration) {
	there := s.Core.Resources(account)
	for _, r := range list {
		if !slices.ContainsFunc(there, func(o server.Resource) bool { return o.JID.Resource() == r.Client && o.Active }) {
			s.notify(account, r)
		}
	}
}

// away wakes a client that may not have got what came while it was taken for somebody who looks.
func (s *Service) away(ctx context.Context, r server.Resource, unread []stanza.Stanza) {
	account := r.JID.Bare()
	missed := func(m stanza.Stanza) bool { return wakes(m) && m.From().Bare() != account }
	if !r.Active || !slices.ContainsFunc(unread, missed) {
		return
	}
	list, err := s.named.Get(account, func() ([]Registration, error) { return s.Store.Pushes(ctx, account) })
	if err != nil {
		return // it finds its messages when it comes
	}
	for _, one := range list {
		if one.Client == r.JID.Resource() {
			s.notify(account, one)
		}
	}
}

// notify tells a service, now or with the next notification.
func (s *Service) notify(account jid.JID, r Registration) {
	k := key{account, r.Service, r.Node}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, onTheWay := s.waiting[k]
	switch {
	case onTheWay:
		s.waiting[k] = n + 1
		return
	case len(s.waiting) >= maxOnTheWay || s.ctx.Err() != nil:
		return // the client finds its messages when it comes
	}
	s.waiting[k] = 0
	s.tasks.Go(func() { s.tell(k, r) })
}

// tell tells a service until nothing has come meanwhile.
func (s *Service) tell(k key, r Registration) {
	for count := 1; ; {
		known := s.once(k, r, count)
		s.mu.Lock()
		count = s.waiting[k]
		if count == 0 || !known {
			delete(s.waiting, k)
			s.mu.Unlock()
			return
		}
		s.waiting[k] = 0
		s.mu.Unlock()
	}
}

// once tells a service once; false when that was the last time.
func (s *Service) once(k key, r Registration, count int) bool {
	ctx, cancel := context.WithTimeout(s.ctx, answerIn)
	defer cancel()
	q, err := tree.IQ(stanza.IQSet, k.account.DomainJID(), r.Service, "push", notification(r, count))
	if err != nil {
		return false
	}
	a, err := s.Core.Ask(ctx, q)
	if err != nil {
		return s.ctx.Err() == nil
	}
	if c, _ := a.Error(); !gone[c] {
		return true
	}
	_ = s.Store.RemovePush(s.ctx, k.account, r.Service, r.Node) // it says so again next time
	s.named.Forget(k.account)
	return false
}

// gone are the conditions by which a service says that it will not be of use any more (§7).
var gone = map[stanza.Condition]bool{
	stanza.ItemNotFound: true, stanza.Forbidden: true, stanza.NotAuthorized: true, stanza.NotAllowed: true, stanza.Gone: true,
	stanza.RegistrationRequired: true, stanza.FeatureNotImplemented: true,
}

func notification(r Registration, count int) *xmlstream.Element {
	summary := form.Form{Type: "submit", Fields: []form.Field{
		{Var: "FORM_TYPE", Type: "hidden", Values: []string{nsSummary}}, form.One("message-count", strconv.Itoa(count)),
	}}
	item := tree.New(nsPubsub, "item", tree.With(tree.New(nsPush, "notification", tree.With(summary.Element()))))
	in := []*xmlstream.Element{tree.New(nsPubsub, "publish", tree.Attr("node", r.Node), tree.With(item))}
	if x, err := xmlstream.ParseDocument(r.Options, xmlstream.Options{}); len(r.Options) > 0 && err == nil {
		in = append(in, tree.New(nsPubsub, "publish-options", tree.With(x)))
	}
	return tree.New(nsPubsub, "pubsub", tree.With(in...))
}
