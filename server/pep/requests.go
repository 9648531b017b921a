package pep

import (
	"context"
	"errors"
	"strconv"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
)

// pubsub answers requests of readers and publishers.
func (s *Service) pubsub(ctx context.Context, q *server.Request) server.Answer {
	a, err := s.answer(ctx, q)
	if err != nil {
		return answerTo(err)
	}
	return a
}

func (s *Service) answer(ctx context.Context, q *server.Request) (server.Answer, error) {
	var e *xmlstream.Element
	for c := range q.Payload.Children() {
		if e == nil {
			e = c
		}
	}
	if e == nil || e.Space() != nsPubsub {
		return server.Answer{}, refuse(stanza.BadRequest, "")
	}
	if !q.Set && e.Local() == "items" {
		return s.items(ctx, q, e)
	}
	if q.From.Bare() != q.Account {
		err := s.foreign(ctx, q)
		if errors.Is(err, errForbidden) && (e.Local() == "subscribe" || e.Local() == "unsubscribe" || e.Local() == "options") {
			err = unsupported(e) // presence subscribes (XEP-0163 §2)
		}
		return server.Answer{}, err
	}
	if q.Set {
		switch e.Local() {
		case "publish":
			return s.publish(ctx, q, e)
		case "retract":
			return s.retract(ctx, q, e)
		case "create":
			return s.create(ctx, q, e)
		}
	} else if e.Local() == "subscriptions" {
		return pubsub(tree.New(nsPubsub, e.Local())), nil
	}
	return server.Answer{}, unsupported(e)
}

// errForbidden is for who may know that there is an account, and want what is not his.
var errForbidden = refuse(stanza.Forbidden, "")

// notHere are the names of the features that requests would need (§16.2), by namespace and element.
var notHere = map[xmlstream.Name]string{
	{Space: nsPubsub, Local: "unsubscribe"}:  "subscribe",
	{Space: nsPubsub, Local: "options"}:      "subscription-options",
	{Space: nsPubsub, Local: "default"}:      "retrieve-default-sub",
	{Space: nsPubsub, Local: "affiliations"}: "retrieve-affiliations",
	{Space: nsOwner, Local: "subscriptions"}: "manage-subscriptions",
	{Space: nsOwner, Local: "affiliations"}:  "modify-affiliations",
}

func unsupported(e *xmlstream.Element) error {
	feature := notHere[e.Name()]
	if feature == "" {
		feature = e.Local()
	}
	return &refusal{condition: stanza.FeatureNotImplemented, app: "unsupported", feature: feature}
}

// foreign is the answer to somebody else who wants what only the account may have.
func (s *Service) foreign(ctx context.Context, q *server.Request) error {
	if s.MaySee(ctx, q.Account, q.From.Bare()) && !s.Blocks(ctx, q.Account, q.From) {
		return errForbidden
	}
	return refuse(stanza.ServiceUnavailable, "")
}

// items is XEP-0060 §6.5.
func (s *Service) items(ctx context.Context, q *server.Request, e *xmlstream.Element) (server.Answer, error) {
	name := tree.Value(e, "node")
	n, ok, err := s.node(ctx, q.Account, name)
	if err != nil {
		return server.Answer{}, err
	}
	if err := s.letIn(ctx, q, &n, ok); err != nil {
		return server.Answer{}, err
	}
	list, err := s.wanted(ctx, q, n.Name, e)
	if err != nil {
		return server.Answer{}, err
	}
	return page(q.Payload, n.Name, list)
}

func payload(i Item) (*xmlstream.Element, error) {
	if len(i.Payload) == 0 {
		return nil, nil
	}
	return xmlstream.ParseDocument(i.Payload, xmlstream.Options{})
}

// letIn refuses who may not read a node (§6.5.9), in words that tell a stranger nothing.
func (s *Service) letIn(ctx context.Context, q *server.Request, n *Node, exists bool) error {
	a := stranger
	if exists {
		a = s.access(ctx, q.Account, q.From, &n.Options)
	} else if q.From.Bare() == q.Account || s.MaySee(ctx, q.Account, q.From.Bare()) && !s.Blocks(ctx, q.Account, q.From) {
		a = closed
	}
	switch {
	case a >= reader:
		return nil
	case a == stranger:
		return refuse(stanza.ServiceUnavailable, "")
	case !exists:
		return refuse(stanza.ItemNotFound, "")
	case n.Options.Access == Roster:
		return refuse(stanza.NotAuthorized, "not-in-roster-group")
	}
	return refuse(stanza.NotAllowed, "closed-node")
}

// wanted gives the items that are asked for and may be read by who asks: by their ids, or the last ones, newest first.
func (s *Service) wanted(ctx context.Context, q *server.Request, node string, e *xmlstream.Element) ([]Item, error) {
	most := MaxItems
	if text := tree.Value(e, "max_items"); text != "" {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil || n == 0 {
			return nil, refuse(stanza.BadRequest, "")
		}
		most = min(most, int(n))
	}
	var list []Item
	asked := 0
	for c := range e.Children() {
		if !c.Is(nsPubsub, "item") {
			continue
		}
		if asked++; asked > MaxItems {
			return nil, refuse(stanza.BadRequest, "")
		}
		i, err := s.item(ctx, q.Account, q.From, node, tree.Value(c, "id"))
		switch {
		case err == nil:
			list = append(list, i)
		case !errors.Is(err, account.ErrNotFound): // what is not there is left out (§6.5.9.11)
			return nil, err
		}
	}
	if asked > 0 {
		return list, nil
	}
	return s.newest(ctx, q.Account, q.From, node, most, answered)
}

// create is XEP-0060 §8.1.
func (s *Service) create(ctx context.Context, q *server.Request, e *xmlstream.Element) (server.Answer, error) {
	n := Node{Name: tree.Value(e, "node"), Options: Defaults()}
	if n.Name == "" {
		return server.Answer{}, refuse(stanza.NotAcceptable, "nodeid-required")
	}
	if len(n.Name) > MaxNameBytes {
		return server.Answer{}, refuse(stanza.BadRequest, "nodeid-required")
	}
	if c := q.Payload.Child(nsPubsub, "configure"); c != nil && c.Child(form.Space, "x") != nil {
		f, err := form.Submitted(c.Child(form.Space, "x"), nsConfig)
		if err == nil {
			err = n.Options.apply(f, false)
		}
		if err != nil {
			return server.Answer{}, err
		}
	}
	if err := s.putNode(ctx, q.Account, n, true); err != nil {
		return server.Answer{}, err
	}
	return pubsub(tree.New(nsPubsub, "create", tree.Attr("node", n.Name))), nil
}

// owner answers requests of the account about its nodes (XEP-0060 §8).
func (s *Service) owner(ctx context.Context, q *server.Request) server.Answer {
	a, err := s.ownerAnswer(ctx, q)
	if err != nil {
		return answerTo(err)
	}
	return a
}

func (s *Service) ownerAnswer(ctx context.Context, q *server.Request) (server.Answer, error) {
	var e *xmlstream.Element
	for c := range q.Payload.Children() {
		if e == nil {
			e = c
		}
	}
	switch {
	case e == nil || e.Space() != nsOwner:
		return server.Answer{}, refuse(stanza.BadRequest, "")
	case q.From.Bare() != q.Account:
		return server.Answer{}, s.foreign(ctx, q)
	case !q.Set && e.Local() == "default":
		defaults := Defaults()
		return ownerPubsub(tree.New(nsOwner, "default", tree.With(defaults.form("form", nsConfig).Element()))), nil
	}
	n, err := s.mustHave(ctx, q.Account, e)
	if err != nil {
		return server.Answer{}, err
	}
	switch {
	case q.Set && e.Local() == "configure":
		return server.Answer{}, s.configure(ctx, q.Account, n, e)
	case q.Set && e.Local() == "delete":
		return server.Answer{}, s.remove(ctx, q.Account, &n)
	case q.Set && e.Local() == "purge":
		labels := s.labelsIn(ctx, q.Account, n.Name)
		if err := s.Store.PurgeNode(ctx, q.Account, n.Name); err != nil {
			return server.Answer{}, err
		}
		s.notifyByAny(ctx, q.Account, &n, labels, tree.New(nsEvent, "purge", tree.Attr("node", n.Name)))
		s.taken(ctx, q.Account, n.Name)
		return server.Answer{}, nil
	case !q.Set && e.Local() == "configure":
		return ownerPubsub(tree.New(nsOwner, "configure", tree.Attr("node", n.Name), tree.With(n.Options.form("form", nsConfig).Element()))), nil
	}
	return server.Answer{}, unsupported(e)
}

func ownerPubsub(in *xmlstream.Element) server.Answer {
	return server.Answer{Payload: tree.New(nsOwner, "pubsub", tree.With(in))}
}

func (s *Service) configure(ctx context.Context, account jid.JID, n Node, e *xmlstream.Element) error {
	x := e.Child(form.Space, "x")
	if tree.Value(x, "type") == "cancel" {
		return nil
	}
	f, err := form.Submitted(x, nsConfig)
	if err == nil {
		err = n.Options.apply(f, false)
	}
	if err != nil {
		return err
	}
	return s.putNode(ctx, account, n, false)
}

func (s *Service) remove(ctx context.Context, account jid.JID, n *Node) error {
	labels := s.labelsIn(ctx, account, n.Name)
	err := s.Store.RemoveNode(ctx, account, n.Name)
	s.nodes.Forget(account)
	if err != nil {
		return err
	}
	s.taken(ctx, account, n.Name)
	if n.Options.NotifyDelete {
		s.notifyByAny(ctx, account, n, labels, tree.New(nsEvent, "delete", tree.Attr("node", n.Name)))
	}
	return nil
}

// Info is the disco#info of a node for who may read it, nil for everybody else (XEP-0060 §5.3, §5.4).
func (s *Service) Info(ctx context.Context, account, who jid.JID, node string) *xmlstream.Element {
	n, ok, err := s.node(ctx, account, node)
	if err != nil || !ok || s.access(ctx, account, who, &n.Options) < reader {
		return nil
	}
	in := []*xmlstream.Element{tree.New(nsInfo, "identity", tree.Attr("category", "pubsub"), tree.Attr("type", "leaf"))}
	for _, f := range []string{nsPubsub, nsLabel} {
		in = append(in, tree.New(nsInfo, "feature", tree.Attr("var", f)))
	}
	if who.Bare() == account { // nobody else publishes, so nobody else chooses a label (XEP-0314 §4.1)
		in = append(in, tree.New(nsInfo, "feature", tree.Attr("var", nsCatalogue)))
	}
	return tree.New(nsInfo, "query", tree.With(append(in, n.Options.form("result", nsMeta).Element())...))
}
