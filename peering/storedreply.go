package peering

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// storedReply begins what StoreReply makes; no encoding of an arrival does.
const storedReply = 0x80 | encodingVersion

// ErrNotReply is what Restore answers to anything that Reply could not have made.
var ErrNotReply = errors.New("not an error of ours")

// StoreReply encodes an error made by Reply, for a spool. Restore is the only way back to a Released.
func StoreReply(r *Released) (Stored, error) {
	if err := templated(r.stanza); err != nil {
		return nil, err
	}
	dst := appendString([]byte{storedReply}, r.peer)
	b, err := xmlstream.AppendElement(dst, r.stanza.Element(), "")
	if err != nil {
		return nil, fmt.Errorf("encode reply: %w", err)
	}
	return b, nil
}

// IsReply reports whether s was made by StoreReply.
func (s Stored) IsReply() bool { return len(s) > 0 && s[0] == storedReply }

// Restore makes an error that was stored a Released for a link to the peer it was stored for, if both are still there and it is what
// Reply makes: a condition, a reference, one of our sentences, and nothing else.
func (e *Engine) Restore(s Stored, link string) (Released, error) {
	p := e.policy.Load()
	if p == nil {
		return Released{}, errors.New("no policy is active")
	}
	if !s.IsReply() {
		return Released{}, ErrNotReply
	}
	r := reader{b: s[1:]}
	name := r.string()
	if r.err != nil {
		return Released{}, r.err
	}
	peer := p.Peer(name)
	if peer == nil || peer.Refuse || !slices.Contains(peer.Links, link) {
		return Released{}, fmt.Errorf("link %q does not reach a peer %q: %w", link, name, ErrNotReleased)
	}
	limits := xmlstream.ServerLimits()
	root, err := xmlstream.ParseDocument(r.b, xmlstream.Options{Limits: limits, ContentNS: xmlstream.NSServer})
	if err != nil {
		return Released{}, fmt.Errorf("%w: %w", ErrNotReply, err)
	}
	told, err := stanza.From(root)
	if err != nil {
		return Released{}, fmt.Errorf("%w: %w", ErrNotReply, err)
	}
	if err := templated(told); err != nil {
		return Released{}, err
	}
	if !peer.mayBe(told.To().Domain()) {
		return Released{}, fmt.Errorf("peer %q does not hold the domain it is for: %w", name, ErrNotReleased)
	}
	return Released{
		stanza: told, peer: name, link: link, version: p.version,
		local: told.From().DomainJID(), remote: told.To().DomainJID(),
	}, nil
}

// templated says what keeps an error from being one that Reply could have made.
func templated(s stanza.Stanza) error {
	cond, typ := s.Error()
	bare := stanza.Retold(s, cond, typ)
	if s.IsZero() || !s.IsError() || bare.IsZero() {
		return ErrNotReply
	}
	var texts, apps int
	rest := s.Element().MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
		return child.MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
			switch {
			case c.Is(xmlstream.NSStanzas, "text") && ourText(c.Text()):
				texts++
				return nil
			case c.Equal(tooBig):
				apps++
				return nil
			}
			return c
		})
	})
	if texts != 1 || apps > 1 || !rest.Equal(bare.Element()) {
		return fmt.Errorf("%w: more than a condition and a reference", ErrNotReply)
	}
	return nil
}

// refLength is how many characters makeRef gives.
const refLength = 13

// ourText reports whether a text is a reference, alone or behind one of our sentences.
func ourText(text string) bool {
	for _, told := range sentences {
		ref := text
		if told != "" {
			var ok bool
			if ref, ok = strings.CutPrefix(text, told+" ("); !ok {
				continue
			}
			if ref, ok = strings.CutSuffix(ref, ")"); !ok {
				continue
			}
		}
		code, ok := strings.CutPrefix(ref, "reference ")
		if ok && (code == "" || len(code) == refLength && strings.Trim(code, "0123456789abcdefghjkmnpqrstvwxyz") == "") {
			return true
		}
	}
	return false
}
