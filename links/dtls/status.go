package dtls

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"sallyport/links"
	"sallyport/links/deflate"
)

// Status is the link as an operator sees it. It takes each lock for a moment.
func (l *Link) Status() links.Status {
	l.mu.Lock()
	s := links.Status{
		Name: l.cfg.Name, Kind: "dtls", Peer: l.cfg.Peer, Side: l.cfg.Side, State: l.state, Since: l.since, Profile: l.profile, Traffic: l.traffic,
		Story: l.story.Tell(), Fingerprint: l.Fingerprint(), Warnings: l.warnings(),
	}
	if l.state == links.Waiting {
		s.Retry = l.retry
	}
	s.Backlog.Stanzas, s.Backlog.Bytes = l.count, l.bytes
	if len(l.pending) > 0 {
		s.Backlog.Oldest = l.pending[0].since
	}
	now := l.session
	l.mu.Unlock()
	s.Usage = l.usage.Tell(time.Now())
	if now == nil {
		return s
	}
	a := now.a
	s.Carrier, s.Quality = carried(a), a.Quality()
	in, out := a.Traffic()
	s.Traffic.BytesIn += in
	s.Traffic.BytesOut += out
	s.Backlog.UnconfirmedBytes = a.Unconfirmed()
	for _, st := range now.strands {
		st.picture(&s.Backlog)
	}
	return s
}

// picture adds what a strand holds.
func (st *strand) picture(b *links.Backlog) {
	if w, ok := st.head(); ok && (b.Oldest.IsZero() || w.since.Before(b.Oldest)) {
		b.Oldest = w.since
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	items, _ := st.stream.Unconfirmed()
	b.Unconfirmed += items
	b.Unsettled += st.stream.Unsettled()
}

// Fingerprint names what both ends must have configured alike. It says nothing of the key.
func (l *Link) Fingerprint() string {
	compression, identity := "none", "certificates"
	if z := l.cfg.Compression; z != nil {
		compression = fmt.Sprintf("%d %s", z.Context, z.Dictionary.ID())
	}
	if k := l.sharedKey(); k != nil {
		identity = "key " + k.Identity
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "dtls 1\n%d\n%s\n%s", l.endpoint.cfg.Lanes, identity, compression))
	return hex.EncodeToString(sum[:6])
}

func (l *Link) sharedKey() *SharedKey { return l.endpoint.cfg.peer(l.cfg.Peer).Shared }

// warnings are what the operator should know of the configuration, in words.
func (l *Link) warnings() (out []string) {
	if z := l.cfg.Compression; z != nil && z.Context == deflate.Shared {
		out = append(out, "senders share a compression context: sizes tell one of them about the other's text")
	}
	if l.sharedKey() == nil {
		out = append(out, "the key exchange does not withstand a later quantum computer; a shared key does")
	}
	return out
}

// carried says what carries, for an operator.
func carried(a *Association) string {
	text := "DTLS 1.2 by certificate"
	switch {
	case a.known.peer != nil && a.known.peer.Shared != nil:
		text = "DTLS 1.2 by shared key"
	case a.known.proof.Pinned:
		text += ", pinned key"
	}
	if a.Opener() {
		return text + ", opened by us"
	}
	return text + ", opened by the peer"
}
