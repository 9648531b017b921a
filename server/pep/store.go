package pep

import (
	"context"
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/hybrid"
)

// Bounds on what an account can make the server keep.
const (
	MaxNodes     = 256
	MaxItems     = 1000      // of a node
	MaxPayload   = 128 << 10 // bytes of an item
	MaxBytes     = 16 << 20  // of all items of an account
	MaxNameBytes = 1024      // of the name of a node, and of an item
)

// What a store says. account.ErrNotFound is for nodes and items, account.ErrExists for nodes.
var (
	ErrNodes = errors.New("the account has as many nodes as it may have")
	ErrBytes = errors.New("the account keeps as much as it may keep")
)

// Node is one of an account.
type Node struct {
	Name    string
	Options Options
}

// Item is one of a node.
type Item struct {
	ID        string
	Version   hybrid.ID // when it was published; given by the store
	Publisher jid.JID   // full
	Payload   []byte    // canonical XML; empty for none
	Label     string    // canonical XML of its securitylabel (XEP-0314); empty for none
}

// Store keeps nodes and items. What it has changed is durable when it returns without error.
type Store interface {
	// PutNode makes a node (create), or replaces the options of one and forgets the oldest items beyond what it keeps now. account.ErrExists, account.ErrNotFound; ErrNodes.
	PutNode(ctx context.Context, owner jid.JID, n Node, create bool) error
	// Nodes gives all nodes of an account by name.
	Nodes(ctx context.Context, owner jid.JID) ([]Node, error)
	// RemoveNode removes a node with its items. account.ErrNotFound.
	RemoveNode(ctx context.Context, owner jid.JID, name string) error
	// PublishItem keeps an item, in the place of one with the same id, and forgets the oldest beyond most. now is the time and host the
	// name of who keeps it. account.ErrNotFound without the node; ErrBytes.
	PublishItem(ctx context.Context, owner jid.JID, node string, i Item, most int, now time.Time, host string) error
	// NodeItems gives up to limit items of a node, the last published first.
	NodeItems(ctx context.Context, owner jid.JID, node string, limit int) ([]Item, error)
	// NodeItem gives one. account.ErrNotFound.
	NodeItem(ctx context.Context, owner jid.JID, node, id string) (Item, error)
	// RetractItem removes one. account.ErrNotFound.
	RetractItem(ctx context.Context, owner jid.JID, node, id string) error
	// PurgeNode removes all items of a node.
	PurgeNode(ctx context.Context, owner jid.JID, node string) error
}
