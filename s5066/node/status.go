package node

import (
	"slices"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
	"sallyport/s5066/modem"
	"sallyport/s5066/sis"
	"sallyport/s5066/spdu"
)

// Status is what an operator sees of a node.
type Status struct {
	Now       time.Time
	Own       s5066.Address
	Waveform  modem.Waveform
	EMCON     bool
	Broadcast bool
	Modem     bool // there is one
	Keying    bool // this node transmits
	Carrier   modem.Carrier
	Clients   []sis.Binding
	Links     []cas.Link
	Sessions  []spdu.Session
	Hard      s5066.HardLink
	HardPhase spdu.Phase
	Transfer  dts.Status // who speaks, windows, loss per remote
	Waiting   [17]int    // U_PDUs that wait for a link or their turn, by priority; the last are expedited ones
	Under     int        // U_PDUs given to the data transfer sublayer
	Stats     Stats
	Asked     []Asked // of other nodes by order, the latest last
	SIS       sis.ServerStats
	Receiver  dpdu.Stats
}

// Stats counts since the node was made.
type Stats struct {
	Requests, Confirmed, Rejected, Dropped uint64 // U_PDUs of clients
	Indications, Discarded                 uint64 // U_PDUs for clients, what went nowhere
	Faults, Refused, Warned, Resets        uint64
	Trains, LostTrains                     uint64
	BytesHeard                             uint64
	Airtime                                time.Duration // this node's, key-up included
	Keyed, Heard                           [16]Traffic   // by type of D_PDU
	Latency                                Latency       // from an ARQ request to the other node's word
}

// Traffic counts frames and their bytes.
type Traffic struct{ Frames, Bytes uint64 }

// Latency is times summed up.
type Latency struct {
	Count    uint64
	Sum, Max time.Duration
}

func (s *Stats) keyed(p dpdu.PDU, bytes int) {
	t := &s.Keyed[p.Type&15]
	t.Frames++
	t.Bytes += uint64(bytes) //nolint:gosec // of one frame
}

func (s *Stats) heard(p dpdu.PDU) {
	t := &s.Heard[p.Type&15]
	t.Frames++
	t.Bytes += uint64(p.Size()) //nolint:gosec // of one frame
}

func (s *Stats) latency(d time.Duration) {
	s.Latency.Count++
	s.Latency.Sum += d
	s.Latency.Max = max(s.Latency.Max, d)
}

// Status gives a copy.
func (n *Node) Status(now time.Time) Status {
	n.enter(now)
	s := Status{
		Now: n.now, Own: n.cfg.Own, Waveform: n.cfg.Waveform, EMCON: n.cfg.EMCON, Broadcast: n.cfg.Broadcast, Modem: n.air.there,
		Keying: n.air.keying != 0, Carrier: n.air.carrier, Clients: n.sis.Bindings(), Links: n.cas.Links(), Sessions: n.soft.List(),
		Transfer: n.dts.Status(), Stats: n.stats, SIS: n.sis.Stats(), Receiver: n.rx.Stats,
	}
	s.Hard, s.HardPhase = n.hard.Status()
	s.Asked = slices.Clone(n.managed.asked)
	for _, r := range n.requests.waiting {
		s.Waiting[r.urgency()]++
	}
	for _, c := range n.requests.given {
		s.Under += c
	}
	return s
}
