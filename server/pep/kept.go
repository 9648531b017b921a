package pep

import (
	"context"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/account"
)

// Read gives an item of an account with the options of its node, for features of the server. account.ErrNotFound, also for an item with a
// label: features would carry it to where it has none.
func (s *Service) Read(ctx context.Context, owner jid.JID, node, id string) (*xmlstream.Element, Options, error) {
	n, ok, err := s.node(ctx, owner, node)
	if err == nil && !ok {
		err = account.ErrNotFound
	}
	if err != nil {
		return nil, Options{}, err
	}
	i, err := s.Store.NodeItem(ctx, owner, node, id)
	if err == nil && i.Label != "" {
		err = account.ErrNotFound
	}
	if err != nil {
		return nil, Options{}, err
	}
	e, err := payload(i)
	return e, n.Options, err
}

// ReadBy is Read for an answer to somebody who is let in: without a label an item is held to have the default, which he may have to be
// cleared for. account.ErrNotFound also where he may not read it today.
func (s *Service) ReadBy(ctx context.Context, owner, reader jid.JID, node, id string) (*xmlstream.Element, error) {
	e, _, err := s.Read(ctx, owner, node, id)
	if err == nil && !s.mayRead(owner, reader, nil, answered) {
		err = account.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Kept gives the items of a node that have no label, the last published first, with their payloads, for features of the server.
// account.ErrNotFound without the node.
func (s *Service) Kept(ctx context.Context, owner jid.JID, node string) (items []KeptItem, o Options, err error) {
	n, ok, err := s.node(ctx, owner, node)
	if err == nil && !ok {
		err = account.ErrNotFound
	}
	if err != nil {
		return nil, Options{}, err
	}
	all, err := s.Store.NodeItems(ctx, owner, node, MaxItems)
	if err != nil {
		return nil, Options{}, err
	}
	for _, i := range all {
		if i.Label != "" {
			continue
		}
		e, err := payload(i)
		if err != nil {
			return nil, Options{}, err
		}
		items = append(items, KeptItem{i.ID, e})
	}
	return items, n.Options, nil
}

// KeptItem is an item without a label.
type KeptItem struct {
	ID      string
	Payload *xmlstream.Element // nil for none
}

// TakeBack removes items of a node for a feature of the server; who may read them is told. Taken is not.
func (s *Service) TakeBack(ctx context.Context, owner jid.JID, node string, ids ...string) error {
	n, ok, err := s.node(ctx, owner, node)
	if err == nil && !ok {
		err = account.ErrNotFound
	}
	if err != nil {
		return err
	}
	return s.takeBack(ctx, owner, owner, &n, ids, true)
}
