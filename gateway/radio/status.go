package radio

import (
	"time"

	"sallyport/s5066/capture"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
)

// Status is what a running node says of itself.
type Status struct {
	Time      time.Time      `json:"time"` // of the node: that of its channel, if that is simulated
	Address   string         `json:"address"`
	Waveform  string         `json:"waveform"`
	Rate      int            `json:"rate"` // bit/s
	EMCON     bool           `json:"emcon,omitempty"`
	Broadcast bool           `json:"broadcast,omitempty"`
	Modem     bool           `json:"modem"`              // there is one
	Channel   string         `json:"channel"`            // who transmits now
	SNR       *int           `json:"snr,omitempty"`      // dB, of what is heard now
	Awaiting  string         `json:"awaiting,omitempty"` // whose answer is awaited
	Clients   []ClientStatus `json:"clients"`
	Remotes   []RemoteStatus `json:"remotes"`
	Waiting   int            `json:"waiting"`   // U_PDUs that wait for a link or their turn
	UnderWay  int            `json:"under_way"` // U_PDUs that are being transferred
	Hard      string         `json:"hard_link,omitempty"`
	Counts    Counts         `json:"counts"`
	Asked     []AskedStatus  `json:"asked,omitempty"`   // of other nodes by order, the latest last
	Changes   []Change       `json:"changes,omitempty"` // the latest last
	Capture   *capture.Stats `json:"capture,omitempty"`
}

// AskedStatus is something that another node was asked for.
type AskedStatus struct {
	ID     uint64    `json:"id"`
	Remote string    `json:"remote"`
	What   string    `json:"what"`
	Since  time.Time `json:"since"`
	Ended  time.Time `json:"ended,omitzero"` // absent: no answer yet
	OK     bool      `json:"ok,omitempty"`
	Why    string    `json:"why,omitempty"` // of a refusal
}

// ClientStatus is a bound client.
type ClientStatus struct {
	SAP  int    `json:"sap"`
	Name string `json:"name"` // what the SAP is for
	Rank int    `json:"rank"`
}

// RemoteStatus is another node, as far as there is something to say of it.
type RemoteStatus struct {
	Address   string  `json:"address"`
	Link      string  `json:"link"` // state of the link, in words
	Called    bool    `json:"called,omitempty"`
	Exclusive bool    `json:"exclusive,omitempty"`
	Seconds   float64 `json:"seconds,omitempty"` // since the link is as it is
	Window    int     `json:"window"`            // frames under way
	Queue     int     `json:"queue"`             // C_PDUs
	Segment   int     `json:"segment"`           // bytes of the next frames
	Loss      float64 `json:"loss"`              // share of frames, measured
	Sent      uint64  `json:"frames_sent"`
	Again     uint64  `json:"frames_again"` // of those, not for the first time
	Heard     uint64  `json:"frames_heard"`
	Damaged   uint64  `json:"frames_damaged"`   // of those
	Silent    int     `json:"silent,omitempty"` // transmissions in a row without an answer
}

// Counts are since the start.
type Counts struct {
	Requests    uint64  `json:"requests"` // U_PDUs of clients
	Confirmed   uint64  `json:"confirmed"`
	Rejected    uint64  `json:"rejected"`
	Indications uint64  `json:"indications"` // U_PDUs for clients
	Trains      uint64  `json:"transmissions"`
	Lost        uint64  `json:"transmissions_lost"`
	Airtime     float64 `json:"airtime_seconds"`
	Delay       float64 `json:"mean_delay_seconds,omitempty"` // from a request to the other node's word
	Slowest     float64 `json:"slowest_seconds,omitempty"`
}

// statusOf puts a node's status into the shape in which it is asked.
func statusOf(s node.Status) Status {
	out := Status{
		Time: s.Now.UTC(), Address: s.Own.String(), Waveform: s.Waveform.String(), Rate: s.Waveform.Rate(), EMCON: s.EMCON, Broadcast: s.Broadcast,
		Modem: s.Modem, Channel: channelWords(s), UnderWay: s.Under, Clients: []ClientStatus{}, Remotes: remotesOf(s), Counts: countsOf(s.Stats),
	}
	if s.Carrier.On && s.Carrier.SNR != modem.SNRUnknown {
		snr := int(s.Carrier.SNR)
		out.SNR = &snr
	}
	if s.Transfer.Awaiting.Valid() {
		out.Awaiting = s.Transfer.Awaiting.String()
	}
	for _, n := range s.Waiting {
		out.Waiting += n
	}
	for _, c := range s.Clients {
		out.Clients = append(out.Clients, ClientStatus{SAP: int(c.SAP), Name: c.SAP.String(), Rank: int(c.Rank)})
	}
	for _, a := range s.Asked {
		one := AskedStatus{ID: a.ID, Remote: a.Remote.String(), What: a.What, Since: a.Since.UTC(), OK: a.OK, Why: a.Why}
		if !a.Ended.IsZero() {
			one.Ended = a.Ended.UTC()
		}
		out.Asked = append(out.Asked, one)
	}
	if s.Hard.Remote.Valid() {
		out.Hard = s.Hard.Remote.String() + ", " + s.HardPhase.String()
	}
	return out
}

// channelWords say who transmits now, as far as this node knows.
func channelWords(s node.Status) string {
	switch {
	case !s.Modem:
		return "no modem"
	case s.Keying:
		return "this node transmits"
	case s.Carrier.On && s.Transfer.Speaker.Valid() && s.Transfer.Busy.After(s.Now):
		return s.Transfer.Speaker.String() + " transmits"
	case s.Carrier.On && s.Carrier.Waveform.Valid():
		return "somebody transmits, " + s.Carrier.Waveform.String()
	case s.Carrier.On:
		return "energy"
	case s.Transfer.Busy.After(s.Now):
		return s.Transfer.Speaker.String() + " has announced to transmit"
	}
	return "free"
}

func remotesOf(s node.Status) []RemoteStatus {
	all := []RemoteStatus{}
	at := map[string]int{}
	find := func(address string) *RemoteStatus {
		i, ok := at[address]
		if !ok {
			i = len(all)
			at[address] = i
			all = append(all, RemoteStatus{Address: address, Link: "none"})
		}
		return &all[i]
	}
	for _, l := range s.Links {
		r := find(l.Remote.String())
		r.Link, r.Called, r.Exclusive, r.Seconds = l.Phase.String(), l.Called, l.Exclusive, s.Now.Sub(l.Since).Seconds()
	}
	for _, t := range s.Transfer.Remotes {
		r := find(t.Address.String())
		r.Window, r.Queue, r.Segment, r.Loss, r.Silent = t.UnderWay, t.Queued, t.SegmentSize, t.Loss, t.Silent
		r.Sent, r.Again, r.Heard, r.Damaged = t.Figures.FramesSent, t.Figures.FramesAgain, t.Figures.Heard, t.Figures.Damaged
	}
	return all
}

func countsOf(s node.Stats) Counts {
	c := Counts{
		Requests: s.Requests, Confirmed: s.Confirmed, Rejected: s.Rejected, Indications: s.Indications, Trains: s.Trains, Lost: s.LostTrains,
		Airtime: s.Airtime.Seconds(), Slowest: s.Latency.Max.Seconds(),
	}
	if s.Latency.Count > 0 {
		c.Delay = s.Latency.Sum.Seconds() / float64(s.Latency.Count)
	}
	return c
}
