package config

import "slices"

// thin looks at what is spared on the way to a peer.
func (c *checker) thin(key string, p *Peer) {
	t := &p.Thin
	if t.IsNothing() {
		return
	}
	key += ".thin"
	if !c.cfg.Spooled(p) {
		c.bad(key, "is for peers that are sent to from the spool", "set spool = true of the peer")
	}
	if t.Rooms == RoomMerged {
		if !c.cfg.HasCustody(p) {
			c.bad(key+".rooms", "needs a gateway of ours at the other end, which makes the copies again", `write "copies"`)
		}
		if c.cfg.Spool.MergeWindow == 0 && !c.errorAt("spool.merge-window") {
			c.bad(key+".rooms", "needs a time in which copies are waited for", `set merge-window = "500ms" in [spool]`)
		}
	}
	if slices.Contains(t.Strip, Receipts) {
		c.risk(key+".strip", "without receipts nobody hears that a message was delivered", "leave receipts out, if they are relied on")
	}
}
