package mam

import (
	"context"
	"errors"
	"fmt"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/archive"
)

// together keeps what an account says to others, unless it goes no further than to judgement, and what it is told, and tells its clients
// under which id; what it says to itself is kept when it comes. All of it is kept in one change, in the order in which it passes.
//
// What is said is kept before it is judged for good, so that it is durable before it is acknowledged: what a change of policy refuses in
// between is in the archive all the same.
func (f *feature) together(ctx context.Context, list []server.Passing) {
	var batch []keeping
	var wish wishes
	for i := range list {
		p := &list[i]
		if p.Err != nil || p.Stanza.Kind() != stanza.Message || p.Out && p.Self {
			continue
		}
		k, ok, err := f.prepare(ctx, p, &wish)
		switch {
		case err != nil:
			p.Err = unkept(p, err)
			continue
		case !ok:
			continue
		}
		if f.Tombstones && retracts(p.Stanza) != "" { // it may be of one that is kept with it
			f.keep(ctx, batch)
			batch = batch[:0]
			if err := f.retract(ctx, p, k.entry.With); err != nil {
				p.Err = unkept(p, err)
				continue
			}
		}
		if batch == nil {
			batch = make([]keeping, 0, len(list)-i)
		}
		batch = append(batch, k)
		if len(batch) == archive.MaxAppend {
			f.keep(ctx, batch)
			batch = batch[:0]
		}
	}
	f.keep(ctx, batch)
}

// keeping is a message on its way, and its entry.
type keeping struct {
	passing *server.Passing
	entry   archive.Entry
}

// prepare makes the entry of a message that is to be kept.
func (f *feature) prepare(ctx context.Context, p *server.Passing, wish *wishes) (k keeping, ok bool, err error) {
	with := p.Stanza.From()
	if p.Out {
		with = p.Stanza.To()
	}
	if el := withoutID(p.Stanza.Element(), p.Account); el != p.Stanza.Element() {
		s, err := p.Stanza.WithElement(el)
		if err != nil {
			return k, false, &server.Bounce{Condition: stanza.BadRequest, Cause: err}
		}
		p.Stanza = s
	}
	if wish.nothing() || !Keeps(p.Stanza) {
		return k, false, nil
	}
	if wanted, err := f.wants(ctx, wish, p.Account, with); err != nil || !wanted {
		return k, false, err
	}
	if p.Out && f.MaySend != nil && !f.MaySend(p.Stanza) {
		return k, false, nil // it goes on, to be refused and recorded
	}
	text, err := xmlstream.AppendElement(nil, p.Stanza.Element(), "")
	if err != nil {
		return k, false, err
	}
	return keeping{p, archive.Entry{Owner: p.Account, With: with, Stanza: text, MessageID: messageID(p.Stanza)}}, true, nil
}

// keep makes a batch durable. Where all of it cannot be kept together, because of one of them, each is kept alone.
func (f *feature) keep(ctx context.Context, batch []keeping) {
	err := f.append(ctx, batch)
	if err == nil {
		return
	}
	alone := len(batch) > 1 && errors.Is(err, archive.ErrEntry)
	for i := range batch {
		if alone {
			err = f.append(ctx, batch[i:i+1])
		}
		if err != nil {
			batch[i].passing.Err = unkept(batch[i].passing, err)
		}
	}
}

func (f *feature) append(ctx context.Context, batch []keeping) error {
	if len(batch) == 0 {
		return nil
	}
	entries := make([]archive.Entry, len(batch))
	for i := range batch {
		entries[i] = batch[i].entry
	}
	ids, err := f.Archive.AppendArchive(ctx, f.Now(), f.Node, entries)
	if err != nil {
		return err
	}
	for i := range batch {
		p := batch[i].passing
		if p.Out {
			p.Kept = ids[i]
			continue
		}
		id := tree.New(nsSID, "stanza-id", tree.Attr("by", p.Account.String()), tree.Attr("id", ids[i].String()))
		s, err := p.Stanza.WithElement(tree.Appended(p.Stanza.Element(), id))
		if err != nil { // it is kept, and not delivered
			p.Err = unkept(p, err)
			continue
		}
		p.Stanza = s
	}
	return nil
}

// unkept is what the sender is told.
func unkept(p *server.Passing, err error) error {
	var b *server.Bounce
	if errors.As(err, &b) {
		return err
	}
	return server.Fault(fmt.Errorf("archive for %s: %w", p.Account, err))
}

// retracts is the id of the message that one takes back, empty for none.
func retracts(s stanza.Stanza) string {
	return tree.Value(s.Element().Child(nsRetract, "retract"), "id")
}
