package config

import (
	"slices"

	"sallyport/s5066"
)

// Radio is what a link of kind `hf` has beyond others.
type Radio struct {
	// What both ends speak: `rcop` as other vendors have it (XEP-0365 0.2.1), with `framing = "plain"`; `stream`, with `framing` `custody` or `managed` and compression; `compact` between gateways of our own, with `framing = "custody"`, in the fewest bytes.
	Mode RadioMode `toml:"mode" enum:"rcop,stream,compact"`
	// The STANAG 5066 address of the peer's node, such as `1.2.3.4`. Our own is the node's to know.
	Remote string `toml:"remote"`
	// The SAP that both ends use. Each link to a node needs one of its own.
	SAP int `toml:"sap" min:"1" max:"15"`
	// The rank of our bind.
	Rank int `toml:"rank" min:"0" max:"14"`
	// The application ID of RCOP and UDOP, where the other end is not ours. Zero: 33637.
	Application int `toml:"application" min:"0" max:"65535"`
	// Waits for the confirmation of the peer's client, not of its node (`rcop` only).
	ClientConfirmation bool `toml:"client-confirmation"`
	// Sends RCOP messages as UDOP: without ARQ, never confirmed.
	Datagrams bool `toml:"datagrams"`
	// File with a model that both ends have, as `sallyport link train` makes it (`compact` only). Empty: the one that is built in.
	Model File `toml:"model"`
	// Addresses of people and rooms that are usual on the link, in the same order at both ends (`compact` only): they cost a byte or two.
	Addresses []string `toml:"addresses"`
	// Begins under radio silence: what comes in is taken, nothing is sent.
	Silent bool `toml:"silent"`
	// Writes into the audit log what the node tells of its links on the air: made, lost, refused, another rate, radio silence, its modem. For that, the gateway binds to the node a second time, as a manager (SAP 0, rank 15), which the node has to permit; only nodes of our own tell it.
	Events bool `toml:"events"`
	// Classes of precedence that are broadcast, without acknowledgements from the subnetwork, for a peer under radio silence (`compact` only).
	Broadcast []string `toml:"broadcast"`
	// Where to: a group, such as `31.255.255.255`. Empty: the peer's address.
	BroadcastTo string `toml:"broadcast-to"`
	// How often the node repeats what is broadcast.
	BroadcastCopies int `toml:"broadcast-copies" min:"0" max:"15"`
}

// RadioMode is what both ends of a link of kind hf speak. The zero value is none.
type RadioMode string

// The modes.
const (
	RadioRCOP    RadioMode = "rcop"
	RadioStream  RadioMode = "stream"
	RadioCompact RadioMode = "compact"
)

// RadioClasses are the words of broadcast, in the order of the classes.
func RadioClasses() []string { return []string{"routine", "priority", "immediate", "flash"} }

// radio looks at a link of kind hf.
func (c *checker) radio(key string, l *Link) {
	r := &l.HF
	if len(l.Listen) > 0 || len(l.Connect) != 1 {
		c.bad(key+".connect", "names the node of a link of kind hf, and nothing listens", `write connect = ["127.0.0.1:5066"]`)
	}
	key += ".hf"
	if r.Mode == "" && !c.errorAt(key+".mode") {
		c.bad(key+".mode", "is missing", "write compact where the other end is ours, or rcop")
	}
	c.stanag(key+".remote", r.Remote, false)
	if r.BroadcastTo != "" {
		c.stanag(key+".broadcast-to", r.BroadcastTo, true)
	}
	framings := map[RadioMode][]Framing{RadioRCOP: {Plain}, RadioStream: {Custody, Managed}, RadioCompact: {Custody}}
	if want := framings[r.Mode]; len(want) > 0 && !slices.Contains(want, l.Framing) {
		c.bad(key+".mode", string(r.Mode)+" does not go with framing = "+string(l.Framing), "write framing = "+`"`+string(want[0])+`"`)
	}
	if r.Mode == RadioStream && l.Compression == CompressNone {
		c.bad(key+".mode", "stream needs compression", `set compression = "fresh" of the link`)
	}
	if r.Mode != RadioStream && r.Mode != "" && l.Compression != CompressNone {
		c.bad(key+".mode", string(r.Mode)+" does not use compression", "leave it out of the link")
	}
	c.only(key, r)
	for i := range c.cfg.Links {
		o := &c.cfg.Links[i]
		if o.Name < l.Name && o.Kind == KindHF && len(o.Connect) == 1 && len(l.Connect) == 1 && o.Connect[0] == l.Connect[0] && o.HF.SAP == r.SAP {
			c.bad(key+".sap", "is that of link "+o.Name+" at the same node, which gives a SAP to one client", "use another one, at both ends")
		}
	}
	if r.Application != 0 && r.Application < 0x8000 {
		c.bad(key+".application", "is one that others administer", "use 32768 to 65535")
	}
	for i, word := range r.Broadcast {
		if !slices.Contains(RadioClasses(), word) {
			c.bad(entryKey(key+".broadcast", i+1), shown(word)+" is no class of precedence", "write routine, priority, immediate or flash")
		}
	}
	if l.BitsPerSecond == 0 {
		c.risk(joinKey("link", l.Name)+".bits-per-second", "is missing, and everything about a radio follows from it", "write the usable rate of the line, and round-trip")
	}
}

// only refuses what the mode does not have.
func (c *checker) only(key string, r *Radio) {
	if r.Datagrams && r.Mode != RadioRCOP {
		c.bad(key+".datagrams", "is for mode rcop", "leave it out")
	}
	if r.Mode != RadioCompact && (r.Model != "" || len(r.Addresses) > 0 || len(r.Broadcast) > 0) {
		c.bad(key+".mode", "has neither model, addresses nor broadcast", "use compact, or leave them out")
	}
}

// stanag wants an address of the radio network.
func (c *checker) stanag(key, text string, group bool) {
	a, err := s5066.ParseAddress(text)
	switch {
	case text == "":
		c.bad(key, "is missing", `write the address of the peer's node, such as "1.2.3.4"`)
	case err != nil:
		c.bad(key, shown(text)+" is not a STANAG 5066 address", `write four numbers, such as "1.2.3.4"`)
	case a.IsGroup() && !group:
		c.bad(key, "is a group, and a link has one peer", "write the address of its node")
	}
}
