package stream

import (
	"io"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// Purpose says what an outbound stream is for.
type Purpose uint8

const (
	// ForStanzas authenticates the pair (Local, Remote) and carries stanzas.
	ForStanzas Purpose = iota
	// ForVerify never authenticates; it carries db:verify only (XEP-0220 §2.3).
	ForVerify
)

// TLSRule says whether a stream may go on without TLS. The zero value does not allow it.
type TLSRule uint8

const (
	// RequireTLS refuses every stream, and every downgrade, without TLS (E03).
	RequireTLS TLSRule = iota
	// AllowPlain uses TLS when offered and goes on without.
	AllowPlain
)

// Methods is a set of ways in which a domain may be proven. The zero value allows none.
type Methods uint8

const (
	// AllowExternal: SASL EXTERNAL; as initiator: the responder's certificate counts.
	AllowExternal Methods = 1 << iota
	// AllowCertificateDialback: a dialback request from a peer whose
	// certificate names the domain is valid at once (XEP-0344).
	AllowCertificateDialback
	// AllowDialback: Server Dialback, only as strong as DNS.
	AllowDialback
)

const anyDialback = AllowCertificateDialback | AllowDialback

// Has reports whether all of the methods in o are in s.
func (s Methods) Has(o Methods) bool { return o != 0 && s&o == o }

// Policy is what a pair must satisfy. The zero value refuses everybody.
type Policy struct {
	TLS  TLSRule
	Auth Methods // without AllowDialback an initiator requires the responder's certificate to name the remote domain
	Bidi bool    // offer, accept and ask for XEP-0288
	// Manage offers, accepts and asks for XEP-0198.
	Manage bool
	// ManageUnasked sends <enable/> after dialback although the peer never
	// advertised stream management (no features follow dialback, XEP-0198 §3).
	ManageUnasked bool
}

// Timing holds every time-out of a stream. Zero fields take DefaultTiming.
type Timing struct {
	Negotiation time.Duration // from Start to the first proven pair
	Handshake   time.Duration // StartTLS to Secured
	Dialback    time.Duration // each dialback operation
	Close       time.Duration // our close tag to the peer's
	Idle        time.Duration // no stanza in either direction: orderly close
	Keepalive   time.Duration // nothing written for so long: whitespace or <r/>
	AskAfter    time.Duration // oldest unrequested stanza to <r/>
	AckTimeout  time.Duration // <r/> without <a/>: the peer is gone
}

// DefaultTiming returns the times used for zero fields (XEP-0478: idle is long).
func DefaultTiming() Timing {
	return Timing{
		Negotiation: 60 * time.Second, Handshake: 10 * time.Second, Dialback: 30 * time.Second, Close: 5 * time.Second,
		Idle: 2 * time.Hour, Keepalive: 5 * time.Minute, AskAfter: time.Second, AckTimeout: 60 * time.Second,
	}
}

func (t Timing) withDefaults() Timing {
	d := DefaultTiming()
	for _, f := range []struct{ have, def *time.Duration }{
		{&t.Negotiation, &d.Negotiation},
		{&t.Handshake, &d.Handshake},
		{&t.Dialback, &d.Dialback},
		{&t.Close, &d.Close},
		{&t.Idle, &d.Idle},
		{&t.Keepalive, &d.Keepalive},
		{&t.AskAfter, &d.AskAfter},
		{&t.AckTimeout, &d.AckTimeout},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return t
}

// Limits on what a peer can make one stream hold.
const (
	MaxPairs         = 100    // pairs per stream and direction, pending ones included (G08)
	MaxMechanisms    = 64     // in one features element (D12)
	MaxFeaturesBytes = 10_000 // of one features element (D12)
	MaxAttempts      = 3      // SASL attempts on one stream
	MaxVerifies      = 1_000  // verify requests on a stream without any proven pair
	MaxLogBytes      = 256    // of peer text in a Fact or Closed (D10)
	MaxIDBytes       = 256    // of a peer's stream id or resumption id
)

// Config is everything a machine needs to know. Functions are called only from Step, Receive and Send.
type Config struct {
	// Local and Remote are the pair of an initiator. A responder learns them from
	// the peer; there Local is the default domain, used as 'from' of our header
	// when the peer's 'to' cannot be used.
	Local, Remote jid.JID
	Purpose       Purpose

	// Rand gives stream and resumption ids; crypto/rand.Reader in production.
	Rand io.Reader
	// Secret makes and checks dialback keys; shared by all processes of a domain.
	Secret Secret
	// Hosted reports whether a domain is ours on this side. Nil hosts nothing.
	Hosted func(domain jid.JID) bool
	// Relays reports whether a peer that has proven the domain remote may also send from
	// another one. Nil: never.
	Relays func(remote, from jid.JID) bool
	// Policy gives the rules for a pair. remote is zero before the peer named
	// itself. Nil refuses everybody. It is asked again for each proof.
	Policy func(local, remote jid.JID) Policy

	// OfferTLS: a responder has a certificate to offer STARTTLS with.
	OfferTLS bool
	// Elements limits one first-level element after a pair is proven; zero
	// takes xmlstream.ServerLimits. Its ElementBytes is advertised (XEP-0478).
	Elements xmlstream.Limits
	Timing   Timing
	Manage   ManageConfig
	// Resume is the session of a lost stream to be resumed (initiator only).
	Resume *Session
}

// FirstLimits are the decoder limits before anything is proven.
func (c *Config) FirstLimits() xmlstream.Limits { return xmlstream.PreAuthLimits() }

func (c *Config) policy(local, remote jid.JID) Policy {
	if c.Policy == nil {
		return Policy{}
	}
	return c.Policy(local, remote)
}

func (c *Config) hosted(d jid.JID) bool { return c.Hosted != nil && !d.IsZero() && c.Hosted(d) }

func (c *Config) elements() xmlstream.Limits {
	if c.Elements == (xmlstream.Limits{}) {
		return xmlstream.ServerLimits()
	}
	return c.Elements
}
