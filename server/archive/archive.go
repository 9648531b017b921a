// Package archive holds what was said (XEP-0313): entries in the order in which they were kept, each under an id of hybrid time.
//
// Inside: [Entry], [Query] with its pages (RSM, XEP-0059), and the interface [Store] of what keeps them, which server/store
// implements. Not inside: XML, what is archived at all, and who may read it: every entry is judged again for its reader, with the
// label that is in its stanza.
//
// It must never let an entry appear behind the back of a client: ids of one archive become visible in their order, so who has read up
// to an id has missed nothing before it.
package archive

import (
	"context"
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/hybrid"
)

// Bounds on what one question can make the store answer.
const (
	MaxPage      = 250     // entries
	MaxPageBytes = 1 << 20 // of stanzas; a page ends early behind the entry that exceeds it
	MaxAppend    = 1000    // entries kept at once
)

// ErrQuery: the question contradicts itself.
var ErrQuery = errors.New("the question to the archive cannot be answered")

// ErrTooMuch: what was asked for by ids has more than MaxPageBytes.
var ErrTooMuch = errors.New("too much was asked for at once")

// ErrEntry: nothing was kept because one of the entries cannot be; without it the others can.
var ErrEntry = errors.New("an entry cannot be kept")

// Entry is one stanza in one archive.
type Entry struct {
	Owner  jid.JID   // bare: whose archive it is
	ID     hybrid.ID // the stanza-id (XEP-0359); given when it is kept
	With   jid.JID   // who it was exchanged with, full where known
	Stanza []byte    // canonical XML with its label
	// MessageID is what its sender called it, which retractions and corrections refer to; empty for none.
	MessageID string
}

// Query asks for a page of an archive. All conditions hold together; zero values are none.
type Query struct {
	Owner      jid.JID
	With       jid.JID // a bare address stands for all of its resources
	Start, End time.Time
	// AfterID and BeforeID bound what is asked for, exclusively (XEP-0313 §4.1.3). Unlike After and Before they need not exist.
	AfterID, BeforeID hybrid.ID
	// After and Before say where the page begins or ends, exclusively (XEP-0059 §2.2, §2.3). Not both.
	After, Before hybrid.ID
	// Last asks for the last page (XEP-0059 §2.5).
	Last bool
	// Max is the most entries; above MaxPage it is MaxPage. Zero or less asks for none.
	Max int
}

// Backward reports whether the page is the end of what matches.
func (q *Query) Backward() bool { return q.Last || !q.Before.IsZero() }

// Page is an answer.
type Page struct {
	Entries []Entry // oldest first
	// Complete: nothing that matches follows the page, or precedes it if it was asked for backward.
	Complete bool
}

// Store keeps archives. What it has changed is durable when it returns without error.
type Store interface {
	// AppendArchive keeps entries, all or none, and gives their ids in the same order: each later than all ids of its archive.
	// now is the time and node the name of who appends. account.ErrNotFound without the domain of an owner; ErrEntry.
	AppendArchive(ctx context.Context, now time.Time, node string, entries []Entry) ([]hybrid.ID, error)
	// QueryArchive gives a page. account.ErrNotFound if After or Before is not in the archive (XEP-0059 §2.2); ErrQuery.
	QueryArchive(ctx context.Context, q Query) (Page, error)
	// EntriesByID gives up to MaxPage entries, oldest first, each once. account.ErrNotFound if one does not exist; ErrQuery, ErrTooMuch.
	EntriesByID(ctx context.Context, owner jid.JID, ids []hybrid.ID) ([]Entry, error)
	// FindMessage gives the last entry with a bare address under an id of its sender. account.ErrNotFound.
	FindMessage(ctx context.Context, owner, with jid.JID, messageID string) (Entry, error)
	// ReplaceEntry puts another stanza in the place of an entry's. account.ErrNotFound.
	ReplaceEntry(ctx context.Context, owner jid.JID, id hybrid.ID, stanza []byte) error
	// ArchiveEnds gives the first and last id of an archive (XEP-0313 §6); zero ids for an empty one.
	ArchiveEnds(ctx context.Context, owner jid.JID) (first, last hybrid.ID, err error)
	// PruneArchive forgets up to limit entries of a domain that are older than before, and tells how many.
	PruneArchive(ctx context.Context, domain string, before time.Time, limit int) (int64, error)
}
