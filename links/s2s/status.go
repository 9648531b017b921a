package s2s

import (
	"crypto/tls"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/stream"
	"sallyport/peering"
)

// unproven returns a pair whose proof would not be accepted today, and the word for why. Caller holds mu.
func (s *serverStream) unproven() (stream.Pair, string) {
	t := s.link.table()
	for pair, p := range s.inbound {
		peer := t.peerOn(s.side, pair.Remote)
		if peer == nil || peer.Name != p.peer {
			return pair, "no-peer"
		}
		if why := s.stillProves(t, pair, p.proof.Method == peering.External); why != "" {
			return pair, why
		}
	}
	for pair, byCertificate := range s.outbound {
		if why := s.stillProves(t, pair, byCertificate); why != "" {
			return pair, why
		}
	}
	return stream.Pair{}, ""
}

func (s *serverStream) stillProves(t *table, pair stream.Pair, byCertificate bool) string {
	policy := t.policy(s.side, pair.Remote, s.version)
	switch {
	case policy.Auth == 0:
		return "no-peer"
	case !byCertificate && !policy.Auth.Has(stream.AllowDialback):
		return "below-policy"
	case byCertificate && s.cert == nil:
		return tlsid.NoCertificate.String()
	case byCertificate:
		if _, reason := s.cert.judge(pair.Remote); reason != tlsid.OK {
			return reason.String()
		}
	}
	return ""
}

// Status is a picture of the link.
type Status struct {
	Streams []StreamStatus
	Queues  []QueueStatus
	Parked  int // lost sessions that wait to be resumed
	Pending int // connections that have not authenticated
}

// StreamStatus is one stream.
type StreamStatus struct {
	ID, Side    string
	Role        string
	Address     netip.AddrPort
	Since       time.Time
	TLS, Cipher string
	Bidi        bool
	Managed     bool
	Ready       bool
	Certificate string // how the peer's certificate was judged for the pairs it proves; empty without one
	Usage       string // "unusual" when it has only the other role's key usage
	Pairs       []PairStatus
	Unconfirmed int
	Sent        int64 // bytes on the wire
	Received    int64
}

// PairStatus is one proven pair.
type PairStatus struct {
	Local, Remote, Peer string
	Direction           string
	Method              string
}

// QueueStatus is one pair's queue.
type QueueStatus struct {
	Local, Remote, Peer string
	State               string
	Stanzas, Bytes      int
	Oldest              time.Time // zero when empty
	Retry               time.Time
	LastError           string
}

// Status takes the picture. It takes each lock for a moment.
func (l *Link) Status() Status {
	var st Status
	l.mu.RLock()
	st.Parked, st.Pending = len(l.parked), l.pending
	l.mu.RUnlock()
	for _, s := range l.allStreams() {
		st.Streams = append(st.Streams, s.status())
	}
	for _, q := range l.allQueues() {
		st.Queues = append(st.Queues, l.queueStatus(q))
	}
	slices.SortFunc(st.Streams, func(a, b StreamStatus) int { return a.Since.Compare(b.Since) })
	slices.SortFunc(st.Queues, func(a, b QueueStatus) int {
		return strings.Compare(a.Remote+" "+a.Local, b.Remote+" "+b.Local)
	})
	return st
}

func (s *serverStream) status() StreamStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := StreamStatus{
		ID: s.ready.ID, Side: s.side, Role: s.role.String(), Address: s.remote, Since: s.since, Bidi: s.m.Bidi(),
		Managed: s.m.Managed(), Ready: s.isReady, Sent: s.wire.sent.Load(), Received: s.wire.received.Load(),
	}
	if s.version != 0 {
		st.TLS, st.Cipher = tls.VersionName(s.version), tls.CipherSuiteName(s.cipher)
	}
	if f := s.flight; f != nil {
		st.Unconfirmed = int(f.next() - f.first) //nolint:gosec // a length
	}
	for pair, p := range s.inbound {
		st.Pairs = append(st.Pairs, PairStatus{pair.Local.String(), pair.Remote.String(), p.peer, stream.Inbound.String(), p.proof.Method.String()})
	}
	for pair, byCertificate := range s.outbound {
		method := peering.Dialback
		if byCertificate {
			method = peering.External
		}
		name := ""
		if p := s.link.table().peer(pair.Remote); p != nil {
			name = p.Name
		}
		st.Pairs = append(st.Pairs, PairStatus{pair.Local.String(), pair.Remote.String(), name, stream.Outbound.String(), method.String()})
		s.certificateStatus(&st, pair)
	}
	for pair := range s.inbound {
		s.certificateStatus(&st, pair)
	}
	slices.SortFunc(st.Pairs, func(a, b PairStatus) int {
		return strings.Compare(a.Direction+a.Remote+" "+a.Local, b.Direction+b.Remote+" "+b.Local)
	})
	return st
}

func (s *serverStream) certificateStatus(st *StreamStatus, pair stream.Pair) {
	if s.cert == nil || st.Certificate != "" {
		return
	}
	v, reason := s.cert.judge(pair.Remote)
	st.Certificate = reason.String()
	if v != nil && v.UnusualUsage {
		st.Usage = "unusual"
	}
}

func (l *Link) queueStatus(q *queue) QueueStatus {
	q.mu.Lock()
	defer q.mu.Unlock()
	st := QueueStatus{
		Local: q.key.local.String(), Remote: q.key.remote.String(), State: q.state.String(),
		Stanzas: len(q.items) - q.head, Bytes: q.bytes, Retry: q.retry,
	}
	if p := l.table().peer(q.key.remote); p != nil {
		st.Peer = p.Name
	}
	if q.head < len(q.items) {
		st.Oldest = q.items[q.head].since
	}
	if q.lastErr != nil {
		st.LastError = clean(q.lastErr.Error())
	}
	return st
}
