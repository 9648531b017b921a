package peering

import (
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// ErrNotReleased is what a link answers to a Released that was not made for it.
var ErrNotReleased = errors.New("not released")

// Released is a stanza that one policy version let through to one destination. Only
// this package can make one; the zero value opens nothing. It is a small value and safe
// to copy; the tree it holds is immutable.
type Released struct {
	stanza  stanza.Stanza
	peer    string // outgoing peer
	link    string // the link it may use
	local   jid.JID
	remote  jid.JID
	version Version
	expires time.Time
}

// Check says whether r may leave over link towards remote: the last gate before bytes.
func (r *Released) Check(link string, remote jid.JID) error {
	switch {
	case r.stanza.IsZero():
		return errors.Join(ErrNotReleased, errors.New("zero value"))
	case r.link != link:
		return errors.Join(ErrNotReleased, errors.New("released for another link"))
	case r.remote != remote || r.stanza.To().DomainJID() != remote:
		return errors.Join(ErrNotReleased, errors.New("released for another recipient"))
	}
	return nil
}

// Element is the tree to write, addresses included.
func (r *Released) Element() *xmlstream.Element { return r.stanza.Element() }

// Stanza is the typed view of Element.
func (r *Released) Stanza() stanza.Stanza { return r.stanza }

// Link is the one link this may leave by.
func (r *Released) Link() string { return r.link }

// Peer is the name of the neighbour it goes to.
func (r *Released) Peer() string { return r.peer }

// From and To are the final addresses.
func (r *Released) From() jid.JID { return r.stanza.From() }

// To is the final recipient.
func (r *Released) To() jid.JID { return r.stanza.To() }

// Local is the domain we speak for on the stream that carries it.
func (r *Released) Local() jid.JID { return r.local }

// Remote is the domain at the other end of that stream.
func (r *Released) Remote() jid.JID { return r.remote }

// PolicyVersion is the policy that released it.
func (r *Released) PolicyVersion() Version { return r.version }

// Expires is when it must no longer be sent; zero means it never does.
func (r *Released) Expires() time.Time { return r.expires }

// IsZero reports the value that opens nothing.
func (r *Released) IsZero() bool { return r.stanza.IsZero() }
