package manage

import (
	"time"

	"sallyport/s5066"
)

// MaxLinks is how many links a Status tells of; those in use come first.
const MaxLinks = 16

// Status is a node as a manager sees it.
type Status struct {
	Time      time.Time     `json:"time"`
	Address   s5066.Address `json:"address"`
	Waveform  string        `json:"waveform"`
	Rate      int           `json:"rate"` // bit/s
	EMCON     bool          `json:"emcon,omitempty"`
	Broadcast bool          `json:"broadcast,omitempty"`
	Modem     bool          `json:"modem"`             // there is one
	Keying    bool          `json:"keying,omitempty"`  // this node transmits
	Hearing   bool          `json:"hearing,omitempty"` // another one does
	Clients   int           `json:"clients"`           // bound
	Waiting   int           `json:"waiting"`           // U_PDUs that wait for a link or their turn
	UnderWay  int           `json:"under_way"`         // U_PDUs that are being transferred
	Links     []Link        `json:"links"`
	More      int           `json:"more,omitempty"` // links that are not told of
}

// Link is another node, as far as there is something to say of it.
type Link struct {
	Remote  s5066.Address `json:"remote"`
	State   string        `json:"state"`
	Seconds float64       `json:"seconds,omitempty"` // since it is so
	Window  int           `json:"window"`            // frames under way
	Queue   int           `json:"queue"`             // C_PDUs
	Loss    float64       `json:"loss"`              // share of frames, measured
}
