package config

import (
	"time"

	"sallyport/internal/tlsid"
)

// Peer is a neighbour: a server or another gateway.
type Peer struct {
	Name string `toml:"-"`
	// Ourselves: it is the server of this node, and made of its table.
	Ourselves bool `toml:"-"`
	// LabelsWhereKnown is that of the server's labels.
	LabelsWhereKnown bool `toml:"-"`

	// The side it is on.
	Side string `toml:"side" required:"true"`
	// Domains it owns: `a.example` is that domain alone, `*.a.example` all below it, at any depth.
	Domains []Pattern `toml:"domains"`
	// It also holds every domain that no other peer owns. One peer at most.
	Default bool `toml:"default"`
	// Domains it does not own but may relay stanzas from.
	SpeaksFor []Pattern `toml:"speaks-for"`
	// Nothing is exchanged with it, and connections are turned away. For a domain to be kept out although a wider entry covers it.
	Refuse bool `toml:"refuse"`

	// Ways it may prove who it is: `external` is a verified certificate (SASL EXTERNAL), `dialback` only that DNS leads back to it (XEP-0220).
	Authenticate []Authentication `toml:"authenticate" enum:"external,dialback"`
	// The oldest TLS version it may use.
	MinTLS TLSVersion `toml:"min-tls" enum:"1.2,1.3"`
	// Its key or certificate must be one of these: `spki-sha256:` with the hash of the public key (SubjectPublicKeyInfo), or `cert-sha256:` with that of the whole certificate, in base64 or hexadecimal. Empty: any with a certificate that verifies.
	Pins []tlsid.Pin `toml:"pins"`
	// The purpose (extended key usage) its certificate must name: either one, or `client` or `server` strictly. Public CAs stop issuing the client purpose.
	Usage Usage `toml:"usage" enum:"any,client,server"`

	// Where to connect: `HOST:PORT`, tried in order. Empty: the resolver of its side is asked.
	Route []Target `toml:"route"`
	// How TLS begins on a `route`. Found by DNS, the record itself says it.
	TLS TLSMode `toml:"tls" enum:"starttls,direct"`
	// One stream for both directions, if the peer can (XEP-0288).
	Bidi bool `toml:"bidi"`
	// Acknowledgements and resumption, if the peer can (XEP-0198).
	StreamManagement bool `toml:"stream-management"`
	// What becomes of a stanza that was written but not confirmed when the connection broke: an error to its sender, who may then send it twice, or written again, which may deliver it twice.
	InDoubt InDoubt `toml:"in-doubt" enum:"bounce,resend"`
	// How delivery is confirmed by a peer without stream management: a ping after the stanza (XEP-0199), or not at all.
	Confirm Confirm `toml:"confirm" enum:"ping,none"`
	// A connection without stanzas is closed after this time.
	Idle time.Duration `toml:"idle" min:"1m" max:"7d"`

	// The links that reach it, by name, best first. Empty: those that name it, by their priority, else `s2s`.
	Links []string `toml:"links"`
	// Keeps what goes to it on disk until it has been delivered, and lets it wait there while the peer cannot be reached. Always so with links other than `s2s`.
	Spool bool `toml:"spool"`

	// What is spared on the way to it, where its links are narrow. Only for peers that are sent to from the spool.
	Thin Thin `toml:"thin"`
	// What is answered here in its place, so that the question need not cross.
	Answers Answers `toml:"answers"`

	// Stanzas that may wait for it. Beyond, what comes in is held back at its source.
	QueueStanzas int `toml:"queue-stanzas" min:"1" max:"1000000"`
	// Bytes that may wait for it.
	QueueBytes Size `toml:"queue-bytes" min:"1 MiB" max:"4 GiB"`
	// How long a stanza may wait for it before its sender gets an error.
	QueueAge time.Duration `toml:"queue-age" min:"1s" max:"7d"`
	// The largest stanza taken from it. A larger one is answered with an error, the connection stays.
	MaxStanzaBytes Size `toml:"max-stanza-bytes" min:"10000" max:"16 MiB"`

	// The traffic it takes part in, from it and to it. Nothing, unless said here.
	Kinds Kinds `toml:"kinds"`

	// Files with its security clearances, in any syntax that `sallyport label` reads (ESS, STANAG 4774 XML, certificates, LDIF): one under each security policy. The one under the policy of a label counts. Without any it is cleared for nothing that has a label.
	Clearance Files `toml:"clearance"`
	// What a message from it without a label is: refused, or judged under a default label. Which one: of the first that is there of a `default-label` entry for this sender and destination, for the room, for the user; the `default-label` of the peer; of an entry for the domain; of its side; of the policy.
	Unlabelled Unlabelled `toml:"unlabelled" enum:"refuse,default"`
	// File with the label that its unlabelled messages are judged under.
	DefaultLabel File `toml:"default-label"`
	// Label syntaxes it may use. The first is the one it is sent. `ic-ism` needs `[policy.ic-ism]`; `sdn801c` is ESS with the older encoding of categories, for a peer that reads no other.
	LabelSyntaxes []LabelSyntax `toml:"label-syntaxes" enum:"ess,nato4774,ic-ism,sdn801c"`
	// What it is sent in the way of labels: what came, also the default label of the sending peer where none came, or never
	// any.
	SendLabels SendLabels `toml:"send-labels" enum:"as-received,always,never"`

	// The security policy, by name or object identifier, that it reads labels under. Default: that of its side.
	LabelPolicy string `toml:"label-policy"`
	// How a label under another policy becomes one under `label-policy`, before the clearance of the peer is asked, if the peer has no clearance under the policy of the label: by the equivalences that the policy of the label states for its own side (`outbound`) or for the receiving one (`foreign-spif`), by those that the target policy states for what it receives, read backwards (`local-spif`), or by the `translation` entries alone (`table`). A label that cannot be translated in full is refused. Clearances are never translated.
	TranslateOut Translate `toml:"translate-out" enum:"none,outbound,foreign-spif,local-spif,table"`
	// How a label that it sends becomes one under the `label-policy` of the side it goes to, after the clearance of the peer was asked for the label as it came.
	TranslateIn Translate `toml:"translate-in" enum:"none,outbound,foreign-spif,local-spif,table"`
	// Entries of a table of translations, for `table`.
	Translations []Translation `toml:"translation"`
	// Category values that a translation may drop where the target policy has nothing for them.
	Discardable []Category `toml:"discardable"`
	// Security policies, by name or object identifier, under which it is believed when it says that an equivalent label means the same as a label that cannot be read here.
	TrustEquivalents []string `toml:"trust-equivalents"`
	// What is put beside a label that was translated for the peer: nothing, the original label as an equivalent one, or the translation as an equivalent one with the original in its place. Equivalent labels that were received never go on.
	AddEquivalent AddEquivalent `toml:"add-equivalent" enum:"none,original,translation"`
	// Writes the privacy mark of a label to it. It is text of the sender that no policy decides about.
	KeepPrivacyMarks bool `toml:"keep-privacy-marks"`
	// Takes ESS labels from it in the distinguished encoding (DER) only.
	DEROnly bool `toml:"der-only"`
	// Takes STANAG 4774 labels from it that break the standard in ways that are seen in practice.
	LenientLabels bool `toml:"lenient-labels"`
	// Language of the display markings it is sent, such as `fr`. Empty: that of the policy.
	MarkingLanguage string `toml:"marking-language"`
	// Reads the marking in the first line of the text, in square brackets, as the label of a message that has none, if it is one of `catalogue`. The line is then taken off. Only for a peer whose own system writes the line and takes away what people type.
	ReadFirstLine bool `toml:"read-first-line"`
	// Puts the marking of the label in square brackets as a first line before the text, and takes XHTML alternatives away. For a peer that knows no labels, with `send-labels = "never"`.
	WriteFirstLine bool `toml:"write-first-line"`
	// File with the label catalogue of the peer (XEP-0258 or Genericode): the labels whose markings `read-first-line` knows.
	Catalogue File `toml:"catalogue"`
	// Whether a change of the subject of a room is judged like a message, or crosses unchecked as XEP-0258 has it, if both peers say so.
	Subjects Subjects `toml:"subjects" enum:"judge,xep-0258"`

	// Other names for its domains: on the left as the peer itself writes a domain, on the right as everybody else does.
	DomainMap []Mapping `toml:"domain-map,pairs"`
}

// Kinds is the traffic a peer takes part in. The zero value is none.
type Kinds struct {
	// Messages between people.
	Message bool `toml:"message"`
	// Presence and subscriptions.
	Presence bool `toml:"presence"`
	// Rooms: groupchat messages, invitations and the presence of occupants.
	MUC bool `toml:"muc"`
	// Personal eventing and publish-subscribe.
	PubSub bool `toml:"pubsub"`
	// Requests (iq), by the namespace of their payload, such as `jabber:iq:version`. `*` is every one the profile allows.
	IQ []string `toml:"iq"`
}

// Any reports whether k lets anything through.
func (k *Kinds) Any() bool {
	return k.Message || k.Presence || k.MUC || k.PubSub || len(k.IQ) > 0
}

// Translation is one entry of a table.
type Translation struct {
	// File with the label that is translated.
	From File `toml:"from" required:"true"`
	// File with the label, under the other policy, that it becomes.
	To File `toml:"to" required:"true"`
}

// Category names a category value of a security policy.
type Category struct {
	// The security policy, by name or object identifier.
	Policy string `toml:"policy" required:"true"`
	// Name or object identifier of the tag set.
	TagSet string `toml:"tag-set" required:"true"`
	// Name of the value.
	Value string `toml:"value" required:"true"`
}

// Mapping gives a domain another name.
type Mapping struct {
	Far  string // as the peer writes it
	Near string // as everybody else writes it
}

// Pair lets two peers talk.
type Pair struct {
	// The names of the two peers.
	Between []string `toml:"between" required:"true"`
	// Both ways, or only from the first peer to the second; answers to what was sent come back in either case.
	Direction Direction `toml:"direction" enum:"both,first-to-second"`
	// Needed to let two peers of one side talk through the gateway.
	SameSide bool `toml:"same-side"`
}

// First is the peer that may always send.
func (p *Pair) First() string { return p.Between[0] }

// Second is the other one.
func (p *Pair) Second() string { return p.Between[1] }
