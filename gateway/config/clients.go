package config

import (
	"net/netip"
	"slices"
	"time"
)

// Local is the name of the server as a peer, and of the link that reaches it.
const Local = "local"

// ServerWeb says what is reached by HTTP.
type ServerWeb struct {
	// Addresses and ports for HTTPS (usually port 5443): clients by WebSocket (RFC 7395) at `/ws`, files at `/files/`, and where all of it is at `/.well-known/host-meta` (XEP-0156).
	Listen []netip.AddrPort `toml:"listen"`
	// How others reach it. Default: `https://`, the first of `server.domains`, and the port of the first address.
	URL string `toml:"url"`
	// Hosts whose web pages may connect, beside the one in `url`, such as `web.example` or `*.web.example`.
	Origins []string `toml:"origins"`
	// Also lets clients connect by BOSH (XEP-0124) at `/bosh`, for web clients without WebSocket.
	BOSH bool `toml:"bosh"`
	// Asks for certificates here, too, so that web clients can log in with `EXTERNAL`. Browsers ask their users which one to show.
	Certificates bool `toml:"certificates"`
	// Files that people send each other (XEP-0363).
	Files ServerFiles `toml:"files"`
}

// ServerFiles says which files the server keeps. What is in a file is not judged: whoever has its address can read it.
type ServerFiles struct {
	// Bytes that the files of one account may take. Zero: no files are taken.
	Quota Size `toml:"quota-bytes" min:"0" max:"1024 GiB"`
	// The largest file.
	MaxFile Size `toml:"max-file-bytes" min:"1 KiB" max:"16 GiB"`
	// How long a file is kept.
	Keep time.Duration `toml:"keep" min:"1h" max:"3650d"`
	// Directory for the files. Default: `files` in the state directory. Created with mode 0700.
	Dir Dir `toml:"dir"`
}

// ServerLogin says how clients log in.
type ServerLogin struct {
	// Mechanisms they may use, the preferred first. Each of SCRAM stands for its `-PLUS` variant as well, which binds the password to the TLS connection. `PLAIN` hands the password over, inside TLS. `EXTERNAL` needs no password: the certificate that the client shows names the account (XmppAddr, XEP-0178), which has to exist here.
	Mechanisms []Mechanism `toml:"mechanisms" enum:"EXTERNAL,SCRAM-SHA-512,SCRAM-SHA-256,SCRAM-SHA-1,PLAIN"`
	// Files with the CA certificates (PEM) that vouch for people who log in with `EXTERNAL`. The system's own list is never used. Read again on reload.
	Trust []File `toml:"trust"`
	// Files with certificate revocation lists (PEM or DER) of these CAs. Read again on reload. Who is logged in already stays so.
	CRL []File `toml:"crl"`
	// Refuses a certificate when there is no current revocation list of the CA that signed it.
	CRLRequired bool `toml:"crl-required"`
	// Whether logins are bound to the TLS connection: where the client can, always, or never. Some old clients believe that a server that binds does so in a way that TLS 1.3 does not have, and fail: they need `never`. Web clients cannot: with `require` they log in by certificate alone.
	Binding Binding `toml:"channel-binding" enum:"offer,require,never"`
	// The oldest TLS version that clients may use.
	MinTLS TLSVersion `toml:"min-tls" enum:"1.2,1.3"`
	// Lets clients on TCP compress (XEP-0138), for thin links. Who watches the encrypted connection learns something of the text from the lengths, and more if he can have the client receive words of his (CRIME). Each stanza is compressed by itself, which hides one from another and saves less.
	Compression bool `toml:"compression"`
	// Lets clients in from before SASL (XEP-0078), which know no better: inside TLS, with the password itself. Not with `channel-binding = "require"`.
	Legacy bool `toml:"legacy"`
}

// Mechanism is a way for clients to prove who they are.
type Mechanism string

// The mechanisms.
const (
	ByCertificate Mechanism = "EXTERNAL"
	SCRAMSHA512   Mechanism = "SCRAM-SHA-512"
	SCRAMSHA256   Mechanism = "SCRAM-SHA-256"
	SCRAMSHA1     Mechanism = "SCRAM-SHA-1"
	PlainText     Mechanism = "PLAIN"
)

// Binding says whether logins are bound to the TLS connection.
type Binding string

// The choices.
const (
	BindingOffer   Binding = "offer"
	BindingRequire Binding = "require"
	BindingNever   Binding = "never"
)

// ServerLabels says how the users of the server label and are labelled, in the words of a peer.
type ServerLabels struct {
	// Files with the security clearances of the server itself, one under each security policy: nobody on it sees or sends more. Without any its users can exchange nothing that has a label.
	Clearance Files `toml:"clearance"`
	// What a message of a user without a label is: refused, or judged under a default label, which is found as for a peer.
	Unlabelled Unlabelled `toml:"unlabelled" enum:"refuse,default"`
	// File with the label that unlabelled messages of users are judged under.
	DefaultLabel File `toml:"default-label"`
	// Label syntaxes that users may use. The first is the one they are sent.
	Syntaxes []LabelSyntax `toml:"label-syntaxes" enum:"ess,nato4774,ic-ism,sdn801c"`
	// What users are sent in the way of labels: what came, also default labels where none came, or never any. What is kept for them keeps its label, whatever they are sent.
	Send SendLabels `toml:"send-labels" enum:"as-received,always,never"`
	// Puts the marking of the label in square brackets as a first line before the text, and takes XHTML alternatives away. For users whose clients know no labels, with `send-labels = "never"`. What is kept for them stays as it came.
	WriteFirstLine bool `toml:"write-first-line"`
	// Clients that say in their capabilities that they know labels (XEP-0258) are sent labels and no first line, whatever `send-labels` and `write-first-line` say, which are then for all others.
	WhereKnown bool `toml:"labels-where-known"`
	// The security policy, by name or object identifier, that users read labels under. Default: that of the side.
	Policy string `toml:"label-policy"`
	// Language of the display markings that users are sent, such as `fr`. Empty: that of the policy.
	Language string `toml:"marking-language"`
	// File with the label catalogue (XEP-0258) that users choose from who have none of their own.
	Catalogue File `toml:"catalogue"`
}

// ServerLimits bounds what clients can make the server spend.
type ServerLimits struct {
	// The largest stanza taken from a client. A larger one ends its connection.
	MaxStanzaBytes Size `toml:"max-stanza-bytes" min:"10000" max:"16 MiB"`
	// Clients of one account that may be connected at a time.
	Resources int `toml:"resources" min:"1" max:"1000"`
	// Stanzas in a second that one client may send on average; ten times as many may come at once. More are refused with the error `policy-violation` of type `wait`, and whoever goes on is disconnected. Zero: as many as the server takes, which holds back who sends faster.
	StanzaRate int `toml:"stanza-rate" min:"0" max:"100000"`
	// The same for all clients of one account together.
	AccountRate int `toml:"account-stanza-rate" min:"0" max:"100000"`
	// The same for all clients of one address (of IPv6: of one /64) together. Not for clients behind a proxy or NAT that many share.
	AddressRate int `toml:"address-stanza-rate" min:"0" max:"1000000"`
	// HTTPS connections of one address (of IPv6: of one /64) at a time, but those that have become WebSockets: BOSH has two of each client. More are closed at once, and a line in the log says so. For clients behind a proxy or NAT that many share it may have to be larger. Of all addresses together they are 10,000.
	WebConnections int `toml:"web-connections" min:"10" max:"10000"`
	// Stanzas that may wait for the server to take them. Beyond, what comes in is held back at its source.
	QueueStanzas int `toml:"queue-stanzas" min:"1" max:"1000000"`
	// Bytes that may wait for it.
	QueueBytes Size `toml:"queue-bytes" min:"1 MiB" max:"4 GiB"`
}

// DefaultServer is what holds where the table of the server says nothing.
func DefaultServer() Server {
	return Server{
		Store:        ServerStore{KeepMessages: 365 * 24 * time.Hour},
		Passwords:    Passwords{MinLength: 10, Iterations: 10_000},
		Invitations:  ServerInvitations{Keep: 7 * 24 * time.Hour},
		Registration: ServerRegistration{PerHour: 3, ChangePassword: true},
		Web:          ServerWeb{Files: ServerFiles{MaxFile: 16 << 20, Keep: 30 * 24 * time.Hour}},
		Login:        ServerLogin{Mechanisms: []Mechanism{SCRAMSHA512, SCRAMSHA256, SCRAMSHA1}, Binding: BindingOffer, MinTLS: TLS12},
		Labels:       ServerLabels{Unlabelled: UnlabelledRefuse, Syntaxes: []LabelSyntax{SyntaxESS, SyntaxNATO4774}, Send: SendAsReceived},
		Limits:       ServerLimits{MaxStanzaBytes: 256 << 10, Resources: 20, WebConnections: 1_000, QueueStanzas: 10_000, QueueBytes: 64 << 20},
	}
}

// Open reports whether clients can connect, which makes the server a peer.
func (s *Server) Open() bool { return len(s.Listen)+len(s.ListenDirect)+len(s.Web.Listen) > 0 }

// table is where the file says what p is; tableOfLabels is where it says so of labels.
func (p *Peer) table() string {
	if p.Ourselves {
		return "server"
	}
	return joinKey("peer", p.Name)
}

func (p *Peer) tableOfLabels() string {
	if p.Ourselves {
		return "server.labels"
	}
	return p.table()
}

// localPeer is the server as a peer: on the link of its own, known by being this process, and part of every kind of traffic, so that
// the peer at the other end decides which kinds cross.
func (s *Server) localPeer() Peer {
	p := DefaultPeer()
	p.Name, p.Ourselves, p.Side, p.Domains = Local, true, s.Side, slices.Concat(s.Domains, s.ComponentDomains())
	p.Authenticate, p.MinTLS, p.Links = nil, "", []string{Local}
	p.Kinds = Kinds{Message: true, Presence: true, MUC: true, PubSub: true, IQ: []string{"*"}}
	p.MaxStanzaBytes, p.QueueStanzas, p.QueueBytes = s.Limits.MaxStanzaBytes, s.Limits.QueueStanzas, s.Limits.QueueBytes
	l := &s.Labels
	p.Clearance, p.Unlabelled, p.DefaultLabel, p.LabelSyntaxes, p.SendLabels = l.Clearance, l.Unlabelled, l.DefaultLabel, l.Syntaxes, l.Send
	p.LabelsWhereKnown = l.WhereKnown
	p.WriteFirstLine, p.LabelPolicy, p.MarkingLanguage, p.Catalogue = l.WriteFirstLine, l.Policy, l.Language, l.Catalogue
	return p
}
