package pep

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels/xep0314"
	"sallyport/server"
	"sallyport/server/account"
)

// refusal is an error with the condition and the application's condition that the asker is told.
type refusal struct {
	condition stanza.Condition
	app       string
	feature   string // of unsupported
}

func (r *refusal) Error() string { return r.condition.String() + " " + r.app }

func refuse(c stanza.Condition, app string) error { return &refusal{condition: c, app: app} }

// errUncleared: what the publisher could not read is not published.
var errUncleared = errors.New("the publisher is not cleared for the label")

// answerTo gives what the asker is told of an error.
func answerTo(err error) server.Answer {
	var r *refusal
	switch {
	case errors.As(err, &r):
		a := server.Answer{Condition: r.condition}
		if r.app != "" {
			a.App = tree.New(nsErrors, r.app, tree.Attr("feature", r.feature))
		}
		return a
	case errors.Is(err, errUncleared):
		return server.Answer{Condition: stanza.Forbidden, App: xep0314.InsufficientClearance()}
	case errors.Is(err, account.ErrNotFound):
		return server.Answer{Condition: stanza.ItemNotFound}
	case errors.Is(err, account.ErrExists):
		return server.Answer{Condition: stanza.Conflict}
	case errors.Is(err, ErrNodes):
		return server.Answer{Condition: stanza.Conflict, App: tree.New(nsErrors, "max-nodes-exceeded")}
	case errors.Is(err, ErrBytes):
		return server.Answer{Condition: stanza.ResourceConstraint}
	case errors.Is(err, errAccess): // §8.1.2
		return server.Answer{Condition: stanza.NotAcceptable, App: tree.New(nsErrors, "unsupported-access-model")}
	case errors.Is(err, errOption), errors.Is(err, errUnknown), errors.Is(err, form.ErrForm):
		return server.Answer{Condition: stanza.NotAcceptable, App: tree.New(nsErrors, "invalid-options")}
	}
	return server.Answer{Condition: stanza.InternalServerError}
}

// publish is XEP-0060 §7.1.
func (s *Service) publish(ctx context.Context, q *server.Request, e *xmlstream.Element) (server.Answer, error) {
	item := e.Child(nsPubsub, "item")
	if item == nil {
		return server.Answer{}, refuse(stanza.BadRequest, "item-required")
	}
	payload, err := payloadOf(item)
	if err != nil {
		return server.Answer{}, err
	}
	labels, err := xep0314.Read(q.Stanza.Element())
	if err != nil {
		return server.Answer{}, refuse(stanza.BadRequest, "")
	}
	others := 0
	for c := range e.Children() {
		if c != item && !c.Is(nsLabel, "securitylabel") {
			others++
		}
	}
	if others > 0 {
		return server.Answer{}, refuse(stanza.NotAllowed, "max-items-exceeded") // §7.1.3.8: batches are of no use to an account
	}
	p := Publication{Node: tree.Value(e, "node"), ID: tree.Value(item, "id"), Payload: payload, Label: labels.Label, Publisher: q.From}
	if x := q.Payload.Child(nsPubsub, "publish-options"); x != nil {
		f, err := form.Submitted(x.Child(form.Space, "x"), nsOptions)
		if err != nil {
			return server.Answer{}, refuse(stanza.BadRequest, "invalid-options")
		}
		p.options = &f
	}
	id, err := s.Publish(ctx, q.Account, p)
	if err != nil {
		return server.Answer{}, err
	}
	said := tree.New(nsPubsub, "item", tree.Attr("id", id))
	return pubsub(tree.New(nsPubsub, "publish", tree.Attr("node", p.Node), tree.With(said))), nil
}

func pubsub(in *xmlstream.Element) server.Answer {
	return server.Answer{Payload: tree.New(nsPubsub, "pubsub", tree.With(in))}
}

// payloadOf wants at most one payload of bounded size (§7.1.3.3, §7.1.3.4).
func payloadOf(item *xmlstream.Element) (payload *xmlstream.Element, err error) {
	for c := range item.Children() {
		if payload != nil {
			return nil, refuse(stanza.BadRequest, "invalid-payload")
		}
		payload = c
	}
	return payload, nil
}

// Publication is one item to be published.
type Publication struct {
	Node, ID  string // an empty id is made up
	Payload   *xmlstream.Element
	Label     *xmlstream.Element // its securitylabel; nil for none
	Publisher jid.JID
	Quiet     bool // Changed is not told: who would be has published it
	// Options are those of a node that is made for it; nil: Defaults.
	Options *Options
	options *form.Form // what a client wants of the node, whether it is there or not
}

// Publish keeps an item, makes its node where there is none, and tells those who want to know. It gives the id of the item.
func (s *Service) Publish(ctx context.Context, owner jid.JID, p Publication) (id string, err error) {
	if p.Node == "" || len(p.Node) > MaxNameBytes || len(p.ID) > MaxNameBytes {
		return "", refuse(stanza.BadRequest, "nodeid-required")
	}
	if p.ID == "" {
		p.ID = rand.Text()
	}
	i := Item{ID: p.ID, Publisher: p.Publisher}
	if p.Payload != nil {
		if i.Payload, err = xmlstream.AppendElement(nil, p.Payload, ""); err != nil {
			return "", refuse(stanza.BadRequest, "invalid-payload")
		}
	}
	if len(i.Payload) > MaxPayload {
		return "", refuse(stanza.NotAcceptable, "payload-too-big")
	}
	if i.Label, err = s.accepted(owner, &p); err != nil {
		return "", err
	}
	n, err := s.nodeFor(ctx, owner, &p)
	if err != nil {
		return "", err
	}
	if n.Options.Persist {
		if err := s.Store.PublishItem(ctx, owner, n.Name, i, n.Options.MaxItems, s.Now(), s.Node); err != nil {
			return "", err
		}
	}
	switch {
	case p.Quiet:
	case p.Label != nil:
		s.taken(ctx, owner, n.Name)
	case s.Changed != nil:
		s.Changed(ctx, owner, n.Name, i.ID, p.Payload)
	}
	s.notify(ctx, owner, &n, p.Label, itemsEvent(&n, i.ID, p.Payload))
	return i.ID, nil
}

// accepted gives the label of a publication as it is kept. What its publisher could not read is not taken (XEP-0314 §6.1.1.2).
func (s *Service) accepted(owner jid.JID, p *Publication) (string, error) {
	if !s.mayRead(owner, p.Publisher, p.Label, told) {
		return "", errUncleared
	}
	if p.Label == nil {
		return "", nil
	}
	text, err := xmlstream.AppendElement(nil, p.Label, "")
	if err != nil || len(text) > MaxLabelBytes {
		return "", refuse(stanza.BadRequest, "")
	}
	return string(text), nil
}

// nodeFor finds the node and holds it against what the publisher wants of it (§7.1.5), or makes it.
func (s *Service) nodeFor(ctx context.Context, owner jid.JID, p *Publication) (Node, error) {
	n, err := s.nodeNow(ctx, owner, p)
	if errors.Is(err, account.ErrExists) { // somebody was faster: it is like any other
		n, err = s.nodeNow(ctx, owner, p)
	}
	return n, err
}

// nodeNow is nodeFor as long as nobody else makes the node. account.ErrExists.
func (s *Service) nodeNow(ctx context.Context, owner jid.JID, p *Publication) (Node, error) {
	n, ok, err := s.node(ctx, owner, p.Node)
	if err != nil {
		return Node{}, err
	}
	wanted := n
	if !ok {
		wanted = Node{Name: p.Node, Options: Defaults()}
		if p.Options != nil {
			wanted.Options = *p.Options
		}
	}
	if p.options != nil {
		if err := wanted.Options.apply(*p.options, true); err != nil {
			return Node{}, refuse(stanza.Conflict, "precondition-not-met")
		}
	}
	switch {
	case !ok:
		return wanted, s.putNode(ctx, owner, wanted, true)
	case !wanted.Options.equal(&n.Options):
		return Node{}, refuse(stanza.Conflict, "precondition-not-met")
	}
	return n, nil
}

// retract is XEP-0060 §7.2.
func (s *Service) retract(ctx context.Context, q *server.Request, e *xmlstream.Element) (server.Answer, error) {
	n, err := s.mustHave(ctx, q.Account, e)
	if err != nil {
		return server.Answer{}, err
	}
	var ids []string
	for item := range e.Children() {
		id := tree.Value(item, "id")
		switch {
		case !item.Is(nsPubsub, "item"), id != "" && slices.Contains(ids, id):
		case id == "":
			return server.Answer{}, refuse(stanza.BadRequest, "item-required")
		case len(ids) == MaxItems:
			return server.Answer{}, refuse(stanza.BadRequest, "")
		default:
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return server.Answer{}, refuse(stanza.BadRequest, "item-required")
	}
	tell, _ := form.Bool(tree.Value(e, "notify"))
	defer s.taken(ctx, q.Account, n.Name)
	return server.Answer{}, s.takeBack(ctx, q.Account, q.From, &n, ids, tell || n.Options.NotifyRetract)
}

func (s *Service) taken(ctx context.Context, account jid.JID, node string) {
	if s.Taken != nil {
		s.Taken(ctx, account, node)
	}
}

// takeBack removes items, all or none where one is not there (§12.11), and tells of each those who could read it: in one message those that
// follow each other with one label.
func (s *Service) takeBack(ctx context.Context, owner, who jid.JID, n *Node, ids []string, tell bool) error {
	var gone []*xmlstream.Element
	var last Item
	flush := func() {
		if label, err := last.label(); err == nil && tell && len(gone) > 0 {
			s.notify(ctx, owner, n, label, tree.New(nsEvent, "items", tree.Attr("node", n.Name), tree.With(gone...)))
		}
		gone = nil
	}
	defer flush()
	items := make([]Item, len(ids))
	for at, id := range ids {
		i, err := s.item(ctx, owner, who, n.Name, id)
		if err != nil {
			return err
		}
		items[at] = i
	}
	for _, i := range items {
		if err := s.Store.RetractItem(ctx, owner, n.Name, i.ID); err != nil {
			return err
		}
		if i.Label != last.Label {
			flush()
		}
		last, gone = i, append(gone, tree.New(nsEvent, "retract", tree.Attr("id", i.ID)))
	}
	return nil
}

// mustHave wants the node that an element names.
func (s *Service) mustHave(ctx context.Context, account jid.JID, e *xmlstream.Element) (Node, error) {
	name := tree.Value(e, "node")
	if name == "" {
		return Node{}, refuse(stanza.BadRequest, "nodeid-required")
	}
	n, ok, err := s.node(ctx, account, name)
	if err == nil && !ok {
		err = refuse(stanza.ItemNotFound, "")
	}
	return n, err
}
