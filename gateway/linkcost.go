package gateway

import (
	"fmt"

	"sallyport/gateway/config"
	"sallyport/gateway/precedence"
	"sallyport/gateway/thin"
	"sallyport/links"
	"sallyport/links/deflate"
)

// ConfiguredLink is a link as its cost can be predicted: what it is like, what it frames and compresses by, and what is spared on the way
// to its peer.
type ConfiguredLink struct {
	Profile     links.Profile
	Custody     bool
	Compression *deflate.Config // nil: none
	Thin        thin.Options
	Precedence  precedence.Spec
}

// LinkOf takes a link out of a configuration. It reads the dictionary, and nothing else.
func LinkOf(cfg *config.Config, name string) (out ConfiguredLink, err error) {
	l := cfg.Link(name)
	switch {
	case name == config.S2S:
		return out, fmt.Errorf("%s has no profile: it goes to everybody", name)
	case l == nil:
		return out, fmt.Errorf("there is no link %q", name)
	}
	out = ConfiguredLink{Profile: profileOf(l), Custody: l.Framing == config.Custody, Precedence: cfg.Precedence}
	if out.Compression, err = compression(l); err != nil {
		return out, fmt.Errorf("link %s: %w", name, err)
	}
	if p := cfg.Peer(l.Peer); p != nil && cfg.Spooled(p) {
		out.Thin = thinOptions(&p.Thin)
		if p.Thin.Rooms == config.RoomMerged {
			out.Thin.MergeWindow = cfg.Spool.MergeWindow
		}
	}
	return out, nil
}
