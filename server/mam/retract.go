package mam

import (
	"context"
	"errors"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
)

// retract puts a tombstone in the place of what a message retracts, where that is by the same author and in this archive (XEP-0424
// §4). Whatever else is asked for leaves the archive as it is.
func (f *feature) retract(ctx context.Context, p *server.Passing, with jid.JID) error {
	entry, err := f.Archive.FindMessage(ctx, p.Account, with, retracts(p.Stanza))
	if errors.Is(err, account.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	was, err := read(entry)
	if err != nil {
		return err
	}
	if was.From().Bare() != p.Stanza.From().Bare() || was.Element().Child(nsRetract, "retract") != nil {
		return nil
	}
	tombstone := tree.New(nsRetract, "retracted", tree.Attr("id", p.Stanza.ID()), tree.Attr("stamp", stamp(f.Now())))
	// What identifies the message stays, and its label: who could not read it need not know that it was there.
	kept := []xmlstream.Node{xmlstream.ElementNode(tombstone)}
	for c := range was.Element().Children() {
		if c.Is(nsLabel, "securitylabel") || c.Is(nsSID, "origin-id") {
			kept = append(kept, xmlstream.ElementNode(c))
		}
	}
	text, err := xmlstream.AppendElement(nil, was.Element().WithNodes(kept...), "")
	if err != nil {
		return err
	}
	return f.Archive.ReplaceEntry(ctx, p.Account, entry.ID, text)
}
