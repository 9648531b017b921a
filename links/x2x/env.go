package x2x

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"

	"go.uber.org/zap"

	"sallyport/links"
)

// Env is the world a Set lives in. Nil fields take the real one, or nothing.
type Env struct {
	Log       *zap.Logger
	Observer  Observer
	Watcher   links.Watcher
	Custodian links.Custodian // needed by links with custody
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	Listen    func(ctx context.Context, network, address string) (net.Listener, error)
}

// Incident is something an operator or the audit log should know. It never holds content.
type Incident struct {
	Kind             string // closed list: the words of Noticed, and those below
	Link, Side, Peer string // empty where nobody is known
	Address          netip.AddrPort
	Reason           string // a tlsid.Reason, a stream condition
	Detail           string // one line, bounded
	Bytes            int
}

// The kinds beyond those of Noticed.
const (
	IncidentUp          = "link-up"
	IncidentDown        = "link-down"
	IncidentUnreachable = "unreachable"
	IncidentSource      = "unknown-source"      // O01
	IncidentCertificate = "certificate-refused" // O01
	IncidentHandshake   = "tls-failed"
	IncidentLimit       = "source-limit"
	IncidentProofGone   = "proof-gone"
)

// Observer hears incidents. It must not block.
type Observer interface{ Incident(Incident) }

type nobody struct{}

func (nobody) Incident(Incident)                             {}
func (nobody) Changed(string, bool)                          {}
func (nobody) Epoch() uint64                                 { return 0 }
func (nobody) Marks(string) []links.Mark                     { return nil }
func (nobody) Greeted(_, _ string, _ uint64, _ []links.Mark) {}

func (e Env) withDefaults() Env {
	if e.Log == nil {
		e.Log = zap.NewNop()
	}
	if e.Observer == nil {
		e.Observer = nobody{}
	}
	if e.Watcher == nil {
		e.Watcher = nobody{}
	}
	if e.Custodian == nil {
		e.Custodian = nobody{}
	}
	if e.Dial == nil {
		var d net.Dialer
		e.Dial = d.DialContext
	}
	if e.Listen == nil {
		var lc net.ListenConfig
		e.Listen = lc.Listen
	}
	return e
}

// Counters count since the link was made.
type Counters struct {
	Opened, Accepted, DialFailed, Lost atomic.Uint64 // carriers
	StanzasIn, StanzasOut              atomic.Uint64
	BytesIn, BytesOut                  atomic.Uint64 // on the wire, below TLS
	Plain                              atomic.Uint64 // into the compressor
	Saved                              atomic.Int64
	Foreign, Malformed, BadFrames      atomic.Uint64 // dropped or refused (O02, M02, M03)
	Delivered, InDoubt, Returned       atomic.Uint64 // reports
	Failed, Expired                    atomic.Uint64
	Resumed                            atomic.Uint64 // TLS handshakes by ticket
	RefusedSource, RefusedCertificate  atomic.Uint64
}
