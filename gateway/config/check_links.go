package config

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"sallyport/gateway/precedence"
)

// links looks at the tables of links and at who uses them.
func (c *checker) links() {
	for i := range c.cfg.Links {
		l := &c.cfg.Links[i]
		key := joinKey("link", l.Name)
		if l.IsS2S() {
			c.alwaysThere(key, l)
			continue
		}
		c.name(key, l.Name)
		if l.Name == Local && c.cfg.Server.Open() {
			c.bad(key, "is what leads to the server of this node", "give yours another name")
		}
		c.ofPeer(key, l)
		c.carrier(key, l)
		switch l.Kind {
		case KindX2X:
			c.x2x(key, l)
		case KindDTLS:
			c.dtls(key, l)
		case KindHF:
			c.radio(key, l)
		case KindS2S:
			c.bad(key+".kind", "only the link that is called s2s is of this kind", "write x2x, dtls or hf")
		default:
			if !c.errorAt(key + ".kind") {
				c.bad(key+".kind", "is missing", "write x2x, dtls or hf; the link that is always there is called s2s")
			}
		}
	}
	for i := range c.cfg.Peers {
		if p := &c.cfg.Peers[i]; !p.Refuse && !p.Ourselves {
			c.reachedBy(joinKey("peer", p.Name), p)
			c.thin(joinKey("peer", p.Name), p)
		}
	}
	c.spool()
	_, problems := precedence.Compile(c.cfg.Precedence)
	for _, p := range problems {
		key := "precedence." + p.Key
		if table, name, ok := strings.Cut(p.Key, "."); ok {
			key = joinKey("precedence."+table, name)
		}
		if p.Risk {
			c.risk(key, p.Text, "leave them alike, unless order does not matter there")
		} else if !c.errorAt(key) {
			c.bad(key, p.Text, "")
		}
	}
}

// alwaysThere refuses settings of s2s that stand elsewhere.
func (c *checker) alwaysThere(key string, l *Link) {
	d := DefaultLink()
	d.Name, d.Clearance, d.Kind = l.Name, l.Clearance, l.Kind
	if l.Kind != "" && l.Kind != KindS2S {
		c.bad(key+".kind", "the link that is called s2s is of kind s2s", "give yours another name")
		return
	}
	if fmt.Sprint(*l) != fmt.Sprint(d) {
		c.bad(key, "takes only a clearance", "addresses and security of server-to-server streams stand with sides and peers")
	}
}

func (c *checker) ofPeer(key string, l *Link) {
	p := c.peer[l.Peer]
	switch {
	case l.Peer == "":
		if !c.errorAt(key + ".peer") {
			c.bad(key+".peer", "is missing; nobody could be at its other end", "name a [peer]")
		}
	case p == nil:
		var names []string
		for name := range c.peer {
			names = append(names, name)
		}
		slices.Sort(names)
		c.undefined(key+".peer", l.Peer, "peer", names)
	case p.Ourselves:
		c.bad(key+".peer", "is the server of this node, which nothing leads to", "name a [peer]")
	case p.Refuse:
		c.bad(key+".peer", "peer "+l.Peer+" has refuse = true", "remove the link, or refuse")
	case p.Default || len(p.Domains) == 0:
		c.bad(key+".peer", "peer "+l.Peer+" has no domains of its own, and a link of this kind is for a known list", "list its domains")
	}
}

// carrier looks at how a link comes about.
func (c *checker) carrier(key string, l *Link) {
	if len(l.Listen)+len(l.Connect) == 0 && !c.errorAt(key+".listen") && !c.errorAt(key+".connect") {
		c.bad(key, "neither listens nor connects", "set listen, connect, or both")
	}
	if l.Idle > 0 && len(l.Connect) == 0 {
		c.risk(key+".idle", "the peer opens this link, so only it can open it again", "set idle at the peer")
	}
	if l.Idle > 0 && l.KeepAlive > 0 && l.KeepAlive < l.Idle {
		c.risk(key+".keep-alive", "keeps a link awake that is to be closed when idle", "leave one of the two out")
	}
	if l.Framing != Custody && !c.errorAt(key+".framing") {
		if l.Framing == Plain {
			c.risk(key+".framing", "nothing is ever confirmed; what was written when the link breaks is in doubt", `write "managed" if the other end can, or "custody" if it is a gateway of ours`)
		}
		if l.Compression != CompressNone {
			c.risk(key+".compression", "the two ends cannot notice that their dictionaries differ", "compare the fingerprints that sallyport link status shows")
		}
	}
	if l.Compression == CompressShared {
		c.risk(key+".compression", "senders share a context: the sizes of messages tell one of them about the other's text", `write "fresh"`)
	}
	c.budgets(key, l)
	if l.Dictionary != "" && l.Compression == CompressNone {
		c.bad(key+".dictionary", "is for compression, and there is none", `set compression = "fresh"`)
	}
}

func (c *checker) x2x(key string, l *Link) {
	if l.SharedKey != "" || l.SharedKeyName != "" {
		c.bad(key+".shared-key", "is for links of kind dtls", "use certificates, with pins")
	}
	if l.Security == LinkTLS {
		c.certificateOf(key, l)
		return
	}
	if len(l.From) == 0 && !c.errorAt(key+".from") {
		c.bad(key+".from", "is missing, and the address is all that the peer is known by", "list the addresses that it has")
	}
	c.risk(key+".security", "whoever can send from the addresses of the peer is believed, and whoever is between reads everything", `write "tls"`)
}

// certificateOf looks at both certificates of a link.
func (c *checker) certificateOf(key string, l *Link) {
	if len(c.cfg.Certificates) == 0 && !c.errorAt("certificate") {
		c.bad("certificate", "link "+l.Name+" shows a certificate, and there is none", "add a [[certificate]] with cert and key")
	}
	p := c.peer[l.Peer]
	if p == nil || len(l.Pins) > 0 || c.errorAt(key+".pins") {
		return
	}
	if side := c.cfg.Side(p.Side); side != nil && len(side.Trust) == 0 && !c.errorAt(joinKey("side", p.Side)+".trust") {
		c.bad(key+".pins", "is empty, and side "+p.Side+" trusts no CA; nobody could prove to be the peer", "pin the key of the peer, or set trust on the side")
	}
}

const (
	minSharedKey = 16
	maxSharedKey = 64
)

func (c *checker) dtls(key string, l *Link) {
	if l.Security == LinkClear {
		c.bad(key+".security", "datagrams are always protected", "leave it out")
	}
	if l.Framing != Custody {
		c.bad(key+".framing", "is custody for datagrams: nobody else speaks this", "leave it out")
	}
	switch {
	case len(l.Listen) > 0 && len(l.Connect) > 0:
		c.bad(key+".connect", "one end of a datagram link opens, the other listens", "leave one of the two out")
	case len(l.Listen) > 1:
		c.bad(key+".listen", "a datagram link has one socket", "name one address")
	case len(l.Connect) > 1:
		c.bad(key+".connect", "a datagram link has one other end", "name one address")
	case len(l.Connect) == 1 && !isAddress(l.Connect[0].Host):
		c.bad(entryKey(key+".connect", 1), shown(l.Connect[0].Host)+" is not an IP address", "datagrams go to an address; write it, such as 192.0.2.7:5271")
	}
	if l.SharedKey == "" {
		c.certificateOf(key, l)
		return
	}
	if l.SharedKeyName == "" {
		c.bad(key+".shared-key-name", "is missing", "write the same at both ends")
	}
	if info, err := os.Stat(string(l.SharedKey)); err == nil && (info.Size() < minSharedKey || info.Size() > maxSharedKey) {
		c.bad(key+".shared-key", fmt.Sprintf("holds %d bytes, and the key has %d to %d", info.Size(), minSharedKey, maxSharedKey),
			"openssl rand -out "+string(l.SharedKey)+" 32")
	}
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// reachedBy looks at the links of one peer together.
func (c *checker) reachedBy(key string, p *Peer) {
	var names []string
	for i := range c.cfg.Links {
		if l := &c.cfg.Links[i]; l.Peer == p.Name && !l.IsS2S() {
			names = append(names, l.Name)
		}
	}
	for i, name := range p.Links {
		at := entryKey(key+".links", i+1)
		switch l := c.cfg.Link(name); {
		case slices.Index(p.Links, name) != i:
			c.bad(at, "is there twice", "keep one of the two")
		case name == S2S:
		case l == nil:
			c.undefined(at, name, "link", append(slices.Clone(names), S2S))
		case l.Peer != p.Name:
			c.bad(at, "link "+name+" is for peer "+l.Peer, "name a link of this peer")
		}
	}
	for _, name := range names {
		if len(p.Links) > 0 && !slices.Contains(p.Links, name) && !c.errorAt(key+".links") {
			c.risk(joinKey("link", name), "is not among links of peer "+p.Name+", so nothing is sent over it", "add it there")
		}
	}
	c.alike(key, p)
}

// alike refuses links to one peer of which only some keep custody, and a peer that nothing can be sent to.
func (c *checker) alike(key string, p *Peer) {
	sends, custody, others := false, "", ""
	for _, name := range c.cfg.LinksOf(p) {
		l := c.cfg.Link(name)
		switch {
		case name == S2S:
			sends, others = true, name
		case l == nil:
			return // reported
		case l.Framing == Custody:
			sends, custody = sends || !l.InboundOnly, name
		default:
			sends, others = sends || !l.InboundOnly, name
		}
	}
	if custody != "" && others != "" {
		c.bad(key+".links", fmt.Sprintf("link %s keeps custody and %s does not, and a peer is a gateway of ours or it is not", custody, others),
			"use one framing for all of them")
	}
	if !sends {
		c.risk(key+".links", "all of them are inbound-only, so nothing can be sent to it", "add one that is not")
	}
	if len(c.cfg.LinksOf(p)) > maxLinks {
		c.bad(key+".links", fmt.Sprintf("are more than %d", maxLinks), "remove some")
	}
}

// maxLinks is how many links may reach one peer (peering.MaxLinks).
const maxLinks = 16

func (c *checker) spool() {
	s := &c.cfg.Spool
	if s.MaxPeerBytes > s.MaxBytes && !c.errorAt("spool.max-peer-bytes") && !c.errorAt("spool.max-bytes") {
		c.bad("spool.max-peer-bytes", "is more than spool.max-bytes", "lower it")
	}
	used := false
	for i := range c.cfg.Peers {
		used = used || !c.cfg.Peers[i].Refuse && c.cfg.Spooled(&c.cfg.Peers[i])
	}
	if !used && c.index.lineOf("spool") > 0 {
		c.risk("spool", "no peer uses it", "set spool = true of a peer")
	}
}
