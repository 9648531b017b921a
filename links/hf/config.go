package hf

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/links/deflate"
	"sallyport/links/x2x"
	"sallyport/s5066"
	"sallyport/s5066/rcop"
)

// Mode is what both ends have agreed to speak. The zero value is none.
type Mode uint8

// The modes.
const (
	NoMode  Mode = iota
	RCOP         // XEP-0365 0.2.1: one stanza is one RCOP message
	Stream       // XEP-0365 0.3 in spirit: a zero-handshake stream over a reliable stream, with DEFLATE
	Compact      // our own gateways: custody, coded stanzas, several in a U_PDU
)

// String returns the word used in configuration.
func (m Mode) String() string {
	switch m {
	case NoMode:
		return "none"
	case RCOP:
		return "rcop"
	case Stream:
		return "stream"
	case Compact:
		return "compact"
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// ParseMode is the inverse of Mode.String.
func ParseMode(word string) (Mode, error) {
	for m := NoMode; m <= Compact; m++ {
		if m.String() == word {
			return m, nil
		}
	}
	return NoMode, fmt.Errorf("hf: no mode %q", word)
}

// Broadcast says what goes out without asking for acknowledgements, for a peer that must not transmit (EMCON).
type Broadcast struct {
	// To is where: a group, or the peer's own address.
	To s5066.Address
	// Copies is how often the node repeats each U_PDU at once, 0 to 15.
	Copies uint8
	// Every is the pause before something unacknowledged is sent again, doubled each time; 0 follows from the profile.
	Every time.Duration
	// Lanes are the classes that are sent so.
	Lanes [links.Lanes]bool
}

// Config is one link. It is a value.
type Config struct {
	// Name is the link's name, which a Released must carry.
	Name, Side string
	// Peer is the name of the peer.
	Peer string
	// Remote says whether the peer may speak for a domain, Local whether we host one. Nil is no.
	Remote, Local func(domain jid.JID) bool
	// PeerDomain and LocalDomain stand in for those of a stanza that names none.
	PeerDomain, LocalDomain jid.JID

	Mode    Mode
	Profile links.Profile

	Node    string        // address of the node, host:port
	SAP     s5066.SAP     // ours and the peer's; 6 is usual, 7 for datagrams
	Rank    s5066.Rank    // of our bind
	Address s5066.Address // the peer's node
	// App is the application ID of RCOP and UDOP; 0 is DefaultApp.
	App uint16
	// Confirm is whose confirmation RCOP waits for; none means that of the node.
	Confirm s5066.Confirmation
	// Datagrams sends RCOP messages as UDOP: without ARQ, never confirmed.
	Datagrams bool
	// Managed makes a Stream without custody, with acknowledgements of XEP-0198.
	Managed bool
	// Broadcast is for Compact; nil is none.
	Broadcast *Broadcast
	// Silent begins under radio silence of our own: everything is received, nothing sent. See Link.SetSilent.
	Silent bool

	Codec       *compact.Codec  // of Compact, this link's own
	Compression *deflate.Config // of Stream, where it must be there

	// QueueStanzas and QueueBytes bound what the link holds; 0 means 1,000 and 1 MiB. Age is how long a stanza without custody may wait; 0 means
	// two minutes, stretched by the profile, and twice what a full window takes on the line.
	QueueStanzas, QueueBytes int
	Age                      time.Duration
}

// DefaultApp is the application ID used where none is configured: none is assigned to XMPP.
const DefaultApp = rcop.FirstFreeApp | 0x0365

const (
	defaultStanzas = 1000
	defaultBytes   = 1 << 20
	defaultAge     = 2 * time.Minute
	maxStanza      = 180 << 10 // bytes of XML, so that it fits into what a lane may have under way
	formatVersion  = 2
)

// Custody reports whether the mode keeps custody.
func (c *Config) Custody() bool { return c.Mode == Compact || c.Mode == Stream && !c.Managed }

func (c *Config) withDefaults() {
	if c.QueueStanzas <= 0 {
		c.QueueStanzas = defaultStanzas
	}
	if c.QueueBytes <= 0 {
		c.QueueBytes = defaultBytes
	}
	if c.Age <= 0 {
		c.Age = c.Profile.Timeout(defaultAge) + 2*c.Profile.Transmit(c.Profile.WindowBytes()) // so much may stand before it
	}
	if c.App == 0 {
		c.App = DefaultApp
	}
	if c.Confirm == s5066.ConfirmNone {
		c.Confirm = s5066.ConfirmNode
	}
	if c.Remote == nil {
		c.Remote = func(jid.JID) bool { return false }
	}
	if c.Local == nil {
		c.Local = func(jid.JID) bool { return false }
	}
}

// Validate reports every contradiction, not only the first.
func (c *Config) Validate() error {
	var problems []error
	complain := func(bad bool, what string) {
		if bad {
			problems = append(problems, fmt.Errorf("link %q: %s", c.Name, what))
		}
	}
	complain(c.Name == "" || c.Peer == "", "no name, or no peer")
	complain(c.Node == "", "no address of a node")
	complain(!c.SAP.Valid() || c.SAP == s5066.SAPManagement, "a SAP that is no client's")
	complain(!c.Rank.Valid() || c.Rank == s5066.RankManager, "a rank that is not for clients")
	complain(!c.Address.IsUnicast(), "the address of the peer is not that of one node")
	complain(c.Mode != RCOP && c.Mode != Stream && c.Mode != Compact, "no mode")
	complain(c.Mode == Compact && c.Codec == nil, "compact without a codec")
	complain(c.Mode == Stream && c.Compression == nil, "a stream without compression, which is mandatory")
	complain(c.Mode != RCOP && c.Datagrams, "datagrams are for rcop")
	complain(c.Mode != Stream && c.Managed, "only a stream can be without custody by choice")
	complain(c.Mode != Compact && c.Broadcast != nil, "broadcast is for compact")
	complain(c.App != 0 && c.App < rcop.FirstFreeApp, "an application ID that others administer")
	complain(c.Broadcast != nil && (!c.Broadcast.To.Valid() || c.Broadcast.Copies > 15), "broadcast to nobody, or more than 15 copies")
	return errors.Join(problems...)
}

// Fingerprint names what both ends must have configured alike.
func (c *Config) Fingerprint() string {
	coding := "none"
	switch {
	case c.Codec != nil:
		coding = c.Codec.Fingerprint().String()
	case c.Compression != nil:
		coding = fmt.Sprintf("%d %s", c.Compression.Context, c.Compression.Dictionary.ID())
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "hf %d\n%v\n%d\n%v\n%d\n%s", formatVersion, c.Mode, c.SAP, c.Managed, c.App, coding))
	return hex.EncodeToString(sum[:6])
}

// Warnings are what the operator should know of the configuration, in words.
func (c *Config) Warnings() (out []string) {
	out = append(out, "the peer is known by the address of its node: whoever can transmit with it is believed, unless the line is encrypted below")
	if c.Datagrams {
		out = append(out, "datagrams are never confirmed: what is lost is lost")
	}
	if c.Mode == Stream && c.Compression != nil && c.Compression.Context == deflate.Shared {
		out = append(out, "senders share a compression context: sizes tell one of them about the other's text")
	}
	return out
}

// Env is the world a Link lives in. Custodian is needed under custody; other nil fields take nothing.
type Env struct {
	Custodian links.Custodian
	Watcher   links.Watcher
	Observer  x2x.Observer
	Network   Network
}
