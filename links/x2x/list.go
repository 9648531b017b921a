package x2x

import (
	"fmt"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/fanout"
)

// List makes the list of the other recipients of a consignment, nil where there are none. Each copy must have been released for the
// link as well, and be equal but for to; the error is a links.ErrRefused.
func List(link string, c *links.Consignment) ([]*xmlstream.Element, error) {
	if len(c.Also) == 0 {
		return nil, nil
	}
	s := c.Released.Stanza()
	sum, ok := fanout.Digest(s)
	if !ok {
		return nil, fmt.Errorf("%w: recipients of a stanza that has no copies", links.ErrRefused)
	}
	also := make([]jid.JID, len(c.Also))
	for i := range c.Also {
		r := &c.Also[i]
		if err := r.Check(link, c.Released.Remote()); err != nil {
			return nil, fmt.Errorf("%w: %w", links.ErrRefused, err)
		}
		if other, _ := fanout.Digest(r.Stanza()); other != sum {
			return nil, fmt.Errorf("%w: a copy that differs", links.ErrRefused)
		}
		also[i] = r.Stanza().To()
	}
	list, err := fanout.Elements(s, also)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", links.ErrRefused, err)
	}
	return list, nil
}
