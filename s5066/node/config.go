package node

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/dts"
	"sallyport/s5066/modem"
	"sallyport/s5066/sis"
	"sallyport/s5066/spdu"
)

// ErrConfig is wrapped by the errors of New.
var ErrConfig = errors.New("node configuration")

// Config is what an operator decides. Default gives working values for all but the permitted nodes.
type Config struct {
	Own       s5066.Address
	Waveform  modem.Waveform
	Radio     modem.Radio // until the modem has told its figures
	Permit    []s5066.Address
	PermitAll bool // every node that has an address

	EMCON     bool // hears and keys nothing
	Broadcast bool // no links, ARQ is refused (A.12)
	FixedRate bool // the modem cannot be told its rate: nobody can order another one

	MaxTransmit time.Duration // of one transmission, at most 127.5 s
	Turnaround  time.Duration // of the slowest peer's equipment and software, beyond what its modem tells
	Slots       int           // of the random wait of nodes that were not spoken to, at least 2
	Session     spdu.SessionConfig
	MaxLinks    int
	Calls       int           // of a link request or BREAK before it is given up
	ClientWait  time.Duration // for a client-delivery confirmation, from the node's on
	HardAnswer  time.Duration // that another node has for an S_PDU about a hard link
	HardClient  time.Duration // that a client has to decide about one
	HardRank    s5066.Rank    // taken for clients of other nodes
	ClockSlack  time.Duration // by which nodes' clocks may differ where a time to die is told

	QueueCount int // U_PDUs of one client that wait; more bring S_DATA_FLOW_OFF
	QueueBytes int // the same in bytes

	SIS sis.ServerConfig
	DTS dts.Config
	// Seed is of the random waits: different in every node.
	Seed uint64
	// Capture sees every primitive and frame, in the order in which they pass. It must not keep what it is given, and not wait.
	Capture func(Captured)
	// Heard sees what the modem gives out, as it came: pieces of transmissions, and nil at the end of each. It must not keep what it is given, and not wait.
	Heard func(at time.Time, b []byte)
}

// Default is a node for interactive traffic: transmissions of half a minute at most, soft links that end after some minutes of
// silence. The times that depend on the waveform follow it, not what it is changed to later.
func Default(own s5066.Address, w modem.Waveform) Config {
	c := Config{
		Own: own, Waveform: w, Radio: modem.DefaultRadio(), MaxTransmit: 30 * time.Second, Turnaround: 200 * time.Millisecond, Slots: 8,
		MaxLinks: 16, Calls: 10, HardRank: 5, ClockSlack: 2 * time.Minute, HardClient: time.Minute,
		QueueCount: 256, QueueBytes: 1 << 20,
		SIS: sis.DefaultServerConfig(), DTS: dts.DefaultConfig(own), Seed: uint64(own.Word()),
	}
	turn := c.Timing().Duration(0) + c.Timing().Latency() + c.Turnaround
	// Making a link takes two turns, keeping one costs nothing: it outlives the pauses of a conversation.
	c.Session = spdu.SessionConfig{Idle: 5*time.Minute + 12*turn, Called: 6*time.Minute + 24*turn, Max: 10 * time.Minute}
	c.ClientWait = 5*time.Minute + 60*turn
	c.HardAnswer = 2*time.Minute + 12*turn
	return c
}

// Timing is what the modem makes of bytes.
func (c Config) Timing() modem.Timing { return modem.Timing{Waveform: c.Waveform, Radio: c.Radio} }

// Permits reports whether links are made with a node, and its data taken.
func (c Config) Permits(a s5066.Address) bool {
	return a.IsUnicast() && a != c.Own && (c.PermitAll || slices.Contains(c.Permit, a))
}

// dts is what the data transfer sublayer has to know of the modem.
func (c Config) dts() dts.Timing {
	t := c.Timing()
	return dts.Timing{
		Rate: c.Waveform.Rate(), Block: c.Waveform.Block(), Lead: t.Lead(), Tail: c.Radio.KeyDown,
		Latency: c.Waveform.Block() + c.Radio.Decode, Turnaround: c.Turnaround, Behind: modem.EndOfMessageBytes,
		Sense: t.Sense(), Silence: c.Radio.Idle, Drains: true,
	}
}

// slot is what it takes to notice that another station has begun to key.
func (c Config) slot() time.Duration {
	return c.dts().Slot()
}

// controlBytes is a transmission with link control in it, and an acknowledgement or two.
const controlBytes = 120

// exchange is a transmission of link control and its answer, however slow.
func (c Config) exchange() time.Duration {
	t := c.Timing()
	answer := t.Latency() + c.Turnaround + t.Duration(controlBytes) + t.Latency()
	return answer + max(answer/5, 2*time.Second)
}

// timers are those of channel access (B.5). A modem tells when somebody answers, so that a call is made again as soon as nobody does. Who has
// data goes before who wants to end a link.
func (c Config) timers() cas.Timers {
	call := c.dts().Answer()
	return cas.Timers{Call: call, Break: call + endsAfter*c.slot(), First: 30*c.exchange() + c.MaxTransmit}
}

// endsAfter is so many slots that both of two nodes have begun that have data.
const endsAfter = 4

func (c Config) validate() error {
	switch {
	case !c.Own.IsUnicast():
		return fmt.Errorf("%w: own address %s", ErrConfig, c.Own)
	case !c.Waveform.Valid():
		return fmt.Errorf("%w: waveform %s", ErrConfig, c.Waveform)
	case c.Slots < 2 || c.Slots > 1024:
		return fmt.Errorf("%w: %d slots, want 2 to 1024", ErrConfig, c.Slots)
	case c.QueueCount < 1 || c.QueueCount > 4096 || c.QueueBytes < 1:
		return fmt.Errorf("%w: queue of %d U_PDUs, %d bytes", ErrConfig, c.QueueCount, c.QueueBytes)
	case min(c.Turnaround, c.Session.Idle, c.Session.Called, c.Session.Max, c.ClockSlack) < 0:
		return fmt.Errorf("%w: a time is negative", ErrConfig)
	case c.ClientWait <= 0 || c.HardAnswer <= 0 || c.HardClient <= 0:
		return fmt.Errorf("%w: nothing can be answered in no time", ErrConfig)
	case min(c.Radio.KeyUp, c.Radio.KeyDown, c.Radio.Decode) < 0:
		return fmt.Errorf("%w: radio %+v", ErrConfig, c.Radio)
	}
	return nil
}

// layers gives the layers' configurations what this one decides for them.
func (c *Config) layers() {
	c.SIS.Broadcast = c.Broadcast
	c.DTS.Own, c.DTS.MaxTransmit, c.DTS.Seed, c.DTS.MaxLifetime = c.Own, c.MaxTransmit, c.Seed, c.SIS.MaxTTL
	c.DTS.MaxCPDU = max(c.DTS.MaxCPDU, c.SIS.MTU+overheadBytes)
}

// overheadBytes is what a U_PDU gains until it is a C_PDU.
const overheadBytes = cas.HeaderBytes + spdu.HeaderBytes + spdu.TTDBytes
