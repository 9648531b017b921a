// Package roster holds the contacts of accounts (RFC 6121 §2) with the versions that clients keep (§2.6).
//
// Inside: [Item], the interface [Store] of what keeps them, [Book], which changes them, and who is in a new account's roster because
// of groups ([Prefill]). Not inside: XML, presence, the rules of subscriptions (RFC 6121 appendix A).
//
// A roster is the fold of its changes: each has a version of hybrid time, and the store keeps the last change of each contact,
// removals too, so that a client with an older version is told exactly what has changed since.
//
// It must never change a roster that somebody else has changed since it was read, and never tell a client that its copy is current
// when changes were forgotten. After a restore from a backup, versions that were given after it are not known any more: a client that
// comes with one before the next change is told the whole.
package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/hybrid"
)

// Bounds on what one account can make the store keep.
const (
	MaxItems      = 5000
	MaxItemGroups = 64
	MaxTextBytes  = 1023 // of a name, and of the name of a group
	// MaxBytes is of all names and groups together: a roster is read as a whole for each change of it.
	MaxBytes = 1 << 20
	// MaxRemoved is how many removals of a roster are remembered; a client that knows less is told the whole.
	MaxRemoved = 200
)

// What is refused. The errors of account for entries (ErrNotFound, ErrChanged) are those of rosters, too.
var (
	ErrFull = errors.New("the roster is full")
	ErrItem = errors.New("the contact cannot be kept")
)

// Subscription says who sees whose presence (RFC 6121 §2.1.2.5). The zero value is nobody.
type Subscription uint8

// The states of a subscription. Their numbers are stored.
const (
	None Subscription = iota
	To                // the owner sees the contact
	From              // the contact sees the owner
	Both
)

var subscriptionNames = [...]string{None: "none", To: "to", From: "from", Both: "both"}

// String is the value of the attribute.
func (s Subscription) String() string {
	if int(s) < len(subscriptionNames) {
		return subscriptionNames[s]
	}
	return "none"
}

// Item is one contact.
type Item struct {
	Contact      jid.JID // bare
	Name         string
	Groups       []string // each once, in the order of the user
	Subscription Subscription
	Ask          bool   // the owner's request waits for an answer (§2.1.2.2)
	Approved     bool   // a request of the contact is granted before it comes (§3.4)
	Request      []byte // the contact's request that waits for the owner, canonical XML; nil for none
	// Hidden items are kept for their request alone; clients are not shown them (§3.1.3).
	Hidden  bool
	Version hybrid.ID // of its last change
	// Removed: the contact was in the roster before this version.
	Removed bool
}

// bytes is what the owner has written.
func (i *Item) bytes() int {
	n := len(i.Name)
	for _, g := range i.Groups {
		n += len(g)
	}
	return n
}

// check refuses what is too large or cannot be.
func (i *Item) check() error {
	bad := func(why string) error { return fmt.Errorf("%w: %s", ErrItem, why) }
	switch {
	case i.Contact.IsZero() || i.Contact.IsFull():
		return bad("it has no bare address")
	case i.Subscription > Both:
		return bad("no such subscription")
	case len(i.Name) > MaxTextBytes:
		return bad("its name is too long")
	case len(i.Groups) > MaxItemGroups:
		return bad("it is in too many groups")
	}
	seen := make(map[string]bool)
	for _, g := range i.Groups {
		if g == "" || len(g) > MaxTextBytes || seen[g] {
			return bad("a group without a name, with a long one, or twice (§2.1.2.6)")
		}
		seen[g] = true
	}
	return nil
}

// Store keeps rosters. What it has changed is durable when it returns without error.
type Store interface {
	// Roster gives all items that are not removed, by address, and the version of the whole; the zero version for none.
	Roster(ctx context.Context, owner jid.JID) ([]Item, hybrid.ID, error)
	// RosterSince gives what has changed behind a version, removals too, in the order of the changes. whole: that is not known any
	// more, and the client needs the whole roster.
	RosterSince(ctx context.Context, owner jid.JID, version hybrid.ID) (changes []Item, whole bool, err error)
	// PutItem writes an item, or its removal, as the change i.Version of a roster that still has the version before. ErrChanged;
	// ErrNotFound without the account; ErrFull.
	PutItem(ctx context.Context, owner jid.JID, before hybrid.ID, i Item) error
}

// Book changes rosters. It is safe for concurrent use; it holds no state of its own.
type Book struct {
	Store Store
	Node  string           // as in the configuration
	Now   func() time.Time // time.Now but in tests
}

// tries bounds how often a change is done again because somebody else was first.
const tries = 5

// Change changes one contact of a roster as do says, and gives the item as it is now. do gets the item as it was, or one with
// nothing but the address; it may be called again, and sets Removed to remove.
func (b *Book) Change(ctx context.Context, owner, contact jid.JID, do func(*Item) error) (Item, error) {
	var item Item
	var err error
	for range tries {
		if item, err = b.once(ctx, owner, contact, do); !errors.Is(err, account.ErrChanged) {
			break
		}
	}
	if err != nil {
		return Item{}, fmt.Errorf("change %s in the roster of %s: %w", contact, owner, err)
	}
	return item, nil
}

func (b *Book) once(ctx context.Context, owner, contact jid.JID, do func(*Item) error) (Item, error) {
	items, before, err := b.Store.Roster(ctx, owner)
	if err != nil {
		return Item{}, err
	}
	item, size := Item{Contact: contact.Bare()}, 0
	for _, i := range items {
		size += i.bytes()
		if i.Contact == item.Contact {
			item = i
		}
	}
	was := item.bytes()
	if err := do(&item); err != nil {
		return Item{}, err
	}
	item.Contact = contact.Bare()
	if item.Removed {
		item = Item{Contact: item.Contact, Removed: true}
	}
	if err := item.check(); err != nil {
		return Item{}, err
	}
	if now := item.bytes(); now > was && size-was+now > MaxBytes {
		return Item{}, fmt.Errorf("%w: its names and groups have %d bytes", ErrFull, size)
	}
	if item.Version, err = hybrid.After(before, b.Now(), b.Node); err != nil {
		return Item{}, err
	}
	return item, b.Store.PutItem(ctx, owner, before, item)
}

// Fill puts the contacts of groups into a roster, as Prefill has it, and gives those that were not there. Contacts that have come in
// meanwhile stay as they are.
func (b *Book) Fill(ctx context.Context, owner jid.JID, groups []account.Group) (added []Item, err error) {
	have, _, err := b.Store.Roster(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("fill the roster of %s: %w", owner, err)
	}
	for _, add := range Prefill(owner, have, groups) {
		i, err := b.Change(ctx, owner, add.Contact, func(i *Item) error {
			if i.Version.IsZero() {
				*i = add
			}
			return nil
		})
		if err != nil {
			return added, err
		}
		added = append(added, i)
	}
	return added, nil
}

// Prefill gives the contacts that groups put into a roster: every other member that is not in it, in the groups' titles. The
// subscription is both, so that members see each other from the first login.
func Prefill(owner jid.JID, have []Item, groups []account.Group) []Item {
	at := make(map[jid.JID]int)
	for _, i := range have {
		at[i.Contact] = -1
	}
	at[owner.Bare()] = -1
	var add []Item
	for _, g := range groups {
		title := g.Title
		if title == "" {
			title = g.Name
		}
		for _, m := range g.Members {
			n, known := at[m]
			switch {
			case !known:
				at[m] = len(add)
				add = append(add, Item{Contact: m, Name: m.Local(), Groups: []string{title}, Subscription: Both})
			case n >= 0 && len(add[n].Groups) < MaxItemGroups && !slices.Contains(add[n].Groups, title):
				add[n].Groups = append(add[n].Groups, title)
			}
		}
	}
	return add
}
