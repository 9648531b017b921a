package stream

import (
	"io"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// ClientPolicy is what the clients of a domain must satisfy, and what they are
// offered. The zero value lets nobody in.
type ClientPolicy struct {
	TLS TLSRule
	// Mechanisms may be used, the preferred first. Those of SCRAM stand for their
	// -PLUS variants as well, which are offered where the channel can be bound.
	Mechanisms []string
	// RequireBinding offers -PLUS (and EXTERNAL) only.
	RequireBinding bool
	// NoBinding offers no -PLUS at all. With it clients log in that believe that
	// every server that binds does so by tls-unique, and fail on TLS 1.3:
	// COMPAT(slixmpp, 1.8).
	NoBinding   bool
	SASL2       bool // XEP-0388 with Bind 2 (XEP-0386) beside RFC 6120 §6
	Tokens      bool // FAST (XEP-0484); needs SASL2
	Manage      bool // XEP-0198
	ClientState bool // XEP-0352
	// Compress offers zlib (XEP-0138) after authentication. It tells who sees the lengths something of the text.
	Compress bool
	// Register is what who has no account may do, inside TLS (XEP-0077).
	Register Registration
	// Legacy lets clients in from before SASL (XEP-0078), inside TLS and with the password itself.
	Legacy bool
}

// Limits on what a client can make one stream hold or do.
const (
	MaxLogins     = 5   // failed attempts on one stream (F14)
	MaxBinds      = 5   // refused bind requests on one stream
	MaxAgentBytes = 128 // of a user agent's id (XEP-0388)
	MaxTagBytes   = 64  // of the tag in a resource (XEP-0386)
	MaxWishes     = 16  // features asked for together with Bind 2
)

// ClientConfig is everything the server's side of a client's stream needs to know. Functions are called only from Step.
type ClientConfig struct {
	// Local is the 'from' of our header where the client's 'to' cannot be used.
	Local   jid.JID
	Framing Framing
	// Rand gives stream, resumption and resource ids and nonces; crypto/rand.Reader in production.
	Rand io.Reader
	// Hosted reports whether clients of a domain are served here. Nil serves nobody.
	Hosted func(domain jid.JID) bool
	// Policy gives the rules of a domain. Nil lets nobody in.
	Policy func(domain jid.JID) ClientPolicy
	// OfferTLS: there is a certificate to offer STARTTLS with.
	OfferTLS bool
	// Shown is what a client, by its full address, is shown of a stanza; what is not acknowledged stays what it was. It changes nothing but
	// the content, and is called by any goroutine. Nil: the stanza.
	Shown func(client jid.JID, e *xmlstream.Element) *xmlstream.Element
	// MayHave reports whether a client that resumes its session may still have a stanza that was for it before. What it may not have comes
	// out as Unconfirmed. Nil: all of it.
	MayHave func(client jid.JID, e *xmlstream.Element) bool
	// Features are offered after authentication beside our own, as roster versioning is.
	Features []*xmlstream.Element
	// Inline are features that the edge can enable together with Bind 2, by their namespaces.
	Inline []string
	// Elements limits one first-level element after authentication; zero takes xmlstream.ClientLimits.
	Elements xmlstream.Limits
	Timing   Timing
	Manage   ManageConfig
}

// FirstLimits are the decoder limits before anything is proven.
func (c *ClientConfig) FirstLimits() xmlstream.Limits { return xmlstream.PreAuthLimits() }

func (c *ClientConfig) policy(domain jid.JID) ClientPolicy {
	if c.Policy == nil || domain.IsZero() {
		return ClientPolicy{}
	}
	return c.Policy(domain)
}

func (c *ClientConfig) elements() xmlstream.Limits {
	if c.Elements == (xmlstream.Limits{}) {
		return xmlstream.ClientLimits()
	}
	return c.Elements
}

// ---- inputs of a client's stream alone

// Found answers LookUp. The zero reply admits nobody.
type Found struct{ Reply sasl.Reply }

// LookUpFailed answers LookUp when nothing is known: the store is down, or busy.
type LookUpFailed struct{}

// Bound answers BindWanted: the address is this stream's now.
type Bound struct {
	Resource string
	// Answers of the wishes that the edge granted go into <bound/>.
	Answers []*xmlstream.Element
}

// BindRefused answers BindWanted: conflict, resource-constraint, not-allowed.
type BindRefused struct{ Reason RefusedBind }

// RefusedBind is why a resource was not bound (RFC 6120 §7.6.2, §7.7.2).
type RefusedBind uint8

const (
	BindNotAllowed RefusedBind = iota
	BindConflict
	BindConstraint // too many resources
)

// TokenGranted answers TokenWanted; an empty token grants none.
type TokenGranted struct {
	Token  string
	Expiry string // XEP-0082
}

func (Found) input()        {}
func (LookUpFailed) input() {}
func (Bound) input()        {}
func (BindRefused) input()  {}
func (TokenGranted) input() {}

// ---- outputs of a client's stream alone

// LookUp asks for an account; answer with Found or LookUpFailed. It looks the same for every name.
type LookUp struct {
	Account   jid.JID // bare
	Mechanism string
	Want      sasl.Want
	Password  sasl.Password // with sasl.WantPassword
	Agent     string        // whose tokens, with sasl.WantTokens
}

// Authenticated: the client has proved to be the account. Nothing is bound yet.
type Authenticated struct {
	Account   jid.JID
	Mechanism string
	Binding   bool   // the channel was bound to the proof
	Agent     string // user agent id of SASL2, empty where it gave none
	Token     string // sasl.Token.ID that was used: older ones of this agent are void now (XEP-0484 §3.5)
	Void      bool   // the client wants that token void, too
}

// BindWanted asks whether the account may have this resource here. What conflicts is the edge's to decide: it closes the
// other stream with conflict, or refuses. Answer with Bound or BindRefused.
type BindWanted struct {
	Account  jid.JID
	Resource string // what the client asked for, or drawn by us
	Drawn    bool   // drawn by us: take it, or another
	Inline   bool   // asked for together with authentication (XEP-0386): Bound has answers
	Agent    string // earlier sessions of the same agent should end (XEP-0386 §3.2)
	Wishes   []*xmlstream.Element
}

// TokenWanted asks for a token of this agent for a mechanism (XEP-0484). Rotate: nobody asked, it is only the moment
// to replace one that is old.
type TokenWanted struct {
	Account   jid.JID
	Agent     string
	Mechanism string
	Rotate    bool
}

// ClientReady: a resource is bound, or a session resumed; stanzas flow.
type ClientReady struct {
	Address   jid.JID // full
	ID        string
	TLS       *TLSFacts
	Mechanism string
	Managed   bool
	Resumed   bool
}

// ClientState tells whether somebody looks at the client (XEP-0352).
type ClientState struct{ Active bool }

func (LookUp) output()        {}
func (Authenticated) output() {}
func (BindWanted) output()    {}
func (TokenWanted) output()   {}
func (ClientReady) output()   {}
func (ClientState) output()   {}
