package bookmarks

import (
	"context"
	"errors"
	"hash/maphash"
	"maps"
	"sync"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/pep"
	"sallyport/server/private"
	"sallyport/server/recent"
)

const (
	current = "current" // the id of the one item of the older form
	// looked is of how many accounts it is remembered that their private storage has been looked at, twice.
	looked = 16384
	// maxMarks is how many rooms are carried from one form to another. A node of items that keeps fewer would lose some.
	maxMarks = 100
)

var storageName = xmlstream.Name{Space: legacy, Local: "storage"}

// Events is what is needed of *pep.Service.
type Events interface {
	Publish(ctx context.Context, owner jid.JID, p pep.Publication) (string, error)
	Kept(ctx context.Context, owner jid.JID, node string) ([]pep.KeptItem, pep.Options, error)
	TakeBack(ctx context.Context, owner jid.JID, node string, ids ...string) error
}

// Bookmarks joins the three. Events is set before the server runs. It is safe for concurrent use.
type Bookmarks struct {
	Private private.Store
	Events  Events

	seed  maphash.Seed
	locks [64]sync.Mutex // of accounts
	seen  *recent.Memory[struct{}]
}

// New makes them.
func New(s private.Store) *Bookmarks {
	return &Bookmarks{Private: s, seed: maphash.MakeSeed(), seen: recent.New[struct{}](looked)}
}

// Feature announces that all places are one.
func (b *Bookmarks) Feature() server.Feature {
	return server.Feature{
		Name: "bookmarks", AccountFeatures: []string{native + "#compat", native + "#compat-pep", "urn:xmpp:bookmarks-conversion:0"},
		Available: b.available,
		Forget:    b.seen.Forget,
	}
}

func (b *Bookmarks) lock(account jid.JID) (unlock func()) {
	m := &b.locks[maphash.String(b.seed, account.String())%uint64(len(b.locks))]
	m.Lock()
	return m.Unlock
}

// Published is told of what accounts publish.
func (b *Bookmarks) Published(ctx context.Context, owner jid.JID, node, id string, payload *xmlstream.Element) {
	switch {
	case node == native:
		b.Taken(ctx, owner, node)
	case node == legacy && id == current && payload.Is(legacy, "storage"):
		defer b.lock(owner)()
		if _, ok := b.place(ctx, owner, legacy); ok {
			b.items(ctx, owner, payload)
			b.putPrivate(ctx, owner, payload)
		}
	}
}

// Taken is told that items of a node are not there any more.
func (b *Bookmarks) Taken(ctx context.Context, owner jid.JID, node string) {
	if node != native {
		return
	}
	defer b.lock(owner)()
	items, ok := b.place(ctx, owner, native)
	if !ok {
		return
	}
	marks := ofItems(items)
	if was, err := b.private(ctx, owner); err == nil && !maps.Equal(marks, ofList(was)) {
		b.putPrivate(ctx, owner, list(marks, was))
	}
	if was, ok := b.published(ctx, owner); ok && !maps.Equal(marks, ofList(was)) {
		b.publish(ctx, owner, list(marks, was))
	}
}

// Stored is told of what accounts put into private storage.
func (b *Bookmarks) Stored(ctx context.Context, owner jid.JID, e *xmlstream.Element) {
	if e.Name() != storageName {
		return
	}
	defer b.lock(owner)()
	b.items(ctx, owner, e)
	if was, ok := b.published(ctx, owner); ok && !was.Equal(e) {
		b.publish(ctx, owner, e)
	}
}

// available publishes what was stored before there were items (XEP-0411 §4).
func (b *Bookmarks) available(ctx context.Context, r server.Resource, _ stanza.Stanza, first bool) {
	if !first {
		return
	}
	owner := r.JID.Bare()
	_, _ = b.seen.Get(owner, func() (struct{}, error) { // where it fails, the next client's coming is the next time
		defer b.lock(owner)()
		if _, _, err := b.Events.Kept(ctx, owner, native); !errors.Is(err, account.ErrNotFound) {
			return struct{}{}, err
		}
		was, err := b.private(ctx, owner)
		if err == nil && len(ofList(was)) > 0 {
			b.items(ctx, owner, was)
			if before, ok := b.published(ctx, owner); ok && before == nil {
				b.publish(ctx, owner, was)
			}
		}
		return struct{}{}, err
	})
}

// place gives what is in a node; false where it is not the owner's alone, or keeps nothing. One that is not there is empty.
func (b *Bookmarks) place(ctx context.Context, owner jid.JID, node string) ([]pep.KeptItem, bool) {
	items, options, err := b.Events.Kept(ctx, owner, node)
	if errors.Is(err, account.ErrNotFound) {
		return nil, true
	}
	return items, err == nil && options.Access == pep.Whitelist && options.Persist && (node == legacy || options.MaxItems > maxMarks)
}

// published gives the older form that is published, nil for none; false where it is none of the owner's alone.
func (b *Bookmarks) published(ctx context.Context, owner jid.JID) (*xmlstream.Element, bool) {
	items, ok := b.place(ctx, owner, legacy)
	for _, i := range items {
		if i.ID == current && i.Payload.Is(legacy, "storage") {
			return i.Payload, ok
		}
	}
	return nil, ok
}

// private gives what is in private storage, nil for nothing.
func (b *Bookmarks) private(ctx context.Context, owner jid.JID) (*xmlstream.Element, error) {
	text, err := b.Private.Private(ctx, owner, storageName)
	if errors.Is(err, account.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return xmlstream.ParseDocument(text, xmlstream.Options{})
}

// putPrivate keeps a list; see doc.go for what becomes of errors.
func (b *Bookmarks) putPrivate(ctx context.Context, owner jid.JID, e *xmlstream.Element) {
	if text, err := xmlstream.AppendElement(nil, e, ""); err == nil && len(text) <= private.MaxBytes {
		_ = b.Private.PutPrivate(ctx, owner, storageName, text)
	}
}

func (b *Bookmarks) publish(ctx context.Context, owner jid.JID, e *xmlstream.Element) {
	own := pep.Defaults()
	own.Access = pep.Whitelist
	_, _ = b.Events.Publish(ctx, owner, pep.Publication{Node: legacy, ID: current, Payload: e, Publisher: owner, Quiet: true, Options: &own})
}

// items makes the items what a list says.
func (b *Bookmarks) items(ctx context.Context, owner jid.JID, storage *xmlstream.Element) {
	have, ok := b.place(ctx, owner, native)
	if !ok {
		return
	}
	was, now := ofItems(have), ofList(storage)
	if len(now) > maxMarks {
		return
	}
	own := pep.Defaults()
	own.Access, own.MaxItems, own.SendLast = pep.Whitelist, pep.MaxItems, "never" // as XEP-0402 §4.3 has it
	for _, room := range ordered(now) {
		m := now[room]
		if before, known := was[room]; known && before == m {
			continue
		}
		_, _ = b.Events.Publish(ctx, owner, pep.Publication{
			Node: native, ID: room.String(), Payload: m.element(native, extensions(have, room)...), Publisher: owner, Quiet: true, Options: &own,
		})
	}
	for _, room := range ordered(was) {
		if _, stays := now[room]; !stays {
			_ = b.Events.TakeBack(ctx, owner, native, room.String())
		}
	}
}

// extensions are what an item has beyond what older clients know.
func extensions(have []pep.KeptItem, room jid.JID) (list []*xmlstream.Element) {
	for _, i := range have {
		if i.ID != room.String() {
			continue
		}
		for c := range i.Payload.Children() {
			if c.Space() != native || c.Local() == "extensions" {
				list = append(list, c)
			}
		}
	}
	return list
}
