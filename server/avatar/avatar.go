// Package avatar keeps the picture that an account publishes (XEP-0084) and the photo in its vCard (XEP-0153) the same (XEP-0398), and
// says in presence which one it is.
//
// Inside: [New]. Not inside: either of the two stores (server/pep, server/vcard); changing pictures.
//
// It must never make a picture readable for more people than its owner did: what is published to some only does not come into the vCard,
// which everybody may read. It must never take a picture for another than its hash says.
package avatar

import (
	"context"
	"crypto/sha1" //nolint:gosec // XEP-0084 and XEP-0153 name pictures by it
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/pep"
	"sallyport/server/recent"
	"sallyport/server/vcard"
)

// Namespaces, the first two of nodes too.
const (
	nsData   = "urn:xmpp:avatar:data"
	nsMeta   = "urn:xmpp:avatar:metadata"
	nsUpdate = "vcard-temp:x:update"
	feature  = "urn:xmpp:pep-vcard-conversion:0"
)

const (
	// MaxBytes bounds a picture that is carried from one to the other.
	MaxBytes   = 90 << 10
	remembered = 4096
)

// types are those of pictures.
var types = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}

// Events is what is needed of *pep.Service.
type Events interface {
	Publish(ctx context.Context, owner jid.JID, p pep.Publication) (string, error)
	Read(ctx context.Context, owner jid.JID, node, id string) (*xmlstream.Element, pep.Options, error)
}

// Avatars joins the two. Events is set before the server runs: each of both needs the other.
type Avatars struct {
	Cards  vcard.Store
	Events Events
	hashes *recent.Memory[string] // of the photos in vCards, empty for none
}

// New makes them.
func New(cards vcard.Store) *Avatars {
	return &Avatars{Cards: cards, hashes: recent.New[string](remembered)}
}

// Feature says in presence which picture an account has.
func (a *Avatars) Feature() server.Feature {
	return server.Feature{Name: "avatars", AccountFeatures: []string{feature}, Sends: a.sends, Forget: a.hashes.Forget}
}

// picture is a photo.
type picture struct {
	data []byte
	typ  string
}

func (p picture) hash() string {
	sum := sha1.Sum(p.data) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// photoOf reads the photo in a vCard.
func photoOf(card *xmlstream.Element) (p picture, ok bool) {
	if card == nil {
		return p, false
	}
	photo := card.Child(vcard.Space, "PHOTO")
	if photo == nil {
		return p, false
	}
	value := photo.Child(vcard.Space, "BINVAL")
	if value == nil {
		return p, false
	}
	p, ok = decoded(value)
	if t := photo.Child(vcard.Space, "TYPE"); t != nil {
		p.typ = t.Text()
	}
	return p, ok
}

// decoded reads base64 with whatever space is in it.
func decoded(e *xmlstream.Element) (picture, bool) {
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.Text()), ""))
	return picture{data: data}, err == nil && len(data) > 0
}

// Carded is told of a new vCard: its photo is published (XEP-0398 §4.2).
func (a *Avatars) Carded(ctx context.Context, owner jid.JID, card *xmlstream.Element) {
	a.hashes.Forget(owner)
	p, ok := photoOf(card)
	if !ok || len(p.data) > MaxBytes || !types[p.typ] {
		return
	}
	id := p.hash()
	if _, _, err := a.Events.Read(ctx, owner, nsMeta, id); err == nil {
		return // it is published
	}
	open := pep.Defaults()
	open.Access = pep.Open // as the vCard is; nodes that are there stay as they are
	data := tree.New(nsData, "data", tree.Text(base64.StdEncoding.EncodeToString(p.data)))
	info := tree.New(nsMeta, "info", tree.Attr("bytes", strconv.Itoa(len(p.data))), tree.Attr("id", id), tree.Attr("type", p.typ))
	_, err := a.Events.Publish(ctx, owner, pep.Publication{Node: nsData, ID: id, Payload: data, Publisher: owner, Options: &open})
	if err == nil {
		_, err = a.Events.Publish(ctx, owner, pep.Publication{
			Node: nsMeta, ID: id, Payload: tree.New(nsMeta, "metadata", tree.With(info)), Publisher: owner, Options: &open,
		})
	}
	_ = err // the vCard is kept; its owner's next one is tried again
}

// Published is told of what an account publishes: a picture that everybody may have becomes the photo of its vCard (§4.1), and goes when
// the account has none any more.
func (a *Avatars) Published(ctx context.Context, owner jid.JID, node, _ string, payload *xmlstream.Element) {
	if node != nsMeta || !payload.Is(nsMeta, "metadata") {
		return
	}
	var p picture
	infos := 0
	for info := range payload.Children() {
		if !info.Is(nsMeta, "info") {
			continue
		}
		if infos++; tree.Value(info, "url") != "" || p.data != nil {
			continue
		}
		p = a.published(ctx, owner, tree.Value(info, "id"))
		p.typ = tree.Value(info, "type")
	}
	if infos > 0 && (p.data == nil || !types[p.typ]) {
		return
	}
	if err := a.card(ctx, owner, p); err == nil {
		a.hashes.Forget(owner)
	}
}

// published gives a picture that is open to everybody and has the hash that it is called by.
func (a *Avatars) published(ctx context.Context, owner jid.JID, id string) picture {
	e, options, err := a.Events.Read(ctx, owner, nsData, id)
	if err != nil || options.Access != pep.Open || !e.Is(nsData, "data") {
		return picture{}
	}
	p, ok := decoded(e)
	if !ok || len(p.data) > MaxBytes || p.hash() != id {
		return picture{}
	}
	return p
}

// card puts a photo into the vCard, or takes it out.
func (a *Avatars) card(ctx context.Context, owner jid.JID, p picture) error {
	card, err := vcard.Read(ctx, a.Cards, owner)
	if err != nil {
		return err
	}
	if card == nil {
		card = tree.New(vcard.Space, "vCard")
	}
	was, ok := photoOf(card)
	if ok == (p.data != nil) && was.hash() == p.hash() {
		return errors.New("it is there")
	}
	var nodes []xmlstream.Node
	for i := range card.NumNodes() {
		if n := card.NodeAt(i); !n.Element.Is(vcard.Space, "PHOTO") {
			nodes = append(nodes, n)
		}
	}
	if p.data != nil {
		nodes = append(nodes, xmlstream.ElementNode(tree.New(vcard.Space, "PHOTO", tree.With(
			tree.New(vcard.Space, "TYPE", tree.Text(p.typ)),
			tree.New(vcard.Space, "BINVAL", tree.Text(base64.StdEncoding.EncodeToString(p.data))),
		))))
	}
	return vcard.Write(ctx, a.Cards, owner, card.WithNodes(nodes...))
}

// sends puts the hash into available presence, unless the client says that it has no picture (§4). For a client that does not know
// yet, which says so with an empty element, it says whether there is one.
func (a *Avatars) sends(ctx context.Context, p *server.Passing) error {
	if p.Stanza.Type() != stanza.PresenceAvailable {
		return nil
	}
	e := p.Stanza.Element()
	x := e.Child(nsUpdate, "x")
	ready := x != nil && x.Child(nsUpdate, "photo") != nil
	if ready && x.Child(nsUpdate, "photo").Text() == "" {
		return nil
	}
	hash, err := a.hashes.Get(p.Account, func() (string, error) {
		card, err := vcard.Read(ctx, a.Cards, p.Account)
		if photo, ok := photoOf(card); ok && err == nil {
			return photo.hash(), nil
		}
		return "", err
	})
	if err != nil || hash == "" && (x == nil || ready) {
		return nil //nolint:nilerr // presence goes as it is
	}
	update := tree.New(nsUpdate, "x", tree.With(tree.New(nsUpdate, "photo", tree.Text(hash))))
	var nodes []xmlstream.Node
	for i := range e.NumNodes() {
		if n := e.NodeAt(i); !n.Element.Is(nsUpdate, "x") {
			nodes = append(nodes, n)
		}
	}
	p.Stanza, err = p.Stanza.WithElement(e.WithNodes(append(nodes, xmlstream.ElementNode(update))...))
	return err
}
